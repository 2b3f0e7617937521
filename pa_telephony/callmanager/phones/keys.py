"""What the users of stations press: hooks, digits, soft keys and buttons, done to the calls.

The keys are tables at the end of this module. A refusal is shown on the display.

A whole number takes one way, whatever it comes from (:meth:`Keys.number`): to the call that
collects one, and only where there is none to a new call. Lines and calls in key frames may be
stale, or may never have been: a line that the device does not have is its first line, and a call
that it does not have is the only one that it has.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Generator, Mapping

from pa_telephony.callmanager.calls.model import COLLECTING, OFF_HOOK, REMOTE
from pa_telephony.callmanager.calls.verbs import Calls, DoNotDisturb, Forward, Leg, LegState
from pa_telephony.callmanager.config import DeviceConfig
from pa_telephony.callmanager.phones import display
from pa_telephony.errors import RequestFailed
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import DeviceStimulus, SoftKeyEvent
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.server.device import notify
from pa_telephony.sccp.server.session import StationSession

__all__ = ["Keys"]

_DIGITS = "0123456789ABCD*#+"


class Keys:
    """The keys of all stations; ``devices`` are those that may register, by name."""

    def __init__(self, calls: Calls, devices: Mapping[str, DeviceConfig]) -> None:
        self._calls = calls
        self._devices = devices
        self._dialled: dict[str, str] = {}
        """The number dialled last, by device."""

    def dialled(self, leg: Leg) -> None:
        """Remember a number that was dialled, for Redial."""
        self._dialled[leg.device] = leg.digits

    def forget(self, device: str) -> None:
        """Forget the number dialled at a device that was removed."""
        self._dialled.pop(device, None)

    def pressed(self, session: StationSession, message: SccpMessage) -> None:
        """Do what a user did at a station."""
        match message:
            case messages.OffHook():
                self._off_hook(session, message.line_instance, message.call_reference)
            case messages.OffHookWithCallingPartyNumber():
                self._off_hook_as(session, message)
            case messages.OnHook():
                self._on_hook(session)
            case messages.HookFlash():
                self._hook_flash(session)
            case messages.KeypadButton():
                if 0 <= message.kp_button < len(_DIGITS):
                    digit = _DIGITS[message.kp_button]
                    self._digit(session, digit, message.line_instance, message.call_reference)
            case messages.EnblocCall():
                self.number(session, message.called_party, _line_of(message))
            case messages.SoftKeyEvent():
                key, line = message.soft_key_event, message.line_instance
                self._press(session, key, line, message.call_reference)
            case messages.Stimulus():
                self._stimulus(session, message)
            case _:
                pass

    def number(self, session: StationSession, number: str, line: int = 1) -> None:
        """Take a whole number: for the call that collects one, else for a new call at ``line``."""
        leg = self._current(session)
        with self._refusals_said(session, SoftKeyEvent.NEW_CALL):
            if leg is not None and leg.state in COLLECTING:
                self._calls.dial(leg, number)
            else:
                self._calls.originate(session.name, self._line(session, line), number)

    @contextlib.contextmanager
    def _refusals_said(self, session: StationSession, key: SoftKeyEvent) -> Generator[None]:
        try:
            yield
        except RequestFailed as failed:
            session.send(notify(display.refusal(key, failed.code), session.version))

    def _press(self, session: StationSession, key: SoftKeyEvent, line: int, reference: int) -> None:
        leg = self._find(session, reference, _SUBJECT.get(key))
        on_hook, in_call = _ON_HOOK_KEYS.get(key), _CALL_KEYS.get(key)
        with self._refusals_said(session, key):
            if on_hook is not None:
                on_hook(self, session, leg, self._line(session, line))
            elif in_call is None or leg is None:
                session.send(notify(display.KEY_IS_NOT_ACTIVE, session.version))
            else:
                in_call(self._calls, leg)
                if key is SoftKeyEvent.BACK_SPACE:
                    # The phone has put the digit on its display itself.
                    session.send(
                        messages.BackSpaceRes(line_instance=leg.line_index, call_reference=leg.id)
                    )

    def _off_hook(self, session: StationSession, line: int, reference: int) -> None:
        leg = self._calls.legs.get(reference)
        if leg is not None and leg.device == session.name and leg.state is LegState.OFFERED:
            self._press(session, SoftKeyEvent.ANSWER, line, leg.id)
            return
        if self._current(session) is not None:
            # The handset is lifted after the line key (pyskinny does both), or while the speaker is
            # on: a call that waits behind the other is not answered by that (so chan-sccp-b, too).
            return
        leg = self._find(session, 0, LegState.OFFERED)
        if leg is not None:
            self._press(session, SoftKeyEvent.ANSWER, line, leg.id)
        else:
            self._press(session, SoftKeyEvent.NEW_CALL, line, 0)

    def _off_hook_as(
        self, session: StationSession, message: messages.OffHookWithCallingPartyNumber
    ) -> None:
        """Take the line of a number off hook; where none has it, others see it as the caller's."""
        number = message.calling_party_number
        line = self._line_of(session, number)
        self._off_hook(session, line or message.line_instance, 0)
        leg = self._current(session)
        if number and not line and leg is not None and leg.state in COLLECTING:
            self._calls.call_as(leg, number)

    def _on_hook(self, session: StationSession) -> None:
        # Older phones name a call, which may be one that is on hold, or over: a call on hold stays
        # when the handset is put down, and the one that the handset holds ends.
        leg = self._current(session)
        if leg is not None:
            self._press(session, SoftKeyEvent.END_CALL, 0, leg.id)

    def _hook_flash(self, session: StationSession) -> None:
        """Do what an analogue phone has one key for: take a second call, transfer, go back.

        A call that waits is answered. Otherwise the first flash holds the call and gives dial tone,
        and the second connects the others; before anything rings it takes the first call back.
        """
        leg = self._current(session)
        waiting = self._find(session, 0, LegState.OFFERED)
        if waiting is not None:
            self._press(session, SoftKeyEvent.ANSWER, 0, waiting.id)
        elif leg is None:
            self._press(session, SoftKeyEvent.RESUME, 0, 0)
        elif leg.consult_of is None or leg.state in (LegState.RINGING_OUT, LegState.CONNECTED):
            self._press(session, SoftKeyEvent.TRANSFER, 0, leg.id)
        else:
            first = leg.consult_of
            self._press(session, SoftKeyEvent.END_CALL, 0, leg.id)
            self._press(session, SoftKeyEvent.RESUME, 0, first.id)

    def _line_key(self, session: StationSession, line: int) -> None:
        """Press a line button: answer what rings there, resume what is held, or go off hook."""
        line = self._line(session, line)
        legs = [leg for leg in self._legs(session) if leg.line_index == line]
        for state, key in (
            (LegState.OFFERED, SoftKeyEvent.ANSWER),
            (LegState.HELD, SoftKeyEvent.RESUME),
            (LegState.REMOTE_HELD, SoftKeyEvent.RESUME),
        ):
            for leg in legs:
                if leg.state is state:
                    self._press(session, key, line, leg.id)
                    return
        if not any(leg.state in OFF_HOOK - {LegState.FAILED} for leg in legs):
            self._press(session, SoftKeyEvent.NEW_CALL, line, 0)

    def _stimulus(self, session: StationSession, message: messages.Stimulus) -> None:
        stimulus, line = message.stimulus, max(1, message.line_instance)
        if stimulus == DeviceStimulus.LINE:
            self._line_key(session, line)
        elif stimulus in (DeviceStimulus.SPEED_DIAL, DeviceStimulus.BLF_SPEED_DIAL):
            dials = self._devices[session.name].speed_dials
            if line <= len(dials):
                self.number(session, dials[line - 1].number)
        elif stimulus in _BUTTONS:
            key = _BUTTONS[stimulus]
            held = self._find(session, 0, LegState.HELD)
            if key is SoftKeyEvent.HOLD and held is not None:
                # Button phones have one key for both (captured from CM 2.x).
                active = self._find(session, 0)
                if active is None or active.state is not LegState.CONNECTED:
                    key = SoftKeyEvent.RESUME
            self._press(session, key, line, message.call_reference)

    def _digit(self, session: StationSession, digit: str, line: int, reference: int) -> None:
        # Whichever call the key names: digits are for the call that the user is in.
        leg = self._current(session)
        with contextlib.suppress(RequestFailed):
            # A key about a call that has ended in the meantime does not begin another.
            if leg is None and not reference and not self._legs(session):
                leg = self._calls.originate(session.name, self._line(session, line))
            if leg is not None:
                self._calls.digit(leg, digit)

    def _legs(self, session: StationSession) -> list[Leg]:
        return self._calls.legs_of(session.name)

    def _line(self, session: StationSession, line: int) -> int:
        """The line that a key means: the first one where the device has no such line."""
        return 1 if self._calls.appearance(session.name, line) is None else line

    def _line_of(self, session: StationSession, number: str) -> int:
        """The line of a device that has a number, 0 where none has."""
        lines = self._devices[session.name].lines
        return next((at for at, line in enumerate(lines, 1) if line.number == number), 0)

    def _current(self, session: StationSession) -> Leg | None:
        """The call that the user is in, if there is one."""
        return next((leg for leg in self._legs(session) if leg.state in OFF_HOOK), None)

    def _find(
        self, session: StationSession, reference: int, state: LegState | None = None
    ) -> Leg | None:
        """The call that a key means; ``state`` is that of the call it means when it names none."""
        legs = self._legs(session)
        if reference:
            named = next((leg for leg in legs if leg.id == reference), None)
            own = [leg for leg in legs if leg.state not in REMOTE] or legs
            return own[0] if named is None and len(own) == 1 else named
        # 0 means "the call I am in": hook events of newer phones carry nothing (captured).
        if state is not None:
            return next((leg for leg in legs if leg.state is state), None)
        return self._current(session)

    # Keys that need no call.

    def new_call(self, session: StationSession, leg: Leg | None, line: int) -> None:
        """Take a line off hook."""
        self._calls.originate(session.name, line)

    def group_pick_up(self, session: StationSession, leg: Leg | None, line: int) -> None:
        """Take a line off hook; the number of the group is dialled next."""
        if leg is None or leg.state is not LegState.DIAL_TONE:
            self._calls.originate(session.name, line)

    def redial(self, session: StationSession, leg: Leg | None, line: int) -> None:
        """Dial the number dialled last at this device, if there is one."""
        number = self._dialled.get(session.name)
        if number:
            self.number(session, number, line)

    def forward(
        self, session: StationSession, leg: Leg | None, line: int, *, kind: Forward = Forward.ALL
    ) -> None:
        """Cancel a forward of the line, or take a number for one."""
        appearance = self._calls.appearance(session.name, line)
        if appearance is None:
            return
        if leg is not None and leg.state is LegState.DIAL_TONE:
            self._calls.release(leg)
        if kind in appearance.line.forwards:
            self._calls.set_forward(appearance.line, kind, "")
        else:
            self._calls.originate(session.name, line, collects=kind)

    def pick_up(self, session: StationSession, leg: Leg | None, line: int) -> None:
        """Answer a call that rings in the group of the line."""
        self._calls.pick_up(session.name, line)

    def do_not_disturb(self, session: StationSession, leg: Leg | None, line: int) -> None:
        """Ring silently from now on, or ring again."""
        off = self._calls.do_not_disturb(session.name) is DoNotDisturb.OFF
        mode = DoNotDisturb.RINGER_OFF if off else DoNotDisturb.OFF
        self._calls.set_do_not_disturb(session.name, mode)


