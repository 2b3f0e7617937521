"""A cluster's state as numbers for monitoring: the named series, and what they count. Pure.

Names and labels are part of the public interface (docs/operations.md lists them); a series may get
more labels or values, and keeps its name and meaning.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from pa_telephony.failover.alarm_kinds import AlarmKind
from pa_telephony.failover.chronicle import EpisodeKind
from pa_telephony.failover.sight import Sight

__all__ = ["Series", "series"]

_PREFIX = "pa_telephony_"
_MIB = 1 << 20


@dataclass(frozen=True)
class Series:
    """One series: a value for each combination of its labels."""

    name: str
    text: str
    labels: tuple[str, ...]
    values: Mapping[tuple[str, ...], float]


def series(sight: Sight) -> tuple[Series, ...]:
    """All series of a moment; of a store that cannot be read, only that and the alarm."""
    kinds = Counter(alarm.kind for alarm in sight.alarms)
    always = (
        _one("store_readable", "Whether the store could be read.", not sight.unreadable),
        _of(
            "alarms",
            "How many alarms there are of each kind.",
            ("kind",),
            {(kind.value,): kinds[kind] for kind in AlarmKind},
        ),
    )
    if sight.unreadable:
        return always
    return (*always, *_of_servers(sight), *_of_numbers(sight), *_of_machines(sight))


def _of(
    name: str, text: str, labels: tuple[str, ...], values: Mapping[tuple[str, ...], float]
) -> Series:
    return Series(_PREFIX + name, text, labels, values)


def _one(name: str, text: str, value: float) -> Series:
    return _of(name, text, (), {(): float(value)})


def _of_servers(sight: Sight) -> tuple[Series, ...]:
    pages = sight.pages
    server = ("server",)
    fence = EpisodeKind.FENCE
    moved = [(each.kind.value, each.home) for each in sight.episodes if each.kind is not fence]
    fences = [(each.server,) for each in sight.episodes if each.kind is fence]
    return (
        _one("configuration_revision", "The configuration in the store.", sight.revision),
        _of(
            "server_up",
            "Whether the server has a session, a process and a heartbeat.",
            server,
            {(page.name,): page.up for page in pages},
        ),
        _of(
            "server_stopped",
            "Whether an operator stopped it.",
            server,
            {(page.name,): page.stopped for page in pages},
        ),
        _of(
            "server_severity",
            "0 normal, 1 warning, 2 a number of it is not served.",
            server,
            {(page.name,): page.severity for page in pages},
        ),
        _of(
            "server_protocol",
            "The number of what it says in the store; 0 of release 0.2.0 and before.",
            server,
            {(page.name,): page.protocol for page in pages if page.protocol is not None},
        ),
        _of(
            "server_heartbeat_age_seconds",
            "Seconds since its last heartbeat.",
            server,
            {(page.name,): page.age for page in pages if page.age is not None},
        ),
        _of(
            "server_stands_in",
            "Which server stands in for which.",
            ("server", "home"),
            {(page.name, home): 1 for page in pages for home in page.stands_in_for},
        ),
        _of(
            "server_providers_missing",
            "How many providers of its own numbers it does not reach.",
            server,
            {(page.name,): len(page.lacks) for page in pages},
        ),
        _of(
            "server_media_ports_in_use",
            "Its media ports with a call, whichever server has them.",
            server,
            {(page.name,): page.media_ports_in_use for page in pages},
        ),
        _of(
            "episodes_kept",
            "Takeovers and returns in the store's history, which is kept short.",
            ("kind", "home"),
            dict(Counter(moved)),
        ),
        _of(
            "fences_kept",
            "Fences in the store's history, which is kept short.",
            server,
            dict(Counter(fences)),
        ),
    )


def _of_numbers(sight: Sight) -> tuple[Series, ...]:
    labels = ("home", "kind", "number")
    every = {
        (page.name, each.identity.kind.value, each.identity.number): each
        for page in sight.pages
        for each in page.resources
    }
    return (
        _of(
            "number_up",
            "Whether a server serves the number.",
            labels,
            {key: each.up for key, each in every.items()},
        ),
        _of(
            "number_servers",
            "How many servers have it registered; 2 for a moment when a route point goes home.",
            labels,
            {key: each.up + len(each.also) for key, each in every.items()},
        ),
        _of(
            "number_away",
            "Whether another server than its own serves it.",
            labels,
            {key: each.up and each.holder != key[0] for key, each in every.items()},
        ),
    )


def _of_machines(sight: Sight) -> tuple[Series, ...]:
    machine = ("machine",)
    health = {(each.machine,): each.health for each in sight.agents}
    return (
        _of("agent_up", "The agents that live.", machine, dict.fromkeys(health, 1)),
        _of(
            "server_crashes",
            "How often the server's process ended by itself, as its agent counts.",
            ("machine", "server"),
            {
                (each.machine, name): kept.crashes
                for each in sight.agents
                for name, kept in each.servers.items()
            },
        ),
        _of(
            "machine_load",
            "Processes that want a processor, on the average of a minute.",
            machine,
            {key: each.load for key, each in health.items()},
        ),
        _of(
            "machine_memory_free_bytes",
            "Memory that may still be used.",
            machine,
            {key: each.memory_mib * _MIB for key, each in health.items()},
        ),
        _of(
            "machine_disk_free_bytes",
            "Room on the disk of the store.",
            machine,
            {key: each.disk_mib * _MIB for key, each in health.items()},
        ),
    )
