"""A TOML file read into dataclasses: what is wrong is named with file, section, field and rule."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import tomllib
from collections.abc import Callable, Generator, Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar, cast, get_type_hints

from pa_telephony.errors import ConfigurationError, first_of

__all__ = [
    "all_made",
    "error_names_file",
    "make",
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


def _as_declared(hint: object, value: object, section: str, field: str) -> object:
    if hint is str and isinstance(value, str):
        return value
    if hint is bool and isinstance(value, bool):
        return value
    if hint is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if hint == tuple[str, ...] and isinstance(value, list):
        entries = cast("list[object]", value)
        if all(isinstance(each, str) for each in entries):
            return tuple(cast("list[str]", entries))
    if hint == Mapping[str, str] and isinstance(value, dict):
        pairs = cast("dict[str, object]", value)
        if all(isinstance(each, str) for each in pairs.values()):
            return MappingProxyType(cast("dict[str, str]", pairs))
    raise ConfigurationError(f"must be {_WORDS.get(hint, hint)}", section=section, field=field)


_WORDS: dict[object, str] = {
    str: "text in quotes",
    bool: "true or false",
    int: "a whole number",
    float: "a number of seconds",
    tuple[str, ...]: "a list of texts",
    Mapping[str, str]: "a table of texts",
}
