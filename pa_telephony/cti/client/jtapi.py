"""JTAPI's object model as a graph that events change; no I/O.

A :class:`Call` has a :class:`Connection` for each address that takes part, a connection a
:class:`TerminalConnection` for each terminal of ours at that address. The states are those of
JTAPI's call control package (:mod:`~pa_telephony.cti.client.jtapi_states`).
:meth:`Model.handle_message` gets the messages of a session and gives what changed, in order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pa_telephony.cti import messages
from pa_telephony.cti.client.jtapi_states import (
    CALLED,
    CONNECTION_TABLE,
    ENDED,
    FAR_TABLE,
    TERMINAL_CONNECTION_TABLE,
    ConnectionState,
    TerminalConnectionState,
)
from pa_telephony.cti.enums import CALLSTATE
from pa_telephony.cti.messages.base import CtiMessage
from pa_telephony.printable import printable
from pa_telephony.q850 import Cause

__all__ = [
    "Call",
    "CallActive",
    "CallInvalid",
    "CallMerged",
    "ConferenceEnded",
    "ConferenceStarted",
    "Connection",
    "ConnectionChanged",
    "ConnectionState",
    "DigitReceived",
    "Model",
    "ModelEvent",
    "PartiesChanged",
    "ServiceChanged",
    "TerminalConnection",
    "TerminalConnectionChanged",
    "TerminalConnectionState",
    "TransferEnded",
    "TransferStarted",
    "shown_number",
]

_KEYS = "0123456789ABCD*#"
_LONGEST_NUMBER = 255
"""How many characters of a number are kept; the wire would carry a megabyte."""


@dataclass(eq=False, slots=True)
class TerminalConnection:
    """One of our terminals in a call; ``leg_id`` is the wire's name for it."""

    connection: Connection
    terminal: str
    leg_id: int
    state: TerminalConnectionState = TerminalConnectionState.IDLE

    def __repr__(self) -> str:
        return f"<TerminalConnection {self.terminal} {self.state.value}>"


@dataclass(eq=False, slots=True)
class Connection:
    """One address in a call; addresses that are not ours have no terminal connections."""

    call: Call
    address: str
    state: ConnectionState = ConnectionState.IDLE
    cause: int = 0
    """The cause (Q.850) for which it failed or was disconnected; 0 before."""
    terminal_connections: dict[str, TerminalConnection] = field(
        default_factory=dict[str, TerminalConnection]
    )

    def __repr__(self) -> str:
        return f"<Connection {self.address} {self.state.value}>"


@dataclass(eq=False, slots=True)
class Call:
    """A call, for as long as one of our addresses is in it."""

    id: int
    connections: dict[str, Connection] = field(default_factory=dict[str, Connection])
    """The connections by their address."""
    calling: str = ""
    called: str = ""
    original_called: str = ""
    last_redirecting: str = ""

    def __repr__(self) -> str:
        return f"<Call {self.id} {self.calling} → {self.called}>"

    @property
    def active(self) -> bool:
        """Whether any address is left in the call."""
        return any(each.state not in ENDED for each in self.connections.values())


@dataclass(frozen=True, slots=True)
class CallActive:
    """A call has begun in which one of our addresses takes part."""

    call: Call


@dataclass(frozen=True, slots=True)
class CallInvalid:
    """A call is over, or none of our addresses is in it any more."""

    call: Call


@dataclass(frozen=True, slots=True)
class CallMerged:
    """A transfer or a conference moved an address from one call to another."""

    call: Call
    into: Call


@dataclass(frozen=True, slots=True)
class PartiesChanged:
    """The calling or the called party of a call, or an earlier one, has changed."""

    call: Call


@dataclass(frozen=True, slots=True)
class ConnectionChanged:
    """An address has changed its state in a call."""

    connection: Connection
    state: ConnectionState


@dataclass(frozen=True, slots=True)
class TerminalConnectionChanged:
    """A terminal has changed its state in a call."""

    terminal_connection: TerminalConnection
    state: TerminalConnectionState


@dataclass(frozen=True, slots=True)
class DigitReceived:
    """The other side of a call pressed a key."""

    terminal_connection: TerminalConnection
    digit: str


