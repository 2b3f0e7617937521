"""The base of all CTI messages."""

from __future__ import annotations

import enum
from typing import ClassVar

from pa_telephony.wire.declaration import Message

__all__ = ["CtiMessage", "Kind"]


class Kind(enum.Enum):
    """Requests go to the server, responses and events come from it."""

    REQUEST = "request"
    RESPONSE = "response"
    EVENT = "event"
    BOTH = "both"


class CtiMessage(Message):
    """A message of CTIQBE, the wire under JTAPI; subclasses are filed by number."""

    __slots__ = ()

    registry: ClassVar[dict[int, type[Message]]] = {}
    kind: ClassVar[Kind] = Kind.BOTH

    @classmethod
    def _declared(cls, *, id: int | None = None, kind: Kind = Kind.BOTH) -> None:
        super()._declared(id=id)
        cls.kind = kind
