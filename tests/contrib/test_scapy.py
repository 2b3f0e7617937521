"""scapy sees what the codec sees: every captured frame, in any segment, in both directions."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from scapy.compat import raw
from scapy.config import conf
from scapy.layers.inet import IP, TCP
from scapy.packet import Packet, Padding, Raw, fuzz
from scapy.sessions import TCPSession
from scapy.utils import PcapReader

from pa_telephony.contrib import scapy as layers
from pa_telephony.contrib.scapy import CTIQBE, SCCP
from pa_telephony.sccp import messages
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.testing.strategies import sccp_messages
from pa_telephony.trace import FrameRecord, PcapTrace

VECTORS = Path(__file__).parents[1] / "vectors"
FRAMES = json.loads((VECTORS / "sccp-frames.json").read_text())["frames"]
CTI_FRAMES = json.loads((VECTORS / "ctiqbe.json").read_text())["messages"]
PHONE, MANAGER = ("127.0.0.20", 40000), ("127.0.0.10", 2000)


@pytest.fixture(autouse=True)
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer that cannot be dissected raises instead of becoming Raw."""
    monkeypatch.setattr(conf, "debug_dissector", 1)


@pytest.fixture
def bound() -> Iterator[None]:
    layers.bind()
    yield
    layers.unbind()


def as_version(monkeypatch: pytest.MonkeyPatch, version: int | None) -> None:
    monkeypatch.setitem(conf.contribs["SCCP"], "version", version)


def differences(packet: Any, ours: Any, path: str = "") -> list[str]:
    """Where a packet has another value than the message."""
    found: list[str] = []
    for field in dataclasses.fields(ours):
        value = getattr(ours, field.name)
        name = field.name if hasattr(packet, field.name) else f"{field.name}_"
        if field.name not in packet.default_fields and f"{field.name}_" in packet.default_fields:
            name = f"{field.name}_"
        if field.name == "trailing" or name not in packet.fields:
            continue
        theirs = packet.fields[name]
        pairs = zip(theirs, value, strict=True) if isinstance(value, tuple) else [(theirs, value)]
        for one, other in pairs:
            here = f"{path}.{field.name}"
            if dataclasses.is_dataclass(other):
                found += differences(one, other, here)
            elif one != other:
                found.append(f"{here}: {one!r}, not {other!r}")
    return found


