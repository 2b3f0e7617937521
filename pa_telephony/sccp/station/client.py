"""Stations over TCP: phones and media ports that stay registered whatever happens to the link."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import trio

from pa_telephony.address import Peers, parse_peers
from pa_telephony.errors import (
    CallEnded,
    ConnectionLost,
    RemoteProtocolError,
    RequestFailed,
)
from pa_telephony.faults import HandlerErrors
from pa_telephony.q850 import Cause, described
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import (
    DCallState,
    DeviceStimulus,
    DeviceType,
    LampMode,
    SoftKeyEvent,
)
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.phrases import english
from pa_telephony.sccp.station.call import Call
from pa_telephony.sccp.station.call_managers import CallManagers
from pa_telephony.sccp.station.calls import StationCalls
from pa_telephony.sccp.station.core import (
    CallChanged,
    Registered,
    StationCore,
    StationEvent,
    StatisticsAsked,
    key_of,
)
from pa_telephony.sccp.station.link import Link
from pa_telephony.sccp.station.screen import Screen
from pa_telephony.sccp.station.style import StationConfig, Style
from pa_telephony.tasks import background
from pa_telephony.trace import Trace

if TYPE_CHECKING:
    from pa_telephony.rtp import Engine, Port

__all__ = ["Station", "open_media_port", "open_station"]

_LOG = logging.getLogger("pa_telephony.sccp")
_PORT = 2000
_CONFIRMED_WITHIN = 1.0
"""Seconds from the end of the call that dials a forward to the word that it is set."""
_BLANK = Screen()


class Station:
    """A registered device, made by :func:`open_station` and :func:`open_media_port`."""

    def __init__(
        self,
        name: str,
        call_managers: Sequence[tuple[str, int]],
        config: StationConfig,
        engine: Engine | None,
        port_index: int | None,
        trace: Trace | None,
        local_address: str | None,
    ) -> None:
        self.name = name
        self.config = config
        self._engine = engine
        self._port_index = port_index
        self._managers = CallManagers(name, call_managers, config, self, trace, local_address)
        self._calls = StationCalls(self)
        self._abandoned = False
        self.unconfirmed = ""
        """Why no call manager has confirmed that we left, "" if one has: the link just closed."""
        self._news = trio.Event()
        self._dialling = trio.Lock()
        self._making = trio.Lock()
        self._handler_errors = HandlerErrors(_LOG, name)

    def __repr__(self) -> str:
        return f"<Station {self.name} {self.number or '?'}>"

    @property
    def calls(self) -> dict[int, Call]:
        """The calls that are up, by :attr:`CallView.key`."""
        return self._calls.up

    @property
    def on_call(self) -> Callable[[Call], object] | None:
        """A function that is given each call when anything about it has changed."""
        return self._calls.on_call

    @on_call.setter
    def on_call(self, told: Callable[[Call], object] | None) -> None:
        self._calls.on_call = told

    @property
    def on_trouble(self) -> Callable[[str], object] | None:
        """A function that is told why the station is not registered, at each failure of that.

        Without one the log has it (``pa_telephony.sccp.station``), each reason once a minute.
        """
        return self._managers.on_trouble

    @on_trouble.setter
    def on_trouble(self, told: Callable[[str], object] | None) -> None:
        self._managers.on_trouble = told

    @property
    def registered(self) -> bool:
        """Whether a call manager has the station registered now."""
        return self._managers.registered

    @property
    def registrations(self) -> int:
        """How often a call manager has registered the station."""
        return self._managers.registrations

    @property
    def protocol_errors(self) -> int:
        """How many connections were closed because a call manager broke the protocol."""
        return self._managers.protocol_errors

    @property
    def slow_call_managers(self) -> int:
        """How many connections were closed because the call manager did not read what we sent."""
        return self._managers.slow_call_managers

    @property
    def handler_errors(self) -> int:
        """How many calls ended by a bug of the handler that served them; the log has each."""
        return self._handler_errors.bugs

    @property
    def last_error(self) -> str:
        """Why a call manager could not be reached, or was lost, the last time; "" if none was."""
        return self._managers.last_error

    @property
    def number(self) -> str:
        """The directory number of line 1; "" while it is not known."""
        return self.lines.get(1, "")

    @property
    def lines(self) -> dict[int, str]:
        """The directory numbers, by line counted from 1."""
        return dict(self._core.lines) if self._core is not None else {}

    @property
    def version(self) -> int:
        """The negotiated session version; 0 without a session."""
        return self._core.version if self._core is not None else 0

    @property
    def call_manager(self) -> tuple[str, int]:
        """Address and port of the call manager we are connected to."""
        link = self._managers.link
        return link.addresses[1] if link is not None else ("0.0.0.0", 0)

    @property
    def standing_by(self) -> list[tuple[str, int]]:
        """The call managers that one message would register us with."""
        return self._managers.standing_by

    @property
    def _core(self) -> StationCore | None:
        return self._managers.core

    @property
    def screen(self) -> Screen:
        """What a person would see: lamps, prompt, soft keys, ringer, forwards, speed dials."""
        return self._core.screen if self._core is not None else _BLANK

    @property
    def message_waiting(self) -> bool:
        """Whether the lamp of any line says that there is a message."""
        return self.screen.message_waiting()

    async def wait_shown(self, condition: Callable[[Screen], bool]) -> None:
        """Wait until ``condition`` holds for the screen."""
        while not condition(self.screen):
            await self._news.wait()

    async def wait_registered(self) -> None:
        """Wait until a call manager has the station registered."""
        while not self.registered:
            await self._news.wait()

    async def wait_unregistered(self) -> None:
        """Wait until no call manager has the station registered."""
        while self.registered:
            await self._news.wait()

    @contextlib.asynccontextmanager
    async def call(self, number: str, *, line: int = 1) -> AsyncGenerator[Call]:
        """Call a number as a person does: off hook, then the digits. Leaving hangs up.

        The body begins as soon as the digits are sent: ``await call.wait_connected()``. A call that
        was going on is put on hold by the call manager, and one that rings here goes on ringing.

        A telephone makes one call at a time. Calls that are begun at once, each in a task of its
        own, are made one after the other in that order: the next is dialled when the one before was
        answered, refused or given up, and puts it on hold. So do :meth:`speed_dial` and
        :meth:`pick_up`. To call many numbers at the same time, open as many stations.

        Raises :class:`ValueError` for what no telephone has a key for, and for a line that the
        station does not have (Asterisk goes down over it), and :class:`ConnectionLost` when the
        station is not registered.
        """
        if line != 1 and line not in self.lines:
            raise ValueError(f"{self.name} has no line {line}")
        for digit in number:
            key_of(digit)
        async with self._opened(lambda: self._lift(line)) as call:
            call.press(number)
            yield call

    @contextlib.asynccontextmanager
    async def speed_dial(self, button: int) -> AsyncGenerator[Call]:
        """Press a speed-dial button, counted from 1; leaving the block hangs up."""
        stimulus = messages.Stimulus(stimulus=DeviceStimulus.SPEED_DIAL, line_instance=button)
        async with self._opened(lambda: stimulus) as call:
            yield call

    @contextlib.asynccontextmanager
    async def pick_up(self, *, line: int = 1) -> AsyncGenerator[Call]:
        """Take over a call that rings in the pickup group of a line; leaving hangs up.

        Raises :class:`RequestFailed` when the call manager says that there is nothing.
        """
        async with self._opened(lambda: self._key(SoftKeyEvent.PICK_UP, line)) as call:
            yield call

    async def forward_all(self, number: str, *, line: int = 1) -> None:
        """Forward all calls of a line to ``number``, or cancel that ("").

        :meth:`forwarded_to` says then how the call manager writes the number. Raises
        :class:`RequestFailed` with a Q.850 cause when it does not take it. Cancelling leaves the
        line forwarded or not, as far as it came.
        """
        if self.forwarded_to(line):
            self.send(self._key(SoftKeyEvent.CFWD_ALL, line))
            await self._until(lambda: not self.forwarded_to(line))
        if not number:
            return
        call = await self.new_call(self._key(SoftKeyEvent.CFWD_ALL, line))
        try:
            call.press(number)
            while not (self.forwarded_to(line) or call.ended or call.refused):
                await self._until_news()
            with trio.move_on_after(_CONFIRMED_WITHIN):
                while not self.forwarded_to(line) and not call.refused:
                    await self._until_news()
            if not self.forwarded_to(line):
                raise RequestFailed(call.cause, f"forward to {number}: {described(call.cause)}")
        finally:
            await self._hang_up(call)

    def forwarded_to(self, line: int = 1) -> str:
        """The number that all calls of a line are forwarded to; "" when they are not."""
        known = self.screen.forwards.get(line)
        return known.all if known is not None else ""

    async def do_not_disturb(self, on: bool = True) -> None:
        """Make the phone ring silently from now on, or ring again."""

        def is_on() -> bool:
            return self.screen.lamp(DeviceStimulus.DO_NOT_DISTURB) is not LampMode.OFF

        if is_on() is not on:
            self.send(self._key(SoftKeyEvent.DND, 1))
            await self._until(lambda: is_on() is on)

    def _key(self, key: SoftKeyEvent, line: int) -> messages.SoftKeyEvent:
        return messages.SoftKeyEvent(soft_key_event=key, line_instance=line, call_reference=0)

    def _lift(self, line: int) -> SccpMessage:
        if any(not call.elsewhere for call in self.calls.values()):
            # A handset that is lifted now would answer what rings, or do nothing.
            return self._key(SoftKeyEvent.NEW_CALL, line)
        return messages.OffHook(line_instance=0 if line == 1 else line)

    @contextlib.asynccontextmanager
    async def _opened(self, key: Callable[[], SccpMessage]) -> AsyncGenerator[Call]:
        async with self._making:
            # A key for a new call would end one that rings at the other side.
            while self._calls.being_made:
                await self._until_news()
            call = await self._new_call(lambda: [key()], None)
            self._calls.held.add(call)
        try:
            yield call
        finally:
            try:
                await self._hang_up(call)
            finally:
                # Whether or not the call manager has confirmed the end.
                self._calls.held.discard(call)
                self._tell()

    async def _hang_up(self, call: Call) -> None:
        if not call.ended and not call.elsewhere:
            with trio.move_on_after(1.0, shield=True):
                await call.hang_up()

    async def _until_news(self) -> None:
        if not self.registered:
            raise self._not_registered()
        await self._news.wait()

    def _not_registered(self) -> ConnectionLost:
        why = f": {self.last_error}" if self.last_error else ""
        return ConnectionLost(f"{self.name} is not registered{why}")

    async def _until(self, done: Callable[[], bool]) -> None:
        """Wait until ``done``; raises :class:`RequestFailed` when the call manager refuses."""
        screen = self.screen
        refusals = screen.refusals
        while not done():
            if screen.refusals != refusals:
                raise RequestFailed(Cause.FACILITY_REJECTED, english(screen.refusal))
            await self._until_news()

    async def press(self, key: SccpMessage, done: Callable[[], bool]) -> None:
        """Send a key and wait until ``done``.

        Raises :class:`RequestFailed` with the words of the display when the call manager
        refuses, and :class:`ConnectionLost`.
        """
        self.send(key)
        await self._until(done)

    async def serve(self, handler: Callable[[Call], Awaitable[object]]) -> None:
        """Give every call that rings to ``handler``, each in a task of its own, until cancelled.

        A handler that returns without having answered refuses the call. :class:`CallEnded` out
        of a handler is the normal end of a call. Any other exception ends its call alone and is
        told in the log (``pa_telephony.sccp``): a :class:`TelephonyError` (a transfer that is
        refused, no UDP port, a prompt that is missing) as a warning, anything else, a bug of the
        handler's, as an error with its traceback, which :attr:`handler_errors` counts.
        """

        async def handle(call: Call) -> None:
            try:
                with self._handler_errors.of_a_call(trio.current_time):
                    await handler(call)
            finally:
                with self._handler_errors.of_a_call(trio.current_time):
                    await self._hang_up(call)
                room.release()

        # Calls come and go as the call manager likes; handlers may take longer.
        room = trio.Semaphore(self.config.max_calls)
        async with background() as tasks:
            while True:
                await room.acquire()
                while not self._calls.ringing:
                    await self._news.wait()
                tasks.start_handler(handle, self._calls.ringing.popleft())

    async def unregister(self) -> bool:
        """Unregister; False when the call manager refuses because a call is up.

        Once left, the station does not come back by itself. Raises :class:`ConnectionLost` when
        it has left without a word from the call manager: the link is broken, or no answer came
        within ``config.unregister_within``. A call may then still be up there. Cancelling does not
        take the question back, but the station stays: it registers anew if it is let go.
        """
        refusals = self._managers.refusals
        self.unconfirmed = f"{self.name} has left, and no call manager confirms it"
        self._managers.ask_to_leave()
        try:
            while self.registered:
                if self._managers.refusals != refusals:
                    self._managers.stay()
                    self.unconfirmed = ""
                    return False
                await self._news.wait()
        except trio.Cancelled:
            self._managers.stay()
            raise
        self._managers.stop()
        if not self._managers.let_go:
            raise ConnectionLost(self.unconfirmed)
        self.unconfirmed = ""
        return True

    async def new_call(self, *keys: SccpMessage, of: Call | None = None) -> Call:
        """Send ``keys`` and wait for the call that the call manager opens for them.

        That is one that asks for digits, or that is beyond them already. An old call may ask for
        the digits of a transfer; the new one begins when they are complete (pyskinny's simulator).

        ``of`` is the call that it is a consultation of; its end is the end of the waiting, by
        :class:`CallEnded`. Cancelling hangs the new call up, within a second.
        """
        return await self._new_call(lambda: keys, of)

    async def _new_call(self, keys: Callable[[], Sequence[SccpMessage]], of: Call | None) -> Call:
        def there_or_over() -> bool:
            return self._calls.opened is not None or (of is not None and of.ended)

        async with self._dialling:
            if not self.registered:
                raise self._not_registered()
            self._calls.opened = None
            try:
                for key in keys():
                    self.send(key)
                await self._until(there_or_over)
                if self._calls.opened is None:
                    assert of is not None
                    raise CallEnded(of.cause)
            except (trio.Cancelled, CallEnded):
                # The call manager opens it all the same, and nothing else would ever hang it up.
                await self._hang_up_new_call()
                raise
            return self._calls.opened

    async def _hang_up_new_call(self) -> None:
        with (
            trio.move_on_after(1.0, shield=True),
            contextlib.suppress(ConnectionLost, RequestFailed),
        ):
            await self._until(lambda: self._calls.opened is not None)
            call = self._calls.opened
            if call is not None and call.state is not DCallState.CALL_TRANSFER:
                await call.hang_up()

    def send(self, message: SccpMessage) -> None:
        """Queue a message to the call manager; it is dropped without a session."""
        if self._core is not None:
            # A session that has just failed is about to be forgotten: nothing would read the
            # message.
            with contextlib.suppress(RemoteProtocolError):
                self._core.send(message)
                self._managers.flush()

    @property
    def call_manager_host(self) -> str:
        """The IP address of the call manager it is registered with; "" without a connection."""
        link = self._managers.link
        return link.addresses[1][0] if link is not None else ""

    def open_port(self) -> Port | None:
        """A port of the engine for one call; None when none is free or there is no engine."""
        if self._engine is None:
            return None
        from pa_telephony.rtp import PortUnavailable  # numpy only where there is sound

        link = self._managers.link
        address = link.addresses[0][0] if link is not None else None
        try:
            if self._port_index is not None and any(call.has_port for call in self.calls.values()):
                # A consultation has its own stream while the first call is held on the fixed port.
                return self._engine.open_spare_port(address=address)
            return self._engine.open_port(self._port_index, address=address)
        except PortUnavailable:
            return None

    def _tell(self) -> None:
        self._news.set()
        self._news = trio.Event()

    async def run(self) -> None:
        """Stay registered until cancelled, :meth:`unregister` succeeds or :meth:`abandon`."""
        await self._managers.run()

    def handle_event(self, event: StationEvent) -> None:
        """Take an event of the session, and wake the tasks that wait for one."""
        match event:
            case Registered() if self._managers.link is not None:
                if self.on_trouble is None:
                    _LOG.info("%s is registered at %s:%s", self.name, *self.call_manager)
                for on_hook in self._calls.left_up(self._managers.link.index):
                    self.send(on_hook)
            case CallChanged():
                self._calls.handle_change(event)
            case StatisticsAsked(request):
                self.send(self._calls.statistics(request))
            case _:
                pass
        self._tell()

    def connection_lost(self, index: int | None) -> None:
        """Note that no call manager serves the station any more; its calls end."""
        self._calls.connection_lost(index)
        self._tell()

    def check(self, link: Link) -> None:
        """Raise :class:`ConfigurationError` when no sound can follow a connection."""
        if self._engine is not None:
            local, remote = link.addresses
            self._engine.check_signalling(local[0], remote[0])

    def abandon(self) -> None:
        """Leave without a message and without waiting: calls end, the connection just closes."""
        self._abandoned = True
        self._managers.stop()

    async def leave(self) -> None:
        """Hang up and unregister, within ``config.unregister_within`` and a second."""
        if self._abandoned or not self.registered:
            return
        with (
            trio.move_on_after(self.config.unregister_within + 1.0, shield=True),
            contextlib.suppress(ConnectionLost),
        ):
            # A call manager that ends no call is asked to let the station go all the same.
            with trio.move_on_after(0.5):
                async with trio.open_nursery() as nursery:
                    for call in self.calls.values():
                        if not call.elsewhere and call.state is not DCallState.IDLE:
                            nursery.start_soon(call.hang_up)
            await self.unregister()


@contextlib.asynccontextmanager
async def open_station(
    name: str,
    call_managers: Peers,
    *,
    config: StationConfig | None = None,
    engine: Engine | None = None,
    port_index: int | None = None,
    trace: Trace | None = None,
    local_address: str | None = None,
    on_trouble: Callable[[str], object] | None = None,
) -> AsyncGenerator[Station]:
    """Register a station and keep it registered.

    Entered means registered. A lost link is repaired for ever, call managers tried in order,
    with a back-off; calls that were up end with cause 41. With several call managers a connection
    to the next one stands by, and the station returns to an earlier one when that lets it and no
    call is up (:class:`StationConfig`). Left means hung up and unregistered.

    ``name`` is the device name (at most 15 characters). Without an ``engine`` the station has no
    sound and refuses receive channels. ``local_address`` is the source address to use.
    ``on_trouble`` is :attr:`Station.on_trouble` from the start, when no call manager may be
    reachable yet. Raises :class:`ConfigurationError` when the engine is on a loopback address and a
    call manager is not. Raises :class:`RegistrationRejected` when every call manager refuses the
    name from the first: ``config.rejections`` times when the name is unknown there, and for
    ``config.rejected_for`` seconds when an old session may hold it. Waits for as long as none can
    be reached.
    """
    if not 1 <= len(name) <= 15:
        raise ValueError(f"device name {name!r}: must have 1 to 15 characters")
    station = Station(
        name,
        parse_peers(call_managers, _PORT),
        config or StationConfig(),
        engine,
        port_index,
        trace,
        local_address,
    )
    station.on_trouble = on_trouble
    async with background() as tasks:
        running = tasks.start_to_the_end(station.run)
        try:
            await station.wait_registered()
            yield station
        finally:
            try:
                await station.leave()
            finally:
                running.cancel()


@contextlib.asynccontextmanager
async def open_media_port(
    name: str,
    call_managers: Peers,
    *,
    engine: Engine,
    port_index: int | None = None,
    config: StationConfig | None = None,
    trace: Trace | None = None,
    local_address: str | None = None,
    on_trouble: Callable[[str], object] | None = None,
) -> AsyncGenerator[Station]:
    """Register a media port: a station of one line that asks only what an FXS port asks.

    ``port_index`` k binds it to UDP ``first_port + 2k`` of the engine. Otherwise as
    :func:`open_station`.
    """
    config = config or StationConfig(
        style=Style.PORT, device_type=DeviceType.ANALOG_PHONE, protocol_version=21
    )
    async with open_station(
        name,
        call_managers,
        config=replace(config, style=Style.PORT),
        engine=engine,
        port_index=port_index,
        trace=trace,
        local_address=local_address,
        on_trouble=on_trouble,
    ) as station:
        yield station
