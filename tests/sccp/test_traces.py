"""A trace holds every frame, and says why a connection was closed."""

from __future__ import annotations

import trio
from whole_house import a_manager

from pa_telephony import sccp
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import DCallState
from pa_telephony.sccp.messages import UnknownMessage
from pa_telephony.trace import EventRecord, FrameRecord, Record


async def test_both_sides_trace_the_same_frames_however_they_arrive() -> None:
    ours: list[Record] = []
    theirs: list[Record] = []
    async with (
        a_manager(trace=ours.append) as manager,
        sccp.open_station("P1", manager.sccp_address, trace=theirs.append) as one,
        sccp.open_station("P2", manager.sccp_address, trace=theirs.append),
        one.call("1002") as call,
    ):
        with trio.fail_after(5):
            await call.wait_for(DCallState.RING_OUT)
    for direction, opposite in (("received", "sent"), ("sent", "received")):
        at_call_manager, at_phones = (
            sorted(
                each.data
                for each in records
                if isinstance(each, FrameRecord) and each.direction == d
            )
            for records, d in ((ours, direction), (theirs, opposite))
        )
        assert at_phones == at_call_manager


async def test_a_frame_that_breaks_the_protocol_is_traced_with_the_reason() -> None:
    records: list[Record] = []
    async with a_manager(trace=records.append) as manager:
        host, _, port = manager.sccp_address.rpartition(":")
        stream = await trio.open_tcp_stream(host, int(port))
        # More than an alarm may say.
        alarm = UnknownMessage(id=messages.EnhancedAlarm.id, body=bytes(2052))
        frame = messages.encode(alarm, 20)
        async with stream:
            await stream.send_all(frame)
            with trio.fail_after(5):
                assert not await stream.receive_some()
    received, event, closed = records
    assert isinstance(received, FrameRecord)
    assert received.data == frame
    assert isinstance(event, EventRecord)
    assert event.kind == "sccp.protocol_error"
    assert "2052 bytes, at most 2048" in str(event.fields["error"])
    assert isinstance(closed, EventRecord)
    assert closed.kind == "sccp.connection_closed"
    assert closed.fields["reason"] == f"protocol error: {event.fields['error']}"
