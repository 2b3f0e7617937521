"""Watch over one call: silence that goes on, and a call that never ends. Pure.

A hang-up that gets lost leaves a media port busy for ever, and with it the return of its home
(Q10). Sound tells: a call that should be heard and is not, neither by RTP nor by RTCP, for half of
``silence`` seconds is reported to the call manager, which may know better, and is ended after all
of them. A call that is heard is never ended here; when it is longer than ``long`` it is an alarm.
"""

from __future__ import annotations

import enum

__all__ = ["Verdict", "Vigil"]

_LOOKS = 10
"""How many looks there are in the shorter of the times."""
_LONGEST_PAUSE = 30.0


class Verdict(enum.Enum):
    """What a look at a call says; each but NOTHING once, until something is heard again."""

    NOTHING = "nothing"
    ASK = "ask"
    """The call is silent for half of the time: tell the call manager."""
    END = "end"
    """The call is silent for all of the time: end it."""
    LONG = "long"
    """The call is longer than a call should be: raise an alarm."""


class Vigil:
    """The watch over one call; ``silence`` and ``long`` are seconds, 0 = never."""

    def __init__(self, *, silence: float, long: float, now: float) -> None:
        self._silence = silence
        self._long = long
        self._began = self._heard_at = now
        self._heard: object = None
        self._asked = False
        self._told = False

    @property
    def pause(self) -> float:
        """Seconds between two looks at the call."""
        times = [each for each in (self._silence, self._long) if each]
        return min([*(each / _LOOKS for each in times), _LONGEST_PAUSE])

    def silent_for(self, now: float) -> float:
        """Seconds since something was heard, or nothing was to be heard."""
        return now - self._heard_at

    def look(self, heard: object, now: float) -> Verdict:
        """Look at the call at ``now``.

        ``heard`` changes whenever something is heard; it is None while nothing is to be heard.
        """
        if heard is None or heard != self._heard:
            self._heard, self._heard_at, self._asked = heard, now, False
        silent = now - self._heard_at
        if self._silence and silent >= self._silence:
            return Verdict.END
        if self._silence and silent >= self._silence / 2 and not self._asked:
            self._asked = True
            return Verdict.ASK
        if self._long and now - self._began >= self._long and not self._told:
            self._told = True
            return Verdict.LONG
        return Verdict.NOTHING
