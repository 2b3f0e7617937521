"""The registration of a station as a table: what happens in each state, and what is done about it.

:class:`~pa_telephony.sccp.station.core.StationCore` says what happened and does what the table
answers.
"""

from __future__ import annotations

import enum

__all__ = ["TABLE", "Effect", "Input", "State"]


class State(enum.Enum):
    """Which stage the registration has reached."""

    OFFLINE = "offline"
    STANDBY = "standing by"
    ASKING = "asking to come back"
    REGISTERING = "registering"
    CONFIGURING = "configuring"
    REGISTERED = "registered"
    LEAVING = "leaving"


class Input(enum.Enum):
    """What can happen to the registration."""

    CONNECTED = "connected"
    STAND_BY = "connected, to stand by"
    COME_BACK = "the user wants to come back"
    TOKEN = "RegisterTokenAck"
    NO_TOKEN = "RegisterTokenReject"
    ACK = "RegisterAck"
    REJECT = "RegisterReject"
    BUTTONS = "ButtonTemplateRes"
    CONFIGURED = "the last answer"
    LEAVE = "the user leaves"
    LEFT = "UnregisterAck Ok"
    REFUSED = "UnregisterAck NAK"
    RESET = "Reset, and no call up"
    APPLY_CONFIG = "Reset ApplyConfig, and no call up"
    DEADLINE = "no answer in time"
    LOST = "the connection is gone"


class Effect(enum.Enum):
    """What the station does after an input."""

    NOTHING = "nothing"
    STAND_BY = "KeepAliveReq"
    ASK_TOKEN = "RegisterTokenReq"
    MAY_COME = "may register here"
    MUST_WAIT = "may ask again later"
    REGISTER = "RegisterReq"
    ASK = "the questions of its style"
    ASK_AGAIN = "the questions again"
    ASK_LINES = "LineStatReq for each line"
    READY = "registered"
    GIVE_UP = "rejected, close"
    UNREGISTER = "UnregisterReq"
    GONE = "unregistered, close"
    STAY = "still registered"
    RESTART = "UnregisterReq, and start again"
    FAIL = "lost, close"


_S, _I, _E = State, Input, Effect
_ANYWHERE: dict[Input, tuple[State, Effect]] = {
    _I.LOST: (_S.OFFLINE, _E.FAIL),
    _I.DEADLINE: (_S.OFFLINE, _E.FAIL),
    _I.REJECT: (_S.OFFLINE, _E.GIVE_UP),
    _I.LEFT: (_S.OFFLINE, _E.GONE),
}

TABLE: dict[tuple[State, Input], tuple[State, Effect]] = {
    # A message that is too late for its state changes nothing: peers repeat themselves
    # (docs/protocol/sccp.md §3).
    **{(state, step): (state, _E.NOTHING) for state in State for step in Input},
    **{
        (state, step): then
        for state in State
        if state is not _S.OFFLINE
        for step, then in _ANYWHERE.items()
    },
    (_S.OFFLINE, _I.CONNECTED): (_S.REGISTERING, _E.REGISTER),
    (_S.OFFLINE, _I.STAND_BY): (_S.STANDBY, _E.STAND_BY),
    (_S.STANDBY, _I.CONNECTED): (_S.REGISTERING, _E.REGISTER),
    (_S.STANDBY, _I.COME_BACK): (_S.ASKING, _E.ASK_TOKEN),
    (_S.STANDBY, _I.LEAVE): (_S.OFFLINE, _E.GONE),
    (_S.ASKING, _I.CONNECTED): (_S.REGISTERING, _E.REGISTER),
    (_S.ASKING, _I.TOKEN): (_S.STANDBY, _E.MAY_COME),
    (_S.ASKING, _I.NO_TOKEN): (_S.STANDBY, _E.MUST_WAIT),
    # Some call managers know no tokens (docs/protocol/sccp.md §4): silence counts as one.
    (_S.ASKING, _I.DEADLINE): (_S.STANDBY, _E.MAY_COME),
    (_S.ASKING, _I.LEAVE): (_S.OFFLINE, _E.GONE),
    (_S.REGISTERING, _I.ACK): (_S.CONFIGURING, _E.ASK),
    (_S.REGISTERING, _I.LEAVE): (_S.OFFLINE, _E.GONE),
    (_S.CONFIGURING, _I.BUTTONS): (_S.CONFIGURING, _E.ASK_LINES),
    (_S.CONFIGURING, _I.CONFIGURED): (_S.REGISTERED, _E.READY),
    (_S.CONFIGURING, _I.RESET): (_S.LEAVING, _E.RESTART),
    (_S.CONFIGURING, _I.LEAVE): (_S.LEAVING, _E.UNREGISTER),
    (_S.REGISTERED, _I.RESET): (_S.LEAVING, _E.RESTART),
    # The registration stands meanwhile; each answer takes effect as it comes.
    (_S.REGISTERED, _I.APPLY_CONFIG): (_S.REGISTERED, _E.ASK_AGAIN),
    (_S.REGISTERED, _I.BUTTONS): (_S.REGISTERED, _E.ASK_LINES),
    (_S.REGISTERED, _I.LEAVE): (_S.LEAVING, _E.UNREGISTER),
    (_S.LEAVING, _I.REFUSED): (_S.REGISTERED, _E.STAY),
    # A call manager that does not answer UnregisterReq (2.x did not) does not hold us up.
    (_S.LEAVING, _I.DEADLINE): (_S.OFFLINE, _E.GONE),
    (_S.LEAVING, _I.LOST): (_S.OFFLINE, _E.GONE),
}
