"""An error that shows while one peer is served: reported to developers, so that all else goes on.

The servers close the connection that such an error shows on, count it as an internal error, and
report it here. The log (``pa_telephony.sccp``, ``pa_telephony.cti``) and the trace get the
traceback and the message that was being answered; without one (a deadline, an event that another
peer caused, the end of a session) the log has the stack down to here instead. An error that shows
when a call's time is over is reported as well (``pa_telephony.callmanager``). Exceptions of an
application's handlers of calls end these calls and are reported by :class:`HandlerErrors`.
"""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from typing import ClassVar, Literal, cast

from pa_telephony.errors import CallEnded, InternalError, TelephonyError
from pa_telephony.printable import printable_reason
from pa_telephony.trace import Address, EventRecord, Trace

__all__ = [
    "MOST_BUGS",
    "MOST_TROUBLES",
    "NEWS",
    "HandlerErrors",
    "Seldom",
    "Troubles",
    "report_bug",
    "report_fault",
    "told_of",
]

MOST_BUGS = 20
"""How many internal errors with their tracebacks a log has within a minute."""
NEWS: Mapping[str, object] = {"news": True}
"""The ``extra`` of a log line that tells of a change: it is no repetition, also when it reads like
one a moment ago. The programs leave other lines out that they have printed within a minute."""
MOST_TROUBLES = 5
"""How many reasons why one link is down a log has within a minute."""


class Seldom:
    """Says when something that happens again and again is to be logged: once a minute.

    So no peer that can make it happen fills a log. ``at_once`` may be logged in each such time, for
    what happens to many at the same moment. ``now`` is any monotonic clock, in seconds.
    """

    def __init__(self, every: float = 60.0, *, at_once: int = 1) -> None:
        self._every = every
        self._at_once = at_once
        self._left = 0
        self._full_at = float("-inf")
        self._untold = 0

    def due(self, now: float) -> bool:
        """Note that it has happened once more; gives whether to log it."""
        if now >= self._full_at:
            self._full_at = now + self._every
            self._left = self._at_once
        if not self._left:
            self._untold += 1
            return False
        self._left -= 1
        return True

    def told(self, now: float) -> str | None:
        """Both in one: what :meth:`times` says, None when it is not to be told."""
        return self.times() if self.due(now) else None

    def times(self) -> str:
        """How often it happened and was not logged, as a part of the logged text; "" for never."""
        untold, self._untold = self._untold, 0
        return f" ({untold} times more since the last time this was told)" if untold else ""


class Troubles:
    """Says in ``log`` why something is not there yet: each reason once a minute, and not many."""

    def __init__(self, log: logging.Logger, whose: str) -> None:
        self._log = log
        self._whose = whose
        self._told: set[str] = set()
        self._until = float("-inf")

    def tell(self, why: str, now: float) -> None:
        """Log a reason; ``now`` is any monotonic clock, in seconds."""
        if now >= self._until:
            self._told.clear()
            self._until = now + 60.0
        if why not in self._told and len(self._told) < MOST_TROUBLES:
            self._told.add(why)
            self._log.warning("%s: %s", self._whose, printable_reason(why))


