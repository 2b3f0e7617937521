"""Features as people use them: real phones on real sockets, judged by what each of them hears."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trio
from company import ALICE, BOB, CAROL, COMPANY, PHONES, changed
from loopback import HOST
from whole_house import a_manager, pick_up, ringing

from pa_telephony import callmanager, rtp, sccp
from pa_telephony.callmanager import CallManager, CallManagerConfig
from pa_telephony.callmanager.config import SpeedDial, Timing
from pa_telephony.errors import CallEnded, ConfigurationError, RequestFailed
from pa_telephony.rtp import Audio, Tone
from pa_telephony.rtp.g711 import Samples
from pa_telephony.sccp import messages
from pa_telephony.sccp.connection import Connection, Role
from pa_telephony.sccp.enums import (
    DCallState,
    DeviceStimulus,
    LampMode,
    MediaPayloadType,
    RingMode,
    SoftKeyEvent,
)
from pa_telephony.sccp.phrases import english

PITCH = dict(zip(PHONES, (400, 600, 900, 1300), strict=True))
HOLD_TONE = 440


def a_config() -> CallManagerConfig:
    """The company in one pickup group and in a hurry; Alice has a speed dial button for Carol."""
    config = replace(COMPANY, timing=Timing(no_answer=0.5, between_digits=0.3, park_reversion=1.5))
    for name in PHONES:
        config = changed(config, name, pickup_group="88")
    alice, *others = config.devices
    alice = replace(alice, speed_dials=(SpeedDial(number="1003", name="Carol"),))
    return replace(config, devices=(alice, *others))


class House:
    """A call manager and four phones that answer by themselves and say their own tone."""

    def __init__(self, manager: CallManager, phones: list[sccp.Station]) -> None:
        self.manager = manager
        self.phones = phones

    @property
    def alice(self) -> sccp.Station:
        return self.phones[0]


@contextlib.asynccontextmanager
async def a_house(
    config: CallManagerConfig | None = None,
    *,
    answers: str = "1111",
    stations: Callable[[str], sccp.StationConfig] = lambda name: sccp.StationConfig(),
) -> AsyncGenerator[House]:
    """``answers`` says of each phone whether it picks up by itself."""
    async with (
        a_manager(config or a_config()) as manager,
        rtp.open_engine(address=HOST, first_port=45000) as engine,
        trio.open_nursery() as nursery,
        contextlib.AsyncExitStack() as stack,
    ):
        phones: list[sccp.Station] = []
        for name, answer in zip(PHONES, answers, strict=False):
            phone = await stack.enter_async_context(
                sccp.open_station(name, manager.sccp_address, config=stations(name), engine=engine)
            )
            phones.append(phone)
            if answer == "1":
                nursery.start_soon(phone.serve, pick_up)
        house = House(manager, phones)
        nursery.start_soon(speak, house)
        yield house
        nursery.cancel_scope.cancel()


async def speak(house: House) -> None:
    """Let every call of every phone say the phone's tone, whatever becomes of the call."""
    speaking: set[sccp.Call] = set()
    async with trio.open_nursery() as nursery:
        while True:
            for phone in house.phones:
                for call in phone.calls.values():
                    if call.media is not None and call not in speaking:
                        speaking.add(call)
                        nursery.start_soon(say, call, PITCH[phone.name])
            await trio.sleep(0.01)


async def say(call: sccp.Call, pitch: float) -> None:
    assert call.media is not None
    with contextlib.suppress(CallEnded):
        await call.media.play(Tone((pitch,)))


def strength(samples: Samples, frequency: float) -> float:
    tail = samples[-2000:].astype(float)
    wave = np.exp(-2j * np.pi * frequency / 8000 * np.arange(len(tail)))
    return float(2 * abs(np.dot(tail, wave)) / max(len(tail), 1))


