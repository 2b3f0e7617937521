"""construct as an oracle: what it makes of a declaration equals what the generated code makes."""

from __future__ import annotations

import dataclasses
from typing import Any

import construct
import pytest
from hypothesis import given, settings, strategies as st

from pa_telephony.sccp import enums, messages
from pa_telephony.sccp.layouts import codec_of
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.testing.strategies import sccp_message

NUMBERS = sorted(SccpMessage.registry)
VERSIONS = (0, 3, 6, 11, 15, 16, 17, 18, 20, 21, 22)


def same(parsed: Any, ours: Any) -> bool:
    """Whether construct parsed every field to our value; counts are members of its own."""
    if dataclasses.is_dataclass(ours):
        return all(
            same(parsed[name], getattr(ours, name))
            for name in parsed
            if name != "_io" and hasattr(ours, name)
        )
    if isinstance(ours, tuple):
        return len(parsed) == len(ours) and all(map(same, parsed, ours))
    return bool((int(parsed) if isinstance(ours, int) else parsed) == ours)


@pytest.mark.parametrize("number", NUMBERS, ids=lambda n: SccpMessage.registry[n].__name__)
def test_construct_and_the_generated_code_build_and_parse_the_same(number: int) -> None:
    declaration = SccpMessage.registry[number]
    forms = {version: messages.as_construct(declaration, version=version) for version in VERSIONS}

    @settings(max_examples=3)
    @given(st.data())
    def hold(data: st.DataObject) -> None:
        # Always drawn in the same order; the first example is the smallest message of each.
        for version, form in forms.items():
            message = data.draw(sccp_message(declaration, version=version))
            codec = codec_of(declaration, version)
            body = codec.encode(message)
            assert form.build(dataclasses.asdict(message)) == body
            assert same(form.parse(body), codec.decode(body))
            assert form.build(form.parse(body)) == body

    hold()


def test_fields_with_a_default_may_be_left_out_and_enumerators_given_by_name() -> None:
    form = messages.as_construct(messages.StartTone, version=20)
    body = form.build({"tone": "INSIDE_DIAL_TONE", "line_instance": 1})
    assert (
        body
        == messages.encode(
            messages.StartTone(tone=enums.DeviceTone.INSIDE_DIAL_TONE, line_instance=1), 20
        )[12:]
    )
    form = messages.as_construct(messages.StartMediaTransmission, version=22)
    assert form.build({"remote_ip_addr": "1.2.3.4"}) == codec_of(
        messages.StartMediaTransmission, 22
    ).encode(messages.StartMediaTransmission(remote_ip_addr="1.2.3.4"))


def test_a_union_is_chosen_by_the_name_of_its_selector() -> None:
    form = messages.as_construct(messages.Capability, version=20)
    body = form.build({"payload_capability": "G7231", "payloads": {"g723_bit_rate": 2}})
    assert int(form.parse(body).payloads.g723_bit_rate) == 2


def test_a_count_beyond_the_limit_is_refused_by_construct_too() -> None:
    form = messages.as_construct(messages.CapabilitiesRes, version=20)
    with pytest.raises(construct.ValidationError):
        form.parse((19).to_bytes(4, "little") + bytes(400))
