"""The life of one identity at one holder, between the store and the call manager. Pure.

A table: ``(state, input) → (state, effect)``. Inputs above the line come from the plan, those
below it are what the call manager answered. The holder gives an identity back only in RELEASED:
the call manager has nothing of ours, so no call can be dropped and no late registration can
displace the next owner. Both happened in a simulation of the protocol before there was a server.

Nothing counts as released because time has passed. IDLE and RELEASED are reached only by the call
manager's own word (REFUSED, UNREGISTERED) or by the end of the connection on which all of it hung
(CLOSED, and UNREGISTERED where a whole session had to be dropped). A question without an answer is
LOST, and a server leaves the store only when every identity is IDLE or RELEASED.
"""

from __future__ import annotations

import enum

from pa_telephony.tables import state_table

__all__ = ["TABLE", "Effect", "Input", "State", "step"]


class State(enum.Enum):
    """The state of an identity at one holder."""

    __hash__ = object.__hash__  # members are singletons

    IDLE = "idle"
    """The call manager has nothing of ours: never registered, refused, or closed."""
    REGISTERING = "registering"
    """An attempt to register is under way."""
    REGISTERED = "registered"
    LOST = "lost"
    """The identity was, or may have been, registered, and the connection went without an answer: a
    call may still depend on it."""
    UNREGISTERING = "unregistering"
    """Unregistration was asked for; the call manager may refuse because of a call."""
    RELEASED = "released"
    """Given up, and nothing of it is left at the call manager; still owned in the store."""
    LINGERING = "lingering"
    """Gone home in the store, served here until the owner has it too; route points and interceptors
    only."""
    CLOSING = "closing"
    """The driver is closing it, and waits for the answer or cuts the connection; calls end."""


class Input(enum.Enum):
    """What can happen to an identity."""

    __hash__ = object.__hash__  # members are singletons

    HOLD = "hold"
    """The plan wants it registered."""
    GIVE = "give"
    """The plan gives it back: its home wants it and it is free."""
    LINGER = "linger"
    """It went home by our own transaction, and is still served for a moment."""
    DROP = "drop"
    """It is not ours: lost in the store, stopped, fenced, or lingered long enough."""
    # ---- what the driver reports
    REGISTERED = "registered"
    REFUSED = "refused"
    """The call manager answered that it is not registered; silence is LOST."""
    LOST = "lost"
    """The connection is gone, or no answer came."""
    UNREGISTERED = "unregistered"
    """The call manager confirmed the unregistration; or it did not in time, and the session that
    shared all of it was dropped."""
    KEPT = "kept"
    """The unregistration was refused (NAK): there is a call."""
    CLOSED = "closed"
    """The driver has nothing open: both closes were answered, or the connection was cut."""


class Effect(enum.Enum):
    """What the driver is to do after an input."""

    NONE = "none"
    REGISTER = "register"
    UNREGISTER = "unregister"
    CLOSE = "close"


_S, _I, _E = State, Input, Effect

