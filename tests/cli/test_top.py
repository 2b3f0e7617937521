"""``top`` and ``cm``: what a running call manager is shown to do, and is told to do."""

from __future__ import annotations

import io
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
import trio
from click.testing import CliRunner
from rich.console import Console
from whole_house import a_manager, until

from pa_telephony import callmanager
from pa_telephony.callmanager import ControlRefused, offer_control
from pa_telephony.callmanager.control.place import known_sockets
from pa_telephony.callmanager.control.requests import Code
from pa_telephony.callmanager.control.rows import (
    About,
    Application,
    Call,
    Counter,
    Device,
    Line,
    Media,
    Notice,
    Party,
    Picture,
    Refusal,
    RoutePoint,
    Statistics,
)
from pa_telephony.cli import callmanager as command
from pa_telephony.cli.main import cli
from pa_telephony.cli.top import page
from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.testing import CallManager

NOW = 1_000_000.0


@pytest.fixture
def directory() -> Generator[Path]:
    """One whose path is short enough for a socket."""
    made = tempfile.mkdtemp(prefix="pa-")
    yield Path(made)
    shutil.rmtree(made)


@pytest.fixture
def house(directory: Path) -> Generator[CallManager]:
    """A call manager with its control socket at ``c``."""
    offered = threading.Event()
    with CallManager() as manager:

        async def offer() -> None:
            async with offer_control(manager._running, directory / "c"):
                offered.set()
                await trio.sleep_forever()

        manager._call(lambda: manager.start_soon(offer))
        assert offered.wait(10)
        yield manager


@pytest.fixture
def run(directory: Path) -> Callable[..., str]:
    """Run a command at that call manager; what it prints."""

    def invoke(*words: str, code: int = 0) -> str:
        options = ["--control", os.fspath(directory / "c")]
        result = CliRunner().invoke(cli, [*words, *options], env={"COLUMNS": "160"})
        assert result.exit_code == code, result.output
        return result.output

    return invoke


def test_one_picture_is_printed_where_output_is_no_terminal(
    house: CallManager, run: Callable[..., str]
) -> None:
    alice = house.add_phone("1001", display_name="Alice")
    bob = house.add_phone("1002").rings_only()
    house.add_route_point("6000", forward_failure="1001")
    call = alice.dial("1002")
    bob.wait_for_call()
    shown = run("top")
    assert "1 call" in shown
    assert "ringing out" in shown
    assert "1001 Alice" in shown
    assert "2 of 3 devices registered" in shown
    assert "to 1001" in shown
    call.hang_up()


def test_programs_get_the_same_as_json(house: CallManager, run: Callable[..., str]) -> None:
    house.add_phone("1001")
    found = json.loads(run("top", "--json"))
    (device,) = found["devices"]
    assert device["registered"] is True
    assert device["lines"][0]["number"] == "1001"
    assert found["calls"] == []
    assert found["about"]["process"] == os.getpid()
    assert {each["name"]: each["value"] for each in found["counters"]}["sccp.registrations"] == 1


def test_what_operators_do_has_its_effect_and_is_said(
    house: CallManager, run: Callable[..., str]
) -> None:
    alice, bob = house.add_phone("1001"), house.add_phone("1002").rings_only()
    assert run("cm", "mwi", "1001", "on") == "message waiting of 1001 is on\n"
    assert run("cm", "forward", "1001", "1002") == "1001 is forwarded to 1002 (all)\n"
    shown = run("top")
    assert "1001 to 1002; 1001 message waiting" in shown
    assert run("cm", "forward", "1001", "--clear") == "1001 is not forwarded any more (all)\n"
    assert run("cm", "mwi", "1001", "off") == "message waiting of 1001 is off\n"
    call = alice.dial("1002")
    bob.wait_for_call()
    (number,) = [each["id"] for each in json.loads(run("top", "--json"))["calls"]]
    assert run("cm", "drop", str(number)) == f"call {number} has ended\n"
    call.wait_for("ended")
    for verb, words in (("reset", "start anew"), ("restart", "register anew")):
        before = house.messages("RegisterReq")
        assert run("cm", verb, "SEP000000001001") == f"SEP000000001001 was told to {words}\n"
        house.wait_for_message("Reset")
        house._wait(lambda known=before: len(house.messages("RegisterReq")) > len(known), "it", 10)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("reset", "P9"), "there is no device P9"),
        (("mwi", "9", "on"), "there is no line 9"),
        (("forward", "9", "1"), "there is no line 9"),
        (("drop", "9"), "there is no call 9"),
    ],
)
def test_a_refusal_is_said_with_its_reason(
    house: CallManager, run: Callable[..., str], words: tuple[str, ...], reason: str
) -> None:
    assert run("cm", *words, code=1) == f"Error: {reason}\n"


def test_a_forward_needs_its_number_or_to_be_cleared(run: Callable[..., str]) -> None:
    assert "NUMBER, or --clear" in run("cm", "forward", "1001", code=2)
    assert "NUMBER, or --clear" in run("cm", "forward", "1001", "1002", "--clear", code=2)


