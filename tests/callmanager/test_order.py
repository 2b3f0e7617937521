"""What a phone is told of a call, and in which order: as real call managers do (captured).

The captures themselves are played in ``tests/sccp/test_replay.py``; here stands what no capture
has, or has only at one end.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from bare_house import a_config
from company import ALICE, BOB, CAROL
from line_phone import LineHouse, Phone

from pa_telephony.callmanager.phones import display
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import (
    CallSecurityStatusType,
    DCallState,
    DeviceStimulus,
    DeviceType,
    RingMode,
    SoftKeyEvent,
    SoftKeySet,
)
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.server.device import CALL_MANAGERS_OWN, question_of_abilities

ONCE = (
    messages.SetRinger,
    messages.SetSpeakerMode,
    messages.SetLamp,
    messages.ActivateCallPlane,
)
"""What a phone is told once, when a call becomes the one that its user is in."""


def a_house() -> tuple[LineHouse, Phone, Phone, Phone]:
    house = LineHouse()
    return house, *(Phone(house.side, name) for name in (ALICE, BOB, CAROL))


def open_channels(*phones: Phone) -> None:
    for phone in phones:
        phone.acknowledge()


def names(said: list[SccpMessage]) -> list[str]:
    return [type(each).__name__ for each in said]


def information(said: list[SccpMessage]) -> list[messages.CallInfoV2]:
    return [each for each in said if isinstance(each, messages.CallInfoV2)]


def test_a_phone_that_answers_is_off_hook_has_its_channel_ordered_and_is_connected() -> None:
    house, alice, bob, _ = a_house()
    house.call(ALICE, "1002")
    bob.sent.clear()
    bob.press_message(messages.OffHook(line_instance=1, call_reference=house.leg(BOB).id))
    open_channels(bob, alice)
    assert names(bob.sent) == [
        "SetRinger",
        "SetSpeakerMode",
        "SetLamp",
        "CallState",
        "ActivateCallPlane",
        "SetRinger",
        "StopTone",
        "OpenReceiveChannel",
        "CallState",
        "SelectSoftKeys",
        "DisplayPromptStatusV2",
        "CallInfoV2",
        "StartMediaTransmission",
        "CallInfoV2",
    ]
    states = [each.call_state for each in bob.sent if isinstance(each, messages.CallState)]
    assert states == [DCallState.OFF_HOOK, DCallState.CONNECTED]
    first, second = (each for each in bob.sent if isinstance(each, messages.SetRinger))
    leg = house.leg(BOB)
    assert (first.line_instance, first.call_reference) == (0, 0)
    assert (second.line_instance, second.call_reference) == (1, leg.id)
    assert first.ring_mode is second.ring_mode is RingMode.RING_OFF


def test_a_caller_s_speaker_lamp_and_line_are_set_once() -> None:
    house, alice, bob, carol = a_house()
    caller = house.call(ALICE, "1002")
    begun = [each for each in alice.sent if isinstance(each, ONCE)]
    assert len(begun) == len(ONCE)
    alice.sent.clear()
    house.calls.answer(house.leg(BOB))
    open_channels(bob, alice)
    assert names(alice.sent) == [
        "StopTone",
        "OpenReceiveChannel",
        "CallState",
        "SelectSoftKeys",
        "DisplayPromptStatusV2",
        "CallInfoV2",
        "StartMediaTransmission",
        "CallInfoV2",
    ]
    alice.sent.clear()
    house.calls.redirect(house.leg(BOB), "1003")
    house.calls.answer(house.leg(CAROL))
    open_channels(carol, alice)
    assert house.hears(caller) == CAROL
    assert not [each for each in alice.sent if isinstance(each, ONCE)]


def test_a_call_that_is_taken_back_sets_speaker_lamp_and_line_again() -> None:
    house, alice, _, _ = a_house()
    caller, _ = house.talk(ALICE, "1002", BOB)
    house.calls.hold(caller)
    alice.sent.clear()
    house.calls.resume(caller)
    assert [type(each) for each in alice.sent if isinstance(each, ONCE)] == list(ONCE)


def test_the_keys_of_dialling_stay_while_the_number_is_on_its_way() -> None:
    house, alice, _, _ = a_house()
    house.call(ALICE, "1002")
    proceed = next(
        at
        for at, each in enumerate(alice.sent)
        if isinstance(each, messages.CallState) and each.call_state is DCallState.PROCEED
    )
    assert names(alice.sent[proceed : proceed + 3]) == ["CallState", "CallInfoV2", "StartTone"]


@pytest.mark.parametrize("holds", [False, True])
def test_one_who_talked_and_waits_in_silence_has_other_keys_and_no_prompt(holds: bool) -> None:
    house, alice, bob, _ = a_house()
    house.devices["RP5600"].rings = False
    caller, called = house.talk(ALICE, "1002", BOB)
    open_channels(bob, alice)
    if holds:
        house.calls.hold(caller)
    alice.sent.clear()
    house.calls.redirect(called, "5600")
    if holds:
        alice.sent.clear()
        house.calls.resume(caller)
    (keys,) = [each for each in alice.sent if isinstance(each, messages.SelectSoftKeys)]
    assert keys.soft_key_set_index is SoftKeySet.RING_OUT
    assert alice.prompts == {}
    house.calls.accept(house.leg("RP5600"))
    assert alice.prompts == {caller.id: display.RING_OUT}
    assert alice.faults == []


def test_what_is_said_of_the_parties_has_the_values_of_cucm() -> None:
    """The first instance, the caller's number twice at the called phone, and how safe it is."""
    house, alice, bob, _ = a_house()
    house.call(ALICE, "1002")
    house.calls.answer(house.leg(BOB))
    open_channels(bob, alice)
    assert {each.call_instance for each in information(alice.sent + bob.sent)} == {1}
    assert {each.alternate_calling_party for each in information(alice.sent)} == {""}
    assert {each.alternate_calling_party for each in information(bob.sent)} == {"1001"}
    unknown, open_to_all = (
        CallSecurityStatusType.UNKNOWN,
        CallSecurityStatusType.NOT_AUTHENTICATED,
    )
    for phone, ringing in ((alice, 2), (bob, 1)):
        assert [each.call_security_status for each in information(phone.sent)] == [
            *[unknown] * ringing,
            open_to_all,
            open_to_all,
        ]


