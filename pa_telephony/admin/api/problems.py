"""What the API says when it refuses something: RFC 9457, one shape for all of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from pa_telephony.admin.api.shapes import Problem
from pa_telephony.errors import ConfigurationError, TelephonyError
from pa_telephony.printable import printable_reason

__all__ = ["Refused", "as_refused", "broken", "field_of", "refused_by"]


_MOST_ERRORS = 100
"""How many of the broken rules an answer names."""


class Refused(TelephonyError):
    """An answer that is a problem; ``more`` are further fields of it."""

    def __init__(
        self, status: int, detail: str, errors: Iterable[dict[str, str]] = (), **more: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers: dict[str, str] = {}
        self._errors = list(errors)
        self._more = more

    @property
    def body(self) -> dict[str, Any]:
        """What is sent."""
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": printable_reason(str(self)),
            "errors": self._errors,
            **self._more,
        }


def field_of(section: str, field: str, rule: str) -> dict[str, str]:
    """One rule that is broken, and where."""
    where = printable_reason(section), printable_reason(field)
    return {"section": where[0], "field": where[1], "rule": printable_reason(rule)}


def broken(section: str, problems: Iterable[Problem]) -> Refused | None:
    """The refusal of a body or a query that breaks these rules; None when there are none."""
    errors = [field_of(section, each.field, each.rule) for each in problems]
    if not errors:
        return None
    first = errors[0]
    where = f"{section}: {first['field']}: " if first["field"] else f"{section}: "
    return Refused(422, where + first["rule"], errors[:_MOST_ERRORS])


def refused_by(error: ConfigurationError, status: int = 422, **more: Any) -> Refused:
    """The refusal of what breaks rules of the configuration, or of the cluster."""
    found = [field_of(each.section, each.field, each.rule) for each in (error, *error.others)]
    words = ": ".join(part for part in (error.section, error.field, error.rule) if part)
    return Refused(status, words, found[:_MOST_ERRORS], **more)


def as_refused(error: TelephonyError) -> Refused:
    """What the client is told of an error that is not about its request alone."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, ConfigurationError):
        return refused_by(error, 409)
    return Refused(503, str(error))
