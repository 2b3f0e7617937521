"""JTAPI's graph: the tables over every pair, and what whole calls make of them."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from pa_telephony.cti import ConnectionState as C, Model, TerminalConnectionState as T, messages
from pa_telephony.cti.client import jtapi, jtapi_states
from pa_telephony.cti.enums import CALLORIGIN, CALLSTATE
from pa_telephony.testing.cti_strategies import cti_message

W = CALLSTATE


@pytest.mark.parametrize(("state", "wire"), list(itertools.product(C, W)))
def test_a_connection_that_is_over_stays_so_and_a_failed_one_can_only_end(
    state: C, wire: CALLSTATE
) -> None:
    for table in (jtapi_states.CONNECTION_TABLE, jtapi_states.FAR_TABLE):
        after = table[state, wire]
        if state is C.DISCONNECTED:
            assert after is C.DISCONNECTED
        elif state is C.FAILED:
            assert after in (C.FAILED, C.DISCONNECTED)
        if wire is W.IDLE:
            assert after is C.DISCONNECTED


@pytest.mark.parametrize(("state", "wire"), list(itertools.product(T, W)))
def test_a_terminal_connection_that_was_dropped_stays_so(state: T, wire: CALLSTATE) -> None:
    after = jtapi_states.TERMINAL_CONNECTION_TABLE[state, wire]
    if state is T.DROPPED or wire is W.IDLE:
        assert after is T.DROPPED
    if state is not T.DROPPED and wire is W.CONNECTED:
        assert after is T.TALKING


def announced(leg: int, call: int, state: CALLSTATE, **fields: object) -> messages.NewCallEvent:
    outgoing = fields.pop("outgoing", False)
    return messages.NewCallEvent(
        line_id=1,
        call_leg_id=leg,
        call_id=call,
        state=state,
        origin=CALLORIGIN.OUTBOUND if outgoing else CALLORIGIN.INBOUNDINTERNAL,
        **fields,  # type: ignore[arg-type]
    )


def changed(leg: int, state: CALLSTATE, **fields: object) -> messages.CallStateChangedEventV2:
    return messages.CallStateChangedEventV2(
        line_id=1,
        call_leg_id=leg,
        state=state,
        **fields,  # type: ignore[arg-type]
    )


def a_model() -> Model:
    graph = Model()
    graph.open_line(1, "1001", "P1")
    return graph


def test_an_outgoing_call_as_cisco_s_client_shows_it() -> None:
    """The order of states is the one that Cisco's client printed in the same session."""
    graph = a_model()
    graph.handle_message(announced(7, 50, W.DIALTONE, outgoing=True, calling_party="1001"))
    graph.handle_message(
        messages.CallPartyInfoChangedEvent(
            line_id=1, call_leg_id=7, calling_party="1001", called_party="1002"
        )
    )
    seen = [
        (event.connection.address, event.state)
        for state in (W.DIALING, W.PROCEEDING, W.RINGBACK, W.CONNECTED, W.ONHOLD, W.CONNECTED)
        for event in graph.handle_message(changed(7, state))
        if isinstance(event, jtapi.ConnectionChanged)
    ]
    assert seen == [
        ("1001", C.DIALING),
        ("1001", C.ESTABLISHED),
        ("1002", C.OFFERED),
        ("1002", C.ALERTING),
        ("1002", C.ESTABLISHED),
    ]
    ended = graph.handle_message(changed(7, W.IDLE, cause=16))
    assert isinstance(ended[-1], jtapi.CallInvalid)
    assert not graph.calls


def test_a_call_that_fails_tells_the_cause_at_the_called_address() -> None:
    graph = a_model()
    graph.handle_message(
        announced(7, 50, W.DIALTONE, outgoing=True, calling_party="1001", called_party="777")
    )
    graph.handle_message(changed(7, W.PROCEEDING))
    graph.handle_message(changed(7, W.DISCONNECTED, cause=1))
    connections = graph.calls[50].connections
    assert {each.state for each in connections.values()} == {C.FAILED}
    assert connections["777"].cause == 1


def test_a_leg_that_another_terminal_took_is_bridged() -> None:
    graph = a_model()
    graph.handle_message(announced(7, 50, W.OFFERING, calling_party="1002", called_party="1001"))
    graph.handle_message(changed(7, W.CONNECTED, b_remote_in_use=True))
    ours = graph.terminal_connection("P1", 7)
    assert ours is not None
    assert ours.state is T.BRIDGED


def test_closing_the_line_or_losing_the_session_forgets_its_calls() -> None:
    for forget in (lambda g: g.close_line(1), lambda g: g.forget()):
        graph = a_model()
        graph.handle_message(
            announced(7, 50, W.OFFERING, calling_party="1002", called_party="1001")
        )
        assert isinstance(forget(graph)[-1], jtapi.CallInvalid)
        assert not graph.calls
        assert graph.handle_message(changed(7, W.CONNECTED)) == []


def test_events_of_lines_and_legs_that_are_not_ours_change_nothing() -> None:
    graph = a_model()
    assert graph.handle_message(changed(7, W.CONNECTED)) == []
    stranger = messages.NewCallEvent(line_id=2, call_leg_id=7, call_id=50, state=W.OFFERING)
    assert graph.handle_message(stranger) == []
    assert not graph.calls


def test_there_is_room_for_so_many_legs_and_so_long_a_number() -> None:
    graph = Model(max_legs=2)
    graph.open_line(1, "1001", "P1")
    for leg in (7, 8, 9):
        graph.handle_message(announced(leg, leg, W.OFFERING, calling_party="9" * 1_000_000))
    assert (len(graph.calls), graph.ignored_legs) == (2, 1)
    assert len(graph.calls[7].calling) == 255


EVENTS = [
    messages.NewCallEvent,
    messages.ExistingCallEvent,
    messages.CallStateChangedEventV2,
    messages.CallPartyInfoChangedEvent,
    messages.GlobalCallHandleChangedEvent,
    messages.DtmfEvent,
    messages.LineClosedEvent,
]


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(EVENTS).flatmap(cti_message),
            st.integers(1, 2),
            st.integers(7, 9),
            st.integers(50, 51),
        ),
        max_size=6,
    )
)
def test_whatever_a_server_tells_the_graph_holds_together(
    told: list[tuple[messages.CtiMessage, int, int, int]],
) -> None:
    """Every call has one of ours in it, every leg is where its connection says."""
    graph = a_model()
    graph.open_line(2, "1002", "P2")
    for message, line, leg, call in told:
        fitting = {"line_id": line, "call_leg_id": leg, "call_id": call, "new_global_call_id": call}
        names = {field.name for field in dataclasses.fields(message)}
        graph.handle_message(
            dataclasses.replace(message, **{n: v for n, v in fitting.items() if n in names})
        )
        for each in graph.calls.values():
            assert any(c.terminal_connections for c in each.connections.values())
            for connection in each.connections.values():
                assert connection.call is each
                for ours in connection.terminal_connections.values():
                    assert ours.connection is connection
                    assert graph.terminal_connection(ours.terminal, ours.leg_id) is ours
