"""The requests of one application about calls (§6, §7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pa_telephony.cti import enums, messages
from pa_telephony.cti.enums import CALLSTATE, CTIFAILURE, REDIRECTPARAMS
from pa_telephony.cti.messages.base import CtiMessage
from pa_telephony.cti.server.backend import Purpose, RedirectOptions
from pa_telephony.cti.server.handles import Session
from pa_telephony.cti.server.lines import LineHandles
from pa_telephony.cti.server.responses import CALL_MANAGER, answer
from pa_telephony.errors import RequestFailed

__all__ = ["CallRequests"]

_KEYS = "0123456789ABCD*#"
_MAX_DIGITS = 64
_MAX_SHOWN = 255
"""Characters of a number to be shown, which every other application that watches is told, too."""
_MAX_JOINED = 32
_MAX_ALLOCATED = 10_000
"""How many numbers of calls may be asked for and not yet used."""


class CallRequests:
    """The call control requests of one session."""

    def __init__(self, session: Session, lines: LineHandles) -> None:
        self.requests: Mapping[type[CtiMessage], Callable[[Any], CtiMessage]] = {
            messages.ProviderAllocateGlobalCallHandleRequest: self._allocate,
            messages.LineCallInitiateRequest: self._initiate,
            messages.CallDialRequest: self._dial,
            messages.CallAcceptRequest: self._accept,
            messages.CallAnswerRequest: self._answer,
            messages.CallDisconnectRequest: self._disconnect,
            messages.CallHoldRequest: self._hold,
            messages.CallRetrieveRequest: self._retrieve,
            messages.CallRedirectRequest: self._redirect,
            messages.CallSetupTransferRequest: self._set_up_transfer,
            messages.CallSetupConferenceRequest: self._set_up_conference,
            messages.CallDirectTransferRequest: self._transfer,
            messages.CallCompleteTransferRequest: self._complete_transfer,
            messages.CallJoinRequest: self._join,
            messages.CallCompleteConferenceRequest: self._complete_conference,
            messages.CallConferenceDropPartyRequest: self._drop_party,
            messages.CallParkRequest: self._park,
            messages.LineCallUnParkRequest: self._unpark,
            messages.CallPlayDtmfRequest: self._play_digits,
            messages.CallCloseRequest: answer,
        }
        self._session = session
        self._lines = lines
        self._allocated: set[int] = set()

    def _leg(self, request: Any) -> int:
        return self._lines.leg(request.line_id, request.call_leg_id)

    def _allocate(self, request: messages.ProviderAllocateGlobalCallHandleRequest) -> CtiMessage:
        call_id = self._session.backend.new_call_id()
        if len(self._allocated) < _MAX_ALLOCATED:
            self._allocated.add(call_id)
        return answer(request, call_manager_id=CALL_MANAGER, call_id=call_id)

    def _call_id(self, asked: int) -> int:
        """The number allocated for a new call, or a new one when it was not allocated here."""
        if asked in self._allocated:
            self._allocated.discard(asked)
            return asked
        return self._session.backend.new_call_id()

    def _initiate(self, request: messages.LineCallInitiateRequest) -> CtiMessage:
        line = self._lines.line(request.line_id)
        leg = self._session.backend.originate(
            line.device, line.index, request.dest_address, self._call_id(request.global_call_id)
        )
        return answer(request, call_manager_id=CALL_MANAGER, call_leg_id=leg.leg_id)

    def _dial(self, request: messages.CallDialRequest) -> CtiMessage:
        self._session.backend.dial(self._leg(request), request.dest_address[:_MAX_DIGITS])
        return answer(request)

    def _accept(self, request: messages.CallAcceptRequest) -> CtiMessage:
        self._session.backend.accept(self._leg(request))
        return answer(request)

    def _answer(self, request: messages.CallAnswerRequest) -> CtiMessage:
        self._session.backend.answer(self._leg(request))
        return answer(request)

    def _disconnect(self, request: messages.CallDisconnectRequest) -> CtiMessage:
        if not self._lines.is_gone(request.call_leg_id):
            self._session.backend.disconnect(self._leg(request))
        return answer(request)

    def _hold(self, request: messages.CallHoldRequest) -> CtiMessage:
        self._session.backend.hold(self._leg(request))
        return answer(request)

    def _retrieve(self, request: messages.CallRetrieveRequest) -> CtiMessage:
        self._session.backend.retrieve(self._leg(request))
        return answer(request)

    def _redirect(self, request: messages.CallRedirectRequest) -> CtiMessage:
        original = ""
        if request.called_address_option == (
            REDIRECTPARAMS.CALLED_ADDRESS_OPTION_SET_PREFERREDCALLEDPARTY
        ):
            original = request.preferred_original_called_party[:_MAX_SHOWN]
        elif request.called_address_option == (
            REDIRECTPARAMS.CALLED_ADDRESS_SET_TO_REDIRECT_DESTINATION
        ):
            original = request.redirect_address
        options = RedirectOptions(
            original_called=original,
            calling=(
                request.modified_calling_party[:_MAX_SHOWN]
                if request.modified_calling_party_reason
                else ""
            ),
            # The calling party's, also when the application names none (documented).
            by_calling_search_space=(
                request.calling_search_space != REDIRECTPARAMS.ADDRESS_SEARCH_SPACE
            ),
            transfer=request.redirect_reason == REDIRECTPARAMS.REASON_BLINDTRANSFER,
        )
        self._session.backend.redirect(self._leg(request), request.redirect_address, options)
        return answer(request)

    def _set_up_transfer(self, request: messages.CallSetupTransferRequest) -> CtiMessage:
        return self._consult(request, Purpose.TRANSFER)

    def _set_up_conference(self, request: messages.CallSetupConferenceRequest) -> CtiMessage:
        return self._consult(request, Purpose.CONFERENCE)

    def _consult(self, request: Any, purpose: Purpose) -> CtiMessage:
        asked = getattr(request, "new_global_call_id", 0)
        leg = self._session.backend.consult(
            self._leg(request), request.dest_address, self._call_id(asked), purpose
        )
        device = self._session.backend.device(leg.device)
        return answer(
            request,
            consult_call_manager_id=CALL_MANAGER,
            consult_call_id=leg.leg_id,
            consult_line=device.lines[leg.line - 1].number,
        )

    def _transfer(self, request: messages.CallDirectTransferRequest) -> CtiMessage:
        other = self._lines.leg_beside(request.line_id, request.other_call_handle.call_leg_id)
        self._session.backend.transfer(self._leg(request), other)
        return answer(request)

    def _complete_transfer(self, request: messages.CallCompleteTransferRequest) -> CtiMessage:
        other = self._lines.leg_beside(request.line_id, request.consult_call_leg_id)
        self._session.backend.transfer(self._leg(request), other)
        return answer(request)

    def _join(self, request: messages.CallJoinRequest) -> CtiMessage:
        if not 1 <= len(request.other_calls) <= _MAX_JOINED:
            raise RequestFailed(CTIFAILURE.CONFERENCE_INVALID_PARTICIPANT)
        others = [
            self._lines.leg_beside(request.line_id, each.call_leg_id)
            for each in request.other_calls
        ]
        self._session.backend.join(self._leg(request), others)
        return answer(request)

    def _complete_conference(self, request: messages.CallCompleteConferenceRequest) -> CtiMessage:
        other = self._lines.leg_beside(request.line_id, request.consult_call_leg_id)
        self._session.backend.join(self._leg(request), [other])
        return answer(request)

    def _drop_party(self, request: messages.CallConferenceDropPartyRequest) -> CtiMessage:
        self._session.backend.drop_party(self._leg(request), request.drop_party_call_leg_id)
        return answer(request)

    def _park(self, request: messages.CallParkRequest) -> CtiMessage:
        number = self._session.backend.park(self._leg(request))
        return answer(request, parked_at=number, parked_at_partition="")

    def _unpark(self, request: messages.LineCallUnParkRequest) -> CtiMessage:
        line = self._lines.line(request.line_id)
        leg = self._session.backend.originate(
            line.device,
            line.index,
            request.parked_at_address,
            self._call_id(request.global_call_id),
        )
        if leg.state is not CALLSTATE.CONNECTED:
            # Nobody waits there: the line is not left off hook.
            self._session.backend.disconnect(leg.leg_id)
            raise RequestFailed(CTIFAILURE.CTIERR_CALL_UNPARK_FAILED, "nobody waits there")
        return answer(request)

    def _play_digits(self, request: messages.CallPlayDtmfRequest) -> CtiMessage:
        leg_id = self._leg(request)
        codes = request.dtmf_digits
        if len(codes) > _MAX_DIGITS or any(not 0 <= code < len(_KEYS) for code in codes):
            raise RequestFailed(CTIFAILURE.CTIERR_INVALID_DTMFDIGITS)
        self._session.backend.send_digits(leg_id, "".join(_KEYS[code] for code in codes))
        # Without it generateDtmf() fails (observed).
        self._session.send_event(
            messages.CallPlayDTMFCompleteEvent(
                line_call_manager_id=CALL_MANAGER,
                line_id=request.line_id,
                call_call_manager_id=CALL_MANAGER,
                call_leg_id=leg_id,
                sequence_number=request.sequence_number,
                result=enums.CTIFAILURE(0),
            )
        )
        return answer(request)
