"""Alarms say what is wrong by kind, clear by themselves, and are counted for monitoring."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import trio
from worlds import CLUSTER, PORTS, Worlds

from pa_telephony.errors import ConnectionLost
from pa_telephony.failover import (
    Alarm,
    AlarmBook,
    AlarmKind,
    Episode,
    EpisodeKind,
    Sight,
    cluster_status,
    watch_cluster,
)
from pa_telephony.failover.agents import AgentReport, Health, Kept
from pa_telephony.failover.alarms import flapping
from pa_telephony.failover.beat import Beat
from pa_telephony.failover.keeping import State
from pa_telephony.failover.looking import Look
from pa_telephony.failover.series import series
from pa_telephony.failover.sight import see
from pa_telephony.failover.transaction import Snapshot
from pa_telephony.failover.world import session

EVERYTHING = CLUSTER.identities("PA1")
DOCS = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()


def all_is_well() -> Worlds:
    worlds = Worlds()
    worlds.enter("PA2", "PA3")
    worlds.enter("PA1", up=EVERYTHING)
    worlds.own("PA1", *EVERYTHING)
    return worlds


def found(worlds: Worlds, ages: dict[str, float] | None = None) -> list[tuple[str, str, str]]:
    pages = cluster_status(CLUSTER, worlds.snapshot(), ages)
    return [(a.kind.value, a.server, a.identity) for page in pages for a in page.alarms]


def says(worlds: Worlds, **beat: object) -> None:
    """PA1 says this in its heartbeat."""
    links = frozenset(CLUSTER.used_providers)
    up = frozenset(each.label for each in EVERYTHING)
    said = replace(Beat("instance of PA1", links, links, up=up), **beat)  # type: ignore[arg-type]
    worlds.put(session("PA1"), said.encode())


def nobody_serves(worlds: Worlds) -> None:
    for name in ("PA1", "PA2", "PA3"):
        worlds.die(name)


def a_port_is_refused(worlds: Worlds) -> None:
    label = PORTS[1].label
    up = frozenset(each.label for each in EVERYTHING) - {label}
    says(worlds, up=up, why={label: "Device Unknown"})


CASES: dict[str, tuple[Callable[[Worlds], None], tuple[str, str, str]]] = {
    "a dead server without a stand-in": (nobody_serves, ("number_down", "PA1", PORTS[0].label)),
    "a dead server": (lambda worlds: worlds.die("PA3"), ("server_down", "PA3", "")),
    "a refused port": (a_port_is_refused, ("number_refused", "PA1", PORTS[1].label)),
    "two with one port": (
        lambda worlds: worlds.enter("PA2", up=PORTS[:1]),
        ("number_twice", "PA1", PORTS[0].label),
    ),
    "a server that is not heard": (
        lambda worlds: says(worlds, suspects=frozenset({"PA2"})),
        ("server_late", "PA2", ""),
    ),
    "a server without the store": (
        lambda worlds: says(worlds, reads=False),
        ("store_unreachable", "PA1", ""),
    ),
    "a provider out of reach": (
        lambda worlds: says(worlds, links=frozenset({"jtapi"}), steady=frozenset({"jtapi"})),
        ("provider_unreachable", "PA1", ""),
    ),
    "no stand-in left": (
        lambda worlds: (worlds.die("PA2"), worlds.die("PA3"))[0],
        ("redundancy_lost", "PA1", ""),
    ),
    "a call of hours": (
        lambda worlds: says(worlds, long=frozenset({PORTS[0].label})),
        ("call_long", "PA1", ""),
    ),
}


@pytest.mark.parametrize(("trouble", "alarm"), CASES.values(), ids=CASES)
def test_each_trouble_is_an_alarm_of_its_kind(
    trouble: Callable[[Worlds], None], alarm: tuple[str, str, str]
) -> None:
    worlds = all_is_well()
    assert found(worlds) == []
    trouble(worlds)
    assert alarm in found(worlds)


def test_more_ports_than_calls_and_another_configuration_are_alarms() -> None:
    home, *others = CLUSTER.servers
    worlds = Worlds()
    worlds.configure("PA1", CLUSTER)
    worlds.configure(
        "PA2", replace(CLUSTER, servers=(replace(home, number_of_media_ports=3), *others))
    )
    assert ("configuration_differs", "PA2", "") in found(worlds)
    few = replace(CLUSTER, servers=(replace(home, capacity=1), *others))
    (page, *_) = cluster_status(few, all_is_well().snapshot())
    assert AlarmKind.CAPACITY_EXCEEDED in [alarm.kind for alarm in page.alarms]


def test_a_late_heartbeat_is_an_alarm_before_the_server_counts_as_down() -> None:
    worlds = all_is_well()
    late = CLUSTER.timing.own - 0.1
    assert found(worlds, {"PA2": late, "PA1": 0.0, "PA3": 0.0}) == [("server_late", "PA2", "")]


def taken_over(began: float, home: str = "PA1") -> Episode:
    return Episode(EpisodeKind.TAKEOVER, "PA2", home, "why", began, 1.0, 4, int(began))


def test_three_takeovers_in_ten_minutes_are_flapping_until_they_are_past() -> None:
    episodes = [taken_over(at) for at in (1000.0, 1200.0, 1500.0)] + [taken_over(1500.0, "PA3")]
    (alarm,) = flapping(episodes, 1500.0)
    assert (alarm.kind, alarm.server) == (AlarmKind.FLAPPING, "PA1")
    assert flapping(episodes, 1601.0) == ()
    assert flapping(episodes, 900.0) == ()


def test_an_alarm_comes_once_and_goes_with_how_long_it_lasted() -> None:
    book = AlarmBook()
    late = Alarm(AlarmKind.SERVER_LATE, "PA1", "no heartbeat for 2 s")
    port = Alarm(AlarmKind.NUMBER_DOWN, "PA1", "lost", "port/6001")
    assert [each.seconds for each in book.look([late], 10.0)] == [None]
    assert book.look([replace(late, text="no heartbeat for 3 s")], 11.0) == ()
    came, went = book.look([port], 13.0)
    assert (came.alarm, came.seconds) == (port, None)
    assert (went.alarm.text, went.seconds) == ("no heartbeat for 3 s", 3.0)
    assert [each.seconds for each in book.look([], 14.0)] == [1.0]
    assert book.look([], 15.0) == ()


def a_sight() -> Sight:
    worlds = all_is_well()
    worlds.die("PA3")
    seen = see(Look(CLUSTER, worlds.snapshot(), {"PA1": 0.2, "PA2": 0.4}), 2000.0)
    kept = {"PA1": Kept(State.RUNNING, 2, "exit status 1")}
    agent = AgentReport("pa-one", 1.0, kept, Health(0.5, 100, 2000))
    return replace(seen, agents=(agent,), episodes=(taken_over(1.0), taken_over(2.0)), revision=7)


def test_the_series_tell_of_servers_numbers_and_machines() -> None:
    values = {each.name.removeprefix("pa_telephony_"): each.values for each in series(a_sight())}
    assert values["store_readable"] == {(): 1}
    assert values["configuration_revision"] == {(): 7}
    assert values["server_up"] == {("PA1",): 1, ("PA2",): 1, ("PA3",): 0}
    assert values["server_heartbeat_age_seconds"] == {("PA1",): 0.2, ("PA2",): 0.4}
    assert values["number_up"][("PA1", "route", "6000")] == 1
    assert values["number_away"][("PA1", "route", "6000")] == 0
    assert values["alarms"][("server_down",)] == 1
    assert values["alarms"][("number_down",)] == 0
    assert values["episodes_kept"] == {("takeover", "PA1"): 2}
    assert values["server_crashes"] == {("pa-one", "PA1"): 2}
    assert values["machine_memory_free_bytes"] == {("pa-one",): 100 * 1024 * 1024}


def test_of_a_store_that_cannot_be_read_that_is_all_there_is_to_say() -> None:
    sight = Sight(1.0, unreadable="no such file")
    assert [(each.kind, each.text) for each in sight.alarms] == [
        (AlarmKind.STORE_UNREACHABLE, "no such file")
    ]
    assert [each.name for each in series(sight)] == [
        "pa_telephony_store_readable",
        "pa_telephony_alarms",
    ]


def test_operations_has_every_kind_of_alarm_and_every_series() -> None:
    tables = re.findall(r"^\| `([a-z_]+)` \|", DOCS, re.MULTILINE)
    kinds = [name for name in tables if not name.startswith("pa_telephony_")]
    assert sorted(kinds) == sorted(kind.value for kind in AlarmKind)
    names = [name for name in tables if name.startswith("pa_telephony_")]
    assert sorted(names) == sorted(each.name for each in series(a_sight()))
    labels = {each.name: each.labels for each in series(a_sight())}
    for name, said in re.findall(r"^\| `(pa_telephony_\w+)` \|(.*?)\|", DOCS, re.MULTILINE):
        assert tuple(re.findall(r"`(\w+)`", said)) == labels[name]


class FailingStore:
    """A store that can be read, then not, then again."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.looks = 0

    async def snapshot(self) -> Snapshot:
        self.looks += 1
        if self.looks == 2:
            raise ConnectionLost("the disk is gone")
        return self._snapshot

    async def watch(self, seen: Snapshot) -> None:
        await trio.sleep_forever()


