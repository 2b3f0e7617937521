"""Events of lines, encoded once for however many handles and sessions are told of them.

An event of a call on a line that 200 phones share is told on each handle of each session that has
the line open. The frames differ in the handle and in the version word of the session, and in
nothing else.
"""

from __future__ import annotations

import functools
import struct
from typing import NamedTuple

from pa_telephony.cti.messages.base import CtiMessage
from pa_telephony.cti.messages.codec import HEADER, encode
from pa_telephony.wire.declaration import fields_of

__all__ = ["Encoded", "LineEvent"]

_WORD = struct.Struct("<I")
_VERSION_AT = 12


class Encoded:
    """An event with a ``line_id``, as a CTI Manager sends it.

    Raises :class:`LocalProtocolError` when it cannot be encoded.
    """

    __slots__ = ("_frame", "_line_at")

    def __init__(self, event: CtiMessage) -> None:
        self._frame = encode(event, to_server=False)
        self._line_at = _place_of_line(type(event))

    def frame(self, line: int, version: int) -> bytes:
        """The whole message, told on the handle ``line`` in a session of ``version``."""
        frame = bytearray(self._frame)
        _WORD.pack_into(frame, _VERSION_AT, version)
        _WORD.pack_into(frame, self._line_at, line & 0xFFFFFFFF)
        return bytes(frame)


class LineEvent(NamedTuple):
    """An event to be told on one handle."""

    event: Encoded
    line: int

    def frame(self, version: int) -> bytes:
        """The whole message in a session of ``version``."""
        return self.event.frame(self.line, version)


@functools.cache
def _place_of_line(kind: type[CtiMessage]) -> int:
    """The offset of the line handle in the frames of a kind of event."""
    at = HEADER.size
    for field in fields_of(kind):
        if field.name == "line_id":
            return at
        at += 4 * field.type.words
    raise TypeError(f"{kind.__name__} is of no line")
