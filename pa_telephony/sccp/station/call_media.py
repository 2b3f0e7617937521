"""The sound of one call: a port of the media engine that does what the call manager orders.

A port is taken when the first channel is ordered and given back when the call ends; orders that it
cannot obey are refused in the acknowledgement. Nothing is sent without a call: an order to send
that comes before the call's first state (some call managers do that) is obeyed with that state.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from pa_telephony.errors import LocalProtocolError
from pa_telephony.printable import printable
from pa_telephony.rtp.packet import Codec
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import DCallState, MediaPayloadType, MediaStatus
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.station.call_view import CallView, port_answer
from pa_telephony.sccp.station.style import HABITS, StationConfig, Style
from pa_telephony.sccp.tones import DIGITS

if TYPE_CHECKING:
    from pa_telephony.rtp import Media, Port, PortStatistics

__all__ = ["CallMedia", "MediaOwner", "no_statistics"]

_CODECS = {
    MediaPayloadType.G711_ALAW64K: Codec.PCMA,
    MediaPayloadType.G711_ALAW56K: Codec.PCMA,
    MediaPayloadType.G711_ULAW64K: Codec.PCMU,
    MediaPayloadType.G711_ULAW56K: Codec.PCMU,
}
_ACKS_TRANSMISSION = 15
_NOWHERE = ("0.0.0.0", 0)
_LOG = logging.getLogger("pa_telephony.sccp")


class MediaOwner(Protocol):
    """What the sound of a call needs of its station."""

    config: StationConfig

    @property
    def version(self) -> int:
        """The session version; 0 without a session."""
        ...

    @property
    def call_manager_host(self) -> str:
        """The IP address of the call manager whose session it is; "" without one."""
        ...

    def send(self, message: SccpMessage) -> None:
        """Queue a message; dropped when the session is gone."""
        ...

    def open_port(self) -> Port | None:
        """A port of the media engine, None when none is free or there is no engine."""
        ...


def no_statistics(request: messages.ConnectionStatisticsReq) -> messages.ConnectionStatisticsRes:
    """The answer about a call of which nothing is known: all counts are zero."""
    return messages.ConnectionStatisticsRes(
        directory_num=request.directory_num,
        call_reference=request.call_reference,
        stats_processing_mode=request.stats_processing_mode,
    )


class CallMedia:
    """The sound of the call that ``view`` shows."""

    def __init__(self, station: MediaOwner, view: CallView) -> None:
        self.port: Port | None = None
        """The UDP ports, held from the first order to the end of the call."""
        self.sound: Media | None = None
        """What users play and record on; it stays when the port is gone."""
        self.refused = False
        """Whether the last order found no port."""
        self._station = station
        self._view = view
        self._heard: PortStatistics | None = None
        self._waiting: messages.StartMediaTransmission | None = None
        """An order to send that came before the call."""
        self._order: messages.OpenReceiveChannel | None = None
        """The last order to receive."""
        self._receives: tuple[Codec, int, int] | None = None
        """The stream that the port listens for: codec, ms per packet, payload type of digits."""

    def handle_message(self, message: SccpMessage | None) -> None:
        """Obey an order of the call manager; other messages are passed over."""
        match message:
            case messages.OpenReceiveChannel():
                self._receive(message)
            case messages.StartMediaTransmission():
                self._waiting = message
                self._send_waiting()
            case messages.CallState():
                self._send_waiting()
            case messages.PortReq():
                port = self._take_port()
                address = port.local_address if port is not None else _NOWHERE
                self._station.send(port_answer(message, address))
            case messages.SubscribeDtmfPayloadReq():
                self._listen_for_digits(message.payload_dtmf)
            case messages.StartTone() | messages.SendDtmfTone():
                # A key of the other side that did not come in the audio (docs/protocol/sccp.md §7).
                if self.sound is not None and message.tone in DIGITS:
                    self.sound.feed_digit(DIGITS[message.tone])
            case messages.CloseReceiveChannel() if self.port is not None:
                self.port.stop_receiving()
                self._receives = None
            case messages.StopMediaTransmission():
                self._waiting = None
                if self.port is not None:
                    self.port.stop_sending()
            case _:
                pass

    def end(self, cause: int) -> None:
        """End the sound with ``cause``, and give the port back to the engine."""
        if self.sound is not None:
            self.sound.end(cause)
        if self.port is not None:
            self._heard = self.port.stats
            self.port.close()
            self.port = None

    def statistics(
        self, request: messages.ConnectionStatisticsReq
    ) -> messages.ConnectionStatisticsRes:
        """The statistics of the sound, for a call manager that asks; all zero without sound."""
        stats = self.port.stats if self.port is not None else self._heard
        answer = no_statistics(request)
        if stats is None:
            return answer
        return replace(
            answer,
            number_packets_sent=stats.sent,
            number_octets_sent=stats.octets_sent,
            number_packets_received=stats.received,
            number_octets_received=stats.octets_received,
            number_packets_lost=stats.lost,
            jitter=round(stats.jitter),
        )

    def _take_port(self) -> Port | None:
        if self.port is None and not self._view.ended:
            self.port = self._station.open_port()
            self.refused = self.port is None
            if self.port is not None:
                from pa_telephony.rtp import Media  # numpy only where there is sound

                if self._station.config.symmetric_rtp:
                    self.port.symmetric = True
                self.sound = Media(self.port)
                self.port.on_digit = self._view.telling(self._station.send, self.port.on_digit)
        return self.port

    @property
    def heard(self) -> tuple[int, float] | None:
        """A value that changes with each packet or report heard; None while none is to be heard."""
        port = self.port
        if port is None or not port.receiving:
            return None
        return port.stats.received, port.last_report.at if port.last_report else 0.0

    def report_silence(self) -> None:
        """Tell the call manager that nothing is heard of the stream that it has ordered."""
        order, port = self._order, self.port
        if order is None or port is None:
            return
        host, number = port.remote_address or _NOWHERE
        self._station.send(
            messages.MediaTransmissionFailure(
                conference_id=order.conference_id,
                pass_through_party_id=order.pass_through_party_id,
                remote_ip_addr=host,
                remote_port_number=number,
                call_reference=order.call_reference,
            )
        )

    def _receive(self, order: messages.OpenReceiveChannel) -> None:
        self._order = order
        codec = _CODECS.get(order.compression_type)
        port = self._take_port() if codec is not None else None
        address = _NOWHERE
        if codec is None:
            status = MediaStatus.CODEC_TOO_COMPLEX
        elif port is None:
            status = MediaStatus.NOT_ENOUGH_CHANNELS
        else:
            status = MediaStatus.OK
            receives = (
                codec,
                order.milli_second_packet_size or 20,
                order.rfc2833_payload_type,
            )
            try:
                source = order.source_ip_addr, order.source_port_number
                self._start_receiving(port, *receives, source)
                address = port.local_address
            except LocalProtocolError:
                # The order asks for more than a port can do: it is refused.
                status = MediaStatus.ENCODER_OR_DECODER_FAILED
        self._station.send(
            messages.OpenReceiveChannelAck(
                media_reception_status=status,
                ip_addr=address[0],
                port_number=address[1],
                pass_through_party_id=order.pass_through_party_id,
                call_reference=order.call_reference,
            )
        )

    def _listen_for_digits(self, payload_type: int) -> None:
        # A subscription names them where OpenReceiveChannel did not (captured: sccp_hw_gway_tls).
        if self.port is None or self._receives is None:
            return
        codec, packet_ms, known = self._receives
        if known != payload_type:
            self._start_receiving(self.port, codec, packet_ms, payload_type)

    def _start_receiving(
        self,
        port: Port,
        codec: Codec,
        packet_ms: int,
        digits: int,
        source: tuple[str, int] | None = None,
    ) -> None:
        port.start_receiving(
            codec, packet_ms=packet_ms, dtmf_payload_type=digits or None, source=source
        )
        self._receives = codec, packet_ms, digits

    def _send_waiting(self) -> None:
        """Obey the order that waits, if the call has a state by now."""
        config, view = self._station.config, self._view
        # A media resource is shown no calls, and a further stream has no state of its own.
        stateless = config.style is Style.MEDIA_RESOURCE or view.party is not None
        if self._waiting is not None and (stateless or view.state is not DCallState.IDLE):
            order, self._waiting = self._waiting, None
            self._transmit(order)

    def _transmit(self, order: messages.StartMediaTransmission) -> None:
        codec = _CODECS.get(order.compression_type)
        port = self._take_port() if codec is not None else None
        elsewhere = order.remote_ip_addr != self._station.call_manager_host
        if port is None or codec is None:
            status = MediaStatus.NOT_ENOUGH_CHANNELS
        elif elsewhere and self._station.config.media_at_signalling_host:
            status = MediaStatus.UNKNOWN
            _LOG.warning(
                "the call manager wants sound to go to %s: refused (media_at_signalling_host)",
                printable(order.remote_ip_addr),
            )
        else:
            status = MediaStatus.OK
            try:
                port.start_sending(
                    (order.remote_ip_addr, order.remote_port_number),
                    codec,
                    packet_ms=order.milli_second_packet_size or 20,
                    dtmf_payload_type=order.rfc2833_payload_type or None,
                )
                if order.precedence_value:
                    port.mark(order.precedence_value)
            except LocalProtocolError:
                status = MediaStatus.ENCODER_OR_DECODER_FAILED
        confirms = HABITS[self._station.config.style].confirms_transmission
        if confirms and self._station.version >= _ACKS_TRANSMISSION:
            address = port.local_address if port is not None else _NOWHERE
            self._station.send(
                messages.StartMediaTransmissionAck(
                    conference_id=order.conference_id,
                    pass_through_party_id=order.pass_through_party_id,
                    call_reference=order.call_reference,
                    transmit_ip_addr=address[0],
                    port_number=address[1],
                    media_transmission_status=status,
                )
            )
