"""The phone's display: its registration, the calls, notices, and the keys that do something."""

from __future__ import annotations

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from pa_telephony.cli.phone.handset import Handset, Line
from pa_telephony.cli.phone.keys import Deed, Typing, usable
from pa_telephony.printable import printable_reason
from pa_telephony.sccp.enums import DCallState

__all__ = ["display"]

_STYLES = {
    DCallState.CONNECTED: "green",
    DCallState.RING_IN: "bold yellow",
    DCallState.CALL_WAITING: "bold yellow",
    DCallState.HOLD: "cyan",
    DCallState.BUSY: "red",
    DCallState.CONGESTION: "red",
    DCallState.INVALID_NUMBER: "red",
}
_PROMPTS = {
    Deed.CALL: "call",
    Deed.TRANSFER: "transfer to",
    Deed.CONSULT: "ask first",
    Deed.CONFERENCE: "conference with",
}
_KEY_NAMES = {"enter": "⏎"}


def display(handset: Handset, typing: Typing | None, now: float) -> Panel:
    """The whole display as one panel; ``now`` is trio's time."""
    parts: list[RenderableType] = [_registration(handset), Text()]
    parts += [_calls(handset, now)] if handset.lines else [Text("  no calls", style="dim")]
    parts += [Text(), *(Text(f"  {text}", style="dim") for text in handset.notices), Text()]
    parts.append(_foot(handset, typing))
    title = Text(handset.number, style="bold")
    return Panel(Group(*parts), title=title, title_align="left", padding=(1, 2))


def _registration(handset: Handset) -> Text:
    station = handset.station
    if station.registered:
        host, port = station.call_manager
        return Text.assemble(
            ("● ", "green"),
            f"{station.name} at {host}:{port}, version {station.version}",
            ("   ✉ message waiting" if station.message_waiting else "", "bold yellow"),
        )
    why = printable_reason(station.last_error)
    return Text.assemble(("● ", "red"), f"{station.name} is not registered: {why}")


def _calls(handset: Handset, now: float) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for title in ("", "", "with", "state", "time", "sound"):
        table.add_column(title)
    for line in handset.lines:
        chosen = line is handset.selected
        style = _STYLES.get(line.call.state, "")
        table.add_row(
            "▸" if chosen else " ",
            "←" if line.call.incoming else "→",
            Text(line.other, style="bold" if chosen else ""),
            Text(line.state, style=style),
            _time(line, now),
            _sound(line),
        )
    return table


def _time(line: Line, now: float) -> str:
    if line.connected_at is None:
        return ""
    minutes, seconds = divmod(int(now - line.connected_at), 60)
    return f"{minutes}:{seconds:02}"


def _sound(line: Line) -> Text:
    sound = line.sound
    if sound is None:
        return Text()
    lost = Text(f", {sound.lost} lost", style="red" if sound.lost else "")
    return Text(f"{sound.received} heard, {sound.sent} said").append_text(lost)


def _foot(handset: Handset, typing: Typing | None) -> RenderableType:
    if typing is not None:
        return Text.assemble(
            (f"{_PROMPTS[typing.deed]} ", "bold"),
            typing.number,
            ("_", "blink"),
            ("   ⏎ go  esc never mind", "dim"),
        )
    line = handset.selected
    state = line.call.state if line else None
    keys: dict[Deed, str] = {}
    for key, deed in usable(state, line is not None and line.consultation).items():
        name = _KEY_NAMES.get(key, key)
        keys[deed] = f"{keys[deed]}/{name}" if deed in keys else name
    shown: list[tuple[str, str]] = []
    if state is DCallState.CONNECTED:
        shown.append(("0-9*#", "digits"))
    elif state is None:
        shown.append(("0-9", "call"))
        del keys[Deed.CALL]
    shown += [(key, _NAMES.get(deed, deed.value)) for deed, key in keys.items()]
    if len(handset.lines) > 1:
        shown.append(("↑↓", "select"))
    pieces = [Text.assemble((f"{key} ", "bold"), name) for key, name in shown]
    return Columns(pieces, padding=(0, 2))


_NAMES = {Deed.CALL: "new call"}
