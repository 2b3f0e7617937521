"""The media engine: the media ports of a program, and the task that serves them every 20 ms.

All ports at once would be one long burst, in which the last one's packets are late. So the 20 ms
are cut into slots, and as many slots become phases (:mod:`pa_telephony.rtp.phase`) as it takes
that the work of each fits into its slot.
"""

from __future__ import annotations

import contextlib
import logging
import math
import random
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass
from typing import Final

import trio

from pa_telephony.address import is_loopback
from pa_telephony.errors import ConfigurationError
from pa_telephony.faults import MOST_BUGS, Seldom
from pa_telephony.rtp.exchange import Exchanges
from pa_telephony.rtp.inbound import Inbound
from pa_telephony.rtp.outbound import Outbound
from pa_telephony.rtp.pacing import Pacer
from pa_telephony.rtp.packet import CLOCK_RATE, Codec
from pa_telephony.rtp.phase import TICK, Phase
from pa_telephony.rtp.port import Port, PortStatistics
from pa_telephony.rtp.session import Address
from pa_telephony.rtp.sockets import ANY, Pair, PairPool, PortUnavailable, is_local
from pa_telephony.rtp.upkeep import Upkeep
from pa_telephony.tasks import background
from pa_telephony.trace import EventRecord, RtpRecord, Trace, guarded

__all__ = ["Engine", "EngineConfig", "EngineStatistics", "PortUnavailable", "open_engine"]

_SLOTS: Final = (0, 4, 2, 6, 1, 5, 3, 7)
"""In which order the slots of 2.5 ms are used: each as far from the others as can be."""
_ROOM: Final = 0.0015
"""Seconds of work after which a phase is full."""
_WORK: Final = 6e-6
"""About what a port that is opened will add to a tick, in seconds, until it is measured."""
_STEP: Final = 10e-6
"""By how much one tick changes what is known of a phase's work, in seconds."""
_RTP_HEADER = 12
"""Octets of the headers that we send: no contributing sources.

An RFC 4733 packet has its key right behind them.
"""
_LOG = logging.getLogger("pa_telephony.rtp")


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
    announced_only: bool = False
    """Whether ports hear only the peers that they send to; see :attr:`Port.announced_only`."""
    cname: str = "pa-telephony"
    tos: int = 0xB8
    """The octet in the IP header by which networks prefer a packet (0 to 255), in RTP and RTCP:
    DSCP 46, EF, as phones have it (RFC 4594 section 4.1)."""
    io_uring: bool = True
    """Whether a phase moves its packets in one system call, where the system has that; see
    :attr:`Engine.one_by_one`."""


