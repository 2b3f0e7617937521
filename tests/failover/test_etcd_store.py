"""A store in an etcd under the faults of networks, members and other clients.

Real members on loopback; what is lost on the way to them is lost in :mod:`etcd_wire`.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import ipaddress
import json
import urllib.request
from collections.abc import AsyncGenerator, Generator, Mapping
from pathlib import Path
from typing import Any

import pytest
import trio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from etcd_members import ETCDS, Members, members
from etcd_wire import Trouble, Wire, wires

from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.failover.beat import Beat
from pa_telephony.failover.stores.etcd import EtcdStore, EtcdView, open_etcd
from pa_telephony.failover.stores.etcd_address import EtcdAddress
from pa_telephony.failover.stores.etcd_places import Places
from pa_telephony.failover.transaction import (
    Compare,
    Delete,
    Entry,
    Outcome,
    Put,
    StoreMissing,
    StoreReplaced,
    Transaction,
)

pytestmark = [pytest.mark.long, pytest.mark.real_time]


@pytest.fixture(scope="module", params=ETCDS)
def etcd(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Members]:
    with members(request.param, tmp_path_factory.mktemp("etcd")) as running:
        yield running


def at(clients: list[int], prefix: Path) -> EtcdAddress:
    name = prefix.name.replace("[", "-").replace("]", "")[-60:]
    return EtcdAddress(tuple(("127.0.0.1", port) for port in clients), name)


@contextlib.asynccontextmanager
async def wired(
    etcd: Members, directory: Path, *, settle: float = 1.0
) -> AsyncGenerator[tuple[EtcdStore, list[Wire]]]:
    """A store whose client reaches the members through wires."""
    async with wires(etcd.clients) as found:
        address = at([each.port for each in found], directory)
        async with open_etcd(address, directory / "machine", settle=settle) as store:
            yield store, found


@contextlib.asynccontextmanager
async def directly(
    etcd: Members, directory: Path, machine: str = "other", *, settle: float = 1.0
) -> AsyncGenerator[EtcdStore]:
    """The same store as another machine has it."""
    address = at(etcd.clients, directory)
    async with open_etcd(address, directory / machine, settle=settle) as store:
        yield store


def put(key: str, value: str = "x", *compares: Compare) -> Transaction:
    return Transaction(compares, (Put(key, value),))


async def once(store: EtcdStore, transaction: Transaction) -> Outcome:
    """The outcome, however often it is not known at first."""
    with trio.fail_after(60):
        while True:
            try:
                return await store.transact(transaction)
            except ConnectionLost:
                await trio.sleep(0.05)


async def at_last(store: EtcdStore, transaction: Transaction) -> Outcome:
    """The commit of a transaction that nothing but the store's members keeps from it."""
    with trio.fail_after(60):
        while True:
            outcome = await once(store, transaction)
            if outcome.committed:
                return outcome
            await trio.sleep(0.05)


def ask(port: int, path: str, body: object) -> Any:
    url = f"http://127.0.0.1:{port}{path}"
    with urllib.request.urlopen(url, json.dumps(body).encode(), timeout=20) as answer:
        return json.loads(answer.read())


# ------------------------------------------------------------------- lost requests and answers


@pytest.mark.parametrize(
    ("trouble", "done"),
    [
        (Trouble.ANSWER_LOST, True),
        (Trouble.REQUEST_LOST, False),
        (Trouble.REQUEST_HELD, False),
    ],
)
async def test_what_became_of_a_write_whose_answer_is_lost_is_found_out(
    etcd: Members, tmp_path: Path, trouble: Trouble, done: bool
) -> None:
    async with wired(etcd, tmp_path) as (store, found):
        await store.transact(put("count", "0"))
        for each in found:
            each.trouble = trouble
        seen = await store.snapshot()
        change = put("count", "1", Compare("count", modified=seen.modified("count")))
        found[1].trouble = found[2].trouble = Trouble.NONE
        outcome = await store.transact(change)
        assert outcome.committed is done
        now = await store.snapshot()
        assert now.entries["count"].value == ("1" if done else "0")
        assert now.revision >= outcome.revision
        if done:
            assert now.entries["count"].modified == outcome.revision
        # It stays so when the first copy arrives after all, and the next write is an ordinary one.
        for each in found:
            each.trouble = Trouble.NONE
            await each.deliver()
        assert (await store.snapshot()).entries == now.entries
        assert (await store.transact(put("count", "2"))).committed


