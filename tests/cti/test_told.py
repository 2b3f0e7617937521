"""What an application is told where it looks at one party of a call only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from bare_house import House
from company import ALICE, BOB, CAROL, COMPANY, DAVE, changed
from cti_application import Application

from pa_telephony.callmanager.applications.control import CtiSide
from pa_telephony.callmanager.calls.verbs import LegState, Purpose
from pa_telephony.callmanager.config import LineConfig
from pa_telephony.cti import messages
from pa_telephony.cti.enums import CALLREASON, CALLSTATE, CTIFAILURE, REDIRECTPARAMS


class Looking:
    """A house, and an application that looks at some of its lines."""

    def __init__(self, *lines: tuple[str, str], config: Any = COMPANY) -> None:
        self.house = House(config)
        self.side = CtiSide(self.house.config, self.house.calls)
        self.application = Application(self.side)
        self.lines = {line: self.application.open_line(*line) for line in lines}
        self.said = self.application.said
        self.said.clear()

    def ask(self, kind: type[Any], line: tuple[str, str], leg: int, **fields: Any) -> Any:
        place = {"line_call_manager_id": 1, "line_id": self.lines[line], "call_leg_id": leg}
        return self.application.ask(kind(call_leg_call_manager_id=1, **place, **fields))

    def told(self, kind: type[Any], line: tuple[str, str]) -> list[Any]:
        handle = self.lines[line]
        return [each for each in self.said if type(each) is kind and each.line_id == handle]


A, B = (ALICE, "1001"), (BOB, "1002")


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (REDIRECTPARAMS(0), CALLREASON.REDIRECT),
        (REDIRECTPARAMS.REASON_BLINDTRANSFER, CALLREASON.BLINDTRANSFER),
    ],
)
def test_the_side_that_stays_is_told_why_it_rings_elsewhere_and_who_sent_it(
    asked: REDIRECTPARAMS, reason: CALLREASON
) -> None:
    """Cisco's client waits for ten seconds if it is not (observed)."""
    looking = Looking(A, B)
    _, called = looking.house.talk(ALICE, "1002", BOB)
    looking.said.clear()
    looking.ask(
        messages.CallRedirectRequest, B, called.id, redirect_address="1003", redirect_reason=asked
    )
    (parties,) = looking.told(messages.CallPartyInfoChangedEvent, A)
    assert (parties.called_party, parties.last_redirecting_party) == ("1003", "1002")
    assert parties.reason == reason
    (state,) = looking.told(messages.CallStateChangedEventV2, A)
    assert (state.state, state.reason) == (CALLSTATE.RINGBACK, reason)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (REDIRECTPARAMS.DEFAULT_SEARCH_SPACE, True),
        (REDIRECTPARAMS.CALLINGADDRESS_SEARCH_SPACE, True),
        (REDIRECTPARAMS.ADDRESS_SEARCH_SPACE, False),
    ],
)
def test_a_redirect_is_looked_up_as_the_calling_party_would_unless_its_line_is_named(
    asked: REDIRECTPARAMS, found: bool
) -> None:
    config = replace(
        changed(changed(COMPANY, CAROL, partition="inside"), ALICE, search_space="all"),
        search_spaces={"all": ("inside", "")},
    )
    looking = Looking(B, config=config)
    _, called = looking.house.talk(ALICE, "1002", BOB)
    answer = looking.ask(
        messages.CallRedirectRequest,
        B,
        called.id,
        redirect_address="1003",
        calling_search_space=asked,
    )
    assert (answer.result == 0) is found
    assert bool(looking.house.states(CAROL)) is found


def test_a_forward_that_is_followed_names_the_party_that_rings() -> None:
    looking = Looking(A, config=changed(COMPANY, BOB, forward_all="1003"))
    looking.house.call(ALICE, "1002")
    assert looking.told(messages.CallPartyInfoChangedEvent, A)[-1].called_party == "1003"
    assert looking.told(messages.CallPartyInfoChangedEvent, A)[-1].called_party_name == "Carol"


def test_the_terminals_of_both_parties_are_named() -> None:
    looking = Looking(A, B)
    looking.house.talk(ALICE, "1002", BOB)
    assert looking.told(messages.NewCallEvent, B)[0].calling_party_device_name == ALICE
    parties = looking.told(messages.CallPartyInfoChangedEvent, A)[-1]
    assert parties.current_calling_party_device_name == ALICE
    assert parties.current_called_party_device_name == BOB


def test_the_terminal_of_a_party_that_is_gone_is_no_news() -> None:
    looking = Looking(A)
    _, called = looking.house.talk(ALICE, "1002", BOB)
    looking.said.clear()
    looking.house.calls.release(called)
    assert [type(each) for each in looking.said] == [messages.CallStateChangedEventV2]


