"""One press of a key is one digit, whatever its sender, the network and the calls around it do.

The senders here are those of public reports: timestamps that grow with every packet, ends with
timestamps of their own, durations that stand still, markers everywhere or nowhere.
"""

from __future__ import annotations

import itertools
import socket
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
import pytest
import trio
from hypothesis import assume, given, settings, strategies as st
from loopback import HOST

from pa_telephony import rtp
from pa_telephony.rtp.dtmf import EventPayload, EventReceiver, digit_of, event_of
from pa_telephony.rtp.inbound import Inbound
from pa_telephony.rtp.jitter import FRAME
from pa_telephony.rtp.packet import Codec, Packet

TICK = 0.02
EVENTS = 101
ENDS = 3
JUMP = 40_000


class Stamps(Enum):
    """Which timestamps the packets of one press have."""

    KEPT = "one, as RFC 4733 has it"
    GROW = "another for every packet"
    AHEAD = "another from the middle on, ahead"
    BACK = "another from the middle on, behind"
    ONCE = "another for one packet in the middle"
    ENDS = "another for the ends"
    EACH_END = "another for each end"


class Durations(Enum):
    """How the durations of one press grow."""

    GROW = 160
    HALF = 80
    STAND = 0
    ZERO = -1


@dataclass(frozen=True)
class Sender:
    """How a device sends the keys that are pressed."""

    stamps: Stamps = Stamps.KEPT
    durations: Durations = Durations.GROW
    markers: str = "first"
    sound_between: bool = False
    """Whether sound is sent beside the events, with sequence numbers of its own."""
    sound_in_pauses: bool = True
    late_end: int = 0
    """Intervals without any packet in front of the ends."""


@dataclass(frozen=True)
class Sent:
    """A packet on its way: of which press it is, when it comes."""

    at: float
    sequence: int
    timestamp: int
    payload: EventPayload | None = None
    marker: bool = False
    press: int = -1

    @property
    def data(self) -> bytes:
        sound = self.payload is None
        return bytes(
            Packet(
                payload_type=0 if sound else EVENTS,
                sequence_number=self.sequence,
                timestamp=self.timestamp & 0xFFFFFFFF,
                ssrc=1,
                payload=b"\xd5" * FRAME if self.payload is None else bytes(self.payload),
                marker=self.marker,
            )
        )


def sent_for(sender: Sender, digits: str, packets: int, pause: int) -> list[Sent]:
    """What a device sends while keys are pressed for so many intervals, with pauses between."""
    sent: list[Sent] = []
    sequences = itertools.count(65_530)
    clock = 100_000

    def send(payload: EventPayload | None = None, stamp: int = 0, **more: object) -> None:
        sent.append(
            Sent(clock * TICK / FRAME, next(sequences) & 0xFFFF, stamp or clock, payload, **more)  # type: ignore[arg-type]
        )

    for press, digit in enumerate(digits):
        start = clock
        for number in range(packets + ENDS):
            end = number >= packets
            if number == packets:
                clock += sender.late_end * FRAME
            elapsed = min(number + 1, packets + 1)
            match sender.durations:
                case Durations.STAND:
                    duration = FRAME
                case Durations.ZERO:
                    duration = (packets + 1) * FRAME if end else 0
                case _:
                    duration = sender.durations.value * elapsed
                    duration += sender.late_end * FRAME if end else 0
            middle = packets // 2
            stamp = start
            match sender.stamps:
                case Stamps.GROW:
                    stamp = clock
                case Stamps.AHEAD if number >= middle:
                    stamp += JUMP
                case Stamps.BACK if number >= middle:
                    stamp -= JUMP
                case Stamps.ONCE if number == middle:
                    stamp += FRAME
                case Stamps.ENDS if end:
                    stamp += packets * FRAME
                case Stamps.EACH_END if end:
                    stamp = clock
                case _:
                    pass
            marker = sender.markers == "all" or (sender.markers == "first" and number == 0)
            payload = EventPayload(event_of(digit), duration, end)
            send(payload, stamp, marker=marker, press=press)
            if sender.sound_between:
                send()
            clock += FRAME
        for _ in range(pause):
            if sender.sound_in_pauses:
                send()
            clock += FRAME
    return sent


def heard_alone(packets: list[Sent]) -> str:
    receiver = EventReceiver()
    heard = ""
    for packet in packets:
        if packet.payload is None:
            continue
        for event in receiver.receive(
            bytes(packet.payload),
            packet.timestamp & 0xFFFFFFFF,
            packet.at,
            marker=packet.marker,
            sequence_number=packet.sequence,
        ):
            heard += digit_of(event) or "?"
    return heard


