"""The media engine: one task that ticks every 20 ms for all ports.

Waking Python for each packet is what costs (bench/media.py), so a tick drains every socket that has
something, plays out, mixes in what is to be said, and sends, with arrays over ports
(:mod:`pa_telephony.rtp.inbound`, :mod:`pa_telephony.rtp.outbound`).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import logging
import random
import select
import socket
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
import trio

from pa_telephony.address import is_loopback
from pa_telephony.errors import ConfigurationError, DecodeError, TelephonyError
from pa_telephony.faults import MOST_BUGS, Seldom
from pa_telephony.rtp import rtcp
from pa_telephony.rtp.dtmf import digit_of
from pa_telephony.rtp.inbound import Inbound
from pa_telephony.rtp.jitter import FRAME
from pa_telephony.rtp.mismatch import KIND as NO_MEDIA, SILENT_FOR
from pa_telephony.rtp.outbound import Outbound, Special
from pa_telephony.rtp.packet import CLOCK_RATE, Codec
from pa_telephony.rtp.port import Port, PortStatistics
from pa_telephony.rtp.session import ReportTimer
from pa_telephony.tasks import background, os_reason
from pa_telephony.trace import EventRecord, RtpRecord, Trace, guarded

__all__ = ["Engine", "EngineConfig", "EngineStatistics", "PortUnavailable", "open_engine"]

TICK = 0.02
_REPORT_EVERY = 10
"""Ticks between two checks for ports whose RTCP report is due."""
_ROUNDS = 8
"""Packets one port may deliver in one tick; the kernel keeps the rest for the next."""
_UDP_IP = 28
_RTP_HEADER = 12
"""Octets of the headers that we send: no contributing sources.

An RFC 4733 packet has its key right behind them.
"""
_FELL_SILENT = 2.0
"""Seconds after which a stream may come from another port of its host."""
_LOOPBACK = "127.0.0.1"
_DISCARD = 9
_ANY = (None, "", "0.0.0.0")
_LIBC = ctypes.CDLL(None)
_LOG = logging.getLogger("pa_telephony.rtp")
Made = TypeVar("Made")
_Pair: TypeAlias = tuple[socket.socket, socket.socket]
_NOTHING = np.zeros(0, np.int16)


class PortUnavailable(TelephonyError):
    """A UDP port that cannot be bound, or no free port at all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineConfig:
    """Limits and times of an engine; times are in seconds."""

    max_ports: int = 512
    quarantine: float = 2.0
    """How long a released UDP port rests, so that late packets reach no other call."""
    playout_delay: int = 3
    """Frames of 20 ms between arrival and playout."""
    most_catching_up: int = 50
    """Ticks that are made up for after the process was stopped; more are left out."""
    report_interval: float = 5.0
    symmetric_rtp: bool = False
    """Whether ports follow the source of the first packets; see :attr:`Port.symmetric`."""
    cname: str = "pa-telephony"


@dataclass(slots=True)
class EngineStatistics:
    """Counters that tell how well the engine keeps time."""

    ticks: int = 0
    late_ticks: int = 0
    """Ticks that began more than 5 ms after their time."""
    missed_ticks: int = 0
    """Ticks that were made up for after a delay; their packets were left out, not sent in a
    burst."""
    worst_lateness: float = 0.0
    broken_ticks: int = 0
    """Ticks that ended early because the system refused something; the log says what."""


