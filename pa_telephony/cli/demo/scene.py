"""What every part of the demo needs: calls that are judged, and questions to the cluster."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property

import trio

from pa_telephony import failover
from pa_telephony.cli.demo import checks
from pa_telephony.cli.demo.evidence import Event, events, lateness, lateness_of, stops
from pa_telephony.cli.demo.excuses import Excuse, Lateness, excuse_holes, excuse_time
from pa_telephony.cli.demo.phones import Conversation, Phone
from pa_telephony.cli.demo.probe import Probe
from pa_telephony.cli.demo.report import Report
from pa_telephony.cli.demo.setting import PHONES, Stage, greeting
from pa_telephony.cli.status import page
from pa_telephony.errors import ConnectionLost
from pa_telephony.failover import ServerStatus, Severity
from pa_telephony.trace import EventRecord, Record

__all__ = ["HERTZ", "IDENTITIES", "PATIENCE", "Scene", "gaps_in_talk", "hang_up"]

IDENTITIES = ("6000", "6001", "6002", "5XXX")
HERTZ = dict(zip(PHONES.values(), (700.0, 500.0, 1100.0, 1300.0, 1500.0, 900.0), strict=True))
PATIENCE = 12.0
_LONGER = 2.0
_WORDS = 0.5
_PHONES = "phones"
"""The name of this process in reports, where all the phones live."""
_HEARD = 0.8
"""Correlation from which a recording counts as the greeting; another sound stays below 0.3."""


@dataclass
class Scene:
    """Tells the report what was seen of calls and servers; the rounds are its heirs."""

    stage: Stage
    report: Report
    records: list[Record]
    conversations: list[tuple[str, Conversation]] = field(
        default_factory=list[tuple[str, Conversation]]
    )
    moments: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    takeovers: list[float] = field(default_factory=list[float])
    drop_every: int = 0
    """The self-check: phones do not hear one frame in so many; 0 is none."""

    # Calls.

    async def _greeted(self, conversation: Conversation, what: str) -> None:
        wanted = greeting().samples
        enough = len(wanted) / checks.RATE + 0.3
        with trio.move_on_after(PATIENCE):
            while conversation.up and conversation.recording.seconds < enough:  # noqa: ASYNC110
                await trio.sleep(0.05)
        match = await self._found(wanted, conversation)
        with trio.move_on_after(_LONGER):
            # A player that stood still has not reached the end yet.
            while conversation.up and match.gaps:
                await trio.sleep(0.2)
                match = await self._found(wanted, conversation)
        holes = [conversation.hole(gap) for gap in match.gaps]
        speaker, listener = self._lateness(self._answered_by(conversation), _PHONES)
        excuse = excuse_holes(holes, speaker, listener)
        self.report.check(
            f"{what}: hears the greeting",
            match.correlation > _HEARD and not excuse.judged,
            f"correlation {match.correlation:.3f}, "
            f"{match.missing} of {len(wanted) // checks.FRAME} frames missing",
            not_judged=_frames(excuse),
            correlation=match.correlation,
            frames_missing=match.missing,
            frames_not_judged=excuse.excused,
        )

    async def _found(self, wanted: checks.Samples, conversation: Conversation) -> checks.Match:
        """Look for a sound in a thread, so that the calls do not stand still for it."""
        return await trio.to_thread.run_sync(checks.find, wanted, conversation.recording.samples)

    async def _transferred(self, caller: Conversation, target: Phone) -> Conversation:
        assert caller.call is not None
        count = len(target.answered) + 1
        await caller.call.send_digits("1")
        other = Conversation(target.number, "")
        with trio.move_on_after(PATIENCE):
            other = await target.wait_answered(count)
            # Two phones are told by two connections.
            while not (other.up and caller.up):  # noqa: ASYNC110
                await trio.sleep(0.02)
        self.report.check(
            "1 is pressed: the call is transferred to 1002", other.up and caller.up, "1002 answered"
        )
        return other

    async def _intercepted(self, phones: dict[str, Phone], when: str, *, by: str) -> None:
        extension = phones["5123"]
        begun = time.time()
        count = len(extension.answered) + 1
        async with phones["1004"].calls("5123") as conversation:
            other = Conversation(extension.number, "")
            with trio.move_on_after(PATIENCE):
                other = await extension.wait_answered(count)
                heard = conversation.recording, other.recording
                while min(each.seconds for each in heard) < _WORDS:  # noqa: ASYNC110
                    await trio.sleep(0.05)
        there = checks.tone_gaps(extension.hertz, conversation.recording.samples)
        back = checks.tone_gaps(HERTZ["1004"], other.recording.samples)
        two_way = there is not None and back is not None
        routed = any(
            event.kind == "intercepted" and event.identity == "5XXX" and event.time > begun
            for event in self._events(by)
        )
        self.report.check(
            f"{when} the outage a call to 5123 is intercepted and reaches the extension",
            two_way and routed,
            f"{by if routed else 'nobody'} routed it, "
            + ("both hear each other" if two_way else "no sound"),
        )
        self._remember("1004 ↔ 5123", conversation)

    async def _two_way(self, one: Conversation, other: Conversation) -> None:
        for listener, speaker in ((one, other), (other, one)):
            hertz = listener.expects = HERTZ[speaker.phone]
            gaps = await trio.to_thread.run_sync(
                checks.tone_gaps, hertz, listener.recording.samples
            )
            lost = sum(gap.frames for gap in gaps) if gaps is not None else -1
            longest = max((gap.frames for gap in gaps or ()), default=0) * 20
            (here,) = self._lateness(_PHONES)
            excuse = excuse_holes([listener.hole(gap) for gap in gaps or ()], here, here)
            self.report.check(
                f"{listener.phone} hears {speaker.phone} all the time",
                gaps is not None and not excuse.judged,
                f"{listener.recording.seconds:.1f} s of {hertz:.0f} Hz, "
                f"{lost} frame{'' if lost == 1 else 's'} missing, longest gap {longest} ms",
                not_judged=_frames(excuse),
                frames_missing=lost,
                frames_not_judged=excuse.excused,
                longest_gap_ms=longest,
            )

    def _answered_throughout(self, probe: Probe, what: str = "the return") -> None:
        probe.ask_servers([*self._events("PA1"), *self._events("PA2")])
        dialled = len(probe.callers)
        turned_away = "".join(f"; turned away: {caller}" for caller in probe.turned_away)
        self.report.check(
            f"6000 is answered throughout {what}",
            0 < probe.answered == dialled,
            f"{probe.answered} of {dialled} calls, the slowest after "
            f"{probe.slowest * 1000:.0f} ms{turned_away}",
            answered=probe.answered,
            dialled=dialled,
            slowest_seconds=probe.slowest,
            callers=probe.document(),
        )

    # Questions to the cluster.

    @cached_property
    def _cluster(self) -> failover.Cluster:
        return failover.load(self.stage.cluster_file)

    async def _pages(self) -> dict[str, ServerStatus]:
        """The servers' pages. An etcd that has just lost a member may need a second to answer."""
        until = trio.current_time() + PATIENCE
        while True:
            try:
                return {each.name: each for each in await failover.read_status(self._cluster)}
            except ConnectionLost:
                if trio.current_time() > until:
                    raise
                await trio.sleep(0.05)

    async def _show(self) -> None:
        table = page(list((await self._pages()).values()))
        # To draw it takes as long as a frame; calls go on meanwhile.
        await trio.to_thread.run_sync(self.report.show, table)

    async def _holds(self, server: str, *numbers: str) -> bool:
        resources = (await self._pages())["PA1"].resources
        return all(
            each.up and each.holder == server
            for each in resources
            if each.identity.number in numbers
        )

    def _served_by(self, server: str) -> Callable[[], Awaitable[bool]]:
        return self._held(server, *IDENTITIES)

    def _held(self, server: str, *numbers: str) -> Callable[[], Awaitable[bool]]:
        async def held() -> bool:
            return await self._holds(server, *numbers)

        return held

    async def _all_is_well(self) -> bool:
        pages = (await self._pages()).values()
        return all(each.severity is Severity.NORMAL for each in pages)

    def _runs(self, server: str) -> Callable[[], Awaitable[bool]]:
        async def runs() -> bool:
            return (await self._pages())[server].up

        return runs

    async def _nothing_is_served(self) -> bool:
        return not any(each.up for each in (await self._pages())["PA1"].resources)

    async def _until(self, what: str, condition: Callable[[], Awaitable[bool]]) -> None:
        began = time.time()
        everybody = ("PA1", "PA2", "callmanager", _PHONES)
        while not await condition():
            seconds = time.time() - began
            if seconds > PATIENCE:
                excuse = excuse_time(seconds, self._lateness(*everybody), began)
                if excuse.judged > PATIENCE:
                    self.report.check(what, False, f"not within {seconds:.0f} s: {excuse.why}")
                    return
            await trio.sleep(0.05)
        self.report.step(what)

    def _ports(self) -> tuple[str, str]:
        """The port of PA2 that has a call, and the one that has none."""
        busy: set[str] = set()
        for event in self._events("PA2"):
            if event.kind in ("busy", "idle"):
                (busy.add if event.kind == "busy" else busy.discard)(event.identity)
        return ("6001", "6002") if "6001" in busy else ("6002", "6001")

    def _events(self, server: str) -> list[Event]:
        return events(each for each in self.stage.processes if each.name == server)

    def _answered_by(self, conversation: Conversation) -> str:
        """The server that has a call at the port that was reached."""
        assert conversation.call is not None
        port = conversation.call.connected_to
        busy = [
            event
            for event in (*self._events("PA1"), *self._events("PA2"))
            if event.kind == "busy" and event.identity == port
        ]
        return max(busy, key=lambda event: event.time).server if busy else "PA1"

    def _lateness(self, *processes: str) -> list[Lateness]:
        """The times when each of these processes was late, all its lives together."""
        found: list[Lateness] = []
        machine = [] if self.stage.witness is None else stops(self.stage.witness)
        for name in processes:
            lives = [each for each in self.stage.processes if each.name == name]
            late = Lateness(name, machine=machine)
            for life in lives:
                late.add(lateness_of(life))
            if name == _PHONES:
                late.add(Lateness(name, self.stage.stalls))
                late.add(
                    lateness(name, [each for each in self.records if isinstance(each, EventRecord)])
                )
            found.append(late)
        return found

    def _takeover(self, fell: float) -> float:
        """Seconds until the last of the four identities was registered at PA2."""
        at = {
            event.identity: event.time
            for event in reversed(self._events("PA2"))
            if event.kind == "registered" and event.time > fell
        }
        if not set(IDENTITIES) <= at.keys():
            return float("inf")
        return max(at[identity] for identity in IDENTITIES) - fell

    def _refusals(self, server: str, since: float) -> list[tuple[float, float]]:
        """When the call manager refused an identity at a server, and when that had it then."""
        found = [each for each in self._events(server) if each.time > since]
        registered = [each for each in found if each.kind == "registered"]
        return [
            (refused.time, min(later))
            for refused in found
            if refused.kind == "refused"
            and (
                later := [
                    each.time
                    for each in registered
                    if each.identity == refused.identity and each.time > refused.time
                ]
            )
        ]

    def _moment(self, at: float, label: str) -> None:
        self.moments.append((at, label))

    def _remember(self, label: str, *conversations: Conversation) -> None:
        self.conversations += [(label, each) for each in conversations]


def gaps_in_talk(conversation: Conversation) -> tuple[checks.Gap, ...]:
    """The gaps in the other phone's tone, in seconds of the recording."""
    if not conversation.expects:
        return ()
    return checks.tone_gaps(conversation.expects, conversation.recording.samples) or ()


def _frames(excuse: Excuse) -> str:
    if not excuse.excused:
        return ""
    judged = f"; {excuse.judged} for no such reason" if excuse.judged else ""
    return f"{excuse.excused} of them, {excuse.why}{judged}"


async def hang_up(conversation: Conversation) -> None:
    """Hang up a call whose block goes on."""
    assert conversation.call is not None
    await conversation.call.hang_up()