def heard_at_a_port(packets: list[Sent], reopened_at: frozenset[int] = frozenset()) -> str:
    """What a row of the engine hears; its stream is closed and opened before some packets."""
    inbound = Inbound(1)
    inbound.open(0)
    inbound.listen(0, Codec.PCMU, EVENTS, 0.0)
    heard = ""
    for number, packet in enumerate(packets):
        if number in reopened_at:
            inbound.forget(0)
            inbound.listen(0, Codec.PCMU, EVENTS, packet.at)
        data = packet.data
        inbound.views[0][: len(data)] = data
        for _, event in inbound.accept(np.array([0]), [len(data)], packet.at):
            heard += digit_of(event) or "?"
    return heard


SENDERS = st.builds(
    Sender,
    stamps=st.sampled_from(Stamps),
    durations=st.sampled_from(Durations),
    markers=st.sampled_from(["first", "all", "none"]),
    sound_between=st.booleans(),
    sound_in_pauses=st.booleans(),
)
DIGITS = st.text("15#", min_size=1, max_size=3)


def check(packets: list[Sent], digits: str) -> None:
    assert heard_alone(packets) == digits
    assert heard_at_a_port(packets) == digits


@given(SENDERS, DIGITS, st.integers(3, 12), st.integers(3, 20))
def test_every_sender_is_heard_right(sender: Sender, digits: str, packets: int, pause: int) -> None:
    check(sent_for(sender, digits, packets, pause), digits)


@given(SENDERS, DIGITS, st.integers(3, 12), st.integers(3, 20), st.integers(1, 50))
def test_an_end_that_comes_late_is_no_press(
    sender: Sender, digits: str, packets: int, pause: int, late: int
) -> None:
    check(sent_for(replace(sender, late_end=late), digits, packets, pause), digits)


@given(SENDERS, DIGITS, st.integers(3, 12), st.integers(4, 20), st.data())
def test_two_lost_packets_in_each_press_neither_lose_nor_double_it(
    sender: Sender, digits: str, packets: int, pause: int, data: st.DataObject
) -> None:
    sent = sent_for(sender, digits, packets, pause)
    lost: set[int] = set()
    for press in range(len(digits)):
        mine = [packet.sequence for packet in sent if packet.press == press]
        lost |= set(data.draw(st.lists(st.sampled_from(mine), max_size=2)))
    check([packet for packet in sent if packet.sequence not in lost], digits)


@given(
    SENDERS,
    DIGITS,
    st.integers(3, 12),
    st.integers(3, 20),
    st.lists(st.sampled_from([(0.0,), (0.03,), (0.05,), (0.0, 0.0), (0.0, 0.05)]), min_size=1),
)
def test_packets_that_come_twice_or_in_another_order_double_no_press(
    sender: Sender, digits: str, packets: int, pause: int, ways: list[tuple[float, ...]]
) -> None:
    arrived = []
    for packet, delays in zip(sent_for(sender, digits, packets, pause), itertools.cycle(ways)):
        arrived += [replace(packet, at=packet.at + delay) for delay in delays]
    arrived.sort(key=lambda packet: packet.at)
    check(arrived, digits)


@given(SENDERS, DIGITS, st.integers(3, 12), st.integers(2, 20))
def test_two_presses_whose_ends_are_lost_stay_two(
    sender: Sender, digits: str, packets: int, pause: int
) -> None:
    tells = sender.durations in (Durations.GROW, Durations.HALF)
    if not tells and sender.stamps is not Stamps.KEPT:
        # Nothing in such packets tells two presses apart but the time between them.
        pause = max(pause, 5)
    sent = sent_for(sender, digits, packets, pause)
    kept = [each for each in sent if each.payload is None or not each.payload.end]
    check(kept, digits)


@given(
    SENDERS, DIGITS, st.integers(3, 12), st.integers(3, 20), st.integers(0, 40), st.integers(0, 3)
)
def test_a_stream_that_is_closed_and_opened_in_the_midst_of_a_press_doubles_none(
    sender: Sender, digits: str, packets: int, pause: int, reopened: int, missed: int
) -> None:
    """A hold, or a call that is connected elsewhere and back."""
    sent = sent_for(sender, digits, packets, pause)
    presses = [number for number, packet in enumerate(sent) if packet.press >= 0]
    at = presses[reopened % len(presses)]
    del sent[at : at + missed]
    before = [packet for packet in sent[:at] if packet.press >= 0][-1:]
    after = [packet for packet in sent[at:] if packet.press >= 0][:1]
    if sender.stamps is not Stamps.GROW and before and after:
        kept = before[0].press != after[0].press or before[0].timestamp == after[0].timestamp
        # A timestamp that stood still till then, and is another in the new stream, is a press.
        assume(kept)
    assert heard_at_a_port(sent, frozenset({at})) == digits


