"""One pair of UDP ports, as calls use it: start and stop each direction, digits, statistics.

A port does nothing by itself: its engine's tick (:mod:`pa_telephony.rtp.engine`) moves the
packets. The methods here only set what the next tick finds.
"""

from __future__ import annotations

import contextlib
import ipaddress
import math
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pa_telephony.errors import LocalProtocolError
from pa_telephony.rtp.dtmf import EventSender
from pa_telephony.rtp.g711 import Samples
from pa_telephony.rtp.mismatch import Mismatch
from pa_telephony.rtp.outbound import Special
from pa_telephony.rtp.packet import Codec
from pa_telephony.rtp.session import Latch, PeerReport, Reception, ReportTimer

__all__ = ["Port", "PortStatistics", "SampleSource"]

_PER_MS = 8
_NOBODY = ("", 0)
_PACKET_MS = (10, 20, 30, 40, 60, 80, 120)


class SampleSource(Protocol):
    """Where the sound that a port sends comes from.

    One that lies ready has a method ``payloads`` besides, which takes a :class:`Codec` and gives an
    iterator of the sound as packets carry it, 160 octets each, from where it stands, or None: its
    port sends these until the iterator ends, and then reads the rest. That costs less.
    """

    def read(self, count: int) -> Samples:
        """The next ``count`` samples at 8000 per second; fewer mean the end."""
        ...


@dataclass(frozen=True, slots=True)
class PortStatistics:
    """Counts since the port was opened.

    ``sent`` and ``octets_sent`` are what left; ``unsent`` are packets that the system refused to
    send. ``jitter`` is in milliseconds (RFC 3550 A.8), as far as ticks of 20 ms show it: none
    within a tick, and 10 ms for packets of 10 or 30 ms that are all on time.
    ``lost`` are packets that never came, by their sequence numbers. ``late`` came after their time:
    they are played only if nothing newer had come. ``reordered`` came behind a newer one.
    ``restarts`` counts how often the sender's timestamps jumped, ``skipped`` frames of 20 ms that
    were left out because too much sound waited. ``foreign`` are packets from another address than
    the announced one (``foreign_from`` is the last of these), and those of another source (SSRC)
    while the present one was heard. ``unexpected`` had a payload type that was not agreed on, the
    last one ``unexpected_type``.
    """

    sent: int
    octets_sent: int
    received: int
    octets_received: int
    lost: int
    late: int
    duplicates: int
    garbage: int
    unexpected: int
    foreign: int
    jitter: float
    unsent: int
    reordered: int = 0
    restarts: int = 0
    skipped: int = 0
    foreign_from: tuple[str, int] | None = None
    unexpected_type: int | None = None


class PortOwner(Protocol):
    """The side that moves the packets of a port: its engine."""

    def listen(self, port: Port, codec: Codec, event_type: int | None) -> None:
        """Expect a stream, and telephone events of this payload type."""
        ...

    def changed(self, port: Port) -> None:
        """Note that a tick has something else to do with a port."""
        ...

    def next_tick(self, port: Port) -> float:
        """When a port's next packet goes out, on trio's clock."""
        ...

    def forget(self, port: Port) -> None:
        """Stop expecting a stream, and drop the one that was heard."""
        ...

    def disconnect(self, port: Port) -> None:
        """Let the port receive from any address again; its UDP number stays."""
        ...

    def talk(self, port: Port, codec: Codec) -> None:
        """Begin a talk spurt in ``codec``: the port sends from the next tick on."""
        ...

    def end_key(self, port: Port) -> None:
        """Let a key that is being sent end now."""
        ...

    def goodbye(self, port: Port) -> None:
        """Send the last RTCP report, with BYE, and stop sending."""
        ...

    def release(self, port: Port) -> None:
        """Take the port out of service and let its sockets rest."""
        ...

    def statistics_of(self, port: Port) -> PortStatistics:
        """What was counted since the port was opened."""
        ...

    def is_ours(self, host: str) -> bool:
        """Whether an IPv4 address is this machine's."""
        ...


