"""The control socket of a running call manager: what it shows is so, what it is told happens."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import AsyncGenerator, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
from company import ALICE, BOB, CAROL, COMPANY, DAVE, changed
from loopback import HOST
from whole_house import a_manager, log_in, pick_up, ringing, until

from pa_telephony import rtp, sccp
from pa_telephony.callmanager import (
    CallManager,
    CallManagerConfig,
    Control,
    ControlLimits,
    ControlRefused,
    ControlServer,
    offer_control,
    open_control,
)
from pa_telephony.callmanager.calls.model import LegState
from pa_telephony.callmanager.control import look, place, server
from pa_telephony.callmanager.control.rows import Call, Device, Picture, RoutePoint
from pa_telephony.cti.server.backend import MediaRegistration, Termination
from pa_telephony.errors import ConnectionLost, RequestFailed, TelephonyError
from pa_telephony.trace import EventRecord, Record


@pytest.fixture
def socket_path() -> Generator[Path]:
    """A path that is short enough for a socket, in a directory of its own."""
    directory = tempfile.mkdtemp(prefix="pa-")
    yield Path(directory) / "c"
    shutil.rmtree(directory)


class House:
    """A call manager with its control socket, and somebody who has it open."""

    def __init__(self, manager: CallManager, offered: ControlServer, control: Control) -> None:
        self.manager = manager
        self.offered = offered
        self.control = control

    async def device(self, name: str) -> Device:
        return next(each for each in await self.control.devices() if each.name == name)

    async def route_point(self, number: str) -> RoutePoint:
        return next(each for each in await self.control.route_points() if each.number == number)

    async def call(self) -> Call:
        (call,) = await self.control.calls()
        return call


@contextlib.asynccontextmanager
async def a_house(
    path: Path,
    config: CallManagerConfig = COMPANY,
    *,
    within: float = 30.0,
    trace: list[Record] | None = None,
) -> AsyncGenerator[House]:
    records = trace if trace is not None else list[Record]()
    async with (
        a_manager(config, within=within) as manager,
        offer_control(manager, path, trace=records.append) as offered,
        open_control(path) as control,
    ):
        yield House(manager, offered, control)


def phones(house: House, *names: str) -> contextlib.AbstractAsyncContextManager[Any]:
    """Stations of ours that are registered under these names, with an engine for sound."""

    @contextlib.asynccontextmanager
    async def opened() -> AsyncGenerator[list[sccp.Station]]:
        async with (
            rtp.open_engine(address=HOST, first_port=47000) as engine,
            contextlib.AsyncExitStack() as stack,
        ):
            yield [
                await stack.enter_async_context(
                    sccp.open_station(name, house.manager.sccp_address, engine=engine)
                )
                for name in names
            ]

    return opened()


# What is shown.


async def test_a_program_learns_which_call_manager_it_has_reached(socket_path: Path) -> None:
    async with a_house(socket_path) as house:
        about = house.control.about
        assert about.process == os.getpid()
        assert about.sccp == house.manager.sccp_address
        assert about.cti == house.manager.cti_address


async def test_a_phone_is_shown_with_its_lines_and_from_where_it_is_registered(
    socket_path: Path,
) -> None:
    async with a_house(socket_path) as house:
        before = await house.device(BOB)
        assert (before.registered, before.address, before.since) == (False, "", None)
        assert [line.number for line in before.lines] == ["1002", "2000"]
        assert before.lines[0].name == "Bob"
        assert before.kind == "phone"
        async with phones(house, BOB):
            there = await house.device(BOB)
            assert there.registered
            assert there.address.startswith("127.0.0.1:")
            assert there.since is not None
            assert (await house.device(ALICE)).users == ("narrow", "super")
        gone = await house.device(BOB)
        assert (gone.registered, gone.address) == (False, "")
        assert gone.since is not None
        assert gone.since >= there.since


async def test_a_device_that_is_not_there_has_the_reason_of_its_last_refusal(
    socket_path: Path,
) -> None:
    async with a_house(socket_path) as house, phones(house, ALICE):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_ask_in_vain, house, ALICE)
            await until(lambda: house.manager.sccp_counters.rejections)
            nursery.cancel_scope.cancel()
        refusal = (await house.device(ALICE)).refusal
        assert refusal is not None
        assert refusal.reason == "Crossover session"
        assert refusal.address == "127.0.0.1"


async def _ask_in_vain(house: House, name: str) -> None:
    async with sccp.open_station(name, house.manager.sccp_address):
        await trio.sleep_forever()


async def test_a_route_point_says_who_serves_it_and_where_its_callers_go_otherwise(
    socket_path: Path,
) -> None:
    config = changed(COMPANY, "RP1", forward_failure="1001")
    async with a_house(socket_path, config) as house:
        assert await house.route_point("6000") == RoutePoint(
            device="RP1", number="6000", forward_failure="1001"
        )
        texts = await house.control.warnings()
        assert "nobody serves 6100 of RP2: its callers are turned away" in texts
        assert not any("6000 of" in text for text in texts)
        async with log_in(house.manager) as provider, provider.open_route_point("6000"):
            await until(lambda: house.manager.is_served("RP1"))
            there = await house.route_point("6000")
            assert there.registered_by == ("app",)
            assert there.served
            (application,) = await house.control.applications()
            assert (application.user, application.devices) == ("app", ("RP1",))
            assert there.addresses == (application.address,)
            assert application.since is not None
            device = await house.device("RP1")
            assert (device.registered, device.address) == (True, application.address)
        assert await house.control.applications() == ()


async def test_a_registration_that_an_application_was_refused_stands_at_its_device(
    socket_path: Path,
) -> None:
    async with a_house(socket_path) as house:
        side, static = house.manager._cti_side, MediaRegistration(Termination.STATIC)
        side.register("CTIP1", "first", static)
        with pytest.raises(RequestFailed):
            side.register("CTIP1", "second", MediaRegistration())
        refusal = (await house.device("CTIP1")).refusal
        assert refusal is not None
        assert refusal.reason == "CTIP1 is registered with media termination STATIC"
        side.unregister("CTIP1", "first")
        side.register("CTIP1", "second", MediaRegistration())
        device = await house.device("CTIP1")
        assert (device.registered, device.refusal) == (True, None)


async def test_a_call_has_its_parties_their_states_and_their_sound(socket_path: Path) -> None:
    async with (
        a_house(socket_path) as house,
        phones(house, ALICE, BOB) as (alice, bob),
        trio.open_nursery() as nursery,
    ):
        assert await house.control.calls() == ()
        async with alice.call("1002") as call:
            there = await ringing(bob)
            caller, called = (await house.call()).parties
            assert (caller.device, caller.number, caller.name) == (ALICE, "1001", "Alice")
            assert (caller.state, caller.other) == ("ringing out", "1002")
            assert (called.device, called.state, called.other) == (BOB, "offered", "1001")
            assert (called.incoming, called.media) == (True, None)
            nursery.start_soon(pick_up, there)
            await call.wait_connected()
            await call.wait_media()
            talking = await house.call()
            assert talking.since is not None
            caller, called = talking.parties
            assert (caller.state, called.state) == ("connected", "connected")
            assert caller.media is not None
            assert called.media is not None
            assert (caller.media.use, caller.media.codec) == ("talk", "PCMU")
            assert caller.media.sends_to == called.media.receives_at
            assert caller.media.statistics is None
            assert (await house.device(ALICE)).calls == 1
            assert (await house.control.counters())["calls.parties"] == 2
        assert await house.control.calls() == ()


async def test_sound_that_the_call_manager_sends_itself_is_counted(socket_path: Path) -> None:
    async with (
        a_house(socket_path) as house,
        phones(house, ALICE, BOB) as (alice, bob),
        trio.open_nursery() as nursery,
        alice.call("1002") as call,
    ):
        nursery.start_soon(pick_up, await ringing(bob))
        await call.wait_connected()
        await call.hold()
        while True:
            held, waits = (await house.call()).parties
            counted = waits.media.statistics if waits.media is not None else None
            if counted is not None and counted.sent:
                break
            await trio.sleep(0.02)
        assert (held.state, held.media) == ("held", None)
        assert waits.media is not None
        assert waits.media.use == "hold tone"
        await call.hang_up()


async def test_what_is_keyed_and_the_passwords_are_nowhere(socket_path: Path) -> None:
    """A number is shown when it reaches somebody: what else was keyed may be a PIN."""
    trace: list[Record] = []
    async with (
        a_house(socket_path, trace=trace) as house,
        phones(house, ALICE) as (alice,),
        log_in(house.manager),
        house.control.watch(every=0.2) as pictures,
    ):
        async with alice.call("1009"):
            (leg,) = house.manager.calls.legs_of(ALICE)
            await until(lambda: leg.state is LegState.FAILED)
            assert leg.digits == leg.called.number == "1009"
            seen = [repr(await house.control.calls()), repr(await anext(pictures))]
            assert "failed" in seen[0]
        await house.control.reset(ALICE)
        everything = " ".join([*seen, repr(trace), repr(await house.control.devices())])
        assert "'1009'" not in everything
        assert "secret" not in everything


# What is done.


async def test_a_phone_that_is_reset_registers_anew(
    socket_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trace: list[Record] = []
    caplog.set_level(logging.INFO, "pa_telephony.callmanager")
    async with a_house(socket_path, trace=trace) as house, phones(house, ALICE) as (alice,):
        for verb, again in ((house.control.reset, 2), (house.control.restart, 3)):
            await verb(ALICE)
            await until(lambda times=again: alice.registrations == times)
            await until(lambda: house.manager.calls.is_registered(ALICE))
    told = [each.getMessage() for each in caplog.records]
    assert f"control: user {os.geteuid()} (process {os.getpid()}) resets P1" in told
    assert [
        (each.kind, each.fields["verb"], each.fields["device"], each.fields["user"])
        for each in trace
        if isinstance(each, EventRecord)
    ] == [("callmanager.control", verb, ALICE, os.geteuid()) for verb in ("reset", "restart")]


async def test_a_lamp_is_switched_on_and_off_at_the_phone(socket_path: Path) -> None:
    async with a_house(socket_path) as house, phones(house, ALICE) as (alice,):
        await house.control.set_message_waiting("1001", True)
        await alice.wait_shown(lambda screen: screen.message_waiting())
        assert (await house.device(ALICE)).lines[0].message_waiting
        await house.control.set_message_waiting("1001", False)
        await alice.wait_shown(lambda screen: not screen.message_waiting())


async def test_a_forward_is_set_and_cleared_as_the_phone_shows(socket_path: Path) -> None:
    async with a_house(socket_path) as house, phones(house, ALICE) as (alice,):
        await house.control.set_forward("1001", "all", "1002")
        await alice.wait_shown(lambda screen: alice.forwarded_to() == "1002")
        await house.control.set_forward("1001", "failure", "1003", partition="")
        assert (await house.device(ALICE)).lines[0].forwards == {"all": "1002", "failure": "1003"}
        await house.control.set_forward("1001", "all", "")
        await alice.wait_shown(lambda screen: not alice.forwarded_to())
        assert (await house.device(ALICE)).lines[0].forwards == {"failure": "1003"}


async def test_a_call_that_is_dropped_ends_at_both_phones(socket_path: Path) -> None:
    async with (
        a_house(socket_path) as house,
        phones(house, ALICE, BOB) as (alice, bob),
        trio.open_nursery() as nursery,
        alice.call("1002") as call,
    ):
        there = await ringing(bob)
        nursery.start_soon(pick_up, there)
        await call.wait_connected()
        await house.control.drop((await house.call()).id)
        await call.wait_ended()
        await there.wait_ended()
        assert await house.control.calls() == ()


async def test_a_call_that_rings_at_a_shared_line_is_dropped_everywhere(socket_path: Path) -> None:
    async with (
        a_house(socket_path) as house,
        phones(house, ALICE, BOB, DAVE) as (alice, bob, dave),
        alice.call("2000") as call,
    ):
        there = [await ringing(bob), await ringing(dave)]
        await house.control.drop((await house.call()).id)
        for each in (call, *there):
            await each.wait_ended()
        assert await house.control.calls() == ()


@pytest.mark.parametrize(
    ("verb", "arguments", "code", "words"),
    [
        ("reset", ("P9",), "unknown_device", "there is no device P9"),
        ("reset", (CAROL,), "not_registered", "P3 is not registered"),
        ("restart", ("RP1",), "not_possible", "RP1 is a route point: only its application can"),
        ("set_message_waiting", ("999", True), "unknown_line", "there is no line 999"),
        ("set_forward", ("1001", "night", "1002"), "bad_request", "night: must be one of all, bu"),
        ("set_forward", ("1001", "all", "777"), "not_possible", "1001 cannot be forwarded to 777"),
        ("set_forward", ("1001", "all", "1001"), "not_possible", "cannot be forwarded to 1001"),
        ("drop", (7,), "unknown_call", "there is no call 7"),
    ],
)
async def test_what_cannot_be_done_is_refused_with_its_reason_and_logged(
    socket_path: Path,
    caplog: pytest.LogCaptureFixture,
    verb: str,
    arguments: tuple[Any, ...],
    code: str,
    words: str,
) -> None:
    caplog.set_level(logging.INFO, "pa_telephony.callmanager")
    async with a_house(socket_path) as house:
        with pytest.raises(ControlRefused, match=words) as refused:
            await getattr(house.control, verb)(*arguments)
        assert refused.value.code == code
        assert (await house.control.counters())["control.refused_requests"] == 1
    assert any(f"refused, {refused.value.reason}" in each.getMessage() for each in caplog.records)


async def test_a_number_in_two_partitions_needs_its_partition(socket_path: Path) -> None:
    twin = replace(COMPANY.devices[2].lines[0], number="1001", partition="PA")
    carol = replace(COMPANY.devices[2], lines=(twin,))
    config = replace(COMPANY, devices=(*COMPANY.devices[:2], carol, *COMPANY.devices[3:]))
    async with a_house(socket_path, config) as house:
        with pytest.raises(ControlRefused, match="1001 is in several partitions: '', 'PA'"):
            await house.control.set_message_waiting("1001", True)
        await house.control.set_message_waiting("1001", True, partition="PA")
        assert (await house.device(CAROL)).lines[0].message_waiting
        assert not (await house.device(ALICE)).lines[0].message_waiting


# Watches.


async def test_a_watch_shows_all_at_first_and_then_each_change(socket_path: Path) -> None:
    async with a_house(socket_path) as house:
        async with house.control.watch("devices", "calls", every=0.2) as pictures:
            first = await anext(pictures)
            assert [each.name for each in first.devices] == [d.name for d in COMPANY.devices]
            assert first.calls == first.counters == ()
            async with phones(house, ALICE, BOB) as (alice, bob):
                await _until_shown(pictures, lambda it: sum(d.registered for d in it.devices) == 2)
                async with alice.call("1002"):
                    await ringing(bob)
                    seen = await _until_shown(pictures, lambda it: len(it.calls) == 1)
                    assert {each.state for each in seen.calls[0].parties} == {
                        "ringing out",
                        "offered",
                    }
                await _until_shown(pictures, lambda it: not it.calls)
        await until(lambda: not house.offered._watches)
        assert await house.control.calls() == ()


async def _until_shown(pictures: Any, condition: Any) -> Picture:
    while True:
        picture: Picture = await anext(pictures)
        if condition(picture):
            return picture


async def test_a_watch_of_what_there_is_not_is_refused(socket_path: Path) -> None:
    async with a_house(socket_path) as house:
        with pytest.raises(ControlRefused, match="of: must be some of devices"):
            async with house.control.watch("pins"):
                pass
        assert house.offered._watches == 0


async def test_there_are_only_so_many_watches_over_all_connections(socket_path: Path) -> None:
    config = replace(COMPANY, control=ControlLimits(max_watches=2))
    async with a_house(socket_path, config) as house, open_control(socket_path) as another:
        async with house.control.watch("calls"), another.watch("calls"):
            with pytest.raises(ControlRefused, match="there are 2 watches already"):
                async with another.watch("devices"):
                    pass
        await until(lambda: not house.offered._watches)
        async with another.watch("devices") as pictures:
            assert (await anext(pictures)).devices


# Who is let in.


async def test_one_connection_too_many_is_told_so_and_closed(socket_path: Path) -> None:
    config = replace(COMPANY, control=ControlLimits(max_connections=1))
    async with a_house(socket_path, config) as house:
        with pytest.raises(ConnectionLost, match="there are 1 connections already"):
            async with open_control(socket_path):
                pass
        assert house.offered.counters.refused_connections == 1
        assert await house.control.calls() == ()


async def test_a_process_of_another_user_is_not_let_in(
    socket_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(socket_path) as house:
        monkeypatch.setattr(server, "_peer_of", lambda connection: server._Peer(1, 4242))
        with pytest.raises(ConnectionLost, match="another user's call manager"):
            async with open_control(socket_path):
                pass
        assert house.offered.counters.refused_connections == 1


def beside(path: Path) -> dict[str, int]:
    """What is in the directory of a path, with its mode."""
    return {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}


async def test_a_socket_is_closed_to_others_and_gone_afterwards(socket_path: Path) -> None:
    async with a_house(socket_path):
        assert beside(socket_path) == {"c": 0o600}
    assert beside(socket_path) == {}


async def test_garbage_is_answered_and_the_next_request_is_served(socket_path: Path) -> None:
    async with a_house(socket_path) as house:
        stream = await trio.open_unix_socket(socket_path)
        async with stream:
            for byte in b'\x00\xff\n{"id":1,"verb":"fly"}\n{"id":2,"verb":"calls"}\n':
                await stream.send_all(bytes([byte]))
            answers = await _lines(stream, 3)
            assert [each.get("error", {}).get("code") for each in answers] == [
                *("not_json", "unknown_verb", None)
            ]
            await stream.send_all(b"x" * 20_000)
            (last,) = await _lines(stream, 1)
            assert last["error"]["code"] == "too_long"
            assert await stream.receive_some() == b""
        assert house.offered.counters.refused_requests == 3
        assert await house.control.calls() == ()


@pytest.mark.parametrize(
    "about", ["[]", '{"name": 7}', '"x"', "null", '{"result": {"unknown": []}}', "7"]
)
async def test_an_answer_of_another_shape_is_a_protocol_error(
    socket_path: Path, about: str
) -> None:
    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            asked = json.loads((await stream.receive_some(65536)).splitlines()[0])
            with contextlib.suppress(trio.BrokenResourceError):
                await stream.send_all(f'{{"id": {asked["id"]}, "result": {about}}}\n'.encode())
                await stream.receive_some()

    listening = trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    await listening.bind(str(socket_path))
    listening.listen()
    async with trio.open_nursery() as nursery:
        listener = trio.SocketListener(listening)
        nursery.start_soon(trio.serve_listeners, serve, [listener])
        with pytest.raises(TelephonyError):
            async with open_control(socket_path) as control:
                await control.devices()
        nursery.cancel_scope.cancel()


async def _lines(stream: trio.SocketStream, count: int) -> list[dict[str, Any]]:
    found = b""
    while found.count(b"\n") < count:
        found += await stream.receive_some(65536)
    return [json.loads(line) for line in found.splitlines()]


async def test_what_was_asked_is_answered_though_the_asker_says_no_more(socket_path: Path) -> None:
    async with a_house(socket_path):
        stream = await trio.open_unix_socket(socket_path)
        async with stream:
            await stream.send_all(b'{"id":1,"verb":"calls"}\n{"id":2,"verb":"about"}\n')
            await stream.send_eof()
            assert [each["id"] for each in await _lines(stream, 2)] == [1, 2]
            assert await stream.receive_some() == b""


async def test_who_does_not_read_is_closed_and_others_are_served(socket_path: Path) -> None:
    many = replace(
        COMPANY, control=ControlLimits(taken_within=5.0, max_requests=10_000, max_line=100)
    )
    async with a_house(socket_path, many, within=300.0) as house:
        stream = await trio.open_unix_socket(socket_path)
        async with stream:
            with contextlib.suppress(trio.BrokenResourceError):
                while not house.offered.counters.slow:
                    with trio.move_on_after(1):
                        await stream.send_all(b'{"id":1,"verb":"devices"}\n' * 300)
                    assert await house.control.calls() == ()
        await until(lambda: house.offered._connections == 1)
        assert house.offered.counters.slow == 1


@pytest.mark.makes_bugs
async def test_a_bug_is_answered_reported_and_ends_nobody(
    socket_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(socket_path) as house, open_control(socket_path) as another:
        broken = {"applications": 1 / 3}
        monkeypatch.setattr(look.Look, "applications", lambda self: broken["there is none"])
        with pytest.raises(ControlRefused, match="internal error") as refused:
            await house.control.applications()
        assert refused.value.code == "internal"
        assert house.offered.counters.internal_errors == 1
        assert await house.control.calls() == await another.calls() == ()


async def test_when_the_call_manager_ends_everybody_who_waits_is_told(socket_path: Path) -> None:
    async with a_manager() as manager, contextlib.AsyncExitStack() as stack:
        scope = trio.CancelScope()

        async def offer(*, task_status: trio.TaskStatus[None]) -> None:
            with scope:
                async with offer_control(manager, socket_path):
                    task_status.started()
                    await trio.sleep_forever()

        nursery = await stack.enter_async_context(trio.open_nursery())
        await nursery.start(offer)
        async with open_control(socket_path) as control:
            async with control.watch("calls") as pictures:
                await anext(pictures)
                scope.cancel()
                with pytest.raises(ConnectionLost, match="the call manager has ended"):
                    await anext(pictures)
            with pytest.raises(ConnectionLost, match="the call manager has ended"):
                await control.calls()


# Where it is.


async def test_a_socket_that_nobody_answers_at_is_replaced(socket_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(os.fspath(socket_path))
        left.listen()
    with pytest.raises(ConnectionLost, match=r"no call manager answers at .*: Connection refused"):
        async with open_control(socket_path):
            pass
    async with a_house(socket_path) as house:
        assert await house.control.calls() == ()


async def test_a_socket_of_a_call_manager_that_runs_is_left_alone(socket_path: Path) -> None:
    async with a_house(socket_path) as house:
        words = rf"c: another call manager has it \(process {os.getpid()}\)"
        with pytest.raises(ConnectionLost, match=words):
            async with offer_control(house.manager, socket_path):
                pass
        assert await house.control.calls() == ()


def test_a_file_in_its_place_is_left_alone(socket_path: Path) -> None:
    socket_path.write_text("a letter")
    with pytest.raises(ConnectionLost, match="is there already, and no socket"):
        server._listen(socket_path)
    assert socket_path.read_text() == "a letter"


async def test_without_a_call_manager_the_path_and_the_reason_are_told(socket_path: Path) -> None:
    with pytest.raises(ConnectionLost, match=f"{socket_path}: No such file"):
        async with open_control(socket_path):
            pass


async def test_the_well_known_place_is_the_user_s_alone_and_found(
    socket_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", os.fspath(socket_path.parent))
    directory = socket_path.parent / "pa-telephony"
    with pytest.raises(ConnectionLost, match="no call manager of this user runs here"):
        async with open_control():
            pass
    directory.mkdir(mode=0o755)
    async with a_manager() as manager, offer_control(manager) as offered:
        assert offered.path == directory / f"callmanager-{manager.sccp_address}.sock"
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        async with open_control() as control:
            assert control.about.sccp == manager.sccp_address
        async with a_manager() as second, offer_control(second):
            with pytest.raises(ConnectionLost, match="several call managers; which one"):
                async with open_control():
                    pass


async def test_a_socket_left_behind_in_the_well_known_place_is_not_one_of_several(
    socket_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", os.fspath(socket_path.parent))
    async with a_manager() as manager, offer_control(manager):
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(os.fspath(place.well_known_path("127.0.0.1:1")))
        async with open_control() as control:
            assert control.about.sccp == manager.sccp_address


def test_without_a_runtime_directory_of_its_own_a_user_has_one_in_tmp(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    in_tmp = Path(f"/tmp/pa-telephony-{os.geteuid()}")
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    assert place.well_known_directory() == in_tmp
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nowhere")
    assert place.well_known_directory() == in_tmp


def test_a_directory_that_others_can_write_or_have_is_refused(
    socket_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket_path.parent.chmod(0o777)
    with pytest.raises(ConnectionLost, match="writable by everybody"):
        place.make_directory(socket_path)
    socket_path.parent.chmod(0o700)
    with pytest.raises(ConnectionLost, match="at most 107 bytes"):
        place.make_directory(socket_path / ("x" * 100))
    real = socket_path.parent / "real"
    real.mkdir()
    monkeypatch.setattr(place, "well_known_directory", lambda: socket_path.parent / "link")
    (socket_path.parent / "link").symlink_to(real)
    with pytest.raises(ConnectionLost, match="is no directory"):
        place.make_directory(socket_path.parent / "link" / "c")
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    with pytest.raises(ConnectionLost, match="belongs to user"):
        place.make_directory(real / "c") if os.getuid() else place.make_directory(
            _of_somebody(real) / "c"
        )


def _of_somebody(directory: Path) -> Path:
    os.chown(directory, 4243, 4243)
    return directory