@given(st.sampled_from(["none", "first"]), st.integers(410, 1300), st.booleans(), st.data())
@settings(max_examples=20)
def test_a_key_that_is_held_for_long_is_one_press(
    markers: str, packets: int, grows: bool, data: st.DataObject
) -> None:
    """Longer than a duration can say: it goes on in segments (RFC 4733 section 2.5.1.3)."""
    lost = data.draw(st.sets(st.integers(400, 420), max_size=3))
    sent = []
    for number in range(packets):
        elapsed = (number + 1) * FRAME
        segment = elapsed // 0xFFFF
        stamp = number * FRAME if grows else segment * 0xFFFF
        payload = EventPayload(5, elapsed - segment * 0xFFFF, number == packets - 1)
        marker = markers == "first" and number == 0
        if number not in lost:
            sent.append(Sent(number * TICK, number, stamp, payload, marker, 0))
    check(sent, "5")


def test_a_clock_that_stands_still_from_press_to_press_loses_none() -> None:
    sent = sent_for(Sender(markers="none"), "5515", 5, 5)
    check([replace(packet, timestamp=7) for packet in sent if packet.press >= 0], "5515")


def test_an_end_that_is_repeated_in_the_midst_of_the_next_press_is_no_press() -> None:
    for stamps in (Stamps.KEPT, Stamps.EACH_END, Stamps.GROW):
        sent = sent_for(Sender(stamps), "15", 5, 2)
        first = [packet for packet in sent if packet.press == 0]
        second = [packet for packet in sent if packet.press == 1]
        moved = [*first[:-1], second[0], first[-1], *second[1:]]
        numbered = [
            replace(packet, sequence=number, at=number * TICK)
            for number, packet in enumerate(moved)
        ]
        check(numbered, "15")


def test_a_row_of_presses_in_one_packet_is_as_many_digits() -> None:
    """RFC 4733 section 2.5.1.5; the packet is repeated under further sequence numbers."""
    block = bytes(EventPayload(5, 400, end=True))
    receiver = EventReceiver()
    events = [
        receiver.receive(block * 3, 1000, number * TICK, sequence_number=number)
        for number in range(3)
    ]
    assert events == [[5, 5, 5], [], []]


@pytest.mark.parametrize(
    ("stamps", "durations"),
    [
        (Stamps.GROW, Durations.GROW),
        (Stamps.GROW, Durations.ZERO),
        (Stamps.EACH_END, Durations.GROW),
        (Stamps.BACK, Durations.STAND),
    ],
)
async def test_a_caller_with_such_a_sender_keys_a_pin_of_four(
    stamps: Stamps, durations: Durations
) -> None:
    """Through the engine, over UDP, with a hold in the midst of it."""
    async with rtp.open_engine(address=HOST, first_port=42280) as engine:
        port = engine.open_port()
        heard: list[str] = []
        port.on_digit = heard.append
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind((HOST, 0))
            port.start_receiving(dtmf_payload_type=EVENTS)
            port.start_sending(peer.getsockname(), dtmf_payload_type=EVENTS)
            packets = sent_for(Sender(stamps, durations), "1255", 5, 10)
            start = trio.current_time() - packets[0].at
            for number, packet in enumerate(packets):
                await trio.sleep_until(start + packet.at)
                if number == 3:
                    port.stop_receiving()
                    port.start_receiving(dtmf_payload_type=EVENTS)
                peer.sendto(packet.data, port.local_address)
            await trio.sleep(0.1)
    assert heard == ["1", "2", "5", "5"]


@pytest.mark.parametrize("packets", [50, 3_000, 65_400, 65_450, 65_500, 65_530, 65_536, 131_000])
def test_a_press_is_heard_however_long_after_the_last_one(packets: int) -> None:
    """Sequence numbers come round after 22 minutes of sound."""
    receiver = EventReceiver()

    def press(event: int, first: int) -> list[int]:
        heard: list[int] = []
        for number in range(8):
            block = EventPayload(event, min(160 * (number + 1), 960), end=number >= 5)
            heard += receiver.receive(
                bytes(block),
                first * 160,
                (first + number) * 0.02,
                marker=number == 0,
                sequence_number=first + number & 0xFFFF,
            )
        return heard

    assert press(1, 1000) == [1]
    assert press(5, 1000 + packets) == [5]


@pytest.mark.parametrize("sound", [0, 1])
@pytest.mark.parametrize("pause", [0, 1, 2])
@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_two_right_presses_of_a_key_are_two_whichever_packet_is_lost(
    length: int, pause: int, sound: int
) -> None:
    """RFC 4733: one timestamp for all packets of a press; ``sound`` packets between, or none."""
    ends = length + 2

    def heard(lost: int) -> int:
        receiver, found = EventReceiver(), 0
        now, number, timestamp = 0.0, 10, 1000
        for press in range(2):
            began = timestamp
            for at in range(ends):
                block = EventPayload(5, 160 * min(at + 1, length), end=at >= length - 1)
                if press * ends + at != lost:
                    found += len(
                        receiver.receive(
                            bytes(block), began, now, marker=at == 0, sequence_number=number
                        )
                    )
                number, now, timestamp = number + 1 + sound, now + 0.02, timestamp + 160
            number, now, timestamp = number + pause, now + pause * 0.02, timestamp + pause * 160
        return found

    assert {heard(lost) for lost in range(-1, 2 * ends)} == {2}
