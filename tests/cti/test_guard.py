"""A bug that one application brings out ends its session, is counted and told, and nothing else.

And so many connections of one address that have not logged in.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
import trio
import whole_house
from company import COMPANY
from whole_house import QUICK_PROVIDER, log_in, until

from pa_telephony import sccp
from pa_telephony.callmanager import (
    CallManager,
)
from pa_telephony.callmanager.calls.verbs import LegState
from pa_telephony.cti import messages
from pa_telephony.cti.connection import Role, WireConnection
from pa_telephony.cti.enums import CTIFAILURE
from pa_telephony.cti.login import seal_password
from pa_telephony.cti.server.handles import CtiManagerConfig
from pa_telephony.cti.server.server import ApplicationSession, Counters
from pa_telephony.cti.server.session import ProviderSession
from pa_telephony.errors import ConnectionLost, DecodeError
from pa_telephony.trace import EventRecord, FrameRecord, Record, Trace

pytestmark = pytest.mark.makes_bugs


@contextlib.asynccontextmanager
async def a_manager(trace: Trace | None = None, **changed: Any) -> AsyncGenerator[CallManager]:
    config = dataclasses.replace(COMPANY, **changed)
    async with whole_house.a_manager(config, trace=trace) as manager:
        yield manager


def open_app(manager: CallManager, user: str = "app") -> Any:
    return log_in(manager, user, config=QUICK_PROVIDER)


@contextlib.asynccontextmanager
async def everybody_else(manager: CallManager) -> AsyncGenerator[None]:
    """A phone that rings another, and an application with a route point: untouched at the end."""
    async with (
        open_app(manager, "other") as other,
        other.open_route_point("6100") as route_point,
        sccp.open_station("P1", manager.sccp_address) as one,
        sccp.open_station("P2", manager.sccp_address) as two,
        one.call("1002") as call,
    ):
        await until(lambda: two.calls)
        yield
        assert not call.ended
        assert two.calls
        assert (one.registrations, two.registrations, other.sessions) == (1, 1, 1)
        assert route_point.in_service


def counters(manager: CallManager) -> Counters:
    assert manager.cti_counters is not None
    return manager.cti_counters


def boom(*arguments: object) -> Any:
    raise ZeroDivisionError("nobody thought of that")


def boom_but_for_the_route_point(*arguments: object) -> None:
    if "RP1" not in arguments:
        boom()


def wrong(*arguments: object) -> Any:
    raise DecodeError("elsewhere")


@pytest.mark.parametrize("bug", [boom, wrong])
async def test_a_request_that_brings_out_a_bug_ends_the_session_it_came_in(
    bug: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    records: list[Record] = []
    async with (
        a_manager(records.append) as manager,
        everybody_else(manager),
        open_app(manager) as provider,
        provider.open_route_point("6000") as route_point,
    ):
        monkeypatch.setattr(manager._cti_side, "device", bug)
        with pytest.raises(ConnectionLost):
            await provider.request(messages.ProviderDeviceAcquireRequest(device_name="RP1"))
        # Its route point is out of service at once: calls go where they go without it.
        assert not manager.calls.is_registered("RP1")
        assert (counters(manager).internal_errors, counters(manager).protocol_errors) == (1, 0)
        monkeypatch.undo()
        await until(lambda: provider.sessions == 2)
        await route_point.wait_in_service()
        assert counters(manager).internal_errors == 1
    [logged] = [each for each in caplog.records if each.name == "pa_telephony.cti"]
    event, *others = [each for each in records if isinstance(each, EventRecord)]
    assert all(each.kind.endswith(".connection_closed") for each in others)
    assert event.kind == "cti.internal_error"
    assert logged.exc_info is not None
    assert event.error is logged.exc_info[1]
    assert f"in {bug.__name__}" in str(event.fields["traceback"])
    received = [
        each.data.hex()
        for each in records
        if isinstance(each, FrameRecord) and each.direction == "received"
    ]
    assert event.fields["frame"] in received
    assert str(event.fields["frame"]) in logged.getMessage()
    assert event.fields["who"] == "app"


@pytest.mark.parametrize("bug", [boom, wrong])
async def test_a_bug_in_the_midst_of_a_long_answer_is_not_the_application_s(
    bug: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The devices are described one by one, when the request is long answered."""
    async with a_manager([].append) as manager, open_app(manager) as provider:
        monkeypatch.setattr(manager._cti_side, "device", bug)
        await provider.request(messages.ProviderGetAllDevicesAndLinesRequest())
        await until(lambda: counters(manager).internal_errors)
        monkeypatch.undo()
        await until(lambda: provider.sessions == 2)
        assert (counters(manager).internal_errors, counters(manager).protocol_errors) == (1, 0)
    [logged] = [each for each in caplog.records if each.name == "pa_telephony.cti"]
    assert f"in {bug.__name__}" in caplog.text
    assert "ProviderGetAllDevicesAndLinesRequest" in logged.getMessage()