@dataclass(frozen=True, slots=True)
class TransferStarted:
    """A transfer begins: the second call is about to be joined to the first."""

    controller: str
    call_id: int
    other_call_id: int


@dataclass(frozen=True, slots=True)
class TransferEnded:
    """A transfer has ended; ``success`` tells whether the calls were joined."""

    success: bool


@dataclass(frozen=True, slots=True)
class ConferenceStarted:
    """A conference begins: other calls are about to join one."""

    controller: str
    call_id: int


@dataclass(frozen=True, slots=True)
class ConferenceEnded:
    """A conference has ended; ``success`` tells whether the calls have joined."""

    success: bool


@dataclass(frozen=True, slots=True)
class ServiceChanged:
    """An open address on a terminal has come in service, or gone out of it."""

    address: str
    terminal: str
    in_service: bool


ModelEvent: TypeAlias = (
    CallActive
    | CallInvalid
    | CallMerged
    | PartiesChanged
    | ConnectionChanged
    | TerminalConnectionChanged
    | DigitReceived
    | TransferStarted
    | TransferEnded
    | ConferenceStarted
    | ConferenceEnded
    | ServiceChanged
)


@dataclass(eq=False, slots=True)
class _Leg:
    terminal_connection: TerminalConnection
    incoming: bool
    wire: CALLSTATE = CALLSTATE.IDLE


