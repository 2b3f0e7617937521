"""Straight-line code for declared messages, made when a message is first used.

Interpreted declarations cost many times as much as this (bench/codec.py). The code
made here handles whole, well-formed bodies: a run of fixed-size fields is one ``struct.Struct``,
unpacked straight into the attributes of the new message. Whenever something is unusual (a short
body, an enumerator that nobody knows, a count or a value out of range) it hands over to the patient
way in :mod:`pa_telephony.wire.sequential.types`, which decides and names the field.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable
from typing import Any

from pa_telephony.errors import DecodeError, LocalProtocolError
from pa_telephony.wire.declaration import Struct, fields_of
from pa_telephony.wire.sequential.reader import Reader
from pa_telephony.wire.sequential.types import Changed, read_fields, size_of, write_fields
from pa_telephony.wire.sequential.writer import PADDING, Writer

__all__ = ["HEADER", "Codec", "codec_of", "frame_of", "older_layout"]

HEADER = struct.Struct("<III")
"""What stands before a body: length of id and body, header version, id."""


class Codec:
    """Body to message and back for one message in one version; each way is made when it is used."""

    def __init__(self, declaration: type[Struct], version: int) -> None:
        self.declaration = declaration
        self.version = version
        self._shorter: dict[int, Callable[[bytes], Any]] = {}

    @functools.cached_property
    def decode(self) -> Callable[[bytes], Any]:
        """The message in a body."""
        size = size_of(self.declaration, self.version)
        if size is None:
            return self._decode_any
        usual = Reader(self.declaration, self.version, length=size + -size % 4)
        return usual.compile(self._decode_unusual)

    @functools.cached_property
    def encode(self) -> Callable[[Any], bytes]:
        """The body of a message, without what trails it."""
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
        older = older_layout(self.declaration, body, self.version)
        values, end, short = read_fields(self.declaration, body, 0, older)
        trailing = b"" if short else body[end:]
        if len(trailing) > 3:
            values["trailing"] = trailing
        fixed = size_of(self.declaration, older) is not None
        if short and fixed and older == self.version and len(body) not in self._shorter:
            # Real RegisterReqs end early: the next one of this length need not be so patient.
            reader = Reader(self.declaration, self.version, there=values)
            self._shorter[len(body)] = reader.compile(self._decode_patiently)
        try:
            return self.declaration(**values)
        except TypeError as error:
            raise DecodeError(f"ends too early: {error}", offset=len(body)) from error

    def _encode_patiently(self, message: Any) -> bytes:
        return write_fields(self.declaration, message, self.version)

    def _frame_patiently(self, message: Any, header_version: int) -> bytes:
        body = self.encode(message) + message.trailing
        return frame_of(message.id, body, header_version)


def frame_of(number: int, body: bytes, header_version: int) -> bytes:
    """A frame around a body."""
    body += PADDING[len(body) % 4]
    try:
        return HEADER.pack(len(body) + 4, header_version, number) + body
    except struct.error as error:
        raise LocalProtocolError(f"message 0x{number:x}: {error}") from error


_codecs: dict[tuple[type[Struct], int], Codec] = {}


def codec_of(declaration: type[Struct], version: int) -> Codec:
    """The codec of a declared class in the layout of ``version``."""
    codec = _codecs.get((declaration, version))
    if codec is None:
        codec = _codecs[declaration, version] = Codec(declaration, version)
    return codec


_OLDER = (17, 16, 14, 10, 5)
"""The last versions before some layout changes, newest first."""


def older_layout(declaration: type[Struct], body: bytes, version: int) -> int:
    """The version whose layout a body has: a shorter one that fits an older layout is that.

    Asterisk and FreeSWITCH write old layouts on new sessions, and pyskinny does (captured). Where
    the length says nothing, because text of any length ends the body, an older layout is taken
    when the body cannot be read in that of the version.
    """
    size, length = size_of(declaration, version), len(body)
    older = [each for each in _OLDER if each < version]
    if size is None:
        changes = any(isinstance(field.type, Changed) for field in fields_of(declaration))
        tried = [version, *older] if changes else []
        return next((each for each in tried if _readable(declaration, body, each)), version)
    if length >= size:
        return version
    fits = (length, length - 1, length - 2)
    return next((each for each in older if size_of(declaration, each) in fits), version)


def _readable(declaration: type[Struct], body: bytes, version: int) -> bool:
    try:
        read_fields(declaration, body, 0, version)
    except DecodeError:
        return False
    return True
