"""The command of an agent: where its servers trace, and what it waits for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pa_telephony.cli import agent as command
from pa_telephony.cli.agent import _opened_once_there, _the_cluster_once_there, _trace
from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.failover import Cluster, ServerConfig
from pa_telephony.failover.stores import MemoryStore

CLUSTER = Cluster(
    servers=(ServerConfig(server_name="PA1", hostname_or_ip_address="127.0.0.11"),), providers=()
)


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


ETCD = "etcd://10.9.0.11/pa"


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds for which the command has slept; no time passes."""
    found: list[float] = []
    monkeypatch.setattr(command.time, "sleep", found.append)
    return found


def fails(monkeypatch: pytest.MonkeyPatch, *errors: Exception) -> None:
    """The cluster can be read after these errors."""
    coming = iter(errors)

    def the_cluster(file: Path | None, store: str | None) -> Any:
        for error in coming:
            raise error
        return "the cluster"

    monkeypatch.setattr(command, "the_cluster", the_cluster)


def test_an_agent_that_is_there_before_its_etcd_waits_and_says_each_reason_once(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    silent, refused = ConnectionLost("no answer within 1 s"), ConnectionLost("refused")
    fails(monkeypatch, silent, silent, silent, silent, silent, refused)
    assert _the_cluster_once_there(None, ETCD) == "the cluster"
    assert capsys.readouterr().err.splitlines() == [
        "waits for the store: no answer within 1 s",
        "waits for the store: refused",
    ]
    assert len(pauses) == 6
    assert 0.25 <= pauses[0] <= 0.5
    assert 2.5 <= pauses[-1] <= 5.0


@pytest.mark.parametrize(
    ("store", "error"),
    [
        ("cluster.db", ConnectionLost("no such directory")),
        (None, ConnectionLost("no such directory")),
        (ETCD, ConfigurationError("has no configuration yet")),
    ],
)
def test_what_nobody_brings_later_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float], store: str | None, error: Exception
) -> None:
    fails(monkeypatch, error)
    with pytest.raises(type(error)):
        _the_cluster_once_there(None, store)
    assert pauses == []


async def test_the_store_is_waited_for_when_the_configuration_is_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tries: list[str] = []

    class Opened:
        async def __aenter__(self) -> MemoryStore:
            tries.append("")
            if len(tries) < 3:
                raise ConnectionLost("refused")
            return MemoryStore()

        async def __aexit__(self, *error: object) -> None:
            tries.append("closed")

    monkeypatch.setattr(command, "open_store", lambda _: Opened())
    async with _opened_once_there(replace(CLUSTER, store=ETCD)) as store:
        assert isinstance(store, MemoryStore)
    assert tries == ["", "", "", "closed"]
    assert capsys.readouterr().err == "waits for the store: refused\n"