class HandlerErrors:
    """Takes the exceptions of handlers of calls, each of which ends its own call and no other.

    All but the normal end of a call (:class:`CallEnded`) are logged in ``log``. Errors that this
    package raises on purpose (a number that is refused, no UDP port, a prompt that cannot be read,
    a lost link) are warnings. Any other exception is a bug of the handler's, or one of ours: an
    error with its traceback, counted in :attr:`bugs`. Cancellation, and what is to end the program,
    passes. ``whose`` is what the calls come to.
    """

    watchers: ClassVar[list[Callable[[Exception], None]]] = []
    """Are told of every bug in the process, whatever becomes of the log: tests are to fail of it.
    They are called in the thread where it shows."""

    def __init__(self, log: logging.Logger, whose: str) -> None:
        self.bugs = 0
        self._log = log
        self._whose = whose
        self._told = Seldom(at_once=MOST_BUGS)

    @contextlib.contextmanager
    def of_a_call(self, now: Callable[[], float]) -> Generator[None]:
        """Wrap a handler and the end of its call; ``now`` is any monotonic clock, in seconds."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  # logged; one call's bug must not end all calls
            self._tell(error, now())
        except BaseExceptionGroup as group:
            # Cancelled, and failed while it cleaned up.
            failed, passing = group.split(Exception)
            if failed is not None:
                self._tell(failed, now())
            if passing is not None:
                raise passing from None

    def _tell(self, error: Exception, now: float) -> None:
        found = [each for each in _leaves(error) if not isinstance(each, CallEnded)]
        bugs = [each for each in found if not _is_on_purpose(each)]
        self.bugs += bool(bugs)
        for watcher in list(self.watchers) if bugs else ():
            watcher(error)
        if found and self._told.due(now):
            self._log.log(
                logging.ERROR if bugs else logging.WARNING,
                "a call to %s ends%s: %s",
                *(self._whose, self._told.times()),
                printable_reason("; ".join(map(_in_words, found))),
                exc_info=error if bugs else None,
            )


def _is_on_purpose(error: BaseException) -> bool:
    return isinstance(error, TelephonyError) and not isinstance(error, InternalError)


def _in_words(error: BaseException) -> str:
    if isinstance(error, TelephonyError):
        return str(error)
    return f"its handler failed: {type(error).__name__}: {error}"


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """The exceptions in a group, at whatever depth: a handler may have tasks of its own."""
    if isinstance(error, BaseExceptionGroup):
        for each in cast("BaseExceptionGroup[BaseException]", error).exceptions:
            yield from _leaves(each)
    else:
        yield error


def told_of(
    frame: bytes, *, id_at: int, spelling: str, kinds: Mapping[int, type], keyed: Collection[int]
) -> tuple[str, bytes]:
    """The parts of a frame that a report may have: the message's name and number, bytes or none.

    The number stands at ``id_at``, 32 bits little endian; numbers in ``keyed`` may hold a PIN.
    """
    if not frame:
        return "", b""
    number = int.from_bytes(frame[id_at : id_at + 4], "little")
    name = kinds[number].__name__ if number in kinds else "a message nobody knows"
    return f"{name} ({spelling.format(number)})", b"" if number in keyed else frame


def report_fault(
    error: Exception,
    *,
    protocol: Literal["sccp", "cti"],
    who: str,
    remote: Address,
    message: str,
    frame: bytes,
    trace: Trace | None,
    now: float,
    times: str | None = "",
) -> None:
    """Log and trace an internal error, or one of a handler; ``now`` is wall-clock seconds.

    ``times`` is what the log says besides (:meth:`Seldom.times`); with None it says nothing: a peer
    that knows how to cause an error can do so as often as the network carries it.

    ``message`` names what the peer sent, "" for nothing. ``frame`` is the whole of it, and empty
    where it may hold what a person has keyed: a PIN must not stand in a log.

    The trace gets an :class:`EventRecord` of kind ``sccp.internal_error`` or
    ``cti.internal_error``. Raises nothing: a sink that fails is logged as well, and where there is
    no memory to say anything, nothing is said.
    """
    with contextlib.suppress(Exception):
        _report(error, protocol, who, remote, message, frame, trace, now, times)


def _report(
    error: Exception,
    protocol: str,
    who: str,
    remote: Address,
    message: str,
    frame: bytes,
    trace: Trace | None,
    now: float,
    times: str | None,
) -> None:
    said = message or "nothing"
    if frame:
        said = f"{said}: {frame.hex()}"
    if times is not None:
        _log(protocol).error(
            "internal error%s; the connection of %s at %s:%s is closed; it said: %s",
            times,
            who or "somebody",
            *remote,
            said,
            exc_info=error,
            stack_info=not message,
        )
    fields = {"who": who, "remote": remote, "message": message, "frame": frame.hex()}
    _trace(error, protocol, fields, trace, now)


def report_bug(
    error: Exception, *, part: Literal["callmanager"], trace: Trace | None, now: float
) -> None:
    """Log and trace an error that no peer's message caused, as :func:`report_fault` does."""
    with contextlib.suppress(Exception):
        _log(part).error("internal error; the calls it showed at have ended", exc_info=error)
        _trace(error, part, {}, trace, now)


def _log(part: str) -> logging.Logger:
    return logging.getLogger(f"pa_telephony.{part}")


def _trace(
    error: Exception, part: str, fields: Mapping[str, object], trace: Trace | None, now: float
) -> None:
    if trace is None:
        return
    log = _log(part)
    told = {
        **fields,
        "error": f"{type(error).__name__}: {error}",
        "traceback": "".join(traceback.format_exception(error)),
    }
    try:
        trace(EventRecord(now, f"{part}.internal_error", told, error))
    except Exception:
        log.exception("the trace failed, too")
