"""A CTI port with its sound on our media engine (JTAPI's CiscoMediaTerminal)."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from pa_telephony.cti import messages
from pa_telephony.cti.client.address import CallLine, CallLineOwner
from pa_telephony.cti.client.call import Call
from pa_telephony.cti.client.jtapi import TerminalConnection
from pa_telephony.cti.enums import CTIMEDIAREGISTRATION, LINEAUTOACCEPTSTATUS, MEDIAPAYLOAD
from pa_telephony.cti.messages.base import CtiMessage
from pa_telephony.cti.messages.structs import DeviceEventFilter, MediaCapability
from pa_telephony.cti.rtp_address import ip_number, ip_text, port_number
from pa_telephony.errors import LocalProtocolError
from pa_telephony.rtp.packet import Codec

if TYPE_CHECKING:
    from pa_telephony.rtp import Engine, Media, Port

__all__ = ["MediaCall", "MediaTerminal"]

_CODECS = {MEDIAPAYLOAD.G711ULAW64K: Codec.PCMU, MEDIAPAYLOAD.G711ALAW64K: Codec.PCMA}
_PACKET_MS = 20
_LOG = logging.getLogger("pa_telephony.cti")


class MediaCall(Call):
    """A call at a CTI port: it can be answered with sound."""

    def __init__(self, address: MediaTerminal, leg: TerminalConnection, event: CtiMessage) -> None:
        super().__init__(address, leg, event)
        self._terminal = address
        self._port: Port | None = None
        self._media: Media | None = None

    @property
    def media(self) -> Media | None:
        """The sound of the call; None before it is connected."""
        return self._media

    async def wait_media(self) -> Media:
        """Wait for the sound until we may send; raises :class:`CallEnded` if that never comes."""
        while self._media is None or self._port is None or not self._port.sending:
            self._check()
            await self._terminal.provider.changed()
        return self._media

    @contextlib.asynccontextmanager
    async def answer(self) -> AsyncGenerator[Media]:
        """Answer, and give the sound; leaving hangs up, unless the call is no longer ours."""
        await self.pick_up()
        try:
            yield await self.wait_media()
        finally:
            await self._terminal.leave(self)

    def digit(self, digit: str) -> None:
        """Take a key that the other side pressed, for the sound to report."""
        if self._media is not None:
            self._media.feed_digit(digit)

    def handle_media_event(self, event: CtiMessage) -> None:
        """Take the orders where to receive, where to send, and when to stop."""
        match event:
            case messages.DeviceCallOpenLogicalChannelEvent():
                self._open_channel(event)
            case messages.StartTransmissionEvent():
                self._start_sending(event)
            case messages.StopTransmissionEvent():
                if self._port is not None:
                    self._port.stop_sending()
            case messages.StopReceptionEvent():
                if self._port is not None:
                    self._port.stop_receiving()
            case _:
                pass

    def end(self, cause: int) -> None:
        """Note that the call is over here; its sound ends, and its port is closed."""
        super().end(cause)
        if self._media is not None:
            self._media.end(cause)
        if self._port is not None:
            self._port.close()
            self._port = None

    def _start_sending(self, event: messages.StartTransmissionEvent) -> None:
        port = self._take_port()
        codec = _CODECS.get(event.compression_type)
        if port is None or codec is None:
            return
        host, provider = ip_text(event.ip_addr), self._terminal.provider
        if provider.config.media_at_signalling_host and host != provider.manager[0]:
            _LOG.warning(
                "the CTI manager wants the sound of a call at %s to go to %s: refused "
                "(media_at_signalling_host)",
                *(self._terminal.number, host),
            )
            self._terminal.hang_up_on(self.leg_id)
            return
        try:
            port.start_sending(
                (host, port_number(event.rtp_port_number)),
                codec,
                packet_ms=event.milli_second_packet_size or _PACKET_MS,
            )
        except LocalProtocolError:
            self._terminal.hang_up_on(self.leg_id)

    def _open_channel(self, event: messages.DeviceCallOpenLogicalChannelEvent) -> None:
        port = self._take_port()
        codec = _CODECS.get(event.compression_type)
        if port is None or codec is None:
            # No task is to wait for a sound that cannot come.
            self._terminal.hang_up_on(self.leg_id)
            return
        try:
            port.start_receiving(codec, packet_ms=event.milli_second_packet_size or _PACKET_MS)
        except LocalProtocolError:
            self._terminal.hang_up_on(self.leg_id)
            return
        host, number = port.local_address
        self._terminal.provider.post(
            messages.DeviceSetRTPForCallRequest(
                call_manager_id=1,
                device_id=event.device_id,
                call_call_manager_id=1,
                call_leg_id=self.leg_id,
                ip_address=ip_number(host),
                rtp_port_number=number,
            )
        )

    def _take_port(self) -> Port | None:
        if self._port is None and not self.ended:
            self._port = self._terminal.open_port()
            if self._port is not None:
                from pa_telephony.rtp import Media  # numpy only where there is sound

                self._media = Media(self._port)
        return self._port


class MediaTerminal(CallLine[MediaCall]):
    """A registered CTI port, made by :meth:`Provider.open_media_terminal`."""

    auto_accept = LINEAUTOACCEPTSTATUS.AUTOACCEPT_ON

    def __init__(
        self, provider: CallLineOwner, number: str, device: str | None, engine: Engine
    ) -> None:
        super().__init__(provider, number, device)
        self._engine = engine

    def new_call(self, leg: TerminalConnection, event: CtiMessage) -> MediaCall:
        """Make the object for a call that was announced."""
        return MediaCall(self, leg, event)

    def device_request(self) -> CtiMessage:
        """The request to register with dynamic media: each call has UDP ports of its own."""
        return messages.DeviceRegisterDeviceRequest(
            device_name=self.device,
            filter=DeviceEventFilter(
                open_logical_channel=True,
                start_transmission=True,
                stop_transmission=True,
                start_reception=True,
                stop_reception=True,
            ),
            media_registration_type=CTIMEDIAREGISTRATION.CTI_MEDIA_REGISTRATION_DYNAMIC,
            media_caps=tuple(
                MediaCapability(payload_capability=codec, max_frames_per_packet=_PACKET_MS)
                for codec in _CODECS
            ),
        )

    def open_port(self) -> Port | None:
        """Open UDP ports for one call; None when none is free."""
        from pa_telephony.rtp import PortUnavailable

        try:
            return self._engine.open_port(address=self.provider.local_address[0])
        except PortUnavailable:
            return None
