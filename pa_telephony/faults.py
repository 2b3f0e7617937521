"""A bug that shows while one peer is served: told where developers look, so that all else goes on.

The servers close the connection that such a bug shows on, count it as an internal error, and come
here. The log (``pa_telephony.sccp``, ``pa_telephony.cti``) and the trace get the traceback and the
frame that was being answered; without a frame (a deadline, an event of another's making, the end
of a session) the log has the stack down to here instead.
"""

from __future__ import annotations

import logging
import traceback
from typing import Literal

from pa_telephony.trace import Address, EventRecord, Trace

__all__ = ["report_fault"]


def report_fault(
    error: Exception,
    *,
    protocol: Literal["sccp", "cti"],
    who: str,
    remote: Address,
    frame: bytes,
    trace: Trace | None,
    now: float,
) -> None:
    """Log and trace a bug of ours, or of a handler's. ``now`` is wall-clock seconds, as in traces.

    The trace gets an :class:`EventRecord` of kind ``sccp.internal_error`` or
    ``cti.internal_error``. Raises nothing: a sink that fails is logged as well.
    """
    log = logging.getLogger(f"pa_telephony.{protocol}")
    log.error(
        "internal error; the connection of %s at %s:%s is closed; it said: %s",
        who or "somebody",
        *remote,
        frame.hex() or "nothing",
        exc_info=error,
        stack_info=not frame,
    )
    if trace is None:
        return
    fields = {
        "who": who,
        "remote": remote,
        "error": f"{type(error).__name__}: {error}",
        "frame": frame.hex(),
        "traceback": "".join(traceback.format_exception(error)),
    }
    try:
        trace(EventRecord(now, f"{protocol}.internal_error", fields, error))
    except Exception:
        log.exception("the trace failed, too")
