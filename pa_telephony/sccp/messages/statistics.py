"""Statistics and quality of service."""

from __future__ import annotations

from typing import Annotated

from pa_telephony.sccp import enums
from pa_telephony.sccp.messages.base import SccpMessage, Sender
from pa_telephony.wire.sequential.types import (
    I32,
    U8,
    U32,
    Changed,
    Chars,
    Data,
    IPv4or6,
)

__all__ = [
    "ConnectionStatisticsReq",
    "ConnectionStatisticsRes",
    "QoSErrorNotify",
    "QoSListen",
    "QoSModify",
    "QoSPath",
    "QoSResvNotify",
    "QoSTeardown",
]


class ConnectionStatisticsRes(SccpMessage, id=0x0023, sender=Sender.STATION):
    """From the station; no capture.

    dataSize/data hold a text of voice-quality metrics (MLQK=..;CCR=.. or "Log
    n: mos ..").

    Disputed: what stands before the counters from version 18 on. Wireshark, taken here: a number of
    28 bytes, callReference, and statsProcessingMode as one byte, so that all that follows is
    unaligned. chan-sccp: as in version 17 up to 19; at 20 and 21 four more bytes behind the number,
    statsProcessingMode a word; as wireshark from 22 on.
    """

    directory_num: Annotated[str, Changed(Chars(24), 18, Chars(28))]
    call_reference: Annotated[int, U32] = 0
    stats_processing_mode: Annotated[enums.StatsProcessingType, Changed(U32, 18, U8)] = (
        enums.StatsProcessingType.CLEAR_STATS
    )
    number_packets_sent: Annotated[int, U32] = 0
    number_octets_sent: Annotated[int, U32] = 0
    number_packets_received: Annotated[int, U32] = 0
    number_octets_received: Annotated[int, U32] = 0
    number_packets_lost: Annotated[int, U32] = 0
    jitter: Annotated[int, U32] = 0
    latency: Annotated[int, U32] = 0
    data: Annotated[bytes, Data(600)] = b""


class QoSResvNotify(SccpMessage, id=0x0046, sender=Sender.STATION):
    """From the station (media resource); no capture."""

    conference_id: Annotated[int, U32]
    call_reference: Annotated[int, U32] = 0
    pass_through_party_id: Annotated[int, U32] = 0
    remote_ip_addr: Annotated[str, IPv4or6()] = "0.0.0.0"
    remote_port_number: Annotated[int, U32] = 0
    direction: Annotated[enums.RSVPDirection, U32] = enums.RSVPDirection(0)


class QoSErrorNotify(SccpMessage, id=0x0047, sender=Sender.STATION):
    """From the station (media resource); no capture."""

    conference_id: Annotated[int, U32]
    call_reference: Annotated[int, U32] = 0
    pass_through_party_id: Annotated[int, U32] = 0
    remote_ip_addr: Annotated[str, IPv4or6()] = "0.0.0.0"
    remote_port_number: Annotated[int, U32] = 0
    direction: Annotated[enums.RSVPDirection, U32] = enums.RSVPDirection(0)
    error_code: Annotated[enums.QoSErrorCode, U32] = enums.QoSErrorCode.RESERVATION_TIMEOUT
    failure_node_ip_addr: Annotated[int, U32] = 0
    rsvp_error_code: Annotated[enums.RSVPErrorCode, U32] = enums.RSVPErrorCode.CONFIRM
    rsvp_error_sub_code_val: Annotated[int, U32] = 0
    rsvp_error_flag: Annotated[int, U32] = 0


