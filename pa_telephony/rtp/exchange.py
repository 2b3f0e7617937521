"""How the ports of a phase send and receive that do the same in every tick.

:class:`OneByOne` makes a system call for each packet, :class:`AllAtOnce` one for all of a phase,
where the system has that (:mod:`pa_telephony.rtp.uring`). Both do the same in the same order.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

import numpy as np

from pa_telephony.rtp.inbound import DATAGRAM, Inbound
from pa_telephony.rtp.jitter import FRAME
from pa_telephony.rtp.outbound import PACKET, Outbound
from pa_telephony.rtp.port import Port
from pa_telephony.rtp.uring import Slots, Uring, UringUnavailable, open_uring
from pa_telephony.tasks import os_reason

__all__ = ["AllAtOnce", "Came", "Exchange", "Exchanges", "OneByOne", "not_sent"]

Came: TypeAlias = tuple[list[int], list[int]]
"""How long the packets are that came, in the order of the ports that are read; and the rows where
none came."""

_LOG = logging.getLogger("pa_telephony.rtp")


class Exchange(Protocol):
    """A way to send the packets that lie ready, and to receive one for each port."""

    def plan(self, senders: Sequence[Port], readers: Sequence[Port]) -> None:
        """Note which ports send, all connected to their peers, and which are read."""
        ...

    def move(self) -> Came:
        """Send and receive; a packet that cannot be sent is counted at its port."""
        ...


class OneByOne:
    """A system call for each packet."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        self._senders: list[tuple[int, memoryview, Port]] = []
        self._readers: list[tuple[Callable[[memoryview], int], memoryview, int]] = []

    def plan(self, senders: Sequence[Port], readers: Sequence[Port]) -> None:
        """Note what each system call needs."""
        self._senders = [(port.rtp_socket.fileno(), port.packet, port) for port in senders]
        self._readers = [(port.rtp_socket.recv_into, port.buffer, port.index) for port in readers]

    def move(self) -> Came:
        """Send to all, then read all."""
        for descriptor, packet, port in self._senders:
            try:
                # Somewhat faster than socket.send.
                os.write(descriptor, packet)
            except OSError as error:
                # A full buffer, or an ICMP error that the kernel remembers: one packet is lost.
                not_sent(port, self._outbound, FRAME, error.errno or 0)
        lengths: list[int] = []
        missing: list[int] = []
        for receive, buffer, row in self._readers:
            try:
                lengths.append(receive(buffer))
            except OSError:
                missing.append(row)
        return lengths, missing


class AllAtOnce:
    """One system call for all packets: each row has two slots of ``uring``, which is not ours."""

    def __init__(self, uring: Uring, inbound: Inbound, outbound: Outbound) -> None:
        self._uring = uring
        self._inbound = inbound
        self._outbound = outbound
        self._senders: Sequence[Port] = ()
        self._readers: Sequence[Port] = ()
        self._slots: Slots = np.zeros(0, np.uint32)

    def plan(self, senders: Sequence[Port], readers: Sequence[Port]) -> None:
        """Write the requests into their slots."""
        self._senders, self._readers = senders, readers
        sources, targets = self._outbound.addresses, self._inbound.addresses
        sending, reading = _rows(senders), _rows(readers)
        into = reading + np.uint32(len(sources))
        self._uring.prepare_sends(sending, _descriptors(senders), sources[sending], PACKET)
        self._uring.prepare_receives(into, _descriptors(readers), targets[reading], DATAGRAM)
        self._slots = np.concatenate((sending, into))

    def move(self) -> Came:
        """Send to all, then read all. Raises OSError when the kernel takes no requests any more."""
        if not len(self._slots):
            return [], []
        found: list[int] = self._uring.run(self._slots).tolist()
        lengths = found[len(self._senders) :]
        if min(found) >= 0:
            return lengths, []
        for port, result in zip(self._senders, found, strict=False):
            if result < 0:
                # As above: one packet is lost.
                not_sent(port, self._outbound, FRAME, -result)
        missing = [
            port.index for port, length in zip(self._readers, lengths, strict=True) if length < 0
        ]
        return [length for length in lengths if length >= 0], missing


class Exchanges:
    """The ways of an engine's phases. ``but`` is why they are to be :class:`OneByOne`, if so."""

    def __init__(self, inbound: Inbound, outbound: Outbound, *, but: str | None) -> None:
        self._inbound = inbound
        self._outbound = outbound
        self.one_by_one = but
        """Why each packet takes a system call of its own; None while it does not."""
        self._uring: Uring | None = None
        if but is None:
            try:
                self._uring = open_uring(2 * len(inbound.views))
            except UringUnavailable as error:
                self.one_by_one = str(error)
                _LOG.info("each RTP packet takes a system call of its own: %s", error)

    def new(self) -> Exchange:
        """The best way that there is."""
        if self._uring is None or self.one_by_one is not None:
            return OneByOne(self._outbound)
        return AllAtOnce(self._uring, self._inbound, self._outbound)

    def instead(self, error: OSError) -> Exchange:
        """Another way, for a phase whose exchange ended with ``error``: sound goes on."""
        if self.one_by_one is None:
            self.one_by_one = f"io_uring_enter: {os_reason(error)}"
            _LOG.warning("each RTP packet takes a system call of its own now: %s", self.one_by_one)
        return self.new()

    def close(self) -> None:
        """Give back what the system gave; no exchange is used any more."""
        if self._uring is not None:
            self._uring.close()


def not_sent(port: Port, outbound: Outbound, octets: int, error_number: int) -> None:
    """Note that the system did not send a packet with so many octets of sound, and why."""
    outbound.take_back(port.index, octets)
    port.not_sent(error_number)


def _rows(ports: Sequence[Port]) -> Slots:
    return np.array([port.index for port in ports], np.uint32)


def _descriptors(ports: Sequence[Port]) -> list[int]:
    return [port.rtp_socket.fileno() for port in ports]