@dataclass(slots=True)
class EngineStatistics:
    """Counters that tell how well the engine keeps time. Each phase has ticks of its own."""

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
        self._inbound = Inbound(config.max_ports, delay=config.playout_delay)
        self._outbound = Outbound(config.max_ports, random)
        self._pairs = PairPool(address, first_port, config.max_ports, quarantine=config.quarantine)
        self._phases: dict[int, Phase] = {}
        """The phases that were needed so far, by slot."""
        self._phase_of: dict[int, Phase] = {}
        """The phase of each row that is in service."""
        self._began = 0.0
        """When the slots began, on trio's clock."""
        self._pacer = Pacer()
        self._told, self._told_bugs = Seldom(), Seldom(at_once=MOST_BUGS)
        self._upkeep = Upkeep(
            self._inbound,
            self._outbound,
            random,
            self,
            self._trace,
            cname=config.cname,
            report_interval=config.report_interval,
        )
        self._opened = trio.Event()
        but = None if trace is None else "each packet is traced"
        if not config.io_uring:
            but = "io_uring is turned off in the configuration"
        self._exchanges = Exchanges(self._inbound, self._outbound, but=but)

    @property
    def one_by_one(self) -> str | None:
        """Why each packet takes a system call of its own, which costs more; None: it does not."""
        return self._exchanges.one_by_one

    def check_signalling(self, local: str, peer: str) -> None:
        """Check that sound can come from where signalling between ``local`` and ``peer`` leads.

        Raises :class:`ConfigurationError` when it cannot: the engine has a loopback address and
        ``peer`` is on no loopback; or it has none, and the signalling is IPv6.
        """
        if self.address in ANY:
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
        pair = self._pairs.take(index, address)
        host, number = pair[0].getsockname()[:2]
        try:
            return self._put_into_service(index, pair)
        except Exception as error:
            # All of it or nothing: a row without its socket would stop the tick of its phase.
            self._pairs.drop(index, pair)
            if isinstance(error, OSError):
                raise PortUnavailable(f"UDP {host}:{number}: {error}") from error
            raise

    def reserve(self, index: int, *, address: str | None = None) -> None:
        """Keep the UDP ports of ``index`` bound until :meth:`unreserve`, with a call or without.

        Only :meth:`open_port` with this very index uses them then. Raises :class:`PortUnavailable`
        when they are in use, here or by another program.
        """
        self._pairs.reserve(index, address)

    def reserve_from(self, first: int, *, address: str | None = None) -> int:
        """Reserve the lowest free port from index ``first`` on and return its index.

        Ports that another program has bound are passed over. Raises :class:`PortUnavailable` when
        none is free.
        """

        def get(index: int) -> int:
            self.reserve(index, address=address)
            return index

        return self._pairs.first_of(range(first, self.config.max_ports), get)

    def unreserve(self, index: int) -> None:
        """Release a reservation; a port that is open stays open. Without one nothing happens."""
        self._pairs.unreserve(index)

    def _put_into_service(self, index: int, pair: Pair) -> Port:
        views = self._outbound.views[index], self._inbound.views[index]
        port = Port(self, index, *pair, *views)
        port.symmetric = self.config.symmetric_rtp
        port.announced_only = self.config.announced_only
        port.mark(self.config.tos)
        phase = self._choose_phase()
        phase.add(port)
        self._phase_of[index] = phase
        self._inbound.open(index)
        self._outbound.open(index)
        self._opened.set()
        return port

    def _choose_phase(self) -> Phase:
        """The fullest phase that has room, or a new one; without any the one with least to do.

        A port keeps its phase, so that the rhythm of its packets never changes.
        """
        now = trio.current_time()
        used = self._used()
        if not used:
            self._began = now
        roomy = [each for each in used.values() if each.load + _WORK <= _ROOM]
        free = [slot for slot in _SLOTS if slot not in used]
        if roomy:
            phase = max(roomy, key=lambda each: each.load)
        elif free:
            phase = self._begin_phase(free[0], now)
        else:
            phase = min(used.values(), key=lambda each: each.load)
        phase.load += _WORK
        return phase

    def _used(self) -> dict[int, Phase]:
        """The phases that have ports, by slot."""
        return {slot: phase for slot, phase in self._phases.items() if phase.ports}

    def _begin_phase(self, slot: int, now: float) -> Phase:
        phase = self._phases.get(slot)
        if phase is None:
            offset = slot * TICK / len(_SLOTS)
            arrays = self._inbound, self._outbound
            watched = self._trace is not None
            phase = Phase(offset, *arrays, self._exchanges, self, watched=watched)
            self._phases[slot] = phase
        phase.load = 0.0
        passed = now - self._began - phase.offset
        phase.due = self._began + phase.offset + TICK * (1 + math.ceil(passed / TICK))
        return phase

    def open_spare_port(self, *, address: str | None = None) -> Port:
        """Open the highest free port: for a second stream beside a port whose number is fixed."""
        return self._open_first(reversed(range(self.config.max_ports)), address)

    def _open_first(self, indices: Iterable[int], address: str | None) -> Port:
        return self._pairs.first_of(indices, lambda index: self.open_port(index, address=address))

    # Requests of ports.

    def is_ours(self, host: str) -> bool:
        """Whether an IPv4 address is this machine's, so that packets to it leave from it."""
        return is_local(host)

    def changed(self, port: Port) -> None:
        """Let the next tick look what is to be done with the port."""
        phase = self._phase_of.get(port.index)
        if phase is not None:
            phase.changed(port)

    def next_tick(self, port: Port) -> float:
        """When the port's next packet goes out, on trio's clock."""
        return self._phase_of[port.index].due

    def listen(self, port: Port, codec: Codec, event_type: int | None) -> None:
        """Make the port's row expect a stream."""
        self._inbound.listen(port.index, codec, event_type, trio.current_time())
        self._begin_stream(port)

    def _begin_stream(self, port: Port) -> None:
        port.mismatch.begin(int(self._inbound.unexpected[port.index]), port.unsent)
        self.changed(port)

    def forget(self, port: Port) -> None:
        """Let the port's row drop its stream."""
        self._inbound.forget(port.index)
        self.changed(port)

    def talk(self, port: Port, codec: Codec) -> None:
        """Begin a talk spurt in ``codec``: from the next tick on the port sends."""
        self._outbound.talk(port.index, codec)
        self._begin_stream(port)
        self._upkeep.begin_reports(port, trio.current_time())

    def end_key(self, port: Port) -> None:
        """Let a key that is being sent end now, so that nobody hears it for ever."""
        self._phase_of[port.index].end_key(port)

    def goodbye(self, port: Port) -> None:
        """Send the last RTCP report, with BYE, and stop sending."""
        self.end_key(port)
        self._upkeep.end_reports(port, trio.current_time())
        self.disconnect(port)
        self.changed(port)

    def disconnect(self, port: Port) -> None:
        """Let the port receive from any address again; its UDP number stays."""
        self._upkeep.disconnect(port)

    def release(self, port: Port) -> None:
        """Take the port out of service and let its sockets rest."""
        phase = self._phase_of.pop(port.index)
        phase.load *= 1 - 1 / len(phase.ports)
        phase.remove(port)
        self._pairs.give_back(port.index, (port.rtp_socket, port.rtcp_socket), trio.current_time())

    def statistics_of(self, port: Port) -> PortStatistics:
        """What the port has sent and received since it was opened."""
        inbound, row = self._inbound, port.index
        heard = inbound.reception(row)
        return PortStatistics(
            sent=int(self._outbound.packets[row]),
            octets_sent=self._outbound.octets(row),
            received=int(inbound.packets[row]),
            octets_received=inbound.octets(row),
            lost=int(inbound.lost[row]),
            late=int(inbound.late[row]),
            duplicates=int(inbound.duplicates[row]),
            garbage=int(inbound.garbage[row]),
            unexpected=int(inbound.unexpected[row]),
            foreign=port.foreign + int(inbound.rivals[row]),
            jitter=heard.jitter * 1000 / CLOCK_RATE if heard else 0.0,
            unsent=port.unsent,
            reordered=int(inbound.reordered[row]),
            restarts=int(inbound.restarts[row]),
            skipped=int(inbound.skipped[row]),
            foreign_from=port.mismatch.foreign_from,
            unexpected_type=kind if (kind := int(inbound.unexpected_type[row])) >= 0 else None,
        )

    # The ticks.

    async def run(self) -> None:
        """Tick until cancelled; while no port is open, wait for one."""
        while True:
            used = self._used()
            if not used:
                await self._idle()
                continue
            phase = min(used.values(), key=lambda each: each.due)
            due = phase.due
            await self._pacer.until(due)
            if phase.due != due:
                # Its last port was closed meanwhile, and another opened.
                continue
            missed = self._measure(trio.current_time() - due)
            phase.due += TICK * (1 + missed)
            begun = time.thread_time()
            try:
                made_up = min(missed, self.config.most_catching_up)
                phase.leave_out(missed - made_up)
                self._tick(phase, made_up)
            except (OSError, MemoryError) as error:
                # 20 ms of sound are lost, but no call ends.
                self.statistics.broken_ticks += 1
                if self._told.due(due):
                    _LOG.warning("a tick was not finished%s: %r", self._told.times(), error)
            # Towards the median: one tick that took long says nothing.
            longer = time.thread_time() - begun > phase.load
            phase.load = max(0.0, phase.load + (_STEP if longer else -_STEP))

    async def _idle(self) -> None:
        """Wait until a port is opened; meanwhile free the sockets that have rested."""
        self._opened = trio.Event()
        with trio.move_on_at(self._pairs.next_end_of_rest()):
            await self._opened.wait()
        self._pairs.end_rests(trio.current_time())

    def _measure(self, lateness: float) -> int:
        """Count how late a tick is; the number of ticks that passed meanwhile."""
        missed = int(lateness / TICK)
        statistics = self.statistics
        statistics.ticks += 1
        statistics.late_ticks += lateness > 0.005
        statistics.missed_ticks += min(missed, self.config.most_catching_up)
        statistics.worst_lateness = max(statistics.worst_lateness, lateness)
        if missed and self._trace is not None:
            fields = {"missed": missed, "lateness": round(lateness, 4)}
            self._trace(EventRecord(time.time(), "rtp.ticks_missed", fields))
        return missed

    def tick(self, now: float, missed: int = 0) -> None:
        """Do the work of one tick for all ports, and make up for ``missed`` ones before it."""
        for phase in list(self._phases.values()):
            self._tick(phase, missed, now)

    def _tick(self, phase: Phase, missed: int, now: float | None = None) -> None:
        now = trio.current_time() if now is None else now
        phase.tick(now, missed)
        self._upkeep.look_after(phase, now)
        self._pairs.end_rests(now)

    def report_bug(self, port: Port, whose: str, error: Exception) -> None:
        """Log an error in a function that a port was given to call; other ports' sound goes on."""
        if self._told_bugs.due(trio.current_time()):
            times = self._told_bugs.times()
            _LOG.error("internal error%s; %s of %r failed", times, whose, port, exc_info=error)

    def record(
        self, local: Address, remote: Address, data: bytes | memoryview, *, keyed: bool = False
    ) -> None:
        """Give the trace what was sent; of a packet that tells a digit, a version without it."""
        if self._trace is not None:
            whole = bytes(data)
            public = whole[:_RTP_HEADER] + b"\xff" + whole[_RTP_HEADER + 1 :] if keyed else None
            self._trace(RtpRecord(time.time(), "sent", local, remote, whole, public))

    def settle(self, port: Port, now: float) -> None:
        """Connect a port to its peer, who has been heard."""
        self._upkeep.settle(port, now)

    def close(self) -> None:
        """Close every port, and the sockets that rest or are reserved."""
        for phase in self._phases.values():
            for port in list(phase.ports.values()):
                port.close()
        self._pairs.close()
        for phase in self._phases.values():
            phase.close()
        self._exchanges.close()
        self._pacer.close()


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
    config = config or EngineConfig()
    if not 0 <= config.tos <= 0xFF:
        raise ValueError(f"tos {config.tos} must be 0 to 255")
    engine = Engine(address, first_port, config, trace, random.random)
    try:
        async with background() as tasks:
            tasks.start_soon(engine.run)
            yield engine
    finally:
        engine.close()
