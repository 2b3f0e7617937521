"""Every message survives the wire, and hostile offsets end in one DecodeError at little cost."""

from __future__ import annotations

import contextlib
import re
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from pa_telephony.cti import enums, messages
from pa_telephony.cti.messages import CtiMessage, UnknownMessage
from pa_telephony.errors import DecodeError, LocalProtocolError
from pa_telephony.testing.cti_strategies import cti_message, cti_messages

NUMBERS = sorted(CtiMessage.registry)
CATALOGUE = Path(__file__).parents[2] / "docs/reference/cti/README.md"
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


def header(frame: bytes, **words: int) -> bytes:
    """A frame with some words of its header replaced."""
    names = ("length", "zero", "magic", "version", "type", "start", "fixed", "variable")
    values = list(struct.unpack_from("<8I", frame))
    for name, value in words.items():
        values[names.index(name)] = value
    return struct.pack("<8I", *values) + frame[32:]


def test_all_messages_of_the_checked_in_catalogue_are_declared_and_public() -> None:
    rows = re.findall(r"^\| (\d+) \| \[(\w+)\]", CATALOGUE.read_text(), re.MULTILINE)
    assert {int(number, 0): name for number, name in rows} == {
        number: each.__name__ for number, each in CtiMessage.registry.items()
    }
    assert {name for _, name in rows} - {*messages.__all__} == set()


@pytest.mark.parametrize("number", NUMBERS, ids=lambda n: CtiMessage.registry[n].__name__)
@settings(max_examples=8, suppress_health_check=SLOW)
@given(data=st.data())
def test_a_message_decodes_to_what_was_encoded(number: int, data: st.DataObject) -> None:
    message = data.draw(cti_message(CtiMessage.registry[number]))
    for to_server in (True, False):
        frame = messages.encode(message, to_server=to_server)
        assert int.from_bytes(frame[:4], "little") == len(frame) - 8
        assert messages.decode(frame) == message


@settings(max_examples=200, suppress_health_check=SLOW)
@given(cti_messages(), st.data())
def test_a_frame_cut_anywhere_decodes_or_raises_decode_error(
    message: CtiMessage, data: st.DataObject
) -> None:
    frame = messages.encode(message, to_server=True)
    cut = frame[: data.draw(st.integers(0, len(frame)))]
    with contextlib.suppress(DecodeError):
        messages.decode(cut)
    if len(cut) >= 32:
        with contextlib.suppress(DecodeError):
            messages.decode(header(cut, length=len(cut) - 8))


@settings(max_examples=300, suppress_health_check=SLOW)
@given(cti_messages(), st.integers(8, 600), st.integers(0, 0xFFFFFFFF))
def test_a_changed_word_decodes_or_raises_decode_error(
    message: CtiMessage, position: int, word: int
) -> None:
    frame = bytearray(messages.encode(message, to_server=False))
    position = min(position, len(frame) - 4)
    frame[position : position + 4] = word.to_bytes(4, "little")
    with contextlib.suppress(DecodeError):
        messages.decode(bytes(frame))


@given(st.sampled_from(NUMBERS), st.binary(max_size=600))
def test_garbage_behind_a_good_header_decodes_or_raises_decode_error(
    number: int, body: bytes
) -> None:
    frame = struct.pack("<8I", 24 + len(body), 0, 0xFFFFDDDD, 0x110000, number, 32, len(body), 0)
    with contextlib.suppress(DecodeError):
        messages.decode(frame + body)


def test_an_unknown_number_is_kept_and_never_sent() -> None:
    frame = header(messages.encode(messages.Heartbeat(), to_server=True), type=9999)
    message = messages.decode(frame)
    assert message == UnknownMessage(id=9999, body=b"")
    with pytest.raises(LocalProtocolError, match="9999"):
        messages.encode(message, to_server=True)


def test_a_longer_fixed_part_than_we_know_is_read_as_far_as_we_know_it() -> None:
    frame = messages.encode(messages.ProviderCloseRequest(sequence_number=7), to_server=True)
    longer = header(frame + b"newer!!!", length=len(frame), fixed=12)
    assert messages.decode(longer) == messages.ProviderCloseRequest(sequence_number=7)


def test_a_shorter_fixed_part_leaves_the_missing_fields_at_their_defaults() -> None:
    frame = messages.encode(messages.CallAcceptResponse(sequence_number=7), to_server=False)
    shorter = header(frame[:-4], length=len(frame) - 12, fixed=4)
    assert messages.decode(shorter) == messages.CallAcceptResponse(sequence_number=7)


def test_an_empty_string_is_one_nul_and_a_null_string_is_none() -> None:
    request = messages.CallRedirectRequest(redirect_address="")
    assert b"\0" in messages.encode(request, to_server=True)[132:]
    null = messages.encode(messages.CallRedirectRequest(), to_server=True)
    assert len(null) == 132
    # Towards the client there are no null strings: its call processing throws on some.
    assert len(messages.encode(messages.CallRedirectRequest(), to_server=False)) > 132


def test_a_zero_length_unicode_string_is_empty() -> None:
    """Cisco's client misreads what follows one; we must not."""
    frame = messages.encode(messages.ProviderOpenRequest(login="", password=b"x"), to_server=True)
    message = messages.decode(frame)
    assert isinstance(message, messages.ProviderOpenRequest)
    assert (message.login, message.password) == ("", b"x")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ({"magic": 0xFFFFDDDE}, "magic"),
        ({"length": 23}, "length word"),
        ({"fixed": 0xFFFFFFF0}, "beyond the message"),
        ({"variable": 0x7FFFFFFF}, "beyond the message"),
        ({"start": 0xFFFFFFFF}, "beyond the message"),
    ],
)
def test_a_header_that_lies_is_refused(words: dict[str, int], reason: str) -> None:
    frame = messages.encode(messages.ProviderCloseRequest(sequence_number=7), to_server=True)
    with pytest.raises(DecodeError, match=reason):
        messages.decode(header(frame, **words))


def test_offsets_that_overlap_cost_bounded_memory() -> None:
    """A thousand structs that all name the same large string would be gigabytes."""
    count, size = 4000, 48000
    element = struct.pack("<I2I", 1, 32, size)
    array = element * count
    body = struct.pack("<I2I4I", 1, 1, 1, 60, len(array), count, 12) + array
    frame = struct.pack("<8I", 24 + len(body), 0, 0xFFFFDDDD, 0x110000, 121, 32, 28, len(array))
    with pytest.raises(DecodeError, match="overlap"):
        messages.decode(frame + body)


def test_gigabyte_counts_are_refused_before_anything_is_made() -> None:
    body = struct.pack("<I2I4I", 1, 1, 1, 60, 12, 0x7FFFFFFF, 12)
    frame = struct.pack("<8I", 24 + len(body), 0, 0xFFFFDDDD, 0x110000, 121, 32, 28, 0)
    with pytest.raises(DecodeError, match="fwd_destn_info"):
        messages.decode(frame + body)


def test_an_unknown_enumerator_stays_a_number() -> None:
    message = messages.FailureResponse(result=enums.CTIFAILURE(0x1234))
    again = messages.decode(messages.encode(message, to_server=False))
    assert isinstance(again, messages.FailureResponse)
    assert again.result == 0x1234
