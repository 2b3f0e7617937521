"""An address whose calls we see and control, whichever device has them (JTAPI's Address)."""

from __future__ import annotations

import abc
import contextlib
import functools
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AbstractContextManager
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

import trio

from pa_telephony.cti import messages
from pa_telephony.cti.client.call import Call
from pa_telephony.cti.client.jtapi import (
    Connection,
    Model,
    ModelEvent,
    ServiceChanged,
    TerminalConnection,
)
from pa_telephony.cti.client.line import LineOwner, OpenLine
from pa_telephony.cti.enums import (
    CALLSTATE,
    CTIFAILURE,
    FEATUREPRIORITY,
    LAMPMODE,
    CCNCallForwardInformation,
)
from pa_telephony.cti.messages.base import CtiMessage
from pa_telephony.cti.messages.structs import CtiCallForwardInformation, DeviceEventFilter
from pa_telephony.errors import ConnectionLost, RequestFailed
from pa_telephony.q850 import Cause
from pa_telephony.tasks import Subscription, background

__all__ = ["Address", "CallLine", "CallLineOwner"]

C = TypeVar("C", bound=Call)
_Told: TypeAlias = Callable[[Any], None]
_KEYS = "0123456789ABCD*#"
_POLITE = 1.0


class CallLineOwner(LineOwner, Protocol):
    """What a line with calls needs of its provider, besides what every line needs."""

    model: Model

    @property
    def manager(self) -> tuple[str, int]:
        """Address and port of the CTI manager of the session."""
        ...

    @property
    def local_address(self) -> tuple[str, int]:
        """The address and port of our end of the link."""
        ...

    def events(
        self, wanted: Callable[[ModelEvent], bool] | None = None
    ) -> AbstractContextManager[Subscription[ModelEvent]]:
        """The events of calls and lines from now on, for which ``wanted`` is true."""
        ...


