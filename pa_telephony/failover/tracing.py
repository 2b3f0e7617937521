"""The trace package list of a server: which records its trace holds, and lines its log. Pure."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from pa_telephony.trace import EventRecord, FrameRecord, Record, Trace

__all__ = ["PackageTrace", "set_log_levels", "traced"]

_PACKAGES = ("failover", "sccp", "cti", "rtp")
_OFF = logging.CRITICAL + 1


def set_log_levels(packages: Iterable[str]) -> None:
    """Let the log of this process have of each package what ``packages`` (``"sccp=debug"``) say.

    ``debug`` has the names of messages, too. A package that is not named has what the log has
    otherwise.
    """
    for package in _PACKAGES:
        logging.getLogger(f"pa_telephony.{package}").setLevel(logging.NOTSET)
    for entry in packages:
        package, level = entry.split("=", 1)
        number = _OFF if level == "off" else logging.getLevelNamesMapping()[level.upper()]
        logging.getLogger(f"pa_telephony.{package}").setLevel(number)


class PackageTrace:
    """A trace of what its packages let through; these may be changed at any time."""

    def __init__(self, packages: Iterable[str], trace: Trace) -> None:
        self._trace = trace
        self.change(packages)

    def change(self, packages: Iterable[str]) -> None:
        """Let through what ``packages`` say from now on."""
        self._levels = dict(entry.split("=", 1) for entry in packages)

    def __call__(self, record: Record) -> None:
        """Pass on a record of a package that is let through."""
        if self._levels:
            if isinstance(record, EventRecord):
                passes = self._levels.get(record.kind.partition(".")[0], "debug") != "off"
            else:
                package = record.protocol if isinstance(record, FrameRecord) else "rtp"
                passes = self._levels.get(package, "debug") == "debug"
            if not passes:
                return
        self._trace(record)


def traced(packages: Iterable[str], trace: Trace | None) -> PackageTrace | None:
    """``trace`` for the records that ``packages`` (such as ``"sccp=off"``) let through.

    ``debug`` is everything, ``info`` and above are events only, ``off`` is nothing; a package that
    is not named passes whole. None without a trace.
    """
    return None if trace is None else PackageTrace(packages, trace)
