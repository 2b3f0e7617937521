"""The ports that are served at the same moment of every 20 ms.

Waking Python for each packet is what costs (bench/media.py), so a tick sends and receives for all
ports of a phase, with arrays over ports (:mod:`pa_telephony.rtp.inbound`,
:mod:`pa_telephony.rtp.outbound`) and mostly in one system call
(:mod:`pa_telephony.rtp.exchange`). It sends first: packets lie ready from the tick before, so that
nothing delays them. Then it receives, plays out, and prepares what goes out next time.

What a tick does with which port is written down in lists (:mod:`pa_telephony.rtp.plan`) that are
only read in a tick.
"""

from __future__ import annotations

import itertools
import select
from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias

import numpy as np

from pa_telephony.rtp import reports
from pa_telephony.rtp.dtmf import digit_of
from pa_telephony.rtp.exchange import Came, Exchanges, not_sent
from pa_telephony.rtp.g711 import Samples, encode
from pa_telephony.rtp.inbound import Inbound
from pa_telephony.rtp.jitter import FRAME
from pa_telephony.rtp.outbound import Outbound, Special
from pa_telephony.rtp.packet import HEADER_SIZE
from pa_telephony.rtp.plan import Ear, Plan
from pa_telephony.rtp.port import Port
from pa_telephony.rtp.rows import NOBODY, Rows, whole
from pa_telephony.rtp.session import Address

__all__ = ["TICK", "Phase", "PhaseOwner"]

TICK = 0.02
"""Seconds between two ticks of a phase."""

_ROUNDS = 8
"""Packets one port may deliver in one tick, and one more for each that was missed before; the
kernel keeps the rest for the next."""
_ALL_AGAIN = 50
"""Ticks in which each port is once read until it is empty: a sender's clock may be faster than
ours."""
_TURN = 5
"""Ticks between two parts of what is done for each port now and then."""
_AT_ONCE = 256
"""Sockets that the kernel names at once as ready."""
_BEHIND = 1
"""Packets that may wait for a later tick, where the playout delay leaves time for that: one that
comes just when its port is read is sometimes a tick earlier and sometimes later."""
_REPORTS_EVERY = 5
"""Ticks after which RTCP is looked for where all ports are read in every tick."""
_QUIET = 10
"""Ticks without a packet after which a port is not read in vain any more, but waited for."""
_WHOLE = (FRAME,)
_SILENT = np.zeros(FRAME, np.int16)
_NOTHING = _SILENT[:0]

_Reader: TypeAlias = tuple[Callable[[memoryview], int], memoryview, int]
"""How a port is read, where to, and its row."""


class PhaseOwner(Protocol):
    """What a phase tells of: its engine."""

    def record(
        self, local: Address, remote: Address, data: bytes | memoryview, *, keyed: bool = False
    ) -> None:
        """Note what was sent; ``keyed`` says that it tells a digit."""
        ...

    def settle(self, port: Port, now: float) -> None:
        """Connect a port to its peer, who has been heard."""
        ...

    def report_bug(self, port: Port, whose: str, error: Exception) -> None:
        """Note an error in a function that a port was given to call."""
        ...


