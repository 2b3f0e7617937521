"""One call on a station of ours: what can be waited for, and what can be done with it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Protocol

import trio

from pa_telephony.errors import CallEnded, LocalProtocolError, RequestFailed, TelephonyError
from pa_telephony.q850 import Cause, described
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import (
    DCallState,
    MediaStatus,
    SoftKeyEvent,
)
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.phrases import english
from pa_telephony.sccp.station.call_media import CallMedia, MediaOwner
from pa_telephony.sccp.station.call_view import CallView
from pa_telephony.sccp.station.core import key_of
from pa_telephony.sccp.station.screen import Screen, SoftKey

if TYPE_CHECKING:
    from pa_telephony.rtp import Media

__all__ = ["Call", "Owner"]

_HOPELESS = (DCallState.BUSY, DCallState.CONGESTION, DCallState.INVALID_NUMBER)
_REMOTE = (DCallState.CALL_REMOTE_MULTILINE, DCallState.REMOTE_HOLD)
_POLITE = 1.0
_TRANSMITS_WITHIN = 1.0


class Owner(MediaOwner, Protocol):
    """What a call needs of the station that it is on."""

    @property
    def screen(self) -> Screen:
        """What the station shows now."""
        ...

    async def new_call(self, *keys: SccpMessage, of: Call | None = None) -> Call:
        """Send ``keys`` and wait for the call that the call manager opens for them."""
        ...

    async def press(self, key: SccpMessage, done: Callable[[], bool]) -> None:
        """Send a key and wait until ``done``; raises :class:`RequestFailed` when it is refused."""
        ...


class Call:
    """A call as the call manager shows it. Its views never change after it has ended."""

    def __init__(self, station: Owner, view: CallView) -> None:
        self._station = station
        self._view = view
        self._changed = trio.Event()
        self._lost: int | None = None
        self._sound = CallMedia(station, view)
        self._first: Call | None = None
        self.announced = False

    def __repr__(self) -> str:
        return f"<Call {self.call_reference} {self.state.name} {self.calling}->{self.called}>"

    @property
    def state(self) -> DCallState:
        """The newest state the call manager showed."""
        return self._view.state

    @property
    def call_reference(self) -> int:
        """The call manager's number of this call."""
        return self._view.call_reference

    @property
    def incoming(self) -> bool:
        """Whether the call rang here, and was not made here."""
        return self._view.incoming

    @property
    def calling(self) -> str:
        """The number of the caller."""
        return self._view.calling

    @property
    def calling_name(self) -> str:
        """The name of the caller, "" if the call manager shows none."""
        return self._view.calling_name

    @property
    def called(self) -> str:
        """The number that is connected or being called."""
        return self._view.called

    @property
    def called_name(self) -> str:
        """The name that belongs to the called number, "" if the call manager shows none."""
        return self._view.called_name

    @property
    def connected_to(self) -> str:
        """The number of the other side, as the call manager last showed it."""
        return self.calling if self.incoming else self.called

    @property
    def original_called(self) -> str:
        """The number that was called first, before any forward."""
        return self._view.original_called or self._view.called

    @property
    def last_redirecting(self) -> str:
        """The number that forwarded the call here, "" if none did."""
        return self._view.last_redirecting

    @property
    def elsewhere(self) -> bool:
        """Whether another phone, which shares the line, has the call."""
        return self._view.elsewhere

    @property
    def connected(self) -> bool:
        """Whether the two sides can talk."""
        return self.state is DCallState.CONNECTED and not self.ended

    @property
    def ended(self) -> bool:
        """Whether the call is over."""
        return self._view.ended

    @property
    def line(self) -> int:
        """The line of the station that the call is on, counted from 1."""
        return self._view.line

    @property
    def prompt(self) -> str:
        """What the status line says of the call, in English."""
        return english(self._view.prompt)

    @property
    def soft_keys(self) -> tuple[SoftKey, ...]:
        """The keys that the call manager shows for the call."""
        return self._station.screen.soft_keys(self.call_reference)

    @property
    def refused(self) -> bool:
        """Whether the number is busy, wrong or unreachable, although the tone still sounds."""
        return self.state in _HOPELESS

    @property
    def cause(self) -> int:
        """Why the call ended or was refused (Q.850); 16 until then."""
        return self._cause

    @property
    def media(self) -> Media | None:
        """The sound of the call; None before a channel was opened, or without an engine."""
        return self._sound.sound

    @property
    def has_port(self) -> bool:
        """Whether UDP ports of the engine are held for the call."""
        return self._sound.port is not None

    async def wait_for(self, *states: DCallState) -> DCallState:
        """Wait until the call is in one of ``states``; raises :class:`CallEnded` if it ends."""
        while True:
            if self.ended:
                raise CallEnded(self._cause)
            if self.state in states:
                return self.state
            await self._changed.wait()

    async def wait_connected(self) -> None:
        """Wait until the other side answers; raises :class:`CallEnded` if it never will.

        A busy or impossible number is the end here, although the tone still sounds; so is
        another phone of a shared line that has the call (cause 26).
        """
        await self.wait_for(DCallState.CONNECTED, *_HOPELESS, *_REMOTE)
        self._check_ours()
        if self.refused:
            raise CallEnded(self._cause)

    async def wait_ended(self) -> int:
        """Wait until the call is over; gives the cause (Q.850; 16 is normal clearing)."""
        while not self.ended:
            await self._changed.wait()
        return self._cause

    async def wait_media(self) -> Media:
        """Wait until the other side answers and there is sound, and give it.

        Raises :class:`CallEnded`, and :class:`RequestFailed` without a media engine or free port.
        """
        await self.wait_connected()
        while (media := self._sound.sound) is None:
            self._check_ours()
            if self._sound.refused:
                raise RequestFailed(MediaStatus.NOT_ENOUGH_CHANNELS, "no media port for the call")
            await self._changed.wait()
        return media

    @contextlib.asynccontextmanager
    async def answer(self) -> AsyncGenerator[Media]:
        """Answer, and give the sound; leaving the block hangs up unless the call is elsewhere.

        Raises :class:`CallEnded` when the caller has gone, or another phone of a shared line has
        the call (cause 26); :class:`RequestFailed` when the station has no media engine or no
        free port.
        """
        self._check_ours()
        self._key(SoftKeyEvent.ANSWER)
        try:
            yield await self.wait_media()
        finally:
            await self._leave()

    async def hang_up(self) -> None:
        """End the call, and wait until the call manager confirms it. Ending twice is no error.

        Cancelling does not take the key press back.
        """
        if not self.ended:
            self._key(SoftKeyEvent.END_CALL)
        await self.wait_ended()

    async def hold(self) -> None:
        """Put the other side on hold; the media stop until :meth:`resume`.

        Raises :class:`RequestFailed` when the call manager refuses. Cancelling does not take the
        key press back.
        """
        await self._press_until(SoftKeyEvent.HOLD, DCallState.HOLD)

    async def resume(self) -> None:
        """Take the other side back; raises, and is cancelled, as :meth:`hold` does."""
        await self._press_until(SoftKeyEvent.RESUME, DCallState.CONNECTED)

    async def send_digits(self, digits: str) -> None:
        """Press keys: RFC 4733 events where they were negotiated, keypad messages elsewhere.

        Which of the two is known when the call manager orders to transmit; where there is sound,
        that is waited for, a second at most.
        """
        with trio.move_on_after(_TRANSMITS_WITHIN):
            while self.media is not None and self._view.media.transmit is None and not self.ended:
                await self._changed.wait()
        transmit = self._view.media.transmit
        if self.media is not None and transmit is not None and transmit.rfc2833_payload_type:
            await self.media.send_digits(digits)
            return
        self.press(digits)
        await trio.lowlevel.checkpoint()

    def press(self, digits: str) -> None:
        """Send a KeypadButton for each digit; raises :class:`ValueError` for what is no key."""
        for key in self._keypad(digits):
            self._station.send(key)

    def _keypad(self, digits: str) -> list[messages.KeypadButton]:
        return [
            messages.KeypadButton(
                kp_button=key_of(digit),
                line_instance=self._view.line,
                call_reference=self.call_reference,
            )
            for digit in digits
        ]

    async def transfer(self, number: str) -> None:
        """Hand the call to ``number`` as a person does: Transfer, digits, Transfer.

        Returns when the call is no longer ours. When the number is busy or impossible the call is
        taken back, and :class:`RequestFailed` carries the Q.850 cause; the same happens when the
        call manager refuses the transfer, or ``number`` goes away before it is done. Cancelling
        hangs up the call to ``number``, within a second, and leaves the other side on hold.
        """
        consult = await self._consult(SoftKeyEvent.TRANSFER, number, DCallState.RING_OUT)
        async with self._or_taken_back(consult):
            await consult.complete()

    async def consult(self, number: str) -> Call:
        """Hold the call and call ``number`` for a transfer; gives that call, once it answers.

        :meth:`complete` on it connects the two others; hanging it up leaves this one on hold.
        Raises, and is cancelled, as :meth:`transfer` is.
        """
        return await self._consult(SoftKeyEvent.TRANSFER, number)

    async def complete(self) -> None:
        """Finish the transfer that this call is the consultation of; both calls end.

        Raises :class:`RequestFailed` when the call manager refuses (both calls stay as they are),
        and when the other side has gone: then the first call is taken back. Raises
        :class:`LocalProtocolError` for a call that :meth:`consult` did not make. Cancelling does
        not take the key press back.
        """
        first = self._first
        if first is None:
            raise LocalProtocolError(f"{self!r} is no consultation")
        await self._join(SoftKeyEvent.TRANSFER, first)
        if not first.ended:
            await first._take_back(self)
            raise RequestFailed(self._cause, "the other side of the consultation has gone")

    async def conference(self, number: str) -> None:
        """Call ``number`` and, when it answers, let all parties talk to each other.

        Calling this again adds a further party. Raises :class:`RequestFailed` when the number is
        not reached, or when the call manager cannot join them; the call is taken back then.
        Cancelling hangs up the call to ``number``, within a second, and leaves the other side on
        hold.
        """
        consult = await self._consult(SoftKeyEvent.CONFRN, number)
        async with self._or_taken_back(consult):
            await consult._join(SoftKeyEvent.CONFRN, self)
            if self.ended:
                raise CallEnded(self._cause)
            if not self.connected:
                raise RequestFailed(consult._cause, f"{number} has gone")

    def drop_last(self) -> None:
        """Remove the party that joined the conference last, if the conference is ours.

        SCCP shows nothing of the others in a conference, so there is nothing to wait for.
        """
        self._key(SoftKeyEvent.RM_LST_C)

    async def park(self) -> str:
        """Let the other side wait at a park number, and give that. The call ends here.

        Raises :class:`RequestFailed` when no park number is free.
        """
        before = self._station.screen.parkings
        await self._station.press(
            self._event(SoftKeyEvent.PARK),
            lambda: self.ended and self._station.screen.parkings != before,
        )
        return self._station.screen.parked_at

    async def _consult(
        self, key: SoftKeyEvent, number: str, enough: DCallState = DCallState.CONNECTED
    ) -> Call:
        """Call ``number`` until that call is in state ``enough``, or take this one back."""
        digits = self._keypad(number)
        if self.ended:
            raise CallEnded(self._cause)
        consult = await self._station.new_call(self._event(key), of=self)
        if consult is self:
            consult = await self._station.new_call(*digits, of=self)
            digits = []
        consult._first = self
        try:
            if digits:
                consult.press(number)
            with contextlib.suppress(CallEnded):
                await consult.wait_for(enough, DCallState.CONNECTED, *_HOPELESS)
        except BaseException:
            await consult._leave()
            raise
        if not consult.ended and not consult.refused:
            return consult
        await self._take_back(consult)
        raise RequestFailed(consult._cause, f"{number}: {described(consult._cause)}")

    async def _join(self, key: SoftKeyEvent, first: Call) -> None:
        """Press the key that joins ``first`` and this, its consultation; wait for the outcome."""
        if first.ended and first is not self:
            raise CallEnded(first._cause)
        if not self.ended:
            await self._station.press(self._event(key), lambda: self.ended or first.ended)
        # The calls end one after the other: the end of one alone says nothing yet.
        with trio.move_on_after(_POLITE):
            while not self.ended:
                await self._changed.wait()
            while not first.ended and not first.connected:
                await first._changed.wait()
        if first._lost is not None:
            raise CallEnded(first._cause)
        if first.ended:
            await self._leave()

    @contextlib.asynccontextmanager
    async def _or_taken_back(self, consult: Call) -> AsyncGenerator[None]:
        """Take this call back when the block is refused; leave it on hold when it is cancelled."""
        try:
            yield
        except RequestFailed:
            await self._take_back(consult)
            raise
        except BaseException:
            await consult._leave()
            raise

    async def _take_back(self, consult: Call) -> None:
        # The first error is the one to raise, whatever becomes of this.
        with trio.move_on_after(_POLITE), contextlib.suppress(TelephonyError):
            await consult.hang_up()
        if not self.ended:
            with trio.move_on_after(_POLITE), contextlib.suppress(TelephonyError):
                await self.resume()

    def _check_ours(self) -> None:
        if self.ended or self.elsewhere:
            raise CallEnded(self._cause if self.ended else Cause.NOT_SELECTED)

    async def _leave(self) -> None:
        if self.ended or self.elsewhere:
            return
        self._key(SoftKeyEvent.END_CALL)
        with trio.move_on_after(_POLITE, shield=True):
            await self.wait_ended()

    async def _press_until(self, key: SoftKeyEvent, state: DCallState) -> None:
        if not self.ended and self.state is not state:
            await self._station.press(self._event(key), lambda: self.ended or self.state is state)
        if self.ended:
            raise CallEnded(self._cause)

    def _key(self, key: SoftKeyEvent) -> None:
        self._station.send(self._event(key))

    def _event(self, key: SoftKeyEvent) -> messages.SoftKeyEvent:
        return messages.SoftKeyEvent(
            soft_key_event=key,
            line_instance=self._view.line,
            call_reference=self.call_reference,
        )

    @property
    def _cause(self) -> int:
        return self._view.cause if self._lost is None else self._lost

    @property
    def heard(self) -> tuple[int, float] | None:
        """A value that changes whenever a packet or a report of the other side comes.

        None while none is to come: before the answer, on hold, after the end.
        """
        return self._sound.heard

    def report_silence(self) -> None:
        """Tell the call manager that nothing is heard (MediaTransmissionFailure).

        SCCP has no question for that: this message makes a call manager that knows no such call end
        it.
        """
        self._sound.report_silence()

    def statistics(
        self, request: messages.ConnectionStatisticsReq
    ) -> messages.ConnectionStatisticsRes:
        """The statistics of the sound, for a call manager that asks; all zero without sound."""
        return self._sound.statistics(request)

    def changed(self, message: SccpMessage | None) -> None:
        """Take a message of the call manager about the call, and wake the tasks that wait."""
        self._sound.handle_message(message)
        if self.ended:
            self._sound.end(self._cause)
        self._changed.set()
        self._changed = trio.Event()

    def connection_lost(self, cause: int) -> None:
        """End the call with ``cause``, because its session with the call manager is gone."""
        self._lost = cause
        self._view.ended = True
        self.changed(None)