_ON_HOOK_KEYS: Mapping[SoftKeyEvent, Callable[[Keys, StationSession, Leg | None, int], object]] = {
    SoftKeyEvent.NEW_CALL: Keys.new_call,
    SoftKeyEvent.REDIAL: Keys.redial,
    SoftKeyEvent.CFWD_ALL: Keys.forward,
    SoftKeyEvent.CFWD_BUSY: functools.partial(Keys.forward, kind=Forward.BUSY),
    SoftKeyEvent.CFWD_NO_ANSWER: functools.partial(Keys.forward, kind=Forward.NO_ANSWER),
    SoftKeyEvent.PICK_UP: Keys.pick_up,
    SoftKeyEvent.GRP_PICKUP: Keys.group_pick_up,
    SoftKeyEvent.DND: Keys.do_not_disturb,
}
"""Keys that need no call."""

_CALL_KEYS: Mapping[SoftKeyEvent, Callable[[Calls, Leg], object]] = {
    SoftKeyEvent.ANSWER: Calls.answer,
    SoftKeyEvent.END_CALL: Calls.release,
    SoftKeyEvent.HOLD: Calls.hold,
    SoftKeyEvent.RESUME: Calls.resume,
    SoftKeyEvent.TRANSFER: Calls.transfer_key,
    SoftKeyEvent.CONFRN: Calls.conference_key,
    SoftKeyEvent.PARK: Calls.park,
    SoftKeyEvent.RM_LST_C: Calls.drop,
    SoftKeyEvent.BACK_SPACE: Calls.erase,
}
"""Keys that do one thing to the call they are pressed for."""