async def heard(*calls: sccp.Call) -> list[set[int]]:
    """Which phones' tones (or the hold tone) each call hears, once nothing changes any more."""
    recordings: list[rtp.Recording] = []
    async with contextlib.AsyncExitStack() as stack:
        for call in calls:
            assert call.media is not None
            recordings.append(stack.enter_context(call.media.record()))
        await trio.sleep(0.5)
    pitches = (*PITCH.values(), HOLD_TONE)
    return [
        {pitch for pitch in pitches if strength(recording.samples, pitch) > 700}
        for recording in recordings
    ]


def the_call(phone: sccp.Station) -> sccp.Call:
    """The connected call of a phone."""
    return next(call for call in phone.calls.values() if call.connected)


async def test_each_of_three_hears_the_two_others_and_not_itself() -> None:
    async with a_house() as house, house.alice.call("1002") as call:
        await call.wait_media()
        await call.conference("1003")
        assert len(house.alice.calls) == 1
        calls = [call, the_call(house.phones[1]), the_call(house.phones[2])]
        await trio.sleep(0.2)
        assert await heard(*calls) == [{600, 900}, {400, 900}, {400, 600}]
        assert {english(each.prompt) for each in calls} == {"Conference"}
        await call.conference("1004")
        await trio.sleep(0.2)
        fourth = the_call(house.phones[3])
        assert await heard(call, fourth) == [{600, 900, 1300}, {400, 600, 900}]
        call.drop_last()
        await fourth.wait_ended()
        assert await heard(call) == [{600, 900}]
        await call.hang_up()
        await trio.sleep(0.2)
        assert await heard(*calls[1:]) == [{900}, {600}]
        assert [each.connected_to for each in calls[1:]] == ["1003", "1002"]


async def test_who_is_put_on_hold_hears_the_tone_and_the_one_who_holds_nothing() -> None:
    async with a_house() as house, house.alice.call("1002") as call:
        await call.wait_media()
        other = the_call(house.phones[1])
        await call.hold()
        # The tone sounds for the first second of every four.
        await trio.sleep(0.2)
        assert await heard(call, other) == [set(), {HOLD_TONE}]
        await call.resume()
        await trio.sleep(0.2)
        assert await heard(call, other) == [{600}, {400}]


async def test_music_on_hold_is_the_file_of_the_configuration(tmp_path: Path) -> None:
    music = tmp_path / "music.wav"
    rtp.wav.write(music, Audio(Tone((1300,)).render(0, 4000)))
    config = replace(a_config(), music_on_hold=str(music))
    async with a_house(config) as house, house.alice.call("1002") as call:
        await call.wait_media()
        await call.hold()
        await trio.sleep(1.0)
        assert await heard(the_call(house.phones[1])) == [{1300}]


async def test_music_that_can_not_be_read_is_a_configuration_error(tmp_path: Path) -> None:
    config = replace(a_config(), music_on_hold=str(tmp_path / "none.wav"))
    with pytest.raises(ConfigurationError, match="music_on_hold"):
        async with a_manager(config):
            pass


async def test_a_consultation_is_heard_by_nobody_else_and_then_connects_the_others() -> None:
    async with a_house() as house, house.alice.call("1002") as call:
        await call.wait_media()
        caller = the_call(house.phones[1])
        consultation = await call.consult("1003")
        await consultation.wait_media()
        await trio.sleep(0.2)
        assert await heard(caller, consultation) == [{HOLD_TONE}, {900}]
        assert [str(key) for key in consultation.soft_keys] == ["EndCall", "Trnsfer"]
        await consultation.complete()
        await call.wait_ended()
        await trio.sleep(0.2)
        assert await heard(caller, the_call(house.phones[2])) == [{900}, {600}]