async def test_a_write_that_cannot_be_found_out_is_so_later(etcd: Members, tmp_path: Path) -> None:
    async with wired(etcd, tmp_path) as (store, found):
        await store.snapshot()
        for each in found:
            each.cut = True
        change = put("a", "1", Compare("a", modified=0))
        with pytest.raises(ConnectionLost):
            await store.transact(change)
        with pytest.raises(ConnectionLost):
            await store.snapshot()
        for each in found:
            each.cut = False
            each.break_all()
        # What was not done is told, and not done then: who asked may want something else by now.
        outcome = await once(store, change)
        seen = await store.snapshot()
        assert outcome.committed is ("a" in seen.entries)
        if not outcome.committed:
            outcome = await store.transact(change)
            assert outcome.committed
        assert (await store.snapshot()).entries["a"].modified == outcome.revision
        assert not (await store.transact(change)).committed


async def test_a_heartbeat_is_sent_to_the_next_member_when_one_stands_still(
    etcd: Members, tmp_path: Path
) -> None:
    async with wired(etcd, tmp_path) as (store, found):
        made = (await store.transact(put("srv/PA1"))).revision
        for each in found:
            each.cut = True
        found[2].cut = False
        beat = put("srv/PA1", "beat", Compare("srv/PA1", created=made))
        assert (await store.transact(beat)).committed
        assert found[2].requests
        # The next one goes there at once.
        before = found[2].requests
        assert (await store.transact(beat)).committed
        assert found[2].requests == before + 1


async def test_cancelling_waits_for_the_outcome(etcd: Members, tmp_path: Path) -> None:
    async with wired(etcd, tmp_path) as (store, found):
        await store.snapshot()
        for each in found:
            each.trouble = Trouble.ANSWER_LOST
        before = sum(each.requests for each in found)
        done: list[Outcome] = []

        async def write() -> None:
            done.append(await store.transact(put("a")))

        with trio.move_on_after(30):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(write)
                while sum(each.requests for each in found) == before:  # noqa: ASYNC110 - no event tells
                    await trio.sleep(0.01)
                nursery.cancel_scope.cancel()
        assert [each.committed for each in done] == ["a" in (await store.snapshot()).entries]


# -------------------------------------------------------------------------------- watching


async def test_a_watch_that_breaks_goes_on_and_misses_nothing(
    etcd: Members, tmp_path: Path
) -> None:
    async with wired(etcd, tmp_path) as (store, found), directly(etcd, tmp_path) as other:
        seen = await store.snapshot()
        for number in range(10):
            for each in found:
                each.break_all()
            await other.transact(put("count", str(number)))
            with trio.fail_after(60):
                while seen.entries.get("count", None) is None or (
                    seen.entries["count"].value != str(number)
                ):
                    with contextlib.suppress(ConnectionLost):
                        seen = await store.watch(seen) or await store.snapshot()


async def test_a_watch_that_says_nothing_is_begun_anew_through_another_member(
    etcd: Members, tmp_path: Path
) -> None:
    async with wired(etcd, tmp_path) as (store, found), directly(etcd, tmp_path) as other:
        made = (await store.transact(put("srv/PA1"))).revision
        seen = await store.snapshot()
        with trio.fail_after(60):
            seen = await store.watch(seen) or seen if not seen.entries else seen
        found[0].cut = True
        await other.transact(put("news"))
        told = None
        with trio.fail_after(60):
            # Our own heartbeats show that something is missing.
            while told is None or "news" not in told.entries:
                await store.transact(put("srv/PA1", "beat", Compare("srv/PA1", created=made)))
                with trio.move_on_after(0.3):
                    told = await store.watch(seen)
        assert told.as_of is not None


