"""``status`` and the orders of operators as they are typed: words and exit statuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import trio
from click.testing import CliRunner, Result

from pa_telephony.cli.main import cli
from pa_telephony.cli.status import changes, page
from pa_telephony.failover import (
    Cluster,
    Episode,
    EpisodeKind,
    cluster_status,
    load,
    open_store,
)
from pa_telephony.failover.beat import Beat
from pa_telephony.failover.transaction import Put, Snapshot, Transaction
from pa_telephony.failover.world import Bearer, claim, session

FILE = """
[[servers]]
server_name = "PA1"
hostname_or_ip_address = "127.0.0.11"
route_address = "6000"
media_port_provider = "skinny"
media_port_beginning_address = "6001"
number_of_media_ports = 1
fail_over_server_names = ["PA2"]

[[servers]]
server_name = "PA2"
hostname_or_ip_address = "127.0.0.12"

[[providers]]
type = "jtapi"
name = "jtapi"
hosts = ["127.0.0.10"]
user = "pa"

[[providers]]
type = "skinny"
name = "skinny"
hosts = ["127.0.0.10"]
device_name_prefix = "VI"
"""
LINKS = frozenset({"jtapi", "skinny"})


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    file = tmp_path / "cluster.toml"
    file.write_text(FILE)
    return load(file)


def run(cluster: Cluster, command: str, *options: str) -> Result:
    return CliRunner().invoke(cli, [command, "--cluster", cluster.file, *options])


def write(cluster: Cluster, **sessions: Beat) -> None:
    """PA1 owns what is its own if it has a session, else PA2."""

    async def main() -> None:
        async with open_store(cluster) as store:
            puts = [Put(session(name), beat.encode()) for name, beat in sessions.items()]
            await store.transact(Transaction((), tuple(puts)))
            entries = (await store.snapshot()).entries
            owner = "PA1" if "PA1" in sessions else "PA2"
            bearer = Bearer(owner, entries[session(owner)].created)
            owned = [Put(each.key, str(bearer)) for each in cluster.identities("PA1")]
            if owner == "PA2":
                owned.append(Put(claim("PA1"), str(bearer)))
            await store.transact(Transaction((), tuple(owned)))

    trio.run(main)


def all_up(cluster: Cluster, **more: object) -> Beat:
    up = frozenset(each.label for each in cluster.identities("PA1"))
    return Beat("i", LINKS, LINKS, up=up, **more)  # type: ignore[arg-type]


def test_one_that_stands_in_is_a_warning(cluster: Cluster) -> None:
    write(cluster, PA2=all_up(cluster))
    result = run(cluster, "status")
    assert result.exit_code == 1
    assert "down, PA2 stands in" in result.output
    assert "no process that runs" in result.output


def test_a_number_that_is_not_served_is_told_with_the_reason_and_fails(cluster: Cluster) -> None:
    refused = {"PA1/port/6001": "Device \x1b[2J Unknown [red]"}
    up = frozenset({"PA1/route/6000"})
    write(cluster, PA2=Beat("i", LINKS, LINKS, up=up, why=refused))
    result = run(cluster, "status")
    assert result.exit_code == 2
    assert "PA2 Device \\x1b[2J" in result.output
    assert "[red]" in result.output
    assert "\x1b" not in result.output
    plain = json.loads(run(cluster, "status", "--json").output)
    assert plain[0]["resources"][0]["why"] == refused["PA1/port/6001"]
    assert plain[0]["severity"] == "down"
    assert plain[1]["stands_in_for"] == ["PA1"]


def test_speech_and_license_servers_are_rows_that_say_not_installed(tmp_path: Path) -> None:
    file = tmp_path / "cluster.toml"
    speech = """
