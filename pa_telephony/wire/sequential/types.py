"""Wire types of messages whose fields lie one after the other, little endian, unaligned (SCCP).

Each type can :meth:`~SequentialType.read` and :meth:`~SequentialType.write` one value. That is
the patient way: it names the field in every error and takes bodies that end early, wherever that
is. Whole frames take the fast way, the code that :mod:`pa_telephony.wire.sequential.codec` makes
from the same declarations; it falls back to this one whenever something is unusual.

A frame is whole by its length, so a body that ends early says less and is no error: what is behind
its end takes its default, or nothing of its type where it has none. A value that is cut is what is
there of it: text ends with the body, the missing bytes of a number are zeros, an array has the
entries that are there. Only a count beyond its maximum is an error, for that is a limit.

``version`` is the negotiated protocol version of the session; it alone selects the layout.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pa_telephony.errors import DecodeError, LocalProtocolError
from pa_telephony.wire.declaration import Field, Struct, fields_of

__all__ = [
    "I32",
    "U8",
    "U16",
    "U32",
    "Array",
    "CString",
    "Changed",
    "Chars",
    "Data",
    "DirectoryNumber",
    "IPv4",
    "IPv4or6",
    "IPv6",
    "Mac",
    "Number",
    "Repeat",
    "Rest",
    "SequentialType",
    "Union",
    "When",
    "completed",
    "present",
    "read_fields",
    "write_fields",
]


class Short(Exception):
    """Raised when nothing is there of a value, because the body has ended before it."""


class SequentialType:
    """How one value is read and written; base of all wire types without offsets."""

    def size(self, version: int) -> int | None:
        """How many bytes the value takes on the wire, None where that depends on the value."""
        raise NotImplementedError

    def read(self, body: bytes, at: int, version: int, done: Mapping[str, Any]) -> tuple[Any, int]:
        """The value at ``at`` and the position behind it, beyond the body if the value is cut.

        Raises :class:`Short` where nothing is there of it, and ValueError for a count beyond its
        limit.
        """
        raise NotImplementedError

    def write(self, value: Any, version: int, message: Any) -> bytes:
        """The bytes of a value; raises ValueError where it does not fit."""
        raise NotImplementedError

    def nothing(self, version: int) -> Any:
        """The value that stands for one that is not there."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Number(SequentialType):
    """An integer; ``letter`` is its :mod:`struct` code."""

    letter: str

    def size(self, version: int) -> int:
        return struct.calcsize("<" + self.letter)

    def read(self, body: bytes, at: int, version: int, done: Mapping[str, Any]) -> tuple[Any, int]:
        if at >= len(body):
            raise Short
        end = at + self.size(version)
        data = body[at:end].ljust(end - at, b"\0")
        return struct.unpack("<" + self.letter, data)[0], end

    def nothing(self, version: int) -> int:
        return 0

    def write(self, value: Any, version: int, message: Any) -> bytes:
        try:
            return struct.pack("<" + self.letter, value)
        except struct.error as error:
            raise ValueError(f"{value!r} does not fit {self.size(version)} bytes") from error


U8, U16, U32, I32 = Number("B"), Number("H"), Number("I"), Number("i")


@dataclass(frozen=True, slots=True)
class Chars(SequentialType):
    """Text in a slot of fixed length: it ends at the first NUL, what follows is filler.

    Latin-1, so that every byte survives; the phrase codes of phones (0x80 n) stay readable.
    """

    length: int

    def size(self, version: int) -> int:
        return self.length

    def read(self, body: bytes, at: int, version: int, done: Mapping[str, Any]) -> tuple[Any, int]:
        if at >= len(body):
            raise Short
        end = at + self.size(version)
        return body[at:end].partition(b"\0")[0].decode("latin-1"), end

    def nothing(self, version: int) -> str:
        return ""

    def write(self, value: Any, version: int, message: Any) -> bytes:
        size = self.size(version)
        data: bytes = value.encode("latin-1")
        if len(data) > size:
            raise ValueError(f"{len(data)} characters do not fit {size}")
        if b"\0" in data:
            raise ValueError("text ends at a NUL")
        return data.ljust(size, b"\0")