def test_without_a_call_manager_path_and_reason_are_said(
    directory: Path, run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = f"Error: no call manager answers at {directory / 'c'}: No such file or directory\n"
    assert run("top", code=1) == run("cm", "drop", "1", code=1) == words
    monkeypatch.setenv("XDG_RUNTIME_DIR", os.fspath(directory))
    result = CliRunner().invoke(cli, ["top"])
    assert result.exit_code == 1
    assert "no call manager of this user runs here" in result.output


def test_the_devices_that_a_running_call_manager_lacks_are_printed(
    house: CallManager, run: Callable[..., str]
) -> None:
    cluster = os.fspath(Path(__file__).parents[2] / "examples" / "cluster.toml")
    house.add_route_point("6000")
    said = run("cluster", "devices", "--cluster", cluster, code=1)
    assert 'name = "PA1-VI1"' in said
    assert "6000" not in said
    assert f"3 devices are missing in the call manager {house.sccp_address}" in said


async def a_program(
    monkeypatch: pytest.MonkeyPatch, control: Path | None, told: Callable[[], bool]
) -> None:
    """What the command does until it is stopped, which is as soon as ``told`` is true."""
    # It would exempt all objects of the tests from garbage collection.
    monkeypatch.setattr(command, "keep_for_good", lambda: None)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(command._run, a_manager, control, None)
        await until(told)
        nursery.cancel_scope.cancel()


async def test_the_program_opens_its_socket_in_the_well_known_place(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", os.fspath(directory))
    seen: list[Path] = []

    def told() -> bool:
        seen.extend(known_sockets())
        return "SCCP" in capsys.readouterr().out

    await a_program(monkeypatch, None, told)
    assert "callmanager-127.0.0.1:" in seen[0].name
    assert known_sockets() == []


async def test_a_well_known_place_that_cannot_be_had_keeps_nobody_from_calling(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", os.fspath(directory))
    place = directory / "pa-telephony"
    place.touch()
    said = io.StringIO()

    def told() -> bool:
        out, err = capsys.readouterr()
        said.write(err)
        return "SCCP" in out

    await a_program(monkeypatch, None, told)
    assert said.getvalue() == f"warning: no control socket: {place} is no directory\n"


async def test_a_socket_that_was_asked_for_and_cannot_be_had_is_an_error(directory: Path) -> None:
    place = directory / "c"
    place.touch()
    with pytest.raises(ConnectionLost, match="is there already, and no socket"):
        await command._run(a_manager, place, None)


def test_limits_of_the_socket_are_settings(directory: Path) -> None:
    file = directory / "house.toml"
    file.write_text("[control]\nmax_watches = 3\ntaken_within = 2.5\n")
    control = callmanager.load(file).control
    assert (control.max_watches, control.taken_within) == (3, 2.5)
    for wrong, rule in (
        ("max_line = 0", "control: max_line: must be a whole number of at least 1"),
        ("taken_within = 0.0", "control: taken_within: must be a positive number of seconds"),
        ("colour = 1", "control: colour: unknown"),
    ):
        file.write_text(f"[control]\n{wrong}\n")
        with pytest.raises(ConfigurationError, match=rule):
            callmanager.load(file)


def text_of(picture: Picture, most: int | None = None) -> str:
    console = Console(width=160, file=open(os.devnull, "w"), record=True)  # noqa: SIM115
    with console.file:
        console.print(page(About(sccp="127.0.0.1:2000", since=NOW - 90), picture, NOW, most))
        return console.export_text()


def test_a_page_says_for_how_long_with_whom_and_how_it_sounds() -> None:
    held = Party(
        leg=1,
        number="1001",
        name="Alice",
        state="connected",
        since=NOW - 3725,
        other="1002",
        media=Media(
            use="hold tone", codec="PCMU", statistics=Statistics(sent=7, received=5, lost=1)
        ),
    )
    lost = Party(leg=2, number="1003", state="failed", cause="user busy (17)", since=NOW - 200_000)
    shown = text_of(Picture(calls=(Call(id=4, parties=(held, lost)),)))
    assert "call manager 127.0.0.1:2000, process 0, 1:30" in shown
    assert "1:02:05" in shown
    assert "2 d 7 h" in shown
    assert "PCMU hold tone, 7 sent, 5 received, 1 lost" in shown
    assert "failed: user busy (17)" in shown


def test_a_page_says_why_a_device_is_not_there_and_who_is_turned_away() -> None:
    refusal = Refusal(at=NOW, reason="Crossover session", address="10.0.0.9")
    shown = text_of(
        Picture(
            devices=(Device(name="P1", refusal=refusal, lines=(Line(number="1"),)),),
            route_points=(RoutePoint(device="RP", number="6000", partition="PA"),),
            applications=(Application(user="app", address="10.0.0.2:9", devices=("RP",)),),
            counters=(Counter(name="sccp.timeouts", value=1200), Counter(name="nothing")),
            warnings=(Notice(text="nobody serves 6000"),),
        )
    )
    assert "from 10.0.0.9: Crossover session" in shown
    assert "6000 in PA" in shown
    assert "turned away" in shown
    assert "sccp.timeouts 1,200" in shown
    assert "nothing" not in shown
    assert "nobody serves 6000" in shown


def test_a_page_that_does_not_fit_says_how_much_is_missing() -> None:
    devices = tuple(Device(name=f"P{each}", calls=each == 7) for each in range(9))
    shown = text_of(Picture(devices=devices), 3)
    assert "0 of 9 devices registered (the first 3 of 9)" in shown
    # The busy ones are first.
    assert "P7" in shown
    assert "P8" not in shown


def test_nothing_that_a_terminal_would_act_on_is_printed() -> None:
    evil = "\x1b[2J"
    shown = text_of(
        Picture(
            devices=(Device(name=evil, refusal=Refusal(at=NOW, reason=evil)),),
            calls=(Call(id=1, parties=(Party(leg=1, name=evil, other=evil, device=evil),)),),
            warnings=(Notice(text=evil),),
        )
    )
    assert "\x1b[2J" not in shown


def test_a_refusal_of_a_newer_call_manager_keeps_its_code() -> None:
    assert ControlRefused("asleep", "not now").code == "asleep"
    assert ControlRefused(Code.TOO_MANY, "later").code == "too_many"
