"""Straight-line code for messages with offsets (CTIQBE), made when a message is first used.

As :mod:`pa_telephony.wire.sequential.codec` does for SCCP: the fixed part is unpacked at once,
numbers, enumerators, strings and handles are made on the spot, and all else is left to its wire
type. Whatever is unusual is read or written again by the patient way in
:mod:`pa_telephony.wire.offset.types`, which names the field.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from pa_telephony.errors import DecodeError, LocalProtocolError
from pa_telephony.wire.declaration import Message, OpenIntEnum, Struct, blank_of, fields_of
from pa_telephony.wire.generated import make_function
from pa_telephony.wire.offset.types import (
    NULL,
    Bool,
    HandleWords,
    Int,
    Nested,
    Source,
    String,
    UString,
    fixed_size,
    read_block,
    write_block,
)

__all__ = ["read_message", "write_message"]

_UNUSUAL = (
    struct.error,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    DecodeError,
    LocalProtocolError,
)

_readers: dict[type[Struct], Callable[[bytes, int, Source], Any]] = {}
_writers: dict[tuple[type[Struct], bool], Callable[[Any, int], bytes]] = {}


def read_message(declaration: type[Struct], at: int, fixed: int, frame: bytes) -> Any:
    """The struct whose fixed part of ``fixed`` bytes lies at ``at``; see :func:`read_block`."""
    if fixed >= fixed_size(declaration):
        try:
            return _reader(declaration)(frame, at, Source(frame))
        except _UNUSUAL:
            pass
    return read_block(declaration, at, fixed, Source(frame))


def write_message(declaration: type[Struct], value: Any, at: int, to_server: bool) -> bytes:
    """A struct at offset ``at``, then its variable data; see :func:`write_block`."""
    try:
        return _writer(declaration, to_server)(value, at)
    except _UNUSUAL:
        return write_block(declaration, [value], at, to_server)


def _reader(declaration: type[Struct]) -> Callable[[bytes, int, Source], Any]:
    made = _readers.get(declaration)
    if made is None:
        made = _readers[declaration] = _make_reader(declaration)
    return made


def _writer(declaration: type[Struct], to_server: bool) -> Callable[[Any, int], bytes]:
    made = _writers.get((declaration, to_server))
    if made is None:
        made = _writers[declaration, to_server] = _make_writer(declaration, to_server)
    return made


def _make_reader(declaration: type[Struct]) -> Callable[[bytes, int, Source], Any]:
    names: dict[str, Any] = {
        "blank": blank_of(declaration),
        "declaration": declaration,
        "NULL": NULL,
        "TRUTH": {0: False, 1: True, 0xFFFFFFFF: True},
    }
    code = "<"
    words: list[str] = []
    lines: list[str] = []
    for number, field in enumerate(fields_of(declaration)):
        mine = [f"w{number}_{word}" for word in range(field.type.words)]
        one, target = mine[0], f"m.{field.name}"
        python = field.python_type
        words += mine
        code += ("i" if isinstance(field.type, Int) else "I") * len(mine)
        match field.type:
            case Int() if python is int:
                lines.append(f"{target} = {one}")
            case Int():
                names[f"t{number}"] = _members(python)
                # A number that is not there is left to the patient way.
                lines.append(f"{target} = t{number}[{one}]")
            case Bool():
                lines.append(f"{target} = TRUTH[{one}]")
            case UString():
                # Rare values are left to their type, most texts are not there.
                names[f"t{number}"] = field.type.read
                read = f"t{number}(({', '.join(mine)},), source)"
                lines.append(f"{target} = {read} if {mine[1]} else ''")
            case String():
                text = f"source.take({one}, {mine[1]})[:-1].decode('latin-1')"
                lines.append(f"{target} = {text} if {mine[1]} else NULL")
            case Nested(inner):
                names[f"t{number}"] = _nested(inner)
                lines.append(f"{target} = t{number}({', '.join(mine)}, source)")
            case _:
                names[f"t{number}"] = field.type.read
                lines.append(f"{target} = t{number}(({', '.join(mine)},), source)")
    head = [f"{', '.join(words)}, = unpack(frame, at)"] if words else []
    names["unpack"] = struct.Struct(code).unpack_from
    trailing = ["m.trailing = b''"] if issubclass(declaration, Message) else []
    body = ["m = blank()", *head, *lines, *trailing, "m.__class__ = declaration", "return m"]
    return _build(f"decode {declaration.__name__}", "frame, at, source", body, names)


def _members(python: Any) -> dict[int, Any]:
    if isinstance(python, type) and issubclass(python, OpenIntEnum):
        return {int(member): member for member in python}
    return {}


def _nested(declaration: type[Struct]) -> Callable[[int, int, int, Source], Any]:
    def read(offset: int, total: int, fixed: int, source: Source) -> Any:
        if not total:
            return declaration()
        source.take(offset, max(total, fixed))
        if fixed < fixed_size(declaration):
            return read_block(declaration, offset, fixed, source)
        return _reader(declaration)(source.frame, offset, source)

    return read


def _make_writer(declaration: type[Struct], to_server: bool) -> Callable[[Any, int], bytes]:
    names: dict[str, Any] = {"NULL": NULL, "to_server": to_server}
    code = "<"
    words: list[str] = []
    lines: list[str] = []
    for number, field in enumerate(fields_of(declaration)):
        value = f"m.{field.name}"
        mine = [f"w{number}_{word}" for word in range(field.type.words)]
        match field.type:
            case Int():
                # A value above 0x7FFFFFFF is an error here, and left to the patient way.
                code += "i"
                words.append(value)
                continue
            case Bool():
                lines.append(f"{mine[0]} = 0xFFFFFFFF if {value} else 0")
            case String():
                # An absent string has length 0 towards the server.
                absent = f" if {value} is not NULL else b''" if to_server else ""
                lines += [
                    f"data = {value}.encode('latin-1') + b'\\0'{absent}",
                    f"{mine[0]}, {mine[1]} = at + len(tail), len(data)",
                    "tail += data",
                ]
            case HandleWords():
                lines += [
                    f"{mine[0]} = {value}.call_manager_id & 0xFFFFFFFF",
                    f"{mine[1]} = {value}.call_leg_id & 0xFFFFFFFF",
                ]
            case UString() if to_server:
                names[f"t{number}"] = field.type.write
                lines.append(
                    f"{', '.join(mine)}, = t{number}({value}, at + len(tail), tail, to_server) "
                    f"if {value} else (at + len(tail), 0, 0, 0)"
                )
            case Nested(inner):
                names[f"t{number}"] = _writer(inner, to_server)
                lines += [
                    f"data = t{number}({value}, at + len(tail))",
                    f"{', '.join(mine)} = at + len(tail), len(data), {fixed_size(inner)}",
                    "tail += data",
                ]
            case _:
                names[f"t{number}"] = field.type.write
                written = f"t{number}({value}, at + len(tail), tail, to_server)"
                lines.append(f"{', '.join(mine)}, = {written}")
        code += "I" * len(mine)
        words += mine
    names["pack"] = struct.Struct(code).pack
    body = [
        f"at += {fixed_size(declaration)}",
        "tail = bytearray()",
        *lines,
        f"return pack({', '.join(words)}) + tail",
    ]
    return _build(f"encode {declaration.__name__}", "m, at", body, names)


def _build(
    name: str, arguments: str, lines: list[str], names: dict[str, Any]
) -> Callable[..., Any]:
    source = "\n".join([f"def made({arguments}):", *(f" {line}" for line in lines)])
    made: Callable[..., Any] = make_function(name, source, names)
    return made
