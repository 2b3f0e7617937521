"""Our client at a server that writes as sparely as the wire allows (docs/protocol/ctiqbe.md §1.2).

Between our client and our CTI Manager stands a middleman that writes every message anew: strings
that are not there, Unicode of no bytes and without a terminator, structs of no bytes, and fixed
parts that end before the first field that has nothing to say. Nothing may be misread by that.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import AsyncGenerator

import pytest
import trio
from loopback import HOST
from whole_house import a_manager, log_in, pick_up, until

from pa_telephony import cti, rtp, sccp
from pa_telephony.callmanager import (
    CallManager,
)
from pa_telephony.cti import messages
from pa_telephony.cti.messages.codec import HEADER, decode, encode
from pa_telephony.wire.declaration import fields_of
from pa_telephony.wire.offset.types import Nested


def sparing(frame: bytes) -> bytes:
    """The same message with as little in it as may be."""
    message = decode(frame)
    assert isinstance(message, messages.CtiMessage)
    spare = bytearray(encode(message, to_server=True))
    fresh = type(message)
    position = needed = 0
    for field in fields_of(fresh):
        value = getattr(message, field.name)
        empty = value == field.default
        if isinstance(field.type, Nested) and empty:
            struct.pack_into("<2I", spare, HEADER.size + 4 * position + 4, 0, 0)
        position += field.type.words
        if not empty:
            needed = position
    # A response of one field less would be another response.
    fixed = 4 * max(needed, 2 if message.kind.value == "response" else 0)
    struct.pack_into("<I", spare, 24, fixed)
    return bytes(spare)


async def pass_on(
    source: trio.SocketStream, target: trio.SocketStream, *, rewrite: bool, counts: list[int]
) -> None:
    received = b""
    with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        async for data in source:
            received += data
            while len(received) >= 4:
                length = struct.unpack_from("<I", received)[0] + 8
                if len(received) < length:
                    break
                frame, received = received[:length], received[length:]
                counts[0] += 1
                await target.send_all(sparing(frame) if rewrite else frame)
        await target.send_eof()


@contextlib.asynccontextmanager
async def behind_a_middleman() -> AsyncGenerator[tuple[CallManager, str, list[int]]]:
    """A call manager, and an address where it answers sparingly."""
    counts = [0]
    async with a_manager() as manager:
        host, port = manager.cti_address.split(":")

        async def serve(client: trio.SocketStream) -> None:
            async with (
                await trio.open_tcp_stream(host, int(port)) as server,
                trio.open_nursery() as nursery,
            ):
                nursery.start_soon(lambda: pass_on(client, server, rewrite=False, counts=[0]))
                await pass_on(server, client, rewrite=True, counts=counts)
                nursery.cancel_scope.cancel()

        async with trio.open_nursery() as nursery:
            (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
            nursery.start_soon(trio.serve_listeners, serve, [listener])
            yield manager, f"127.0.0.1:{listener.socket.getsockname()[1]}", counts
            nursery.cancel_scope.cancel()


def test_the_middleman_really_spares() -> None:
    whole = encode(
        messages.ProviderOpenCompletedEvent(sequence_number=1, provider_info_string="x"),
        to_server=False,
    )
    spare = sparing(whole)
    assert struct.unpack_from("<I", spare, 24)[0] < struct.unpack_from("<I", whole, 24)[0]
    assert decode(spare) == decode(whole)
    event = messages.CallStateChangedEventV2(call_leg_id=7, b_remote_in_use=True)
    assert decode(sparing(encode(event, to_server=False))) == event


@pytest.mark.parametrize("name", ["Änne", "", "\N{TELEPHONE RECEIVER}"])
async def test_names_come_through_without_their_terminators(name: str) -> None:
    event = messages.NewCallEvent(line_id=1, call_leg_id=2, unicode_calling_party_name=name)
    read = decode(sparing(encode(event, to_server=False)))
    assert isinstance(read, messages.NewCallEvent)
    assert read.unicode_calling_party_name == name


async def test_calls_are_routed_answered_and_transferred_all_the_same() -> None:
    with trio.fail_after(20):
        async with (
            behind_a_middleman() as (manager, address, counts),
            rtp.open_engine(address=HOST, first_port=46500) as engine,
            log_in(address) as provider,
            provider.open_route_point("6000") as route_point,
            provider.open_address("1002") as bob,
            sccp.open_station("P1", manager.sccp_address, engine=engine) as one,
            sccp.open_station("P2", manager.sccp_address, engine=engine) as two,
            sccp.open_station("P3", manager.sccp_address, engine=engine) as three,
            trio.open_nursery() as nursery,
        ):
            seen: list[tuple[str, str, str]] = []

            async def route(session: cti.RouteSession) -> None:
                with pytest.raises(cti.RouteFailed):
                    await session.select_route("9999")
                used = await session.select_route("1002")
                seen.append((session.calling, session.called, used))
                assert session.tried == [
                    ("9999", "redirect call unknown destination"),
                    ("1002", "taken"),
                ]

            nursery.start_soon(route_point.serve, route)
            nursery.start_soon(two.serve, pick_up)
            nursery.start_soon(three.serve, pick_up)
            async with one.call("6000") as call:
                await call.wait_connected()
                assert seen == [("1001", "6000", "1002")]
                (hers,) = bob.calls
                assert (hers.calling, hers.last_redirecting) == ("1001", "6000")
                consultation = await hers.consult("1003")
                await consultation.wait_connected()
                await hers.transfer(consultation)
                await until(lambda: call.connected_to == "1003" and call.connected)
                await until(lambda: not bob.calls)
            assert counts[0] > 40
            assert provider.protocol_errors == 0
            nursery.cancel_scope.cancel()
