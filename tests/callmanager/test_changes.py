"""Devices and users come and go while the call manager runs."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest
import trio
from company import phone, route_point
from whole_house import a_manager, log_in, until

from pa_telephony import cti, sccp
from pa_telephony.callmanager import (
    CallManagerConfig,
    DeviceConfig,
    LineConfig,
    User,
)
from pa_telephony.callmanager.config import SpeedDial
from pa_telephony.cti import messages as cti_messages
from pa_telephony.cti.login import make_certificate
from pa_telephony.errors import (
    CallEnded,
    ConfigurationError,
    ConnectionLost,
    RegistrationRejected,
    RequestFailed,
)
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import DCallState
from pa_telephony.trace import FrameRecord, Record

ONE, TWO = phone("P1", "1001"), phone("P2", "1002")
ROUTE_POINT = route_point("RP1", "6000")
NOBODY = CallManagerConfig()


async def test_a_device_that_is_added_registers_and_is_called() -> None:
    async with a_manager(NOBODY) as manager:
        manager.add_device(ONE)
        manager.add_device(TWO)
        async with (
            sccp.open_station("P1", manager.sccp_address) as one,
            sccp.open_station("P2", manager.sccp_address) as two,
            one.call("1002") as call,
        ):
            with trio.fail_after(5):
                await call.wait_for(DCallState.RING_OUT)
            assert len(two.calls) == 1
        assert [device.name for device in manager.devices()] == ["P1", "P2"]


@pytest.mark.parametrize(("lines", "speed_dials"), [(1, 42), (1, 255), (50, 0), (255, 255)])
async def test_a_phone_with_more_buttons_than_one_message_has_room_for_registers(
    lines: int, speed_dials: int
) -> None:
    crowded = DeviceConfig(
        name="P1",
        lines=tuple(
            LineConfig(number=f"1{n}", name="A name that is longer than the display of a phone")
            for n in range(lines)
        ),
        speed_dials=tuple(SpeedDial(number=f"2{n}", name=f"Desk {n}") for n in range(speed_dials)),
    )
    async with (
        a_manager(CallManagerConfig(devices=(crowded,))) as manager,
        sccp.open_station("P1", manager.sccp_address) as station,
    ):
        # Our own station remembers 42 lines and 256 buttons.
        assert len(station.lines) == min(lines, 42)
        buttons = min(speed_dials, 256 - lines)
        assert station.screen.speed_dials.get(buttons, ("", ""))[1] == (
            f"Desk {buttons - 1}" if buttons else ""
        )
        assert manager.sccp_counters.internal_errors == 0


async def test_a_device_that_is_removed_loses_call_connection_and_number() -> None:
    config = CallManagerConfig(devices=(ONE, TWO))
    async with (
        a_manager(config) as manager,
        sccp.open_station("P1", manager.sccp_address) as one,
        sccp.open_station("P2", manager.sccp_address) as two,
    ):
        async with one.call("1002") as call:
            with trio.fail_after(5):
                await call.wait_for(DCallState.RING_OUT)
                manager.remove_device("P2")
                with pytest.raises(CallEnded):
                    await call.wait_connected()
                await two.wait_unregistered()
        assert [device.name for device in manager.devices()] == ["P1"]
        config = sccp.StationConfig(rejections=1)
        with pytest.raises(RegistrationRejected, match="Unknown"):
            async with sccp.open_station("P2", manager.sccp_address, config=config):
                pass
        with trio.fail_after(5), pytest.raises(CallEnded) as ended:
            async with one.call("1002") as call:
                await call.wait_connected()
        assert ended.value.cause == 1
        manager.add_device(TWO)


async def test_what_the_configuration_would_refuse_is_refused_and_changes_nothing() -> None:
    async with a_manager(CallManagerConfig(devices=(ONE,))) as manager:
        before = manager.config
        with pytest.raises(ConfigurationError, match="device P1: name: is used twice"):
            manager.add_device(ONE)
        with pytest.raises(ConfigurationError, match="1001 is already a line of P1"):
            manager.add_device(replace(ROUTE_POINT, lines=ONE.lines))
        with pytest.raises(ConfigurationError, match="device P7: no such device"):
            manager.remove_device("P7")
        with pytest.raises(ConfigurationError, match="user app: no CTI Manager runs"):
            manager.add_user(User(name="app", password="secret"))
        assert manager.config is before


async def test_a_user_that_is_added_logs_in_and_one_that_is_removed_is_out() -> None:
    certificate = make_certificate("test", valid_from=datetime.datetime.now(datetime.UTC))
    async with a_manager(NOBODY, certificate=certificate) as manager:
        assert manager.cti_address
        with pytest.raises(ConfigurationError, match="user app: devices: no device RP1"):
            manager.add_user(User(name="app", password="secret", devices=("RP1",)))
        manager.add_device(ROUTE_POINT)
        manager.add_user(User(name="app", password="secret", devices=("RP1",)))
        async with cti.open_provider(
            [manager.cti_address], user="app", password="secret"
        ) as provider:
            assert manager.applications == ["app"]
            manager.remove_user("app")
            with trio.fail_after(5):
                await provider.wait_out_of_service()
        with pytest.raises(ConfigurationError, match="user app: no such user"):
            manager.remove_user("app")
        manager.remove_device("RP1")


async def test_a_device_that_users_own_can_be_removed_and_comes_back_as_theirs() -> None:
    users = (
        User(name="app", password="secret", devices=("RP1",)),
        User(name="other", password="secret", devices=("P1",)),
    )
    config = CallManagerConfig(devices=(ONE, ROUTE_POINT), users=users)
    heard: list[Record] = []
    async with (
        a_manager(config) as manager,
        log_in(manager) as provider,
        log_in(manager, "other", trace=heard.append) as other,
        provider.open_route_point("6000") as route_point,
    ):
        manager.remove_device("RP1")
        await route_point.wait_out_of_service()
        await until(lambda: not provider.devices)
        # A user whose only device is gone has none, and not all of them.
        with pytest.raises(RequestFailed, match="no device"):
            await provider.request(cti_messages.LineOpenRequest(device_name="P1", line_name="1001"))
        assert "RP1" not in {name for record in heard for name in _devices_in(record)}
        assert set(other.devices) == {"P1"}
        # The configuration can be changed all the same, but no new entry may name it.
        manager.add_device(TWO)
        manager.add_user(User(name="third", password="secret", devices=("P2",)))
        with pytest.raises(ConfigurationError, match="user fourth: devices: no device RP1"):
            manager.add_user(User(name="fourth", password="secret", devices=("RP1",)))
        with pytest.raises(ConfigurationError, match="user app: name: must be unique"):
            manager.add_user(User(name="app", password="secret"))
        assert provider.devices == {}
        manager.add_device(ROUTE_POINT)
        await until(lambda: set(provider.devices) == {"RP1"})


def _devices_in(record: Record) -> list[str]:
    """The devices that an application is told of by a frame."""
    if not isinstance(record, FrameRecord) or record.direction != "received":
        return []
    message = cti_messages.decode(record.data)
    return [message.device_info.name] if hasattr(message, "device_info") else []


async def test_an_address_that_can_not_be_had_is_one_connection_lost() -> None:
    with pytest.raises(ConnectionLost, match=r"192\.0\.2\.1"):
        async with a_manager(NOBODY, host="192.0.2.1"):
            pass


async def test_a_number_dialled_en_bloc_is_whole_whatever_it_begins_with() -> None:
    async with (
        a_manager(CallManagerConfig(devices=(ONE,))) as manager,
        sccp.open_station("P1", manager.sccp_address) as one,
    ):
        with trio.fail_after(5):
            call = await one.new_call(messages.EnblocCall(called_party="10017", line_instance=1))
            assert await call.wait_for(DCallState.INVALID_NUMBER)
        assert call.called == "10017"