async def test_digits_that_an_application_plays_stand_in_no_report(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    records: list[Record] = []
    async with a_manager(records.append) as manager, open_app(manager) as provider:
        monkeypatch.setattr(ProviderSession, "handle_request", boom)
        with pytest.raises(ConnectionLost):
            await provider.request(messages.CallPlayDtmfRequest(dtmf_digits=(1, 2, 3)))
        monkeypatch.undo()
    [logged] = [each for each in caplog.records if each.name == "pa_telephony.cti"]
    assert logged.getMessage().endswith("it said: CallPlayDtmfRequest (68)")
    event, *others = [each for each in records if isinstance(each, EventRecord)]
    assert all(each.kind.endswith(".connection_closed") for each in others)
    assert event.fields["message"] == "CallPlayDtmfRequest (68)"
    assert event.fields["frame"] == ""


async def test_an_event_that_can_not_be_told_ends_the_session_and_not_the_call_it_is_about(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        a_manager() as manager,
        everybody_else(manager),
        open_app(manager) as provider,
        provider.open_route_point("6000") as route_point,
    ):
        assert manager._cti_manager is not None
        [session] = [each for each in manager._cti_manager.sessions if each.name == "app"]
        monkeypatch.setattr(session._core.session, "notify", boom)
        # In the middle of somebody's call: it is the application that goes, and it comes back.
        manager.calls.register("P3", manager._cti_side)
        leg = manager.calls.originate("P3", 1, "6000")
        await until(lambda: provider.sessions == 2)
        await route_point.wait_in_service()
        manager.calls.unregister("P3")
        assert leg.state is LegState.IDLE
        assert counters(manager).internal_errors == 1
    assert len([each for each in caplog.records if each.name == "pa_telephony.cti"]) == 1


@pytest.mark.parametrize("part", ["unwatch", "unfollow"])
async def test_a_bug_in_the_end_of_a_session_takes_its_devices_out_of_service_all_the_same(
    part: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "pa_telephony.cti")
    async with a_manager() as manager, everybody_else(manager):
        async with open_app(manager) as provider:
            for name in ("RP1", "P1"):
                await provider.request(messages.DeviceOpenRequest(device_name=name))
            await provider.request(messages.DeviceRegisterDeviceRequest(device_name="RP1"))
            assert manager.calls.is_registered("RP1")
            monkeypatch.setattr(manager._cti_side, part, boom_but_for_the_route_point)
        await until(lambda: "app" not in manager.applications)
        assert counters(manager).internal_errors == 1
        assert not manager.calls.is_registered("RP1")
        monkeypatch.undo()


async def test_a_bug_before_the_login_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "pa_telephony.cti")
    async with a_manager() as manager, everybody_else(manager):
        monkeypatch.setattr(manager._cti_side, "log_in", boom)
        with trio.move_on_after(0.2):
            async with open_app(manager):
                pytest.fail("logged in")
        assert counters(manager).internal_errors >= 1
        monkeypatch.undo()
        async with open_app(manager):
            pass


