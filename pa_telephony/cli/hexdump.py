"""The annotated hexdump: every byte of a frame beside what the declarations say of it."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any, TypeGuard

import click

from pa_telephony.cli.capture import Frame
from pa_telephony.cti import messages as cti_messages
from pa_telephony.sccp import messages as sccp_messages
from pa_telephony.wire.anatomy import Part, PartKind
from pa_telephony.wire.offset.types import Handle

__all__ = ["hexdump", "is_tuple", "parts_of", "shown", "told"]

_ROW = 8
_NAME_WIDTH = 44


def parts_of(frame: Frame) -> list[Part]:
    """The parts of a frame: what each of its bytes is."""
    if frame.protocol == "cti":
        return cti_messages.parts_of(frame.data)
    return sccp_messages.parts_of(frame.data, frame.version)


def is_tuple(value: object) -> TypeGuard[tuple[Any, ...]]:
    """Whether a value is an array (of unknown things, for the type checkers)."""
    return isinstance(value, tuple)


def shown(value: Any) -> str:
    """A value as people read it: ``RING_IN (4)``, ``'1001'``, ``de ad be ef``, flags by name."""
    if isinstance(value, enum.IntFlag):
        return f"{int(value):#x} {value.name or ''}".rstrip()
    if isinstance(value, enum.IntEnum):
        return f"{value.name} ({int(value)})"
    if isinstance(value, Handle):
        return f"{value.call_manager_id}/{value.call_leg_id}"
    if is_tuple(value):
        return "[" + ", ".join(shown(item) for item in value) + "]"
    if isinstance(value, bytes):
        return f"{len(value)} bytes" if len(value) > _ROW else value.hex(" ")
    return repr(value)


def told(part: Part, frame: Frame) -> tuple[str, str]:
    """The name and the value of a part in words."""
    match part.kind:
        case PartKind.HEADER:
            if part.path == "message_id" or (part.path == "type" and frame.protocol == "cti"):
                return part.path, f"{frame.name} (0x{part.value:04x})"
            return part.path, f"0x{part.value:08x}" if part.value > 0xFFFF else str(part.value)
        case PartKind.COUNT:
            return f"{part.path} count", str(part.value)
        case PartKind.POINTER:
            where, length = part.value
            return part.path, f"→ {where:04x}, {length} bytes"
        case PartKind.FIELD:
            return part.path, shown(part.value)
        case PartKind.FILLER:
            return part.path, "filler"
        case PartKind.TRAILING:
            return part.path, f"trailing, {len(part.data)} bytes"
        case PartKind.UNREADABLE:
            return part.path, "unreadable"


_COLOURS: dict[PartKind, dict[str, Any]] = {
    PartKind.HEADER: {"dim": True},
    PartKind.FILLER: {"dim": True},
    PartKind.POINTER: {"fg": "blue"},
    PartKind.COUNT: {"fg": "blue"},
    PartKind.TRAILING: {"fg": "yellow"},
    PartKind.UNREADABLE: {"fg": "red"},
}


def hexdump(frame: Frame, *, everything: bool = False) -> Iterator[str]:
    """Lines of offset, bytes, name and value; long filler is cut short unless ``everything``."""
    parts = parts_of(frame)
    lines = [(part, *told(part, frame)) for part in parts]
    width = min(max((len(name) for _, name, _ in lines), default=0), _NAME_WIDTH)
    for part, name, value in lines:
        rows = [part.data[at : at + _ROW] for at in range(0, len(part.data), _ROW)]
        left = 0
        if part.kind is PartKind.FILLER and len(rows) > 1 and not everything:
            left = len(part.data) - len(rows[0])
            rows = rows[:1]
        colour = _COLOURS.get(part.kind, {})
        for number, row in enumerate(rows):
            octets = click.style(f"{row.hex(' '):<{3 * _ROW - 1}}", **colour)
            line = f"  {part.offset + number * _ROW:04x}  {octets}"
            if number == 0:
                note = f", {left} bytes more" if left else ""
                line += f"  {name:<{width}}  {click.style(value + note, **colour)}"
            yield line.rstrip()
