"""``pa-telephony examples`` writes what the documentation shows, and nothing over what is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from pa_telephony.cli.main import cli

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_all_examples_are_written_as_they_are_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["examples"])
    assert done.exit_code == 0, done.output
    shipped = {
        path.relative_to(EXAMPLES)
        for path in EXAMPLES.rglob("*")
        if path.is_file() and not {"__pycache__", ".pytest_cache", "state"} & {*path.parts}
    }
    written = tmp_path / "examples"
    assert {path.relative_to(written) for path in written.rglob("*") if path.is_file()} >= shipped
    for name in shipped:
        assert (written / name).read_bytes() == (EXAMPLES / name).read_bytes()
    # The call manager warns of passwords that everybody may read.
    assert (written / "lab.toml").stat().st_mode & 0o077 == 0


def test_what_is_there_stays_as_it_is(tmp_path: Path) -> None:
    mine = tmp_path / "ivr.py"
    mine.write_text("mine")
    CliRunner().invoke(cli, ["examples", str(tmp_path)])
    assert mine.read_text() == "mine"
    done = CliRunner().invoke(cli, ["examples", str(tmp_path)])
    assert done.output == f"{tmp_path}: all is there\n"
    (tmp_path / "media_port.py").unlink()
    done = CliRunner().invoke(cli, ["examples", str(tmp_path)])
    assert done.output == f"{tmp_path}: 1 file written\n"


def test_a_wheel_has_the_examples() -> None:
    text = (EXAMPLES.parent / "pyproject.toml").read_text()
    assert '"examples" = "pa_telephony/examples"' in text
