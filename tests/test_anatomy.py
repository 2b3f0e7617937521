"""Every byte of a frame is named once, and the values are those of the codecs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from pa_telephony.cti import messages as cti
from pa_telephony.sccp import messages as sccp
from pa_telephony.testing import cti_strategies, strategies
from pa_telephony.wire.anatomy import Part, PartKind
from pa_telephony.wire.declaration import fields_of

VECTORS = Path(__file__).parent / "vectors"
SCCP_FRAMES = json.loads((VECTORS / "sccp-frames.json").read_text())["frames"]
CTI_FRAMES = json.loads((VECTORS / "ctiqbe.json").read_text())["messages"]


def told_once(parts: list[Part], frame: bytes) -> None:
    at = 0
    for part in parts:
        assert part.offset == at, part
        assert part.data == frame[at : part.end]
        at = part.end
    assert at == len(frame)


def values(parts: list[Part]) -> dict[str, Any]:
    return {part.path: part.value for part in parts if part.kind is PartKind.FIELD}


def at_path(message: Any, path: str) -> Any:
    """The value that a path such as ``caps[2].name`` leads to."""
    for step in path.replace("[", ".[").split("."):
        message = message[int(step[1:-1])] if step[0] == "[" else getattr(message, step)
    return message


@pytest.mark.parametrize("vector", SCCP_FRAMES, ids=lambda v: f"{v['message']}-v{v['version']}")
def test_each_byte_of_a_captured_sccp_frame_is_told_once(vector: dict[str, Any]) -> None:
    frame, version = bytes.fromhex(vector["hex"]), vector["version"]
    parts = sccp.parts_of(frame, version)
    told_once(parts, frame)
    assert PartKind.UNREADABLE not in {part.kind for part in parts}
    message = sccp.decode(int.from_bytes(frame[8:12], "little"), frame[12:], version)
    found = values(parts)
    for path, value in found.items():
        assert at_path(message, path) == value, path
    told = {path.partition(".")[0].partition("[")[0] for path in found}
    for field in fields_of(type(message)):  # type: ignore[arg-type]
        if field.name not in told:
            assert getattr(message, field.name) in (field.default, ()), field.name


@pytest.mark.parametrize("vector", CTI_FRAMES, ids=lambda v: f"{v['message']}-{v['client']}")
def test_each_byte_of_a_captured_cti_message_is_told_once(vector: dict[str, Any]) -> None:
    frame = bytes.fromhex(vector["hex"])
    parts = cti.parts_of(frame)
    told_once(parts, frame)
    assert PartKind.UNREADABLE not in {part.kind for part in parts}
    message = cti.decode(frame)
    for path, value in values(parts).items():
        assert at_path(message, path) == value, path


def test_filler_behind_a_text_is_no_part_of_it() -> None:
    frame = sccp.encode(sccp.RegisterReq(device_name="SEP001122334455"), 17)
    device = [part for part in sccp.parts_of(frame, 17) if part.path == "device_name"]
    assert [part.kind for part in device] == [PartKind.FIELD]
    assert device[0].data == b"SEP001122334455\0"
    short = sccp.encode(sccp.RegisterReq(device_name="ANN"), 17)
    device = [part for part in sccp.parts_of(short, 17) if part.path == "device_name"]
    assert [(part.kind, len(part.data)) for part in device] == [
        (PartKind.FIELD, 4),
        (PartKind.FILLER, 12),
    ]


def test_what_comes_behind_the_last_field_is_trailing() -> None:
    frame = sccp.encode(sccp.OnHook(trailing=b"later news"), 17)
    last = sccp.parts_of(frame, 17)[-1]
    assert (last.kind, last.data) == (PartKind.TRAILING, b"later news\0\0")


def test_an_unknown_message_is_trailing_behind_its_header() -> None:
    frame = sccp.encode(sccp.UnknownMessage(id=0x7777, body=b"1234"), 17)
    assert [part.kind for part in sccp.parts_of(frame, 17)][2:] == [
        PartKind.HEADER,
        PartKind.TRAILING,
    ]


def test_a_frame_that_ends_inside_a_field_is_read_up_to_there() -> None:
    whole = sccp.encode(sccp.RegisterReq(device_name="SEP001122334455"), 17)
    parts = sccp.parts_of(whole[: 12 + 18], 17)
    assert [part.path for part in parts if part.kind is PartKind.FIELD] == ["device_name"]
    assert parts[-1].kind is PartKind.UNREADABLE


@given(data=st.data(), cut=st.integers(0, 400))
def test_no_bytes_are_too_strange_to_be_told(data: Any, cut: int) -> None:
    message, version = data.draw(strategies.sccp_messages())
    frame = bytearray(sccp.encode(message, version)[: max(cut, 1)])
    for _ in range(data.draw(st.integers(0, 3))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    told_once(sccp.parts_of(bytes(frame), version), bytes(frame))


@given(data=st.data())
def test_no_cti_message_is_too_strange_to_be_told(data: Any) -> None:
    frame = bytearray(cti.encode(data.draw(cti_strategies.cti_messages()), to_server=True))
    for _ in range(data.draw(st.integers(0, 3))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    parts = cti.parts_of(bytes(frame))
    assert {at for part in parts for at in range(part.offset, part.end)} == set(range(len(frame)))
