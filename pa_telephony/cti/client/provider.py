"""Applications over TCP: a provider that stays in service, and what it has open.

JTAPI's nouns with Python's verbs: ``open_provider`` is ``getProvider``, ``open_route_point`` is
``CiscoRouteTerminal.register`` with ``registerRouteCallback``, a handler is a ``RouteCallback``.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from typing import TYPE_CHECKING, TypeVar

import trio

from pa_telephony.address import Peers, parse_peers
from pa_telephony.backoff import BackOff
from pa_telephony.cti.client.address import Address
from pa_telephony.cti.client.jtapi import Model, ModelEvent
from pa_telephony.cti.client.line import OpenLine
from pa_telephony.cti.client.link import ProviderConfig, ProviderLink
from pa_telephony.cti.client.media_terminal import MediaTerminal
from pa_telephony.cti.client.route_point import RoutePoint
from pa_telephony.cti.enums import CTIFAILURE
from pa_telephony.cti.login import load_cryptography
from pa_telephony.cti.messages.base import CtiMessage
from pa_telephony.errors import ConnectionLost, RequestFailed
from pa_telephony.secrecy import warn_of_plain_link
from pa_telephony.tasks import Hub, Subscription, background
from pa_telephony.trace import Trace

if TYPE_CHECKING:
    import ssl

    from pa_telephony.rtp import Engine

__all__ = ["Provider", "ProviderConfig", "open_provider"]

L = TypeVar("L", bound=OpenLine)

_PORT = 2748
_TLS_PORT = 2749


class Provider(ProviderLink):
    """A session with a CTI manager, renewed for as long as it is open.

    Made by :func:`open_provider`.
    """

    def __init__(
        self,
        managers: list[tuple[str, int]],
        user: str,
        password: str,
        config: ProviderConfig,
        trace: Trace | None,
        local_address: str | None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(managers, user, password, config, trace, local_address, tls)
        self.model = Model()
        """The calls of all open lines, as JTAPI's objects."""
        self._lines: list[OpenLine] = []
        self._asked_for: set[str] = set()
        """The devices that this session has asked to open or register, and was not refused."""
        self._hub: Hub[ModelEvent] = Hub(config.max_events)

    def __repr__(self) -> str:
        return f"<Provider {self.user} {'in' if self.in_service else 'out of'} service>"

    @contextlib.asynccontextmanager
    async def open_route_point(
        self, number: str, *, device: str | None = None
    ) -> AsyncGenerator[RoutePoint]:
        """Register a CTI route point and open its line. Entered means in service.

        ``number`` is the line as configured, a pattern included (``"5XXX"``); ``device`` is only
        needed where several devices have it. The route point survives a loss of the link to the CTI
        manager: it is registered again. Left means that line and device are closed; calls that were
        offered to it and not yet routed end, unless another application has it too.

        Raises :class:`RequestFailed` when the CTI manager knows no such device of ours, or
        refuses the registration.
        """
        async with self._open(RoutePoint(self, number, device), in_service=True) as route_point:
            yield route_point

    @contextlib.asynccontextmanager
    async def open_address(
        self, number: str, *, device: str | None = None
    ) -> AsyncGenerator[Address]:
        """Open a line to see and control its calls; the sound stays with the phone.

        Entered means open, whether the phone is there or not (:attr:`Address.in_service`). The open
        line survives a loss of the link to the CTI manager; its calls, as far as we know, end. Left
        means closed, and calls go on.

        Raises :class:`RequestFailed` when the CTI manager knows no such device of ours.
        """
        async with self._open(Address(self, number, device), in_service=False) as address:
            yield address

    @contextlib.asynccontextmanager
    async def open_media_terminal(
        self, number: str, *, engine: Engine, device: str | None = None
    ) -> AsyncGenerator[MediaTerminal]:
        """Register a CTI port whose sound is on ``engine``, and open its line.

        Entered means in service. The port survives a loss of the link to the CTI manager. Left
        means unregistered; calls on it end.

        Raises :class:`~pa_telephony.cti.errors.RegistrationError` when another application has
        it in another way, and :class:`~pa_telephony.errors.ConfigurationError` when the engine is
        on a loopback address and the CTI manager is not.
        """
        await self.wait_in_service()
        engine.check_signalling(self.local_address[0], self.manager[0])
        async with self._open(
            MediaTerminal(self, number, device, engine), in_service=True
        ) as terminal:
            yield terminal

    @contextlib.asynccontextmanager
    async def _open(self, line: L, *, in_service: bool) -> AsyncGenerator[L]:
        self._lines.append(line)
        try:
            while True:
                await self.wait_in_service()
                try:
                    await line.open()
                    if in_service:
                        await line.wait_in_service()
                    break
                except ConnectionLost:
                    # The next session may know more.
                    await self.wait_out_of_service()
            yield line
        finally:
            await line.close()
            self._lines.remove(line)

    @contextlib.contextmanager
    def events(
        self, wanted: Callable[[ModelEvent], bool] | None = None
    ) -> Generator[Subscription[ModelEvent]]:
        """The events of calls and lines from now on (:mod:`pa_telephony.cti.client.jtapi`).

        At most :attr:`ProviderConfig.max_events` wait to be read; a subscriber that falls further
        behind gets :class:`~pa_telephony.tasks.SlowSubscriber`.
        """
        with self._hub.subscribe(wanted=wanted) as subscription:
            yield subscription

    def open_line(self, handle: int, number: str, device: str) -> None:
        """Note the handle of a line of ours; the line calls it."""
        self.model.open_line(handle, number, device)

    def close_line(self, handle: int) -> None:
        """Note that a line of ours has that handle no more; the line calls it."""
        self._publish(self.model.close_line(handle))

    async def restore(self) -> None:
        """Open again in a new session what was open, whichever CTI manager it is with."""
        # A line that is opened from now on is opened by the task that wants it.
        closed = [line for line in self._lines if line.was_open]
        config = self.config
        back_off = BackOff(config.first_back_off, config.longest_back_off, random.random)
        while closed:
            refused: list[OpenLine] = []
            for line in closed:
                try:
                    await line.open()
                except RequestFailed as error:
                    line.last_error = str(error)
                    refused.append(line)
                    await self._give_up(line)
            closed = [line for line in refused if not line.leaving]
            if closed:
                # The server may be starting too, or the device be in use for a little longer.
                await trio.sleep(back_off.pause())
                closed = [line for line in closed if not line.leaving]

    async def _give_up(self, line: OpenLine) -> None:
        """Close a line that may be half open; raises :class:`ConnectionLost` if it may stay so."""
        with trio.move_on_after(self.config.release_within):
            if await line.release():
                return
        raise ConnectionLost(f"the CTI manager does not confirm that {line.number} is closed")

    @contextlib.contextmanager
    def asking_for(self, device: str) -> Generator[None]:
        """Remember, while inside a request is made for ``device``, that it may be fulfilled."""
        known = device in self._asked_for
        self._asked_for.add(device)
        try:
            yield
        except RequestFailed as refused:
            if not known and refused.code != CTIFAILURE.TIMEOUT:
                self._asked_for.discard(device)
            raise

    def may_have(self, device: str) -> bool:
        """Whether this session may have ``device`` though no line of ours knows its handle."""
        known = any(line.has_device(device) for line in self._lines)
        return device in self._asked_for and not known

    def handle_event(self, event: CtiMessage) -> None:
        """Take an event of devices, lines or calls."""
        # The graph first: tasks that the lines wake look at it.
        changes = self.model.handle_message(event)
        for line in list(self._lines):
            line.handle_event(event)
        self._publish(changes)

    def session_lost(self) -> None:
        """Note that the session is over, and with it all handles and calls."""
        self._asked_for.clear()
        for line in self._lines:
            line.session_lost()
        self._publish(self.model.forget())

    def _publish(self, events: Sequence[ModelEvent]) -> None:
        for event in events:
            self._hub.publish(event)


