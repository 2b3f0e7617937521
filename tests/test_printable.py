"""Nothing that a peer says reaches a terminal raw, whichever way it takes."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import click
import pytest
import trio
from click.testing import CliRunner
from company import ALICE, BOB
from hypothesis import given, strategies as st
from rich.console import Console
from whole_house import a_manager, log_in

from pa_telephony import cti, sccp
from pa_telephony.callmanager.calls.model import Shown
from pa_telephony.callmanager.calls.verbs import Party
from pa_telephony.cli import main
from pa_telephony.cli.phone.handset import Handset
from pa_telephony.cli.phone.screen import display
from pa_telephony.cli.running import log_to_terminal
from pa_telephony.errors import ConnectionLost, RegistrationRejected, RequestFailed
from pa_telephony.printable import printable, printable_lines, printable_reason
from pa_telephony.sccp import messages
from pa_telephony.sccp.phrases import english
from pa_telephony.sccp.station.registration import State
from pa_telephony.sccp.text import readable
from pa_telephony.trace import FrameRecord, PcapTrace

EVIL = "\x1b[2J\x9b1m\x07\r\n\x7f\u202eevil"
"""Clears the screen, changes the colour, rings, begins a line, turns the direction of writing."""
LATIN = EVIL.replace("\u202e", "")
"""As much of it as fits the octets of a message."""


@given(st.text(max_size=300))
def test_what_comes_out_is_printable_and_what_was_stays(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert printable(shown) == shown or len(shown) > 200
    if text.isprintable() and len(text) <= 200:
        assert shown == text
    assert "\n" not in shown
    assert all(line.isprintable() for line in printable_lines(text).split("\n"))


def test_what_is_escaped_can_be_read() -> None:
    assert printable("\x1b[2J\n\u202e\ud800") == r"\x1b[2J\n\u202e\ud800"
    assert printable("Zoë Ångström, 日本") == "Zoë Ångström, 日本"
    assert printable("a" * 300) == "a" * 200 + "…"
    assert printable_lines("one\ntwo\x1b") == "one\ntwo\\x1b"
    reason = "a" * 300 + "\x1b: refused"
    assert printable_reason(reason) == "a" * 300 + r"\x1b: refused"
    assert len(printable_reason("a" * 9999)) == 2001


# -------------------------------------------------------------------- where it comes in: a station


def test_no_text_of_a_call_manager_comes_out_of_a_station_raw() -> None:
    bench = a_bench()
    bench.told(
        messages.CallState(call_state=4, line_instance=1, call_reference=5),
        messages.CallInfoV2(
            line_instance=1,
            call_reference=5,
            call_type=1,
            calling_party=LATIN,
            calling_party_name=LATIN,
            called_party=LATIN,
            called_party_name=LATIN,
            original_called_party=LATIN,
            last_redirecting_party=LATIN,
        ),
        messages.SpeedDialStatV2Res(
            speed_dial_number=1, speed_dial_dir_number=LATIN, speed_dial_display_name=LATIN
        ),
        messages.ForwardStatRes(
            active_forward=1, line_number=1, forward_all_active=1, forward_all_dirnum=LATIN[:20]
        ),
        messages.LineStatV2Res(line_number=1, line_dir_number=LATIN),
        messages.DisplayPromptStatusV2(time_out_value=0, prompt_status=LATIN),
    )
    (call,) = bench.core.calls.values()
    screen = bench.core.screen
    texts = [
        call.calling,
        call.calling_name,
        call.called,
        call.called_name,
        call.original_called,
        call.last_redirecting,
        *screen.speed_dials[1],
        screen.forwards[1].all,
        *bench.core.lines.values(),
        english(screen.prompt),
        readable(LATIN),
    ]
    assert all("evil" in text or text == screen.forwards[1].all for text in texts)
    for text in texts:
        assert text.isprintable(), text


def a_bench() -> Any:
    """The bench of the station's own tests, registered."""
    import importlib.util

    path = Path(__file__).parent / "sccp" / "test_station.py"
    spec = importlib.util.spec_from_file_location("test_station_bench", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    bench = module.Bench()
    bench.bring_to(State.REGISTERED)
    return bench


# --------------------------------------------------------------- where it comes in: a call manager


def test_parties_are_printable_whoever_names_them() -> None:
    assert Party(LATIN, EVIL).number.isprintable()
    assert Party(LATIN, EVIL).name.isprintable()
    assert Party("1001", "Zoë") == Party("1001", "Zoë")


async def test_the_party_of_a_redirect_is_printable_at_the_phone_that_rings() -> None:
    """An application may say who calls, and from where it was sent on."""

    async def route(session: cti.RouteSession) -> None:
        leg = next(leg for leg in manager.calls.legs.values() if leg.device == "RP1")
        manager.calls.redirect(leg, "1002", None, shown=Shown(LATIN, LATIN))

    async with (
        a_manager() as manager,
        sccp.open_station(ALICE, manager.sccp_address) as alice,
        sccp.open_station(BOB, manager.sccp_address) as bob,
        log_in(manager) as provider,
        provider.open_route_point("6000") as served,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(served.serve, route)
        async with alice.call("6000"):
            while not (calls := list(bob.calls.values())) or not calls[0].calling:  # noqa: ASYNC110
                await trio.sleep(0.01)
            shown = [calls[0].calling, calls[0].original_called]
            parties = [
                (leg.calling.number, leg.original_called.number)
                for leg in manager.calls.legs.values()
            ]
        nursery.cancel_scope.cancel()
    assert "evil" in shown[0]
    assert all(text.isprintable() for text in shown)
    assert all(text.isprintable() for pair in parties for text in pair)


# ------------------------------------------------------------------------------------ where it goes


def test_the_display_and_the_lines_of_the_phone_are_printable() -> None:
    told: list[str] = []
    station: Any = SimpleNamespace(
        calls={},
        number=LATIN,
        name="SEP1",
        registered=False,
        last_error=f"refused: {EVIL}",
        message_waiting=False,
        on_call=None,
    )
    with_nobody: Any = None
    handset = Handset(station, with_nobody, with_nobody, told.append)
    handset.changed = cast("Any", SimpleNamespace(set=lambda: None))
    handset.refresh = lambda: None  # type: ignore[method-assign]
    handset.notice(f"{EVIL} calls")
    assert told[0].isprintable()
    out = io.StringIO()
    Console(file=out, width=200, color_system=None).print(display(handset, None, 0.0))
    drawn = out.getvalue()
    assert "evil" in drawn
    assert all(line.isprintable() for line in drawn.split("\n"))


@pytest.mark.parametrize("command", ["decode", "ladder"])
def test_what_captures_hold_is_shown_printable(tmp_path: Path, command: str) -> None:
    said: list[messages.SccpMessage] = [
        messages.RegisterReq(device_name="SEP1\x1b[2J", protocol_ver=20),
        messages.RegisterAck(keep_alive_interval=30, max_protocol_ver=20),
        messages.CallState(call_state=4, line_instance=1, call_reference=5),
        messages.CallInfoV2(
            line_instance=1, call_reference=5, calling_party=LATIN, called_party_name=LATIN
        ),
        messages.DisplayPromptStatusV2(time_out_value=0, prompt_status=LATIN),
        messages.LineStatV2Res(line_number=1, line_dir_number=LATIN),
        messages.RegisterReject(text=LATIN[:20]),
        messages.UserToDeviceDataVersion1(application_id=0, xmldata=LATIN.encode()),
    ]
    phone, manager = ("127.0.0.11", 40000), ("127.0.0.10", 2000)
    with PcapTrace(tmp_path / "a.pcap", keyed=True) as trace:
        for number, each in enumerate(said):
            ours = each.sender is messages.Sender.STATION
            data = messages.encode(each, 20)
            direction: Any = "sent" if ours else "received"
            trace(FrameRecord(float(number), "sccp", direction, phone, manager, data))
    for options in ([], ["--all"]):
        done = CliRunner().invoke(main.cli, [command, str(tmp_path / "a.pcap"), *options])
        assert "SEP1" in done.output
        assert all(line.isprintable() for line in done.output.split("\n")), done.output


@pytest.mark.parametrize(
    "error", [ConnectionLost(EVIL), RegistrationRejected(EVIL), RequestFailed(1, EVIL)]
)
def test_an_error_that_quotes_a_peer_is_printed_printable(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    @click.command()
    def fails() -> None:
        raise error

    group = main._Commands("x")
    monkeypatch.setattr(group, "get_command", lambda *_: fails)
    done = CliRunner().invoke(group, ["fails"])
    assert done.exit_code == 1
    assert "evil" in done.output
    assert all(line.isprintable() for line in done.output.split("\n"))


def test_logs_on_a_terminal_are_printable_and_keep_their_lines(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logger = logging.getLogger("pa_telephony")
    before = logger.handlers[:], logger.level, logger.propagate
    try:
        log_to_terminal()
        try:
            raise ConnectionLost(EVIL)
        except ConnectionLost:
            logger.warning("%s is here", EVIL, exc_info=True)
    finally:
        logger.handlers[:], logger.level, logger.propagate = before
    lines = capsys.readouterr().err.split("\n")
    assert len(lines) > 3
    assert all(line.isprintable() for line in lines)
