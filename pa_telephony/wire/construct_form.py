"""Declared messages as ordinary `construct`_ objects: a second, independent reading of them.

construct is slow (about forty times as slow as the code of
:mod:`pa_telephony.wire.sequential.codec`) but widely known: a user who takes one message apart in a
notebook, or puts a declaration into a larger construct, gets a ``Struct`` with the same field
names. It is also our oracle: a property test holds it equal to the codecs. Its forms are made of
construct's own parts and share no code with those; only whole messages in exactly the layout that
is asked for are understood.

Enumerations are ``construct.Enum``; building takes enumerators, names and numbers. Fields with a
default may be left out. Never ``compile()`` one of these: what construct
makes of them cannot be stepped through.

.. _construct: https://construct.readthedocs.io
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Callable
from typing import Any, TypeAlias

import construct

from pa_telephony.wire.declaration import Field, Message, OpenIntEnum, Struct, fields_of
from pa_telephony.wire.offset import types as offset
from pa_telephony.wire.sequential import types as sequential

__all__ = ["offset_form", "sequential_form"]

# Typed loosely: the stubs of construct cannot say what adapters and its contexts give.
c: Any = construct
Expression: TypeAlias = Callable[[Any], Any]
"""A function from construct's context, which holds the members read so far, to a value."""


def sequential_form(declaration: type[Struct], version: int) -> Any:
    """A body whose fields lie one after the other, in the layout of ``version`` (SCCP).

    The count of an array named ``caps`` is the member ``caps_count``; it is found when building.
    """
    members: list[Any] = []
    counts = sequential.counts_before(declaration, version)
    names = {id(sequential.present(field, version)): field for field in fields_of(declaration)}
    for field in fields_of(declaration):
        wire = sequential.present(field, version)
        if wire is None:
            continue
        members += [_count(names[id(array)], array) for array in counts.get(field.name, ())]
        members.append(_member(field, _sequential(field, wire, version, declaration)))
    return c.Struct(*members)


def _member(field: Field, form: Any) -> Any:
    if not field.required:
        form = c.Default(form, _plain(field.default))
    return field.name / form


def _plain(default: Any) -> Any:
    """A default as construct takes it; a struct stands for the defaults of all its members."""
    if default is offset.NULL:
        return None
    return {} if dataclasses.is_dataclass(default) else default


def _count(field: Field, array: sequential.Array | sequential.Data) -> Any:
    limited = c.ExprValidator(_NUMBERS[array.count.letter], c.obj_ <= array.maximum)
    fallback = () if field.required else field.default
    return f"{field.name}_count" / _found(limited, lambda ctx: len(ctx.get(field.name, fallback)))


_NUMBERS = {"B": c.Int8ul, "H": c.Int16ul, "I": c.Int32ul, "i": c.Int32sl}


def _found(form: Any, expression: Expression) -> Any:
    """A member that is not given when building, since it follows from the others."""
    return c.Rebuild(form, expression)


def _adapted(form: Any, parsed: Expression, built: Expression) -> Any:
    """A form with another value: ``parsed`` makes it from the wire's, ``built`` leads back."""

    def decode(value: Any, _: Any) -> Any:
        return parsed(value)

    def encode(value: Any, _: Any) -> Any:
        return built(value)

    return c.ExprAdapter(form, decode, encode)


def _sequential(
    field: Field, wire: sequential.SequentialType, version: int, declaration: type[Struct]
) -> Any:
    match wire:
        case sequential.Number():
            return _enumeration(field, _NUMBERS[wire.letter])
        case sequential.Array() | sequential.Data():
            return _counted(field, wire, version)
        case sequential.Union():
            return _union(wire, version, declaration)
        case _:
            return _value(wire, version)


def _enumeration(field: Field, number: Any) -> Any:
    python = field.python_type
    if isinstance(python, type) and issubclass(python, OpenIntEnum):
        return c.Enum(number, **{member.name: int(member) for member in python})
    return number


def _value(wire: Any, version: int) -> Any:
    """A value that needs no other field, or a struct: what arrays are made of."""
    match wire:
        case sequential.Number():
            return _NUMBERS[wire.letter]
        case sequential.DirectoryNumber():
            return _text_slot(24 if version < 18 else 25)
        case sequential.Chars():
            return _text_slot(wire.length)
        case sequential.CString():
            return c.StringEncoded(c.NullTerminated(c.GreedyBytes), "latin-1")
        case sequential.Rest():
            return c.GreedyBytes
        case sequential.IPv4():
            return _address(c.Bytes(4))
        case sequential.IPv6():
            return _address(c.Bytes(16))
        case sequential.IPv4or6():
            return _address(c.Bytes(4)) if version < 17 else _either_address()
        case sequential.Mac():
            return c.Padded(12, _mac())
        case sequential.Repeat():
            return c.Array(wire.times, _value(wire.element, version))
        case _:
            return sequential_form(wire, version)


