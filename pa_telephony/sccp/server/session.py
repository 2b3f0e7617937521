"""One connected station at a server: what the events of its :class:`Registrar` mean."""

from __future__ import annotations

import contextlib
import math
import socket
from typing import Protocol

import trio

from pa_telephony.peer import Dialect, PeerServer, ServedPeer
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import DeviceResetType, DeviceType, PhoneFeatures
from pa_telephony.sccp.keyed import KEYED, without_keyed
from pa_telephony.sccp.messages import SccpMessage, UnknownMessage
from pa_telephony.sccp.server.device import Device
from pa_telephony.sccp.server.registrar import (
    Received,
    Registrar,
    RegistrarConfig,
    RegistrarEvent,
    RegistrationAsked,
    SessionEnded,
    StandbyAsked,
    TokenAsked,
    UnregistrationAsked,
)
from pa_telephony.serving import Door, PeerCounters

__all__ = ["Counters", "Directory", "SessionOwner", "StationSession"]

_LONGEST_PROBE = 32_767
"""The most seconds that Linux takes between two probes."""


class Counters(PeerCounters):
    """What a server has seen; plain numbers, for status pages and tests."""

    def __init__(self) -> None:
        super().__init__()
        self.registrations = 0
        self.rejections = 0
        self.refused_unseen = 0
        """Registrations and tokens of an address that tried too many names that there are not."""
        self.address_changes = 0
        """Registrations from another address than the one that the name had before."""
        self.standbys_refused = 0
        """Stations that were to stand by, and found no place for that."""
        self.tokens_refused = 0
        self.slow_stations = 0
        self.passed_over = 0
        """Messages of stations that nobody declared, that are for the other side to receive, or
        that came before the registration."""


class Directory(Protocol):
    """Who may register, and who is told. All methods are called in order and must not block.

    An exception that one of them raises ends the session it was called for, and is counted in
    :attr:`Counters.internal_errors`.
    """

    def find_device(self, name: str) -> Device | None:
        """The device of this name, None if there is none."""
        ...

    def registered(self, session: StationSession) -> None:
        """A device is registered; its RegisterAck is queued."""
        ...

    def unregistered(self, session: StationSession, reason: str) -> None:
        """A device that was registered is no longer."""
        ...

    def received(self, session: StationSession, message: SccpMessage) -> None:
        """A registered device sent a message that the registrar does not answer."""
        ...

    def may_unregister(self, session: StationSession) -> bool:
        """Whether the device may leave now (not while a call is up)."""
        ...


class SessionOwner(PeerServer, Protocol):
    """What a session needs of the server that accepted it."""

    config: RegistrarConfig
    directory: Directory
    door: Door

    @property
    def counters(self) -> Counters:
        """What the server has seen."""
        ...

    def decide(
        self, session: StationSession, registrar: Registrar, request: messages.RegisterReq
    ) -> None:
        """Accept or reject a RegisterReq."""
        ...

    def stand_by(self, session: StationSession, registrar: Registrar) -> None:
        """Let a station stand by, or close its connection when too many do."""
        ...

    def token(
        self,
        session: StationSession,
        request: messages.RegisterTokenReq | messages.SPCPRegisterTokenReq,
    ) -> int:
        """Whether a station may come back now (0), or the seconds until it may ask again."""
        ...

    def forget(self, session: StationSession, reason: str, was_registered: bool) -> None:
        """Note that a session is over: its name is free at once."""
        ...


