"""What a server says of itself with each heartbeat, as the value of its session. Pure.

Every server reads the heartbeats of all others, so their bytes grow with the square of the servers.
Where all that live speak :data:`RUNS`, what is registered is told in *runs* (``PA1/port/6001``, 36
of them), and what says nothing is left away.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

__all__ = ["EVERY", "MOVES", "PROTOCOL", "RUNS", "Beat"]

PROTOCOL = 3
"""The number of what servers say to each other in the store. It grows when a release means
something else by an entry; new entries alone, which others pass over, do not change it."""
MOVES = 2
"""Those that speak this follow a cluster that is moved to another store."""
RUNS = 3
"""Those that speak this read runs in heartbeats."""

EVERY = "*"
"""All providers, in a beat of a release that knew only one link; no provider can be named so."""


_JSON = json.JSONEncoder(separators=(",", ":"))
_SAY_SOMETHING = frozenset({"links", "steady", "reads"})
"""The parts whose absence means something else than their being empty."""
_MOST = 100_000
"""How many numbers may be told in the runs of one heartbeat."""


@dataclass(frozen=True)
class Beat:
    """What a server says of itself with each heartbeat.

    ``instance`` is unique to the process, so that it recognises its own session. ``up`` holds the
    labels of the identities that it has registered, ``busy`` those of the media ports with a call,
    ``why`` the reasons of those that it cannot register.
    """

    instance: str
    links: frozenset[str] = frozenset()
    """The names of the providers that it reaches; :data:`EVERY` stands for all of them."""
    steady: frozenset[str] = frozenset()
    """Those of ``links`` that it has reached without a break for ``Timing.steady``."""
    reads: bool = True
    """Whether it can read the store; False after some time without."""
    up: frozenset[str] = frozenset()
    busy: frozenset[str] = frozenset()
    why: Mapping[str, str] = field(default_factory=dict[str, str])
    unreached: Mapping[str, str] = field(default_factory=dict[str, str])
    """The providers that it needs and does not reach, with the reason; "" for no answer."""
    suspects: frozenset[str] = frozenset()
    """The servers of which it has not heard for more than two heartbeats."""
    long: frozenset[str] = frozenset()
    """The labels of media ports whose call lasts longer than ``Timing.long_call``."""
    at: float = 0.0
    """The sender's clock when it sent this: seconds since the machine booted, for people who ask
    how old it is. Nothing is decided by it."""
    sequence: int = 0
    holds: Mapping[str, float] = field(default_factory=dict[str, float])
    """The homes that ask this stand-in for their own and do not get it yet, and how many seconds
    they have to ask in all (``Timing.hold``, doubled when they flap)."""
    configuration: str = ""
    """The hash of the configuration in the store that it has taken up; "" where there is none, and
    of a release that has its configuration from a file alone."""
    protocol: int = 0
    """Which :data:`PROTOCOL` it speaks; 0 of a release that did not say (0.2.0 and before)."""
    nodes: Mapping[str, str] = field(default_factory=dict[str, str])
    """What it reaches at each node, a letter of :mod:`nodes` for each, by the provider's name;
    none where there is one node, and of a release that knows of no others."""

    def encode(self, *, runs: bool = False) -> str:
        """Write it as JSON on one line, keys in a fixed order; for readers of ``runs`` shorter."""
        said: dict[str, object] = {
            "instance": self.instance,
            "links": sorted(self.links),
            "steady": sorted(self.steady),
            "reads": self.reads,
            # For earlier releases, which know one link for all providers.
            "link": bool(self.links),
            "up": sorted(self.up),
            "busy": sorted(self.busy),
            "why": dict(self.why),
            "unreached": dict(self.unreached),
            "suspects": sorted(self.suspects),
            "long": sorted(self.long),
            "holds": dict(self.holds),
            "protocol": self.protocol,
            "configuration": self.configuration,
            "nodes": dict(self.nodes),
            "at": round(self.at, 3),
            "sequence": self.sequence,
        }
        if runs:
            # Without a list all providers would be meant, without the last that it reads.
            said = {key: each for key, each in said.items() if each or key in _SAY_SOMETHING}
            said["up"], said["runs"] = _runs_of(self.up)
        return _JSON.encode(said)

    @classmethod
    def decode(cls, text: str) -> Beat:
        """Read a beat; missing parts and text of another release take the defaults."""
        return _decode(text)

    @functools.cached_property
    def still(self) -> Beat:
        """The same beat without what changes with every heartbeat."""
        return replace(self, sequence=0, at=0.0)

    @property
    def link(self) -> bool:
        """Whether it reaches any provider at all."""
        return bool(self.links)

    def reaches(self, provider: str) -> bool:
        """Whether it reaches ``provider`` now."""
        return provider in self.links or EVERY in self.links

    def is_steady(self, provider: str) -> bool:
        """Whether it has reached ``provider`` without a break for ``Timing.steady``."""
        return provider in self.steady or EVERY in self.steady


def _texts(value: Any) -> dict[str, str]:
    return {str(key): str(text) for key, text in dict(value).items()}


@functools.lru_cache(maxsize=1024)
def _decode(text: str) -> Beat:
    try:
        read: dict[str, Any] = dict(json.loads(text))
        # Earlier releases know one link for all providers.
        links = [EVERY] if read.get("link", False) else []
        return Beat(
            str(read.get("instance", "")),
            frozenset(map(str, read.get("links", links))),
            frozenset(map(str, read.get("steady", links))),
            bool(read.get("reads", True)),
            _labels(
                tuple(map(str, read.get("up", ()))),
                tuple((first, many) for first, many in read.get("runs", ())),
            ),
            frozenset(map(str, read.get("busy", ()))),
            _texts(read.get("why", {})),
            _texts(read.get("unreached", {})),
            frozenset(map(str, read.get("suspects", ()))),
            frozenset(map(str, read.get("long", ()))),
            float(read.get("at", 0.0)),
            int(read.get("sequence", 0)),
            {str(home): float(hold) for home, hold in dict(read.get("holds", {})).items()},
            str(read.get("configuration", "")),
            int(read.get("protocol", 0)),
            _texts(read.get("nodes", {})),
        )
    except (ValueError, TypeError):
        return Beat("")


@functools.lru_cache(maxsize=1024)
def _runs_of(labels: frozenset[str]) -> tuple[list[str], list[tuple[str, int]]]:
    """These labels: those that stand alone, and the first of each run with the number of them.

    In a run each number is one more than the one before, with as many digits.
    """
    by_length = sorted(labels, key=lambda label: (len(label), label))
    alone: list[str] = []
    runs: list[tuple[str, int]] = []
    for _, group in itertools.groupby(enumerate(by_length), key=_of_one_run):
        first, *others = (label for _, label in group)
        if others:
            runs.append((first, 1 + len(others)))
        else:
            alone.append(first)
    return alone, runs


def _of_one_run(place: tuple[int, str]) -> tuple[object, ...]:
    """What labels of one run have in common, by their places among labels in order."""
    at, label = place
    before, slash, number = label.rpartition("/")
    if not (number.isascii() and number.isdecimal()):
        return (label,)
    return before + slash, len(number), int(number) - at


@functools.lru_cache(maxsize=1024)
def _labels(alone: tuple[str, ...], runs: tuple[tuple[Any, ...], ...]) -> frozenset[str]:
    """All labels; the same object again for the same ones, as heartbeat after heartbeat has."""
    if sum(int(many) for _, many in runs) > _MOST:
        raise ValueError(f"more than {_MOST} numbers in runs")
    return frozenset(itertools.chain(alone, *(_of_run(str(first), many) for first, many in runs)))


def _of_run(first: str, many: int) -> Iterator[str]:
    before, slash, number = first.rpartition("/")
    for each in range(int(number), int(number) + many):
        yield f"{before}{slash}{each:0{len(number)}}"
