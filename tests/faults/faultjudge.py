"""What the observer inside the call manager saw, and whether it was allowed.

Judged is the call manager's view: two servers must never have one media port, nor a route point
for longer than the return of one lasts; and no call ends without a reason. A server that is
stopped (SIGSTOP) cannot give anything up, so what it has doubled until it goes on is no fault.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = [
    "LINGER",
    "Call",
    "Change",
    "Double",
    "Fault",
    "Observer",
    "Verdict",
    "doubles",
    "judge",
    "read_calls",
    "stood_still",
]

LINGER = 1.6
"""Seconds for which both may have a route point: ``timing.linger`` and a slow answer."""
_GOES_ON = 0.5
"""Seconds after SIGCONT within which a server has noticed."""
_REASON = 1.5
"""Seconds between a fault and the end of a call that it ends; a call manager notices at once."""
_SILENCE = 8.0
"""The same for a server that stands still: its keepalives must be missed first."""
_LASTS = ("descriptors",)
"""Faults that go on until the end of the scenario."""


@dataclass(frozen=True, slots=True)
class Change:
    """From ``time`` on a device is had by these servers, in the order of registration."""

    time: float
    device: str
    by: tuple[str, ...]
    sessions: tuple[int, ...] = ()
    """For each of these the TCP port of the connection by which it has the device."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something was done to a process: ``what`` is a signal's name, or "start"."""

    time: float
    what: str
    process: str


