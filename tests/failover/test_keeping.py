"""How a server's process is kept: every state with every input, and the pauses between starts."""

from __future__ import annotations

import itertools

import pytest

from pa_telephony.failover.agents import AgentReport, Health, Kept, agents, kept, key, process_name
from pa_telephony.failover.keeping import TABLE, Effect, Input, Keeper, Limits, State
from pa_telephony.failover.transaction import Entry, Snapshot

LIMITS = Limits()
PROCESS = {State.STARTING, State.RUNNING, State.LEAVING, State.ENDING, State.KILLED}


def keeper(*inputs: Input, now: float = 0.0) -> Keeper:
    found = Keeper("PA1", LIMITS, lambda: 1.0)
    for each in inputs:
        found.step(each, now)
    return found


@pytest.mark.parametrize(("state", "input"), list(itertools.product(State, Input)))
def test_every_pair_is_decided_and_keeps_what_must_hold(state: State, input: Input) -> None:
    after, effect = TABLE[state, input]
    if effect is Effect.START:
        # Nothing is started beside a process, and only what is wanted.
        assert state not in PROCESS
        assert after is State.STARTING
        assert input in (Input.WANTED, Input.DUE)
    if effect in (Effect.TERMINATE, Effect.KILL):
        assert state in PROCESS
        assert after in (State.ENDING, State.KILLED)
    if input is Input.GONE:
        assert after not in PROCESS
    if state in PROCESS and input is not Input.GONE:
        assert after in PROCESS
    if input is Input.UNWANTED:
        assert after not in (State.STARTING, State.RUNNING, State.RESTING)


@pytest.mark.parametrize("state", State)
def test_from_every_state_what_is_wanted_runs_and_what_is_not_is_gone(state: State) -> None:
    for order, ends in ((Input.WANTED, State.RUNNING), (Input.UNWANTED, State.ABSENT)):
        now, found = 0.0, keeper()
        found.state, found.due = state, 0.0
        for _ in range(20):
            found.step(order, now)
            if found.state is State.STARTING:
                found.step(Input.SEEN, now)
            elif found.state in (State.ENDING, State.KILLED):
                found.step(Input.GONE, now)
            now = min(max(now, found.due), now + 100.0)
            found.step(Input.DUE, now)
        assert found.state is ends


def test_a_server_that_crashes_again_and_again_is_started_after_ever_longer_pauses() -> None:
    found, now, pauses = keeper(Input.WANTED), 0.0, []
    for _ in range(10):
        found.step(Input.GONE, now, "exit status 1")
        pauses.append(found.due - now)
        assert found.step(Input.DUE, found.due - 0.01) is Effect.NOTHING
        now = found.due
        assert found.step(Input.DUE, now) is Effect.START
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]
    assert (found.crashes, found.why) == (10, "exit status 1")


def test_after_a_long_life_the_pauses_begin_anew() -> None:
    found = keeper(Input.WANTED, Input.GONE)
    now = found.due
    found.step(Input.DUE, now)
    found.step(Input.SEEN, now)
    now += LIMITS.steady
    found.step(Input.GONE, now)
    assert found.due - now == LIMITS.first_pause
    assert found.crashes == 1


def test_a_server_that_is_stopped_is_ended_when_it_has_left_or_does_not_hear() -> None:
    for last, at in ((Input.LEFT, 1.0), (Input.DUE, LIMITS.leaving)):
        found = keeper(Input.SEEN)
        assert found.step(Input.UNWANTED, 0.0) is Effect.NOTHING
        assert found.step(last, at) is Effect.TERMINATE
        assert found.step(Input.DUE, at + LIMITS.ending) is Effect.KILL
        assert found.step(Input.GONE, at + LIMITS.ending) is Effect.NOTHING
        assert found.state is State.ABSENT


def test_a_process_that_is_no_server_in_time_is_ended_and_started_again() -> None:
    found = keeper(Input.WANTED)
    assert found.step(Input.DUE, LIMITS.starting) is Effect.TERMINATE
    found.step(Input.GONE, LIMITS.starting)
    assert found.step(Input.WANTED, LIMITS.starting) is Effect.START
    assert (found.crashes, found.why) == (1, "it was no server after 30 s")


# ------------------------------------------------------------------------------- the report

REPORT = AgentReport(
    "here",
    12.5,
    {"PA1": Kept(State.RUNNING), "PA2": Kept(State.RESTING, 2, "signal SIGKILL")},
    Health(0.25, 2048, 4096),
    1_000_000.0,
)


def snapshot(text: str, *running: str) -> Snapshot:
    return Snapshot(1, {key("here"): Entry(text, 1, 1)}, running=frozenset(running))


def test_a_report_is_read_as_it_was_written() -> None:
    assert AgentReport.decode("here", REPORT.encode()) == REPORT


@pytest.mark.parametrize("text", ["", "[]", '{"at": 1}', '{"at": 1, "servers": {"PA1": {}}}'])
def test_what_is_no_report_says_nothing(text: str) -> None:
    assert AgentReport.decode("here", text) == AgentReport("here")


def test_what_an_agent_has_said_counts_while_it_lives() -> None:
    there = snapshot(REPORT.encode(), process_name("here"))
    assert agents(there) == (REPORT,)
    assert str(kept(there, "PA1")) == "running"
    assert str(kept(there, "PA2")) == "resting, ended by itself 2 times, last: signal SIGKILL"
    assert kept(there, "PA3") is None
    assert kept(snapshot(REPORT.encode()), "PA1") is None


def test_an_agent_that_has_said_nothing_for_long_may_be_gone_with_its_machine() -> None:
    assert REPORT.silence(1_000_030.0) == ""
    said = REPORT.silence(1_000_060.0)
    assert said == "it has said nothing for 60 s: is its machine gone?"
    # One of an earlier release does not say when it was.
    assert AgentReport("here").silence(1_000_060.0) == ""


def test_health_is_told_in_words() -> None:
    assert str(REPORT.health) == "load 0.25, 2048 MiB of memory and 4096 MiB of disk free"
    assert str(Kept(State.STARTING, 1, "exit status 2")) == (
        "starting, ended by itself once, last: exit status 2"
    )
