"""The CTI side of the call manager: devices and legs as applications see and control them."""

from __future__ import annotations

from collections.abc import Sequence

from pa_telephony.callmanager.calls import (
    Calls,
    Capabilities,
    Cause,
    Leg,
    LegState,
    MediaAddress,
    Reason,
    Stream,
    Watcher,
)
from pa_telephony.callmanager.config import CallManagerConfig, DeviceConfig, DeviceKind, User
from pa_telephony.cti.control import (
    CTI_PORT,
    ROUTE_POINT,
    DeviceInfo,
    LegInfo,
    LineInfo,
    Observer,
    Party,
)
from pa_telephony.cti.enums import CALLREASON, CALLSTATE, CTIFAILURE
from pa_telephony.cti.login import same_secret
from pa_telephony.errors import RequestFailed

__all__ = ["CtiSide"]

_PHONE = 436
"""Cisco 7965: any type that JTAPI takes for an ordinary terminal does."""

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

_REDIRECT_FAILURES = {
    Cause.UNALLOCATED_NUMBER: CTIFAILURE.REDIRECT_CALL_UNKNOWN_DESTINATION,
    Cause.USER_BUSY: CTIFAILURE.REDIRECT_CALL_DESTINATION_BUSY,
    Cause.OUT_OF_ORDER: CTIFAILURE.REDIRECT_CALL_DESTINATION_OUT_OF_ORDER,
    Cause.WRONG_STATE: CTIFAILURE.REDIRECT_CALL_INCOMPATIBLE_STATE,
}

_REASONS = {
    Reason.DIRECT: CALLREASON.DIRECTCALL,
    Reason.FORWARD_ALL: CALLREASON.FORWARDALL,
    Reason.FORWARD_BUSY: CALLREASON.FORWARDBUSY,
    Reason.FORWARD_NO_ANSWER: CALLREASON.FORWARDNOANWSER,
    Reason.FORWARD_FAILURE: CALLREASON.FORWARD,
    Reason.REDIRECT: CALLREASON.REDIRECT,
    Reason.TRANSFER: CALLREASON.TRANSFERREDCALL,
    Reason.CONFERENCE: CALLREASON.CONFERENCE,
    Reason.PARK: CALLREASON.PARK,
    Reason.PARK_REVERSION: CALLREASON.PARKREMINDER,
    Reason.UNPARK: CALLREASON.UNPARK,
    Reason.PICKUP: CALLREASON.CALLPICKUP,
}


