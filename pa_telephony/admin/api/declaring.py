"""What an operation of the API is, and how its shapes are declared. Pure."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from pa_telephony.admin.api.shapes import (
    Flag,
    Items,
    Names,
    Number,
    Part,
    Shape,
    Text,
    Thing,
    Whole,
)
from pa_telephony.admin.roles import Act

__all__ = ["BASE", "Operation", "shape_of", "thing"]

BASE = "/api/v1"
"""Where all of it stands."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One thing that can be asked for."""

    name: str
    method: str
    path: str
    """Below :data:`BASE`; ``{name}`` stands for a part that is given."""
    act: Act
    what: str
    """What it does, in a sentence."""
    answer: Shape
    query: Thing = field(default_factory=Thing)
    body: Shape | None = None
    status: int = 200
    events: bool = False
    """Whether it can be answered with events, when those are accepted."""
    stream: bool = False
    """Whether it is answered with events alone, which go on."""
    toml: bool = False
    """Whether the body may be TOML, and the answer is when that is accepted."""
    notes: bool = False
    """Whether it stands in the audit log."""


def thing(hint: str = "", /, **shapes: Shape) -> Thing:
    """An object with these mandatory fields."""
    return Thing(parts=tuple(Part(name, each) for name, each in shapes.items()), hint=hint)


_ANY_TEXT = Text(most=100_000)
_ANY_NUMBER = Number(least=-1e12)
_ANY_WHOLE = Whole(least=-(2**53))


def shape_of(kind: Any, *, null: bool = False) -> Shape:
    """The shape of what a dataclass, or one of its fields, is as JSON."""
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(cast("type[Any]", kind))
        parts = [Part(each.name, shape_of(hints[each.name])) for each in dataclasses.fields(kind)]
        return Thing(parts=tuple(parts), null=null)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (types.UnionType, Union):
        (other,) = [each for each in arguments if each is not types.NoneType]
        return shape_of(other, null=True)
    if origin is tuple:
        return Items(of=shape_of(arguments[0]), null=null)
    if origin is Mapping:
        return Names(of=shape_of(arguments[1]), null=null)
    scalars: dict[Any, Shape] = {str: _ANY_TEXT, int: _ANY_WHOLE, float: _ANY_NUMBER, bool: Flag()}
    return dataclasses.replace(scalars[kind], null=null)
