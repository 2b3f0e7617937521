"""A call as one line of ours has it: what can be waited for, and what can be done with it."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from pa_telephony.cti import messages
from pa_telephony.cti.client.jtapi import (
    ConnectionState,
    TerminalConnection,
    TerminalConnectionState,
)
from pa_telephony.cti.client.line import LineOwner
from pa_telephony.cti.client.search_space import SearchSpace
from pa_telephony.cti.enums import CTIFAILURE, FEATUREPRIORITY, REDIRECTPARAMS
from pa_telephony.cti.messages.base import CtiMessage
from pa_telephony.errors import CallEnded, LocalProtocolError, RequestFailed
from pa_telephony.q850 import Cause
from pa_telephony.wire.offset.types import Handle

__all__ = ["Call", "CallOwner"]

_KEYS = "0123456789ABCD*#"


class CallOwner(Protocol):
    """What a call needs of the line that it is on."""

    @property
    def provider(self) -> LineOwner:
        """The provider that the line is opened at."""
        ...

    @property
    def line_handle(self) -> int:
        """The wire's number of the open line; 0 without a session."""
        ...

    async def new_call_id(self) -> int:
        """Allocate the number of a call that is about to be made."""
        ...

    async def make_call(
        self,
        ask: Callable[[Callable[[Any], None], Callable[[Any], None]], Awaitable[Any]],
        field: str,
    ) -> Any:
        """Make a request that makes a call, whose leg is in ``field`` of the response."""
        ...


