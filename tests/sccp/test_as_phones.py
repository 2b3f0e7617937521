"""Our station says of itself what real phones say, in messages as long as theirs (captured).

What is compared with the captures themselves stands in ``test_replay.py``.
"""

from __future__ import annotations

from typing import Any

import pytest

from pa_telephony.sccp import messages
from pa_telephony.sccp.connection import Connection, Role
from pa_telephony.sccp.enums import (
    ButtonType,
    DeviceType,
    MediaPathEvent,
    MediaPathID,
    SequenceFlag,
    SpeakerMode,
)
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.messages.codec import HEADER
from pa_telephony.sccp.station.core import StationCore
from pa_telephony.sccp.station.registration import State
from pa_telephony.sccp.station.style import StationConfig, Style

NAME = "SEP002155D548AC"
LINE = messages.ButtonDefinition(instance_number=1, button_definition=ButtonType.LINE)
PATHS = (messages.MediaPathEvent, messages.MediaPathCapability)


class Bench:
    """A station and a call manager that knows nothing but to read."""

    def __init__(self, name: str = NAME, last_end: str = "", **config: Any) -> None:
        self.core = StationCore(name, StationConfig(**config), "10.1.2.3")
        self.core.last_end = last_end
        self.manager = Connection(Role.CALL_MANAGER)
        self.lengths: dict[type, int] = {}
        self.core.watch_frames(lambda frame: None, self._note)
        self.core.connected(0.0)
        self.heard: list[Any] = self._read()

    def _note(self, frame: bytes) -> None:
        length, _, number = HEADER.unpack_from(frame)
        assert len(frame) == length + 8
        self.lengths[SccpMessage.registry[number]] = length

    def _read(self) -> list[Any]:
        self.manager.receive_data(self.core.data_to_send())
        heard: list[Any] = []
        while (message := self.manager.next_event()) is not None:
            heard.append(message)
        return heard

    def told(self, *what: SccpMessage) -> list[Any]:
        """What the station says when the call manager says this."""
        for message in what:
            self.manager.send(message)
        self.core.receive_data(self.manager.data_to_send(), 0.0)
        while self.core.next_event() is not None:
            pass
        return self._read()

    def register(self) -> list[Any]:
        """What the station says from the acknowledgement until it is registered."""
        said = self.told(
            messages.RegisterAck(keep_alive_interval=30, max_protocol_ver=22),
            messages.CapabilitiesReq(),
            messages.ButtonTemplateRes(button_offset=0, total_button_count=1, definition=(LINE,)),
            messages.TimeDateRes(w_year=2026),
            messages.VersionRes(version_str=""),
        )
        assert self.core.state is State.REGISTERED
        return said


def of(kind: type, said: list[Any]) -> list[Any]:
    return [each for each in said if isinstance(each, kind)]


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize(
    ("version", "length"), [(5, 68), (7, 56), (11, 56), (17, 128), (20, 128), (22, 128)]
)
def test_a_registration_is_as_long_as_that_of_real_stations(
    style: Style, version: int, length: int
) -> None:
    bench = Bench(style=style, protocol_version=version)
    assert bench.lengths[messages.RegisterReq] == length
    (request,) = of(messages.RegisterReq, bench.heard)
    assert (request.device_name, request.protocol_ver) == (NAME, version)


@pytest.mark.parametrize(
    ("name", "mac"), [(NAME, "00:21:55:d5:48:ac"), ("P1", "00:00:00:00:00:00")]
)
def test_a_phone_says_its_address_and_its_load(name: str, mac: str) -> None:
    """The address is in the name of a real phone; another name has none."""
    (request,) = of(messages.RegisterReq, Bench(name, firmware="SCCP75.9-4-2").heard)
    assert (request.mac_address, request.firmware_load_name) == (mac, "SCCP75.9-4-2")
    (port,) = of(messages.RegisterReq, Bench(name, style=Style.ANALOG_PORT).heard)
    assert port.firmware_load_name == ""


