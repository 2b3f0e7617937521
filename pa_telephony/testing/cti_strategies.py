"""Hypothesis strategies of valid CTI messages, derived from their declarations."""

from __future__ import annotations

from typing import Any, TypeVar

from pa_telephony.cti.messages import NULL, CtiMessage, Handle
from pa_telephony.extras import MissingExtra
from pa_telephony.wire.declaration import OpenIntEnum, Struct, fields_of
from pa_telephony.wire.offset.types import (
    Bool,
    Bytes,
    Handles,
    HandleWords,
    Int,
    Ints,
    Nested,
    String,
    Structs,
    UString,
)

try:
    from hypothesis import strategies as st
except ImportError as error:
    raise MissingExtra("hypothesis", "testing") from error

__all__ = ["cti_message", "cti_messages"]

S = TypeVar("S", bound=Struct)

_INT = st.integers(-(1 << 31), (1 << 31) - 1)
_WORD = st.integers(0, 0xFFFFFFFF)
_HANDLE = st.builds(Handle, call_manager_id=_WORD, call_leg_id=_WORD)
_LATIN = st.text(st.characters(max_codepoint=0xFF), max_size=12)
_UNICODE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
_PLAIN: dict[type[Any], st.SearchStrategy[Any]] = {
    Int: _INT,
    Bool: st.booleans(),
    String: st.just(NULL) | _LATIN,
    UString: _UNICODE,
    Bytes: st.binary(max_size=20),
    HandleWords: _HANDLE,
    Ints: st.lists(_INT, max_size=3).map(tuple),
    Handles: st.lists(_HANDLE, max_size=3).map(tuple),
}


def cti_message(declaration: type[S]) -> st.SearchStrategy[S]:
    """A strategy of valid messages (or structs) of one class."""

    @st.composite
    def draw_message(draw: st.DrawFn) -> S:
        values: dict[str, Any] = {}
        for field in fields_of(declaration):
            value = draw(_value(field.type))
            python = field.python_type
            if isinstance(python, type) and issubclass(python, OpenIntEnum):
                value = python(draw(st.sampled_from(list(python)) | st.just(value)))
            values[field.name] = value
        return declaration(**values)

    return draw_message()


def cti_messages() -> st.SearchStrategy[CtiMessage]:
    """A strategy of valid messages of any class."""
    numbers = sorted(CtiMessage.registry)
    result: st.SearchStrategy[Any] = st.sampled_from(numbers).flatmap(
        lambda number: cti_message(CtiMessage.registry[number])
    )
    return result


def _value(wire: Any) -> st.SearchStrategy[Any]:
    if isinstance(wire, Nested):
        return cti_message(wire.struct)
    if isinstance(wire, Structs):
        return st.lists(cti_message(wire.struct), max_size=2).map(tuple)
    return _PLAIN[type(wire)]
