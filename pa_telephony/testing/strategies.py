"""Hypothesis strategies of valid messages, derived from their declarations.

::

    @given(strategies.sccp_message(messages.StartTone, version=20))
    def test_my_phone_survives_any_tone(message): ...
"""

from __future__ import annotations

from typing import Any, TypeVar

from pa_telephony.extras import MissingExtra
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.wire.declaration import OpenIntEnum, OpenIntFlag, Struct, fields_of
from pa_telephony.wire.sequential.types import (
    Array,
    Chars,
    CString,
    Data,
    IPv4,
    IPv4or6,
    IPv6,
    Mac,
    Number,
    Repeat,
    Rest,
    SequentialType,
    Union,
    present,
)

try:
    from hypothesis import strategies as st
except ImportError as error:
    raise MissingExtra("hypothesis", "testing") from error

__all__ = ["sccp_message", "sccp_messages", "sccp_struct"]

S = TypeVar("S", bound=Struct)

VERSIONS = (0, 3, 6, 10, 11, 15, 16, 17, 18, 19, 20, 21, 22)
"""Session versions at which some layout changes, or that were captured."""

_RANGES = {"B": (0, 0xFF), "H": (0, 0xFFFF), "I": (0, 0xFFFFFFFF), "i": (-(1 << 31), (1 << 31) - 1)}
_LATIN = st.characters(min_codepoint=1, max_codepoint=0xFF)
_ELEMENTS = 4


def sccp_message(declaration: type[S], *, version: int) -> st.SearchStrategy[S]:
    """A strategy of valid messages of one class, with values for the fields of ``version``."""
    return sccp_struct(declaration, version)


def sccp_messages() -> st.SearchStrategy[tuple[SccpMessage, int]]:
    """A strategy of valid messages of any class, each with the session version it is made for."""
    declarations = [SccpMessage.registry[number] for number in sorted(SccpMessage.registry)]

    @st.composite
    def draw_message(draw: st.DrawFn) -> tuple[SccpMessage, int]:
        version = draw(st.sampled_from(VERSIONS))
        message: Any = draw(sccp_struct(draw(st.sampled_from(declarations)), version))
        return message, version

    return draw_message()


def sccp_struct(declaration: type[S], version: int) -> st.SearchStrategy[S]:
    """A strategy of valid values of a declared struct."""

    @st.composite
    def draw_struct(draw: st.DrawFn) -> S:
        values: dict[str, Any] = {}
        for field in fields_of(declaration):
            wire = present(field, version)
            if wire is None:
                continue
            if isinstance(wire, Union):
                values[field.name] = draw(sccp_struct(wire.arm(values[wire.selector]), version))
                continue
            value = draw(_value(wire, version))
            python = field.python_type
            if isinstance(python, type) and issubclass(python, OpenIntEnum):
                value = python(draw(st.sampled_from(list(python)) | st.just(value)))
            elif isinstance(python, type) and issubclass(python, OpenIntFlag):
                value = python(value)
            values[field.name] = value
        return declaration(**values)

    return draw_struct()


def _value(wire: Any, version: int) -> st.SearchStrategy[Any]:
    simple = _plain(wire, version)
    if simple is not None:
        return simple
    if isinstance(wire, Array):
        most = min(wire.maximum, _ELEMENTS)
        return st.lists(_element(wire.element, version), max_size=most).map(tuple)
    if isinstance(wire, Repeat):
        element = _element(wire.element, version)
        return st.lists(element, min_size=wire.times, max_size=wire.times).map(tuple)
    raise TypeError(f"no strategy for {wire!r}")


def _plain(wire: Any, version: int) -> st.SearchStrategy[Any] | None:
    if isinstance(wire, Number):
        return st.integers(*_RANGES[wire.letter])
    if isinstance(wire, Chars):
        return st.text(_LATIN, max_size=wire.size(version))
    if isinstance(wire, CString):
        return st.text(_LATIN, max_size=40)
    if isinstance(wire, Data):
        return st.binary(max_size=min(wire.maximum, 40))
    if isinstance(wire, Rest):
        # Whole words, as the frame's padding would become part of it otherwise.
        return st.binary(max_size=10).map(lambda data: data + bytes(-len(data) % 4))
    if isinstance(wire, IPv4) or (isinstance(wire, IPv4or6) and version < 17):
        return st.ip_addresses(v=4).map(str)
    if isinstance(wire, IPv4or6):
        return st.ip_addresses().map(str)
    if isinstance(wire, IPv6):
        return st.ip_addresses(v=6).map(str)
    if isinstance(wire, Mac):
        return st.binary(min_size=6, max_size=6).map(lambda data: data.hex(":"))
    return None


def _element(element: Any, version: int) -> st.SearchStrategy[Any]:
    if isinstance(element, SequentialType):
        return _value(element, version)
    return sccp_struct(element, version)