class Call:
    """The part of one of our lines in a call; its last state stays after the end.

    Cancelling a verb gives up waiting for the answer: the CTI manager may have done it, or do it
    yet. A verb that comes when the call is over raises :class:`CallEnded`.
    """

    def __init__(self, address: CallOwner, leg: TerminalConnection, event: CtiMessage) -> None:
        self.terminal_connection = leg
        """Our place in JTAPI's graph; ``.connection.call`` is the whole call."""
        self.leg_id = leg.leg_id
        """The wire's number of this part in the call."""
        self.incoming = not 4 <= getattr(event, "origin", 0) <= 8
        self.cause = 0
        """The cause of the end (Q.850); 0 before it."""
        self._address = address
        self._ended = False
        self._transferred = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.calling} → {self.called}: {self.state.value}>"

    @property
    def state(self) -> TerminalConnectionState:
        """The state of our side of the call."""
        return self.terminal_connection.state

    @property
    def ended(self) -> bool:
        """Whether the call is over for this line."""
        return self._ended

    @property
    def calling(self) -> str:
        """The number of the caller."""
        return self.terminal_connection.connection.call.calling

    @property
    def called(self) -> str:
        """The number that is connected or being called."""
        return self.terminal_connection.connection.call.called

    @property
    def original_called(self) -> str:
        """The number that was called first, before any forward."""
        return self.terminal_connection.connection.call.original_called

    @property
    def last_redirecting(self) -> str:
        """The number that redirected the call here, "" if none did."""
        return self.terminal_connection.connection.call.last_redirecting

    @property
    def connected_to(self) -> str:
        """The number of the other side."""
        # The number of a call that was picked up here is ours, although we began it.
        picked_up = self.called == self.terminal_connection.connection.address
        return self.calling if self.incoming or picked_up else self.called

    @property
    def connected(self) -> bool:
        """Whether the two sides can talk."""
        return not self.ended and self._is_connected()

    def _is_connected(self) -> bool:
        if self.state is not TerminalConnectionState.TALKING:
            return False
        connections = self.terminal_connection.connection.call.connections.values()
        up = [each for each in connections if each.state is ConnectionState.ESTABLISHED]
        return len(up) >= 2

    async def wait_connected(self) -> None:
        """Wait until the two sides can talk; raises :class:`CallEnded` if they never will."""
        while not self.connected:
            self._check()
            if self.terminal_connection.connection.state is ConnectionState.FAILED:
                raise CallEnded(self.terminal_connection.connection.cause)
            await self._address.provider.changed()

    async def wait_for(self, *states: TerminalConnectionState) -> TerminalConnectionState:
        """Wait until our side is in one of ``states``; raises :class:`CallEnded` if it ends."""
        while self.state not in states:
            self._check()
            await self._address.provider.changed()
        return self.state

    async def wait_ended(self) -> int:
        """Wait until the call is over here; gives the cause (Q.850)."""
        while not self.ended:
            await self._address.provider.changed()
        return self.cause

    async def accept(self) -> None:
        """Let the call alert; a phone does that by itself."""
        await self._ask(messages.CallAcceptRequest(**self._handles()))

    async def pick_up(self) -> None:
        """Answer, wherever the sound goes (JTAPI's ``TerminalConnection.answer``)."""
        await self._ask(messages.CallAnswerRequest(**self._handles()))

    async def drop(self) -> None:
        """Hang up, or refuse a call that rings; nothing happens to a call that is over already."""
        if not self.ended:
            with contextlib.suppress(RequestFailed, CallEnded):
                await self._ask(messages.CallDisconnectRequest(**self._handles()))

    async def hold(self) -> None:
        """Put the call on hold, so that both sides stop talking."""
        await self._ask(messages.CallHoldRequest(**self._handles()))

    async def retrieve(self) -> None:
        """Take the call back from hold."""
        await self._ask(messages.CallRetrieveRequest(**self._handles()))

    async def redirect(
        self,
        number: str,
        *,
        original_called: str = "",
        calling: str = "",
        search_space: SearchSpace = SearchSpace.DEFAULT,
    ) -> None:
        """Send the other party to ``number`` and leave the call.

        ``number`` is looked up in ``search_space``, by default that of the other party.
        ``original_called`` and ``calling`` are shown there instead of the real numbers. When the
        redirect is refused (:class:`InvalidPartyError`, :class:`ResourceUnavailableError`) nothing
        has changed.
        """
        changed = REDIRECTPARAMS.CALLED_ADDRESS_OPTION_SET_PREFERREDCALLEDPARTY
        await self._send_away(
            number,
            called_address_option=changed if original_called else REDIRECTPARAMS(0),
            preferred_original_called_party=original_called,
            modified_calling_party=calling,
            modified_calling_party_reason=REDIRECTPARAMS(1 if calling else 0),
            calling_search_space=REDIRECTPARAMS(search_space),
        )

    async def consult(self, number: str, *, conference: bool = False) -> Call:
        """Hold the call, and call ``number`` from the same line; gives the consultation.

        Cancelling hangs up on the consultation; the call may stay on hold.
        """
        call_id = await self._address.new_call_id()
        request = (
            messages.CallSetupConferenceRequest if conference else messages.CallSetupTransferRequest
        )
        setup = request(**self._handles(), new_global_call_id=call_id, dest_address=number)
        consultation: Call = await self._address.make_call(
            functools.partial(self._ask, setup), "consult_call_id"
        )
        return consultation

    async def transfer(self, to: Call | str) -> None:
        """Connect the other party to that of another call of this line, or to a number."""
        if isinstance(to, str):
            await self._send_away(to, redirect_reason=REDIRECTPARAMS.REASON_BLINDTRANSFER)
            return
        await self._ask(
            messages.CallDirectTransferRequest(
                **self._handles(),
                other_call_handle=Handle(call_manager_id=1, call_leg_id=to.leg_id),
            )
        )
        self._transferred = to._transferred = True

    async def conference(self, *others: Call) -> None:
        """Join the parties of other calls of this line to this call."""
        await self._ask(
            messages.CallJoinRequest(
                **self._handles(),
                other_calls=tuple(
                    Handle(call_manager_id=1, call_leg_id=each.leg_id) for each in others
                ),
            )
        )

    async def park(self) -> str:
        """Leave the other party at a number that any phone can dial; gives the number."""
        parked = await self._ask(messages.CallParkRequest(**self._handles()))
        self._transferred = True
        number: str = parked.parked_at
        return number

    async def send_digits(self, digits: str) -> None:
        """Press keys for the other side (``0-9 A-D * #``).

        Raises :class:`LocalProtocolError` for any other character.
        """
        if unknown := set(digits) - set(_KEYS):
            raise LocalProtocolError(f"no keys: {sorted(unknown)}")
        codes = tuple(_KEYS.index(digit) for digit in digits)
        await self._ask(messages.CallPlayDtmfRequest(**self._handles(), dtmf_digits=codes))

    @property
    def is_ours(self) -> bool:
        """Whether the call ends with its block: not after a transfer, a redirect, a park."""
        return not self._ended and not self._transferred

    # What the address tells the call.

    def digit(self, digit: str) -> None:
        """Take a key that the other side pressed."""

    def handle_media_event(self, event: CtiMessage) -> None:
        """Take an event of the call's sound; only calls at CTI ports use it."""

    def end(self, cause: int) -> None:
        """Note that the call is over for this line, with a cause (Q.850)."""
        self.cause = cause
        self._ended = True

    async def _send_away(self, number: str, **more: Any) -> None:
        await self._ask(
            messages.CallRedirectRequest(
                **self._handles(),
                redirect_address=number,
                feature_priority=FEATUREPRIORITY(1),
                **more,
            )
        )
        self._transferred = True

    def _check(self) -> None:
        if self._ended:
            raise CallEnded(self.cause)

    def _handles(self) -> dict[str, Any]:
        return {
            "line_call_manager_id": 1,
            "line_id": self._address.line_handle,
            "call_leg_call_manager_id": 1,
            "call_leg_id": self.leg_id,
        }

    async def _ask(
        self,
        request: CtiMessage,
        at_once: Callable[[Any], None] | None = None,
        too_late: Callable[[Any], None] | None = None,
    ) -> Any:
        self._check()
        try:
            return await self._address.provider.request(request, at_once, too_late)
        except RequestFailed as refused:
            if refused.code == CTIFAILURE.ILLEGAL_HANDLE:
                raise CallEnded(self.cause or Cause.TEMPORARY_FAILURE) from refused
            raise
