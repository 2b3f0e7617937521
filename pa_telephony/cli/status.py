"""``pa-telephony status``: the Server Status page as a table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click
import trio
from rich.console import Console
from rich.table import Table

from pa_telephony import failover
from pa_telephony.failover import Kind, ResourceStatus, ServerStatus

__all__ = ["page", "status"]

_KINDS = {
    Kind.ROUTE_POINT: "route point",
    Kind.AA_ROUTE_POINT: "AA route point",
    Kind.PORT: "media port",
    Kind.INTERCEPTOR: "interceptor",
}


@click.command(short_help="The Server Status page as a table.")
@click.option(
    "--cluster",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The cluster's TOML file.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(file: Path, as_json: bool) -> None:
    """Who is up, who stands in, and what is served by whom."""
    pages = trio.run(failover.read_status, failover.load(file))
    if as_json:
        click.echo(json.dumps([_plain(each) for each in pages], indent=1))
    else:
        Console().print(page(pages))


def page(pages: Sequence[ServerStatus]) -> Table:
    """One table for the whole cluster; the arrows are those of the product's page."""
    table = Table(title_justify="left")
    for title in ("server", "resource", "", "served by", "call"):
        table.add_column(title)
    up = {server.name: server.up for server in pages}
    for server in pages:
        stopped = ", stopped" if server.stopped else ""
        table.add_row(
            f"[bold]{server.name}", f"[italic]{server.state}{stopped}", _arrow(server.up), "", ""
        )
        if server.fail_over_server:
            stands_in = f"fail-over server {server.fail_over_server}"
            table.add_row("", stands_in, _arrow(up[server.fail_over_server]), "", "")
        for resource in server.resources:
            holder = resource.holder
            shown = f"[yellow]{holder}" if holder not in ("", server.name) else holder
            table.add_row(
                "",
                f"{_KINDS[resource.identity.kind]} {resource.identity.number}",
                _arrow(resource.up),
                shown + (f" [red]{resource.why}" if resource.why else ""),
                "●" if resource.busy else "",
            )
        if server.of_kind(Kind.PORT):
            table.add_row("", "media ports in use", "", "", str(server.media_ports_in_use))
        table.add_section()
    return table


def _arrow(up: bool) -> str:
    return "[green]▲" if up else "[red]▼"


def _plain(server: ServerStatus) -> dict[str, object]:
    return {
        "server": server.name,
        "state": server.state,
        "up": server.up,
        "stopped": server.stopped,
        "fail_over_server": server.fail_over_server,
        "media_ports_in_use": server.media_ports_in_use,
        "resources": [_resource(each) for each in server.resources],
    }


def _resource(resource: ResourceStatus) -> dict[str, object]:
    return {
        "kind": _KINDS[resource.identity.kind],
        "number": resource.identity.number,
        "up": resource.up,
        "holder": resource.holder,
        "busy": resource.busy,
        "why": resource.why,
    }