def test_a_conference_that_was_there_before_is_found_with_all_its_parties() -> None:
    looking = Looking()
    house = looking.house
    held, _ = house.talk(ALICE, "1002", BOB)
    second = house.calls.consult(held, Purpose.CONFERENCE, "1003")
    house.calls.answer(house.leg(CAROL, LegState.OFFERED))
    house.calls.join(held, second)
    found = looking.application.ask(
        messages.LineOpenRequest(
            device_name=BOB,
            line_name="1002",
            filter=messages.structs.LineEventFilter(b_existing_call_event=True),
        )
    )
    assert found.result == 0
    (existing,) = [e for e in looking.said if type(e) is messages.ExistingCallEvent]
    parties = {each.participant_number for each in existing.participants_info}
    assert parties == {"1001", "1002", "1003"}
    assert existing.controller_participant.participant_number == "1001"


def test_the_members_of_a_conference_are_told_as_connected() -> None:
    """Cisco's client shows no connection of a member that it is told to be idle (observed)."""
    looking = Looking(A)
    house = looking.house
    first, _ = house.talk(ALICE, "1002", BOB)
    second = house.calls.consult(first, Purpose.CONFERENCE, "1003")
    house.calls.answer(house.leg(CAROL, LegState.OFFERED))
    house.calls.join(first, second)
    told = looking.told(messages.CallConferenceStateChangedEvent, A)
    members = [each for told in told for each in told.other_participants_info]
    assert {each.changed_participant_info.participant_number for each in told} == {"1002", "1003"}
    assert {each.participant_number for each in members} == {"1001", "1002", "1003"}
    changed = [each.changed_participant_info for each in told]
    assert {each.state for each in (*members, *changed)} == {CALLSTATE.CONNECTED}


def test_a_conference_of_several_calls_at_once_begins_once_and_ends_once() -> None:
    """Told once for each call, Cisco's client waits for its post condition (observed)."""
    looking = Looking(A)
    house = looking.house
    numbers = {"1002": BOB, "1003": CAROL, "1004": DAVE}
    legs = [house.talk(ALICE, number, device)[0] for number, device in numbers.items()]
    others = [
        messages.structs.CtiCallHandle(call_manager_id=1, call_leg_id=leg.id) for leg in legs[1:]
    ]
    gone = [leg.call_id for leg in legs[1:]]
    looking.ask(messages.CallJoinRequest, A, legs[0].id, other_calls=tuple(others))
    (started,) = looking.told(messages.LineConferenceStartedEvent, A)
    assert [each.call_id for each in started.other_gci_ds] == gone
    (ended,) = looking.told(messages.LineConferenceEndedEvent, A)
    assert ended.transaction_id == started.transaction_id
    assert ended.success


def test_the_first_call_is_told_as_held_while_the_other_party_is_consulted() -> None:
    """Cisco's client passes over ONHOLDPENDING: it could not retrieve the call (observed)."""
    looking = Looking(A)
    first, _ = looking.house.talk(ALICE, "1002", BOB)
    looking.said.clear()
    consulted = looking.ask(messages.CallSetupTransferRequest, A, first.id, dest_address="1003")
    states = [
        each.state
        for each in looking.told(messages.CallStateChangedEventV2, A)
        if each.call_leg_id == first.id
    ]
    assert states == [CALLSTATE.ONHOLD]
    looking.house.calls.release(looking.house.calls.legs[consulted.consult_call_id])
    assert looking.ask(messages.CallRetrieveRequest, A, first.id).result == 0
    assert first.state is LegState.CONNECTED


def test_a_parked_party_is_told_that_it_goes_back() -> None:
    looking = Looking(A)
    house = looking.house
    _, called = house.talk(ALICE, "1002", BOB)
    house.calls.park(called)
    looking.said.clear()
    house.wait(house.config.timing.park_reversion)
    parties = looking.told(messages.CallPartyInfoChangedEvent, A)[-1]
    assert (parties.called_party, parties.reason) == ("1002", CALLREASON.PARKREMINDER)


def test_nobody_at_a_park_number_leaves_no_line_off_hook() -> None:
    looking = Looking(A)
    refused = looking.application.ask(
        messages.LineCallUnParkRequest(line_id=looking.lines[A], parked_at_address="701")
    )
    assert refused.result == CTIFAILURE.CTIERR_CALL_UNPARK_FAILED
    assert looking.house.states(ALICE) == []


@pytest.mark.parametrize("how", ["transfer", "join"])
def test_calls_at_two_lines_of_a_phone_are_joined(how: str) -> None:
    devices = [
        replace(each, lines=(*each.lines, LineConfig(number="1009")))
        if each.name == ALICE
        else each
        for each in COMPANY.devices
    ]
    second_line = (ALICE, "1009")
    looking = Looking(A, second_line, config=replace(COMPANY, devices=tuple(devices)))
    house = looking.house
    first, _ = house.talk(ALICE, "1002", BOB)
    second, _ = house.talk(ALICE, "1003", CAROL, line=2)
    handle = messages.structs.CtiCallHandle(call_manager_id=1, call_leg_id=second.id)
    if how == "transfer":
        done = looking.ask(
            messages.CallDirectTransferRequest, A, first.id, other_call_handle=handle
        )
        assert house.leg(BOB).peer is house.leg(CAROL)
    else:
        done = looking.ask(messages.CallJoinRequest, A, first.id, other_calls=(handle,))
        assert house.leg(BOB).conference is not None
    assert done.result == 0
