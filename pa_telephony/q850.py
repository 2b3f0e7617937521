"""Why a call ends, or a request fails: the causes of ITU-T Q.850."""

from __future__ import annotations

import enum

__all__ = ["Cause", "described", "in_words"]


class Cause(enum.IntEnum):
    """A cause of ITU-T Q.850, with its number; those that this package gives or looks for."""

    UNALLOCATED_NUMBER = 1
    NORMAL = 16
    USER_BUSY = 17
    NO_ANSWER = 19
    CALL_REJECTED = 21
    ROUTING_ERROR = 25
    """Q.850 "exchange routing error": forwards in a ring, or more hops than allowed."""
    NOT_SELECTED = 26
    """Q.850 "non-selected user clearing": it rang here, and somebody else took it."""
    OUT_OF_ORDER = 27
    FACILITY_REJECTED = 29
    """The feature cannot be had here: nothing to pick up, no park number, too many parties."""
    NO_CIRCUIT = 34
    TEMPORARY_FAILURE = 41
    RESOURCE_UNAVAILABLE = 47
    INCOMPATIBLE = 88
    """Q.850 "incompatible destination": the two sides have no codec in common."""
    WRONG_STATE = 101
    """Q.850 "message not compatible with call state": the table of the state does not allow it."""


_WORDS = {
    Cause.UNALLOCATED_NUMBER: "no such number",
    Cause.NORMAL: "hung up",
    Cause.USER_BUSY: "busy",
    Cause.NO_ANSWER: "no answer",
    Cause.CALL_REJECTED: "refused",
    Cause.ROUTING_ERROR: "forwarded in a ring, or too often",
    Cause.NOT_SELECTED: "taken by somebody else",
    Cause.OUT_OF_ORDER: "not registered",
    Cause.FACILITY_REJECTED: "not possible here",
    Cause.NO_CIRCUIT: "no circuit",
    Cause.TEMPORARY_FAILURE: "not reachable, or the connection was lost",
    Cause.RESOURCE_UNAVAILABLE: "no sound, or no room for it",
    Cause.INCOMPATIBLE: "no codec in common",
    Cause.WRONG_STATE: "not possible in this state",
}


def in_words(cause: int) -> str:
    """A cause as people say it: 17 is "busy"; "cause 99" for one that has no words here."""
    return _WORDS.get(Cause(cause), "") if cause in _WORDS else f"cause {cause}"


def described(cause: int) -> str:
    """A cause in words and as its number: 17 is "busy (cause 17)"."""
    return f"{in_words(cause)} (cause {int(cause)})" if cause in _WORDS else f"cause {int(cause)}"
