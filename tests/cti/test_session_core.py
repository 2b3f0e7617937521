"""The CTI Manager's side of a session without sockets: every input in every state."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from company import COMPANY

from pa_telephony.callmanager.applications.control import CtiSide
from pa_telephony.callmanager.calls.verbs import Calls
from pa_telephony.cti import messages
from pa_telephony.cti.connection import Role, WireConnection
from pa_telephony.cti.enums import CTIFAILURE
from pa_telephony.cti.login import Certificate
from pa_telephony.cti.server.core import (
    TABLE,
    Answered,
    ApplicationCore,
    CoreEvent,
    Effect,
    Input,
    LoginAsked,
    ProviderClosed,
    SessionEnded,
    State,
)
from pa_telephony.cti.server.handles import CtiManagerConfig
from pa_telephony.errors import LocalProtocolError, RemoteProtocolError

LOGIN = messages.ProviderOpenRequest(login="app", sequence_number=7)
SAID: dict[Input, messages.CtiMessage] = {
    Input.INIT: messages.ProviderInitRequest(),
    Input.LOGIN: LOGIN,
    Input.REQUEST: messages.ProviderGetCapabilitiesRequest(),
    Input.CLOSE: messages.ProviderCloseRequest(),
}
TOLD: dict[Effect, type] = {
    Effect.ANSWER: Answered,
    Effect.ASK: LoginAsked,
    Effect.REFUSE: SessionEnded,
    Effect.CLOSE: ProviderClosed,
    Effect.END: SessionEnded,
}
ANSWERED = {Effect.ANSWER, Effect.CONFIRM, Effect.REFUSE, Effect.CLOSE}


class _NoKey:
    """A key that opens no password."""

    def decrypt(self, sealed: bytes, padding: Any) -> bytes:
        raise ValueError


class Bench:
    """A core, and an application that speaks to it over bytes."""

    def __init__(self) -> None:
        side = CtiSide(COMPANY, Calls(COMPANY, lambda: 0.0))
        self.now = 0.0
        self.config = CtiManagerConfig()
        key: Any = _NoKey()
        self.core = ApplicationCore(
            side, self.config, Certificate(b"", key), "nonce", itertools.count(1), self.now
        )
        self.client = WireConnection(Role.CLIENT)

    def bring_to(self, state: State) -> None:
        if state is not State.CONNECTED:
            self.do(Input.LOGIN)
        if state in (State.OPEN, State.CLOSING):
            self.core.accept(LOGIN, self.now)
        if state is State.CLOSING:
            self.do(Input.CLOSE)
        if state is State.CLOSED:
            self.core.end_session("gone")
            self.events()
        self.said()
        assert self.core.state is state

    def events(self) -> list[CoreEvent]:
        found: list[CoreEvent] = []
        while (event := self.core.next_event()) is not None:
            found.append(event)
        return found

    def said(self) -> list[Any]:
        """What the application was told."""
        found: list[Any] = []
        self.client.receive_data(self.core.data_to_send(), self.now)
        while (message := self.client.next_event()) is not None:
            found.append(message)
        return found

    def do(self, step: Input) -> list[CoreEvent]:
        match step:
            case Input.ACCEPT:
                self.core.accept(LOGIN, self.now)
            case Input.REJECT:
                self.core.reject(LOGIN, CTIFAILURE.DIRECTORY_LOGIN_FAILED)
            case Input.DEADLINE:
                self.now += 1000.0
                self.core.handle_deadline(self.now)
            case Input.LOST:
                self.core.end_session("gone")
            case _:
                self.core.receive_data(self.client.send(SAID[step]), self.now)
        return self.events()


@pytest.mark.parametrize(("state", "step"), list(TABLE))
def test_each_input_in_each_state_does_what_the_table_says(state: State, step: Input) -> None:
    bench = Bench()
    bench.bring_to(state)
    events = bench.do(step)
    wanted, effect = TABLE[state, step]
    assert bench.core.state is wanted
    assert [type(event) for event in events] == ([TOLD[effect]] if effect in TOLD else [])
    assert bool(bench.said()) is (effect in ANSWERED)


@pytest.mark.parametrize("step", SAID)
def test_while_a_login_is_looked_at_and_after_the_end_nothing_is_read(step: Input) -> None:
    for state in (State.ASKING, State.CLOSED):
        bench = Bench()
        bench.bring_to(state)
        assert bench.do(step) == []
        assert bench.core.state is state
        assert bench.said() == []


@pytest.mark.parametrize("step", [Input.REQUEST, Input.CLOSE])
def test_what_comes_before_the_login_is_an_error(step: Input) -> None:
    bench = Bench()
    with pytest.raises(RemoteProtocolError, match="before the login"):
        bench.do(step)


@pytest.mark.parametrize("state", [State.CONNECTED, State.OPEN, State.CLOSING])
@pytest.mark.parametrize("step", [Input.ACCEPT, Input.REJECT])
def test_an_owner_that_answers_what_was_not_asked_is_told(state: State, step: Input) -> None:
    bench = Bench()
    bench.bring_to(state)
    with pytest.raises(LocalProtocolError, match=f"{step.name} in state {state.name}"):
        bench.do(step)


def test_a_session_that_is_over_says_nothing_more_and_has_no_deadline() -> None:
    bench = Bench()
    bench.bring_to(State.CLOSED)
    bench.core.end_session("again")
    bench.core.handle_deadline(1000.0)
    bench.core.send(messages.LineInServiceEvent())
    assert (bench.events(), bench.said(), bench.core.next_deadline()) == ([], [], None)


def test_a_session_has_so_long_to_log_in_and_then_heartbeats() -> None:
    bench = Bench()
    assert bench.core.next_deadline() == bench.config.login_within
    bench.bring_to(State.ASKING)
    assert bench.core.next_deadline() == bench.config.login_within
    bench.core.accept(LOGIN, 20.0)
    assert bench.core.next_deadline() == 20.0 + bench.config.heartbeat


@pytest.mark.parametrize(
    ("init", "code"),
    [
        (True, CTIFAILURE.DIRECTORY_LOGIN_FAILED),
        (False, CTIFAILURE.INCOMPATIBLE_PROTOCOL_VERSION),
    ],
)
def test_a_release_that_logs_in_without_an_init_is_told_that_it_is_too_old(
    init: bool, code: CTIFAILURE
) -> None:
    bench = Bench()
    if init:
        bench.do(Input.INIT)
    assert bench.do(Input.LOGIN) == [LoginAsked(LOGIN)]
    assert bench.core.session.check_login(LOGIN) == code


def test_a_refused_login_is_told_with_its_reason_before_the_end() -> None:
    bench = Bench()
    bench.bring_to(State.ASKING)
    assert bench.do(Input.REJECT) == [SessionEnded("login refused: Directory login failed")]
    response, completed, closed = bench.said()
    assert isinstance(response, messages.ProviderOpenResponse)
    assert completed.reason == CTIFAILURE.DIRECTORY_LOGIN_FAILED
    assert isinstance(closed, messages.ProviderClosedEvent)
