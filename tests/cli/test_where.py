"""Where a cluster's configuration is, and who waits for a store that is not there yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from pa_telephony.cli import where
from pa_telephony.cli.main import cli
from pa_telephony.cli.where import the_cluster_once_there
from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.failover import Cluster, ServerConfig
from pa_telephony.failover.transaction import Snapshot, StoreMissing

EXAMPLE = Path(__file__).parents[2] / "examples" / "cluster.toml"
ETCD = "etcd://10.9.0.11/pa"
CLUSTER = Cluster(
    servers=(ServerConfig(server_name="PA1", hostname_or_ip_address="127.0.0.11"),),
    providers=(),
    store=ETCD,
)
SILENT, REFUSED = ConnectionLost("no answer within 1 s"), ConnectionLost("refused")


class View:
    """A store that can be read after these errors."""

    moved_to = ""

    def __init__(self, *errors: Exception) -> None:
        self._errors = iter(errors)

    async def snapshot(self) -> Snapshot:
        for error in self._errors:
            raise error
        return Snapshot(1, {})


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds for which a command has slept; no time passes."""
    found: list[float] = []
    monkeypatch.setattr(where.time, "sleep", found.append)
    return found


def reads(monkeypatch: pytest.MonkeyPatch, view: View, *errors: Exception) -> None:
    """The configuration can be read after these errors, and the store is ``view``."""
    coming = iter(errors)

    def the_cluster(file: Path | None, store: str | None) -> Any:
        for error in coming:
            raise error
        return CLUSTER

    monkeypatch.setattr(where, "the_cluster", the_cluster)
    monkeypatch.setattr(where, "open_view", lambda _: view)
    monkeypatch.setattr(where, "view_of", lambda _: view)
    monkeypatch.setattr(where, "moved_to", lambda view: view.moved_to)


def test_an_etcd_that_is_not_there_yet_is_waited_for_and_each_reason_said_once(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    reads(monkeypatch, View(), SILENT, SILENT, SILENT, SILENT, SILENT, REFUSED)
    assert the_cluster_once_there(None, ETCD) == CLUSTER
    assert capsys.readouterr().err.splitlines() == [
        "waits for the store: no answer within 1 s",
        "waits for the store: refused",
    ]
    assert len(pauses) == 6
    assert 0.25 <= pauses[0] <= 0.5
    assert 2.5 <= pauses[-1] <= 5.0


def test_it_is_waited_for_when_the_configuration_is_a_file(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    reads(monkeypatch, View(REFUSED, REFUSED))
    assert the_cluster_once_there(Path("cluster.toml"), None) == CLUSTER
    assert capsys.readouterr().err == "waits for the store: refused\n"
    assert len(pauses) == 2


def test_an_etcd_that_has_nothing_of_the_cluster_yet_is_begun_with_its_file(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    """The first agent of a cluster waited for a store that nobody would have begun."""
    reads(monkeypatch, View(REFUSED, StoreMissing("there is none")))
    assert the_cluster_once_there(Path("cluster.toml"), None) == CLUSTER
    assert capsys.readouterr().err == "waits for the store: refused\n"
    assert len(pauses) == 1


def test_the_etcd_into_which_a_file_was_moved_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    moved = View()
    moved.moved_to = ETCD
    reads(monkeypatch, moved, REFUSED)
    assert the_cluster_once_there(None, "cluster.db") == CLUSTER
    assert len(pauses) == 1


@pytest.mark.parametrize(
    ("store", "error"),
    [
        ("cluster.db", ConnectionLost("no such directory")),
        (ETCD, ConfigurationError("has no configuration yet")),
    ],
)
def test_what_nobody_brings_later_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float], store: str, error: Exception
) -> None:
    reads(monkeypatch, View(), error)
    with pytest.raises(type(error)):
        the_cluster_once_there(None, store)
    assert pauses == []


@pytest.mark.parametrize("command", ["agent", "server --name PA1", "metrics", "admin"])
def test_every_command_that_runs_until_it_is_stopped_waits(
    monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    def enough(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(where.time, "sleep", enough)
    words = [*command.split(), "--store", "etcd://127.0.0.1:1/pa"]
    result = CliRunner().invoke(cli, words)
    assert result.output.startswith("waits for the store: ")
    assert "127.0.0.1:1" in result.output


@pytest.mark.parametrize("command", ["metrics", "admin"])
def test_an_address_to_listen_on_that_is_empty_is_refused(command: str) -> None:
    done = CliRunner().invoke(cli, [command, "--host", "", "--store", ETCD])
    assert done.exit_code == 2
    assert "'--host': it is empty" in done.output


NEEDED = {
    each[0]: each for each in (["--cluster", str(EXAMPLE)], ["--name", "PA1"], ["--to", ETCD])
}
BESIDES = {"restart": ["--all"], "token": ["--role", "reader"]}


def with_store(command: click.Command, *words: str) -> Iterator[list[str]]:
    """The words of every command that has the option ``--store``, with what it needs besides."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from with_store(found, *words, name)
    elif any("--store" in each.opts for each in command.params):
        given = [*BESIDES.get(words[-1], [])]
        for each in command.params:
            if each.required:
                given += NEEDED.get(each.opts[0], ["PA1"])
        yield [*words, *given]


@pytest.mark.parametrize("words", [*with_store(cli)], ids=" ".join)
def test_every_command_refuses_a_store_that_looks_like_a_url_and_is_none(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, [*words, "--store", "ETCD://h1,h2/pa"])
    assert done.exit_code != 0
    assert "store: must be etcd://HOST,HOST/PREFIX" in done.output
    assert [*tmp_path.iterdir()] == []
