"""Our client at our CTI Manager, over real sockets: calls of phones and of CTI ports."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import trio
from company import COMPANY, changed
from loopback import HOST, NETWORK
from whole_house import a_manager, log_in, pick_up, ringing, until

from pa_telephony import callmanager, cti, rtp, sccp
from pa_telephony.callmanager import (
    CallManager,
    CallManagerConfig,
    DeviceConfig,
    LineConfig,
)
from pa_telephony.callmanager.calls.verbs import DoNotDisturb
from pa_telephony.cti import ConnectionState, TerminalConnectionState, messages
from pa_telephony.cti.client import jtapi
from pa_telephony.cti.enums import CALLREASON, MEDIAPAYLOAD
from pa_telephony.cti.server.handles import CtiManagerConfig
from pa_telephony.errors import CallEnded, ConfigurationError, RequestFailed
from pa_telephony.rtp import Tone
from pa_telephony.rtp.g711 import Samples
from pa_telephony.trace import FrameRecord, Record, Trace

TALKING, HELD = TerminalConnectionState.TALKING, TerminalConnectionState.HELD


@dataclass
class House:
    """A call manager, an engine for the phones, and an application that is logged in."""

    manager: CallManager
    engine: rtp.Engine
    provider: cti.Provider
    nursery: trio.Nursery

    async def phone(self, device: str, *, answers: bool = False) -> sccp.Station:
        station: sccp.Station = await self.nursery.start(self._keep, device, answers)
        return station

    async def _keep(
        self, device: str, answers: bool, *, task_status: trio.TaskStatus[sccp.Station]
    ) -> None:
        async with sccp.open_station(
            device, self.manager.sccp_address, engine=self.engine
        ) as station:
            task_status.started(station)
            if answers:
                await station.serve(pick_up)
            await trio.sleep_forever()


@contextlib.asynccontextmanager
async def a_house(
    config: CallManagerConfig = COMPANY, trace: Trace | None = None
) -> AsyncGenerator[House]:
    async with (
        a_manager(config, trace=trace) as manager,
        rtp.open_engine(address=HOST, first_port=46000) as engine,
        log_in(manager) as provider,
        trio.open_nursery() as nursery,
    ):
        yield House(manager, engine, provider, nursery)
        nursery.cancel_scope.cancel()


@contextlib.asynccontextmanager
async def three_phones(house: House) -> AsyncGenerator[tuple[cti.Address, cti.Call]]:
    """1001 is under our control and talks to 1002; 1003 answers, too."""
    await house.phone("P1")
    await house.phone("P2", answers=True)
    await house.phone("P3", answers=True)
    async with (
        house.provider.open_address("1001") as address,
        address.call("1002") as call,
    ):
        await call.wait_connected()
        yield address, call


async def test_a_phone_makes_a_call_as_told_and_hangs_up_when_the_block_is_left() -> None:
    async with a_house() as house:
        async with three_phones(house) as (address, call):
            assert address.in_service
            assert call.connected_to == "1002"
            whole = call.terminal_connection.connection.call
            assert {c.address: c.state for c in whole.connections.values()} == {
                "1001": ConnectionState.ESTABLISHED,
                "1002": ConnectionState.ESTABLISHED,
            }
        assert (call.ended, call.cause) == (True, 16)
        # What it was stays to be seen.
        assert (call.calling, call.called) == ("1001", "1002")
        assert call.state is TerminalConnectionState.DROPPED
        await until(lambda: not house.manager.calls.legs)


async def test_a_phone_answers_holds_and_retrieves_as_told() -> None:
    async with a_house() as house:
        one = await house.phone("P1")
        await house.phone("P2")
        async with house.provider.open_address("1002") as address:
            async with one.call("1002") as theirs:
                await until(lambda: bool(address.calls))
                (call,) = address.calls
                assert (call.incoming, call.calling) == (True, "1001")
                await call.pick_up()
                await theirs.wait_connected()
                await call.wait_for(TALKING)
                await call.hold()
                await call.wait_for(HELD)
                with pytest.raises(cti.InvalidStateError):
                    await call.hold()
                await call.retrieve()
                await call.wait_for(TALKING)
            assert await call.wait_ended() == 16
            with pytest.raises(CallEnded):
                await call.hold()


async def test_a_connected_call_is_redirected_and_the_target_is_told_who_sent_it() -> None:
    async with a_house() as house:
        one = await house.phone("P1")
        await house.phone("P2", answers=True)
        three = await house.phone("P3")
        async with house.provider.open_address("1002") as address, one.call("1002") as theirs:
            await theirs.wait_connected()
            (call,) = address.calls
            with pytest.raises(cti.InvalidPartyError):
                await call.redirect("9999")
            assert call.connected
            await call.redirect("1003", original_called="4444", calling="5555")
            assert await call.wait_ended() == 16
            rings = await ringing(three)
            assert (rings.calling, rings.original_called) == ("5555", "4444")
            assert rings.last_redirecting == "1002"


@pytest.mark.parametrize(
    ("verb", "reason"), [("redirect", CALLREASON.REDIRECT), ("transfer", CALLREASON.BLINDTRANSFER)]
)
async def test_a_transfer_to_a_number_is_told_as_a_transfer(verb: str, reason: CALLREASON) -> None:
    told: list[Record] = []
    async with a_house(trace=told.append) as house:
        one = await house.phone("P1")
        await house.phone("P2", answers=True)
        three = await house.phone("P3")
        async with (
            house.provider.open_address("1002") as address,
            house.provider.open_address("1003"),
            one.call("1002") as theirs,
        ):
            await theirs.wait_connected()
            (call,) = address.calls
            await getattr(call, verb)("1003")
            await call.wait_ended()
            await ringing(three)
    sent = [
        messages.decode(each.data)
        for each in told
        if isinstance(each, FrameRecord) and each.protocol == "cti" and each.direction == "sent"
    ]
    assert [each for each in sent if isinstance(each, messages.NewCallEvent)][-1].reason is reason


async def test_a_call_that_a_watched_phone_picks_up_is_connected_to_its_caller() -> None:
    """It begins with the dial tone of a call that the phone makes."""
    group = tuple(
        replace(each, lines=tuple(replace(line, pickup_group="88") for line in each.lines))
        for each in COMPANY.devices
    )
    async with a_house(replace(COMPANY, devices=group)) as house:
        one, two, three = [await house.phone(name) for name in ("P1", "P2", "P3")]
        async with house.provider.open_address("1003") as address, one.call("1002"):
            await ringing(two)
            async with three.pick_up():
                await until(lambda: bool(address.calls))
                (call,) = address.calls
                await call.wait_connected()
                assert (call.connected_to, call.calling) == ("1001", "1001")


async def test_a_consultation_becomes_a_transfer_and_the_first_call_survives() -> None:
    async with a_house() as house, three_phones(house) as (_, call):
        first = call.terminal_connection.connection.call.id
        async with house.provider.open_address("1003") as carol:
            consultation = await call.consult("1003")
            assert call.state is HELD
            await consultation.wait_connected()
            with carol.events() as events:
                await call.transfer(consultation)
                await call.wait_ended()
                await consultation.wait_ended()
                seen = []
                async for event in events:
                    seen.append(event)
                    if isinstance(event, jtapi.TransferEnded):
                        break
                merged = [each for each in seen if isinstance(each, jtapi.CallMerged)]
                assert [each.into.id for each in merged] == [first]
            (hers,) = carol.calls
            assert hers.connected_to == "1002"
            assert hers.connected
            await hers.drop()


async def test_calls_are_joined_to_a_conference_and_a_party_leaves_it() -> None:
    async with a_house() as house, three_phones(house) as (_, call):
        consultation = await call.consult("1003", conference=True)
        await consultation.wait_connected()
        await call.conference(consultation)
        await consultation.wait_ended()
        await call.wait_for(TALKING)
        assert len(house.manager.calls.legs) == 3
        await call.drop()
        await until(lambda: len(house.manager.calls.legs) == 2)


async def test_a_call_is_parked_and_whoever_dials_the_number_has_it() -> None:
    async with a_house() as house, three_phones(house) as (_, call):
        number = await call.park()
        assert number == "700"
        assert await call.wait_ended() == 16
        async with house.provider.open_address("1003") as carol, carol.call(number) as got:
            await got.wait_connected()
            assert got.connected_to == "1002"


async def test_digits_go_both_ways() -> None:
    async with (
        a_house() as house,
        rtp.open_engine(first_port=47000) as engine,
        house.provider.open_media_terminal("5001", engine=engine) as port,
    ):
        one = await house.phone("P1")
        heard: list[str] = []

        async def ask(call: cti.MediaCall) -> None:
            async with call.answer() as media:
                heard.append(await media.ask(Tone((440,)), digits=3))
                await call.send_digits("5")
                await call.wait_ended()

        house.nursery.start_soon(port.serve, ask)
        async with one.call("5001") as call:
            await call.wait_media()
            await call.send_digits("12*")
            await until(lambda: heard == ["12*"])


async def test_a_cti_port_receives_sound_where_its_provider_is_logged_in_from() -> None:
    async with (
        a_house() as house,
        rtp.open_engine(first_port=47000) as engine,
        log_in(house.manager, local_address=f"{NETWORK}.77") as provider,
        provider.open_media_terminal("5001", engine=engine) as port,
    ):
        one = await house.phone("P1")
        house.nursery.start_soon(port.serve, pick_up_port)
        async with one.call("5001") as call:
            media = await call.wait_media()
            await until(lambda: media.port.remote_address == (f"{NETWORK}.77", 47000))


@pytest.mark.parametrize("strict", [True, False])
async def test_a_cti_port_sends_sound_only_where_its_manager_is_when_that_is_asked_for(
    strict: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Or a CTI manager could direct it at anybody."""
    config = cti.ProviderConfig(media_at_signalling_host=strict)
    async with (
        a_house() as house,
        rtp.open_engine(first_port=47000) as engine,
        rtp.open_engine(address=f"{NETWORK}.66", first_port=47100) as elsewhere,
        log_in(house.manager, config=config) as provider,
        provider.open_media_terminal("5001", engine=engine) as port,
        sccp.open_station("P1", house.manager.sccp_address, engine=elsewhere) as one,
    ):
        house.nursery.start_soon(port.serve, pick_up_port)
        async with one.call("5001") as call:
            if strict:
                await call.wait_ended()
                assert f"sound of a call at 5001 to go to {NETWORK}.66: refused" in caplog.text
            else:
                await call.wait_media()
                assert "refused" not in caplog.text


