"""Before an application accepts a call its caller hears nothing, and does not wait for ever."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from bare_house import House
from company import ALICE, BOB, CAROL, COMPANY, changed
from cti_application import Application
from line_phone import LineHouse, Phone
from whole_house import a_manager, log_in, until

from pa_telephony import sccp
from pa_telephony.callmanager.applications.control import CtiSide
from pa_telephony.callmanager.calls.verbs import Cause, LegState, Purpose, Reason
from pa_telephony.callmanager.config import CallManagerConfig, LineConfig
from pa_telephony.cti import messages
from pa_telephony.cti.enums import (
    CALLSTATE,
    CTIMEDIAREGISTRATION,
    LINEAUTOACCEPTSTATUS,
    MEDIAPAYLOAD,
)
from pa_telephony.cti.messages.structs import DeviceEventFilter, MediaCapability
from pa_telephony.errors import CallEnded
from pa_telephony.sccp.enums import DCallState, DeviceTone

A = (ALICE, "1001")
ACCEPT_WITHIN = COMPANY.timing.new_call_accept


class Served:
    """A house whose route point and CTI port an application has, which also looks at a phone."""

    def __init__(self, config: CallManagerConfig = COMPANY, *, accepts: bool = False) -> None:
        self.house = House(config)
        self.side = CtiSide(self.house.config, self.house.calls)
        self.application = Application(self.side)
        self.phone = self.application.open_line(*A)
        self.lines = {}
        for device, number in (("RP1", "6000"), ("CTIP1", "5001")):
            self.application.ask(
                messages.DeviceRegisterDeviceRequest(
                    device_name=device,
                    media_registration_type=CTIMEDIAREGISTRATION.CTI_MEDIA_REGISTRATION_DYNAMIC,
                    filter=DeviceEventFilter(),
                    media_caps=(MediaCapability(payload_capability=MEDIAPAYLOAD.G711ULAW64K),),
                )
            )
            line = self.lines[number] = self.application.open_line(device, number)
            if accepts:
                self.application.ask(
                    messages.LineAutoAcceptChangeRequest(
                        line_id=line, auto_accept_status=LINEAUTOACCEPTSTATUS.AUTOACCEPT_ON
                    )
                )
        self.application.said.clear()

    def ask(self, kind: Any, number: str, leg: int, **fields: Any) -> Any:
        return self.application.ask(
            kind(
                line_call_manager_id=1,
                line_id=self.lines[number],
                call_leg_call_manager_id=1,
                call_leg_id=leg,
                **fields,
            )
        )

    def states(self, line: int) -> list[CALLSTATE]:
        """The states that were told at a line since the last time."""
        said = self.application.said
        changes = [
            each
            for each in said
            if isinstance(each, messages.CallStateChangedEventV2) and each.line_id == line
        ]
        self.application.said = [each for each in said if each not in changes]
        return [each.state for each in changes]


@pytest.mark.parametrize(("device", "number"), [("RP1", "6000"), ("CTIP1", "5001")])
def test_a_caller_hears_it_ring_when_the_application_has_accepted(device: str, number: str) -> None:
    served = Served()
    caller = served.house.call(ALICE, number)
    offered = served.house.leg(device)
    assert caller.state is LegState.PROCEEDING
    assert served.states(served.lines[number])[-1] is CALLSTATE.OFFERING
    assert served.states(served.phone)[-1] is CALLSTATE.PROCEEDING
    assert served.ask(messages.CallAcceptRequest, number, offered.id).result == 0
    assert caller.state is LegState.RINGING_OUT
    assert served.states(served.lines[number]) == [CALLSTATE.ACCEPTED]
    assert served.states(served.phone) == [CALLSTATE.RINGBACK]
    # It is accepted already.
    assert served.ask(messages.CallAcceptRequest, number, offered.id).result == 0
    assert served.states(served.lines[number]) == []


def test_a_line_that_accepts_by_itself_rings_at_once() -> None:
    served = Served(accepts=True)
    caller = served.house.call(ALICE, "5001")
    assert caller.state is LegState.RINGING_OUT
    assert served.states(served.lines["5001"])[-1] is CALLSTATE.ACCEPTED


def test_what_one_application_accepts_by_itself_ends_with_its_line_and_not_with_another_s() -> None:
    served = Served(accepts=True)
    other = Application(served.side)
    line = other.open_line("CTIP1", "5001")
    on = LINEAUTOACCEPTSTATUS.AUTOACCEPT_ON
    other.ask(messages.LineAutoAcceptChangeRequest(line_id=line, auto_accept_status=on))
    served.application.ask(messages.LineCloseRequest(line_id=served.lines["5001"]))
    caller = served.house.call(ALICE, "5001")
    assert caller.state is LegState.RINGING_OUT
    served.house.calls.release(caller)
    other.ask(messages.LineCloseRequest(line_id=line))
    assert served.house.call(ALICE, "5001").state is LegState.PROCEEDING


def test_a_device_that_is_removed_and_added_accepts_nothing_by_itself() -> None:
    served = Served(accepts=True)
    house, side = served.house, served.side
    device = next(each for each in COMPANY.devices if each.name == "CTIP1")
    house.calls.remove_device("CTIP1")
    side.remove_device("CTIP1")
    house.calls.add_device(device)
    side.add_device(device)
    house.calls.register("CTIP1", side)
    assert house.call(ALICE, "5001").state is LegState.PROCEEDING


def test_a_call_is_answered_redirected_and_refused_without_being_accepted() -> None:
    served = Served()
    house = served.house
    caller = house.call(ALICE, "5001")
    served.ask(messages.CallAnswerRequest, "5001", house.leg("CTIP1").id)
    assert caller.state is LegState.CONNECTED
    house.calls.release(caller)
    caller = house.call(ALICE, "6000")
    served.ask(messages.CallRedirectRequest, "6000", house.leg("RP1").id, redirect_address="1002")
    assert (caller.state, house.states(BOB)) == (LegState.RINGING_OUT, [LegState.OFFERED])
    house.calls.release(caller)
    caller = house.call(ALICE, "6000")
    served.ask(messages.CallDisconnectRequest, "6000", house.leg("RP1").id)
    assert (caller.state, caller.cause) == (LegState.FAILED, Cause.CALL_REJECTED)


@pytest.mark.parametrize(("device", "number"), [("RP1", "6000"), ("CTIP1", "5001")])
def test_a_refused_call_goes_on_where_a_route_point_that_is_busy_sends_it(
    device: str, number: str
) -> None:
    """What Personal Assistant has no free media port for goes to the next server's route point."""
    served = Served(changed(COMPANY, device, forward_busy="1002"))
    house = served.house
    caller = house.call(ALICE, number)
    served.ask(messages.CallDisconnectRequest, number, house.leg(device).id)
    if device == "RP1":
        assert caller.state is LegState.RINGING_OUT
        assert house.leg(BOB).reason is Reason.FORWARD_BUSY
    else:
        assert (caller.state, caller.cause) == (LegState.FAILED, Cause.CALL_REJECTED)


