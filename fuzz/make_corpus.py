"""Make what the fuzz targets start from: ``python fuzz/make_corpus.py [directory]``.

Into the directory (``.fuzz``) go ``corpus/NAME/*`` and ``NAME.dict``, made from the message
declarations and from the recorded frames in ``tests/vectors``; nothing of it is committed.
"""

from __future__ import annotations

import hashlib
import json
import random
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pa_telephony.cti import messages as cti
from pa_telephony.cti.messages.base import CtiMessage
from pa_telephony.errors import LocalProtocolError
from pa_telephony.rtp import rtcp
from pa_telephony.rtp.dtmf import EventSender
from pa_telephony.rtp.packet import Packet
from pa_telephony.sccp import messages as sccp
from pa_telephony.sccp.enums import DCallState, KeyPadButton, MediaStatus
from pa_telephony.sccp.messages import SccpMessage

VECTORS = Path(__file__).parents[1] / "tests" / "vectors"
CUT = b"\xff"
"""Whole streams at once; the fuzzer finds other cuts."""


def conversations(seed: str) -> Iterator[bytes]:
    """Steps in a house (house.py): some octets lead far, and the fuzzer finds which."""
    for number in range(20):
        yield b"\x01" + random.Random(f"{seed} {number}").randbytes(20 * (number + 1))


def sccp_seeds() -> Iterator[bytes]:
    """One recorded frame of each message and version, one of each declaration, whole sessions."""
    seen: set[tuple[str, int]] = set()
    for frame in json.loads((VECTORS / "sccp-frames.json").read_text())["frames"]:
        if (kind := (frame["message"], frame["version"])) not in seen:
            seen.add(kind)
            yield CUT + bytes([frame["version"]]) + bytes.fromhex(frame["hex"])
    for declaration in SccpMessage.registry.values():
        for version in (3, 17, 22):
            try:
                yield CUT + bytes([version]) + sccp.encode(declaration(), version)  # type: ignore[arg-type]
            except (TypeError, LocalProtocolError):
                # Without a default for every field.
                continue
    register = sccp.RegisterReq(device_name="SEP001122334455", protocol_ver=22)
    ring = sccp.CallState(call_state=DCallState.RING_IN, line_instance=1, call_reference=7)
    for conversation in (
        (
            register,
            sccp.OffHook(),
            *(sccp.KeypadButton(kp_button=KeyPadButton.ONE) for _ in range(2)),
        ),
        (
            register,
            sccp.EnblocCall(called_party="1", line_instance=1),
            sccp.OpenReceiveChannelAck(
                media_reception_status=MediaStatus.OK,
                ip_addr="10.0.0.1",
                port_number=4000,
                pass_through_party_id=0x2000002,
            ),
            sccp.UnregisterReq(),
        ),
        (
            sccp.RegisterAck(keep_alive_interval=30, max_protocol_ver=22),
            sccp.CapabilitiesReq(),
            sccp.ButtonTemplateRes(button_offset=0),
            sccp.TimeDateRes(w_year=2026),
            ring,
            sccp.OpenReceiveChannel(conference_id=7, pass_through_party_id=1, call_reference=7),
            sccp.CloseReceiveChannel(conference_id=7, pass_through_party_id=1),
        ),
    ):
        yield CUT + b"\x16" + b"".join(sccp.encode(each, 22) for each in conversation)
    yield from conversations("sccp")


def cti_seeds() -> Iterator[bytes]:
    """One recorded message of each type and direction, one of each declaration, a conversation."""
    seen: set[tuple[int, bool]] = set()
    for each in json.loads((VECTORS / "ctiqbe.json").read_text())["messages"]:
        frame = bytes.fromhex(each["hex"])
        kind = (int.from_bytes(frame[16:20], "little"), each["to_server"])
        if kind not in seen:
            seen.add(kind)
            yield CUT + frame
    for declaration in CtiMessage.registry.values():
        yield CUT + cti.encode(declaration(), to_server=True)  # type: ignore[arg-type]
    yield CUT + b"".join(
        cti.encode(request, to_server=True)
        for request in (
            cti.ProviderGetAllDevicesAndLinesRequest(sequence_number=1),
            cti.LineOpenRequest(device_name="RP1", line_name="6000"),
            cti.LineCallInitiateRequest(line_id=1001, dest_address="6000"),
            cti.CallRedirectRequest(call_leg_id=0x1000003, redirect_address="1001"),
            cti.CallDisconnectRequest(call_leg_id=0x1000002),
            cti.ProviderCloseRequest(),
        )
    )
    yield from conversations("cti")


