"""What the programs print of the log."""

from __future__ import annotations

import logging
from collections.abc import Generator
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from pa_telephony.cli import running
from pa_telephony.cli.main import cli


class Clock:
    """A monotonic clock that the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(running, "time", SimpleNamespace(monotonic=lambda: self.now))


@pytest.fixture
def logger() -> Generator[logging.Logger]:
    """The package's logger, which is as before when the test is over."""
    found = logging.getLogger("pa_telephony")
    before = found.level, found.propagate, list(found.handlers)
    yield found
    found.setLevel(before[0])
    found.propagate = before[1]
    found.handlers[:] = before[2]


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
