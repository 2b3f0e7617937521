"""Who has a device's name: every pair of the table, and the server in virtual time."""

from __future__ import annotations

import contextlib
import itertools
import logging
import socket
from collections.abc import AsyncGenerator
from typing import Any, cast

import pytest
import trio
import trio.testing

from pa_telephony.errors import LocalProtocolError
from pa_telephony.sccp import messages
from pa_telephony.sccp.connection import Connection, Role
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.server import names
from pa_telephony.sccp.server.device import Device
from pa_telephony.sccp.server.names import TABLE, Addresses, Effect, Input, State
from pa_telephony.sccp.server.registrar import RegistrarConfig
from pa_telephony.sccp.server.server import StationServer, StationSession, serve_stations
from pa_telephony.trace import EventRecord, Record

NAME, OTHER = "SEP000000001001", "SEP000000001002"
ONE, TWO = "10.0.0.1", "10.0.0.2"

IMPOSSIBLE = {
    *itertools.product(
        [State.FREE],
        [Input.REGISTER_AGAIN, Input.TOKEN_AGAIN, Input.HEARD, Input.SILENCE, Input.ENDED],
    ),
    (State.SILENT, Input.SILENCE),
}


def test_every_pair_is_in_the_table_or_can_not_happen() -> None:
    assert set(TABLE) == set(itertools.product(State, Input)) - IMPOSSIBLE


@pytest.mark.parametrize(("state", "step"), sorted(IMPOSSIBLE, key=str))
def test_what_can_not_happen_is_a_bug(state: State, step: Input) -> None:
    with pytest.raises(LocalProtocolError):
        names.step(state, step)


def test_a_live_name_is_another_s_by_no_input_but_the_end_of_its_connection() -> None:
    for step in Input:
        after, effect = names.step(State.LIVE, step)
        assert effect not in (Effect.REGISTER, Effect.REPLACE, Effect.MAY_COME)
        assert (after is State.FREE) == (step is Input.ENDED)


def test_as_many_names_are_remembered_as_may_be_and_the_newest_changes() -> None:
    addresses = Addresses(most=2, kept=2)
    assert addresses.registered("a", ONE, None, 1.0) is None
    assert addresses.registered("a", ONE, None, 2.0) is None
    change = addresses.registered("a", TWO, 45.0, 3.0)
    assert change == names.AddressChange(3.0, "a", ONE, TWO, 45.0)
    assert str(change) == ("a is registered from 10.0.0.2; before from 10.0.0.1, silent for 45.0 s")
    addresses.registered("b", ONE, None, 4.0)
    addresses.registered("c", ONE, None, 5.0)
    # Forgotten: nobody knows any more where it was.
    assert addresses.registered("a", ONE, None, 6.0) is None
    addresses.registered("a", TWO, None, 7.0)
    addresses.registered("a", ONE, None, 8.0)
    assert [each.time for each in addresses.changes] == [7.0, 8.0]


# ------------------------------------------------------------------- the server in virtual time


class Peer:
    """A station at the other end of an in-memory link."""

    def __init__(self, house: House, address: str) -> None:
        self._house = house
        ours, self.stream = trio.testing.memory_stream_pair()
        self.server_side = Link(ours, (address, 40_000))
        self.connection = Connection(Role.STATION)

    async def says(self, *what: SccpMessage) -> list[SccpMessage]:
        """Send, and give what is answered until nothing happens any more."""
        with contextlib.suppress(trio.BrokenResourceError):
            await self.stream.send_all(b"".join(messages.encode(each, 20) for each in what))
        await trio.testing.wait_all_tasks_blocked()
        with trio.CancelScope() as scope:
            self._house.nursery.start_soon(_when_all_are_idle, scope)
            while data := await self.stream.receive_some(1 << 16):
                self.connection.receive_data(data)
        result: list[SccpMessage] = []
        while isinstance(message := self.connection.next_event(), SccpMessage):
            result.append(message)
        return result

    async def registers(self, name: str = NAME) -> bool:
        """Whether the name is ours now."""
        said = await self.says(messages.RegisterReq(device_name=name, protocol_ver=20))
        return any(isinstance(each, messages.RegisterAck) for each in said)

    async def may_come(self, name: str = NAME) -> bool:
        said = await self.says(messages.RegisterTokenReq(device_name=name))
        return any(isinstance(each, messages.RegisterTokenAck) for each in said)

    async def goes(self) -> None:
        await self.stream.aclose()
        await trio.testing.wait_all_tasks_blocked()


async def _when_all_are_idle(scope: trio.CancelScope) -> None:
    await trio.testing.wait_all_tasks_blocked()
    scope.cancel()


