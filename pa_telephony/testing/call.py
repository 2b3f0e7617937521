"""A call on a phone of the test: its states, the sound that is heard, and what can be done."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Literal, Protocol, TypeAlias, get_args

import numpy as np
import trio

from pa_telephony import rtp, sccp
from pa_telephony.errors import CallEnded
from pa_telephony.rtp import Audio, Recording
from pa_telephony.rtp.g711 import Samples
from pa_telephony.rtp.packet import CLOCK_RATE
from pa_telephony.rtp.sound import Playable
from pa_telephony.sccp.enums import DCallState
from pa_telephony.testing.thread import TrioThread, WaitFailed, check_known, is_told_to_the_test

__all__ = ["Call", "CallState", "Stage", "check_sound"]

__tracebackhide__ = is_told_to_the_test

CallState: TypeAlias = Literal[
    "dialling", "ringing", "connected", "held", "busy", "unreachable", "no such number", "ended"
]

_WORDS: dict[DCallState, CallState] = {
    DCallState.OFF_HOOK: "dialling",
    DCallState.PROCEED: "dialling",
    DCallState.RING_OUT: "ringing",
    DCallState.RING_IN: "ringing",
    DCallState.CONNECTED: "connected",
    DCallState.HOLD: "held",
    DCallState.BUSY: "busy",
    DCallState.CONGESTION: "unreachable",
    DCallState.INVALID_NUMBER: "no such number",
    DCallState.ON_HOOK: "ended",
}
_HOPELESS = ("busy", "unreachable", "no such number")
_RECENT = 10
"""In how many frames of 20 ms a tone is looked for."""
_SHARE = 0.25
"""The part of the energy that a tone must have; each half of a dual tone has 0.5."""


class Stage(Protocol):
    """What calls and phones need of the call manager they belong to."""

    thread: TrioThread
    timeout: float

    def absent(self, number: str) -> str:
        """The words "1002 is not registered" when no device with the number is; "" otherwise."""
        ...

    def start_soon(self, function: Callable[..., Awaitable[object]], *arguments: object) -> None:
        """Run a task beside the call manager; to be called in its thread."""
        ...


class Call:
    """A call on one phone; every method may be called from any thread of the test."""

    def __init__(self, stage: Stage, call: sccp.Call, number: str) -> None:
        self._stage = stage
        self._call = call
        self._number = number
        self._states: list[CallState] = [_WORDS.get(call.state, "dialling")]
        self._seen = -1
        self._digits = ""
        self._recording = Recording()
        self._recent: deque[Samples] = deque(maxlen=_RECENT)
        self._media: rtp.Media | None = None

    def __repr__(self) -> str:
        return f"<Call of {self._number}: {self.calling} -> {self.called}, {self.state}>"

    # What is known of the call.

    @property
    def state(self) -> CallState:
        """The state of the call now."""
        return self._states[-1]

    @property
    def states(self) -> tuple[CallState, ...]:
        """All states of the call so far, in order."""
        return tuple(self._states)

    @property
    def incoming(self) -> bool:
        """Whether the call rang at this phone, and was not made here."""
        return self._call.incoming

    @property
    def calling(self) -> str:
        """The number of the caller."""
        return self._call.calling

    @property
    def called(self) -> str:
        """The number that is connected or being called."""
        return self._call.called

    @property
    def connected_to(self) -> str:
        """The number of the other side, as the call manager last showed it."""
        return self._call.connected_to

    @property
    def original_called(self) -> str:
        """The number that was called first, before any forward or redirect."""
        return self._call.original_called

    @property
    def last_redirecting(self) -> str:
        """The number that sent the call on, "" if none did."""
        return self._call.last_redirecting

    @property
    def digits(self) -> str:
        """The keys that the other side has pressed so far (RFC 4733 events)."""
        return self._digits

    @property
    def heard(self) -> Audio:
        """All sound that arrived so far, at 8000 samples per second; zeros where none came."""
        return Audio(self._stage.thread.run_sync(lambda: self._recording.samples))

    # Waits. ``timeout`` is in seconds; None means the call manager's.

    def wait_for(self, state: CallState, *, timeout: float | None = None) -> None:
        """Wait until the call is ``state``.

        States that passed since the last wait count, so that a phone that answers at once does
        not make a wait for "ringing" fail. Raises :class:`WaitFailed` after the timeout, and at
        once when the call has come to an end (ended, busy, unreachable) and cannot get there.
        Raises :class:`ValueError` for a word that is no state, with the nearest one.
        """
        check_known("state of a call", state, get_args(CallState))

        def found() -> int | None:
            later = self._states[self._seen + 1 :]
            if state in later:
                return self._seen + 1 + later.index(state)
            return len(self._states) - 1 if self.state == state else None

        def decided() -> bool:
            over = self.state == "ended" or (self.state in _HOPELESS and state != "ended")
            return over or found() is not None

        self._wait(decided, f"be {state}", timeout)
        place = found()
        if place is None:
            raise WaitFailed(f"{self._name} cannot be {state} any more: {self._history}")
        self._seen = place

    def wait_for_digits(self, digits: str, *, timeout: float | None = None) -> None:
        """Wait until the other side has pressed these keys, one after the other."""
        self._wait(
            lambda: digits in self._digits,
            f"hear the keys {digits}",
            timeout,
            lambda: f"; it heard the keys {self._digits or '(none)'}",
        )

    def wait_for_tone(self, frequency: float, *, timeout: float | None = None) -> None:
        """Wait until a tone of ``frequency`` Hz is heard: a quarter of the energy of 0.2 s."""

        def heard() -> bool:
            return len(self._recent) == _RECENT and _share(self._recent, frequency) >= _SHARE

        self._wait_to_hear(heard, f"hear {frequency:g} Hz", timeout)

    def wait_for_sound(self, seconds: float, *, timeout: float | None = None) -> None:
        """Wait until :attr:`heard` holds ``seconds`` of sound, silence included."""
        self._wait_to_hear(
            lambda: self._recording.seconds >= seconds, f"hear {seconds:g} s of sound", timeout
        )

    # Verbs.

    def answer(self, *, timeout: float | None = None) -> None:
        """Pick up, and wait until the two sides can talk."""
        self._stage.thread.run_sync(self._stage.start_soon, self.pick_up)
        self.wait_for("connected", timeout=timeout)

    def hang_up(self, *, timeout: float | None = None) -> None:
        """End the call, and wait until it is over; ending twice is no error."""
        self._do(self._call.hang_up, "end", timeout)

    def hold(self, *, timeout: float | None = None) -> None:
        """Put the other side on hold."""
        self._do(self._call.hold, "be held", timeout)

    def resume(self, *, timeout: float | None = None) -> None:
        """Take the other side back from hold."""
        self._do(self._call.resume, "be resumed", timeout)

    def transfer(self, number: str, *, timeout: float | None = None) -> None:
        """Hand the call to ``number``: Transfer, digits, Transfer.

        Raises :class:`~pa_telephony.errors.RequestFailed` with the Q.850 cause when the number
        is busy or impossible; the call is ours then as before.
        """

        async def transfer() -> None:
            await self._call.transfer(number)

        self._do(transfer, f"be transferred to {number}", timeout)

    def send_digits(self, digits: str, *, timeout: float | None = None) -> None:
        """Press keys: RFC 4733 events where they were negotiated, keypad messages elsewhere."""

        async def send() -> None:
            await self._call.send_digits(digits)

        self._do(send, f"send {digits}", timeout)

    def play(self, sound: Playable, *, timeout: float | None = None) -> None:
        """Play a sound to its end: the path of a WAV file, sound, or a tone."""
        check_sound(sound)

        async def play() -> None:
            await (await self._call.wait_media()).play(sound)

        self._do(play, "be played to", timeout)

    # In the call manager's thread.

    def changed(self) -> None:
        """Take a change of the call; the phone calls it for each."""
        word = "ended" if self._call.ended else _WORDS.get(self._call.state)
        if word is not None and self._states[-1] != word:
            self._states.append(word)
        if self._media is None and self._call.media is not None:
            self._media = self._call.media
            self._media.port.listeners.append(self._hear)
            self._stage.start_soon(self._collect_digits, self._media)
        self._stage.thread.ring()

    async def pick_up(self, speaks: Playable | None = None) -> None:
        """Answer, play a sound if one is given, and stay until the call is over."""
        with contextlib.suppress(CallEnded):
            async with self._call.answer() as media:
                if speaks is not None:
                    await media.play(speaks)
                await self._call.wait_ended()

    async def speak(self, sound: Playable) -> None:
        """Play a sound as soon as the other side answers."""
        with contextlib.suppress(CallEnded):
            await (await self._call.wait_media()).play(sound)

    async def refuse(self) -> None:
        """Hang up while the call rings."""
        await self._call.hang_up()

    def _hear(self, frame: Samples) -> None:
        self._recording.add(frame)
        self._recent.append(frame.copy())

    async def _collect_digits(self, media: rtp.Media) -> None:
        with contextlib.suppress(CallEnded):
            while True:
                self._digits += await media.read_digit()
                self._stage.thread.ring()

    # Waiting.

    @property
    def _name(self) -> str:
        arrow = f"{self.calling} -> {self.called}"
        return f"the call {arrow} at {self._number}"

    @property
    def _history(self) -> str:
        absent = self._stage.absent(self.called)
        shown = f"the other party shown is {self.connected_to}" if self.connected_to else ""
        was = f"it was {', '.join(self._states)}; {shown or 'no other party was shown'}"
        return f"{was}{absent and f'; {absent}'}"

    def _heard_so_far(self) -> str:
        """How much sound came, and what the last of it was."""
        text = f"; it heard {self._recording.seconds:.1f} s of sound"
        if self._recent:
            loudest = _loudest(self._recent)
            text += f", the last {f'loudest at {loudest:.0f} Hz' if loudest else 'silence'}"
        return text

    def _wait(
        self,
        condition: Callable[[], bool],
        what: str,
        timeout: float | None,
        instead: Callable[[], str] = lambda: "",
    ) -> None:
        seconds = self._stage.timeout if timeout is None else timeout
        if not self._stage.thread.wait_until(condition, seconds):
            seen = self._history + self._stage.thread.run_sync(instead)
            raise WaitFailed(f"waited {seconds:g} s for {self._name} to {what}: {seen}")

    def _wait_to_hear(
        self, condition: Callable[[], bool], what: str, timeout: float | None
    ) -> None:
        """Wait for sound, which cannot come any more when the call is over."""
        instead = self._heard_so_far
        self._wait(lambda: condition() or self.state == "ended", what, timeout, instead)
        if not self._stage.thread.run_sync(condition):
            seen = self._history + self._stage.thread.run_sync(instead)
            raise WaitFailed(f"{self._name} cannot {what} any more: {seen}")

    def _do(
        self, function: Callable[[], Awaitable[object]], what: str, timeout: float | None
    ) -> None:
        seconds = self._stage.timeout if timeout is None else timeout

        async def do() -> bool:
            with trio.move_on_after(seconds):
                await function()
                return True
            return False

        if not self._stage.thread.run(do):
            raise WaitFailed(f"waited {seconds:g} s for {self._name} to {what}: {self._history}")


def check_sound(sound: Playable | None) -> None:
    """Check a sound, so that the error of a bad WAV file is raised in the test's own thread."""
    if sound is not None and not isinstance(sound, Audio | rtp.Tone):
        rtp.wav.read(sound).at_rate(CLOCK_RATE)


def _share(frames: deque[Samples], frequency: float) -> float:
    samples = np.concatenate(frames).astype(np.float64)
    energy = float(samples @ samples)
    if not energy:
        return 0.0
    at = np.arange(len(samples)) * (2 * np.pi * frequency / CLOCK_RATE)
    return float(2 * abs(samples @ np.exp(-1j * at)) ** 2 / (len(samples) * energy))


def _loudest(frames: deque[Samples]) -> float:
    """The frequency with the most energy, 0 for silence."""
    samples = np.concatenate(frames)
    spectrum = np.abs(np.fft.rfft(samples))
    return float(spectrum.argmax() * CLOCK_RATE / len(samples))
