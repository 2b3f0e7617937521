"""Hostile peers over real sockets: CTI managers at our provider, applications at our CTI Manager.

In each case: one typed error, at most that connection closed, a counter, all else goes on.
"""

from __future__ import annotations

import contextlib
import struct
from dataclasses import replace
from typing import Any

import pytest
import trio
import trio.testing
from company import COMPANY, phone
from cti_application import Application
from hypothesis import HealthCheck, given, settings, strategies as st
from middleman import Trick, open_middleman, says
from whole_house import QUICK_PROVIDER, a_manager, log_in, until

from pa_telephony import cti
from pa_telephony.callmanager import (
    CallManager,
)
from pa_telephony.callmanager.applications.control import CtiSide
from pa_telephony.callmanager.calls.verbs import Calls
from pa_telephony.cti import messages
from pa_telephony.cti.connection import Role, WireConnection
from pa_telephony.cti.enums import (
    CALLSTATE,
    CTIFAILURE,
    REDIRECTPARAMS,
    CCNCallForwardInformation,
)
from pa_telephony.cti.messages.structs import (
    CtiCallForwardInformation,
    LineEventFilter,
    LineInfo,
)
from pa_telephony.errors import ConnectionLost, DecodeError, RemoteProtocolError, RequestFailed
from pa_telephony.testing.cti_strategies import cti_message
from pa_telephony.trace import Record


def open_app(address: str, config: cti.ProviderConfig = QUICK_PROVIDER) -> Any:
    return log_in(address, config=config)


def event(*what: messages.CtiMessage) -> bytes:
    """What a CTI manager says."""
    return b"".join(messages.encode(each, to_server=False) for each in what)


def request(*what: messages.CtiMessage) -> bytes:
    """A request as an application sends it."""
    return b"".join(messages.encode(each, to_server=True) for each in what)


async def routing_works(manager: CallManager) -> None:
    async with (
        open_app(manager.cti_address) as provider,
        provider.open_route_point("6000") as route_point,
    ):
        assert route_point.in_service


HEADER = struct.Struct("<8I")
INIT = messages.ProviderInitResponse(provider_id=1, nonce="nonce")
# What breaks the protocol, whoever says it; ``True`` for an end of the stream behind it.
BROKEN = {
    "garbage": (b"\xff" * 64, False),
    "text": (b"GET / HTTP/1.1\r\n\r\n" * 3, False),
    "oversize": (HEADER.pack(1 << 30, 0, 0xFFFFDDDD, 0x110000, 1, 32, 0, 0), False),
    "no length": (bytes(32), False),
    "truncated header": (b"\x20\0\0", True),
    "truncated body": (event(INIT)[:-1], True),
    "parts beyond the end": (HEADER.pack(24, 0, 0xFFFFDDDD, 0x110000, 1, 32, 64, 0), False),
}
FROM_MANAGER = {
    **BROKEN,
    "for the other side": (request(messages.LineOpenRequest()), False),
    "behind a good one": (event(messages.LineInServiceEvent()) + b"\xff" * 32, False),
}
AT_LOGIN: dict[str, Any] = {
    "the answer to something else": messages.CallAcceptResponse(),
    "a failure that is none": messages.FailureResponse(),
    "a certificate that is none": messages.ProviderInitResponse(
        nonce="n", certificate=b"\x30\x82\xff\xff" + bytes(40)
    ),
}
FROM_APPLICATION = {
    **BROKEN,
    "for the other side": (event(messages.LineInServiceEvent()), False),
    "before the login": (request(messages.LineOpenRequest(device_name="RP1")), False),
    "behind a good one": (request(messages.ProviderInitRequest()) + b"\xff" * 32, False),
}


def answers(answer: Any) -> Trick:
    """Give this answer to the first request."""

    async def trick(client: trio.SocketStream) -> None:
        server = WireConnection(Role.SERVER)
        server.receive_data(await client.receive_some(1 << 16), 0.0)
        asked: Any = server.next_event()
        await client.send_all(event(replace(answer, sequence_number=asked.sequence_number)))
        while await client.receive_some(1 << 16):
            pass

    return trick


