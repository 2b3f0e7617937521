"""How many files this process may have open, and how many of them connections may take.

An unknown peer that opens connections takes descriptors that the process needs for itself: for a
module to import, a socket for sound, a log. So the limit is raised as far as the system lets us,
and servers take no connection whose descriptor lies in the part that is kept back. The kernel gives
the lowest number that is free, so the number of a new descriptor says how many are in use.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from dataclasses import dataclass

try:
    import resource
except ImportError:  # without the module there is no such limit
    resource = None  # type: ignore[assignment]

__all__ = ["Descriptors", "prepare"]

_LOG = logging.getLogger("pa_telephony.descriptors")
_LEAST_KEPT, _MOST_KEPT = 16, 512
_told: set[int] = set()
"""Limits that were found to be low, and that a warning was logged about."""


@dataclass(frozen=True, slots=True)
class Descriptors:
    """How many files may be open (``limit``); those from ``connections`` on are for ourselves."""

    limit: int
    connections: int

    def are_left(self, descriptor: int) -> bool:
        """Whether a connection with this descriptor's number may be kept."""
        return descriptor < self.connections

    def share(self, wanted: int, part: int) -> int:
        """``wanted`` connections, or one ``part``-th of all that there can be if that is less."""
        return max(1, min(wanted, self.connections // part))


def prepare(wanted: int, what: str) -> Descriptors:
    """Raise the soft limit towards ``wanted`` connections and what we keep for ourselves.

    The hard limit stays as it is. A limit that is too low for them is logged as a warning, with
    ``what`` they were meant for; the result has the numbers that there are.
    """
    if resource is None:
        return Descriptors(sys.maxsize, sys.maxsize)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = sys.maxsize if hard == resource.RLIM_INFINITY else hard
    aim = min(wanted + _MOST_KEPT, most)
    if soft != resource.RLIM_INFINITY and soft < aim:
        # Refused in some sandboxes; then the limit is as low as it was.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (aim, hard))
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = sys.maxsize if soft == resource.RLIM_INFINITY else soft
    found = Descriptors(limit, limit - min(max(_LEAST_KEPT, limit // 8), _MOST_KEPT))
    if found.connections < wanted and limit not in _told:
        # Once: the parts of one program ask one after the other.
        _told.add(limit)
        _LOG.warning(
            "%s: %d connections are to be possible, and this process may open %d files only: at "
            "most %d are taken. Raise the limit (ulimit -Hn, LimitNOFILE= of systemd)",
            *(what, wanted, limit, found.connections),
        )
    return found
