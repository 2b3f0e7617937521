"""``pa-telephony phone``: a telephone in a terminal, by keys or by options."""

from __future__ import annotations

import contextlib
import functools
import math
import sys
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from pathlib import Path

import click
import trio
from rich.console import Console
from rich.live import Live

from pa_telephony import rtp, sccp
from pa_telephony.address import parse_peers
from pa_telephony.cli.phone import keyboard
from pa_telephony.cli.phone.handset import Handset
from pa_telephony.cli.phone.keys import Action, Deed, Typing, meaning
from pa_telephony.cli.phone.screen import display
from pa_telephony.cli.phone.sounds import Files, SoundCard, Sounds
from pa_telephony.cli.running import (
    FILLED,
    SECONDS,
    keep_for_good,
    open_trace,
    run_until_stopped,
    trace_options,
)
from pa_telephony.errors import CallEnded
from pa_telephony.printable import printable, printable_reason
from pa_telephony.sccp.station.core import key_of
from pa_telephony.tasks import background
from pa_telephony.trace import Trace

__all__ = ["phone"]

_REFRESH = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class _Options:
    device: str
    call_managers: tuple[str, ...]
    dial: str | None
    answer: bool
    seconds: float | None
    address: str | None
    rtp_port: int


def _device(context: click.Context, parameter: click.Parameter, name: str) -> str:
    if not 1 <= len(name) <= 15:
        raise click.BadParameter("a device name has 1 to 15 characters")
    return name


def _number(context: click.Context, parameter: click.Parameter, number: str | None) -> str | None:
    try:
        for digit in number or "":
            key_of(digit)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return number


def _peers(
    context: click.Context, parameter: click.Parameter, names: tuple[str, ...]
) -> tuple[str, ...]:
    try:
        parse_peers(names, 2000)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return names


@click.command(short_help="A telephone in the terminal.")
@click.argument("device", callback=_device)
@click.option(
    "--call-manager",
    "call_managers",
    multiple=True,
    default=("127.0.0.1",),
    show_default=True,
    callback=_peers,
    metavar="HOST[:PORT]",
    help="May be given several times, best first.",
)
@click.option(
    "--dial",
    type=FILLED,
    metavar="NUMBER",
    callback=_number,
    help="Call this number, talk, and leave: no keys.",
)
@click.option("--answer", is_flag=True, help="Answer one call, talk, and leave: no keys.")
@click.option(
    "--for",
    "seconds",
    type=SECONDS,
    metavar="SECONDS",
    help="With --dial and --answer: hang up after so long a talk.",
)
@click.option(
    "--play",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="WAV",
    help="Say this in each call instead of using the sound card.",
)
@click.option(
    "--record",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="WAV",
    help="Write what is heard to this file instead of using the sound card.",
)
@click.option(
    "--address", type=FILLED, help="Where sound is received; else our end of the signalling."
)
@click.option("--rtp-port", type=click.IntRange(1024, 65534), default=32000, show_default=True)
@trace_options
def phone(
    device: str,
    call_managers: tuple[str, ...],
    dial: str | None,
    answer: bool,
    seconds: float | None,
    play: Path | None,
    record: Path | None,
    address: str | None,
    rtp_port: int,
    trace_file: Path | None,
    trace_keyed: bool,
) -> None:
    """Register as DEVICE and telephone: digits call, letters do what the display says.

    Without a sound card (extra "softphone") give --play, --record, or both. With --dial or
    --answer there is no display; what happens is printed, and the exit status is 1 when the call
    was not answered.
    """
    if dial and answer:
        raise click.UsageError("--dial and --answer exclude each other")
    scripted = bool(dial or answer)
    if seconds is not None and not scripted:
        raise click.UsageError("--for goes with --dial or --answer")
    if rtp_port % 2:
        raise click.UsageError("--rtp-port must be even")
    options = _Options(
        device=device,
        call_managers=call_managers,
        dial=dial,
        answer=answer,
        seconds=seconds,
        address=address,
        rtp_port=rtp_port,
    )
    if not scripted and not sys.stdin.isatty():
        raise click.UsageError("no keyboard: give --dial or --answer")
    run = _script if scripted else _telephone
    talked: list[bool] = []
    with (
        open_trace(trace_file, keyed=trace_keyed) as trace,
        _sounds(play, record, scripted) as sounds,
    ):
        run_until_stopped(functools.partial(run, options, sounds, trace, talked))
    if scripted and not talked:
        sys.exit(1)


