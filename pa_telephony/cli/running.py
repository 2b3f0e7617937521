"""What the commands that run until they are stopped have in common."""

from __future__ import annotations

import functools
import gc
import logging
import logging.handlers
import os
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import click
import trio

from pa_telephony.cli.stalls import watch_stalls
from pa_telephony.cti.messages.base import CtiMessage
from pa_telephony.durations import LONGEST, is_duration
from pa_telephony.printable import printable_lines
from pa_telephony.program import until_stopped
from pa_telephony.sccp.messages.base import SccpMessage
from pa_telephony.tasks import background
from pa_telephony.trace import FrameRecord, JsonLinesTrace, PcapTrace, Record, Trace, tee

__all__ = [
    "FILLED",
    "SECONDS",
    "keep_for_good",
    "log_messages",
    "log_options",
    "log_to_terminal",
    "open_trace",
    "run_until_stopped",
    "stalls_option",
    "trace_options",
]

_AGAIN = 60.0
"""Seconds for which the same line is not printed again."""
_REMEMBERED = 1000


class _Seconds(click.FloatRange):
    """A range of seconds; the one of click lets nan through."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        seconds = super().convert(value, param, ctx)
        if not is_duration(seconds):
            self.fail(f"{value} is no number of seconds.", param, ctx)
        return seconds


SECONDS = _Seconds(0.0, LONGEST)
"""The type of an option that is a number of seconds: 0 to a day, and neither inf nor nan."""


class _Filled(click.types.StringParamType):
    """A text that says something; an empty one is often a variable that is not set."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not value:
            self.fail("it is empty.", param, ctx)
        return super().convert(value, param, ctx)


FILLED = _Filled()
"""The type of an option that is a text and not empty."""

_NOT_WRITTEN = (".pcapng", ".cap", ".gz")
"""Ends of a trace's name that promise what is not written."""

Command = TypeVar("Command", bound=Callable[..., Any])


def _trace_file(
    context: click.Context, parameter: click.Parameter, path: Path | None
) -> Path | None:
    if path is not None and path.suffix.lower() in _NOT_WRITTEN:
        raise click.BadParameter(f"{path.suffix} is not written: give FILE.pcap, or FILE.jsonl")
    return path


def _with_trace(context: click.Context, parameter: click.Parameter, given: bool) -> bool:
    if given and context.params["trace_file"] is None:
        raise click.UsageError(f"{parameter.opts[0]} goes with --trace")
    return given


def trace_options(command: Command) -> Command:
    """Add ``--trace`` (``trace_file``) and ``--trace-keyed``, for :func:`open_trace`."""
    file = click.option(
        "--trace",
        "trace_file",
        type=click.Path(dir_okay=False, path_type=Path),
        callback=_trace_file,
        is_eager=True,  # known before the options that go with it
        help="Write all traffic to FILE.pcap, or as JSON lines to any other name.",
    )
    keyed = click.option(
        "--trace-keyed",
        is_flag=True,
        callback=_with_trace,
        help="Keep in it what people key, which may be a PIN; it is covered otherwise.",
    )
    return file(keyed(command))


def stalls_option(command: Command) -> Command:
    """Add the option ``--trace-stalls``, for :func:`run_until_stopped`."""
    return click.option(
        "--trace-stalls",
        is_flag=True,
        callback=_with_trace,
        help="Note in it when the process stood still, by looking a hundred times a second.",
    )(command)


class _Once(logging.Filter):
    """Drops a line that was printed within the last minute; failing steps are repeated often.

    But for news (:data:`~pa_telephony.faults.NEWS`): what comes, goes and comes back is told. And
    the names of messages, which are asked for with ``-v``.
    """

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, "news", False) or record.levelno <= logging.DEBUG:
            return True
        text, now = record.getMessage(), time.monotonic()
        if self._last.get(text, -_AGAIN) + _AGAIN > now:
            return False
        if len(self._last) >= _REMEMBERED:
            self._last.clear()
        self._last[text] = now
        return True


class _Printable(logging.Formatter):
    """Escapes control characters in lines, as texts of peers stand in them and in exceptions."""

    def format(self, record: logging.LogRecord) -> str:
        return printable_lines(super().format(record))


class _PrivateFile(logging.handlers.WatchedFileHandler):
    """A log that is its owner's alone, also when it is made anew because it was moved away."""

    def _open(self) -> Any:
        def private(path: str, flags: int) -> int:
            return os.open(path, flags, 0o600)

        return open(self.baseFilename, self.mode, encoding=self.encoding, opener=private)


