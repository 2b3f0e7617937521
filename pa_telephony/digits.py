r"""Numbers and patterns of numbers: the one language of dial plans and of interceptor ports.

``0-9 * #``
    The key itself.
``+``
    The key itself, with which E.164 numbers begin. ``\+``, as CallManager has it, is the same.
``X``
    Any digit.
``[2-9]``, ``[^2-9]``
    One of these digits, or none of these.
``!``
    One digit or more, at the end or before a last ``#``; not where all numbers have one length.
``.``
    A mark between the digits for a trunk and those behind it; it matches nothing.

``@`` (the North American numbering plan) and ``?`` (repetition) are refused: patterns that say what
is meant can be written out. Source: Cisco's Personal Assistant 1.4 Installation and Administration
Guide, Cisco's document 44922, and CallManager's wildcards as its System Guide lists them
(documented).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["DIGITS", "KEYS", "LONGEST", "Pattern", "PatternError", "plain"]

DIGITS = frozenset("0123456789")
KEYS = DIGITS | frozenset("*#+")
"""What numbers are made of."""
LONGEST = 24
"""The most keys of a number."""

_REFUSED = {
    "@": "'@', a whole numbering plan, is not supported: write the patterns out",
    "?": "'?', repetition, is not supported: write the patterns out",
}


class PatternError(ValueError):
    """A text is no pattern; ``str()`` names it and says which rule it breaks."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A number, or a pattern that several numbers match.

    ``text`` is the normal form: ``X`` in upper case, ``+`` without its backslash, the dot where it
    stood. ``places`` are the keys that each place may have. ``repeats`` is the place that may come
    again and again (``!``), None if there is none.
    """

    text: str
    places: tuple[frozenset[str], ...]
    repeats: int | None = None

    @classmethod
    def parse(cls, text: str, *, fixed: bool = False) -> Pattern:
        """Read a pattern of 1 to 24 places; ``fixed``: each number has the same length.

        Raises :class:`PatternError`.
        """
        places: list[frozenset[str]] = []
        normal = ""
        dot: int | None = None
        repeats: int | None = None
        rest = text.replace("\\+", "+").replace("x", "X")
        while rest:
            head, rest = rest[0], rest[1:]
            if repeats is not None and head != "#":
                raise PatternError(f"{text!r}: only '#' can follow '!'")
            if head in KEYS:
                places.append(frozenset(head))
            elif head == "X":
                places.append(DIGITS)
            elif head == "[":
                inside, closed, rest = rest.partition("]")
                if not closed:
                    raise PatternError(f"{text!r}: '[' is not closed")
                places.append(_one_of(inside, text))
                head = f"[{inside}]"
            elif head == "!":
                if fixed:
                    raise PatternError(f"{text!r}: '!' has no fixed length and is refused here")
                repeats = len(places)
                places.append(DIGITS)
            elif head == ".":
                if dot is not None:
                    raise PatternError(f"{text!r}: one dot at most")
                dot = len(places)
            else:
                why = _REFUSED.get(head, f"{head!r} is none of 0-9 * # + X [ ] ! and the dot")
                raise PatternError(f"{text!r}: {why}")
            normal += head
        if not 1 <= len(places) <= LONGEST:
            raise PatternError(f"{text!r}: must match 1 to {LONGEST} keys")
        if dot in (0, len(places)):
            raise PatternError(f"{text!r}: a dot stands between keys")
        return cls(normal, tuple(places), repeats)

    @property
    def number(self) -> str:
        """The pattern as the call manager has it: without the dot."""
        return self.text.replace(".", "")

    @property
    def breadth(self) -> int:
        """How many numbers of at most 24 keys match."""
        product = 1
        for place in self.places:
            product *= len(place)
        if self.repeats is not None:
            product *= sum(10**more for more in range(LONGEST - len(self.places) + 1))
        return product

    def overlaps(self, other: Pattern) -> bool:
        """Whether some number matches both; of ``!`` those with one digit there count."""
        return len(self.places) == len(other.places) and not any(
            mine.isdisjoint(others) for mine, others in zip(self.places, other.places, strict=True)
        )

    def numbers(self) -> Iterator[str]:
        """The numbers that match, one after the other; of ``!`` those with one digit there."""
        return map("".join, itertools.product(*(sorted(place) for place in self.places)))

    def matches(self, number: str) -> bool:
        """Whether a dialled number matches, key for key."""
        return any(
            len(number) == len(places) and _begins(places, number)
            for places in self._lengths(len(number))
        )

    def begins(self, number: str) -> bool:
        """Whether some number that matches begins with the keys of ``number``."""
        return any(_begins(places, number) for places in self._lengths(len(number)))

    def _lengths(self, longest: int) -> Iterator[tuple[frozenset[str], ...]]:
        """The places, with what repeats there once and more, until they are longer than that."""
        yield self.places
        if self.repeats is not None:
            for more in range(1, longest - len(self.places) + 2):
                yield (
                    *self.places[: self.repeats],
                    *(DIGITS,) * more,
                    *self.places[self.repeats :],
                )


def plain(number: str) -> str:
    """A number or pattern as the call manager has it; a text that is none stays as it is."""
    try:
        return Pattern.parse(number).number
    except PatternError:
        return number


def _begins(places: tuple[frozenset[str], ...], number: str) -> bool:
    return len(number) <= len(places) and all(
        key in place for key, place in zip(number, places, strict=False)
    )


def _one_of(inside: str, text: str) -> frozenset[str]:
    """The digits that a range such as ``2-57`` or ``^0-2`` stands for."""
    excludes = inside.startswith("^")
    members: set[str] = set()
    position = 1 if excludes else 0
    while position < len(inside):
        first = last = inside[position]
        if inside[position + 1 : position + 2] == "-":
            last = inside[position + 2 : position + 3]
            position += 2
        if first not in DIGITS or last not in DIGITS or first > last:
            raise PatternError(f"{text!r}: [{inside}] is no range of digits")
        members.update(map(str, range(int(first), int(last) + 1)))
        position += 1
    found = DIGITS - members if excludes else frozenset(members)
    if not found:
        raise PatternError(f"{text!r}: [{inside}] matches nothing")
    return frozenset(found)
