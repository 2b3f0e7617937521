"""Stations over TCP: phones and media ports that stay registered whatever happens to the link."""

from __future__ import annotations

import contextlib
import math
import random
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import trio

from pa_telephony.address import Peers, parse_peers
from pa_telephony.errors import (
    CallEnded,
    ConnectionLost,
    RegistrationRejected,
    RemoteProtocolError,
    RequestFailed,
)
from pa_telephony.sccp import messages
from pa_telephony.sccp.call import Call, no_statistics
from pa_telephony.sccp.enums import (
    DCallState,
    DeviceResetType,
    DeviceStimulus,
    DeviceTone,
    DeviceType,
    LampMode,
    SoftKeyEvent,
)
from pa_telephony.sccp.manager import End, Link, Standby
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.patience import Patience
from pa_telephony.sccp.phrases import english
from pa_telephony.sccp.screen import Screen
from pa_telephony.sccp.station import (
    CallChanged,
    MayReturn,
    MustWait,
    Registered,
    Rejected,
    StationCore,
    StationEvent,
    StatisticsAsked,
    Unregistered,
    UnregisterRefused,
    key_of,
)
from pa_telephony.sccp.style import StationConfig, Style
from pa_telephony.tasks import Background, background
from pa_telephony.trace import Trace

if TYPE_CHECKING:
    from pa_telephony.rtp import Engine, Port

__all__ = ["Station", "open_media_port", "open_station"]

_PORT = 2000
_REMEMBERED = 8
"""Calls that may still be asked about after their end."""
_CONFIRMED_WITHIN = 1.0
"""Seconds from the end of the call that dials a forward to the word that it is set."""
_TEMPORARY_FAILURE = 41
"""Q.850: what a call ends with when its call manager is lost."""
_FACILITY_REJECTED = 29
"""Q.850: what a key ends with that the call manager refuses."""
_BEYOND_DIGITS = (DCallState.PROCEED, DCallState.RING_OUT)
_DIAL_TONES = (DeviceTone.INSIDE_DIAL_TONE, DeviceTone.OUTSIDE_DIAL_TONE)
_BLANK = Screen()