@contextlib.contextmanager
def _sounds(play: Path | None, record: Path | None, scripted: bool) -> Generator[Sounds]:
    """Open WAV files where they are given, else the sound card; a script needs neither."""
    if play or record or scripted:
        files = Files(play, record)
        yield files
        files.save()
        return
    card = SoundCard()
    try:
        yield card
    finally:
        card.close()


@contextlib.asynccontextmanager
async def _registered(options: _Options, trace: Trace | None) -> AsyncGenerator[sccp.Station]:
    told = ""

    def tell(why: str) -> None:
        nonlocal told
        if why != told:
            click.echo(printable_reason(f"{why}; still trying"), err=True)
        told = why

    async with (
        rtp.open_engine(
            address=options.address, first_port=options.rtp_port, trace=trace
        ) as engine,
        sccp.open_station(
            options.device, options.call_managers, engine=engine, trace=trace, on_trouble=tell
        ) as station,
    ):
        keep_for_good()
        yield station


async def _script(
    options: _Options, sounds: Sounds, trace: Trace | None, talked: list[bool]
) -> None:
    """Make or answer one call as the options say, without keys."""
    async with _registered(options, trace) as station, background() as tasks:
        click.echo(f"{printable(station.number)} is registered at {station.call_manager[0]}")
        handset = Handset(station, tasks, sounds, click.echo)
        if options.dial:
            call = await handset.dial(options.dial)
        else:
            while not handset.ringing:
                await handset.changed.wait()
            call = handset.lines[0].call
            handset.do(Action(Deed.ANSWER))
        with contextlib.suppress(CallEnded):
            await call.wait_connected()
            talked.append(True)
            with trio.move_on_after(math.inf if options.seconds is None else options.seconds):
                await call.wait_ended()
        await call.hang_up()
        tasks.cancel_scope.cancel()


async def _telephone(
    options: _Options, sounds: Sounds, trace: Trace | None, talked: list[bool]
) -> None:
    """Show the display and obey keys, until q is pressed."""
    click.echo(f"{printable(options.device)} registers at {', '.join(options.call_managers)}")
    with keyboard.single_keys():
        async with _registered(options, trace) as station, background() as tasks:
            station.on_trouble = None  # the display says it from now on
            console = Console()
            handset = Handset(station, tasks, sounds)
            desk = _Desk(handset, console)
            with Live(console=console, screen=True, auto_refresh=False) as live:
                tasks.start_soon(desk.draw, live)
                await desk.read_keys()
            tasks.cancel_scope.cancel()


class _Desk:
    """Passes keys to the handset, and shows it on the display."""

    def __init__(self, handset: Handset, console: Console) -> None:
        self._handset = handset
        self._console = console
        self._typing: Typing | None = None

    async def read_keys(self) -> None:
        """Obey each key until it is q, or the keyboard is gone."""
        async for key in keyboard.keys():
            line = self._handset.selected
            state = line.call.state if line else None
            consultation = line is not None and line.consultation
            self._typing, action = meaning(key, self._typing, state, consultation)
            if action is not None and action.deed is Deed.QUIT:
                return
            if action is not None:
                self._handset.do(action)
            self._handset.refresh()

    async def draw(self, live: Live) -> None:
        """Show every change, and the time that passes; a call that rings rings the bell."""
        ringing = 0
        while True:
            changed = self._handset.changed
            now = trio.current_time()
            live.update(display(self._handset, self._typing, now), refresh=True)
            rings = self._handset.ringing
            if rings > ringing:
                self._console.bell()
            ringing = rings
            with trio.move_on_after(_REFRESH):
                await changed.wait()
