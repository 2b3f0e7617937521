"""One identity's life at one holder: the whole table, and what it must never allow."""

from __future__ import annotations

import itertools

import pytest

from pa_telephony.failover.registration import TABLE, Effect, Input, State, step

PLAN = (Input.HOLD, Input.GIVE, Input.LINGER, Input.DROP)
# States in which a connection to the call manager may exist.
CONNECTED = set(State) - {State.IDLE, State.RELEASED}


def test_every_state_answers_every_input() -> None:
    assert set(TABLE) == set(itertools.product(State, Input))


@pytest.mark.parametrize("state", State)
def test_drop_ends_every_connection(state: State) -> None:
    after, effect = step(state, Input.DROP)
    if state in CONNECTED - {State.CLOSING}:
        assert (after, effect) == (State.CLOSING, Effect.CLOSE)
    else:
        assert (after, effect) == (state if state is State.CLOSING else State.IDLE, Effect.NONE)


@pytest.mark.parametrize(("state", "input"), TABLE)
def test_it_is_given_up_only_when_the_call_manager_has_nothing_of_ours(
    state: State, input: Input
) -> None:
    """The holder hands back in RELEASED, so that no late registration displaces the owner."""
    after, _ = step(state, input)
    if after is State.RELEASED and state is not State.RELEASED:
        confirmed = (State.UNREGISTERING, Input.UNREGISTERED), (State.UNREGISTERING, Input.REFUSED)
        assert (state, input) in (*confirmed, (State.IDLE, Input.GIVE))


@pytest.mark.parametrize(("state", "input"), TABLE)
def test_nothing_counts_as_released_without_an_answer_or_the_end_of_the_connection(
    state: State, input: Input
) -> None:
    """Neither silence (LOST), nor what the plan wants, nor a call that is up (KEPT)."""
    after, _ = step(state, input)
    if state in CONNECTED and after not in CONNECTED:
        said = input in (Input.REFUSED, Input.UNREGISTERED)
        cut = input is Input.CLOSED and state in (State.CLOSING, State.LINGERING)
        assert said or cut


@pytest.mark.parametrize(("state", "input"), TABLE)
def test_a_registration_begins_only_when_the_plan_wants_it(state: State, input: Input) -> None:
    _, effect = step(state, input)
    if effect is Effect.REGISTER:
        assert input is Input.HOLD or (state, input) == (State.LOST, Input.GIVE)
        assert state in (State.IDLE, State.LOST, State.RELEASED)


@pytest.mark.parametrize(("state", "input"), TABLE)
def test_nothing_happens_while_closing_but_the_end_of_it(state: State, input: Input) -> None:
    if state is State.CLOSING:
        expected = State.IDLE if input is Input.CLOSED else State.CLOSING
        assert step(state, input) == (expected, Effect.NONE)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("input", PLAN)
def test_what_the_plan_says_may_be_repeated(state: State, input: Input) -> None:
    """The plan is followed after every event; saying the same again must do nothing more."""
    once, _ = step(state, input)
    twice, effect = step(once, input)
    if once in (State.REGISTERING, State.UNREGISTERING, State.CLOSING):
        assert (twice, effect) == (once, Effect.NONE)


def test_a_call_manager_that_keeps_the_call_keeps_the_identity_here() -> None:
    assert step(State.UNREGISTERING, Input.KEPT) == (State.REGISTERED, Effect.NONE)


def test_a_registration_that_comes_back_after_we_gave_up_is_closed() -> None:
    for state in (State.IDLE, State.RELEASED):
        assert step(state, Input.REGISTERED) == (State.CLOSING, Effect.CLOSE)