@pytest.mark.parametrize("kind", FROM_MANAGER)
async def test_a_provider_survives_a_cti_manager_that_breaks_the_protocol(kind: str) -> None:
    data, end = FROM_MANAGER[kind]
    async with a_manager() as manager, open_middleman(manager.cti_address) as middleman:
        middleman.tricks = [says(data, end=end)]
        async with (
            open_app(middleman.address) as provider,
            provider.open_route_point("6000") as route_point,
        ):
            assert (provider.protocol_errors, provider.sessions) == (1, 1)
            await middleman.inject(data, end=end)
            await until(lambda: provider.sessions == 2)
            assert provider.protocol_errors == 2
            await route_point.wait_in_service()


@pytest.mark.parametrize("kind", AT_LOGIN)
async def test_a_login_that_is_answered_with_nonsense_is_tried_again(kind: str) -> None:
    """The answer to another request ended the program when its fields were looked at."""
    async with a_manager() as manager, open_middleman(manager.cti_address) as middleman:
        middleman.tricks = [answers(AT_LOGIN[kind])] * 3
        async with open_app(middleman.address) as provider:
            assert (provider.protocol_errors, provider.sessions) == (3, 1)


async def test_silence_is_no_refusal_and_the_next_attempt_may_succeed() -> None:
    config = cti.ProviderConfig(request_within=0.3, first_back_off=0.01, longest_back_off=0.01)
    async with a_manager() as manager, open_middleman(manager.cti_address) as middleman:
        middleman.tricks = [says(b""), says(event(messages.Heartbeat()) * 50)]
        async with open_app(middleman.address, config) as provider:
            assert middleman.connections == 3
            assert provider.protocol_errors == 0


@pytest.mark.parametrize("piece", [1, 7, 1 << 16])
async def test_a_provider_comes_in_service_however_the_stream_is_cut(piece: int) -> None:
    async with a_manager() as manager, open_middleman(manager.cti_address) as middleman:
        middleman.piece = piece
        async with (
            open_app(middleman.address) as provider,
            provider.open_route_point("6000"),
        ):
            assert provider.protocol_errors == 0


async def test_what_comes_unasked_changes_nothing_and_many_frames_may_come_at_once() -> None:
    unasked = event(
        messages.ProviderOpenCompletedEvent(),
        messages.ProviderGetAllDevicesAndLinesCompletedEvent(),
        messages.CallAcceptResponse(sequence_number=-1),
        messages.FailureResponse(sequence_number=-2),
        messages.LineInServiceEvent(line_id=99),
        messages.NewCallEvent(line_id=99),
        messages.CallStateChangedEventV2(line_id=99, state=CALLSTATE(0x7FFFFFFF)),
    )
    unknown = HEADER.pack(24, 0, 0xFFFFDDDD, 0x110000, 9999, 32, 0, 0)
    async with (
        a_manager() as manager,
        open_middleman(manager.cti_address) as middleman,
        open_app(middleman.address) as provider,
        provider.open_route_point("6000") as route_point,
    ):
        await middleman.inject((unasked + unknown) * 200)
        await provider.request(messages.ProviderGetCapabilitiesRequest())
        assert (provider.sessions, provider.protocol_errors) == (1, 0)
        assert route_point.calls == []


def offered(line: int, leg: int, number: str = "1001") -> messages.NewCallEvent:
    return messages.NewCallEvent(line_id=line, call_leg_id=leg, calling_party=number)


async def test_the_calls_and_numbers_that_a_cti_manager_can_invent_have_limits() -> None:
    config = cti.ProviderConfig(first_back_off=0.01, max_calls=5)
    running = 0

    async def handler(session: cti.RouteSession) -> None:
        nonlocal running
        running += 1
        await trio.sleep_forever()

    async with (
        a_manager() as manager,
        open_middleman(manager.cti_address) as middleman,
        open_app(middleman.address, config) as provider,
        provider.open_route_point("6000") as route_point,
        trio.open_nursery() as nursery,
    ):
        line = route_point._line_handle
        nursery.start_soon(route_point.serve, handler)
        for leg in range(20):
            await middleman.inject(event(offered(line, leg, "1" * 100_000)))
        await until(lambda: route_point.unserved_calls == 15)
        assert len(route_point.calls) == 5
        assert {len(session.calling) for session in route_point.calls} == {255}
        # Gone and come again: the handlers are still busy, and no more of them are started.
        for leg in range(5):
            idle = messages.CallStateChangedEventV2(
                line_id=line, call_leg_id=leg, state=CALLSTATE.IDLE
            )
            await middleman.inject(event(idle, offered(line, 100 + leg)))
        await until(lambda: {s._leg for s in route_point.calls} == set(range(100, 105)))
        await trio.testing.wait_all_tasks_blocked()
        assert running == 5
        nursery.cancel_scope.cancel()


