"""What ports need besides sound, now and then: a connection to the peer, reports, complaints.

The ports of a phase have their turns one part after the other (:meth:`Phase.in_turn`).
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from typing import Protocol

import numpy as np

from pa_telephony.faults import MOST_BUGS, Seldom
from pa_telephony.rtp import reports
from pa_telephony.rtp.inbound import Inbound
from pa_telephony.rtp.mismatch import KIND as NO_MEDIA, SILENT_FOR
from pa_telephony.rtp.outbound import Outbound
from pa_telephony.rtp.phase import Phase
from pa_telephony.rtp.port import Port
from pa_telephony.rtp.session import Address, ReportTimer
from pa_telephony.rtp.sockets import dissolve
from pa_telephony.trace import EventRecord, Trace

__all__ = ["Upkeep"]

_LOOK_EVERY = 25
"""Ticks between two looks at a port."""
_FELL_SILENT = 2.0
"""Seconds after which a stream may come from another port of its host."""
_LOG = logging.getLogger("pa_telephony.rtp")


class UpkeepOwner(Protocol):
    """What an upkeep tells of: its engine."""

    def changed(self, port: Port) -> None:
        """Note that a tick has something else to do with a port."""
        ...

    def record(
        self, local: Address, remote: Address, data: bytes | memoryview, *, keyed: bool = False
    ) -> None:
        """Note what was sent; ``keyed`` says that it tells a digit."""
        ...


class Upkeep:
    """The upkeep of an engine's ports. ``report_interval`` is in seconds (RFC 3550 6.3.1)."""

    def __init__(
        self,
        inbound: Inbound,
        outbound: Outbound,
        random: Callable[[], float],
        owner: UpkeepOwner,
        trace: Trace | None,
        *,
        cname: str,
        report_interval: float,
    ) -> None:
        rows = len(inbound.views)
        self._inbound = inbound
        self._outbound = outbound
        self._random = random
        self._owner = owner
        self._trace = trace
        self._cname = cname
        self._report_interval = report_interval
        self._connected = np.zeros(rows, np.bool_)
        self._next_report = np.full(rows, np.inf)
        self._told = Seldom(at_once=MOST_BUGS)

    def look_after(self, phase: Phase, now: float) -> None:
        """Do what is due for the ports of a phase whose turn it is."""
        turn = phase.in_turn(_LOOK_EVERY)
        if not turn:
            return
        rows = np.array(turn, np.int64)
        silent = now - self._inbound.heard_at[rows] > _FELL_SILENT
        well = self._connected[rows] & ~silent & (self._inbound.unexpected[rows] == 0)
        unsent = [row for row in turn if phase.ports[row].unsent]
        for row in dict.fromkeys(rows[~well].tolist() + unsent):
            self.settle(phase.ports[row], now)
            self._complain(phase.ports[row], now)
        for row in rows[self._next_report[rows] <= now].tolist():
            self.report(phase.ports[row], now)

    def settle(self, port: Port, now: float) -> None:
        """Connect a port whose peer is known; disconnect one whose peer has fallen silent."""
        latch, peer, heard_at = port.latch, port.peer, self._inbound.heard_at[port.index]
        silent = now - heard_at > _FELL_SILENT
        # A source that was followed and sends no sound is left as well as one that fell silent.
        if silent and (port.connected or (peer is not None and peer.verified)):
            self.disconnect(port)
            if peer is not None:
                peer.release()
        elif (
            not port.connected
            and not silent
            and latch is not None
            and latch.verified
            and self._inbound.ssrc[port.index] >= 0
        ):
            # Cheaper, and packets from other addresses end in the kernel.
            with contextlib.suppress(OSError):
                port.rtp_socket.connect(latch.remote)
                port.connected = self._connected[port.index] = True
                self._owner.changed(port)

    def disconnect(self, port: Port) -> None:
        """Let the port receive from any address again; its UDP number stays."""
        if port.connected:
            port.connected = self._connected[port.index] = False
            dissolve(port.rtp_socket)
            self._owner.changed(port)

    def _complain(self, port: Port, now: float) -> None:
        """Tell of sound that comes and cannot be played, or cannot be sent."""
        row, inbound = port.index, self._inbound
        unexpected = int(inbound.unexpected[row])
        peer = port.peer
        if peer is None or not (port.foreign or unexpected or port.unsent):
            return
        # Who is only listened to was announced by nobody.
        awaited = port.receiving and port.latch is not None
        for why in port.mismatch.complaints(
            peer,
            silent=awaited and bool(now - inbound.heard_at[row] > SILENT_FOR),
            unexpected=unexpected,
            payload_type=int(inbound.unexpected_type[row]),
            unsent=port.unsent,
            because=port.not_sent_because,
        ):
            host, number = port.local_address
            if self._told.due(now):
                times = self._told.times()
                _LOG.warning("UDP %s:%d: %s%s", host, number, why, times)
            if self._trace is not None:
                fields = {"port": f"{host}:{number}", "reason": f"UDP {host}:{number}: {why}"}
                self._trace(EventRecord(time.time(), NO_MEDIA, fields))

    def begin_reports(self, port: Port, now: float) -> None:
        """Report from now on, once in a while."""
        if port.reports is None:
            port.reports = ReportTimer(now, self._random, minimum=self._report_interval)
            self._next_report[port.index] = port.reports.next_deadline()

    def end_reports(self, port: Port, now: float) -> None:
        """Send the last report, with BYE; who has sent nothing says none (RFC 3550 6.3.7)."""
        if self._outbound.of_source(port.index)[0]:
            self.report(port, now, bye=True)
            self._outbound.renew(port.index)
        port.reports = None
        self._next_report[port.index] = np.inf

    def report(self, port: Port, now: float, *, bye: bool = False) -> None:
        """Send a report to the port beside the one to which sound goes."""
        if port.latch is None:
            return
        data = reports.report(port, self._inbound, self._outbound, now, cname=self._cname, bye=bye)
        host, number = port.latch.remote
        remote = (host, min(number + 1, 65535))
        with contextlib.suppress(OSError):
            port.rtcp_socket.sendto(data, remote)
            local = (port.local_address[0], port.local_address[1] + 1)
            self._owner.record(local, remote, data)
        if port.reports is not None:
            port.reports.sent(now, len(data) + reports.UDP_IP)
            self._next_report[port.index] = port.reports.next_deadline()
