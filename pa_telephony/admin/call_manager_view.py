"""What is so at the call manager, what can be done there, and what its page makes of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pa_telephony.callmanager.control.requests import (
    Drop,
    MessageWaiting,
    Reset,
    Restart,
    SetForward,
)
from pa_telephony.callmanager.control.rows import About, Call, Device, Party, Picture

__all__ = ["FORWARDS", "MOST", "Deed", "DropQuestion", "Seen", "ask_drop", "done", "shown", "sound"]

Deed = Reset | Restart | MessageWaiting | SetForward | Drop
"""What a call manager can be asked to do."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is so at the call manager, or why it cannot be seen."""

    at: float
    """Unix time."""
    about: About = field(default_factory=About)
    picture: Picture = field(default_factory=Picture)
    why: str = ""
    """Why it is not reached, in a sentence; "" when it is."""


FORWARDS = {
    "all": "all calls",
    "busy": "while it is busy",
    "no_answer": "when nobody answers",
    "failure": "while nobody has it registered",
}
"""Which calls each kind of forward is for."""
MOST = 100
"""How many devices, and how many calls, the page has at once."""


@dataclass(frozen=True, kw_only=True)
class DropQuestion:
    """What is asked before a call is ended."""

    title: str
    words: str
    button: str


def shown(seen: Seen, find: str) -> dict[str, Any]:
    """What the page shows; devices are those of which ``find`` is a part of the name or a field."""
    picture = seen.picture
    devices = [each for each in picture.devices if _is_found(each, find)]
    # Those that need somebody come first, then those with calls.
    devices.sort(key=lambda each: (each.refusal is None, -each.calls))
    registered = sum(each.registered for each in picture.devices)
    counts = {
        "registered": f"{registered} of {len(picture.devices)} devices registered",
        "calls": _counted(len(picture.calls), "call"),
        "applications": _counted(len(picture.applications), "application"),
    }
    return {
        "about": seen.about,
        "why": seen.why[:1].upper() + seen.why[1:],
        "devices": devices[:MOST],
        "found": len(devices),
        "calls": [(call, call.parties) for call in picture.calls[:MOST]],
        "all_calls": len(picture.calls),
        "route_points": picture.route_points,
        "applications": picture.applications,
        "counters": [each for each in picture.counters if each.value],
        "warnings": [each.text for each in picture.warnings],
        "counts": counts,
        "summary": "; ".join(counts.values()) if not seen.why else "not reached",
    }


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _is_found(device: Device, find: str) -> bool:
    wanted = find.strip().casefold()
    fields: Iterable[str] = (
        device.name,
        device.kind,
        device.description,
        device.address,
        *device.registered_by,
        *(line.number for line in device.lines),
        *(line.name for line in device.lines),
    )
    return not wanted or any(wanted in each.casefold() for each in fields)


def sound(party: Party) -> str:
    """What is heard at a party, and where; with packets where the call manager sees them."""
    media = party.media
    if media is None:
        return ""
    words = f"{media.codec} {media.packet_ms} ms, {media.use}"
    if media.receives_at:
        words += f", at {media.receives_at}"
    if media.sends_to:
        words += f", to {media.sends_to}"
    if (counted := media.statistics) is not None:
        words += f": {counted.sent} sent, {counted.received} received, {counted.lost} lost"
        words += f", jitter {counted.jitter:.1f} ms"
    return words


def ask_drop(call: Call) -> DropQuestion:
    """The question whether to end a call."""
    parties = _names(call.parties)
    return DropQuestion(
        title="Drop a call",
        words=f"This ends call {call.id}, with everybody in it: {parties}.",
        button=f"End call {call.id}",
    )


def _names(parties: Sequence[Party]) -> str:
    names = [f"{each.number} {each.name}".strip() or each.device for each in parties]
    return " and ".join(dict.fromkeys(each for each in names if each)) or "nobody who is known"


def done(deed: Deed) -> str:
    """What has been done, in a sentence."""
    match deed:
        case Reset(device=device):
            words = f"{device} was told to start anew, as soon as it has no call."
        case Restart(device=device):
            words = f"{device} was told to register anew, as soon as it has no call."
        case MessageWaiting(line=line, on=on):
            words = f"Message waiting of {line} is {'on' if on else 'off'}."
        case SetForward(line=line, kind=kind, number=number):
            fate = f"is forwarded to {number}" if number else "is not forwarded any more"
            words = f"{line} {fate}: {FORWARDS[kind]}."
        case Drop(call=call):
            words = f"Call {call} has ended."
    return words
