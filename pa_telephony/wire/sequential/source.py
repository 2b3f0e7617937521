"""What the makers of reading and of writing code share: lines, the objects they name, runs."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from pa_telephony.errors import DecodeError, LocalProtocolError
from pa_telephony.wire.declaration import Field, Struct, fields_of
from pa_telephony.wire.generated import make_function
from pa_telephony.wire.sequential.types import (
    Array,
    Data,
    SequentialType,
    Short,
    counts_before,
    present,
)

__all__ = ["Code", "NoFastWay", "Run"]

UNUSUAL = (
    struct.error,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    DecodeError,
    LocalProtocolError,
    Short,
)


class NoFastWay(Exception):
    """Raised for a type that is left to the patient way, as is then the whole message."""


class Code:
    """Lines of a function under construction and the objects that they name."""

    def __init__(self, declaration: type[Struct], version: int) -> None:
        self.declaration = declaration
        self.version = version
        self.lines: list[str] = []
        self.names: dict[str, Any] = {"unusual": UNUSUAL}

    def name(self, value: Any) -> str:
        """A name of the function's for an object of ours."""
        kind = getattr(value, "__name__", type(value).__name__).strip("_")
        name = f"{kind}_{len(self.names)}" if kind.isidentifier() else f"object_{len(self.names)}"
        self.names[name] = value
        return name

    def local(self) -> str:
        """The name of a new local variable of the function."""
        self._locals += 1
        return f"value_{self._locals}"

    _locals = 0

    def build(self, what: str, head: str, otherwise: str) -> Callable[..., Any]:
        """The function: its lines, and what is returned when anything in them is unusual.

        ``what`` says what it does: decode, encode or frame.
        """
        lines = [head, " try:", *(f"  {line}" for line in self.lines)]
        lines += [" except unusual:", f"  return {otherwise}"]
        name = f"{what} {self.declaration.__name__} v{self.version}"
        made: Callable[..., Any] = make_function(name, "\n".join(lines), dict(self.names))
        return made

    def steps(
        self, declaration: type[Struct]
    ) -> list[tuple[Field, SequentialType, Array | Data | None]]:
        """The values on the wire in order: field, type, and for a count the array that it counts.

        For a count, the field given is the field of that array.
        """
        fields = fields_of(declaration)
        counts = counts_before(declaration, self.version)
        counted = {id(present(field, self.version)): field for field in fields}
        found: list[tuple[Field, SequentialType, Array | Data | None]] = []
        for field in fields:
            wire = present(field, self.version)
            if wire is not None:
                for array in counts.get(field.name, ()):
                    found.append((counted[id(array)], array.count, array))
                found.append((field, wire, None))
        return found


class Run:
    """Adjacent fixed-size values for one call of ``struct``, and lines for its result."""

    def __init__(self) -> None:
        self.code = ""
        self.values: list[str] = []
        self.lines: list[str] = []
        self._times: list[int] = []

    def skip(self, size: int) -> None:
        """Append ``size`` bytes of filler."""
        self.code += f"{size}x"

    def add(self, code: str, value: str, times: int = 1) -> None:
        """Append ``struct`` codes and what they stand for, one value or a tuple of so many."""
        self.code += code
        self.values.append(value)
        self._times.append(times)

    def unpack(self, row: str) -> list[str]:
        """Lines that set the values from a tuple of them all."""
        if max(self._times) == 1:
            return [f"{', '.join(self.values)}, = {row}"]
        lines = [f"row = {row}"]
        at = 0
        for value, times in zip(self.values, self._times, strict=True):
            lines.append(
                f"{value} = row[{at}]" if times == 1 else f"{value} = row[{at}:{at + times}]"
            )
            at += times
        return lines

    @property
    def struct(self) -> struct.Struct:
        """The ``struct`` format of all values, little endian."""
        return struct.Struct("<" + self.code)
