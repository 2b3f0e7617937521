"""Calls and devices as applications are told of them: the call model in the terms of CTI."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from pa_telephony.callmanager.applications.registrations import CtiRegistrations
from pa_telephony.callmanager.calls import model
from pa_telephony.callmanager.calls.verbs import (
    Calls,
    DoNotDisturb,
    Forward,
    Leg,
    LegState,
    Line,
    MediaAddress,
    Purpose,
    Reason,
    Stream,
    Watcher,
)
from pa_telephony.callmanager.config import DeviceConfig, DeviceKind, LineConfig
from pa_telephony.cti.enums import CALLORIGIN, CALLREASON, CALLSTATE, MEDIAPAYLOAD
from pa_telephony.cti.server import backend
from pa_telephony.cti.server.backend import (
    CTI_PORT,
    ROUTE_POINT,
    DeviceInfo,
    Event,
    LegInfo,
    LineInfo,
    Observer,
    Participant,
    Party,
)
from pa_telephony.digits import plain
from pa_telephony.rtp.packet import Codec

__all__ = ["CtiView"]

_PHONE = 436
"""A Cisco 7965: any type that JTAPI takes for an ordinary terminal does."""

_TYPES = {DeviceKind.CTI_PORT: CTI_PORT, DeviceKind.ROUTE_POINT: ROUTE_POINT}

_STATES = {
    LegState.DIAL_TONE: CALLSTATE.DIALTONE,
    LegState.DIALLING: CALLSTATE.DIALING,
    LegState.PROCEEDING: CALLSTATE.PROCEEDING,
    LegState.RINGING_OUT: CALLSTATE.RINGBACK,
    LegState.OFFERED: CALLSTATE.ACCEPTED,
    LegState.CONNECTED: CALLSTATE.CONNECTED,
    LegState.HELD: CALLSTATE.ONHOLD,
    LegState.REMOTE_IN_USE: CALLSTATE.CONNECTED,
    LegState.REMOTE_HELD: CALLSTATE.ONHOLD,
    LegState.FAILED: CALLSTATE.DISCONNECTED,
    LegState.IDLE: CALLSTATE.IDLE,
}
_REASONS = {
    Reason.DIRECT: CALLREASON.DIRECTCALL,
    Reason.FORWARD_ALL: CALLREASON.FORWARDALL,
    Reason.FORWARD_BUSY: CALLREASON.FORWARDBUSY,
    Reason.FORWARD_NO_ANSWER: CALLREASON.FORWARDNOANWSER,
    Reason.FORWARD_FAILURE: CALLREASON.FORWARD,
    Reason.REDIRECT: CALLREASON.REDIRECT,
    Reason.TRANSFER: CALLREASON.TRANSFERREDCALL,
    Reason.BLIND_TRANSFER: CALLREASON.BLINDTRANSFER,
    Reason.CONFERENCE: CALLREASON.CONFERENCE,
    Reason.PARK: CALLREASON.PARK,
    Reason.PARK_REVERSION: CALLREASON.PARKREMINDER,
    Reason.UNPARK: CALLREASON.UNPARK,
    Reason.PICKUP: CALLREASON.CALLPICKUP,
}
_CONSULTATIONS = {
    Purpose.TRANSFER: CALLORIGIN.OUTBOUNDTRANSFER,
    Purpose.CONFERENCE: CALLORIGIN.OUTBOUNDCONFERENCE,
}
_PAYLOADS = {Codec.PCMU: MEDIAPAYLOAD.G711ULAW64K, Codec.PCMA: MEDIAPAYLOAD.G711ALAW64K}


class CtiView(Watcher):
    """A watcher of the calls that tells applications of them."""

    def __init__(
        self,
        devices: Mapping[str, DeviceConfig],
        calls: Calls,
        registrations: CtiRegistrations,
    ) -> None:
        self.observers: list[Observer] = []
        self.followers: dict[str, list[Observer]] = {}
        """The observers of each device. There may be a hundred applications, and a call concerns
        two of them."""
        self._devices = devices
        self._calls = calls
        self._registrations = registrations
        self._device_ids: dict[str, int] = {}
        self._line_ids: dict[tuple[str, str], int] = {}
        self._parties: dict[int, tuple[Party, Party]] = {}
        self._transactions = itertools.count(1)
        self._joining: backend.TransferStarted | backend.ConferenceStarted | None = None
        self._media_told: set[int] = set()

    def notify_observers(self, event: Event) -> None:
        """Tell the observers that follow a device of the event; events of devices go to all."""
        match event:
            case backend.DeviceChanged() | backend.DeviceAdded() | backend.DeviceRemoved():
                concerned = list(self.observers)
            case (
                backend.TransferStarted()
                | backend.TransferEnded()
                | backend.ConferenceStarted()
                | backend.ConferenceEnded()
            ):
                devices = dict.fromkeys(leg.device for leg in event.legs)
                several = [each for name in devices for each in self.followers.get(name, ())]
                concerned = list(dict.fromkeys(several))
            case backend.ForwardChanged() | backend.DoNotDisturbChanged() | backend.DataReceived():
                concerned = list(self.followers.get(event.device, ()))
            case _:
                concerned = list(self.followers.get(event.leg.device, ()))
        for observer in concerned:
            observer.notify(event)

    # Devices and legs in the terms of CTI.

    def device(self, name: str) -> DeviceInfo:
        """The CTI description of a device, as it is now."""
        device = self._devices[name]
        return DeviceInfo(
            name=name,
            device_type=_TYPES.get(device.kind, _PHONE),
            lines=tuple(
                LineInfo(
                    line.number, line.name, line.partition, line.max_calls, self._line_id(line)
                )
                for line in device.lines
            ),
            registered=self._calls.is_registered(name),
            description=device.description,
            device_id=self._device_ids.setdefault(name, len(self._device_ids) + 1),
            registration=self._registrations.media_of(name),
            do_not_disturb=self._calls.do_not_disturb(name) is not DoNotDisturb.OFF,
        )

    def _line_id(self, line: LineConfig) -> int:
        key = plain(line.number), line.partition
        return self._line_ids.setdefault(key, len(self._line_ids) + 1)

    def leg(self, leg: Leg) -> LegInfo:
        """The CTI description of a leg, as it is now."""
        state = _STATES[leg.state]
        if leg.state is LegState.OFFERED and not leg.alerting:
            state = CALLSTATE.OFFERING
        origin = CALLORIGIN.INBOUNDINTERNAL if leg.incoming else CALLORIGIN.OUTBOUND
        if leg.consult_of is not None:
            origin = _CONSULTATIONS[leg.purpose]
        calling, called = self._shown_parties(leg)
        ended = leg.state in (LegState.IDLE, LegState.FAILED)
        return LegInfo(
            leg_id=leg.id,
            call_id=leg.call_id,
            device=leg.device,
            line=leg.line_index,
            state=state,
            incoming=leg.incoming,
            calling=calling,
            called=called,
            original_called=Party(leg.original_called.number, leg.original_called.name),
            last_redirecting=Party(leg.last_redirecting.number, leg.last_redirecting.name),
            cause=leg.cause if ended else 0,
            reason=self._reason(leg),
            origin=origin,
            remote_in_use=leg.state in (LegState.REMOTE_IN_USE, LegState.REMOTE_HELD),
        )

    def members(self, leg: Leg) -> list[Participant]:
        """The parties of a leg's conference, its controller first; none when it is in none."""
        mix = leg.conference
        if mix is None:
            return []
        members = sorted(mix.members, key=lambda each: each is not mix.controller)
        return [_participant(each) for each in members]

    def _reason(self, leg: Leg) -> CALLREASON:
        """The reason of a leg; Cisco's client ignores an end by CONFERENCE (observed)."""
        gone = leg.state is LegState.IDLE and self._joining is None
        if gone and leg.reason is Reason.CONFERENCE:
            return CALLREASON.DIRECTCALL
        return _REASONS[leg.reason]

    def _shown_parties(self, leg: Leg) -> tuple[Party, Party]:
        """The calling and the called party; a conference has no number, so earlier ones stay."""
        if leg.conference is not None and leg.id in self._parties:
            return self._parties[leg.id]
        own, other = (leg.called, leg.calling) if leg.incoming else (leg.calling, leg.called)
        here = Party(own.number, own.name, leg.device)
        there = Party(other.number, other.name, self._device_of(leg, other))
        return (there, here) if leg.incoming else (here, there)

    def _device_of(self, leg: Leg, other: model.Party) -> str:
        """The device of the other party of a leg, the last one known when it is gone."""
        if leg.peer is not None:
            return leg.peer.device
        if leg.id not in self._parties:
            return ""
        known = self._parties[leg.id][0 if leg.incoming else 1]
        return known.device if (known.number, known.name) == (other.number, other.name) else ""

    # Events of the call model.

    def leg_changed(self, leg: Leg) -> None:
        """A leg is new, changed, or gone."""
        # Most legs are told to no application: the phones that share a line may be hundreds.
        info = self.leg(leg) if leg.device in self.followers else None
        if leg.state is LegState.IDLE:
            self._parties.pop(leg.id, None)
        else:
            self._parties[leg.id] = self._shown_parties(leg)
        if info is not None:
            self.notify_observers(backend.LegChanged(info))

    def device_changed(self, device: str) -> None:
        """A device can be called from now on, or no more."""
        if self.observers and device in self._devices:
            self.notify_observers(backend.DeviceChanged(self.device(device)))

    def calls_joined(self, reason: Reason, by: Leg, survivor: int, gone: tuple[int, ...]) -> None:
        """Tell that a transfer or a conference begins."""
        others = [
            leg
            for call in gone
            for leg in self._calls.legs_of(by.device)
            if leg.call_id == call and leg is not by
        ]
        legs = {
            each.id: each
            for leg in (by, *others)
            for each in (leg, *_far_sides(leg))
            if each.state is not LegState.IDLE
        }
        infos = tuple(self.leg(each) for each in legs.values())
        controller = self.leg(by)
        if not others:
            return
        if reason is Reason.TRANSFER:
            self._joining = backend.TransferStarted(
                next(self._transactions), controller, self.leg(others[0]), infos
            )
        else:
            joined = tuple(self.leg(each) for each in others)
            self._joining = backend.ConferenceStarted(
                next(self._transactions), controller, joined, infos
            )
        self.notify_observers(self._joining)

    def calls_were_joined(self, reason: Reason, by: Leg) -> None:
        """Tell that the transfer or the conference is made."""
        started, self._joining = self._joining, None
        match started:
            case backend.TransferStarted():
                self.notify_observers(
                    backend.TransferEnded(
                        started.transaction, started.controller, started.consult, started.legs
                    )
                )
            case backend.ConferenceStarted():
                self._tell_members(by, {leg.leg_id for leg in started.legs})
                self.notify_observers(
                    backend.ConferenceEnded(
                        started.transaction, started.controller, started.others, started.legs
                    )
                )
            case None:
                pass

    def _tell_members(self, by: Leg, joined: set[int]) -> None:
        """Tell every member of a conference of each other member that has just joined."""
        conference = by.conference
        if conference is None:
            return
        members = list(conference.members)
        for came in members:
            if came is by or came.id not in joined:
                continue
            self._tell_of(came, members, by, added=True)

    def _tell_of(self, changed: Leg, members: list[Leg], controller: Leg, *, added: bool) -> None:
        who = _participant(changed)
        for each in members:
            self.notify_observers(
                backend.ConferenceChanged(
                    leg=self.leg(each),
                    changed=who,
                    added=added,
                    others=tuple(_participant(other) for other in members if other is not changed),
                    controller=_participant(controller),
                )
            )

    def party_left(self, gone: Leg, members: tuple[Leg, ...], controller: Leg | None) -> None:
        """Tell the members of a conference that another member has left."""
        if members:
            self._tell_of(gone, list(members), controller or members[0], added=False)

    def forward_changed(self, line: Line, kind: Forward) -> None:
        """A forward of a line was set or cancelled."""
        if kind is Forward.ALL:
            for each in line.appearances:
                self.notify_observers(
                    backend.ForwardChanged(each.device, each.index, line.forwards.get(kind, ""))
                )

    def do_not_disturb_changed(self, device: str) -> None:
        """Tell that do not disturb was switched on or off at a device."""
        on = self._calls.do_not_disturb(device) is not DoNotDisturb.OFF
        self.notify_observers(backend.DoNotDisturbChanged(device, on))

    def channel_wanted(self, stream: Stream) -> None:
        """Ask the applications of a dynamically registered device where it receives."""
        self.notify_observers(backend.ChannelWanted(self.leg(stream.leg), *_format(stream)))

    def receiving(self, stream: Stream) -> None:
        """Tell that a device receives."""
        if stream.address is not None:
            self._media_told.add(stream.id)
            self.notify_observers(
                backend.ReceptionStarted(self.leg(stream.leg), stream.address, *_format(stream))
            )

    def sending(self, stream: Stream, address: MediaAddress) -> None:
        """Tell that a device sends."""
        self._media_told.add(stream.id)
        self.notify_observers(
            backend.TransmissionStarted(self.leg(stream.leg), address, *_format(stream))
        )

    def media_closed(self, stream: Stream) -> None:
        """Tell that a device neither sends nor receives any more, if it did."""
        if stream.id in self._media_told:
            self._media_told.discard(stream.id)
            self.notify_observers(backend.MediaStopped(self.leg(stream.leg)))


def _far_sides(leg: Leg) -> list[Leg]:
    if leg.conference is not None:
        return [each for each in leg.conference.members if each is not leg]
    return [leg.peer] if leg.peer is not None else []


def _participant(leg: Leg) -> Participant:
    return Participant(leg.id, Party(leg.party.number, leg.party.name, leg.device))


def _format(stream: Stream) -> tuple[MEDIAPAYLOAD, int]:
    return _PAYLOADS[stream.format.codec], stream.format.packet_ms
