"""What a phone shows besides its calls: lamps, prompt, soft keys, ringer, forwards, speed dials.

Only messages change it. Texts are kept as they came; :func:`~pa_telephony.sccp.phrases.english`
makes them readable.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pa_telephony.printable import printable
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import (
    DeviceStimulus,
    LampMode,
    RingMode,
    SoftKeyEvent,
    SpeakerMode,
)
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.phrases import english, phrase_of
from pa_telephony.sccp.text import readable

__all__ = ["Forwards", "Screen", "SoftKey"]

_MOST = 256
"""How many lamps, keys, forwards and speed dials are remembered of each."""
_PARKED_AT = "\x80\x21"
_DIGITS = re.compile("[0-9*#]+")
_NOT_SO = frozenset(
    f"\x80{chr(number)}" for number in (*range(38, 47), 68, 69, 71, 82, 83, 94, 95, 97, 98)
)
"""Can not complete conference to Key is not active, Error no license, Failed to setup barge,
Another barge exists, No park number available, Can not complete transfer, Can not join calls, Park
slot unavailable, No call available for pickup, External transfer restricted, No line available for
pickup."""
_REFUSALS = _NOT_SO | {"\x80\x23", "\x80\x49"}
"""Temp fail and Service is not active too, where they do not explain the state of a call."""


@dataclass(frozen=True, slots=True)
class SoftKey:
    """One soft key: the event that pressing it sends, and its label as it came."""

    event: SoftKeyEvent
    label: str

    def __str__(self) -> str:
        return english(self.label)


@dataclass(frozen=True, slots=True)
class Forwards:
    """Where the calls of a line go; "" for a forward that is not set."""

    all: str = ""
    busy: str = ""
    no_answer: str = ""


class Screen:
    """The display, the lamps and the ringer of one phone."""

    def __init__(self) -> None:
        self.lamps: dict[tuple[int, int], LampMode] = {}
        """The lamps by stimulus and instance."""
        self.prompt = ""
        """The status line of the idle phone; calls have their own."""
        self.notification = ""
        """The text that covered the prompt last."""
        self.refusals = 0
        """How often a notification or a prompt said that something cannot be done."""
        self.refusal = ""
        """The text that said so last."""
        self.parked_at = ""
        """The number that this phone parked a call at last."""
        self.parkings = 0
        self.ringer = RingMode.RING_OFF
        self.speaker = SpeakerMode.OFF
        self.active_line = 0
        """The line of the call plane that was activated last; 0 for none."""
        self.forwards: dict[int, Forwards] = {}
        self.speed_dials: dict[int, tuple[str, str]] = {}
        """The number and the label of each speed dial, by button."""
        self._template: list[SoftKey] = []
        self._sets: list[tuple[int, ...]] = []
        self._shown: dict[int, tuple[int, int]] = {}

    def lamp(self, stimulus: DeviceStimulus, instance: int = 1) -> LampMode:
        """The mode of a lamp; off when the call manager never set it."""
        return self.lamps.get((stimulus, instance), LampMode.OFF)

    def message_waiting(self, line: int | None = None) -> bool:
        """Whether the lamp of a line (None: of any, or of the phone) shows a message."""
        return any(
            stimulus == DeviceStimulus.VOICE_MAIL
            and mode != LampMode.OFF
            and line in (None, instance)
            for (stimulus, instance), mode in self.lamps.items()
        )

    def soft_keys(self, call_reference: int = 0) -> tuple[SoftKey, ...]:
        """The keys that are shown for a call; with 0, those without a call."""
        if call_reference not in self._shown:
            return ()
        number, mask = self._shown[call_reference]
        places = self._sets[number] if number < len(self._sets) else ()
        return tuple(
            self._template[place - 1]
            for bit, place in enumerate(places)
            if mask >> bit & 1 and 1 <= place <= len(self._template)
        )

    def forget_call(self, call_reference: int) -> None:
        """Forget the soft keys of a call that is over."""
        self._shown.pop(call_reference, None)

    def forget_speed_dials(self, beyond: int) -> None:
        """Forget the speed dials of buttons above ``beyond``."""
        self.speed_dials = {n: dial for n, dial in self.speed_dials.items() if n <= beyond}

    def handle_message(self, message: SccpMessage) -> bool:
        """Change what is shown; False when the message is about something else."""
        match message:
            case messages.SetLamp():
                key = message.stimulus, message.stimulus_instance
                if len(self.lamps) < _MOST or key in self.lamps:
                    self.lamps[key] = LampMode(message.lamp_mode)
            case messages.DisplayPromptStatus() | messages.DisplayPromptStatusV2():
                if not message.call_reference:
                    self.prompt = message.prompt_status
                # chan-sccp refuses keys in the prompt of the call (its source).
                self._heed(message.prompt_status, _NOT_SO)
            case messages.ClearPromptStatus():
                if not message.call_reference:
                    self.prompt = ""
            case (
                messages.DisplayNotify()
                | messages.DisplayNotifyV2()
                | messages.DisplayPriNotify()
                | messages.DisplayPriNotifyV2()
            ):
                self._notified(message.notify)
            case messages.ClearNotify() | messages.ClearPriNotify():
                self.notification = ""
            case messages.SetRinger():
                self.ringer = RingMode(message.ring_mode)
            case messages.SetSpeakerMode():
                self.speaker = SpeakerMode(message.speaker_mode)
            case messages.ActivateCallPlane():
                self.active_line = message.line_instance
            case messages.DeactivateCallPlane():
                self.active_line = 0
            case messages.SoftKeyTemplateRes():
                self._learn_keys(message)
            case messages.SoftKeySetRes():
                self._learn_sets(message)
            case messages.SelectSoftKeys():
                self._select_keys(message)
            case messages.ForwardStatRes():
                if len(self.forwards) < _MOST or message.line_number in self.forwards:
                    told = (
                        (message.forward_all_active, message.forward_all_dirnum),
                        (message.forward_busy_active, message.forward_busy_dirnum),
                        (message.forward_no_answer_active, message.forward_no_answerl_dirnum),
                    )
                    self.forwards[message.line_number] = Forwards(
                        *(printable(number) if active else "" for active, number in told)
                    )
            case messages.SpeedDialStatRes() | messages.SpeedDialStatV2Res():
                number = printable(message.speed_dial_dir_number)
                if number and len(self.speed_dials) < _MOST:
                    label = readable(message.speed_dial_display_name)
                    self.speed_dials[message.speed_dial_number] = number, label
            case _:
                return False
        return True

    def _notified(self, text: str) -> None:
        self.notification = text
        self._heed(text, _REFUSALS)
        if phrase_of(text) == _PARKED_AT and (number := _DIGITS.search(text, 2)):
            self.parked_at = number[0]
            self.parkings += 1

    def _heed(self, text: str, refusals: frozenset[str]) -> None:
        if phrase_of(text) in refusals:
            self.refusal = text
            self.refusals += 1

    def _select_keys(self, message: messages.SelectSoftKeys) -> None:
        # chan-sccp shows keys for a call that it has just ended (observed), and nothing ever says
        # that those are gone: the ones that were told of longest ago give way.
        shown = self._shown.pop(message.call_reference, None)
        if shown is None and len(self._shown) >= _MOST:
            del self._shown[next(call for call in self._shown if call)]
        self._shown[message.call_reference] = (
            int(message.soft_key_set_index),
            message.valid_key_mask,
        )

    def _learn_keys(self, message: messages.SoftKeyTemplateRes) -> None:
        # A long template comes in parts, each with its offset.
        del self._template[message.soft_key_offset :]
        for key in message.definition[: _MOST - len(self._template)]:
            self._template.append(SoftKey(SoftKeyEvent(key.soft_key_event), key.soft_key_label))

    def _learn_sets(self, message: messages.SoftKeySetRes) -> None:
        del self._sets[message.soft_key_set_offset :]
        for each in message.definition[: _MOST - len(self._sets)]:
            self._sets.append(tuple(each.soft_key_template_index))
