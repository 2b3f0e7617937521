"""What happens at a call manager stands in its log, in words, and without what people key."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from bare_house import House
from company import COMPANY
from whole_house import a_manager, log_in, until

from pa_telephony import cti, sccp
from pa_telephony.callmanager.calls.verbs import LegState, Purpose
from pa_telephony.callmanager.journal import MOST_LINES, Journal
from pa_telephony.errors import RegistrationRejected, RequestFailed


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The lines since the last time, each without the number of its call."""
    caplog.set_level(logging.INFO, "pa_telephony")

    def lines() -> list[str]:
        texts = [record.getMessage() for record in caplog.records]
        caplog.clear()
        return [" ".join(w for w in text.split() if not w.startswith("1677")) for text in texts]

    return lines


@pytest.fixture
def house() -> House:
    made = House()
    made.calls.watchers.append(Journal(made.config, made.calls))
    return made


def test_a_call_begins_is_answered_and_ends_with_its_duration_and_who_hung_up(
    house: House, lines: Callable[[], list[str]]
) -> None:
    _, called = house.talk("P1", "1002", "P2")
    house.wait(12.5)
    house.calls.release(called)
    assert lines() == [
        "call 1001 calls 1002",
        "call 1002 answers",
        "call is over after 12.5 s: 1002 hung up",
    ]


def test_each_call_is_told_with_its_number(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pa_telephony")
    leg = house.call("P1", "1002")
    assert caplog.messages == [f"call {leg.call_id}: 1001 calls 1002"]


def test_why_nobody_is_reached_is_said_in_words(
    house: House, lines: Callable[[], list[str]]
) -> None:
    house.leave("P3")
    house.calls.release(house.call("P1", "1003"))
    assert lines() == [
        "call 1001 does not reach 1003: not registered (cause 27)",
        "call is over: not registered (cause 27)",
    ]
    leg = house.call("P1", "1002")
    house.calls.refuse(house.leg("P2", LegState.OFFERED))
    house.calls.release(leg)
    assert lines() == [
        "call 1001 calls 1002",
        "call 1001 does not reach 1002: refused (cause 21)",
        "call is over: refused (cause 21)",
    ]
    leg = house.call("P1", "1002")
    house.calls.release(leg)
    assert lines() == ["call 1001 calls 1002", "call is over, not answered: 1001 hung up"]


def test_a_number_that_nobody_has_is_not_told_for_it_may_be_a_pin(
    house: House, lines: Callable[[], list[str]]
) -> None:
    """Who keys a PIN when the call has just gone dials it."""
    house.call("P1", "94711")
    assert lines() == ["call 1001 reaches nobody: no such number (cause 1)"]


def test_keys_in_a_call_are_not_told(house: House, lines: Callable[[], list[str]]) -> None:
    caller, _ = house.talk("P1", "1002", "P2")
    lines()
    for key in "4711":
        house.calls.digit(caller, key)
    assert lines() == []


def test_a_handset_that_was_only_lifted_is_no_call(
    house: House, lines: Callable[[], list[str]]
) -> None:
    house.calls.release(house.call("P1", ""))
    assert lines() == []


def test_a_transfer_is_told_as_one(house: House, lines: Callable[[], list[str]]) -> None:
    caller, called = house.talk("P1", "1002", "P2")
    consultation = house.calls.consult(called, Purpose.TRANSFER, "1003")
    house.calls.answer(house.leg("P3", LegState.OFFERED))
    house.calls.transfer(called, consultation)
    house.wait(3)
    house.calls.release(caller)
    told = lines()
    assert told[:4] == [
        "call 1001 calls 1002",
        "call 1002 answers",
        "call 1002 calls 1003",
        "call 1003 answers",
    ]
    assert "becomes part of call" in told[4]
    assert told[4].endswith("transfer by 1002")
    assert told[5:] == ["call is over after 3.0 s: 1001 hung up"]


def test_a_line_of_a_shared_number_rings_once_in_the_log(
    house: House, lines: Callable[[], list[str]]
) -> None:
    house.call("P1", "2000")
    assert lines() == ["call 1001 calls 2000"]


def test_nothing_is_kept_while_nobody_listens(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "pa_telephony")
    caller, _ = house.talk("P1", "1002", "P2")
    journal = house.calls.watchers[-1]
    assert isinstance(journal, Journal)
    assert not journal._calls
    caplog.set_level(logging.INFO, "pa_telephony")
    house.calls.hold(caller)
    caplog.set_level(logging.WARNING, "pa_telephony")
    house.calls.release(caller)
    assert not journal._calls
    assert not journal._call_of


def test_who_calls_without_end_does_not_fill_the_log(
    house: House, lines: Callable[[], list[str]]
) -> None:
    for _ in range(MOST_LINES):
        house.calls.release(house.call("P1", "1002"))
    assert len(lines()) == MOST_LINES
    house.clock.now += 61
    house.call("P1", "1002")
    assert f"({MOST_LINES} times more since" in lines()[-1]


async def test_who_comes_and_goes_is_told_with_address_kind_and_reason(
    lines: Callable[[], list[str]],
) -> None:
    async with a_manager(COMPANY) as manager:
        async with sccp.open_station("P1", manager.sccp_address):
            pass
        async with log_in(manager) as provider, provider.open_route_point("6000"):
            pass
        await until(lambda: not manager.applications)
    told = lines()
    assert "P1 is registered from 127.0.0.1: CISCO_7970, version 20" in told
    assert "P1 is not registered any more: unregistered" in told
    assert "user app from 127.0.0.1 is logged in" in told
    assert "route point RP1 (6000) is in service" in told
    assert "route point RP1 (6000) is out of service" in told
    assert any(text.startswith("user app from 127.0.0.1 is logged out: ") for text in told)


async def test_who_is_refused_is_told_with_the_reason_and_crowds_of_them_are_counted(
    lines: Callable[[], list[str]],
) -> None:
    async with a_manager(COMPANY) as manager:
        for number in range(5):
            with pytest.raises(RegistrationRejected):
                config = sccp.StationConfig(rejections=1)
                async with sccp.open_station(f"X{number}", manager.sccp_address, config=config):
                    pass
        with pytest.raises(RequestFailed):
            async with cti.open_provider(manager.cti_address, user="app", password="wrong"):
                pass
    told = [text for text in lines() if "not registered:" in text or "not logged in" in text]
    by_server = [text for text in told if " from 127.0.0.1 " in text]
    assert by_server == [
        "X0 from 127.0.0.1 is not registered: Device Unknown",
        "app from 127.0.0.1 is not logged in: Directory login failed",
    ]


async def test_a_device_that_comes_and_goes_without_end_does_not_fill_the_log(
    lines: Callable[[], list[str]],
) -> None:
    """Anybody who knows its name can make it do so."""
    async with a_manager(COMPANY) as manager:
        for _ in range(20):
            async with sccp.open_station("P1", manager.sccp_address):
                pass
    told = [text for text in lines() if text.startswith("P1 ") and " at " not in text]
    assert len(told) == 10
