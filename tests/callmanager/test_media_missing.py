"""A device that never says where it receives sound ends its call in time, and people see why."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest
import trio
from bare_house import House, a_config
from company import ALICE, BOB, COMPANY
from whole_house import a_manager, log_in, pick_up

from pa_telephony import cti, rtp, sccp
from pa_telephony.callmanager import CallManagerConfig, Timing, validation
from pa_telephony.callmanager.calls.model import Stream, Watcher
from pa_telephony.callmanager.calls.verbs import Cause, LegState, Purpose
from pa_telephony.cti.client.media_terminal import MediaCall
from pa_telephony.errors import ConfigurationError
from pa_telephony.sccp.station.call_media import CallMedia
from pa_telephony.trace import EventRecord, Record

PATIENCE = 12.0


class Missing(Watcher):
    """Keeps whose sound was missing."""

    def __init__(self) -> None:
        self.devices: list[str] = []

    def media_missing(self, stream: Stream) -> None:
        self.devices.append(stream.leg.device)


def a_house() -> tuple[House, Missing]:
    config = a_config()
    house = House(replace(config, timing=replace(config.timing, media_exchange=PATIENCE)))
    missing = Missing()
    house.calls.watchers.append(missing)
    return house, missing


@pytest.mark.parametrize("silent", ["P1", "P2"])
def test_a_call_ends_for_both_when_one_device_never_opens_its_channel(silent: str) -> None:
    house, missing = a_house()
    house.devices[silent].prompt = False
    caller, called = house.talk("P1", "1002", "P2")
    assert house.calls.next_deadline() == PATIENCE
    house.wait(PATIENCE - 0.1)
    assert caller.state is called.state is LegState.CONNECTED
    house.wait(0.1)
    assert caller.state is called.state is LegState.IDLE
    assert caller.cause is called.cause is Cause.RESOURCE_UNAVAILABLE
    assert missing.devices == [silent]
    assert house.calls.next_deadline() is None
    assert not house.devices["P1"].streams


def test_a_device_that_answers_just_in_time_stays_in_its_call() -> None:
    house, missing = a_house()
    bob = house.devices["P2"]
    bob.prompt = False
    caller, _ = house.talk("P1", "1002", "P2")
    house.wait(PATIENCE - 0.1)
    bob.tell(bob.waiting[-1])
    assert house.calls.next_deadline() is None
    house.wait(100.0)
    assert caller.state is LegState.CONNECTED
    assert missing.devices == []


def test_two_silent_devices_end_one_call_and_nobody_else_s() -> None:
    house, missing = a_house()
    for name in ("P1", "P2"):
        house.devices[name].prompt = False
    caller, _ = house.talk("P1", "1002", "P2")
    other, _ = house.talk("P3", "1004", "P4")
    house.wait(PATIENCE)
    assert caller.state is LegState.IDLE
    assert other.state is LegState.CONNECTED
    assert set(missing.devices) == {"P1", "P2"}


def test_each_negotiation_has_its_own_deadline_and_a_call_that_is_over_has_none() -> None:
    house, missing = a_house()
    caller, _ = house.talk("P1", "1002", "P2")
    house.wait(60.0)
    house.calls.hold(caller)
    house.devices["P1"].prompt = False
    house.calls.resume(caller)
    assert house.calls.next_deadline() == 60.0 + PATIENCE
    house.wait(PATIENCE - 1.0)
    house.calls.release(caller)
    assert house.calls.next_deadline() is None
    house.wait(60.0)
    assert missing.devices == []


def test_a_tone_that_nobody_takes_is_silence_and_ends_no_call() -> None:
    house, missing = a_house()
    caller, called = house.talk("P1", "1002", "P2")
    house.devices["P2"].prompt = False
    house.calls.hold(caller)
    house.wait(PATIENCE)
    assert called.state is LegState.CONNECTED
    assert missing.devices == ["P2"]
    house.devices["P2"].prompt = True
    house.calls.resume(caller)
    assert house.hears(called) == "P1"


def test_a_member_of_a_conference_whose_sound_never_comes_leaves_it() -> None:
    house, missing = a_house()
    caller, called = house.talk("P1", "1002", "P2")
    house.calls.consult(caller, Purpose.CONFERENCE)
    third = house.leg("P1", LegState.DIAL_TONE)
    house.calls.dial(third, "1003")
    house.calls.answer(house.leg("P3", LegState.OFFERED))
    house.devices["P2"].prompt = False
    house.calls.join(caller, third)
    house.wait(PATIENCE)
    assert missing.devices == ["P2"]
    assert called.state is LegState.IDLE
    assert house.states("P3") == [LegState.CONNECTED]


# Over the wire.


def reasons(records: list[Record]) -> list[str]:
    return [
        str(record.fields["reason"])
        for record in records
        if isinstance(record, EventRecord) and record.kind == "callmanager.media_missing"
    ]


async def test_a_phone_that_never_answers_for_a_channel_is_named_in_log_and_trace(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(CallMedia, "_receive", lambda self, order: None)
    records: list[Record] = []
    async with (
        a_manager(trace=records.append) as manager,
        sccp.open_station(ALICE, manager.sccp_address) as alice,
        sccp.open_station(BOB, manager.sccp_address) as bob,
    ):
        with caplog.at_level(logging.WARNING):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(bob.serve, pick_up)
                async with alice.call("1002") as call:
                    await call.wait_ended()
                nursery.cancel_scope.cancel()
        assert not manager.calls.legs
    (said, *_) = reasons(records)
    assert "never answered OpenReceiveChannel within 12 s: the call ends" in said
    assert said in caplog.text


@pytest.mark.parametrize("symmetric", [False, True])
async def test_a_station_and_a_device_say_whether_the_source_of_sound_is_followed(
    symmetric: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The station for its own port, the device for the call manager's port that it holds to."""
    ports: dict[int, rtp.Port] = {}
    started = rtp.Port.start_sending

    def start(port: rtp.Port, *arguments: Any, **named: Any) -> None:
        ports[port.local_address[1]] = port
        started(port, *arguments, **named)

    monkeypatch.setattr(rtp.Port, "start_sending", start)
    config = sccp.StationConfig(symmetric_rtp=symmetric)
    async with (
        a_manager(changed_device(BOB, symmetric_rtp=symmetric)) as manager,
        rtp.open_engine(first_port=47040) as engine,
        sccp.open_station(ALICE, manager.sccp_address, engine=engine, config=config) as alice,
        sccp.open_station(BOB, manager.sccp_address, engine=engine) as bob,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(bob.serve, pick_up)
        async with alice.call("1002") as call:
            media = await call.wait_media()
            assert media.port.symmetric is symmetric
            await call.hold()
            while manager.config.first_media_port not in ports:  # noqa: ASYNC110
                await trio.sleep(0.01)
            at_hold = ports[manager.config.first_media_port]
            assert at_hold.symmetric is symmetric
        nursery.cancel_scope.cancel()
    assert not any(port.symmetric for port in ports.values() if port not in (media.port, at_hold))


def changed_device(name: str, **fields: Any) -> CallManagerConfig:
    devices = (replace(each, **fields) if each.name == name else each for each in COMPANY.devices)
    return replace(COMPANY, devices=tuple(devices))


def test_the_options_are_checked() -> None:
    for config in (
        changed_device(BOB, symmetric_rtp="yes"),
        replace(COMPANY, timing=Timing(media_exchange=0.0)),
    ):
        with pytest.raises(ConfigurationError, match="must be"):
            validation.check(config)


async def test_a_port_whose_application_never_sets_rtp_parameters_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(MediaCall, "_open_channel", lambda self, event: None)
    records: list[Record] = []

    async def answer(call: cti.MediaCall) -> None:
        async with call.answer():
            await trio.sleep_forever()

    async with (
        a_manager(trace=records.append) as manager,
        rtp.open_engine(first_port=47020) as engine,
        log_in(manager) as provider,
        provider.open_media_terminal("5001", engine=engine) as port,
        sccp.open_station(ALICE, manager.sccp_address, engine=engine) as alice,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(port.serve, answer)
        async with alice.call("5001") as call:
            await call.wait_ended()
        nursery.cancel_scope.cancel()
    (said,) = reasons(records)
    assert said.endswith(
        "never had its RTP parameters set by its application within 12 s: the call ends"
    )