class Link:
    """What the server needs of a socket; ``options`` are those that it has set."""

    def __init__(self, stream: Any, peer: tuple[str, int]) -> None:
        self._stream = stream
        self._peer = peer
        self.options: dict[int, int] = {}
        self.socket = self

    def getsockname(self) -> tuple[str, int]:
        return ("10.0.0.9", 2000)

    def getpeername(self) -> tuple[str, int]:
        return self._peer

    def fileno(self) -> int:
        return -1

    def setsockopt(self, level: int, option: int, value: int) -> None:
        self.options[option] = value

    async def receive_some(self, most: int) -> bytes:
        return bytes(await self._stream.receive_some(most))

    async def send_all(self, data: bytes) -> None:
        await self._stream.send_all(data)

    async def aclose(self) -> None:
        await self._stream.aclose()


class House:
    """A server with two devices, of which the second has a keepalive of its own."""

    def __init__(self, nursery: trio.Nursery, clock: trio.testing.MockClock, **config: Any) -> None:
        self.nursery = nursery
        self.clock = clock
        self.records: list[Record] = []
        self.gone: list[str] = []
        self.server = StationServer(self, RegistrarConfig(**config), self.records.append)

    def find_device(self, name: str) -> Device | None:
        own = {NAME: None, OTHER: 1}
        return Device(name=name, keep_alive_interval=own[name]) if name in own else None

    def registered(self, session: StationSession) -> None: ...
    def received(self, session: StationSession, message: SccpMessage) -> None: ...
    def unregistered(self, session: StationSession, reason: str) -> None:
        self.gone.append(reason)

    def may_unregister(self, session: StationSession) -> bool:
        return True

    def comes(self, address: str = ONE) -> Peer:
        peer = Peer(self, address)
        link = cast("trio.SocketStream", peer.server_side)
        self.nursery.start_soon(self.server.handle, link)
        return peer

    async def registered_peer(self, address: str = ONE, name: str = NAME) -> Peer:
        peer = self.comes(address)
        assert await peer.registers(name)
        return peer

    async def until(self, at: float) -> None:
        self.clock.jump(at - trio.current_time())
        await trio.testing.wait_all_tasks_blocked()

    def events(self, kind: str) -> list[EventRecord]:
        return [r for r in self.records if isinstance(r, EventRecord) and r.kind == kind]

    def holder(self, name: str = NAME) -> str:
        session = self.server.sessions.get(name)
        return "" if session is None else session.address[0]


@contextlib.asynccontextmanager
async def a_house(clock: trio.testing.MockClock, **config: Any) -> AsyncGenerator[House]:
    async with trio.open_nursery() as nursery:
        yield House(nursery, clock, **config)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("interval", [1, 3, 30])
@pytest.mark.parametrize("source", [ONE, TWO])
async def test_a_phone_that_keeps_its_interval_keeps_its_name_however_often_it_is_asked_for(
    mock_clock: trio.testing.MockClock, interval: int, source: str
) -> None:
    """With the lateness of real phones as well: IOS takes 35 s for 30 (captured)."""
    async with a_house(mock_clock, keep_alive_interval=interval) as house:
        phone = await house.registered_peer()
        for number in range(1, 41):
            late = interval * (1e-6 if number % 2 else 0.2)
            for part in (0.25, 0.5, 0.75, 0.99, 1.0):
                await house.until(trio.current_time() + 0.2 * part * interval)
                assert not await house.comes(source).registers()
                assert not await house.comes(source).may_come()
            heard = cast("float", house.server.sessions[NAME].last_heard)
            await house.until(heard + interval + late)
            assert not await house.comes(source).registers()
            assert await phone.says(messages.KeepAliveReq()) == [messages.KeepAliveAck()]
        assert house.holder() == ONE
        assert house.gone == []
        assert house.server.counters.registrations == 1
        assert not house.server.addresses.changes


@pytest.mark.parametrize(("interval", "missed"), [(30, 3), (3, 3), (1, 3), (30, 2), (30, 1)])
@pytest.mark.parametrize("source", [ONE, TWO])
async def test_a_silent_name_is_had_after_one_and_a_half_intervals_and_never_before(
    mock_clock: trio.testing.MockClock,
    caplog: pytest.LogCaptureFixture,
    interval: int,
    missed: int,
    source: str,
) -> None:
    timing = {"keep_alive_interval": interval, "missed_keep_alives": missed}
    async with a_house(mock_clock, **timing) as house:
        await house.registered_peer()
        silent_at = min(1.5, missed) * interval
        while trio.current_time() < silent_at - 0.051 * interval:
            assert not await house.comes(source).registers()
            await house.until(trio.current_time() + 0.05 * interval)
        await house.until(silent_at - 0.001)
        assert not await house.comes(source).registers()
        assert not await house.comes(source).may_come()
        assert house.gone == []
        await house.until(silent_at)
        assert await house.comes(source).may_come()
        await house.registered_peer(source)
        assert house.holder() == source
        (reason,) = house.gone
        assert reason.startswith("silent for")
        # Who looks sees it: in the log, in the trace, in the status.
        moved = house.server.addresses.changes
        assert len(moved) == (source == TWO)
        told = [each for each in caplog.records if each.levelno == logging.WARNING]
        # With one missed keepalive the session has ended by then, which is nothing to warn of.
        assert len(told) == (source == TWO and missed > 1)
        assert len(house.events("sccp.address_changed")) == (source == TWO)
        assert {each.fields["reason"] for each in house.events("sccp.registration_rejected")} == {
            "Crossover session"
        }


