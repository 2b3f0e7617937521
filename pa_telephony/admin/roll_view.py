"""A rolling restart as its page shows it: how far it is, and the calls that it may end. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pa_telephony.admin.operations import Question
from pa_telephony.failover.rolling import Roll, State
from pa_telephony.failover.status import ServerStatus, seconds

__all__ = ["RollStep", "restart_question", "roll_heading", "roll_steps"]

_AT_HAND = {
    State.NEXT: "is next, as soon as others could stand in for it",
    State.DRAINED: "is drained, and its process ends",
    State.STARTED: "is started again, and gets its own back",
}


@dataclass(frozen=True)
class RollStep:
    """A server of a restart."""

    name: str
    words: str
    done: bool = False
    at_hand: bool = False


def roll_steps(roll: Roll, pages: Iterable[ServerStatus]) -> tuple[RollStep, ...]:
    """Every server of a restart, in order, with what it does."""
    states = {each.name: each.state for each in pages}
    found = [RollStep(name, "was restarted", done=True) for name in roll.done]
    for place, name in enumerate(roll.servers):
        if not roll.goes_on:
            words = "was not restarted" if roll.state is not State.DONE else "was restarted"
            found.append(RollStep(name, words, done=roll.state is State.DONE))
        elif place:
            found.append(RollStep(name, "follows"))
        else:
            words = f"{_AT_HAND[roll.state]}: {states.get(name, 'is no server any more')}"
            if roll.state is State.NEXT and roll.why:
                words += f" ({roll.why})"
            found.append(RollStep(name, words, at_hand=True))
    return tuple(found)


def roll_heading(roll: Roll) -> str:
    """What has become of a restart, in a few words."""
    match roll.state:
        case State.DONE:
            return "All were restarted"
        case State.FAILED:
            return "Given up"
        case State.UNDONE:
            return "Ended by an operator"
        case _:
            return f"Restarting: {len(roll.done)} of {len(roll.done) + len(roll.servers)} done"


def restart_question(
    names: Sequence[str], pages: Iterable[ServerStatus], deadline: int
) -> Question | None:
    """What to ask before these servers are restarted; None when there is no call that it ends."""
    calls = sum(each.busy and each.holder in names for page in pages for each in page.resources)
    if not calls:
        return None
    of = ", ".join(names)
    count = "1 call goes" if calls == 1 else f"{calls} calls go"
    after = f"{seconds(deadline)} after its server is drained" if deadline else "at once"
    words = f"{count} on. One that has not ended by then ends {after}."
    if not deadline:
        words = f"{count} on, and {'ends' if calls == 1 else 'end'} when its server is drained."
    return Question(f"Restart {of} one after the other?", words, f"Restart {of}")
