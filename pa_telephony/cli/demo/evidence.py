"""The traces of the processes: which of them held what when, and one pcap of all traffic."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio

from pa_telephony.cli.demo.excuses import Lateness, Missed, Stall
from pa_telephony.cli.demo.setting import Life, Stage
from pa_telephony.cli.demo.timeline import Holding
from pa_telephony.cli.demo.witness import KIND as MACHINE
from pa_telephony.cli.stalls import KIND
from pa_telephony.trace import EventRecord, FrameRecord, PcapTrace, Record, RtpRecord

__all__ = [
    "Event",
    "events",
    "follow",
    "holdings",
    "lateness",
    "lateness_of",
    "merge",
    "records",
    "stops",
]

_KIND = b'"kind": "'
_READ_EVERY = 0.1
_LOOKS_AT = 60
"""How many bytes of a line tell an event from a frame: its time comes first, then its kind."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a server: ``kind`` without its prefix, ``identity`` such as ``6001``."""

    time: float
    server: str
    kind: str
    identity: str
    fields: dict[str, Any]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        for line in path.read_bytes().splitlines():
            yield json.loads(line)


def _events(process: Life) -> list[dict[str, Any]]:
    """Every event so far; only new lines of the file are read, and frames are passed over."""
    if process.trace.exists():
        with process.trace.open("rb") as file:
            file.seek(process.read)
            new = file.read()
        whole = new.rfind(b"\n") + 1
        process.read += whole
        process.events += [
            json.loads(line) for line in new[:whole].splitlines() if _KIND in line[:_LOOKS_AT]
        ]
    return process.events


async def follow(stage: Stage) -> None:
    """Read new events all the time, a little at once: to read all takes as long as some frames."""
    while True:
        for process in tuple(stage.processes):
            _events(process)
        await trio.sleep(_READ_EVERY)


def events(processes: Iterable[Life]) -> list[Event]:
    """The events of the servers, in order of time."""
    found = [
        Event(
            line["time"],
            line["server"],
            line["kind"].removeprefix("failover."),
            str(line.get("identity", "")).rpartition("/")[2],
            line,
        )
        for process in processes
        for line in _events(process)
        if line["kind"].startswith("failover.")
    ]
    return sorted(found, key=lambda event: event.time)


def lateness(name: str, records: Iterable[EventRecord]) -> Lateness:
    """The times when the process ``name`` was late, from the events of its trace."""
    found = Lateness(name)
    for record in records:
        if record.kind == KIND:
            seconds, waited = record.fields["seconds"], record.fields["kept_waiting"]
            assert isinstance(seconds, float)
            assert isinstance(waited, float)
            found.stalls.append(Stall(record.time, seconds, waited))
        elif record.kind == "rtp.ticks_missed":
            missed, late = record.fields["missed"], record.fields["lateness"]
            assert isinstance(missed, int)
            assert isinstance(late, float)
            found.missed.append(Missed(record.time, missed, late))
    return found


def stops(witness: Life) -> list[Stall]:
    """When the whole machine stood still, as the process says that only looks on."""
    return [
        Stall(line["time"], line["seconds"], line["seconds"])
        for line in _events(witness)
        if line["kind"] == MACHINE
    ]


def lateness_of(process: Life) -> Lateness:
    """The times when another process was late, from its trace file."""
    return lateness(
        process.name,
        (EventRecord(line["time"], line["kind"], line) for line in _events(process)),
    )


def holdings(processes: Iterable[Life], started: float, now: float) -> list[Holding]:
    """Which process had which identity registered, in seconds since ``started``."""
    result: list[Holding] = []
    for process in processes:
        since: dict[str, float] = {}
        for event in events([process]):
            if event.kind == "registered":
                since.setdefault(event.identity, event.time)
            elif event.kind in ("lost", "refused", "unregistered", "closed"):
                begun = since.pop(event.identity, None)
                if begun is not None:
                    result.append(
                        _holding(event.identity, process.name, begun, event.time, started)
                    )
        end = process.ended or now
        result += [
            _holding(identity, process.name, begun, end, started)
            for identity, begun in since.items()
        ]
    return sorted(result, key=lambda each: each.start)


def _holding(identity: str, name: str, begun: float, ended: float, started: float) -> Holding:
    return Holding(identity, name, begun - started, ended - started)


def records(path: Path, protocols: frozenset[str]) -> Iterator[Record]:
    """The frames and packets of some protocols that a process wrote into its trace."""
    for line in _lines(path):
        protocol = line.get("protocol")
        if protocol not in protocols:
            continue
        local, remote = tuple(line["local"]), tuple(line["remote"])
        data = bytes.fromhex(line["data"])
        if protocol == "rtp":
            yield RtpRecord(line["time"], line["direction"], local, remote, data)
        else:
            yield FrameRecord(line["time"], protocol, line["direction"], local, remote, data)


def merge(processes: Iterable[Life], own: Iterable[Record], path: Path) -> int:
    """Write one pcap: signalling as the call manager saw it, RTP as each sender sent it."""
    everything: list[Record] = [record for record in own if isinstance(record, RtpRecord)]
    for process in processes:
        signalling = process.name == "callmanager"
        wanted = frozenset({"sccp", "cti"} if signalling else {"rtp"})
        everything += records(process.trace, wanted)
    everything.sort(key=lambda record: record.time)
    with PcapTrace(path) as trace:
        for record in everything:
            trace(record)
    return len(everything)