@dataclass(frozen=True, slots=True)
class DirectoryNumber(Chars):
    """A directory number: 24 characters below version 18, 25 from there (captured)."""

    length: int = 25

    def size(self, version: int) -> int:
        return 24 if version < 18 else 25


@dataclass(frozen=True, slots=True)
class CString(SequentialType):
    """Text up to a NUL, packed: the next field follows at once."""

    def size(self, version: int) -> None:
        return None

    def read(self, body: bytes, at: int, version: int, done: Mapping[str, Any]) -> tuple[Any, int]:
        if at >= len(body):
            raise Short
        end = body.find(b"\0", at)
        if end < 0:
            end = len(body)
        return body[at:end].decode("latin-1"), end + 1

    def nothing(self, version: int) -> str:
        return ""

    def write(self, value: Any, version: int, message: Any) -> bytes:
        data: bytes = value.encode("latin-1")
        if b"\0" in data:
            raise ValueError("text ends at a NUL")
        return data + b"\0"


@dataclass(frozen=True, slots=True)
class Raw(SequentialType):
    """Bytes of a fixed length behind a textual value; base of the address types."""

    length: int

    def size(self, version: int) -> int:
        return self.length

    def read(self, body: bytes, at: int, version: int, done: Mapping[str, Any]) -> tuple[Any, int]:
        if at >= len(body):
            raise Short
        end = at + self.size(version)
        # Half of an address is another one, so that it counts as none.
        return self.unpack(body[at:end]) if end <= len(body) else self.nothing(version), end

    def nothing(self, version: int) -> str:
        return self.unpack(bytes(self.size(version)))

    def write(self, value: Any, version: int, message: Any) -> bytes:
        return self.pack(value, version)

    def unpack(self, data: bytes) -> str:
        """The text that stands for the bytes."""
        raise NotImplementedError

    def pack(self, value: str, version: int) -> bytes:
        """The bytes that stand for the text; raises ValueError for text that is no such value."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class IPv4(Raw):
    """An IPv4 address in network order, as text; "" is written as 0.0.0.0."""

    length: int = 4

    def unpack(self, data: bytes) -> str:
        return ".".join(map(str, data))

    def pack(self, value: str, version: int) -> bytes:
        return ipaddress.IPv4Address(value or 0).packed


@dataclass(frozen=True, slots=True)
class IPv6(Raw):
    """An IPv6 address in network order, as text; "" is written as ::."""

    length: int = 16

    def unpack(self, data: bytes) -> str:
        return str(ipaddress.IPv6Address(data))

    def pack(self, value: str, version: int) -> bytes:
        return ipaddress.IPv6Address(value or 0).packed


@dataclass(frozen=True, slots=True)
class IPv4or6(Raw):
    """An address of either family: 4 bytes below version 17, then a family word and 16 bytes.

    The 12 bytes behind an IPv4 address are filler (captures show stale memory there).
    """

    length: int = 20

    def size(self, version: int) -> int:
        return 4 if version < 17 else 20

    def unpack(self, data: bytes) -> str:
        if len(data) == 4:
            return IPv4().unpack(data)
        if data[:4] == b"\1\0\0\0":
            return IPv6().unpack(data[4:])
        return IPv4().unpack(data[4:8])

    def pack(self, value: str, version: int) -> bytes:
        address = ipaddress.ip_address(value or "0.0.0.0")
        if version < 17:
            if address.version == 6:
                raise ValueError("IPv6 needs version 17")
            return address.packed
        return (address.version == 6).to_bytes(4, "little") + address.packed.ljust(16, b"\0")


@dataclass(frozen=True, slots=True)
class Mac(Raw):
    """A MAC address at the start of a 12-byte slot, as ``"00:21:55:d5:48:ac"``."""

    length: int = 12

    def unpack(self, data: bytes) -> str:
        return data[:6].hex(":")

    def pack(self, value: str, version: int) -> bytes:
        data = bytes.fromhex(value.replace(":", ""))
        if len(data) not in (0, 6):
            raise ValueError(f"{value!r} is not a MAC address")
        return data.ljust(12, b"\0")


@dataclass(frozen=True, slots=True)
class Array(SequentialType):
    """Several values; their count is a u32 (or ``count``) that no declaration mentions.

    The count lies before the field ``count_before``, or right before the values. ``slots`` says
    that the wire always holds ``maximum`` of them, those behind the count being filler.
    """

    element: Any
    maximum: int
    count_before: str = ""
    slots: bool = False
    count: Number = U32

    def size(self, version: int) -> int | None:
        if not self.slots:
            return None
        each = size_of(self.element, version)
        return None if each is None else each * self.maximum

    def read(self, body: bytes, at: int, version: int, done: Mapping[str, Any]) -> tuple[Any, int]:
        count = done[f"count of {id(self)}"]
        if count > self.maximum:
            raise ValueError(f"{count} elements, at most {self.maximum}")
        values: list[Any] = []
        start = at
        while len(values) < count and at < len(body):
            value, at = read_element(self.element, body, at, version)
            values.append(value)
        if len(values) < count:
            return tuple(values), max(at, len(body) + 1)
        size = self.size(version)
        if size is not None:
            # Real senders leave the unused slots at the very end of a frame away.
            at = max(at, min(start + size, len(body)))
        return tuple(values), at

    def nothing(self, version: int) -> tuple[Any, ...]:
        return ()

    def write(self, value: Any, version: int, message: Any) -> bytes:
        if len(value) > self.maximum:
            raise ValueError(f"{len(value)} elements, at most {self.maximum}")
        data = b"".join(write_element(self.element, each, version) for each in value)
        return data.ljust(self.size(version) or 0, b"\0")


@dataclass(frozen=True, slots=True)
class Data(SequentialType):
    """Bytes whose count is a u32 that no declaration mentions; see :class:`Array`."""

    maximum: int
    count_before: str = ""
    slots: bool = False
    count: Number = U32

    def size(self, version: int) -> int | None:
        return self.maximum if self.slots else None

    def read(self, body: bytes, at: int, version: int, done: Mapping[str, Any]) -> tuple[Any, int]:
        length = done[f"count of {id(self)}"]
        if length > self.maximum:
            raise ValueError(f"{length} bytes, at most {self.maximum}")
        return body[at : at + length], at + (self.maximum if self.slots else length)

    def nothing(self, version: int) -> bytes:
        return b""

    def write(self, value: Any, version: int, message: Any) -> bytes:
        if len(value) > self.maximum:
            raise ValueError(f"{len(value)} bytes, at most {self.maximum}")
        return bytes(value).ljust(self.maximum if self.slots else 0, b"\0")


@dataclass(frozen=True, slots=True)
class Rest(SequentialType):
    """All bytes to the end of the frame, at most ``maximum``."""

    maximum: int

    def size(self, version: int) -> None:
        return None

    def read(self, body: bytes, at: int, version: int, done: Mapping[str, Any]) -> tuple[Any, int]:
        if len(body) - at > self.maximum:
            raise ValueError(f"{len(body) - at} bytes, at most {self.maximum}")
        return body[at:], len(body)

    def nothing(self, version: int) -> bytes:
        return b""

    def write(self, value: Any, version: int, message: Any) -> bytes:
        if len(value) > self.maximum:
            raise ValueError(f"{len(value)} bytes, at most {self.maximum}")
        return bytes(value)


@dataclass(frozen=True, slots=True)
class Repeat(SequentialType):
    """Always the same number of values; those that are not given are written as zeros."""

    element: Any
    times: int

    def size(self, version: int) -> int | None:
        each = size_of(self.element, version)
        return None if each is None else each * self.times

    def read(self, body: bytes, at: int, version: int, done: Mapping[str, Any]) -> tuple[Any, int]:
        if at >= len(body):
            raise Short
        values: list[Any] = []
        while len(values) < self.times and at < len(body):
            value, at = read_element(self.element, body, at, version)
            values.append(value)
        if len(values) < self.times:
            missing = self.times - len(values)
            return (*values, *self.nothing(version)[:missing]), max(at, len(body) + 1)
        return tuple(values), at

    def nothing(self, version: int) -> tuple[Any, ...]:
        element = self.element
        if isinstance(element, SequentialType):
            return (element.nothing(version),) * self.times
        return (element(**completed(element, {}, version)),) * self.times

    def write(self, value: Any, version: int, message: Any) -> bytes:
        if len(value) > self.times:
            raise ValueError(f"{len(value)} elements, at most {self.times}")
        data = b"".join(write_element(self.element, each, version) for each in value)
        return data.ljust(self.size(version) or 0, b"\0")


@dataclass(frozen=True, slots=True)
class Union(SequentialType):
    """A slot of ``length`` bytes that holds one of several structs, told by another field."""

    selector: str
    length: int
    arms: tuple[tuple[frozenset[int], type[Struct]], ...]
    otherwise: type[Struct]

    def size(self, version: int) -> int:
        return self.length

    def arm(self, selector: int) -> type[Struct]:
        """The struct that a value of the selecting field calls for."""
        return next((arm for values, arm in self.arms if selector in values), self.otherwise)

    def read(self, body: bytes, at: int, version: int, done: Mapping[str, Any]) -> tuple[Any, int]:
        if at >= len(body):
            raise Short
        value, _ = read_element(self.arm(done[self.selector]), body, at, version)
        return value, at + self.length

    def write(self, value: Any, version: int, message: Any) -> bytes:
        arm = self.arm(getattr(message, self.selector))
        # A default made for another arm stands for "nothing set" in this one.
        chosen = value if isinstance(value, arm) else arm()
        return write_element(arm, chosen, version).ljust(self.length, b"\0")


@dataclass(frozen=True, slots=True)
class When(SequentialType):
    """A value that only some versions have: ``since`` and ``until`` are inclusive."""

    type: SequentialType
    since: int = 0
    until: int = 255

    def size(self, version: int) -> int | None:
        return self.type.size(version) if self.since <= version <= self.until else 0


@dataclass(frozen=True, slots=True)
class Changed(SequentialType):
    """A value whose form changed with version ``since``."""

    older: SequentialType
    since: int
    newer: SequentialType

    def size(self, version: int) -> int | None:
        return (self.newer if version >= self.since else self.older).size(version)


def present(field: Field, version: int) -> SequentialType | None:
    """The wire type of a field in this version, None where the version has no such field."""
    wire: SequentialType = field.type
    if isinstance(wire, Changed):
        return wire.newer if version >= wire.since else wire.older
    if isinstance(wire, When):
        return wire.type if wire.since <= version <= wire.until else None
    return wire


def size_of(element: Any, version: int) -> int | None:
    """How many bytes a struct or a plain value takes, None where that depends on the value."""
    if isinstance(element, SequentialType):
        return element.size(version)
    total = 0
    for field in fields_of(element):
        wire = present(field, version)
        if wire is None:
            continue
        size = wire.size(version)
        if size is None:
            return None
        total += size + (wire.count.size(version) if isinstance(wire, Array | Data) else 0)
    return total


def counts_before(declaration: type[Struct], version: int) -> dict[str, list[Array | Data]]:
    """The arrays whose counts lie before each field, by that field's name."""
    found: dict[str, list[Array | Data]] = {}
    for field in fields_of(declaration):
        wire = present(field, version)
        if isinstance(wire, Array | Data):
            found.setdefault(wire.count_before or field.name, []).append(wire)
    return found


