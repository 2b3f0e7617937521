"""``pa-telephony start`` and ``stop``: the buttons of the Control Center."""

from __future__ import annotations

from pathlib import Path

import click
import trio

from pa_telephony import failover
from pa_telephony.failover import Command

__all__ = ["start", "stop"]

_cluster = click.option(
    "--cluster",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The cluster's TOML file.",
)


@click.command(short_help="Let a server of the cluster take its resources.")
@_cluster
@click.argument("names", nargs=-1)
def start(file: Path, names: tuple[str, ...]) -> None:
    """Take back the order to stop, for the servers NAMES or for all.

    The processes must be running: a stopped server waits for this.
    """
    _give(file, Command.START, names)


@click.command(short_help="Let a server of the cluster give everything up.")
@_cluster
@click.option("--alone", is_flag=True, help="Nobody stands in: the numbers go out of service.")
@click.argument("names", nargs=-1)
def stop(file: Path, alone: bool, names: tuple[str, ...]) -> None:
    """Stop the servers NAMES, or all: at once, calls end, others stand in as after a crash."""
    _give(file, Command.STOP_ALONE if alone else Command.STOP, names)


def _give(file: Path, command: Command, names: tuple[str, ...]) -> None:
    trio.run(failover.control, failover.load(file), command, names)
    click.echo(f"{command.value}: {', '.join(names) or 'all servers'}")
