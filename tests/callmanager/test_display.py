"""What a phone is told of a leg, in every state and for every failure."""

from __future__ import annotations

import datetime
import itertools

import pytest
from bare_house import House

from pa_telephony.callmanager.calls.verbs import Cause, Leg, LegState, Party, Purpose
from pa_telephony.callmanager.phones import display
from pa_telephony.callmanager.phones.display import Screen
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import (
    DCallState,
    DeviceTone,
    LampMode,
    RingMode,
    SoftKeyEvent,
    SoftKeySet,
    SpeakerMode,
)
from pa_telephony.sccp.messages import SccpMessage, encode
from pa_telephony.sccp.phrases import english

VERSIONS = (3, 6, 17, 20, 22)


NOON = datetime.datetime(2026, 11, 29, 12)


def a_leg() -> Leg:
    house = House()
    house.call("P2", "1001")
    leg = house.leg("P1")
    leg.digits = "1002"
    return leg


def screen(leg: Leg, *others: Leg, version: int = 20, silent: bool = False) -> Screen:
    return Screen(version=version, legs=[leg, *others], clock=lambda: NOON, silent=silent)


def of(kind: type[SccpMessage], shown: list[SccpMessage]) -> list[SccpMessage]:
    return [each for each in shown if isinstance(each, kind)]


@pytest.mark.parametrize(("state", "version"), list(itertools.product(LegState, VERSIONS)))
def test_every_state_is_shown_in_every_version(state: LegState, version: int) -> None:
    """With a call state for each but the first digit, and soft keys for each.

    Those of dialling stay while the number is on its way (captured).
    """
    leg = a_leg()
    leg.state = state
    shown = display.show(leg, screen(leg, version=version))
    for message in shown:
        assert encode(message, version)
    assert len(of(messages.CallState, shown)) == (state is not LegState.DIALLING)
    assert len(of(messages.SelectSoftKeys, shown)) == (state is not LegState.PROCEEDING)


@pytest.mark.parametrize(("state", "version"), list(itertools.product(LegState, VERSIONS)))
def test_numbers_and_names_longer_than_their_fields_are_cut(state: LegState, version: int) -> None:
    leg = a_leg()
    leg.state = state
    leg.calling = leg.called = Party("12" * 500, "Alice" * 500)
    leg.original_called = leg.last_redirecting = leg.calling
    for message in display.show(leg, screen(leg, version=version)):
        assert len(encode(message, version)) < 1200


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_a_state_a_tone_and_words(cause: Cause) -> None:
    leg = a_leg()
    leg.state, leg.cause = LegState.FAILED, cause
    state, keys, tone, prompt = display.show(leg, screen(leg))
    assert isinstance(state, messages.CallState)
    assert state.call_state in (
        DCallState.BUSY,
        DCallState.CONGESTION,
        DCallState.INVALID_NUMBER,
    )
    assert isinstance(keys, messages.SelectSoftKeys)
    assert keys.soft_key_set_index is SoftKeySet.RING_OUT, "hanging up is all that is left"
    assert isinstance(tone, messages.StartTone)
    assert tone.tone in (DeviceTone.LINE_BUSY_TONE, DeviceTone.REORDER_TONE)
    assert isinstance(prompt, messages.DisplayPromptStatusV2)
    assert "\x80" not in english(prompt.prompt_status)
    assert "\x1e" not in english(prompt.prompt_status)


def test_every_refusal_has_words() -> None:
    for key, cause in itertools.product(SoftKeyEvent, Cause):
        assert english(display.refusal(key, cause)).isprintable()


@pytest.mark.parametrize(
    ("states", "mode"),
    [
        ((), LampMode.OFF),
        ((LegState.REMOTE_IN_USE,), LampMode.ON),
        ((LegState.HELD, LegState.REMOTE_IN_USE), LampMode.WINK),
        ((LegState.CONNECTED, LegState.HELD), LampMode.ON),
        ((LegState.CONNECTED, LegState.OFFERED), LampMode.BLINK),
    ],
)
def test_the_lamp_of_a_line_shows_what_matters_most(
    states: tuple[LegState, ...], mode: LampMode
) -> None:
    legs = [a_leg() for _ in states]
    for leg, state in zip(legs, states, strict=True):
        leg.state = state
    lamp = display.lamp(1, legs)
    assert isinstance(lamp, messages.SetLamp)
    assert lamp.lamp_mode is mode
    other = display.lamp(2, legs)
    assert isinstance(other, messages.SetLamp)
    assert other.lamp_mode is LampMode.OFF


def test_a_call_that_comes_rings_flashes_or_sounds_in_the_ear() -> None:
    leg, talking = a_leg(), a_leg()
    talking.state = LegState.CONNECTED
    (ring,) = of(messages.SetRinger, display.show(leg, screen(leg)))
    (flash,) = of(messages.SetRinger, display.show(leg, screen(leg, silent=True)))
    behind = display.show(leg, screen(leg, talking))
    assert isinstance(ring, messages.SetRinger)
    assert isinstance(flash, messages.SetRinger)
    assert (ring.ring_mode, flash.ring_mode) == (RingMode.INSIDE_RING, RingMode.FLASH_ONLY)
    assert not of(messages.SetRinger, behind)
    (tone,) = of(messages.StartTone, behind)
    assert isinstance(tone, messages.StartTone)
    assert tone.tone is DeviceTone.CALL_WAITING_TONE


def test_the_end_of_one_call_does_not_silence_another() -> None:
    """The speaker stays on for who talks, and what rang behind rings aloud."""
    over, other = a_leg(), a_leg()
    over.state, other.state = LegState.IDLE, LegState.CONNECTED
    assert not of(messages.SetSpeakerMode, display.show(over, screen(other)))
    other.state = LegState.OFFERED
    shown = display.show(over, screen(other))
    (ring,) = of(messages.SetRinger, shown)
    assert isinstance(ring, messages.SetRinger)
    assert (ring.ring_mode, ring.call_reference) == (RingMode.INSIDE_RING, other.id)
    (speaker,) = of(messages.SetSpeakerMode, shown)
    assert isinstance(speaker, messages.SetSpeakerMode)
    assert speaker.speaker_mode is SpeakerMode.OFF


@pytest.mark.parametrize(
    ("state", "purpose", "keys"),
    [
        (LegState.DIAL_TONE, Purpose.TRANSFER, SoftKeySet.OFF_HOOK_FEAT),
        (LegState.RINGING_OUT, Purpose.TRANSFER, SoftKeySet.CONN_TRANS),
        (LegState.CONNECTED, Purpose.TRANSFER, SoftKeySet.CONN_TRANS),
        (LegState.RINGING_OUT, Purpose.CONFERENCE, SoftKeySet.RING_OUT),
        (LegState.CONNECTED, Purpose.CONFERENCE, SoftKeySet.CONN_CONF),
    ],
)
def test_a_consultation_has_the_keys_that_complete_it(
    state: LegState, purpose: Purpose, keys: SoftKeySet
) -> None:
    leg = a_leg()
    leg.state, leg.purpose, leg.consult_of = state, purpose, a_leg()
    (select,) = of(messages.SelectSoftKeys, display.show(leg, screen(leg)))
    assert isinstance(select, messages.SelectSoftKeys)
    assert select.soft_key_set_index is keys
