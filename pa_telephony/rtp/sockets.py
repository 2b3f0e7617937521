"""The pairs of UDP sockets of a media engine: which are bound, reserved, and at rest.

The pair with index ``k`` is UDP ``first_port + 2 * k`` for RTP and the next for RTCP. A pair that
was given back rests for a while, so that late packets of one call reach no other.
"""

from __future__ import annotations

import ctypes
import errno
import socket
from collections.abc import Callable, Iterable
from typing import TypeAlias, TypeVar

from pa_telephony.address import is_loopback
from pa_telephony.errors import TelephonyError
from pa_telephony.tasks import os_reason

__all__ = ["ANY", "Pair", "PairPool", "PortUnavailable", "dissolve", "is_local"]

ANY = (None, "", "0.0.0.0")
"""Addresses of an engine that has none of its own: each port has that of its call."""

Pair: TypeAlias = tuple[socket.socket, socket.socket]
"""The sockets of RTP and of RTCP."""

_LOOPBACK = "127.0.0.1"
_DISCARD = 9
_LIBC = ctypes.CDLL(None)
Got = TypeVar("Got")


class PortUnavailable(TelephonyError):
    """A UDP port that cannot be bound, or no free port at all."""


class PairPool:
    """``count`` pairs of UDP ports from ``first_port`` on; ``quarantine`` in seconds."""

    def __init__(
        self, address: str | None, first_port: int, count: int, *, quarantine: float
    ) -> None:
        self._address = address
        self._first_port = first_port
        self._count = count
        self._quarantine = quarantine
        self._used: set[int] = set()
        self._resting: dict[int, tuple[float, Pair]] = {}
        self._reserved: dict[int, Pair | None] = {}
        """The sockets bound for each reserved index; None while a port has them, or without any."""

    def take(self, index: int, address: str | None) -> Pair:
        """Bind a pair. Raises :class:`PortUnavailable` when it is in use, or out of range."""
        pair = self._bind_pair(index, address)
        self._used.add(index)
        return pair

    def give_back(self, index: int, pair: Pair, now: float) -> None:
        """Let a pair rest from ``now`` on."""
        self._used.discard(index)
        self._resting[index] = now + self._quarantine, pair

    def drop(self, index: int, pair: Pair) -> None:
        """Close a pair that never was in service."""
        self._used.discard(index)
        _close(pair)

    def reserve(self, index: int, address: str | None) -> None:
        """Keep a pair bound until :meth:`unreserve`, whether a port uses it or not."""
        if index in self._reserved:
            raise PortUnavailable(f"port index {index} is reserved already")
        self._reserved[index] = self._bind_pair(index, address)

    def unreserve(self, index: int) -> None:
        """Release a reservation; a pair in use stays open. Without one nothing happens."""
        _close(self._reserved.pop(index, None))

    def first_of(self, indices: Iterable[int], get: Callable[[int], Got]) -> Got:
        """What ``get`` answers for the first free index; ports of other programs are passed over.

        Raises :class:`PortUnavailable` when none is free.
        """
        for index in indices:
            if index in self._used or index in self._resting or index in self._reserved:
                continue
            try:
                return get(index)
            except PortUnavailable as error:
                why = error.__cause__
                if not isinstance(why, OSError) or why.errno != errno.EADDRINUSE:
                    raise
        raise PortUnavailable(f"all {self._count} ports are in use")

    def next_end_of_rest(self) -> float:
        """When the next pair has rested enough; infinite when none rests."""
        return min((until for until, _ in self._resting.values()), default=float("inf"))

    def end_rests(self, now: float) -> None:
        """Free the pairs that have rested enough."""
        for index, (until, pair) in list(self._resting.items()):
            if now >= until:
                del self._resting[index]
                if index in self._reserved:
                    self._reserved[index] = pair
                else:
                    _close(pair)

    def close(self) -> None:
        """Close what rests or is reserved."""
        for _, pair in self._resting.values():
            _close(pair)
        self._resting.clear()
        for index in list(self._reserved):
            self.unreserve(index)

    def _bind_pair(self, index: int, address: str | None) -> Pair:
        if not 0 <= index < self._count or index in self._used:
            raise PortUnavailable(f"port index {index} is in use or out of range")
        # Whatever waits in the old sockets was meant for the call before, or for none.
        _, resting = self._resting.pop(index, (0.0, None))
        _close(resting)
        if index in self._reserved:
            _close(self._reserved[index])
            self._reserved[index] = None
        number = self._first_port + 2 * index
        host = (address if self._address in ANY else None) or self._address or _LOOPBACK
        rtp = _bind(host, number)
        try:
            return rtp, _bind(host, number + 1)
        except PortUnavailable:
            rtp.close()
            raise


def dissolve(udp: socket.socket) -> None:
    """Let a connected UDP socket receive from any address again; its number stays."""
    # The address family AF_UNSPEC dissolves the connection; Python has no call for that.
    _LIBC.connect(udp.fileno(), bytes(16), 16)


def is_local(host: str) -> bool:
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


def _bind(host: str, number: int) -> socket.socket:
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


def _close(pair: Pair | None) -> None:
    for udp in pair or ():
        udp.close()