def _text_slot(length: int) -> Any:
    """Text up to the first NUL; the slot may be full. PaddedString looks at the end only."""
    return _adapted(
        c.Bytes(length),
        lambda data: data.partition(b"\0")[0].decode("latin-1"),
        lambda text: text.encode("latin-1").ljust(length, b"\0"),
    )


def _mac() -> Any:
    return _adapted(
        c.Bytes(6),
        lambda data: data.hex(":"),
        lambda text: bytes.fromhex(text.replace(":", "")),
    )


def _address(octets: Any) -> Any:
    return _adapted(
        octets,
        lambda data: str(ipaddress.ip_address(data)),
        lambda text: ipaddress.ip_address(text).packed,
    )


def _either_address() -> Any:
    slots = {"ipv4": c.Padded(16, _address(c.Bytes(4))), "ipv6": _address(c.Bytes(16))}
    tagged = c.Struct(
        "family" / c.Enum(c.Int32ul, ipv4=0, ipv6=1),
        "address" / c.Switch(c.this.family, slots, slots["ipv4"]),
    )
    return _adapted(
        tagged,
        lambda both: both.address,
        lambda text: {"family": "ipv6" if ":" in text else "ipv4", "address": text},
    )


def _counted(field: Field, wire: sequential.Array | sequential.Data, version: int) -> Any:
    def count(context: Any) -> int:
        return int(context[f"{field.name}_count"])

    if isinstance(wire, sequential.Data):
        return c.FixedSized(wire.maximum, c.Bytes(count)) if wire.slots else c.Bytes(count)
    element = _value(wire.element, version)
    values = c.Array(count, element)
    return c.FixedSized(wire.maximum * element.sizeof(), values) if wire.slots else values


def _union(wire: sequential.Union, version: int, declaration: type[Struct]) -> Any:
    selector = next(field for field in fields_of(declaration) if field.name == wire.selector)

    def number(context: Any) -> int:
        value = context.get(wire.selector, selector.default)
        # Parsing gives construct's names, which know their number; building also plain names.
        return int(value) if hasattr(value, "__int__") else int(selector.python_type[value])

    arms = {n: sequential_form(arm, version) for numbers, arm in wire.arms for n in numbers}
    otherwise = sequential_form(wire.otherwise, version)
    return c.FixedSized(wire.length, c.Switch(number, arms, otherwise))


HEADER_SIZE = 32


def offset_form(declaration: type[Message], to_server: bool) -> Any:
    """A whole message with offsets into its variable part (CTIQBE), header included.

    ``to_server`` tells which of the two ways of writing strings and numbers is meant when
    building. A string that is not there (:data:`~pa_telephony.wire.offset.types.NULL`) is None.
    """
    header = c.Struct(
        "length" / _found(c.Int32ul, lambda ctx: _end(ctx) - 8),
        "zero" / c.Default(c.Int32ul, 0),
        "magic" / c.Const(0xFFFFDDDD, c.Int32ul),
        "version" / c.Default(c.Int32ul, 0x00110000),
        "type" / c.Const(declaration.id, c.Int32ul),
        "start" / c.Const(HEADER_SIZE, c.Int32ul),
        "fixed" / c.Const(_fixed(declaration), c.Int32ul),
        "variable" / _found(c.Int32ul, lambda ctx: _end(ctx) - HEADER_SIZE - ctx.fixed),
    )
    return c.Struct(
        c.Padding(HEADER_SIZE),
        _room(HEADER_SIZE, _fixed(declaration)),
        *_block(declaration, to_server).subcons,
        # Last, since its lengths are known when everything else has been written.
        "header" / c.Default(c.Pointer(0, header), {}),
    )


def _fixed(declaration: type[Struct]) -> int:
    return sum(4 * field.type.words for field in fields_of(declaration))


def _end(context: Any) -> int:
    """The position where the stream ends, at which the next variable part goes when building."""
    stream = context._io
    here = stream.tell()
    end: int = stream.seek(0, 2)
    stream.seek(here)
    return end


