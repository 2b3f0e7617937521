"""The operator's round of the demo: drain, start, return, move, rolling restart, with calls up.

Every order goes through the store, as `pa-telephony drain` and the others do; what they answer is
shown, and each is a moment of the timeline.
"""

from __future__ import annotations

import time
from contextlib import AsyncExitStack

import trio

from pa_telephony import failover
from pa_telephony.cli.demo.phones import Conversation, Phone
from pa_telephony.cli.demo.probe import Probe
from pa_telephony.cli.demo.scene import PATIENCE, Scene, hang_up
from pa_telephony.failover import Command
from pa_telephony.failover.intent import Answer
from pa_telephony.failover.rolling import State

__all__ = ["Operating"]

_ANSWERS_WITHIN = 60.0
"""Seconds that an order may take to be obeyed; how long it takes is not judged."""
_DRAINS_WITHIN = 120
_RETURNS_WITHIN = 1
"""Seconds that the call at the stand-in has when its home is to have its own back now."""


class Operating(Scene):
    """What an operator does, and what callers notice of it."""

    async def _order(self, command: Command, name: str, *, final: bool = True) -> Answer:
        """Give an order and show its answer; ``final``: it has to be obeyed by then."""
        within = _ANSWERS_WITHIN if final else 2.0
        see = failover.control_and_see
        (answer,) = await see(self._cluster, command, [name], within=within)
        self._answered(command.value.capitalize(), answer, final=final)
        return answer

    def _answered(self, what: str, answer: Answer, *, final: bool = True) -> None:
        """Show an answer; what it says in the end is judged."""
        if final:
            self.report.check(f"{what} answers with what has happened", answer.obeyed, answer.words)
        else:
            self.report.step(answer.words)

    async def _operate(self, phones: dict[str, Phone]) -> None:
        async with AsyncExitStack() as calls:
            stays = await calls.enter_async_context(phones["1003"].calls("6000"))
            await self._greeted(stays, "1003 calls 6000 and stays on the media port")
            await self._drained(phones, stays)
        self._remember("1003 ↔ 6000", stays)
        await self._returned(phones)
        await self._moved()
        await self._restarted(phones)
        await self._show()

    async def _drained(self, phones: dict[str, Phone], stays: Conversation) -> None:
        """PA1 is drained: its call lives to its end, and PA2 answers meanwhile."""
        report, answers = self.report, list[Answer]()
        probe = Probe(phones["1005"].station)

        def told(answer: Answer) -> None:
            report.step(answer.words)

        async def drain() -> None:
            answers.extend(
                await failover.control_and_see(
                    self._cluster,
                    Command.DRAIN,
                    ["PA1"],
                    within=_DRAINS_WITHIN,
                    deadline=_DRAINS_WITHIN,
                    told=told,
                )
            )

        async with trio.open_nursery() as nursery:
            async with probe.calling():
                self._moment(time.time(), "drain PA1")
                nursery.start_soon(drain)
                (kept,) = {"6001", "6002"} & {_port(stays)}
                others = {"6000", "6001", "6002", "5XXX"} - {kept}
                await self._until(
                    "PA2 has all but the port with the call", self._held("PA2", *others)
                )
                await trio.sleep(0.5)
            report.check("the call on PA1 goes on", stays.up, "it is up")
            self._answered_throughout(probe, "the drain")
            async with phones["1004"].calls("6000") as guest:
                await self._greeted(guest, "1004 calls 6000 meanwhile, at PA2")
                report.check(
                    "who calls while PA1 is drained is answered by PA2",
                    self._answered_by(guest) == "PA2",
                    f"{self._answered_by(guest)} answered",
                )
            self._remember("1004 ↔ 6000", guest)
            report.check("the call lives to its end", stays.up, "1003 hangs up")
            self._moment(time.time(), "1003 hangs up")
            await hang_up(stays)
        for answer in answers:
            self._answered("Drain", answer)

    async def _returned(self, phones: dict[str, Phone]) -> None:
        """PA1 is started, and gets its own back now; a call that delays that is ended."""
        report = self.report
        async with phones["1003"].calls("6000") as held:
            await self._greeted(held, "1003 calls 6000, at PA2, and stays")
            self._moment(time.time(), "start PA1")
            await self._order(Command.START, "PA1", final=False)
            await self._until("PA1 runs", self._runs("PA1"))
            began = time.time()
            self._moment(began, "return PA1")
            answer = await failover.return_and_see(
                self._cluster, "PA1", within=_ANSWERS_WITHIN, deadline=_RETURNS_WITHIN
            )
            self._answered("Return", answer)
            with trio.move_on_after(PATIENCE):
                while held.up:  # noqa: ASYNC110
                    await trio.sleep(0.02)
            reasons = [
                str(event.fields["why"])
                for event in self._events("PA2")
                if event.kind == "call.ended" and event.time >= began
            ]
            report.check(
                "the call at PA2 is ended at the deadline, for a reason",
                not held.up and len(reasons) == 1,
                f"{held.ended - began:.1f} s after the order: {', '.join(reasons) or 'no reason'}",
            )
        self._remember("1003 ↔ 6000", held)

    async def _moved(self) -> None:
        """PA1's numbers go to PA2 by order, and home again."""
        for to in ("PA2", None):
            self._moment(time.time(), f"move PA1 {to or 'PA1'}")
            answer = await failover.move_and_see(self._cluster, "PA1", to, within=_ANSWERS_WITHIN)
            self._answered("Move", answer)

    async def _restarted(self, phones: dict[str, Phone]) -> None:
        """Both servers are restarted, one after the other, and a phone calls again and again."""
        before = {name: self.stage.life(name) for name in ("PA1", "PA2")}
        probe = Probe(phones["1005"].station)
        told: list[str] = []

        def tell(words: str) -> None:
            if words.endswith(" is next"):
                self._moment(time.time(), f"restart: {words}")
            # Calls begin and end all the time, and with them what keeps a port.
            if words not in told:
                self.report.step(words)
            told.append(words)

        async with probe.calling():
            roll = await failover.restart_and_see(self._cluster, told=tell)
            self._moment(time.time(), str(roll))
        after = {name: self.stage.life(name) for name in before}
        anew = all(after[name] is not before[name] for name in before)
        self.report.check(
            "PA1 and PA2 are restarted, one after the other",
            roll.state is State.DONE and anew,
            str(roll),
        )
        self._answered_throughout(probe, "the rolling restart")


def _port(conversation: Conversation) -> str:
    assert conversation.call is not None
    return conversation.call.connected_to
