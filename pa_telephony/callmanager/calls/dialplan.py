"""Which line a number reaches: patterns, partitions, calling search spaces.

Best match as real call managers do it (Personal Assistant 1.4 guide, page 1-22): only partitions in
the caller's search space count; of the patterns that match, the one that matches the fewest numbers
wins; the order of partitions only breaks ties.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["DialPlan", "Found", "Pattern", "PatternError", "translate"]

T = TypeVar("T")

_KEYS = frozenset("0123456789*#")
_DIGITS = frozenset("0123456789")
_LONGEST = 24


class PatternError(ValueError):
    """A text is no pattern; ``str()`` says why."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A number or a pattern: digits, ``*``, ``#``, ``X`` for one digit, ``[2-9]``, and a dot.

    The dot marks where steering digits end; it matches nothing.
    """

    text: str
    places: tuple[frozenset[str], ...]

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Read a pattern of 1 to 24 keys. Raises :class:`PatternError`."""
        places: list[frozenset[str]] = []
        rest = text.upper()
        while rest:
            head, rest = rest[0], rest[1:]
            if head in _KEYS:
                places.append(frozenset(head))
            elif head == "X":
                places.append(_DIGITS)
            elif head == "[":
                inside, closed, rest = rest.partition("]")
                if not closed:
                    raise PatternError(f"{text!r}: '[' is not closed")
                places.append(_class(inside, text))
            elif head != ".":
                raise PatternError(f"{text!r}: {head!r} is none of 0-9 * # X [ ] and the dot")
        if not 1 <= len(places) <= _LONGEST:
            raise PatternError(f"{text!r}: must match 1 to {_LONGEST} keys")
        return cls(text.upper(), tuple(places))

    @property
    def breadth(self) -> int:
        """How many numbers match."""
        product = 1
        for place in self.places:
            product *= len(place)
        return product

    def numbers(self) -> Iterator[str]:
        """Those numbers, one after the other."""
        return map("".join, itertools.product(*(sorted(place) for place in self.places)))

    def matches(self, digits: str) -> bool:
        """Whether ``digits`` is one of those numbers."""
        return len(digits) == len(self.places) and self.begins(digits)

    def begins(self, digits: str) -> bool:
        """Whether one of those numbers begins with ``digits``."""
        return len(digits) <= len(self.places) and all(
            digit in place for digit, place in zip(digits, self.places, strict=False)
        )


def _class(inside: str, text: str) -> frozenset[str]:
    exclude = inside.startswith("^")
    members: set[str] = set()
    position = 1 if exclude else 0
    while position < len(inside):
        first = inside[position]
        last = first
        if inside[position + 1 : position + 2] == "-":
            last = inside[position + 2 : position + 3]
            position += 2
        if first not in _DIGITS or last not in _DIGITS or first > last:
            raise PatternError(f"{text!r}: [{inside}] is no range of digits")
        members.update(str(digit) for digit in range(int(first), int(last) + 1))
        position += 1
    found = _DIGITS - members if exclude else frozenset(members)
    if not found:
        raise PatternError(f"{text!r}: [{inside}] matches nothing")
    return frozenset(found)


def translate(target: str, dialled: str) -> str:
    """The number a forward goes to: each ``X`` keeps the dialled digit at its place.

    Places are counted from the right, so ``5XXX`` keeps the last three digits of any number.
    """
    result: list[str] = []
    for back, key in enumerate(reversed(target), 1):
        if key in "Xx":
            result.append(dialled[-back] if back <= len(dialled) else "")
        else:
            result.append(key)
    return "".join(reversed(result)).replace(".", "")


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """What digits reach: ``target`` (None: nothing), and whether more digits could matter."""

    target: T | None
    more: bool


class _Node(Generic[T]):
    """What has been dialled so far, and what can follow: digits cost the same in any plan."""

    __slots__ = ("below", "branches", "entries")

    def __init__(self) -> None:
        self.branches: dict[frozenset[str], _Node[T]] = {}
        self.entries: list[tuple[int, int, str, T]] = []
        """Breadth, number in the order of addition, partition, target."""
        self.below: Counter[str] = Counter()
        """How many entries of each partition need more digits."""


class DialPlan(Generic[T]):
    """Patterns in partitions, each leading to a target of the owner's."""

    def __init__(self) -> None:
        self._entries: dict[int, tuple[Pattern, str, T]] = {}
        self._numbers = itertools.count()
        self._root: _Node[T] = _Node()

    def add(self, pattern: str, partition: str, target: T) -> None:
        """Make ``pattern`` of ``partition`` ("" is the one everybody sees) lead to ``target``."""
        parsed = Pattern.parse(pattern)
        number = next(self._numbers)
        self._entries[number] = parsed, partition, target
        node = self._root
        for place in parsed.places:
            node.below[partition] += 1
            node = node.branches.setdefault(place, _Node())
        node.entries.append((parsed.breadth, number, partition, target))

    def remove(self, target: T) -> None:
        """Forget every pattern that leads to ``target``."""
        gone = {number: entry for number, entry in self._entries.items() if entry[2] is target}
        for number, (pattern, partition, _) in gone.items():
            del self._entries[number]
            self._prune(self._root, pattern.places, number, partition)

    def _prune(
        self, node: _Node[T], places: tuple[frozenset[str], ...], number: int, partition: str
    ) -> None:
        if not places:
            node.entries = [entry for entry in node.entries if entry[1] != number]
            return
        node.below[partition] -= 1
        if not node.below[partition]:
            del node.below[partition]
        branch = node.branches[places[0]]
        self._prune(branch, places[1:], number, partition)
        if not branch.entries and not branch.below:
            del node.branches[places[0]]

    def find(self, digits: str, space: Sequence[str]) -> Found[T]:
        """What ``digits`` reach for a caller who sees the partitions of ``space``, in order."""
        order = {partition: rank for rank, partition in reversed(list(enumerate(space)))}
        order.setdefault("", len(order))
        nodes = [self._root]
        for digit in digits:
            nodes = [
                branch
                for node in nodes
                for place, branch in node.branches.items()
                if digit in place
            ]
        best: tuple[int, int, int] | None = None
        target: T | None = None
        for node in nodes:
            for breadth, number, partition, candidate in node.entries:
                rank = order.get(partition)
                if rank is None:
                    continue
                key = (breadth, rank, number)
                if best is None or key < best:
                    best, target = key, candidate
        more = any(partition in order for node in nodes for partition in node.below)
        return Found(target, more)

    def targets(self) -> Iterable[T]:
        """Every target, in the order of addition."""
        return (target for _, _, target in self._entries.values())