def test_a_call_whose_forward_goes_nowhere_fails_for_that_reason() -> None:
    served = Served(changed(COMPANY, "RP1", forward_busy="9999"))
    caller = served.house.call(ALICE, "6000")
    served.ask(messages.CallDisconnectRequest, "6000", served.house.leg("RP1").id)
    assert (caller.state, caller.cause) == (LegState.FAILED, Cause.UNALLOCATED_NUMBER)


@pytest.mark.parametrize(
    ("forwards", "goes_to"),
    [
        ({"forward_no_answer": "1002", "forward_failure": "1003"}, BOB),
        ({"forward_failure": "1003"}, CAROL),
    ],
)
def test_a_call_that_no_application_accepts_in_time_is_forwarded(
    forwards: dict[str, str], goes_to: str
) -> None:
    served = Served(changed(COMPANY, "RP1", **forwards))
    house = served.house
    caller = house.call(ALICE, "6000")
    house.wait(ACCEPT_WITHIN - 0.1)
    assert caller.state is LegState.PROCEEDING
    house.wait(0.1)
    assert caller.state is LegState.RINGING_OUT
    assert house.leg(goes_to).last_redirecting.number == "6000"
    assert served.states(served.lines["6000"])[-1] is CALLSTATE.IDLE


def test_without_a_forward_it_ends_as_at_a_device_that_is_gone() -> None:
    served = Served()
    caller = served.house.call(ALICE, "6000")
    served.house.wait(ACCEPT_WITHIN)
    assert (caller.state, caller.cause) == (LegState.FAILED, Cause.OUT_OF_ORDER)


def test_a_call_that_is_accepted_has_the_time_of_a_call_that_rings_from_then_on() -> None:
    served = Served(changed(COMPANY, "RP1", forward_no_answer="1002"))
    house = served.house
    house.call(ALICE, "6000")
    house.wait(ACCEPT_WITHIN - 0.1)
    served.ask(messages.CallAcceptRequest, "6000", house.leg("RP1").id)
    house.wait(COMPANY.timing.no_answer - 0.1)
    assert house.states("RP1") == [LegState.OFFERED]
    house.wait(0.1)
    assert house.states("RP1") == []
    assert house.states(BOB) == [LegState.OFFERED]


