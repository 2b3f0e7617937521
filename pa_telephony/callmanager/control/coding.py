"""Dataclasses as JSON, and back: one line of ASCII each. Pure.

What a peer says is read strictly where it is a request, so that a slip of the pen is told, and
leniently where it is an answer: unknown fields are passed over, missing ones have their defaults.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import types
from collections.abc import Mapping
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

__all__ = ["NotJson", "NotReadable", "encoded_line", "parsed_line", "plain", "read"]

T = TypeVar("T")

_LARGEST = 2**53
"""Larger numbers are not the same to every reader of JSON (RFC 8259, section 6)."""


class NotReadable(ValueError):
    """JSON that is not what was asked for; ``str()`` says where."""


class NotJson(NotReadable):
    """Text that is no JSON."""


def plain(value: Any) -> Any:
    """A dataclass, and all in it, as what JSON can hold; what has its default value is left out."""
    kind = cast("Any", type(value))
    if kind in _PLAIN:
        return value
    if dataclasses.is_dataclass(kind):
        found: dict[str, Any] = {}
        for name, default in _defaults(cast("Any", kind)):
            own = getattr(value, name)
            if own != default:
                found[name] = plain(own)
        return found
    if isinstance(value, (tuple, list)):
        return [plain(each) for each in cast("tuple[Any, ...]", value)]
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in cast("Mapping[str, Any]", value).items()}
    return value


_PLAIN = frozenset({str, int, float, bool, type(None)})


@functools.cache
def _defaults(kind: Any) -> tuple[tuple[str, Any], ...]:
    """The name of each field with its default, which nothing is equal to where it has none."""
    return tuple(
        (
            each.name,
            each.default if each.default_factory is dataclasses.MISSING else each.default_factory(),
        )
        for each in dataclasses.fields(kind)
    )


def encoded_line(value: object) -> bytes:
    """What :func:`plain` gives, as one line with its line break."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


def parsed_line(line: bytes) -> dict[str, Any]:
    """The object of one line; raises :class:`NotReadable`."""
    try:
        found = json.loads(line.decode("utf-8"), parse_constant=_refuse)
    except UnicodeDecodeError:
        raise NotJson("no UTF-8") from None
    except RecursionError:
        raise NotJson("nested too deep") from None
    except ValueError as error:
        # Also for whole numbers with more digits than Python reads.
        raise NotJson(f"no JSON: {error}") from None
    if not isinstance(found, dict):
        raise NotReadable("must be a JSON object")
    return cast("dict[str, Any]", found)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def read(kind: type[T], value: object, *, strict: bool = False, where: str = "") -> T:
    """Make a ``kind`` of what JSON had; raises :class:`NotReadable`, naming the field."""
    return cast("T", _read(kind, value, strict, where))


_WORDS: dict[Any, str] = {str: "a text", int: "a whole number", bool: "true or false"}


def _read(kind: Any, value: Any, strict: bool, where: str) -> Any:
    if kind is Any:
        return value
    if dataclasses.is_dataclass(kind):
        return _dataclass(cast("type[Any]", kind), value, strict, where)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (types.UnionType, Union):
        return _one_of(arguments, value, strict, where)
    if origin is tuple:
        entries = cast("list[Any]", value)
        if not isinstance(value, list):
            raise _wrong("a list", where)
        return tuple(
            _read(arguments[0], each, strict, f"{where}[{at}]") for at, each in enumerate(entries)
        )
    if origin is Mapping:
        if not isinstance(value, dict):
            raise _wrong("an object", where)
        named = cast("dict[str, Any]", value)
        return {name: _read(arguments[1], each, strict, where) for name, each in named.items()}
    return _scalar(kind, value, where)


def _one_of(kinds: tuple[Any, ...], value: Any, strict: bool, where: str) -> Any:
    if value is None and types.NoneType in kinds:
        return None
    others = [each for each in kinds if each is not types.NoneType]
    if len(others) == 1:
        return _read(others[0], value, strict, where)
    if type(value) not in others:
        raise _wrong(" or ".join(_WORDS[each] for each in others), where)
    return _scalar(type(value), value, where)


def _scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is float:
        if type(value) not in (int, float) or abs(value) > _LARGEST:
            raise _wrong("a number", where)
        return float(value)
    if type(value) is not kind:
        raise _wrong(_WORDS[kind], where)
    if kind is int and abs(value) > _LARGEST:
        raise _wrong("a smaller number", where)
    return value


@functools.cache
def _fields(kind: Any) -> dict[str, tuple[Any, bool]]:
    """The type of each field, and whether it has to be there."""
    hints = get_type_hints(kind)
    return {
        each.name: (
            hints[each.name],
            each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING,
        )
        for each in dataclasses.fields(kind)
    }


def _dataclass(kind: type[Any], value: Any, strict: bool, where: str) -> Any:
    if not isinstance(value, dict):
        raise _wrong("an object", where)
    named = cast("dict[str, Any]", value)
    known = _fields(cast("Any", kind))
    if strict:
        for name in named:
            if name not in known:
                words = ", ".join(known) or "none"
                raise NotReadable(f"{_path(where, name)}: unknown; known are {words}")
    given: dict[str, Any] = {}
    for name, (hint, is_needed) in known.items():
        if name in named:
            given[name] = _read(hint, named[name], strict, _path(where, name))
        elif is_needed:
            raise NotReadable(f"{_path(where, name)}: is missing")
    return kind(**given)


def _path(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _wrong(what: str, where: str) -> NotReadable:
    return NotReadable(f"{where or 'it'}: must be {what}")
