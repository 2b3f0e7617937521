"""Calls as a CTI Manager tells them: legs, parties, transfers and conferences as events.

Every string is sent, empty ones too: Cisco's client fails on null strings in some call events
(observed, docs/protocol/ctiqbe.md §1.2 rule 3); the codec sees to that on the server's side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pa_telephony.cti import enums, messages
from pa_telephony.cti.enums import CALLSTATE
from pa_telephony.cti.messages import structs
from pa_telephony.cti.messages.base import CtiMessage
from pa_telephony.cti.server.backend import (
    ConferenceChanged,
    ConferenceEnded,
    ConferenceStarted,
    LegInfo,
    Participant,
    Party,
    TransferEnded,
    TransferStarted,
)
from pa_telephony.cti.server.responses import CALL_MANAGER, plain
from pa_telephony.wire.offset.types import Handle

__all__ = [
    "call_id_changed",
    "conference_changed",
    "conference_ended",
    "conference_started",
    "existing_call",
    "handle_of",
    "new_call",
    "parties_changed",
    "state_changed",
    "transfer_ended",
    "transfer_started",
]

_LOCALE = enums.CTIUserLocales(1)
_KNOWN = enums.DESTINATIONTYPE(1)


def handle_of(leg_id: int) -> Handle:
    """The handle of a leg, which consists of two numbers."""
    return Handle(call_manager_id=CALL_MANAGER, call_leg_id=leg_id)


def _place(line: int, leg_id: int) -> dict[str, Any]:
    """The fields that name the application's line handle and the leg."""
    return {
        "line_call_manager_id": CALL_MANAGER,
        "line_id": line,
        "call_call_manager_id": CALL_MANAGER,
        "call_leg_id": leg_id,
    }


def _parties(leg: LegInfo) -> dict[str, Any]:
    """The fields of the calling and the called parties, in every spelling the client reads."""
    calling, called = leg.calling, leg.called
    original, last = leg.original_called, leg.last_redirecting
    return {
        "calling_party": calling.number,
        "calling_party_name": plain(calling.name),
        "called_party": called.number,
        "called_party_name": plain(called.name),
        "last_redirecting_party": last.number,
        "last_redirecting_party_name": plain(last.name),
        "un_modified_calling_party": calling.number,
        "un_modified_called_party": called.number,
        "un_modified_original_called_party": original.number,
        "un_modified_last_redirecting_party": last.number,
        "calling_party_pi": True,
        "calling_party_name_pi": True,
        "called_party_pi": True,
        "called_party_name_pi": True,
        "original_called_party_pi": True,
        "original_called_party_name_pi": True,
        "last_redirecting_party_pi": True,
        "last_redirecting_party_name_pi": True,
        "unicode_calling_party_name": calling.name,
        "unicode_called_party_name": called.name,
        "unicode_original_called_party_name": original.name,
        "unicodelast_redirecting_party_name": last.name,
        "unicode_calling_party_locale": _LOCALE,
        "unicode_called_party_locale": _LOCALE,
        "unicode_original_called_party_locale": _LOCALE,
        "unicode_last_redirecting_party_locale": _LOCALE,
    }


def _announced(line: int, leg: LegInfo) -> dict[str, Any]:
    return {
        **_place(line, leg.leg_id),
        **_parties(leg),
        "line_handle_specified": True,
        "device_name": leg.device,
        "global_call_manager_id": CALL_MANAGER,
        "call_id": leg.call_id,
        "original_called_party": leg.original_called.number,
        "origin": leg.origin,
        "far_endpoint_call_manager_id": CALL_MANAGER,
        "far_endpoint_type": _KNOWN,
        "reason": leg.reason,
        "calling_party_device_name": leg.calling.device,
        "b_remote_in_use": leg.remote_in_use,
        "call_presentable": True,
        "feature_priority": enums.FEATUREPRIORITY(1),
    }


