"""A scripted phone: a real SCCP station with real sound that does what the test has told it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import trio

from pa_telephony import rtp, sccp
from pa_telephony.callmanager import CallManager
from pa_telephony.callmanager.calls.verbs import DoNotDisturb
from pa_telephony.errors import RegistrationRejected
from pa_telephony.rtp.sound import Playable
from pa_telephony.sccp import messages
from pa_telephony.sccp.station.core import key_of
from pa_telephony.testing.call import Call, Stage, check_sound
from pa_telephony.testing.thread import WaitFailed, is_told_to_the_test

__all__ = ["Phone"]

__tracebackhide__ = is_told_to_the_test

_IMPATIENT = sccp.StationConfig(rejected_for=0.0)
"""The station configuration: a test wants to know at once when the name is refused."""


@dataclass(frozen=True, slots=True)
class _Answer:
    after: float
    speaks: Playable | None


class _Refuse:
    """The behaviour of a phone that hangs up on every caller."""


class Phone:
    """A phone that does what the test has told it; at first it rings and is not answered.

    Made by :meth:`pa_telephony.testing.CallManager.phone`. What it does with a call is decided when
    the call begins to ring.
    """

    def __init__(
        self, stage: Stage, manager: CallManager, engine: rtp.Engine, name: str, number: str
    ) -> None:
        self.name = name
        self.number = number
        self._stage = stage
        self._manager = manager
        self._engine = engine
        self._calls: dict[sccp.Call, Call] = {}
        self._given = 0
        self._behaviour: _Answer | _Refuse | None = None
        self._station: sccp.Station | None = None
        self._plugged = trio.CancelScope()
        self._gone = trio.Event()
        self._starting = trio.Lock()
        self._refused: RegistrationRejected | None = None
        self._incoming: list[Call] = []

    def __repr__(self) -> str:
        return f"<Phone {self.number}>"

    @property
    def registered(self) -> bool:
        """Whether the call manager has the phone registered now."""
        return self._manager.calls.is_registered(self.name)

    @property
    def calls(self) -> list[Call]:
        """All calls that the phone has or had, oldest first."""
        return list(self._calls.values())

    # What the phone does with calls that come.

    def answers(self, after: float = 0.0, speaks: Playable | None = None) -> Self:
        """Answer calls after ``after`` seconds of ringing, and play a sound.

        ``speaks`` is the path of a WAV file, sound, or a tone (one without ``seconds`` sounds until
        the call is over). The phone stays in the call until the other side hangs up.
        """
        check_sound(speaks)
        return self._behave(_Answer(after, speaks))

    def rings_only(self) -> Self:
        """Let calls ring; :meth:`Call.answer` can still pick one up."""
        return self._behave(None)

    def refuses(self) -> Self:
        """Hang up on every caller while the phone rings: the caller's call ends."""
        return self._behave(_Refuse())

    def busy(self) -> Self:
        """Be busy to every caller, so that nothing rings here."""
        return self._behave(None, busy=True)

    def _behave(self, behaviour: _Answer | _Refuse | None, *, busy: bool = False) -> Self:
        def change() -> None:
            self._behaviour = behaviour
            mode = DoNotDisturb.REJECT if busy else DoNotDisturb.OFF
            self._manager.calls.set_do_not_disturb(self.name, mode)

        self._stage.thread.run_sync(change)
        return self

    # What the test does with the phone.

    def dial(
        self, number: str, *, speaks: Playable | None = None, timeout: float | None = None
    ) -> Call:
        """Call a number; gives the call as soon as the call manager has taken it.

        ``speaks`` is said when the other side answers. Raises :class:`ValueError` for what is
        no key, :class:`WaitFailed` when the call manager gives no call within the timeout, and
        :class:`~pa_telephony.errors.ConnectionLost` when the phone is not registered.
        """
        check_sound(speaks)
        for key in number:
            key_of(key)
        seconds = self._stage.timeout if timeout is None else timeout

        async def dial() -> Call | None:
            with trio.move_on_after(seconds):
                station = await self._online()
                opened = await station.new_call(
                    messages.EnblocCall(called_party=number, line_instance=1)
                )
                call = self._calls[opened]
                if speaks is not None:
                    self._stage.start_soon(call.speak, speaks)
                return call
            return None

        call = self._stage.thread.run(dial)
        if call is None:
            raise WaitFailed(f"waited {seconds:g} s for phone {self.number} to get a call")
        return call

    def wait_for_call(self, *, timeout: float | None = None) -> Call:
        """Wait for the next call that rings here, and give it; each is given once."""

        def arrived() -> bool:
            return len(self._incoming) > self._given

        seconds = self._stage.timeout if timeout is None else timeout
        if not self._stage.thread.wait_until(arrived, seconds):
            state = "registered" if self.registered else "not registered"
            raise WaitFailed(
                f"waited {seconds:g} s for a call at phone {self.number}, which is {state}; "
                f"its calls so far: {self.calls or 'none'}"
            )
        call = self._incoming[self._given]
        self._given += 1
        return call

    def unplug(self) -> None:
        """Lose the network: the connection closes without a message, and calls are gone."""

        async def unplug() -> None:
            if self._station is None:
                return
            self._station.abandon()
            self._plugged.cancel()
            await self._gone.wait()

        self._stage.thread.run(unplug)
        if not self._stage.thread.wait_until(lambda: not self.registered, self._stage.timeout):
            raise WaitFailed(f"phone {self.number} is unplugged and still registered")

    def plug_in(self) -> None:
        """Connect again, and return when the call manager has the phone registered."""
        self._stage.thread.run(self.start)

    # In the call manager's thread.

    async def start(self) -> None:
        """Register, and return when that is done; a phone that is registered stays so.

        Raises :class:`RegistrationRejected` when another station is registered under the name.
        """
        async with self._starting:
            if self._station is None:
                ready = trio.Event()
                self._refused = None
                self._plugged, self._gone = trio.CancelScope(), trio.Event()
                self._stage.start_soon(self._run, self._plugged, ready.set)
                await ready.wait()
                if self._refused is not None:
                    raise self._refused

    async def _run(self, plugged: trio.CancelScope, ready: Callable[[], None]) -> None:
        address = self._manager.sccp_address
        try:
            with plugged:
                async with sccp.open_station(
                    self.name, address, engine=self._engine, config=_IMPATIENT
                ) as station:
                    self._station = station
                    station.on_call = self._on_call
                    for call in station.calls.values():
                        self._on_call(call)
                    ready()
                    await trio.sleep_forever()
        except RegistrationRejected as refused:
            self._refused = refused
            ready()
        finally:
            self._station = None
            self._gone.set()

    async def _online(self) -> sccp.Station:
        await self.start()
        assert self._station is not None
        # A connection that was dropped comes back by itself.
        await self._station.wait_registered()
        return self._station

    def _on_call(self, call: sccp.Call) -> None:
        known = self._calls.get(call)
        if known is None:
            known = self._calls[call] = Call(self._stage, call, self.number)
        known.changed()
        if known.incoming and known.state == "ringing" and known not in self._incoming:
            self._incoming.append(known)
            self._ring(known)

    def _ring(self, call: Call) -> None:
        match self._behaviour:
            case _Answer(after, speaks):
                self._stage.start_soon(self._answer, call, after, speaks)
            case _Refuse():
                self._stage.start_soon(call.refuse)
            case None:
                pass

    async def _answer(self, call: Call, after: float, speaks: Playable | None) -> None:
        await trio.sleep(after)
        if call.state == "ringing":
            await call.pick_up(speaks)