class StationSession(ServedPeer[SessionOwner, Registrar]):
    """One connected station."""

    dialect = Dialect(
        protocol="sccp",
        peer="device",
        id_at=8,
        spelling="0x{:04x}",
        kinds=SccpMessage.registry,
        keyed=KEYED,
        public=without_keyed,
    )
    read_size = 256
    """Some 20 messages at most; they are answered in turns (:mod:`~pa_telephony.fairness`)."""
    writes_at_once = True

    def __init__(
        self, server: SessionOwner, stream: trio.SocketStream, registrar: Registrar
    ) -> None:
        super().__init__(server, stream, stream, registrar)
        self.capabilities: tuple[messages.Capability, ...] = ()
        self._transport = stream
        registrar.on_passed_over = self._note_passed_over
        self._told_registered = False

    @property
    def device(self) -> Device:
        """What the station registered as."""
        assert self._core.device is not None
        return self._core.device

    def update(self, device: Device) -> None:
        """Answer the station's questions from ``device`` from now on."""
        self._core.device = device

    @property
    def name(self) -> str:
        """The device name; "" before registration."""
        return self._core.device.name if self._core.device else ""

    @property
    def device_type(self) -> DeviceType:
        """The type the station says it is."""
        return self._core.device_type

    @property
    def version(self) -> int:
        """The negotiated session version."""
        return self._core.version

    @property
    def features(self) -> PhoneFeatures:
        """What the station announced with its registration."""
        return self._core.features

    @property
    def last_heard(self) -> float:
        """When the station last sent anything, on trio's clock."""
        return self._core.last_heard

    @property
    def silent_at(self) -> float:
        """When it will have said nothing for so long that another may have its name."""
        return self._core.silent_at

    def probe(self) -> None:
        """Let TCP ask the other side whether it still has this connection, where TCP can.

        A host that was started anew says no at once, and the session is over. Nothing is sent that
        a station sees, and silence ends nothing that is not overdue anyhow.
        """
        if not hasattr(socket, "TCP_KEEPIDLE"):
            return
        deadline = self._core.next_deadline()
        patience = 1.0 if deadline is None else deadline - trio.current_time()
        options = {
            socket.TCP_KEEPIDLE: 1,
            socket.TCP_KEEPINTVL: min(max(1, math.ceil(patience)), _LONGEST_PROBE),
            socket.TCP_KEEPCNT: 3,
        }
        with contextlib.suppress(OSError):
            for option, value in options.items():
                self._transport.setsockopt(socket.IPPROTO_TCP, option, value)
            self._transport.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def send(self, *what: SccpMessage) -> None:
        """Queue messages; dropped when the session is over. A station that does not read goes."""
        self._tell(lambda: self._queue(what))

    def _queue(self, what: tuple[SccpMessage, ...]) -> None:
        for message in what:
            self._core.send(message)

    def reset(self, kind: DeviceResetType = DeviceResetType.RESET) -> None:
        """Tell the station to start anew; it unregisters when its calls are over."""
        self.send(messages.Reset(reset_type=kind))

    def turn_out(self) -> None:
        """End the session at once: it has not registered, and another has its place."""
        self._abandon("made room: it has not registered, and most such come from its address")
        self._server.door.tell_turned_out(self.address[0])

    def confirm(self, device: Device) -> None:
        """Accept the registration that was asked for (the server decides)."""
        self._core.accept(device)
        self.turns.known()
        # A short keepalive runs out before the time there was to register in.
        self._look_sooner()
        self._told_registered = True

    def _handle_event(self, event: RegistrarEvent) -> None:
        server, registrar = self._server, self._core
        match event:
            case RegistrationAsked():
                server.decide(self, registrar, event.request)
            case StandbyAsked():
                server.stand_by(self, registrar)
            case TokenAsked():
                registrar.answer_token(server.token(self, event.request))
            case UnregistrationAsked():
                if server.directory.may_unregister(self):
                    registrar.accept()
                else:
                    registrar.reject()
            case Received(message):
                self._note_capabilities(message)
                server.directory.received(self, message)
            case SessionEnded(reason):
                self._end(reason)

    def _note_capabilities(self, message: SccpMessage) -> None:
        match message:
            case messages.CapabilitiesRes():
                self.capabilities = message.caps
            case (
                messages.UpdateCapabilities()
                | messages.CapabilitiesV2Res()
                | messages.CapabilitiesV3Res()
            ) if message.audiocaps:
                self.capabilities = tuple(
                    messages.Capability(
                        payload_capability=each.payload_capability,
                        max_frames_per_packet=each.max_frames_per_packet,
                    )
                    for each in message.audiocaps
                )
            case _:
                pass

    def _leave(self) -> None:
        self._server.forget(self, self._ending, self._told_registered)

    def _most_unsent(self) -> int:
        return self._server.config.max_unsent

    def _note_passed_over(self, message: UnknownMessage) -> None:
        self._server.counters.passed_over += 1

    def _note_slow(self) -> None:
        self._server.counters.slow_stations += 1
