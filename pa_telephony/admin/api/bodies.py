"""What comes with a request: a body of JSON or TOML, and a query, read strictly. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from pa_telephony import toml
from pa_telephony.admin.api.problems import Refused, broken, refused_by
from pa_telephony.admin.api.shapes import Problem, Thing, Whole
from pa_telephony.errors import ConfigurationError

__all__ = ["read_json", "read_query", "read_toml"]

_MOST_DIGITS = 15


def read_json(body: bytes) -> Any:
    """The value of a body; raises :class:`Refused`.

    A name that is there twice, a number that JSON has not, and half a surrogate are refused: two
    readers would understand them differently, or the store could not keep them.
    """
    try:
        found = json.loads(
            body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant
        )
        # Escapes may have made what no text of UTF-8 has.
        json.dumps(found, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise Refused(400, "The body is nested too deeply.") from None
    except (ValueError, UnicodeError) as error:
        raise Refused(400, f"The body is not JSON: {str(error)[:200]}") from None
    return found


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name[:100]!r} is there twice")
        found[name] = value
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def read_toml(body: bytes) -> dict[str, Any]:
    """The document of a body; raises :class:`Refused`."""
    try:
        return toml.parse(body.decode("utf-8"), "")
    except ConfigurationError as error:
        raise refused_by(error, 400) from None
    except (ValueError, RecursionError):
        raise Refused(400, "The body is not TOML in UTF-8.") from None


def read_query(query: bytes, known: Thing) -> Mapping[str, Any]:
    """The values of a query, with the defaults of what was left out; raises :class:`Refused`."""
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50
        )
    except ValueError:
        raise Refused(400, "The query cannot be read.") from None
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    shapes = {each.name: each.shape for each in known.parts}
    for name, text in pairs:
        if name in values:
            problems.append(Problem(name[:100], "is there twice"))
        whole = isinstance(shapes.get(name), Whole)
        digits = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
        values[name] = int(text) if whole and digits else text
    refused = broken("query", [*problems, *known.problems(values)])
    if refused is not None:
        raise refused
    return known.complete(values)