def test_one_who_talked_waits_in_silence_and_one_on_hold_stays_there() -> None:
    served = Served()
    house = served.house
    caller, called = house.talk(ALICE, "1002", BOB)
    house.calls.redirect(called, "5001")
    assert caller.state is LegState.PROCEEDING
    assert not house.hears(caller)
    house.calls.accept(house.leg("CTIP1"))
    assert caller.state is LegState.RINGING_OUT
    house.calls.release(caller)
    caller, called = house.talk(ALICE, "1002", BOB)
    house.calls.hold(caller)
    house.calls.redirect(called, "5001")
    house.calls.resume(caller)
    assert caller.state is LegState.PROCEEDING
    house.calls.accept(house.leg("CTIP1"))
    assert caller.state is LegState.RINGING_OUT


def test_one_who_hears_it_ring_goes_on_hearing_that() -> None:
    served = Served(changed(COMPANY, BOB, forward_no_answer="5001"))
    caller = served.house.call(ALICE, "1002")
    served.house.wait(COMPANY.timing.no_answer)
    assert served.house.states("CTIP1") == [LegState.OFFERED]
    assert caller.state is LegState.RINGING_OUT


def test_a_device_that_goes_before_it_accepts_is_told_to_the_caller() -> None:
    served = Served()
    caller = served.house.call(ALICE, "5001")
    served.house.calls.unregister("CTIP1")
    assert (caller.state, caller.cause) == (LegState.FAILED, Cause.OUT_OF_ORDER)


@pytest.mark.parametrize("accepted", [False, True])
def test_the_phones_of_a_shared_line_ring_on_where_no_application_accepts_in_time(
    accepted: bool,
) -> None:
    shared = LineConfig(number="2000", name="Bob")
    devices = tuple(
        replace(each, lines=(*each.lines, shared)) if each.name == "CTIP1" else each
        for each in COMPANY.devices
    )
    house = House(replace(COMPANY, devices=devices))
    house.devices["CTIP1"].rings = False
    caller = house.call(ALICE, "2000")
    if accepted:
        house.calls.accept(house.leg("CTIP1"))
    house.wait(ACCEPT_WITHIN)
    assert house.states("CTIP1") == [LegState.OFFERED] * accepted
    assert (caller.state, house.states(BOB)) == (LegState.RINGING_OUT, [LegState.OFFERED])
    house.calls.answer(house.leg(BOB))
    assert caller.state is LegState.CONNECTED
    assert house.states("CTIP1") == [LegState.REMOTE_IN_USE]


def test_a_call_is_transferred_to_what_has_not_accepted_when_it_has() -> None:
    served = Served()
    house = served.house
    first, called = house.talk(ALICE, "1002", BOB)
    second = house.calls.consult(first, Purpose.TRANSFER, "5001")
    assert second.state is LegState.PROCEEDING
    house.calls.accept(house.leg("CTIP1"))
    house.calls.transfer(first, second)
    assert called.state is LegState.RINGING_OUT
    house.calls.answer(house.leg("CTIP1"))
    assert called.state is LegState.CONNECTED


def test_a_phone_plays_no_tone_until_the_call_is_accepted() -> None:
    house = LineHouse(COMPANY)
    house.devices["RP1"].rings = False
    phone = Phone(house.side, ALICE)
    house.side.registered(phone.session)
    caller = house.call(ALICE, "6000")
    (call,) = phone.calls.values()
    assert (call.state, phone.tone) == (DCallState.PROCEED, DeviceTone.SILENCE)
    house.calls.accept(house.leg("RP1"))
    assert (call.state, phone.tone) == (DCallState.RING_OUT, DeviceTone.ALERTING_TONE)
    house.calls.release(caller)
    # One who has talked is sent there: the number that was dialled is not told once more.
    house.arrive(BOB)
    caller, called = house.talk(ALICE, "1002", BOB)
    phone.sent.clear()
    house.calls.redirect(called, "6000")
    (call,) = phone.calls.values()
    assert (call.state, phone.tone) == (DCallState.PROCEED, DeviceTone.SILENCE)
    assert not [each for each in phone.sent if isinstance(each, sccp.messages.DialedNumber)]
    house.calls.accept(house.leg("RP1"))
    assert (call.state, phone.tone) == (DCallState.RING_OUT, DeviceTone.ALERTING_TONE)
    assert phone.faults == []


async def test_a_route_that_ends_lets_the_caller_hear_it_ring_and_silence_ends_the_call() -> None:
    async with (
        a_manager() as manager,
        log_in(manager) as provider,
        provider.open_route_point("6000") as route_point,
        sccp.open_station("P1", manager.sccp_address) as one,
    ):
        async with one.call("6000") as call:
            await until(lambda: route_point.calls)
            (session,) = route_point.calls
            await call.wait_for(DCallState.PROCEED)
            await session.end()
            await call.wait_for(DCallState.RING_OUT)
        async with one.call("6000") as call:
            with pytest.raises(CallEnded) as ended:
                await call.wait_connected()
            # It hears the tone that says no more than that.
            assert ended.value.cause == Cause.TEMPORARY_FAILURE