class CallLine(OpenLine, Generic[C]):
    """A line with calls of class ``C``."""

    def __init__(self, provider: CallLineOwner, number: str, device: str | None) -> None:
        super().__init__(provider, number, device)
        self.provider = provider
        self.forwarded_to = ""
        """The number that all calls are forwarded to, as last told; "" for none."""
        self._calls: dict[int, C] = {}
        self._expected: dict[int, C | None] = {}
        self._offered: dict[int, C] = {}
        """Calls that wait for a handler, by leg; one that ends waits no more."""
        self._arrival = trio.Event()

    @abc.abstractmethod
    def new_call(self, leg: TerminalConnection, event: CtiMessage) -> C:
        """Make the object for a call that was announced."""

    @property
    def line_handle(self) -> int:
        """The wire's number of the open line; 0 without a session."""
        return self._line_handle

    @property
    def calls(self) -> list[C]:
        """The calls on the line, oldest first."""
        return list(self._calls.values())

    @contextlib.asynccontextmanager
    async def call(self, number: str) -> AsyncGenerator[C]:
        """Call a number; leaving hangs up, unless the call was transferred away.

        The body begins as soon as it is dialled: ``await call.wait_connected()``. Cancelled
        before, the call is hung up as soon as it is known.
        """
        call_id = await self.new_call_id()
        request = messages.LineCallInitiateRequest(
            line_call_manager_id=1,
            line_id=self._line_handle,
            global_call_manager_id=1,
            global_call_id=call_id,
            dest_address=number,
            feature_priority=FEATUREPRIORITY(1),
        )
        call = await self.make_call(
            functools.partial(self._provider.request, request), "call_leg_id"
        )
        try:
            yield call
        finally:
            await self.leave(call)

    async def serve(self, handler: Callable[[C], Awaitable[object]]) -> None:
        """Give every call that comes to ``handler``, each in a task of its own, until cancelled.

        When a handler returns, its call is refused or hung up, unless it was transferred away.
        :class:`CallEnded` out of a handler is the normal end of a call. Any other exception ends
        its call alone and is told in the log (``pa_telephony.cti``): a :class:`TelephonyError` as a
        warning, anything else, a bug of the handler's, as an error with its traceback, which
        ``handler_errors`` counts. At most :attr:`ProviderConfig.max_calls` handlers run;
        further calls alert.
        """

        async def handle(call: C) -> None:
            with self.of_a_call(), contextlib.suppress(ConnectionLost):
                await handler(call)
            with self.of_a_call():
                await self.leave(call)
            room.release()

        room = trio.Semaphore(self.provider.config.max_calls)
        async with background() as tasks:
            while True:
                await room.acquire()
                while not self._offered:
                    await self._arrival.wait()
                call = self._offered.pop(next(iter(self._offered)))
                tasks.start_handler(handle, call)

    @contextlib.contextmanager
    def events(self) -> Generator[Subscription[ModelEvent]]:
        """The events at this address from now on; see :mod:`pa_telephony.cti.client.jtapi`."""
        with self.provider.events(self._concerns) as events:
            yield events

    async def set_forwarding(self, number: str) -> None:
        """Forward all calls to ``number``; "" cancels. Raises :class:`InvalidPartyError`."""
        on = CCNCallForwardInformation.FORWARD_ALL_ON
        off = CCNCallForwardInformation.FORWARD_ALL_OFF
        await self._provider.request(
            messages.LineSetForwardRequest(
                line_call_manager_id=1,
                line_id=self._line_handle,
                fwd_destn_info=(
                    CtiCallForwardInformation(
                        cfwd_type=on if number else off, call_fwd_destination=number
                    ),
                ),
            )
        )

    async def set_message_waiting(self, on: bool) -> None:
        """Switch the message waiting lamp of the line on or off."""
        await self._provider.request(
            messages.LineSetMessageWaitingRequest(
                line_call_manager_id=1,
                line_id=self._line_handle,
                lamp_mode=LAMPMODE.ON if on else LAMPMODE.OFF,
            )
        )

    async def set_do_not_disturb(self, on: bool) -> None:
        """Switch do not disturb on, so that the device does not ring, or off."""
        await self._provider.request(
            messages.DeviceDNDSetRequest(
                call_manager_id=1, device_id=self._device_handle, dnd_status=on
            )
        )

    async def send_data(self, data: bytes) -> None:
        """Send XML of IP phone services to the phone's screen (at most 2000 octets)."""
        await self._provider.request(
            messages.DeviceDataPassThroughRequest(
                call_manager_id=1, device_id=self._device_handle, device_data_obj=data
            )
        )

    async def new_call_id(self) -> int:
        """Allocate the number of a call that is about to be made."""
        made = await self._provider.request(messages.ProviderAllocateGlobalCallHandleRequest())
        number: int = made.call_id
        return number

    async def make_call(self, ask: Callable[[_Told, _Told], Awaitable[Any]], field: str) -> C:
        """Make a request that makes a call, whose leg is in ``field`` of the response.

        Gives the call once it was announced, even if it has ended by then. When the caller no
        longer waits for it, the call is hung up.
        """

        def expect(response: CtiMessage) -> None:
            leg_id = getattr(response, field)
            self._expected[leg_id] = self._calls.get(leg_id)

        def undo(response: CtiMessage) -> None:
            self.hang_up_on(getattr(response, field))

        leg_id = getattr(await ask(expect, undo), field)
        try:
            with trio.move_on_after(self.provider.config.request_within):
                while (call := self._expected[leg_id]) is None:
                    if not self._line_handle:
                        raise ConnectionLost("the CTI manager is gone")
                    await self._provider.changed()
                return call
            raise RequestFailed(CTIFAILURE.TIMEOUT, "the call is not announced")
        except BaseException:
            self.hang_up_on(leg_id)
            raise
        finally:
            del self._expected[leg_id]

    def hang_up_on(self, leg_id: int) -> None:
        """Hang up a call without waiting for the answer."""
        self._provider.post(
            messages.CallDisconnectRequest(
                line_call_manager_id=1,
                line_id=self._line_handle,
                call_leg_call_manager_id=1,
                call_leg_id=leg_id,
            )
        )

    def handle_call_event(self, event: CtiMessage) -> None:
        """Take an event of a call on the line, or of its sound."""
        leg_id = getattr(event, "call_leg_id", 0)
        call = self._calls.get(leg_id)
        match event:
            case messages.NewCallEvent() | messages.ExistingCallEvent():
                if call is None:
                    self._new_call(leg_id, event)
            case messages.CallStateChangedEventV2(state=CALLSTATE.IDLE):
                if call is not None:
                    del self._calls[leg_id]
                    self._offered.pop(leg_id, None)
                    call.end(event.cause)
            case messages.DtmfEvent():
                if call is not None and 0 <= event.digit < len(_KEYS):
                    call.digit(_KEYS[event.digit])
            case messages.LineForwardEvent():
                self.forwarded_to = next(
                    (
                        each.call_fwd_destination
                        for each in event.forward_array
                        if each.cfwd_type is CCNCallForwardInformation.FORWARD_ALL_ON
                    ),
                    "",
                )
            case _:
                if call is not None:
                    call.handle_media_event(event)
        self._provider.wake_waiters()

    def session_lost(self) -> None:
        """Note that the session is over: nothing is known of the calls any more, and they end."""
        super().session_lost()
        calls, self._calls = self._calls, {}
        self._offered.clear()
        for call in calls.values():
            call.end(Cause.TEMPORARY_FAILURE)

    def _new_call(self, leg_id: int, event: CtiMessage) -> None:
        leg = self.provider.model.terminal_connection(self.device, leg_id)
        if leg is None:
            return
        call = self._calls[leg_id] = self.new_call(leg, event)
        if leg_id in self._expected:
            self._expected[leg_id] = call
        if call.incoming and getattr(event, "state", 0) in (CALLSTATE.OFFERING, CALLSTATE.ACCEPTED):
            self._offered[leg_id] = call
            self._arrival.set()
            self._arrival = trio.Event()

    def _concerns(self, event: ModelEvent) -> bool:
        if isinstance(event, ServiceChanged):
            return event.address == self.number
        for name in ("terminal_connection", "connection", "call"):
            subject = getattr(event, name, None)
            if isinstance(subject, TerminalConnection):
                subject = subject.connection
            if isinstance(subject, Connection):
                subject = subject.call
            if subject is not None:
                return self.number in subject.connections
        return getattr(event, "controller", self.number) == self.number

    async def leave(self, call: C) -> None:
        """Hang up on a call that is still ours, within a second."""
        if call.is_ours:
            with (
                trio.move_on_after(_POLITE, shield=True),
                contextlib.suppress(ConnectionLost),
            ):
                await call.drop()


class Address(CallLine[Call]):
    """An open address on a terminal, made by :meth:`Provider.open_address`.

    The sound stays with the phone; what can be done is call control.
    """

    def new_call(self, leg: TerminalConnection, event: CtiMessage) -> Call:
        """Make the object for a call that was announced."""
        return Call(self, leg, event)

    def device_request(self) -> CtiMessage:
        """The request that opens the device, beside any other application that has it open."""
        return messages.DeviceOpenRequest(
            device_name=self.device, filter=DeviceEventFilter(b_dnd_changed=True, device_data=True)
        )
