"""``pa-telephony phone``: keys, a script, and sound from files or a card."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import subprocess
import sys
import types
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trio
from click.testing import CliRunner
from company import ALICE, BOB, CAROL
from loopback import NETWORK
from whole_house import a_manager

from pa_telephony import rtp, sccp
from pa_telephony.callmanager import CallManager
from pa_telephony.cli.main import cli
from pa_telephony.cli.phone.handset import Handset
from pa_telephony.cli.phone.keyboard import keys_in
from pa_telephony.cli.phone.keys import Action, Deed, Typing, meaning, usable
from pa_telephony.cli.phone.sounds import Files, SoundCard
from pa_telephony.errors import ConfigurationError
from pa_telephony.sccp.enums import DCallState
from pa_telephony.tasks import background

pytestmark = pytest.mark.real_time

ROOT = Path(__file__).parents[2]
STATES = [None, *DCallState]
KEYS = [*"0123456789*#+ABCDanhtxqz", "enter", "escape", "backspace", "up", "down"]


# Keys.


def test_a_number_is_typed_and_called() -> None:
    typing, done = None, None
    for key in ("1", "0", "9", "backspace", "0", "2"):
        typing, done = meaning(key, typing, None)
        assert done is None
    assert meaning("enter", typing, None) == (None, Action(Deed.CALL, "1002"))


def test_digits_go_to_the_other_side_while_somebody_listens() -> None:
    assert meaning("5", None, DCallState.CONNECTED) == (None, Action(Deed.DIGIT, "5"))
    assert meaning("5", None, DCallState.HOLD) == (Typing(Deed.CALL, "5"), None)
    assert meaning("5", None, DCallState.RING_IN) == (None, None)


def test_escape_forgets_what_was_typed() -> None:
    assert meaning("escape", Typing(Deed.TRANSFER, "10"), DCallState.CONNECTED) == (None, None)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("typing", [None, Typing(Deed.CALL), Typing(Deed.TRANSFER, "1" * 24)])
def test_every_key_has_a_meaning_everywhere(state: DCallState | None, typing: Any) -> None:
    for key in KEYS:
        after, action = meaning(key, typing, state)
        assert after is None or len(after.number) <= 24
        if action is not None and typing is None and key in usable(state):
            assert action.deed is usable(state)[key]


def test_keys_that_were_read_together_are_told_apart() -> None:
    read = "1\x1b[A\x1b[5~\x1b[Bq\r\x7f\x1b"
    assert list(keys_in(read)) == ["1", "up", "down", "q", "enter", "backspace", "escape"]


def test_a_consultation_is_completed_by_the_key_that_transfers() -> None:
    assert meaning("t", None, DCallState.CONNECTED) == (Typing(Deed.TRANSFER), None)
    assert meaning("t", None, DCallState.CONNECTED, consultation=True) == (
        None,
        Action(Deed.COMPLETE),
    )


# What a person does.


async def until(handset: Handset, text: str) -> None:
    while not any(text in notice for notice in handset.notices):
        await handset.changed.wait()


async def test_a_handset_asks_first_hands_on_and_parks() -> None:
    async def answer(call: sccp.Call) -> None:
        async with call.answer():
            await call.wait_ended()

    async with (
        a_manager(within=60) as manager,
        rtp.open_engine(address=f"{NETWORK}.30", first_port=43000) as engine,
        sccp.open_station(ALICE, manager.sccp_address, engine=engine) as caller,
        sccp.open_station(BOB, manager.sccp_address, engine=engine) as station,
        sccp.open_station(CAROL, manager.sccp_address, engine=engine) as third,
        background() as tasks,
    ):
        with trio.fail_after(20):
            tasks.start_soon(third.serve, answer)
            handset = Handset(station, tasks, Files(None, None))
            async with caller.call("1002") as call:
                await until(handset, "1001 calls")
                handset.do(Action(Deed.ANSWER))
                await until(handset, "in a call with 1001")
                handset.do(Action(Deed.CONSULT, "1003"))
                while not (handset.selected and handset.selected.consultation):
                    await handset.changed.wait()
                assert [line.state for line in handset.lines] == ["on hold", "connected"]
                handset.do(Action(Deed.COMPLETE))
                while handset.lines:
                    await handset.changed.wait()
                await call.wait_connected()
            handset.notices.clear()
            async with caller.call("1002"):
                await until(handset, "1001 calls")
                handset.do(Action(Deed.ANSWER))
                await until(handset, "in a call with 1001")
                handset.do(Action(Deed.TRANSFER, "7777"))
                await until(handset, "not with 7777: no such number")
                handset.do(Action(Deed.TRANSFER, "1004"))
                await until(handset, "not with 1004: not reachable, or the call manager is lost")
                handset.do(Action(Deed.PARK))
                await until(handset, "1001 is parked at 700")
        tasks.cancel_scope.cancel()


# A person at the keyboard.


class Terminal:
    """A program in a terminal of its own."""

    def __init__(self, *arguments: str) -> None:
        self._descriptor, inner = pty.openpty()
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100"}
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "pa_telephony", "phone", *arguments],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env=environment,
        )
        os.close(inner)

    def press(self, keys: str) -> None:
        os.write(self._descriptor, keys.encode())

    async def until(self, text: str) -> str:
        """Read until the display says so."""
        seen = ""
        while text not in seen:
            await trio.lowlevel.wait_readable(self._descriptor)
            seen += os.read(self._descriptor, 65536).decode("utf-8", "replace")
        return seen

    async def ended(self) -> int:
        """Read to the end, and the exit status."""
        with contextlib.suppress(OSError):
            while True:
                await trio.lowlevel.wait_readable(self._descriptor)
                os.read(self._descriptor, 65536)
        return await trio.to_thread.run_sync(self.process.wait)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._descriptor)


@contextlib.asynccontextmanager
async def a_phone_that_answers() -> AsyncGenerator[tuple[CallManager, list[str]]]:
    """A call manager, and 1002, which says 600 Hz and notes the digits it hears."""
    heard: list[str] = []

    async def answer(call: sccp.Call) -> None:
        async with call.answer() as media, trio.open_nursery() as nursery:
            nursery.start_soon(media.play, rtp.Tone((600,)))
            async for digit in media.digits():
                heard.append(digit)
            nursery.cancel_scope.cancel()

    async with (
        a_manager(within=60) as manager,
        rtp.open_engine(address=f"{NETWORK}.30", first_port=43000) as engine,
        sccp.open_station(BOB, manager.sccp_address, engine=engine) as other,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(other.serve, answer)
        yield manager, heard
        nursery.cancel_scope.cancel()


async def test_a_call_by_keys_with_digits_and_hold(tmp_path: Path) -> None:
    record = tmp_path / "heard.wav"
    async with a_phone_that_answers() as (manager, heard):
        address = ["--call-manager", manager.sccp_address, "--rtp-port", "43100"]
        terminal = Terminal(ALICE, *address, "--record", str(record))
        try:
            with trio.fail_after(60):
                await terminal.until("no calls")
                terminal.press("1002\r")
                await terminal.until("in a call with 1002")
                terminal.press("5")
                while not heard:  # noqa: ASYNC110 - what the other side hears is all there is
                    await trio.sleep(0.05)
                terminal.press("h")
                await terminal.until("on hold")
                terminal.press("h")
                await terminal.until("digits")
                await trio.sleep(0.5)
                terminal.press("x")
                await terminal.until("is over after")
                terminal.press("q")
                assert await terminal.ended() == 0
        finally:
            terminal.close()
        assert heard == ["5"]
        assert not manager.calls.is_registered(ALICE)
    sound = rtp.wav.read(record)
    assert sound.seconds > 0.5
    assert loudest(sound) == pytest.approx(600, abs=5)


def loudest(sound: rtp.Audio) -> float:
    return float(np.abs(np.fft.rfft(sound.samples)).argmax() / sound.seconds)


# A script.


async def run(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    return await trio.run_process(
        [sys.executable, "-W", "error", "-m", "pa_telephony", "phone", *arguments],
        capture_stdout=True,
        capture_stderr=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


async def test_a_call_by_options_says_what_happened(tmp_path: Path) -> None:
    async with a_phone_that_answers() as (manager, _):
        with trio.fail_after(60):
            done = await run(
                ALICE,
                *("--call-manager", manager.sccp_address, "--rtp-port", "43100"),
                *("--dial", "1002", "--for", "1", "--record", tmp_path / "heard.wav"),
            )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    assert lines[:3] == ["1001 is registered at 127.0.0.1", "1002 rings", "in a call with 1002"]
    over = re.match(r"the call with 1002 is over after (\d+\.\d) s", lines[3])
    assert over is not None
    assert float(over[1]) >= 1.0
    assert loudest(rtp.wav.read(tmp_path / "heard.wav")) == pytest.approx(600, abs=5)


async def test_a_number_that_nobody_has_is_told_by_the_exit_status() -> None:
    async with a_phone_that_answers() as (manager, _):
        with trio.fail_after(60):
            done = await run(ALICE, "--call-manager", manager.sccp_address, "--dial", "7777")
    assert done.returncode == 1
    assert b"no such number" in done.stdout


async def test_the_number_that_nobody_has_is_named_whole() -> None:
    """The call manager shows "12", after which no number can follow any more."""
    async with a_manager(within=60) as manager:
        with trio.fail_after(60):
            done = await run(ALICE, "--call-manager", manager.sccp_address, "--dial", "1234")
    assert done.stdout.decode().splitlines()[1:] == ["1234: no such number"]


async def test_a_device_that_the_call_manager_does_not_know_is_one_error_in_words() -> None:
    async with a_manager(within=60) as manager:
        with trio.fail_after(60):
            done = await run("SEP00000000AAAA", "--call-manager", manager.sccp_address, "--answer")
        why = f"Error: {manager.sccp_address} refuses SEP00000000AAAA: Device Unknown\n"
    assert done.returncode == 1
    assert done.stderr.decode() == why


@pytest.mark.parametrize(
    "wrong",
    [
        ("SEP000000001001", "--dial", "1", "--answer"),
        ("SEP000000001001", "--rtp-port", "32001", "--answer"),
        ("SEP000000001001",),
        ("SEP000000001001", "--dial", "10-02"),
        ("SEP000000001001", "--answer", "--call-manager", "host:port"),
        ("SEP0000000010011", "--answer"),
    ],
)
def test_what_can_not_be_is_a_usage_error(wrong: tuple[str, ...]) -> None:
    assert CliRunner().invoke(cli, ["phone", *wrong]).exit_code == 2


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--dial", ""), "'--dial': it is empty"),
        (("--answer", "--address", ""), "'--address': it is empty"),
        (("--for", "5"), "--for goes with --dial or --answer"),
        (("--answer", "--trace-keyed"), "--trace-keyed goes with --trace"),
    ],
)
def test_an_option_that_says_nothing_or_has_no_effect_is_refused(
    words: tuple[str, ...], why: str
) -> None:
    done = CliRunner().invoke(cli, ["phone", "SEP000000001001", *words])
    assert done.exit_code == 2
    assert why in done.output


async def test_who_is_not_there_is_told_once_and_waited_for() -> None:
    nobody = f"{NETWORK}.99"
    command = [sys.executable, "-W", "error", "-m", "pa_telephony", "phone", "SEP000000001001"]
    with trio.fail_after(60):
        phone = await trio.lowlevel.open_process(
            [*command, "--answer", "--call-manager", nobody],
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert phone.stderr is not None
        said = b""
        async with phone.stderr:
            while not said.endswith(b"\n"):
                said += bytes(await phone.stderr.receive_some())
            assert said == f"{nobody}:2000: Connection refused; still trying\n".encode()
            # Tried again and again, and it is the same.
            await trio.sleep(0.5)
            phone.terminate()
            assert await phone.stderr.receive_some() == b""
        await phone.wait()


# A sound card.


class FakeCard(types.ModuleType):
    """sounddevice as far as it is used, with the threads taken out."""

    def __init__(self) -> None:
        super().__init__("sounddevice")
        self.callbacks: dict[str, Any] = {}
        card = self

        class Stream:
            kind = ""

            def __init__(self, callback: Any, samplerate: int, **form: Any) -> None:
                assert samplerate == 8000
                card.callbacks[self.kind] = callback

            def start(self) -> None:
                pass

            def close(self) -> None:
                card.callbacks.pop(self.kind)

        self.InputStream = type("InputStream", (Stream,), {"kind": "in"})
        self.OutputStream = type("OutputStream", (Stream,), {"kind": "out"})
        self.PortAudioError = type("PortAudioError", (Exception,), {})


class FakeMedia:
    def __init__(self) -> None:
        self.port = types.SimpleNamespace(source=None, listeners=[])


def test_the_card_is_heard_in_the_call_and_the_call_in_the_card(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = FakeCard()
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    card, media = SoundCard(), FakeMedia()
    card.attach(media, None)  # type: ignore[arg-type]
    spoken = np.arange(160, dtype=np.int16).reshape(-1, 1)
    module.callbacks["in"](spoken, 160, None, None)
    assert list(media.port.source.read(160)) == list(range(160))
    assert not media.port.source.read(160).any(), "silence where the card is late"
    for listener in media.port.listeners:
        listener(np.full(160, 7, np.int16))
    out = np.ones((160, 1), np.int16)
    module.callbacks["out"](out, 160, None, None)
    assert (out == 7).all()
    module.callbacks["out"](out, 160, None, None)
    assert (out == 0).all()
    card.close()
    assert module.callbacks == {}


def test_a_card_whose_clock_is_slower_delays_sound_by_a_bounded_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = FakeCard()
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    card, media = SoundCard(), FakeMedia()
    card.attach(media, None)  # type: ignore[arg-type]
    for number in range(100):
        module.callbacks["in"](np.full((160, 1), number, np.int16), 160, None, None)
    assert media.port.source.read(160)[0] == 92


def test_without_a_card_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(ConfigurationError, match=r"softphone.*--play"):
        SoundCard()
