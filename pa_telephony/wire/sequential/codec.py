"""Straight-line code for declared messages, made when a message is first used.

Interpreted declarations cost many times as much as this (bench/codec.py). The code made here
handles whole, well-formed bodies: a run of fixed-size fields is one ``struct.Struct``, unpacked
straight into the attributes of the new message. Whenever something is unusual (a short body, an
unknown enumerator, a count or a value out of range) it hands over to the patient way in
:mod:`pa_telephony.wire.sequential.types`, which decides and names the field.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable
from typing import Any, TypeAlias

from pa_telephony.errors import LocalProtocolError
from pa_telephony.wire.declaration import Struct
from pa_telephony.wire.sequential.reader import Reader
from pa_telephony.wire.sequential.types import completed, read_fields, size_of, write_fields
from pa_telephony.wire.sequential.writer import PADDING, Writer

__all__ = ["HEADER", "Codec", "LayoutOf", "frame_of"]

HEADER = struct.Struct("<III")
"""The words before a body: length of id and body, header version, id."""


LayoutOf: TypeAlias = Callable[[type[Struct], bytes, int], int]
"""The version in whose layout a body is, where its length is not that of the session's version."""


class Codec:
    """Body to message and back for one message in one version; each way is made when it is used.

    What a peer writes in another layout than the session's is a matter of the protocol:
    ``layout_of`` tells it.
    """

    def __init__(self, declaration: type[Struct], version: int, layout_of: LayoutOf) -> None:
        self.declaration = declaration
        self.version = version
        self._layout_of = layout_of
        self._shorter: dict[int, Callable[[bytes], Any]] = {}

    @functools.cached_property
    def decode(self) -> Callable[[bytes], Any]:
        """The function that reads a message from a body."""
        size = size_of(self.declaration, self.version)
        if size is None:
            return self._decode_any
        usual = Reader(self.declaration, self.version, length=size + -size % 4)
        return usual.compile(self._decode_unusual)

    @functools.cached_property
    def encode(self) -> Callable[[Any], bytes]:
        """The function that writes the body of a message, without its ``trailing`` bytes."""
        return Writer.body(self.declaration, self.version, self._encode_patiently)

    def framer(self, usual: int) -> Callable[..., bytes]:
        """Makes whole frames, padded to words, of a message and the second word of its header.

        The word may be left out; then it is ``usual``.
        """
        return Writer.frame(self.declaration, self.version, usual, self._frame_patiently)

    @functools.cached_property
    def _decode_any(self) -> Callable[[bytes], Any]:
        return Reader(self.declaration, self.version).compile(self._decode_patiently)

    def _decode_unusual(self, body: bytes) -> Any:
        return self._shorter.get(len(body), self._decode_any)(body)

    def _decode_patiently(self, body: bytes) -> Any:
        older = self._layout_of(self.declaration, body, self.version)
        values, end, short = read_fields(self.declaration, body, 0, older)
        trailing = b"" if short else body[end:]
        if len(trailing) > 3:
            values["trailing"] = trailing
        fixed = size_of(self.declaration, older) is not None
        whole = short and fixed and end == len(body)
        if whole and older == self.version and len(body) not in self._shorter:
            # Real RegisterReqs end early: the next one of this length takes a fast way.
            reader = Reader(self.declaration, self.version, there=values)
            self._shorter[len(body)] = reader.compile(self._decode_patiently)
        return self.declaration(**completed(self.declaration, values, older))

    def _encode_patiently(self, message: Any) -> bytes:
        return write_fields(self.declaration, message, self.version)

    def _frame_patiently(self, message: Any, header_version: int) -> bytes:
        body = self.encode(message) + message.trailing
        return frame_of(message.id, body, header_version)


def frame_of(number: int, body: bytes, header_version: int) -> bytes:
    """A frame around a body: the header, then the body padded to whole words."""
    body += PADDING[len(body) % 4]
    try:
        return HEADER.pack(len(body) + 4, header_version, number) + body
    except struct.error as error:
        raise LocalProtocolError(f"message 0x{number:x}: {error}") from error
