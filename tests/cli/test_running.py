"""What the programs print of the log."""

from __future__ import annotations

import logging
import re
import socket
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from loopback import NETWORK

from pa_telephony import pcap
from pa_telephony.cli import running
from pa_telephony.cli.main import cli
from pa_telephony.cti import messages as cti_messages
from pa_telephony.faults import NEWS
from pa_telephony.sccp import messages as sccp_messages
from pa_telephony.trace import FrameRecord


class Clock:
    """A monotonic clock that the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(running, "time", SimpleNamespace(monotonic=lambda: self.now))


@pytest.fixture
def logger() -> logging.Logger:
    """The package's logger, which is as before when the test is over (conftest.py)."""
    return logging.getLogger("pa_telephony")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_the_same_line_is_printed_once_a_minute(
    clock: Clock, capsys: pytest.CaptureFixture[str], logger: logging.Logger
) -> None:
    running.log_to_terminal()
    for clock.now in (0.0, 1.0, 59.0, 60.0, 61.0):
        logger.warning("%s does not answer", "10.0.0.5")
    logger.warning("something else")
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == [
        "10.0.0.5 does not answer",
        "10.0.0.5 does not answer",
        "something else",
    ]


def test_so_many_different_lines_are_remembered_and_no_more(
    clock: Clock, capsys: pytest.CaptureFixture[str], logger: logging.Logger
) -> None:
    running.log_to_terminal()
    for number in range(1001):
        logger.info("line %d", number)
    capsys.readouterr()
    logger.info("line 1000")
    assert capsys.readouterr().err == ""
    logger.info("line 0")
    assert capsys.readouterr().err.endswith("line 0\n")


def test_a_long_line_is_printed_to_its_end_and_printably(
    clock: Clock, capsys: pytest.CaptureFixture[str], logger: logging.Logger
) -> None:
    running.log_to_terminal()
    logger.info("it said %s, so it is refused: \x1b[2Jno such device", "ab" * 500)
    assert capsys.readouterr().err.endswith(r"so it is refused: \x1b[2Jno such device" + "\n")


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "86401", "soon"])
@pytest.mark.parametrize(
    "command",
    [
        ["phone", "SEP000000001001", "--answer", "--for"],
        ["start", "--cluster", "none.toml", "--within"],
        ["stop", "--cluster", "none.toml", "--within"],
    ],
)
def test_an_option_in_seconds_takes_seconds_that_end(command: list[str], seconds: str) -> None:
    """A range of click lets nan through, which no clock takes."""
    done = CliRunner().invoke(cli, [*command, seconds])
    assert done.exit_code == 2
    assert f"Invalid value for '{command[-1]}'" in done.output


def test_news_are_printed_however_often_they_come(
    clock: Clock, capsys: pytest.CaptureFixture[str], logger: logging.Logger
) -> None:
    """A phone that comes back within a minute reads like one that came before."""
    running.log_to_terminal()
    for _ in range(3):
        logger.info("P1 is registered", extra=NEWS)
    assert capsys.readouterr().err.count("P1 is registered") == 3


@pytest.mark.parametrize(
    ("options", "printed"),
    [
        ({}, ["registered", "refused"]),
        ({"quiet": True}, ["refused"]),
        ({"verbose": True}, ["RegisterReq", "registered", "refused"]),
    ],
)
def test_the_log_has_as_much_as_its_reader_wants(
    options: dict[str, bool],
    printed: list[str],
    capsys: pytest.CaptureFixture[str],
    logger: logging.Logger,
) -> None:
    running.log_to_terminal(**options)
    logger.debug("RegisterReq")
    logger.info("registered")
    logger.warning("refused")
    assert [line.split(" ", 1)[1] for line in capsys.readouterr().err.splitlines()] == printed


def test_the_log_goes_to_a_file_with_the_date_and_is_its_owners_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], logger: logging.Logger
) -> None:
    file = tmp_path / "call manager.log"
    running.log_to_terminal(file=file)
    logger.info("1001 calls 1002")
    file.rename(tmp_path / "old.log")
    logger.info("1002 answers")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d 1002 answers\n", file.read_text())
    assert stat.S_IMODE((tmp_path / "old.log").stat().st_mode) == 0o600
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("command", ["callmanager", "server"])
def test_a_log_that_cannot_be_written_and_options_that_contradict_are_refused(
    command: str, tmp_path: Path, logger: logging.Logger
) -> None:
    needed = {
        "callmanager": ["--config", "none.toml"],
        "server": ["--cluster", "none.toml", "--name", "PA1"],
    }
    file = tmp_path / "none" / "x.log"
    done = CliRunner().invoke(cli, [command, *needed[command], "--log-file", str(file)])
    assert done.exit_code == 1
    assert f"--log-file {file}: No such file or directory" in done.output
    done = CliRunner().invoke(cli, [command, *needed[command], "-v", "-q"])
    assert done.exit_code == 2
    assert "-v or -q, not both" in done.output