class CtiSide(Watcher):
    """A CallControl to the CTI Manager, a Side of CTI devices and a Watcher to the calls."""

    def __init__(self, config: CallManagerConfig, calls: Calls) -> None:
        self._calls = calls
        self._users = {user.name: user for user in config.users}
        self._devices = {device.name: device for device in config.devices}
        self._owners: dict[str, list[object]] = {}
        self._observers: list[Observer] = []
        self._accepted: set[int] = set()
        calls.watchers.append(self)

    def add_device(self, device: DeviceConfig) -> None:
        """Show applications one more device."""
        self._devices[device.name] = device
        self._tell_devices_changed()

    def remove_device(self, name: str) -> None:
        """Show applications a device no more."""
        self._owners.pop(name, None)
        self._devices.pop(name, None)
        self._tell_devices_changed()

    def set_users(self, users: Sequence[User]) -> None:
        """Who may log in from now on."""
        self._users = {user.name: user for user in users}

    def _tell_devices_changed(self) -> None:
        for observer in list(self._observers):
            observer.devices_changed()

    # CallControl: what the CTI Manager asks.

    def authenticate(self, user: str, password: str) -> bool:
        """Whether the password is the user's; an unknown user costs the same time."""
        known = self._users.get(user, _NOBODY)
        return same_secret(known.password, password) and known is not _NOBODY

    def devices_of(self, user: str) -> Sequence[DeviceInfo]:
        """What the user may control: what his entry lists, everything when it lists nothing."""
        names = self._users[user].devices if user in self._users else ()
        return [
            self._info(device)
            for device in self._devices.values()
            if not names or device.name in names
        ]

    def register(self, device: str, owner: object) -> None:
        """Put a CTI device in service; more than one owner may (JTAPI guide)."""
        owners = self._owners.setdefault(device, [])
        owners.append(owner)
        if len(owners) == 1:
            self._calls.register(device, self)

    def unregister(self, device: str, owner: object) -> None:
        """One owner less; the last one takes the device out of service, its calls with it."""
        owners = self._owners.get(device, [])
        if owner in owners:
            owners.remove(owner)
            if not owners:
                self._calls.unregister(device)

    def owners(self, device: str) -> int:
        """How many applications have a device registered."""
        return len(self._owners.get(device, ()))

    def legs_of(self, device: str) -> Sequence[LegInfo]:
        """The live legs of a device."""
        return [self._leg_info(leg) for leg in self._calls.legs_of(device)]

    def originate(self, device: str, line: int, number: str) -> LegInfo:
        """Call ``number`` from a line."""
        if not self._calls.is_registered(device):
            raise RequestFailed(CTIFAILURE.DEVICE_OUT_OF_SERVICE, f"{device} is not registered")
        try:
            leg = self._calls.originate(device, line, number)
        except RequestFailed as failed:
            code = CTIFAILURE.CTIERR_MAXCALL_LIMIT_REACHED
            raise RequestFailed(code, failed.description) from None
        return self._leg_info(leg)

    def accept(self, leg_id: int) -> None:
        """Let an offered call alert."""
        leg = self._leg(leg_id)
        if leg.state is not LegState.OFFERED:
            raise RequestFailed(CTIFAILURE.ILLEGAL_CALLSTATE, leg.state.value)
        self._accepted.add(leg.id)
        self.leg_changed(leg)

    def answer(self, leg_id: int) -> None:
        """Answer an offered call. A route point has no media to answer with."""
        leg = self._leg(leg_id)
        if leg.state is not LegState.OFFERED:
            raise RequestFailed(CTIFAILURE.ILLEGAL_CALLSTATE, leg.state.value)
        if leg.device in self._owners:
            raise RequestFailed(
                CTIFAILURE.COMMAND_NOT_IMPLEMENTED_ON_DEVICE, "registered without media"
            )
        self._calls.answer(leg)

    def disconnect(self, leg_id: int) -> None:
        """Hang up."""
        self._calls.release(self._leg(leg_id))

    def redirect(self, leg_id: int, number: str) -> None:
        """Send the other party to ``number``; nothing changes when that fails."""
        try:
            self._calls.redirect(self._leg(leg_id), number)
        except RequestFailed as failed:
            code = _REDIRECT_FAILURES.get(Cause(failed.code), CTIFAILURE.REDIRECT_ERR)
            raise RequestFailed(code, failed.description) from None

    def watch(self, observer: Observer) -> None:
        """Tell ``observer`` from now on."""
        self._observers.append(observer)

    def unwatch(self, observer: Observer) -> None:
        """Tell it no more."""
        self._observers.remove(observer)

    # Watcher: what the calls tell.

    def leg_changed(self, leg: Leg) -> None:
        """A leg of any device changed."""
        info = self._leg_info(leg)
        if leg.state is LegState.IDLE:
            self._accepted.discard(leg.id)
        for observer in list(self._observers):
            observer.leg_changed(info)

    def device_changed(self, device: str) -> None:
        """A device was registered or unregistered."""
        info = self._info(self._devices[device])
        for observer in list(self._observers):
            observer.device_changed(info)

    # Side of devices that are registered without media: the application watches, no more.

    def show(self, leg: Leg) -> None:
        """Nothing to do: :meth:`leg_changed` tells it."""

    def capabilities(self, leg: Leg) -> Capabilities:
        """There is no media."""
        return Capabilities((), 0)

    def open_media(self, stream: Stream) -> None:
        """There is none."""
        self._calls.receiving(stream, None)

    def send_media(self, stream: Stream, address: MediaAddress) -> None:
        """There is none."""

    def close_media(self, stream: Stream) -> None:
        """There is none."""

    def digit(self, leg: Leg, digit: str) -> None:
        """Nobody listens."""

    def _leg(self, leg_id: int) -> Leg:
        try:
            return self._calls.legs[leg_id]
        except KeyError:
            raise RequestFailed(CTIFAILURE.ILLEGAL_HANDLE, f"no call leg {leg_id}") from None

    def _info(self, device: DeviceConfig) -> DeviceInfo:
        return DeviceInfo(
            name=device.name,
            device_type=_TYPES.get(device.kind, _PHONE),
            lines=tuple(
                LineInfo(line.number, line.name, line.partition, line.max_calls)
                for line in device.lines
            ),
            registered=self._calls.is_registered(device.name),
            description=device.description,
        )

    def _leg_info(self, leg: Leg) -> LegInfo:
        state = _STATES[leg.state]
        cti = self._devices[leg.device].kind in _TYPES
        if leg.state is LegState.OFFERED and cti and leg.id not in self._accepted:
            # Phones ring by themselves; an application accepts first.
            state = CALLSTATE.OFFERING
        reason = _REASONS[leg.reason]
        ended = leg.state in (LegState.IDLE, LegState.FAILED)
        return LegInfo(
            leg_id=leg.id,
            call_id=leg.call_id,
            device=leg.device,
            line=leg.line_index,
            state=state,
            incoming=leg.incoming,
            calling=Party(leg.calling.number, leg.calling.name),
            called=Party(leg.called.number, leg.called.name),
            original_called=Party(leg.original_called.number, leg.original_called.name),
            last_redirecting=Party(leg.last_redirecting.number, leg.last_redirecting.name),
            cause=leg.cause if ended else 0,
            reason=reason,
        )


_NOBODY = User(name="", password="nobody has this name, and nobody gets in")