class Engine:
    """The media ports of a program. Made by :func:`open_engine`."""

    def __init__(
        self,
        address: str | None,
        first_port: int,
        config: EngineConfig,
        trace: Trace | None,
        random: Callable[[], float],
    ) -> None:
        self.address = address
        self.first_port = first_port
        self.config = config
        self.statistics = EngineStatistics()
        self._trace = guarded(trace)
        self._random = random
        self._inbound = Inbound(config.max_ports, delay=config.playout_delay)
        self._outbound = Outbound(config.max_ports, random)
        self._ports: dict[int, Port] = {}
        self._rows = np.zeros(0, np.int64)
        self._sending: dict[int, Port] = {}
        self._resting: dict[int, tuple[float, Port]] = {}
        self._reserved: dict[int, _Pair | None] = {}
        """The sockets bound for each reserved index; None while a port has them, or without any."""
        self._poll = select.epoll()
        self._told, self._told_bugs = Seldom(), Seldom(at_once=MOST_BUGS)
        self._told_mismatch = Seldom(at_once=MOST_BUGS)
        self._of_rtp: dict[int, Port] = {}
        self._of_rtcp: dict[int, Port] = {}
        self._opened: trio.Event | None = None

    def check_signalling(self, local: str, peer: str) -> None:
        """Check that sound can come from where signalling between ``local`` and ``peer`` leads.

        Raises :class:`ConfigurationError` when it cannot: the engine has a loopback address and
        ``peer`` is on no loopback; or it has none, and the signalling is IPv6.
        """
        if self.address in _ANY:
            if ":" in local:
                raise ConfigurationError(
                    f"sound is IPv4 and the connection to {peer} is not: give the media engine an"
                    " address"
                )
        elif is_loopback(self.address) and not is_loopback(peer):
            raise ConfigurationError(
                f"the media engine has the address {self.address}, where nothing comes from {peer}"
            )

    def open_port(self, index: int | None = None, *, address: str | None = None) -> Port:
        """Bind UDP ``first_port + 2 * index`` (and the next, for RTCP); None: the lowest free one.

        ``address`` is where, for an engine that was opened without one: our end of the signalling
        connection. Raises :class:`PortUnavailable` when it is in use, here or by another program,
        or when all are.
        """
        if index is None:
            return self._open_first(range(self.config.max_ports), address)
        rtp, rtcp_socket = self._bind_pair(index, address)
        host, number = rtp.getsockname()[:2]
        try:
            return self._put_into_service(index, rtp, rtcp_socket)
        except Exception as error:
            # All of it or nothing: a row without its socket would stop the tick of all ports.
            self._ports.pop(index, None)
            self._rows = np.fromiter(self._ports, np.int64, len(self._ports))
            for each in (rtp, rtcp_socket):
                self._of_rtp.pop(each.fileno(), None)
                self._of_rtcp.pop(each.fileno(), None)
                each.close()
            if isinstance(error, OSError):
                raise PortUnavailable(f"UDP {host}:{number}: {error}") from error
            raise

    def reserve(self, index: int, *, address: str | None = None) -> None:
        """Keep the UDP ports of ``index`` bound until :meth:`unreserve`, with a call or without.

        Only :meth:`open_port` with this very index uses them then. Raises :class:`PortUnavailable`
        when they are in use, here or by another program.
        """
        if index in self._reserved:
            raise PortUnavailable(f"port index {index} is reserved already")
        self._reserved[index] = self._bind_pair(index, address)

    def reserve_from(self, first: int, *, address: str | None = None) -> int:
        """Reserve the lowest free port from index ``first`` on and return its index.

        Ports that another program has bound are passed over. Raises :class:`PortUnavailable` when
        none is free.
        """

        def get(index: int) -> int:
            self.reserve(index, address=address)
            return index

        return self._first_of(range(first, self.config.max_ports), get)

    def unreserve(self, index: int) -> None:
        """Release a reservation; a port that is open stays open. Without one nothing happens."""
        self._close_pair(self._reserved.pop(index, None))

    def _bind_pair(self, index: int, address: str | None) -> _Pair:
        if not 0 <= index < self.config.max_ports or index in self._ports:
            raise PortUnavailable(f"port index {index} is in use or out of range")
        # Whatever waits in the old sockets was meant for the call before, or for none.
        resting = self._resting.pop(index, None)
        if resting is not None:
            self._close_sockets(resting[1])
        if index in self._reserved:
            self._close_pair(self._reserved[index])
            self._reserved[index] = None
        number = self.first_port + 2 * index
        host = (address if self.address in _ANY else None) or self.address or _LOOPBACK
        rtp = self._bind(host, number)
        try:
            return rtp, self._bind(host, number + 1)
        except PortUnavailable:
            rtp.close()
            raise

    def _put_into_service(self, index: int, rtp: socket.socket, rtcp: socket.socket) -> Port:
        views = self._outbound.views[index], self._inbound.views[index]
        port = Port(self, index, rtp, rtcp, *views)
        port.symmetric = self.config.symmetric_rtp
        self._ports[index] = port
        if self._opened is not None:
            self._opened.set()
        self._rows = np.array(list(self._ports), np.int64)
        self._of_rtp[rtp.fileno()] = port
        self._of_rtcp[rtcp.fileno()] = port
        for each in (rtp, rtcp):
            self._poll.register(each.fileno(), select.EPOLLIN)
        self._inbound.open(index)
        self._outbound.open(index)
        return port

    def open_spare_port(self, *, address: str | None = None) -> Port:
        """Open the highest free port: for a second stream beside a port whose number is fixed."""
        return self._open_first(reversed(range(self.config.max_ports)), address)

    def _open_first(self, indices: Iterable[int], address: str | None) -> Port:
        return self._first_of(indices, lambda index: self.open_port(index, address=address))

    def _first_of(self, indices: Iterable[int], get: Callable[[int], Made]) -> Made:
        """Get the first that is free; ports that another program has bound are passed over."""
        for index in indices:
            if index in self._ports or index in self._resting or index in self._reserved:
                continue
            try:
                return get(index)
            except PortUnavailable as error:
                why = error.__cause__
                if not isinstance(why, OSError) or why.errno != errno.EADDRINUSE:
                    raise
        raise PortUnavailable(f"all {self.config.max_ports} ports are in use")

    def _bind(self, host: str, number: int) -> socket.socket:
        try:
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        except OSError as error:
            raise PortUnavailable(f"UDP {host}:{number}: {error}") from error
        try:
            udp.setblocking(False)
            udp.bind((host, number))
        except (OSError, OverflowError) as error:
            udp.close()
            why = os_reason(error) if isinstance(error, OSError) else error
            raise PortUnavailable(f"UDP {host}:{number}: {why}") from error
        return udp

    # Requests of ports.

    def is_ours(self, host: str) -> bool:
        """Whether an IPv4 address is this machine's, so that packets to it leave from it."""
        if is_loopback(host):
            return True
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                # A number only: nothing is sent.
                probe.connect((host, _DISCARD))
                return bool(probe.getsockname()[0] == host)
        except OSError:
            return False

    def listen(self, port: Port, codec: Codec, event_type: int | None) -> None:
        """Make the port's row expect a stream."""
        self._inbound.listen(port.index, codec, event_type, trio.current_time())
        port.mismatch.begin(int(self._inbound.unexpected[port.index]))

    def forget(self, port: Port) -> None:
        """Let the port's row drop its stream."""
        self._inbound.forget(port.index)

    def talk(self, port: Port, codec: Codec) -> None:
        """Begin a talk spurt in ``codec``: from the next tick on the port sends."""
        self._outbound.talk(port.index, codec)
        self._sending[port.index] = port
        if port.reports is None:
            port.reports = ReportTimer(
                trio.current_time(), self._random, minimum=self.config.report_interval
            )

    def goodbye(self, port: Port) -> None:
        """Send the last RTCP report, with BYE, and stop sending."""
        self._report(port, trio.current_time(), bye=True)
        port.reports = None
        self._sending.pop(port.index, None)
        self.disconnect(port)

    def disconnect(self, port: Port) -> None:
        """Let the port receive from any address again; its UDP number stays."""
        if port.connected:
            port.connected = False
            # The address family AF_UNSPEC dissolves the connection; Python has no call for that.
            _LIBC.connect(port.rtp_socket.fileno(), bytes(16), 16)

    def release(self, port: Port) -> None:
        """Take the port out of service and let its sockets rest."""
        del self._ports[port.index]
        self._rows = np.array(list(self._ports), np.int64)
        for udp in (port.rtp_socket, port.rtcp_socket):
            self._poll.unregister(udp.fileno())
        self._of_rtp.pop(port.rtp_socket.fileno(), None)
        self._of_rtcp.pop(port.rtcp_socket.fileno(), None)
        self._resting[port.index] = (trio.current_time() + self.config.quarantine, port)

    def statistics_of(self, port: Port) -> PortStatistics:
        """What the port has sent and received since it was opened."""
        inbound, row = self._inbound, port.index
        return PortStatistics(
            sent=int(self._outbound.packets[row]),
            octets_sent=int(self._outbound.octets[row]),
            received=int(inbound.packets[row]),
            octets_received=int(inbound.octets[row]),
            lost=int(inbound.lost[row]),
            late=int(inbound.late[row]),
            duplicates=int(inbound.duplicates[row]),
            garbage=int(inbound.garbage[row]),
            unexpected=int(inbound.unexpected[row]),
            foreign=port.foreign + int(inbound.rivals[row]),
            jitter=float(inbound.jitter[row]) * 1000 / CLOCK_RATE,
            unsent=port.unsent,
            reordered=int(inbound.reordered[row]),
            restarts=int(inbound.restarts[row]),
            skipped=int(inbound.skipped[row]),
            foreign_from=port.mismatch.foreign_from,
            unexpected_type=kind if (kind := int(inbound.unexpected_type[row])) >= 0 else None,
        )

    # The tick.

    async def run(self) -> None:
        """Tick until cancelled; while no port is open, wait for one."""
        due = trio.current_time() + TICK
        while True:
            if not self._ports and not self._resting:
                self._opened = trio.Event()
                await self._opened.wait()
                due = trio.current_time() + TICK
            await trio.sleep_until(due)
            lateness = trio.current_time() - due
            missed = min(int(lateness / TICK), self.config.most_catching_up)
            statistics = self.statistics
            statistics.ticks += 1
            statistics.late_ticks += lateness > 0.005
            statistics.missed_ticks += missed
            statistics.worst_lateness = max(statistics.worst_lateness, lateness)
            if missed and self._trace is not None:
                fields = {"missed": missed, "lateness": round(lateness, 4)}
                self._trace(EventRecord(time.time(), "rtp.ticks_missed", fields))
            try:
                self.tick(trio.current_time(), missed)
            except (OSError, MemoryError) as error:
                # 20 ms of sound are lost, but no call ends.
                statistics.broken_ticks += 1
                if self._told.due(due):
                    _LOG.warning("a tick was not finished%s: %r", self._told.times(), error)
            due += TICK * (1 + int(lateness / TICK))

    def tick(self, now: float, missed: int = 0) -> None:
        """Do the work of one tick, and make up for ``missed`` ones before it."""
        self._send()
        self._receive(now)
        for _ in range(missed + 1):
            self._play_out()
        self._prepare(missed)
        if self.statistics.ticks % _REPORT_EVERY == 0:
            self._housekeeping(now)

    def _send(self) -> None:
        plain: list[int] = []
        traced = self._trace is not None
        for row, port in self._sending.items():
            if not port.plain and port.special is not None:
                self._send_special(port, port.special)
                port.plain = port.special.idle
                continue
            plain.append(row)
            if port.connected and not traced:
                try:
                    port.rtp_socket.send(port.packet)
                except OSError:
                    # A full buffer, or an ICMP error that the kernel remembers: one packet is lost.
                    port.unsent += 1
            else:
                self._send_one(port, port.packet)
        if plain:
            self._outbound.sent(np.array(plain))

    def _send_special(self, port: Port, special: Special) -> None:
        event = self._outbound.special_event(port.index, special)
        if event is not None:
            self._send_one(port, event, keyed=True)
            return
        for packet in self._outbound.special_audio(port.index, special):
            self._send_one(port, packet)

    def _send_one(self, port: Port, data: bytes | memoryview, *, keyed: bool = False) -> None:
        assert port.latch is not None
        try:
            if port.connected:
                port.rtp_socket.send(data)
            else:
                port.rtp_socket.sendto(data, port.latch.remote)
        except OSError:
            port.unsent += 1
            return
        self._record(port.local_address, port.latch.remote, data, keyed=keyed)

    def _record(
        self,
        local: tuple[str, int],
        remote: tuple[str, int],
        data: bytes | memoryview,
        *,
        keyed: bool = False,
    ) -> None:
        if self._trace is not None:
            whole = bytes(data)
            public = whole[:_RTP_HEADER] + b"\xff" + whole[_RTP_HEADER + 1 :] if keyed else None
            self._trace(RtpRecord(time.time(), "sent", local, remote, whole, public))

    def _receive(self, now: float) -> None:
        for _ in range(_ROUNDS):
            rows: list[int] = []
            lengths: list[int] = []
            ready = self._poll.poll(0)
            for descriptor, _event in ready:
                port = self._of_rtp.get(descriptor)
                if port is None:
                    # Gone, when a key pressed in this very round closed it.
                    if (port := self._of_rtcp.get(descriptor)) is not None:
                        self._receive_report(port, now)
                    continue
                try:
                    if port.connected:
                        length = port.rtp_socket.recv_into(port.buffer)
                    else:
                        length, origin = port.rtp_socket.recvfrom_into(port.buffer)
                        if port.latch is None or not port.latch.offer(origin):
                            port.foreign += 1
                            port.mismatch.refuse(origin)
                            continue
                except OSError:
                    continue
                if not port.receiving:
                    port.foreign += 1
                    continue
                rows.append(port.index)
                lengths.append(length)
            if rows:
                for row, event in self._inbound.accept(rows, lengths, now):
                    self._digit(self._ports.get(row), event)
            if not ready:
                return

    def _digit(self, port: Port | None, event: int) -> None:
        digit = digit_of(event)
        if port is not None and port.on_digit is not None and digit is not None:
            try:
                port.on_digit(digit)
            except Exception as error:  # noqa: BLE001  # logged; other ports are not to blame
                self._report_bug(port, "what takes the digits", error)

    def _report_bug(self, port: Port, whose: str, error: Exception) -> None:
        """Log an error in a function that a port was given to call; other ports' sound goes on."""
        if self._told_bugs.due(trio.current_time()):
            times = self._told_bugs.times()
            _LOG.error("internal error%s; %s of %r failed", times, whose, port, exc_info=error)

    def _play_out(self) -> None:
        if not len(self._rows):
            return
        self._inbound.take(self._rows)
        for port in self._ports.values():
            if port.listeners:
                frame = self._inbound.frame[port.index]
                for listener in tuple(port.listeners):
                    try:
                        listener(frame)
                    except Exception as error:  # noqa: BLE001  # logged; other ports are not to blame
                        port.listeners.remove(listener)
                        self._report_bug(port, "a listener", error)

    def _prepare(self, missed: int) -> None:
        if not len(self._rows):
            return
        outbound = self._outbound
        outbound.advance(missed + 1, self._rows)
        speaking: list[int] = []
        for row, port in self._sending.items():
            if port.source is None:
                if port.audible:
                    port.audible = False
                    outbound.hush(row)
                continue
            try:
                samples = port.source.read(FRAME)
            except Exception as error:  # noqa: BLE001  # logged; other ports are not to blame
                self._report_bug(port, "the source", error)
                samples = _NOTHING
            if len(samples) < FRAME:
                outbound.pcm[row, len(samples) :] = 0
                port.source = None
            outbound.pcm[row, : len(samples)] = samples
            port.audible = True
            speaking.append(row)
        if speaking:
            outbound.encode(np.array(speaking))
        outbound.stamp(self._rows)

    # RTCP, and other work that is not needed in every tick.

    def _housekeeping(self, now: float) -> None:
        for port in self._ports.values():
            if port.reports is not None and now >= port.reports.next_deadline():
                self._report(port, now)
            self._settle(port, now)
            if port.foreign or self._inbound.unexpected[port.index]:
                self._complain(port, now)
        for index, (until, port) in list(self._resting.items()):
            if now >= until:
                del self._resting[index]
                if index in self._reserved:
                    self._reserved[index] = port.rtp_socket, port.rtcp_socket
                else:
                    self._close_sockets(port)

    def _settle(self, port: Port, now: float) -> None:
        """Connect a port whose peer is known; disconnect one whose peer has fallen silent."""
        latch, heard_at = port.latch, self._inbound.heard_at[port.index]
        silent = now - heard_at > _FELL_SILENT
        # A source that was followed and sends no sound is left as well as one that fell silent.
        if silent and (port.connected or (latch is not None and latch.verified)):
            self.disconnect(port)
            if latch is not None:
                latch.release()
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
                port.connected = True

    def _complain(self, port: Port, now: float) -> None:
        """Tell of sound that comes and cannot be played."""
        if port.latch is None or not port.receiving:
            return
        row, inbound = port.index, self._inbound
        for why in port.mismatch.complaints(
            port.latch.announced,
            silent=bool(now - inbound.heard_at[row] > SILENT_FOR),
            unexpected=int(inbound.unexpected[row]),
            payload_type=int(inbound.unexpected_type[row]),
        ):
            host, number = port.local_address
            if self._told_mismatch.due(now):
                times = self._told_mismatch.times()
                _LOG.warning("UDP %s:%d: %s%s", host, number, why, times)
            if self._trace is not None:
                fields = {"port": f"{host}:{number}", "reason": f"UDP {host}:{number}: {why}"}
                self._trace(EventRecord(time.time(), NO_MEDIA, fields))

    def _report(self, port: Port, now: float, *, bye: bool = False) -> None:
        if port.latch is None:
            return
        row, inbound, outbound = port.index, self._inbound, self._outbound
        ssrc = int(outbound.ssrc[row])
        blocks: tuple[rtcp.ReportBlock, ...] = ()
        if inbound.ssrc[row] >= 0:
            since, heard = port.last_report or (0, now)
            blocks = (
                rtcp.ReportBlock(
                    ssrc=int(inbound.ssrc[row]),
                    lost=int(inbound.lost[row]),
                    # A peer that skips ahead wraps it within the hour.
                    highest=int(inbound.cycles[row] + inbound.maximum[row]) & 0xFFFFFFFF,
                    jitter=int(inbound.jitter[row]),
                    last_report=rtcp.ntp_middle(since),
                    delay=int((now - heard) * 65536) & 0xFFFFFFFF if since else 0,
                ),
            )
        packets: list[rtcp.RtcpPacket] = [
            rtcp.SenderReport(
                ssrc=ssrc,
                ntp=rtcp.ntp_from_unix(time.time()),
                timestamp=int(outbound.timestamp[row]),
                packets=int(outbound.packets[row]) & 0xFFFFFFFF,
                octets=int(outbound.octets[row]) & 0xFFFFFFFF,
                reports=blocks,
            ),
            rtcp.description(ssrc, f"{self.config.cname}@{port.local_address[0]}"),
        ]
        if bye:
            packets.append(rtcp.Bye(ssrcs=(ssrc,)))
        data = rtcp.build(packets)
        host, number = port.latch.remote
        remote = (host, min(number + 1, 65535))
        with contextlib.suppress(OSError):
            port.rtcp_socket.sendto(data, remote)
            local = (port.local_address[0], port.local_address[1] + 1)
            self._record(local, remote, data)
        if port.reports is not None:
            port.reports.sent(now, len(data) + _UDP_IP)

    def _receive_report(self, port: Port, now: float) -> None:
        try:
            data, origin = port.rtcp_socket.recvfrom(2048)
        except OSError:
            return
        if port.latch is None or origin[0] != port.latch.remote[0]:
            port.foreign += 1
            return
        try:
            packets = rtcp.parse(data)
        except DecodeError:
            self._inbound.garbage[port.index] += 1
            return
        if port.reports is not None:
            port.reports.received(len(data) + _UDP_IP)
        for packet in packets:
            if isinstance(packet, rtcp.SenderReport):
                port.last_report = (packet.ntp, now)
            elif isinstance(packet, rtcp.Bye):
                for ssrc in packet.ssrcs:
                    self._inbound.bye(port.index, ssrc)

    def _close_sockets(self, port: Port) -> None:
        port.rtp_socket.close()
        port.rtcp_socket.close()

    def _close_pair(self, pair: _Pair | None) -> None:
        for udp in pair or ():
            udp.close()

    def close(self) -> None:
        """Close every port, and the sockets that rest or are reserved."""
        for port in list(self._ports.values()):
            port.close()
        for _, port in self._resting.values():
            self._close_sockets(port)
        self._resting.clear()
        for index in list(self._reserved):
            self.unreserve(index)
        self._poll.close()


@contextlib.asynccontextmanager
async def open_engine(
    *,
    address: str | None = None,
    first_port: int = 32000,
    config: EngineConfig | None = None,
    trace: Trace | None = None,
) -> AsyncGenerator[Engine]:
    """Run a media engine: port ``k`` is UDP ``first_port + 2k`` of ``address``.

    Without an ``address`` each port is bound where its call is signalled: to our own address on
    the connection to the call manager. A port that is opened by hand is on 127.0.0.1 then.
    ``first_port`` is even, 1024 to 65534. ``trace`` gets what is sent, never what comes in, so
    that the traces of two sides can be merged; and an event ``rtp.ticks_missed`` whenever the
    process was so late that frames of 20 ms were never sent. Left means that every port is closed.
    """
    if first_port % 2 or not 1024 <= first_port <= 65534:
        raise ValueError(f"first_port {first_port} must be even, 1024 to 65534")
    engine = Engine(address, first_port, config or EngineConfig(), trace, random.random)
    try:
        async with background() as tasks:
            tasks.start_soon(engine.run)
            yield engine
    finally:
        engine.close()
