"""The application under test as a process that never outlives its test."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Self

from pa_telephony.errors import ConfigurationError
from pa_telephony.testing.thread import is_told_to_the_test

__all__ = ["Application"]

__tracebackhide__ = is_told_to_the_test

_POLITE = 5.0


class Application:
    """A running process; made by :meth:`pa_telephony.testing.CallManager.application`.

    Leaving the ``with`` block sends SIGTERM, and SIGKILL to what is still there 5 s later.
    """

    def __init__(
        self,
        command: Sequence[str | os.PathLike[str]],
        directory: str | os.PathLike[str] | None,
        environment: Mapping[str, str] | None,
    ) -> None:
        if isinstance(command, str):
            raise ConfigurationError(
                f"the command is one text, {command!r}, and has to be a list of its words"
            )
        self.command = [os.fspath(part) for part in command]
        self._directory = directory
        self._environment = environment
        self._file: IO[bytes] | None = None
        self._last_words = ""
        self._ended_by_us = False
        self._process: subprocess.Popen[bytes] | None = None

    def __repr__(self) -> str:
        return f"<Application {' '.join(self.command)}>"

    def __enter__(self) -> Self:
        environment = None
        if self._environment is not None:
            environment = {**os.environ, **self._environment}
        # A pipe would block an application that writes more than is read.
        self._file = tempfile.TemporaryFile()  # closed when the block is left
        try:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=self._file,
                stderr=subprocess.STDOUT,
                cwd=self._directory,
                env=environment,
            )
        except OSError as error:
            self._file.close()
            raise ConfigurationError(
                f"the application cannot be started: {error.filename}: {error.strerror}"
            ) from None
        return self

    def __exit__(self, *exc_info: object) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            self._ended_by_us = True
            process.terminate()
            try:
                process.wait(_POLITE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._last_words = self.output
        if self._file is not None:
            self._file.close()
            self._file = None

    @property
    def status(self) -> int | None:
        """The exit status; None while the process runs, and before it was started."""
        return self._process.poll() if self._process is not None else None

    @property
    def output(self) -> str:
        """All that the process has written so far, standard error included."""
        if self._file is None:
            return self._last_words
        size = os.fstat(self._file.fileno()).st_size
        return os.pread(self._file.fileno(), size, 0).decode(errors="replace")

    def __str__(self) -> str:
        name = Path(self.command[0]).name
        state = "runs" if self.status is None else f"has ended with status {self.status}"
        if self._ended_by_us:
            state = "ran until its block was left"
        last = "".join(f"\n  | {line}" for line in self.output.splitlines()[-20:])
        return f"application {name} {state}; its output:{last or ' none'}"