class Port:
    """RTP on an even UDP port, RTCP on the next. Made by :meth:`Engine.open_port`."""

    def __init__(
        self,
        engine: PortOwner,
        index: int,
        rtp: socket.socket,
        rtcp: socket.socket,
        packet: memoryview,
        buffer: memoryview,
    ) -> None:
        self.index = index
        self.rtp_socket = rtp
        self.rtcp_socket = rtcp
        self.packet = packet
        """The next packet to go out, as the engine prepares it."""
        self.buffer = buffer
        """The buffer that the engine receives into."""
        self.connected = False
        """Whether the kernel drops packets from any address but :attr:`remote_address`."""
        self.plain = True
        """Whether every tick sends 20 ms of audio: no digit goes out, no other length was
        agreed."""
        self.audible = False
        """Whether sound lies ready to be sent, and not silence."""
        self.local_address: tuple[str, int] = rtp.getsockname()[:2]
        self.closed = False
        self.receiving = False
        self.symmetric = False
        """Whether the next :meth:`start_sending` follows the source of the first packets, wherever
        they come from (symmetric RTP, RFC 4961): for peers behind a NAT, on networks where nobody
        else sends (docs/security.md)."""
        self.announced_only = False
        """Whether nobody is heard but whom :meth:`start_sending` names (docs/security.md)."""
        self.mismatch = Mismatch()
        self.latch: Latch | None = None
        """Where packets go and come from; None while nothing is sent."""
        self.listening: Latch | None = None
        """From where they come while nothing is sent; None: from nobody."""
        self.special: Special | None = None
        self._keys = EventSender(160)
        """The keys that are to be sent; they wait while nothing is sent."""
        self._source: SampleSource | None = None
        self.listeners: list[Callable[[Samples], None]] = []
        self.on_digit: Callable[[str], None] | None = None
        self.reports: ReportTimer | None = None
        self.last_report: PeerReport | None = None
        self.told: Reception | None = None
        """What our last report said of the peer's source."""
        self.foreign = 0
        self.unsent = 0
        """Packets that the system did not send."""
        self.not_sent_because = ""
        """What it said of the last of them."""
        self._engine = engine

    def __repr__(self) -> str:
        return f"<Port {self.index} {self.local_address[0]}:{self.local_address[1]}>"

    def mark(self, tos: int) -> None:
        """Let RTP and RTCP leave with this octet in the IP header: RFC 2474's DSCP times four."""
        with contextlib.suppress(OSError):
            for udp in (self.rtp_socket, self.rtcp_socket):
                udp.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos & 0xFF)

    @property
    def sending(self) -> bool:
        """Whether packets go out, even if only silence."""
        return self.latch is not None

    def not_sent(self, error_number: int) -> None:
        """Note a packet that the system did not send."""
        self.unsent += 1
        self.not_sent_because = os.strerror(error_number)

    @property
    def takes_all(self) -> bool:
        """Whether all that comes is of its peer, and is taken."""
        return self.connected and self.receiving

    @property
    def source(self) -> SampleSource | None:
        """Where the sound comes from that the port sends; None: it sends silence."""
        return self._source

    @source.setter
    def source(self, source: SampleSource | None) -> None:
        self._source = source
        self._engine.changed(self)

    @property
    def next_tick(self) -> float:
        """When the port's next packet goes out, on trio's clock; infinite once it is closed."""
        return math.inf if self.closed else self._engine.next_tick(self)

    @property
    def remote_address(self) -> tuple[str, int] | None:
        """Where packets go: the address that signalling announced, or the one that is followed."""
        return None if self.latch is None else self.latch.remote

    def start_receiving(
        self,
        codec: Codec = Codec.PCMU,
        *,
        packet_ms: int = 20,
        dtmf_payload_type: int | None = None,
        source: tuple[str, int] | None = None,
    ) -> None:
        """Expect a stream, from the peer that :meth:`start_sending` names.

        Where nothing is sent (music on hold may come one way, and a first word before the order to
        send), packets are taken from ``source``, or from whoever is the first to send three in a
        row; not so with :attr:`announced_only`. ``packet_ms`` is what was agreed; any
        length that comes is played. Raises :class:`LocalProtocolError` for what
        :meth:`start_sending` refuses.
        """
        self._check(packet_ms, dtmf_payload_type)
        if source is not None or not self.receiving:
            known = source or _NOBODY
            self.listening = None if self.announced_only else Latch(known, symmetric=True)
        self._engine.listen(self, codec, dtmf_payload_type)
        self.receiving = True

    def stop_receiving(self) -> None:
        """Stop receiving, and drop the stream that was heard."""
        if self.receiving:
            self.receiving = False
            self.listening = None
            self._engine.forget(self)

    def start_sending(
        self,
        remote: tuple[str, int],
        codec: Codec = Codec.PCMU,
        *,
        packet_ms: int = 20,
        dtmf_payload_type: int | None = None,
    ) -> None:
        """Send to ``remote`` from the next tick on: silence while nothing is played.

        Whoever was sent to before is told that this is over. ``packet_ms`` is one of 10, 20, 30,
        40, 60, 80, 120. Digits need a ``dtmf_payload_type`` (96 to 127). Raises
        :class:`LocalProtocolError` for anything else, and for a ``remote`` that is no IPv4 address
        with a port of 1 to 65535, or this very port: peers send all of these, and a tick has no
        time to doubt them.
        """
        self._check(packet_ms, dtmf_payload_type)
        _check_address(remote)
        if self._is_own(remote):
            raise LocalProtocolError(f"cannot send to {remote[0]}:{remote[1]}: that is this port")
        if self.latch is not None and self.latch.announced != remote:
            self.stop_sending()
        self._engine.end_key(self)
        octets = packet_ms * _PER_MS
        sends_key = dtmf_payload_type is not None and self._keys.busy
        self.plain = packet_ms == 20 and not sends_key
        self._engine.disconnect(self)
        self.latch = Latch(remote, symmetric=self.symmetric)
        self.special = (
            None
            if self.plain and dtmf_payload_type is None
            else Special(payload_octets=octets, event_type=dtmf_payload_type, events=self._keys)
        )
        self._engine.talk(self, codec)

    def stop_sending(self) -> None:
        """Say BYE and stop; the clock of the stream runs on."""
        if self.latch is not None:
            self._engine.goodbye(self)
            self.latch = None
            self.special = None

    @property
    def peer(self) -> Latch | None:
        """From where packets are taken now."""
        return self.latch or self.listening

    @property
    def can_send_digits(self) -> bool:
        """Whether telephone events were negotiated for the direction that we send."""
        return self.special is not None and self.special.event_type is not None

    def send_digit(self, digit: str) -> None:
        """Queue one RFC 4733 event of 100 ms; it outlasts a hold and a redirect.

        Raises :class:`LocalProtocolError` where telephone events were not negotiated, and for what
        is no digit.
        """
        if self.special is None or self.special.event_type is None:
            raise LocalProtocolError("telephone events were not negotiated")
        self._keys.add(digit)
        self.plain = False
        self._engine.changed(self)

    @property
    def sends_digits(self) -> bool:
        """Whether queued digits are still to go out."""
        return self._keys.busy

    def forget_digits(self) -> None:
        """Send no digit but the one that is going out."""
        self._keys.clear()

    def close(self) -> None:
        """Stop both directions; the UDP ports rest a while before another call gets them."""
        if not self.closed:
            self.stop_sending()
            self.stop_receiving()
            self.closed = True
            self._engine.release(self)

    @property
    def stats(self) -> PortStatistics:
        """Counts of packets and losses since the port was opened."""
        return self._engine.statistics_of(self)

    def _is_own(self, remote: tuple[str, int]) -> bool:
        host, number = self.local_address
        if remote[1] - number not in (0, 1):
            return False
        return remote[0] == host or (host == "0.0.0.0" and self._engine.is_ours(remote[0]))

    def _check(self, packet_ms: int, dtmf_payload_type: int | None) -> None:
        if self.closed:
            raise LocalProtocolError(f"{self!r} is closed")
        if packet_ms not in _PACKET_MS:
            raise LocalProtocolError(f"packets of {packet_ms} ms: must be one of {_PACKET_MS}")
        if dtmf_payload_type is not None and not 96 <= dtmf_payload_type <= 127:
            raise LocalProtocolError(f"telephone events as {dtmf_payload_type}: not 96 to 127")


def _check_address(remote: tuple[str, int]) -> None:
    host, number = remote
    try:
        ipaddress.IPv4Address(host)
    except ValueError as error:
        raise LocalProtocolError(f"cannot send to {host!r}: {error}") from None
    if not 1 <= number <= 65535:
        raise LocalProtocolError(f"cannot send to UDP port {number}")
