"""What each byte of a message is: the declarations read once more, for people.

The codecs give values; this gives the bytes behind them, in order and without a gap, so that a
hexdump can name each: fields, the counts and offsets that no declaration mentions, filler that
means nothing, and what a peer sent behind the last field that we know. Values come out of the
same ``read`` as in the codecs. Nothing raises here: where a message cannot be what its number
says, its last part is :attr:`PartKind.UNREADABLE`.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pa_telephony.errors import DecodeError
from pa_telephony.wire.declaration import Struct, fields_of
from pa_telephony.wire.offset import types as offset
from pa_telephony.wire.sequential import types as sequential

__all__ = ["Part", "PartKind", "offset_parts", "sequential_parts"]


class PartKind(enum.Enum):
    """What a run of bytes in a message is."""

    HEADER = "header"
    FIELD = "field"
    COUNT = "count"
    """How many elements an array has."""
    POINTER = "pointer"
    """Where in the variable part a field lies, and how long it is."""
    FILLER = "filler"
    """Unused room: peers write zeros or stale memory."""
    TRAILING = "trailing"
    """Bytes behind the last field that the declaration knows."""
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of a frame that belong together; ``path`` is ``caps[2].payload_capability``."""

    offset: int
    data: bytes = field(repr=False)
    path: str
    kind: PartKind = PartKind.FIELD
    value: Any = None

    @property
    def end(self) -> int:
        """The offset of the first byte behind the part."""
        return self.offset + len(self.data)


class _Stop(Exception):
    """Raised where a message cannot be read any further."""


def sequential_parts(
    declaration: type[Struct], frame: bytes, start: int, layout: int
) -> list[Part]:
    """The parts of a body whose fields lie one after the other (SCCP), from ``start`` on.

    ``layout`` is the version in whose layout it is.
    """
    walk = _Sequential(frame, layout)
    try:
        end = walk.struct(declaration, start, "")
    except (_Stop, sequential.Short, ValueError, DecodeError):
        walk.rest(walk.parts[-1].end if walk.parts else start, PartKind.UNREADABLE)
    else:
        # A frame is rounded up to whole words by at most three bytes.
        padding = len(frame) - end <= 3
        walk.rest(end, PartKind.FILLER if padding else PartKind.TRAILING)
    return walk.parts


class _Sequential:
    def __init__(self, frame: bytes, version: int) -> None:
        self.parts: list[Part] = []
        self._frame = frame
        self._version = version

    def rest(self, at: int, kind: PartKind) -> None:
        self._add(at, len(self._frame), "", kind)

    def _add(self, at: int, end: int, path: str, kind: PartKind, value: Any = None) -> None:
        if end > at:
            self.parts.append(Part(at, self._frame[at:end], path, kind, value))

    def struct(self, declaration: type[Struct], at: int, path: str) -> int:
        """Add every field's parts, of those that are there; gives the position behind."""
        done: dict[str, Any] = {}
        counts = sequential.counts_before(declaration, self._version)
        names = {id(sequential.present(f, self._version)): f.name for f in fields_of(declaration)}
        for each in fields_of(declaration):
            wire = sequential.present(each, self._version)
            if wire is None:
                continue
            if at == len(self._frame):
                return at
            for array in counts.get(each.name, ()):
                count, end = array.count.read(self._frame, at, self._version, done)
                end = min(end, len(self._frame))
                done[f"count of {id(array)}"] = count
                self._add(at, end, f"{path}{names[id(array)]}", PartKind.COUNT, count)
                at = end
            at, value = self._field(each, wire, at, path + each.name, done)
            done[each.name] = value
        return at

    def _field(
        self, of: Any, wire: Any, at: int, path: str, done: Mapping[str, Any]
    ) -> tuple[int, Any]:
        match wire:
            case sequential.Array():
                count = done[f"count of {id(wire)}"]
                if count > wire.maximum:
                    raise _Stop
                end = self._elements(wire.element, count, at, path)
                if (size := wire.size(self._version)) is not None:
                    slots = max(end, min(at + size, len(self._frame)))
                    self._add(end, slots, path, PartKind.FILLER)
                    end = slots
                return end, None
            case sequential.Repeat():
                return self._elements(wire.element, wire.times, at, path), None
            case sequential.Union():
                behind = min(at + wire.length, len(self._frame))
                end = self.struct(wire.arm(done[wire.selector]), at, f"{path}.")
                self._add(end, behind, path, PartKind.FILLER)
                return behind, None
            case _:
                return self._leaf(of, wire, at, path, done)

    def _elements(self, element: Any, count: int, at: int, path: str) -> int:
        for number in range(count):
            if at == len(self._frame):
                break
            here = f"{path}[{number}]"
            if isinstance(element, sequential.SequentialType):
                at, _ = self._leaf(None, element, at, here, {})
            else:
                at = self.struct(element, at, f"{here}.")
        return at

    def _leaf(
        self, of: Any, wire: Any, at: int, path: str, done: Mapping[str, Any]
    ) -> tuple[int, Any]:
        value, end = wire.read(self._frame, at, self._version, done)
        if end > len(self._frame) and isinstance(wire, sequential.Number | sequential.Raw):
            raise _Stop
        end = min(end, len(self._frame))
        if of is not None:
            value = sequential.python_value(of, value)
        meant = at + _meant(wire, self._frame[at:end], value)
        self._add(at, meant, path, PartKind.FIELD, value)
        self._add(meant, end, path, PartKind.FILLER)
        return end, value


