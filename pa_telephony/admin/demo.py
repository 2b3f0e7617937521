"""A cluster to try the pages with: a call manager, an agent, PA1 and PA2, all of one folder.

As in Cisco's document 44922, at loopback addresses. All that runs ends with it; the folder goes.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path

import trio

from pa_telephony import failover
from pa_telephony.errors import ConnectionLost, TelephonyError
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.config import (
    ApplicationConfig,
    ClusterConfig,
    JtapiProvider,
    ServerConfig,
    SkinnyProvider,
)
from pa_telephony.failover.intent import Command
from pa_telephony.failover.speech import SpeechConfig
from pa_telephony.failover.stored import stored
from pa_telephony.failover.stores.sqlite import SqliteView
from pa_telephony.rtp import tones, wav
from pa_telephony.rtp.audio import Audio

__all__ = ["CALL_MANAGER", "CONTROL", "PHONES", "SERVERS", "TRACES", "open_demo"]

CALL_MANAGER = "127.0.0.10"
SERVERS = {"PA1": "127.0.0.11", "PA2": "127.0.0.12"}
CONTROL = "control"
"""The call manager's control socket, in the folder of the cluster's file."""
PHONES = (*map(str, range(1001, 1041)), "5123")
"""The numbers of phones, more than a server may have calls; their devices are SEP00000000 and the
number."""
_PORTS = (("6001", 18), ("6101", 24))
"""Media ports that the call manager has: those of PA1, and those of PA2 in active mode."""
TRACES = "traces"
"""The folder of what servers trace, beside the cluster's file."""
_GREETING_SECONDS = 300.0

_CALL_MANAGER = """\
[search_spaces]
phones = ["PA", ""]
extensions = ["PAManaged", ""]

[[user]]
name = "pa"
password = "secret"

[[device]]
name = "PA1-RP-6000"
kind = "route point"
lines = [{ number = "6000" }]

[[device]]
name = "PA2-RP-6100"
kind = "route point"
lines = [{ number = "6100" }]

[[device]]
name = "PA1-RP-5XXX"
kind = "route point"

[[device.lines]]
number = "5XXX"
partition = "PA"
search_space = "extensions"
forward_failure = "5XXX"
forward_search_space = "extensions"
"""
_PORT = """
[[device]]
name = "PA1-VI{count}"
kind = "media port"
lines = [{{ number = "{number}", max_calls = 1 }}]
"""
_PHONE = """
[[device]]
name = "SEP00000000{number}"
lines = [{{ number = "{number}", partition = "{partition}", search_space = "phones" }}]
"""


def call_manager_text() -> str:
    """The call manager's configuration."""
    numbers = [str(int(begin) + place) for begin, count in _PORTS for place in range(count)]
    ports = "".join(_PORT.format(count=at, number=each) for at, each in enumerate(numbers, 1))
    phones = "".join(
        _PHONE.format(number=each, partition="PAManaged" if each[0] == "5" else "")
        for each in PHONES
    )
    return _CALL_MANAGER + ports + phones


def beginning(directory: Path) -> ClusterConfig:
    """What a cluster of the demo has before it has servers: providers, and a greeting."""
    return ClusterConfig(
        servers=(),
        providers=(
            JtapiProvider("PA1jtapi", hosts=(CALL_MANAGER,), user="pa", password="secret"),
            SkinnyProvider("pa1skinny", hosts=(CALL_MANAGER,), device_name_prefix="PA1-VI"),
        ),
        application=ApplicationConfig(greeting=str(directory / "greeting.wav")),
        store="state/cluster.db",
        file=str(directory / "cluster.toml"),
    )


def configured(config: ClusterConfig) -> Cluster:
    """The cluster of the document: PA1 active, PA2 its spare."""
    pa1 = ServerConfig(
        server_name="PA1",
        hostname_or_ip_address=SERVERS["PA1"],
        route_address_provider="PA1jtapi",
        route_address="6000",
        media_port_provider="pa1skinny",
        media_port_beginning_address="6001",
        number_of_media_ports=2,
        interceptor_port_provider="PA1jtapi",
        interceptor_ports=("5XXX",),
        fail_over_server_names=("PA2",),
    )
    pa2 = ServerConfig(
        server_name="PA2",
        hostname_or_ip_address=SERVERS["PA2"],
        route_address_provider="PA1jtapi",
        media_port_provider="pa1skinny",
        interceptor_port_provider="PA1jtapi",
    )
    hosts = tuple(SERVERS.values())
    speech = SpeechConfig(
        speech_recognition_server_hosts=hosts, speech_recognition_license_manager_hosts=hosts
    )
    return Cluster(
        servers=(pa1, pa2),
        providers=config.providers,
        application=config.application,
        speech=speech,
        store=config.store,
        file=config.file,
    )