@pytest.mark.parametrize("source", [ONE, TWO])
async def test_a_name_is_free_at_once_when_its_connection_is_over(
    mock_clock: trio.testing.MockClock, source: str
) -> None:
    """A process that died, wherever it comes back: its host has closed its connections."""
    async with a_house(mock_clock) as house:
        for number in range(3):
            phone = await house.registered_peer(ONE if number % 2 == 0 else source)
            await phone.goes()
            assert house.holder() == ""
            assert await house.comes(TWO).may_come()
        assert trio.current_time() == 0.0
        assert [each.silent_for for each in house.server.addresses.changes] == (
            [None, None] if source == TWO else []
        )


async def test_any_whole_message_is_a_sign_of_life_and_a_part_of_one_is_not(
    mock_clock: trio.testing.MockClock,
) -> None:
    async with a_house(mock_clock) as house:
        phone = await house.registered_peer()
        await house.until(44.0)
        await phone.says(messages.OffHook(line_instance=1))
        await house.until(88.0)
        assert not await house.comes(TWO).registers()
        await phone.stream.send_all(messages.encode(messages.KeepAliveReq(), 20)[:-1])
        await house.until(89.0)
        assert await house.comes(TWO).registers()


async def test_its_own_connection_may_ask_again_also_when_it_was_silent(
    mock_clock: trio.testing.MockClock,
) -> None:
    async with a_house(mock_clock) as house:
        phone = await house.registered_peer()
        for _ in range(2):
            assert await phone.registers()
            assert await phone.may_come()
            await house.until(trio.current_time() + 50.0)
        assert await phone.may_come()
        assert house.gone == []
        assert not await house.comes(TWO).registers()


async def test_a_device_with_a_keepalive_of_its_own_is_told_and_held_to_it(
    mock_clock: trio.testing.MockClock,
) -> None:
    """A server that stands still costs its media ports 1.5 s, and the phones nothing."""
    async with a_house(mock_clock) as house:
        phone, port = house.comes(ONE), house.comes(ONE)
        request = {"protocol_ver": 20}
        for peer, name, announced in ((phone, NAME, 30), (port, OTHER, 1)):
            said = await peer.says(messages.RegisterReq(device_name=name, **request))
            (ack,) = (each for each in said if isinstance(each, messages.RegisterAck))
            assert ack.keep_alive_interval == announced
        await house.until(1.499)
        assert not await house.comes(TWO).registers(OTHER)
        await house.until(1.5)
        assert await house.comes(TWO).registers(OTHER)
        assert not await house.comes(TWO).registers(NAME)
        # Nobody takes it: it is given up when it has missed three.
        await house.until(4.5)
        assert house.holder(OTHER) == ""
        assert house.holder(NAME) == ONE


async def test_asking_for_a_name_lets_tcp_ask_whoever_has_it(
    mock_clock: trio.testing.MockClock,
) -> None:
    """A host that was started anew answers with a reset; silence ends nothing before its time."""
    async with a_house(mock_clock) as house:
        phone = await house.registered_peer()
        await house.until(20.0)
        await phone.says(messages.KeepAliveReq())
        assert not phone.server_side.options
        for asks in (Peer.registers, Peer.may_come):
            phone.server_side.options.clear()
            assert not await asks(house.comes(TWO))
            options = phone.server_side.options
            assert options[socket.SO_KEEPALIVE] == 1
            assert options[socket.TCP_KEEPIDLE] == 1
            assert options[socket.TCP_KEEPINTVL] * options[socket.TCP_KEEPCNT] >= 90


