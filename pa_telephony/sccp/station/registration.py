"""The registration of a station as a table: what happens in each state, and what is done about it.

:class:`~pa_telephony.sccp.station.core.StationCore` says what happened and does what the table
answers.
"""

from __future__ import annotations

import enum

from pa_telephony.tables import state_table

__all__ = ["TABLE", "Effect", "Input", "State"]


class State(enum.Enum):
    """Which stage the registration has reached."""

    OFFLINE = "offline"
    STANDBY = "standing by"
    ASKING = "asking to come back"
    REGISTERING = "registering"
    CONFIGURING = "configuring"
    FINISHING = "finishing its configuration"
    """All that the station wants to know is asked for: with the last answer it is registered."""
    REGISTERED = "registered"
    LEAVING = "leaving"
    RESTARTING = "leaving, to start again"


class Input(enum.Enum):
    """What can happen to the registration."""

    CONNECTED = "connected"
    STAND_BY = "connected, to stand by"
    COME_BACK = "the user wants to come back"
    TOKEN = "RegisterTokenAck"
    NO_TOKEN = "RegisterTokenReject"
    ACK = "RegisterAck"
    REJECT = "RegisterReject"
    NO_MORE = "a style that asks nothing about its lines"
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
_ENDS: dict[Input, tuple[State, Effect]] = {
    _I.LOST: (_S.OFFLINE, _E.FAIL),
    _I.DEADLINE: (_S.OFFLINE, _E.FAIL),
    _I.REJECT: (_S.OFFLINE, _E.GIVE_UP),
    _I.LEFT: (_S.OFFLINE, _E.GONE),
}
"""What ends the session in every state, but where a row below has something else."""
_CONFIGURES: dict[Input, tuple[State, Effect]] = {
    _I.BUTTONS: (_S.FINISHING, _E.ASK_LINES),
    _I.RESET: (_S.RESTARTING, _E.RESTART),
    _I.LEAVE: (_S.LEAVING, _E.UNREGISTER),
}
_LEAVES: dict[Input, tuple[State, Effect]] = {
    _I.REFUSED: (_S.REGISTERED, _E.STAY),
    # A call manager that does not answer UnregisterReq (2.x did not) does not hold us up.
    _I.DEADLINE: (_S.OFFLINE, _E.GONE),
    _I.LOST: (_S.OFFLINE, _E.GONE),
}

_ROWS: dict[tuple[State, Input], tuple[State, Effect]] = {
    **{
        (state, step): then
        for state in State
        if state is not _S.OFFLINE
        for step, then in _ENDS.items()
    },
    **{
        (state, step): then
        for state in (_S.CONFIGURING, _S.FINISHING)
        for step, then in _CONFIGURES.items()
    },
    **{
        (state, step): then
        for state in (_S.LEAVING, _S.RESTARTING)
        for step, then in _LEAVES.items()
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
    (_S.CONFIGURING, _I.NO_MORE): (_S.FINISHING, _E.NOTHING),
    (_S.FINISHING, _I.CONFIGURED): (_S.REGISTERED, _E.READY),
    (_S.REGISTERED, _I.RESET): (_S.RESTARTING, _E.RESTART),
    # The registration stands meanwhile; each answer takes effect as it comes.
    (_S.REGISTERED, _I.APPLY_CONFIG): (_S.REGISTERED, _E.ASK_AGAIN),
    (_S.REGISTERED, _I.BUTTONS): (_S.REGISTERED, _E.ASK_LINES),
    (_S.REGISTERED, _I.LEAVE): (_S.LEAVING, _E.UNREGISTER),
    # The user's wish to leave is the newer one.
    (_S.RESTARTING, _I.LEAVE): (_S.LEAVING, _E.NOTHING),
}

_ANSWERS = {_I.ACK, _I.BUTTONS, _I.CONFIGURED, _I.REFUSED}
_ORDERS = {_I.RESET, _I.APPLY_CONFIG}
_TOKENS = {_I.TOKEN, _I.NO_TOKEN}
_UP = {_I.CONNECTED, _I.STAND_BY, _I.COME_BACK}
"""What is done with a connection on which no registration is under way."""

TABLE = state_table(
    State,
    Input,
    _ROWS,
    nothing=Effect.NOTHING,
    # A message that is too late for its state changes nothing: peers repeat themselves
    # (docs/protocol/sccp.md §3).
    ignored={
        _S.OFFLINE: {
            *(_ANSWERS | _ORDERS | _TOKENS | _ENDS.keys()),
            *(_I.COME_BACK, _I.NO_MORE, _I.LEAVE),
        },
        _S.STANDBY: {*(_ANSWERS | _ORDERS | _TOKENS), _I.STAND_BY, _I.NO_MORE},
        _S.ASKING: {*(_ANSWERS | _ORDERS), _I.STAND_BY, _I.COME_BACK, _I.NO_MORE},
        _S.REGISTERING: {*(_ANSWERS | _ORDERS | _TOKENS | _UP), _I.NO_MORE} - {_I.ACK},
        _S.CONFIGURING: {*(_TOKENS | _UP), _I.ACK, _I.CONFIGURED, _I.REFUSED, _I.APPLY_CONFIG},
        _S.FINISHING: {
            *(_TOKENS | _UP),
            *(_I.ACK, _I.NO_MORE, _I.REFUSED, _I.APPLY_CONFIG),
        },
        _S.REGISTERED: {*(_TOKENS | _UP), _I.ACK, _I.NO_MORE, _I.CONFIGURED, _I.REFUSED},
        _S.LEAVING: {*(_ANSWERS | _ORDERS | _TOKENS | _UP), _I.NO_MORE, _I.LEAVE} - {_I.REFUSED},
        _S.RESTARTING: {*(_ANSWERS | _ORDERS | _TOKENS | _UP), _I.NO_MORE} - {_I.REFUSED},
    },
)
"""What follows from each input in each state."""
