"""Real frames decode to what Wireshark's dissector says, field by field, and encode back.

Every field that the dissector shows is compared: its name, its offset and its value, counts and
address families as well. What it makes up (:data:`MADE_UP`), and where it is wrong (:data:`WRONG`),
is listed; nothing else is passed over.
"""

from __future__ import annotations

import ipaddress
import json
import re
from pathlib import Path
from typing import Any

import pytest

from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import MediaPayloadType
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.wire.anatomy import Part, PartKind

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "sccp-frames.json").read_text())
FRAMES = VECTORS["frames"]

MADE_UP = {"response_in", "response_to", "response_time", "xmlData"}
"""Not on the wire; xmlData repeats the text before it."""

WRONG = {
    ("StartMediaTransmission", 0): "shown in the layout of version 3; CallManager 2.x has another",
    ("StopMediaTransmission", 0): "shows stale memory as conferenceId: CallManager 2.x sends none",
}
"""Messages at a version that the dissector misreads."""

PARTIES = ("CallingParty", "CalledParty", "OriginalCalledParty", "LastRedirectParty")
FEATURES = (
    "Bit1 Bit2 Bit3 Bit4 UTF8 Bit6 Bit7 DynamicMessages Bit9 RFC2833 Bit11 Bit12 Bit13 Bit14 Bit15 "
    "Abbreviated.Dial"
)
LINE_TYPES = ("OrigDialed", "RedirDialed", "CallingPartyNumber", "CallingPartyName")
BITS = {
    **{f"SoftKeyMask.SoftKey{n + 1}": 1 << n for n in range(16)},
    **{f"PhoneFeatures.{name}": 1 << n for n, name in enumerate(FEATURES.split())},
    **{name: 1 << n for n, name in enumerate(LINE_TYPES)},
    **{
        f"RestrictInformationType.{party}{what}": mask << 2 * n
        for n, party in enumerate(PARTIES)
        for what, mask in (("Name", 1), ("Number", 2), ("", 3))
    },
    "RestrictInformationType.BitsReserved": 0xFFFFFF00,
}
"""What the dissector shows bit by bit, and the masks; the word is one field of ours."""


def number_of(frame: dict[str, Any]) -> int:
    return int.from_bytes(bytes.fromhex(frame["hex"])[8:12], "little")


def decoded(frame: dict[str, Any]) -> SccpMessage:
    message = messages.decode(number_of(frame), bytes.fromhex(frame["hex"])[12:], frame["version"])
    assert isinstance(message, SccpMessage)
    return message


def snake(wire: str) -> str:
    """The rule that turns wire names into attribute names."""
    wire = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", wire)
    return re.sub(r"(?<=[A-Z])(?=[A-Z][a-z])", "_", wire).lower()


def value_at(message: Any, path: str) -> Any:
    """The value that a decoded message has for ``caps[2].payload_capability``."""
    for name, index in re.findall(r"(\w+)(?:\[(\d+)\])?", path):
        message = getattr(message, name)
        if index:
            message = message[int(index)]
    return message


def shown(value: Any, show: str) -> bool:
    """Whether a value of ours is what the dissector shows."""
    if isinstance(value, int):
        return value == int(show, 0) if re.fullmatch(r"-?(0x)?[0-9a-fA-F]+", show) else False
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    try:
        return ipaddress.ip_address(value) == ipaddress.ip_address(show)
    except ValueError:
        pass
    # tshark writes what is no UTF-8 as replacement characters or escapes.
    printable = re.compile(r"[^\x21-\x7e]|\\x[0-9a-f]{1,2}|\\[0-7]{3}|\\.")
    return printable.sub("", value) == printable.sub("", show)


def agrees(message: SccpMessage, part: Part | None, field: tuple[str, int, str]) -> bool:
    """Whether the part of ours at (or around) a field's offset is what the dissector shows."""
    wire, offset, show = field
    if part is None:
        return False
    if part.kind is PartKind.COUNT:
        return len(value_at(message, part.path)) == part.value == int(show)
    value = value_at(message, part.path)
    if wire in BITS:
        return bool(value & BITS[wire]) is bool(int(show))
    if wire == "ipv4or6":
        return bool(int(show)) is (":" in value)
    name = snake(wire.removesuffix(".ipv4").removesuffix(".ipv6").replace(".", "_"))
    if isinstance(value, bytes) and part.offset < offset:
        value = value[offset - part.offset]
    return part.path.rpartition(".")[2].partition("[")[0] == name and shown(value, show)


def compared(frame: dict[str, Any]) -> list[tuple[tuple[str, int, str], bool]]:
    """Each field that the dissector shows on the wire, and whether ours agrees."""
    message = decoded(frame)
    parts = messages.parts_of(bytes.fromhex(frame["hex"]), frame["version"])

    def part_at(wire: str, offset: int) -> Part | None:
        if wire.endswith((".ipv4", ".ipv6")) and frame["version"] >= 17:
            offset -= 4  # The family stands before the address; for us they are one.
        return next((part for part in parts if part.offset == offset), None)

    return [
        (field, agrees(message, part_at(*field[:2]), field))
        for field in map(tuple, frame["fields"])
        if field[0] not in MADE_UP
    ]


