"""Wire types of messages with a fixed part and offsets into what follows it (CTIQBE).

Every field is a few 32-bit words in the fixed part; strings, arrays and nested structs are told
there by their offset, counted from the first byte of the message, and lie behind it. All facts
are from observing Cisco's JTAPI client (docs/protocol/ctiqbe.md §1.2) unless said otherwise.

The two directions differ: Cisco's client writes null strings as length 0 and Unicode without a
terminator, but needs at least one NUL in every string that it reads.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pa_telephony.errors import DecodeError, LocalProtocolError
from pa_telephony.wire.declaration import Struct, fields_of

__all__ = [
    "NULL",
    "Bool",
    "Bytes",
    "Handle",
    "HandleWords",
    "Handles",
    "Int",
    "Ints",
    "Nested",
    "OffsetType",
    "Source",
    "String",
    "Structs",
    "UString",
    "fixed_size",
    "read_block",
    "write_block",
]


_MOST_STRUCTS = 10_000
"""How many structs one message may hold.

Each costs some hundred times the four bytes that it may have on the wire.
"""


class _Null(str):
    """The type of :data:`NULL`, a string that is absent."""

    __slots__ = ()


NULL = _Null()
"""A string that is not there: equal to "", but Cisco's client writes the two differently."""


class Handle(Struct):
    """Two numbers that name a call leg on one call manager."""

    call_manager_id: int = 0
    call_leg_id: int = 0


class Source:
    """A received message; it lets no field take more than the message holds.

    Overlapping offsets could make a small message huge. All variable parts together may not exceed
    four times the message (those of correct peers never exceed it once).
    """

    def __init__(self, frame: bytes) -> None:
        self.frame = frame
        self._left = 4 * len(frame)
        self._structs_left = _MOST_STRUCTS

    def take(self, offset: int, length: int) -> bytes:
        """``length`` bytes at ``offset``; raises ValueError where they are not there."""
        end = offset + length
        if end > len(self.frame):
            raise ValueError(f"{length} bytes at {offset}, the message has {len(self.frame)}")
        self._left -= length
        if self._left < 0:
            raise ValueError("fields overlap: the parts are larger than the message")
        return self.frame[offset:end]

    def count(self, structs: int) -> None:
        """Count array elements; raises ValueError when there are more than any message needs."""
        self._structs_left -= structs
        if self._structs_left < 0:
            raise ValueError(f"more than {_MOST_STRUCTS} structs in a message")


