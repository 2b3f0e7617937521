"""Applications at the call manager's CTI Manager, over real sockets."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from company import phone, route_point
from loopback import HOST
from whole_house import a_manager, log_in, pick_up, until

from pa_telephony import cti, rtp, sccp
from pa_telephony.callmanager import (
    CallManager,
    CallManagerConfig,
    User,
)
from pa_telephony.cti import messages
from pa_telephony.cti.connection import Role as Side, WireConnection
from pa_telephony.cti.enums import CTIFAILURE
from pa_telephony.errors import CallEnded, RequestFailed
from pa_telephony.trace import FrameRecord, Record

CONFIG = CallManagerConfig(
    devices=(
        route_point("RP1", "6000"),
        route_point("RP5", "5XXX", partition="PA", search_space="extensions"),
        phone("P1", "1001", search_space="phones"),
        phone("P2", "1002"),
        phone("P5", "5123"),
    ),
    search_spaces={"phones": ("PA", ""), "extensions": ("",)},
    users=(
        User(name="app", password="secret"),
        User(name="narrow", password="secret", devices=("RP1",)),
    ),
)

pytestmark = pytest.mark.usefixtures("ten_seconds")


@pytest.fixture
async def ten_seconds() -> AsyncGenerator[None]:
    """The time limit of each test here."""
    with trio.fail_after(10):
        yield


@asynccontextmanager
async def manager(cti_port: int = 0) -> AsyncGenerator[CallManager]:
    async with a_manager(CONFIG, cti_port=cti_port) as call_manager:
        yield call_manager


def open_app(call_manager: CallManager, user: str = "app", **more: Any) -> Any:
    return cti.open_provider(call_manager.cti_address, user=user, password="secret", **more)


def to(*numbers: str) -> Callable[[cti.RouteSession], Awaitable[None]]:
    async def route(session: cti.RouteSession) -> None:
        await session.select_route(*numbers)

    return route


async def test_a_provider_lists_what_its_user_controls() -> None:
    async with manager() as call_manager:
        async with open_app(call_manager) as provider:
            assert provider.devices["RP5"] == ("5XXX",)
            assert len(provider.devices) == 5
            assert call_manager.applications == ["app"]
        async with open_app(call_manager, "narrow") as provider:
            assert list(provider.devices) == ["RP1"]
            with pytest.raises(RequestFailed, match="no device of ours"):
                async with provider.open_route_point("5XXX"):
                    pass


async def test_a_route_point_is_served_once_its_application_asks_for_calls() -> None:
    """Cisco's client registers first; a call that comes before it asks is left alone."""
    async with (
        manager() as call_manager,
        open_app(call_manager) as first,
        open_app(call_manager) as second,
    ):
        await first.request(messages.DeviceRegisterDeviceRequest(device_name="RP1"))
        await first.request(messages.LineOpenRequest(device_name="RP1", line_name="6000"))
        assert call_manager.calls.is_registered("RP1")
        assert not call_manager.is_served("RP1")
        async with second.open_route_point("6000"):
            assert call_manager.is_served("RP1")


async def test_a_wrong_password_is_refused_as_a_real_server_does() -> None:
    async with manager() as call_manager:
        with pytest.raises(RequestFailed) as refused:
            async with cti.open_provider(call_manager.cti_address, user="app", password="wrong"):
                pass
        assert refused.value.code == CTIFAILURE.DIRECTORY_LOGIN_FAILED
        with pytest.raises(RequestFailed):
            async with cti.open_provider(call_manager.cti_address, user="", password=""):
                pass


WRONG = "user app: Directory login failed (no such user, or another password)"


