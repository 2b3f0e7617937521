"""``pa-telephony status``: the Server Status page as a table, and what is wrong, in words."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import trio
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pa_telephony import failover
from pa_telephony.cli.where import the_cluster, where_options
from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.failover import (
    Episode,
    EpisodeKind,
    Kind,
    ResourceStatus,
    ServerStatus,
    Severity,
    worst,
)
from pa_telephony.failover.plain import KINDS, plain_episode, plain_status
from pa_telephony.failover.services import services
from pa_telephony.failover.status import seconds
from pa_telephony.failover.stored import current
from pa_telephony.failover.stores import open_view
from pa_telephony.printable import printable_lines, printable_reason

__all__ = ["changes", "page", "past_page", "status"]

_UNKNOWN = 3
_VERDICTS = {
    Severity.NORMAL: ("green", "every number is served, every server is well"),
    Severity.WARNING: ("yellow", "every number is served, but not all is well"),
    Severity.DOWN: ("red", "not every number is served as it should be"),
}


@click.command(short_help="The Server Status page as a table.")
@where_options
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--history", "past", is_flag=True, help="The last takeovers, returns and fences.")
@click.option("--watch", is_flag=True, help="Follow it; where output is no terminal, its changes.")
def status(file: Path | None, store: str | None, as_json: bool, past: bool, watch: bool) -> None:
    """Who is up, who stands in, what is served by whom, and why something is not.

    The exit status is that of a monitoring plug-in: 0 all is normal; 1 every number is served but
    something is wrong (a server is down, a return runs, nobody could stand in); 2 a number is not
    served, or held by two servers; 3 the cluster could not be read.
    """
    if watch and (as_json or past):
        raise click.UsageError("--watch goes with no other option")
    try:
        cluster = the_cluster(file, store)
        if watch:
            trio.run(_watch, cluster)
            return
        if past:
            _print_history(trio.run(failover.read_history, cluster), as_json)
            return
        pages = trio.run(failover.read_status, cluster)
        reports = trio.run(failover.read_agents, cluster)
        rows = services(trio.run(_present, cluster))
        roll = trio.run(failover.read_rolling, cluster)
    except (ConfigurationError, ConnectionLost) as error:
        click.echo(f"Error: {printable_lines(str(error))}", err=True)
        sys.exit(_UNKNOWN)
    if as_json:
        click.echo(json.dumps(plain_status(pages, reports, rows), indent=1))
    else:
        Console().print(page(pages))
        for row in rows:
            click.echo(printable_reason(f"{row.group.value} {row.name}: {row.state.value}"))
        for report in reports:
            click.echo(printable_reason(_agent(report)))
        if roll is not None and (roll.goes_on or roll.alarm is not None):
            click.echo(printable_reason(f"rolling restart: {roll}"))
    sys.exit(worst(pages))


async def _present(cluster: failover.Cluster) -> failover.Cluster:
    """The configuration that the store has."""
    return current(cluster, await open_view(cluster).snapshot())


def _agent(report: failover.AgentReport) -> str:
    servers = ", ".join(f"{name} {each}" for name, each in report.servers.items())
    said = f"agent of {report.machine}: {servers or 'no servers'}; {report.health}"
    silent = report.silence(time.time())
    return f"{said}; {silent}" if silent else said


def _print_history(episodes: Sequence[Episode], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([plain_episode(each) for each in episodes], indent=1))
    elif not episodes:
        click.echo("no takeover, return or fence so far")
    else:
        Console().print(past_page(episodes))


def past_page(episodes: Sequence[Episode]) -> Table:
    """A table with a row for each episode, the newest last; times are local ones."""
    table = Table()
    for title in ("when", "what", "why", "took"):
        table.add_column(title)
    for each in episodes:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(each.began))
        took = "not finished" if each.seconds is None else seconds(each.seconds)
        table.add_row(when, Text(_WHAT[each.kind](each)), Text(printable_reason(each.cause)), took)
    return table


_WHAT: dict[EpisodeKind, Callable[[Episode], str]] = {
    EpisodeKind.TAKEOVER: lambda it: f"{it.server} takes {it.identities} of {it.home}",
    EpisodeKind.RETURN: lambda it: f"{it.server} gives {it.identities} back to {it.home}",
    EpisodeKind.HANDOVER: lambda it: (
        f"{it.server} hands {it.identities}{it.of_another} over to {it.to}"
    ),
    EpisodeKind.FENCE: lambda it: f"{it.server} fences itself",
}


async def _watch(cluster: failover.Cluster) -> None:
    console = Console()
    looks = failover.watch_status(cluster)
    async with contextlib.aclosing(looks):
        if console.is_terminal:
            with Live(console=console, auto_refresh=False) as live:
                async for pages in looks:
                    live.update(page(pages), refresh=True)
            return
        before: tuple[ServerStatus, ...] = ()
        async for pages in looks:
            for line in changes(before, pages):
                click.echo(f"{time.strftime('%H:%M:%S')} {line}")
            before = pages


def changes(before: Sequence[ServerStatus], after: Sequence[ServerStatus]) -> list[str]:
    """The lines that have changed; all of them when there was nothing before."""
    old = dict(line for server in before for line in _lines(server))
    new = [line for server in after for line in _lines(server)]
    return [f"{subject}: {words}" for subject, words in new if old.get(subject) != words]


def _lines(server: ServerStatus) -> list[tuple[str, str]]:
    lines = [(server.name, _state(server))]
    for resource in server.resources:
        subject = f"{server.name} {KINDS[resource.identity.kind]} {resource.identity.number}"
        lines.append((subject, ("up, " if resource.up else "down, ") + _served(resource)))
    return lines


def _served(resource: ResourceStatus) -> str:
    parts = [resource.holder or "nobody"]
    if resource.also:
        parts.append(f"and {', '.join(resource.also)}")
    if resource.why:
        parts.append(f"({printable_reason(resource.why)})")
    return " ".join(parts)


def page(pages: Sequence[ServerStatus]) -> RenderableType:
    """One table for the whole cluster, the verdict below; arrows as on the product's page."""
    table = Table(title_justify="left")
    for title in ("server", "resource", "", "served by", "call"):
        table.add_column(title)
    up = {server.name: server.up for server in pages}
    for server in pages:
        heard = "" if server.age is None else f"heard {seconds(server.age)} ago"
        table.add_row(
            Text(server.name, "bold"), Text(_state(server), "italic"), _arrow(server.up), heard, ""
        )
        for note in server.notes:
            table.add_row("", Text(printable_reason(note), "yellow"), "", "", "")
        if server.fail_over_server:
            stands_in = f"fail-over server {server.fail_over_server}"
            table.add_row("", stands_in, _arrow(up[server.fail_over_server]), "", "")
        for resource in server.resources:
            table.add_row(
                "",
                f"{KINDS[resource.identity.kind]} {resource.identity.number}",
                _arrow(resource.up and not resource.doubled),
                _holder(server, resource),
                "●" if resource.busy else "",
            )
        if server.of_kind(Kind.PORT):
            table.add_row("", "media ports in use", "", "", str(server.media_ports_in_use))
        table.add_section()
    style, words = _VERDICTS[worst(pages)]
    return Group(table, Text(words, style))


def _state(server: ServerStatus) -> str:
    return f"{server.state}, stopped" if server.stopped else server.state


def _holder(server: ServerStatus, resource: ResourceStatus) -> Text:
    style = "yellow" if resource.holder not in ("", server.name) else ""
    shown = Text(resource.holder, style)
    if resource.also:
        shown.append(f" and {', '.join(resource.also)}", "red" if resource.doubled else "yellow")
    if resource.why:
        shown.append(f"{' ' if shown else ''}{printable_reason(resource.why)}", "red")
    return shown


def _arrow(up: bool) -> Text:
    return Text("▲", "green") if up else Text("▼", "red")