def _meant(wire: Any, data: bytes, value: Any) -> int:
    """How many bytes of a value's slot carry the value; the others are filler."""
    match wire:
        case sequential.Chars():
            return min(len(value) + 1, len(data))
        case sequential.IPv4or6() if len(data) == 20 and ":" not in value:
            return 8
        case sequential.Mac():
            return 6
        case sequential.Data():
            return len(value)
        case _:
            return len(data)


def offset_parts(declaration: type[Struct], frame: bytes, start: int, fixed: int) -> list[Part]:
    """The parts of a message with offsets into its variable part (CTIQBE), from ``start`` on.

    They come in the order of their bytes. Overlapping offsets, which no correct peer writes, give
    overlapping parts.
    """
    walk = _Offset(frame)
    try:
        walk.block(declaration, start, fixed, "")
    except (_Stop, ValueError, DecodeError, struct.error):
        left = PartKind.UNREADABLE
    else:
        left = PartKind.FILLER
    return list(_without_gaps(walk.parts, frame, start, left))


def _without_gaps(
    parts: Iterable[Part], frame: bytes, start: int, left: PartKind
) -> Iterator[Part]:
    at = start
    for part in sorted(parts, key=lambda part: part.offset):
        if part.offset > at:
            yield Part(at, frame[at : part.offset], "", left)
        yield part
        at = max(at, part.end)
    if at < len(frame):
        yield Part(at, frame[at:], "", left)


class _Offset:
    def __init__(self, frame: bytes) -> None:
        self.parts: list[Part] = []
        self._source = offset.Source(frame)

    def _add(self, at: int, size: int, path: str, kind: PartKind, value: Any = None) -> None:
        if size:
            data = self._source.frame[at : at + size]
            self.parts.append(Part(at, data, path, kind, value))

    def block(self, declaration: type[Struct], at: int, fixed: int, path: str) -> None:
        known = min(fixed, offset.fixed_size(declaration)) // 4
        words = struct.unpack_from(f"<{known}I", self._source.frame, at)
        position = 0
        for each in fields_of(declaration):
            following = position + each.type.words
            if following > known:
                break
            self._field(each, words[position:following], at + 4 * position, path + each.name)
            position = following
        self._add(at + 4 * position, fixed - 4 * position, path, PartKind.TRAILING)

    def _field(self, of: Any, words: Sequence[int], at: int, path: str) -> None:
        wire, size = of.type, 4 * len(words)
        match wire:
            case offset.Nested(declared) if words[1]:
                self._source.take(words[0], max(words[1:3]))
                self._add(at, size, path, PartKind.POINTER, (words[0], words[1]))
                self.block(declared, words[0], words[2], f"{path}.")
            case offset.Structs(declared) if words[2]:
                where, total, count, fixed = words
                if fixed < 4:
                    raise _Stop
                self._source.count(count)
                self._source.take(where, count * fixed)
                self._add(at, size, path, PartKind.POINTER, (where, total))
                for number in range(count):
                    self.block(declared, where + number * fixed, fixed, f"{path}[{number}].")
            case _:
                value = wire.read(words, self._source)
                if type(value) is int and of.python_type is not int:
                    value = of.python_type(value)
                self._value(wire, value, words, at, path)

    def _value(self, wire: Any, value: Any, words: Sequence[int], at: int, path: str) -> None:
        if isinstance(wire, offset.Int | offset.Bool | offset.HandleWords) or not words[1]:
            self._add(at, 4 * len(words), path, PartKind.FIELD, value)
            return
        where, length = words[0], words[1]
        self._add(at, 4 * len(words), path, PartKind.POINTER, (where, length))
        if isinstance(wire, offset.Ints | offset.Handles):
            # The length may count room besides that no reader looks at (Ints of Cisco's client).
            length = len(value) * (4 if isinstance(wire, offset.Ints) else 8)
        self._add(where, length, path, PartKind.FIELD, value)