_SUBJECT = {SoftKeyEvent.ANSWER: LegState.OFFERED, SoftKeyEvent.RESUME: LegState.HELD}
"""The state of the leg that a key means when it names none."""

_BUTTONS = {
    DeviceStimulus.LAST_NUMBER_REDIAL: SoftKeyEvent.REDIAL,
    DeviceStimulus.HOLD: SoftKeyEvent.HOLD,
    DeviceStimulus.TRANSFER: SoftKeyEvent.TRANSFER,
    DeviceStimulus.FORWARD_ALL: SoftKeyEvent.CFWD_ALL,
    DeviceStimulus.FORWARD_BUSY: SoftKeyEvent.CFWD_BUSY,
    DeviceStimulus.FORWARD_NO_ANSWER: SoftKeyEvent.CFWD_NO_ANSWER,
    DeviceStimulus.CONFERENCE: SoftKeyEvent.CONFRN,
    DeviceStimulus.CALL_PARK: SoftKeyEvent.PARK,
    DeviceStimulus.CALL_PICK_UP: SoftKeyEvent.PICK_UP,
    DeviceStimulus.GROUP_CALL_PICK_UP: SoftKeyEvent.GRP_PICKUP,
    DeviceStimulus.DO_NOT_DISTURB: SoftKeyEvent.DND,
    DeviceStimulus.REMOVE_LAST_PARTICIPANT: SoftKeyEvent.RM_LST_C,
    DeviceStimulus.NEW_CALL: SoftKeyEvent.NEW_CALL,
    DeviceStimulus.END_CALL: SoftKeyEvent.END_CALL,
}
"""The buttons of a phone without soft keys, and the soft keys that do the same."""


def _line_of(message: messages.EnblocCall) -> int:
    """The line of an EnblocCall; an 8945 has it three bytes later than a 7970 (chan-sccp's notes).

    Read where the 7970 has it, the number of the 8945 stands in the highest byte.
    """
    line = message.line_instance
    return line if line & 0xFFFFFF else line >> 24
