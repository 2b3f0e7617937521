"""``pa-telephony ladder``: a capture as a message ladder, in the terminal or as a picture."""

from __future__ import annotations

from pathlib import Path

import click

from pa_telephony.cli.capture import read_capture
from pa_telephony.cli.ladder import picture, screen
from pa_telephony.cli.ladder.model import Ladder, build

__all__ = ["ladder"]


@click.command(short_help="Draw the calls of a pcap file as a message ladder.")
@click.argument("file", metavar="FILE.pcap", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--svg",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a picture instead of drawing in the terminal.",
)
@click.option("--call", type=int, metavar="N", help="One call: its number, or a call reference.")
@click.option(
    "--device",
    "devices",
    multiple=True,
    metavar="NAME",
    help="What this device, number or address takes part in; may be given several times.",
)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Keepalives, lamps, prompts, tones and set-up as well.",
)
@click.option("--width", type=click.IntRange(40), help="Columns of the terminal.")
def ladder(
    file: str,
    svg: Path | None,
    call: int | None,
    devices: tuple[str, ...],
    everything: bool,
    width: int | None,
) -> None:
    """Draw who said what to whom: SCCP, CTI and RTP together.

    Messages go from top to bottom; RTP streams are bars with codec, packets and lost packets.
    Messages of one call have one colour. Calls are numbered as they begin.
    """
    if svg is not None and width is not None:
        raise click.UsageError("--width is that of the terminal: it goes without --svg")
    drawn = _selected(build(read_capture(file)), call, devices)
    if not everything:
        drawn = drawn.without_noise()
    if svg is None:
        screen.draw(drawn, width)
        return
    title = Path(file).name
    if call is not None:
        title += f", call {drawn.calls[0].number}: {drawn.calls[0].title}"
    svg.write_text(picture.draw(drawn, title=title), encoding="utf-8")


def _selected(whole: Ladder, call: int | None, devices: tuple[str, ...]) -> Ladder:
    drawn = whole
    if call is not None:
        try:
            drawn = drawn.of_call(call)
        except KeyError:
            known = "; ".join(f"{each.number}: {each.title}" for each in whole.calls[:40])
            raise click.BadParameter(
                f"no call {call} here (there are {known or 'none'})", param_hint="--call"
            ) from None
    if devices:
        try:
            drawn = drawn.of_devices(devices)
        except KeyError as error:
            known = ", ".join(column.title for column in drawn.columns)
            raise click.BadParameter(
                f"nobody is called {error.args[0]} here (there are {known})",
                param_hint="--device",
            ) from None
    return drawn
