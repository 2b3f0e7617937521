"""``pa-telephony start``, ``stop``, ``drain`` and ``move``: what operators do."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

import click
import trio

from pa_telephony import failover
from pa_telephony.cli.running import SECONDS
from pa_telephony.cli.where import the_cluster, where_options
from pa_telephony.failover import Command
from pa_telephony.failover.intent import DRAINS_WITHIN, Answer
from pa_telephony.printable import printable_lines

__all__ = ["drain", "move", "start", "stop"]

_within = click.option(
    "--within",
    type=SECONDS,
    default=10.0,
    show_default=True,
    help="Wait this many seconds for it to happen.",
)


@click.command(short_help="Let a server of the cluster take its resources.")
@where_options
@_within
@click.argument("names", nargs=-1)
def start(file: Path | None, store: Path | None, within: float, names: tuple[str, ...]) -> None:
    """Take back the order to stop, for the servers NAMES or for all, and say what they do.

    The processes must be running: a stopped server waits for this. The exit status is 1 when a
    server does not run, or something of its own is not served.
    """
    _give(the_cluster(file, store), Command.START, names, within)


@click.command(short_help="Let a server of the cluster give everything up.")
@where_options
@_within
@click.option("--alone", is_flag=True, help="Nobody stands in: the numbers go out of service.")
@click.argument("names", nargs=-1)
def stop(
    file: Path | None, store: Path | None, within: float, alone: bool, names: tuple[str, ...]
) -> None:
    """Stop the servers NAMES, or all: at once, calls end, others stand in as after a crash.

    Waits until it is done and says what has become of the numbers. The exit status is 1 when a
    server has not stopped in time.
    """
    _give(the_cluster(file, store), Command.STOP_ALONE if alone else Command.STOP, names, within)


@click.command(short_help="Let a server stop once its calls have ended.")
@where_options
@click.option(
    "--deadline",
    type=click.IntRange(0, 86400),
    default=DRAINS_WITHIN,
    show_default=True,
    help="Calls that still go on after so many seconds are ended.",
)
@click.argument("names", nargs=-1, required=True)
def drain(file: Path | None, store: Path | None, deadline: int, names: tuple[str, ...]) -> None:
    """Take the servers NAMES out of service without dropping a call.

    They take no new calls; a stand-in gets the route point at once, and each port when its call
    has ended. Says what is so until they have stopped. Ctrl-C ends the waiting alone; `start` takes
    the order back at any time.
    """
    see = functools.partial(
        failover.control_and_see,
        the_cluster(file, store),
        Command.DRAIN,
        names,
        within=deadline + 10.0,
        deadline=deadline,
        told=_say,
    )
    answers = trio.run(see)
    for each in answers:
        _say(each)
    sys.exit(0 if all(each.obeyed for each in answers) else 1)


@click.command(short_help="Have a stand-in serve a server's numbers, or bring them home.")
@where_options
@_within
@click.argument("home")
@click.argument("to")
def move(file: Path | None, store: Path | None, within: float, home: str, to: str) -> None:
    """Move the numbers of the server HOME to the stand-in TO; TO may be HOME, which undoes it.

    No call is dropped: the route point moves at once, each port when its call has ended. The
    exit status is 1 when that has not happened within the time; the order stands, all the same.
    """
    cluster = the_cluster(file, store)
    back = to.casefold() == home.casefold()
    see = functools.partial(
        failover.move_and_see,
        cluster,
        home,
        None if back else to,
        within=within,
        told=_say,
    )
    answer = trio.run(see)
    _say(answer)
    sys.exit(0 if answer.obeyed else 1)


def _say(answer: Answer) -> None:
    click.echo(printable_lines(answer.words))


def _give(
    cluster: failover.Cluster, command: Command, names: tuple[str, ...], within: float
) -> None:
    see = functools.partial(failover.control_and_see, cluster, command, names, within=within)
    answers = trio.run(see)
    for each in answers:
        _say(each)
    sys.exit(0 if all(each.obeyed for each in answers) else 1)
