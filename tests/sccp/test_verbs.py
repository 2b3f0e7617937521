"""What a station of ours asks of a call manager that refuses, dawdles or loses the other side.

The call manager is scripted: it lets everybody in and has one line; a test says what each key
does. What ours does is in tests/callmanager.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable

import pytest
import trio

from pa_telephony import sccp
from pa_telephony.errors import CallEnded, RequestFailed
from pa_telephony.sccp import messages
from pa_telephony.sccp.directory import Device, LineAppearance
from pa_telephony.sccp.enums import DCallState, SoftKeyEvent
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.server import StationSession, serve_stations

NAME = "SEP001122334455"
REFUSED = "\x80\x52"
"""Can not complete transfer."""


class Scripted:
    """A directory whose keys do what ``on_key`` says; calls have the references 1, 2, ..."""

    def __init__(self) -> None:
        self.address = ""
        self.calls = 0
        self.seen: list[str] = []
        """Keys and hooks, with the call they were for."""
        self.on_key: dict[SoftKeyEvent, Callable[[int], object]] = {
            SoftKeyEvent.END_CALL: lambda call: self.show(call, DCallState.ON_HOOK),
            SoftKeyEvent.HOLD: lambda call: self.show(call, DCallState.HOLD),
            SoftKeyEvent.RESUME: lambda call: self.show(call, DCallState.CONNECTED),
        }
        self.dialled: dict[str, DCallState] = {}
        """What becomes of a number of one digit; it answers otherwise."""
        self._session: StationSession | None = None

    def show(self, call: int, state: DCallState) -> None:
        self.tell(messages.CallState(call_state=state, line_instance=1, call_reference=call))

    def tell(self, *what: SccpMessage) -> None:
        assert self._session is not None
        self._session.send(*what)

    def refuse(self, call: int = 0) -> None:
        self.tell(messages.DisplayPriNotifyV2(time_out_value=10, priority=5, notify=REFUSED))

    def new_call(self) -> int:
        self.calls += 1
        self.show(self.calls, DCallState.OFF_HOOK)
        return self.calls

    def consult(self, call: int) -> None:
        """The first press of Transfer or Confrn."""
        self.show(call, DCallState.HOLD)
        self.new_call()

    # What a directory is asked.

    def find_device(self, name: str) -> Device | None:
        return Device(name=name, lines=(LineAppearance(number="1001"),))

    def registered(self, session: StationSession) -> None:
        self._session = session

    def unregistered(self, session: StationSession, reason: str) -> None:
        self.seen.append(reason)

    def may_unregister(self, session: StationSession) -> bool:
        return True

    def received(self, session: StationSession, message: SccpMessage) -> None:
        match message:
            case messages.OffHook():
                self.new_call()
            case messages.KeypadButton():
                state = self.dialled.get(str(int(message.kp_button)), DCallState.CONNECTED)
                self.show(message.call_reference, state)
            case messages.SoftKeyEvent():
                key = SoftKeyEvent(message.soft_key_event)
                self.seen.append(f"{key.name} {message.call_reference}")
                if key in self.on_key:
                    self.on_key[key](message.call_reference)
            case _:
                pass


@contextlib.asynccontextmanager
async def a_station(
    config: sccp.StationConfig | None = None,
) -> AsyncGenerator[tuple[Scripted, sccp.Station]]:
    scripted = Scripted()
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:

            async def serve(*, task_status: trio.TaskStatus[object]) -> None:
                await serve_stations(scripted, port=0, task_status=task_status)

            _, addresses = await nursery.start(serve)
            scripted.address = f"{addresses[0][0]}:{addresses[0][1]}"
            async with sccp.open_station(NAME, scripted.address, config=config) as station:
                yield scripted, station
            nursery.cancel_scope.cancel()


# Hold.


async def test_a_hold_and_a_resume_that_are_refused_say_so() -> None:
    async with a_station() as (manager, station), station.call("2") as call:
        await call.wait_connected()
        working = manager.on_key[SoftKeyEvent.HOLD]
        manager.on_key[SoftKeyEvent.HOLD] = manager.refuse
        with pytest.raises(RequestFailed, match="Can not"):
            await call.hold()
        assert call.connected
        manager.on_key |= {SoftKeyEvent.HOLD: working, SoftKeyEvent.RESUME: manager.refuse}
        await call.hold()
        with pytest.raises(RequestFailed, match="Can not"):
            await call.resume()
        assert call.state is DCallState.HOLD


async def test_a_hold_of_a_call_that_is_over_presses_no_key() -> None:
    async with a_station() as (manager, station):
        async with station.call("2") as call:
            await call.wait_connected()
        with pytest.raises(CallEnded):
            await call.hold()
        assert manager.seen == ["END_CALL 1"]
