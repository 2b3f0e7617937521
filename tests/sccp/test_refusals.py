"""Who is told that a call manager refuses a station, and how often: the error, or the log."""

from __future__ import annotations

import logging
import socket

import pytest
import trio
from company import ALICE, phone
from whole_house import a_manager, until

from pa_telephony import sccp
from pa_telephony.callmanager import CallManagerConfig
from pa_telephony.errors import RegistrationRejected

STRANGER = "SEP00000000FFFF"


def nobody() -> str:
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"127.0.0.1:{taken.getsockname()[1]}"


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "pa_telephony.sccp.station" and record.levelno >= logging.WARNING
    ]


async def test_a_refusal_that_ends_the_opening_is_in_the_error_and_nowhere_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[str] = []
    async with a_manager(within=20) as manager:
        for on_trouble in (None, told.append):
            opening = sccp.open_station(STRANGER, manager.sccp_address, on_trouble=on_trouble)
            with pytest.raises(RegistrationRejected) as caught:
                async with opening:
                    pass
            peer = manager.sccp_address
            assert str(caught.value) == f"{peer} refuses {STRANGER}: Device Unknown"
            assert caught.value.reason == "Device Unknown"
    assert told == []
    assert warnings(caplog) == []


async def test_the_error_has_what_each_call_manager_says() -> None:
    async with a_manager(within=20) as one, a_manager() as two:
        peers = [one.sccp_address, two.sccp_address]
        with pytest.raises(RegistrationRejected) as caught:
            async with sccp.open_station(STRANGER, peers):
                pass
        said = [f"{peer} refuses {STRANGER}: Device Unknown" for peer in peers]
        assert str(caught.value) == "; ".join(said)


async def test_a_refusal_that_a_registration_follows_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with a_manager(CallManagerConfig(), within=20) as manager, trio.open_nursery() as tasks:

        async def add_it_late() -> None:
            await until(lambda: manager.sccp_counters.rejections)
            manager.add_device(phone(ALICE, "1001"))

        tasks.start_soon(add_it_late)
        peer = manager.sccp_address
        async with sccp.open_station(ALICE, peer) as station:
            assert station.registered
            why = f"{peer} refuses {ALICE}: Device Unknown"
            assert warnings(caplog) == [f"{ALICE} is not registered: {why}"]


async def test_a_refusal_is_told_when_the_next_call_manager_is_not_there() -> None:
    """Which is tried for as long as it takes, so that the error is far away."""
    told: list[str] = []
    there = nobody()
    async with a_manager(within=20) as manager:
        peers = [manager.sccp_address, there]
        with pytest.raises(RegistrationRejected):
            async with sccp.open_station(STRANGER, peers, on_trouble=told.append):
                pass
    assert told[:2] == [
        f"{peers[0]} refuses {STRANGER}: Device Unknown",
        f"{there}: Connection refused",
    ]