async def test_the_devices_that_a_cti_manager_can_invent_have_a_limit() -> None:
    config = cti.ProviderConfig(first_back_off=0.01, max_directory=20_000)

    def device(number: int) -> messages.DeviceLineInfoEvent:
        lines = tuple(LineInfo(name=str(line)) for line in range(number % 3))
        return messages.DeviceLineInfoEvent(device_name=f"SEP{number}", line_info=lines)

    async with (
        a_manager() as manager,
        open_middleman(manager.cti_address) as middleman,
        open_app(middleman.address, config) as provider,
    ):
        await middleman.inject(event(*(device(number) for number in range(500))))
        await until(lambda: provider.sessions == 2)
        assert provider.protocol_errors == 1
        assert "bytes" in provider.last_error
        assert len(provider.devices) == len(COMPANY.devices)
        long = messages.DeviceLineInfoEvent(device_name="x" * 30_000)
        await middleman.inject(event(long))
        await until(lambda: provider.protocol_errors == 2)


async def test_a_cti_manager_that_never_reads_is_left_and_counted() -> None:
    config = cti.ProviderConfig(
        request_within=0.2, first_back_off=0.01, longest_back_off=0.01, max_unsent=1 << 16
    )
    async with (
        a_manager() as manager,
        open_middleman(manager.cti_address) as middleman,
        open_app(middleman.address, config) as provider,
    ):
        hears, middleman.hears = middleman.hears, trio.Event()
        large = messages.CallRedirectRequest(redirect_address="1" * 60_000)

        async def ask() -> None:
            with contextlib.suppress(RequestFailed, ConnectionLost):
                await provider.request(large)

        async with trio.open_nursery() as nursery:
            while not provider.slow_managers:
                for _ in range(50):
                    nursery.start_soon(ask)
                await trio.sleep(0.02)
            middleman.hears = hears
        await until(lambda: provider.sessions == 2)


@pytest.mark.real_time  # those who ask never rest
async def test_a_request_to_a_session_that_has_just_failed_says_that_it_is_lost() -> None:
    """It said that the protocol was broken, which no handler is told to expect."""
    async with (
        a_manager() as manager,
        open_middleman(manager.cti_address) as middleman,
        open_app(middleman.address) as provider,
    ):
        outcomes: set[type] = set()
        answered = trio.Event()
        async with trio.open_nursery() as nursery:

            async def ask() -> None:
                while provider.sessions == 1:
                    try:
                        await provider.request(messages.ProviderGetCapabilitiesRequest())
                        answered.set()
                    except ConnectionLost:
                        outcomes.add(ConnectionLost)
                        await trio.lowlevel.checkpoint()

            for _ in range(5):
                nursery.start_soon(ask)
            await answered.wait()
            await middleman.inject(b"\xff" * 64)
        assert outcomes == {ConnectionLost}


# ------------------------------------------------------- applications at our CTI Manager


async def connect(manager: CallManager) -> trio.SocketStream:
    host, _, port = manager.cti_address.rpartition(":")
    return await trio.open_tcp_stream(host, int(port))


async def closes(stream: trio.SocketStream) -> None:
    """Read until the other side has had enough."""
    with contextlib.suppress(trio.BrokenResourceError):
        while await stream.receive_some(1 << 16):
            pass
    await stream.aclose()


@pytest.mark.parametrize("kind", FROM_APPLICATION)
async def test_an_application_that_breaks_the_protocol_ends_alone(kind: str) -> None:
    data, end = FROM_APPLICATION[kind]
    async with a_manager() as manager, open_app(manager.cti_address) as provider:
        stream = await connect(manager)
        await stream.send_all(data)
        if end:
            await stream.send_eof()
        await closes(stream)
        assert manager.cti_counters is not None
        assert manager.cti_counters.protocol_errors == 1
        await provider.request(messages.ProviderGetCapabilitiesRequest())
        assert provider.sessions == 1


async def test_events_while_a_connection_fails_are_no_error_of_whoever_caused_them() -> None:
    """The connection's own error came out in the task of another application."""
    async with a_manager() as manager:
        assert manager._cti_manager is not None
        sessions = manager._cti_manager.sessions
        stream = await connect(manager)
        await until(lambda: sessions)
        [session] = sessions
        await stream.send_all(b"\xff" * 64)
        while session in sessions:
            session._core.session._session.send_event(messages.LineInServiceEvent())
            await trio.lowlevel.checkpoint()
        await stream.aclose()