async def test_a_parked_call_is_fetched_by_its_number_and_comes_back_when_nobody_does() -> None:
    async with a_house(answers="0110") as house, house.alice.call("1002") as call:
        await call.wait_media()
        parked = the_call(house.phones[1])
        assert await call.park() == "700"
        assert english(house.alice.screen.notification) == "Call park at  700"
        await trio.sleep(0.2)
        assert await heard(parked) == [{HOLD_TONE}]
        back = await ringing(house.alice)
        await back.hang_up()
        await parked.wait_ended()
        async with house.alice.call("1002") as again:
            await again.wait_media()
            waiting = the_call(house.phones[1])
            number = await again.park()
            async with house.phones[2].call(number) as fetched:
                await fetched.wait_media()
                await trio.sleep(0.2)
                assert await heard(waiting, fetched) == [{900}, {600}]
                assert fetched.connected_to == "1002"


async def test_what_rings_in_the_group_is_picked_up_and_nothing_can_not_be() -> None:
    async with a_house(answers="1000") as house:
        with pytest.raises(RequestFailed, match="Key is not active"):
            async with house.phones[2].pick_up():
                pass
        async with house.alice.call("1002") as call:
            await ringing(house.phones[1])
            async with house.phones[2].pick_up() as taken:
                await taken.wait_media()
                await call.wait_media()
                await trio.sleep(0.2)
                assert await heard(call, taken) == [{900}, {400}]
                assert not house.phones[1].calls
                assert (call.connected_to, taken.connected_to) == ("1003", "1001")


async def test_a_shared_line_rings_on_both_phones_and_a_held_call_moves_between_them() -> None:
    async with a_house(answers="1000") as house:
        bob, dave = house.phones[1], house.phones[3]
        async with house.alice.call("2000") as call:
            one, other = await ringing(bob), await ringing(dave)
            assert (one.line, other.line) == (2, 2)
            async with one.answer():
                await call.wait_media()
                await other.wait_for(DCallState.CALL_REMOTE_MULTILINE)
                assert other.prompt == "In use remote"
                await one.hold()
                await other.wait_for(DCallState.REMOTE_HOLD)
                assert bob.screen.lamp(DeviceStimulus.LINE, 2) is LampMode.WINK
                await other.resume()
                await one.wait_for(DCallState.CALL_REMOTE_MULTILINE)
                await trio.sleep(0.2)
                assert await heard(call, other) == [{1300}, {400}]
                assert await bob.unregister()
                await other.hang_up()
                await call.wait_ended()


async def test_a_second_call_waits_behind_the_first_and_rings_aloud_after_it() -> None:
    async with a_house(answers="0000") as house:
        bob = house.phones[1]
        async with house.alice.call("1002"):
            first = await ringing(bob)
            assert bob.screen.ringer is RingMode.INSIDE_RING
            async with first.answer():
                assert bob.screen.ringer is RingMode.RING_OFF
                async with house.phones[2].call("1002"):
                    await bob.wait_shown(lambda screen: len(bob.calls) == 2)
                    assert bob.screen.ringer is RingMode.RING_OFF
                    assert bob.screen.lamp(DeviceStimulus.LINE, 1) is LampMode.BLINK
                    await first.hang_up()
                    await bob.wait_shown(lambda screen: screen.ringer is RingMode.INSIDE_RING)


async def test_the_forward_key_sets_and_cancels_and_a_wrong_number_is_refused() -> None:
    async with a_house() as house:
        bob = house.phones[1]
        with pytest.raises(RequestFailed) as wrong:
            await bob.forward_all("999")
        assert wrong.value.code == 1
        assert str(wrong.value) == "forward to 999: no such number (cause 1)"
        await bob.forward_all("1003")
        assert bob.forwarded_to() == "1003"
        assert english(bob.screen.prompt) == "Forwarded to  1003"
        assert bob.screen.lamp(DeviceStimulus.FORWARD_ALL) is LampMode.ON
        async with house.alice.call("1002") as call:
            await call.wait_connected()
            assert call.connected_to == "1003"
        await bob.forward_all("")
        assert bob.forwarded_to() == ""
        async with house.alice.call("1002") as call:
            await call.wait_connected()
            assert call.connected_to == "1002"


