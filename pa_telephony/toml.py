"""A TOML file read into dataclasses: what is wrong is named with file, section, field and rule."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import tomllib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from pa_telephony.errors import ConfigurationError, first_of

__all__ = [
    "all_made",
    "error_names_file",
    "make",
    "misfits",
    "parse",
    "read",
    "table",
    "tables",
    "together",
    "value_of",
]

Key = TypeVar("Key")
Made = TypeVar("Made")


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The document of a file; raises :class:`ConfigurationError`, for no such file, too."""
    file = os.fspath(path)
    try:
        with open(path, "rb") as stream:
            return tomllib.load(stream)
    except OSError as error:
        raise ConfigurationError(error.strerror or str(error), file=file) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"not TOML: {error}", file=file) from error


def parse(text: str, file: str) -> dict[str, Any]:
    """The document in ``text``; raises :class:`ConfigurationError`, which names ``file``."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"not TOML: {error}", file=file) from error


@contextlib.contextmanager
def error_names_file(path: str | os.PathLike[str]) -> Generator[None]:
    """Around what reads a document: a :class:`ConfigurationError` says which file it was."""
    try:
        yield
    except ConfigurationError as error:
        raise first_of(
            ConfigurationError(
                each.rule, file=os.fspath(path), section=each.section, field=each.field
            )
            for each in (error, *error.others)
        ) from None


def table(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The table ``[key]``; an empty one when there is none."""
    value: object = document.get(key, {})
    if not isinstance(value, dict):
        raise ConfigurationError("must be a table", field=key)
    return cast("dict[str, Any]", value)


def tables(document: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The tables ``[[key]]``."""
    value: object = document.get(key, [])
    entries = cast("list[object]", value)
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in entries):
        raise ConfigurationError(f"must be tables [[{key}]]", field=key)
    return cast("list[dict[str, Any]]", entries)


def make(
    kind: type[Made],
    values: Mapping[str, Any],
    section: str,
    /,
    **convert: Callable[[Any, str, str], Any],
) -> Made:
    """The dataclass ``kind`` with these values, each of the type that its field is declared with.

    ``convert`` makes the value of a field of another type; it is given section and field for its
    errors. Raises :class:`ConfigurationError` for a field that is unknown, mandatory, or of
    another type; its ``others`` are those of further fields.
    """
    fields = {each.name: each for each in dataclasses.fields(cast("Any", kind))}

    def one(name: str, value: Any) -> Any:
        if name in convert:
            return convert[name](value, section, name)
        return value_of(kind, name, value, section)

    def missing(name: str) -> None:
        raise ConfigurationError("is mandatory", section=section, field=name)

    parts: dict[str, Callable[[], Any]] = {
        name: functools.partial(one, name, value) for name, value in values.items()
    }
    for name, each in fields.items():
        required = (
            each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
        )
        if required and name not in values:
            parts[name] = functools.partial(missing, name)
    return kind(**together(parts))


def value_of(kind: type, name: str, value: object, section: str = "") -> Any:
    """The value of one field of the dataclass ``kind``, of the type that it is declared with.

    Raises :class:`ConfigurationError` for a field that is unknown, or of another type.
    """
    declared = _declared(kind)
    if name not in declared:
        raise ConfigurationError(
            f"unknown; known are {', '.join(declared)}", section=section, field=name
        )
    return _as_declared(declared[name], value, section, name)


@functools.cache
def _declared(kind: type) -> dict[str, object]:
    """The types of a dataclass's fields, by their names."""
    hints = get_type_hints(kind)
    return {each.name: hints[each.name] for each in dataclasses.fields(kind)}


def together(parts: Mapping[Key, Callable[[], Any]]) -> dict[Key, Any]:
    """What each of these functions gives, by its key.

    Raises the first :class:`ConfigurationError` of them; its ``others`` are all further ones, so
    that who wrote the file can mend them in one go.
    """
    made: dict[Key, Any] = {}
    found: list[ConfigurationError] = []
    for key, part in parts.items():
        try:
            made[key] = part()
        except ConfigurationError as error:
            found += (error, *error.others)
    if found:
        raise first_of(found)
    return made


def all_made(make_one: Callable[[Any, int], Made], values: Iterable[Any]) -> tuple[Made, ...]:
    """What ``make_one`` gives for each value and its place, from 1; raises as :func:`together`."""
    parts = {
        place: functools.partial(make_one, each, place) for place, each in enumerate(values, 1)
    }
    return tuple(together(parts).values())


def misfits(
    part: object, name_of: Callable[[object], str], section: str = ""
) -> Iterator[ConfigurationError]:
    """The values, in a dataclass and those within, that are not of their declared types.

    For what a program has made: a comma that is missing makes a text of a tuple. ``name_of`` gives
    the section of a part within; "" stands for the one around it, or the field's name.
    """
    kind: type = type(part)
    for name, hint in _declared(kind).items():
        value = getattr(part, name)
        if not _fits(hint, value):
            yield from _misfit(hint, value, section, name)
        elif hint not in _WORDS:
            several = isinstance(value, tuple | list)
            for each in cast("Iterable[object]", value if several else (value,)):
                if dataclasses.is_dataclass(each):
                    around = section if several else name
                    yield from misfits(each, name_of, name_of(each) or around)


def _misfit(hint: Any, value: Any, section: str, field: str) -> Iterator[ConfigurationError]:
    origin, inner = get_origin(hint), get_args(hint)
    name: str = type(value).__name__
    one, shown = ("text", repr(value)) if name == "str" else (name, f"{name}(...)")
    if origin is Mapping and isinstance(value, Mapping) and hint not in _WORDS:
        for key, each in cast("Mapping[object, object]", value).items():
            for kind, half in zip(inner, (key, each), strict=True):
                if not _fits(kind, half):
                    yield from _misfit(kind, half, field, str(key))
        return
    rule = f"must be {_WORDS.get(hint) or 'of type ' + getattr(hint, '__name__', str(hint))}"
    if origin is tuple and _fits(inner[0], value):
        rule = f"is one {one}: write ({shown},)"
    yield ConfigurationError(rule, section=section, field=field)


def _fits(hint: Any, value: Any) -> bool:
    """Whether a value is of a declared type; a list does as a tuple, a whole number as a float."""
    if type(value) is hint:
        return True
    origin, inner = get_origin(hint), get_args(hint)
    if origin is tuple:
        return isinstance(value, tuple | list) and all(
            _fits(inner[0], each) for each in cast("Iterable[object]", value)
        )
    if origin is Mapping:
        return isinstance(value, Mapping) and all(
            _fits(inner[0], key) and _fits(inner[1], each)
            for key, each in cast("Mapping[object, object]", value).items()
        )
    if inner:
        return any(_fits(each, value) for each in inner)
    if hint is float:
        return type(value) is int or isinstance(value, float)
    return hint is not int and isinstance(value, hint)


def _as_declared(hint: object, value: object, section: str, field: str) -> object:
    """What a file has for a field: its lists are tuples, its tables cannot be changed."""
    if _fits(hint, value):
        if isinstance(value, list):
            return tuple(cast("list[object]", value))
        if isinstance(value, dict):
            return MappingProxyType(cast("dict[str, object]", value))
        return float(cast("float", value)) if hint is float else value
    raise ConfigurationError(f"must be {_WORDS.get(hint, hint)}", section=section, field=field)


_WORDS: dict[object, str] = {
    str: "text in quotes",
    bool: "true or false",
    int: "a whole number",
    float: "a number of seconds",
    tuple[str, ...]: "a list of texts",
    Mapping[str, str]: "a table of texts",
}