_ROWS = {
    # The connection is gone or never existed: reports come from attempts already given up.
    (_S.IDLE, _I.HOLD): (_S.REGISTERING, _E.REGISTER),
    (_S.IDLE, _I.GIVE): (_S.RELEASED, _E.NONE),
    (_S.IDLE, _I.LINGER): (_S.IDLE, _E.NONE),
    (_S.IDLE, _I.DROP): (_S.IDLE, _E.NONE),
    (_S.IDLE, _I.REGISTERED): (_S.CLOSING, _E.CLOSE),
    (_S.IDLE, _I.REFUSED): (_S.IDLE, _E.NONE),
    (_S.IDLE, _I.LOST): (_S.IDLE, _E.NONE),
    (_S.IDLE, _I.UNREGISTERED): (_S.IDLE, _E.NONE),
    (_S.IDLE, _I.KEPT): (_S.CLOSING, _E.CLOSE),
    (_S.IDLE, _I.CLOSED): (_S.IDLE, _E.NONE),
    # A registration under way is waited for, never given back.
    (_S.REGISTERING, _I.HOLD): (_S.REGISTERING, _E.NONE),
    (_S.REGISTERING, _I.GIVE): (_S.REGISTERING, _E.NONE),
    (_S.REGISTERING, _I.LINGER): (_S.CLOSING, _E.CLOSE),
    (_S.REGISTERING, _I.DROP): (_S.CLOSING, _E.CLOSE),
    (_S.REGISTERING, _I.REGISTERED): (_S.REGISTERED, _E.NONE),
    (_S.REGISTERING, _I.REFUSED): (_S.IDLE, _E.NONE),
    (_S.REGISTERING, _I.LOST): (_S.LOST, _E.NONE),
    (_S.REGISTERING, _I.UNREGISTERED): (_S.IDLE, _E.NONE),
    (_S.REGISTERING, _I.KEPT): (_S.REGISTERED, _E.NONE),
    (_S.REGISTERING, _I.CLOSED): (_S.LOST, _E.NONE),
    (_S.REGISTERED, _I.HOLD): (_S.REGISTERED, _E.NONE),
    (_S.REGISTERED, _I.GIVE): (_S.UNREGISTERING, _E.UNREGISTER),
    (_S.REGISTERED, _I.LINGER): (_S.LINGERING, _E.NONE),
    (_S.REGISTERED, _I.DROP): (_S.CLOSING, _E.CLOSE),
    (_S.REGISTERED, _I.REGISTERED): (_S.REGISTERED, _E.NONE),
    (_S.REGISTERED, _I.REFUSED): (_S.IDLE, _E.NONE),
    (_S.REGISTERED, _I.LOST): (_S.LOST, _E.NONE),
    (_S.REGISTERED, _I.UNREGISTERED): (_S.IDLE, _E.NONE),
    (_S.REGISTERED, _I.KEPT): (_S.REGISTERED, _E.NONE),
    (_S.REGISTERED, _I.CLOSED): (_S.LOST, _E.NONE),
    # Lost, and wanted home: only the call manager knows whether a call is left. Ask it, by
    # registering again and then unregistering politely.
    (_S.LOST, _I.HOLD): (_S.REGISTERING, _E.REGISTER),
    (_S.LOST, _I.GIVE): (_S.REGISTERING, _E.REGISTER),
    (_S.LOST, _I.LINGER): (_S.CLOSING, _E.CLOSE),
    (_S.LOST, _I.DROP): (_S.CLOSING, _E.CLOSE),
    (_S.LOST, _I.REGISTERED): (_S.REGISTERED, _E.NONE),
    (_S.LOST, _I.REFUSED): (_S.IDLE, _E.NONE),
    (_S.LOST, _I.LOST): (_S.LOST, _E.NONE),
    (_S.LOST, _I.UNREGISTERED): (_S.IDLE, _E.NONE),
    (_S.LOST, _I.KEPT): (_S.LOST, _E.NONE),
    (_S.LOST, _I.CLOSED): (_S.LOST, _E.NONE),
    # An answer is awaited, whatever the plan says meanwhile.
    (_S.UNREGISTERING, _I.HOLD): (_S.UNREGISTERING, _E.NONE),
    (_S.UNREGISTERING, _I.GIVE): (_S.UNREGISTERING, _E.NONE),
    (_S.UNREGISTERING, _I.LINGER): (_S.CLOSING, _E.CLOSE),
    (_S.UNREGISTERING, _I.DROP): (_S.CLOSING, _E.CLOSE),
    (_S.UNREGISTERING, _I.REGISTERED): (_S.UNREGISTERING, _E.NONE),
    (_S.UNREGISTERING, _I.REFUSED): (_S.RELEASED, _E.NONE),
    (_S.UNREGISTERING, _I.LOST): (_S.LOST, _E.NONE),
    (_S.UNREGISTERING, _I.UNREGISTERED): (_S.RELEASED, _E.NONE),
    (_S.UNREGISTERING, _I.KEPT): (_S.REGISTERED, _E.NONE),
    (_S.UNREGISTERING, _I.CLOSED): (_S.LOST, _E.NONE),
    (_S.RELEASED, _I.HOLD): (_S.REGISTERING, _E.REGISTER),
    (_S.RELEASED, _I.GIVE): (_S.RELEASED, _E.NONE),
    (_S.RELEASED, _I.LINGER): (_S.IDLE, _E.NONE),
    (_S.RELEASED, _I.DROP): (_S.IDLE, _E.NONE),
    (_S.RELEASED, _I.REGISTERED): (_S.CLOSING, _E.CLOSE),
    (_S.RELEASED, _I.REFUSED): (_S.RELEASED, _E.NONE),
    (_S.RELEASED, _I.LOST): (_S.RELEASED, _E.NONE),
    (_S.RELEASED, _I.UNREGISTERED): (_S.RELEASED, _E.NONE),
    (_S.RELEASED, _I.KEPT): (_S.CLOSING, _E.CLOSE),
    (_S.RELEASED, _I.CLOSED): (_S.RELEASED, _E.NONE),
    # The home fell again while we lingered: it is ours once more and was never given up.
    (_S.LINGERING, _I.HOLD): (_S.REGISTERED, _E.NONE),
    (_S.LINGERING, _I.GIVE): (_S.REGISTERED, _E.NONE),
    (_S.LINGERING, _I.LINGER): (_S.LINGERING, _E.NONE),
    (_S.LINGERING, _I.DROP): (_S.CLOSING, _E.CLOSE),
    (_S.LINGERING, _I.REGISTERED): (_S.LINGERING, _E.NONE),
    (_S.LINGERING, _I.REFUSED): (_S.CLOSING, _E.CLOSE),
    (_S.LINGERING, _I.LOST): (_S.CLOSING, _E.CLOSE),
    (_S.LINGERING, _I.UNREGISTERED): (_S.CLOSING, _E.CLOSE),
    (_S.LINGERING, _I.KEPT): (_S.LINGERING, _E.NONE),
    (_S.LINGERING, _I.CLOSED): (_S.IDLE, _E.NONE),
    # Nothing new begins before the old connection is closed.
    (_S.CLOSING, _I.HOLD): (_S.CLOSING, _E.NONE),
    (_S.CLOSING, _I.GIVE): (_S.CLOSING, _E.NONE),
    (_S.CLOSING, _I.LINGER): (_S.CLOSING, _E.NONE),
    (_S.CLOSING, _I.DROP): (_S.CLOSING, _E.NONE),
    (_S.CLOSING, _I.REGISTERED): (_S.CLOSING, _E.NONE),
    (_S.CLOSING, _I.REFUSED): (_S.CLOSING, _E.NONE),
    (_S.CLOSING, _I.LOST): (_S.CLOSING, _E.NONE),
    (_S.CLOSING, _I.UNREGISTERED): (_S.CLOSING, _E.NONE),
    (_S.CLOSING, _I.KEPT): (_S.CLOSING, _E.NONE),
    (_S.CLOSING, _I.CLOSED): (_S.IDLE, _E.NONE),
}

TABLE = state_table(State, Input, _ROWS, nothing=Effect.NONE)
"""What follows from each input in each state."""


def step(state: State, input: Input) -> tuple[State, Effect]:
    """The next state and what the driver is to do."""
    return TABLE[state, input]
