"""A media engine without sound: ports are counted, nothing ticks.

Twenty milliseconds of virtual time would cost as much as a whole heartbeat; what the servers do
with calls does not depend on the sound of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pa_telephony import rtp
from pa_telephony.rtp import Port, PortStatistics, PortUnavailable

__all__ = ["SilentEngine"]


class SilentEngine(rtp.Engine):
    """What stations ask of an engine."""

    def __init__(self, address: str, first_port: int = 20000, most: int = 100) -> None:
        self.address, self.first_port = address, first_port
        self.opened = 0
        self._most = most
        self._taken: dict[int, Port] = {}
        self._kept: set[int] = set()

    def check_signalling(self, local: str, peer: str) -> None: ...

    def open_port(self, index: int | None = None, *, address: str | None = None) -> Port:
        if index is None:
            index = self._first(range(self._most))
        if index >= self._most or index in self._taken:
            raise PortUnavailable(f"port {index} is in use or out of range")
        bound: Any = _Bound(self.address, self.first_port + 2 * index)
        nothing = memoryview(b"")
        port = self._taken[index] = Port(self, index, bound, bound, nothing, nothing)
        self.opened += 1
        return port

    def open_spare_port(self, *, address: str | None = None) -> Port:
        return self.open_port(self._first(reversed(range(self._most))), address=address)

    def reserve(self, index: int, *, address: str | None = None) -> None:
        if index in self._kept or index in self._taken:
            raise PortUnavailable(f"port {index} is in use")
        self._kept.add(index)

    def reserve_from(self, first: int, *, address: str | None = None) -> int:
        index = self._first(range(first, self._most))
        self.reserve(index)
        return index

    def unreserve(self, index: int) -> None:
        self._kept.discard(index)

    def _first(self, among: Iterable[int]) -> int:
        found = next((i for i in among if i not in self._taken and i not in self._kept), None)
        if found is None:
            raise PortUnavailable("all ports are in use")
        return found

    def listen(self, port: Port, codec: Any, event_type: int | None) -> None: ...

    def changed(self, port: Port) -> None: ...

    def next_tick(self, port: Port) -> float:
        return 0.0

    def forget(self, port: Port) -> None: ...

    def talk(self, port: Port, codec: Any) -> None: ...

    def end_key(self, port: Port) -> None: ...

    def goodbye(self, port: Port) -> None: ...

    def disconnect(self, port: Port) -> None: ...

    def release(self, port: Port) -> None:
        del self._taken[port.index]

    def statistics_of(self, port: Port) -> PortStatistics:
        return PortStatistics(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.0, 0)


class _Bound:
    def __init__(self, host: str, number: int) -> None:
        self._name = host, number

    def getsockname(self) -> tuple[str, int]:
        return self._name

    def setsockopt(self, level: int, option: int, value: int) -> None: ...
