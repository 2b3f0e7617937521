"""Which connection has a device's name, and when another connection gets it. Pure.

A table: ``(state, input) → (state, effect)``. A name is free as soon as the connection that had it
is over, so a station that was started anew, and a stand-in of one whose process has died, come in
at once. A connection that is still there keeps the name until it has said nothing for longer than a
station that keeps its interval can
(:attr:`~pa_telephony.sccp.server.registrar.Registrar.silent_at`): never before, however often the
name is asked for, and from whichever address.
"""

from __future__ import annotations

import enum
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass

from pa_telephony.tables import state_table

__all__ = ["TABLE", "AddressChange", "Addresses", "Effect", "Input", "State", "state_of", "step"]


class State(enum.Enum):
    """Whether a name is taken, and whether its connection is still heard."""

    FREE = "free"
    """No connection has the name: none asked for it, it was unregistered, or TCP said that it is
    over."""
    LIVE = "registered"
    SILENT = "registered and silent"
    """The connection is not known to be over, but silent for longer than a living station is."""


class Input(enum.Enum):
    """What can happen to a name."""

    REGISTER = "RegisterReq of another connection"
    REGISTER_AGAIN = "RegisterReq of its own connection"
    TOKEN = "RegisterTokenReq of another connection"
    TOKEN_AGAIN = "RegisterTokenReq of its own connection"
    HEARD = "any message of its own connection"
    SILENCE = "nothing for so long"
    ENDED = "its connection is over"


class Effect(enum.Enum):
    """What the call manager does for an input."""

    NOTHING = "nothing"
    REGISTER = "RegisterAck"
    REPLACE = "close the silent one, RegisterAck"
    CONFIRM = "RegisterAck once more"
    REFUSE = "RegisterReject, and let TCP ask the old one"
    MAY_COME = "RegisterTokenAck if there is a place"
    MUST_WAIT = "RegisterTokenReject, and let TCP ask the old one"
    IS_HERE = "RegisterTokenAck"
    FREE = "the device is no longer registered"


_S, _I, _E = State, Input, Effect

_ROWS = {
    (_S.FREE, _I.REGISTER): (_S.LIVE, _E.REGISTER),
    (_S.FREE, _I.TOKEN): (_S.FREE, _E.MAY_COME),
    (_S.LIVE, _I.REGISTER): (_S.LIVE, _E.REFUSE),
    (_S.LIVE, _I.REGISTER_AGAIN): (_S.LIVE, _E.CONFIRM),
    (_S.LIVE, _I.TOKEN): (_S.LIVE, _E.MUST_WAIT),
    (_S.LIVE, _I.TOKEN_AGAIN): (_S.LIVE, _E.IS_HERE),
    (_S.LIVE, _I.HEARD): (_S.LIVE, _E.NOTHING),
    (_S.LIVE, _I.SILENCE): (_S.SILENT, _E.NOTHING),
    (_S.LIVE, _I.ENDED): (_S.FREE, _E.FREE),
    (_S.SILENT, _I.REGISTER): (_S.LIVE, _E.REPLACE),
    (_S.SILENT, _I.REGISTER_AGAIN): (_S.LIVE, _E.CONFIRM),
    (_S.SILENT, _I.TOKEN): (_S.SILENT, _E.MAY_COME),
    (_S.SILENT, _I.TOKEN_AGAIN): (_S.LIVE, _E.IS_HERE),
    (_S.SILENT, _I.HEARD): (_S.LIVE, _E.NOTHING),
    (_S.SILENT, _I.ENDED): (_S.FREE, _E.FREE),
}

TABLE = state_table(
    State,
    Input,
    _ROWS,
    nothing=Effect.NOTHING,
    # A free name has no connection that could ask, be heard or be silent; a silent one is not
    # silent again.
    impossible={
        _S.FREE: {_I.REGISTER_AGAIN, _I.TOKEN_AGAIN, _I.HEARD, _I.SILENCE, _I.ENDED},
        _S.SILENT: {_I.SILENCE},
    },
)
"""Everything that can happen to a name."""


def state_of(silent_at: float | None, now: float) -> State:
    """Where a name stands at ``now``, on any monotonic clock in seconds.

    ``silent_at`` is when its connection will have been silent too long; None: it has none.
    """
    if silent_at is None:
        return State.FREE
    return State.SILENT if now >= silent_at else State.LIVE


def step(state: State, input: Input) -> tuple[State, Effect]:
    """The next state and what the call manager does."""
    return TABLE[state, input]


@dataclass(frozen=True, slots=True)
class AddressChange:
    """A device registered from another address than the last time.

    ``time`` is wall-clock seconds since the epoch. ``silent_for`` says for how many seconds nothing
    had been heard of the connection that was replaced; None when it was over already.
    """

    time: float
    name: str
    before: str
    after: str
    silent_for: float | None

    def __str__(self) -> str:
        how = "whose connection was over"
        if self.silent_for is not None:
            how = f"silent for {self.silent_for:.1f} s"
        return f"{self.name} is registered from {self.after}; before from {self.before}, {how}"


class Addresses:
    """The address that each name registered from last, and the newest changes of address.

    At most ``most`` names are remembered, those that registered last, and ``kept`` changes.
    """

    def __init__(self, most: int, kept: int = 100) -> None:
        self._most = most
        self._of: OrderedDict[str, str] = OrderedDict()
        self._changes: deque[AddressChange] = deque(maxlen=kept)

    @property
    def changes(self) -> Sequence[AddressChange]:
        """The newest changes, the oldest of them first."""
        return tuple(self._changes)

    def registered(
        self, name: str, address: str, silent_for: float | None, time: float
    ) -> AddressChange | None:
        """Note a registration; gives the change if its address is not that of the last one."""
        before = self._of.get(name, address)
        self._of[name] = address
        self._of.move_to_end(name)
        if len(self._of) > self._most:
            self._of.popitem(last=False)
        if before == address:
            return None
        change = AddressChange(time, name, before, address, silent_for)
        self._changes.append(change)
        return change