@pytest.mark.parametrize("vector", FRAMES, ids=lambda v: f"{v['message']}-v{v['version']}")
def test_a_captured_frame_has_the_values_of_the_codec_and_builds_to_the_same_message(
    vector: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    as_version(monkeypatch, vector["version"])
    frame = bytes.fromhex(vector["hex"])
    number = int.from_bytes(frame[8:12], "little")
    ours = messages.decode(number, frame[12:], vector["version"])
    packet = SCCP(frame)
    assert type(packet.payload).__name__ == type(ours).__name__
    assert differences(packet.payload, ours) == []
    packet.payload.raw_packet_cache = packet.raw_packet_cache = None
    built = raw(packet)
    assert messages.decode(number, built[12:], vector["version"]) == ours


@given(sccp_messages())
def test_any_message_has_the_values_of_the_codec(drawn: tuple[SccpMessage, int]) -> None:
    message, version = drawn
    conf.contribs["SCCP"]["version"] = version
    try:
        packet = SCCP(messages.encode(message, version))
        assert differences(packet.payload, message) == []
    finally:
        conf.contribs["SCCP"]["version"] = None


def test_every_message_has_a_packet_class_that_builds_what_the_codec_builds() -> None:
    for number, declaration in SccpMessage.registry.items():
        built = raw(SCCP() / getattr(layers, declaration.__name__)())
        assert int.from_bytes(built[8:12], "little") == number
        messages.decode(number, built[12:], 20)


def test_enumerators_go_by_name() -> None:
    packet = SCCP(version=20) / layers.StartTone(tone="INSIDE_DIAL_TONE", call_reference=7)
    assert raw(packet) == messages.encode(
        messages.StartTone(tone=messages.decode(0x82, raw(packet)[12:], 20).tone, call_reference=7),
        20,
    )
    assert "INSIDE_DIAL_TONE" in packet.show(dump=True)


def test_several_messages_in_a_segment_are_one_behind_the_other(bound: None) -> None:
    frames = [
        messages.encode(messages.OffHook(), 20),
        messages.encode(messages.KeypadButton(kp_button=1), 20),
        messages.encode(messages.OnHook(), 20),
    ]
    segment = IP(raw(IP() / TCP(sport=40000, dport=2000) / Raw(b"".join(frames))))
    assert isinstance(segment[TCP].payload, SCCP)
    names = [type(layer).__name__ for layer in chain(segment[SCCP])]
    assert names == ["SCCP", "OffHook", "SCCP", "KeypadButton", "SCCP", "OnHook"]
    rebuilt = SCCP() / layers.OffHook() / SCCP() / layers.OnHook()
    assert [each.length for each in chain(SCCP(raw(rebuilt))) if isinstance(each, SCCP)] == [12, 12]


def chain(packet: Packet) -> Iterator[Packet]:
    while packet and not isinstance(packet, Padding):
        yield packet
        packet = packet.payload


def test_what_is_left_of_a_segment_is_padding_and_a_session_puts_it_together(
    bound: None, tmp_path: Path
) -> None:
    frame = messages.encode(messages.RegisterReq(device_name="SEP001122334455"), 20)
    assert isinstance(SCCP(frame + frame[:20]).lastlayer(), Padding)
    stream = frame * 3
    with PcapTrace(tmp_path / "a.pcap") as trace:
        for at in range(0, len(stream), 100):
            piece = stream[at : at + 100]
            trace(FrameRecord(1.0 + at, "sccp", "sent", PHONE, MANAGER, piece))
    session = TCPSession()
    found = 0
    with PcapReader(str(tmp_path / "a.pcap")) as reader:
        for packet in reader:
            done = session.process(packet)
            if done is not None and SCCP in done:
                found += sum(type(each).__name__ == "RegisterReq" for each in chain(done[SCCP]))
    assert found == 3


def test_a_flood_in_one_segment_ends_in_padding_not_in_recursion() -> None:
    packet = SCCP(messages.encode(messages.KeepAliveReq(), 20) * 5000)
    assert isinstance(packet.lastlayer(), Padding)
    assert len(raw(packet)) == 5000 * 12


def test_port_2000_stays_with_scapy_until_it_is_asked_for() -> None:
    code = """
from scapy.all import IP, TCP, Raw, raw
from pa_telephony.contrib import scapy as layers
data = bytes.fromhex("040000000000000000000000")
def on_top():
    return type(IP(raw(IP() / TCP(sport=40000, dport=2000) / Raw(data)))[TCP].payload).__name__
print(on_top())
layers.bind()
print(on_top())
layers.unbind()
print(on_top())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["Skinny", "SCCP", "Skinny"]


def test_other_ports_can_be_bound() -> None:
    layers.bind(12000, 12748)
    try:
        data = messages.encode(messages.OnHook(), 20)
        segment = IP(raw(IP() / TCP(sport=12000, dport=5) / Raw(data)))
        assert type(segment[SCCP].payload).__name__ == "OnHook"
    finally:
        layers.unbind()


@pytest.mark.parametrize("vector", CTI_FRAMES[::25], ids=lambda v: v["message"])
def test_a_cti_header_is_dissected_and_its_body_kept(vector: dict[str, Any]) -> None:
    frame = bytes.fromhex(vector["hex"])
    packet = CTIQBE(frame + frame)
    assert packet.sprintf("%CTIQBE.type%") == vector["message"].replace("_", "")
    assert packet.body == frame[32:]
    assert raw(packet.payload) == frame
    assert raw(CTIQBE(type=packet.type, fixed=packet.fixed, body=packet.body))[:4] == frame[:4]


def test_fuzz_makes_frames_of_every_simple_message() -> None:
    for name in ("StartTone", "CallState", "KeypadButton", "SetLamp"):
        built = raw(SCCP(version=20) / fuzz(getattr(layers, name)()))
        assert len(built) == int.from_bytes(built[:4], "little") + 8
