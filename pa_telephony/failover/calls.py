"""The calls of a server: each is brought to the application, or turned away with a reason.

At a route point the application chooses among the media ports of the home; a call that meets a port
on its way from one server to the other waits for it. At a media port the application has the call,
and a task watches over it that notices when the other side is gone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Sequence

import trio

from pa_telephony import cti, sccp
from pa_telephony.cti.client.route_session import Input as RouteInput, State as RouteState
from pa_telephony.cti.enums import CTIFAILURE
from pa_telephony.errors import CallEnded, ConnectionLost
from pa_telephony.failover.application import Application
from pa_telephony.failover.capacity import Coming, exceeds
from pa_telephony.failover.identity import Identity, Kind
from pa_telephony.failover.journal import WriteEvent
from pa_telephony.failover.member import Member
from pa_telephony.failover.status import server_status
from pa_telephony.failover.vigil import Verdict, Vigil
from pa_telephony.failover.world import Stop
from pa_telephony.tasks import background

__all__ = ["Calls"]

_PORT_ON_ITS_WAY = 4.0
"""Seconds that a call waits for a port between two servers; a router has 5 s (JTAPI guide)."""
_NEWS_ON_ITS_WAY = 1.0
"""Seconds that it waits for the news that a call has ended; two heartbeats."""
_LOOK_FOR_PORT = 0.05
_BUSY = CTIFAILURE.REDIRECT_CALL_DESTINATION_BUSY
_WHY_NOT_ROUTED = {
    RouteState.ROUTE: "the application chose nothing",
    RouteState.SELECTING: "the answer to a redirect was not awaited",
    RouteState.RE_ROUTE: "nobody took it",
    RouteState.ROUTE_USED: "",
    RouteInput.END: "the application chose nothing in time, or left the call",
    RouteInput.TURN_AWAY: "it was refused",
    RouteInput.GONE: "the call had gone",
    RouteInput.LOST: "the call had gone, or its connection",
}
"""Why a call was not routed, by the input that ended its session, or by the state in which it was
left."""


class Calls:
    """The calls that come to one server.

    ``changed`` is called when the member has to look again.
    """

    def __init__(
        self,
        member: Member,
        application: Application,
        clock: Callable[[], float],
        event: WriteEvent,
        changed: Callable[[], None],
    ) -> None:
        self.application = application
        self.application_errors = 0
        self.last_application_error: Exception | None = None
        self.silent = 0
        """How many calls were ended because nothing was heard of them (Timing.media_silence)."""
        self._member = member
        self._clock = clock
        self._event = event
        self._changed = changed
        self._coming = Coming()
        self._at_ports: dict[Identity, list[sccp.Call]] = {}

    def busy(self, number: str, busy: bool) -> None:
        """Note whether the media port ``number`` has a call."""
        self._coming.busy(number, busy)

    # At a media port.

    async def media_call(self, identity: Identity, call: sccp.Call) -> None:
        """Serve a call at a media port, or turn it away when it is one too many."""
        now = self._clock()
        sent = self._coming.expects(identity.number, now)
        why = self._member.turns_away(identity, now, sent=sent)
        if why:
            self._event("turned_away", identity=identity.label, calling=call.calling, why=why)
            return
        here = self._at_ports.setdefault(identity, [])
        here.append(call)
        try:
            async with background() as tasks:
                tasks.start_soon(self._watch_over, identity, call)
                with self._fenced(identity, CallEnded):
                    await self.application.media_call(call, identity)
        finally:
            here.remove(call)

    async def end_calls(self, identity: Identity, why: str) -> None:
        """End the calls at a media port, because an operator has ordered it."""
        for call in list(self._at_ports.get(identity, ())):
            self._event("call.ended", identity=identity.label, calling=call.calling, why=why)
            with contextlib.suppress(CallEnded, ConnectionLost):
                await call.hang_up()

    async def _watch_over(self, identity: Identity, call: sccp.Call) -> None:
        """End a call whose other side is gone, and raise the alarm for one that lasts for hours."""
        timing = self._member.cluster.timing
        vigil = Vigil(silence=timing.media_silence, long=timing.long_call, now=self._clock())
        said = {"identity": identity.label, "calling": call.calling}
        while True:
            await trio.sleep(vigil.pause)
            now = self._clock()
            match vigil.look(call.heard, now):
                case Verdict.ASK:
                    self._event("call.silent", **said, seconds=round(vigil.silent_for(now)))
                    call.report_silence()
                case Verdict.END:
                    self.silent += 1
                    self._event("call.given_up", **said, seconds=round(vigil.silent_for(now)))
                    with contextlib.suppress(CallEnded, ConnectionLost):
                        await call.hang_up()
                    return
                case Verdict.LONG:
                    self._member.set_long(identity)
                    self._event("call.long", **said, seconds=round(timing.long_call))
                    self._changed()
                case Verdict.NOTHING:
                    pass

    # At a route point or an interceptor.

    async def routed_call(self, identity: Identity, session: cti.RouteSession) -> None:
        """Serve a call at a route point or an interceptor."""
        began = self._clock()
        caller = {
            "identity": identity.label,
            "calling": session.calling,
            "called": session.called,
            "call": session.call_id,
        }
        if not self._member.serves(identity, began):
            why = self._member.turns_away(identity, began)
            self._event("not_routed", **caller, why=why)
            return
        try:
            with self._fenced(identity, CallEnded, ConnectionLost, cti.RouteFailed):
                if identity.kind is Kind.INTERCEPTOR:
                    self._event("intercepted", **caller)
                    await self.application.intercepted_call(session)
                else:
                    with self._coming.choosing():
                        await self._route_or_refuse(identity, session)
        finally:
            self._event(
                "routed" if session.state is RouteState.ROUTE_USED else "not_routed",
                **caller,
                tried=[f"{number} {answer}" for number, answer in session.tried],
                why=_WHY_NOT_ROUTED[session.ended_by or session.state],
                seconds=round(self._clock() - began, 4),
            )

    async def _route_or_refuse(self, identity: Identity, session: cti.RouteSession) -> None:
        try:
            await self.route_call(identity.home, session)
        except cti.RouteFailed:
            if not session.ended:
                # Left alone it would ring, as if it were about to be answered (F10).
                await session.refuse()
            raise
        if session.ended_by in (RouteInput.GONE, RouteInput.LOST):
            return
        if session.state is not RouteState.ROUTE_USED:
            why = self._too_many(self._member.name)
            if why:
                said = {"identity": identity.label, "calling": session.calling}
                self._event("turned_away", **said, why=why)
        elif self._member.holds_port(session.tried[-1][0]):
            self._coming.sent(session.tried[-1][0], self._clock())

    async def route_call(self, home: str, session: cti.RouteSession) -> None:
        """Ask the application, and again while a port that refused is registered nowhere.

        During a return an idle port is on its way from one server to the other, for some 20 ms on a
        quiet machine: a caller then waits for it and is not told that all are busy (F28). Only the
        refusal says so for certain: what beats and claims say is older, or over too soon. Where
        there is none to choose, one that a drained server is about to give is waited for.
        """
        began = self._clock()
        until = began + _PORT_ON_ITS_WAY
        ports = {identity.number for identity in self._member.cluster.identities(home)}
        while True:
            choice = self._ports_of(home)
            try:
                if choice or self._clock() >= began + self._waits_for_a_port(home):
                    await self.application.route_call(session, choice)
                    return
            except cti.RouteFailed as failed:
                absent = {
                    number
                    for number, code in failed.refusals.items()
                    if number in ports and code != _BUSY
                }
                if session.ended or self._clock() > until or not absent:
                    raise
            await trio.sleep(_LOOK_FOR_PORT)
            if session.ended:
                return

    def _waits_for_a_port(self, home: str) -> float:
        """The seconds to wait for a port that a drained server has and another one shall get.

        One that is idle comes; of one with a call the news may be late that the call has ended.
        """
        world = self._member.world
        heirs = [
            name for name in (home, *world.cluster.candidates(home)) if world.reach(name, home)
        ]
        drained = [
            port
            for port in server_status(world, home).of_kind(Kind.PORT)
            if port.holder and world.stopped(port.holder) is Stop.DRAIN
        ]
        if not heirs or not drained:
            return 0.0
        return _NEWS_ON_ITS_WAY if all(port.busy for port in drained) else _PORT_ON_ITS_WAY

    def _ports_of(self, home: str) -> Sequence[str]:
        """The media ports of a home, whichever server holds them: idle, about to go home, busy.

        The call manager has the last word; it refuses a port that is busy after all. Ports of a
        server that has all the calls that it may have are left out.
        """
        page = server_status(self._member.world, home)
        going = self._member.plan.give
        ranked = [
            (not port.up, port.busy, port.identity in going, port.identity.index, port.identity)
            for port in page.of_kind(Kind.PORT)
            if not (port.holder and self._too_many(port.holder))
        ]
        return [identity.number for *_, identity in sorted(ranked, key=lambda each: each[:4])]

    def _too_many(self, name: str) -> str:
        """Why the server may have no further call, as far as is known; "" when it may."""
        if self._member.world.stopped(name) is not None:
            return f"{name} is to stop, and takes no new calls"
        capacity = self._member.cluster.server(name).capacity
        if name == self._member.name:
            return exceeds(self._member.calls + self._coming.count(self._clock()), capacity)
        session = self._member.world.session(name)
        return "" if session is None else exceeds(len(session.beat.busy), capacity)

    @contextlib.contextmanager
    def _fenced(self, identity: Identity, *ends: type[Exception]) -> Generator[None]:
        """Count and trace an exception of the application; ``ends`` are normal ends, and pass."""
        try:
            yield
        except ends:
            raise
        except Exception as error:  # noqa: BLE001 - one call's bug must not end all calls
            self.application_errors += 1
            self.last_application_error = error
            self._event("application.error", identity=identity.label, error=repr(error))
