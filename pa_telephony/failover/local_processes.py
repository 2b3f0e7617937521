"""The processes of servers on this machine, for its agent: started, found by their locks, ended.

A process is told apart by a descriptor of it (``pidfd``), never by its number alone, which another
process may have by then. What is started here is in a session of its own, so that neither a Ctrl-C
nor the end of its agent reaches it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import trio

from pa_telephony.failover.agent import Child
from pa_telephony.failover.agents import Health
from pa_telephony.failover.stores.locks import process_of

__all__ = ["LocalProcesses"]


class LocalProcesses:
    """The launcher of an agent; see the module.

    ``store`` is the path whose disk is looked at, and ``locks`` the directory of the locks by which
    processes are found. ``command`` gives what is run for a server. ``log_directory`` gets a file
    ``NAME.log`` of what each server prints; without it they print where the agent does.
    """

    def __init__(
        self,
        store: Path,
        locks: Path,
        command: Callable[[str], Sequence[str]],
        log_directory: Path | None = None,
    ) -> None:
        self._store = store
        self._locks = locks
        self._command = command
        self._log_directory = log_directory

    async def start(self, name: str) -> Child:
        """Start a process of the server; raises OSError."""
        with self._log(name) as log:
            process = await trio.lowlevel.open_process(
                list(self._command(name)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return _Started(process)

    def _log(self, name: str) -> contextlib.AbstractContextManager[int | None]:
        if self._log_directory is None:
            return contextlib.nullcontext()
        self._log_directory.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._log_directory / f"{name}.log", flags, 0o600)
        return contextlib.closing(_Descriptor(descriptor))

    def find(self, name: str) -> Child | None:
        """The process that holds the server's lock; None when there is none."""
        number = process_of(self._locks, name)
        if number is None:
            return None
        try:
            descriptor = os.pidfd_open(number)
        except OSError:
            return None
        if process_of(self._locks, name) != number:
            # It has ended meanwhile, and its number may be another's.
            os.close(descriptor)
            return None
        return _Found(descriptor)

    def health(self) -> Health:
        """How this machine is."""
        return Health(
            round(os.getloadavg()[0], 2),
            _available_memory(),
            shutil.disk_usage(self._store.parent).free >> 20,
        )


class _Descriptor(int):
    """A descriptor that is closed as a file is."""

    def close(self) -> None:
        os.close(self)


class _Started:
    """A process that was started here."""

    def __init__(self, process: trio.Process) -> None:
        self._process = process

    async def wait(self) -> str:
        code = await self._process.wait()
        if code < 0:
            return f"signal {signal.Signals(-code).name}"
        return f"exit status {code}"

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


class _Found:
    """A process that was there before its agent."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    async def wait(self) -> str:
        try:
            await trio.lowlevel.wait_readable(self._descriptor)
        finally:
            os.close(self._descriptor)
            self._descriptor = -1
        return "nobody saw how"

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        if self._descriptor >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)


def _available_memory() -> int:
    """MiB that may still be used; 0 where the kernel does not say."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) >> 10
    return 0