async def test_a_forward_and_a_lamp_are_known_to_a_phone_that_registers_later() -> None:
    async with a_house(answers="11") as house:
        line = house.manager.calls.line("1003")
        assert line is not None
        house.manager.calls.set_message_waiting(line, True)
        house.manager.calls.set_forward(line, callmanager.Forward.ALL, "1001")
        async with sccp.open_station(CAROL, house.manager.sccp_address) as carol:
            await carol.wait_shown(lambda screen: screen.message_waiting(1))
            assert carol.message_waiting
            assert carol.forwarded_to() == "1001"
            house.manager.calls.set_message_waiting(line, False)
            await carol.wait_shown(lambda screen: not screen.message_waiting())


async def test_a_speed_dial_button_calls_its_number() -> None:
    async with a_house() as house:
        assert house.alice.screen.speed_dials == {1: ("1003", "Carol")}
        async with house.alice.speed_dial(1) as call:
            await call.wait_connected()
            assert call.connected_to == "1003"


async def test_a_phone_not_to_be_disturbed_flashes_instead_of_ringing() -> None:
    async with a_house(answers="0000") as house:
        bob = house.phones[1]
        await bob.do_not_disturb()
        assert english(bob.screen.prompt) == "Do not disturb is active"
        async with house.alice.call("1002"):
            await ringing(bob)
            assert bob.screen.ringer is RingMode.FLASH_ONLY
        await bob.do_not_disturb(False)


async def test_phones_without_a_common_codec_are_told_so_and_the_cause_is_88() -> None:
    def only(name: str) -> sccp.StationConfig:
        law = MediaPayloadType.G711_ULAW64K if name == ALICE else MediaPayloadType.G711_ALAW64K
        return sccp.StationConfig(codecs=(law,))

    async with a_house(stations=only) as house:
        async with house.alice.call("1002") as call:
            with pytest.raises(CallEnded) as failed:
                await call.wait_connected()
            assert failed.value.cause == 88
            assert call.prompt == "Incompatible device type"
        async with house.phones[1].call("1003") as call:
            await call.wait_media()
            await trio.sleep(0.2)
            assert await heard(call) == [{900}]


async def test_a_conference_of_phones_with_different_codecs_is_mixed_all_the_same() -> None:
    """The mix is made of linear samples, so each gets its own law."""

    def one_differs(name: str) -> sccp.StationConfig:
        if name == CAROL:
            return sccp.StationConfig(codecs=(MediaPayloadType.G711_ALAW64K,))
        return sccp.StationConfig()

    async with a_house(stations=one_differs) as house, house.alice.call("1002") as call:
        await call.wait_media()
        await call.conference("1003")
        await trio.sleep(0.2)
        calls = [call, the_call(house.phones[1]), the_call(house.phones[2])]
        assert await heard(*calls) == [{600, 900}, {400, 900}, {400, 600}]


async def test_a_conference_without_media_to_be_had_is_refused_and_the_call_taken_back() -> None:
    config = replace(a_config(), max_media_streams=2)
    async with a_house(config) as house, house.alice.call("1002") as call:
        await call.wait_media()
        with pytest.raises(RequestFailed, match="No conference bridge"):
            await call.conference("1003")
        assert list(house.alice.calls.values()) == [call]
        assert call.connected


async def test_a_key_pressed_where_events_do_not_go_in_the_audio_arrives_once() -> None:
    def without_events(name: str) -> sccp.StationConfig:
        return sccp.StationConfig(rfc2833=name != BOB)

    async with a_house(stations=without_events) as house, house.alice.call("1002") as call:
        await call.wait_media()
        other = the_call(house.phones[1])
        assert other.media is not None
        await call.send_digits("1*0")
        digits = [await other.media.read_digit() for _ in range(3)]
        assert digits == ["1", "*", "0"]
        with trio.move_on_after(0.3):
            raise AssertionError(await other.media.read_digit())


