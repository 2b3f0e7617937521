"""Busy lamps: speed dials that show what their number does."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest
from bare_house import a_config
from company import ALICE, BOB, CAROL, DAVE, phone
from line_phone import LineHouse, Phone

from pa_telephony.callmanager.calls.verbs import DoNotDisturb, LegState
from pa_telephony.callmanager.config import DeviceConfig, SpeedDial
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import (
    ButtonType,
    DeviceStimulus,
    SubscribeCause,
    SubscriptionFeatureID,
)
from pa_telephony.sccp.server.device import BusyLamp, answer

CLOCK = datetime.datetime(2026, 11, 24, 12, 0, tzinfo=datetime.UTC)


class Reception:
    """Alice's phone, whose second and third speed dial show what Bob and the shared line do."""

    def __init__(self, version: int = 20, hidden: DeviceConfig | None = None) -> None:
        config = a_config()
        dials = (
            SpeedDial(number="1003"),
            SpeedDial(number="1002", name="Bob", busy_lamp=True),
            SpeedDial(number="2000", busy_lamp=True),
        )
        devices = [
            replace(each, speed_dials=dials) if each.name == ALICE else each
            for each in config.devices
        ]
        devices += [] if hidden is None else [hidden]
        self.house = LineHouse(replace(config, devices=tuple(devices)))
        self.calls = self.house.calls
        self.alice = Phone(self.house.side, ALICE, version)
        self.bob, self.carol, self.dave = (
            Phone(self.house.side, name) for name in (BOB, CAROL, DAVE)
        )

    def told(self, index: int = 2) -> list[int]:
        """What Alice's lamp was told since last asked."""
        told = [
            each.feature_status
            for each in self.alice.sent
            if isinstance(each, messages.FeatureStatRes | messages.FeatureStatV2Res)
            and each.feature_index == index
        ]
        self.alice.sent.clear()
        return told

    def asked(self, index: int = 2) -> messages.FeatureStatRes | messages.FeatureStatV2Res:
        question = messages.FeatureStatReq(feature_index=index)
        (found,) = answer(question, self.alice.device, self.alice.version, CLOCK)
        assert isinstance(found, messages.FeatureStatRes | messages.FeatureStatV2Res)
        return found


def test_a_speed_dial_with_a_lamp_is_a_button_of_its_own_kind() -> None:
    reception = Reception()
    (template,) = answer(messages.ButtonTemplateReq(), reception.alice.device, 20, CLOCK)
    assert isinstance(template, messages.ButtonTemplateRes)
    lamp = ButtonType.BUSY_LAMP_FIELD_SPEEDDIAL
    assert [(each.instance_number, each.button_definition) for each in template.definition[:4]] == [
        (1, ButtonType.LINE),
        (1, ButtonType.SPEED_DIAL),
        (2, lamp),
        (3, lamp),
    ]


@pytest.mark.parametrize("version", [6, 20])
def test_a_lamp_is_told_what_its_number_does_whenever_that_changes(version: int) -> None:
    reception = Reception(version)
    calls = reception.calls
    reception.told()
    leg = calls.originate(CAROL, 1, "1002")
    assert reception.told() == [BusyLamp.ALERTING]
    assert leg.peer is not None
    calls.answer(leg.peer)
    assert reception.told() == [BusyLamp.IN_USE]
    calls.hold(leg.peer)
    assert reception.told() == [], "held is in use, too"
    calls.release(leg)
    assert reception.told() == [BusyLamp.IDLE]
    for mode, state in (
        (DoNotDisturb.REJECT, BusyLamp.DO_NOT_DISTURB),
        (DoNotDisturb.OFF, BusyLamp.IDLE),
    ):
        calls.set_do_not_disturb(BOB, mode)
        assert reception.told() == [state]
    reception.bob.close("lost")
    assert reception.told() == [BusyLamp.UNKNOWN]


def test_a_phone_that_asks_is_told_what_its_number_does_now() -> None:
    reception = Reception()
    assert reception.asked() == messages.FeatureStatV2Res(
        feature_index=2,
        feature_id=ButtonType.BUSY_LAMP_FIELD_SPEEDDIAL,
        feature_text_label="Bob",
        feature_status=BusyLamp.IDLE,
    )
    reception.calls.originate(BOB, 1, "1003")
    assert reception.asked().feature_status == BusyLamp.IN_USE
    assert reception.asked(3).feature_text_label == "2000"
    assert reception.asked(1) == messages.FeatureStatV2Res(feature_index=1)
    again = Phone(reception.house.side, ALICE)
    reception.alice = again
    assert reception.asked().feature_status == BusyLamp.IN_USE


def test_the_lamp_of_a_shared_line_is_on_while_one_of_its_phones_uses_it() -> None:
    reception = Reception()
    reception.told()
    leg = reception.calls.originate(DAVE, 2, "1003")
    assert reception.told(3)[-1] == BusyLamp.IN_USE
    reception.calls.release(leg)
    assert reception.told(3) == [BusyLamp.IDLE]


@pytest.mark.parametrize("button", [DeviceStimulus.SPEED_DIAL, DeviceStimulus.BLF_SPEED_DIAL])
def test_the_button_of_a_lamp_dials_its_number(button: DeviceStimulus) -> None:
    reception = Reception()
    reception.alice.press_message(messages.Stimulus(stimulus=button, line_instance=2))
    (leg,) = reception.calls.legs_of(BOB)
    assert leg.state is LegState.OFFERED


def test_a_phone_that_is_removed_is_told_no_more() -> None:
    reception = Reception()
    reception.house.side.remove_device(ALICE)
    reception.told()
    reception.calls.originate(CAROL, 1, "1002")
    assert reception.told() == []
    assert not reception.house.side._lamps._watchers


@pytest.mark.parametrize(
    ("number", "state"),
    [("1002", BusyLamp.IDLE), ("1003", BusyLamp.IN_USE), ("2000", BusyLamp.IDLE)],
)
def test_a_list_of_calls_that_asks_is_told_what_a_number_does(number: str, state: BusyLamp) -> None:
    reception = Reception()
    reception.calls.originate(CAROL, 1)
    assert subscribed(reception, number) == [
        messages.SubscriptionStatRes(
            transaction_id=7, subscription_feature_id=SubscriptionFeatureID.BLF, timer=60
        ),
        messages.Notification(
            transaction_id=7,
            subscription_feature_id=SubscriptionFeatureID.BLF,
            notification_status=state,
        ),
    ]


@pytest.mark.parametrize("number", ["1999", "", " ", "70", "3000"])
def test_of_numbers_that_are_none_or_not_the_phone_s_to_call_it_is_told_nothing(
    number: str,
) -> None:
    """3000 is a phone's, in a partition that Alice does not see."""
    hidden = phone("P9", "3000", partition="hidden")
    (answered,) = subscribed(Reception(hidden=hidden), number)
    assert isinstance(answered, messages.SubscriptionStatRes)
    assert answered.cause is SubscribeCause.ROUTE_FAIL


def subscribed(reception: Reception, number: str) -> list[object]:
    question = messages.SubscriptionStatReq(
        transaction_id=7,
        subscription_feature_id=SubscriptionFeatureID.BLF,
        timer=60,
        subscription_id=number,
    )
    return list(answer(question, reception.alice.device, 20, CLOCK))
