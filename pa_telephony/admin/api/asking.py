"""One request to the API: who asks, for what, and with what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from pa_telephony.admin.actors import Actor
from pa_telephony.admin.api.operations import Operation

__all__ = ["Asked", "Handler"]


@dataclass
class Asked:
    """A request that is allowed and whose parts are as they were declared."""

    request: Request
    operation: Operation
    actor: Actor
    secret: str
    """The token that it came with; "" for a session."""
    given: Mapping[str, str]
    """The parts of its path."""
    query: Mapping[str, Any]
    body: Any
    subject: str = ""
    """What it is about, for the audit log."""
    result: str = field(default="", repr=False)
    """What has come of it, for the audit log."""
    note: Callable[[], Awaitable[None]] | None = None
    """Writes it down, and what has come of it when that is called again; who is done only when its
    answer ends takes it, and calls it then."""
    noted: int | None = None
    """The number of the note."""

    def accepts(self, kind: str) -> bool:
        """Whether an answer of this type is asked for."""
        return kind in self.request.headers.get("accept", "")


Handler = Callable[[Asked], Awaitable[Any]]
"""Answers with a value for JSON, or with a whole response."""
