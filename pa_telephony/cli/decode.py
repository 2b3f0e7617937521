"""``pa-telephony decode``: what a capture or a single frame says, byte by byte."""

from __future__ import annotations

import dataclasses
import enum
import json
import os
import re
import sys
from collections.abc import Iterator
from typing import Any

import click

from pa_telephony.cli.capture import Capture, Frame, decode_frame, read_capture
from pa_telephony.cli.hexdump import hexdump, is_tuple, parts_of, shown, told
from pa_telephony.errors import DecodeError
from pa_telephony.printable import printable_reason
from pa_telephony.wire.anatomy import Part
from pa_telephony.wire.declaration import UnknownMessage
from pa_telephony.wire.framing import frames_in

__all__ = ["decode"]

_COLOURS = {"sccp": "cyan", "cti": "magenta"}


@click.command(short_help="Show what is in a pcap file or in a frame given in hex.")
@click.argument("what", metavar="FILE.pcap|HEX|-", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text.")
@click.option("--fields", "fields_only", is_flag=True, help="Fields that say something; no bytes.")
@click.option("--all", "everything", is_flag=True, help="Empty fields and long filler as well.")
@click.option(
    "--version", type=click.IntRange(0, 22), help="SCCP version where no registration tells."
)
def decode(
    what: tuple[str, ...], as_json: bool, fields_only: bool, everything: bool, version: int | None
) -> None:
    """Show SCCP and CTI frames byte by byte, each field beside its bytes, and RTP by stream.

    FILE.pcap may be pcap or pcapng; TCP is reassembled, TLS is passed over with a note. Instead
    of a file, the bytes of one or more frames may be given in hexadecimal, spaces and colons
    allowed; with - they are read from standard input. Exits with 1 when a frame could not be
    decoded.
    """
    if as_json and (fields_only or everything):
        raise click.UsageError("--json has everything: it goes without --fields and --all")
    text = " ".join(what)
    # os.path, since Path refuses to say whether a very long name is a file.
    if os.path.isfile(text):
        capture = read_capture(text, version=version)
    else:
        given = sys.stdin.read() if text == "-" else text
        capture = Capture(frames=list(_frames_in_hex(given, version)))
    if as_json:
        click.echo(json.dumps(_as_json(capture), indent=1))
    else:
        for line in _as_text(capture, fields_only=fields_only, everything=everything):
            click.echo(line)
    if any(frame.error for frame in capture.frames):
        raise click.exceptions.Exit(1)


def _frames_in_hex(text: str, version: int | None) -> Iterator[Frame]:
    digits = re.sub(r"0x|[\s:,]", "", text)
    try:
        data = bytes.fromhex(digits)
    except ValueError:
        begin = text if len(text) <= 60 else text[:60] + "..."
        raise click.BadParameter(f"{begin!r} is neither a file nor hexadecimal") from None
    if not data:
        raise click.BadParameter("no bytes")
    for frame in frames_in(data):
        try:
            yield decode_frame(frame, version=version)
        except DecodeError as error:
            raise click.BadParameter(error.reason) from error


def _plain(value: Any) -> Any:
    """The value as JSON can hold it: enumerators by name, bytes in hex, structs as objects."""
    if isinstance(value, enum.IntEnum | enum.IntFlag):
        return {"name": value.name, "value": int(value)}
    if isinstance(value, bytes):
        return value.hex()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: _plain(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if field.name != "trailing"
        }
    if is_tuple(value):
        return [_plain(item) for item in value]
    return value


def _part(part: Part, frame: Frame) -> dict[str, object]:
    return {
        "offset": part.offset,
        "size": len(part.data),
        "kind": part.kind.value,
        "name": part.path,
        "text": told(part, frame)[1],
    }


def _as_json(capture: Capture) -> dict[str, object]:
    return {
        "frames": [
            {
                "time": frame.time,
                "source": list(frame.source),
                "destination": list(frame.destination),
                "protocol": frame.protocol,
                "version": frame.version,
                "message": frame.name,
                "fields": _plain(frame.message) if frame.message is not None else None,
                "error": frame.error or None,
                "data": frame.data.hex(),
                "parts": [_part(part, frame) for part in parts_of(frame)],
            }
            for frame in capture.frames
        ],
        "rtp": [
            {
                "source": list(stream.source),
                "destination": list(stream.destination),
                "ssrc": f"0x{stream.ssrc:08x}",
                "payload_types": sorted(stream.payload_types),
                "packets": stream.packets,
                "lost": stream.lost,
                "first": stream.first,
                "last": stream.last,
            }
            for stream in capture.streams
        ],
        "notes": capture.notes,
    }


def _as_text(capture: Capture, *, fields_only: bool, everything: bool) -> Iterator[str]:
    times = [frame.time for frame in capture.frames] + [s.first for s in capture.streams]
    start = min(times, default=0.0)
    for frame in capture.frames:
        yield _headline(frame, start)
        if frame.error:
            yield click.style(f"  {printable_reason(frame.error)}", fg="red")
        if not fields_only:
            yield from hexdump(frame, everything=everything)
        elif isinstance(frame.message, UnknownMessage):
            yield f"    body {len(frame.message.body)} bytes"
        elif frame.message is not None:
            yield from _fields(frame.message, everything, "    ")
    if capture.streams:
        yield click.style("RTP streams", bold=True)
        for stream in sorted(capture.streams, key=lambda s: s.first):
            yield (
                f"{stream.first - start:10.3f}  {_at(stream.source)} → {_at(stream.destination)}"
                f"  ssrc 0x{stream.ssrc:08x}"
                f"  type {','.join(map(str, sorted(stream.payload_types)))}"
                f"  {stream.packets} packets, {stream.lost} lost"
                f", {stream.last - stream.first:.2f} s"
            )
    for note in capture.notes:
        yield click.style(f"note: {printable_reason(note)}", fg="yellow")
    if not (capture.frames or capture.streams or capture.notes):
        yield "nothing that is SCCP, CTI or RTP"


def _at(address: tuple[str, int]) -> str:
    return f"{address[0]}:{address[1]}"


def _headline(frame: Frame, start: float) -> str:
    name = click.style(frame.name, fg=_COLOURS[frame.protocol], bold=True)
    place = 8 if frame.protocol == "sccp" else 16
    number = int.from_bytes(frame.data[place : place + 4], "little")
    version = f"v{frame.version}" if frame.protocol == "sccp" else f"0x{frame.version:08x}"
    where = f"{_at(frame.source)} → {_at(frame.destination)}  " if frame.source[0] else ""
    return (
        f"{frame.time - start:10.3f}  {where}{frame.protocol.upper()} {version}"
        f"  {name} (0x{number:04x})"
    )


def _fields(value: Any, everything: bool, indent: str) -> Iterator[str]:
    for field in dataclasses.fields(value):
        item = getattr(value, field.name)
        if field.name == "trailing" or not (everything or item):
            continue
        if dataclasses.is_dataclass(item) and not isinstance(item, type):
            yield f"{indent}{field.name}"
            yield from _fields(item, everything, indent + "    ")
        elif is_tuple(item) and item and dataclasses.is_dataclass(item[0]):
            for position, element in enumerate(item):
                yield f"{indent}{field.name}[{position}]"
                yield from _fields(element, everything, indent + "    ")
        else:
            yield f"{indent}{field.name} = {shown(item)}"