async def test_requests_sent_byte_by_byte_or_in_one_segment_are_answered_alike() -> None:
    data = request(*(messages.ProviderInitRequest(sequence_number=n) for n in range(5)))
    async with a_manager() as manager:
        for piece in (1, len(data)):
            stream, client = await connect(manager), WireConnection(Role.CLIENT)
            for start in range(0, len(data), piece):
                await stream.send_all(data[start : start + piece])
            answers: list[Any] = []
            while len(answers) < 5:
                client.receive_data(await stream.receive_some(1 << 16), 0.0)
                answers += iter(client.next_event, None)
            assert [each.sequence_number for each in answers] == list(range(5))
            await stream.aclose()


async def test_who_asks_without_a_login_and_never_reads_is_dropped_early() -> None:
    async with a_manager() as manager:
        assert manager.cti_counters is not None
        stream = await connect(manager)
        with contextlib.suppress(trio.BrokenResourceError):
            while not manager.cti_counters.slow_applications:
                await stream.send_all(request(messages.ProviderInitRequest()) * 200)
        await stream.aclose()
        assert manager.cti_counters.slow_applications == 1
        await routing_works(manager)


async def test_an_application_that_stops_reading_amid_events_takes_nothing_with_it() -> None:
    """Its lines were forgotten while they were being told, which ended the call manager."""
    async with a_manager() as manager, open_app(manager.cti_address) as provider:
        assert manager.cti_counters is not None
        assert manager._cti_manager is not None
        await provider.request(messages.DeviceRegisterDeviceRequest(device_name="RP1"))
        for _ in range(8):
            await provider.request(
                messages.LineOpenRequest(
                    device_name="RP1",
                    line_name="6000",
                    filter=LineEventFilter(b_new_call_event=True, call_state_changed=True),
                )
            )
        # From now on nothing fits: the next event of a call is too much.
        object.__setattr__(manager._cti_manager.config, "max_unsent", 600)
        manager.calls.register("P1", manager._cti_side)
        leg = manager.calls.originate("P1", 1, "6000")
        assert leg is not None
        assert manager.cti_counters.slow_applications == 1
        await until(lambda: provider.sessions == 2 or not manager.calls.is_registered("RP1"))
        object.__setattr__(manager._cti_manager.config, "max_unsent", 8 << 20)
        await provider.wait_in_service()
        await routing_works(manager)


async def test_a_flood_does_not_make_the_others_wait_for_its_end() -> None:
    """bench/flood.py measures how long they wait: a few milliseconds of the flood's requests."""
    records: list[Record] = []
    async with (
        a_manager() as manager,
        open_app(manager.cti_address) as quiet,
        log_in(manager, trace=records.append) as loud,
    ):
        before = len(records)
        for _ in range(5000):
            loud.post(messages.ProviderGetCapabilitiesRequest())
        while len(records) <= before + 5000:
            await trio.lowlevel.checkpoint()
        await quiet.request(messages.ProviderGetCapabilitiesRequest())
        assert len(records) < before + 10_000


def test_a_long_answer_comes_in_pieces_and_whole_before_the_next_answer() -> None:
    application = _Application()
    ask = messages.ProviderGetAllDevicesAndLinesRequest
    completed = messages.ProviderGetAllDevicesAndLinesCompletedEvent
    session, said = application.session, application.said
    said.clear()
    session.handle_request(ask(sequence_number=5))
    assert [type(each) for each in said] == [messages.ProviderGetAllDevicesAndLinesResponse]
    assert session.go_on()
    assert [each.device_name for each in said[1:]] == ["P1"]
    session.handle_request(ask(sequence_number=6))
    names = [getattr(each, "device_name", type(each)) for each in said]
    response = messages.ProviderGetAllDevicesAndLinesResponse
    assert names == [response, "P1", "P2", "P3", completed, response]
    while session.go_on():
        pass
    names = [getattr(each, "device_name", type(each)) for each in said]
    assert names[6:] == ["P1", "P2", "P3", completed]
    # What is not described yet when the session ends never is.
    session.handle_request(ask(sequence_number=7))
    session.end()
    assert not session.go_on()