async def pick_up_port(call: cti.MediaCall) -> None:
    async with call.answer():
        await call.wait_ended()


async def test_a_refusal_ends_the_call_of_a_cti_port_it_was_about_and_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with (
        a_house() as house,
        rtp.open_engine(first_port=47000) as engine,
        house.provider.open_media_terminal("5001", engine=engine) as port,
    ):
        one = await house.phone("P1")

        async def hand_on(call: cti.MediaCall) -> None:
            async with call.answer():
                await call.transfer("9999")

        house.nursery.start_soon(port.serve, hand_on)
        for _ in range(2):
            async with one.call("5001") as call:
                await call.wait_ended()
        await until(lambda: caplog.text.count("a call to 5001 ends: ") == 2)


@pytest.mark.makes_bugs
async def test_a_bug_of_a_handler_ends_its_call_and_the_next_one_is_served(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with (
        a_house() as house,
        rtp.open_engine(first_port=47000) as engine,
        house.provider.open_media_terminal("5001", engine=engine) as port,
        house.provider.open_route_point("6000") as route_point,
    ):
        one = await house.phone("P1")
        asked: list[str] = []

        async def fail(call: cti.MediaCall | cti.RouteSession) -> None:
            asked.append(call.calling)
            if isinstance(call, cti.RouteSession) and len(asked) > 1:
                await call.select_route("5001")
            raise ZeroDivisionError("nobody thought of that")

        house.nursery.start_soon(port.serve, fail)
        house.nursery.start_soon(route_point.serve, fail)
        async with one.call("6000"):
            await until(lambda: route_point.handler_errors == 1)
        async with one.call("6000"):
            await until(lambda: (route_point.handler_errors, port.handler_errors) == (2, 1))
        assert asked == ["1001", "1001", "1001"]
    for whose in ("6000", "5001"):
        why = "its handler failed: ZeroDivisionError: nobody thought of that"
        assert f"a call to {whose} ends: {why}" in caplog.text
    assert "in fail" in caplog.text


async def test_a_refusal_ends_the_session_of_a_route_point_it_was_about_and_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with a_house() as house, house.provider.open_route_point("6000") as route_point:
        one = await house.phone("P1")
        await house.phone("P2", answers=True)
        asked: list[str] = []

        async def route(session: cti.RouteSession) -> None:
            asked.append(session.calling)
            if len(asked) == 1:
                raise RequestFailed(1, "no answer from the directory")
            await session.select_route("1002")

        house.nursery.start_soon(route_point.serve, route)
        async with one.call("6000"):
            await until(lambda: "a call to 6000 ends: no answer from the directory" in caplog.text)
        async with one.call("6000") as call:
            await call.wait_connected()
        assert asked == ["1001", "1001"]


async def test_a_line_forwards_and_a_phone_is_left_alone_as_told() -> None:
    async with a_house() as house, three_phones(house) as (address, call):
        await call.drop()
        await address.set_forwarding("1003")
        await until(lambda: address.forwarded_to == "1003")
        with pytest.raises(cti.InvalidPartyError):
            await address.set_forwarding("9999")
        await address.set_forwarding("")
        await until(lambda: address.forwarded_to == "")
        await address.set_message_waiting(True)
        line = house.manager.calls.line("1001")
        assert line is not None
        assert line.message_waiting
        await address.set_do_not_disturb(True)
        assert house.manager.calls.do_not_disturb("P1") is DoNotDisturb.RINGER_OFF
        await address.send_data(b"<CiscoIPPhoneText/>")


async def test_a_call_that_was_there_before_is_found_and_controlled() -> None:
    async with a_house() as house:
        one = await house.phone("P1")
        await house.phone("P2", answers=True)
        async with one.call("1002") as theirs:
            await theirs.wait_connected()
            async with house.provider.open_address("1001") as address:
                (call,) = address.calls
                assert call.connected_to == "1002"
                await call.drop()
                await theirs.wait_ended()


async def test_a_shared_line_shows_the_call_at_the_other_device_as_bridged() -> None:
    async with a_house(changed(COMPANY, "P4", number="1002", name="Bob")) as house:
        one = await house.phone("P1")
        await house.phone("P2")
        await house.phone("P4")
        async with (
            house.provider.open_address("1002", device="P2") as here,
            house.provider.open_address("1002", device="P4") as there,
            one.call("1002") as theirs,
        ):
            await until(lambda: bool(here.calls) and bool(there.calls))
            await there.calls[0].pick_up()
            await theirs.wait_connected()
            await here.calls[0].wait_for(TerminalConnectionState.BRIDGED)
            connection = there.calls[0].terminal_connection.connection
            assert set(connection.terminal_connections) == {"P2", "P4"}


def hears(samples: Samples, frequency: float) -> bool:
    """Whether the last quarter second holds the tone."""
    tail = samples[-2000:].astype(float)
    wave = np.exp(-2j * np.pi * frequency / 8000 * np.arange(len(tail)))
    return len(tail) == 2000 and float(2 * abs(np.dot(tail, wave)) / len(tail)) > 1000


async def test_a_cti_port_and_a_phone_hear_each_other_and_a_key_sends_the_caller_on() -> None:
    """A phone calls a route point, is sent to a CTI port, and from there to another phone."""
    async with (
        a_house() as house,
        rtp.open_engine(first_port=47000) as engine,
        house.provider.open_media_terminal("5001", engine=engine) as port,
        house.provider.open_route_point("6000") as route_point,
    ):
        one = await house.phone("P1")
        await house.phone("P2", answers=True)

        async def menu(call: cti.MediaCall) -> None:
            async with call.answer() as media:
                choice = await media.ask(Tone((440,)), digits=1)
                await call.redirect("1002" if choice == "1" else "1003")

        async def route(session: cti.RouteSession) -> None:
            await session.select_route("5001")

        house.nursery.start_soon(port.serve, menu)
        house.nursery.start_soon(route_point.serve, route)
        async with one.call("6000") as call:
            media = await call.wait_media()
            with media.record() as recording:
                await trio.sleep(0.6)
            assert hears(recording.samples, 440)
            await call.send_digits("1")
            await until(lambda: call.connected_to == "1002" and call.connected)
            assert not port.calls


@pytest.mark.parametrize(
    "event",
    [
        messages.DeviceCallOpenLogicalChannelEvent(
            compression_type=MEDIAPAYLOAD.G711ULAW64K, milli_second_packet_size=7
        ),
        messages.StartTransmissionEvent(
            compression_type=MEDIAPAYLOAD.G711ULAW64K, rtp_port_number=0
        ),
    ],
)
async def test_a_port_that_is_told_to_do_the_impossible_with_its_sound_hangs_up(
    event: messages.CtiMessage,
) -> None:
    async with (
        a_house() as house,
        rtp.open_engine(first_port=47000) as engine,
        house.provider.open_media_terminal("5001", engine=engine) as port,
        port.call("6000") as call,
    ):
        call.handle_media_event(event)
        await call.wait_ended()
        assert house.provider.in_service


async def test_a_port_without_a_free_udp_port_drops_the_call() -> None:
    async with (
        a_house() as house,
        rtp.open_engine(
            address=HOST, first_port=47000, config=rtp.EngineConfig(max_ports=1)
        ) as engine,
        house.provider.open_media_terminal("5001", engine=engine) as port,
    ):
        taken = engine.open_port()
        one = await house.phone("P1")

        async def answer(call: cti.MediaCall) -> None:
            async with call.answer():
                pass

        house.nursery.start_soon(port.serve, answer)
        async with one.call("5001") as call:
            await call.wait_ended()
        taken.close()


@pytest.mark.parametrize(
    ("user", "password", "code"),
    [
        ("app", "wrong", 0x60),
        ("nobody", "secret", 0x60),
        ("locked", "secret", 0x11F),
        ("locked", "wrong", 0x60),
        ("guest", "secret", 0x5F),
    ],
)
async def test_who_may_not_come_in_is_told_no_more_than_his_password_allows(
    user: str, password: str, code: int
) -> None:
    async with a_manager() as manager:
        with pytest.raises(RequestFailed) as refused:
            async with cti.open_provider(manager.cti_address, user=user, password=password):
                pass
        assert refused.value.code & 0xFFFF == code


async def test_everything_that_was_open_is_open_again_at_the_other_cti_manager() -> None:
    """The first dies; lines, ports and route points come back at the second, handlers included."""
    async with (
        a_manager(host="127.0.0.2") as second,
        trio.open_nursery() as nursery,
        rtp.open_engine(first_port=47000) as engine,
    ):
        scope = trio.CancelScope()

        async def first(*, task_status: trio.TaskStatus[CallManager]) -> None:
            with scope:
                async with a_manager() as manager:
                    task_status.started(manager)
                    await trio.sleep_forever()

        manager = await nursery.start(first)
        routed: list[str] = []

        async def route(session: cti.RouteSession) -> None:
            routed.append(await session.select_route("5001"))

        async def answer(call: cti.MediaCall) -> None:
            async with call.answer():
                await call.wait_ended()

        async with (
            cti.open_provider(
                [manager.cti_address, second.cti_address], user="app", password="secret"
            ) as provider,
            provider.open_route_point("6000") as route_point,
            provider.open_media_terminal("5001", engine=engine) as port,
            provider.open_address("1001") as address,
        ):
            nursery.start_soon(route_point.serve, route)
            nursery.start_soon(port.serve, answer)
            with provider.events() as events:
                scope.cancel()
                await provider.wait_out_of_service()
                with trio.fail_after(10):
                    await provider.wait_in_service()
                    await route_point.wait_in_service()
                    await port.wait_in_service()
                assert provider.manager[0] == "127.0.0.2"
                async with sccp.open_station("P1", second.sccp_address, engine=engine) as one:
                    await address.wait_in_service()
                    async with one.call("6000") as call:
                        await call.wait_media()
                        assert routed == ["5001"]
                        await until(lambda: bool(address.calls))
                told = {type(events.receive_nowait()) for _ in range(3)}
                assert told
        nursery.cancel_scope.cancel()


@pytest.fixture(scope="module")
def contexts(pem: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context, and an application's that trusts it."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cafile=str(pem))


async def test_the_files_of_a_certificate_can_stand_in_the_configuration(
    pem: Path, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    config = replace(COMPANY, cti_tls=callmanager.TlsFiles(certificate=str(pem), key=str(pem)))
    async with (
        a_manager(config, cti_tls_port=0) as manager,
        log_in(manager.cti_tls_address, tls=contexts[1]),
    ):
        assert manager.applications == ["app"]


async def test_a_certificate_that_cannot_be_used_is_named_before_anything_starts(
    pem: Path, tmp_path: Path
) -> None:
    (tmp_path / "none.pem").write_text("no key")
    for key, says in (("absent.pem", "No such file"), ("none.pem", "PEM")):
        files = callmanager.TlsFiles(certificate=str(pem), key=str(tmp_path / key))
        with pytest.raises(ConfigurationError, match=rf"cti_tls: .*{key}.*{says}"):
            async with a_manager(replace(COMPANY, cti_tls=files)):
                pytest.fail("started")


async def test_limits_of_applications_are_those_of_the_configuration() -> None:
    config = replace(COMPANY, applications=CtiManagerConfig(max_connections=1))
    async with a_manager(config) as manager, log_in(manager):
        host, port = manager.cti_address.split(":")
        async with await trio.open_tcp_stream(host, int(port)) as second:
            with contextlib.suppress(trio.BrokenResourceError):
                assert await second.receive_some() == b""


async def test_files_are_made_room_for_for_as_many_applications_as_are_configured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(callmanager.manager, "prepare", lambda wanted, _: asked.append(wanted))
    for most in (100, 700):
        config = replace(COMPANY, applications=CtiManagerConfig(max_connections=most))
        async with a_manager(config):
            pass
    assert asked[1] - asked[0] == 600


@pytest.mark.parametrize("what", [cti.Provider, sccp.Station])
async def test_a_goodbye_that_fails_ends_what_was_to_go_on_for_it(
    what: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a second Ctrl-C does: the tasks behind it went on for ever, and the program with them."""

    async def fail(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(what, "leave", fail)
    async with a_manager() as manager:
        with pytest.raises(KeyboardInterrupt):
            async with (
                log_in(manager)
                if what is cti.Provider
                else sccp.open_station("P1", manager.sccp_address)
            ):
                pass


async def test_an_application_comes_in_over_tls_and_checks_whom_it_talks_to(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    server, client = contexts
    async with a_manager(cti_tls=server, cti_tls_port=0) as manager:
        address = manager.cti_tls_address
        async with (
            log_in(address, tls=client) as provider,
            provider.open_route_point("6000") as route_point,
        ):
            assert route_point.in_service
        strangers = ssl.create_default_context()
        with pytest.raises(RequestFailed, match="self-signed"):
            async with log_in(address, tls=strangers):
                pass
        # Who speaks no TLS there, or says nothing, is nobody's trouble.
        host, port = address.split(":")
        for said in (b"", b"\x18\0\0\0"):
            async with await trio.open_tcp_stream(host, int(port)) as stream:
                await stream.send_all(said)
        async with log_in(manager):
            pass


async def test_who_does_not_finish_a_handshake_makes_room_for_who_comes_from_elsewhere(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    config = replace(
        COMPANY, applications=CtiManagerConfig(max_connections=3, max_before_login_of_one_address=3)
    )
    async with a_manager(config, cti_tls=contexts[0], cti_tls_port=0) as manager:
        assert manager.cti_counters is not None
        assert manager._cti_manager is not None
        host, port = manager.cti_tls_address.split(":")
        silent: list[trio.SocketStream] = []
        for number in range(3):
            silent.append(await trio.open_tcp_stream(host, int(port), local_address=f"{NETWORK}.2"))
            while len(manager._cti_manager.lobby) <= number:  # noqa: ASYNC110
                await trio.sleep(0.01)
        async with log_in(manager.cti_tls_address, tls=contexts[1]):
            assert not await silent[0].receive_some()
            assert manager.cti_counters.turned_out == 1
        for stream in silent:
            await stream.aclose()


async def test_who_does_not_finish_a_handshake_takes_up_a_stranger_s_place(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    """Else a stranger had as many places as there are connections, each with a TLS engine."""
    config = replace(
        COMPANY,
        applications=CtiManagerConfig(max_before_login_of_one_address=3, login_within=0.3),
    )
    async with a_manager(config, cti_tls=contexts[0], cti_tls_port=0) as manager:
        assert manager.cti_counters is not None
        host, port = manager.cti_tls_address.split(":")
        async with contextlib.AsyncExitStack() as stack:

            async def stranger() -> trio.SocketStream:
                opened = await trio.open_tcp_stream(host, int(port), local_address=f"{NETWORK}.2")
                return await stack.enter_async_context(opened)

            silent = [await stranger() for _ in range(3)]
            # The first bytes of a hello, whose rest never comes.
            await silent[0].send_all(b"\x16\x03\x01\x02\x00\x01")
            with contextlib.suppress(trio.BrokenResourceError):
                assert await (await stranger()).receive_some(1) == b""
            assert manager.cti_counters.refused_by_address == 1
            # Neither port has more places for that address; others come in.
            async with log_in(manager.cti_tls_address, tls=contexts[1]):
                pass
            # They are let go when the time for a login is over, and leave nothing.
            await until(lambda: manager._cti_manager is not None and not manager._cti_manager.lobby)
            assert manager.cti_counters.timeouts == 3


async def test_devices_come_and_go_while_the_provider_is_open() -> None:
    added = DeviceConfig(name="P9", lines=(LineConfig(number="1009"),))
    async with a_house() as house:
        assert "P9" not in house.provider.devices
        house.manager.add_device(added)
        await until(lambda: house.provider.devices.get("P9") == ("1009",))
        async with house.provider.open_address("1009") as address:
            await house.phone("P9")
            await address.wait_in_service()
            house.manager.remove_device("P9")
            await address.wait_out_of_service()
        await until(lambda: "P9" not in house.provider.devices)
        with pytest.raises(RequestFailed):
            async with house.provider.open_address("1009"):
                pass


async def test_a_call_to_nowhere_says_why_and_is_gone_soon_after() -> None:
    async with (
        a_house() as house,
        rtp.open_engine(first_port=47000) as engine,
        house.provider.open_media_terminal("5001", engine=engine) as port,
    ):
        async with port.call("777") as call:
            with pytest.raises(CallEnded) as failed:
                await call.wait_connected()
            assert failed.value.cause == 1
            assert await call.wait_ended() == 1
        assert not house.manager.calls.legs


async def test_a_route_that_is_not_selected_in_time_is_left_alerting_as_jtapi_does() -> None:
    config = cti.ProviderConfig(route_select_within=0.2)
    late: list[bool] = []

    async def route(session: cti.RouteSession) -> None:
        await trio.sleep(0.5)
        try:
            await session.select_route("1002")
        except CallEnded:
            late.append(True)

    async with a_house() as house:
        one = await house.phone("P1")
        async with (
            log_in(house.manager, config=config) as provider,
            provider.open_route_point("6000") as route_point,
        ):
            house.nursery.start_soon(route_point.serve, route)
            async with one.call("6000") as call:
                await until(lambda: bool(route_point.calls))
                (session,) = route_point.calls
                await until(lambda: session.ended)
                await until(lambda: late == [True])
                assert not call.ended
