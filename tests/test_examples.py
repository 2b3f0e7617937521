"""The examples are run as their reader would run them."""

from __future__ import annotations

import ast
import contextlib
import importlib.metadata
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import numpy as np
import pytest
import trio
from company import cti_port, phone
from loopback import HOST, NETWORK, alone_at
from whole_house import a_manager

from pa_telephony import callmanager, rtp, sccp
from pa_telephony.cli.demo.setting import CALL_MANAGER
from pa_telephony.rtp import g711
from pa_telephony.rtp.g711 import Samples

pytestmark = pytest.mark.real_time

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
_LOUD = 1720.0
"""The effective value of samples."""


@contextlib.asynccontextmanager
async def running(*command: str | Path) -> AsyncGenerator[trio.Process]:
    process = await trio.lowlevel.open_process(
        [sys.executable, "-W", "error", *command], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        with trio.CancelScope(shield=True):
            await process.wait()
            await process.stdout.aclose()


async def line_of(process: trio.Process) -> str:
    assert process.stdout is not None
    line = b""
    while not line.endswith(b"\n"):
        data = await process.stdout.receive_some(1)
        assert data, f"the process ended after {line!r}"
        line += data
    return line.decode().rstrip()


@pytest.mark.parametrize(
    "name",
    [
        *("route_point", "media_port", "cluster", "ivr", "test_router"),
        *("click_to_dial", "monitor"),
    ],
)
def test_the_programs_users_want_to_write_stay_short(name: str) -> None:
    """Lines of code: without the description at the top, comments and blank lines."""
    text = (EXAMPLES / f"{name}.py").read_text()
    described = ast.parse(text).body[0]
    assert isinstance(described, ast.Expr)
    code = [line for line in text.splitlines()[described.end_lineno or 0 :] if line.strip()]
    assert len(code) < 25


def test_two_phones_talk_and_the_example_says_what_was_heard() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / "two_phones.py"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "1002 rings, 1001 calls" in done.stdout
    assert "loudest at 600 Hz" in done.stdout
    assert ", 0 lost" in done.stdout


NOBODY = f"{NETWORK}.99"


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (
            ["route_point.py", "HOST"],
            "not in service: HOST:2748, user app: Connection refused",
        ),
        (["ivr.py", "HOST", "-"], "not in service: HOST:2748, user app: Connection refused"),
        (["media_port.py", "HOST", "-"], "PA1-VI1 is not registered: HOST:2000: Connection"),
        (["softphone.py", "SEP1", "--answer", "--call-manager", "HOST"], "SEP1 is not registered"),
    ],
)
def test_an_example_says_for_what_it_waits_and_ends_quietly_with_ctrl_c(
    command: list[str], says: str
) -> None:
    with subprocess.Popen(
        [
            sys.executable,
            "-W",
            "error",
            EXAMPLES / command[0],
            *(each.replace("HOST", NOBODY) for each in command[1:]),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert says.replace("HOST", NOBODY) in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (err, process.returncode) == ("", 130)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["route_point.py", "CTI"], "CTI, user app: Directory login failed (no such user, or"),
        (["ivr.py", "CTI", "-"], "CTI, user app: Directory login failed (no such user, or"),
        (["media_port.py", "SCCP", "-"], "SCCP refuses PA1-VI1: Device Unknown"),
        (
            ["softphone.py", "SEP1", "--answer", "--call-manager", "SCCP"],
            "SCCP refuses SEP1: Device Unknown",
        ),
    ],
)
async def test_an_example_that_is_refused_says_so_once(command: list[str], says: str) -> None:
    another = callmanager.User(name="app", password="another")
    config = callmanager.CallManagerConfig(users=(another,))
    async with a_manager(config, within=60) as manager:

        def filled(text: str) -> str:
            return text.replace("CTI", manager.cti_address).replace("SCCP", manager.sccp_address)

        done = await trio.run_process(
            [sys.executable, "-W", "error", EXAMPLES / command[0], *map(filled, command[1:])],
            capture_stderr=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        (line,) = done.stderr.decode().splitlines()
        assert line.startswith(filled(says))
        assert done.returncode == 1


@pytest.mark.parametrize("name", ["two_phones", "failover"])
def test_an_example_that_is_interrupted_shows_no_traceback(name: str, tmp_path: Path) -> None:
    with (
        alone_at(CALL_MANAGER),
        subprocess.Popen(
            [sys.executable, "-W", "error", "-u", EXAMPLES / f"{name}.py"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    assert process.returncode == 130


def commands_of_readme() -> tuple[list[list[str]], list[str]]:
    """The commands of the softphone session in the README, and what they print."""
    text = (ROOT / "README.md").read_text()
    (session,) = (
        block
        for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL)
        if "softphone" in block
    )
    commands: list[list[str]] = []
    for line in re.findall(r"^\$ (.*?)(?: &)?$", session, re.MULTILINE):
        program, *arguments = shlex.split(line)
        module = ["-m", "pa_telephony"] if program == "pa-telephony" else []
        commands.append([sys.executable, "-W", "error", *module, *arguments])
    return commands, [line for line in session.splitlines() if not line.startswith("$")]


def rounded(line: str) -> str:
    """A line without the numbers that are never the same twice."""
    return re.sub(r"\d+\.\d s: \d+ packets", "so much", line)


def loud_frames(samples: Samples) -> list[bytes]:
    """The frames of 20 ms that are louder than a fifth of the loudest in the greeting.

    The same for what was said and what was heard of it, of which the loudest may be missing.
    """
    frames = [samples[at : at + 160] for at in range(0, len(samples) - 159, 160)]
    loudness = [float(np.linalg.norm(frame.astype(float))) for frame in frames]
    limit = _LOUD * 160**0.5
    return [each.tobytes() for each, loud in zip(frames, loudness, strict=True) if loud > limit]


def share_heard(sound: Path, recording: Path) -> float:
    """How much of a sound was recorded; what is recorded must be of it, and in its order.

    How much depends on what the machine does meanwhile: a frame that comes too late is not heard.
    """
    wanted = rtp.wav.read(sound).at_rate(8000).samples
    said = loud_frames(g711.ulaw_decode(g711.ulaw_encode(wanted)))
    heard = loud_frames(rtp.wav.read(recording).samples)
    rest = iter(said)
    assert all(frame in rest for frame in heard)
    return len(heard) / len(said)


def test_the_softphones_of_the_readme_print_what_it_says_and_hear_each_other(
    tmp_path: Path,
) -> None:
    commands, printed = commands_of_readme()
    (tmp_path / "examples").symlink_to(EXAMPLES)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running: list[subprocess.Popen[str]] = []
    lines: list[str] = []
    with alone_at("127.0.0.1"):
        try:
            for command in commands:
                process = subprocess.Popen(
                    command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
                )
                running.append(process)
                assert process.stdout is not None
                # As a person does: the next one is started when this one says that it is ready.
                lines.append(process.stdout.readline().rstrip())
            for process in running[1:]:
                out, _ = process.communicate(timeout=60)
                assert process.returncode == 0
                lines += out.splitlines()
        finally:
            for process in running:
                process.terminate()
                process.communicate(timeout=60)
    assert sorted(map(rounded, lines)) == sorted(map(rounded, printed))
    assert share_heard(EXAMPLES / "greeting.wav", tmp_path / "bob.wav") > 0.25
    assert share_heard(EXAMPLES / "menu.wav", tmp_path / "alice.wav") > 0.25


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("9999", "call ended: no such number (cause 1)"),
        ("10-02", "no key '-' on a telephone"),
    ],
)
async def test_a_softphone_says_in_words_why_there_is_no_call(number: str, why: str) -> None:
    config = callmanager.CallManagerConfig(devices=(phone("SEP000000001001", "1001"),))
    async with callmanager.open_call_manager(config, sccp_port=0) as manager:
        done = await trio.run_process(
            [
                *(sys.executable, "-W", "error", EXAMPLES / "softphone.py", "SEP000000001001"),
                *("--call-manager", manager.sccp_address, "--dial", number),
            ],
            capture_stderr=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == [why]


ROUTING = """
[search_spaces]
all = [""]

[[user]]
name = "app"
password = "secret"

[[device]]
name = "RP1"
kind = "route point"
lines = [{ number = "6000" }]

[[device]]
name = "P1"
lines = [{ number = "1001" }]

[[device]]
name = "P2"
lines = [{ number = "2001" }]
"""


async def test_the_route_point_example_routes_each_caller_to_its_agent(tmp_path: Path) -> None:
    file = tmp_path / "callmanager.toml"
    file.write_text(ROUTING)
    config = callmanager.load(file)
    async with (
        callmanager.open_call_manager(config, sccp_port=0, cti_port=0) as manager,
        sccp.open_station("P1", manager.sccp_address) as caller,
        sccp.open_station("P2", manager.sccp_address),
        running(EXAMPLES / "route_point.py", manager.cti_address) as process,
    ):
        with trio.fail_after(60):
            assert await line_of(process) == "6000 is in service"
            async with caller.call("6000"):
                assert await line_of(process) == "1001 goes to 2001"


async def until_rings(phone: sccp.Station) -> None:
    while not phone.calls:  # noqa: ASYNC110 - the phone is asked, as its display would be
        await trio.sleep(0.02)


async def test_the_media_port_example_asks_and_transfers_by_the_key_pressed() -> None:
    lines = {"PA1-VI1": "6001", "P1": "1001", "P2": "2000", "P3": "2001"}
    config = callmanager.CallManagerConfig(
        devices=tuple(phone(name, number) for name, number in lines.items())
    )
    example = (EXAMPLES / "media_port.py", EXAMPLES / "menu.wav")
    async with (
        callmanager.open_call_manager(config, sccp_port=0, cti_port=0) as manager,
        rtp.open_engine(address=HOST, first_port=41000) as engine,
        sccp.open_station("P1", manager.sccp_address, engine=engine) as caller,
        sccp.open_station("P2", manager.sccp_address) as first,
        sccp.open_station("P3", manager.sccp_address) as other,
        running(example[0], manager.sccp_address, example[1]) as process,
    ):
        with trio.fail_after(60):
            assert await line_of(process) == "6001 is in service"
            for key, agent in (("1", first), ("2", other)):
                async with caller.call("6001") as call:
                    await call.wait_media()
                    await call.send_digits(key)
                    await until_rings(agent)


async def test_a_click_has_a_phone_call_and_the_monitor_says_what_happens() -> None:
    config = callmanager.CallManagerConfig(
        devices=(phone("P1", "1001"), phone("P2", "1002")),
        users=(callmanager.User(name="app", password="secret"),),
    )

    async def talk_a_little(call: sccp.Call) -> None:
        async with call.answer():
            await trio.sleep(0.2)

    async with (
        a_manager(config, within=60) as manager,
        rtp.open_engine(address=HOST, first_port=42000) as engine,
        sccp.open_station("P1", manager.sccp_address, engine=engine),
        sccp.open_station("P2", manager.sccp_address, engine=engine) as other,
        trio.open_nursery() as nursery,
        running(EXAMPLES / "monitor.py", manager.cti_address, "1001", "1002") as monitor,
    ):
        nursery.start_soon(other.serve, talk_a_little)
        assert await line_of(monitor) == "1001, 1002: watched"
        click = (EXAMPLES / "click_to_dial.py", manager.cti_address, "1001", "1002")
        async with running(*click) as clicked:
            assert await line_of(clicked) == "1001 talks to 1002"
            await clicked.wait()
            assert clicked.returncode == 0
        lines = [await line_of(monitor)]
        while not lines[-1].endswith(": over"):
            lines.append(await line_of(monitor))
        seen = [line.rpartition(">: ")[2] for line in lines]
        states = [each for each in seen if each.startswith("1002 is ")]
        assert states[:3] == ["1002 is offered", "1002 is alerting", "1002 is established"]
        assert seen[-1] == "over"
        nursery.cancel_scope.cancel()


def test_the_router_is_tested_with_the_fixture() -> None:
    known = importlib.metadata.entry_points(group="pytest11", name="pa_telephony")
    plugin = () if known else ("-p", "pa_telephony.testing.plugin")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugin, EXAMPLES / "test_router.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


async def says(process: trio.Process, wanted: str) -> str:
    """Read what a process prints until there is a line with ``wanted``; gives that line."""
    while wanted not in (line := await line_of(process)):
        pass
    return line


async def test_the_examples_work_at_the_lab_as_it_is_shipped_whoever_comes_first() -> None:
    """The programs are there before their call manager, and all at the same time."""
    at, menu = f"{NETWORK}.20", EXAMPLES / "menu.wav"
    lab = ("-m", "pa_telephony", "callmanager", "--config", EXAMPLES / "lab.toml", "--host", at)
    phone = (EXAMPLES / "softphone.py", "--call-manager", at)
    with trio.fail_after(120):
        async with (
            running(EXAMPLES / "route_point.py", at) as router,
            running(EXAMPLES / "media_port.py", at, menu) as media_port,
            running(EXAMPLES / "ivr.py", at, menu) as ivr,
            running(*phone, "SEP000000002001", "--answer") as agent,
            running(*lab),
        ):
            await says(router, "6000 is in service")
            await says(media_port, "6001 is in service")
            await says(ivr, "5001 is in service")
            await says(agent, "2001 is registered")
            async with running(*phone, "SEP000000001001", "--dial", "6000", "--for", "1") as caller:
                await says(router, "1001 goes to 2001")
                await says(caller, "in a call with 2001")
                await says(agent, "in a call with 1001")
                await caller.wait()
                assert caller.returncode == 0
            for number in ("6001", "5001"):
                call = (*phone, "SEP000000001002", "--dial", number, "--for", "1")
                async with running(*call) as caller:
                    await says(caller, f"in a call with {number}")


def test_a_test_of_the_examples_runs_where_nothing_of_ours_is_configured(tmp_path: Path) -> None:
    """A checkout's own options need what only developers have: pytest ended without a test."""
    assert (EXAMPLES / "pytest.ini").read_text().endswith("[pytest]\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", EXAMPLES / "test_router.py"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_router.py::test_router" in done.stdout


async def holders_become(cluster: Path, expected: set[str]) -> None:
    """Ask ``pa-telephony status`` until the numbers of PA1 are served by whom they should."""
    command = ["status", "--cluster", str(cluster), "--json"]
    holders: set[str] = set()
    with trio.move_on_after(60):
        while holders != expected:
            done = await trio.run_process(
                [sys.executable, "-m", "pa_telephony", *command],
                capture_stdout=True,
                capture_stderr=True,
                check=False,
                cwd=ROOT,
            )
            if done.returncode == 3:
                # No server has made the store yet.
                continue
            resources = json.loads(done.stdout)[0]["resources"]
            holders = {each["holder"] if each["up"] else "" for each in resources}
    assert holders == expected


async def test_in_the_cluster_example_pa2_stands_in_when_pa1_is_stopped(tmp_path: Path) -> None:
    cluster = tmp_path / "cluster.toml"
    shipped = (EXAMPLES / "cluster.toml").read_text()
    cluster.write_text(shipped.replace('"127.0.0.', f'"{NETWORK}.'))
    server = EXAMPLES / "cluster.py"
    at = f"{NETWORK}.10"
    manager = ("callmanager", "--config", str(EXAMPLES / "lab.toml"))
    async with running("-m", "pa_telephony", *manager, "--host", at) as call_manager:
        assert f"{at}:2748" in await line_of(call_manager)
        async with running(server, cluster, "PA1") as pa1:
            await holders_become(cluster, {"PA1"})
            async with running(server, cluster, "PA2"):
                await holders_become(cluster, {"PA1"})
                pa1.terminate()
                await pa1.wait()
                await holders_become(cluster, {"PA2"})
                async with (
                    sccp.open_station("SEP000000001001", at) as phone,
                    phone.call("6000") as call,
                ):
                    with trio.fail_after(60):
                        await call.wait_connected()
                    assert call.connected_to in ("6001", "6002")


async def test_the_ivr_example_asks_and_redirects_by_the_key_pressed() -> None:
    lines = {"P1": "1001", "P2": "2000", "P3": "2001"}
    config = callmanager.CallManagerConfig(
        devices=(
            cti_port("IVR", "5001"),
            *(phone(name, number) for name, number in lines.items()),
        ),
        users=(callmanager.User(name="app", password="secret"),),
    )
    async with (
        callmanager.open_call_manager(config, sccp_port=0, cti_port=0) as manager,
        rtp.open_engine(address=HOST, first_port=41000) as engine,
        sccp.open_station("P1", manager.sccp_address, engine=engine) as caller,
        sccp.open_station("P2", manager.sccp_address) as first,
        sccp.open_station("P3", manager.sccp_address) as other,
        running(EXAMPLES / "ivr.py", manager.cti_address, EXAMPLES / "menu.wav") as process,
    ):
        with trio.fail_after(60):
            assert await line_of(process) == "5001 is in service"
            for key, agent, number in (("1", first, "2000"), ("2", other, "2001")):
                async with caller.call("5001") as call:
                    await call.wait_media()
                    await call.send_digits(key)
                    said = f"1001 pressed {key} and goes to {number}"
                    assert await line_of(process) == said
                    await until_rings(agent)
