"""One identity at the call manager: registered, served, given up. The driver's hands.

A holder registers as whoever the configuration says the owner is; who holds it shows only in
where its connection comes from. It tells a :class:`Reports` what the call manager says, and asks
it before anything is done for a caller.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Generator
from dataclasses import replace
from typing import Protocol

import trio

from pa_telephony import cti, rtp, sccp
from pa_telephony.errors import (
    ConnectionLost,
    RegistrationRejected,
    RequestFailed,
    TelephonyError,
)
from pa_telephony.failover.identity import Identity
from pa_telephony.sccp.enums import DeviceType
from pa_telephony.sccp.style import StationConfig, Style
from pa_telephony.tasks import background
from pa_telephony.trace import Trace

__all__ = ["Holder", "PortHolder", "Reports", "RoutePointHolder"]

_PORT_CONFIG = StationConfig(
    style=Style.PORT,
    device_type=DeviceType.ANALOG_PHONE,
    protocol_version=21,
    # Who has it is for the driver to find out, and it asks again.
    rejections=1,
    rejected_for=0.0,
    longest_back_off=1.0,
    # Back to the first only if asked (personal-assistant.md §4).
    fall_back=False,
)
_REGISTER_WITHIN = 3.0


class Reports(Protocol):
    """Who is told, and who decides."""

    def registered(self, identity: Identity) -> None:
        """The call manager has it from us."""
        ...

    def refused(self, identity: Identity, why: str) -> None:
        """The call manager says no."""
        ...

    def lost(self, identity: Identity, why: str) -> None:
        """The connection is gone, or no answer came."""
        ...

    def unregistered(self, identity: Identity) -> None:
        """The call manager confirmed that it has nothing of ours."""
        ...

    def kept(self, identity: Identity) -> None:
        """The call manager refused to let it go: a call is up."""
        ...

    def closed(self, identity: Identity) -> None:
        """The holder is through."""
        ...

    def busy(self, identity: Identity, busy: bool) -> None:
        """The first call, or routing decision, began; or the last one ended."""
        ...

    async def media_call(self, identity: Identity, call: sccp.Call) -> None:
        """Serve a call at a media port."""
        ...

    async def routed_call(self, identity: Identity, session: cti.RouteSession) -> None:
        """Serve a call at a route point."""
        ...


class Holder:
    """What both kinds have in common: a task that lives as long as the identity is held."""

    def __init__(self, identity: Identity, reports: Reports) -> None:
        self.identity = identity
        self._reports = reports
        self._scope = trio.CancelScope()
        self._leaving = False
        self._let_go = False
        self._ended = False
        self._calls = 0

    async def run(self) -> None:
        """Register and serve until closed; reports everything, raises nothing of the link's."""
        why = ""
        refused = False
        with self._scope:
            try:
                await self._hold()
            except (RegistrationRejected, RequestFailed) as error:
                why, refused = str(error), True
            except TelephonyError as error:
                why = str(error)
        if refused:
            self._reports.refused(self.identity, why)
        elif why:
            self._reports.lost(self.identity, why)
        elif self._let_go:
            self._reports.unregistered(self.identity)
        self._ended = True
        self._reports.closed(self.identity)

    def close(self, *, at_once: bool = False) -> None:
        """End it; politely, unless ``at_once``.

        A route point has no connection of its own to cut: it is closed politely even then, and
        no call is routed any more.
        """
        self._scope.cancel()

    async def again(self) -> None:
        """The link was lost and the registration is wanted: report it if it does not come."""
        with trio.move_on_after(_REGISTER_WITHIN):
            await self._wait_registered()
            return
        # Whoever holds it by now reports for himself.
        if not self._ended:
            self._reports.lost(self.identity, "no answer")

    async def _wait_registered(self) -> None:
        """Wait for the registration that is repeated by itself; :meth:`_watch` reports it."""
        raise NotImplementedError

    async def unregister(self) -> None:
        """Ask the call manager to let it go, and report the answer."""
        raise NotImplementedError

    async def _hold(self) -> None:
        raise NotImplementedError

    @contextlib.contextmanager
    def _call(self) -> Generator[None]:
        """One more call, or routing decision, while inside."""
        self._calls += 1
        if self._calls == 1:
            self._reports.busy(self.identity, True)
        try:
            yield
        finally:
            self._calls -= 1
            if not self._calls:
                self._reports.busy(self.identity, False)

    async def _watch(
        self, gone: Callable[[], Awaitable[None]], back: Callable[[], Awaitable[None]]
    ) -> None:
        while True:
            await gone()
            if self._leaving:
                return
            self._reports.lost(self.identity, "connection lost")
            await back()
            self._reports.registered(self.identity)


