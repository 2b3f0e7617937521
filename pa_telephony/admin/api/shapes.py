"""What a value of JSON is like: declared once, checked, and described as JSON Schema. Pure.

A problem names the field that breaks a rule, as ``servers[2]`` or ``resources[0].number``.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

__all__ = [
    "Anything",
    "Flag",
    "Items",
    "Names",
    "Number",
    "Part",
    "Problem",
    "Shape",
    "Text",
    "Thing",
    "Whole",
]


@dataclass(frozen=True)
class Problem:
    """A rule that a field breaks."""

    field: str
    rule: str


@dataclass(frozen=True, kw_only=True)
class Shape(ABC):
    """What a value may be; ``null`` says whether it may be nothing, too."""

    hint: str = ""
    """What it means, for people."""
    null: bool = False

    def problems(self, value: object, field: str = "") -> Iterator[Problem]:
        """The rules that a value breaks."""
        if value is None and self.null:
            return
        yield from self._problems(value, field)

    @abstractmethod
    def _problems(self, value: object, field: str) -> Iterator[Problem]:
        """The same of a value that is something."""

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of it."""
        found = self._schema()
        if self.null:
            found["type"] = [found["type"], "null"]
            if "enum" in found:
                found["enum"] = [*found["enum"], None]
        if self.hint:
            found["description"] = self.hint
        return found

    @abstractmethod
    def _schema(self) -> dict[str, Any]:
        """The same without hint and null."""


@dataclass(frozen=True, kw_only=True)
class Text(Shape):
    """A text; one of ``choices`` where there are any."""

    least: int = 0
    most: int = 1000
    choices: tuple[str, ...] = ()

    def _problems(self, value: object, field: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield Problem(field, "must be a text")
        elif self.choices and value not in self.choices:
            yield Problem(field, f"must be one of {', '.join(self.choices)}")
        elif not self.choices and not self.least <= len(value) <= self.most:
            yield Problem(field, f"must have {self.least} to {self.most} characters")

    def _schema(self) -> dict[str, Any]:
        if self.choices:
            return {"type": "string", "enum": list(self.choices)}
        return {"type": "string", "minLength": self.least, "maxLength": self.most}


@dataclass(frozen=True, kw_only=True)
class Whole(Shape):
    """A whole number within bounds."""

    least: int = 0
    most: int = 2**53

    def _problems(self, value: object, field: str) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, int):
            yield Problem(field, "must be a whole number")
        elif not self.least <= value <= self.most:
            yield Problem(field, f"must be {self.least} to {self.most}")

    def _schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, kw_only=True)
class Number(Shape):
    """A number, whole or not."""

    least: float = 0.0
    most: float = 1e12

    def _problems(self, value: object, field: str) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
            yield Problem(field, "must be a number")
        elif not self.least <= value <= self.most:
            yield Problem(field, f"must be {self.least:g} to {self.most:g}")

    def _schema(self) -> dict[str, Any]:
        return {"type": "number", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, kw_only=True)
class Flag(Shape):
    """True or false."""

    def _problems(self, value: object, field: str) -> Iterator[Problem]:
        if not isinstance(value, bool):
            yield Problem(field, "must be true or false")

    def _schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True, kw_only=True)
class Items(Shape):
    """A list of values of one shape."""

    of: Shape
    most: int = 100_000

    def _problems(self, value: object, field: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield Problem(field, "must be a list")
            return
        entries = cast("list[object]", value)
        if len(entries) > self.most:
            yield Problem(field, f"must have at most {self.most} entries")
            return
        for place, each in enumerate(entries):
            yield from self.of.problems(each, f"{field}[{place}]")

    def _schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self.of.schema(), "maxItems": self.most}


@dataclass(frozen=True, kw_only=True)
class Names(Shape):
    """An object whose names are free, and whose values are alike."""

    of: Shape

    def _problems(self, value: object, field: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(field, "must be an object")
            return
        for name, each in cast("dict[str, object]", value).items():
            yield from self.of.problems(each, f"{field}.{name}" if field else name)

    def _schema(self) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": self.of.schema()}


@dataclass(frozen=True)
class Part:
    """One field of a :class:`Thing`."""

    name: str
    shape: Shape
    mandatory: bool = True
    default: Any = None
    """What it means when an optional field is left out."""


@dataclass(frozen=True, kw_only=True)
class Thing(Shape):
    """An object with these fields, and no others."""

    parts: tuple[Part, ...] = ()

    def _problems(self, value: object, field: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(field, "must be an object")
            return
        values = cast("dict[str, object]", value)
        known = {each.name: each for each in self.parts}
        prefix = f"{field}." if field else ""
        for name, each in values.items():
            if name in known:
                yield from known[name].shape.problems(each, prefix + name)
            else:
                yield Problem(prefix + name[:100], f"unknown; known are {', '.join(known)}")
        for name, part in known.items():
            if part.mandatory and name not in values:
                yield Problem(prefix + name, "is mandatory")

    def complete(self, values: dict[str, Any]) -> dict[str, Any]:
        """The values, with the defaults of the fields that were left out."""
        return {each.name: each.default for each in self.parts} | values

    def _schema(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "type": "object",
            "properties": {each.name: _described(each) for each in self.parts},
            "additionalProperties": False,
        }
        if mandatory := [each.name for each in self.parts if each.mandatory]:
            found["required"] = mandatory
        return found


def _described(part: Part) -> dict[str, Any]:
    found = part.shape.schema()
    if part.default is not None:
        found["default"] = part.default
    return found


@dataclass(frozen=True, kw_only=True)
class Anything(Shape):
    """An object that is checked elsewhere; ``described`` is its JSON Schema."""

    described: tuple[tuple[str, Any], ...] = ()

    def _problems(self, value: object, field: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(field, "must be an object")

    def _schema(self) -> dict[str, Any]:
        return {"type": "object", **dict(self.described)}