def python_value(field: Field, value: Any) -> Any:
    """The Python value of a number on the wire: an enumerator, flags, a tuple of enumerators."""
    if type(value) is int:
        return value if field.python_type is int else field.python_type(value)
    if isinstance(field.type, Array) and isinstance(field.type.element, Number):
        each: Any = get_args(field.python_type)[0]
        return tuple(each(number) for number in value)
    return value


def read_element(element: Any, body: bytes, at: int, version: int) -> tuple[Any, int]:
    """Read one array element, a plain value or a struct; gives it and the position behind it."""
    if isinstance(element, SequentialType):
        return element.read(body, at, version, {})
    values, at, short = read_fields(element, body, at, version)
    if short:
        at = max(at, len(body) + 1)
    return element(**completed(element, values, version)), at


def write_element(element: Any, value: Any, version: int) -> bytes:
    """The bytes of one element of an array."""
    if isinstance(element, SequentialType):
        return element.write(value, version, None)
    return write_fields(element, value, version)


def read_fields(
    declaration: type[Struct], body: bytes, at: int, version: int, base: int = 0
) -> tuple[dict[str, Any], int, bool]:
    """The fields of a struct from ``at``; the position behind them; whether the body ended early.

    Fields behind the end are left out (see :func:`completed`); behind a field that is cut the
    position is beyond the body. ``base`` is added to the offset in errors.
    """
    values: dict[str, Any] = {}
    done: dict[str, Any] = {}
    counts = counts_before(declaration, version)
    for field in fields_of(declaration):
        wire = present(field, version)
        if wire is None:
            continue
        start = at
        try:
            for array in counts.get(field.name, ()):
                done[f"count of {id(array)}"], at = array.count.read(body, at, version, done)
            value, at = wire.read(body, at, version, done)
        except Short:
            return values, max(start, at), True
        except ValueError as error:
            raise DecodeError(str(error), path=field.name, offset=base + start) from None
        except DecodeError as error:
            raise DecodeError(
                error.reason, path=f"{field.name}.{error.path}", offset=base + error.offset
            ) from None
        values[field.name] = done[field.name] = python_value(field, value)
        if at > len(body):
            return values, at, True
    return values, at, False