def test_the_parties_are_told_once_more_when_both_can_talk() -> None:
    """Not before the second channel is open, and not for the tone of a call on hold."""
    house, alice, bob, _ = a_house()
    bob.opens = "late"
    caller = house.call(ALICE, "1002")
    house.calls.answer(house.leg(BOB))
    open_channels(bob, alice)
    before = len(information(alice.sent)), len(information(bob.sent))
    assert bob.acknowledge(late=True)
    assert (len(information(alice.sent)), len(information(bob.sent))) == (
        before[0] + 1,
        before[1] + 1,
    )
    assert names(alice.sent)[-2:] == ["StartMediaTransmission", "CallInfoV2"]
    house.calls.hold(caller)
    assert house.hears(house.leg(BOB)) == "tone"
    bob.sent.clear()
    bob.acknowledge(late=True)
    assert not information(bob.sent)


def test_both_orders_for_sound_have_the_same_kind_of_digits() -> None:
    house, alice, bob, _ = a_house()
    house.talk(ALICE, "1002", BOB)
    open_channels(bob, alice)
    orders = [
        each
        for each in alice.sent
        if isinstance(each, messages.OpenReceiveChannel | messages.StartMediaTransmission)
    ]
    assert [each.dtmf_type for each in orders] == [10, 10]
    assert [each.rfc2833_payload_type for each in orders] == [0, 0]


def test_a_call_without_a_channel_to_order_is_shown_all_the_same() -> None:
    """There are no tones for calls on hold here, so nothing is to be opened."""
    house, alice, _, _ = a_house()
    house.calls.use_media(None)
    caller, called = house.talk(ALICE, "1002", BOB)
    house.calls.hold(caller)
    house.calls.hold(called)
    alice.sent.clear()
    house.calls.resume(caller)
    assert alice.calls[caller.id].state is DCallState.CONNECTED
    assert "OpenReceiveChannel" not in names(alice.sent)


