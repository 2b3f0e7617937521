"""What a key means, which depends on the selected call and on what has been typed so far."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from pa_telephony.sccp.enums import DCallState

__all__ = ["Action", "Deed", "Typing", "meaning", "usable"]

_DIGITS = frozenset("0123456789*#+ABCD")
_LONGEST = 24
"""How many digits a directory number has (SCCP's own limit below version 18)."""


class Deed(enum.Enum):
    """What a person can do with a phone."""

    CALL = "call"
    ANSWER = "answer"
    HANG_UP = "hang up"
    HOLD = "hold"
    RESUME = "resume"
    TRANSFER = "transfer"
    CONSULT = "ask first"
    COMPLETE = "connect them"
    CONFERENCE = "conference"
    PARK = "park"
    DIGIT = "digit"
    UP = "up"
    DOWN = "down"
    QUIT = "quit"


@dataclass(frozen=True, slots=True)
class Action:
    """A deed, with the number or digit that it needs."""

    deed: Deed
    number: str = ""


@dataclass(frozen=True, slots=True)
class Typing:
    """A number is being typed, to be called or to transfer to."""

    deed: Deed
    number: str = ""


_WANT_NUMBER = (Deed.CALL, Deed.TRANSFER, Deed.CONSULT, Deed.CONFERENCE)
_RINGING = (DCallState.RING_IN, DCallState.CALL_WAITING)
_WAITING = (DCallState.HOLD, DCallState.HOLD_REVERT)


def meaning(
    key: str, typing: Typing | None, state: DCallState | None, consultation: bool = False
) -> tuple[Typing | None, Action | None]:
    """The number that is being typed after a key, and the action that the key asks for.

    ``key`` is a character or ``enter``, ``escape``, ``backspace``, ``up``, ``down``; ``state`` is
    that of the selected call, None without one, ``consultation`` whether it asks for a transfer.
    """
    if key in ("up", "down"):
        return typing, Action(Deed.UP if key == "up" else Deed.DOWN)
    if typing is not None:
        return _typed(key, typing)
    if key in _DIGITS:
        if state is DCallState.CONNECTED:
            return None, Action(Deed.DIGIT, key)
        return (Typing(Deed.CALL, key), None) if _free(state) else (None, None)
    deed = usable(state, consultation).get(key)
    if deed in _WANT_NUMBER:
        return Typing(deed), None
    return None, Action(deed) if deed is not None else None


def _typed(key: str, typing: Typing) -> tuple[Typing | None, Action | None]:
    match key:
        case "enter" if typing.number:
            return None, Action(typing.deed, typing.number)
        case "escape":
            return None, None
        case "backspace":
            return replace(typing, number=typing.number[:-1]), None
        case _ if key in _DIGITS and len(typing.number) < _LONGEST:
            return replace(typing, number=typing.number + key), None
        case _:
            return typing, None


def _free(state: DCallState | None) -> bool:
    """Whether a digit begins a number, because there is no one to hear it."""
    return state is None or state in _WAITING


def usable(state: DCallState | None, consultation: bool = False) -> dict[str, Deed]:
    """The letters that do something in this state, and what they do."""
    keys = {"n": Deed.CALL}
    if state in _RINGING:
        keys = {"a": Deed.ANSWER, "enter": Deed.ANSWER, "x": Deed.HANG_UP}
    elif consultation and state is DCallState.CONNECTED:
        keys = {"t": Deed.COMPLETE, "x": Deed.HANG_UP}
    elif state is DCallState.CONNECTED:
        keys |= {
            "h": Deed.HOLD,
            "t": Deed.TRANSFER,
            "o": Deed.CONSULT,
            "c": Deed.CONFERENCE,
            "p": Deed.PARK,
            "x": Deed.HANG_UP,
        }
    elif state in _WAITING:
        keys |= {"h": Deed.RESUME, "x": Deed.HANG_UP}
    elif state is not None:
        keys |= {"x": Deed.HANG_UP}
    return keys | {"q": Deed.QUIT}
