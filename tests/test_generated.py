"""Code made from declarations: every message has its fast way, and a debugger can show it."""

from __future__ import annotations

import linecache
import traceback
from typing import Any

import pytest

from pa_telephony.cti.messages import CtiMessage
from pa_telephony.sccp.layouts import codec_of
from pa_telephony.sccp.messages import SccpMessage, StartTone
from pa_telephony.wire.generated import make_function
from pa_telephony.wire.offset import codec as offset
from pa_telephony.wire.sequential.reader import Reader
from pa_telephony.wire.sequential.writer import Writer

VERSIONS = range(23)


def patient(*_: Any) -> Any:
    raise AssertionError("this was read or written the patient way")


@pytest.mark.parametrize("declaration", SccpMessage.registry.values(), ids=lambda m: m.__name__)
def test_every_sccp_message_has_its_fast_way_in_every_version(declaration: Any) -> None:
    ways = [
        way
        for version in VERSIONS
        for way in (
            Reader(declaration, version).compile(patient),
            Writer.body(declaration, version, patient),
        )
    ]
    assert patient not in ways


@pytest.mark.parametrize("declaration", CtiMessage.registry.values(), ids=lambda m: m.__name__)
def test_every_cti_message_has_its_fast_way(declaration: Any) -> None:
    assert offset._reader(declaration).__code__.co_filename == f"<decode {declaration.__name__}>"
    for to_server in (False, True):
        made = offset._writer(declaration, to_server)
        assert made.__code__.co_filename == f"<encode {declaration.__name__}>"


def test_a_traceback_shows_the_line_of_made_code_that_failed() -> None:
    made = make_function("divide by nothing", "def made(value):\n return value / 0\n", {})
    with pytest.raises(ZeroDivisionError) as failed:
        made(1)
    assert "return value / 0" in "".join(traceback.format_tb(failed.tb))
    assert made.__qualname__ == "divide_by_nothing"


def test_a_debugger_finds_the_lines_that_decode_a_message() -> None:
    codec_of(StartTone, 20).decode(b"")
    decode = codec_of(StartTone, 20).decode
    linecache.checkcache()
    lines = linecache.getlines(decode.__code__.co_filename)
    assert any("m.tone" in line for line in lines), lines
