"""What operators do: ``start``, ``stop``, ``drain``, ``move``, ``return`` and ``hold``."""

from __future__ import annotations

import functools
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NoReturn

import click
import trio

from pa_telephony import failover
from pa_telephony.cli.running import SECONDS
from pa_telephony.cli.where import the_cluster, where_options
from pa_telephony.failover import Command
from pa_telephony.failover.intent import DRAINS_WITHIN, Answer
from pa_telephony.printable import printable_lines

__all__ = ["drain", "hold", "move", "return_", "start", "stop"]

_within = click.option(
    "--within",
    type=SECONDS,
    default=10.0,
    show_default=True,
    help="Wait this many seconds for it to happen.",
)
_SECONDS = click.IntRange(0, 86400)
_all = click.option("--all", "everybody", is_flag=True, help="All servers of the cluster.")
_undo = click.option("--undo", is_flag=True, help="Take the order back.")


@click.command(short_help="Let a server of the cluster take its resources.")
@where_options
@_within
@_all
@click.argument("names", nargs=-1)
def start(
    file: Path | None, store: str | None, within: float, everybody: bool, names: tuple[str, ...]
) -> None:
    """Take back the order to stop or drain, for the servers NAMES, and say what they do.

    The processes must be running: a stopped server waits for this. The exit status is 1 when a
    server does not run, or something of its own is not served.
    """
    _give(_asked(file, store, names, everybody), Command.START, names, within)


@click.command(short_help="Let a server of the cluster give everything up.")
@where_options
@_within
@_all
@click.option("--alone", is_flag=True, help="Nobody stands in: the numbers go out of service.")
@click.argument("names", nargs=-1)
def stop(
    file: Path | None,
    store: str | None,
    within: float,
    everybody: bool,
    alone: bool,
    names: tuple[str, ...],
) -> None:
    """Stop the servers NAMES: at once, calls end, others stand in as after a crash.

    Waits until it is done and says what has become of the numbers. The exit status is 1 when a
    server has not stopped in time. `start` takes the order back.
    """
    command = Command.STOP_ALONE if alone else Command.STOP
    _give(_asked(file, store, names, everybody), command, names, within)


@click.command(short_help="Let a server stop once its calls have ended.")
@where_options
@click.option(
    "--deadline",
    type=_SECONDS,
    default=DRAINS_WITHIN,
    show_default=True,
    help="Calls that still go on after so many seconds are ended.",
)
@click.argument("names", nargs=-1, required=True)
def drain(file: Path | None, store: str | None, deadline: int, names: tuple[str, ...]) -> None:
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
@click.option(
    "--deadline",
    type=_SECONDS,
    help="Calls that delay it for so many seconds are ended; without, they have all their time.",
)
@click.argument("home")
@click.argument("to")
def move(
    file: Path | None,
    store: str | None,
    within: float,
    deadline: int | None,
    home: str,
    to: str,
) -> None:
    """Move the numbers of the server HOME to the stand-in TO; TO may be HOME, which undoes it.

    No call is dropped: the route point moves at once, each port when its call has ended, or at the
    deadline. The exit status is 1 when that has not happened within the time (and the deadline);
    the order stands, all the same, and whenever TO can serve it has the numbers.
    """
    back = to.casefold() == home.casefold()
    if back and deadline is not None:
        raise click.UsageError("`pa-telephony return` brings a server's numbers home by a deadline")
    _see(
        failover.move_and_see,
        the_cluster(file, store),
        home,
        None if back else to,
        within=within + (deadline or 0),
        deadline=deadline,
        told=_say,
    )


@click.command("return", short_help="Have a server get its numbers back now.")
@where_options
@_within
@click.option(
    "--deadline",
    type=_SECONDS,
    default=0,
    show_default=True,
    help="Calls that delay it for so many seconds are ended.",
)
@_undo
@click.argument("home")
def return_(
    file: Path | None, store: str | None, within: float, deadline: int, undo: bool, home: str
) -> None:
    """Have the server HOME, which runs, get back now what a stand-in has of it.

    By itself it would have to ask for a while, and wait for the calls. The order takes back what
    keeps the numbers away (`move`, `hold`), and is over when they are home, or HOME ends; --undo
    takes it back before. The exit status is 1 when HOME does not run, or the numbers are not home
    within the time and the deadline.
    """
    _see(
        failover.return_and_see,
        the_cluster(file, store),
        home,
        undo=undo,
        within=within + deadline,
        deadline=deadline,
        told=_say,
    )


@click.command(short_help="Keep a server's numbers at whoever stands in.")
@where_options
@_within
@_undo
@click.argument("home")
def hold(file: Path | None, store: str | None, within: float, undo: bool, home: str) -> None:
    """Hold the numbers of the server HOME where they are: nothing comes home by itself.

    For as long as the order stands whoever stands in for HOME keeps its numbers although HOME is
    back; takeovers go on as ever, and numbers that nobody has any more go to HOME if it runs.
    --undo takes the order back, and the return begins; `return` does so too.
    """
    _see(
        failover.hold_and_see,
        the_cluster(file, store),
        home,
        undo=undo,
        within=within,
        told=_say,
    )


def _see(verb: Callable[..., Awaitable[Answer]], *given: object, **options: object) -> NoReturn:
    """Give an order, and say what becomes of it."""
    answer = trio.run(functools.partial(verb, *given, **options))
    _say(answer)
    sys.exit(0 if answer.obeyed else 1)


def _asked(
    file: Path | None, store: str | None, names: tuple[str, ...], everybody: bool
) -> failover.Cluster:
    """The cluster; nobody who forgets a name stops all of it."""
    cluster = the_cluster(file, store)
    if bool(names) == everybody:
        servers = ", ".join(each.server_name for each in cluster.servers)
        raise click.UsageError(f"name the servers, or --all for all of them ({servers})")
    return cluster


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
