"""One identity at the call manager: registered, served, given up. The driver's hands.

A holder registers as the configured owner, whichever server it runs on; the server shows only in
the address of its connection. It tells a :class:`Reports` what the call manager says, and asks it
before anything is done for a caller.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Generator
from dataclasses import replace
from typing import Protocol

import trio

from pa_telephony import cti, rtp, sccp
from pa_telephony.cti.enums import CTIFAILURE
from pa_telephony.errors import (
    ConnectionLost,
    RegistrationRejected,
    RequestFailed,
    TelephonyError,
)
from pa_telephony.failover.identity import Identity
from pa_telephony.sccp.enums import DeviceType
from pa_telephony.sccp.station.style import StationConfig, Style
from pa_telephony.tasks import background
from pa_telephony.trace import Trace

__all__ = ["LEAVE_WITHIN", "PORT_CONFIG", "Holder", "PortHolder", "Reports", "RoutePointHolder"]

PORT_CONFIG = StationConfig(
    style=Style.PORT,
    device_type=DeviceType.ANALOG_PHONE,
    protocol_version=21,
    # Which server has it is for the driver to find out, and it asks again.
    rejections=1,
    rejected_for=0.0,
)
"""The station configuration of a cluster's media ports: each knows one call manager, where all of
the cluster is (:mod:`nodes`)."""
_REGISTER_WITHIN = 3.0
"""Seconds without a registration after which the reason is reported."""
LEAVE_WITHIN = 3.0
"""Seconds that a polite end may take, whatever the call manager does; then the connection is cut.

A port that hangs up (1 s) and unregisters (1 s), or a route point whose closes are not answered
(:attr:`~pa_telephony.cti.ProviderConfig.release_within`, 2 s), is through by itself before."""


class Reports(Protocol):
    """The side that a holder reports to, and that decides what is done with calls."""

    def registered(self, identity: Identity) -> None:
        """Note that the call manager has registered the identity from here."""
        ...

    def refused(self, identity: Identity, why: str) -> None:
        """Note that the call manager has refused the registration."""
        ...

    def lost(self, identity: Identity, why: str) -> None:
        """Note that the connection is gone, or that no answer came."""
        ...

    def unregistered(self, identity: Identity) -> None:
        """Note that the call manager has nothing from here: it said so, or the session is over."""
        ...

    def kept(self, identity: Identity) -> None:
        """Note that the call manager refused to unregister the identity, because a call is up."""
        ...

    def closed(self, identity: Identity, unconfirmed: str) -> None:
        """Note that the holder has ended, and that the call manager has nothing from here.

        ``unconfirmed`` is why it has not said so itself, "" if it has: the connection was cut.
        """
        ...

    def busy(self, identity: Identity, busy: bool) -> None:
        """Note that the first call, or routing decision, has begun, or the last one has ended."""
        ...

    async def media_call(self, identity: Identity, call: sccp.Call) -> None:
        """Serve a call at a media port."""
        ...

    async def routed_call(self, identity: Identity, session: cti.RouteSession) -> None:
        """Serve a call at a route point."""
        ...


class Holder:
    """The common part of both holders: a task that lives as long as the identity is held."""

    def __init__(self, identity: Identity, reports: Reports) -> None:
        self.identity = identity
        self.ended = trio.Event()
        """Set when the call manager has nothing of the identity from here any more."""
        self._reports = reports
        self._scope = trio.CancelScope()
        self._leaving = False
        self._let_go = False
        self._cut = False
        self._registered = trio.Event()
        self._calls = 0

    async def run(self) -> None:
        """Register and serve until closed; reports everything, raises nothing of the link's."""
        try:
            with self._scope:
                await self._register_and_serve()
            if self._let_go:
                self._reports.unregistered(self.identity)
        finally:
            self.ended.set()
            unconfirmed = "the connection was cut" if self._cut else self._unconfirmed
            self._reports.closed(self.identity, unconfirmed)

    async def _register_and_serve(self) -> None:
        """Hold the identity; report its end only when it is over at the call manager."""
        try:
            await self._hold()
        except RequestFailed as error:
            # Silence is no answer: a call may be up that only the call manager knows of.
            if error.code == CTIFAILURE.TIMEOUT:
                self._give_up(self._reports.lost, str(error))
            else:
                self._give_up(self._reports.refused, str(error))
        except RegistrationRejected as error:
            self._give_up(self._reports.refused, error.reason)
        except TelephonyError as error:
            self._give_up(self._reports.lost, str(error))

    def _give_up(self, report: Callable[[Identity, str], None], why: str) -> None:
        self._let_go = False
        report(self.identity, why)

    def close(self, *, at_once: bool = False) -> None:
        """End the registration; politely, unless ``at_once``.

        Politely, the call manager is asked to release it and given time to answer. At once, the
        connection is closed without a message, which releases it for certain; for a route point
        that is the session of its provider, and all that shares it has to register again.
        """
        if at_once:
            self._cut = True
            self._cut_off()
        self._scope.cancel()

    async def leave(self) -> None:
        """End the registration politely, and cut the connection if that takes too long."""
        self.close()
        with trio.move_on_after(LEAVE_WITHIN):
            await self.ended.wait()
        if not self.ended.is_set():
            self.close(at_once=True)

    async def again(self) -> None:
        """Wait for the registration, which comes by itself; report it if it does not."""
        with trio.move_on_after(_REGISTER_WITHIN):
            await self._registered.wait()
            return
        # Another holder of the identity reports for itself.
        if not self.ended.is_set():
            self._reports.lost(self.identity, self._trouble or "no answer")

    @property
    def _trouble(self) -> str:
        """The reason why the identity is not registered, as far as is known."""
        raise NotImplementedError

    @property
    def _unconfirmed(self) -> str:
        """The reason why the call manager has not confirmed the end; "" if it has."""
        raise NotImplementedError

    def _cut_off(self) -> None:
        """Close the connection that the registration hangs on, now."""
        raise NotImplementedError

    async def unregister(self) -> None:
        """Ask the call manager to unregister the identity, and report the answer."""
        raise NotImplementedError

    async def _hold(self) -> None:
        raise NotImplementedError

    @contextlib.contextmanager
    def _call(self) -> Generator[None]:
        """Count one more call, or routing decision, until the block is left."""
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
            self._registered = trio.Event()
            self._reports.lost(self.identity, self._trouble or "connection lost")
            await back()
            self._has_it()

    def _has_it(self) -> None:
        """Note and report that the call manager has registered the identity."""
        self._registered.set()
        self._reports.registered(self.identity)


