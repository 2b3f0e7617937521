"""Makes the code that reads a body; see :mod:`pa_telephony.wire.sequential.codec`."""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Container
from typing import Any, get_args

from pa_telephony.wire.declaration import (
    Field,
    Message,
    OpenIntEnum,
    OpenIntFlag,
    Struct,
    blank_of,
    fields_of,
)
from pa_telephony.wire.sequential.source import Code, NoFastWay, Run
from pa_telephony.wire.sequential.types import (
    Array,
    Chars,
    CString,
    Data,
    Number,
    Raw,
    Repeat,
    Rest,
    SequentialType,
    Union,
    present,
    python_value,
    read_element,
    size_of,
)

__all__ = ["Reader"]


class Reader(Code):
    """Makes ``made(body) -> message``, for bodies that have all fields or only ``there``.

    Code for one ``length``, that of all fields and what pads them to words, asks for nothing else.
    """

    def __init__(
        self,
        declaration: type[Struct],
        version: int,
        *,
        there: Container[str] | None = None,
        length: int | None = None,
    ) -> None:
        super().__init__(declaration, version)
        self._there = {field.name for field in fields_of(declaration)} if there is None else there
        self._length = length

    def compile(self, patiently: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
        """The function that reads a body; bodies of another shape go to ``patiently``."""
        self.names["patiently"] = patiently
        self._run = Run()
        self._texts: list[str] = []
        self._at: str | int = 0
        if self._length is not None:
            self.lines.append(f"if len(body) != {self._length}: return patiently(body)")
        try:
            self._begin("m", self.declaration, self.lines)
            passed_over = False
            for field, wire, counted in self.steps(self.declaration):
                if field.name in self._there:
                    if passed_over:
                        # The count of an array behind the end may stand before what is there.
                        raise NoFastWay
                    self._step(field, wire, counted)
                elif counted is not None:
                    passed_over = True
                elif field.required or isinstance(wire, Union):
                    # The content of an empty union is told by another field.
                    raise NoFastWay
                else:
                    self.lines.append(f"m.{field.name} = {self.name(field.default)}")
        except NoFastWay:
            return patiently
        self._flush()
        if issubclass(self.declaration, Message):
            at = self._at
            behind = f"body[{at}:] if len(body) > {at} + 3 else b''"
            self.lines.append(f"m.trailing = {behind if self._length is None else repr(b'')}")
        self._end("m", self.declaration, self.lines)
        self.lines.append("return m")
        what = "decode" if self._length is None else f"decode {self._length} bytes of"
        return self.build(what, "def made(body):", "patiently(body)")

    def _begin(self, var: str, declaration: type[Struct], lines: list[str]) -> None:
        lines.append(f"{var} = {self.name(blank_of(declaration))}()")
        for field in fields_of(declaration):
            if present(field, self.version) is None:
                if field.required:
                    raise NoFastWay
                lines.append(f"{var}.{field.name} = {self.name(field.default)}")

    def _end(self, var: str, declaration: type[Struct], lines: list[str]) -> None:
        lines.append(f"{var}.__class__ = {self.name(declaration)}")

    def _step(self, field: Field, wire: SequentialType, counted: Array | Data | None) -> None:
        if isinstance(wire, CString):
            self._flush_run()
            self._texts.append(f"m.{field.name}")
            return
        self._flush_texts()
        if counted is not None:
            self._run.add(counted.count.letter, _count_of("m", field))
        elif isinstance(wire, Array):
            self._array(field, wire)
        elif isinstance(wire, Data) and not wire.slots:
            self._flush()
            count = _count_of("m", field)
            self.lines += [
                f"end = {self._at} + {count}",
                f"if {count} > {wire.maximum} or end > len(body): return patiently(body)",
                f"m.{field.name} = body[{self._at}:end]",
                "at = end",
            ]
            self._at = "at"
        elif isinstance(wire, Rest):
            self._flush()
            self.lines += [
                f"if len(body) - {self._at} > {wire.maximum}: return patiently(body)",
                f"m.{field.name} = body[{self._at}:]",
                "at = len(body)",
            ]
            self._at = "at"
        else:
            self._fixed("m", field, wire, self._run)

    def _fixed(self, var: str, field: Field, wire: SequentialType, run: Run) -> None:
        """Add a value of fixed size to a run."""
        target = f"{var}.{field.name}"
        size = wire.size(self.version)
        python = field.python_type
        if isinstance(wire, Number):
            if isinstance(python, type) and issubclass(python, OpenIntEnum):
                value = self.local()
                # A number without a member is a KeyError: the patient way makes a member of it.
                members = self.name({int(member): member for member in python})
                run.lines.append(f"{target} = {members}[{value}]")
                target = value
            elif isinstance(python, type) and issubclass(python, OpenIntFlag):
                value = self.local()
                run.lines.append(f"{target} = {self.name(_flags(python))}({value})")
                target = value
            run.add(wire.letter, target)
            return
        if isinstance(wire, Repeat) and isinstance(wire.element, Number):
            run.add(wire.element.letter * wire.times, target, times=wire.times)
            return
        if size is None:
            raise NoFastWay
        value = self.local()
        run.add(f"{size}s", value)
        match wire:
            case Chars():
                made = f"{self.name(_text)}({value})"
            case Data():
                count = _count_of(var, field)
                run.lines.append(f"if {count} > {wire.maximum}: return patiently(body)")
                made = f"{value}[:{count}]"
            case Array():
                read = self.name(_slots_reader(field, wire, self.version))
                made = f"{read}({_count_of(var, field)}, {value})"
            case Union():
                read = self.name(_union_reader(wire, self.version))
                made = f"{read}({var}.{wire.selector}, {value})"
            case Raw():
                made = f"{self.name(_texts(wire))}({value})"
            case _:
                made = f"{self.name(wire.read)}({value}, 0, {self.version}, {{}})[0]"
        run.lines.append(f"{target} = {made}")

    def _array(self, field: Field, wire: Array) -> None:
        self._flush()
        each = size_of(wire.element, self.version)
        if not each:
            raise NoFastWay
        count = _count_of("m", field)
        self.lines += [
            f"if {count} > {wire.maximum}: return patiently(body)",
            f"end = {self._at} + {count} * {each}",
        ]
        if self._length is None:
            self.lines.append("if end > len(body): return patiently(body)")
        if isinstance(wire.element, Number):
            if get_args(field.python_type)[0] is not int:
                raise NoFastWay
            code = f"'<%d{wire.element.letter}' % {count}"
            unpack = self.name(struct.unpack_from)
            self.lines.append(f"m.{field.name} = {unpack}({code}, body, {self._at})")
        elif isinstance(wire.element, SequentialType):
            raise NoFastWay
        else:
            run = Run()
            inner: list[str] = []
            self._begin("e", wire.element, inner)
            for member, member_wire, counted in self.steps(wire.element):
                if counted is not None:
                    run.add(counted.count.letter, _count_of("e", member))
                else:
                    self._fixed("e", member, member_wire, run)
            inner += [*run.unpack("row"), *run.lines, "add(e)"]
            self._end("e", wire.element, inner)
            rows = f"{self.name(run.struct.iter_unpack)}(body[{self._at}:end])"
            self.lines += [
                "elements = []",
                "add = elements.append",
                f"for row in {rows}:",
                *(f" {line}" for line in inner),
                f"m.{field.name} = tuple(elements)",
            ]
        size = wire.size(self.version)
        if self._length is not None and size is not None and isinstance(self._at, int):
            self._at += size
            return
        # Real senders leave the unused slots at the very end of a frame away.
        slots = f"min({self._at} + {size}, len(body))"
        self.lines.append(f"at = {slots if wire.slots else 'end'}")
        self._at = "at"

    def _flush(self) -> None:
        self._flush_texts()
        self._flush_run()

    def _flush_texts(self) -> None:
        if self._texts:
            self.lines += [
                f"rest = body[{self._at}:].decode('latin-1').split('\\0', {len(self._texts)})",
                # Fewer texts than targets are a ValueError.
                f"{', '.join(self._texts)}, rest = rest",
                "at = len(body) - len(rest)",
            ]
            self._at = "at"
            self._texts = []

    def _flush_run(self) -> None:
        run, self._run = self._run, Run()
        if run.values:
            unpack = self.name(run.struct.unpack_from)
            self.lines += [*run.unpack(f"{unpack}(body, {self._at})"), *run.lines]
            if isinstance(self._at, int):
                self._at += run.struct.size
            else:
                self.lines.append(f"at += {run.struct.size}")


def _count_of(var: str, field: Field) -> str:
    """The local variable for the count of an array of a message (m) or of one of its structs."""
    return f"{var}_count_of_{field.name}"


@functools.lru_cache(maxsize=2048)
def _text(slot: bytes) -> str:
    """The text in a slot, cached, since labels, names and numbers recur; behind a NUL is filler."""
    return slot.partition(b"\0")[0].decode("latin-1")


@functools.cache
def _texts(wire: Raw) -> Callable[[bytes], str]:
    """A cached reader of addresses, which recur: those of stations and of media, and ""."""
    return functools.lru_cache(maxsize=4096)(wire.unpack)


def _flags(bits: type[OpenIntFlag]) -> Callable[[int], OpenIntFlag]:
    """A cached reader of words of flags, which recur as well."""
    return functools.lru_cache(maxsize=256)(bits)


def _slots_reader(field: Field, wire: Array, version: int) -> Callable[[int, bytes], Any]:
    """A cached reader of arrays inside of arrays, which recur as unions do."""
    counted = f"count of {id(wire)}"

    @functools.lru_cache(maxsize=256)
    def read(count: int, data: bytes) -> Any:
        return python_value(field, wire.read(data, 0, version, {counted: count})[0])

    return read


def _union_reader(wire: Union, version: int) -> Callable[[int, bytes], Any]:
    """A cached reader of unions, which recur; most are zeros, and frozen structs can be shared."""

    @functools.lru_cache(maxsize=256)
    def read(selector: int, data: bytes) -> Any:
        return read_element(wire.arm(selector), data, 0, version)[0]

    return read
