"""Lines of our client amid the sentences of the wire: cancelled, refused, closed."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import replace
from typing import Any

import pytest
import trio
import trio.testing
from company import ALICE, BOB
from whole_house import QUICK_PROVIDER, a_manager, log_in

from pa_telephony import cti
from pa_telephony.callmanager import (
    CallManager,
)
from pa_telephony.cti import messages
from pa_telephony.cti.client import jtapi
from pa_telephony.cti.enums import CALLORIGIN, CALLSTATE, CTIFAILURE
from pa_telephony.errors import LocalProtocolError, RequestFailed


@contextlib.asynccontextmanager
async def an_application(
    settings: cti.ProviderConfig = QUICK_PROVIDER,
) -> AsyncGenerator[tuple[CallManager, cti.Provider]]:
    """Logged in at a call manager where both phones are registered."""
    async with a_manager() as manager, log_in(manager, config=settings) as provider:
        for phone in (ALICE, BOB):
            manager.calls.register(phone, manager._cti_side)
        yield manager, provider


@contextlib.contextmanager
def cancelled_behind(
    provider: cti.Provider, kind: type[messages.CtiMessage], monkeypatch: pytest.MonkeyPatch
) -> Generator[None]:
    """Cancel the block as soon as a request is on its way."""
    really = provider._send

    def send(message: messages.CtiMessage) -> None:
        really(message)
        if isinstance(message, kind):
            scope.cancel()

    with trio.CancelScope() as scope, monkeypatch.context() as patch:
        patch.setattr(provider, "_send", send)
        yield
    assert scope.cancelled_caught


async def settled(provider: cti.Provider) -> None:
    """Whatever was asked is answered, and what that led to is done."""
    for _ in range(2):
        await provider.request(messages.ProviderGetCapabilitiesRequest())


async def test_a_call_that_is_cancelled_while_it_is_made_is_hung_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with an_application() as (manager, provider), provider.open_address("1001") as address:
        with provider.events() as events:
            with cancelled_behind(provider, messages.LineCallInitiateRequest, monkeypatch):
                async with address.call("1002"):
                    pass
            async for event in events:
                if isinstance(event, jtapi.CallInvalid):
                    break
        assert not manager.calls.legs
        assert not address.calls


async def test_a_route_point_that_is_cancelled_while_it_is_opened_is_not_registered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with an_application() as (manager, provider):
        for kind in (messages.DeviceRegisterDeviceRequest, messages.LineOpenRequest):
            with cancelled_behind(provider, kind, monkeypatch):
                async with provider.open_route_point("6000"):
                    pass
            await settled(provider)
            assert not manager.calls.is_registered("RP1")
            assert not provider._waiting
            assert manager._cti_manager is not None
            assert [each.open_lines for each in manager._cti_manager.sessions] == [0]


async def test_a_call_that_has_ended_when_it_is_announced_is_given_all_the_same() -> None:
    """The task that made it waited for ever when all its events came in one segment."""
    async with an_application() as (_, provider), provider.open_address("1001") as address:
        place = {"line_id": address.line_handle, "call_leg_id": 777}

        async def ask(expect: Callable[[Any], None], undo: Callable[[Any], None]) -> Any:
            await trio.lowlevel.checkpoint()
            made = messages.LineCallInitiateResponse(call_leg_id=777)
            expect(made)
            provider.handle_event(
                messages.NewCallEvent(
                    **place, call_id=9, state=CALLSTATE.DIALTONE, origin=CALLORIGIN.OUTBOUND
                )
            )
            provider.handle_event(
                messages.CallStateChangedEventV2(**place, state=CALLSTATE.IDLE, cause=1)
            )
            return made

        call = await address.make_call(ask, "call_leg_id")
        assert (call.ended, call.cause) == (True, 1)


async def test_a_line_that_is_refused_in_a_new_session_is_tried_until_it_opens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with (
        an_application() as (manager, provider),
        provider.open_route_point("6000") as route_point,
    ):
        really, tries, opened = route_point.open, itertools.count(1), trio.Event()

        async def refused() -> None:
            await really()
            if next(tries) <= 3:
                raise RequestFailed(CTIFAILURE.DEVICE_OUT_OF_SERVICE)
            opened.set()

        monkeypatch.setattr(route_point, "open", refused)
        manager.drop_connections()
        await opened.wait()
        await route_point.wait_in_service()
        assert manager.calls.is_registered("RP1")


@pytest.mark.parametrize("whole_device", [False, True])
async def test_what_the_server_closes_takes_its_calls_out_of_the_graph(whole_device: bool) -> None:
    async with (
        an_application() as (_, provider),
        provider.open_address("1001") as address,
        address.call("1002") as call,
    ):
        assert provider.model.calls
        provider.handle_event(
            messages.DeviceClosedEvent(device_id=address._device_handle)
            if whole_device
            else messages.LineClosedEvent(line_id=address.line_handle)
        )
        assert not provider.model.calls
        assert not address.in_service
        assert call.ended


async def test_so_many_handlers_run_and_calls_that_nobody_serves_are_not_kept() -> None:
    async with (
        an_application(replace(QUICK_PROVIDER, max_calls=1)) as (manager, provider),
        provider.open_address("1002") as address,
        provider.open_address("1001") as caller,
        trio.open_nursery() as nursery,
    ):
        for _ in range(3):
            async with caller.call("1002") as call:
                while not address.calls:
                    await provider.changed()
            await call.wait_ended()
            while address.calls:
                await provider.changed()
        assert not address._offered
        served: list[cti.Call] = []
        began = trio.Event()

        async def handler(call: cti.Call) -> None:
            served.append(call)
            began.set()
            await trio.sleep_forever()

        async with caller.call("1002"), provider.open_address("6000"):
            nursery.start_soon(address.serve, handler)
            await began.wait()
            manager.calls.register("RP1", manager._cti_side)
            leg = manager.calls.originate("RP1", 1, "1002")
            while len(address.calls) < 2:
                await provider.changed()
            await trio.testing.wait_all_tasks_blocked(0.05)
            assert len(served) == 1
            manager.calls.release(leg)
        nursery.cancel_scope.cancel()


async def test_what_is_no_key_is_not_sent() -> None:
    async with (
        an_application() as (_, provider),
        provider.open_address("1001") as address,
        address.call("1002") as call,
    ):
        with pytest.raises(LocalProtocolError, match="no keys"):
            await call.send_digits("12x")
