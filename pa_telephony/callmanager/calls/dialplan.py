"""Which line a number reaches: patterns, partitions, calling search spaces.

Best match as real call managers do it (Personal Assistant 1.4 guide, page 1-22): only partitions in
the caller's search space count; of the patterns that match, the one that matches the fewest numbers
wins; the order of partitions only breaks ties.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pa_telephony.digits import DIGITS, Pattern

__all__ = ["DialPlan", "Found", "translate"]

T = TypeVar("T")


def translate(target: str, dialled: str) -> str:
    """The number a forward goes to: each ``X`` keeps the dialled digit at its place.

    Places are counted from the right, so ``5XXX`` keeps the last three digits of any number.
    """
    result: list[str] = []
    for back, key in enumerate(reversed(target.replace("\\+", "+")), 1):
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

    __slots__ = ("below", "branches", "entries", "repeats")

    def __init__(self, *, repeats: bool = False) -> None:
        self.repeats = repeats
        """Any further digit leads here again (``!``)."""
        self.branches: dict[tuple[frozenset[str], bool], _Node[T]] = {}
        """By the keys that lead there, and whether they may come again and again."""
        self.entries: list[tuple[int, int, str, T]] = []
        """Breadth, number in the order of addition, partition, target."""
        self.below: Counter[str] = Counter()
        """How many entries of each partition need more digits."""


def _steps(pattern: Pattern) -> list[tuple[frozenset[str], bool]]:
    return [(place, number == pattern.repeats) for number, place in enumerate(pattern.places)]


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
        for step in _steps(parsed):
            node.below[partition] += 1
            if step not in node.branches:
                node.branches[step] = _Node(repeats=step[1])
            node = node.branches[step]
        node.entries.append((parsed.breadth, number, partition, target))

    def remove(self, target: T) -> None:
        """Forget every pattern that leads to ``target``."""
        gone = {number: entry for number, entry in self._entries.items() if entry[2] is target}
        for number, (pattern, partition, _) in gone.items():
            del self._entries[number]
            self._prune(self._root, _steps(pattern), number, partition)

    def _prune(
        self, node: _Node[T], steps: list[tuple[frozenset[str], bool]], number: int, partition: str
    ) -> None:
        if not steps:
            node.entries = [entry for entry in node.entries if entry[1] != number]
            return
        node.below[partition] -= 1
        if not node.below[partition]:
            del node.below[partition]
        branch = node.branches[steps[0]]
        self._prune(branch, steps[1:], number, partition)
        if not branch.entries and not branch.below:
            del node.branches[steps[0]]

    def find(self, digits: str, space: Sequence[str]) -> Found[T]:
        """What ``digits`` reach for a caller who sees the partitions of ``space``, in order."""
        order = {partition: rank for rank, partition in reversed(list(enumerate(space)))}
        order.setdefault("", len(order))
        nodes = [self._root]
        for digit in digits:
            again = [node for node in nodes if node.repeats and digit in DIGITS]
            nodes = again + [
                branch
                for node in nodes
                for (place, _), branch in node.branches.items()
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
        more = any(partition in order for node in nodes for partition in node.below) or any(
            entry[2] in order for node in nodes if node.repeats for entry in node.entries
        )
        return Found(target, more)

    def targets(self) -> Iterable[T]:
        """Every target, in the order of addition."""
        return (target for _, _, target in self._entries.values())