@contextlib.asynccontextmanager
async def open_provider(
    managers: Peers,
    *,
    user: str,
    password: str,
    config: ProviderConfig | None = None,
    tls: ssl.SSLContext | None = None,
    trace: Trace | None = None,
    local_address: str | None = None,
    on_trouble: Callable[[str], object] | None = None,
) -> AsyncGenerator[Provider]:
    """Log in at a CTI manager (TCP 2748; 2749 with a ``tls`` context), and stay logged in.

    Entered means in service. A lost link is repaired for ever, managers tried in order, with a
    back-off; what was open is opened again, handlers included. Left means closed politely.

    Raises :class:`RequestFailed` when every manager that can be reached refuses the login from the
    first, or shows a certificate that ``tls`` does not trust; waits for as long as none can be
    reached. A password that leaves the machine without TLS is warned of in the log
    (``pa_telephony``). ``on_trouble`` is :attr:`Provider.on_trouble` from the start, when no CTI
    manager may be reachable yet. Needs the extra ``cti``.
    """
    peers = parse_peers(managers, _PORT if tls is None else _TLS_PORT)
    if tls is None:
        warn_of_plain_link(peers, user)
    provider = Provider(
        peers,
        user,
        password,
        config or ProviderConfig(),
        trace,
        local_address,
        tls,
    )
    provider.on_trouble = on_trouble
    await trio.to_thread.run_sync(load_cryptography)
    async with background() as tasks:
        running = tasks.start_to_the_end(provider.run)
        try:
            await provider.wait_in_service()
            yield provider
        finally:
            try:
                await provider.leave()
            finally:
                running.cancel()
