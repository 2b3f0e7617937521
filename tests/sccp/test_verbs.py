"""What a station of ours asks of a call manager that refuses, dawdles or loses the other side.

The call manager is scripted: it lets everybody in and has one line; a test says what each key
does. What ours does is in tests/callmanager.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import socket
from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeVar

import pytest
import trio
import trio.testing
from loopback import NETWORK

from pa_telephony import rtp, sccp
from pa_telephony.errors import (
    CallEnded,
    ConfigurationError,
    ConnectionLost,
    LocalProtocolError,
    RequestFailed,
)
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import DCallState, MediaPayloadType, SoftKeyEvent
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.server.device import Device, LineAppearance
from pa_telephony.sccp.server.server import StationSession, serve_stations
from pa_telephony.tasks import background

T = TypeVar("T", bound=SccpMessage)

NAME = "SEP001122334455"
QUICK = sccp.StationConfig(first_back_off=0.01)
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
        self.on_digit: Callable[[int, str], object] = self._dial
        self.lets_go = True
        self.asked = trio.Event()
        """A station asked to leave."""
        self._session: StationSession | None = None
        self._others: list[SccpMessage] = []
        self._news = trio.Event()

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

    async def close(self) -> None:
        """Close the connection when nothing more is to be read: else it would be reset."""
        await self.heard(messages.MediaPathCapability)
        self.drop()

    def drop(self) -> None:
        """Close the connection without a word."""
        assert self._session is not None
        self._session.close("dropped")

    def _dial(self, call: int, digit: str) -> None:
        self.show(call, self.dialled.get(digit, DCallState.CONNECTED))

    # What a directory is asked.

    def find_device(self, name: str) -> Device | None:
        return Device(name=name, lines=(LineAppearance(number="1001"),))

    def registered(self, session: StationSession) -> None:
        self._session = session

    def unregistered(self, session: StationSession, reason: str) -> None:
        self.seen.append(reason)

    def may_unregister(self, session: StationSession) -> bool:
        self.asked.set()
        return self.lets_go

    def received(self, session: StationSession, message: SccpMessage) -> None:
        match message:
            case messages.OffHook():
                self.new_call()
            case messages.KeypadButton():
                self.on_digit(message.call_reference, str(int(message.kp_button)))
            case messages.SoftKeyEvent():
                key = SoftKeyEvent(message.soft_key_event)
                self.seen.append(f"{key.name} {message.call_reference}")
                if key in self.on_key:
                    self.on_key[key](message.call_reference)
            case _:
                self._others.append(message)
                self._news.set()

    async def heard(self, kind: type[T]) -> T:
        """The first message of a kind, when it has come."""
        while True:
            for message in self._others:
                if isinstance(message, kind):
                    return message
            self._news = trio.Event()
            await self._news.wait()


@contextlib.asynccontextmanager
async def a_station(
    config: sccp.StationConfig | None = None, **station: Any
) -> AsyncGenerator[tuple[Scripted, sccp.Station]]:
    scripted = Scripted()
    with trio.fail_after(10):
        async with background() as tasks:

            async def serve(*, task_status: trio.TaskStatus[object]) -> None:
                await serve_stations(scripted, port=0, task_status=task_status)

            _, addresses = await tasks.start(serve)
            scripted.address = f"{addresses[0][0]}:{addresses[0][1]}"
            async with sccp.open_station(NAME, scripted.address, config=config, **station) as phone:
                yield scripted, phone


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


# Transfer and conference.


@contextlib.asynccontextmanager
async def a_call() -> AsyncGenerator[tuple[Scripted, sccp.Station, sccp.Call]]:
    """Call 1 talks; 3 rings, 4 answers, and what is begun a second time ends call 2 alone."""
    async with a_station() as (manager, station), station.call("2") as call:
        await call.wait_connected()
        manager.dialled["3"] = DCallState.RING_OUT
        manager.dialled["9"] = DCallState.BUSY
        for key in (SoftKeyEvent.TRANSFER, SoftKeyEvent.CONFRN):
            manager.on_key[key] = manager.consult
        yield manager, station, call


def second_press(manager: Scripted, then: Callable[[int], object]) -> None:
    """The first press of Transfer or Confrn begins a consultation, the second does this."""

    def press(call: int) -> None:
        if call == 1:
            manager.consult(call)
        else:
            then(call)

    for key in (SoftKeyEvent.TRANSFER, SoftKeyEvent.CONFRN):
        manager.on_key[key] = press


async def test_a_transfer_that_is_refused_takes_the_call_back() -> None:
    async with a_call() as (manager, station, call):
        second_press(manager, manager.refuse)
        with pytest.raises(RequestFailed, match="Can not complete transfer"):
            await call.transfer("3")
        assert call.connected
        assert list(station.calls.values()) == [call]


async def test_a_transfer_whose_target_goes_at_that_moment_takes_the_call_back() -> None:
    async with a_call() as (manager, station, call):
        second_press(manager, lambda consult: manager.show(consult, DCallState.ON_HOOK))
        with pytest.raises(RequestFailed):
            await call.transfer("3")
        assert call.connected
        assert list(station.calls.values()) == [call]


async def test_a_consultation_that_is_refused_its_end_leaves_both_calls_as_they_are() -> None:
    async with a_call() as (manager, _, call):
        second_press(manager, manager.refuse)
        consult = await call.consult("4")
        with pytest.raises(RequestFailed, match="Can not complete transfer"):
            await consult.complete()
        assert (call.state, consult.state) == (DCallState.HOLD, DCallState.CONNECTED)
        await consult.hang_up()


async def test_a_consultation_whose_other_side_goes_gives_the_first_call_back() -> None:
    async with a_call() as (manager, _, call):
        second_press(manager, lambda consult: manager.show(consult, DCallState.ON_HOOK))
        consult = await call.consult("4")
        with pytest.raises(RequestFailed, match="has gone"):
            await consult.complete()
        assert call.connected


async def test_a_consultation_that_was_over_before_is_completed_by_no_key() -> None:
    async with a_call() as (manager, _, call):
        consult = await call.consult("4")
        manager.show(2, DCallState.ON_HOOK)
        await consult.wait_ended()
        with pytest.raises(RequestFailed, match="has gone"):
            await consult.complete()
        assert call.connected
        assert manager.seen == ["TRANSFER 1", "RESUME 1"]


async def test_a_transfer_is_done_when_both_calls_have_ended_in_either_order() -> None:
    for order in ((1, 2), (2, 1)):
        async with a_call() as (manager, station, call):

            def end(
                consult: int, order: tuple[int, ...] = order, manager: Scripted = manager
            ) -> None:
                for each in order:
                    manager.show(each, DCallState.ON_HOOK)

            second_press(manager, end)
            await call.transfer("3")
            assert call.ended
            assert not station.calls


async def test_a_transfer_that_leaves_its_consultation_behind_hangs_it_up() -> None:
    async with a_call() as (manager, station, call):
        second_press(manager, lambda consult: manager.show(1, DCallState.ON_HOOK))
        await call.transfer("3")
        assert call.ended
        assert not station.calls
        assert manager.seen[-1] == "END_CALL 2"


async def test_a_call_that_ends_under_its_consultation_ends_the_transfer() -> None:
    async with a_call() as (manager, station, call):
        manager.on_key[SoftKeyEvent.TRANSFER] = lambda _: manager.show(1, DCallState.ON_HOOK)
        with pytest.raises(CallEnded):
            await call.transfer("3")
        manager.on_key[SoftKeyEvent.TRANSFER] = manager.consult
        with pytest.raises(CallEnded):
            await call.transfer("3")
        assert not station.calls
        assert manager.seen == ["TRANSFER 1"]


async def test_a_conference_that_is_refused_takes_the_call_back() -> None:
    async with a_call() as (manager, station, call):
        second_press(manager, manager.refuse)
        with pytest.raises(RequestFailed, match="Can not"):
            await call.conference("4")
        assert call.connected
        assert list(station.calls.values()) == [call]


async def test_a_conference_whose_third_party_goes_takes_the_call_back() -> None:
    async with a_call() as (manager, station, call):
        second_press(manager, lambda consult: manager.show(consult, DCallState.ON_HOOK))
        with pytest.raises(RequestFailed, match="4 has gone"):
            await call.conference("4")
        assert call.connected
        assert list(station.calls.values()) == [call]


@pytest.mark.parametrize("verb", ["transfer", "consult", "conference"])
@pytest.mark.parametrize("number", ["3", "4"])
async def test_what_is_cancelled_hangs_its_consultation_up_and_leaves_the_hold(
    verb: str, number: str
) -> None:
    """3 rings for ever, 4 answers and is never joined."""
    async with a_call() as (manager, station, call):
        second_press(manager, lambda consult: None)
        with trio.move_on_after(0.2) as scope:
            await getattr(call, verb)(number)
        if (verb, number) == ("consult", "4"):
            assert not scope.cancelled_caught
            return
        assert list(station.calls.values()) == [call]
        assert call.state is DCallState.HOLD
        assert manager.seen[-1] == "END_CALL 2"


async def test_a_number_that_no_telephone_can_dial_presses_no_key() -> None:
    async with a_call() as (manager, station, call):
        with pytest.raises(ValueError, match="no key"):
            await call.transfer("10-02")
        assert call.connected
        assert not manager.seen
        assert list(station.calls.values()) == [call]


async def test_a_transfer_ends_with_its_call_when_the_call_manager_is_lost() -> None:
    async with a_call() as (manager, _, call):
        second_press(manager, lambda consult: manager.drop())
        with pytest.raises(CallEnded) as ended:
            await call.transfer("3")
        assert ended.value.cause == 41


async def test_a_call_manager_that_gives_no_call_back_does_not_hide_the_refusal() -> None:
    async with a_call() as (manager, _, call):
        second_press(manager, manager.refuse)
        manager.on_key[SoftKeyEvent.RESUME] = lambda call: None
        with pytest.raises(RequestFailed, match="Can not complete transfer"):
            await call.transfer("3")
        assert call.state is DCallState.HOLD


# A shared line.


async def test_a_call_that_another_phone_of_the_line_has_is_over_for_who_waits_for_it() -> None:
    """And it is not hung up there."""
    async with a_station() as (manager, station):
        manager.show(7, DCallState.RING_IN)
        await station.wait_shown(lambda _: bool(station.calls))
        (call,) = station.calls.values()
        # On its way while the key is pressed here.
        manager.show(7, DCallState.CALL_REMOTE_MULTILINE)
        with pytest.raises(CallEnded) as ended:
            async with call.answer():
                pass
        assert ended.value.cause == 26
        for wait in (call.wait_connected, call.wait_media):
            with pytest.raises(CallEnded):
                await wait()
        manager.show(7, DCallState.REMOTE_HOLD)
        await call.wait_for(DCallState.REMOTE_HOLD)
        with pytest.raises(CallEnded):
            await call.wait_connected()
        await call.resume()
        await call.wait_connected()
        assert manager.seen == ["ANSWER 7", "RESUME 7"]
        manager.show(7, DCallState.CALL_REMOTE_MULTILINE)
        await call.wait_for(DCallState.CALL_REMOTE_MULTILINE)
    assert "END_CALL 7" not in manager.seen


# Forwards.


def forward(number: str) -> SccpMessage:
    return messages.ForwardStatRes(
        active_forward=bool(number),
        line_number=1,
        forward_all_active=bool(number),
        forward_all_dirnum=number,
    )


@pytest.mark.parametrize("order", ["before", "behind"])
async def test_a_forward_is_set_however_the_call_manager_writes_the_number(order: str) -> None:
    async with a_station() as (manager, station):

        def dialled(call: int) -> None:
            if order == "before":
                manager.tell(forward("+15551234"))
            manager.show(call, DCallState.ON_HOOK)
            if order == "behind":
                manager.tell(forward("+15551234"))

        manager.on_key[SoftKeyEvent.CFWD_ALL] = lambda call: manager.new_call()
        manager.on_digit = lambda call, digit: dialled(call) if digit == "4" else None
        await station.forward_all("1234")
        assert station.forwarded_to() == "+15551234"


async def test_a_forward_that_is_never_confirmed_is_a_failure() -> None:
    async with a_station() as (manager, station):
        manager.on_key[SoftKeyEvent.CFWD_ALL] = lambda call: manager.new_call()
        manager.on_digit = lambda call, digit: manager.show(call, DCallState.ON_HOOK)
        with pytest.raises(RequestFailed, match="forward to 7"):
            await station.forward_all("7")


# Leaving.


@pytest.mark.parametrize("lets_go", [True, False])
async def test_a_station_whose_unregistration_is_cancelled_stays(lets_go: bool) -> None:
    async with a_station(QUICK) as (manager, station):
        manager.lets_go = lets_go
        with trio.CancelScope() as scope:
            scope.cancel()
            await station.unregister()
        assert scope.cancelled_caught
        await manager.asked.wait()
        if lets_go:
            await station.wait_unregistered()
        await station.wait_registered()
        manager.lets_go = True
        async with station.call("2") as call:
            await call.wait_connected()


async def test_leaving_hangs_every_call_up_and_unregisters_although_none_of_them_ends() -> None:
    async with a_station() as (manager, station):
        manager.on_key[SoftKeyEvent.END_CALL] = lambda call: None
        for call in (7, 8, 9):
            manager.show(call, DCallState.RING_IN)
        await station.wait_shown(lambda _: len(station.calls) == 3)
    assert sorted(manager.seen[:3]) == ["END_CALL 7", "END_CALL 8", "END_CALL 9"]
    assert manager.seen[3:] == ["unregistered"]


# A call beside another.


@pytest.mark.parametrize("there", [DCallState.CONNECTED, DCallState.RING_IN])
async def test_a_call_beside_another_is_begun_with_the_key_for_a_new_one(there: DCallState) -> None:
    """A handset that is lifted then would answer what rings, or do nothing."""
    async with a_station() as (manager, station):
        manager.on_key[SoftKeyEvent.NEW_CALL] = lambda _: manager.new_call()
        manager.show(7, there)
        await station.wait_shown(lambda _: 7 in station.calls)
        async with station.call("2") as call:
            await call.wait_connected()
        assert manager.seen == ["NEW_CALL 0", "END_CALL 1"]
        assert station.calls[7].state is there


async def test_two_calls_that_are_begun_at_once_are_two_calls() -> None:
    async with a_station() as (manager, station):
        manager.on_key[SoftKeyEvent.NEW_CALL] = lambda _: manager.new_call()
        references: list[int] = []

        async def call_up() -> None:
            async with station.call("2") as call:
                references.append(call.call_reference)
                await trio.sleep_forever()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(call_up)
            nursery.start_soon(call_up)
            await station.wait_shown(lambda _: len(references) == 2)
            nursery.cancel_scope.cancel()
        assert sorted(references) == [1, 2]


async def test_calls_that_are_begun_at_once_are_made_one_after_the_other() -> None:
    """The key for a new call once ended the one before while it rang at the other side."""
    async with a_station() as (manager, station):
        manager.on_key[SoftKeyEvent.NEW_CALL] = lambda _: manager.new_call()
        manager.dialled = {"1": DCallState.RING_OUT, "2": DCallState.RING_OUT}
        begun: list[str] = []

        async def call_up(number: str) -> None:
            async with station.call(number):
                begun.append(number)
                await trio.sleep_forever()

        async with trio.open_nursery() as nursery:
            for number in "123":
                nursery.start_soon(call_up, number)
                await trio.testing.wait_all_tasks_blocked()
            await trio.sleep(1)
            assert begun == ["1"]
            manager.show(1, DCallState.CONNECTED)
            await trio.sleep(1)
            assert begun == ["1", "2"]
            manager.show(2, DCallState.BUSY)
            await trio.sleep(1)
            assert begun == ["1", "2", "3"]
            assert manager.seen == ["NEW_CALL 0"] * 2
            nursery.cancel_scope.cancel()


async def test_a_call_of_a_station_that_is_off_says_that_it_is_not_registered_and_why() -> None:
    async with a_station() as (manager, station):
        await manager.close()
        await station.wait_unregistered()
        with pytest.raises(ConnectionLost, match=f"^{NAME} is not registered: closed by"):
            async with station.call("2"):
                pass


async def test_a_call_that_is_no_consultation_can_not_complete_a_transfer() -> None:
    async with a_call() as (manager, _, call):
        with pytest.raises(LocalProtocolError, match="is no consultation"):
            await call.complete()
        assert call.connected
        assert manager.seen == []


# Handlers.


@pytest.mark.parametrize("in_a_task", [True, False])
async def test_what_a_call_is_refused_ends_it_is_told_and_lets_the_next_one_be_served(
    in_a_task: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """A caller who asked to be transferred to a busy number once ended the program."""
    async with a_station() as (manager, station), trio.open_nursery() as nursery:
        served: list[int] = []

        async def fail() -> None:
            raise RequestFailed(17, "user busy")

        async def handle(call: sccp.Call) -> None:
            served.append(call.call_reference)
            if len(served) > 1:
                nursery.cancel_scope.cancel()
            if in_a_task:
                async with trio.open_nursery() as inner:
                    inner.start_soon(fail)
            await fail()

        nursery.start_soon(station.serve, handle)
        manager.show(7, DCallState.RING_IN)
        while manager.seen != ["END_CALL 7"]:  # noqa: ASYNC110
            await trio.sleep(0.01)
        manager.show(8, DCallState.RING_IN)
        await trio.sleep_forever()
    assert served == [7, 8]
    assert f"a call to {NAME} ends: " in caplog.text
    assert "user busy" in caplog.text


@pytest.mark.makes_bugs
@pytest.mark.parametrize("in_a_task", [True, False])
async def test_the_call_of_a_handler_that_fails_is_hung_up_and_the_next_one_is_served(
    in_a_task: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_station() as (manager, station), trio.open_nursery() as nursery:

        async def divide() -> None:
            raise ZeroDivisionError("the seventh caller")

        async def handle(call: sccp.Call) -> None:
            if call.call_reference == 8:
                nursery.cancel_scope.cancel()
            if in_a_task:
                async with trio.open_nursery() as inner:
                    inner.start_soon(divide)
            await divide()

        nursery.start_soon(station.serve, handle)
        manager.show(7, DCallState.RING_IN)
        while manager.seen != ["END_CALL 7"]:  # noqa: ASYNC110
            await trio.sleep(0.01)
        assert station.handler_errors == 1
        manager.show(8, DCallState.RING_IN)
        await trio.sleep_forever()
    failed = caplog.records[0]
    assert failed.levelname == "ERROR"
    assert "its handler failed: ZeroDivisionError: the seventh caller" in failed.getMessage()
    assert "in divide" in caplog.text


async def test_what_ends_the_program_is_not_kept_by_serve() -> None:
    async with a_station() as (manager, station):

        async def handle(call: sccp.Call) -> None:
            raise KeyboardInterrupt

        manager.show(7, DCallState.RING_IN)
        with pytest.raises(KeyboardInterrupt):
            await station.serve(handle)
        assert manager.seen == ["END_CALL 7"]
        assert station.handler_errors == 0


async def test_a_prompt_that_is_missing_is_named_and_ends_its_call_alone(
    tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> None:
    prompt = tmp_path_factory.mktemp("prompts") / "menu.wav"
    async with a_station() as (manager, station), trio.open_nursery() as nursery:

        async def handle(call: sccp.Call) -> None:
            if call.call_reference == 8:
                nursery.cancel_scope.cancel()
            rtp.wav.read(prompt)

        nursery.start_soon(station.serve, handle)
        manager.show(7, DCallState.RING_IN)
        while manager.seen != ["END_CALL 7"]:  # noqa: ASYNC110
            await trio.sleep(0.01)
        manager.show(8, DCallState.RING_IN)
        await trio.sleep_forever()
    assert f"a call to {NAME} ends: {prompt}: No such file or directory" in caplog.text
    assert caplog.records[0].levelname == "WARNING"


async def test_calls_that_were_over_before_anybody_served_keep_no_other_from_being_served() -> None:
    limit = 2
    async with a_station(sccp.StationConfig(max_calls=limit)) as (manager, station):
        for call in range(1, 2 * limit):
            manager.show(call, DCallState.RING_IN)
            manager.show(call, DCallState.ON_HOOK)
        manager.show(9, DCallState.RING_IN)
        await station.wait_shown(lambda _: 9 in station.calls)
        served: list[int] = []
        async with trio.open_nursery() as nursery:

            async def handle(call: sccp.Call) -> None:
                served.append(call.call_reference)
                nursery.cancel_scope.cancel()

            nursery.start_soon(station.serve, handle)
        assert served == [9]


async def test_a_call_manager_that_takes_and_drops_us_is_asked_less_and_less_often() -> None:
    async with a_station(sccp.StationConfig(first_back_off=0.05)) as (manager, station):
        at: list[float] = []
        for times in range(1, 5):
            await station.wait_registered()
            assert station.registrations == times
            await manager.close()
            await station.wait_unregistered()
            at.append(trio.current_time())
        await station.wait_registered()
    for wait, (before, after) in zip((0.025, 0.05, 0.1), itertools.pairwise(at), strict=True):
        assert after - before >= wait


# Where sound is received.


@contextlib.asynccontextmanager
async def a_listening_port(
    engine: rtp.Engine, **station: Any
) -> AsyncGenerator[tuple[Scripted, sccp.Station]]:
    async with a_station(engine=engine, **station) as (manager, phone):
        manager.show(7, DCallState.CONNECTED)
        manager.tell(
            messages.OpenReceiveChannel(
                call_reference=7,
                conference_id=7,
                pass_through_party_id=1,
                compression_type=MediaPayloadType.G711_ULAW64K,
                milli_second_packet_size=20,
            )
        )
        yield manager, phone


async def test_sound_is_received_where_the_call_is_signalled() -> None:
    async with (
        rtp.open_engine(first_port=47600) as engine,
        a_listening_port(engine, local_address=f"{NETWORK}.77") as (manager, _),
    ):
        ack = await manager.heard(messages.OpenReceiveChannelAck)
        assert (ack.ip_addr, ack.port_number) == (f"{NETWORK}.77", 47600)


@pytest.mark.parametrize(
    "second", [(MediaPayloadType.G729, 20), (MediaPayloadType.G711_ULAW64K, 7)]
)
async def test_digits_are_subscribed_to_on_the_channel_that_was_not_refused(
    second: tuple[MediaPayloadType, int],
) -> None:
    """A channel is opened, opened again in a way that is beyond us, and its digits are wanted."""
    async with (
        rtp.open_engine(first_port=47600) as engine,
        a_listening_port(engine) as (manager, station),
    ):
        codec, packet_ms = second
        manager.tell(
            messages.OpenReceiveChannel(
                call_reference=7,
                conference_id=7,
                pass_through_party_id=1,
                compression_type=codec,
                milli_second_packet_size=packet_ms,
            ),
            messages.SubscribeDtmfPayloadReq(
                payload_dtmf=101, conference_id=7, passthru_party_id=1
            ),
        )
        await manager.heard(messages.SubscribeDtmfPayloadRes)
        assert station.registered


async def test_sound_is_received_where_the_engine_is_told_to() -> None:
    async with (
        rtp.open_engine(address=f"{NETWORK}.78", first_port=47600) as engine,
        a_listening_port(engine, local_address=f"{NETWORK}.77") as (manager, _),
    ):
        ack = await manager.heard(messages.OpenReceiveChannelAck)
        assert (ack.ip_addr, ack.port_number) == (f"{NETWORK}.78", 47600)


async def test_an_engine_on_loopback_is_an_error_where_the_call_manager_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There is one loopback address for this test, and the call manager has another."""
    here = f"{NETWORK}.78"
    monkeypatch.setattr("pa_telephony.rtp.engine.is_loopback", lambda host: host == here)
    async with rtp.open_engine(address=here, first_port=47600) as engine:
        with pytest.raises(ConfigurationError, match=f"{re.escape(here)}.* from 127.0.0.1"):
            async with a_station(engine=engine):
                pass


