"""A phone as its user sees it: calls with a state in words, things to do, sound. No screen."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass

import trio

from pa_telephony import sccp
from pa_telephony.cli.phone.keys import Action, Deed
from pa_telephony.cli.phone.sounds import Sounds
from pa_telephony.errors import CallEnded, RequestFailed, TelephonyError
from pa_telephony.printable import printable, printable_reason
from pa_telephony.rtp import Media, PortStatistics
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import DCallState
from pa_telephony.tasks import Background

__all__ = ["Handset", "Line"]

_REMEMBERED = 8
_CAUSES = {
    1: "no such number",
    17: "busy",
    34: "not registered, or no way there",
    41: "not reachable, or the call manager is lost",
}
_STATES = {
    DCallState.OFF_HOOK: "off hook",
    DCallState.PROCEED: "calling",
    DCallState.RING_OUT: "ringing there",
    DCallState.RING_IN: "rings",
    DCallState.CALL_WAITING: "waits",
    DCallState.CONNECTED: "connected",
    DCallState.HOLD: "on hold",
    DCallState.BUSY: "busy",
    DCallState.CONGESTION: "not registered, or no way there",
    DCallState.INVALID_NUMBER: "no such number",
}


@dataclass(eq=False, slots=True)
class Line:
    """One call in the list of a handset."""

    call: sccp.Call
    shown: DCallState | None = None
    connected_at: float | None = None
    media: Media | None = None
    dialled: str = ""
    """What was keyed at this handset; the call manager shows only how far it went."""
    consultation: bool = False
    """Whether the call asks if another call may be handed on to it."""

    @property
    def state(self) -> str:
        """The state of the call in words."""
        state = self.call.state
        return _STATES.get(state, state.name.lower().replace("_", " "))

    @property
    def other(self) -> str:
        """The other side: a number, or what the call manager shows (a conference)."""
        return printable(self.call.connected_to or self.call.prompt or "?")

    @property
    def sound(self) -> PortStatistics | None:
        """The packets so far, None before there was sound."""
        return None if self.media is None else self.media.port.stats


class Handset:
    """The calls of one station, newest last; one of them is selected."""

    def __init__(
        self,
        station: sccp.Station,
        tasks: Background,
        sounds: Sounds,
        tell: Callable[[str], object] = lambda text: None,
    ) -> None:
        self.station = station
        self.lines: list[Line] = []
        self.notices: deque[str] = deque(maxlen=_REMEMBERED)
        self.changed = trio.Event()
        self._tasks = tasks
        self._sounds = sounds
        self._tell = tell
        self._selected: Line | None = None
        self._number = ""
        station.on_call = self._on_call
        for call in station.calls.values():
            self._on_call(call)

    @property
    def number(self) -> str:
        """The number of the phone, the last known while it is not registered; else its name."""
        self._number = self.station.number or self._number
        return printable(self._number or self.station.name)

    @property
    def selected(self) -> Line | None:
        """The call that keys are for; None when there is none."""
        return self._selected

    @property
    def ringing(self) -> int:
        """How many calls ring at the phone."""
        return sum(line.call.state is DCallState.RING_IN for line in self.lines)

    def notice(self, text: str) -> None:
        """Show a text to the user, and remember it."""
        text = printable_reason(text)
        self.notices.append(text)
        self._tell(text)
        self.refresh()

    def do(self, action: Action) -> None:
        """Do what a key asks for; an error becomes a notice."""
        line = self._selected
        match action.deed:
            case Deed.CALL:
                self._start(lambda: self.dial(action.number))
            case Deed.UP | Deed.DOWN:
                self._move(-1 if action.deed is Deed.UP else 1)
            case _ if line is not None:
                self._on_line(action, line.call)
            case _:
                pass

    def _on_line(self, action: Action, call: sccp.Call) -> None:
        match action.deed:
            case Deed.ANSWER:
                self._start(lambda: self._answer(call))
            case Deed.HANG_UP:
                self._start(call.hang_up)
            case Deed.HOLD:
                self._start(call.hold)
            case Deed.RESUME:
                self._start(call.resume)
            case Deed.DIGIT:
                self._start(lambda: call.send_digits(action.number))
            case Deed.TRANSFER:
                self._start(lambda: self._transfer(call, action.number))
            case Deed.CONSULT:
                self._start(lambda: self._consult(call, action.number))
            case Deed.COMPLETE:
                self._start(call.complete)
            case Deed.CONFERENCE:
                self._start(lambda: self._conference(call, action.number))
            case Deed.PARK:
                self._start(lambda: self._park(call))
            case _:
                pass

    def _start(self, deed: Callable[[], Awaitable[object]]) -> None:
        async def run() -> None:
            try:
                await deed()
            except CallEnded:
                pass  # the change of the call shows that
            except TelephonyError as error:
                self.notice(f"that failed: {error}")

        self._tasks.start_soon(run)

    async def dial(self, number: str) -> sccp.Call:
        """Go off hook and press the digits; raises :class:`ConnectionLost` if not registered."""
        call = await self.station.new_call(messages.OffHook())
        for line in self.lines:
            if line.call is call:
                line.dialled = number
        call.press(number)
        return call

    async def _answer(self, call: sccp.Call) -> None:
        async with call.answer():
            await call.wait_ended()

    async def _transfer(self, call: sccp.Call, number: str) -> None:
        other = call.connected_to
        with self._refusals(number):
            await call.transfer(number)
            self.notice(f"{other} is handed on to {number}")

    async def _consult(self, call: sccp.Call, number: str) -> None:
        with self._refusals(number):
            asked = await call.consult(number)
            for line in self.lines:
                line.consultation |= line.call is asked
            self.refresh()

    async def _conference(self, call: sccp.Call, number: str) -> None:
        with self._refusals(number):
            await call.conference(number)
            self.notice(f"{number} joins the conference")

    async def _park(self, call: sccp.Call) -> None:
        other = call.connected_to
        self.notice(f"{other} is parked at {await call.park()}")

    @contextlib.contextmanager
    def _refusals(self, number: str) -> Generator[None]:
        try:
            yield
        except RequestFailed as failed:
            why = _CAUSES.get(failed.code, f"cause {failed.code}")
            self.notice(f"not with {number}: {why}")

    def _move(self, by: int) -> None:
        if self._selected in self.lines:
            place = self.lines.index(self._selected) + by
            self._selected = self.lines[min(max(place, 0), len(self.lines) - 1)]
        self.refresh()

    # Changes that the call manager shows.

    def _on_call(self, call: sccp.Call) -> None:
        line = next((line for line in self.lines if line.call is call), None)
        if line is None:
            if call.ended:
                return
            line = Line(call)
            self.lines.append(line)
            if self._selected is None or not call.incoming:
                self._selected = line
        if line.media is None and call.media is not None:
            line.media = call.media
            self._sounds.attach(call.media, self._tasks)
        if call.ended:
            self._ended(line)
        elif call.state is not line.shown:
            self._shows(line)
        self.refresh()

    def _shows(self, line: Line) -> None:
        if line.call.state is DCallState.RING_IN and not line.call.connected_to:
            return  # the caller comes with the next message
        line.shown = line.call.state
        match line.call.state:
            case DCallState.RING_IN:
                self.notice(f"{line.other} calls")
            case DCallState.RING_OUT:
                self.notice(f"{line.other} rings")
            case DCallState.CONNECTED:
                if line.connected_at is None:
                    line.connected_at = trio.current_time()
                self.notice(f"in a call with {line.other}")
            case DCallState.HOLD:
                self.notice(f"{line.other} is on hold")
            case DCallState.INVALID_NUMBER:
                self.notice(f"{line.dialled or line.other}: {line.state}")
            case DCallState.BUSY | DCallState.CONGESTION:
                self.notice(f"{line.other}: {line.state}")
            case _:
                pass

    def _ended(self, line: Line) -> None:
        self.lines.remove(line)
        if self._selected is line:
            self._selected = self.lines[-1] if self.lines else None
        if line.connected_at is None:
            return
        seconds = trio.current_time() - line.connected_at
        text = f"the call with {line.other} is over after {seconds:.1f} s"
        if (sound := line.sound) is not None:
            text += f": {sound.received} packets heard, {sound.lost} lost"
        self.notice(text)

    def refresh(self) -> None:
        """Wake the task that draws the display."""
        self.changed.set()
        self.changed = trio.Event()