async def test_an_address_that_tries_too_many_names_learns_nothing_more_and_its_phones_go_on(
    mock_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_house(mock_clock, max_unknown_names_of_one_address=5) as house:
        phone = await house.registered_peer(TWO)
        for number in range(5):
            (said,) = await house.comes(TWO).says(messages.RegisterReq(device_name=f"S{number}"))
            assert said == messages.RegisterReject(text="Device Unknown")
        # A name that there is gets no other answer than one that there is not; nor for a token.
        answers = [
            await house.comes(TWO).says(ask(device_name=name))
            for ask in (messages.RegisterReq, messages.RegisterTokenReq)
            for name in (OTHER, "nobody")
        ]
        assert answers[0] == answers[1]
        assert answers[0] == [messages.RegisterReject(text="Too many names: try later")]
        assert answers[2] == answers[3]
        assert [type(each) for each in answers[2]] == [messages.RegisterTokenReject]
        assert house.server.counters.refused_unseen == 4
        (told,) = [r.getMessage() for r in caplog.records if "unknown names" in r.getMessage()]
        assert TWO in told
        # Who is there stays and may come again from there; others come in.
        assert await phone.says(messages.KeepAliveReq()) == [messages.KeepAliveAck()]
        await phone.goes()
        assert await house.comes(TWO).registers(NAME)
        assert await house.comes("10.0.0.3").registers(OTHER)
        # Two seconds later one more name is looked at, of which nothing has been heard since.
        await house.until(2.0)
        assert await house.comes(TWO).registers(OTHER)


async def test_tokens_tell_a_stranger_no_more_names_than_registrations_do(
    mock_clock: trio.testing.MockClock,
) -> None:
    """On one connection that asks for one after the other."""
    async with a_house(mock_clock, max_unknown_names_of_one_address=5) as house:
        stranger = house.comes(TWO)
        for number in range(5):
            assert not await stranger.may_come(f"S{number}")
        assert house.server.counters.refused_unseen == 0
        assert not await stranger.may_come(OTHER)
        assert house.server.counters.refused_unseen == 1
        await house.until(2.0)
        assert await stranger.may_come(OTHER)


async def test_rejections_are_logged_once_a_minute_with_their_number(
    mock_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with a_house(mock_clock) as house:
        for number in range(20):
            await house.comes(TWO).registers(f"S{number}")
        await house.until(60.0)
        await house.comes(TWO).registers("S99")
        told = [r.getMessage() for r in caplog.records if "not registered" in r.getMessage()]
        assert told == [
            "S0 from 10.0.0.2 is not registered: Device Unknown",
            "S99 from 10.0.0.2 is not registered (19 times more since the last time this was "
            "told): Device Unknown",
        ]
        assert len(house.events("sccp.registration_rejected")) == 21


async def test_a_name_that_goes_to_and_fro_does_not_fill_the_log(
    mock_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Two connections can take it in turns; trace and `addresses` have every change."""
    caplog.set_level(logging.INFO)
    async with a_house(mock_clock) as house:
        for number in range(51):
            visitor = house.comes(ONE if number % 2 else TWO)
            assert await visitor.registers()
            await visitor.goes()
        await house.until(60.0)
        assert await house.comes(ONE).registers()
        told = [r.getMessage() for r in caplog.records if "before from" in r.getMessage()]
        assert len(told) == 21
        assert told[-1].endswith(" (30 times more since the last time this was told)")
        assert len(house.events("sccp.address_changed")) == 51


# ---------------------------------------------------------------------------------- real sockets

_TCP_REPAIR = 19


def _vanish(stream: trio.SocketStream) -> None:
    """Let this end forget the connection without a word, as a host does whose power was cut."""
    stream.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR, 1)
    stream.socket.close()


@pytest.mark.real_time
async def test_a_host_that_was_started_anew_comes_back_as_soon_as_it_asks() -> None:
    class Everybody(House):
        def __init__(self) -> None: ...

    async def serve(*, task_status: trio.TaskStatus[Any]) -> None:
        await serve_stations(Everybody(), port=0, task_status=task_status)

    Everybody.unregistered = lambda *_: None  # type: ignore[method-assign]
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            server, addresses = await nursery.start(serve)
            old = await trio.open_tcp_stream(*addresses[0])
            await old.send_all(messages.encode(messages.RegisterReq(device_name=NAME), 0))
            await old.receive_some(1 << 12)
            try:
                _vanish(old)
            except PermissionError:
                # Only root may; the options that bring it about are looked at above.
                nursery.cancel_scope.cancel()
                return
            while True:
                async with await trio.open_tcp_stream(*addresses[0]) as new:
                    await new.send_all(messages.encode(messages.RegisterReq(device_name=NAME), 0))
                    said = Connection(Role.STATION)
                    said.receive_data(await new.receive_some(1 << 12))
                    if isinstance(said.next_event(), messages.RegisterAck):
                        break
                await trio.sleep(0.05)
            assert server.counters.registrations == 2
            nursery.cancel_scope.cancel()
