"""construct as an oracle: what it makes of a declaration equals what our codec makes of it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from pa_telephony.cti import messages
from pa_telephony.cti.messages import NULL, CtiMessage
from pa_telephony.testing.cti_strategies import cti_message

NUMBERS = sorted(CtiMessage.registry)
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "ctiqbe.json").read_text())


def plain(value: Any) -> Any:
    """A message as construct takes it: mappings, and None for the string that is not there."""
    if dataclasses.is_dataclass(value):
        return {
            field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    return None if value is NULL else value


def same(parsed: Any, ours: Any) -> bool:
    if dataclasses.is_dataclass(ours):
        return all(
            same(parsed[field.name], getattr(ours, field.name))
            for field in dataclasses.fields(ours)
            if field.name != "trailing"
        )
    if isinstance(ours, tuple):
        return len(parsed) == len(ours) and all(map(same, parsed, ours))
    if ours is NULL:
        return parsed is None
    return bool((int(parsed) if isinstance(ours, int) else parsed) == ours)


@pytest.mark.parametrize("number", NUMBERS, ids=lambda n: CtiMessage.registry[n].__name__)
def test_construct_and_our_codec_build_and_parse_the_same(number: int) -> None:
    declaration: Any = CtiMessage.registry[number]
    forms = {
        to_server: messages.as_construct(declaration, to_server=to_server)
        for to_server in (True, False)
    }

    @settings(max_examples=8, suppress_health_check=SLOW)
    @given(cti_message(declaration))
    def hold(message: Any) -> None:
        for to_server, form in forms.items():
            frame = messages.encode(message, to_server=to_server)
            assert form.build(plain(message)) == frame
            assert same(form.parse(frame), messages.decode(frame))

    hold()


# Client 11.5 knows one event without its last field: a shorter fixed part than the declared one.
WHOLE = [
    vector
    for vector in VECTORS["messages"]
    if (vector["message"], vector["client"]) != ("CallAttributeInfoEvent", "11.5")
]


@pytest.mark.parametrize("vector", WHOLE, ids=lambda v: f"{v['message']}-{v['client']}")
def test_construct_reads_what_the_client_of_cisco_wrote_and_accepted(vector: Any) -> None:
    frame = bytes.fromhex(vector["hex"])
    ours: Any = messages.decode(frame)
    form = messages.as_construct(type(ours), to_server=vector["to_server"])
    assert same(form.parse(frame), ours)
