"""The calls of a station, exactly as the call manager shows them: changed by messages alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from pa_telephony.printable import printable
from pa_telephony.q850 import Cause
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import CallType, DCallState, MediaStatus, MediaType
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.phrases import phrase_of
from pa_telephony.sccp.text import readable
from pa_telephony.sccp.tones import TONES

__all__ = ["CallView", "CallViews", "Media", "no_channel", "port_answer"]

_Order: TypeAlias = messages.OpenReceiveChannel | messages.StartMediaTransmission | messages.PortReq
_DYNAMIC = range(96, 128)
"""RTP payload types that digits may have (RFC 3551)."""
_CAUSES = {
    DCallState.BUSY: Cause.USER_BUSY,
    DCallState.CONGESTION: Cause.NO_CIRCUIT,
    DCallState.INVALID_NUMBER: Cause.UNALLOCATED_NUMBER,
    DCallState.CALL_REMOTE_MULTILINE: Cause.NOT_SELECTED,
}
_CAUSES_IN_WORDS = {
    "\x80\x46": Cause.INCOMPATIBLE,
    "\x1e\x25": Cause.RESOURCE_UNAVAILABLE,
    "\x1e\x3a": Cause.ROUTING_ERROR,
    "\x80\x23": Cause.TEMPORARY_FAILURE,
    "\x80\x49": Cause.FACILITY_REJECTED,
}
"""Incompatible device type, No resources, CFwdALL loop detected, Temp fail, Service is not active:
the reasons of a congestion, where the call manager shows one on the display."""


@dataclass(slots=True)
class Media:
    """The audio of a call as the call manager last ordered it."""

    receive: messages.OpenReceiveChannel | None = None
    transmit: messages.StartMediaTransmission | None = None
    reserved: messages.PortReq | None = None
    """The order to tell a port before anything is sent or received on it."""
    digits: messages.SubscribeDtmfPayloadReq | None = None
    """The subscription by which the call manager is told of digits in the audio."""

    @property
    def parties(self) -> set[int]:
        """The pass-through party ids of all orders; they are the same nearly always."""
        orders = self.receive, self.transmit, self.reserved
        return {order.pass_through_party_id for order in orders if order is not None}


@dataclass(slots=True)
class CallView:
    """One call on this station.

    ``cause`` is a Q.850 number once the call has ended, deduced from the last state that was
    shown (17 busy, 34 congestion, 1 invalid number, 26 answered by another phone of the line, 16
    else) and its prompt: SCCP carries none.
    """

    call_reference: int
    line: int
    state: DCallState = DCallState.IDLE
    incoming: bool = False
    calling: str = ""
    calling_name: str = ""
    called: str = ""
    called_name: str = ""
    original_called: str = ""
    last_redirecting: str = ""
    prompt: str = ""
    cause: int = 16
    ended: bool = False
    media: Media = field(default_factory=Media)
    party: int | None = None
    """The pass-through party id of a further stream, which is a view of its own; else None."""

    @property
    def key(self) -> int:
        """The key of the view: its call reference, or a negative number for a further stream."""
        if self.party is None:
            return self.call_reference
        return ~(self.call_reference << 32 | self.party)

    @property
    def elsewhere(self) -> bool:
        """Whether another phone, which shares the line, has the call."""
        return self.state in (DCallState.CALL_REMOTE_MULTILINE, DCallState.REMOTE_HOLD)

    def telling(
        self, send: Callable[[SccpMessage], None], then: Callable[[str], None] | None
    ) -> Callable[[str], None]:
        """A function for digits of the audio: it tells a subscriber of them, else ``then``."""

        def heard(digit: str) -> None:
            if (asked := self.media.digits) is not None:
                send(
                    messages.NotifyDtmfTone(
                        tone=TONES[digit],
                        conference_id=asked.conference_id,
                        passthru_party_id=asked.passthru_party_id,
                    )
                )
            if then is not None:
                then(digit)

        return heard


def port_answer(
    order: messages.PortReq, address: tuple[str, int] = ("0.0.0.0", 0)
) -> messages.PortRes:
    """Tell where RTP and RTCP of a stream are to be sent; port 0 for nowhere."""
    return messages.PortRes(
        conference_id=order.conference_id,
        call_reference=order.call_reference,
        pass_through_party_id=order.pass_through_party_id,
        ip_addr=address[0],
        port_number=address[1],
        rtcp_port_number=address[1] and address[1] + 1,
        media_type=order.media_type,
    )


def no_channel(order: messages.OpenReceiveChannel) -> messages.OpenReceiveChannelAck:
    """The answer to an order for more streams than there can be."""
    return messages.OpenReceiveChannelAck(
        media_reception_status=MediaStatus.NOT_ENOUGH_CHANNELS,
        pass_through_party_id=order.pass_through_party_id,
        call_reference=order.call_reference,
    )


class CallViews:
    """The calls of one session, ``limit`` of them at most, and as many streams beside them.

    A relay or a bridge has several streams of one call reference, one for each pass-through party
    (captured: sccp_hw_mtp), and so may a phone that is recorded. The first belongs to the call;
    each further one is a call of its own, without a state, that ends with its media.
    """

    def __init__(self, limit: int) -> None:
        self.calls: dict[int, CallView] = {}
        """The views of all calls by their :attr:`CallView.key`."""
        self._limit = limit

    def handle_message(self, message: SccpMessage) -> list[CallView]:
        """Change the views that ``message`` is about; gives those."""
        match message:
            case messages.CallState():
                return self._show_state(message)
            case messages.CallInfo() | messages.CallInfoV2():
                return self._inform(message)
            case messages.DisplayPromptStatus() | messages.DisplayPromptStatusV2():
                if (call := self.calls.get(message.call_reference)) is not None:
                    call.prompt = message.prompt_status
                    if call.state is DCallState.CONGESTION:
                        call.cause = _CAUSES_IN_WORDS.get(
                            phrase_of(message.prompt_status), call.cause
                        )
                return []
            case messages.OpenReceiveChannel():
                # Before the call's first state on some peers: the stream makes the call known.
                found = self._streaming(message)
                for call in found:
                    call.media.receive = message
                return found
            case messages.StartMediaTransmission():
                found = self._streaming(message)
                for call in found:
                    call.media.transmit = message
                return found
            case messages.PortReq() if message.media_type in (MediaType.INVALID, MediaType.AUDIO):
                found = self._streaming(message)
                for call in found:
                    call.media.reserved = message
                return found
            case messages.PortClose():
                reference = message.call_reference or message.conference_id
                found = self._of_party(
                    message.pass_through_party_id, reference, lambda media: media.reserved
                )
                for call in found:
                    call.media.reserved = None
                return self._without_streams(found)
            case messages.SubscribeDtmfPayloadReq() if message.payload_dtmf in _DYNAMIC:
                found = self._of_party(
                    message.passthru_party_id, message.conference_id, lambda media: media.receive
                )
                for call in found:
                    call.media.digits = message
                return found
            case messages.UnSubscribeDtmfPayloadReq():
                for call in self.calls.values():
                    asked = call.media.digits
                    if asked is not None and asked.passthru_party_id == message.passthru_party_id:
                        call.media.digits = None
                return []
            case messages.StartTone():
                call = self.calls.get(message.call_reference)
                return [] if call is None else [call]
            case messages.SendDtmfTone():
                return self._of_party(
                    message.passthru_party_id, message.conference_id, lambda media: media.receive
                )
            case messages.CloseReceiveChannel():
                reference = message.call_reference or message.conference_id
                found = self._of_party(
                    message.pass_through_party_id, reference, lambda media: media.receive
                )
                for call in found:
                    call.media.receive = None
                return self._without_streams(found)
            case messages.StopMediaTransmission():
                reference = message.call_reference or message.conference_id
                found = self._of_party(
                    message.pass_through_party_id, reference, lambda media: media.transmit
                )
                for call in found:
                    call.media.transmit = None
                return self._without_streams(found)
            case _:
                return []

    def _streaming(self, order: _Order) -> list[CallView]:
        """The view that an order is about, made if there was none; none beyond the limit."""
        reference = order.call_reference or order.conference_id
        party = order.pass_through_party_id
        for call in self.calls.values():
            if call.call_reference == reference and party in call.media.parties:
                return [call]
        first = self.calls.get(reference)
        if first is None:
            return self._known(reference)
        match order:
            case messages.OpenReceiveChannel():
                taken: _Order | None = first.media.receive
            case messages.StartMediaTransmission():
                taken = first.media.transmit
            case messages.PortReq():
                taken = first.media.reserved
        if taken is None and first.state is not DCallState.IDLE:
            return [first]
        return self._known(reference, party)

    def _of_party(
        self, party: int, reference: int, order_of: Callable[[Media], _Order | None]
    ) -> list[CallView]:
        found = [
            call
            for call in self.calls.values()
            if (order := order_of(call.media)) is not None and order.pass_through_party_id == party
        ]
        # Asterisk stops with a reference of 0 (observed): then the party alone tells.
        return [call for call in found if call.call_reference == reference] or found

    def _without_streams(self, found: list[CallView]) -> list[CallView]:
        # A media resource is shown no states: the end of its last stream ends the call.
        for call in found:
            if call.state is DCallState.IDLE and not call.media.parties:
                del self.calls[call.key]
                call.state, call.ended = DCallState.ON_HOOK, True
        return found

    def _known(self, reference: int, party: int | None = None) -> list[CallView]:
        new = CallView(reference, 1, party=party)
        call = self.calls.get(new.key)
        if call is None:
            if len(self.calls) >= self._limit:
                return []
            call = self.calls[new.key] = new
        return [call]

    def _shown(self, reference: int) -> list[CallView]:
        # However many streams there are, a call that rings still gets a view.
        if reference not in self.calls:
            known = [call for call in self.calls.values() if call.state is not DCallState.IDLE]
            if len(known) >= self._limit:
                return []
            self.calls[reference] = CallView(reference, 1)
        return [self.calls[reference]]

    def _inform(self, message: messages.CallInfo | messages.CallInfoV2) -> list[CallView]:
        call = self.calls.get(message.call_reference)
        if call is None:
            return []
        call.calling = printable(message.calling_party)
        call.calling_name = readable(message.calling_party_name)
        call.called = printable(message.called_party)
        call.called_name = readable(message.called_party_name)
        call.original_called = printable(message.original_called_party)
        call.last_redirecting = printable(message.last_redirecting_party)
        # CallManager 2.x says 0 of all calls (captured); what the states have shown stands then.
        if message.call_type:
            call.incoming = message.call_type != CallType.OUT_BOUND_CALL
        return [call]

    def _show_state(self, message: messages.CallState) -> list[CallView]:
        if message.call_state in (DCallState.ON_HOOK, DCallState.IDLE):
            # CME says "on hook" for every idle channel after registration: not a call.
            over = [
                call
                for call in self.calls.values()
                if call.call_reference == message.call_reference
            ]
            for call in over:
                del self.calls[call.key]
                call.state, call.ended = DCallState.ON_HOOK, True
            return over
        found = self._shown(message.call_reference)
        for call in found:
            call.line = message.line_instance
            call.state = DCallState(message.call_state)
            call.cause = _CAUSES.get(call.state, 16)
            if call.state is DCallState.RING_IN:
                call.incoming = True
        return found
