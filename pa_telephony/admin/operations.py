"""What an operator orders of one server: the orders that stand, and the calls that one ends. Pure.

The words of an order that stands say what was ordered; :func:`progress` says how far it is obeyed.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pa_telephony.admin.fields import FormRefused
from pa_telephony.failover.intent import DRAINS_WITHIN, Command
from pa_telephony.failover.orders import Stop
from pa_telephony.failover.status import ServerStatus, seconds

__all__ = [
    "LONGEST",
    "Question",
    "StandingOrder",
    "Verb",
    "deadline_of",
    "progress",
    "question",
    "standing",
]

LONGEST = 86_400
"""The longest deadline in seconds."""


class Verb(enum.Enum):
    """What a button orders; the value is what it sends."""

    START = "start"
    STOP = "stop"
    STOP_ALONE = "stop-alone"
    DRAIN = "drain"
    MOVE = "move"
    MOVE_BACK = "move-back"
    RETURN = "return"
    RETURN_UNDO = "return-undo"
    HOLD = "hold"
    HOLD_UNDO = "hold-undo"

    @property
    def command(self) -> Command | None:
        """The command that it is, of those that may be for every server at once."""
        return _COMMANDS.get(self)


_COMMANDS = {
    Verb.START: Command.START,
    Verb.STOP: Command.STOP,
    Verb.STOP_ALONE: Command.STOP_ALONE,
    Verb.DRAIN: Command.DRAIN,
}
_NO_DEADLINE: dict[Verb, float | None] = {
    Verb.DRAIN: float(DRAINS_WITHIN),
    Verb.MOVE: None,
    Verb.RETURN: 0.0,
}
"""The deadline when none is filled in; None is all the time that calls take."""


@dataclass(frozen=True)
class StandingOrder:
    """An order that stands until it is taken back."""

    words: str
    undo: Verb
    label: str
    """What the button says that takes it back."""


def standing(page: ServerStatus) -> tuple[StandingOrder, ...]:
    """The orders that stand for a server."""
    orders, found = page.orders, list[StandingOrder]()
    if orders.stop is Stop.DRAIN:
        left = seconds(orders.drains_within)
        words = f"ordered to drain: calls that go on after {left} are ended"
        found.append(StandingOrder(words, Verb.START, "Undo drain"))
    elif orders.stop is Stop.ALONE:
        found.append(
            StandingOrder("ordered to be stopped without failover", Verb.START, "Undo stop")
        )
    elif orders.stop is not None:
        found.append(StandingOrder("ordered to be stopped", Verb.START, "Undo stop"))
    if orders.moved_to:
        words = f"ordered to be at {orders.moved_to}{_ends(orders.moves_within)}"
        found.append(StandingOrder(words, Verb.MOVE_BACK, "Undo move"))
    if orders.returns_within is not None:
        words = f"ordered to return{_ends(orders.returns_within)}"
        found.append(StandingOrder(words, Verb.RETURN_UNDO, "Undo return"))
    if orders.held_back:
        words = "ordered to be held where it is: nothing comes home"
        found.append(StandingOrder(words, Verb.HOLD_UNDO, "Undo hold"))
    return tuple(found)


def _ends(within: float | None) -> str:
    if within is None:
        return ""
    return f", calls that delay it are ended {f'after {seconds(within)}' if within else 'at once'}"


def progress(page: ServerStatus) -> str:
    """Where the numbers of a server are now, and how many calls they have; "" without numbers."""
    if not page.resources:
        return ""
    held = Counter(each.holder for each in page.resources if each.up)
    parts = [f"{count} at {name}" for name, count in held.items()]
    if down := sum(not each.up for each in page.resources):
        parts.append(f"{down} not served")
    calls = sum(each.busy for each in page.resources)
    return f"numbers: {', '.join(parts)}; {_calls(calls)}"


def _calls(count: int) -> str:
    return "no call" if not count else "1 call" if count == 1 else f"{count} calls"


@dataclass(frozen=True)
class Question:
    """What is asked before an order that ends calls is given."""

    title: str
    words: str
    button: str


def question(
    verb: Verb,
    names: Sequence[str],
    pages: Iterable[ServerStatus],
    to: str = "",
    deadline: float | None = None,
) -> Question | None:
    """What to ask before ``verb`` is given to the servers ``names``; None when it ends no call.

    ``to`` and ``deadline`` are of a move; the deadline is of a drain and a return, too.
    """
    resources = [each for page in pages for each in page.resources if each.busy]
    of = ", ".join(names)
    match verb:
        case Verb.STOP | Verb.STOP_ALONE:
            ending = sum(each.holder in names for each in resources)
        case Verb.DRAIN:
            ending = sum(each.holder in names for each in resources)
        case Verb.MOVE if deadline is not None:
            mine = [each for each in resources if each.identity.home in names]
            ending = sum(each.holder != to for each in mine)
        case Verb.RETURN:
            mine = [each for each in resources if each.identity.home in names]
            ending = sum(each.holder not in names for each in mine)
        case _:
            ending = 0
    if not ending:
        return None
    title, button = _TITLES[verb]
    title, button = (text.format(of=of, to=to) for text in (title, button))
    end = "ends" if ending == 1 else "end"
    if deadline:
        their = "it has" if ending == 1 else "they have"
        words = f"{_calls(ending)} {end} after {seconds(deadline)}, unless {their} ended by then."
    else:
        words = f"{_calls(ending)} {end} at once."
    return Question(title, words, button)


_TITLES = {
    Verb.STOP: ("Stop {of}?", "Stop {of}"),
    Verb.STOP_ALONE: ("Stop {of} without failover?", "Stop {of} without failover"),
    Verb.DRAIN: ("Drain {of}?", "Drain {of}"),
    Verb.MOVE: ("Move {of} to {to}?", "Move {of} to {to}"),
    Verb.RETURN: ("Have {of} return now?", "Return {of} now"),
}


def deadline_of(verb: Verb, text: str) -> float | None:
    """The seconds that were filled in for an order; raises :class:`FormRefused`."""
    if verb not in _NO_DEADLINE:
        return None
    text = text.strip()
    if not text:
        return _NO_DEADLINE[verb]
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= LONGEST):
        raise FormRefused.because(
            f"must be a whole number of seconds, at most {LONGEST}", verb.value
        )
    return float(text)
