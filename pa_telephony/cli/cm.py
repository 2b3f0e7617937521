"""``pa-telephony cm``: have a running call manager do something; :mod:`~.top` shows what is so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import trio

from pa_telephony.callmanager import Control, ControlRefused, open_control
from pa_telephony.printable import printable_lines

__all__ = ["cm", "control_option", "run_at"]

Command = TypeVar("Command", bound=Callable[..., Any])
T = TypeVar("T")

_PARTITION = click.option("--partition", help="Of the line, where its number is in several.")


def control_option(command: Command) -> Command:
    """Add ``--control`` (``control``), for :func:`run_at`."""
    return click.option(
        "--control",
        type=click.Path(dir_okay=False, path_type=Path),
        help="The call manager's control socket; without it the only one of this user.",
    )(command)


def run_at(control: Path | None, do: Callable[[Control], Awaitable[T]]) -> T:
    """Do something at a running call manager; what it refuses is told in its words."""

    async def run() -> T:
        async with open_control(control) as opened:
            return await do(opened)

    try:
        return trio.run(run)
    except ControlRefused as refused:
        raise click.ClickException(printable_lines(refused.reason)) from refused


@click.group(short_help="Have a running call manager do something.")
def cm() -> None:
    """Act on a running `pa-telephony callmanager` of this user; `top` shows what is so.

    It logs each action with who asked. The exit status is 1 when it was refused.
    """


@cm.command(short_help="Have a phone or media port start anew.")
@control_option
@click.argument("name")
def reset(control: Path | None, name: str) -> None:
    """Reset the device NAME: it starts anew, as soon as it has no call."""
    run_at(control, lambda opened: opened.reset(name))
    click.echo(f"{name} was told to start anew")


@cm.command(short_help="Have a phone or media port register anew.")
@control_option
@click.argument("name")
def restart(control: Path | None, name: str) -> None:
    """Restart the device NAME: it registers anew, as soon as it has no call."""
    run_at(control, lambda opened: opened.restart(name))
    click.echo(f"{name} was told to register anew")


@cm.command(short_help="Send the calls of a line elsewhere, or take it back.")
@control_option
@_PARTITION
@click.option(
    "--kind",
    type=click.Choice(["all", "busy", "no_answer", "failure"]),
    default="all",
    show_default=True,
    help="Which calls; failure: those that come while nobody has the line registered.",
)
@click.option("--clear", is_flag=True, help="Take the forward back.")
@click.argument("line")
@click.argument("number", required=False)
def forward(
    control: Path | None,
    partition: str | None,
    kind: str,
    clear: bool,
    line: str,
    number: str | None,
) -> None:
    """Forward calls of LINE to NUMBER; with --clear no more."""
    if clear == bool(number):
        raise click.UsageError("NUMBER, or --clear")
    to = number or ""
    run_at(control, lambda opened: opened.set_forward(line, kind, to, partition=partition))
    fate = f"is forwarded to {to}" if to else "is not forwarded any more"
    click.echo(f"{line} {fate} ({kind})")


@cm.command(short_help="Switch the message waiting lamp of a line.")
@control_option
@_PARTITION
@click.argument("line")
@click.argument("state", type=click.Choice(["on", "off"]))
def mwi(control: Path | None, partition: str | None, line: str, state: str) -> None:
    """Switch the message waiting lamp of LINE on or off."""
    on = state == "on"
    run_at(control, lambda opened: opened.set_message_waiting(line, on, partition=partition))
    click.echo(f"message waiting of {line} is {state}")


@cm.command(short_help="End a call.")
@control_option
@click.argument("call", type=int)
def drop(control: Path | None, call: int) -> None:
    """End the call CALL, whose number `top` shows, with everybody in it."""
    run_at(control, lambda opened: opened.drop(call))
    click.echo(f"call {call} has ended")
