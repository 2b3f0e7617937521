"""Why a call ends, or a request fails: the causes of ITU-T Q.850."""

from __future__ import annotations

import enum

__all__ = ["Cause"]


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
