"""How an agent keeps the process of one server: started, watched, started again, ended. Pure.

A table: ``(state, input) → (state, effect)``. The order to stop a server stands in the store
(``stop/S``), and the server obeys it by itself: it gives up what it serves, then its session. Only
then, or when it does not hear, is its process ended. An agent that is started beside servers that
run takes them as they are (SEEN); one that ends leaves them alone.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field

from pa_telephony.backoff import BackOff
from pa_telephony.tables import state_table

__all__ = ["TABLE", "Effect", "Input", "Keeper", "Limits", "State"]


class State(enum.Enum):
    """What there is of a server's process."""

    ABSENT = "absent"
    """There is none."""
    STARTING = "starting"
    """It was started, and has not shown that it is the server: it does not hold its lock yet."""
    RUNNING = "running"
    """It holds the server's lock."""
    LEAVING = "leaving"
    """It is to stop, and gives up what it serves."""
    ENDING = "ending"
    """It was told to end (SIGTERM)."""
    KILLED = "killed"
    """It has not ended in time and was killed (SIGKILL)."""
    RESTING = "resting"
    """It has ended by itself, and is started again after a pause."""


class Input(enum.Enum):
    """What can happen to a server's process."""

    WANTED = "wanted"
    """The store says that the server shall run."""
    UNWANTED = "unwanted"
    """The store says that it shall not, or the configuration does not have it on this machine."""
    SEEN = "seen"
    """A process holds the server's lock."""
    LEFT = "left"
    """The server has no session in the store: it has given up all that it served."""
    GONE = "gone"
    """The process has ended."""
    DUE = "due"
    """The time that the state may last is over."""


class Effect(enum.Enum):
    """What the agent is to do."""

    NOTHING = "nothing"
    START = "start"
    """Start a process."""
    TERMINATE = "terminate"
    """Tell the process to end (SIGTERM)."""
    KILL = "kill"
    """End the process (SIGKILL)."""


_S, _I, _E = State, Input, Effect

TABLE = state_table(
    State,
    Input,
    {
        (_S.ABSENT, _I.WANTED): (_S.STARTING, _E.START),
        # Somebody else has started it, or an agent before this one.
        (_S.ABSENT, _I.SEEN): (_S.RUNNING, _E.NOTHING),
        (_S.STARTING, _I.SEEN): (_S.RUNNING, _E.NOTHING),
        (_S.STARTING, _I.UNWANTED): (_S.ENDING, _E.TERMINATE),
        (_S.STARTING, _I.GONE): (_S.RESTING, _E.NOTHING),
        # It hangs before it is a server; it is ended, and then started again.
        (_S.STARTING, _I.DUE): (_S.ENDING, _E.TERMINATE),
        (_S.RUNNING, _I.UNWANTED): (_S.LEAVING, _E.NOTHING),
        (_S.RUNNING, _I.GONE): (_S.RESTING, _E.NOTHING),
        # The order was taken back in time; the server hears that by itself.
        (_S.LEAVING, _I.WANTED): (_S.RUNNING, _E.NOTHING),
        (_S.LEAVING, _I.LEFT): (_S.ENDING, _E.TERMINATE),
        (_S.LEAVING, _I.GONE): (_S.ABSENT, _E.NOTHING),
        (_S.LEAVING, _I.DUE): (_S.ENDING, _E.TERMINATE),
        # What is told to end ends, whatever is wanted meanwhile: nothing is started beside it.
        (_S.ENDING, _I.GONE): (_S.ABSENT, _E.NOTHING),
        (_S.ENDING, _I.DUE): (_S.KILLED, _E.KILL),
        (_S.KILLED, _I.GONE): (_S.ABSENT, _E.NOTHING),
        (_S.KILLED, _I.DUE): (_S.KILLED, _E.KILL),
        (_S.RESTING, _I.UNWANTED): (_S.ABSENT, _E.NOTHING),
        (_S.RESTING, _I.SEEN): (_S.RUNNING, _E.NOTHING),
        (_S.RESTING, _I.DUE): (_S.STARTING, _E.START),
    },
    ignored={
        _S.ABSENT: {_I.UNWANTED, _I.LEFT, _I.GONE, _I.DUE},
        _S.STARTING: {_I.WANTED, _I.LEFT},
        # A server that is wanted has no session while it starts, or has fenced itself.
        _S.RUNNING: {_I.WANTED, _I.SEEN, _I.LEFT, _I.DUE},
        _S.LEAVING: {_I.UNWANTED, _I.SEEN},
        _S.ENDING: {_I.WANTED, _I.UNWANTED, _I.SEEN, _I.LEFT},
        _S.KILLED: {_I.WANTED, _I.UNWANTED, _I.SEEN, _I.LEFT},
        _S.RESTING: {_I.WANTED, _I.LEFT, _I.GONE},
    },
    nothing=Effect.NOTHING,
)


@dataclass(frozen=True)
class Limits:
    """How long a state may last, in seconds."""

    starting: float = 30.0
    leaving: float = 10.0
    """A server gives up everything within 3 s, whatever the call manager does."""
    ending: float = 10.0
    killed: float = 5.0
    first_pause: float = 0.5
    """Seconds from the end of a process that nobody asked for to the next start, the first time;
    twice as long each time, but somewhat by chance."""
    longest_pause: float = 60.0
    steady: float = 60.0
    """How long a process must have run for the pauses to begin anew."""


@dataclass
class Keeper:
    """One server's process, as an agent keeps it.

    ``now`` is seconds of a clock that goes on while the machine sleeps; ``chance`` gives numbers
    from 0 to 1.
    """

    name: str
    limits: Limits
    chance: Callable[[], float]
    state: State = State.ABSENT
    since: float = 0.0
    """Since when the state is what it is."""
    crashes: int = 0
    """How many processes in a row have ended without being asked to, soon after their start."""
    why: str = ""
    """How the last process ended that was not asked to; "" when none has."""
    due: float = float("inf")
    """When :attr:`Input.DUE` is due."""
    _back_off: BackOff = field(init=False)

    def __post_init__(self) -> None:
        limits = self.limits
        self._back_off = BackOff(limits.first_pause, limits.longest_pause, self.chance)

    def step(self, input: Input, now: float, why: str = "") -> Effect:
        """Take an input; ``why`` says of GONE how the process has ended. Gives what is to be done.

        DUE is ignored before it is due.
        """
        if input is Input.DUE and now < self.due:
            return Effect.NOTHING
        before = self.state
        self.state, effect = TABLE[before, input]
        if self.state is State.RESTING and before is not State.RESTING:
            if before is State.RUNNING and now >= self.since + self.limits.steady:
                self._back_off.reset()
                self.crashes = 0
            self.crashes += 1
            self.why = why
        if before is State.STARTING and input is Input.DUE:
            self.crashes += 1
            self.why = f"it was no server after {self.limits.starting:g} s"
        if self.state is not before or effect is not Effect.NOTHING:
            self.since = now
            self.due = now + self._lasts()
        return effect

    def _lasts(self) -> float:
        """How long the state may last from now on."""
        match self.state:
            case State.STARTING:
                return self.limits.starting
            case State.LEAVING:
                return self.limits.leaving
            case State.ENDING:
                return self.limits.ending
            case State.KILLED:
                return self.limits.killed
            case State.RESTING:
                return self._back_off.pause()
            case State.ABSENT | State.RUNNING:
                return float("inf")