class OffsetType:
    """How one value is read and written; base of all wire types with offsets."""

    words = 1
    """How many 32-bit words the value takes in the fixed part."""

    def read(self, words: Sequence[int], source: Source) -> Any:
        """The value that ``words`` of the fixed part tell; raises ValueError if they tell none."""
        raise NotImplementedError

    def write(self, value: Any, here: int, tail: bytearray, to_server: bool) -> tuple[int, ...]:
        """The words of a value; its variable bytes are added to ``tail``, at offset ``here``."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Int(OffsetType):
    """A signed 32-bit number; unsigned ones that fit 32 bits are written too."""

    def read(self, words: Sequence[int], source: Source) -> int:
        return words[0] - ((words[0] & 0x80000000) << 1)

    def write(self, value: Any, here: int, tail: bytearray, to_server: bool) -> tuple[int, ...]:
        if not -0x80000000 <= value <= 0xFFFFFFFF:
            raise ValueError(f"{value} does not fit 32 bits")
        return (value & 0xFFFFFFFF,)


@dataclass(frozen=True, slots=True)
class Bool(OffsetType):
    """False is 0, true is 0xFFFFFFFF; 1 is read as true, all else is refused."""

    def read(self, words: Sequence[int], source: Source) -> bool:
        if words[0] not in (0, 1, 0xFFFFFFFF):
            raise ValueError(f"0x{words[0]:08x} is no truth value")
        return words[0] != 0

    def write(self, value: Any, here: int, tail: bytearray, to_server: bool) -> tuple[int, ...]:
        return (0xFFFFFFFF if value else 0,)


@dataclass(frozen=True, slots=True)
class String(OffsetType):
    """8-bit text with a counted NUL; :data:`NULL` is length 0, though never towards the client.

    Latin-1, so that every byte survives; the client takes its platform's charset above 0x7F.
    """

    words = 2

    def read(self, words: Sequence[int], source: Source) -> str:
        offset, length = words
        if not length:
            return NULL
        # The receiver drops the last byte without looking at it.
        return source.take(offset, length)[:-1].decode("latin-1")

    def write(self, value: Any, here: int, tail: bytearray, to_server: bool) -> tuple[int, ...]:
        if to_server and value is NULL:
            return here, 0
        data: bytes = value.encode("latin-1") + b"\0"
        tail += data
        return here, len(data)


@dataclass(frozen=True, slots=True)
class UString(OffsetType):
    """UTF-16 text: the server counts a NUL at its end, the client writes none."""

    words = 4

    def read(self, words: Sequence[int], source: Source) -> str:
        offset, length, _, size = words
        if not length:
            return ""
        if size != 2:
            raise ValueError(f"Unicode in elements of {size} bytes")
        text = source.take(offset, length & ~1).decode("utf-16-le", "surrogatepass")
        return text.removesuffix("\0")

    def write(self, value: Any, here: int, tail: bytearray, to_server: bool) -> tuple[int, ...]:
        if to_server and not value:
            return here, 0, 0, 0
        # The reader takes one NUL off, so that a text which ends with one keeps it.
        bare = to_server and not value.endswith("\0")
        data: bytes = value.encode("utf-16-le", "surrogatepass") + (b"" if bare else b"\0\0")
        tail += data
        return here, len(data), len(data) // 2, 2


@dataclass(frozen=True, slots=True)
class Bytes(OffsetType):
    """Raw bytes: the fixed part holds their offset and their length."""

    words = 2

    def read(self, words: Sequence[int], source: Source) -> bytes:
        return source.take(*words)

    def write(self, value: Any, here: int, tail: bytearray, to_server: bool) -> tuple[int, ...]:
        tail += value
        return here, len(value)


@dataclass(frozen=True, slots=True)
class HandleWords(OffsetType):
    """A :class:`Handle` inside the fixed part."""

    words = 2

    def read(self, words: Sequence[int], source: Source) -> Handle:
        return Handle(call_manager_id=words[0], call_leg_id=words[1])

    def write(self, value: Any, here: int, tail: bytearray, to_server: bool) -> tuple[int, ...]:
        return value.call_manager_id & 0xFFFFFFFF, value.call_leg_id & 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Nested(OffsetType):
    """A struct; its variable data follows its fixed part."""

    struct: type[Struct]
    words = 3

    def read(self, words: Sequence[int], source: Source) -> Any:
        offset, total, fixed = words
        if not total:
            return self.struct()
        source.take(offset, max(total, fixed))
        return read_block(self.struct, offset, fixed, source)

    def write(self, value: Any, here: int, tail: bytearray, to_server: bool) -> tuple[int, ...]:
        block = write_block(self.struct, [value], here, to_server)
        tail += block
        return here, len(block), fixed_size(self.struct)


@dataclass(frozen=True, slots=True)
class Structs(OffsetType):
    """Several structs: first all fixed parts, then the variable data of each in turn."""

    struct: type[Struct]
    words = 4

    def read(self, words: Sequence[int], source: Source) -> tuple[Any, ...]:
        offset, _, count, fixed = words
        if not count:
            return ()
        if fixed < 4:
            raise ValueError(f"{count} structs of {fixed} bytes")
        source.count(count)
        source.take(offset, count * fixed)
        return tuple(
            read_block(self.struct, offset + n * fixed, fixed, source) for n in range(count)
        )

    def write(self, value: Any, here: int, tail: bytearray, to_server: bool) -> tuple[int, ...]:
        if not value:
            return here, 0, 0, 0
        block = write_block(self.struct, value, here, to_server)
        tail += block
        return here, len(block), len(value), fixed_size(self.struct)


@dataclass(frozen=True, slots=True)
class Ints(OffsetType):
    """Several numbers. Cisco's client states 16 bytes for each and leaves 12 of them undefined."""

    words = 4

    def read(self, words: Sequence[int], source: Source) -> tuple[int, ...]:
        offset, _, count, size = words
        if not count:
            return ()
        if size != 4:
            raise ValueError(f"numbers of {size} bytes")
        return struct.unpack(f"<{count}i", source.take(offset, 4 * count))

    def write(self, value: Any, here: int, tail: bytearray, to_server: bool) -> tuple[int, ...]:
        if not value:
            return here, 0, 0, 4
        data = struct.pack(f"<{len(value)}i", *value)
        tail += data.ljust(16 * len(value) if to_server else 0, b"\0")
        return here, (16 if to_server else 4) * len(value), len(value), 4


