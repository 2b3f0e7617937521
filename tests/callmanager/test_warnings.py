"""What a call manager says at its start about a configuration that it takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from pa_telephony.callmanager import CallManagerConfig, DeviceConfig, DeviceKind, LineConfig
from pa_telephony.callmanager.config_file import load
from pa_telephony.callmanager.validation import warnings
from pa_telephony.cli import callmanager as command, running

EXAMPLES = Path(__file__).parents[2] / "examples"


ALICE = DeviceConfig(name="P1", lines=(LineConfig(number="1001"),))


def said(line: LineConfig, kind: DeviceKind = DeviceKind.ROUTE_POINT) -> list[str]:
    """What is said of a house with this line and Alice's."""
    device = DeviceConfig(name="RP", kind=kind, lines=(line,))
    return warnings(CallManagerConfig(devices=(ALICE, device)))


def of_lines(*lines: dict[str, str], **spaces: tuple[str, ...]) -> list[str]:
    """What is said of phones P1, P2, … with these lines."""
    devices = (
        DeviceConfig(name=f"P{index}", lines=(LineConfig(**line),))  # type: ignore[arg-type]
        for index, line in enumerate(lines, 1)
    )
    return warnings(CallManagerConfig(devices=tuple(devices), search_spaces=spaces))


def test_a_route_point_needs_forwards_for_when_nobody_serves_or_routes() -> None:
    assert said(LineConfig(number="5XXX")) == [
        "route point RP, line 5XXX: no forward_failure, so while no application serves it its"
        " callers are turned away",
        "route point RP, line 5XXX: no forward_no_answer, so a caller whom its application does not"
        " route is turned away",
    ]
    assert len(said(LineConfig(number="5XXX", forward_failure="5XXX"))) == 1
    assert said(LineConfig(number="6000", forward_all="1001")) == []
    assert said(LineConfig(number="6001"), DeviceKind.MEDIA_PORT) == []


def test_a_partition_that_no_search_space_has_is_told_once() -> None:
    lines = ({"number": "1001", "partition": "AP"}, {"number": "1002", "partition": "AP"})
    assert of_lines(*lines, phones=("", "PA")) == [
        "phone P1, line 1001: no search space has partition 'AP', so nobody can call what is in it",
        "search space phones: no line is in partition 'PA'",
    ]
    assert of_lines(*lines, phones=("", "AP")) == []
    assert of_lines(*lines) == [], "without search spaces nobody has begun to use partitions"


@pytest.mark.parametrize("field", ["all", "busy", "no_answer", "failure"])
def test_a_forward_that_the_control_socket_would_refuse_is_told(field: str) -> None:
    assert of_lines({"number": "1001", f"forward_{field}": "1009"}) == [
        f"phone P1, line 1001: forward_{field} to 1009 leads nowhere: no such number (cause 1)"
    ]
    line = {"number": "1001", "search_space": "phones", f"forward_{field}": "1002"}
    hidden = {"number": "1002", "partition": "PA"}
    assert of_lines(line, hidden, phones=("PA",)) == []
    assert of_lines({**line, "forward_search_space": "few"}, hidden, phones=("PA",), few=("",)) == [
        f"phone P1, line 1001: forward_{field} to 1002 leads nowhere: no such number (cause 1)"
    ]


def test_a_forward_keeps_digits_of_the_number_of_its_line() -> None:
    """With a pattern's it leads to another number for each that is dialled: nothing is said."""
    assert of_lines({"number": "1001", "forward_busy": "2XXX"}, {"number": "2001"}) == []
    assert of_lines({"number": "1001", "forward_busy": "2XXX"}, {"number": "2002"}) == [
        "phone P1, line 1001: forward_busy to 2XXX leads nowhere: no such number (cause 1)"
    ]
    assert of_lines({"number": "100X", "forward_busy": "2XXX"}) == []


def test_forwards_in_a_ring_are_told_once() -> None:
    assert of_lines(
        {"number": "1001", "forward_all": "1002"},
        {"number": "1002", "forward_all": "1003"},
        {"number": "1003", "forward_all": "1001"},
    ) == ["phone P1, line 1001: forward_all to 1002 leads in a ring: 1001, 1002, 1003, 1001"]


@pytest.mark.parametrize("field", ["all", "busy", "no_answer", "failure"])
def test_a_forward_to_its_own_line_is_a_ring(field: str) -> None:
    assert of_lines({"number": "1001", f"forward_{field}": "1001"}) == [
        f"phone P1, line 1001: forward_{field} to 1001 leads in a ring: 1001, 1001"
    ]


def test_two_lines_that_stand_in_for_each_other_when_busy_are_no_ring() -> None:
    told = of_lines(
        {"number": "1001", "forward_busy": "1002", "forward_no_answer": "1002"},
        {"number": "1002", "forward_busy": "1001", "forward_no_answer": "1001"},
    )
    assert told == []


def test_a_ring_goes_on_where_all_calls_are_forwarded() -> None:
    assert of_lines(
        {"number": "1001", "forward_busy": "1002"}, {"number": "1002", "forward_all": "1001"}
    ) == ["phone P1, line 1001: forward_busy to 1002 leads in a ring: 1001, 1002, 1001"]


def test_a_forward_into_a_ring_of_others_leads_nowhere() -> None:
    told = of_lines(
        {"number": "1001", "forward_all": "1002"},
        {"number": "1002", "forward_all": "1003"},
        {"number": "1003", "forward_all": "1002"},
    )
    assert told == [
        "phone P1, line 1001: forward_all to 1002 leads nowhere:"
        " forwarded in a ring, or too often (cause 25)",
        "phone P2, line 1002: forward_all to 1003 leads in a ring: 1002, 1003, 1002",
    ]


def test_the_program_says_it_at_its_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "house.toml"
    file.write_text(
        """
        [[device]]
        name = "RP"
        kind = "route point"
        lines = [{ number = "6000", forward_failure = "1001" }]
        """
    )
    # What runs until a signal comes, and what changes logging for good, is left out.
    monkeypatch.setattr(command, "run_until_stopped", lambda *_: None)
    monkeypatch.setattr(running, "log_to_terminal", lambda **_: None)
    done = CliRunner().invoke(command.callmanager, ["--config", str(file)])
    assert done.exit_code == 0
    assert "warning: route point RP, line 6000: no forward_no_answer" in done.output
    done = CliRunner().invoke(
        command.callmanager, ["--config", str(file), "--set", "applications.max_handles=0"]
    )
    assert "applications: max_handles: must be a whole number" in str(done.exception)


def test_the_shipped_example_has_them() -> None:
    assert warnings(load(EXAMPLES / "lab.toml")) == []
