"""Forms as tables of fields: what was typed becomes values, and every error names its field. Pure.

A form is drawn from its table, read by it, and told what is wrong by it, so that label, input and
error of a field belong together by its name, which is the name in the configuration.
"""

from __future__ import annotations

import dataclasses
import enum
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pa_telephony.errors import ConfigurationError, TelephonyError
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.config import ClusterConfig

__all__ = [
    "Field",
    "Form",
    "FormRefused",
    "Kind",
    "Posted",
    "Problems",
    "Values",
    "changed_list",
    "checked",
    "edited",
    "read",
    "typed",
]

Posted = Mapping[str, Sequence[str]]
"""What a browser sent: all values of each name."""

Values = dict[str, Any]
"""What stands in a form: a text, whether a box is ticked, or the entries of a list."""

_MOST_DIGITS = 12
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,30})?")


class Kind(enum.Enum):
    """How a field is filled in."""

    TEXT = "text"
    NUMBER = "number"
    SECONDS = "seconds"
    """A duration, with a decimal point if need be."""
    CHOICE = "choice"
    CHECK = "check"
    LIST = "list"
    """Entries, with an edit box, Add and Remove."""
    PICK = "pick"
    """Entries out of those that are available."""
    SECRET = "secret"
    """Never shown; what is empty stays as it is."""
    PAIRS = "pairs"
    """A line for each name and its value."""


@dataclass(frozen=True)
class Field:
    """One field of a form; ``name`` is that of the configuration."""

    name: str
    label: str
    kind: Kind = Kind.TEXT
    mandatory: bool = False
    hint: str = ""
    ordered: bool = False
    """Whether the order of the entries counts, so that they can be moved."""
    more: bool = False
    """Whether it stands under "More": what the document does not show."""


@dataclass(frozen=True)
class Form:
    """The table of a form."""

    fields: tuple[Field, ...]
    sections: tuple[str, ...] = ()
    """The tables of the configuration that it is about; none for that of a server or provider."""

    def named(self, name: str) -> Field | None:
        """The field of that name; None when there is none."""
        return next((each for each in self.fields if each.name == name), None)


@dataclass
class Problems:
    """What is wrong with what was filled in."""

    fields: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """The rules that a field breaks, in words."""
    others: list[str] = field(default_factory=list[str])
    """What is wrong elsewhere, with its place in words."""

    def __bool__(self) -> bool:
        return bool(self.fields or self.others)

    def add(self, name: str, rule: str) -> None:
        """Note a rule that a field breaks; it is noted once."""
        rules = self.fields.setdefault(name, [])
        if rule not in rules:
            rules.append(rule)

    def take(self, error: ConfigurationError, form: Form, *sections: str) -> None:
        """Note an error and its others; each of one of these sections stands beside its field."""
        for each in (error, *error.others):
            if each.section in sections and form.named(each.field) is not None:
                self.add(each.field, each.rule)
            else:
                where = [each.section, each.field.replace("_", " ")]
                self.others.append(": ".join(part for part in (*where, each.rule) if part))


class FormRefused(TelephonyError):
    """What was filled in cannot be saved; ``problems`` says why, field by field."""

    def __init__(self, problems: Problems) -> None:
        super().__init__("; ".join([*problems.fields, *problems.others]))
        self.problems = problems

    @classmethod
    def because(cls, why: str, field: str = "") -> FormRefused:
        """Refused for one reason, of a field or of none."""
        return cls(Problems({field: [why]}) if field else Problems(others=[why]))


def typed(form: Form, posted: Posted) -> Values:
    """What stands in the form, as it was sent; numbers are texts still."""
    values: Values = {}
    for each in form.fields:
        sent = posted.get(each.name, ())
        match each.kind:
            case Kind.LIST | Kind.PICK:
                values[each.name] = tuple(sent)
            case Kind.CHECK:
                values[each.name] = bool(sent)
            case Kind.PAIRS:
                values[each.name] = sent[0] if sent else ""
            case _:
                values[each.name] = sent[0].strip() if sent else ""
    return values


def read(form: Form, values: Values) -> Values:
    """The values as the configuration has them; raises :class:`FormRefused`.

    A field that is empty and has a default is left out. Secrets are left out when they are empty.
    """
    problems = Problems()
    found: Values = {}
    for each in form.fields:
        value = values.get(each.name)
        match each.kind:
            case Kind.NUMBER:
                text = str(value or "")
                if not text:
                    problems.add(each.name, "is mandatory")
                elif not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
                    problems.add(each.name, "must be a whole number")
                else:
                    found[each.name] = int(text)
            case Kind.SECONDS:
                text = str(value or "")
                if not text:
                    problems.add(each.name, "is mandatory")
                elif not _SECONDS.fullmatch(text):
                    problems.add(each.name, "must be a number of seconds, as 2 or 0.5")
                else:
                    found[each.name] = float(text)
            case Kind.PAIRS:
                found[each.name] = _pairs(each.name, str(value or ""), problems)
            case Kind.SECRET:
                if value:
                    found[each.name] = value
            case _:
                found[each.name] = value
                if each.mandatory and not value:
                    problems.add(each.name, "is mandatory")
    if problems:
        raise FormRefused(problems)
    return found


def _pairs(name: str, text: str, problems: Problems) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for line in text.splitlines():
        first, equals, second = (part.strip() for part in line.partition("="))
        if not line.strip():
            continue
        if not equals or not first or not second:
            problems.add(name, f"{line.strip()!r} must be NAME = VALUE")
        elif first in pairs:
            problems.add(name, f"{first!r} is there twice")
        else:
            pairs[first] = second
    return pairs


def changed_list(
    entries: tuple[str, ...], verb: str, entry: str, chosen: Iterable[str]
) -> tuple[str, ...]:
    """The entries of a list after a button beside it: add, remove, up or down.

    ``entry`` is what was typed into the edit box, ``chosen`` what is marked in the list. What is
    there already is not added again.
    """
    marked = {*chosen}
    match verb:
        case "add":
            return entries if not entry or entry in entries else (*entries, entry)
        case "remove":
            return tuple(each for each in entries if each not in marked)
        case "up":
            return _moved_up(entries, marked)
        case "down":
            return _moved_up(entries[::-1], marked)[::-1]
        case _:
            return entries


def _moved_up(entries: tuple[str, ...], marked: set[str]) -> tuple[str, ...]:
    order = list(entries)
    for place in range(1, len(order)):
        if order[place] in marked and order[place - 1] not in marked:
            order[place - 1], order[place] = order[place], order[place - 1]
    return tuple(order)


def edited(config: ClusterConfig, **changes: Any) -> ClusterConfig:
    """The configuration with other values, not checked yet."""
    values = {each.name: getattr(config, each.name) for each in dataclasses.fields(ClusterConfig)}
    return ClusterConfig(**(values | changes))


def checked(config: ClusterConfig) -> Cluster:
    """The configuration, checked; raises :class:`~pa_telephony.errors.ConfigurationError`."""
    names = (each.name for each in dataclasses.fields(ClusterConfig))
    return Cluster(**{name: getattr(config, name) for name in names})
