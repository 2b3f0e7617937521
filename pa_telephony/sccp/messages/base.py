"""The base of all SCCP messages."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import ClassVar

from pa_telephony.wire.declaration import Message

__all__ = ["SccpMessage", "Sender"]


class Sender(enum.Enum):
    """Which side sends a message; media resources count as stations."""

    STATION = "station"
    CALL_MANAGER = "call manager"
    EITHER = "either side"


class SccpMessage(Message):
    """A message of the Skinny Client Control Protocol; subclasses are filed by number."""

    __slots__ = ()

    registry: ClassVar[dict[int, type[Message]]] = {}
    sender: ClassVar[Sender] = Sender.EITHER
    framers: ClassVar[dict[int, Callable[..., bytes]]] = {}
    """What makes frames of these messages, by session version; filled by the codec."""

    @classmethod
    def _declared(cls, *, id: int | None = None, sender: Sender = Sender.EITHER) -> None:
        super()._declared(id=id)
        cls.sender = sender
        cls.framers = {}
