"""What the call managers saw while machines were cut off, lost and stopped, and what is allowed.

A call manager believes for a while in a connection whose other end is gone. Judged are the
registrations *in force*: those through which their server could still do something. Two servers
must never have a media port in force, nor a route point for longer than a return lasts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from faultjudge import LINGER, Call, Change, Fault, Observer, Verdict, doubles, stood_still

__all__ = ["BACK", "CUTS", "DEATHS", "in_force", "judge_machines", "outages"]

CUTS = ("cut from everything", "cut from the call managers")
"""Faults in which no call manager hears of a server, until it is :data:`BACK`."""
DEATHS = ("SIGKILL", "lost")
"""After these no connection of before can be used any more."""
BACK = "back"
_GOES_ON = 0.5
"""Seconds after SIGCONT within which a server has noticed."""
_IN_FLIGHT = 0.1
"""Seconds for which a call manager may still hear what was sent before."""
_SILENCE = 12.0
"""Seconds within which a call has ended that a fault ends: keepalives are missed, or the server
stops acting, and somebody else registers."""
_NO_REASON = ("start", "returned")


@dataclass(frozen=True, slots=True)
class _Outage:
    """From ``start`` to ``end`` a server cannot use the connections that it had then."""

    process: str
    start: float
    end: float

    def covers(self, name: str, time: float, opened: float) -> bool:
        return name == self.process and opened - _IN_FLIGHT <= self.start <= time < self.end


def outages(faults: Sequence[Fault]) -> list[_Outage]:
    """When servers could not use their connections."""
    found: list[_Outage] = []
    begun: dict[tuple[str, str], float] = {}
    for fault in sorted(faults, key=lambda each: each.time):
        name, now = fault.process, fault.time
        if fault.what in DEATHS:
            found.append(_Outage(name, now, float("inf")))
        elif fault.what in (*CUTS, "SIGSTOP"):
            begun.setdefault((name, fault.what), now)
        elif fault.what == "SIGCONT" and (name, "SIGSTOP") in begun:
            found.append(_Outage(name, begun.pop((name, "SIGSTOP")), now + _GOES_ON))
        elif fault.what == BACK:
            for cut in CUTS:
                if (name, cut) in begun:
                    start = begun.pop((name, cut))
                    # The end of a connection is told again and again, each time after twice as
                    # long: it comes through at the latest when it was cut as long once more.
                    found.append(_Outage(name, start, now + (now - start) + 1.0))
    return found + [_Outage(name, start, float("inf")) for (name, _), start in begun.items()]


def in_force(changes: Sequence[Change], faults: Sequence[Fault]) -> list[Change]:
    """The same changes, each server once, without the registrations that nobody could use then."""
    silent = outages(faults)
    opened: dict[tuple[str, str, int], float] = {}
    last: dict[str, Change] = {}
    found: list[Change] = []
    ordered = sorted(changes, key=lambda each: each.time)
    # What a server has not given up counts from the moment on at which it can be used again.
    moments = sorted({each.end for each in silent if each.end != float("inf")})

    def used(change: Change) -> Change:
        kept = {
            name: port
            for name, port in zip(change.by, change.sessions, strict=True)
            if not any(
                each.covers(name, change.time, opened[change.device, name, port]) for each in silent
            )
        }
        return Change(change.time, change.device, tuple(kept), tuple(kept.values()))

    for change in ordered:
        while moments and moments[0] <= change.time:
            at = moments.pop(0)
            found += [used(Change(at, e.device, e.by, e.sessions)) for e in last.values()]
        for name, port in zip(change.by, change.sessions, strict=True):
            opened.setdefault((change.device, name, port), change.time)
        last[change.device] = change
        found.append(used(change))
    for at in moments:
        found += [used(Change(at, e.device, e.by, e.sessions)) for e in last.values()]
    return found


def judge_machines(
    observer: Observer,
    calls: Sequence[Call],
    faults: Sequence[Fault],
    ports: Mapping[str, str],
    now: float,
) -> Verdict:
    """Judge a whole run. ``ports`` are devices by number."""
    observer.look()
    verdict = Verdict()
    for double in doubles(in_force(observer.changes, faults), now):
        heard = double.end - double.start - stood_still("cm", double.start, double.end, faults)
        if double.is_port or heard > LINGER:
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


def _has_reason(call: Call, holder: str, faults: Sequence[Fault]) -> bool:
    return any(
        fault.what not in _NO_REASON
        and fault.process in (holder, "cm")
        and -0.1 < call.end - fault.time < _SILENCE
        for fault in faults
    )