async def test_a_heartbeat_is_told_although_it_says_nothing_new(
    etcd: Members, tmp_path: Path
) -> None:
    async with directly(etcd, tmp_path) as store, directly(etcd, tmp_path, "third") as other:
        made = (await other.transact(put("srv/PA1", Beat("life").encode()))).revision
        seen = await store.snapshot()
        beat = Beat("life", at=1.0, sequence=1).encode()
        await other.transact(put("srv/PA1", beat, Compare("srv/PA1", created=made)))
        with trio.fail_after(60):
            while seen.entries["srv/PA1"].value != beat:
                seen = await store.watch(seen) or await store.snapshot()


async def test_a_watch_looks_only_when_something_has_come(
    etcd: Members, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, check = 0, Places.check

    def counted(places: Places, inner: Mapping[str, Entry]) -> None:
        nonlocal looks
        looks += 1
        check(places, inner)

    async with directly(etcd, tmp_path) as store, directly(etcd, tmp_path, "third") as other:
        await other.transact(put("first"))
        seen = await store.snapshot()
        monkeypatch.setattr(Places, "check", counted)
        with trio.move_on_after(1.5):
            while True:
                seen = await store.watch(seen) or seen
        assert looks <= 5  # some for what was on its way
        await other.transact(put("second"))
        with trio.fail_after(60):
            while "second" not in seen.entries:
                seen = await store.watch(seen) or await store.snapshot()


async def test_what_was_compacted_away_is_read_anew(etcd: Members, tmp_path: Path) -> None:
    async with wired(etcd, tmp_path) as (store, found), directly(etcd, tmp_path) as other:
        seen = await store.snapshot()
        for each in found:
            each.cut = True
            each.break_all()
        for number in range(20):
            await other.transact(put("count", str(number)))
        await other.transact(Transaction((), (Delete("count"), Put("end", ""))))
        now = (await other.snapshot()).revision
        ask(etcd.clients[0], "/v3/kv/compaction", {"revision": str(now), "physical": True})
        for each in found:
            each.cut = False
            each.break_all()
        with trio.fail_after(60):
            while set(seen.entries) != {"end"}:
                with contextlib.suppress(ConnectionLost):
                    seen = await store.watch(seen) or await store.snapshot()


async def test_a_snapshot_from_events_says_since_when_it_is_complete(
    etcd: Members, tmp_path: Path
) -> None:
    async with directly(etcd, tmp_path) as store, directly(etcd, tmp_path, "third") as other:
        seen = await store.snapshot()
        before = seen.as_of
        assert before is not None
        with trio.fail_after(60):
            while True:
                await other.transact(put("a"))
                await store.transact(put("b"))
                told = await store.watch(seen)
                if told is not None and "b" in told.entries:
                    break
        assert told.as_of is not None
        assert told.as_of > before
        # Without a word of ours it is too old after a while, and has to be read.
        await trio.sleep(1.0)
        await other.transact(put("a"))
        with trio.fail_after(60):
            assert await store.watch(told) is None


# --------------------------------------------------------------------------------- members


async def test_the_death_of_a_leader_costs_time_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with members("3.4", tmp_path / "data") as etcd:
        async with directly(etcd, tmp_path) as store:
            for number in range(3):
                etcd.kill(number)
                await at_last(store, put(f"key{number}", "x", Compare(f"key{number}", 0)))
                etcd.start(number)
                await trio.to_thread.run_sync(etcd.wait)
            assert len((await store.snapshot()).entries) == 3


async def test_a_member_that_stands_still_does_not_keep_a_server_from_its_heartbeat(
    tmp_path: Path,
) -> None:
    (tmp_path / "data").mkdir()
    with members("3.4", tmp_path / "data") as etcd:
        async with directly(etcd, tmp_path) as store:
            made = (await store.transact(put("srv/PA1"))).revision
            beat = put("srv/PA1", "beat", Compare("srv/PA1", created=made))
            for number in range(3):
                etcd.stop_dead(number)
                await at_last(store, beat)
                seen = await store.snapshot()
                etcd.go_on(number)
                assert seen.entries["srv/PA1"].value == "beat"


async def test_without_a_majority_it_says_so_within_its_bounds(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with members("3.4", tmp_path / "data") as etcd:
        async with directly(etcd, tmp_path) as store:
            await store.transact(put("a"))
            etcd.kill(0)
            etcd.kill(1)
            with trio.fail_after(60):
                for _ in range(3):
                    with pytest.raises(ConnectionLost, match=r"127\.0\.0\.1"):
                        await store.transact(put("b"))
                    with pytest.raises(ConnectionLost, match=r"127\.0\.0\.1"):
                        await store.snapshot()
            etcd.start(0)
            await at_last(store, put("b"))


# ------------------------------------------------------------------------ names and machines


async def test_a_process_of_another_machine_that_lives_keeps_its_name(
    etcd: Members, tmp_path: Path
) -> None:
    async with directly(etcd, tmp_path, "one") as one, directly(etcd, tmp_path, "two") as two:
        async with one.alive("PA1"), trio.open_nursery() as nursery:
            made = (await one.transact(put("srv/PA1"))).revision

            async def beats() -> None:
                while True:
                    await one.transact(put("srv/PA1", "beat", Compare("srv/PA1", created=made)))
                    await trio.sleep(0.1)

            nursery.start_soon(beats)
            with pytest.raises(ConfigurationError, match=r"PA1 runs already, on .* as process"):
                async with two.alive("PA1"):
                    raise AssertionError
            nursery.cancel_scope.cancel()
        assert (await two.snapshot()).running == frozenset()


async def test_a_process_that_was_thought_dead_commits_nothing_any_more_and_says_why(
    etcd: Members, tmp_path: Path
) -> None:
    async with (
        directly(etcd, tmp_path, "one") as one,
        directly(etcd, tmp_path, "two") as two,
        one.alive("PA1"),
    ):
        made = (await one.transact(put("srv/PA1"))).revision
        beat = put("srv/PA1", "beat", Compare("srv/PA1", created=made))
        with trio.fail_after(60):
            async with two.alive("PA1"):
                for late in (beat, put("own/PA1/port/6001")):
                    with contextlib.suppress(ConfigurationError):
                        assert not (await one.transact(late)).committed
                seen = await two.snapshot()
                assert set(seen.entries) == {"srv/PA1"}
                assert seen.entries["srv/PA1"].value == "x"
                with pytest.raises(ConfigurationError, match=r"PA1 runs on .* now"):
                    await one.snapshot()


async def test_death_is_proven_where_the_server_ran_and_nowhere_else(
    etcd: Members, tmp_path: Path
) -> None:
    async with directly(etcd, tmp_path, "two") as two:
        async with directly(etcd, tmp_path, "one") as one:
            await one._places.take("PA1", one)  # its process ends without a word
            assert (await one.snapshot()).running == {"PA1"}
        async with directly(etcd, tmp_path, "one") as one:
            with one._places.locked("PA1"):
                seen = await one.snapshot()
                assert seen.dead == frozenset()
            seen = await one.snapshot()
            assert (seen.dead, seen.running) == ({"PA1"}, frozenset())
            there = await two.snapshot()
            assert (there.dead, there.running) == (frozenset(), {"PA1"})
            address = at(etcd.clients, tmp_path)
            assert (await EtcdView(address, tmp_path / "one").snapshot()).dead == {"PA1"}
            assert (await EtcdView(address, tmp_path / "two").snapshot()).dead == frozenset()


# ------------------------------------------------------------------- one store, or another one


async def test_two_clusters_share_an_etcd_and_know_nothing_of_each_other(
    etcd: Members, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    async with directly(etcd, tmp_path / "a") as one, directly(etcd, tmp_path / "b") as other:
        await one.transact(put("key", "one"))
        seen = await other.snapshot()
        assert not seen.entries
        for number in range(5):
            await one.transact(put("key", str(number)))
        outcome = await other.transact(put("key", "other", Compare("key", modified=7)))
        assert not outcome.committed
        with trio.move_on_after(0.2) as nothing:
            await other.watch(await other.snapshot())
        assert nothing.cancelled_caught


async def test_keys_that_are_wiped_are_another_store_and_begun_anew_in_time(
    etcd: Members, tmp_path: Path
) -> None:
    address = at(etcd.clients, tmp_path)
    async with directly(etcd, tmp_path, settle=0.5) as store, store.alive("PA1"):
        await store.transact(put("a"))
        before = await store.snapshot()
        everything = [f"{address.prefix}/", f"{address.prefix}0"]
        first, last = (base64.b64encode(each.encode()).decode() for each in everything)
        ask(etcd.clients[0], "/v3/kv/deleterange", {"key": first, "range_end": last})
        reasons = set[str]()
        with trio.fail_after(60):
            with pytest.raises((StoreReplaced, ConfigurationError)):
                while True:
                    await store.snapshot()
            while True:
                try:
                    now = await store.snapshot()
                    break
                except StoreReplaced as replaced:
                    reasons.add(str(replaced))
                    await trio.sleep(0.05)
        assert all("removed or replaced" in each for each in reasons)
        assert (now.entries, now.running) == ({}, {"PA1"})
        assert now.source != before.source


async def test_a_store_that_nobody_has_begun_is_none_for_a_tool(
    etcd: Members, tmp_path: Path
) -> None:
    address = at(etcd.clients, tmp_path)
    # The type by which the first agent knows that it may begin (cli/where.py).
    with pytest.raises(StoreMissing, match="there is none"):
        await EtcdView(address, tmp_path / "machine").snapshot()
    with pytest.raises(ConnectionLost, match="there is none"):
        async with open_etcd(address, tmp_path / "machine", create=False):
            raise AssertionError
    assert not (tmp_path / "machine" / "locks").exists() or not list(
        (tmp_path / "machine" / "locks").iterdir()
    )


async def test_a_transaction_that_is_too_large_is_refused_with_the_number(
    etcd: Members, tmp_path: Path
) -> None:
    async with directly(etcd, tmp_path) as store:
        large = Transaction((), tuple(Put(f"key{number}", "") for number in range(128)))
        with pytest.raises(ConfigurationError, match="129 steps is more than the 128"):
            await store.transact(large)
        fits = Transaction((), tuple(Put(f"key{number}", "") for number in range(127)))
        assert (await store.transact(fits)).committed


# ---------------------------------------------------------------------------------- hostile


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n{",
        b"HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\n<htm>",
        b"HTTP/1.1 400 No\r\nContent-Length: 10\r\n\r\n" + b'{"code":3}',
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000,
    ],
)
async def test_whatever_answers_in_place_of_an_etcd_is_one_typed_error(
    tmp_path: Path, answer: bytes
) -> None:
    async def serve(stream: trio.SocketStream) -> None:
        with contextlib.suppress(trio.BrokenResourceError):
            await stream.receive_some()
            await stream.send_all(answer)
            await trio.sleep(0.2)
            await stream.aclose()

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, serve, [listener])
        address = at([listener.socket.getsockname()[1]], tmp_path)
        with trio.fail_after(60), pytest.raises(ConnectionLost, match=r"127\.0\.0\.1"):
            async with open_etcd(address, tmp_path / "machine"):
                raise AssertionError
        nursery.cancel_scope.cancel()


async def test_an_etcd_that_is_not_there_is_told_with_every_member(tmp_path: Path) -> None:
    address = EtcdAddress((("127.0.0.1", 1), ("127.0.0.1", 2)), "pa")
    with pytest.raises(ConnectionLost, match=r"127\.0\.0\.1:1: cannot .*127\.0\.0\.1:2: cannot"):
        async with open_etcd(address, tmp_path / "machine"):
            raise AssertionError


# ----------------------------------------------------------------------- who may come in


def signed(directory: Path) -> tuple[Path, Path, Path]:
    """The files of an authority, and of a certificate of 127.0.0.1 that it has signed."""
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)

    def certificate(
        name: str, key: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey, *, is_ca: bool
    ) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        builder = x509.CertificateBuilder(issuer, subject, key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - day).not_valid_after(now + day)
        builder = builder.add_extension(x509.BasicConstraints(is_ca, None), critical=True)
        if not is_ca:
            both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
            builder = builder.add_extension(x509.ExtendedKeyUsage(both), critical=False)
            builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
        return builder.sign(by, hashes.SHA256())

    authority, mine = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    pem = serialization.Encoding.PEM
    ca, cert, key = (directory / f"{name}.pem" for name in ("ca", "cert", "key"))
    ca.write_bytes(certificate("authority", authority, authority, is_ca=True).public_bytes(pem))
    cert.write_bytes(certificate("member", mine, authority, is_ca=False).public_bytes(pem))
    key.write_bytes(
        mine.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return ca, cert, key


async def test_members_and_we_show_each_other_certificates(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    ca, cert, key = signed(tmp_path)
    options = ["--cert-file", str(cert), "--key-file", str(key)]
    options += ["--client-cert-auth", "--trusted-ca-file", str(ca)]
    with members("3.4", tmp_path / "data", 1, options) as etcd:
        place = ("127.0.0.1", etcd.clients[0])
        plain, known, stranger = (
            EtcdAddress((place,), "pa"),
            EtcdAddress((place,), "pa", tls=True, ca=str(ca), cert=str(cert), key=str(key)),
            EtcdAddress((place,), "pa", tls=True, ca=str(ca)),
        )
        async with open_etcd(known, tmp_path / "machine") as store:
            assert (await store.transact(put("a"))).committed
            assert await following(store, "a") == "x"
        for refused in (plain, stranger):
            with pytest.raises(ConnectionLost, match=r"127\.0\.0\.1"):
                async with open_etcd(refused, tmp_path / "machine"):
                    raise AssertionError
    missing = EtcdAddress((place,), "pa", tls=True, ca=str(tmp_path / "none.pem"))
    with pytest.raises(ConfigurationError, match=r"none\.pem"):
        async with open_etcd(missing, tmp_path / "machine"):
            raise AssertionError


async def following(store: EtcdStore, key: str) -> str:
    """The value of a key, as the watch has it or a read."""
    with trio.fail_after(60):
        seen = await store.snapshot()
        while key not in seen.entries:
            seen = await store.watch(seen) or await store.snapshot()
    return seen.entries[key].value


async def test_a_user_has_a_password_and_may_use_its_own_prefix_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    word = tmp_path / "password"
    word.write_text("geheim\n")
    with members("3.4", tmp_path / "data", 1) as etcd:
        port = etcd.clients[0]
        first, last = (base64.b64encode(each).decode() for each in (b"pa/", b"pa0"))
        permission = {"permType": "READWRITE", "key": first, "range_end": last}
        for path, body in (
            ("role/add", {"name": "root"}),
            ("user/add", {"name": "root", "password": "root"}),
            ("user/grant", {"user": "root", "role": "root"}),
            ("role/add", {"name": "pa"}),
            ("role/grant", {"name": "pa", "perm": permission}),
            ("user/add", {"name": "pa", "password": "geheim"}),
            ("user/grant", {"user": "pa", "role": "pa"}),
            ("enable", {}),
        ):
            ask(port, f"/v3/auth/{path}", body)
        place = (("127.0.0.1", port),)
        ours = EtcdAddress(place, "pa", user="pa", password=str(word))
        async with open_etcd(ours, tmp_path / "machine") as store:
            assert (await store.transact(put("a"))).committed
            assert await following(store, "a") == "x"
        word.write_text("falsch\n")
        for refused, why in (
            (ours, "authentication failed"),
            (EtcdAddress(place, "pa"), "user name is empty"),
        ):
            with pytest.raises(ConnectionLost, match=why):
                async with open_etcd(refused, tmp_path / "machine"):
                    raise AssertionError
        word.write_text("geheim\n")
        other = EtcdAddress(place, "other", user="pa", password=str(word))
        with pytest.raises(ConnectionLost, match="permission denied"):
            async with open_etcd(other, tmp_path / "machine"):
                raise AssertionError
        missing = EtcdAddress(place, "pa", user="pa", password=str(tmp_path / "none"))
        with pytest.raises(ConfigurationError, match="password="):
            async with open_etcd(missing, tmp_path / "machine"):
                raise AssertionError