REQUESTS = [
    each
    for each in messages.CtiMessage.registry.values()
    if issubclass(each, messages.CtiMessage) and each.kind.value == "request"
]


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(st.sampled_from(REQUESTS).flatmap(cti_message), max_size=6), st.booleans())
def test_any_requests_in_any_state_are_answered_or_give_one_typed_error(
    requests: list[messages.CtiMessage], logged_in: bool
) -> None:
    backend = CtiSide(COMPANY, Calls(COMPANY, lambda: 0.0))
    session = Application(backend, "app" if logged_in else "").session
    for each in requests:
        try:
            session.handle_request(each)
        except RemoteProtocolError:
            assert not logged_in
            break
    session.end()
    assert backend.owners("RP1") == 0


def test_a_name_as_long_as_a_message_is_not_said_back_in_full() -> None:
    application = Application(CtiSide(COMPANY, Calls(COMPANY, lambda: 0.0)))
    refused = application.ask(messages.DeviceOpenRequest(device_name="\xff" * 1_000_000))
    assert refused.result == CTIFAILURE.CTIERR_INVALID_DEVICE_NAME
    assert len(refused.description) == 255


class _Application(Application):
    """It has the lines of three phones, all with one name, and is told nothing in long frames."""

    def __init__(self, name: str = "Alice") -> None:
        phones = tuple(phone(f"P{n}", f"100{n}", name=name) for n in (1, 2, 3))
        config = replace(COMPANY, devices=phones)
        self.calls = Calls(config, lambda: 0.0)
        side = CtiSide(config, self.calls)
        super().__init__(side)
        for each in phones:
            self.calls.register(each.name, side)
        self.lines = [self.open_line(each.name, each.lines[0].number) for each in phones]

    def take(self, frame: bytes) -> None:
        assert len(frame) < 4000
        super().take(frame)

    def call(self) -> int:
        """1001 calls 1002; gives the calling leg."""
        made = self.ask(
            messages.LineCallInitiateRequest(line_id=self.lines[0], dest_address="1002")
        )
        leg: int = made.call_leg_id
        return leg


def test_a_party_that_is_in_no_call_is_not_dropped_from_one() -> None:
    """Its number was taken for a cause, which ended the call manager."""
    application = _Application()
    refused = application.ask(
        messages.CallConferenceDropPartyRequest(
            line_id=application.lines[0],
            call_leg_id=application.call(),
            drop_party_call_leg_id=99_999,
        )
    )
    assert refused.result == CTIFAILURE.ILLEGAL_HANDLE


def test_a_name_in_any_script_reaches_applications_whole_and_plain() -> None:
    """It did not fit into the older fields, which ended the session that made the call."""
    application = _Application("Łucja")
    application.call()
    [offered] = [
        each
        for each in application.said
        if isinstance(each, messages.NewCallEvent) and each.line_id == application.lines[1]
    ]
    assert offered.unicode_calling_party_name == "Łucja"
    assert offered.calling_party_name == "?ucja"


def test_numbers_that_an_application_makes_up_are_told_to_others_within_bounds() -> None:
    application = _Application()
    calling = application.call()
    [called] = [leg for leg in application.calls.legs if leg != calling]
    taken = application.ask(
        messages.CallRedirectRequest(
            line_id=application.lines[1],
            call_leg_id=called,
            redirect_address="1003",
            called_address_option=(REDIRECTPARAMS.CALLED_ADDRESS_OPTION_SET_PREFERREDCALLEDPARTY),
            preferred_original_called_party="9" * 900_000,
            modified_calling_party="7" * 900_000,
            modified_calling_party_reason=REDIRECTPARAMS(1),
        )
    )
    assert not taken.result


def test_a_line_is_not_forwarded_a_thousand_times_at_once() -> None:
    application = _Application()
    forward = CtiCallForwardInformation(
        cfwd_type=CCNCallForwardInformation.FORWARD_ALL_ON, call_fwd_destination="1002"
    )
    refused = application.ask(
        messages.LineSetForwardRequest(
            line_id=application.lines[0], fwd_destn_info=(forward,) * 1000
        )
    )
    assert refused.result == CTIFAILURE.CFWDALL_DESTN_INVALID


def test_a_megabyte_of_the_smallest_structs_is_refused() -> None:
    count = 200_000
    array = struct.pack("<I", 0) * count
    body = struct.pack("<I2I4I", 1, 1, 1, 60, len(array), count, 4) + array
    frame = struct.pack("<8I", 24 + len(body), 0, 0xFFFFDDDD, 0x110000, 121, 32, 28, len(array))
    with pytest.raises(DecodeError, match="structs in a message"):
        messages.decode(frame + body)