class PortHolder(Holder):
    """A media port: an SCCP station whose sound is ours."""

    def __init__(
        self,
        identity: Identity,
        reports: Reports,
        *,
        call_managers: tuple[str, ...],
        engine: rtp.Engine,
        port_index: int,
        local_address: str,
        return_to_preferred: bool,
        trace: Trace | None,
    ) -> None:
        super().__init__(identity, reports)
        self.port_index = port_index
        self._call_managers = call_managers
        self._engine = engine
        self._local_address = local_address
        self._config = replace(_PORT_CONFIG, fall_back=return_to_preferred)
        self._trace = trace
        self._station: sccp.Station | None = None

    async def _hold(self) -> None:
        async with sccp.open_media_port(
            self.identity.device,
            self._call_managers,
            engine=self._engine,
            port_index=self.port_index,
            config=self._config,
            trace=self._trace,
            local_address=self._local_address,
        ) as station:
            self._station = station
            self._reports.registered(self.identity)
            async with background() as tasks:
                tasks.start_soon(station.serve, self._serve)
                tasks.start_soon(self._watch, station.wait_unregistered, station.wait_registered)
                await trio.sleep_forever()

    async def _serve(self, call: sccp.Call) -> None:
        with self._call():
            try:
                await self._reports.media_call(self.identity, call)
            finally:
                # Busy until the call manager has ended it too.
                if not call.ended:
                    with trio.move_on_after(1.0, shield=True):
                        await call.hang_up()

    def close(self, *, at_once: bool = False) -> None:
        """End it: hang up and unregister, or just close the connection."""
        if at_once and self._station is not None:
            self._station.abandon()
        super().close()

    async def _wait_registered(self) -> None:
        if self._station is not None:
            await self._station.wait_registered()

    async def unregister(self) -> None:
        """Unregister; a call manager that has a call for it says no."""
        station = self._station
        answer: bool | None = None
        if station is not None:
            self._leaving = True
            with contextlib.suppress(ConnectionLost):
                answer = await station.unregister()
        if answer is None:
            # Not released: without an answer a call may still be up (failover.md §5, bug 6).
            self._reports.lost(self.identity, "no answer to the unregistration")
            super().close()
        elif answer:
            self._let_go = True
            super().close()
        else:
            self._leaving = False
            self._reports.kept(self.identity)


class RoutePointHolder(Holder):
    """A route point or an interceptor, held through a provider that others share."""

    def __init__(self, identity: Identity, reports: Reports, provider: cti.Provider) -> None:
        super().__init__(identity, reports)
        self._provider = provider
        self._route_point: cti.RoutePoint | None = None

    async def _hold(self) -> None:
        async with self._provider.open_route_point(
            self.identity.number, device=self.identity.device or None
        ) as route_point:
            self._route_point = route_point
            self._reports.registered(self.identity)
            async with background() as tasks:
                tasks.start_soon(route_point.serve, self._serve)
                tasks.start_soon(
                    self._watch, route_point.wait_out_of_service, route_point.wait_in_service
                )
                await trio.sleep_forever()

    async def _serve(self, session: cti.RouteSession) -> None:
        with self._call():
            await self._reports.routed_call(self.identity, session)

    async def _wait_registered(self) -> None:
        if self._route_point is not None:
            await self._route_point.wait_in_service()

    async def unregister(self) -> None:
        """Close it; only calls hang on it that nobody has routed yet, and then it is not free."""
        self._let_go = True
        self.close()