[speech]
speech_recognition_server_hosts = ["127.0.0.11"]
speech_recognition_license_manager_hosts = ["127.0.0.11", "127.0.0.12"]
"""
    file.write_text(FILE + speech)
    cluster = load(file)
    write(cluster, PA1=all_up(cluster))
    lines = run(cluster, "status").output.splitlines()
    assert lines[-3:] == [
        "Speech License Manager 127.0.0.11: not installed",
        "Speech License Manager 127.0.0.12: not installed",
        "Personal Assistant Speech Server 127.0.0.11, American English: not installed",
    ]
    plain = json.loads(run(cluster, "status", "--json").output)
    assert [each.get("server") for each in plain] == ["PA1", "PA2", None, None, None]
    assert plain[-1] == {
        "group": "Personal Assistant Speech Server",
        "host": "127.0.0.11",
        "locale": "American English",
        "state": "not installed",
    }


def test_a_cluster_that_never_ran_has_no_status(cluster: Cluster) -> None:
    for command, *options in (("status",), ("stop", "--all"), ("start", "--all")):
        result = run(cluster, command, *options)
        assert result.exit_code == (3 if command == "status" else 1)
        assert "no server of this cluster has run" in result.output
    assert not cluster.store_path.exists()


def test_a_file_that_is_no_cluster_is_an_unknown_status(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["status", "--cluster", str(tmp_path / "none.toml")])
    assert (result.exit_code, "No such file" in result.output) == (3, True)


def test_watching_tells_what_has_changed(cluster: Cluster) -> None:
    down = cluster_status(cluster, Snapshot(0, {}))
    assert changes((), down) == [
        "PA1: down, nobody stands in",
        "PA1 media port 6001: down, nobody (nobody can stand in: PA2 has no session)",
        "PA1 route point 6000: down, nobody (nobody can stand in: PA2 has no session)",
        "PA2: down",
    ]
    assert changes(down, down) == []


def test_start_and_stop_say_that_nobody_hears_them(cluster: Cluster) -> None:
    write(cluster, PA2=all_up(cluster))
    result = run(cluster, "stop", "--within", "0", "PA1")
    assert result.output == (
        "PA1 is stopped; no process of it runs; PA2 serves 2 of its 2 numbers\n"
    )
    assert result.exit_code == 0
    result = run(cluster, "start", "PA1")
    assert result.output.startswith("PA1 may run, but no process of it runs")
    assert result.exit_code == 1


def test_a_name_that_is_no_server_is_refused(cluster: Cluster) -> None:
    write(cluster, PA2=all_up(cluster))
    result = run(cluster, "stop", "PA9")
    assert (result.exit_code, "no server 'PA9'" in result.output) == (1, True)


def test_the_page_can_be_drawn(cluster: Cluster) -> None:
    assert page(cluster_status(cluster, Snapshot(0, {}))) is not None


def test_history_outlives_the_servers(cluster: Cluster) -> None:
    write(cluster, PA2=all_up(cluster))
    result = run(cluster, "status", "--history")
    assert (result.output, result.exit_code) == ("no takeover, return or fence so far\n", 0)
    fence = Episode(EpisodeKind.FENCE, "PA1", "PA1", "stood \x1b[2J still", 1.0e9, 7.25)

    async def write_down() -> None:
        async with open_store(cluster) as store:
            await store.transact(Transaction((), (Put(fence.key, fence.encode()),)))

    trio.run(write_down)
    result = run(cluster, "status", "--history")
    assert "PA1 fences itself" in result.output
    assert "stood \\x1b[2J still" in result.output
    assert "7.2 s" in result.output
    (plain,) = json.loads(run(cluster, "status", "--history", "--json").output)
    assert (plain["kind"], plain["server"], plain["seconds"]) == ("fence", "PA1", 7.25)


# ------------------------------------------------------------------------------ what is ordered


def entries(cluster: Cluster) -> dict[str, str]:
    """What the store has besides sessions."""

    async def main() -> dict[str, str]:
        async with open_store(cluster, create=False) as store:
            found = (await store.snapshot()).entries
            orders = ("stop/", "move/", "return/", "hold/")
            return {key: each.value for key, each in found.items() if key.startswith(orders)}

    return trio.run(main)


@pytest.mark.parametrize("command", ["stop", "start"])
@pytest.mark.parametrize("given", [(), ("PA1", "--all")])
def test_nobody_who_forgets_a_name_stops_all_servers(
    cluster: Cluster, command: str, given: tuple[str, ...]
) -> None:
    write(cluster, PA2=all_up(cluster))
    result = run(cluster, command, *given)
    assert result.exit_code == 2
    assert "name the servers, or --all for all of them (PA1, PA2)" in result.output
    assert entries(cluster) == {}


def test_all_servers_are_stopped_and_started_by_name_of_all(cluster: Cluster) -> None:
    write(cluster, PA2=all_up(cluster))
    result = run(cluster, "stop", "--all", "--within", "0")
    assert result.output.startswith("PA1 is stopped")
    assert entries(cluster) == {"stop/PA1": "stop", "stop/PA2": "stop"}
    run(cluster, "start", "--all", "--within", "0")
    assert entries(cluster) == {}


def test_a_move_may_have_a_deadline_and_says_how_far_it_is(cluster: Cluster) -> None:
    write(cluster, PA1=all_up(cluster), PA2=Beat("i", LINKS, LINKS))
    result = run(cluster, "move", "--within", "0", "PA1", "PA2", "--deadline", "0")
    assert result.output == "PA1: PA2 serves 0 of its 2 numbers; calls that go on elsewhere: 0\n"
    assert result.exit_code == 1
    assert entries(cluster) == {"move/PA1": "PA2:0"}
    result = run(cluster, "move", "PA1", "pa1", "--deadline", "3")
    assert result.exit_code == 2
    assert "`pa-telephony return` brings a server's numbers home by a deadline" in result.output


def test_who_does_not_run_cannot_return_and_the_exit_status_says_so(cluster: Cluster) -> None:
    write(cluster, PA2=all_up(cluster))
    result = run(cluster, "return", "PA1")
    assert result.output == "PA1 does not run: there is nobody to return to\n"
    assert result.exit_code == 1
    assert entries(cluster) == {}
    result = run(cluster, "return", "PA1", "--undo")
    assert result.output == (
        "PA1: no return is ordered; what is away comes home by itself, call by call\n"
    )
    assert result.exit_code == 0


def test_a_hold_says_who_keeps_what_and_is_taken_back(cluster: Cluster) -> None:
    write(cluster, PA2=all_up(cluster))
    result = run(cluster, "hold", "PA1")
    assert (result.output, result.exit_code) == ("PA1: PA2 keeps 2 of its 2 numbers\n", 0)
    assert entries(cluster) == {"hold/PA1": "held"}
    plain = json.loads(run(cluster, "status", "--json").output)
    assert plain[0]["orders"] == {"hold": {}}
    assert plain[0]["state"] == "down, PA2 stands in and will keep it"
    run(cluster, "hold", "PA1", "--undo", "--within", "0")
    assert entries(cluster) == {}


def test_status_has_every_order_for_programs(cluster: Cluster) -> None:
    write(cluster, PA1=all_up(cluster), PA2=Beat("i", LINKS, LINKS))
    run(cluster, "move", "--within", "0", "PA1", "PA2")
    run(cluster, "stop", "--within", "0", "PA2", "--alone")
    first, second = json.loads(run(cluster, "status", "--json").output)
    assert first["orders"] == {"move": {"to": "PA2", "seconds": None}}
    assert second["orders"] == {"stop": {"alone": True}}
