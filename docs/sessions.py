"""The page of captured sessions: real equipment beside ours, message by message.

It is made of the same rows, and the same reasons, as ``tests/sccp/test_replay.py`` checks.
"""

from __future__ import annotations

import enum
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tables import table

from pa_telephony.sccp.phrases import english

if TYPE_CHECKING:
    from captured import Said
    from replayed import Row

TESTS = Path(__file__).parent.parent / "tests"

TELLING = {
    "CallInfoV2": ("call_type", "call_security_status"),
    "CallState": ("call_state",),
    "DialedNumber": ("dialed_number",),
    "DisplayPriNotifyV2": ("notify",),
    "DisplayPromptStatus": ("prompt_status",),
    "DisplayPromptStatusV2": ("prompt_status",),
    "ForwardStatReq": ("line_number",),
    "KeypadButton": ("kp_button",),
    "LineStatReq": ("line_number",),
    "LineStatRes": ("line_number", "line_dir_number"),
    "LineStatV2Res": ("line_number", "line_dir_number"),
    "MediaPathCapability": ("media_path_id", "media_path_capabilities"),
    "MediaPathEvent": ("media_path_id", "media_path_event"),
    "OpenReceiveChannel": ("compression_type",),
    "RegisterAck": ("max_protocol_ver",),
    "RegisterReq": ("device_type", "protocol_ver"),
    "SelectSoftKeys": ("soft_key_set_index",),
    "SetLamp": ("stimulus", "lamp_mode"),
    "SetRinger": ("ring_mode",),
    "SetSpeakerMode": ("speaker_mode",),
    "SoftKeyEvent": ("soft_key_event",),
    "SpeedDialStatReq": ("speed_dial_number",),
    "StartMediaTransmission": ("compression_type",),
    "StartTone": ("tone",),
}
"""The fields by which a reader knows which of several messages of a kind this is."""
LONGEST_VALUE = 40


def sessions() -> str:
    """All captured sessions; those that everybody asks about come first."""
    replay, replayed, captured = _replay()
    parts = [
        "# SCCP: captured sessions, played again",
        "Our station is fed what the real call manager said, and our call manager what the real "
        "station said; `tests/sccp/test_replay.py` compares what they send with what the real one "
        "sent: which messages, in which order, how long each is, and every field. What differs "
        "stands here with its reason; the test fails for another difference, and for one that is "
        "no longer there. `>` is from the station, `<` from the call manager; numbers in brackets "
        "are data lengths. Numbers of calls and streams are each call manager's own, and only "
        "have to mean the same throughout.",
        "The order of frames that share a packet is not known from a capture.",
    ]
    titles = {name: f"{title}: {name}" for title, name in replay.SCENES.items()}
    others = {name: name for name in captured.SESSIONS if name not in titles}
    for name, title in (titles | others).items():
        entry = captured.SESSIONS[name]
        parts += [f"## {title}", f"{entry['capture']}, session version {entry['version']}."]
        if name in replay.RELAYS:
            parts.append("Our call manager directs no media resources: it registers them.")
        parts.append(_session(name, replay, replayed))
    return "\n\n".join(parts)


def _replay() -> tuple[ModuleType, ModuleType, ModuleType]:
    stage = str(TESTS / "stage")
    if stage not in sys.path:
        sys.path.append(stage)
    spec = importlib.util.spec_from_file_location("test_replay", TESTS / "sccp/test_replay.py")
    assert spec is not None
    assert spec.loader is not None
    replay = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(replay)
    return replay, sys.modules["replayed"], sys.modules["captured"]


def _session(name: str, replay: ModuleType, replayed: ModuleType) -> str:
    station = replayed.Station(name)
    of_station: Iterator[Row] = iter(station.play())
    directs = name not in replay.RELAYS
    of_manager: Iterator[Row] = iter(replayed.Manager(name).play() if directs else ())
    reasons: dict[str, str] = dict(replay.STATION_DIFFERENCES[name])
    reasons |= replay.MANAGER_DIFFERENCES.get(name, {})
    rows: list[tuple[str, str, str, str]] = []
    for each in station.script:
        if isinstance(each, replayed.Deed):
            rows.append(("", f"*{each.what}*", "", ""))
        elif not each.by_station and not directs:
            rows.append(("<", _text(each), "", ""))
        else:
            for row in of_station if each.by_station else of_manager:
                rows.append(_row(row, reasons))
                # What ours alone says comes before what both say next.
                if row.real is not None:
                    break
    rows += [_row(row, reasons) for side in (of_station, of_manager) for row in side]
    return table(("", "real", "ours", "what differs, and why"), rows)


def _row(row: Row, reasons: dict[str, str]) -> tuple[str, str, str, str]:
    said = row.real or row.ours
    assert said is not None
    real, ours = _text(row.real), _text(row.ours)
    if not row.differs:
        ours = "the same"
    return (">" if said.by_station else "<", real, ours, "; ".join(_why(row, reasons)))


def _why(row: Row, reasons: dict[str, str]) -> Iterator[str]:
    """What differs, differences of one reason together."""
    by_reason: dict[str, list[str]] = {}
    for key in row.differs:
        by_reason.setdefault(reasons[key], []).append(_difference(key, row))
    for reason, what in by_reason.items():
        yield f"{', '.join(what)}: {reason}" if any(what) else reason


def _difference(key: str, row: Row) -> str:
    if key[0] in "-+":
        return ""
    if key[0] == "~":
        return "at another place"
    _, _, field = key.partition(".")
    if field == "length" or row.real is None or row.ours is None:
        return field
    values = [_value(getattr(each.message, field), field) for each in (row.real, row.ours)]
    if max(map(len, values)) > LONGEST_VALUE:
        return f"`{field}`"
    return f"`{field}` ({values[0] or 'empty'} there, {values[1] or 'empty'} here)"


def _text(said: Said | None) -> str:
    if said is None:
        return "-"
    kind = type(said.message).__name__
    values = [_value(getattr(said.message, name), name) for name in TELLING.get(kind, ())]
    length = "" if said.length is None else f" ({said.length})"
    return " ".join([kind, *(each for each in values if each)]) + length


def _value(value: Any, name: str) -> str:
    if isinstance(value, str):
        return _escaped(english(value))
    if isinstance(value, enum.Enum):
        return _escaped(value.name or str(value.value))
    if isinstance(value, int) and name.endswith("mask"):
        return f"{value:08x}"
    return _escaped(str(value))


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
