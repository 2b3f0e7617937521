"""What is closed is released: the CTI manager has said so, or the session is over."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import replace
from types import SimpleNamespace

import pytest
import trio
import trio.testing
from middleman import Middleman, open_middleman
from whole_house import QUICK_PROVIDER, a_manager, log_in, until

from pa_telephony import cti
from pa_telephony.callmanager import (
    CallManager,
)
from pa_telephony.cti import messages
from pa_telephony.cti.connection import Role, WireConnection
from pa_telephony.cti.enums import CTIFAILURE
from pa_telephony.errors import RequestFailed
from pa_telephony.trace import EventRecord, FrameRecord, Record

IMPATIENT = replace(QUICK_PROVIDER, release_within=0.05)


def owners(manager: CallManager, device: str) -> int:
    return manager._cti_side.owners(device)


@contextlib.asynccontextmanager
async def house(config: cti.ProviderConfig) -> AsyncGenerator[SimpleNamespace]:
    """A call manager that can be made deaf, and an application with a route point that stays."""
    records: list[Record] = []
    async with (
        a_manager() as manager,
        open_middleman(manager.cti_address) as middleman,
        log_in(middleman.address, config=config, trace=records.append) as provider,
        provider.open_route_point("6100") as other,
    ):
        yield SimpleNamespace(
            manager=manager,
            middleman=middleman,
            provider=provider,
            other=other,
            records=records,
        )


def deaf(middleman: Middleman) -> trio.Event:
    """The call manager hears nothing more until the event is set."""
    middleman.hears = trio.Event()
    return middleman.hears


def sent(records: list[Record]) -> list[str]:
    """Names of the messages that the application has sent, heartbeats left out."""
    wire = WireConnection(Role.SERVER)
    for each in records:
        if isinstance(each, FrameRecord) and each.direction == "sent":
            wire.receive_data(each.data, 0.0)
    return [type(event).__name__ for event in iter(wire.next_event, None)]


async def test_a_close_that_is_answered_leaves_the_session_alone() -> None:
    async with house(QUICK_PROVIDER) as it:
        async with it.provider.open_route_point("6000") as route_point:
            assert owners(it.manager, "RP1") == 1
        assert owners(it.manager, "RP1") == 0
        assert route_point.unconfirmed == ""
        assert it.provider.sessions == 1


async def test_without_an_answer_the_session_is_dropped_and_the_others_come_back() -> None:
    async with house(IMPATIENT) as it:
        async with it.provider.open_route_point("6000") as route_point:
            hears = deaf(it.middleman)
        assert "6000" in route_point.unconfirmed
        assert not it.other.in_service
        assert "6000" in it.provider.last_error
        hears.set()
        await it.other.wait_in_service()
        await until(lambda: owners(it.manager, "RP1") == 0)
        await until(lambda: owners(it.manager, "RP2") == 1)
        assert it.provider.sessions == 2
        ended = [each for each in it.records if isinstance(each, EventRecord)]
        assert [each.kind for each in ended] == ["cti.connection_closed"]
        assert "6000" in ended[0].fields["reason"]


async def test_line_and_device_are_closed_without_waiting_for_each_other() -> None:
    async with house(IMPATIENT) as it:
        async with it.provider.open_route_point("6000"):
            hears = deaf(it.middleman)
        names = sent(it.records)
        where = names.index("LineCloseRequest")
        assert names[where : where + 2] == ["LineCloseRequest", "DeviceCloseRequest"]
        hears.set()


@pytest.mark.parametrize("answered", [True, False])
async def test_an_open_that_is_cancelled_half_way_leaves_nothing_behind(answered: bool) -> None:
    async with (
        house(QUICK_PROVIDER if answered else IMPATIENT) as it,
        trio.open_nursery() as nursery,
    ):
        hears = deaf(it.middleman)
        scope = trio.CancelScope()
        gone = trio.Event()

        async def open_it() -> None:
            with scope:
                async with it.provider.open_route_point("6000"):
                    raise AssertionError
            gone.set()

        nursery.start_soon(open_it)
        await until(lambda: sent(it.records)[-1] == "DeviceRegisterDeviceRequest")
        scope.cancel()
        if answered:
            await trio.testing.wait_all_tasks_blocked()
            assert not gone.is_set()
            hears.set()
        await gone.wait()
        hears.set()
        await it.other.wait_in_service()
        await until(lambda: owners(it.manager, "RP1") == 0)
        assert it.provider.sessions == (1 if answered else 2)


async def test_what_this_session_has_under_a_lost_handle_is_taken_again() -> None:
    """The CTI manager has it registered for us and says so: only the end of the session helps."""
    async with house(QUICK_PROVIDER) as it:
        with it.provider.asking_for("RP1"):
            await it.provider.request(messages.DeviceRegisterDeviceRequest(device_name="RP1"))
        async with it.provider.open_route_point("6000") as route_point:
            assert route_point.in_service
            assert it.provider.sessions == 2
            await it.other.wait_in_service()
            assert owners(it.manager, "RP1") == owners(it.manager, "RP2") == 1


async def test_what_another_session_of_ours_has_is_a_refusal_and_drops_nothing() -> None:
    async with house(QUICK_PROVIDER) as it:
        await it.provider.request(messages.DeviceRegisterDeviceRequest(device_name="RP1"))
        for _ in range(2):
            with pytest.raises(RequestFailed) as refused:
                async with it.provider.open_route_point("6000"):
                    raise AssertionError
            assert refused.value.code == CTIFAILURE.DEVICE_ALREADY_REGISTERED
        assert it.provider.sessions == 1


async def test_a_route_point_that_is_left_while_a_new_session_opens_it_again_is_closed() -> None:
    async with house(QUICK_PROVIDER) as it:
        async with it.provider.open_route_point("6000") as route_point:
            hears = deaf(it.middleman)
            it.provider.drop("a test")
            await route_point.wait_out_of_service()
            hears.set()
            await it.provider.wait_in_service()
        assert owners(it.manager, "RP1") == 0
        await it.other.wait_in_service()
        assert not route_point.in_service
