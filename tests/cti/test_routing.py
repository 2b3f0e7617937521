"""The table of a routed call: every state, every input."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import pytest

from pa_telephony import cti
from pa_telephony.cti import messages
from pa_telephony.cti.client.route_point import RouteFailed, RouteSession
from pa_telephony.cti.client.route_session import TABLE, Effect, Input, Routing, State
from pa_telephony.cti.enums import CTIFAILURE
from pa_telephony.errors import LocalProtocolError, RequestFailed


def test_every_state_knows_every_input() -> None:
    assert set(TABLE) == set(itertools.product(State, Input))


def test_a_call_that_is_routed_or_over_never_comes_back() -> None:
    for (state, _), (after, effect) in TABLE.items():
        if state in (State.ROUTE_USED, State.ROUTE_END):
            assert after in (State.ROUTE_USED, State.ROUTE_END)
            assert effect in (Effect.NONE, Effect.ILLEGAL)


def test_destinations_are_tried_in_order_until_one_takes_the_call() -> None:
    routing = Routing()
    assert routing.select(["1", "2", "3"]) == "1"
    assert routing.refused() == "2"
    routing.step(Input.REDIRECTED)
    assert routing.state is State.ROUTE_USED


def test_when_all_refuse_others_can_be_named() -> None:
    routing = Routing()
    routing.select(["1"])
    assert routing.refused() == ""
    assert routing.state is State.RE_ROUTE
    assert routing.select(["2"]) == "2"


def test_an_unrouted_call_is_left_alerting() -> None:
    assert Routing().step(Input.END) is Effect.LEAVE_ALERTING


def test_a_call_is_refused_only_while_nothing_is_tried() -> None:
    assert Routing().step(Input.TURN_AWAY) is Effect.DISCONNECT
    routing = Routing()
    routing.select(["1"])
    assert routing.step(Input.TURN_AWAY) is Effect.ILLEGAL
    routing.refused()
    assert routing.step(Input.TURN_AWAY) is Effect.DISCONNECT
    assert routing.state is State.ROUTE_END


@pytest.mark.parametrize("how", [Input.END, Input.TURN_AWAY, Input.GONE, Input.LOST])
def test_what_ended_a_session_first_is_what_it_says(how: Input) -> None:
    routing = Routing()
    assert routing.ended_by is None
    routing.step(how)
    for later in Input:
        routing.step(later)
    assert routing.ended_by is how


def test_a_session_that_was_routed_was_not_ended_by_the_call_s_going() -> None:
    routing = Routing()
    routing.select(["1"])
    routing.step(Input.REDIRECTED)
    routing.step(Input.GONE)
    assert routing.ended_by is None


def test_a_leg_that_goes_idle_during_a_redirect_does_not_end_the_session() -> None:
    routing = Routing()
    routing.select(["1"])
    routing.step(Input.GONE)
    routing.step(Input.REDIRECTED)
    assert routing.state is State.ROUTE_USED


def test_a_session_is_over_when_nobody_will_tell_what_became_of_it() -> None:
    for state in State:
        routing = Routing()
        routing.state = state
        routing.step(Input.LOST)
        assert routing.state in (State.ROUTE_USED, State.ROUTE_END)


def test_selecting_after_the_end_is_the_callers_mistake() -> None:
    routing = Routing()
    routing.step(Input.GONE)
    with pytest.raises(LocalProtocolError):
        routing.select(["1"])
    with pytest.raises(LocalProtocolError):
        Routing().select([])


async def test_the_newest_hundred_attempts_of_a_session_are_remembered() -> None:
    async def refuse(leg: int, number: str, search_space: cti.SearchSpace) -> None:
        raise RequestFailed(CTIFAILURE.REDIRECT_CALL_DESTINATION_BUSY, number)

    route_point: Any = SimpleNamespace(number="6000", redirect=refuse, has=lambda _: True)
    session = RouteSession(route_point, messages.NewCallEvent(call_leg_id=1))
    for _ in range(2):
        with pytest.raises(RouteFailed):
            await session.select_route(*(str(number) for number in range(150)))
    assert [number for number, _ in session.tried] == [str(number) for number in range(50, 150)]
