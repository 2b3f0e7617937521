"""Real frames decode to what Wireshark's dissector says, field by field, and encode back."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pa_telephony.sccp import messages

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "sccp-frames.json").read_text())
FRAMES = VECTORS["frames"]

# What the dissector shows besides the fields: counts are tuple lengths here, the family word is
# part of an address, generated fields are not on the wire.
NOT_FIELDS = re.compile(
    r"ipv4or6|response_(in|to|time)|xmlData|.*[cC]ount|portCount|keylen|saltlen|dataLength|dataSize"
    r"|lineDataEntries|numberOfEntries"
    # Single bits of a word that is compared as a whole.
    r"|SoftKeyMask\..*|PhoneFeatures\..*|RestrictInformationType\..*|Generic\.Bitfield\..*"
    r"|OrigDialed|RedirDialed|CallingPartyNumber|CallingPartyName"
)


def snake(wire: str) -> str:
    """The rule that turns wire names into attribute names."""
    wire = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", wire)
    return re.sub(r"(?<=[A-Z])(?=[A-Z][a-z])", "_", wire).lower()


def values_of(declared: Any) -> Iterator[tuple[str, Any]]:
    """Every plain value in wire order, structs and tuples opened."""
    for field in dataclasses.fields(declared):
        value = getattr(declared, field.name)
        if field.name == "trailing":
            continue
        for each in value if isinstance(value, tuple) else (value,):
            if dataclasses.is_dataclass(each):
                yield from values_of(each)
            else:
                yield field.name, each


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


def identify(frame: dict[str, Any]) -> str:
    return f"{frame['message']}-v{frame['version']}"


@pytest.mark.parametrize("frame", FRAMES, ids=identify)
def test_a_captured_frame_decodes_as_the_dissector_says(frame: dict[str, Any]) -> None:
    data = bytes.fromhex(frame["hex"])
    message = messages.decode(int.from_bytes(data[8:12], "little"), data[12:], frame["version"])
    ours = list(values_of(message))
    disagree = []
    for wire, offset, show in frame["fields"]:
        if NOT_FIELDS.fullmatch(wire):
            continue
        name = snake(wire.removesuffix(".ipv4").removesuffix(".ipv6").replace(".", "_"))
        at = next(
            (n for n, (known, value) in enumerate(ours) if known == name and shown(value, show)),
            None,
        )
        if at is None:
            disagree.append((wire, offset, show, [v for known, v in ours if known == name]))
        else:
            del ours[at]
    assert not disagree


@pytest.mark.parametrize("frame", FRAMES, ids=identify)
def test_a_captured_frame_survives_decoding_and_encoding(frame: dict[str, Any]) -> None:
    data = bytes.fromhex(frame["hex"])
    number, version = int.from_bytes(data[8:12], "little"), frame["version"]
    message = messages.decode(number, data[12:], version)
    again = messages.encode(message, version, int.from_bytes(data[4:8], "little"))
    assert messages.decode(number, again[12:], version) == message


def test_most_captured_frames_encode_to_the_very_same_bytes() -> None:
    """The others differ in filler: stale memory of real phones, which we write as zeros."""
    same = 0
    for frame in FRAMES:
        data = bytes.fromhex(frame["hex"])
        number, version = int.from_bytes(data[8:12], "little"), frame["version"]
        message = messages.decode(number, data[12:], version)
        same += messages.encode(message, version, int.from_bytes(data[4:8], "little")) == data
    assert same >= 438
