"""What Cisco's JTAPI client wrote and accepted: decoded to its fields, encoded to its bytes."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest

from pa_telephony.cti import messages

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "ctiqbe.json").read_text())
ALL = VECTORS["messages"]
TO_SERVER = [each for each in ALL if each["to_server"]]


def snake(wire: str) -> str:
    """The rule that turns wire names into attribute names."""
    wire = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", wire)
    wire = re.sub(r"(?<=[A-Z])(?=[A-Z][a-z])", "_", wire)
    return re.sub("_+", "_", wire).strip("_").lower()


def wrong(ours: Any, given: Any, path: str = "") -> list[str]:
    """Where a decoded value is not the one that the vector gives."""
    if given is None:
        return [] if not ours else [f"{path}: {ours!r} is not empty"]
    if isinstance(given, dict):
        named = {snake(name): value for name, value in given.items()}
        known = {f.name.rstrip("_"): getattr(ours, f.name) for f in dataclasses.fields(ours)}
        missing = [f"{path}.{name}: unknown" for name in named if name not in known]
        return missing + [
            problem
            for name, value in named.items()
            if name in known
            for problem in wrong(known[name], value, f"{path}.{name}")
        ]
    if isinstance(given, list):
        if len(ours) != len(given):
            return [f"{path}: {len(ours)} elements, not {len(given)}"]
        return [
            problem
            for number, (one, two) in enumerate(zip(ours, given, strict=True))
            for problem in wrong(one, two, f"{path}[{number}]")
        ]
    if isinstance(given, str) and given.startswith("hex:"):
        given = bytes.fromhex(given[4:])
    return [] if ours == given else [f"{path}: {ours!r}, not {given!r}"]


def identify(vector: dict[str, Any]) -> str:
    return f"{vector['message']}-{vector['client']}"


@pytest.mark.parametrize("vector", ALL, ids=identify)
def test_a_message_decodes_to_the_fields_that_were_seen(vector: dict[str, Any]) -> None:
    message = messages.decode(bytes.fromhex(vector["hex"]))
    assert type(message).__name__ == vector["message"].replace("_", "")
    assert wrong(message, vector["fields"]) == []


@pytest.mark.parametrize("vector", TO_SERVER, ids=identify)
def test_a_message_of_the_client_encodes_to_the_same_bytes(vector: dict[str, Any]) -> None:
    frame = bytes.fromhex(vector["hex"])
    message = messages.decode(frame)
    if isinstance(message, messages.CallPlayDtmfRequest):
        # The client states 16 bytes for each digit and leaves 12 of them undefined; ours are 0.
        filler = len(frame) - 12 * len(message.dtmf_digits)
        frame = frame[:filler].ljust(len(frame), b"\0")
    version = int.from_bytes(frame[12:16], "little")
    assert messages.encode(message, to_server=True, version=version) == frame


@pytest.mark.parametrize("vector", ALL, ids=identify)
def test_a_message_survives_our_own_server_and_client(vector: dict[str, Any]) -> None:
    message = messages.decode(bytes.fromhex(vector["hex"]))
    for to_server in (True, False):
        assert messages.decode(messages.encode(message, to_server=to_server)) == message