def completed(declaration: type[Struct], values: Mapping[str, Any], version: int) -> dict[str, Any]:
    """``values``, and for fields that must be given and are not there: nothing of their type.

    So have unions, whose content is what their selector calls for.
    """
    whole = dict(values)
    for field in fields_of(declaration):
        if field.name in whole:
            continue
        wire = present(field, version)
        if isinstance(wire, Union):
            selectors = {each.name: each.default for each in fields_of(declaration)} | whole
            whole[field.name] = wire.arm(selectors[wire.selector])()
        elif field.required:
            # A field that this version does not have, either, is made of its form in another.
            known = wire if wire is not None else field.type.type
            whole[field.name] = python_value(field, known.nothing(version))
    return whole


def write_fields(declaration: type[Struct], message: Any, version: int) -> bytes:
    """The bytes of a struct; raises :class:`LocalProtocolError` naming the field at fault."""
    parts: list[bytes] = []
    counts = counts_before(declaration, version)
    names = {id(present(field, version)): field.name for field in fields_of(declaration)}
    for field in fields_of(declaration):
        wire = present(field, version)
        if wire is None:
            continue
        try:
            for array in counts.get(field.name, ()):
                length = len(getattr(message, names[id(array)]))
                parts.append(array.count.write(length, version, message))
            parts.append(wire.write(getattr(message, field.name), version, message))
        except (ValueError, AttributeError, TypeError, UnicodeEncodeError) as error:
            raise LocalProtocolError(f"{declaration.__name__}.{field.name}: {error}") from error
    return b"".join(parts)
