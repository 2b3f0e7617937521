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


def said(line: LineConfig, kind: DeviceKind = DeviceKind.ROUTE_POINT) -> list[str]:
    return warnings(CallManagerConfig(devices=(DeviceConfig(name="RP", kind=kind, lines=(line,)),)))


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
