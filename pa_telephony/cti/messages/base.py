"""The base of all CTI messages."""

from __future__ import annotations

import enum
from typing import Any, ClassVar

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

    registry: ClassVar[dict[int, type[Message]]] = {}
    kind: ClassVar[Kind] = Kind.BOTH

    def __init_subclass__(
        cls, *, id: int | None = None, kind: Kind = Kind.BOTH, **attributes: Any
    ) -> None:
        super().__init_subclass__(id=id, **attributes)
        cls.kind = kind