@dataclass(frozen=True, slots=True)
class Double:
    """Several servers had one device."""

    device: str
    start: float
    end: float
    by: tuple[str, ...]

    @property
    def is_port(self) -> bool:
        """Whether it is a media port, which never goes to two."""
        return self.device.startswith("VI")

    def __str__(self) -> str:
        return f"{self.device} at {' and '.join(self.by)} for {self.end - self.start:.2f} s"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the callers; see ``programs/callers.py``."""

    dialled: float
    end: float
    number: str
    result: str
    why: str = ""
    up: float = 0.0
    at: str = ""


class Observer:
    """Follows the files of observers, one a call manager; ``names`` are servers by address."""

    def __init__(self, names: Mapping[str, str], *files: Path) -> None:
        self.changes: list[Change] = []
        self.holders: dict[str, tuple[str, ...]] = {}
        """Who has each device now at any call manager, as far as was read."""
        self._names = names
        self._read = dict.fromkeys(files, 0)
        self._seen: list[tuple[float, Path, Change | None]] = []
        """What was read; None for a call manager that has just started."""
        for file in files:
            file.touch()

    def look(self) -> dict[str, tuple[str, ...]]:
        """Read on, and give :attr:`holders`."""
        before = len(self._seen)
        for file in self._read:
            for line in self._new_lines(file):
                self._seen.append((line["time"], file, self._change(line)))
        if len(self._seen) > before:
            self._put_together()
        return self.holders

    def _new_lines(self, path: Path) -> list[dict[str, Any]]:
        with path.open("rb") as file:
            file.seek(self._read[path])
            new = file.read()
        whole = new.rfind(b"\n") + 1
        self._read[path] += whole
        return [json.loads(line) for line in new[:whole].splitlines()]

    def _change(self, line: Mapping[str, Any]) -> Change | None:
        if "up" in line:
            return None
        by = tuple(self._names.get(each, each) for each in line["by"])
        return Change(line["time"], line["device"], by, tuple(line.get("ports", ())))

    def _put_together(self) -> None:
        """What all call managers say of a device, in the order of time."""
        self.changes = []
        self.holders = {}
        there: dict[str, dict[Path, Change]] = {}
        for time, file, change in sorted(self._seen, key=lambda each: each[0]):
            if change is None:  # It has no device registered.
                gone = [each for each, at in there.items() if at.pop(file, None)]
            else:
                there.setdefault(change.device, {})[file] = change
                gone = [change.device]
            for device in gone:
                parts = there[device].values()
                by = tuple(name for each in parts for name in each.by)
                sessions = tuple(port for each in parts for port in each.sessions)
                self.changes.append(Change(time, device, by, sessions))
                self.holders[device] = by

    def last_change(self, devices: Iterable[str]) -> float:
        """When one of these devices last changed hands; 0.0 for never."""
        known = set(devices)
        return max((each.time for each in self.changes if each.device in known), default=0.0)

    def doubles(self, now: float) -> list[Double]:
        """Every stretch in which several had one device."""
        return doubles(self.changes, now)

    def holder_at(self, device: str, time: float) -> str:
        """The server that had a device then; "" for none."""
        before = [each for each in self.changes if each.device == device and each.time <= time]
        return before[-1].by[-1] if before and before[-1].by else ""


def doubles(changes: Sequence[Change], now: float) -> list[Double]:
    """Every stretch of these in which several had one device."""
    open_: dict[str, Change] = {}
    found: list[Double] = []
    for change in sorted(changes, key=lambda each: each.time):
        begun = open_.get(change.device)
        if len(change.by) > 1:
            open_.setdefault(change.device, change)
        elif begun is not None:
            del open_[change.device]
            found.append(Double(change.device, begun.time, change.time, begun.by))
    return found + [Double(each.device, each.time, now, each.by) for each in open_.values()]


@dataclass
class Verdict:
    """What was not allowed, in words; and how many calls went how."""

    wrong: list[str] = field(default_factory=list[str])
    calls: dict[str, int] = field(default_factory=dict[str, int])

    def __str__(self) -> str:
        calls = ", ".join(f"{count} {result}" for result, count in sorted(self.calls.items()))
        return f"calls: {calls or 'none'}; " + ("; ".join(self.wrong) or "nothing that may not be")


def judge(
    observer: Observer,
    calls: Sequence[Call],
    faults: Sequence[Fault],
    ports: Mapping[str, str],
    now: float,
) -> Verdict:
    """Judge a whole run. ``ports`` are devices by number."""
    observer.look()
    verdict = Verdict()
    for double in observer.doubles(now):
        # A call manager that stands still hears of nothing, and so does the observer.
        heard = double.end - double.start - stood_still("cm", double.start, double.end, faults)
        allowed = not double.is_port and heard <= LINGER
        if not allowed and not _was_stopped(double, faults):
            verdict.wrong.append(str(double))
    for call in calls:
        verdict.calls[call.result] = verdict.calls.get(call.result, 0) + 1
        if call.result == "dropped":
            holder = observer.holder_at(ports.get(call.at, ""), call.up)
            if not _has_reason(call, holder, faults):
                verdict.wrong.append(
                    f"a call at {call.at} ({holder or 'nobody'}) was dropped after "
                    f"{call.end - call.up:.1f} s"
                )
    return verdict


def stood_still(process: str, start: float, end: float, faults: Sequence[Fault]) -> float:
    """For how many seconds between two times a process was stopped."""
    total, since = 0.0, None
    for fault in faults:
        if fault.process == process and fault.what == "SIGSTOP":
            since = fault.time
        elif fault.process == process and since is not None:
            total += max(0.0, min(end, fault.time) - max(start, since))
            since = None
    return total


def _was_stopped(double: Double, faults: Sequence[Fault]) -> bool:
    """One of the holders stood still, and gave it up when it went on."""
    stopped: dict[str, float] = {}
    for fault in faults:
        if fault.what == "SIGSTOP":
            stopped[fault.process] = fault.time
        elif fault.what in ("SIGCONT", "SIGKILL") and fault.process in stopped:
            began = stopped.pop(fault.process)
            inside = began < double.end and fault.time > double.start
            if fault.process in double.by and inside and double.end - fault.time <= _GOES_ON:
                return True
    return any(name in double.by for name in stopped)


def _has_reason(call: Call, holder: str, faults: Sequence[Fault]) -> bool:
    for fault in faults:
        window = _SILENCE if fault.what in ("SIGSTOP", "SIGCONT") else _REASON
        if fault.what in _LASTS:
            window = float("inf")
        ours = fault.what != "start" and fault.process in (holder, "cm")
        if ours and -0.1 < call.end - fault.time < window:
            return True
    return False


def read_calls(file: Path) -> list[Call]:
    """Every call that is over."""
    if not file.exists():
        return []
    lines: list[dict[str, Any]] = [json.loads(line) for line in file.read_text().splitlines()]
    return [Call(**line) for line in lines]