class Station:
    """A registered device. Made by :func:`open_station` and :func:`open_media_port`."""

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
        self.calls: dict[int, Call] = {}
        self._ended: deque[Call] = deque(maxlen=_REMEMBERED)
        self.registrations = 0
        self.protocol_errors = 0
        """Connections that a call manager broke the protocol on; each was closed."""
        self.slow_call_managers = 0
        """Connections that were closed because nobody read what we sent."""
        self.last_error: str = ""
        self.on_trouble: Callable[[str], object] | None = None
        """Told why it is not registered, each time a call manager can not be had or is lost."""
        self.on_call: Callable[[Call], object] | None = None
        """Given each call when anything about it has changed, between two messages."""
        self._call_managers = call_managers
        self._engine = engine
        self._port_index = port_index
        self._trace = trace
        self._source = local_address
        self._link: Link | None = None
        self._standby = Standby(config, len(call_managers), self._connect)
        self._patience = Patience(config, len(call_managers), random.random)
        self._tasks: Background | None = None
        self._returning: int | None = None
        self._same_again: int | None = None
        self._registered = False
        self._wanted = True
        self._let_go = False
        self._abandoned = False
        self._running = trio.CancelScope()
        self._news = trio.Event()
        self._look = trio.Event()
        """Something has changed for the connections that stand by, or for the way back."""
        self._refused = 0
        self._dialling = trio.Lock()
        self._new_call: Call | None = None
        self._lost_in_calls: dict[int, list[messages.OnHook]] = {}
        """What a call manager is told that was lost in calls, by its place in the list."""
        self._ringing: deque[Call] = deque()
        """Calls that rang and are not over, and that no handler has had: ``max_calls`` at most."""

    def __repr__(self) -> str:
        return f"<Station {self.name} {self.number or '?'}>"

    @property
    def registered(self) -> bool:
        """Whether a call manager knows us now."""
        return self._registered

    @property
    def number(self) -> str:
        """The directory number of line 1; "" while it is not known."""
        return self.lines.get(1, "")

    @property
    def lines(self) -> dict[int, str]:
        """Directory numbers by line."""
        return dict(self._core.lines) if self._core is not None else {}

    @property
    def version(self) -> int:
        """The session version."""
        return self._core.version if self._core is not None else 0

    @property
    def call_manager(self) -> tuple[str, int]:
        """Address and port of the call manager we are connected to."""
        return self._link.addresses[1] if self._link is not None else ("0.0.0.0", 0)

    @property
    def standing_by(self) -> list[tuple[str, int]]:
        """The call managers that one message would register us with."""
        return [self._call_managers[index] for index in sorted(self._standby.ready)]

    @property
    def _core(self) -> StationCore | None:
        return self._link.core if self._link is not None else None

    @property
    def screen(self) -> Screen:
        """Lamps, prompt, soft keys, ringer, forwards, speed dials: what a person would see."""
        return self._core.screen if self._core is not None else _BLANK

    @property
    def message_waiting(self) -> bool:
        """Whether the lamp of any line says that there is a message."""
        return self.screen.message_waiting()

    async def wait_shown(self, condition: Callable[[Screen], bool]) -> None:
        """Wait until the screen is as ``condition`` wants it."""
        while not condition(self.screen):
            await self._news.wait()

    async def wait_registered(self) -> None:
        """Wait until a call manager knows us."""
        while not self._registered:
            await self._news.wait()

    async def wait_unregistered(self) -> None:
        """Wait until no call manager knows us."""
        while self._registered:
            await self._news.wait()

    @contextlib.asynccontextmanager
    async def call(self, number: str, *, line: int = 1) -> AsyncGenerator[Call]:
        """Call a number as a person does: off hook, then the digits. Leaving hangs up.

        A call that was going on is put on hold by the call manager. The body begins as soon as
        the digits are sent: ``await call.wait_connected()``. Raises :class:`ValueError` for what
        no telephone has a key for, and for a line that the station does not have (Asterisk goes
        down over it).
        """
        if line != 1 and line not in self.lines:
            raise ValueError(f"{self.name} has no line {line}")
        for digit in number:
            key_of(digit)
        start = messages.OffHook(line_instance=0 if line == 1 else line)
        call = await self.new_call(start)
        try:
            call.press(number)
            yield call
        finally:
            await self._hang_up(call)

    @contextlib.asynccontextmanager
    async def speed_dial(self, button: int) -> AsyncGenerator[Call]:
        """Press a speed-dial button, counted from 1. Leaving hangs up."""
        stimulus = messages.Stimulus(stimulus=DeviceStimulus.SPEED_DIAL, line_instance=button)
        call = await self.new_call(stimulus)
        try:
            yield call
        finally:
            await self._hang_up(call)

    @contextlib.asynccontextmanager
    async def pick_up(self, *, line: int = 1) -> AsyncGenerator[Call]:
        """Take over what rings in the pickup group of a line. Leaving hangs up.

        Raises :class:`RequestFailed` when the call manager says that there is nothing.
        """
        call = await self.new_call(self._key(SoftKeyEvent.PICK_UP, line))
        try:
            yield call
        finally:
            await self._hang_up(call)

    async def forward_all(self, number: str, *, line: int = 1) -> None:
        """Send all calls of a line to ``number``, or to nowhere else ("").

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
                raise RequestFailed(call.cause, f"forward to {number}: cause {call.cause}")
        finally:
            await self._hang_up(call)

    def forwarded_to(self, line: int = 1) -> str:
        """Where all calls of a line go; "" for nowhere else."""
        known = self.screen.forwards.get(line)
        return known.all if known is not None else ""

    async def do_not_disturb(self, on: bool = True) -> None:
        """Ring silently from now on, or no more."""

        def is_on() -> bool:
            return self.screen.lamp(DeviceStimulus.DO_NOT_DISTURB) is not LampMode.OFF

        if is_on() is not on:
            self.send(self._key(SoftKeyEvent.DND, 1))
            await self._until(lambda: is_on() is on)

    def _key(self, key: SoftKeyEvent, line: int) -> messages.SoftKeyEvent:
        return messages.SoftKeyEvent(soft_key_event=key, line_instance=line, call_reference=0)

    async def _hang_up(self, call: Call) -> None:
        if not call.ended and not call.elsewhere:
            with trio.move_on_after(1.0, shield=True):
                await call.hang_up()

    async def _until_news(self) -> None:
        if not self._registered:
            raise ConnectionLost(f"{self.name}: {self.last_error or 'not registered'}")
        await self._news.wait()

    async def _until(self, done: Callable[[], bool]) -> None:
        """Wait for what a key should do, or for the call manager to say that it can not be."""
        screen = self.screen
        refusals = screen.refusals
        while not done():
            if screen.refusals != refusals:
                raise RequestFailed(_FACILITY_REJECTED, english(screen.refusal))
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
        of a handler is the normal end of a call; anything else comes out of here.
        """

        async def handle(call: Call) -> None:
            with contextlib.suppress(CallEnded):
                await handler(call)
            await self._hang_up(call)
            room.release()

        # Calls come and go as the call manager likes; handlers may take longer.
        room = trio.Semaphore(self.config.max_calls)
        async with background() as tasks:
            while True:
                await room.acquire()
                while not self._ringing:
                    await self._news.wait()
                tasks.start_handler(handle, self._ringing.popleft())

    async def unregister(self) -> bool:
        """Leave the call manager. False: it said no, because a call is up; we stay registered.

        Once left, the station does not come back by itself. Raises :class:`ConnectionLost` when
        it has left without a word from the call manager: the link is broken, or no answer came
        within ``config.unregister_within``. A call may then still be up there. Cancelling does not
        take the question back, but the station stays: it registers anew if it is let go.
        """
        refused = self._refused
        self._wanted = False
        if self._core is not None and self._registered:
            with contextlib.suppress(RemoteProtocolError):
                self._core.leave(trio.current_time())
            self._flush()
        try:
            while self._registered:
                if self._refused != refused:
                    self._wanted = True
                    return False
                await self._news.wait()
        except trio.Cancelled:
            self._wanted = not self._abandoned
            raise
        self._running.cancel()
        if not self._let_go:
            raise ConnectionLost(f"{self.name} has left, and no call manager confirms it")
        return True

    async def new_call(self, *keys: SccpMessage, of: Call | None = None) -> Call:
        """Send ``keys`` and wait for the call that the call manager opens for them.

        That is one that asks for digits, or that is beyond them already. An old call may ask for
        the digits of a transfer; the new one begins when they are complete (pyskinny's simulator).

        ``of`` is the call that it is a consultation of; its end is the end of the waiting, by
        :class:`CallEnded`. Cancelling hangs the new call up, within a second.
        """

        def there_or_over() -> bool:
            return self._new_call is not None or (of is not None and of.ended)

        async with self._dialling:
            if not self._registered:
                raise ConnectionLost(f"{self.name} is not registered")
            self._new_call = None
            try:
                for key in keys:
                    self.send(key)
                await self._until(there_or_over)
                if self._new_call is None:
                    raise CallEnded(of.cause if of is not None else _TEMPORARY_FAILURE)
            except (trio.Cancelled, CallEnded):
                # The call manager opens it all the same, and nobody would ever hang it up.
                await self._hang_up_new_call()
                raise
            return self._new_call

    async def _hang_up_new_call(self) -> None:
        with (
            trio.move_on_after(1.0, shield=True),
            contextlib.suppress(ConnectionLost, RequestFailed),
        ):
            await self._until(lambda: self._new_call is not None)
            if self._new_call is not None and self._new_call.state is not DCallState.CALL_TRANSFER:
                await self._new_call.hang_up()

    def send(self, message: SccpMessage) -> None:
        """Queue a message to the call manager; dropped without a session."""
        if self._core is not None:
            # A session that has just failed is about to be forgotten: nobody is there to hear.
            with contextlib.suppress(RemoteProtocolError):
                self._core.send(message)
                self._flush()

    def open_port(self) -> Port | None:
        """A port of the engine for one call; None when there is none to be had."""
        if self._engine is None:
            return None
        from pa_telephony.rtp import PortUnavailable  # numpy only where there is sound

        address = self._link.addresses[0][0] if self._link is not None else None
        try:
            if self._port_index is not None and any(call.has_port for call in self.calls.values()):
                # A consultation has its own stream while the first call is held on the fixed port.
                return self._engine.open_spare_port(address=address)
            return self._engine.open_port(self._port_index, address=address)
        except PortUnavailable:
            return None

    def _flush(self) -> None:
        if self._link is not None:
            self._link.flush()

    def _tell(self) -> None:
        self._news.set()
        self._news = trio.Event()

    async def run(self) -> None:
        """Stay registered until cancelled, :meth:`unregister` succeeds or :meth:`abandon`."""
        with self._running:
            async with background() as tasks:
                self._tasks = tasks
                if self.config.stand_by and len(self._call_managers) > 1:
                    tasks.start_soon(self._keep_standby)
                await self._stay_registered()
                tasks.cancel_scope.cancel()

    async def _stay_registered(self) -> None:
        while self._wanted:
            known = self.registrations
            for place, index in enumerate(self._order()):
                ended = await self._serve(index)
                if isinstance(ended, Unregistered):
                    # Without a registration it is one more call manager that does not serve us.
                    self._note("unregistered by the call manager")
                    self._obey(ended.reset, index)
                elif isinstance(ended, Rejected):
                    host, port = self._call_managers[index]
                    self._note(f"{host}:{port} refuses {self.name}: {ended.reason}")
                else:
                    self._note(ended.reason)
                if self.registrations != known:
                    self._patience.unregistered(trio.current_time())
                    break
                if isinstance(ended, Rejected):
                    last_word = self._patience.refused(ended.reason, trio.current_time())
                    if last_word and not self.registrations:
                        raise RegistrationRejected(ended.reason)
                elif place == 0:
                    self._patience.not_refused()
                if not self._wanted:
                    break
            if not self._wanted:
                return
            if self._returning is None:
                await trio.sleep(self._patience.pause())

    def _note(self, why: str) -> None:
        self.last_error = why
        if self.on_trouble is not None and self._wanted and self._returning is None:
            self.on_trouble(why)

    def _obey(self, reset: DeviceResetType | None, index: int) -> None:
        if reset is DeviceResetType.RESTART:
            self._same_again = index
        elif reset is DeviceResetType.RESET:
            self._standby.close()
            self._standby = Standby(self.config, len(self._call_managers), self._connect)

    def _order(self) -> list[int]:
        """Where to go next: as told, by a token or a restart; where we stand by; down the list."""
        first = self._same_again if self._returning is None else self._returning
        self._returning = self._same_again = None
        ready = self._standby.ready
        return sorted(
            range(len(self._call_managers)),
            key=lambda index: (index != first, index not in ready, index),
        )

    async def _serve(self, index: int) -> End:
        """Be registered with one call manager for as long as that lasts."""
        link = self._standby.take(index)
        if link is None:
            link = self._connect(index)
        self._link = link
        link.register()
        try:
            await link.ended.wait()
            self._let_go = isinstance(link.end, Unregistered) and link.end.confirmed
        finally:
            self._forget()
        return link.end

    def _connect(self, index: int) -> Link:
        interval = self._core.standby_interval if self._core is not None else 60.0
        address = self._call_managers[index]
        link = Link(self, index, address, interval, self._trace, self._source)
        assert self._tasks is not None
        self._tasks.start_soon(link.run)
        return link

    async def _keep_standby(self) -> None:
        while True:
            self._look = trio.Event()
            now = trio.current_time()
            self._standby.forget_ended(now)
            again = math.inf
            if self._registered and self._link is not None and self._core is not None:
                here = self._link.index
                self._standby.arrange(here, now)
                may_return = self.config.fall_back and self._core.idle and self._returning is None
                if may_return:
                    index = self._standby.ask_to_return(here, now)
                    if index is not None:
                        self._return_to(index)
                again = self._standby.next_look(here, may_return=may_return)
            with trio.move_on_at(again):
                await self._look.wait()

    def _return_to(self, index: int) -> None:
        """Leave where we are, to register where we would rather be."""
        if self._registered and self._core is not None and self._core.idle:
            self._returning = index
            self._core.leave(trio.current_time())
            self._flush()

    def take(self, link: Link, event: StationEvent) -> None:
        """Something happened on a connection."""
        if link is self._link:
            self._take(link, event)
        elif isinstance(event, MayReturn | MustWait):
            self._standby.answered(link.index, event, trio.current_time())
            self._look.set()
            if isinstance(event, MayReturn):
                self._return_to(link.index)

    def came_up(self, link: Link) -> None:
        """A connection is there. Raises :class:`ConfigurationError` when no sound can follow it."""
        if self._engine is not None:
            local, remote = link.addresses
            self._engine.check_signalling(local[0], remote[0])
        self._look.set()

    def went_down(self, link: Link) -> None:
        """A connection has ended."""
        self._look.set()

    def _take(self, link: Link, event: StationEvent) -> None:
        match event:
            case Registered():
                self._registered = True
                self.registrations += 1
                self._patience.registered(trio.current_time())
                # chan_skinny keeps call and hook of a lost connection, and passes over OffHook
                # until it hears this; elsewhere the numbers are those of no call.
                for on_hook in self._lost_in_calls.pop(link.index, ()):
                    self.send(on_hook)
                self._look.set()
            case UnregisterRefused():
                self._refused += 1
                self._returning = None
                self._look.set()
            case CallChanged():
                self._take_call(event, event.message)
            case StatisticsAsked(request):
                known = [*self._ended, *self.calls.values()]
                asked = next((c for c in known if c.call_reference == request.call_reference), None)
                self.send(no_statistics(request) if asked is None else asked.statistics(request))
            case _:
                pass
        self._tell()

    def _take_call(self, event: CallChanged, message: SccpMessage) -> None:
        view = event.call
        call = self.calls.get(view.key)
        known = call is not None
        if call is None:
            if view.ended:
                return
            call = self.calls[view.key] = Call(self, view)
        call.changed(message)
        self._tell_of(call)
        if view.ended or view.elsewhere:
            self._look.set()
        if view.ended:
            self.calls.pop(view.key, None)
            self._ended.append(call)
            if call in self._ringing:
                self._ringing.remove(call)
        elif isinstance(message, messages.CallState):
            if view.state is DCallState.RING_IN and not call.announced:
                # Call managers repeat the state when the caller changes (a transfer).
                call.announced = True
                self._ringing.append(call)
            elif not view.incoming and (
                view.state is DCallState.OFF_HOOK or (view.state in _BEYOND_DIGITS and not known)
            ):
                self._new_call = call
        elif (
            isinstance(message, messages.StartTone)
            and message.tone in _DIAL_TONES
            and view.state is DCallState.CALL_TRANSFER
        ):
            # The digits of a transfer are wanted on the call itself (pyskinny's simulator).
            self._new_call = call

    def _tell_of(self, call: Call) -> None:
        if self.on_call is not None:
            self.on_call(call)

    def _forget(self) -> None:
        self._registered = False
        link, self._link = self._link, None
        self._ringing.clear()
        calls, self.calls = self.calls, {}
        if link is not None and calls:
            self._lost_in_calls[link.index] = [
                messages.OnHook(line_instance=call.line, call_reference=call.call_reference)
                for call in calls.values()
                if not call.elsewhere
            ]
        for call in calls.values():
            call.lost(_TEMPORARY_FAILURE)
            self._tell_of(call)
        self._tell()

    def abandon(self) -> None:
        """Leave without a word and without waiting: calls end, the connection just closes."""
        self._abandoned = True
        self._wanted = False
        self._forget()
        self._running.cancel()

    async def leave(self) -> None:
        """Hang up and unregister, within ``config.unregister_within`` and a second."""
        if self._abandoned:
            return
        with (
            trio.move_on_after(self.config.unregister_within + 1.0, shield=True),
            contextlib.suppress(ConnectionLost),
        ):
            # A call manager that ends none of them is asked to let go all the same.
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

    ``name`` is the device name (at most 15 characters). Without an ``engine`` the station has
    no sound and refuses receive channels. ``local_address`` is the source address to use.
    ``on_trouble`` is :attr:`Station.on_trouble` from the start, when nobody may be there yet.
    Raises :class:`ConfigurationError` when the engine is on a loopback address and a call manager
    is not.
    Raises :class:`RegistrationRejected` when every call manager refuses the name from the
    first: ``config.rejections`` times when the name is unknown there, and for
    ``config.rejected_for`` seconds when an old session may hold it. Waits for as long as none
    can be reached.
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
        tasks.start_soon(station.run)
        await station.wait_registered()
        try:
            yield station
        finally:
            await station.leave()


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
