"""Pages of real messages, every byte beside its name, as ``pa-telephony decode`` shows them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from pa_telephony.cli.capture import Frame
from pa_telephony.cli.hexdump import hexdump
from pa_telephony.cti import messages as cti_messages
from pa_telephony.sccp import messages as sccp_messages

VECTORS = Path(__file__).parent.parent / "tests" / "vectors"
# Lines of one message; tables of keys have hundreds.
MOST_LINES = 40
# Of CTI messages those that every session has, and those whose layout is the oddest.
CTI = (
    "ProviderInitRequest",
    "ProviderOpenRequest",
    "ProviderOpenCompletedEvent",
    "DeviceLineInfoEvent",
    "DeviceRegisterDeviceRequest",
    "LineOpenRequest",
    "NewCallEvent",
    "CallStateChangedEvent_V2",
    "CallRedirectRequest",
    "StartTransmissionEvent",
    "FailureResponse",
)


def sccp() -> str:
    """One captured frame of each message, from the newest session that has it."""
    vectors = json.loads((VECTORS / "sccp-frames.json").read_text())["frames"]
    newest: dict[str, dict[str, Any]] = {}
    for vector in vectors:
        if vector["version"] > newest.get(vector["message"], {"version": -1})["version"]:
            newest[vector["message"]] = vector
    parts = [
        "# SCCP: real messages",
        "One captured frame of each message, of the newest session version that was captured. "
        "Offsets count from the frame's first byte. *Filler* means nothing: real equipment leaves "
        "stale memory there, ours writes zeros.",
    ]
    for vector in sorted(newest.values(), key=number_of):
        data, version = bytes.fromhex(vector["hex"]), vector["version"]
        about = f"Session version {version}, {len(data)} bytes, {vector['capture']}."
        parts += [f"## {vector['message']}", about, shown("sccp", data, version)]
    return "\n\n".join(parts)


def number_of(vector: dict[str, Any]) -> int:
    return int.from_bytes(bytes.fromhex(vector["hex"])[8:12], "little")


def cti() -> str:
    """Some messages as the client wrote them, or took them from a server."""
    vectors = json.loads((VECTORS / "ctiqbe.json").read_text())["messages"]
    parts = [
        "# CTIQBE: real messages",
        "Some messages that Cisco's JTAPI client wrote, or took from a server of ours. An arrow "
        "says where the variable part of a field lies, counted from the message's first byte.",
    ]
    for name in CTI:
        vector = next(each for each in reversed(vectors) if each["message"] == name)
        data = bytes.fromhex(vector["hex"])
        way = "To the server" if vector["to_server"] else "From a server"
        about = f"{way}, client {vector['client']}, {len(data)} bytes."
        parts += [f"## {name.replace('_', '')}", about, shown("cti", data, 0)]
    return "\n\n".join(parts)


def shown(protocol: str, data: bytes, version: int) -> str:
    number = int.from_bytes(data[8:12], "little")
    if protocol == "sccp":
        frame = Frame(protocol, data, version, sccp_messages.decode(number, data[12:], version))
    else:
        frame = Frame(protocol, data, version, cti_messages.decode(data))
    return "\n".join(["```text", *shortened(hexdump(frame)), "```"])


def shortened(lines: Iterator[str]) -> Iterator[str]:
    found = [click.unstyle(line).rstrip() for line in lines]
    yield from found[:MOST_LINES]
    if len(found) > MOST_LINES:
        yield f"  … {len(found) - MOST_LINES} lines more"