async def test_what_fails_at_the_end_of_a_session_leaves_none_that_counts(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """There was no memory to say how it ended (found by fuzz_refused.py)."""

    def boom(session: ApplicationSession) -> dict[str, object]:
        raise MemoryError

    caplog.set_level(logging.CRITICAL, "pa_telephony.cti")
    monkeypatch.setattr(ApplicationSession, "told_at_end", boom)
    records: list[Record] = []
    async with a_manager(records.append) as manager:
        async with open_app(manager):
            assert manager.applications == ["app"]
        await until(lambda: not manager.applications)
        assert manager._cti_manager is not None
        await until(lambda: not manager._cti_manager.connections)
        assert not manager._cti_manager.sessions_of("app")
        assert len(manager._cti_manager.lobby) == 0


# ------------------------------------------------------------------------ who has not logged in


async def connect(manager: CallManager, source: str) -> trio.SocketStream:
    host, _, port = manager.cti_address.rpartition(":")
    return await trio.open_tcp_stream(host, int(port), local_address=source)


async def is_closed(stream: trio.SocketStream) -> bool:
    """Whether it was not wanted: a good one is answered."""
    with contextlib.suppress(trio.BrokenResourceError):
        await stream.send_all(
            messages.encode(messages.ProviderInitRequest(sequence_number=1), to_server=True)
        )
        return not await stream.receive_some(1 << 16)
    return True


async def test_one_address_can_not_keep_the_others_out(caplog: pytest.LogCaptureFixture) -> None:
    async with a_manager() as manager:
        assert manager._cti_manager is not None
        most = manager._cti_manager.config.max_before_login_of_one_address
        assert most < manager._cti_manager.config.max_connections
        lobby = manager._cti_manager.lobby
        silent = [await connect(manager, "127.0.0.2") for _ in range(most)]
        await until(lambda: len(lobby) == most)
        refused = await connect(manager, "127.0.0.2")
        assert await is_closed(refused)
        assert counters(manager).refused_by_address == 1
        assert counters(manager).refused_connections == 1
        # Said once a minute, not as often as somebody connects.
        for _ in range(3):
            async with await connect(manager, "127.0.0.2") as one_more:
                assert await is_closed(one_more)
        said = "127.0.0.2 is closed: too many connections of its address that have not logged in"
        assert caplog.text.count(said) == caplog.text.count("is closed") == 1
        assert not await is_closed(silent[0])
        # The one that stands where all tests stand logs in, and takes up no place any more.
        async with open_app(manager):
            assert len(lobby) == most
        await silent[0].aclose()
        await until(lambda: len(lobby) == most - 1)
        again = await connect(manager, "127.0.0.2")
        assert not await is_closed(again)
        for stream in (*silent, refused, again):
            await stream.aclose()
        await until(lambda: len(lobby) == 0)


async def test_the_oldest_of_the_most_makes_room_for_an_application_of_another_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    limits = CtiManagerConfig(max_connections=4, max_before_login_of_one_address=3)
    async with a_manager(applications=limits) as manager:
        silent = [await connect(manager, "127.0.0.2") for _ in range(3)]
        other = await connect(manager, "127.0.0.3")
        assert not any([await is_closed(each) for each in (*silent, other)])
        async with open_app(manager):
            assert await is_closed(silent[0])
            assert counters(manager).turned_out == 1
            assert "127.0.0.2 that has not logged in is closed" in caplog.text
            # Two there and one more here is no reason to turn anybody out.
            one_more = await connect(manager, "127.0.0.3")
            assert await is_closed(one_more)
            assert not any([await is_closed(each) for each in (*silent[1:], other)])
        for stream in (*silent, other, one_more):
            await stream.aclose()


# ----------------------------------------------------------------- guesses of passwords


async def logs_in(manager: CallManager, source: str, user: str, password: str) -> int:
    """The code with which a login from an address ends, 0 for a good one."""
    stream = await connect(manager, source)
    wire = WireConnection(Role.CLIENT)

    async def hears(kind: type[Any]) -> Any:
        while True:
            while (event := wire.next_event()) is not None:
                if isinstance(event, kind):
                    return event
            wire.receive_data(bytes(await stream.receive_some(1 << 16)), 0.0)

    async with stream:
        wire.send(messages.ProviderInitRequest(sequence_number=1))
        await stream.send_all(wire.data_to_send())
        init = await hears(messages.ProviderInitResponse)
        sealed, key = seal_password(
            password, certificate=init.certificate, nonce=init.nonce, key="0123456789abcdef"
        )
        wire.send(
            messages.ProviderOpenRequest(
                sequence_number=2, login=user, password=sealed, encrypted_key_data=key
            )
        )
        await stream.send_all(wire.data_to_send())
        return int((await hears(messages.ProviderOpenCompletedEvent)).reason) & 0xFFFF


async def test_a_guesser_locks_nobody_out_of_its_own_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A NAT with a good and a bad application behind it, of one user and of different ones."""
    limits = CtiManagerConfig(
        max_guesses_of_one_address=3, guess_every=60.0, longest_login_wait=86_400.0,
        wrong_password_delay=0.01,
    )  # fmt: skip
    async with a_manager(applications=limits) as manager, trio.open_nursery() as nursery:
        assert await logs_in(manager, "127.0.0.2", "app", "secret") == 0
        for number in range(3):
            assert await logs_in(manager, "127.0.0.2", f"user{number}", "no") == 0x60
        for number in range(3, 10):
            nursery.start_soon(logs_in, manager, "127.0.0.2", f"user{number}", "no")
        await until(lambda: counters(manager).delayed_logins == 7)
        # Minutes are to pass until the last of these is answered.
        assert await logs_in(manager, "127.0.0.2", "app", "secret") == 0
        assert await logs_in(manager, "127.0.0.3", "other", "secret") == 0
        # An application that has only an old password is told so, and slows no other.
        for _ in range(10):
            assert await logs_in(manager, "127.0.0.2", "app", "old") == 0x60
        assert await logs_in(manager, "127.0.0.2", "app", "secret") == 0
        nursery.cancel_scope.cancel()
    (told,) = (r.getMessage() for r in caplog.records if "wrong passwords" in r.getMessage())
    assert "127.0.0.2" in told


async def test_a_login_that_would_wait_too_long_is_refused_unseen_and_told_why() -> None:
    limits = CtiManagerConfig(
        max_guesses_of_one_address=2, guess_every=60.0, longest_login_wait=1.0,
        wrong_password_delay=0.01,
    )  # fmt: skip
    async with a_manager(applications=limits) as manager:
        for number in range(2):
            assert await logs_in(manager, "127.0.0.2", f"user{number}", "no") == 0x60
        refused = await logs_in(manager, "127.0.0.2", "app", "secret")
        assert refused == CTIFAILURE.DIRECTORY_TEMPORARY_UNAVAILABLE & 0xFFFF
        assert counters(manager).logins_refused_unseen == 1
        assert await logs_in(manager, "127.0.0.3", "app", "secret") == 0
