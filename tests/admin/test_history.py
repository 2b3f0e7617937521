"""Configuration History: revisions with who, when and what, compared, made present, downloaded."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest
from form_browser import Browser, administration, serve, signed_in
from worlds import CLUSTER

from pa_telephony.admin.accounts import Accounts
from pa_telephony.admin.administration import Administration
from pa_telephony.admin.history import compared, numbered, revision_rows
from pa_telephony.admin.roles import Role
from pa_telephony.failover import Cluster
from pa_telephony.failover.cluster import parse
from pa_telephony.failover.config import ClusterConfig, SpeechConfig
from pa_telephony.failover.stored import Revision, offered
from pa_telephony.failover.stores import MemoryStore

SECRET = "the-provider-s-password"
HOSTILE = "<script>alert(1)</script>\x1b"


def with_secret(cluster: Cluster = CLUSTER, secret: str = SECRET) -> Cluster:
    jtapi, skinny = cluster.providers
    return replace(cluster, providers=(replace(jtapi, password=secret), skinny))


def more_ports(count: int) -> Cluster:
    first, *others = CLUSTER.servers
    servers = (replace(first, number_of_media_ports=count), *others)
    return with_secret(replace(CLUSTER, servers=servers))


def test_each_revision_has_what_it_has_changed_of_the_one_before() -> None:
    one, two = offered(with_secret(), 1), offered(more_ports(3), 2)
    present, first = revision_rows([two, one])
    assert (present.present, first.present, first.before) == (True, False, None)
    assert [str(each) for each in present.compared.changes] == [
        "server 'PA1': number_of_media_ports: 2 → 3"
    ]


def test_a_password_is_compared_and_never_told() -> None:
    found = compared(offered(with_secret()), offered(with_secret(secret="another-password")))
    assert [str(each) for each in found.changes] == [
        "provider 'jtapi': password: (one) → (another)"
    ]


def test_a_revision_that_cannot_be_read_says_so_and_the_others_are_shown() -> None:
    found = revision_rows([Revision(3, "[[server]"), offered(CLUSTER, 2), offered(CLUSTER, 1)])
    assert found[0].compared.unreadable
    assert found[1].compared == compared(offered(CLUSTER), offered(CLUSTER))


@pytest.mark.parametrize("text", ["", "0", "3", "-1", "1.0", "²", "1" * 20, HOSTILE])
def test_a_number_of_no_revision_is_none(text: str) -> None:
    assert numbered([offered(CLUSTER, 1), offered(CLUSTER, 2)], text) is None


@contextlib.asynccontextmanager
async def opened(
    directory: Path, *clusters: Cluster, by: str = "eve"
) -> AsyncGenerator[tuple[Browser, Administration, MemoryStore]]:
    """A browser at a store with these revisions."""
    store = MemoryStore()
    begin = clusters[0] if clusters else ClusterConfig(())
    async with administration(directory, begin, store) as (all_pages, password):
        for number, cluster in enumerate(clusters):
            await all_pages.managed.save(cluster, number, by)
        yield await signed_in(all_pages, password), all_pages, store


async def test_the_page_has_who_saved_what_when_the_newest_first(tmp_path: Path) -> None:
    async with opened(tmp_path, with_secret(), more_ports(3), by=HOSTILE) as (browser, _, __):
        page = await browser.get("configuration-history")
        words = page.words
        assert words.index("Revision 2 present") < words.index("The first one that the store has")
        assert "server 'PA1' number_of_media_ports 2 → becomes 3" in words
        assert "by <script>alert(1)</script>\\x1b, hash" in words
        assert "<script>alert" not in page.text
        assert SECRET not in page.text


async def test_a_store_without_a_configuration_leads_to_where_servers_are_added(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (browser, _, __):
        page = await browser.get("configuration-history")
        assert "The store has no configuration yet" in page.words


async def test_any_two_are_compared_from_the_older_to_the_newer(tmp_path: Path) -> None:
    clusters = (with_secret(), more_ports(3), more_ports(4))
    async with opened(tmp_path, *clusters) as (browser, _, __):
        for query in ("one=1&two=3", "one=3&two=1"):
            page = await browser.get(f"configuration-history/compare?{query}")
            assert "From revision 1 to revision 3" in page.words
            assert "number_of_media_ports 2 → becomes 4" in page.words
        page = await browser.get("configuration-history/compare?one=2&two=2")
        assert "Nothing differs" in page.words
        for query in ("", "one=1", "one=1&two=9", "one=1&two=%00", "one=x&two=y"):
            page = await browser.get(f"configuration-history/compare?{query}")
            assert page.status == 404


async def test_a_revision_is_made_the_present_one_again_as_a_new_one(tmp_path: Path) -> None:
    async with opened(tmp_path, with_secret(), more_ports(3)) as (browser, all_pages, _):
        page = await browser.get("configuration-history/undo?revision=1")
        assert "6003 of PA1 goes" in page.words
        assert (await all_pages.managed.present()).number == 2
        page = await browser.press(page, "Make it present again")
        assert "Revision 1 is the present one again, as revision 3" in page.words
        present = await all_pages.managed.present()
        assert present.cluster.server("PA1").number_of_media_ports == 2
        assert all_pages.records.deeds(1)[0].what == (
            "made revision 1 the present one again, revision 3"
        )


async def test_what_may_not_be_done_now_is_refused_with_the_reason(tmp_path: Path) -> None:
    first, *others = CLUSTER.servers
    elsewhere = replace(
        with_secret(), servers=(replace(first, hostname_or_ip_address="127.0.0.99"), *others)
    )
    async with opened(tmp_path, elsewhere, with_secret()) as (browser, all_pages, store):
        await serve(store, "PA1", "PA2")
        page = await browser.get("configuration-history/undo?revision=1")
        assert "Refused now: server 'PA1': " in page.words
        assert "stop PA1 first" in page.words
        assert "Make it present again" not in page.words
        csrf = page.fields()["csrf"][0]
        sent = [("csrf", csrf), ("base", "2"), ("do", "undo")]
        page = await browser.post("configuration-history/undo?revision=1", sent)
        assert page.status == 409
        assert "Nothing was saved" in page.words
        assert (await all_pages.managed.present()).number == 2


async def test_who_is_overtaken_is_shown_what_the_other_has_changed(tmp_path: Path) -> None:
    async with opened(tmp_path, with_secret(), more_ports(3)) as (browser, all_pages, _):
        page = await browser.get("configuration-history/undo?revision=1")
        await all_pages.managed.save(more_ports(5), 2, "mallory")
        page = await browser.press(page, "Make it present again")
        assert page.status == 409
        assert "revision 3 was saved by mallory" in page.words
        assert "number_of_media_ports: 3 → 5" in page.words
        assert (await all_pages.managed.present()).number == 3
        page = await browser.press(page, "Make it present again")
        assert (await all_pages.managed.present()).number == 4


async def test_there_is_nothing_to_undo_in_the_present_one_or_in_none(tmp_path: Path) -> None:
    async with opened(tmp_path, with_secret(), more_ports(3)) as (browser, _, __):
        for number in ("2", "9", "", "x"):
            page = await browser.get(f"configuration-history/undo?revision={number}")
            assert page.status == 404


async def test_a_download_is_what_import_takes_and_is_noted(tmp_path: Path) -> None:
    async with opened(tmp_path, with_secret(), more_ports(3)) as (browser, all_pages, _):
        page = await browser.get("configuration-history")
        page = await browser.press(page, "Download revision 1")
        assert page.headers["content-type"].startswith("application/toml")
        assert page.headers["content-disposition"] == 'attachment; filename="cluster-1.toml"'
        assert page.headers["cache-control"] == "no-store"
        assert SECRET in page.text
        assert parse(page.text).server("PA1").number_of_media_ports == 2
        deed = all_pages.records.deeds(1)[0]
        assert deed.what == "downloaded revision 1, which has passwords"
        assert deed.account == "administrator"


async def test_a_download_wants_an_administrator_the_token_and_a_revision(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, with_secret()) as (browser, all_pages, _):
        assert (await browser.get("configuration-history/download")).status in (404, 405)
        page = await browser.post("configuration-history/download", [("revision", "1")])
        assert page.status == 403
        csrf = (await browser.get("configuration-history")).fields()["csrf"][0]
        sent = [("csrf", csrf), ("revision", "../1")]
        page = await browser.post("configuration-history/download", sent)
        assert page.status == 404
        Accounts(all_pages.records).add("anna", Role.OPERATOR)
        other = all_pages.records.begin("anna")
        browser.client.cookies.set("pa_session", other.token)
        sent = [("csrf", other.csrf), ("revision", "1")]
        page = await browser.post("configuration-history/download", sent)
        assert page.status == 403
        assert SECRET not in page.text


async def test_speech_services_that_were_changed_come_back(tmp_path: Path) -> None:
    speech = SpeechConfig(speech_recognition_server_hosts=("127.0.0.11",))
    clusters = (replace(with_secret(), speech=speech), with_secret())
    async with opened(tmp_path, *clusters) as (browser, all_pages, _):
        page = await browser.get("configuration-history/undo?revision=1")
        await browser.press(page, "Make it present again")
        assert (await all_pages.managed.present()).config.speech == speech
