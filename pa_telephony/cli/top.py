"""``pa-telephony top``: what a running call manager is doing, as it changes."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Sequence
from pathlib import Path

import click
import trio
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pa_telephony.callmanager import Control
from pa_telephony.callmanager.control.rows import (
    About,
    Application,
    Call,
    Counter,
    Device,
    Media,
    Party,
    Picture,
    RoutePoint,
)
from pa_telephony.cli.cm import control_option, run_at
from pa_telephony.printable import printable, printable_reason

__all__ = ["page", "top"]

_TITLES = 18
"""Lines of a terminal that are no rows of tables: titles, heads, gaps, counters, warnings."""


@click.command(short_help="What a running call manager is doing, live.")
@control_option
@click.option(
    "--every",
    type=click.FloatRange(0.2, 3600),
    default=1.0,
    show_default=True,
    help="Look every so many seconds.",
)
@click.option("--json", "as_json", is_flag=True, help="One picture for programs.")
def top(control: Path | None, every: float, as_json: bool) -> None:
    """Show the calls, route points, applications, devices and counters of a call manager.

    It follows them until Ctrl-C; where output is no terminal it prints them once.
    """
    console = Console()
    follow = console.is_terminal and not as_json

    async def show(opened: Control) -> None:
        if follow:
            await _follow(opened, console, every)
            return
        async with opened.watch(every=every) as pictures:
            picture = await anext(pictures)
        if as_json:
            found = {"about": opened.about, **_topics(picture)}
            click.echo(json.dumps(found, default=_plain, indent=1))
        else:
            console.print(page(opened.about, picture, time.time()))

    run_at(control, show)


async def _follow(control: Control, console: Console, every: float) -> None:
    async with control.watch(every=every) as pictures:
        picture = await anext(pictures)
        with Live(console=console, auto_refresh=False, screen=True) as live:
            while True:
                shown = page(control.about, picture, time.time(), console.height - _TITLES)
                live.update(shown, refresh=True)
                # Also without news: it says for how long things are so.
                with trio.move_on_after(max(every, 1.0)):
                    picture = await anext(pictures)


def _topics(picture: Picture) -> dict[str, object]:
    return {each.name: getattr(picture, each.name) for each in dataclasses.fields(picture)}


def _plain(row: object) -> object:
    assert dataclasses.is_dataclass(row)
    assert not isinstance(row, type)
    return dataclasses.asdict(row)


def page(about: About, picture: Picture, now: float, rows: int | None = None) -> RenderableType:
    """All tables; ``now`` is seconds since the epoch.

    With ``rows`` they have so many together, or few more: a quarter at most for each of calls,
    route points and applications, and what is left for devices, those with calls first.
    """
    applications = f", applications {about.cti}" if about.cti else ""
    head = f"call manager {about.sccp}{applications}, process {about.process}"
    busy = sorted(picture.devices, key=lambda each: (-each.calls, not each.registered))
    registered = sum(each.registered for each in picture.devices)
    counted = [each for each in picture.counters if each.value]
    most = left = None
    if rows is not None:
        most = max(2, rows // 4)
        taken = sum(len(each.parties) for each in picture.calls[:most])
        taken += len(picture.route_points[:most]) + len(picture.applications[:most])
        left = max(3, rows - taken)
    return Group(
        Text(printable_reason(f"{head}, {_for(about.since, now)}"), "bold"),
        _calls(picture.calls, now, most),
        _route_points(picture.route_points, most),
        _applications(picture.applications, now, most),
        _devices(busy, f"{registered} of {len(busy)} devices registered", now, left),
        _counters(counted),
        *(Text(printable_reason(each.text), "yellow") for each in picture.warnings[:most]),
    )


def _table(title: str, columns: Sequence[str], shown: int, there: int) -> Table:
    more = f" (the first {shown} of {there})" if shown < there else ""
    table = Table(
        title=Text(f"\n{title}{more}", "bold"),
        title_justify="left",
        box=None,
        padding=(0, 3, 0, 0),
        header_style="dim",
    )
    for each in columns:
        table.add_column(each)
    return table


def _calls(calls: Sequence[Call], now: float, most: int | None) -> Table:
    columns = ("call", "party", "device", "state", "for", "with", "sound")
    shown = calls[:most]
    words = "call" if len(calls) == 1 else "calls"
    table = _table(f"{len(calls)} {words}", columns, len(shown), len(calls))
    for call in shown:
        for at, party in enumerate(call.parties):
            name = f" {party.name}" if party.name else ""
            table.add_row(
                str(call.id) if at == 0 else "",
                printable(party.number + name),
                printable(party.device),
                _state(party),
                _for(party.since, now),
                printable(party.other),
                _sound(party.media),
            )
    return table


def _state(party: Party) -> str:
    state = f"{party.state}: {party.cause}" if party.cause else party.state
    return f"{state} at {printable(party.parked_at)}" if party.parked_at else state


def _sound(media: Media | None) -> str:
    if media is None:
        return ""
    words = f"{media.codec} {media.use}"
    if (counted := media.statistics) is not None:
        words += f", {counted.sent} sent, {counted.received} received, {counted.lost} lost"
    elif media.receives_at:
        words += f" at {media.receives_at}"
    return words


def _route_points(points: Sequence[RoutePoint], most: int | None) -> Table:
    shown = points[:most]
    columns = ("number", "device", "registered by", "otherwise", "calls")
    table = _table("route points", columns, len(shown), len(points))
    for each in shown:
        by = [f"{user} {at}" for user, at in zip(each.registered_by, each.addresses, strict=False)]
        nobody = Text("nobody", "red" if not each.forward_failure else "yellow")
        where = f" in {each.partition}" if each.partition else ""
        table.add_row(
            printable(each.number + where),
            printable(each.device),
            Text(printable(", ".join(by)), "green") if by else nobody,
            f"to {printable(each.forward_failure)}" if each.forward_failure else "turned away",
            str(each.calls or ""),
        )
    return table


def _applications(applications: Sequence[Application], now: float, most: int | None) -> Table:
    shown = applications[:most]
    columns = ("user", "address", "for", "devices", "lines")
    table = _table("applications", columns, len(shown), len(applications))
    for each in shown:
        table.add_row(
            printable(each.user),
            printable(each.address),
            _for(each.since, now),
            printable(", ".join(each.devices)),
            str(each.lines),
        )
    return table


def _devices(devices: Sequence[Device], title: str, now: float, most: int | None) -> Table:
    shown = devices[:most]
    columns = ("device", "kind", "lines", "registered from", "for", "calls", "notes")
    table = _table(title, columns, len(shown), len(devices))
    for each in shown:
        by = f" by {', '.join(each.registered_by)}" if each.registered_by else ""
        where = Text(printable(each.address + by), "green") if each.registered else Text("")
        table.add_row(
            printable(each.name),
            printable(each.kind),
            printable(", ".join(line.number for line in each.lines)),
            where,
            _for(each.since, now),
            str(each.calls or ""),
            printable_reason(_notes(each)),
        )
    return table


def _notes(device: Device) -> str:
    notes: list[str] = []
    for line in device.lines:
        # A route point's forwards are its configuration; who forwards a phone has done so.
        if "all" in line.forwards:
            notes.append(f"{line.number} to {line.forwards['all']}")
        if line.message_waiting:
            notes.append(f"{line.number} message waiting")
    if device.refusal is not None:
        by = f" from {device.refusal.address}" if device.refusal.address else ""
        at = time.strftime("%H:%M:%S", time.localtime(device.refusal.at))
        notes.append(f"refused {at}{by}: {device.refusal.reason}")
    return "; ".join(notes)


def _counters(counters: Sequence[Counter]) -> Text:
    words = "  ".join(f"{each.name} {each.value:,}" for each in counters)
    return Text(f"\n{printable_reason(words)}")


def _for(since: float | None, now: float) -> str:
    """For how long something is so: "0:42", "1:02:03", "3 d 4 h"."""
    if since is None:
        return ""
    seconds = max(0, int(now - since))
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 24:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