def test_where_a_phone_hangs_up_its_channel_closes_behind_its_display_elsewhere_before() -> None:
    house, alice, bob, _ = a_house()
    caller, _ = house.talk(ALICE, "1002", BOB)
    open_channels(bob, alice)
    for phone in (alice, bob):
        phone.sent.clear()
    house.calls.release(caller)
    display = ["StopTone", "SetLamp", "ClearPromptStatus"]
    sound = ["CloseReceiveChannel", "StopMediaTransmission"]
    rest = ["CallState", "SelectSoftKeys", "TimeDateRes", "SetSpeakerMode", "SetRinger"]
    assert names(alice.sent) == [*display, *sound, *rest]
    assert names(bob.sent) == [*sound, *display, *rest]


def test_what_announced_a_call_is_taken_away_where_it_was_not_answered() -> None:
    house, _, bob, _ = a_house()
    caller = house.call(ALICE, "1002")
    bob.sent.clear()
    house.calls.release(caller)
    assert "ClearPriNotify" in names(bob.sent)
    house.talk(ALICE, "1002", BOB)
    bob.sent.clear()
    house.calls.release(house.leg(BOB))
    assert "ClearPriNotify" not in names(bob.sent)


@pytest.mark.parametrize("waiting", [False, True])
def test_a_phone_that_registers_is_told_of_messages_only_if_some_wait(waiting: bool) -> None:
    house = LineHouse()
    line = house.calls.line("1001")
    assert line is not None
    house.calls.set_message_waiting(line, waiting)
    lamps = [
        each
        for each in Phone(house.side, ALICE).sent
        if isinstance(each, messages.SetLamp) and each.stimulus is DeviceStimulus.VOICE_MAIL
    ]
    assert len(lamps) == waiting


def test_phones_are_asked_what_their_displays_can_do() -> None:
    (question,) = question_of_abilities(DeviceType.CISCO_7970, 20)
    assert isinstance(question, messages.UserToDeviceDataVersion1)
    assert question.xmldata == b"<getDeviceCaps/>"
    assert not question_of_abilities(DeviceType.CISCO_7912, 6)
    assert not question_of_abilities(DeviceType.SOFTWARE_MTP_DIXIE_LAND, 18)


@pytest.mark.parametrize(("application", "told"), [(CALL_MANAGERS_OWN, 0), (0, 1)])
def test_only_what_an_application_asked_for_is_its_data(application: int, told: int) -> None:
    house = LineHouse(replace(a_config()))
    heard: list[bytes] = []
    house.side.data_received = lambda device, data: heard.append(data)
    Phone(house.side, ALICE).press_message(
        messages.DeviceToUserDataResponseVersion1(application_id=application, xmldata=b"<x/>")
    )
    assert len(heard) == told


def test_a_call_picked_up_elsewhere_leaves_no_ringing_behind() -> None:
    """The phone that rang is told that it does no more; the one that took it is connected."""
    house, _, bob, carol = a_house()
    house.call(ALICE, "1002")
    carol.press(SoftKeyEvent.PICK_UP)
    assert bob.screen.ringer is RingMode.RING_OFF
    assert not bob.calls
    assert [each.state for each in carol.calls.values()] == [DCallState.CONNECTED]


@pytest.mark.parametrize("goes", [False, True], ids=["hangs up", "is gone"])
def test_nothing_is_kept_of_calls_that_are_over(goes: bool) -> None:
    house, alice, _, _ = a_house()

    def kept() -> dict[str, int]:
        return {what: len(each) for what, each in vars(house.side).items() if type(each) is dict}

    before = kept()
    for _ in range(3):
        caller, _ = house.talk(ALICE, "1002", BOB)
        if goes:
            house.side.unregistered(alice.session, "its connection ended")
            house.side.registered(alice.session)
        else:
            house.calls.release(caller)
    assert house.calls.legs == {}
    assert kept() == before
