"""Conference control between call manager and bridge."""

from __future__ import annotations

from typing import Annotated

from pa_telephony.sccp import enums
from pa_telephony.sccp.messages.base import SccpMessage, Sender
from pa_telephony.wire.declaration import Struct
from pa_telephony.wire.sequential.types import (
    U32,
    Array,
    Chars,
    Data,
)

__all__ = [
    "AddParticipantReq",
    "AddParticipantRes",
    "AuditConferenceReq",
    "AuditConferenceRes",
    "AuditParticipantReq",
    "AuditParticipantRes",
    "ChangeParticipantReq",
    "ConferenceEntry",
    "CreateConferenceReq",
    "CreateConferenceRes",
    "DeleteConferenceReq",
    "DeleteConferenceRes",
    "DropParticipantReq",
    "ModifyConferenceReq",
    "ModifyConferenceRes",
]


class ConferenceEntry(Struct):
    """One of ``conferenceEntry``."""

    conference_id: Annotated[int, U32] = 0
    resource_type: Annotated[enums.ResourceType, U32] = enums.ResourceType.CONFERENCE
    number_of_reserved_participants: Annotated[int, U32] = 0
    number_of_active_participants: Annotated[int, U32] = 0
    application_id: Annotated[int, U32] = 0
    app_conf_id: Annotated[str, Chars(32)] = ""
    app_data: Annotated[str, Chars(24)] = ""


class CreateConferenceRes(SccpMessage, id=0x0035, sender=Sender.STATION):
    """From the station (media resource); no capture."""

    conference_id: Annotated[int, U32]
    result: Annotated[enums.CreateConfResult, U32] = enums.CreateConfResult.OK
    pass_thru_data: Annotated[bytes, Data(2000)] = b""


class DeleteConferenceRes(SccpMessage, id=0x0036, sender=Sender.STATION):
    """From the station (media resource); no capture."""

    conference_id: Annotated[int, U32]
    delete_conf_result: Annotated[enums.DeleteConfResult, U32] = enums.DeleteConfResult.OK


class ModifyConferenceRes(SccpMessage, id=0x0037, sender=Sender.STATION):
    """From the station (media resource); no capture."""

    conference_id: Annotated[int, U32]
    modify_conf_result: Annotated[enums.ModifyConfResult, U32] = enums.ModifyConfResult.OK
    pass_thru_data: Annotated[bytes, Data(2000)] = b""


class AddParticipantRes(SccpMessage, id=0x0038, sender=Sender.STATION):
    """From the station (media resource); no capture.

    Disputed: bridgeParticipantId: text of 257 bytes (wireshark) or a u32 (chan-sccp).
    """

    conference_id: Annotated[int, U32]
    call_reference: Annotated[int, U32] = 0
    add_participant_result: Annotated[enums.AddParticipantResult, U32] = (
        enums.AddParticipantResult.OK
    )
    bridge_participant_id: Annotated[str, Chars(257)] = ""


class AuditConferenceRes(SccpMessage, id=0x0039, sender=Sender.STATION):
    """From the station (media resource); no capture."""

    last: Annotated[int, U32]
    conference_entry: Annotated[
        tuple[ConferenceEntry, ...], Array(ConferenceEntry, 32, slots=True)
    ] = ()


class AuditParticipantRes(SccpMessage, id=0x0040, sender=Sender.STATION):
    """From the station (media resource); no capture."""

    audit_participant_result: Annotated[enums.AuditParticipantResult, U32]
    last: Annotated[int, U32] = 0
    conference_id: Annotated[int, U32] = 0
    participant_entry: Annotated[tuple[int, ...], Array(U32, 256, slots=True)] = ()


class CreateConferenceReq(SccpMessage, id=0x0137, sender=Sender.CALL_MANAGER):
    """From the call manager (media resource); no capture."""

    conference_id: Annotated[int, U32]
    number_of_reserved_participants: Annotated[int, U32] = 0
    resource_type: Annotated[enums.ResourceType, U32] = enums.ResourceType.CONFERENCE
    application_id: Annotated[int, U32] = 0
    app_conf_id: Annotated[str, Chars(32)] = ""
    app_data: Annotated[str, Chars(24)] = ""
    pass_thru_data: Annotated[bytes, Data(2000)] = b""


class DeleteConferenceReq(SccpMessage, id=0x0138, sender=Sender.CALL_MANAGER):
    """From the call manager (media resource); no capture."""

    conference_id: Annotated[int, U32]


class ModifyConferenceReq(SccpMessage, id=0x0139, sender=Sender.CALL_MANAGER):
    """From the call manager (media resource); no capture."""

    conference_id: Annotated[int, U32]
    number_of_reserved_participants: Annotated[int, U32] = 0
    application_id: Annotated[int, U32] = 0
    app_conf_id: Annotated[str, Chars(32)] = ""
    app_data: Annotated[str, Chars(24)] = ""
    pass_thru_data: Annotated[bytes, Data(2000)] = b""


class AddParticipantReq(SccpMessage, id=0x013A, sender=Sender.CALL_MANAGER):
    """From the call manager (media resource); no capture."""

    conference_id: Annotated[int, U32]
    call_reference: Annotated[int, U32] = 0
    party_pi_restriction_bits: Annotated[enums.RestrictInformationType, U32] = (
        enums.RestrictInformationType(0)
    )
    participant_name: Annotated[str, Chars(40)] = ""
    participant_number: Annotated[str, Chars(24)] = ""
    conference_name: Annotated[str, Chars(32)] = ""


class DropParticipantReq(SccpMessage, id=0x013B, sender=Sender.CALL_MANAGER):
    """From the call manager (media resource); no capture."""

    conference_id: Annotated[int, U32]
    call_reference: Annotated[int, U32] = 0


class AuditConferenceReq(SccpMessage, id=0x013C, sender=Sender.CALL_MANAGER):
    """From the call manager (media resource); no capture."""


class AuditParticipantReq(SccpMessage, id=0x013D, sender=Sender.CALL_MANAGER):
    """From the call manager (media resource); no capture."""

    conference_id: Annotated[int, U32]


class ChangeParticipantReq(SccpMessage, id=0x013E, sender=Sender.CALL_MANAGER):
    """From the call manager (media resource); no capture."""

    conference_id: Annotated[int, U32]
    call_reference: Annotated[int, U32] = 0
    party_pi_restriction_bits: Annotated[enums.RestrictInformationType, U32] = (
        enums.RestrictInformationType(0)
    )
    participant_name: Annotated[str, Chars(40)] = ""
    participant_number: Annotated[str, Chars(24)] = ""
    conference_name: Annotated[str, Chars(32)] = ""
