"""Makes the code that writes a body or a whole frame.

See :mod:`pa_telephony.wire.sequential.codec`.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable
from typing import Any

from pa_telephony.wire.declaration import Field, Message, Struct
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
    size_of,
    write_element,
)

__all__ = ["PADDING", "Writer"]

PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")
"""The filler that pads a body to whole words, by its length modulo 4."""


class Writer(Code):
    """Makes functions that write a message.

    The code made when ``usual`` puts the content that most unions have into its runs, and hands
    over to ``otherwise`` (code that does not, then the patient way) where a union holds another.
    """

    def __init__(self, declaration: type[Struct], version: int, *, usual: bool) -> None:
        super().__init__(declaration, version)
        self._usual = usual
        self._chooses = False

    @staticmethod
    def body(
        declaration: type[Struct], version: int, patiently: Callable[[Any], bytes]
    ) -> Callable[[Any], bytes]:
        """The function ``made(message) -> body``."""
        writer = Writer(declaration, version, usual=False)
        made = writer._body(patiently)
        return Writer(declaration, version, usual=True)._body(made) if writer._chooses else made

    @staticmethod
    def frame(
        declaration: type[Struct],
        version: int,
        word: int,
        patiently: Callable[[Any, int], bytes],
    ) -> Callable[..., bytes]:
        """The function ``made(message, header_version=word) -> frame``."""
        writer = Writer(declaration, version, usual=False)
        made = writer._frame(patiently, word)
        if writer._chooses:
            made = Writer(declaration, version, usual=True)._frame(made, word)
        return made

    def _body(self, patiently: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
        self.names["patiently"] = patiently
        try:
            parts = self._parts("patiently(m)")
        except NoFastWay:
            return patiently
        self.lines.append(f"return {self._joined(parts)}")
        return self.build("encode", "def made(m):", "patiently(m)")

    def _frame(self, patiently: Callable[[Any, int], bytes], usual: int) -> Callable[..., bytes]:
        self.names["patiently"] = patiently
        self.lines.append("if m.trailing: return patiently(m, h)")
        head = f"def made(m, h={usual}):"
        try:
            parts = self._parts("patiently(m, h)")
        except NoFastWay:
            self.lines = ["return patiently(m, h)"]
            return self.build("frame", head, "patiently(m, h)")
        assert issubclass(self.declaration, Message)
        # The header and the first run are packed at once; what has no fixed size comes before it.
        first = parts.pop(0) if parts and isinstance(parts[0], Run) else Run()
        assert isinstance(first, Run)
        fixed = first.struct.size
        sizes: list[str] = []
        behind: list[str] = []
        for part in parts:
            data = self.local()
            if isinstance(part, Run):
                fixed += part.struct.size
                part = f"{self.name(part.struct.pack)}({listed(part)})"
            else:
                sizes.append(f"len({data})")
            self.lines.append(f"{data} = {part}")
            behind.append(data)
        size, padding = str(fixed + 4 + -fixed % 4), "x" * (-fixed % 4)
        if sizes:
            self.lines.append(f"size = {' + '.join([str(fixed), *sizes])}")
            size, padding = "size + 4 + -size % 4", ""
            behind.append(f"{self.name(PADDING)}[size % 4]")
        whole = struct.Struct(f"<III{first.code}{padding}")
        values = ", ".join([size, "h", str(self.declaration.id), *first.values])
        self.lines.append("return " + " + ".join([f"{self.name(whole.pack)}({values})", *behind]))
        return self.build("frame", head, "patiently(m, h)")

    def _joined(self, parts: list[Run | str]) -> str:
        expressions = [
            part if isinstance(part, str) else f"{self.name(part.struct.pack)}({listed(part)})"
            for part in parts
        ]
        if len(expressions) > 2:
            return f"b''.join(({_comma(expressions)}))"
        return " + ".join(expressions) or "b''"

    def _parts(self, otherwise: str) -> list[Run | str]:
        """Runs of fixed-size values, and expressions for values that have no fixed size."""
        self._otherwise = otherwise
        parts: list[Run | str] = []
        texts: list[str] = []
        checks: list[str] = []

        def end_texts() -> None:
            if texts:
                text = self.local()
                self.lines += [
                    f"{text} = '\\0'.join(({_comma(texts)}''))",
                    f"if {text}.count('\\0') != {len(texts)}: return {otherwise}",
                ]
                parts.append(f"{text}.encode('latin-1')")
                texts.clear()

        def run() -> Run:
            if not parts or not isinstance(parts[-1], Run):
                parts.append(Run())
            last = parts[-1]
            assert isinstance(last, Run)
            return last

        for field, wire, counted in self.steps(self.declaration):
            value = f"m.{field.name}"
            if isinstance(wire, CString):
                texts.append(value)
                continue
            end_texts()
            if counted is not None:
                count = self.local()
                self.lines += [
                    f"{count} = len({value})",
                    f"if {count} > {counted.maximum}: return {otherwise}",
                ]
                run().add(counted.count.letter, count)
            elif isinstance(wire, Array):
                data = self._array(value, wire)
                if wire.slots:
                    run().add(f"{wire.size(self.version)}s", data)
                else:
                    parts.append(data)
            elif isinstance(wire, Rest):
                self.lines.append(f"if len({value}) > {wire.maximum}: return {otherwise}")
                parts.append(f"bytes({value})")
            elif isinstance(wire, Data) and not wire.slots:
                parts.append(f"bytes({value})")
            else:
                self._fixed("m", field, wire, run(), checks)
        end_texts()
        if checks:
            self.lines.append(f"if not ({' and '.join(checks)}): return {otherwise}")
        return parts

    def _fixed(
        self, var: str, field: Field, wire: SequentialType, run: Run, checks: list[str]
    ) -> None:
        """Add a value of fixed size to a run, and to ``checks`` what must be true for it."""
        value = f"{var}.{field.name}"
        size = wire.size(self.version)
        if isinstance(wire, Number):
            run.add(wire.letter, value)
            return
        if isinstance(wire, Repeat) and isinstance(wire.element, Number):
            # Too few values are an error of struct's, and filled up by the patient way.
            run.add(wire.element.letter * wire.times, f"*{value}")
            return
        if size is None:
            raise NoFastWay
        match wire:
            case Chars():
                value = f"{self.name(_slot(size))}({value})"
            case Data():
                pass
            case Union():
                self._union(var, value, wire, run, checks)
                return
            case Array():
                checks.append(f"len({value}) <= {wire.maximum}")
                value = f"{self.name(_slots_writer(wire, self.version))}({value})"
            case Raw():
                value = f"{self.name(_packed(wire, self.version))}({value})"
            case _:
                value = f"{self.name(wire.write)}({value}, {self.version}, {var})"
        run.add(f"{size}s", value)

    def _union(self, var: str, value: str, wire: Union, run: Run, checks: list[str]) -> None:
        selector = f"{var}.{wire.selector}"
        size = size_of(wire.otherwise, self.version)
        self._chooses = True
        if not self._usual or size is None:
            write = self.name(_union_writer(wire, self.version))
            run.add(f"{wire.length}s", f"{write}({selector}, {value})")
            return
        numbers = self.name({number for numbers, _ in wire.arms for number in numbers})
        checks.append(f"type({value}) is {self.name(wire.otherwise)}")
        checks.append(f"{selector} not in {numbers}")
        for field, member, counted in self.steps(wire.otherwise):
            if counted is not None:
                raise NoFastWay
            self._fixed(value, field, member, run, checks)
        run.skip(wire.length - size)

    def _array(self, value: str, wire: Array) -> str:
        """An expression for the bytes of an array."""
        if isinstance(wire.element, Number):
            code = f"'<%d{wire.element.letter}' % len({value})"
            return f"{self.name(struct.pack)}({code}, *{value})"
        if isinstance(wire.element, SequentialType):
            raise NoFastWay
        run = Run()
        checks: list[str] = []
        for field, member, counted in self.steps(wire.element):
            if counted is not None:
                run.add(counted.count.letter, f"len(e.{field.name})")
            else:
                self._fixed("e", field, member, run, checks)
        pack = f"{self.name(run.struct.pack)}({listed(run)})"
        if not checks:
            return f"b''.join([{pack} for e in {value}])"
        data = self.local()
        self.lines += [
            f"{data} = [{pack} for e in {value} if {' and '.join(checks)}]",
            f"if len({data}) != len({value}): return {self._otherwise}",
        ]
        return f"b''.join({data})"


@functools.cache
def _slot(size: int) -> Callable[[str], bytes]:
    """A cached writer of texts for slots of ``size`` bytes; labels, names and numbers recur."""

    @functools.lru_cache(maxsize=1024)
    def write(text: str) -> bytes:
        data = text.encode("latin-1")
        if len(data) > size or 0 in data:
            raise ValueError
        return data

    return write


@functools.cache
def _packed(wire: Raw, version: int) -> Callable[[str], bytes]:
    """A cached writer of addresses, which recur as texts do."""
    return functools.lru_cache(maxsize=4096)(functools.partial(wire.pack, version=version))


def _slots_writer(wire: Array, version: int) -> Callable[[tuple[Any, ...]], bytes]:
    """A cached writer of arrays inside of arrays: those that stations announce recur."""

    @functools.lru_cache(maxsize=256)
    def write(value: tuple[Any, ...]) -> bytes:
        return wire.write(value, version, None)

    return write


def _union_writer(wire: Union, version: int) -> Callable[[int, Any], bytes]:
    def arm(declaration: type[Struct]) -> tuple[type[Struct], Callable[[Any], bytes]]:
        patiently = functools.partial(write_element, declaration, version=version)
        return declaration, Writer.body(declaration, version, patiently)

    arms = {number: arm(declaration) for numbers, declaration in wire.arms for number in numbers}
    otherwise = arm(wire.otherwise)

    def write(selector: int, value: Any) -> bytes:
        declaration, encode = arms.get(selector, otherwise)
        # A default made for another arm stands for "nothing set" in this one.
        return encode(value if isinstance(value, declaration) else declaration())

    return write


def _comma(expressions: list[str]) -> str:
    return "".join(f"{each}, " for each in expressions)


def listed(run: Run) -> str:
    return ", ".join(run.values)