class ConnectionStatisticsReq(SccpMessage, id=0x0107, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture.

    Disputed: directoryNum 24 then 28 bytes from version 18 (wireshark) or 19 (chan-sccp, 25+3
    pad).
    """

    directory_num: Annotated[str, Changed(Chars(24), 18, Chars(28))]
    call_reference: Annotated[int, U32] = 0
    stats_processing_mode: Annotated[enums.StatsProcessingType, U32] = (
        enums.StatsProcessingType.CLEAR_STATS
    )


class QoSListen(SccpMessage, id=0x014D, sender=Sender.CALL_MANAGER):
    """From the call manager (media resource); no capture."""

    conference_id: Annotated[int, U32]
    call_reference: Annotated[int, U32] = 0
    pass_through_party_id: Annotated[int, U32] = 0
    remote_ip_addr: Annotated[str, IPv4or6()] = "0.0.0.0"
    remote_port_number: Annotated[int, U32] = 0
    resv_style: Annotated[enums.ResvStyle, U32] = enums.ResvStyle(0)
    max_retry_number: Annotated[int, I32] = 0
    retry_timer: Annotated[int, U32] = 0
    confirm_required: Annotated[int, U32] = 0
    preemption_priority: Annotated[int, U32] = 0
    defending_priority: Annotated[int, U32] = 0
    compression_type: Annotated[enums.MediaPayloadType, U32] = enums.MediaPayloadType(0)
    average_bit_rate: Annotated[int, U32] = 0
    burst_size: Annotated[int, U32] = 0
    peak_rate: Annotated[int, U32] = 0
    vendor_id: Annotated[str, Chars(32)] = ""
    version: Annotated[str, Chars(16)] = ""
    app_name: Annotated[str, Chars(32)] = ""
    sub_app_id: Annotated[str, Chars(32)] = ""


class QoSPath(SccpMessage, id=0x014E, sender=Sender.CALL_MANAGER):
    """From the call manager (media resource); no capture."""

    conference_id: Annotated[int, U32]
    call_reference: Annotated[int, U32] = 0
    pass_through_party_id: Annotated[int, U32] = 0
    remote_ip_addr: Annotated[str, IPv4or6()] = "0.0.0.0"
    remote_port_number: Annotated[int, U32] = 0
    resv_style: Annotated[enums.ResvStyle, U32] = enums.ResvStyle(0)
    max_retry_number: Annotated[int, I32] = 0
    retry_timer: Annotated[int, U32] = 0
    preemption_priority: Annotated[int, U32] = 0
    defending_priority: Annotated[int, U32] = 0
    compression_type: Annotated[enums.MediaPayloadType, U32] = enums.MediaPayloadType(0)
    average_bit_rate: Annotated[int, U32] = 0
    burst_size: Annotated[int, U32] = 0
    peak_rate: Annotated[int, U32] = 0
    vendor_id: Annotated[str, Chars(32)] = ""
    version: Annotated[str, Chars(16)] = ""
    app_name: Annotated[str, Chars(32)] = ""
    sub_app_id: Annotated[str, Chars(32)] = ""


class QoSTeardown(SccpMessage, id=0x014F, sender=Sender.CALL_MANAGER):
    """From the call manager (media resource); no capture."""

    conference_id: Annotated[int, U32]
    call_reference: Annotated[int, U32] = 0
    pass_through_party_id: Annotated[int, U32] = 0
    remote_ip_addr: Annotated[str, IPv4or6()] = "0.0.0.0"
    remote_port_number: Annotated[int, U32] = 0
    direction: Annotated[enums.RSVPDirection, U32] = enums.RSVPDirection(0)


class QoSModify(SccpMessage, id=0x0151, sender=Sender.CALL_MANAGER):
    """From the call manager (media resource); no capture."""

    conference_id: Annotated[int, U32]
    call_reference: Annotated[int, U32] = 0
    pass_through_party_id: Annotated[int, U32] = 0
    remote_ip_addr: Annotated[str, IPv4or6()] = "0.0.0.0"
    remote_port_number: Annotated[int, U32] = 0
    direction: Annotated[enums.RSVPDirection, U32] = enums.RSVPDirection(0)
    compression_type: Annotated[enums.MediaPayloadType, U32] = enums.MediaPayloadType(0)
    average_bit_rate: Annotated[int, U32] = 0
    burst_size: Annotated[int, U32] = 0
    peak_rate: Annotated[int, U32] = 0
    vendor_id: Annotated[str, Chars(32)] = ""
    version: Annotated[str, Chars(16)] = ""
    app_name: Annotated[str, Chars(32)] = ""
    sub_app_id: Annotated[str, Chars(32)] = ""
