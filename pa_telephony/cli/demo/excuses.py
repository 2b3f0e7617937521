"""What the demo does not judge: sound and time lost while a process was kept from running. Pure.

A process says when it stood still and for how much of that the machine gave it no CPU
(:mod:`pa_telephony.cli.stalls`), and its media engine how many frames of 20 ms it never sent
because it was late. A process that only looks on says when the whole machine stood still
(:mod:`pa_telephony.cli.demo.witness`). A gap in a recording is excused frame by frame: as many as
the engines at its two ends missed about then, and only where the process did not keep itself busy.
Everything else that is missing counts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

__all__ = [
    "Excuse",
    "Hole",
    "Lateness",
    "Missed",
    "Stall",
    "excuse_holes",
    "excuse_refusals",
    "excuse_time",
]

_TICK = 0.02
_PLAYOUT = 0.06
"""Seconds that the receiving engine keeps in hand; packets that come later are not played."""
_ABOUT_THEN = 0.35
"""Seconds between the tick that was late and the hole in the sound that was played."""
_LONGEST = 30.0
"""Seconds for which a process may stand still; none that lives stands still for longer."""
_SLOWER = 2
"""How much longer a process takes for its own work where it mostly waits for a CPU: what it needs
is in no cache any more when it gets one."""
_RESTART = 4
"""How many frames a receiver drops before it takes a stream that is late for a new one."""


@dataclass(frozen=True, slots=True)
class Stall:
    """A process stood still for the ``seconds`` up to ``end`` (wall clock).

    For ``kept_waiting`` of them it was ready and got no CPU.
    """

    end: float
    seconds: float
    kept_waiting: float

    @property
    def start(self) -> float:
        """When the stall began, by the wall clock."""
        return self.end - self.seconds


def _end(stall: Stall) -> float:
    return stall.end


def _waited(stalls: list[Stall], start: float, end: float) -> float:
    total = 0.0
    for each in stalls[bisect_right(stalls, start, key=_end) :]:
        if each.start < end:
            total += min(each.kept_waiting, min(end, each.end) - max(start, each.start))
        elif each.start > end + _LONGEST:
            break
    return total


@dataclass(frozen=True, slots=True)
class Missed:
    """A tick of a media engine was ``lateness`` seconds late, at ``time`` (wall clock).

    ``frames`` of 20 ms were never sent.
    """

    time: float
    frames: int
    lateness: float


@dataclass
class Lateness:
    """All stalls and late ticks of one process, in order of time."""

    process: str
    stalls: list[Stall] = field(default_factory=list[Stall])
    missed: list[Missed] = field(default_factory=list[Missed])
    machine: list[Stall] = field(default_factory=list[Stall])
    """When nothing at all ran, in order of time."""

    def kept_waiting(self, start: float, end: float) -> float:
        """For how many seconds between two times (wall clock) it was ready and got no CPU."""
        return _waited(self.stalls, start, end)

    def stopped(self, start: float, end: float) -> float:
        """For how many seconds between two times (wall clock) the whole machine stood still."""
        return _waited(self.machine, start, end)

    def add(self, more: Lateness) -> None:
        """Add the stalls and late ticks of another life of the process, or of another source."""
        self.stalls = sorted([*self.stalls, *more.stalls], key=_end)
        self.missed = sorted([*self.missed, *more.missed], key=lambda each: each.time)

    def own(self, missed: Missed) -> float:
        """By how many seconds the tick would have been late had the machine let it run."""
        then = missed.time - missed.lateness, missed.time + _TICK / 2
        waited = self.kept_waiting(*then) + self.stopped(*then)
        own = max(missed.lateness - waited, 0.0)
        return own / _SLOWER if waited > own else own

    def excused_frames(self, missed: Missed) -> int:
        """How many of the missed frames would have been sent had the process always got a CPU."""
        return max(missed.frames - int(self.own(missed) / _TICK), 0)


@dataclass(frozen=True, slots=True)
class Hole:
    """How many ``frames`` were missing in the sound from ``start`` to ``end`` (wall clock)."""

    start: float
    end: float
    frames: int


@dataclass(frozen=True, slots=True)
class Excuse:
    """How many frames or seconds are not judged, and how many are; ``why`` is a sentence."""

    excused: float
    judged: float
    why: str


def excuse_holes(holes: Iterable[Hole], speaker: Lateness, listener: Lateness) -> Excuse:
    """How many of the missing frames are excused by late ticks for lack of CPU.

    Each frame that an engine missed excuses one missing frame, once.
    """
    holes = list(holes)
    if not holes:
        return Excuse(0, 0, "")
    span = (
        min(hole.start for hole in holes) - _ABOUT_THEN,
        max(hole.end for hole in holes) + _ABOUT_THEN,
    )
    causes = [*_of_speaker(speaker, span), *_of_listener(listener, span)]
    left = [cause.frames for cause in causes]
    used: list[_Cause] = []
    judged = excused = 0
    for hole in holes:
        wanted = hole.frames
        for number, cause in enumerate(causes):
            about_then = hole.start - _ABOUT_THEN <= cause.time <= hole.end + _ABOUT_THEN
            taken = min(wanted, left[number]) if about_then else 0
            if taken:
                left[number] -= taken
                wanted -= taken
                excused += taken
                used.append(cause)
        judged += wanted
    longest: dict[str, float] = {}
    for cause in used:
        longest[cause.process] = max(longest.get(cause.process, 0.0), cause.lateness)
    return Excuse(excused, judged, _in_words(longest))


@dataclass(frozen=True, slots=True)
class _Cause:
    process: str
    time: float
    frames: int
    lateness: float


def _of_speaker(speaker: Lateness, span: tuple[float, float]) -> Iterable[_Cause]:
    for missed in speaker.missed:
        if span[0] <= missed.time <= span[1] and (frames := speaker.excused_frames(missed)):
            # The frame that lay ready went out when the tick came at last: too late to be played.
            frames += missed.lateness > _PLAYOUT / 2 >= speaker.own(missed)
            yield _Cause(speaker.process, missed.time, frames, missed.lateness)


def _of_listener(listener: Lateness, span: tuple[float, float]) -> Iterable[_Cause]:
    for missed in listener.missed:
        if not span[0] <= missed.time <= span[1] or missed.lateness <= _PLAYOUT / 2:
            continue
        if frames := listener.excused_frames(missed):
            yield _Cause(listener.process, missed.time, frames + _RESTART, missed.lateness)


def excuse_time(seconds: float, processes: Sequence[Lateness], start: float) -> Excuse:
    """How much of the ``seconds`` since ``start`` went by while one of ``processes`` got no CPU.

    They act one after the other, so each one's waiting counts; a machine that stood still did so
    for all of them at once.
    """
    waited = {each.process: each.kept_waiting(start, start + seconds) for each in processes}
    waited["the machine"] = max(
        (each.stopped(start, start + seconds) for each in processes), default=0.0
    )
    total = min(sum(waited.values()), seconds)
    return Excuse(
        total, seconds - total, _in_words({name: each for name, each in waited.items() if each})
    )


def excuse_refusals(
    refusals: Iterable[tuple[float, float]], call_manager: Lateness, start: float
) -> float:
    """The seconds lost by refusals since ``start``, when a server ended: to each the next success.

    A call manager that stands still does not hear that the connections of a dead server have
    ended, and refuses its stand-in then, which asks again after a second.
    """
    return max(
        (
            again - at
            for at, again in refusals
            if call_manager.kept_waiting(start, at) + call_manager.stopped(start, at) >= _TICK
        ),
        default=0.0,
    )


def _in_words(longest: dict[str, float]) -> str:
    return ", ".join(
        f"{process} stood still for {seconds * 1000:.0f} ms" for process, seconds in longest.items()
    )
