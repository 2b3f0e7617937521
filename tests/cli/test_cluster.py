"""``pa-telephony cluster``: what it says, what it saves, and what it refuses."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import trio
from click.testing import CliRunner, Result

from pa_telephony import failover
from pa_telephony.cli.main import cli
from pa_telephony.errors import ConfigurationError
from pa_telephony.failover.beat import Beat
from pa_telephony.failover.configuring import read_configuration, save_configuration
from pa_telephony.failover.stored import CONFIGURATION, Revision, offered
from pa_telephony.failover.stores import MemoryStore, open_store, open_view
from pa_telephony.failover.transaction import Outcome, Put, Transaction
from pa_telephony.failover.world import session

EXAMPLE = Path(__file__).parents[2] / "examples" / "cluster.toml"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cluster.toml"
    path.write_text(EXAMPLE.read_text())
    return path


def run(*words: object, code: int = 0) -> str:
    result: Result = CliRunner().invoke(cli, ["cluster", *map(str, words)])
    assert result.exit_code == code, result.output
    return result.output


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


class Terminal(io.StringIO):
    """What is typed at a terminal."""

    def isatty(self) -> bool:
        return True


def cluster_at(file: Path) -> failover.Cluster:
    """The shipped configuration, with the store that belongs to this file."""
    return replace(failover.load(EXAMPLE), file=str(file))


def configuration(file: Path) -> tuple[Revision, ...]:
    return trio.run(read_configuration, open_view(cluster_at(file)))


def store_of(file: Path) -> Path:
    return file.parent / "state" / "cluster.db"


def running(file: Path, *names: str) -> None:
    """These servers have a session in the store, with its configuration."""

    async def enter() -> None:
        async with open_store(cluster_at(file)) as store:
            for name in names:
                beat = Beat(name, configuration="abc").encode()
                await store.transact(Transaction((), (Put(session(name), beat),)))

    trio.run(enter)


def test_the_first_import_makes_the_store_s_configuration_and_a_second_changes_nothing(
    file: Path,
) -> None:
    assert "revision 1 is saved" in run("import", "--cluster", file)
    assert "nothing changes" in run("import", "--cluster", file)
    assert [each.number for each in configuration(file)] == [1]


def test_an_import_says_what_it_changes_and_what_happens_then(file: Path) -> None:
    run("import", "--cluster", file)
    running(file, "PA1", "PA2")
    edit(file, "number_of_media_ports = 2", "number_of_media_ports = 3")
    said = run("diff", "--cluster", file, code=1)
    assert "server 'PA1': number_of_media_ports: 2 → 3" in said
    assert "6003 comes to PA1" in said
    assert [each.number for each in configuration(file)] == [1]
    assert said + "revision 2 is saved\n" == run("import", "--cluster", file)


def test_what_is_probably_not_meant_is_told_before_it_is_saved(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(file, 'password = "secret"', "")
    warning = "warning: provider PA1jtapi: a user, but no password"
    assert warning in run("validate", "--cluster", file)
    assert warning in run("import", "--cluster", file)
    edit(file, "number_of_media_ports = 2", "number_of_media_ports = 3")
    assert warning in run("diff", "--cluster", file, code=1)
    monkeypatch.setattr("pa_telephony.cli.cluster.sys", SimpleNamespace(stdin=Terminal("n")))
    said = CliRunner().invoke(cli, ["cluster", "import", "--cluster", str(file)], "n\n").output
    assert warning in said.partition("Save this?")[0]


def test_a_file_that_is_exported_is_taken_back_unchanged(file: Path, tmp_path: Path) -> None:
    run("import", "--cluster", file)
    copy = tmp_path / "elsewhere" / "copy.toml"
    copy.parent.mkdir()
    run("export", "--store", store_of(file), "--output", copy)
    assert copy.stat().st_mode & 0o777 == 0o600
    assert "nothing changes" in run("import", "--cluster", copy, "--store", store_of(file))
    assert run("export", "--cluster", file) == copy.read_text()
    assert "File exists" in run("export", "--cluster", file, "--output", copy, code=1)


def test_of_two_writers_the_second_is_shown_what_the_first_has_changed(
    file: Path, tmp_path: Path
) -> None:
    run("import", "--cluster", file)
    mine, yours = tmp_path / "mine.toml", tmp_path / "yours.toml"
    for copy in (mine, yours):
        run("export", "--cluster", file, "--output", copy)
        edit(copy, "number_of_media_ports = 2", f"number_of_media_ports = {len(copy.stem)}")
    run("import", "--cluster", mine, "--store", store_of(file))
    said = run("import", "--cluster", yours, "--store", store_of(file), code=1)
    assert "revision 2 was saved by" in said
    assert "server 'PA1': number_of_media_ports: 2 → 4" in said
    assert configuration(file)[0].number == 2
    said = run("import", "--cluster", yours, "--store", store_of(file), "--over", 2)
    assert "revision 3 is saved" in said


@pytest.mark.parametrize(("answer", "number"), [("n", 1), ("", 2), ("y", 2)])
def test_where_a_terminal_can_answer_it_is_asked_before_anything_is_saved(
    file: Path, monkeypatch: pytest.MonkeyPatch, answer: str, number: int
) -> None:
    run("import", "--cluster", file)
    edit(file, "number_of_media_ports = 2", "number_of_media_ports = 3")
    monkeypatch.setattr("pa_telephony.cli.cluster.sys", SimpleNamespace(stdin=Terminal(answer)))
    result = CliRunner().invoke(cli, ["cluster", "import", "--cluster", str(file)], f"{answer}\n")
    assert "number_of_media_ports: 2 → 3" in result.output.partition("Save this?")[0]
    assert result.exit_code == (0 if number == 2 else 1)
    assert configuration(file)[0].number == number


def test_what_was_shown_is_saved_and_nothing_that_another_saved_meanwhile_is_lost(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("import", "--cluster", file)
    edit(file, "number_of_media_ports = 2", "number_of_media_ports = 3")

    def asked(*_: object, **__: object) -> bool:
        other = replace(failover.load(EXAMPLE), capacity_aware=True, file=str(file))

        async def save() -> None:
            async with open_store(other) as store:
                await save_configuration(other, store)

        trio.run(save)
        return True

    monkeypatch.setattr("pa_telephony.cli.cluster.sys", SimpleNamespace(stdin=Terminal("")))
    monkeypatch.setattr("pa_telephony.cli.cluster.click.confirm", asked)
    said = run("import", "--cluster", file, code=1)
    assert "revision 2 was saved after revision 1" in said
    assert configuration(file)[0].number == 2


def test_a_copy_is_compared_with_the_store_that_is_named(file: Path, tmp_path: Path) -> None:
    run("import", "--cluster", file)
    copy = tmp_path / "elsewhere" / "copy.toml"
    copy.parent.mkdir()
    run("export", "--cluster", file, "--output", copy)
    assert "name the cluster's store with --store" in run("diff", "--cluster", copy, code=1)
    run("diff", "--cluster", copy, "--store", store_of(file))


def test_a_command_says_when_its_file_is_not_what_the_store_has(file: Path) -> None:
    run("import", "--cluster", file)
    assert "differs" not in run("history", "--cluster", file)
    edit(file, "number_of_media_ports = 2", "number_of_media_ports = 3")
    assert "cluster.toml differs from revision 1 in the store, which counts" in run(
        "history", "--cluster", file
    )


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('route_address = "6000"', 'route_address = "60OO"', "route_address"),
        ("number_of_media_ports = 2", "number_of_media_ports = 2000", "number_of_media_ports"),
        ('password = "secret"', "password = 7", "password"),
        ('_address = "127.0.0.11"', '_address = "127.0.0.99"', "hostname_or_ip_address"),
        ("[[servers]]", "[[servers", "TOML"),
    ],
)
def test_a_bad_file_changes_nothing_and_the_reason_names_the_field(
    file: Path, old: str, new: str, field: str
) -> None:
    run("import", "--cluster", file)
    running(file, "PA1")
    before = configuration(file)
    edit(file, old, new)
    assert field in run("import", "--cluster", file, code=1)
    assert configuration(file) == before


def test_what_would_be_refused_is_told_beforehand(file: Path) -> None:
    run("import", "--cluster", file)
    running(file, "PA1")
    edit(file, "beginning_port = 32000", "beginning_port = 34000")
    said = run("diff", "--cluster", file, code=2)
    assert "refused: " in said
    assert "stop PA1 first" in said


def test_the_history_says_who_has_changed_what(file: Path) -> None:
    run("import", "--cluster", file)
    edit(file, "number_of_media_ports = 2", "number_of_media_ports = 3")
    edit(file, '"secret"', '"very secret"')
    run("import", "--cluster", file)
    said = run("history", "--store", store_of(file))
    assert said.splitlines()[0].startswith("revision 2, ")
    assert "server 'PA1': number_of_media_ports: 2 → 3" in said
    assert "secret" not in said
    assert "number_of_media_ports = 2\n" in run("export", "--cluster", file, "--revision", 1)
    assert "no revision 9" in run("export", "--cluster", file, "--revision", 9, code=1)


def test_a_file_is_validated_without_a_store(file: Path) -> None:
    assert "keeps every rule: 2 servers" in run("validate", "--cluster", file)
    edit(file, 'fail_over_server_names = ["PA2"]', 'fail_over_server_names = ["PA9"]')
    edit(file, "number_of_media_ports = 2", "number_of_media_ports = 2000")
    said = run("validate", "--cluster", file, code=1)
    assert "there is no server 'PA9'" in said
    assert "number_of_media_ports: must be 0 to 1000" in said


def test_a_store_without_a_configuration_says_how_it_gets_one(file: Path) -> None:
    running(file)
    assert "cluster import" in run("history", "--store", store_of(file), code=1)


class Overtaking(MemoryStore):
    """Another writer commits right before the first transaction."""

    def __init__(self, other: Transaction) -> None:
        super().__init__()
        self.other: Transaction | None = other

    async def transact(self, transaction: Transaction) -> Outcome:
        other, self.other = self.other, None
        if other is not None:
            await super().transact(other)
        return await super().transact(transaction)


async def test_two_that_save_at_the_same_moment_do_not_overwrite_one_another() -> None:
    cluster = failover.load(EXAMPLE)
    theirs = replace(
        offered(cluster), text=offered(cluster).text.replace("6001", "6101"), by="somebody"
    )
    store = Overtaking(Transaction((), (Put(CONFIGURATION, theirs.encode()),)))
    with pytest.raises(ConfigurationError, match="revision 1 was saved by somebody"):
        await save_configuration(cluster, store)
    assert await read_configuration(store) == (theirs,)


async def test_a_server_that_starts_while_what_it_may_not_take_up_is_saved_hinders_that() -> None:
    cluster = failover.load(EXAMPLE)

    starts = Transaction((), (Put(session("PA1"), Beat("PA1", configuration="abc").encode()),))
    store = Overtaking(starts)
    store.other = None
    await save_configuration(cluster, store)
    store.other = starts
    first = replace(cluster.servers[0], hostname_or_ip_address="127.0.0.99")
    new = replace(cluster, servers=(first, *cluster.servers[1:]))
    with pytest.raises(ConfigurationError, match="nothing was saved"):
        await save_configuration(new, store)
    (revision,) = await read_configuration(store)
    assert revision.number == 1


LAB = EXAMPLE.with_name("lab.toml")


def test_a_call_manager_that_has_every_device_of_the_cluster_is_told_so(file: Path) -> None:
    out = run("devices", "--cluster", file, "--config", LAB)
    assert out == f"{LAB} has every device of the cluster\n"


def test_what_a_call_manager_lacks_is_printed_for_its_file(file: Path, tmp_path: Path) -> None:
    text = LAB.read_text()
    house = tmp_path / "house.toml"
    house.write_text(text.replace('"PA1-VI2"', '"PA1-VI3"'))
    result = CliRunner().invoke(
        cli, ["cluster", "devices", "--cluster", str(file), "--config", str(house)]
    )
    assert result.exit_code == 1
    assert result.stderr == f"1 device is missing in {house}\n"
    assert "# port 6002 of PA1: there is no device PA1-VI2" in result.stdout
    house.write_text(house.read_text().replace('"6002"', '"6003"') + result.stdout)
    assert "has every device" in run("devices", "--cluster", file, "--config", house)


def test_devices_of_a_call_manager_come_from_its_socket_or_its_file(file: Path) -> None:
    both = ("--control", "c", "--config", LAB)
    assert "not both" in run("devices", "--cluster", file, *both, code=2)
    assert "No such file" in run("devices", "--cluster", file, "--control", "/nowhere/c", code=1)
