"""The command of an agent: where its servers trace."""

from __future__ import annotations

from pathlib import Path

from pa_telephony.cli.agent import _trace


def test_each_life_of_a_server_traces_into_a_file_of_its_own(tmp_path: Path) -> None:
    directory = tmp_path / "traces"
    for life in (1, 2, 3):
        option, file, stalls = _trace(directory, "PA1")
        assert (option, stalls) == ("--trace", "--trace-stalls")
        assert Path(file) == directory / f"PA1-{life}.jsonl"
        Path(file).touch()
    assert _trace(directory, "PA2")[1].endswith("PA2-1.jsonl")


def test_without_a_directory_nobody_traces() -> None:
    assert _trace(None, "PA1") == []