@contextlib.asynccontextmanager
async def open_demo(*, empty: bool) -> AsyncGenerator[ClusterConfig]:
    """Run it; gives what its store has, or will be begun with when it is ``empty``.

    Raises :class:`~pa_telephony.errors.TelephonyError` when something of it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="pa-telephony-") as name:
        directory = Path(name)
        (directory / "callmanager.toml").write_text(call_manager_text())
        quiet = tones.Tone((440.0, 480.0), -20.0).render(0, round(8000 * _GREETING_SECONDS))
        wav.write(directory / "greeting.wav", Audio(quiet))
        begin = beginning(directory)
        # A socket of its own: the well-known place may have that of another demo.
        named = ("--config", "callmanager.toml", "--host", CALL_MANAGER, "--control", CONTROL)
        async with _process(directory, "callmanager", *named):
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_keep_agent, directory, begin.store_path)
                    yield begin if empty else configured(begin)
                    nursery.cancel_scope.cancel()
            finally:
                with trio.CancelScope(shield=True):
                    await _end_servers(begin)


async def _keep_agent(directory: Path, store: Path) -> None:
    """Run the agent as soon as there is something to keep."""
    view = SqliteView(store)
    while True:
        with contextlib.suppress(ConnectionLost):
            if stored(await view.snapshot()) is not None:
                break
        await trio.sleep(0.2)
    words = ("--store", str(store), "--log-directory", "logs", "--trace-directory", TRACES)
    async with _process(directory, "agent", *words):
        await trio.sleep_forever()


async def _end_servers(begin: ClusterConfig) -> None:
    """End the servers, which go on without their agent; it is gone, and starts no more of them."""
    with contextlib.suppress(TelephonyError):
        revision = stored(await SqliteView(begin.store_path).snapshot())
        if revision is not None:
            cluster = revision.cluster(begin.file, begin.store)
            see = functools.partial(failover.control_and_see, cluster, Command.STOP_ALONE)
            with trio.move_on_after(8.0):
                await see(within=8.0)
    # One that has only just been started holds no lock by which it is found.
    for number in _processes_about(begin.store_path):
        with contextlib.suppress(ProcessLookupError):
            descriptor = os.pidfd_open(number)
            try:
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                with trio.move_on_after(2.0):
                    await trio.lowlevel.wait_readable(descriptor)
            finally:
                os.close(descriptor)


def _processes_about(store: Path) -> list[int]:
    """The servers' processes that were given this store, which is of one demo alone."""
    found: list[int] = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = each.read_bytes().split(b"\0")
            if b"server" in words and os.fsencode(store) in words:
                found.append(int(each.parent.name))
    return found


@contextlib.asynccontextmanager
async def _process(directory: Path, *words: str) -> AsyncGenerator[None]:
    """Run ``pa-telephony`` with these words, and wait until it says that it is up."""
    log = directory / f"{words[0]}.log"
    with log.open("wb") as errors:
        process = await trio.lowlevel.open_process(
            [sys.executable, "-m", "pa_telephony", *words],
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=directory,
            start_new_session=True,  # a Ctrl-C is for us, who end it in order
        )
    try:
        assert process.stdout is not None
        if not await process.stdout.receive_some():
            await process.wait()
            said = log.read_text(errors="replace").strip().splitlines()
            raise TelephonyError(f"{words[0]} did not start: {said[-1] if said else 'no reason'}")
        yield
    finally:
        with trio.CancelScope(shield=True):
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            with trio.move_on_after(5.0):
                await process.wait()
            if process.returncode is None:
                process.kill()
                await process.wait()
            if process.stdout is not None:
                await trio.aclose_forcefully(process.stdout)
