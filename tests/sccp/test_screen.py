"""Soft keys as real call managers send them, and a screen that shows what it was told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import (
    DeviceStimulus,
    LampMode,
    RingMode,
    SoftKeyEvent,
    SoftKeySet,
    SpeakerMode,
)
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.phrases import english, phrase_of
from pa_telephony.sccp.server.soft_keys import (
    SETS,
    UNSERVED,
    select_soft_keys,
    soft_key_sets,
    soft_key_template,
)
from pa_telephony.sccp.station.screen import Forwards, Screen

VECTORS = Path(__file__).parent.parent / "vectors" / "sccp-frames.json"
OURS = {SoftKeyEvent.RM_LST_C, SoftKeyEvent.DND}


def captured(kind: type[SccpMessage]) -> Iterator[SccpMessage]:
    for frame in json.loads(VECTORS.read_text())["frames"]:
        if frame["message"] == kind.__name__:
            data = bytes.fromhex(frame["hex"])
            number = int.from_bytes(data[8:12], "little")
            message = messages.decode(number, data[12:], frame["version"])
            assert isinstance(message, SccpMessage)
            yield message


def test_the_template_begins_as_two_real_call_managers_send_it() -> None:
    ours = soft_key_template().definition
    seen = list(captured(messages.SoftKeyTemplateRes))
    assert len(seen) == 2
    for template in seen:
        assert ours[: len(template.definition)] == template.definition  # type: ignore[attr-defined]
    assert {key.soft_key_event for key in ours[20:]} == OURS


def test_the_sets_are_those_of_real_call_managers_but_for_the_keys_that_are_ours() -> None:
    ours = soft_key_sets().definition
    seen = list(captured(messages.SoftKeySetRes))
    assert len(seen) == 2
    for sets in seen:
        for number, real in enumerate(sets.definition):  # type: ignore[attr-defined]
            added = OURS | ({SoftKeyEvent.HOLD} if number == SoftKeySet.CONN_CONF else set())
            kept = [0 if info - 300 in added else info for info in ours[number].soft_key_info_index]
            assert kept == list(real.soft_key_info_index)
            assert len(ours[number].soft_key_template_index) == 16


def test_keys_that_lead_nowhere_are_masked_and_nothing_else_is() -> None:
    message = select_soft_keys(SoftKeySet.CONNECTED, without={SoftKeyEvent.PARK})
    assert isinstance(message, messages.SelectSoftKeys)
    shown = [
        event
        for place, event in enumerate(SETS[SoftKeySet.CONNECTED])
        if message.valid_key_mask >> place & 1
    ]
    assert SoftKeyEvent.PARK not in shown
    assert not UNSERVED & set(shown)
    assert set(shown) | UNSERVED | {SoftKeyEvent.PARK} >= set(SETS[SoftKeySet.CONNECTED])


def a_screen(*told: SccpMessage) -> Screen:
    screen = Screen()
    for message in told:
        assert screen.handle_message(message)
    return screen


def test_the_soft_keys_of_a_call_are_readable_and_gone_with_it() -> None:
    screen = a_screen(
        soft_key_template(),
        soft_key_sets(),
        select_soft_keys(SoftKeySet.RINGIN, line=1, call=7),
    )
    assert [str(key) for key in screen.soft_keys(7)] == ["Answer"]
    assert screen.soft_keys() == ()
    screen.forget_call(7)
    assert screen.soft_keys(7) == ()


def test_soft_keys_that_are_told_in_parts_are_those_that_are_told_at_once() -> None:
    template, sets = soft_key_template(), soft_key_sets()
    screen = a_screen(
        replace(template, definition=template.definition[:10]),
        replace(template, definition=template.definition[10:], soft_key_offset=10),
        replace(sets, definition=sets.definition[:3]),
        replace(sets, definition=sets.definition[3:], soft_key_set_offset=3),
    )
    whole = a_screen(template, sets)
    for keys in SETS:
        shown = select_soft_keys(keys)
        screen.handle_message(shown)
        whole.handle_message(shown)
        assert screen.soft_keys() == whole.soft_keys() != ()


def test_soft_keys_of_sets_and_places_that_were_never_told_are_none() -> None:
    keys = messages.SelectSoftKeys(
        line_instance=1, call_reference=7, soft_key_set_index=SoftKeySet(99), valid_key_mask=1
    )
    assert a_screen(soft_key_sets(), keys).soft_keys(7) == ()
    keys = messages.SelectSoftKeys(line_instance=1, call_reference=7, valid_key_mask=1)
    assert a_screen(soft_key_sets(), keys).soft_keys(7) == ()


def test_keys_that_are_shown_for_calls_that_are_over_take_no_room_from_the_next_call() -> None:
    """chan-sccp selects keys once more behind CallState OnHook: at call 257 there were none."""
    screen = a_screen(soft_key_template(), soft_key_sets(), select_soft_keys(SoftKeySet.ON_HOOK))
    for call in range(1, 1000):
        screen.handle_message(select_soft_keys(SoftKeySet.RINGIN, line=1, call=call))
        assert [str(key) for key in screen.soft_keys(call)] == ["Answer"]
        screen.forget_call(call)
        screen.handle_message(select_soft_keys(SoftKeySet.ON_HOOK, line=1, call=call))
    assert [str(key) for key in screen.soft_keys()] == ["Redial", "NewCall", "CFwdALL", "DND"]


def test_everything_that_is_told_is_shown() -> None:
    lamp = messages.SetLamp(
        stimulus=DeviceStimulus.VOICE_MAIL, stimulus_instance=2, lamp_mode=LampMode.ON
    )
    screen = a_screen(
        lamp,
        messages.DisplayPromptStatusV2(time_out_value=0, prompt_status="\x80\x13"),
        messages.DisplayPromptStatusV2(time_out_value=0, call_reference=9, prompt_status="other"),
        messages.SetRinger(ring_mode=RingMode.INSIDE_RING),
        messages.SetSpeakerMode(speaker_mode=SpeakerMode.ON),
        messages.ActivateCallPlane(line_instance=2),
        messages.ForwardStatRes(
            active_forward=1, line_number=1, forward_all_active=1, forward_all_dirnum="1003"
        ),
        messages.SpeedDialStatV2Res(
            speed_dial_number=1, speed_dial_dir_number="1004", speed_dial_display_name="Dave"
        ),
        messages.DisplayNotify(time_out_value=5, notify="\x80\x21 701"),
    )
    assert screen.message_waiting()
    assert screen.message_waiting(2)
    assert not screen.message_waiting(1)
    assert english(screen.prompt) == "Your current options"
    assert screen.ringer is RingMode.INSIDE_RING
    assert screen.speaker is SpeakerMode.ON
    assert screen.active_line == 2
    assert screen.forwards == {1: Forwards(all="1003")}
    assert screen.speed_dials == {1: ("1004", "Dave")}
    assert screen.parked_at == "701"
    screen.handle_message(messages.ClearPriNotify(priority=5))
    screen.handle_message(messages.ClearPromptStatus(line_instance=0))
    screen.handle_message(messages.DeactivateCallPlane())
    assert (screen.notification, screen.prompt, screen.active_line) == ("", "", 0)
    assert not screen.handle_message(messages.KeepAliveAck())


def test_a_call_manager_can_not_fill_a_screen_without_bound() -> None:
    screen = Screen()
    for number in range(300):
        screen.handle_message(
            messages.SetLamp(
                stimulus=DeviceStimulus.LINE, stimulus_instance=number, lamp_mode=LampMode.ON
            )
        )
        screen.handle_message(messages.ForwardStatRes(active_forward=0, line_number=number))
        screen.handle_message(messages.SelectSoftKeys(line_instance=1, call_reference=number))
        screen.handle_message(
            messages.SpeedDialStatV2Res(speed_dial_number=number, speed_dial_dir_number="1")
        )
        screen.handle_message(soft_key_template())
        screen.handle_message(soft_key_sets())
    assert len(screen.lamps) == len(screen.forwards) == len(screen.speed_dials) == 256
    assert len(screen._shown) == 256


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\x80\x17" + "1001", "From 1001"),
        ("\x80\x12", "GPickUp"),
        ("\x1e\x3a", "Cfwdall loop detected"),
        ("Hunt Group", "Hunt Group"),
        ("\x80\xff", "\\x80\xff"),
        ("\x80", "\\x80"),
    ],
)
def test_phrase_numbers_become_words_and_anything_else_stays(text: str, words: str) -> None:
    assert english(text) == words


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("\x80\x17" + "1001", "\x80\x17"),
        ("From 1001", "\x80\x17"),
        ("Enter Number", "\x80\x20"),
        ("Can Not Complete Transfer", "\x80\x52"),
        ("Cannot complete transfer.", "\x80\x52"),
        ("Error: No License", "\x80\x2e"),
        ("CFwdALL loop detected", "\x1e\x3a"),
        ("Cannot retrieve parked call", "\x1e\x40"),
        ("Wellness 1001", ""),
        ("x" * 1000, ""),
        ("", ""),
    ],
)
def test_a_phrase_is_known_by_its_number_and_by_its_english_words(text: str, code: str) -> None:
    """CUCM writes plain English to FXS ports (captured: Enter Number, Ring Out, Connected)."""
    assert phrase_of(text) == code


@pytest.mark.parametrize(
    "text", ["\x80\x52", "Can not complete transfer", "Key Is Not Active", "Temp Fail", "\x80\x23"]
)
def test_a_refusal_counts_in_numbers_or_in_words(text: str) -> None:
    screen = a_screen(messages.DisplayNotify(time_out_value=5, notify=text))
    assert (screen.refusals, screen.refusal) == (1, text)
    screen.handle_message(messages.DisplayNotify(time_out_value=5, notify="Ring Out"))
    assert (screen.refusals, screen.refusal) == (1, text)


def test_a_key_refused_in_the_prompt_counts_and_the_reason_of_a_congestion_does_not() -> None:
    """chan-sccp refuses Hold and Transfer in the prompt of the call."""
    prompt = messages.DisplayPromptStatusV2(time_out_value=5, call_reference=7)
    screen = a_screen(replace(prompt, prompt_status="\x80\x23"))
    assert screen.refusals == 0
    screen.handle_message(replace(prompt, prompt_status="\x80\x2d"))
    assert screen.refusals == 1


@pytest.mark.parametrize("text", ["\x80\x21 701", "Call Park At 701", "Call park at: 701"])
def test_a_park_number_is_read_behind_the_number_or_the_words(text: str) -> None:
    screen = a_screen(messages.DisplayNotify(time_out_value=5, notify=text))
    assert (screen.parked_at, screen.parkings) == ("701", 1)
