"""Heartbeats as text: what is told in runs, to whom, and what is read of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from driver import started
from hypothesis import given, strategies as st
from worlds import PORTS

from pa_telephony.failover.agents import AgentReport, key
from pa_telephony.failover.beat import EVERY, PROTOCOL, RUNS, Beat
from pa_telephony.failover.world import session

patterns = st.sampled_from(["5XXX", "[2-4]00", "+49"])
numbers = st.text("0123456789", min_size=1, max_size=4) | patterns
labels = st.builds("{}/{}/{}".format, st.sampled_from(["PA1", "A/B"]), st.just("port"), numbers)
names = st.frozensets(st.sampled_from(["jtapi", "skinny"]))
beats = st.builds(
    Beat,
    st.text(min_size=1),
    names,
    names,
    st.booleans(),
    st.frozensets(labels),
    st.frozensets(labels),
    at=st.floats(0.0, 1e6).map(lambda at: round(at, 3)),
    sequence=st.integers(0),
    protocol=st.just(PROTOCOL),
)


@given(beats, st.booleans())
def test_a_heartbeat_is_read_as_it_was_written_in_runs_or_without(beat: Beat, runs: bool) -> None:
    assert Beat.decode(beat.encode(runs=runs)) == beat


def test_numbers_that_follow_each_other_are_told_by_the_first_and_how_many() -> None:
    up = frozenset(f"PA1/port/{number}" for number in ("099", "100", "101", "104", "0099", "5XXX"))
    said = json.loads(Beat("i", up=up).encode(runs=True))
    assert said["runs"] == [["PA1/port/099", 3]]
    assert sorted(said["up"]) == [
        "PA1/port/0099",
        "PA1/port/104",
        "PA1/port/5XXX",
    ]


def test_numbers_of_one_run_have_as_many_digits() -> None:
    beat = Beat("i", up=frozenset({"PA1/port/099", "PA1/port/0100"}))
    assert Beat.decode(beat.encode(runs=True)) == beat


def test_what_says_nothing_is_left_away_and_what_does_is_not() -> None:
    said = json.loads(Beat("i", reads=False).encode(runs=True))
    lists: dict[str, object] = {"links": [], "steady": [], "up": [], "runs": []}
    assert said == {"instance": "i", "reads": False, **lists}
    assert not Beat.decode(json.dumps(said)).reaches(EVERY)


def test_the_same_numbers_are_the_same_object_in_each_heartbeat() -> None:
    up = frozenset(f"PA1/port/{number}" for number in range(6001, 6037))
    one, two = (Beat("i", up=up, sequence=n).encode(runs=True) for n in (1, 2))
    assert Beat.decode(one).up is Beat.decode(two).up


@pytest.mark.parametrize(
    "runs",
    [
        "PA1/port/6001",
        [["PA1/port/6001"]],
        [["PA1/port/6001", 2, 3]],
        [["PA1/port/6001", "2"]],
        [["PA1/port/6001", {}]],
        [["PA1/port/5XXX", 2]],
        [["PA1/port/1", 60_000], ["PA2/port/1", 60_000]],
        [["PA1/port/1", 10**30]],
        7,
    ],
)
def test_runs_that_are_none_or_too_many_make_a_heartbeat_that_says_nothing(runs: object) -> None:
    assert Beat.decode(json.dumps({"instance": "i", "runs": runs})) == Beat("")


def test_runs_are_told_only_where_all_who_live_read_them() -> None:
    driver = started()
    worlds = driver.worlds

    def in_runs() -> bool:
        driver.pass_time(driver.member.cluster.timing.heartbeat)
        return "runs" in json.loads(worlds.entries[session("PA1")].value)

    assert in_runs()
    said = Beat.decode(worlds.entries[session("PA1")].value)
    assert {each.label for each in PORTS} <= said.up
    worlds.put(session("PA2"), replace(Beat("other"), protocol=RUNS - 1).encode())
    driver.settle()
    assert not in_runs()
    worlds.put(session("PA2"), replace(Beat("other"), protocol=RUNS).encode())
    driver.settle()
    assert in_runs()
    worlds.put(key("here"), AgentReport("here", protocol=RUNS - 1).encode())
    driver.settle()
    assert not in_runs()
