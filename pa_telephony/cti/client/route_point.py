"""A CTI route point as an application has it: calls come in, and are sent where they belong."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable

import trio

from pa_telephony.cti import messages
from pa_telephony.cti.client.jtapi import shown_number
from pa_telephony.cti.client.line import LineOwner, OpenLine
from pa_telephony.cti.client.route_session import Effect, Input, Routing, State
from pa_telephony.cti.client.search_space import SearchSpace
from pa_telephony.cti.enums import (
    CALLSTATE,
    CTIFAILURE,
    CTIMEDIAREGISTRATION,
    FEATUREPRIORITY,
    REDIRECTPARAMS,
)
from pa_telephony.cti.messages.base import CtiMessage
from pa_telephony.cti.messages.structs import DeviceEventFilter
from pa_telephony.errors import (
    CallEnded,
    ConnectionLost,
    LocalProtocolError,
    RequestFailed,
    TelephonyError,
)
from pa_telephony.tasks import background

__all__ = ["RouteFailed", "RoutePoint", "RouteSession"]


_TRIES_KEPT = 99
"""How many attempts of a session are remembered, beside the newest."""


class RouteFailed(TelephonyError):
    """No destination took the call; ``refusals`` has each number's CTIFAILURE code."""

    def __init__(self, refusals: dict[str, int]) -> None:
        text = ", ".join(
            f"{number}: 0x{code & 0xFFFFFFFF:08x}" for number, code in refusals.items()
        )
        super().__init__(f"no destination took the call ({text})")
        self.refusals = refusals


def _in_words(code: int) -> str:
    try:
        return CTIFAILURE(code).name.lower().replace("_", " ")
    except ValueError:
        return f"0x{code & 0xFFFFFFFF:08x}"


class RouteSession:
    """One call that waits at a route point (JTAPI's RouteSession)."""

    def __init__(
        self, route_point: RoutePoint, event: messages.NewCallEvent | messages.ExistingCallEvent
    ) -> None:
        self.calling = shown_number(event.calling_party)
        """The number of the caller."""
        self.called = shown_number(event.called_party)
        """The number that was dialled; at a pattern the digits themselves."""
        self.pattern = route_point.number
        """The route point's number as configured."""
        self.original_called = shown_number(event.original_called_party)
        self.last_redirecting = shown_number(event.last_redirecting_party)
        self.call_id = event.call_id
        self.tried: list[tuple[str, str]] = []
        """Every number that :meth:`select_route` tried, in order, and the outcome: "taken", "call
        gone", "no answer", or the refusal's CTIFAILURE in words."""
        self._route_point = route_point
        self._leg = event.call_leg_id
        self._routing = Routing()

    def __repr__(self) -> str:
        return f"<RouteSession {self.calling} → {self.called}: {self.state.value}>"

    @property
    def state(self) -> State:
        """The state of the session (:mod:`pa_telephony.cti.client.route_session`)."""
        return self._routing.state

    @property
    def ended_by(self) -> Input | None:
        """What ended the session without routing the call; None while it goes on, or is routed."""
        return self._routing.ended_by

    @property
    def ended(self) -> bool:
        """Whether the session is over: the call is routed, gone, or no longer ours."""
        return self.state in (State.ROUTE_USED, State.ROUTE_END)

    async def select_route(
        self, *numbers: str, search_space: SearchSpace = SearchSpace.DEFAULT
    ) -> str:
        """Send the call to the first of ``numbers`` that takes it; gives that one.

        They are looked up in ``search_space``, by default that of the calling party.

        Raises :class:`RouteFailed` when all refuse (others can be tried then), and
        :class:`CallEnded` when the caller is gone. Cancelling stops trying further numbers; the
        one being tried may still take the call.
        """
        if self.ended:
            raise CallEnded
        refusals: dict[str, int] = {}
        number = self._routing.select(numbers)
        while number:
            try:
                await self._route_point.redirect(self._leg, number, search_space)
            except RequestFailed as refused:
                if refused.code == CTIFAILURE.ILLEGAL_HANDLE or self._leg_is_gone:
                    self._tried(number, "call gone")
                    self._routing.step(Input.LOST)
                    raise CallEnded from refused
                self._tried(number, _in_words(refused.code))
                refusals[number] = refused.code
                number = self._routing.refused()
            except BaseException:
                self._tried(number, "no answer")
                self._routing.step(Input.LOST)
                raise
            else:
                self._tried(number, "taken")
                self._routing.step(Input.REDIRECTED)
                return number
        raise RouteFailed(refusals)

    async def end(self) -> None:
        """End the session without routing the call, which is left alerting, as JTAPI does."""
        if self._routing.step(Input.END) is Effect.LEAVE_ALERTING:
            with contextlib.suppress(RequestFailed, ConnectionLost):
                await self._route_point.accept(self._leg)

    async def refuse(self) -> None:
        """Refuse the call: the caller hears busy, unless the call manager forwards the call.

        Raises :class:`LocalProtocolError` while a number is being tried and when the session is
        over.
        """
        if self._routing.step(Input.TURN_AWAY) is Effect.ILLEGAL:
            raise LocalProtocolError(f"cannot refuse a call in state {self.state.value!r}")
        with contextlib.suppress(RequestFailed, ConnectionLost):
            await self._route_point.disconnect(self._leg)

    def call_gone(self) -> None:
        """Note that the call is over, or that another application has it."""
        self._routing.step(Input.GONE)

    def _tried(self, number: str, answer: str) -> None:
        # An application may select again for ever; the last attempts tell enough.
        del self.tried[:-_TRIES_KEPT]
        self.tried.append((number, answer))

    @property
    def _leg_is_gone(self) -> bool:
        return not self._route_point.has(self._leg)


