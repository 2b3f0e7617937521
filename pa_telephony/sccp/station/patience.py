"""How long a station waits before it tries again, and which refusal is final. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from pa_telephony.backoff import BackOff
from pa_telephony.sccp.station.style import StationConfig

__all__ = ["LASTED", "Patience", "is_final"]

LASTED = 5.0
"""Seconds after which a connection, or a registration, does not count as a failure."""
_FINAL = re.compile(
    # Texts of: us and chan-sccp; us; captures; chan-sccp; CUCM as phones show it (support texts).
    r"unknown|device type|licen[cs]e|not authori[sz]ed|db ?config|security|version",
    re.IGNORECASE,
)


def is_final(reason: str) -> bool:
    """Whether the text of a refusal rules out that a session of ours lingers there.

    It cannot be told from "Crossover session", "Reload in progress", Asterisk's "No Authority: "
    (which it says of an unknown name as well), or an unknown text.
    """
    return _FINAL.search(reason) is not None


class Patience:
    """The pauses and the refusals of one station, with all of its call managers.

    ``chance`` is that of :class:`~pa_telephony.backoff.BackOff`.
    """

    def __init__(
        self, config: StationConfig, call_managers: int, chance: Callable[[], float]
    ) -> None:
        self._config = config
        self._most = config.rejections * call_managers
        self._back_off = BackOff(config.first_back_off, config.longest_back_off, chance)
        self._refusals = 0
        self._refused_since = 0.0
        self._hopeless = True
        self._registered_at = 0.0

    def refused(self, reason: str, now: float) -> bool:
        """Count a refusal; True when all call managers have refused often enough to give up."""
        if not self._refusals:
            self._refused_since = now
            self._hopeless = True
        self._refusals += 1
        self._hopeless = self._hopeless and is_final(reason)
        waited = now - self._refused_since >= self._config.rejected_for
        return self._refusals >= self._most and (waited or self._hopeless)

    @property
    def hopeless(self) -> bool:
        """Whether all refusals so far rule out that a later one is another: it is over soon."""
        return self._hopeless

    def not_refused(self) -> None:
        """Count refusals anew: the first call manager of the list has not refused."""
        self._refusals = 0

    def registered(self, now: float) -> None:
        """Note when a call manager has registered the station."""
        self._refusals = 0
        self._registered_at = now

    def unregistered(self, now: float) -> bool:
        """Tell whether the registration that is over lasted; if so, it was no failure."""
        lasted = now - self._registered_at > LASTED
        if lasted:
            self._back_off.reset()
        return lasted

    def pause(self) -> float:
        """Seconds until the next try, twice as long each time up to a limit."""
        return self._back_off.pause()
