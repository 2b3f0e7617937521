"""What a station is told about the sound of one stream, with the values of CUCM (captured)."""

from __future__ import annotations

import functools
import ipaddress

from pa_telephony.callmanager.calls.model import MediaAddress, Stream
from pa_telephony.rtp.packet import Codec
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import MediaPayloadType
from pa_telephony.sccp.messages import SccpMessage

__all__ = ["CODECS", "close_channel", "is_ipv4", "open_channel", "reachable", "start_sending"]

CODECS = {
    MediaPayloadType.G711_ULAW64K: Codec.PCMU,
    MediaPayloadType.G711_ALAW64K: Codec.PCMA,
}
"""The codecs that can be ordered, by their numbers on the wire."""
_PAYLOAD = {codec: payload for payload, codec in CODECS.items()}
_EXPEDITED = 184
"""The TOS byte that CUCM asks for."""
_DTMF_TYPE = 10
"""What CUCM writes into both orders of a stream, also without telephone events."""
_NO_PORT_YET = 4000
"""CUCM's placeholder until the far end has told its port."""


def open_channel(stream: Stream) -> SccpMessage:
    """The order to open a receive channel."""
    return messages.OpenReceiveChannel(
        conference_id=stream.leg.id,
        pass_through_party_id=stream.id,
        milli_second_packet_size=stream.format.packet_ms,
        compression_type=_PAYLOAD[stream.format.codec],
        call_reference=stream.leg.id,
        rfc2833_payload_type=stream.format.telephone_event,
        dtmf_type=_DTMF_TYPE,
        source_ip_addr="0.0.0.0",
        source_port_number=_NO_PORT_YET,
    )


def start_sending(stream: Stream, address: MediaAddress) -> SccpMessage:
    """The order to send to ``address``."""
    return messages.StartMediaTransmission(
        conference_id=stream.leg.id,
        pass_through_party_id=stream.id,
        remote_ip_addr=address[0],
        remote_port_number=address[1],
        milli_second_packet_size=stream.format.packet_ms,
        compression_type=_PAYLOAD[stream.format.codec],
        precedence_value=_EXPEDITED,
        call_reference=stream.leg.id,
        rfc2833_payload_type=stream.format.telephone_event,
        dtmf_type=_DTMF_TYPE,
    )


def close_channel(stream: Stream) -> list[SccpMessage]:
    """The orders to close a channel in both directions."""
    leg = stream.leg.id
    return [
        messages.CloseReceiveChannel(
            conference_id=leg, pass_through_party_id=stream.id, call_reference=leg
        ),
        messages.StopMediaTransmission(
            conference_id=leg, pass_through_party_id=stream.id, call_reference=leg
        ),
    ]


@functools.lru_cache(maxsize=10_000)
def is_ipv4(address: str) -> bool:
    """Whether an address is IPv4, the only family that every session version can carry."""
    try:
        ipaddress.IPv4Address(address)
    except ValueError:
        return False
    return True


def reachable(announced: str, signals_from: str, other_signals_from: str | None) -> str:
    """Where a station that announces one address, and signals from another, can be sent sound.

    One that is behind a NAT announces a private address, which only others behind the same NAT can
    reach: those have the same address as it has, seen from here. ``other_signals_from`` is None for
    the call manager itself.
    """
    if not (is_ipv4(announced) and is_ipv4(signals_from)) or signals_from == other_signals_from:
        return announced
    public = [ipaddress.IPv4Address(each).is_global for each in (announced, signals_from)]
    return signals_from if public == [False, True] else announced