def log_options(command: Command) -> Command:
    """Add ``-v``, ``-q`` and ``--log-file``, and begin the log as they say before the command."""

    @functools.wraps(command)
    def run(*args: Any, verbose: bool, quiet: bool, log_file: Path | None, **named: Any) -> Any:
        if verbose and quiet:
            raise click.UsageError("-v or -q, not both")
        log_to_terminal(verbose=verbose, quiet=quiet, file=log_file)
        return command(*args, **named)

    for option in (
        click.option(
            "--log-file",
            type=click.Path(dir_okay=False, path_type=Path),
            help="Log to this file, with the date, in place of the terminal.",
        ),
        click.option("-q", "--quiet", is_flag=True, help="Log warnings and errors alone."),
        click.option("-v", "--verbose", is_flag=True, help="Log the name of each message, too."),
    ):
        run = option(run)
    return cast("Command", run)


def log_to_terminal(
    *, verbose: bool = False, quiet: bool = False, file: Path | None = None
) -> None:
    """Print what this package logs, from INFO on, each line with the time of day.

    Or write it to a file, which is its owner's alone, and made anew when it was moved away. Raises
    :class:`click.ClickException` for one that cannot be written.
    """
    handler: logging.Handler = logging.StreamHandler()
    if file is not None:
        try:
            handler = _PrivateFile(file, encoding="utf-8")
        except OSError as error:
            raise click.ClickException(f"--log-file {file}: {error.strerror}") from error
    date = "" if file is None else "%Y-%m-%d "
    handler.setFormatter(_Printable("%(asctime)s %(message)s", f"{date}%H:%M:%S"))
    handler.addFilter(_Once())
    if quiet:
        handler.setLevel(logging.WARNING)
    logger = logging.getLogger("pa_telephony")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if verbose else logging.INFO)
    logger.propagate = False


def log_messages(trace: Trace | None) -> Trace | None:
    """``trace``, and the names of messages in the log where it is told of everything (DEBUG).

    Of a message there is the name alone, since it may hold what somebody has keyed.
    """
    logs = {name: logging.getLogger(f"pa_telephony.{name}") for name in ("sccp", "cti")}
    if not any(log.isEnabledFor(logging.DEBUG) for log in logs.values()):
        return trace
    named = {"sccp": (8, SccpMessage.registry), "cti": (16, CtiMessage.registry)}

    def log_message(record: Record) -> None:
        if isinstance(record, FrameRecord):
            at, kinds = named[record.protocol]
            number = int.from_bytes(record.data[at : at + 4], "little")
            name = kinds[number].__name__ if number in kinds else f"message 0x{number:04x}"
            arrow = "<-" if record.direction == "received" else "->"
            logs[record.protocol].debug("%s %s:%s %s", arrow, *record.remote, name)

    return log_message if trace is None else tee(trace, log_message)


def keep_for_good() -> None:
    """Exempt all present objects from garbage collection, since they stay until the end.

    For a program that has loaded its modules and its configuration: a full collection stops all,
    sound too, for 40 to 90 ms on a busy machine, and would find nothing of these.
    """
    gc.collect()
    gc.freeze()


def run_until_stopped(main: Callable[[], Awaitable[None]], stalls: Trace | None = None) -> None:
    """Run ``main``; SIGTERM and SIGINT cancel it, so that it says goodbye to its peers.

    A second signal gets its ordinary effect, for users without patience. ``stalls`` is told when
    the process stood still meanwhile (:mod:`pa_telephony.cli.stalls`), which costs two per cent of
    a core.
    """

    async def run() -> None:
        async with background() as tasks:
            if stalls is not None:
                tasks.start_soon(watch_stalls, stalls)
            await main()

    trio.run(until_stopped, run)


@contextmanager
def open_trace(path: Path | None, *, keyed: bool = False) -> Generator[Trace | None]:
    """A trace into a file: ``.pcap`` for Wireshark, anything else as JSON lines.

    ``keyed`` keeps what people have keyed in it. Raises :class:`click.ClickException` for a file
    that cannot be written.
    """
    if path is None:
        yield None
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = PcapTrace if path.suffix.lower() == ".pcap" else JsonLinesTrace
    try:
        file = kind(path, keyed=keyed)
    except OSError as error:
        raise click.ClickException(f"--trace {path}: {error.strerror}") from error
    with file as trace:
        yield trace
