"""Straight-line :mod:`struct` code for declared messages, made when a message is first used.

Interpreted declarations cost about forty times as much as this (measured; DESIGN §2.3). The code
made here handles whole, well-formed bodies: runs of fixed-size fields are one ``struct.Struct``,
unpacked straight into the new message. Whenever something is unusual (a short body, a count or a
value out of range) it hands over to the patient way in :mod:`pa_telephony.wire.sequential`, which
decides and names the field.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pa_telephony.errors import DecodeError
from pa_telephony.wire.declaration import Field, Message, OpenIntEnum, Struct, fields_of
from pa_telephony.wire.sequential import (
    Array,
    Chars,
    CString,
    Number,
    SequentialType,
    When,
    counts_before,
    present,
    read_fields,
    size_of,
    write_fields,
)

__all__ = ["Codec", "codec_of", "older_layout"]


@dataclass(frozen=True, slots=True)
class Codec:
    """Body to message and back for one message in one version."""

    decode: Callable[[bytes], Any]
    encode: Callable[[Any], bytes]


_codecs: dict[tuple[type[Struct], int], Codec] = {}


def codec_of(declaration: type[Struct], version: int) -> Codec:
    """The codec of a declared class in the layout of ``version``."""
    codec = _codecs.get((declaration, version))
    if codec is None:
        codec = _codecs[declaration, version] = _make(declaration, version)
    return codec


def _make(declaration: type[Struct], version: int) -> Codec:

    def patiently(body: bytes) -> Any:
        return _decode_patiently(declaration, body, version)

    def write(message: Any) -> bytes:
        return write_fields(declaration, message, version)

    return Codec(
        _Reader(declaration, version).compile(patiently),
        _Writer(declaration, version).compile(write),
    )


def _decode_patiently(declaration: type[Struct], body: bytes, version: int) -> Any:
    older = older_layout(declaration, len(body), version)
    values, end, short = read_fields(declaration, body, 0, older)
    trailing = b"" if short else body[end:]
    if len(trailing) > 3:
        values["trailing"] = trailing
    try:
        return declaration(**values)
    except TypeError as error:
        raise DecodeError(f"ends too early: {error}", offset=len(body)) from error


def older_layout(declaration: type[Struct], length: int, version: int) -> int:
    """The version whose layout a body has: a shorter one that fits an older layout is that.

    Asterisk and FreeSWITCH write old layouts on new sessions (captured).
    """
    size = size_of(declaration, version)
    if size is None or length >= size:
        return version
    for older in (17, 16, 14, 10, 5):
        if older < version and size_of(declaration, older) in (length, length - 1, length - 2):
            return older
    return version


class _Code:
    """Lines of a function under construction and the objects that they name."""

    def __init__(self, declaration: type[Struct], version: int) -> None:
        self.declaration = declaration
        self.version = version
        self.lines: list[str] = []
        self.names: dict[str, Any] = {"new": object.__new__, "cls": declaration}

    def name(self, value: Any) -> str:
        name = f"o{len(self.names)}"
        self.names[name] = value
        return name

    def build(self, head: str) -> Callable[..., Any]:
        source = head + "\n" + "\n".join(f"    {line}" for line in self.lines)
        namespace = dict(self.names)
        exec(compile(source, f"<{self.declaration.__name__} v{self.version}>", "exec"), namespace)
        made: Callable[..., Any] = namespace["made"]
        return made

    def steps(self) -> list[tuple[Field | None, SequentialType]]:
        """The values on the wire in order; a count stands as (None, its array)."""
        counts = counts_before(self.declaration, self.version)
        found: list[tuple[Field | None, SequentialType]] = []
        for field in fields_of(self.declaration):
            wire = present(field, self.version)
            if wire is not None:
                found.extend((None, array) for array in counts.get(field.name, ()))
                found.append((field, wire))
        return found


class _Reader(_Code):
    """Makes ``made(body) -> message``."""

    def compile(self, patiently: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
        self.names["patiently"] = patiently
        self._code = ""
        self._targets: list[str] = []
        self._after: list[str] = []
        self._at: str | int = 0
        self.lines += ["size = len(body)", "d = {}"]
        for absent in fields_of(self.declaration):
            if present(absent, self.version) is None and not absent.required:
                self.lines.append(f"d[{absent.name!r}] = {self.name(absent.default)}")
        for field, wire in self.steps():
            if not self._step(field, wire):
                # A type without a fast way: the whole message takes the patient one.
                return patiently
        self._flush()
        self.lines.append(f"rest = body[{self._at}:]")
        if issubclass(self.declaration, Message):
            self.lines.append("d['trailing'] = rest if len(rest) > 3 else b''")
        self.lines += [
            "m = new(cls)",
            "m.__dict__.update(d)",
            "return m",
        ]
        return self.build("def made(body):")

    def _step(self, field: Field | None, wire: SequentialType) -> bool:
        if field is None:
            if not isinstance(wire, Array):
                return False
            self._code += wire.count.letter
            self._targets.append(f"n{id(wire)}")
            return True
        slot = f"d[{field.name!r}]"
        if isinstance(wire, Number):
            self._code += wire.letter
            self._targets.append(slot)
            self._enumerate(field, slot)
        elif isinstance(wire, Chars):
            self._code += f"{wire.size(self.version)}s"
            self._targets.append(slot)
            self._after.append(f"{slot} = {slot}.partition(b'\\0')[0].decode('latin-1')")
        elif isinstance(wire, CString):
            self._flush()
            self.lines += [
                f"end = body.find(b'\\0', {self._at})",
                "if end < 0: return patiently(body)",
                f"{slot} = body[{self._at}:end].decode('latin-1')",
                "at = end + 1",
            ]
            self._at = "at"
        else:
            return self._block(slot, wire)
        return True

    def _enumerate(self, field: Field, slot: str) -> None:
        python = field.python_type
        if isinstance(python, type) and issubclass(python, OpenIntEnum):
            members = self.name({int(member): member for member in python})
            made = self.name(python)
            self._after.append(
                f"{slot} = {members}[{slot}] if {slot} in {members} else {made}({slot})"
            )

    def _block(self, slot: str, wire: SequentialType) -> bool:
        """Addresses, unions and arrays: their own code on their own bytes."""
        size = wire.size(self.version)
        if isinstance(wire, Array):
            each = size_of(wire.element, self.version)
            if each is None or isinstance(wire.element, SequentialType):
                return False
            self._flush()
            made = self.name(codec_of(wire.element, self.version).decode)
            count, start = f"n{id(wire)}", self._at
            self.lines += [
                f"if {count} > {wire.maximum} or size < {start} + {count} * {each}: "
                "return patiently(body)",
                f"{slot} = tuple([{made}(body[p:p + {each}]) "
                f"for p in range({start}, {start} + {count} * {each}, {each})])",
                f"at = min({start} + {size if size is not None else f'{count} * {each}'}, size)",
            ]
            self._at = "at"
            return True
        unpack = getattr(wire, "unpack", None)
        if size is None or unpack is None or isinstance(wire, When):
            return False
        self._code += f"{size}s"
        self._targets.append(slot)
        self._after.append(f"{slot} = {self.name(unpack)}({slot})")
        return True

    def _flush(self) -> None:
        if self._targets:
            run = struct.Struct("<" + self._code)
            targets = ", ".join(self._targets)
            self.lines += [
                f"if size < {self._at} + {run.size}: return patiently(body)",
                f"({targets},) = {self.name(run.unpack_from)}(body, {self._at})",
                *self._after,
            ]
            if isinstance(self._at, int):
                self._at += run.size
            else:
                self.lines.append(f"at += {run.size}")
        self._code, self._targets, self._after = "", [], []


class _Writer(_Code):
    """Makes ``made(message) -> body``."""

    def compile(self, patiently: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
        self.names |= {"patiently": patiently, "error": struct.error}
        code = ""
        values: list[str] = []
        checks: list[str] = []
        for field, wire in self.steps():
            if field is None:
                return patiently
            value = f"m.{field.name}"
            if isinstance(wire, Number):
                code += wire.letter
                values.append(value)
            elif isinstance(wire, Chars):
                length = wire.size(self.version)
                text = f"t{len(values)}"
                checks += [
                    f"{text} = {value}.encode('latin-1')",
                    f"if len({text}) > {length} or 0 in {text}: return patiently(m)",
                ]
                code += f"{length}s"
                values.append(text)
            else:
                size = wire.size(self.version)
                pack = getattr(wire, "pack", None)
                if size is None or pack is None:
                    return patiently
                code += f"{size}s"
                values.append(f"{self.name(pack)}({value}, {self.version})")
        pack_all = self.name(struct.Struct("<" + code).pack)
        body = [*checks, f"return {pack_all}({', '.join(values)})"]
        self.lines += ["try:", *(f"    {line}" for line in body)]
        self.lines += [
            "except (error, ValueError, AttributeError, TypeError):",
            "    return patiently(m)",
        ]
        return self.build("def made(m):")
