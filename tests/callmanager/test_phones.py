"""Phones of ours registered with the call manager of ours, over real TCP on loopback."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest
import trio
import whole_house
from company import ALICE, BOB, CAROL, COMPANY, DAVE, changed
from whole_house import ringing

from pa_telephony import sccp
from pa_telephony.callmanager import CallManager, CallManagerConfig
from pa_telephony.callmanager.config import Timing
from pa_telephony.errors import CallEnded, ConnectionLost, RegistrationRejected, RequestFailed
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import DCallState, DeviceStimulus
from pa_telephony.sccp.messages import SccpMessage


def a_config(**of_bob: str) -> CallManagerConfig:
    """The company in a hurry; Bob has one call at most, and these fields of his line."""
    timing = Timing(no_answer=0.3, between_digits=0.3)
    return replace(changed(COMPANY, BOB, max_calls=1, **of_bob), timing=timing)


@contextlib.asynccontextmanager
async def a_manager(**of_bob: str) -> AsyncGenerator[CallManager]:
    async with whole_house.a_manager(a_config(**of_bob)) as manager:
        yield manager


def phone(
    manager: CallManager, name: str, version: int = 20
) -> contextlib.AbstractAsyncContextManager[sccp.Station]:
    return sccp.open_station(
        name,
        manager.sccp_address,
        config=sccp.StationConfig(protocol_version=version),
    )


@pytest.mark.parametrize("version", [6, 17, 18, 20, 21, 22])
async def test_a_call_is_answered_by_a_signalling_only_phone_and_ends_for_want_of_media(
    version: int,
) -> None:
    """Both see who they talk to; a phone without an engine refuses its channel."""
    with trio.fail_after(5):
        async with (
            a_manager() as manager,
            phone(manager, ALICE, version) as alice,
            phone(manager, BOB, version) as bob,
        ):
            assert (alice.number, bob.number) == ("1001", "1002")
            async with alice.call("1002") as call:
                offered = await ringing(bob)
                assert (offered.calling, offered.called) == ("1001", "1002")
                await call.wait_for(DCallState.RING_OUT)
                with pytest.raises((CallEnded, RequestFailed)):
                    async with offered.answer():
                        pass
                await call.wait_ended()
            assert not manager.calls.legs


async def test_hanging_up_while_it_rings_ends_the_call_at_both_phones() -> None:
    with trio.fail_after(5):
        async with (
            a_manager() as manager,
            phone(manager, ALICE) as alice,
            phone(manager, BOB) as bob,
            alice.call("1002") as call,
        ):
            offered = await ringing(bob)
            await call.hang_up()
            assert await offered.wait_ended() == 16


async def test_a_busy_number_and_a_number_that_does_not_exist_say_so_by_their_cause() -> None:
    with trio.fail_after(5):
        async with (
            a_manager() as manager,
            phone(manager, ALICE) as alice,
            phone(manager, BOB) as bob,
            phone(manager, CAROL) as carol,
        ):
            async with alice.call("1002"):
                await ringing(bob)
                async with carol.call("1002") as second:
                    with pytest.raises(CallEnded) as busy:
                        await second.wait_connected()
                assert busy.value.cause == 17
            async with alice.call("777") as wrong:
                with pytest.raises(CallEnded) as unknown:
                    await wrong.wait_connected()
            assert unknown.value.cause == 1


@pytest.mark.parametrize(
    ("reason", "registered"),
    [
        ("forward_all", True),
        ("forward_busy", True),
        ("forward_no_answer", True),
        ("forward_failure", False),
    ],
)
async def test_a_forward_brings_the_call_to_its_target_which_learns_the_first_number(
    reason: str, registered: bool
) -> None:
    with trio.fail_after(5):
        async with contextlib.AsyncExitStack() as stack:
            manager = await stack.enter_async_context(a_manager(**{reason: "1003"}))
            alice = await stack.enter_async_context(phone(manager, ALICE))
            carol = await stack.enter_async_context(phone(manager, CAROL))
            if registered:
                bob = await stack.enter_async_context(phone(manager, BOB))
                if reason == "forward_busy":
                    dave = await stack.enter_async_context(phone(manager, DAVE))
                    await stack.enter_async_context(dave.call("1002"))
                    await ringing(bob)
            async with alice.call("1002"):
                offered = await ringing(carol)
                assert offered.original_called == "1002"
                assert offered.last_redirecting == "1002"


async def test_a_device_name_has_one_registration_while_the_first_is_alive() -> None:
    with trio.fail_after(5):
        impatient = sccp.StationConfig(rejected_for=0.0)
        async with a_manager() as manager, phone(manager, ALICE):
            with pytest.raises(RegistrationRejected, match="Crossover"):
                async with sccp.open_station(ALICE, manager.sccp_address, config=impatient):
                    pass
        async with a_manager() as manager:
            async with phone(manager, ALICE):
                pass
            async with phone(manager, ALICE) as again:
                assert again.registered


async def test_a_station_may_not_unregister_while_a_call_is_up() -> None:
    with trio.fail_after(5):
        async with (
            a_manager() as manager,
            phone(manager, ALICE) as alice,
            phone(manager, BOB) as bob,
        ):
            async with alice.call("1002"):
                await ringing(bob)
                assert not await alice.unregister()
                assert alice.registered
            assert await alice.unregister()


async def test_a_call_that_is_cancelled_before_it_is_there_is_hung_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with trio.fail_after(5):
        async with a_manager() as manager, phone(manager, ALICE) as alice:
            with monkeypatch.context() as patched, trio.CancelScope() as scope:
                send = alice.send

                def sends(message: SccpMessage) -> None:
                    send(message)
                    scope.cancel()

                patched.setattr(alice, "send", sends)
                async with alice.call("1002"):
                    raise AssertionError
            await trio.sleep(0.2)
            assert not alice.calls
            assert [device.calls for device in manager.devices() if device.name == ALICE] == [0]
            async with alice.call("1001") as again:
                await again.wait_for(DCallState.BUSY, DCallState.RING_OUT)


async def test_a_station_comes_back_when_its_call_manager_does() -> None:
    """The link is repaired by itself; the call that was up has ended."""
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            manager, scope = await nursery.start(run_manager, 0)
            port = int(manager.sccp_address.rpartition(":")[2])
            async with phone(manager, ALICE) as alice, alice.call("1001") as call:
                await call.wait_for(DCallState.BUSY, DCallState.RING_OUT)
                scope.cancel()
                await call.wait_ended()
                await alice.wait_unregistered()
                with pytest.raises(ConnectionLost):
                    async with alice.call("1002"):
                        pass
                _, scope = await nursery.start(run_manager, port)
                await alice.wait_registered()
                assert alice.number == "1001"
            scope.cancel()


async def run_manager(
    port: int,
    *,
    task_status: trio.TaskStatus[tuple[CallManager, trio.CancelScope]],
) -> None:
    """A call manager in a task of its own, so that it can die while stations live."""
    with trio.CancelScope() as scope:
        async with whole_house.a_manager(a_config(), sccp_port=port) as manager:
            task_status.started((manager, scope))
            await trio.sleep_forever()


async def test_the_second_call_manager_of_the_list_serves_when_the_first_is_not_there() -> None:
    with trio.fail_after(5):
        async with (
            a_manager() as manager,
            sccp.open_station(ALICE, ["127.0.0.1:1", manager.sccp_address]) as alice,
        ):
            assert alice.registered


async def test_garbage_closes_its_own_connection_and_disturbs_nobody() -> None:
    with trio.fail_after(5):
        async with a_manager() as manager, phone(manager, ALICE) as alice:
            host, _, port = manager.sccp_address.rpartition(":")
            for garbage in (
                b"\xff" * 64,
                b"\x03\0\0\0" + bytes(8),
                bytes.fromhex("0800000000000000810000"),
            ):
                stream = await trio.open_tcp_stream(host, int(port))
                async with stream:
                    await stream.send_all(garbage)
                    await stream.send_eof()
                    with contextlib.suppress(trio.BrokenResourceError):
                        assert await stream.receive_some() == b""
            assert alice.registered
            async with phone(manager, BOB) as bob, alice.call("1002"):
                await ringing(bob)


async def test_a_transfer_to_a_number_that_is_busy_gives_the_call_back() -> None:
    """Without media the held call cannot be resumed, so the refusal alone is looked at."""
    with trio.fail_after(5):
        async with (
            a_manager() as manager,
            phone(manager, ALICE) as alice,
            phone(manager, BOB) as bob,
            alice.call("1002") as call,
        ):
            await ringing(bob)
            with trio.move_on_after(0.2), contextlib.suppress(RequestFailed):
                await call.transfer("777")
            assert not call.ended


async def test_a_handset_lifted_after_the_line_key_makes_no_second_call() -> None:
    """pyskinny presses the line key and then goes off hook, for one call."""
    async with a_manager() as manager, phone(manager, ALICE) as station:
        press = messages.Stimulus(stimulus=DeviceStimulus.LINE, line_instance=1)
        call = await station.new_call(press)
        station.send(messages.OffHook())
        call.press("1")
        with trio.move_on_after(0.2):
            await call.wait_ended()
        (status,) = (each for each in manager.devices() if each.name == ALICE)
        assert status.calls == 1
        assert await station.unregister() is False
        await call.hang_up()
        assert await station.unregister() is True
