"""Bugs are told in the log and in the trace, and telling them fails nobody."""

from __future__ import annotations

import logging

import pytest

from pa_telephony.faults import report_fault
from pa_telephony.trace import EventRecord, JsonLinesTrace, Record, Trace

pytestmark = pytest.mark.makes_bugs


def a_bug() -> Exception:
    try:
        raise KeyError("nobody thought of that")
    except KeyError as error:
        return error


def report(error: Exception, trace: Trace | None = None, frame: bytes = b"\x04\0") -> None:
    report_fault(
        error,
        protocol="sccp",
        who="SEP1",
        remote=("10.0.0.1", 4711),
        frame=frame,
        trace=trace,
        now=1.5,
    )


def test_the_log_has_the_traceback_the_peer_and_the_frame(caplog: pytest.LogCaptureFixture) -> None:
    report(error := a_bug())
    [logged] = caplog.records
    assert (logged.name, logged.levelno) == ("pa_telephony.sccp", logging.ERROR)
    assert logged.exc_info is not None
    assert logged.exc_info[1] is error
    assert "SEP1 at 10.0.0.1:4711" in logged.getMessage()
    assert "0400" in logged.getMessage()
    assert logged.stack_info is None


def test_without_a_frame_the_log_has_the_stack(caplog: pytest.LogCaptureFixture) -> None:
    report(a_bug(), frame=b"")
    [logged] = caplog.records
    assert "test_without_a_frame" in (logged.stack_info or "")


def test_the_trace_has_the_exception_and_a_file_its_traceback(
    tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    records: list[Record] = []
    report(error := a_bug(), records.append)
    [event] = records
    assert isinstance(event, EventRecord)
    assert (event.time, event.kind, event.error) == (1.5, "sccp.internal_error", error)
    path = tmp_path_factory.mktemp("trace") / "trace.jsonl"
    with JsonLinesTrace(path) as trace:
        trace(event)
    [line] = path.read_text().splitlines()
    assert "in a_bug" in line
    assert '"frame": "0400"' in line


def test_a_trace_that_fails_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def full(record: Record) -> None:
        raise OSError("disk full")

    report(a_bug(), full)
    assert [each.getMessage() for each in caplog.records][1:] == ["the trace failed, too"]


def test_what_is_to_end_the_program_is_not_held_up_by_the_trace() -> None:
    def stop(record: Record) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        report(a_bug(), stop)
