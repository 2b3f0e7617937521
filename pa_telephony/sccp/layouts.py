"""Which layout a body has: peers write those of older versions on newer sessions."""

from __future__ import annotations

from pa_telephony.errors import DecodeError
from pa_telephony.wire.declaration import Struct, fields_of
from pa_telephony.wire.sequential.codec import Codec
from pa_telephony.wire.sequential.types import Changed, read_fields, size_of

__all__ = ["codec_of", "older_layout"]

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
    known = (each for each in older if size_of(declaration, each) in fits)
    return next((each for each in known if _readable(declaration, body, each)), version)


def _readable(declaration: type[Struct], body: bytes, version: int) -> bool:
    try:
        values, end, _ = read_fields(declaration, body, 0, version)
    except DecodeError:
        return False
    there = all(field.name in values for field in fields_of(declaration) if field.required)
    return there and end <= len(body)


_codecs: dict[tuple[type[Struct], int], Codec] = {}


def codec_of(declaration: type[Struct], version: int) -> Codec:
    """The codec of a declared class in the layout of session ``version``."""
    codec = _codecs.get((declaration, version))
    if codec is None:
        codec = _codecs[declaration, version] = Codec(declaration, version, older_layout)
    return codec
