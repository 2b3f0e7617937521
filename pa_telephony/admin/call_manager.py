"""The cluster's call manager over its control socket: what is so there, and what it is asked.

A connection lasts for one look, one request or one watch, so that a call manager that is started
again is found again.
"""

from __future__ import annotations

import contextlib
import math
import socket
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import trio

from pa_telephony.address import parse_peers
from pa_telephony.admin.call_manager_view import Deed, Seen
from pa_telephony.admin.managed import ManagedCluster
from pa_telephony.callmanager import Control, open_control
from pa_telephony.callmanager.control.place import known_sockets, well_known_directory
from pa_telephony.callmanager.control.requests import (
    Drop,
    MessageWaiting,
    Reset,
    Restart,
    SetForward,
)
from pa_telephony.callmanager.control.rows import TOPICS
from pa_telephony.errors import ConnectionLost, TelephonyError
from pa_telephony.failover.config import ClusterConfig, JtapiProvider
from pa_telephony.failover.missing import MissingDevice, missing_devices

__all__ = ["CallManagerLink", "Lacking"]

_ANSWERS_WITHIN = 3.0
"""Seconds that a call manager has; one that stands still keeps no page waiting for longer."""
_EVERY = 1.0
_SCCP_PORT = 2000
_ANYWHERE = ("0.0.0.0", "::")


@dataclass(frozen=True, kw_only=True)
class Lacking:
    """What a call manager that is reached lacks for a configuration."""

    address: str
    missing: tuple[MissingDevice, ...]


class CallManagerLink:
    """What pages and API ask of the call manager.

    ``path`` is its control socket; None: that of the call manager on this machine that the
    cluster's providers name. ``clock`` gives Unix time.
    """

    def __init__(
        self,
        managed: ManagedCluster,
        path: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._managed = managed
        self._path = path
        self._clock = clock

    async def look(self, *topics: str) -> Seen:
        """What is so now; without ``topics`` all of it."""
        try:
            async with self._open() as control:
                return await self._look(control, topics or tuple(TOPICS))
        except TelephonyError as error:
            return Seen(at=self._clock(), why=str(error))

    async def ask(self, *topics: str) -> Seen:
        """The same; raises :class:`ConnectionLost` with the reason where it cannot be seen."""
        seen = await self.look(*topics)
        if seen.why:
            raise ConnectionLost(seen.why)
        return seen

    async def watch(self, tell: Callable[[Seen], None]) -> None:
        """Tell what is so, now and whenever it changes; at last, why no more can be told."""
        try:
            async with self._open(for_good=True) as control, control.watch(every=_EVERY) as looks:
                async for picture in looks:
                    tell(Seen(at=self._clock(), about=control.about, picture=picture))
        except TelephonyError as error:
            tell(Seen(at=self._clock(), why=str(error)))

    async def do(self, deed: Deed) -> None:
        """Have it do something.

        Raises :class:`~pa_telephony.callmanager.ControlRefused` when it does not, and
        :class:`ConnectionLost` when it is not reached or does not answer.
        """
        async with self._open() as control:
            match deed:
                case Reset(device=device):
                    await control.reset(device)
                case Restart(device=device):
                    await control.restart(device)
                case MessageWaiting(line=line, on=on, partition=partition):
                    await control.set_message_waiting(line, on, partition=partition)
                case SetForward(line=line, kind=kind, number=number, partition=partition):
                    await control.set_forward(line, kind, number, partition=partition)
                case Drop(call=call):
                    await control.drop(call)

    async def lacking(self, config: ClusterConfig) -> Lacking | None:
        """What it lacks for a configuration; None where it is not reached."""
        seen = await self.look("devices")
        if seen.why:
            return None
        return Lacking(
            address=seen.about.sccp, missing=missing_devices(config, seen.picture.devices)
        )

    async def _look(self, control: Control, topics: Sequence[str]) -> Seen:
        async with control.watch(*topics) as looks:
            picture = await anext(looks)
        return Seen(at=self._clock(), about=control.about, picture=picture)

    @contextlib.asynccontextmanager
    async def _open(self, *, for_good: bool = False) -> AsyncGenerator[Control]:
        """A connection, which is only to be entered in time where it is ``for_good``."""
        path = self._path or await self._find()
        with trio.CancelScope(deadline=trio.current_time() + _ANSWERS_WITHIN) as scope:
            async with open_control(path) as control:
                if for_good:
                    scope.deadline = math.inf
                yield control
        if scope.cancelled_caught:
            raise ConnectionLost(f"{path}: the call manager does not answer")

    async def _find(self) -> Path:
        """The socket of the first call manager of the providers that has one here."""
        config = (await self._managed.present()).config
        wanted = _call_managers(config)
        if not wanted:
            raise ConnectionLost("no provider of System > Telephony names a call manager")
        known = {each.name: each for each in known_sockets()}
        for host, port in wanted:
            for name, path in known.items():
                if await _is_of(name, host, port):
                    return path
        hosts = ", ".join(dict.fromkeys(host for host, _ in wanted))
        where = well_known_directory()
        raise ConnectionLost(
            f"the providers name {hosts}, and {where} has no control socket of a call manager there"
        )


def _call_managers(config: ClusterConfig) -> Sequence[tuple[str, int | None]]:
    """Host and port for phones of each call manager that is named, Skinny providers' first."""
    found: list[tuple[str, int | None]] = []
    for provider in sorted(config.providers, key=lambda each: isinstance(each, JtapiProvider)):
        with contextlib.suppress(ValueError):
            for host, port in parse_peers(provider.hosts, _SCCP_PORT):
                # A JTAPI provider's port is that for applications.
                found.append((host, None if isinstance(provider, JtapiProvider) else port))
    return list(dict.fromkeys(found))


async def _is_of(name: str, host: str, port: int | None) -> bool:
    """Whether a socket of this name is that of the call manager at ``host``."""
    address = name.removeprefix("callmanager-").removesuffix(".sock")
    try:
        ((there, sccp_port),) = parse_peers(address, _SCCP_PORT)
        found = await trio.socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (ValueError, OSError):
        return False
    addresses = {str(each[4][0]) for each in found}
    here = there in addresses or (there in _ANYWHERE and _is_local(addresses))
    return here and port in (None, sccp_port)


def _is_local(addresses: Iterable[str]) -> bool:
    """Whether one of these is an address of this machine: nothing else can be bound to."""
    for each in addresses:
        family = socket.AF_INET6 if ":" in each else socket.AF_INET
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((each, 0))
            return True
    return False