# Before anybody is there.


async def test_why_a_station_is_not_registered_is_told_from_the_start() -> None:
    told: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = taken.getsockname()[1]
    with trio.fail_after(10), trio.CancelScope() as scope:

        def note(why: str) -> None:
            told.append(why)
            if len(told) == 2:
                scope.cancel()

        async with sccp.open_station(NAME, f"127.0.0.1:{nobody}", on_trouble=note):
            pass
    assert told == [f"127.0.0.1:{nobody}: Connection refused"] * 2


async def test_a_station_that_is_wanted_elsewhere_or_leaves_is_in_no_trouble() -> None:
    told: list[str] = []
    async with a_station(on_trouble=told.append, config=QUICK) as (manager, station):
        await manager.close()
        await station.wait_unregistered()
        assert told == ["closed by the call manager"]
        await station.wait_registered()
        assert await station.unregister()
    assert len(told) == 1


@pytest.mark.parametrize("other", ["given up", "not ours"])
async def test_the_next_call_waits_for_no_call_that_was_given_up_or_is_not_ours(other: str) -> None:
    async with a_station() as (manager, station):
        manager.dialled["3"] = DCallState.RING_OUT
        manager.on_key[SoftKeyEvent.NEW_CALL] = lambda call: manager.new_call()
        if other == "given up":
            # The call manager does not confirm the end.
            manager.on_key[SoftKeyEvent.END_CALL] = lambda call: None
            async with station.call("3"):
                pass
        else:
            manager.new_call()
            await trio.sleep(0.1)
        with trio.fail_after(10):
            async with station.call("2") as call:
                await call.wait_connected()
        manager.on_key[SoftKeyEvent.END_CALL] = lambda call: manager.show(call, DCallState.ON_HOOK)