class PortHolder(Holder):
    """The holder of a media port: an SCCP station whose sound is ours."""

    def __init__(
        self,
        identity: Identity,
        reports: Reports,
        *,
        call_manager: str,
        place: int,
        engine: rtp.Engine,
        port_index: int,
        local_address: str,
        media_at_signalling_host: bool,
        longest_back_off: float,
        trace: Trace | None,
    ) -> None:
        super().__init__(identity, reports)
        self.port_index = port_index
        self.place = place
        """Which of its provider's hosts ``call_manager`` is, from 0."""
        self._call_manager = call_manager
        self._engine = engine
        self._local_address = local_address
        self._config = replace(
            PORT_CONFIG,
            media_at_signalling_host=media_at_signalling_host,
            longest_back_off=longest_back_off,
        )
        self._trace = trace
        self._why = ""
        self._station: sccp.Station | None = None

    @property
    def registered(self) -> bool:
        """Whether a call manager has the port registered from here now."""
        return self._station is not None and self._station.registered

    async def _hold(self) -> None:
        async with sccp.open_media_port(
            self.identity.device,
            self._call_manager,
            engine=self._engine,
            port_index=self.port_index,
            config=self._config,
            trace=self._trace,
            local_address=self._local_address,
            on_trouble=self._note,
        ) as station:
            self._station = station
            self._has_it()
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

    def _note(self, why: str) -> None:
        self._why = why

    @property
    def _trouble(self) -> str:
        return self._why

    @property
    def _unconfirmed(self) -> str:
        return "" if self._station is None else self._station.unconfirmed

    def _cut_off(self) -> None:
        if self._station is not None:
            self._station.abandon()

    async def unregister(self) -> None:
        """Unregister the port; a call manager that has a call for it refuses."""
        station = self._station
        answer: bool | None = None
        if station is not None:
            self._leaving = True
            with contextlib.suppress(ConnectionLost):
                answer = await station.unregister()
        if answer is None:
            # Not released: without an answer a call may still be up (observed).
            self._registered = trio.Event()
            self._reports.lost(self.identity, "no answer to the unregistration")
            self.close()
        elif answer:
            self._let_go = True
            self.close()
        else:
            self._leaving = False
            self._reports.kept(self.identity)


class RoutePointHolder(Holder):
    """The holder of a route point or an interceptor, at a provider that others share."""

    def __init__(self, identity: Identity, reports: Reports, provider: cti.Provider) -> None:
        super().__init__(identity, reports)
        self._provider = provider
        self._route_point: cti.RoutePoint | None = None

    async def _hold(self) -> None:
        async with self._provider.open_route_point(
            self.identity.number, device=self.identity.device or None
        ) as route_point:
            self._route_point = route_point
            self._has_it()
            async with background() as tasks:
                tasks.start_soon(route_point.serve, self._serve)
                tasks.start_soon(
                    self._watch, route_point.wait_out_of_service, route_point.wait_in_service
                )
                await trio.sleep_forever()

    async def _serve(self, session: cti.RouteSession) -> None:
        with self._call():
            await self._reports.routed_call(self.identity, session)

    @property
    def _trouble(self) -> str:
        if self._provider.in_service and self._route_point is not None:
            return self._route_point.last_error
        return self._provider.last_error

    @property
    def _unconfirmed(self) -> str:
        return "" if self._route_point is None else self._route_point.unconfirmed

    def _cut_off(self) -> None:
        self._provider.drop(f"{self.identity} is cut off")

    async def unregister(self) -> None:
        """Close the route point; it is not free while a call waits there to be routed."""
        self._let_go = True
        self.close()
