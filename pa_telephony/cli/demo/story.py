"""The story of the demo: PA1 is stopped, then killed; PA2 stands in; PA1 comes home.

An agent keeps both servers, and every order goes through the store; the third round is an
operator's (:mod:`operator`).
"""

from __future__ import annotations

import contextlib
import gc
import sys
import time
from collections.abc import Generator
from contextlib import AsyncExitStack

import trio

from pa_telephony import failover, rtp, sccp
from pa_telephony.cli.demo.evidence import events, follow
from pa_telephony.cli.demo.excuses import excuse_refusals, excuse_time
from pa_telephony.cli.demo.operator import Operating
from pa_telephony.cli.demo.phones import Phone
from pa_telephony.cli.demo.probe import Probe
from pa_telephony.cli.demo.scene import HERTZ, PATIENCE, hang_up
from pa_telephony.cli.demo.setting import PHONES
from pa_telephony.cli.stalls import watch_stalls
from pa_telephony.failover import Command

__all__ = ["Story"]

_TAKEOVER = 0.5
_SWITCH = 0.0005
"""Seconds for which a thread that computes may keep the interpreter from the phones."""


@contextlib.contextmanager
def _phones_go_first() -> Generator[None]:
    """Keep other work of this process from stopping the phones, which are in it, too.

    There are more records of the demo all the time, and for the collector of garbage to look
    through all takes longer than a frame of sound; a minute's garbage does no harm. Drawing and
    comparing in a thread would keep the engine waiting for 5 ms after each packet.
    """
    usual = sys.getswitchinterval()
    gc.collect()
    gc.disable()
    sys.setswitchinterval(_SWITCH)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
        gc.enable()