class RoutePoint(OpenLine):
    """A registered CTI route point, made by :meth:`Provider.open_route_point`."""

    def __init__(self, provider: LineOwner, number: str, device: str | None) -> None:
        super().__init__(provider, number, device)
        self.unserved_calls = 0
        """How many calls came while too many waited for a handler; they go on alerting."""
        self._calls: dict[int, RouteSession] = {}
        self._offered, self._arrivals = trio.open_memory_channel[RouteSession](
            provider.config.max_calls
        )

    @property
    def calls(self) -> list[RouteSession]:
        """The calls that are offered here and not yet gone."""
        return list(self._calls.values())

    async def serve(self, handler: Callable[[RouteSession], Awaitable[object]]) -> None:
        """Give every call to ``handler``, each in a task of its own, until cancelled.

        A handler that returns without having routed its call leaves it alerting, and so does
        one that selects nothing within :attr:`ProviderConfig.route_select_within`; what it
        selects later raises :class:`CallEnded`. :class:`RouteFailed` and :class:`CallEnded` out
        of a handler do the same. So does any other exception, which is told in the log
        (``pa_telephony.cti``): a :class:`TelephonyError` as a warning, anything else, a bug of the
        handler's, as an error with its traceback, which ``handler_errors`` counts.
        """

        async def handle(session: RouteSession) -> None:
            with (
                self.of_a_call(),
                contextlib.suppress(RouteFailed, CallEnded, ConnectionLost),
            ):
                async with background() as waiting:
                    waiting.start_soon(self._end_in_time, session)
                    await handler(session)
            with self.of_a_call():
                if not session.ended:
                    await session.end()
            room.release()

        # Calls come and go as the CTI manager likes; handlers may take longer.
        room = trio.Semaphore(self._provider.config.max_calls)
        async with background() as tasks:
            async for session in self._arrivals:
                await room.acquire()
                if session.ended:
                    room.release()
                else:
                    tasks.start_handler(handle, session)

    async def _end_in_time(self, session: RouteSession) -> None:
        await trio.sleep(self._provider.config.route_select_within)
        if session.state is State.ROUTE:
            await session.end()

    def device_request(self) -> CtiMessage:
        """The request that registers the device without media: an application only routes."""
        return messages.DeviceRegisterDeviceRequest(
            device_name=self.device,
            filter=DeviceEventFilter(),
            media_registration_type=CTIMEDIAREGISTRATION.CTI_MEDIA_REGISTRATION_NONE,
        )

    def handle_call_event(self, event: CtiMessage) -> None:
        """Take an event of a call that came, or went."""
        match event:
            case messages.NewCallEvent() | messages.ExistingCallEvent():
                self._new_call(event)
            case messages.CallStateChangedEventV2(state=CALLSTATE.IDLE):
                session = self._calls.pop(event.call_leg_id, None)
                if session is not None:
                    session.call_gone()
            case _:
                pass

    def _new_call(self, event: messages.NewCallEvent | messages.ExistingCallEvent) -> None:
        if event.call_leg_id in self._calls:
            return
        if len(self._calls) >= self._provider.config.max_calls:
            self.unserved_calls += 1
            return
        session = self._calls[event.call_leg_id] = RouteSession(self, event)
        try:
            self._offered.send_nowait(session)
        except trio.WouldBlock:
            self.unserved_calls += 1

    def has(self, leg: int) -> bool:
        """Whether the call with this leg is still here."""
        return leg in self._calls

    async def redirect(self, leg: int, number: str, search_space: SearchSpace) -> None:
        """Ask for one redirect; :meth:`RouteSession.select_route` is what you want."""
        await self._provider.request(
            messages.CallRedirectRequest(
                line_call_manager_id=1,
                line_id=self._line_handle,
                call_leg_call_manager_id=1,
                call_leg_id=leg,
                redirect_address=number,
                calling_search_space=REDIRECTPARAMS(search_space),
                feature_priority=FEATUREPRIORITY(1),
            )
        )

    async def accept(self, leg: int) -> None:
        """Let a call that is offered alert."""
        await self._provider.request(
            messages.CallAcceptRequest(
                line_call_manager_id=1,
                line_id=self._line_handle,
                call_leg_call_manager_id=1,
                call_leg_id=leg,
            )
        )

    async def disconnect(self, leg: int) -> None:
        """Refuse a call that is offered; :meth:`RouteSession.refuse` is what you want."""
        await self._provider.request(
            messages.CallDisconnectRequest(
                line_call_manager_id=1,
                line_id=self._line_handle,
                call_leg_call_manager_id=1,
                call_leg_id=leg,
            )
        )

    def session_lost(self) -> None:
        """Note that the session with the CTI manager is over, and with it all calls."""
        super().session_lost()
        calls, self._calls = self._calls, {}
        for session in calls.values():
            session.call_gone()
