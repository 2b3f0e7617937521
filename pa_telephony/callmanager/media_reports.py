"""What people are told of devices that never say where they receive sound.

A phone that never answers OpenReceiveChannel, and an application that never sets the RTP parameters
of its CTI port or route point, would leave a call that is up and silent. The call ends at its
deadline (``timing.media_exchange``); here the log and the trace get the reason.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from pa_telephony.callmanager.calls.model import Leg, Stream, StreamUse, Watcher
from pa_telephony.callmanager.config import DeviceKind
from pa_telephony.faults import MOST_BUGS, Seldom
from pa_telephony.printable import printable
from pa_telephony.trace import EventRecord, Trace

__all__ = ["KIND", "MediaReports"]

KIND = "callmanager.media_missing"
"""The kind of the trace's event."""

_MISSED = {
    DeviceKind.PHONE: "never answered OpenReceiveChannel",
    DeviceKind.MEDIA_PORT: "never answered OpenReceiveChannel",
    DeviceKind.CTI_PORT: "never had its RTP parameters set by its application",
    DeviceKind.ROUTE_POINT: "never had its RTP parameters set by its application",
}
_LOG = logging.getLogger("pa_telephony.callmanager")


class MediaReports(Watcher):
    """Tells the log and the trace of media that does not come.

    ``kind_of`` is asked what a device is; ``patience`` is how many seconds a device may take.
    ``now`` is a monotonic clock, and ``today`` gives the seconds since the epoch.
    """

    def __init__(
        self,
        kind_of: Callable[[str], DeviceKind],
        now: Callable[[], float],
        today: Callable[[], float],
        patience: float,
        trace: Trace | None,
    ) -> None:
        self._kind_of = kind_of
        self._now = now
        self._today = today
        self._patience = patience
        self._trace = trace
        self._told = Seldom(at_once=MOST_BUGS)

    def media_missing(self, stream: Stream) -> None:
        """Tell whose sound is missing, why, and what becomes of the call."""
        leg = stream.leg
        missed = _MISSED[self._kind_of(leg.device)]
        fate = "it hears no tone" if stream.use is StreamUse.HOLD_TONE else "the call ends"
        why = f"{printable(leg.device)} {missed} within {self._patience:g} s: {fate}"
        if self._told.due(self._now()):
            _LOG.warning("call %d%s%s: %s", leg.call_id, _with(leg), self._told.times(), why)
        if self._trace is not None:
            fields = {"device": leg.device, "call": leg.call_id, "reason": why}
            self._trace(EventRecord(self._today(), KIND, fields))


def _with(leg: Leg) -> str:
    return f" with {printable(leg.other.number)}" if leg.other.number else ""