def of_the_client(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log has of the application's side."""
    return [each.getMessage() for each in caplog.records if each.name == "pa_telephony.cti.client"]


@pytest.mark.parametrize("asked", [True, False])
async def test_a_refused_login_says_where_as_whom_and_why_and_only_in_the_error(
    asked: bool, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []
    on_trouble = told.append if asked else None
    async with manager() as call_manager:
        peer = call_manager.cti_address
        opening = cti.open_provider(peer, user="app", password="wrong", on_trouble=on_trouble)
        with pytest.raises(RequestFailed) as caught:
            async with opening:
                pass
    assert str(caught.value) == f"{peer}, {WRONG}"
    assert isinstance(caught.value.__cause__, RequestFailed)
    assert told == []
    assert of_the_client(caplog) == []


async def test_the_error_of_a_refused_login_has_what_each_manager_says(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One that is not there is told of, as it may come."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"127.0.0.1:{taken.getsockname()[1]}"
    async with manager() as one, manager() as two:
        peers = [one.cti_address, nobody, two.cti_address]
        with pytest.raises(RequestFailed) as caught:
            async with cti.open_provider(peers, user="app", password="wrong"):
                pass
    assert str(caught.value) == f"{peers[0]}, {WRONG}; {peers[2]}, {WRONG}"
    assert of_the_client(caplog) == [f"not in service: {nobody}, user app: Connection refused"]


async def test_a_refusal_of_one_manager_is_told_when_another_lets_the_user_in(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stranger = a_manager(CallManagerConfig(users=(User(name="pa", password="x"),)))
    async with stranger as one, manager() as two:
        peers = [one.cti_address, two.cti_address]
        async with cti.open_provider(peers, user="app", password="secret") as provider:
            assert provider.in_service
            assert of_the_client(caplog) == [f"not in service: {peers[0]}, {WRONG}"]
            assert provider.last_error == f"{peers[0]}, {WRONG}"


@pytest.mark.parametrize("asked", [True, False])
async def test_a_cti_manager_that_is_not_there_is_named_with_the_user_and_the_reason(
    asked: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Who asks is told; the log has it otherwise, as a program waits for as long as it takes."""
    told: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"127.0.0.1:{taken.getsockname()[1]}"
    with trio.move_on_after(5):
        on_trouble = told.append if asked else None
        opening = cti.open_provider(nobody, user="app", password="secret", on_trouble=on_trouble)
        async with opening:
            pass
    why = f"{nobody}, user app: Connection refused"
    assert set(told) == ({why} if asked else set())
    logged = [record.getMessage() for record in caplog.records]
    assert logged == ([] if asked else [f"not in service: {why}"])


async def test_a_password_never_appears_in_a_trace() -> None:
    records: list[Record] = []
    async with manager() as call_manager, open_app(call_manager, trace=records.append):
        pass
    frames = [record for record in records if isinstance(record, FrameRecord)]
    assert len(frames) > 8
    assert not any(b"secret" in frame.data for frame in frames)


async def test_a_routed_call_reaches_the_first_destination_that_takes_it() -> None:
    seen: list[tuple[str, str, str]] = []

    async def route(session: cti.RouteSession) -> None:
        used = await session.select_route("9999", "1002")
        seen.append((session.calling, session.called, used))

    async with (
        manager() as call_manager,
        open_app(call_manager) as provider,
        provider.open_route_point("6000") as route_point,
        rtp.open_engine(address=HOST, first_port=36000) as engine,
        sccp.open_station("P1", call_manager.sccp_address, engine=engine) as one,
        sccp.open_station("P2", call_manager.sccp_address, engine=engine) as two,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(route_point.serve, route)
        nursery.start_soon(two.serve, pick_up)
        async with one.call("6000") as call:
            await call.wait_connected()
            assert call.called == "1002"
        assert seen == [("1001", "6000", "1002")]
        assert route_point.calls == []
        nursery.cancel_scope.cancel()


async def test_an_intercepted_call_goes_on_to_the_dialled_extension() -> None:
    async def on(session: cti.RouteSession) -> None:
        assert session.pattern == "5XXX"
        await session.select_route(session.called)

    async with (
        manager() as call_manager,
        open_app(call_manager) as provider,
        provider.open_route_point("5XXX") as route_point,
        rtp.open_engine(address=HOST, first_port=36000) as engine,
        sccp.open_station("P1", call_manager.sccp_address, engine=engine) as one,
        sccp.open_station("P5", call_manager.sccp_address, engine=engine) as five,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(route_point.serve, on)
        nursery.start_soon(five.serve, pick_up)
        async with one.call("5123") as call:
            await call.wait_connected()
            assert call.called == "5123"
        nursery.cancel_scope.cancel()


async def test_when_every_destination_refuses_the_handler_is_told_why() -> None:
    refusals: list[dict[str, int]] = []

    async def route(session: cti.RouteSession) -> None:
        try:
            await session.select_route("9999", "1002")
        except cti.RouteFailed as failed:
            refusals.append(failed.refusals)
            raise

    async with (
        manager() as call_manager,
        open_app(call_manager) as provider,
        provider.open_route_point("6000") as route_point,
        sccp.open_station("P1", call_manager.sccp_address) as one,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(route_point.serve, route)
        async with one.call("6000"):
            await until(lambda: refusals)
            # The call is left alerting, as JTAPI does.
            (session,) = route_point.calls
            await until(lambda: session.ended)
        await until(lambda: not route_point.calls)
        nursery.cancel_scope.cancel()
    assert refusals == [
        {
            "9999": CTIFAILURE.REDIRECT_CALL_UNKNOWN_DESTINATION,
            "1002": CTIFAILURE.REDIRECT_CALL_DESTINATION_OUT_OF_ORDER,
        }
    ]


async def test_two_applications_share_a_route_point_and_the_first_redirect_wins() -> None:
    outcomes: list[str] = []

    async def route(session: cti.RouteSession) -> None:
        try:
            outcomes.append(await session.select_route("1002"))
        except CallEnded:
            outcomes.append("too late")

    async with (
        manager() as call_manager,
        open_app(call_manager) as first,
        open_app(call_manager) as second,
        sccp.open_station("P1", call_manager.sccp_address) as one,
        sccp.open_station("P2", call_manager.sccp_address),
        trio.open_nursery() as nursery,
    ):
        async with first.open_route_point("6000") as a:
            async with second.open_route_point("6000") as b:
                nursery.start_soon(a.serve, route)
                nursery.start_soon(b.serve, route)
                async with one.call("6000"):
                    await until(lambda: len(outcomes) == 2)
            # One leaves, the number stays in service.
            assert a.in_service
        assert sorted(outcomes) == ["1002", "too late"]
        nursery.cancel_scope.cancel()


async def test_a_provider_comes_back_with_everything_when_its_manager_does() -> None:
    first = trio.CancelScope()

    async def run_first(task_status: trio.TaskStatus[str]) -> None:
        with first:
            async with manager() as call_manager:
                task_status.started(call_manager.cti_address)
                await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        address = await nursery.start(run_first)
        config = cti.ProviderConfig(longest_back_off=0.1)
        async with (
            log_in(address, config=config) as provider,
            provider.open_route_point("6000") as route_point,
        ):
            first.cancel()
            await route_point.wait_out_of_service()
            async with (
                manager(int(address.rpartition(":")[2])) as call_manager,
                sccp.open_station("P1", call_manager.sccp_address) as one,
                sccp.open_station("P2", call_manager.sccp_address) as two,
            ):
                await route_point.wait_in_service()
                assert provider.sessions == 2
                nursery.start_soon(route_point.serve, to("1002"))
                async with one.call("6000"):
                    await until(lambda: two.calls)
                nursery.cancel_scope.cancel()


async def raw(call_manager: CallManager) -> trio.SocketStream:
    host, _, port = call_manager.cti_address.rpartition(":")
    return await trio.open_tcp_stream(host, int(port))


async def test_hostile_connections_end_alone_and_are_counted() -> None:
    early = WireConnection(Side.CLIENT).send(messages.LineOpenRequest(device_name="RP1"))
    event = WireConnection(Side.SERVER).send(messages.LineInServiceEvent())
    async with manager() as call_manager, open_app(call_manager) as provider:
        for data in (b"\0" * 64, b"GET / HTTP/1.1\r\n\r\n" * 4, early, event):
            stream = await raw(call_manager)
            await stream.send_all(data)
            assert await stream.receive_some() == b""
            await stream.aclose()
        # A probe without a byte is what Cisco's client does, and no error.
        await (await raw(call_manager)).aclose()
        assert call_manager.cti_counters is not None
        assert call_manager.cti_counters.protocol_errors == 4
        async with provider.open_route_point("6000") as route_point:
            assert route_point.in_service


async def test_an_application_controls_no_calls_it_was_not_told_of() -> None:
    async with (
        manager() as call_manager,
        open_app(call_manager, "narrow") as provider,
        sccp.open_station("P1", call_manager.sccp_address) as one,
        sccp.open_station("P2", call_manager.sccp_address),
        one.call("1002"),
    ):
        await until(lambda: len(call_manager.calls.legs) == 2)
        for leg in call_manager.calls.legs:
            for request in (
                messages.CallDisconnectRequest(call_leg_id=leg),
                messages.CallRedirectRequest(call_leg_id=leg, redirect_address="1001"),
            ):
                with pytest.raises(RequestFailed) as refused:
                    await provider.request(request)
                assert refused.value.code == CTIFAILURE.INVALID_LINE_HANDLE
        assert len(call_manager.calls.legs) == 2


async def test_what_the_manager_does_not_do_is_refused_and_not_swallowed() -> None:
    async with manager() as call_manager, open_app(call_manager) as provider:
        with pytest.raises(RequestFailed) as refused:
            await provider.request(messages.LineCallStartMonitoringRequest())
        assert refused.value.code == CTIFAILURE.COMMAND_NOT_IMPLEMENTED_ON_DEVICE
