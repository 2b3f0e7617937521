"""Every message of every version survives the wire, cut anywhere; a count may be too high."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings, strategies as st

from pa_telephony.errors import DecodeError, LocalProtocolError
from pa_telephony.sccp import enums, messages
from pa_telephony.sccp.layouts import older_layout
from pa_telephony.sccp.messages import SccpMessage, UnknownMessage
from pa_telephony.testing.strategies import VERSIONS, sccp_message, sccp_messages
from pa_telephony.wire.declaration import Struct, fields_of
from pa_telephony.wire.sequential.types import Rest, read_fields, write_fields

NUMBERS = sorted(SccpMessage.registry)
CATALOGUE = Path(__file__).parents[2] / "docs/reference/sccp/README.md"


def test_all_messages_of_the_checked_in_catalogue_are_declared_and_public() -> None:
    rows = re.findall(r"^\| (0x\w+) \| \[(\w+)\]", CATALOGUE.read_text(), re.MULTILINE)
    assert {int(number, 0): name for number, name in rows} == {
        number: each.__name__ for number, each in SccpMessage.registry.items()
    }
    assert {name for _, name in rows} - {*messages.__all__} == set()


@pytest.mark.parametrize("number", NUMBERS, ids=lambda n: SccpMessage.registry[n].__name__)
@settings(max_examples=30)
@given(data=st.data())
def test_a_message_decodes_to_what_was_encoded(number: int, data: st.DataObject) -> None:
    version = data.draw(st.sampled_from(VERSIONS))
    message = data.draw(sccp_message(SccpMessage.registry[number], version=version))
    frame = messages.encode(message, version)
    assert len(frame) % 4 == 0
    assert int.from_bytes(frame[:4], "little") == len(frame) - 8
    assert messages.decode(number, frame[12:], version) == message


@settings(max_examples=400)
@given(sccp_messages())
def test_the_generated_code_and_the_patient_way_agree(drawn: tuple[SccpMessage, int]) -> None:
    message, version = drawn
    frame = messages.encode(message, version)
    patient = write_fields(type(message), message, version)
    assert frame[12:] == patient + bytes(-len(patient) % 4)
    values, _, short = read_fields(type(message), frame[12:], 0, version)
    assert not short
    assert type(message)(**values) == messages.decode(message.id, frame[12:], version)


@pytest.mark.parametrize("number", NUMBERS, ids=lambda n: SccpMessage.registry[n].__name__)
@settings(max_examples=2, phases=[Phase.generate])
@given(data=st.data())
def test_a_body_cut_at_any_byte_says_what_is_there(number: int, data: st.DataObject) -> None:
    """What lies wholly before the cut is as it was, what lies behind it has its default."""
    version = data.draw(st.sampled_from(VERSIONS))
    message = data.draw(sccp_message(SccpMessage.registry[number], version=version))
    body = messages.encode(message, version)[12:]
    declaration = type(message)
    types = {field.name: field.type for field in fields_of(declaration)}
    for cut in range(len(body) + 1):
        short = messages.decode(number, body[:cut], version)
        assert isinstance(short, declaration)
        if older_layout(declaration, body[:cut], version) != version:
            continue
        values, end, _ = read_fields(declaration, body[:cut], 0, version)
        whole = [*values] if end <= cut else [*values][:-1]
        # Bytes to the end of the frame are whole however many there are.
        whole = [name for name in whole if not isinstance(types[name], Rest)]
        for name in whole:
            assert getattr(short, name) == getattr(message, name), (cut, name)
        for field in fields_of(declaration):
            # What is in a union that is not there depends on another field.
            given = field.name in values or field.required or isinstance(field.default, Struct)
            assert given or getattr(short, field.name) == field.default, (cut, field.name)


@pytest.mark.parametrize("number", NUMBERS, ids=lambda n: SccpMessage.registry[n].__name__)
def test_no_body_at_all_is_nothing_of_each_type(number: int) -> None:
    for version in VERSIONS:
        message = messages.decode(number, b"", version)
        again = messages.encode(message, version)
        assert messages.decode(number, again[12:], version) == message


@pytest.mark.parametrize(
    ("number", "body", "found"),
    [
        (0x02, b"\x10\x27", messages.IpPort(rtp_media_port=10000)),
        (0x04, b"1002\0\0\0\0", messages.EnblocCall(called_party="1002")),
        (0x04, b"1002", messages.EnblocCall(called_party="1002")),
        (0x2B, b"", messages.HeadsetStatus(headset_status=enums.HeadsetMode(0))),
        (
            0x20,
            b"\2\0\0\0Load=x",
            messages.Alarm(alarm_severity=enums.DeviceAlarmSeverity(2), text="Load=x"),
        ),
        (
            0x10,
            bytes.fromhex("03000000 04000000 28000000 0000000000000000"),
            messages.CapabilitiesRes(
                caps=(
                    messages.Capability(
                        payload_capability=enums.MediaPayloadType.G711_ULAW64K,
                        max_frames_per_packet=40,
                    ),
                )
            ),
        ),
        (
            0x10,
            bytes.fromhex("02000000 04000000 28000000 0000000000000000 02000000"),
            messages.CapabilitiesRes(
                caps=(
                    messages.Capability(
                        payload_capability=enums.MediaPayloadType.G711_ULAW64K,
                        max_frames_per_packet=40,
                    ),
                    messages.Capability(
                        payload_capability=enums.MediaPayloadType.G711_ALAW64K,
                        max_frames_per_packet=0,
                    ),
                )
            ),
        ),
    ],
)
def test_what_real_phones_cut_short_is_read(number: int, body: bytes, found: SccpMessage) -> None:
    for version in (6, 11, 20):
        assert messages.decode(number, body, version) == found


def test_half_of_an_address_is_none() -> None:
    message = messages.decode(0x22, bytes(4) + b"\x7f\0", 11)
    assert isinstance(message, messages.OpenReceiveChannelAck)
    assert (message.ip_addr, message.port_number) == ("0.0.0.0", 0)


@settings(max_examples=500)
@given(st.sampled_from(NUMBERS), st.binary(max_size=400), st.sampled_from(VERSIONS))
def test_garbage_decodes_unless_a_count_is_too_high(number: int, body: bytes, version: int) -> None:
    try:
        message = messages.decode(number, body, version)
    except DecodeError as error:
        # A count beyond its limit, and nothing else.
        if "at most" not in error.reason:
            raise
        return
    assert isinstance(message, SccpMessage)
    if len(body) % 4:
        return  # the padding that we add would count as text where text goes to the end
    again = messages.encode(message, version)
    assert messages.decode(number, again[12:], version) == message


def test_an_unknown_number_is_kept_byte_for_byte() -> None:
    message = messages.decode(0x7777, b"\1\2\3\4", 20)
    assert message == UnknownMessage(id=0x7777, body=b"\1\2\3\4")
    assert messages.encode(message, 20)[12:] == b"\1\2\3\4"


def test_bytes_behind_the_last_field_are_kept_and_written_again() -> None:
    frame = messages.encode(messages.SetLamp(stimulus=enums.DeviceStimulus.LINE), 20)
    message = messages.decode(0x86, frame[12:] + b"newer!!!", 20)
    assert isinstance(message, messages.SetLamp)
    assert message.trailing == b"newer!!!"
    assert messages.encode(message, 20)[12:] == frame[12:] + b"newer!!!"


def test_an_unknown_enumerator_stays_a_number() -> None:
    frame = messages.encode(messages.StartTone(tone=enums.DeviceTone(0x1234)), 20)
    message = messages.decode(0x82, frame[12:], 20)
    assert isinstance(message, messages.StartTone)
    assert message.tone == 0x1234
    assert message.tone.name == "UNKNOWN_4660"


def test_a_short_body_takes_the_older_layout_that_it_fits() -> None:
    """Asterisk sends the 32-byte DialedNumber of version 17 to stations of version 22."""
    old = messages.encode(messages.DialedNumber(dialed_number="500", line_instance=1), 17)
    message = messages.decode(0x11D, old[12:], 22)
    assert message == messages.DialedNumber(dialed_number="500", line_instance=1)


@settings(max_examples=300)
@given(sccp_messages(), st.data())
def test_a_short_body_reads_the_same_however_often_it_comes(
    drawn: tuple[SccpMessage, int], data: st.DataObject
) -> None:
    """The second one of a length takes code that the first one has made."""
    message, version = drawn
    body = messages.encode(message, version)[12:]
    cut = body[: data.draw(st.integers(0, len(body)))]
    found: list[object] = []
    for _ in range(2):
        try:
            found.append(messages.decode(message.id, cut, version))
        except DecodeError as error:
            found.append(str(error))
    assert found[0] == found[1]


def test_counts_before_the_end_of_a_short_body_are_not_passed_over() -> None:
    """Those of CapabilitiesV2Res stand before fields that are there, its arrays behind the end."""
    update = messages.CapabilitiesV2Res(rtp_payload_format=132)
    body = messages.encode(update, 20)[12:28]
    assert [messages.decode(update.id, body, 20) for _ in range(3)] == [update] * 3


def test_a_value_that_does_not_fit_names_its_field() -> None:
    with pytest.raises(LocalProtocolError, match=r"RegisterReq\.device_name: 17 characters"):
        messages.encode(messages.RegisterReq(device_name="X" * 17), 20)
    with pytest.raises(LocalProtocolError, match=r"KeypadButton\.line_instance"):
        messages.encode(
            messages.KeypadButton(kp_button=enums.KeyPadButton.ONE, line_instance=-1), 20
        )


def test_a_count_beyond_the_limit_is_an_error_that_names_the_field() -> None:
    body = (0xFFFFFFFF).to_bytes(4, "little") + bytes(288)
    with pytest.raises(DecodeError, match=r"message 0x0010\.caps at byte"):
        messages.decode(0x10, body, 20)


def test_flags_keep_bits_that_have_no_name_and_peers_do_not_make_them_grow() -> None:
    body = bytes(40) + b"\x14\x00\x72\x85" + bytes(128)
    request = messages.decode(0x0001, body, 20)
    assert isinstance(request, messages.RegisterReq)
    features = request.phone_features
    assert features == 0x8572
    assert enums.PhoneFeatures.DYNAMIC_MESSAGES in features
    assert enums.PhoneFeatures.RFC2833 not in features
    assert features.name == "UTF8|DYNAMIC_MESSAGES|ABBREVIATED_DIAL"
    assert features & ~enums.PhoneFeatures.UTF8 == 0x8562
    for number in range(1000):
        messages.decode(0x0001, body[:42] + number.to_bytes(2, "little") + body[44:], 20)
    assert len(enums.PhoneFeatures.__members__) == 4
    assert len(enums.PhoneFeatures._value2member_map_) == 4


def test_an_array_of_enumerators_holds_enumerators() -> None:
    resource = messages.ServiceResource(layouts=(enums.Layout(1), enums.Layout(77)))
    update = messages.UpdateCapabilities(rtp_payload_format=0, service_resource=(resource,))
    again = messages.decode(0x0030, messages.encode(update, 20)[12:], 20)
    assert again == update
    assert isinstance(again, messages.UpdateCapabilities)
    assert [each.name for each in again.service_resource[0].layouts] == [
        enums.Layout(1).name,
        "UNKNOWN_77",
    ]


@pytest.mark.parametrize(
    ("message", "written", "guessed"),
    [
        (messages.StartTone(tone=enums.DeviceTone.SILENCE), 6, 0),
        (messages.StartMediaTransmission(remote_ip_addr="1.2.3.4"), 6, 3),
        (messages.StartMediaTransmission(remote_ip_addr="1.2.3.4"), 17, 17),
        (messages.OpenReceiveChannel(conference_id=1), 22, 21),
        (messages.DialedNumber(dialed_number="1"), 20, 18),
        (messages.DialedNumber(dialed_number="1"), 17, 0),
        (messages.CallInfoV2(line_instance=1), 22, 17),
    ],
)
def test_the_layout_of_a_frame_without_session_or_version_is_guessed_by_its_length(
    message: SccpMessage, written: int, guessed: int
) -> None:
    """Asterisk writes version 0 into the header, whatever the layout."""
    frame = messages.encode(message, written, 0)
    assert messages.likely_version(frame) == guessed
    assert messages.decode(message.id, frame[12:], guessed) == message
    assert messages.likely_version(messages.encode(message, written, 20)) == 20


def test_the_media_orders_of_call_manager_2_are_known_by_their_length() -> None:
    assert messages.likely_version(bytes.fromhex("28000000 00000000 8a000000") + bytes(36)) == 0
    assert messages.likely_version(bytes.fromhex("08000000 00000000 8b000000") + bytes(4)) == 0
