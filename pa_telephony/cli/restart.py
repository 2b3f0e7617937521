"""``pa-telephony restart``: servers are restarted one after the other, and callers answered."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

import click
import trio

from pa_telephony import failover
from pa_telephony.cli.where import the_cluster, where_options
from pa_telephony.failover.intent import DRAINS_WITHIN
from pa_telephony.failover.rolling import State
from pa_telephony.printable import printable_lines

__all__ = ["restart"]


@click.command(short_help="Restart servers one after the other, with callers answered.")
@where_options
@click.option("--all", "everyone", is_flag=True, help="All servers of the cluster.")
@click.option(
    "--deadline",
    type=click.IntRange(0, 86400),
    default=DRAINS_WITHIN,
    show_default=True,
    help="Calls of a server that still go on after so many seconds are ended.",
)
@click.option("--undo", is_flag=True, help="End the restart that goes on; no server stays drained.")
@click.argument("names", nargs=-1)
def restart(
    file: Path | None,
    store: str | None,
    everyone: bool,
    deadline: int,
    undo: bool,
    names: tuple[str, ...],
) -> None:
    """Restart the servers NAMES, or --all: each is drained, ended, started, and has all of its own.

    Only then the next one follows, and only while another could stand in. The agents carry it out:
    Ctrl-C ends the waiting alone. It is given up, with the reason, when a server does not come
    back; an order to stop one of the servers ends it, too. The exit status is 1 when not all were
    restarted.
    """
    if undo and (names or everyone):
        raise click.UsageError("--undo goes with no servers")
    if not undo and bool(names) is everyone:
        raise click.UsageError("name servers, or give --all")
    cluster = the_cluster(file, store)
    if undo:
        ended = trio.run(failover.undo_restart, cluster)
        _say("no rolling restart goes on" if ended is None else str(ended))
        return
    see = functools.partial(failover.restart_and_see, cluster, names, deadline=deadline, told=_say)
    found = trio.run(see)
    _say(str(found))
    sys.exit(0 if found.state is State.DONE else 1)


def _say(words: str) -> None:
    click.echo(printable_lines(words))
