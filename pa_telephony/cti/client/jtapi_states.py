"""The states of JTAPI's call control, and what the wire's state of a leg makes of them.

How the wire's states map was observed with Cisco's client. Pure tables over all pairs;
:mod:`~pa_telephony.cti.client.jtapi` applies them.
"""

from __future__ import annotations

import enum

from pa_telephony.cti.enums import CALLSTATE

__all__ = [
    "CALLED",
    "CONNECTION_TABLE",
    "ENDED",
    "FAR_TABLE",
    "TERMINAL_CONNECTION_TABLE",
    "ConnectionState",
    "TerminalConnectionState",
]


class ConnectionState(enum.Enum):
    """The state of an address in a call (JTAPI's CallControlConnection)."""

    IDLE = "idle"
    INITIATED = "initiated"
    DIALING = "dialing"
    OFFERED = "offered"
    ALERTING = "alerting"
    ESTABLISHED = "established"
    FAILED = "failed"
    DISCONNECTED = "disconnected"


class TerminalConnectionState(enum.Enum):
    """The state of a terminal in a call (JTAPI's CallControlTerminalConnection)."""

    IDLE = "idle"
    RINGING = "ringing"
    TALKING = "talking"
    HELD = "held"
    BRIDGED = "bridged"
    """Another terminal of the address has the call (JTAPI's passive)."""
    DROPPED = "dropped"


_C, _T, _W = ConnectionState, TerminalConnectionState, CALLSTATE

_NEAR: dict[CALLSTATE, tuple[ConnectionState, TerminalConnectionState]] = {
    _W.IDLE: (_C.DISCONNECTED, _T.DROPPED),
    _W.OFFERING: (_C.OFFERED, _T.IDLE),
    _W.ACCEPTED: (_C.ALERTING, _T.RINGING),
    _W.DIALTONE: (_C.INITIATED, _T.TALKING),
    _W.DIALING: (_C.DIALING, _T.TALKING),
    _W.RINGBACK: (_C.ESTABLISHED, _T.TALKING),
    _W.BUSY: (_C.ESTABLISHED, _T.TALKING),
    _W.CONNECTED: (_C.ESTABLISHED, _T.TALKING),
    _W.PROCEEDING: (_C.ESTABLISHED, _T.TALKING),
    _W.ONHOLD: (_C.ESTABLISHED, _T.HELD),
    _W.ONHOLDPENDING: (_C.ESTABLISHED, _T.HELD),
    _W.TRANSFERONHOLD: (_C.ESTABLISHED, _T.HELD),
    _W.TRANSFERONHOLDPENDING: (_C.ESTABLISHED, _T.HELD),
    _W.DISCONNECTED: (_C.FAILED, _T.TALKING),
    _W.REMOTEINUSE: (_C.ESTABLISHED, _T.BRIDGED),
}
"""What the wire's state of a leg of ours says of its own address and terminal; states that are
missing say nothing."""

CALLED: dict[CALLSTATE, ConnectionState] = {
    _W.IDLE: _C.DISCONNECTED,
    _W.PROCEEDING: _C.OFFERED,
    _W.RINGBACK: _C.ALERTING,
    _W.BUSY: _C.FAILED,
    _W.CONNECTED: _C.ESTABLISHED,
    _W.DISCONNECTED: _C.FAILED,
}
"""What the state of a calling leg says of the address it calls."""

ENDED = (_C.DISCONNECTED,)
"""The states that no other state follows."""


def _next_connection(state: ConnectionState, says: ConnectionState | None) -> ConnectionState:
    if says is None or state in ENDED:
        return state
    if state is _C.FAILED:
        return _C.DISCONNECTED if says is _C.DISCONNECTED else state
    if (state, says) == (_C.ALERTING, _C.OFFERED):
        # The leg that calls has told of it before the leg that is called was announced.
        return state
    return says


CONNECTION_TABLE = {
    (state, wire): _next_connection(state, _NEAR[wire][0] if wire in _NEAR else None)
    for state in ConnectionState
    for wire in CALLSTATE
}
"""The connection of a leg's own address: a call that is over does not come back."""

FAR_TABLE = {
    (state, wire): _next_connection(state, CALLED.get(wire))
    for state in ConnectionState
    for wire in CALLSTATE
}
"""The connection of the address that a leg calls, as far as that leg can tell."""

TERMINAL_CONNECTION_TABLE = {
    (state, wire): state if state is _T.DROPPED or wire not in _NEAR else _NEAR[wire][1]
    for state in TerminalConnectionState
    for wire in CALLSTATE
}
"""The state of a leg's own terminal, by its state so far and the wire's."""