def identify(frame: dict[str, Any]) -> str:
    return f"{frame['message']}-v{frame['version']}"


@pytest.mark.parametrize("frame", FRAMES, ids=identify)
def test_a_captured_frame_decodes_as_the_dissector_says(frame: dict[str, Any]) -> None:
    disagree = [field for field, agreed in compared(frame) if not agreed]
    assert bool(disagree) is ((frame["message"], frame["version"]) in WRONG), disagree


def test_no_field_that_the_dissector_shows_is_passed_over() -> None:
    """All 5,850 are compared but for 5 that it makes up, and 11 misread ones of CallManager 2.x."""
    outcomes = [
        agreed
        for frame in FRAMES
        if (frame["message"], frame["version"]) not in WRONG
        for _, agreed in compared(frame)
    ]
    assert all(outcomes)
    assert len(outcomes) == 5850 - 5 - 11


def test_the_media_orders_of_call_manager_2_are_read_in_its_own_layout() -> None:
    """Its address is where the dissector sees a conferenceId; the rest is stale memory."""
    start, stop, listen = (
        decoded(next(each for each in FRAMES if (each["message"], each["version"]) == (name, 0)))
        for name in ("StartMediaTransmission", "StopMediaTransmission", "StartMediaReception")
    )
    assert start == messages.StartMediaTransmission(
        remote_ip_addr="10.102.172.11",
        remote_port_number=5001,
        milli_second_packet_size=30,
        compression_type=MediaPayloadType.G711_ULAW64K,
    )
    assert len(start.trailing) == 16
    assert stop == messages.StopMediaTransmission()
    assert listen == messages.StartMediaReception(
        ip_addr="10.102.172.11",
        milli_second_packet_size=30,
        compression_type=MediaPayloadType.G711_ULAW64K,
    )


# What our bytes lack of the captured ones ---------------------------------------------------------


_OLD = "CallManager 2.x and its stations end bodies where later ones go on"
_STAMP = "no real station sends the configVersionStamp that may follow; ours cuts there"
OF_ANOTHER_LENGTH = {
    **{
        (name, 0): _OLD
        for name in [
            "CallInfo",
            "LineStatRes",
            "OffHook",
            "OnHook",
            "RegisterAck",
            "SetRinger",
            "StartTone",
            "Stimulus",
            "StopTone",
            "UnregisterReq",
        ]
    },
    **{("RegisterReq", version): _STAMP for version in (0, 6, 17, 18, 20, 21)},
    ("ButtonTemplateReq", 6): "the 7912 does not say how many buttons it has",
    ("FeatureStatReq", 6): "the 7912 does not say what it can do",
    ("CapabilitiesRes", 20): "the 7970 leaves the unused slots away, as our station does",
}
"""Frames that end before a field that their version may have. All are encoded, as zeros there."""


def without_filler(data: bytes, version: int) -> bytes:
    clean = bytearray(data)
    for part in messages.parts_of(data, version):
        if part.kind is PartKind.FILLER:
            clean[part.offset : part.end] = bytes(len(part.data))
    return bytes(clean)


def encoded(frame: dict[str, Any]) -> tuple[bytes, bytes]:
    """A captured frame, and what we make of its meaning."""
    data = bytes.fromhex(frame["hex"])
    word = int.from_bytes(data[4:8], "little")
    return data, messages.encode(decoded(frame), frame["version"], word)


@pytest.mark.parametrize("frame", FRAMES, ids=identify)
def test_a_captured_frame_survives_decoding_and_encoding(frame: dict[str, Any]) -> None:
    """Same meaning; same bytes where no stale memory fills the gaps; longer where it ends early."""
    data, again = encoded(frame)
    version = frame["version"]
    assert messages.decode(number_of(frame), again[12:], version) == decoded(frame)
    ours, theirs = without_filler(again, version), without_filler(data, version)
    if len(again) == len(data):
        assert ours == theirs
    else:
        assert (frame["message"], version) in OF_ANOTHER_LENGTH, (len(again), len(data))
        short = min(len(again), len(data))
        assert ours[12:short] == theirs[12:short]
        assert not any(ours[short:])
        assert not any(theirs[short:])


def test_how_many_captured_frames_we_write_in_the_same_bytes() -> None:
    """The others have stale memory for filler, or end before fields that their version has."""
    same = [len(again) for data, again in map(encoded, FRAMES) if again == data]
    longer = {
        (frame["message"], frame["version"])
        for frame in FRAMES
        if len(encoded(frame)[0]) != len(encoded(frame)[1])
    }
    assert len(same) == 440
    assert longer == OF_ANOTHER_LENGTH.keys()
