"""A cluster's configuration as TOML text: what :func:`~pa_telephony.failover.cluster.parse` reads.

Pure. Settings that have their default are left out, and so is ``store``: the text says what the
cluster is, not where it stands. The same configuration always has the same text.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from pa_telephony.failover.config import ClusterConfig

__all__ = ["write"]

_FIRST = ("type", "name", "server_name")
"""The fields that stand first in their table, whether they have their default or not."""


def write(cluster: ClusterConfig) -> str:
    """The configuration as TOML text; passwords stand in it as they are."""
    blocks: list[str] = []
    if cluster.capacity_aware:
        blocks.append("capacity_aware = true\n")
    blocks += ["[[servers]]\n" + _table(each, "servers") for each in cluster.servers]
    blocks += ["[[providers]]\n" + _table(each, "providers") for each in cluster.providers]
    for name in ("timing", "application", "speech"):
        part = getattr(cluster, name)
        body = _table(part, name)
        if body:
            blocks.append(f"[{name}]\n{body}")
    return "\n".join(blocks)


def _table(part: Any, name: str) -> str:
    """The lines of one table, and of the tables inside it."""
    values = dict(_values(part))
    plain = {key: value for key, value in values.items() if not isinstance(value, Mapping)}
    order = sorted(plain, key=lambda key: _FIRST.index(key) if key in _FIRST else len(_FIRST))
    lines = [f"{key} = {_value(plain[key])}\n" for key in order]
    for key, value in values.items():
        if isinstance(value, Mapping):
            lines.append(f"\n[{name}.{key}]\n")
            texts = cast("Mapping[str, str]", value)
            lines += [f"{_text(each)} = {_text(text)}\n" for each, text in texts.items()]
    return "".join(lines)


def _values(part: Any) -> Iterator[tuple[str, Any]]:
    for each in dataclasses.fields(part):
        value = getattr(part, each.name)
        made = each.default_factory
        default = each.default if made is dataclasses.MISSING else made()
        if value != default or each.name in _FIRST:
            yield each.name, value


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _text(value)
        case int() | float():
            return repr(value)
        case tuple():
            return f"[{', '.join(map(_value, value))}]"  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        case _:
            raise TypeError(f"{type(value)} has no form in TOML here")


def _text(text: str) -> str:
    # JSON's escapes are TOML's, too; TOML wants DEL escaped besides.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
