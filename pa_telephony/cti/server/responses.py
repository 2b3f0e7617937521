"""Responses to requests; each repeats the request's number, and the handles it has fields for."""

from __future__ import annotations

import functools
from dataclasses import fields
from typing import Any

from pa_telephony.cti import messages
from pa_telephony.cti.enums import CTIFAILURE
from pa_telephony.cti.messages.base import CtiMessage

__all__ = ["CALL_MANAGER", "answer", "plain", "refusal"]

CALL_MANAGER = 1
"""The number of our node in every handle."""

_LONGEST_DESCRIPTION = 255
_COPIED = frozenset({"line_call_manager_id", "line_id", "call_manager_id", "device_id"})


@functools.cache
def _form(name: str) -> tuple[type[CtiMessage], tuple[str, ...]]:
    """The response to the request of that name, and the handles that it copies."""
    request, response = (getattr(messages, name + end) for end in ("Request", "Response"))
    have = {each.name for each in fields(request)} & {each.name for each in fields(response)}
    return response, tuple(have & _COPIED)


def answer(request: CtiMessage, **values: Any) -> CtiMessage:
    """The positive response to a request; ``values`` are fields that the request does not give."""
    response, copied = _form(type(request).__name__.removesuffix("Request"))
    whole: dict[str, Any] = {name: getattr(request, name) for name in copied}
    whole["sequence_number"] = getattr(request, "sequence_number", 0)
    whole["result"] = CTIFAILURE(0)
    return response(**(whole | values))


def refusal(request: CtiMessage, code: int, description: str = "") -> CtiMessage:
    """The response that refuses a request, with a text that reaches the application."""
    return messages.FailureResponse(
        sequence_number=getattr(request, "sequence_number", 0),
        result=CTIFAILURE(code),
        # The description may quote the request.
        description=description[:_LONGEST_DESCRIPTION],
    )


def plain(name: str) -> str:
    """A name for a Latin-1 field, with ``?`` for other letters; a Unicode field has it whole."""
    return name.encode("latin-1", "replace").decode("latin-1")