class Story(Operating):
    """Plays all rounds of the story."""

    death = "killed with SIGKILL"
    """What happens to PA1 in the second round."""
    takeovers_within: tuple[float, float] = (_TAKEOVER, _TAKEOVER)
    """Seconds until PA2 must serve everything, in the first round and in the second."""

    async def play(self) -> None:
        """Play all rounds; an event that does not come in time is a promise that was not kept."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.stage.look_on())
            started = await stack.enter_async_context(self.stage.call_manager())
            await started.wait_ready()
            self.report.step(f"call manager runs at {self.stage.call_manager_address}")
            agent = await stack.enter_async_context(self.stage.agent())
            await agent.wait_ready()
            self.report.step(self.stage.agents_run)
            address = self.stage.phone_address
            engine = await stack.enter_async_context(
                rtp.open_engine(address=address, first_port=40000, trace=self.records.append)
            )
            phones: dict[str, Phone] = {}
            nursery = await stack.enter_async_context(trio.open_nursery())
            nursery.start_soon(watch_stalls, self.records.append)
            nursery.start_soon(follow, self.stage)
            for name in PHONES:
                station = await stack.enter_async_context(
                    sccp.open_station(
                        name,
                        self.stage.call_manager_address,
                        engine=engine,
                        local_address=address,
                    )
                )
                phones[station.number] = Phone(
                    station, HERTZ[station.number], drop_every=self.drop_every
                )
                nursery.start_soon(phones[station.number].serve)
            await self._until("PA1 serves everything", self._served_by("PA1"))
            await self._until("PA2 could stand in", self._all_is_well)
            await self._show()
            stack.enter_context(_phones_go_first())
            for number, kill in enumerate((False, True), 1):
                how = self.death if kill else "stopped"
                self.report.round = f"{number}: {how}"
                self.report.headline(f"Round {number}: PA1 is {how}")
                await self._round(phones, kill=kill)
            self.report.round = "3: an operator"
            self.report.headline("Round 3: an operator drains, returns, moves and restarts")
            await self._operate(phones)
            await self._stop_all()
            nursery.cancel_scope.cancel()

    async def _stop_all(self) -> None:
        """Stop all servers; none stands in for another (Q16)."""
        self.report.round = "the end"
        self.report.headline("Stop All")
        before = len(self._events("PA2"))
        self._moment(time.time(), "Stop All")
        for answer in await failover.control_and_see(self._cluster, Command.STOP, within=2.0):
            self.report.step(answer.words)
        await self._until("nothing is served", self._nothing_is_served)
        taken = [each.kind for each in self._events("PA2")[before:] if each.kind == "take_home"]
        self.report.check("Stop All: no server takes over", not taken, "nobody did")
        await self._show()

    async def _round(self, phones: dict[str, Phone], *, kill: bool) -> None:
        report = self.report
        async with AsyncExitStack() as calls:
            caller = await calls.enter_async_context(phones["1001"].calls("6000"))
            await self._greeted(caller, "1001 calls 6000")
            other = await self._transferred(caller, phones["1002"])
            stays = await calls.enter_async_context(phones["1003"].calls("6000"))
            await self._greeted(stays, "1003 calls 6000 and stays on the media port")
            await self._intercepted(phones, "before", by="PA1")
            await self._show()

            fell = await (self._killed() if kill else self._stopped())
            await self._until("PA2 serves everything", self._served_by("PA2"))
            took = self._takeover(fell)
            self.takeovers.append(took)
            acting = ("PA1", "PA2", "callmanager")
            then = "PA1 was gone" if kill else "the order"
            excuse = excuse_time(took, self._lateness(*acting[kill:]), fell)
            refused = excuse_refusals(
                self._refusals("PA2", fell), self._lateness("callmanager")[0], fell
            )
            again = f", {refused * 1000:.0f} ms until a refused one was tried again"
            within = self.takeovers_within[kill]
            report.check(
                "PA2 serves 6000, 6001, 6002 and 5XXX under PA1's identity",
                excuse.judged - refused <= within,
                f"{took * 1000:.0f} ms after {then}",
                not_judged=excuse.why + again * (refused > 0) if took > within else "",
                seconds=took,
            )
            with trio.move_on_after(PATIENCE):
                while stays.up:  # noqa: ASYNC110
                    await trio.sleep(0.02)
            report.check(
                "the call on PA1's media port drops",
                not stays.up,
                f"{max(stays.ended - fell, 0) * 1000:.0f} ms after {then}",
            )
            report.check("the transferred call is still up", caller.up and other.up, "it is")
            self._remember("1003 ↔ 6000", stays)
            await self._show()

            # The first call goes on into the next stack, so that it lives through the return too.
            held = await calls.enter_async_context(phones["1003"].calls("6000"))
            await self._greeted(held, "1003 calls 6000 again, at PA2, and stays")
            await self._intercepted(phones, "during", by="PA2")

            probe = Probe(phones["1005"].station)
            busy, idle = self._ports()
            async with probe.calling():
                await (self._let_home() if kill else self._started())
                await self._until(f"the idle port {idle} is home", self._held("PA1", idle))
            report.check(
                "the idle port goes home first, the busy one and the route point stay",
                await self._holds("PA2", busy, "6000"),
                f"{idle} at PA1, {busy} and 6000 at PA2",
            )
            async with phones["1004"].calls("6000") as guest:
                await self._greeted(guest, "1004 calls 6000 during the return")
            self._remember("1004 ↔ 6000", guest)
            await self._show()
            report.check(
                "the call on PA2's port was not dropped by the return", held.up, "it is up"
            )
            async with probe.calling():
                await hang_up(held)
                self._remember("1003 ↔ 6000", held)
                hung_up = time.time()
                self._moment(hung_up, "1003 hangs up")
                await self._until("PA1 has everything back", self._served_by("PA1"))
            self._came_home(busy, hung_up)
            self._answered_throughout(probe)
            async with phones["1004"].calls("6000") as guest:
                await self._greeted(guest, "1004 calls 6000 after the return")
            self._remember("1004 ↔ 6000", guest)
            await self._intercepted(phones, "after", by="PA1")
            await self._show()
            report.check(
                "the transferred call lived through all of it", caller.up and other.up, "it did"
            )
        await self._two_way(caller, other)
        self._remember("1001 → 6000 → 1002", caller)
        self._remember("1002, called by 1001", other)

    async def _stopped(self) -> float:
        """Stop PA1, as the Control Center does; gives when."""
        self._moment(fell := time.time(), "Stop")
        await self._order(Command.STOP, "PA1")
        return fell

    async def _started(self) -> None:
        """Start PA1, while a call keeps a port at PA2."""
        self._moment(time.time(), "Start")
        await self._order(Command.START, "PA1", final=False)

    async def _killed(self) -> float:
        """Kill PA1, which its agent starts again; what is taken over stays until it is let home."""
        held = await failover.hold_and_see(self._cluster, "PA1")
        self.report.step(held.words)
        fell = await self.stage.kill("PA1")
        self._moment(fell, "PA1 killed")
        self.report.step("PA1 is gone")
        return fell

    async def _let_home(self) -> None:
        """See PA1 back, which nobody has started but its agent, and let its numbers home."""
        await self._until("its agent has started PA1 again, by itself", self._runs("PA1"))
        self._moment(time.time(), "hold --undo")
        answer = await failover.hold_and_see(self._cluster, "PA1", undo=True, within=2.0)
        self.report.step(answer.words)

    def _came_home(self, busy: str, hung_up: float) -> None:
        registered = [
            event for event in events([self.stage.life("PA1")]) if event.kind == "registered"
        ]
        order = [event.identity for event in registered]
        at = {event.identity: event.time for event in registered}
        self.report.check(
            "the busy port comes home after it was hung up",
            at.get(busy, 0.0) > hung_up,
            f"{(at.get(busy, 0.0) - hung_up) * 1000:.0f} ms later",
        )
        self.report.check(
            "the route point comes home last, once",
            order.count("6000") == 1 and order[-1] == "6000",
            " → ".join(order),
        )
