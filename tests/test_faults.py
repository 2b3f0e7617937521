"""Bugs are told in the log and in the trace, and telling them fails no connection."""

from __future__ import annotations

import logging

import pytest

from pa_telephony.errors import CallEnded, InternalError, RequestFailed
from pa_telephony.faults import HandlerErrors, Seldom, report_bug, report_fault
from pa_telephony.trace import EventRecord, JsonLinesTrace, Record, Trace

pytestmark = pytest.mark.makes_bugs


def test_what_happens_again_and_again_is_told_so_often_a_minute_and_counted() -> None:
    seldom = Seldom(at_once=2)
    assert [seldom.due(now) for now in (0.0, 1.0, 2.0, 59.0)] == [True, True, False, False]
    assert seldom.due(60.0)
    assert seldom.times() == " (2 times more since the last time this was told)"
    assert [seldom.due(now) for now in (61.0, 62.0, 120.0)] == [True, False, True]
    assert not Seldom().times()


def test_a_bug_that_is_not_to_be_logged_is_traced_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Who knows of one can have it as often as it likes; traces have a limit of their own."""
    records: list[Record] = []
    report(a_bug(), records.append, times=None)
    assert not caplog.records
    report(a_bug(), records.append, times=" (7 times more)")
    assert "internal error (7 times more); the connection" in caplog.text
    assert len(records) == 2


@pytest.mark.parametrize(
    ("error", "level", "text"),
    [
        (RequestFailed(17, "user busy"), "WARNING", "a call to 6000 ends: user busy"),
        (ValueError("x"), "ERROR", "a call to 6000 ends: its handler failed: ValueError: x"),
        (InternalError("oh"), "ERROR", "a call to 6000 ends: oh"),
        (
            ExceptionGroup("", [CallEnded(), ValueError("x")]),
            "ERROR",
            "a call to 6000 ends: its handler failed: ValueError: x",
        ),
    ],
)
def test_an_exception_of_a_handler_is_told_and_does_not_come_out(
    error: Exception, level: str, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    errors = HandlerErrors(logging.getLogger("pa_telephony.cti"), "6000")
    with errors.of_a_call(lambda: 0.0):
        raise error
    [logged] = caplog.records
    assert (logged.levelname, logged.getMessage()) == (level, text)
    assert (logged.exc_info is not None) == (errors.bugs == 1) == (level == "ERROR")


def test_that_a_call_has_ended_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    errors = HandlerErrors(logging.getLogger("pa_telephony.cti"), "6000")
    with errors.of_a_call(lambda: 0.0):
        raise CallEnded(17)
    assert not caplog.records
    assert not errors.bugs


@pytest.mark.parametrize(
    "passes", [KeyboardInterrupt(), BaseExceptionGroup("", [SystemExit(), ValueError("x")])]
)
def test_what_ends_the_program_passes_and_what_failed_beside_it_is_told(
    passes: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    errors = HandlerErrors(logging.getLogger("pa_telephony.cti"), "6000")
    with pytest.raises(BaseException) as caught, errors.of_a_call(lambda: 0.0):  # noqa: PT011
        raise passes
    if isinstance(caught.value, BaseExceptionGroup):
        assert [type(each) for each in caught.value.exceptions] == [SystemExit]
        assert "ValueError: x" in caplog.text


def test_a_handler_that_always_fails_does_not_fill_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    errors = HandlerErrors(logging.getLogger("pa_telephony.cti"), "6000")
    for call in range(100):
        with errors.of_a_call(lambda: 1.0):
            raise ValueError(call)
    assert errors.bugs == 100
    assert len(caplog.records) == 20


def a_bug() -> Exception:
    try:
        raise KeyError("nobody thought of that")
    except KeyError as error:
        return error


def report(
    error: Exception,
    trace: Trace | None = None,
    message: str = "OffHook (0x0006)",
    frame: bytes = b"\x04\0",
    times: str | None = "",
) -> None:
    report_fault(
        error,
        protocol="sccp",
        who="SEP1",
        remote=("10.0.0.1", 4711),
        message=message,
        frame=frame,
        trace=trace,
        now=1.5,
        times=times,
    )


def test_the_log_has_the_traceback_the_peer_and_the_frame(caplog: pytest.LogCaptureFixture) -> None:
    report(error := a_bug())
    [logged] = caplog.records
    assert (logged.name, logged.levelno) == ("pa_telephony.sccp", logging.ERROR)
    assert logged.exc_info is not None
    assert logged.exc_info[1] is error
    assert "SEP1 at 10.0.0.1:4711" in logged.getMessage()
    assert logged.getMessage().endswith("it said: OffHook (0x0006): 0400")
    assert logged.stack_info is None


def test_a_frame_that_is_withheld_leaves_its_name(caplog: pytest.LogCaptureFixture) -> None:
    report(a_bug(), message="KeypadButton (0x0003)", frame=b"")
    [logged] = caplog.records
    assert logged.getMessage().endswith("it said: KeypadButton (0x0003)")
    assert logged.stack_info is None


def test_a_bug_at_nobodys_message_is_told_as_well(caplog: pytest.LogCaptureFixture) -> None:
    records: list[Record] = []
    report_bug(error := a_bug(), part="callmanager", trace=records.append, now=1.5)
    [logged] = caplog.records
    assert logged.name == "pa_telephony.callmanager"
    assert logged.exc_info is not None
    assert logged.exc_info[1] is error
    [event] = records
    assert isinstance(event, EventRecord)
    assert (event.kind, event.error) == ("callmanager.internal_error", error)
    assert "in a_bug" in str(event.fields["traceback"])


def test_without_a_message_the_log_has_the_stack(caplog: pytest.LogCaptureFixture) -> None:
    report(a_bug(), message="", frame=b"")
    [logged] = caplog.records
    assert "test_without_a_message" in (logged.stack_info or "")


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
    assert '"message": "OffHook (0x0006)"' in line


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
