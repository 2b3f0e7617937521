"""Every message of every version survives the wire, and no bytes do more than raise DecodeError."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings, strategies as st

from pa_telephony.errors import DecodeError, LocalProtocolError
from pa_telephony.sccp import enums, messages
from pa_telephony.sccp.messages import SccpMessage, UnknownMessage
from pa_telephony.testing.strategies import VERSIONS, sccp_message, sccp_messages
from pa_telephony.wire.sequential import read_fields, write_fields

NUMBERS = sorted(SccpMessage.registry)


def test_all_178_messages_of_the_catalogue_are_declared() -> None:
    assert len(NUMBERS) == 178


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


@settings(max_examples=300)
@given(sccp_messages(), st.data())
def test_a_body_cut_anywhere_decodes_or_raises_decode_error(
    drawn: tuple[SccpMessage, int], data: st.DataObject
) -> None:
    message, version = drawn
    body = messages.encode(message, version)[12:]
    cut = data.draw(st.integers(0, len(body)))
    with contextlib.suppress(DecodeError):
        messages.decode(message.id, body[:cut], version)


@settings(max_examples=500)
@given(st.sampled_from(NUMBERS), st.binary(max_size=400), st.sampled_from(VERSIONS))
def test_garbage_decodes_or_raises_decode_error(number: int, body: bytes, version: int) -> None:
    try:
        message = messages.decode(number, body, version)
    except DecodeError:
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