class Phase:
    """Some ports of an engine; ``offset`` is how far into each 20 ms they are served, in seconds.

    ``watched`` says that whatever is sent has to be noted.
    """

    def __init__(
        self,
        offset: float,
        inbound: Inbound,
        outbound: Outbound,
        exchanges: Exchanges,
        owner: PhaseOwner,
        *,
        watched: bool,
    ) -> None:
        self.offset = offset
        self.due = 0.0
        """When the next tick begins, on trio's clock."""
        self.load = 0.0
        """About how long a tick takes, in seconds of CPU time; the owner keeps count."""
        self.ticks = round(offset / TICK * _TURN)
        """How many there were; those of phases differ, as does what they do now and then."""
        self.ports: dict[int, Port] = {}
        """The ports by row."""
        self._changed: set[int] = set()
        """The rows whose ports have come, gone or changed since the plan was made."""
        self._unfinished = False
        """Whether the plan was not made to its end, and is to be in the next tick."""
        self._inbound = inbound
        self._outbound = outbound
        self._owner = owner
        self._plan = Plan(inbound.frame, outbound.codec_of, owner.report_bug, watched=watched)
        self._exchanges = exchanges
        self._exchange = exchanges.new()
        self._watched = watched
        self._behind = _BEHIND if inbound.delay > _BEHIND else 0
        self._poll = select.epoll()
        self._of_rtp: dict[int, Port] = {}
        self._of_rtcp: dict[int, Port] = {}
        self._steady: dict[int, _Reader] = {}
        """The rows that are read in every tick; all others are waited for with epoll."""
        self._owed: dict[int, int] = {}
        """How many packets did not come in their tick, by row: two may come in a later one."""

    def add(self, port: Port) -> None:
        """Take a port into service. All or nothing: an OSError leaves the phase as it was."""
        rtp, rtcp = port.rtp_socket.fileno(), port.rtcp_socket.fileno()
        self._poll.register(rtp, select.EPOLLIN)
        try:
            self._poll.register(rtcp, select.EPOLLIN)
        except OSError:
            self._poll.unregister(rtp)
            raise
        self.ports[port.index] = self._of_rtp[rtp] = self._of_rtcp[rtcp] = port
        self.changed(port)

    def remove(self, port: Port) -> None:
        """Take a port out of service."""
        rtp, rtcp = port.rtp_socket.fileno(), port.rtcp_socket.fileno()
        self._owed.pop(port.index, None)
        if self._steady.pop(port.index, None) is None:
            self._poll.unregister(rtp)
        self._poll.unregister(rtcp)
        del self.ports[port.index], self._of_rtp[rtp], self._of_rtcp[rtcp]
        self.changed(port)

    def changed(self, port: Port) -> None:
        """Let the next tick look what is to be done with a port."""
        self._changed.add(port.index)

    def end_key(self, port: Port) -> None:
        """End the telephone event that goes out, before the port sends elsewhere or no more."""
        if port.special is not None:
            for packet in self._outbound.event_ends(port.index, port.special):
                self._send_one(port, packet, keyed=True)

    def close(self) -> None:
        """Give the epoll object back."""
        self._poll.close()

    def tick(self, now: float, missed: int = 0) -> None:
        """Do the work of one tick, and make up for ``missed`` ones before it."""
        self.ticks += 1
        self._settle()
        self._send_others()
        lengths, missing = self._move()
        absent = frozenset(missing)
        again = self._receive(lengths, absent, now)
        if missed:
            again = sorted(self._steady.keys() - absent)
        for _ in range(missed):
            # In the order of ticks that were in time, in which the playout rings never overflow.
            self._play_out()
            self._read_again(again, now, rounds=1)
        self._receive_more(again, absent, now)
        self._play_out()
        self._settle()
        self._prepare(missed)

    def leave_out(self, ticks: int) -> None:
        """Let the senders' clocks run on in so many ticks that nobody makes up for."""
        if ticks:
            self._outbound.advance(ticks, self._plan.all.rows)

    def in_turn(self, every: int) -> list[int]:
        """The rows of the ports whose turn it is in this tick: each has it once in ``every``.

        A part of them every few ticks: all in one tick would make it late, and those of the other
        phases too; some in each tick cost more, for what they need is not in the caches then.
        """
        turn, between = divmod(self.ticks, _TURN)
        if between:
            return []
        parts = every // _TURN
        ports = self._plan.all.ports[turn % parts :: parts]
        return [port.index for port in ports if not port.closed]

    def _settle(self) -> None:
        """Put the ports that have changed where they belong in the plan."""
        if not self._changed and not self._unfinished:
            return
        changed, self._changed = self._changed, set()
        try:
            for row in changed:
                self._place(row)
            if self._plan.settle() or self._unfinished:
                self._exchange.plan(self._plan.plain.ports, self._plan.readers.ports)
            self._unfinished = False
        except Exception:
            self._changed |= changed
            self._unfinished = True
            raise

    def _place(self, row: int) -> None:
        port = self.ports.get(row)
        if port is None:
            self._plan.drop(row)
            return
        if row in self._steady and not port.takes_all:
            self._wait_for(port)
        self._plan.update(port, steady=row in self._steady)

    # Sending.

    def _move(self) -> Came:
        """Send what plain ports have ready, and read a packet of each that is read every time."""
        try:
            came = self._exchange.move()
        except OSError as error:
            self._unfinished = True
            self._exchange = self._exchanges.instead(error)
            self._settle()
            came = self._exchange.move()
        if self._plan.plain.ports:
            self._outbound.sent(self._plan.plain.rows)
        return came

    def _send_others(self) -> None:
        """Send for the ports of which a packet may be something else, or go elsewhere."""
        others = [port for port in self._plan.careful.ports if self._send_carefully(port)]
        if others:
            self._outbound.sent(_rows_of(others))

    def _send_carefully(self, port: Port) -> bool:
        """Send what a port has ready; whether that was one packet of 20 ms of audio."""
        if port.plain or port.special is None:
            self._send_one(port, port.packet)
            return True
        self._send_special(port, port.special)
        port.plain = port.special.idle
        if port.plain:
            self.changed(port)
        return False

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
        except OSError as error:
            not_sent(port, self._outbound, len(data) - HEADER_SIZE, error.errno or 0)
            return
        if self._watched:
            self._owner.record(port.local_address, port.latch.remote, data, keyed=keyed)

    # Receiving.

    def _receive(self, lengths: list[int], absent: frozenset[int], now: float) -> list[int]:
        """Take what the ports that are read in every tick have got; the rows where that is odd."""
        readers = self._plan.readers
        rows = readers.rows
        if absent:
            rows = np.array([p.index for p in readers.ports if p.index not in absent], np.int64)
        return self._accept(rows, lengths, now)

    def _receive_more(self, rows: list[int], absent: frozenset[int], now: float) -> None:
        """Read ``rows`` until they are empty, and others of which more may have come."""
        again = [row for row, owed in self._owed.items() if owed > self._behind]
        again += rows + self.in_turn(_ALL_AGAIN)
        if again:
            self._read_again([row for row in again if row not in absent], now, _ROUNDS - 1)
        for row in absent:
            self._owe(row)
        # Reports alone have time.
        if len(self._steady) < len(self.ports) or self.ticks % _REPORTS_EVERY == 0:
            self._receive_awaited(now)

    def _owe(self, row: int) -> None:
        """Note that no packet came from a row that is read in every tick."""
        if row in self._steady:
            self._owed[row] = self._owed.get(row, 0) + 1
            if self._owed[row] >= _QUIET:
                self._wait_for(self.ports[row])

    def _read_again(self, rows: Iterable[int], now: float, rounds: int) -> None:
        """Read ports of which more than one packet may have come, until there are no more."""
        for _ in range(rounds):
            lengths: list[int] = []
            found: list[int] = []
            for row in dict.fromkeys(rows):
                # A key that was pressed may have ended any call, or put it on hold.
                reader = self._steady.get(row)
                if reader is None or not self.ports[row].takes_all:
                    continue
                try:
                    lengths.append(reader[0](reader[1]))
                except OSError:
                    self._owed.pop(row, None)
                else:
                    found.append(row)
            if not found:
                return
            self._accept(np.array(found, np.int64), lengths, now)
            rows = found

    def _receive_awaited(self, now: float) -> None:
        """Receive for all ports that are not read in every tick."""
        heard: set[int] = set()
        for _ in range(_ROUNDS):
            rows: list[int] = []
            lengths: list[int] = []
            ready = self._poll.poll(0, _AT_ONCE)
            for descriptor, _event in ready:
                port = self._of_rtp.get(descriptor)
                if port is None:
                    # Gone, when a key pressed in this very round closed it.
                    if (port := self._of_rtcp.get(descriptor)) is not None:
                        reports.receive(port, self._inbound, now)
                elif (length := self._receive_one(port)) is not None:
                    rows.append(port.index)
                    lengths.append(length)
            self._accept(np.array(rows, np.int64), lengths, now)
            heard.update(rows)
            if not ready:
                break
        for row in heard:
            port = self.ports.get(row)
            if port is not None and not port.connected:
                self._owner.settle(port, now)
            if port is not None and port.takes_all:
                self._read_always(port)

    def _receive_one(self, port: Port) -> int | None:
        """How long the packet is that came to a port; None where it is not taken."""
        try:
            if port.connected:
                length = port.rtp_socket.recv_into(port.buffer)
            else:
                length, origin = port.rtp_socket.recvfrom_into(port.buffer)
                peer = port.peer
                if peer is None or not peer.offer(origin):
                    port.foreign += 1
                    port.mismatch.refuse(origin)
                    return None
        except OSError:
            return None
        if not port.receiving:
            port.foreign += 1
            return None
        return length

    def _accept(self, rows: Rows, lengths: list[int], now: float) -> list[int]:
        """Take the packets that were read; the rows whose packet was not simply the next one."""
        if not lengths:
            return []
        for row, event in self._inbound.accept(rows, lengths, now):
            self._digit(self.ports.get(row), event)
        return self._inbound.odd

    def _read_always(self, port: Port) -> None:
        self._poll.unregister(port.rtp_socket.fileno())
        self._steady[port.index] = (port.rtp_socket.recv_into, port.buffer, port.index)
        self.changed(port)

    def _wait_for(self, port: Port) -> None:
        self._poll.register(port.rtp_socket.fileno(), select.EPOLLIN)
        del self._steady[port.index]
        self._owed.pop(port.index, None)
        self.changed(port)

    def _digit(self, port: Port | None, event: int) -> None:
        digit = digit_of(event)
        if port is not None and port.on_digit is not None and digit is not None:
            try:
                port.on_digit(digit)
            except Exception as error:  # noqa: BLE001  # logged; other ports are not to blame
                self._owner.report_bug(port, "what takes the digits", error)

    # Playing out, and preparing the next packets.

    def _play_out(self) -> None:
        ears = list(itertools.compress(self._plan.ears, self._plan.listeners))
        self._inbound.take(self._plan.all.rows, self._heard(ears))
        for listeners, frame, port in ears:
            for listener in tuple(listeners):
                try:
                    listener(frame)
                except Exception as error:  # noqa: BLE001  # logged; other ports are not to blame
                    listeners.remove(listener)
                    self._owner.report_bug(port, "a listener", error)

    def _heard(self, ears: list[Ear]) -> Rows:
        """The rows of ports that somebody listens to."""
        if not ears:
            return NOBODY
        if len(ears) == len(self._plan.ears):
            return self._plan.all.rows
        return _rows_of([port for *_, port in ears])

    def _prepare(self, missed: int) -> None:
        outbound, plan = self._outbound, self._plan
        outbound.advance(missed + 1, plan.all.rows)
        for row, port in plan.falling_silent.items():
            port.audible = False
            outbound.hush(row)
        plan.falling_silent.clear()
        if plan.players.ports:
            outbound.put(plan.players.rows, self._next_payloads())
        for codec, group in plan.aloud.items():
            if group.ports:
                samples = np.concatenate([self._read(port) for port in group.ports])
                outbound.encode(codec, group.rows, samples)
        outbound.stamp(plan.all.rows)

    def _next_payloads(self) -> bytes:
        """The next 20 ms of every sound that lies ready, encoded."""
        found: list[bytes] = []
        players = self._plan.players.ports
        coming = map(next, self._plan.payloads, itertools.repeat(b""))
        while len(found) < len(players):
            try:
                found.extend(coming)
            except Exception as error:  # noqa: BLE001  # logged; other ports are not to blame
                self._owner.report_bug(players[len(found)], "the source", error)
                found.append(b"")
        try:
            if list(map(len, found)).count(FRAME) == len(found):
                whole = b"".join(found)
                if len(whole) == FRAME * len(found):
                    return whole
        except TypeError:
            # A source gives what are no octets.
            pass
        for at, port in enumerate(players):
            if type(found[at]) is not bytes or len(found[at]) != FRAME:
                found[at] = encode(self._read(port), self._outbound.codec_of(port.index))
        return b"".join(found)

    def _read(self, port: Port) -> Samples:
        """Read the next 20 ms of a port's sound; where it ends, the rest is silence."""
        try:
            samples = _NOTHING if port.source is None else port.source.read(FRAME)
            if np.shape(samples) != _WHOLE:
                samples = _filled_up(samples)
                port.source = None
            return np.asarray(samples, np.int16)
        except Exception as error:  # noqa: BLE001  # logged; other ports are not to blame
            self._owner.report_bug(port, "the source", error)
            port.source = None
            return _SILENT


def _filled_up(samples: Samples) -> Samples:
    """The last samples of a source, and silence behind them."""
    shape = np.shape(samples)
    if len(shape) != 1 or shape[0] > FRAME:
        raise ValueError(f"samples of shape {shape}: at most {FRAME} in a row were asked for")
    return np.concatenate((samples, _SILENT[len(samples) :]))


def _rows_of(ports: list[Port]) -> Rows:
    return whole(np.array([port.index for port in ports], np.int64))
