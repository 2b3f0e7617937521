"""Captured sessions of real equipment: who said what, message by message.

They are made of the frames in ``tests/vectors/sccp-frames.json``. Of a call that comes in no
frames are here: ``sccp-noted.json`` has what is noted of each message, and only that is
:attr:`Said.known`. What is not a message (somebody calls, hangs up) is a :class:`Deed`.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pa_telephony.sccp import messages
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.messages.codec import HEADER
from pa_telephony.wire.declaration import fields_of
from pa_telephony.wire.sequential.types import CString

__all__ = ["SESSIONS", "Deed", "Said", "read", "session"]

VECTORS = Path(__file__).parents[1] / "vectors"
FRAMES = json.loads((VECTORS / "sccp-frames.json").read_text())["frames"]
SESSIONS: dict[str, dict[str, Any]] = {
    **json.loads((VECTORS / "sccp-sessions.json").read_text())["sessions"],
    **json.loads((VECTORS / "sccp-noted.json").read_text())["sessions"],
}
"""All sessions by name, each with its capture and its session version."""


@dataclass(frozen=True)
class Said:
    """One message of a session.

    ``length`` is the data length of its frame, None where that is not known, and ``known`` are the
    fields whose values are.
    """

    by_station: bool
    message: SccpMessage
    frame: bytes
    length: int | None
    known: frozenset[str]


@dataclass(frozen=True)
class Deed:
    """What somebody does in a session that no message of this station says."""

    what: str
    number: str = ""


def session(name: str) -> Iterator[Said | Deed]:
    """A session from its beginning to its end."""
    entry = SESSIONS[name]
    version: int = entry["version"]
    for who, what, fields in entry.get("said", ()):
        if who == "!":
            yield Deed(what, **fields)
        else:
            yield _noted(who == ">", what, fields, version)
    for each in entry.get("frames", "").split():
        frame = bytes.fromhex(FRAMES[int(each[1:])]["hex"])
        yield _said(each[0] == ">", frame, version)


def read(data: bytes, version: int, *, by_station: bool) -> list[Said]:
    """The messages in what one of our sides has sent."""
    found: list[Said] = []
    start = 0
    while start < len(data):
        end = start + 8 + int.from_bytes(data[start : start + 4], "little")
        found.append(_said(by_station, data[start:end], version))
        start = end
    return found


def _said(by_station: bool, frame: bytes, version: int) -> Said:
    number = int.from_bytes(frame[8:12], "little")
    message = messages.decode(number, frame[HEADER.size :], version)
    assert isinstance(message, SccpMessage)
    known = frozenset(each.name for each in dataclasses.fields(message)) - {"trailing"}
    return Said(by_station, message, frame, int.from_bytes(frame[:4], "little"), known)


def _noted(by_station: bool, kind: str, fields: dict[str, Any], version: int) -> Said:
    declaration: Any = getattr(messages, kind)
    types = typing.get_type_hints(declaration)
    values = {
        name: types[name][value]
        if isinstance(value, str) and issubclass(types[name], enum.Enum)
        else value
        for name, value in fields.items()
    }
    unknown = {
        each.name: 0
        for each in dataclasses.fields(declaration)
        if each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
    }
    message: SccpMessage = declaration(**unknown | values)
    lengths = {
        len(each["hex"]) // 2 - 8
        for each in FRAMES
        if (each["message"], each["version"]) == (kind, version)
    }
    # A message without packed texts is as long as every captured one of its kind.
    packed = any(isinstance(field.type, CString) for field in fields_of(declaration))
    length = None if packed or len(lengths) != 1 else lengths.pop()
    return Said(by_station, message, messages.encode(message, version), length, frozenset(fields))
