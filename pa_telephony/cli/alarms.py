"""``pa-telephony alarms``: what is wrong with a cluster, and when it comes and goes."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from pathlib import Path

import click
import trio

from pa_telephony import failover
from pa_telephony.cli.where import the_cluster, where_options
from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.failover.alarms import AlarmBook, AlarmChange
from pa_telephony.failover.plain import plain_alarm
from pa_telephony.failover.status import seconds
from pa_telephony.printable import printable_lines, printable_reason

__all__ = ["alarms"]

_UNKNOWN = 3


@click.command(short_help="What is wrong with a cluster, by kind.")
@where_options
@click.option("--watch", is_flag=True, help="Say when alarms come and go, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="For programs; with --watch a line each.")
def alarms(file: Path | None, store: str | None, watch: bool, as_json: bool) -> None:
    """Say what is wrong now; docs/operations.md has what each kind means and what to do.

    An alarm clears when the state is well again. The exit status is 0 without alarms, 1 with, and 3
    when the cluster could not be read.
    """
    try:
        cluster = the_cluster(file, store)
        if watch:
            trio.run(_watch, cluster, as_json)
            return
        pages = trio.run(failover.read_status, cluster)
        episodes = trio.run(failover.read_history, cluster)
        roll = trio.run(failover.read_rolling, cluster)
    except (ConfigurationError, ConnectionLost) as error:
        click.echo(f"Error: {printable_lines(str(error))}", err=True)
        sys.exit(_UNKNOWN)
    found = failover.Sight(time.time(), pages, episodes=episodes, roll=roll).alarms
    for alarm in found:
        text = json.dumps(_plain(AlarmChange(alarm))) if as_json else printable_reason(str(alarm))
        click.echo(text)
    if not found and not as_json:
        click.echo("no alarms")
    sys.exit(1 if found else 0)


async def _watch(cluster: failover.Cluster, as_json: bool) -> None:
    book = AlarmBook()
    async with contextlib.aclosing(failover.watch_cluster(cluster)) as sights:
        async for sight in sights:
            for change in book.look(sight.alarms, trio.current_time()):
                if as_json:
                    click.echo(json.dumps(_plain(change) | {"at": sight.at}))
                else:
                    when = time.strftime("%H:%M:%S", time.localtime(sight.at))
                    click.echo(f"{when} {printable_reason(_words(change))}")


def _words(change: AlarmChange) -> str:
    if change.seconds is None:
        return f"raised {change.alarm}"
    return f"cleared after {seconds(change.seconds)} {change.alarm}"


def _plain(change: AlarmChange) -> dict[str, object]:
    cleared = None if change.seconds is None else round(change.seconds, 3)
    return plain_alarm(change.alarm) | {"cleared_after": cleared}