@pytest.mark.parametrize("name", ["a.pcapng", "a.cap", "a.pcap.gz", "a.PCAPNG"])
def test_a_trace_whose_name_promises_what_is_not_written_is_refused(
    tmp_path: Path, name: str
) -> None:
    file = tmp_path / name
    done = CliRunner().invoke(cli, ["callmanager", "--config", "none.toml", "--trace", str(file)])
    assert done.exit_code == 2
    assert "is not written: give FILE.pcap, or FILE.jsonl" in done.output
    assert not file.exists()


@pytest.mark.parametrize("name", ["a.pcap", "a.PCAP"])
def test_a_trace_is_a_pcap_whatever_the_case_of_its_end(tmp_path: Path, name: str) -> None:
    with running.open_trace(tmp_path / name):
        pass
    assert [*pcap.read_pcap(tmp_path / name)] == []


def test_a_port_that_somebody_has_is_told_as_what_it_is(
    tmp_path: Path, logger: logging.Logger
) -> None:
    """No connection was lost, whatever the exception is called."""
    config = tmp_path / "empty.toml"
    config.touch()
    with socket.create_server((f"{NETWORK}.1", 0)) as listener:
        host, port = listener.getsockname()
        options = ["--config", str(config), "--host", host, "--sccp-port", str(port)]
        done = CliRunner().invoke(cli, ["callmanager", *options])
    assert done.exit_code == 1
    assert done.output == f"Error: {host}:{port}: Address already in use\n"


def test_messages_are_logged_by_their_names_alone_when_that_is_asked_for(
    capsys: pytest.CaptureFixture[str], logger: logging.Logger
) -> None:
    assert running.log_messages(None) is None
    running.log_to_terminal(verbose=True)
    trace = running.log_messages(None)
    assert trace is not None
    here, there = ("127.0.0.1", 2000), ("10.0.0.5", 4711)
    key = sccp_messages.encode(sccp_messages.KeypadButton(kp_button=7), 20)
    trace(FrameRecord(0.0, "sccp", "received", here, there, key))
    trace(FrameRecord(0.0, "cti", "sent", here, there, bytes(16) + (9999).to_bytes(4, "little")))
    close = cti_messages.encode(
        cti_messages.ProviderCloseRequest(sequence_number=7), to_server=True
    )
    trace(FrameRecord(0.0, "cti", "sent", here, there, close))
    lines = [line.split(" ", 1)[1] for line in capsys.readouterr().err.splitlines()]
    assert lines == [
        "<- 10.0.0.5:4711 KeypadButton",
        "-> 10.0.0.5:4711 message 0x270f",
        "-> 10.0.0.5:4711 ProviderCloseRequest",
    ]


def test_a_log_file_is_its_owners_alone_also_after_it_was_moved_away(tmp_path: Path) -> None:
    file = tmp_path / "log"
    logger = logging.getLogger("pa_telephony")
    before = list(logger.handlers), logger.level, logger.propagate
    try:
        running.log_to_terminal(file=file)
        logger.warning("one")
        file.rename(tmp_path / "log.1")
        logger.warning("two")
    finally:
        for handler in logger.handlers[len(before[0]) :]:
            handler.close()
        logger.handlers, logger.level, logger.propagate = before
    for name, text in (("log.1", "one"), ("log", "two")):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
        assert (tmp_path / name).read_text().endswith(f"{text}\n")


def test_the_name_of_each_message_is_logged_however_often_it_comes(tmp_path: Path) -> None:
    file = tmp_path / "log"
    logger = logging.getLogger("pa_telephony")
    before = list(logger.handlers), logger.level, logger.propagate
    try:
        running.log_to_terminal(verbose=True, file=file)
        for _ in range(3):
            logger.debug("-> 10.0.0.1:2000 KeypadButton")
            logger.info("the same as ever")
    finally:
        for handler in logger.handlers[len(before[0]) :]:
            handler.close()
        logger.handlers, logger.level, logger.propagate = before
    text = file.read_text()
    assert (text.count("KeypadButton"), text.count("the same as ever")) == (3, 1)
