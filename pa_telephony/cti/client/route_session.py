"""The life of a routed call as a table: JTAPI's RouteSession, without I/O.

Routing is done by the client; on the wire there are only call events, CallRedirectRequest for
each entry of the list until one is taken, and CallAcceptRequest when the application gives up
and the call is left alerting (docs/protocol/ctiqbe.md §6.2).
"""

from __future__ import annotations

import enum
from collections.abc import Sequence

from pa_telephony.errors import LocalProtocolError
from pa_telephony.tables import state_table

__all__ = ["TABLE", "Effect", "Input", "Routing", "State"]


class State(enum.Enum):
    """The states of a RouteSession in JTAPI."""

    ROUTE = "route"
    """The call is offered to the application."""
    SELECTING = "selecting"
    """A destination is being tried."""
    RE_ROUTE = "re-route"
    """Every destination refused; the application may name others."""
    ROUTE_USED = "route used"
    ROUTE_END = "route end"


class Input(enum.Enum):
    """What can happen to a session."""

    SELECT = "select"
    REDIRECTED = "redirected"
    """The server has redirected the call to the destination."""
    REFUSED = "refused"
    """The server refused the destination, and there is another to try."""
    EXHAUSTED = "exhausted"
    """The server refused the last destination."""
    END = "end"
    """The application gives up the session without a route."""
    TURN_AWAY = "turn away"
    """The application refuses the call: the caller is told that all are busy."""
    GONE = "gone"
    """The caller hung up, or another application was faster."""
    LOST = "lost"
    """The outcome will not be known: the link or the leg is gone, or the waiting was given up."""


class Effect(enum.Enum):
    """What the client is to do after an input."""

    NONE = "none"
    TRY_NEXT = "try next"
    LEAVE_ALERTING = "leave alerting"
    DISCONNECT = "disconnect"
    ILLEGAL = "illegal"


_S, _I, _E = State, Input, Effect

_ROWS = {
    (_S.ROUTE, _I.SELECT): (_S.SELECTING, _E.TRY_NEXT),
    (_S.ROUTE, _I.END): (_S.ROUTE_END, _E.LEAVE_ALERTING),
    (_S.ROUTE, _I.TURN_AWAY): (_S.ROUTE_END, _E.DISCONNECT),
    (_S.ROUTE, _I.GONE): (_S.ROUTE_END, _E.NONE),
    (_S.ROUTE, _I.LOST): (_S.ROUTE_END, _E.NONE),
    (_S.SELECTING, _I.SELECT): (_S.SELECTING, _E.ILLEGAL),
    (_S.SELECTING, _I.REDIRECTED): (_S.ROUTE_USED, _E.NONE),
    (_S.SELECTING, _I.REFUSED): (_S.SELECTING, _E.TRY_NEXT),
    (_S.SELECTING, _I.EXHAUSTED): (_S.RE_ROUTE, _E.NONE),
    # The answer to the redirect decides what became of the call.
    (_S.SELECTING, _I.END): (_S.SELECTING, _E.ILLEGAL),
    (_S.SELECTING, _I.TURN_AWAY): (_S.SELECTING, _E.ILLEGAL),
    (_S.SELECTING, _I.LOST): (_S.ROUTE_END, _E.NONE),
    (_S.RE_ROUTE, _I.SELECT): (_S.SELECTING, _E.TRY_NEXT),
    (_S.RE_ROUTE, _I.END): (_S.ROUTE_END, _E.LEAVE_ALERTING),
    (_S.RE_ROUTE, _I.TURN_AWAY): (_S.ROUTE_END, _E.DISCONNECT),
    (_S.RE_ROUTE, _I.GONE): (_S.ROUTE_END, _E.NONE),
    (_S.RE_ROUTE, _I.LOST): (_S.ROUTE_END, _E.NONE),
    (_S.ROUTE_USED, _I.SELECT): (_S.ROUTE_USED, _E.ILLEGAL),
    (_S.ROUTE_USED, _I.END): (_S.ROUTE_END, _E.NONE),
    (_S.ROUTE_USED, _I.TURN_AWAY): (_S.ROUTE_USED, _E.ILLEGAL),
    (_S.ROUTE_END, _I.SELECT): (_S.ROUTE_END, _E.ILLEGAL),
    (_S.ROUTE_END, _I.TURN_AWAY): (_S.ROUTE_END, _E.ILLEGAL),
}

TABLE = state_table(
    State,
    Input,
    _ROWS,
    nothing=Effect.NONE,
    ignored={
        _S.ROUTE: {_I.REDIRECTED, _I.REFUSED, _I.EXHAUSTED},
        # The leg goes idle just before the answer to a redirect that succeeds (observed).
        _S.SELECTING: {_I.GONE},
        _S.RE_ROUTE: {_I.REDIRECTED, _I.REFUSED, _I.EXHAUSTED},
        _S.ROUTE_USED: {_I.REDIRECTED, _I.REFUSED, _I.EXHAUSTED, _I.GONE, _I.LOST},
        _S.ROUTE_END: {_I.REDIRECTED, _I.REFUSED, _I.EXHAUSTED, _I.END, _I.GONE, _I.LOST},
    },
)
"""What follows from each input in each state."""


class Routing:
    """The state of one session, and the destinations that are still to be tried."""

    def __init__(self) -> None:
        self.state = State.ROUTE
        self.trying = ""
        self.ended_by: Input | None = None
        """The input that brought the session to ROUTE_END; None before that."""
        self._left: list[str] = []

    def select(self, numbers: Sequence[str]) -> str:
        """Begin with a list of destinations; gives the first.

        Raises :class:`LocalProtocolError` when the session is over or a list is being tried.
        """
        if not numbers:
            raise LocalProtocolError("no destination to select")
        if TABLE[self.state, Input.SELECT][1] is Effect.ILLEGAL:
            raise LocalProtocolError(f"cannot select a route in state {self.state.value!r}")
        self._left = list(numbers)
        self._step(Input.SELECT)
        return self.trying

    def refused(self) -> str:
        """The server refused :attr:`trying`; gives the next one, "" when there is none left."""
        self._step(Input.REFUSED if self._left else Input.EXHAUSTED)
        return self.trying if self.state is State.SELECTING else ""

    def step(self, input: Input) -> Effect:
        """Take any input but a selection and a refusal; gives what is to be done."""
        return self._step(input)

    def _step(self, input: Input) -> Effect:
        before = self.state
        self.state, effect = TABLE[before, input]
        if self.state is State.ROUTE_END and before is not State.ROUTE_END:
            self.ended_by = input
        if effect is Effect.TRY_NEXT:
            self.trying = self._left.pop(0)
        return effect
