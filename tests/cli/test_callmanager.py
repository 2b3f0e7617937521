"""``pa-telephony callmanager`` of a file that names several nodes."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from pa_telephony.callmanager import CallManagerConfig, validation
from pa_telephony.callmanager.config_file import load
from pa_telephony.cli import callmanager as command
from pa_telephony.cli.main import cli
from pa_telephony.errors import ConfigurationError


@pytest.fixture
def two(tmp_path: Path) -> Path:
    file = tmp_path / "two.toml"
    file.write_text('nodes = ["127.0.0.10", "127.0.0.20"]\n')
    return file


def test_a_node_listens_at_its_address_and_says_that_there_is_no_trunk(
    two: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def run(opening: object, *_: object) -> None:
        seen.append(opening.args[0].keywords["host"])  # type: ignore[attr-defined]

    monkeypatch.setattr(command, "run_until_stopped", run)
    done = CliRunner().invoke(cli, ["callmanager", "--config", str(two), "--node", "2"])
    assert done.exit_code == 0, done.output
    assert seen == ["127.0.0.20"]
    assert "node 2 of 2: no trunk leads to 127.0.0.10" in done.stderr
    done = CliRunner().invoke(cli, ["callmanager", "--config", str(two), "--host", "127.0.0.10"])
    assert "node 1 of 2: no trunk leads to 127.0.0.20" in done.stderr
    done = CliRunner().invoke(cli, ["callmanager", "--config", str(two)])
    assert seen[2:] == ["127.0.0.1"]
    assert done.stderr == (
        "127.0.0.1 is none of the file's nodes, which are 127.0.0.10, 127.0.0.20:"
        " --node N takes the Nth\n"
    )


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--node", "3"], "--node 3: the file names 2 nodes"),
        (["--node", "1", "--host", "127.0.0.10"], "--node and --host both name an address"),
        (["--host", ""], "'--host': it is empty"),
        (["--cti-tls-port", "2749"], "--cti-tls-port goes with a certificate"),
        (["--trace-keyed"], "--trace-keyed goes with --trace"),
        (["--trace-stalls"], "--trace-stalls goes with --trace"),
    ],
)
def test_an_option_that_names_nothing_or_would_have_no_effect_is_refused(
    two: Path, options: list[str], why: str
) -> None:
    done = CliRunner().invoke(cli, ["callmanager", "--config", str(two), *options])
    assert done.exit_code == 2
    assert why in done.stderr


@pytest.mark.parametrize("nodes", [("127.0.0.1", "127.0.0.1"), ("",)])
def test_nodes_are_addresses_each_once(nodes: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError, match="nodes"):
        validation.check(CallManagerConfig(nodes=nodes))


def test_nodes_are_read_from_the_file(two: Path) -> None:
    assert load(two).nodes == ("127.0.0.10", "127.0.0.20")