async def test_a_watch_goes_on_when_the_store_is_gone_for_a_while() -> None:
    store = FailingStore(all_is_well().snapshot())
    said: list[str] = []
    async with contextlib.aclosing(watch_cluster(CLUSTER, store)) as sights:  # type: ignore[arg-type]
        async for sight in sights:
            said.append(sight.unreadable)
            if len(said) == 3:
                break
    assert said == ["", "the disk is gone", ""]


class ScriptedStore:
    """A store in which two servers have a port for so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._until = trio.current_time() + seconds

    async def snapshot(self) -> Snapshot:
        worlds = all_is_well()
        if trio.current_time() < self._until:
            worlds.enter("PA2", up=PORTS[:1])
        return worlds.snapshot()

    async def watch(self, seen: Snapshot) -> None:
        await trio.sleep_forever()


@pytest.mark.parametrize(("lasts", "told"), [(0.5, False), (60.0, True)])
async def test_a_number_that_two_have_for_a_moment_is_no_alarm(lasts: float, told: bool) -> None:
    found: set[AlarmKind] = set()
    with trio.move_on_after(30.0):
        async with contextlib.aclosing(watch_cluster(CLUSTER, ScriptedStore(lasts))) as sights:  # type: ignore[arg-type]
            async for sight in sights:
                found |= {each.kind for each in sight.alarms}
    assert (AlarmKind.NUMBER_TWICE in found) is told


def test_an_alarm_says_in_one_line_of_what_it_is() -> None:
    port = Alarm(AlarmKind.NUMBER_DOWN, "PA1", "PA2 lost", "PA1/port/6001")
    assert str(port) == "number_down: PA1/port/6001: PA2 lost"
    assert (
        str(Alarm(AlarmKind.SERVER_DOWN, "PA1", "it is silent")) == "server_down: PA1: it is silent"
    )
    assert str(Alarm(AlarmKind.STORE_UNREACHABLE, "", "gone")) == "store_unreachable: all: gone"