@pytest.mark.parametrize(
    ("style", "version", "length"),
    [
        (Style.PHONE, 20, 8 + 3 * 16),
        (Style.PHONE, 17, 8 + 3 * 16),
        (Style.PHONE, 7, 296),
        (Style.ANALOG_PORT, 21, 296),
        (Style.GATEWAY, 17, 296),
        (Style.MEDIA_RESOURCE, 18, 296),
    ],
)
def test_the_codecs_are_told_with_empty_places_by_those_that_do_so(
    style: Style, version: int, length: int
) -> None:
    bench = Bench(style=style, protocol_version=version)
    (codecs,) = of(messages.CapabilitiesRes, bench.register())
    assert bench.lengths[messages.CapabilitiesRes] == length
    assert [int(each.payload_capability) for each in codecs.caps] == [4, 2, 257]


@pytest.mark.parametrize(
    ("last_end", "why"), [("", "Initialized"), ("10.0.0.1:2000 does not answer", "CM-closed-TCP")]
)
def test_a_phone_says_first_who_it_is_and_why_it_comes(last_end: str, why: str) -> None:
    alarm, _ = Bench(last_end=last_end).heard
    assert isinstance(alarm, messages.Alarm)
    assert alarm.text == f"Name={NAME} Load=SCCP70.9-2-3S Last={why}"
    assert alarm.parm2.to_bytes(4, "little") == bytes((10, 1, 2, 3))
    assert not of(messages.Alarm, Bench(style=Style.PORT).heard)


def test_a_phone_tells_of_its_headset_handset_and_speaker() -> None:
    bench = Bench()
    paths = of(PATHS, bench.register())
    assert [each.media_path_id for each in paths] == [
        MediaPathID.HEADSET,
        MediaPathID.HANDSET,
        MediaPathID.SPEAKER,
    ]
    for mode, event in (
        (SpeakerMode.ON, [MediaPathEvent.ON]),
        (SpeakerMode.ON, []),
        (SpeakerMode.OFF, [MediaPathEvent.OFF]),
    ):
        said = of(PATHS, bench.told(messages.SetSpeakerMode(speaker_mode=mode)))
        assert [each.media_path_event for each in said] == event


@pytest.mark.parametrize(("style", "version"), [(Style.PHONE, 11), (Style.ANALOG_PORT, 21)])
def test_old_phones_and_ports_tell_of_none(style: Style, version: int) -> None:
    bench = Bench(style=style, protocol_version=version)
    assert not of(PATHS, bench.register())
    assert not bench.told(messages.SetSpeakerMode(speaker_mode=SpeakerMode.ON))


def test_a_phone_answers_what_its_display_can_do() -> None:
    question = messages.UserToDeviceDataVersion1(
        application_id=27,
        transaction_id=28,
        sequence_flag=SequenceFlag.LAST,
        display_priority=3,
        xmldata=b"<getDeviceCaps/>",
    )
    bench = Bench(device_type=DeviceType.CISCO_7962)
    bench.register()
    (answer,) = bench.told(question)
    assert isinstance(answer, messages.DeviceToUserDataResponseVersion1)
    assert (answer.application_id, answer.transaction_id, answer.display_priority) == (27, 28, 3)
    assert answer.xmldata.startswith(
        b"<getDeviceCapsResponse><physical><modelNumber>CP-7962</modelNumber>"
    )
    text = messages.UserToDeviceDataVersion1(application_id=0, xmldata=b"<CiscoIPPhoneText/>")
    assert not bench.told(text)
    port = Bench(style=Style.ANALOG_PORT, protocol_version=21)
    port.register()
    assert not port.told(question)


def test_a_type_of_phone_that_has_no_name_answers_with_its_number() -> None:
    bench = Bench(device_type=DeviceType(64999))
    bench.register()
    (answer,) = bench.told(
        messages.UserToDeviceDataVersion1(application_id=1, xmldata=b"<getDeviceCaps/>")
    )
    assert b"CP-" in answer.xmldata
    assert b"64999" in answer.xmldata
