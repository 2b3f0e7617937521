"""The CTI side of the call manager: devices and legs as applications see and control them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

from pa_telephony.admission import Refusal, Refusals
from pa_telephony.callmanager.applications.events import CtiView
from pa_telephony.callmanager.applications.registrations import CtiRegistrations
from pa_telephony.callmanager.calls.verbs import (
    Appearance,
    Calls,
    Capabilities,
    Cause,
    DoNotDisturb,
    Forward,
    Leg,
    LegState,
    Line,
    MediaAddress,
    Purpose,
    Reason,
    Shown,
    Stream,
)
from pa_telephony.callmanager.config import CallManagerConfig, DeviceConfig, DeviceKind, User
from pa_telephony.cti.enums import CTIFAILURE, MEDIAPAYLOAD
from pa_telephony.cti.login import same_secret
from pa_telephony.cti.server import backend
from pa_telephony.cti.server.backend import (
    DeviceInfo,
    LegInfo,
    MediaRegistration,
    Observer,
    Participant,
    RedirectOptions,
    Termination,
)
from pa_telephony.errors import RequestFailed
from pa_telephony.rtp.packet import Codec

__all__ = ["CtiSide"]

_CODECS = {MEDIAPAYLOAD.G711ULAW64K: Codec.PCMU, MEDIAPAYLOAD.G711ALAW64K: Codec.PCMA}

_REORDER = 2.0
"""Seconds until a failed call ends; when it ends at once, Cisco's client forgets why it failed
(observed)."""

_REDIRECT_FAILURES = {
    Cause.UNALLOCATED_NUMBER: CTIFAILURE.REDIRECT_CALL_UNKNOWN_DESTINATION,
    Cause.USER_BUSY: CTIFAILURE.REDIRECT_CALL_DESTINATION_BUSY,
    Cause.OUT_OF_ORDER: CTIFAILURE.REDIRECT_CALL_DESTINATION_OUT_OF_ORDER,
    Cause.WRONG_STATE: CTIFAILURE.REDIRECT_CALL_INCOMPATIBLE_STATE,
}
_FAILURES = {
    Cause.WRONG_STATE: CTIFAILURE.ILLEGAL_CALLSTATE,
    Cause.INCOMPATIBLE: CTIFAILURE.CTIERR_MEDIA_CAPABILITY_MISMATCH,
    Cause.UNALLOCATED_NUMBER: CTIFAILURE.UNDEFINED_LINE,
}


@contextmanager
def _failing(otherwise: CTIFAILURE, known: dict[Cause, CTIFAILURE] = _FAILURES) -> Generator[None]:
    """Turn the errors of the call model into the codes that an application knows."""
    try:
        yield
    except RequestFailed as failed:
        if isinstance(failed.code, CTIFAILURE):
            raise
        raise RequestFailed(known.get(Cause(failed.code), otherwise), failed.description) from None


class CtiSide:
    """The CallControl of the CTI Manager, and the Side of CTI devices.

    ``send_data`` gives a phone data for its screen; False when there is no such phone now.
    """

    def __init__(
        self,
        config: CallManagerConfig,
        calls: Calls,
        send_data: Callable[[str, bytes], bool] = lambda device, data: False,
    ) -> None:
        self._calls = calls
        self._send_data = send_data
        self._devices = {device.name: device for device in config.devices}
        self.set_users(config.users)
        self._registrations = CtiRegistrations()
        self.refusals = Refusals()
        """Why CTI devices could not be registered last."""
        self._view = CtiView(self._devices, calls, self._registrations)
        self._auto_accept: dict[tuple[str, int], set[object]] = {}
        self._streams: dict[int, Stream] = {}
        """Streams of legs of dynamically registered devices that have not yet told where they
        receive."""
        calls.watchers.append(self._view)

    # Users and what they may do.

    def log_in(self, user: str, password: str) -> CTIFAILURE:
        """0 when the user may come in; an unknown user costs the same time as a wrong password."""
        known = self._users.get(user, _NOBODY)
        if not same_secret(known.password, password) or known is _NOBODY:
            return CTIFAILURE.DIRECTORY_LOGIN_FAILED
        # Only a client with the right password is told that the user may not use CTI.
        if known.locked:
            return CTIFAILURE.CTIERR_LOGIN_FAILED_ACCOUNT_LOCKED
        return CTIFAILURE(0) if known.cti else CTIFAILURE.DIRECTORY_LOGIN_NOT_ALLOWED

    def controls_any_device(self, user: str) -> bool:
        """Whether the user is a super provider, who may control every device."""
        return user in self._users and self._users[user].any_device

    def device_names(self, user: str) -> Sequence[str]:
        """The devices that a user may control: those of the entry, or all when it lists none."""
        return [name for name in self._devices if self._has(user, name)]

    def device(self, name: str) -> DeviceInfo:
        """One device, whichever users control it; raises :class:`RequestFailed` if unknown."""
        if name not in self._devices:
            raise RequestFailed(CTIFAILURE.CTIERR_INVALID_DEVICE_NAME, f"no device {name!r}")
        return self._view.device(name)

    def may_control(self, user: str, device: str) -> bool:
        """Whether a device is one of the user's."""
        return device in self._devices and self._has(user, device)

    def _has(self, user: str, device: str) -> bool:
        listed = self._listed.get(user)
        return listed is not None and (not listed or device in listed)

    def watch(self, observer: Observer) -> None:
        """Tell ``observer`` of devices that are registered, added and removed."""
        self._view.observers.append(observer)

    def unwatch(self, observer: Observer) -> None:
        """Tell ``observer`` of nothing any more."""
        self._view.observers.remove(observer)
        for device in [name for name, known in self._view.followers.items() if observer in known]:
            self.unfollow(observer, device)

    def follow(self, observer: Observer, device: str) -> None:
        """Tell ``observer`` of what happens at ``device`` and in its calls, too."""
        followers = self._view.followers.setdefault(device, [])
        if observer not in followers:
            followers.append(observer)

    def unfollow(self, observer: Observer, device: str) -> None:
        """Tell ``observer`` no more of what happens at ``device``."""
        followers = self._view.followers.get(device, [])
        if observer in followers:
            followers.remove(observer)
        if not followers:
            self._view.followers.pop(device, None)

    # Devices and lines.

    def register(self, device: str, owner: object, media: MediaRegistration) -> None:
        """Put a CTI device in service; more than one owner may register it in the same way."""
        try:
            if media.termination is not Termination.NONE and not _codecs(media):
                raise RequestFailed(CTIFAILURE.CTIERR_INCORRECT_MEDIA_CAPABILITY, "only G.711")
            first = self._registrations.add(device, self._devices[device].kind, owner, media)
        except RequestFailed as failed:
            self.refusals.note(device, Refusal(self._calls.now(), failed.description))
            raise
        self.refusals.forget(device)
        if first:
            self._calls.register(device, self)

    def unregister(self, device: str, owner: object) -> None:
        """End one owner's registration; the last one ends the device's service and its calls."""
        if self._registrations.remove(device, owner):
            self._calls.unregister(device)

    def owners(self, device: str) -> int:
        """How many applications have a device registered."""
        return self._registrations.owners(device)

    def set_auto_accept(self, device: str, line: int, owner: object, on: bool) -> None:
        """Set whether calls to a line alert by themselves: they do while one owner says so."""
        if on:
            self._auto_accept.setdefault((device, line), set()).add(owner)
        elif (owners := self._auto_accept.get((device, line))) is not None:
            owners.discard(owner)
            if not owners:
                del self._auto_accept[device, line]

    def forward_of(self, device: str, line: int) -> str:
        """The number that a line forwards all calls to, "" for none."""
        return self._line(device, line).forwards.get(Forward.ALL, "")

    def set_forward(self, device: str, line: int, target: str) -> None:
        """Forward all calls of a line to ``target``; "" cancels."""
        found = self._line(device, line)
        if found.forwards.get(Forward.ALL, "") == target:
            # Cisco's client waits for the event (observed).
            self._view.forward_changed(found, Forward.ALL)
            return
        with _failing(CTIFAILURE.CFWDALL_DESTN_INVALID, {}):
            self._calls.set_forward(found, Forward.ALL, target)

    def set_message_waiting(
        self, device: str, line: int, number: str, on: bool, controls: Callable[[str], bool]
    ) -> None:
        """Switch the lamp of ``number`` ("": the line itself) if a device with it is controlled."""
        own = self._line(device, line)
        found = self._calls.line(number, own.partition) if number else own
        if found is None:
            raise RequestFailed(CTIFAILURE.MSGWAITING_DESTN_INVALID, number)
        if not any(controls(each.device) for each in found.appearances):
            raise RequestFailed(
                CTIFAILURE.MSGWAITING_DESTN_INVALID, f"{number} is on no device of the user's"
            )
        self._calls.set_message_waiting(found, on)

    def set_do_not_disturb(self, device: str, on: bool) -> None:
        """Switch do not disturb on, so that a phone does not ring, or off."""
        mode = DoNotDisturb.RINGER_OFF if on else DoNotDisturb.OFF
        if self._calls.do_not_disturb(device) is mode:
            # Cisco's client waits for the event (observed).
            self._view.do_not_disturb_changed(device)
        self._calls.set_do_not_disturb(device, mode)

    def send_data(self, device: str, data: bytes) -> None:
        """Send data (XML of IP phone services) to a phone's screen."""
        if not self._send_data(device, data):
            raise RequestFailed(CTIFAILURE.DEVICE_OUT_OF_SERVICE, f"{device} is no phone, or gone")

    def data_received(self, device: str, data: bytes) -> None:
        """A phone sent data to the applications that have it open."""
        self._view.notify_observers(backend.DataReceived(device, data))

    def _line(self, device: str, index: int) -> Line:
        appearance = self._calls.appearance(device, index)
        if appearance is None:
            raise RequestFailed(CTIFAILURE.UNDEFINED_LINE, f"no line {index} at {device}")
        return appearance.line

    # Calls.

    def legs_of(self, device: str) -> Sequence[LegInfo]:
        """The live legs of a device."""
        return [self._view.leg(leg) for leg in self._calls.legs_of(device)]

    def members_of(self, leg_id: int) -> Sequence[Participant]:
        """All parties of the conference that a leg is in, the one that controls it first."""
        return self._view.members(self._leg(leg_id))

    def new_call_id(self) -> int:
        """A new number for a call that is about to be made."""
        return self._calls.new_call_id()

    def originate(self, device: str, line: int, number: str, call_id: int) -> LegInfo:
        """Call ``number`` from a line; "" only takes the line off hook."""
        if not self._calls.is_registered(device):
            raise RequestFailed(CTIFAILURE.DEVICE_OUT_OF_SERVICE, f"{device} is not registered")
        with _failing(CTIFAILURE.CTIERR_MAXCALL_LIMIT_REACHED):
            leg = self._calls.originate(device, line, number, call_id=call_id)
        return self._made(leg)

    def dial(self, leg_id: int, digits: str) -> None:
        """Dial more digits in a call that is being dialled."""
        leg = self._leg(leg_id, LegState.DIAL_TONE, LegState.DIALLING)
        for digit in digits:
            if leg.state in (LegState.DIAL_TONE, LegState.DIALLING):
                self._calls.digit(leg, digit)
        self._made(leg)

    def accept(self, leg_id: int) -> None:
        """Let an offered call alert."""
        with _failing(CTIFAILURE.CTI_FAILURE):
            self._calls.accept(self._leg(leg_id, LegState.OFFERED))

    def answer(self, leg_id: int) -> None:
        """Answer an offered call; a device registered without media cannot."""
        leg = self._leg(leg_id, LegState.OFFERED)
        media = self._registrations.media_of(leg.device)
        if media is not None and media.termination is Termination.NONE:
            raise RequestFailed(
                CTIFAILURE.COMMAND_NOT_IMPLEMENTED_ON_DEVICE, "registered without media"
            )
        with _failing(CTIFAILURE.CTI_FAILURE):
            self._calls.answer(leg)

    def disconnect(self, leg_id: int) -> None:
        """Hang up a call, or refuse one that is offered."""
        leg = self._leg(leg_id)
        with _failing(CTIFAILURE.CTI_FAILURE):
            if leg.state is LegState.OFFERED:
                self._calls.refuse(leg, self._refusal(leg))
            else:
                self._calls.release(leg)

    def _refusal(self, leg: Leg) -> Cause:
        """Why an offered call is refused: where a route point has a forward for it, it is busy.

        So Personal Assistant's route points are chained: what one has no free media port for goes
        on to the next (its Administration Guide for 1.4, page 1-14).
        """
        route_point = self._devices[leg.device].kind is DeviceKind.ROUTE_POINT
        busy = route_point and Forward.BUSY in leg.line.forwards
        return Cause.USER_BUSY if busy else Cause.CALL_REJECTED

    def hold(self, leg_id: int) -> None:
        """Put a call on hold, so that both sides stop talking."""
        with _failing(CTIFAILURE.HOLDFAILED):
            self._calls.hold(self._leg(leg_id))

    def retrieve(self, leg_id: int) -> None:
        """Take a call back from hold."""
        with _failing(CTIFAILURE.RETRIEVEFAILED):
            self._calls.resume(self._leg(leg_id))

    def redirect(self, leg_id: int, number: str, options: RedirectOptions) -> None:
        """Send the other party to ``number``; nothing changes when that fails."""
        leg = self._leg(leg_id)
        space = None
        if options.by_calling_search_space and leg.peer is not None:
            space = leg.peer.appearance.config.search_space
        with _failing(CTIFAILURE.REDIRECT_ERR, _REDIRECT_FAILURES):
            self._calls.redirect(
                leg,
                number,
                space,
                shown=Shown(options.calling, options.original_called),
                reason=Reason.BLIND_TRANSFER if options.transfer else Reason.REDIRECT,
            )

    def consult(self, leg_id: int, number: str, call_id: int, purpose: backend.Purpose) -> LegInfo:
        """Hold a call, and call ``number`` from the same line; gives the new leg."""
        leg = self._leg(leg_id)
        with _failing(CTIFAILURE.CTIERR_CONSULT_CALL_FAILURE):
            consultation = self._calls.consult(leg, Purpose[purpose.name], number, call_id=call_id)
        return self._made(consultation)

    def transfer(self, leg_id: int, other_leg_id: int) -> None:
        """Join the other sides of two legs of one device, and leave both."""
        with _failing(CTIFAILURE.TRANSFERFAILED):
            self._calls.transfer(self._leg(leg_id), self._leg(other_leg_id))

    def join(self, leg_id: int, other_leg_ids: Sequence[int]) -> None:
        """Make a conference of several legs of one device."""
        legs = [self._leg(each) for each in (leg_id, *other_leg_ids)]
        with _failing(
            CTIFAILURE.CONFERENCE_FAILED,
            {Cause.RESOURCE_UNAVAILABLE: CTIFAILURE.CTIERR_NO_CONFERENCE_BRIDGE},
        ):
            self._calls.join(*legs)

    def drop_party(self, leg_id: int, party_leg_id: int) -> None:
        """Remove another party from a conference."""
        with _failing(CTIFAILURE.CONFERENCE_INVALID_PARTICIPANT, {}):
            self._calls.drop(self._leg(leg_id), self._leg(party_leg_id))

    def park(self, leg_id: int) -> str:
        """Leave the other party at a number that any phone can dial; gives the number."""
        with _failing(CTIFAILURE.CTIERR_CALL_PARK_NO_DN):
            return self._calls.park(self._leg(leg_id)).number

    def send_digits(self, leg_id: int, digits: str) -> None:
        """Press keys for the other side of a call."""
        leg = self._leg(leg_id, LegState.CONNECTED)
        for digit in digits:
            with _failing(CTIFAILURE.DIGIT_GENERATION_WRONG_CALL_STATE, {}):
                self._calls.digit(leg, digit)

    def _leg(self, leg_id: int, *states: LegState) -> Leg:
        leg = self._calls.legs.get(leg_id)
        if leg is None:
            raise RequestFailed(CTIFAILURE.ILLEGAL_HANDLE, f"no call leg {leg_id}")
        if states and leg.state not in states:
            raise RequestFailed(CTIFAILURE.ILLEGAL_CALLSTATE, leg.state.value)
        return leg

    def _made(self, leg: Leg) -> LegInfo:
        """Let a call that failed at once end soon, as no user hears the tone and hangs up."""
        info = self._view.leg(leg)
        if leg.state is LegState.FAILED and self._devices[leg.device].kind is not DeviceKind.PHONE:
            self._calls.release_soon(leg, _REORDER)
        return info

    # Media.

    def receive_at(self, leg_id: int, address: MediaAddress) -> None:
        """Set the address at which a leg of a dynamically registered device receives."""
        stream = self._streams.pop(leg_id, None)
        if stream is None:
            raise RequestFailed(CTIFAILURE.OPERATION_NOT_AVAILABLE_IN_CURRENT_STATE, "no media")
        self._calls.receiving(stream, address)

    # Side of CTI devices.

    def capabilities(self, leg: Leg) -> Capabilities:
        """The codecs of the registration; keys go by signalling, as applications expect them."""
        media = self._registrations.media_of(leg.device)
        if media is None or media.termination is Termination.NONE:
            return Capabilities((), 0)
        return Capabilities(_codecs(media), 0)

    def rings_at_once(self, appearance: Appearance) -> bool:
        """Whether calls to a line are accepted without the application's asking for it."""
        return (appearance.device, appearance.index) in self._auto_accept

    def show(self, leg: Leg) -> None:
        """Do nothing: the view tells the applications that follow the device."""

    def open_media(self, stream: Stream) -> None:
        """Receive at a static device's fixed address; ask a dynamic one for an address."""
        media = self._registrations.media_of(stream.leg.device)
        if media is None or media.termination is Termination.NONE:
            self._calls.receiving(stream, None)
        elif media.address is not None:
            self._calls.receiving(stream, media.address)
        else:
            self._streams[stream.leg.id] = stream
            self._view.channel_wanted(stream)

    def send_media(self, stream: Stream, address: MediaAddress) -> None:
        """Do nothing: the view tells the applications that follow the device."""

    def close_media(self, stream: Stream) -> None:
        """Forget a stream that waits for an address; the view tells the applications."""
        if self._streams.get(stream.leg.id) is stream:
            del self._streams[stream.leg.id]

    def digit(self, leg: Leg, digit: str) -> None:
        """Tell the applications of a key that the other side of a leg pressed."""
        self._view.notify_observers(backend.DigitHeard(self._view.leg(leg), digit))

    # Devices that come and go while the call manager runs.

    def add_device(self, device: DeviceConfig) -> None:
        """Tell applications of a device that was added, and that the calls know already."""
        self._devices[device.name] = device
        self._view.notify_observers(backend.DeviceAdded(self._view.device(device.name)))

    def remove_device(self, name: str) -> None:
        """Forget a device that was removed, and tell the applications that may control it."""
        self._registrations.forget(name)
        for place in [each for each in self._auto_accept if each[0] == name]:
            del self._auto_accept[place]
        self._view.notify_observers(backend.DeviceRemoved(self._view.device(name)))
        del self._devices[name]

    def set_users(self, users: Sequence[User]) -> None:
        """Replace the users that may log in from now on."""
        self._users = {user.name: user for user in users}
        self._listed = {user.name: frozenset(user.devices) for user in users}


def _codecs(media: MediaRegistration) -> tuple[Codec, ...]:
    known = tuple(_CODECS[each] for each in media.codecs if each in _CODECS)
    # Cisco's client can register without naming any; G.711 is what there is then.
    return known if media.codecs else tuple(_CODECS.values())


_NOBODY = User(name="", password="nobody has this name, and nobody gets in")
