"""The JSON API: what it reads, orders and saves, by the same rules as pages and commands."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
from api_program import SECRET, Program, call_manager_socket, opened, session_of, with_secret
from form_browser import Clock, administration, serve
from worlds import CLUSTER

from pa_telephony.admin.administration import Administration
from pa_telephony.admin.api.operations import OPERATIONS
from pa_telephony.admin.roles import TABLE, Role
from pa_telephony.admin.tokens import Tokens
from pa_telephony.failover import JtapiProvider
from pa_telephony.failover.config import ClusterConfig
from pa_telephony.failover.stores import MemoryStore
from pa_telephony.failover.world import held_back, move, stop


async def the_secret(everything: Administration) -> str:
    (found,) = [
        each.password
        for each in (await everything.managed.present()).config.providers
        if isinstance(each, JtapiProvider)
    ]
    return found


# ------------------------------------------------------------------------------------ reading


async def test_what_is_read_is_as_declared_with_servers_and_without(tmp_path: Path) -> None:
    for name, begin in (("some", CLUSTER), ("none", ClusterConfig(()))):
        async with (
            call_manager_socket() as control,
            opened(tmp_path / name, begin, control=control) as (programs, _, store),
        ):
            if begin is CLUSTER:
                await serve(store, "PA1", "PA2", busy=True)
            reader = programs[Role.READER]
            for operation in OPERATIONS:
                if operation.method == "GET" and not (
                    operation.stream or operation.name == "description"
                ):
                    program = reader if TABLE[Role.READER, operation.act] else None
                    program = program or programs[Role.ADMINISTRATOR]
                    status, found = await program.ask("GET", operation.path)
                    assert status == 200, (operation.name, found)


async def test_the_status_is_that_of_the_command(tmp_path: Path) -> None:
    async with opened(tmp_path) as (programs, _, store):
        await serve(store, "PA1", "PA2", busy=True)
        _, found = await programs[Role.READER].ask("GET", "/status")
        pa1, pa2, *_ = found["servers"]
        assert (pa1["server"], pa1["up"], pa1["media_ports_in_use"]) == ("PA1", True, 2)
        assert pa2["state"] == "idle spare"
        assert [each["number"] for each in pa1["resources"]] == ["6001", "6002", "5XXX", "6000"]
        _, found = await programs[Role.READER].ask("GET", "/alarms")
        kinds = [(each["kind"], each["server"]) for each in found["alarms"]]
        differs = [("configuration_differs", each) for each in ("PA1", "PA2")]
        assert kinds == [*differs, ("server_down", "PA3")]


async def test_an_earlier_configuration_is_read_by_its_number(tmp_path: Path) -> None:
    async with opened(tmp_path) as (programs, everything, _):
        later = replace(CLUSTER, capacity_aware=True)
        await everything.managed.save(later, 1, "anna")
        reader = programs[Role.READER]
        _, now = await reader.ask("GET", "/configuration")
        assert (now["revision"], now["by"]) == (2, "anna")
        assert now["configuration"]["capacity_aware"] is True
        _, before = await reader.ask("GET", "/configuration?revision=1")
        assert "capacity_aware" not in before["configuration"]
        status, found = await reader.ask("GET", "/configuration?revision=7")
        assert (status, found["detail"]) == (404, "The store has no revision 7 (any more).")
        _, found = await reader.ask("GET", "/configuration/history")
        assert [each["revision"] for each in found["revisions"]] == [2, 1]
        assert "capacity_aware" in found["revisions"][0]["changes"][0]


async def test_events_come_whenever_something_changes(tmp_path: Path) -> None:
    async with opened(tmp_path) as (programs, everything, store):
        await serve(store, "PA1", "PA2")
        say, heard = trio.open_memory_channel[dict[str, Any]](10)
        stopped = trio.Event()
        operation = next(each for each in OPERATIONS if each.name == "events")
        app = programs[Role.READER].client._transport.app  # type: ignore[attr-defined]
        secret = Tokens(everything.records).make("watcher", Role.READER, "test")

        async def receive() -> dict[str, Any]:
            await stopped.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            body = message.get("body", b"").decode()
            if body.startswith("event: update\ndata: "):
                found = json.loads(body.partition("data: ")[2])
                assert [*operation.answer.problems(found)] == []
                say.send_nowait(found)

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/api/v1/events",
            "query_string": b"",
            "headers": [(b"authorization", f"Bearer {secret}".encode())],
            "client": ("192.0.2.7", 1),
            "scheme": "http",
        }
        async with trio.open_nursery() as nursery:
            nursery.start_soon(app, scope, receive, send)
            with trio.fail_after(60):
                first = await heard.receive()
            await programs[Role.OPERATOR].ask("POST", "/orders/hold", {"server": "PA1"})
            with trio.fail_after(60):
                second = await heard.receive()
            # Whose token is revoked is told nothing more.
            Tokens(everything.records).revoke("watcher")
            await trio.sleep(60)
            body = {"server": "PA1", "undo": True}
            await programs[Role.OPERATOR].ask("POST", "/orders/hold", body)
            await trio.sleep(60)
            with pytest.raises(trio.WouldBlock):
                heard.receive_nowait()
            stopped.set()
        assert first["servers"][0]["orders"] == {}
        assert second["servers"][0]["orders"] == {"hold": {}}


# ------------------------------------------------------------------------------------- orders


@pytest.mark.parametrize(
    ("order", "body", "value"),
    [
        ("stop", {"servers": ["PA1"]}, "stop"),
        ("stop-alone", {"servers": ["pa1"]}, "alone"),
        ("drain", {"servers": ["PA1"], "deadline": 60, "within": 1}, "drain:60"),
        ("drain", {"servers": ["PA1"], "within": 0}, "drain:3600"),
    ],
)
async def test_an_order_stands_in_the_store_until_start_takes_it_back(
    tmp_path: Path, order: str, body: dict[str, Any], value: str
) -> None:
    async with opened(tmp_path) as (programs, everything, store):
        await serve(store, "PA1", "PA2")
        operator = programs[Role.OPERATOR]
        status, found = await operator.ask("POST", f"/orders/{order}", body)
        assert (status, found["obeyed"]) == (200, False)
        assert found["answers"][0]["server"] == "PA1"
        entries = (await store.snapshot()).entries
        assert entries[stop("PA1")].value == value
        assert stop("PA2") not in entries
        await operator.ask("POST", "/orders/start", {"all": True, "within": 0})
        assert stop("PA1") not in (await store.snapshot()).entries
        deeds = [(each.account, each.what) for each in everything.records.deeds(2)]
        assert deeds == [
            ("token a-operator", "API: start all"),
            ("token a-operator", f"API: {order} {body['servers'][0]}"),
        ]


async def test_move_hold_and_return_are_those_of_the_commands(tmp_path: Path) -> None:
    async with opened(tmp_path) as (programs, _, store):
        await serve(store, "PA1", "PA2")
        operator = programs[Role.OPERATOR]
        body = {"server": "PA1", "to": "PA2", "deadline": 30, "within": 0}
        assert (await operator.ask("POST", "/orders/move", body))[0] == 200
        assert (await store.snapshot()).entries[move("PA1")].value == "PA2:30"
        _, found = await operator.ask("GET", "/status")
        assert found["servers"][0]["orders"] == {"move": {"to": "PA2", "seconds": 30.0}}
        _, found = await operator.ask("POST", "/orders/hold", {"server": "PA1", "within": 0})
        assert held_back("PA1") in (await store.snapshot()).entries
        status, found = await operator.ask("POST", "/orders/return", {"server": "PA1"})
        assert (status, found["obeyed"]) == (200, True)
        entries = (await store.snapshot()).entries
        assert move("PA1") not in entries
        assert held_back("PA1") not in entries
        status, found = await operator.ask(
            "POST", "/orders/move", {"server": "PA2", "to": "PA1", "within": 0}
        )
        assert (status, found["errors"][0]["field"]) == (422, "fail_over_server_names")


@pytest.mark.parametrize(
    ("order", "body", "field"),
    [
        ("stop", {}, "servers"),
        ("stop", {"servers": ["PA1"], "all": True}, "servers"),
        ("stop", {"servers": "PA1"}, "servers"),
        ("stop", {"servers": [7]}, "servers[0]"),
        ("start", {"all": "yes"}, "all"),
        ("start", {"all": True, "within": 301}, "within"),
        ("drain", {"servers": ["PA1"], "deadline": 86401}, "deadline"),
        ("drain", {"servers": ["PA1"], "deadline": 1.5}, "deadline"),
        ("stop", {"servers": ["PA1"], "deadline": 1}, "deadline"),
        ("move", {"server": "PA1"}, "to"),
        ("move", {"server": "PA1", "to": "PA1", "deadline": 5}, "deadline"),
        ("hold", {"server": "PA1", "undo": None}, "undo"),
        ("hold", [], ""),
    ],
)
async def test_a_body_that_breaks_a_rule_is_refused_with_its_field_and_orders_nothing(
    tmp_path: Path, order: str, body: object, field: str
) -> None:
    async with opened(tmp_path) as (programs, _, store):
        await serve(store, "PA1", "PA2")
        before = (await store.snapshot()).entries
        status, found = await programs[Role.OPERATOR].ask("POST", f"/orders/{order}", body)
        assert status == 422
        assert [each["field"] for each in found["errors"]] == [field]
        assert (await store.snapshot()).entries == before


async def test_a_server_that_is_not_there_is_told_as_such(tmp_path: Path) -> None:
    async with opened(tmp_path) as (programs, _, __):
        for order, body in (
            ("stop", {"servers": ["PA9"]}),
            ("hold", {"server": "PA9"}),
            ("move", {"server": "PA1", "to": "PA9"}),
        ):
            status, found = await programs[Role.OPERATOR].ask("POST", f"/orders/{order}", body)
            assert (status, "PA9" in found["detail"]) == (422, True)


async def test_an_order_without_servers_says_that_there_are_none(tmp_path: Path) -> None:
    async with opened(tmp_path, ClusterConfig(())) as (programs, _, __):
        status, found = await programs[Role.OPERATOR].ask("POST", "/orders/start", {"all": True})
        assert (status, "no server yet" in found["detail"]) == (409, True)


async def test_who_accepts_events_is_told_what_is_so_on_the_way(tmp_path: Path) -> None:
    async with opened(tmp_path) as (programs, everything, store):
        await serve(store, "PA1", "PA2")
        operator = programs[Role.OPERATOR]
        status, text = await operator.ask(
            "POST", "/orders/stop", {"servers": ["PA1"]}, accept="text/event-stream"
        )
        assert status == 200
        events = [each.split("\n", 1) for each in text.strip().split("\n\n")]
        assert [name for name, _ in events] == ["event: progress", "event: done"]
        assert "PA1 has not stopped yet" in events[0][1]
        assert json.loads(events[1][1].removeprefix("data: "))["obeyed"] is False
        _, text = await operator.ask(
            "POST", "/orders/stop", {"servers": ["PA9"]}, accept="text/event-stream"
        )
        assert text.startswith("event: refused\n")
        assert "PA9" in text
        deeds = [each.result for each in everything.records.deeds(2)]
        assert deeds[0].startswith("refused: ")
        assert deeds[1] == "PA1 has not stopped yet"


# ------------------------------------------------------------------------------ configuration


async def test_the_configuration_is_saved_as_json_or_toml_and_keeps_its_passwords(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, with_secret()) as (programs, everything, _):
        administrator = programs[Role.ADMINISTRATOR]
        _, found = await administrator.ask("GET", "/configuration")
        assert found["passwords"] == [CLUSTER.providers[0].name]
        changed = found["configuration"] | {"capacity_aware": True}
        status, told = await administrator.ask("PUT", "/configuration?base=1", changed)
        assert (status, told["revision"], told["saved"]) == (200, 2, True)
        assert await the_secret(everything) == SECRET
        _, text = await administrator.ask("GET", "/configuration", accept="application/toml")
        assert text.startswith("# revision 2\n")
        assert tomllib.loads(text) == changed
        toml = {"content-type": "application/toml"}
        text = text.replace("capacity_aware = true", "capacity_aware = false")
        status, told = await administrator.ask("PUT", "/configuration?base=2", text, **toml)
        assert (status, told["revision"]) == (200, 3)
        status, told = await administrator.ask("PUT", "/configuration?base=3", text, **toml)
        assert (status, told["revision"], told["saved"]) == (200, 3, False)
        assert await the_secret(everything) == SECRET
        changed["providers"][0]["password"] = ""
        await administrator.ask("PUT", "/configuration?base=3", changed)
        assert await the_secret(everything) == ""


async def test_a_provider_that_loses_its_password_by_another_name_is_a_warning(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, with_secret()) as (programs, everything, _):
        administrator = programs[Role.ADMINISTRATOR]
        _, found = await administrator.ask("GET", "/configuration")
        meant = found["configuration"]
        meant["providers"][0]["name"] = "renamed"
        meant["servers"][0]["interceptor_port_provider"] = "renamed"
        _, told = await administrator.ask("PUT", "/configuration?base=1", meant)
        assert "provider renamed: a user, but no password" in told["warnings"]
        assert await the_secret(everything) == ""


async def test_the_second_writer_is_refused_and_shown_the_difference(tmp_path: Path) -> None:
    async with opened(tmp_path) as (programs, everything, _):
        administrator = programs[Role.ADMINISTRATOR]
        _, found = await administrator.ask("GET", "/configuration")
        first = found["configuration"] | {"capacity_aware": True}
        await administrator.ask("PUT", "/configuration?base=1", first)
        for base in ("1", "0"):
            status, told = await administrator.ask(
                "PUT", f"/configuration?base={base}", found["configuration"]
            )
            assert (status, told["revision"]) == (409, 2)
            assert "token a-administrator" in told["detail"]
        status, told = await administrator.ask("PUT", "/configuration?base=1", first)
        assert "capacity_aware: false → true" in told["changes"][0]
        assert (await everything.managed.present()).config.capacity_aware is True
        path = "/configuration?base=1&dry_run=true"
        assert (await administrator.ask("PUT", path, first))[0] == 409


async def test_a_dry_run_says_what_saving_would_do_and_does_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as (programs, everything, store):
        await serve(store, "PA1", "PA2")
        administrator = programs[Role.ADMINISTRATOR]
        _, found = await administrator.ask("GET", "/configuration")
        meant = found["configuration"]
        meant["servers"][0]["number_of_media_ports"] = 1
        path = "/configuration?base=1&dry_run=true"
        status, told = await administrator.ask("PUT", path, meant)
        assert (status, told["saved"], told["revision"]) == (200, False, 2)
        assert told["told"] == ["6002 of PA1 goes"]
        meant["servers"][0]["hostname_or_ip_address"] = "127.0.0.99"
        status, told = await administrator.ask("PUT", path, meant)
        assert told["refused"][0]["field"] == "hostname_or_ip_address"
        status, told = await administrator.ask("PUT", "/configuration?base=1", meant)
        assert (status, told["errors"][0]["field"]) == (409, "hostname_or_ip_address")
        assert (await everything.managed.present()).number == 1


async def test_a_rule_of_the_configuration_is_told_with_section_and_field(tmp_path: Path) -> None:
    async with opened(tmp_path) as (programs, everything, _):
        administrator = programs[Role.ADMINISTRATOR]
        _, found = await administrator.ask("GET", "/configuration")
        for change, section, field in (
            ({"number_of_media_ports": 5000}, "server 'PA1'", "number_of_media_ports"),
            ({"number_of_media_ports": "2"}, "server 'PA1'", "number_of_media_ports"),
            ({"nothing": 1}, "server 'PA1'", "nothing"),
        ):
            servers = [found["configuration"]["servers"][0] | change]
            meant = found["configuration"] | {"servers": servers}
            status, told = await administrator.ask("PUT", "/configuration?base=1", meant)
            assert status == 422, told
            where = told["errors"][0]
            assert (where["section"], where["field"]) == (section, field)
        meant = found["configuration"] | {"store": "elsewhere.db"}
        status, told = await administrator.ask("PUT", "/configuration?base=1", meant)
        assert (status, told["errors"][0]["field"]) == (422, "store")
        status, told = await administrator.ask("PUT", "/configuration", found["configuration"])
        assert (status, told["detail"]) == (422, "query: base: is mandatory")
        assert (await everything.managed.present()).number == 1


async def test_the_first_configuration_is_saved_over_none(tmp_path: Path) -> None:
    async with opened(tmp_path, ClusterConfig(())) as (programs, _, __):
        administrator = programs[Role.ADMINISTRATOR]
        _, found = await administrator.ask("GET", "/configuration")
        assert (found["revision"], found["configuration"]) == (0, {})
        server = {"server_name": "PA1", "hostname_or_ip_address": "127.0.0.11"}
        body = {"servers": [server]}
        assert (await administrator.ask("PUT", "/configuration?base=3", body))[0] == 409
        status, told = await administrator.ask("PUT", "/configuration?base=0", body)
        assert (status, told["revision"], told["saved"]) == (200, 1, True)


# ----------------------------------------------------------------- accounts, tokens, audit log


async def test_accounts_are_made_changed_and_removed(tmp_path: Path) -> None:
    async with opened(tmp_path) as (programs, everything, _):
        administrator = programs[Role.ADMINISTRATOR]
        body = {"name": "anna", "role": "reader"}
        status, made = await administrator.ask("POST", "/accounts", body)
        assert status == 201
        _, as_anna = await session_of_account(everything, "anna", made["password"])
        assert (await as_anna.ask("GET", "/session"))[1]["role"] == "reader"
        assert (await administrator.ask("POST", "/accounts", body))[0] == 409
        await administrator.ask("PATCH", "/accounts/anna", {"role": "operator"})
        assert (await as_anna.ask("GET", "/session"))[1]["may"] == ["look", "operate", "own"]
        _, again = await administrator.ask("POST", "/accounts/anna/password")
        assert again["password"] != made["password"]
        assert (await as_anna.ask("GET", "/session"))[0] == 401
        assert (await administrator.ask("DELETE", "/accounts/anna"))[0] == 200
        assert (await administrator.ask("DELETE", "/accounts/anna"))[0] == 404
        for method, body_ in (("DELETE", None), ("PATCH", {"role": "reader"})):
            status, told = await administrator.ask(method, "/accounts/administrator", body_)
            assert (status, "last administrator" in told["detail"]) == (409, True)
        _, found = await administrator.ask("GET", "/accounts")
        assert found["accounts"] == [{"name": "administrator", "role": "administrator"}]
        assert made["password"] not in str(everything.records.deeds(1000))


async def session_of_account(
    everything: Administration, account: str, password: str
) -> tuple[object, Program]:
    from form_browser import signed_in

    browser = await signed_in(everything, password, account)
    program = Program(everything, {})
    program.client.cookies = browser.client.cookies
    return browser, program


async def test_a_token_is_shown_once_used_and_revoked(tmp_path: Path) -> None:
    clock = Clock()
    async with opened(tmp_path, clock=clock) as (programs, everything, _):
        administrator = programs[Role.ADMINISTRATOR]
        body = {"name": "backup", "role": "reader"}
        status, made = await administrator.ask("POST", "/tokens", body)
        assert status == 201
        assert made["secret"].startswith("pat_")
        program = Program(everything, {"authorization": f"Bearer {made['secret']}"})
        assert (await program.ask("GET", "/session"))[1] == {
            "account": "token backup",
            "role": "reader",
            "may": ["look", "own"],
            "csrf": None,
        }
        _, found = await administrator.ask("GET", "/tokens")
        (row,) = [each for each in found["tokens"] if each["name"] == "backup"]
        assert (row["by"], row["used"]) == ("token a-administrator", clock.now)
        assert made["secret"] not in str(found)
        assert made["secret"] not in str(everything.records.deeds(1000))
        kept = b"".join(each.read_bytes() for each in (tmp_path / "state").iterdir())
        assert made["secret"].encode() not in kept
        assert (await administrator.ask("POST", "/tokens", body))[0] == 409
        assert (await administrator.ask("DELETE", "/tokens/backup"))[0] == 200
        assert (await administrator.ask("DELETE", "/tokens/backup"))[0] == 404
        assert (await program.ask("GET", "/session"))[0] == 401


async def test_the_audit_log_is_read_newest_first_and_by_account(tmp_path: Path) -> None:
    async with opened(tmp_path) as (programs, everything, _):
        await programs[Role.OPERATOR].ask("POST", "/orders/hold", {"server": "PA9"})
        everything.records.note("anna", "192.0.2.7", "saved PA1", "revision 2")
        administrator = programs[Role.ADMINISTRATOR]
        _, found = await administrator.ask("GET", "/deeds")
        assert [each["account"] for each in found["deeds"]] == ["anna", "token a-operator"]
        assert found["deeds"][1]["address"] == "192.0.2.8"
        assert found["deeds"][1]["result"].startswith("refused: ")
        _, found = await administrator.ask("GET", "/deeds?account=anna&most=5")
        assert [each["what"] for each in found["deeds"]] == ["saved PA1"]


# -------------------------------------------------------------------------------- who may ask


@pytest.mark.parametrize("role", Role)
async def test_every_operation_answers_each_role_as_the_table_says(
    tmp_path: Path, role: Role
) -> None:
    async with (
        call_manager_socket() as control,
        opened(tmp_path, control=control) as (programs, everything, _),
    ):
        for operation in OPERATIONS:
            if operation.stream:
                continue
            path = operation.path.replace("{name}", "nobody")
            status, found = await programs[role].ask(operation.method, path)
            assert (status == 403) == (not TABLE[role, operation.act]), operation.name
            if status == 403:
                assert found["detail"].startswith(f"The role {role.value} may not")
            # What is refused for its role is refused before its body is looked at.
            assert status in (200, 403, 404, 415, 422), operation.name
        assert (await everything.managed.present()).number == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer "},
        {"authorization": "Bearer pat_invented"},
        {"authorization": "Bearer " + "x" * 5000},
        {"authorization": "Basic YWRtaW46YWRtaW4="},
        {"authorization": "pat_invented"},
        {"cookie": "pa_session=invented"},
        {"x-remote-user": "administrator"},
    ],
)
async def test_who_is_not_known_is_told_nothing(tmp_path: Path, headers: dict[str, str]) -> None:
    async with opened(tmp_path) as (_, everything, __):
        program = Program(everything, headers)
        for method, path in (
            *((each.method, each.path) for each in OPERATIONS),
            ("GET", "/nothing"),
            ("TRACE", "/status"),
        ):
            assert (await program.ask(method, path))[0] == 401


async def test_a_session_s_cookie_changes_nothing_without_its_token(tmp_path: Path) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (everything, password):
        await everything.managed.save(CLUSTER, 0, "import")
        _, program = await session_of(everything, password)
        _, other = await session_of(everything, password)
        csrf = (await program.ask("GET", "/session"))[1]["csrf"]
        foreign = (await other.ask("GET", "/session"))[1]["csrf"]
        body = {"server": "PA1", "within": 0}
        for headers in ({}, {"x-csrf-token": ""}, {"x-csrf-token": foreign}):
            status, found = await program.ask("POST", "/orders/hold", body, **headers)
            assert (status, "X-CSRF-Token" in found["detail"]) == (403, True)
        assert held_back("PA1") not in (await everything.managed.store.snapshot()).entries
        headers = {"x-csrf-token": csrf}
        assert (await program.ask("POST", "/orders/hold", body, **headers))[0] == 200
        # A token beside a cookie counts, and the cookie then does not.
        headers["authorization"] = "Bearer pat_invented"
        assert (await program.ask("GET", "/status", **headers))[0] == 401