async def test_the_soft_keys_shown_are_those_that_do_something() -> None:
    async with a_house() as house:
        assert [str(key) for key in house.alice.screen.soft_keys()] == [
            "Redial",
            "NewCall",
            "CFwdALL",
            "DND",
        ]
        async with house.alice.call("1002") as call:
            await call.wait_connected()
            assert [str(key) for key in call.soft_keys] == [
                "Hold",
                "EndCall",
                "Trnsfer",
                "Park",
                "Confrn",
            ]
            assert SoftKeyEvent.MEET_ME not in {key.event for key in call.soft_keys}


async def test_the_buttons_of_a_phone_without_soft_keys_do_the_same() -> None:
    """Hold is one key for both ways (captured from CM 2.x); a line button answers and resumes."""

    def press(phone: sccp.Station, button: DeviceStimulus, instance: int = 1) -> None:
        phone.send(messages.Stimulus(stimulus=button, line_instance=instance))

    async with a_house(answers="0011") as house:
        alice, bob = house.phones[:2]
        async with alice.call("1002") as call:
            offered = await ringing(bob)
            press(bob, DeviceStimulus.LINE)
            await call.wait_media()
            press(bob, DeviceStimulus.HOLD)
            await offered.wait_for(DCallState.HOLD)
            press(bob, DeviceStimulus.HOLD)
            await offered.wait_for(DCallState.CONNECTED)
            press(bob, DeviceStimulus.HOLD)
            await offered.wait_for(DCallState.HOLD)
            press(bob, DeviceStimulus.LINE)
            await offered.wait_for(DCallState.CONNECTED)
            consultation = await bob.new_call(
                messages.Stimulus(stimulus=DeviceStimulus.CONFERENCE, line_instance=1)
            )
            consultation.press("1003")
            await consultation.wait_connected()
            press(bob, DeviceStimulus.CONFERENCE)
            await consultation.wait_ended()
            await trio.sleep(0.3)
            assert await heard(call) == [{600, 900}]
            press(bob, DeviceStimulus.REMOVE_LAST_PARTICIPANT)
            await bob.wait_shown(lambda screen: offered.connected_to == "1001")
            press(bob, DeviceStimulus.END_CALL)
            await call.wait_ended()


async def test_redial_calls_the_number_dialled_last_and_back_space_takes_a_digit_back() -> None:
    async with a_house() as house:
        async with house.alice.call("1003") as call:
            await call.wait_connected()
        again = await house.alice.new_call(
            messages.SoftKeyEvent(soft_key_event=SoftKeyEvent.REDIAL)
        )
        await again.wait_connected()
        assert again.connected_to == "1003"
        await again.hang_up()
        call = await house.alice.new_call(messages.OffHook())
        call.press("100")
        key = messages.SoftKeyEvent(
            soft_key_event=SoftKeyEvent.BACK_SPACE,
            line_instance=1,
            call_reference=call.call_reference,
        )
        house.alice.send(key)
        call.press("02")
        await call.wait_connected()
        assert call.connected_to == "1002"
        await call.hang_up()


async def test_a_name_whose_old_session_lingers_is_had_again_and_nobody_is_locked_out() -> None:
    """A phone that lost its link without a word is refused until the old session is stale."""
    config = replace(a_config(), timing=Timing(keep_alive=1))
    quick = sccp.StationConfig(longest_back_off=0.3)
    async with a_manager(config) as manager:
        host, _, port = manager.sccp_address.rpartition(":")
        old = Connection(Role.STATION)
        old.send(messages.RegisterReq(device_name=ALICE, protocol_ver=20))
        async with await trio.open_tcp_stream(host, int(port)) as stream:
            await stream.send_all(old.data_to_send())
            await stream.receive_some(4096)
            address = manager.sccp_address
            async with sccp.open_station(ALICE, address, config=quick) as alice:
                assert alice.registered
                assert manager.sccp_counters.rejections >= 1