def new_call(line: int, leg: LegInfo, state: CALLSTATE) -> CtiMessage:
    """The event of a leg that begins, in ``state``."""
    return messages.NewCallEvent(
        **_announced(line, leg),
        state=state,
        original_party_name=plain(leg.original_called.name),
    )


def existing_call(line: int, leg: LegInfo, members: Sequence[Participant]) -> CtiMessage:
    """The event of a leg that was there before the application opened the line.

    ``members`` are the parties of its conference, the one that controls it first; none otherwise.
    """
    return messages.ExistingCallEvent(
        **_announced(line, leg),
        state=leg.state,
        original_called_party_name=plain(leg.original_called.name),
        called_party_device_name=leg.called.device,
        overall_call_security_status=enums.CALLSECURITYSTATUS(1),
        participants_info=tuple(_participant(each) for each in members),
        controller_participant=(_participant(members[0]) if members else structs.ParticipantInfo()),
    )


def state_changed(line: int, leg: LegInfo, state: CALLSTATE) -> CtiMessage:
    """The event of a leg that is in ``state`` now."""
    return messages.CallStateChangedEventV2(
        **_place(line, leg.leg_id),
        state=state,
        cause=enums.CALLSTATECAUSE(leg.cause),
        reason=leg.reason,
        b_remote_in_use=leg.remote_in_use,
        overall_call_security_status=enums.CALLSECURITYSTATUS(1),
    )


def parties_changed(line: int, leg: LegInfo, before: LegInfo) -> CtiMessage:
    """The event of a leg whose calling or called party has changed."""
    return messages.CallPartyInfoChangedEvent(
        **_place(line, leg.leg_id),
        **_parties(leg),
        calling_party_changed=leg.calling != before.calling,
        called_party_changed=leg.called != before.called,
        original_called_party=leg.original_called.number,
        original_called_party_name=plain(leg.original_called.name),
        far_end_point_type=_KNOWN,
        reason=leg.reason,
        b_remote_in_use=leg.remote_in_use,
        current_calling_party_device_name=leg.calling.device,
        current_called_party_device_name=leg.called.device,
    )


def call_id_changed(line: int, leg: LegInfo) -> CtiMessage:
    """The event of a leg that a transfer or a conference took to another call."""
    return messages.GlobalCallHandleChangedEvent(
        **_place(line, leg.leg_id),
        **_parties(leg),
        new_global_call_manager_id=CALL_MANAGER,
        new_global_call_id=leg.call_id,
        reason=leg.reason,
        original_party=leg.original_called.number,
        original_party_name=plain(leg.original_called.name),
        b_remote_in_use=leg.remote_in_use,
    )


def _controlled_by(party: Party) -> dict[str, Any]:
    return {
        "controller_number": party.number,
        "controller_name": plain(party.name),
        "unicode_controller_name": party.name,
        "unicode_controller_namelocale": _LOCALE,
        "controller_device_name": party.device,
    }


def _own_party(leg: LegInfo) -> Party:
    """The party that the leg itself belongs to."""
    party = leg.called if leg.incoming else leg.calling
    return Party(party.number, party.name, leg.device)


def transfer_started(line: int, event: TransferStarted) -> CtiMessage:
    """The event before a transfer: both legs of the controller go, the first's call survives."""
    return messages.LineTransferStartedEvent(
        line_call_manager_id=CALL_MANAGER,
        line_id=line,
        transaction_id=event.transaction,
        **_controlled_by(_own_party(event.controller)),
        surviving_gcmid=CALL_MANAGER,
        surviving_gccid=event.controller.call_id,
        other_gcmid=CALL_MANAGER,
        other_gccid=event.consult.call_id,
        final_controller_call_manager_id=CALL_MANAGER,
        final_controller_call_leg_id=event.controller.leg_id,
        other_controller_call_manager_id=CALL_MANAGER,
        other_controller_call_leg_id=event.consult.leg_id,
    )