@dataclass(frozen=True, slots=True)
class Handles(OffsetType):
    """A tuple of :class:`Handle` objects in the variable part."""

    words = 4

    def read(self, words: Sequence[int], source: Source) -> tuple[Handle, ...]:
        offset, _, count, size = words
        if not count:
            return ()
        if size != 8:
            raise ValueError(f"handles of {size} bytes")
        pairs = struct.iter_unpack("<II", source.take(offset, 8 * count))
        return tuple(Handle(call_manager_id=one, call_leg_id=two) for one, two in pairs)

    def write(self, value: Any, here: int, tail: bytearray, to_server: bool) -> tuple[int, ...]:
        for handle in value:
            tail += struct.pack("<II", handle.call_manager_id, handle.call_leg_id)
        return here, 8 * len(value), len(value), 8


@functools.cache
def fixed_size(declaration: type[Struct]) -> int:
    """How many bytes the fixed part of a declared struct takes."""
    return sum(4 * field.type.words for field in fields_of(declaration))


def read_block(declaration: type[Struct], at: int, fixed: int, source: Source) -> Any:
    """The struct whose fixed part of ``fixed`` bytes lies at ``at``.

    Words that the sender does not know are left at their defaults; those that we do not know are
    passed over.
    """
    known = min(fixed, fixed_size(declaration)) // 4
    if at + 4 * known > len(source.frame):
        raise DecodeError("fixed part runs beyond the message", offset=at)
    words = struct.unpack_from(f"<{known}I", source.frame, at)
    values: dict[str, Any] = {}
    position = 0
    for field in fields_of(declaration):
        following = position + field.type.words
        if following > known:
            break
        try:
            value = field.type.read(words[position:following], source)
        except ValueError as error:
            raise DecodeError(str(error), path=field.name, offset=at + 4 * position) from None
        except DecodeError as error:
            raise DecodeError(
                error.reason, path=f"{field.name}.{error.path}", offset=error.offset
            ) from None
        if type(value) is int and field.python_type is not int:
            value = field.python_type(value)
        values[field.name] = value
        position = following
    return declaration(**values)


def write_block(
    declaration: type[Struct], values: Sequence[Any], at: int, to_server: bool
) -> bytes:
    """Structs back to back at offset ``at``, then their variable data."""
    fixed = bytearray()
    tail = bytearray()
    start = at + len(values) * fixed_size(declaration)
    for value in values:
        for field in fields_of(declaration):
            try:
                words = field.type.write(
                    getattr(value, field.name), start + len(tail), tail, to_server
                )
                fixed += struct.pack(f"<{len(words)}I", *words)
            except (ValueError, TypeError, AttributeError, struct.error) as error:
                raise LocalProtocolError(f"{declaration.__name__}.{field.name}: {error}") from error
    return bytes(fixed + tail)
