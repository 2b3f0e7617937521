"""Presence subscriptions, notifications and message waiting."""

from __future__ import annotations

from typing import Annotated

from pa_telephony.sccp import enums
from pa_telephony.sccp.messages.base import SccpMessage, Sender
from pa_telephony.wire.sequential.types import U32, Chars

__all__ = [
    "MwiNotification",
    "MwiRes",
    "Notification",
    "SubscribeDtmfPayloadErr",
    "SubscribeDtmfPayloadReq",
    "SubscribeDtmfPayloadRes",
    "SubscriptionStatReq",
    "SubscriptionStatRes",
    "UnSubscribeDtmfPayloadErr",
    "UnSubscribeDtmfPayloadReq",
    "UnSubscribeDtmfPayloadRes",
]


class SubscriptionStatReq(SccpMessage, id=0x0048, sender=Sender.STATION):
    """From the station; no capture.

    Disputed: subscriptionID 64 (wireshark) or 256 bytes (chan-sccp, wazo, FreeSWITCH).
    FreeSWITCH and chan-sccp call it the dialed-phone-book request.
    """

    transaction_id: Annotated[int, U32]
    subscription_feature_id: Annotated[enums.SubscriptionFeatureID, U32] = (
        enums.SubscriptionFeatureID(0)
    )
    timer: Annotated[int, U32] = 0
    subscription_id: Annotated[str, Chars(64)] = ""


class MwiNotification(SccpMessage, id=0x004C, sender=Sender.STATION):
    """From the station (media resource); no capture."""

    mwi_target_number: Annotated[str, Chars(25)]
    mwi_control_number: Annotated[str, Chars(25)] = ""
    are_messages_waiting: Annotated[int, U32] = 0
    num_new_msgs: Annotated[int, U32] = 0
    num_old_msgs: Annotated[int, U32] = 0
    mwi_notification_num_new_msgs: Annotated[int, U32] = 0
    mwi_notification_num_old_msgs: Annotated[int, U32] = 0
    mwi_notification_num_new_msgs_2: Annotated[int, U32] = 0
    mwi_notification_num_old_msgs_2: Annotated[int, U32] = 0
    mwi_notification_num_new_msgs_3: Annotated[int, U32] = 0
    mwi_notification_num_old_msgs_3: Annotated[int, U32] = 0


class SubscribeDtmfPayloadReq(SccpMessage, id=0x0129, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 5 frames.

    CM to MTP: payloadDtmf 101, dtmfType 1. Answered by 0x12a with the same first three words.
    """

    payload_dtmf: Annotated[int, U32]
    conference_id: Annotated[int, U32] = 0
    passthru_party_id: Annotated[int, U32] = 0
    dtmf_type: Annotated[int, U32] = 0


class SubscribeDtmfPayloadRes(SccpMessage, id=0x012A, sender=Sender.STATION):
    """From the station; captured, 5 frames.

    Disputed: the direction: wireshark has it from the call manager; captured from the MTP.
    """

    payload_dtmf: Annotated[int, U32]
    conference_id: Annotated[int, U32] = 0
    passthru_party_id: Annotated[int, U32] = 0


class SubscribeDtmfPayloadErr(SccpMessage, id=0x012B, sender=Sender.STATION):
    """From the station; no capture."""

    payload_dtmf: Annotated[int, U32]
    conference_id: Annotated[int, U32] = 0
    passthru_party_id: Annotated[int, U32] = 0


class UnSubscribeDtmfPayloadReq(SccpMessage, id=0x012C, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 4 frames."""

    payload_dtmf: Annotated[int, U32]
    conference_id: Annotated[int, U32] = 0
    passthru_party_id: Annotated[int, U32] = 0
    dtmf_type: Annotated[int, U32] = 0


class UnSubscribeDtmfPayloadRes(SccpMessage, id=0x012D, sender=Sender.STATION):
    """From the station; captured, 4 frames.

    Disputed: the direction: wireshark has it from the call manager; captured from the MTP.
    """

    payload_dtmf: Annotated[int, U32]
    conference_id: Annotated[int, U32] = 0
    passthru_party_id: Annotated[int, U32] = 0


class UnSubscribeDtmfPayloadErr(SccpMessage, id=0x012E, sender=Sender.STATION):
    """From the station; no capture."""

    payload_dtmf: Annotated[int, U32]
    conference_id: Annotated[int, U32] = 0
    passthru_party_id: Annotated[int, U32] = 0


class SubscriptionStatRes(SccpMessage, id=0x0152, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""

    transaction_id: Annotated[int, U32]
    subscription_feature_id: Annotated[enums.SubscriptionFeatureID, U32] = (
        enums.SubscriptionFeatureID(0)
    )
    timer: Annotated[int, U32] = 0
    cause: Annotated[enums.SubscribeCause, U32] = enums.SubscribeCause.OK


class Notification(SccpMessage, id=0x0153, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture.

    Disputed: text 97 bytes (wireshark) or 100 (chan-sccp, wazo): the same frame, since we pad.
    """

    transaction_id: Annotated[int, U32]
    subscription_feature_id: Annotated[enums.SubscriptionFeatureID, U32] = (
        enums.SubscriptionFeatureID(0)
    )
    notification_status: Annotated[int, U32] = 0
    text: Annotated[str, Chars(97)] = ""


class MwiRes(SccpMessage, id=0x0158, sender=Sender.CALL_MANAGER):
    """From the call manager (media resource); no capture."""

    mwi_target_number: Annotated[str, Chars(25)]
    mwi_notification_result: Annotated[enums.MwiNotificationResult, U32] = (
        enums.MwiNotificationResult.OK
    )