class Model:
    """The calls of one provider, with at most ``max_legs`` legs of ours."""

    def __init__(self, max_legs: int = 10_000) -> None:
        self.max_legs = max_legs
        self.ignored_legs = 0
        """How many legs were left out because there was no room for them."""
        self.calls: dict[int, Call] = {}
        """The calls by the wire's global call number."""
        self._lines: dict[int, tuple[str, str]] = {}
        self._legs: dict[tuple[str, int], _Leg] = {}

    def open_line(self, handle: int, address: str, terminal: str) -> None:
        """Take messages with this line handle as about ``address`` at ``terminal`` from now on."""
        self._lines[handle] = (address, terminal)

    def close_line(self, handle: int) -> list[ModelEvent]:
        """Forget the calls of a line that is closed; gives what changed."""
        place = self._lines.pop(handle, None)
        if place is None:
            return []
        gone = [key for key in self._legs if key[0] == place[1] and self._at(key) == place[0]]
        return [event for key in gone for event in self._drop(key, 0)]

    def forget(self) -> list[ModelEvent]:
        """Forget all calls, since the session is lost; gives what changed."""
        self._lines.clear()
        events = [event for key in list(self._legs) for event in self._drop(key, 0)]
        self.calls.clear()
        return events

    def handle_message(self, message: CtiMessage) -> list[ModelEvent]:
        """Take a message of the session; gives what it changed, in order."""
        return list(self._handle_message(message))

    def terminal_connection(self, terminal: str, leg_id: int) -> TerminalConnection | None:
        """The terminal connection that the wire calls ``leg_id``, None for an unknown one."""
        leg = self._legs.get((terminal, leg_id))
        return leg.terminal_connection if leg is not None else None

    def _at(self, key: tuple[str, int]) -> str:
        return self._legs[key].terminal_connection.connection.address

    def _handle_message(self, message: CtiMessage) -> Iterator[ModelEvent]:
        place = self._lines.get(getattr(message, "line_id", 0))
        if place is None:
            return
        address, terminal = place
        match message:
            case messages.NewCallEvent() | messages.ExistingCallEvent():
                yield from self._new(message, address, terminal)
            case messages.CallStateChangedEventV2():
                yield from self._state(message, terminal)
            case messages.CallPartyInfoChangedEvent():
                leg = self._legs.get((terminal, message.call_leg_id))
                if leg is not None:
                    yield from self._parties(leg, message)
                    yield from self._apply_far(leg, leg.wire, 0)
            case messages.GlobalCallHandleChangedEvent():
                yield from self._merge(message, terminal)
            case messages.DtmfEvent():
                leg = self._legs.get((terminal, message.call_leg_id))
                if leg is not None and 0 <= message.digit < len(_KEYS):
                    yield DigitReceived(leg.terminal_connection, _KEYS[message.digit])
            case messages.LineTransferStartedEvent():
                yield TransferStarted(
                    message.controller_number, message.surviving_gccid, message.other_gccid
                )
            case messages.LineTransferEndedEvent():
                yield TransferEnded(message.success)
            case messages.LineConferenceStartedEvent():
                yield ConferenceStarted(message.controller_number, message.surviving_gccid)
            case messages.LineConferenceEndedEvent():
                yield ConferenceEnded(message.success)
            case messages.LineInServiceEvent():
                yield ServiceChanged(address, terminal, True)
            case messages.LineOutOfServiceEvent() | messages.LineClosedEvent():
                yield ServiceChanged(address, terminal, False)
            case _:
                pass

    def _new(self, message: Any, address: str, terminal: str) -> Iterator[ModelEvent]:
        key = (terminal, message.call_leg_id)
        if key in self._legs or message.state is CALLSTATE.IDLE:
            return
        yield from self._replace(message.call_id, address, terminal)
        if len(self._legs) >= self.max_legs:
            self.ignored_legs += 1
            return
        call = self.calls.get(message.call_id)
        if call is None:
            call = self.calls[message.call_id] = Call(message.call_id)
            yield CallActive(call)
        connection = call.connections.get(address)
        if connection is None or connection.state in ENDED:
            connection = call.connections[address] = Connection(call, address)
        ours = TerminalConnection(connection, terminal, message.call_leg_id)
        connection.terminal_connections[terminal] = ours
        # Origins 4 to 8 are calls that the line made itself.
        leg = self._legs[key] = _Leg(ours, incoming=not 4 <= message.origin <= 8)
        yield from self._parties(leg, message)
        yield from self._apply(leg, message.state, message.b_remote_in_use, 0)

    def _replace(self, call_id: int, address: str, terminal: str) -> Iterator[ModelEvent]:
        """Drop what the terminal had in a call before: it has one place in each call."""
        call = self.calls.get(call_id)
        known = call.connections.get(address) if call is not None else None
        before = known.terminal_connections.get(terminal) if known is not None else None
        if before is not None:
            yield from self._drop((terminal, before.leg_id), Cause.NORMAL)

    def _state(self, message: Any, terminal: str) -> Iterator[ModelEvent]:
        key = (terminal, message.call_leg_id)
        leg = self._legs.get(key)
        if leg is None:
            return
        if message.state is CALLSTATE.IDLE:
            yield from self._drop(key, message.cause)
        else:
            yield from self._apply(leg, message.state, message.b_remote_in_use, message.cause)

    def _parties(self, leg: _Leg, message: Any) -> Iterator[ModelEvent]:
        call = leg.terminal_connection.connection.call
        original = getattr(message, "original_called_party", None)
        if original is None:
            original = message.original_party
        seen = (
            shown_number(message.calling_party),
            shown_number(message.called_party),
            shown_number(original),
            shown_number(message.last_redirecting_party),
        )
        if seen == (call.calling, call.called, call.original_called, call.last_redirecting):
            return
        call.calling, call.called, call.original_called, call.last_redirecting = seen
        if call.called == leg.terminal_connection.connection.address != call.calling:
            # A call that is picked up begins with the dial tone of one that is made here.
            leg.incoming = True
        yield PartiesChanged(call)
        yield from self._leave_stale(leg)

    def _leave_stale(self, leg: _Leg) -> Iterator[ModelEvent]:
        """Remove addresses that are not ours and no party any more: they were transferred away."""
        connection = leg.terminal_connection.connection
        call = connection.call
        for other in list(call.connections.values()):
            ours = other is connection or other.terminal_connections
            if not ours and other.address not in (call.calling, call.called):
                yield from _set(other, ConnectionState.DISCONNECTED, Cause.NORMAL)
                del call.connections[other.address]

    def _apply(self, leg: _Leg, wire: CALLSTATE, remote: bool, cause: int) -> Iterator[ModelEvent]:
        leg.wire = wire
        ours = leg.terminal_connection
        connection = ours.connection
        # A state that is not declared changes nothing.
        state = TERMINAL_CONNECTION_TABLE.get((ours.state, wire), ours.state)
        if remote and state is TerminalConnectionState.TALKING:
            state = TerminalConnectionState.BRIDGED
        after = CONNECTION_TABLE.get((connection.state, wire), connection.state)
        yield from _set(connection, after, cause)
        if state is not ours.state:
            ours.state = state
            yield TerminalConnectionChanged(ours, state)
        yield from self._apply_far(leg, wire, cause)

    def _apply_far(self, leg: _Leg, wire: CALLSTATE, cause: int) -> Iterator[ModelEvent]:
        """Work out the state of the other side's connection, unless a terminal of ours is there."""
        near = leg.terminal_connection.connection
        call = near.call
        number = call.calling if leg.incoming else call.called
        if not number or number == near.address:
            return
        far = call.connections.get(number)
        if far is not None and far.terminal_connections:
            return
        says = ConnectionState.ESTABLISHED if leg.incoming else CALLED.get(wire)
        if far is None:
            if says is None or says is ConnectionState.DISCONNECTED:
                return
            far = call.connections[number] = Connection(call, number)
        known = FAR_TABLE.get((far.state, wire), far.state)
        yield from _set(far, known if says is None or not leg.incoming else says, cause)

    def _merge(self, message: Any, terminal: str) -> Iterator[ModelEvent]:
        leg = self._legs.get((terminal, message.call_leg_id))
        if leg is None:
            return
        ours = leg.terminal_connection
        old = ours.connection.call
        if message.new_global_call_id != old.id:
            address = ours.connection.address
            yield from self._replace(message.new_global_call_id, address, terminal)
        into = self.calls.get(message.new_global_call_id)
        if into is None:
            into = self.calls[message.new_global_call_id] = Call(message.new_global_call_id)
            yield CallActive(into)
        if into is old:
            return
        yield CallMerged(old, into)
        connection = ours.connection
        del connection.terminal_connections[terminal]
        moved = into.connections.get(connection.address)
        if moved is None:
            moved = Connection(into, connection.address, connection.state)
            into.connections[connection.address] = moved
        moved.terminal_connections[terminal] = ours
        ours.connection = moved
        yield ConnectionChanged(moved, moved.state)
        yield TerminalConnectionChanged(ours, ours.state)
        if not connection.terminal_connections:
            yield from _set(connection, ConnectionState.DISCONNECTED, Cause.NORMAL)
        yield from self._end_if_nobody_is_ours(old)
        yield from self._parties(leg, message)
        yield from self._apply_far(leg, leg.wire, 0)

    def _drop(self, key: tuple[str, int], cause: int) -> Iterator[ModelEvent]:
        ours = self._legs.pop(key).terminal_connection
        connection = ours.connection
        call = connection.call
        connection.terminal_connections.pop(ours.terminal, None)
        if ours.state is not TerminalConnectionState.DROPPED:
            ours.state = TerminalConnectionState.DROPPED
            yield TerminalConnectionChanged(ours, ours.state)
        if not connection.terminal_connections:
            yield from _set(connection, ConnectionState.DISCONNECTED, cause)
        yield from self._end_if_nobody_is_ours(call)

    def _end_if_nobody_is_ours(self, call: Call) -> Iterator[ModelEvent]:
        if any(each.terminal_connections for each in call.connections.values()):
            return
        for each in call.connections.values():
            yield from _set(each, ConnectionState.DISCONNECTED, Cause.NORMAL)
        if self.calls.pop(call.id, None) is not None:
            yield CallInvalid(call)


def _set(connection: Connection, state: ConnectionState, cause: int) -> Iterator[ModelEvent]:
    if state is not connection.state:
        connection.state, connection.cause = state, cause
        yield ConnectionChanged(connection, state)


def shown_number(number: str) -> str:
    """A number of a message as it is kept and shown: 255 characters at most, and printable."""
    return printable(number[:_LONGEST_NUMBER], _LONGEST_NUMBER)
