"""State tables: a pair that nobody has decided on is found at once."""

from __future__ import annotations

import enum

import pytest

from pa_telephony.errors import LocalProtocolError
from pa_telephony.tables import decisions, state_table


class State(enum.Enum):
    OFF = "off"
    ON = "on"


class Input(enum.Enum):
    PRESS = "press"
    BREAK = "break"


class Effect(enum.Enum):
    NOTHING = "nothing"
    LIGHT = "light"


ROWS = {
    (State.OFF, Input.PRESS): (State.ON, Effect.LIGHT),
    (State.ON, Input.BREAK): (State.OFF, Effect.NOTHING),
}


def test_what_is_ignored_leaves_the_state_and_has_no_effect() -> None:
    table = state_table(
        State,
        Input,
        ROWS,
        ignored={State.ON: {Input.PRESS}, State.OFF: {Input.BREAK}},
        nothing=Effect.NOTHING,
    )
    assert table[State.OFF, Input.PRESS] == (State.ON, Effect.LIGHT)
    assert table[State.ON, Input.PRESS] == (State.ON, Effect.NOTHING)
    assert [*table] == [(state, step) for state in State for step in Input]


def test_a_pair_that_nobody_has_decided_on_is_an_error_with_its_name() -> None:
    with pytest.raises(ValueError, match=r"nothing is decided for BREAK in state OFF$"):
        state_table(State, Input, ROWS, ignored={State.ON: {Input.PRESS}}, nothing=Effect.NOTHING)


def test_a_pair_that_is_decided_twice_is_an_error() -> None:
    both = {State.ON: {Input.PRESS, Input.BREAK}, State.OFF: {Input.BREAK}}
    with pytest.raises(ValueError, match=r"^ignored and not ignored: BREAK in state ON$"):
        state_table(State, Input, ROWS, ignored=both, nothing=Effect.NOTHING)
    with pytest.raises(ValueError, match=r"^possible and impossible: BREAK in state ON$"):
        decisions(State, Input, ROWS, impossible=both)


def test_what_cannot_happen_is_an_error_of_whoever_asks() -> None:
    table = decisions(
        State, Input, ROWS, impossible={State.ON: {Input.PRESS}, State.OFF: {Input.BREAK}}
    )
    assert (State.ON, Input.PRESS) not in table
    with pytest.raises(LocalProtocolError, match=r"^PRESS in state ON$"):
        table[State.ON, Input.PRESS]