def _idle(legs: tuple[LegInfo, ...]) -> tuple[structs.CtiCallHandle, ...]:
    return tuple(
        structs.CtiCallHandle(call_manager_id=CALL_MANAGER, call_leg_id=leg.leg_id) for leg in legs
    )


def transfer_ended(line: int, event: TransferEnded, *, controlling: bool) -> CtiMessage:
    """The event after a transfer; the controller's line is told which legs have gone."""
    gone = (event.consult, event.controller) if controlling and event.success else ()
    return messages.LineTransferEndedEvent(
        line_call_manager_id=CALL_MANAGER,
        line_id=line,
        transaction_id=event.transaction,
        success=event.success,
        idle_calls=_idle(gone),
    )


def _requested_by(party: Party) -> dict[str, Any]:
    return {
        "requestor_number": party.number,
        "requestor_name": plain(party.name),
        "unicode_requestor_name": party.name,
        "requestor_device_name": party.device,
    }


def conference_started(line: int, event: ConferenceStarted) -> CtiMessage:
    """The event before a conference: other calls join the controller's, which survives."""
    controller = _own_party(event.controller)
    others = {leg.call_id for leg in event.others} - {event.controller.call_id}
    return messages.LineConferenceStartedEvent(
        line_call_manager_id=CALL_MANAGER,
        line_id=line,
        transaction_id=event.transaction,
        **_controlled_by(controller),
        **_requested_by(controller),
        unicode_requestor_name_locale=_LOCALE,
        surviving_gcmid=CALL_MANAGER,
        surviving_gccid=event.controller.call_id,
        other_gci_ds=tuple(
            structs.CtiGlobalCallHandle(call_manager_id=CALL_MANAGER, call_id=call_id)
            for call_id in sorted(others)
        ),
        secondary_call_types=(0,) * len(others),
    )


def conference_ended(line: int, event: ConferenceEnded, *, controlling: bool) -> CtiMessage:
    """The event after a conference was made; the controller's line is told which legs have gone."""
    controller = _own_party(event.controller)
    return messages.LineConferenceEndedEvent(
        line_call_manager_id=CALL_MANAGER,
        line_id=line,
        transaction_id=event.transaction,
        success=event.success,
        idle_calls=_idle(event.others if controlling and event.success else ()),
        **_controlled_by(controller),
        **_requested_by(controller),
        unicode_requestor_namelocale=_LOCALE,
    )


def _participant(
    who: Participant, state: CALLSTATE = CALLSTATE.CONNECTED
) -> structs.ParticipantInfo:
    """A party of a conference; Cisco's client shows none that is idle (observed)."""
    return structs.ParticipantInfo(
        participant_number=who.party.number,
        un_modified_participant_number=who.party.number,
        participant_name=plain(who.party.name),
        number_pi=True,
        name_pi=True,
        endpoint_type=_KNOWN,
        state=state,
        un_modified_paticipant_unicode_display_name=who.party.name,
        participant_locale=_LOCALE,
        call_manager_id=CALL_MANAGER,
        call_leg_id=who.leg_id,
    )


def conference_changed(line: int, event: ConferenceChanged, number: int) -> CtiMessage:
    """The event of a party that came or went; ``number`` counts these events."""
    return messages.CallConferenceStateChangedEvent(
        **_place(line, event.leg.leg_id),
        conference_state_changed_id=number,
        global_call_manager_id=CALL_MANAGER,
        global_call_id=event.leg.call_id,
        modify_status=enums.CALLCONFERENCEMODIFYSTATUS(1 if event.added else 2),
        changed_participant_info=_participant(
            event.changed, CALLSTATE.CONNECTED if event.added else CALLSTATE.IDLE
        ),
        other_participants_info=tuple(_participant(each) for each in event.others),
        controller_participant_info=_participant(event.controller),
        reason=enums.CALLREASON.CONFERENCE,
        controller_device_name=event.controller.party.device,
        requestor_participant_info=_participant(event.controller),
        requestor_device_name=event.controller.party.device,
    )
