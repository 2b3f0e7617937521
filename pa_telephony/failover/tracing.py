"""The trace package list of a server: which records its trace holds, and lines its log. Pure."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from pa_telephony.trace import EventRecord, FrameRecord, Record, Trace

__all__ = ["set_log_levels", "traced"]

_OFF = logging.CRITICAL + 1


def set_log_levels(packages: Iterable[str]) -> None:
    """Let the log of this process have of each package what ``packages`` (``"sccp=debug"``) say.

    ``debug`` has the names of messages, too. A package that is not named has what the log has
    otherwise.
    """
    for entry in packages:
        package, level = entry.split("=", 1)
        number = _OFF if level == "off" else logging.getLevelNamesMapping()[level.upper()]
        logging.getLogger(f"pa_telephony.{package}").setLevel(number)


def traced(packages: Iterable[str], trace: Trace | None) -> Trace | None:
    """``trace`` for the records that ``packages`` (such as ``"sccp=off"``) let through.

    ``debug`` is everything, ``info`` and above are events only, ``off`` is nothing; a package that
    is not named passes whole.
    """
    levels = dict(entry.split("=", 1) for entry in packages)
    if trace is None or not levels:
        return trace

    def feed(record: Record) -> None:
        if isinstance(record, EventRecord):
            passes = levels.get(record.kind.partition(".")[0], "debug") != "off"
        else:
            package = record.protocol if isinstance(record, FrameRecord) else "rtp"
            passes = levels.get(package, "debug") == "debug"
        if passes:
            trace(record)

    return feed