def rtp_seeds() -> Iterator[bytes]:
    """Streams of audio and digits, with gaps, wraps and another source, and compound reports."""

    def row(packets: Iterable[Packet], ticks: int = 1) -> bytes:
        return b"".join(bytes((len(bytes(p)), ticks)) + bytes(p) for p in packets)

    def audio(number: int, ssrc: int = 1) -> Packet:
        return Packet(
            sequence_number=65533 + number & 0xFFFF,
            timestamp=0xFFFFFF00 + 160 * number & 0xFFFFFFFF,
            ssrc=ssrc,
            payload=bytes([number]) * 160,
        )

    yield row(audio(number) for number in range(6))
    yield row(audio(number) for number in (0, 2, 1, 1, 5, 3))
    yield row(audio(number, 1 + number // 3) for number in range(6))
    yield row([audio(0), Packet(payload_type=13, sequence_number=65534, ssrc=1, payload=b"\x40")])
    events = EventSender()
    events.add("5")
    digit: list[Packet] = []
    timestamp = 0
    while events.busy:
        if (event := events.next_packet(timestamp)) is not None:
            payload, start, marker = event
            digit.append(
                Packet(
                    payload_type=101,
                    sequence_number=len(digit),
                    timestamp=start,
                    payload=bytes(payload),
                    marker=marker,
                )
            )
        timestamp += 160
    yield row(digit)
    yield row(
        [Packet(csrc=(1, 2), extension=(0xBEDE, bytes(4)), padding=4, payload=b"x", marker=True)]
    )
    block = rtcp.ReportBlock(ssrc=1, lost=-1, fraction_lost=3)
    for report in (
        rtcp.SenderReport(ssrc=1, ntp=1 << 32, timestamp=1, packets=1, octets=1, reports=(block,)),
        rtcp.ReceiverReport(ssrc=1, reports=(block, block), extension=b"1234"),
    ):
        for rest in (
            (rtcp.description(1, "a@b"), rtcp.Bye(ssrcs=(1,), reason=b"enough")),
            (rtcp.Unknown(packet_type=204, count=3, body=b"name"),),
        ):
            data = rtcp.build([report, *rest])
            yield bytes((len(data), 0)) + data


def refused_seeds() -> Iterator[bytes]:
    """Each kind of refusal, and all together, few and many, beside steps in a house."""
    for kinds in (0, 1, 2, 4, 7):
        for number in range(2):
            dice = random.Random(f"refused {kinds} {number}")
            refusals = bytes(dice.choice((0, 1, 3, 10, 60, 200)) for _ in range(20 * number))
            steps = dice.randbytes(60)
            yield bytes((kinds, len(refusals))) + refusals + steps


def refused_words() -> Iterator[bytes]:
    """Who does something, with nothing changed in what is said; time that passes; who leaves."""
    yield from (bytes((who, what, 0)) for who in range(5) for what in (0, 1, 5))
    yield from (bytes((5, 255)), bytes((6, 0)), bytes((6, 3)), bytes((7, 15)))


def sccp_words() -> Iterator[bytes]:
    """Message numbers, and the numbers on which things break."""
    yield from (struct.pack("<I", number) for number in SccpMessage.registry)
    yield from numbers("<I")
    yield from (b"SEP001122334455\0", b"1001\0", b"\x80\x13")


def cti_words() -> Iterator[bytes]:
    """The magic number and the versions, message numbers, names of the configuration."""
    yield from (struct.pack("<I", word) for word in (0xFFFFDDDD, 0x110000, 0x100000, 32))
    yield from (struct.pack("<I", number) for number in CtiMessage.registry)
    yield from numbers("<I")
    yield from (b"RP1\0", b"P1\0", b"6000\0", b"1001\0")


def rtp_words() -> Iterator[bytes]:
    """First octets of packets, kinds of reports."""
    yield from (bytes((0x80, kind)) for kind in (0, 8, 13, 101, 229, *range(200, 205)))
    yield from (bytes((first,)) for first in (0x81, 0x90, 0xA0, 0xBF))
    yield from numbers(">I")


def numbers(form: str) -> Iterator[bytes]:
    """The numbers on which things break."""
    for number in (0, 1, 0x7F, 0x80, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
        yield struct.pack(form, number)


def quoted(word: bytes) -> str:
    """A line of a libFuzzer dictionary."""
    return '"' + "".join(f"\\x{octet:02x}" for octet in word) + '"'


Maker = Callable[[], Iterator[bytes]]
TARGETS: dict[str, tuple[Maker, Maker]] = {
    "sccp": (sccp_seeds, sccp_words),
    "cti": (cti_seeds, cti_words),
    "rtp": (rtp_seeds, rtp_words),
    "refused": (refused_seeds, refused_words),
}


def main(directory: Path) -> None:
    """Write everything."""
    for name, (seeds, words) in TARGETS.items():
        corpus = directory / "corpus" / name
        corpus.mkdir(parents=True, exist_ok=True)
        for seed in seeds():
            (corpus / hashlib.sha1(seed).hexdigest()).write_bytes(seed)
        lines = [quoted(word) for word in words()]
        (directory / f"{name}.dict").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(".fuzz"))
