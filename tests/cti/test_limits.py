"""What one application can hold, and what it is told of and may touch: no more than is its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from company import COMPANY
from whole_house import a_manager, log_in

from pa_telephony.callmanager import (
    CallManager,
)
from pa_telephony.cti import messages
from pa_telephony.cti.enums import CTIFAILURE, LAMPMODE
from pa_telephony.cti.server.handles import CtiManagerConfig
from pa_telephony.errors import RequestFailed

LIMITS = CtiManagerConfig(max_handles_of_one=3, max_sessions_of_one_user=2)
CONFIG = replace(COMPANY, applications=LIMITS)


@asynccontextmanager
async def an_application(user: str) -> AsyncGenerator[tuple[CallManager, Any]]:
    async with a_manager(CONFIG) as manager, log_in(manager, user) as provider:
        yield manager, provider


async def test_one_line_and_one_device_are_opened_a_few_times_by_one_session() -> None:
    """A thousand handles of one line made each call of another application cost over a second."""
    async with an_application("app") as (_, provider):
        line = messages.LineOpenRequest(device_name="P1", line_name="1001")
        device = messages.DeviceOpenRequest(device_name="P1")
        for request in (line, device):
            opened = [await provider.request(request) for _ in range(3)]
            with pytest.raises(RequestFailed, match="open 3 times already") as refused:
                await provider.request(request)
            assert refused.value.code == CTIFAILURE.MAX_NUMBER_OF_CTI_CONNECTIONS_REACHED
            close: Any = (
                messages.LineCloseRequest(line_id=opened[0].line_id)
                if request is line
                else messages.DeviceCloseRequest(device_id=opened[0].device_id)
            )
            await provider.request(close)
            await provider.request(request)
        # Other lines are not concerned.
        await provider.request(messages.LineOpenRequest(device_name="P2", line_name="1002"))


async def test_one_user_cannot_take_all_sessions() -> None:
    async with an_application("app") as (manager, _), AsyncExitStack() as more:
        await more.enter_async_context(log_in(manager))
        with pytest.raises(RequestFailed, match="too many sessions"):
            async with log_in(manager):
                pytest.fail("logged in")
        async with log_in(manager, "narrow"):
            assert manager.applications == ["app", "app", "narrow"]


async def test_a_device_that_a_super_provider_gives_back_takes_its_open_lines_along() -> None:
    async with an_application("super") as (manager, provider):
        await provider.request(messages.ProviderDeviceAcquireRequest(device_name="P2"))
        opened = await provider.request(
            messages.LineOpenRequest(device_name="P2", line_name="1002")
        )
        await provider.request(messages.DeviceOpenRequest(device_name="P2"))
        (session,) = manager._cti_manager.sessions  # type: ignore[union-attr]
        assert session.open_lines == 1
        await provider.request(messages.ProviderDeviceDeAcquireRequest(device_name="P2"))
        assert session.open_lines == 0
        with pytest.raises(RequestFailed) as refused:
            await provider.request(messages.LineGetForwardInfoRequest(line_id=opened.line_id))
        assert refused.value.code == CTIFAILURE.INVALID_LINE_HANDLE


async def test_a_lamp_is_switched_only_on_devices_of_the_user() -> None:
    async with an_application("narrow") as (manager, provider):
        opened = await provider.request(
            messages.LineOpenRequest(device_name="P1", line_name="1001")
        )

        async def switch(number: str) -> None:
            await provider.request(
                messages.LineSetMessageWaitingRequest(
                    line_id=opened.line_id, line_name=number, lamp_mode=LAMPMODE.ON
                )
            )

        await switch("")
        await switch("1001")
        with pytest.raises(RequestFailed, match="1002 is on no device of the user's"):
            await switch("1002")
        lamps = {line.number: line.message_waiting for line in manager.calls.lines()}
        assert lamps["1001"]
        assert not lamps["1002"]