def _room(at: int | Expression, size: int | Expression) -> Any:
    """Keep the bytes of a fixed part free before anything is put behind it."""
    return c.Pointer(at, c.Padding(size))


def _block(declaration: type[Struct], to_server: bool) -> Any:
    return c.Struct(
        *(_member(field, _offset(field, to_server)) for field in fields_of(declaration))
    )


def _offset(field: Field, to_server: bool) -> Any:
    match field.type:
        case offset.Int():
            return _enumeration(field, c.Int32sl)
        case offset.Bool():
            return _adapted(
                c.OneOf(c.Int32ul, (0, 1, 0xFFFFFFFF)),
                lambda word: word != 0,
                lambda value: 0xFFFFFFFF if value else 0,
            )
        case offset.HandleWords():
            return _handle()
        case offset.String():
            return _string(to_server)
        case offset.UString():
            return _ustring(to_server)
        case offset.Bytes():
            return _behind(c.Bytes(c.this.length), length=lambda ctx: len(ctx.value))
        case offset.Ints():
            return _several(c.Int32sl, 4, 16 if to_server else 4, empty=4)
        case offset.Handles():
            return _several(_handle(), 8, 8, empty=8)
        case offset.Nested(struct):
            return _nested(struct, to_server)
        case offset.Structs(struct):
            return _structs(struct, to_server)
        case _:
            raise TypeError(f"no construct form for {field.type!r}")


def _handle() -> Any:
    return c.Struct("call_manager_id" / c.Int32ul, "call_leg_id" / c.Int32ul)


def _behind(value: Any, room: int | Expression = 0, **words: Expression) -> Any:
    """Words in the fixed part, the first an offset, and a value that lies there.

    ``words`` says how each of the others is found from the value when building.
    """
    return c.FocusedSeq(
        "value",
        "offset" / _found(c.Int32ul, _end),
        *(name / _found(c.Int32ul, word) for name, word in words.items()),
        _room(c.this.offset, room),
        "value" / c.Pointer(c.this.offset, value),
    )


def _string(to_server: bool) -> Any:
    def parse(data: bytes) -> str | None:
        return data[:-1].decode("latin-1") if data else None

    def build(text: str | None) -> bytes:
        if text is None:
            return b"" if to_server else b"\0"
        return text.encode("latin-1") + b"\0"

    data = _behind(c.Bytes(c.this.length), length=lambda ctx: len(ctx.value))
    return _adapted(data, parse, build)


def _ustring(to_server: bool) -> Any:
    def parse(data: bytes) -> str:
        return data.decode("utf-16-le", "surrogatepass").removesuffix("\0")

    def build(text: str) -> bytes:
        return (text if to_server else text + "\0").encode("utf-16-le", "surrogatepass")

    data = _behind(
        c.Bytes(c.this.length),
        length=lambda ctx: len(ctx.value),
        characters=lambda ctx: len(ctx.value) // 2,
        size=lambda ctx: 2 if ctx.value else 0,
    )
    return _adapted(data, parse, build)


def _several(element: Any, size: int, stated: int, empty: int) -> Any:
    """Plain values; ``stated`` bytes are claimed, and left free, for each of them."""
    return _behind(
        c.Array(c.this.count, element),
        room=lambda ctx: ctx.length if ctx._building else 0,
        length=lambda ctx: stated * len(ctx.value),
        count=lambda ctx: len(ctx.value),
        size=lambda ctx: size if ctx.value else empty,
    )


def _nested(struct: type[Struct], to_server: bool) -> Any:
    fixed, block = _fixed(struct), _block(struct, to_server)
    alone = c.FocusedSeq("value", _room(0, fixed), "value" / block)
    return _behind(
        block,
        room=fixed,
        length=lambda ctx: len(alone.build(ctx.value)),
        fixed=lambda ctx: fixed,
    )


def _structs(struct: type[Struct], to_server: bool) -> Any:
    fixed, block = _fixed(struct), _block(struct, to_server)
    values = c.Array(c.this.count, c.Pointer(c.this.offset + c.this._index * c.this.fixed, block))
    alone = c.FocusedSeq(
        "value",
        "offset" / c.Computed(0),
        "count" / c.Computed(c.len_(c.this.value)),
        "fixed" / c.Computed(fixed),
        _room(0, c.this.count * fixed),
        "value" / values,
    )
    return _behind(
        values,
        room=c.this.count * c.this.fixed,
        length=lambda ctx: len(alone.build(ctx.value)),
        count=lambda ctx: len(ctx.value),
        fixed=lambda ctx: fixed if ctx.value else 0,
    )
