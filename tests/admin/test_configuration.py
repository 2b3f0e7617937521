"""Server Configuration, Telephony and Speech Services: filled in, looked at, and saved whole."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
from form_browser import BASE, Browser, administration, serve, signed_in
from hypothesis import HealthCheck, given, settings, strategies as st
from worlds import CLUSTER

from pa_telephony.admin.administration import Administration
from pa_telephony.failover import Cluster, JtapiProvider
from pa_telephony.failover.config import ClusterConfig
from pa_telephony.failover.configuring import save_configuration
from pa_telephony.failover.stored import past
from pa_telephony.failover.stores import MemoryStore

PROVIDERS = CLUSTER.providers
SECRET = "the-provider-s-password"


def with_secret() -> Cluster:
    jtapi, skinny = PROVIDERS
    return replace(CLUSTER, providers=(replace(jtapi, password=SECRET), skinny))


@contextlib.asynccontextmanager
async def opened(
    directory: Path, begin: ClusterConfig | None = None, *, saved: bool = True
) -> AsyncGenerator[tuple[Browser, Administration, MemoryStore]]:
    """A browser that has logged in, at a cluster whose store has its configuration."""
    store = MemoryStore()
    begin = begin or with_secret()
    if saved:
        assert isinstance(begin, Cluster)
        await save_configuration(begin, store, by="import")
    async with administration(directory, begin, store) as (all_pages, password):
        yield await signed_in(all_pages, password), all_pages, store


async def cluster(all_pages: Administration) -> Cluster:
    return (await all_pages.managed.present()).cluster


async def test_the_steps_of_the_document_add_two_servers_and_name_the_one_that_stands_in(
    tmp_path: Path,
) -> None:
    begin = ClusterConfig((), providers=PROVIDERS)
    async with opened(tmp_path, begin, saved=False) as (browser, all_pages, _):
        page = await browser.get("server-configuration")
        assert "No servers yet" in page.words
        assert page.fields()["media_termination_udp_beginning_port"] == ["32000"]
        page = await browser.press(
            page,
            "save",
            server_name="PA1",
            hostname_or_ip_address="10.77.208.24",
            route_address="6000",
            media_port_beginning_address="6001",
            number_of_media_ports="2",
        )
        assert "Saved as revision 1" in page.words
        page = await browser.click(page, "Add a new server")
        page = await browser.press(
            page, "save", server_name="PA2", hostname_or_ip_address="10.77.241.165"
        )
        assert "Saved as revision 2" in page.words
        page = await browser.click(page, "PA1")
        page = await browser.press(page, "add interceptor_ports", new_interceptor_ports="5XXX")
        assert page.fields()["interceptor_ports"] == ["5XXX"]
        page = await browser.press(
            page, "add fail_over_server_names", new_fail_over_server_names="10.77.241.165"
        )
        assert "server names only, no DNS names or IP addresses" in page.words
        assert page.fields()["new-fail_over_server_names"] == ["10.77.241.165"]
        page = await browser.press(
            page, "add fail_over_server_names", new_fail_over_server_names="PA2"
        )
        assert (await cluster(all_pages)).server("PA1").interceptor_ports == ()
        assert "PA2 may stand in for PA1; nothing moves now" in page.words
        page = await browser.press(page, "save")
        assert "PA2 may stand in for PA1; nothing moves now" in page.words
        found = (await cluster(all_pages)).server("PA1")
        assert found.fail_over_server_names == ("PA2",)
        assert found.interceptor_ports == ("5XXX",)
        assert found.route_address_provider == "jtapi"
        assert (await cluster(all_pages)).server("PA2").spare


async def test_nothing_takes_effect_before_save(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, all_pages, _):
        page = await browser.get("server-configuration?server=PA1")
        page = await browser.press(
            page, "remove fail_over_server_names", chosen_fail_over_server_names="PA2"
        )
        assert page.fields()["fail_over_server_names"] == ["PA3"]
        page = await browser.press(page, "preview", number_of_media_ports="1")
        assert "6002 of PA1 goes" in page.words
        assert (await cluster(all_pages)).server("PA1").number_of_media_ports == 2
        assert (await all_pages.managed.present()).number == 1


async def test_return_adds_what_stands_in_an_edit_box_and_saves_where_none_has_anything(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (browser, all_pages, _):
        page = await browser.get("server-configuration?server=PA1")
        page = await browser.press(page, "enter", new_interceptor_ports="7XXX")
        assert page.fields()["interceptor_ports"] == ["5XXX", "7XXX"]
        assert page.fields().get("new-interceptor_ports", [""]) == [""]
        assert (await all_pages.managed.present()).number == 1
        page = await browser.press(page, "enter", new_fail_over_server_names="nobody")
        assert page.fields()["new-fail_over_server_names"] == ["nobody"]
        page = await browser.press(page, "enter", new_fail_over_server_names="")
        assert "Saved as revision 2" in page.words
        assert (await cluster(all_pages)).server("PA1").interceptor_ports == ("5XXX", "7XXX")


async def test_the_order_of_the_fail_over_list_is_changed_by_its_buttons(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, all_pages, _):
        page = await browser.get("server-configuration?server=PA1")
        page = await browser.press(
            page, "up fail_over_server_names", chosen_fail_over_server_names="PA3"
        )
        await browser.press(page, "save")
        found = (await cluster(all_pages)).server("PA1")
        assert found.fail_over_server_names == ("PA3", "PA2")


async def test_a_mistake_stands_beside_its_field_and_what_was_typed_stays(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, all_pages, _):
        page = await browser.get("server-configuration?server=PA1")
        page = await browser.press(page, "save", route_address="60OO", capacity="40")
        assert page.status == 422
        assert 'id="route_address-why"' in page.text
        assert "must be a directory number" in page.words
        assert page.fields()["route_address"] == ["60OO"]
        assert page.fields()["capacity"] == ["40"]
        assert (await all_pages.managed.present()).number == 1


async def test_several_mistakes_are_told_at_once_each_beside_its_field(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, _, __):
        page = await browser.get("server-configuration?server=PA1")
        wrong = {
            "server_name": "PA 1",
            "route_address": "60OO",
            "number_of_media_ports": "two",
            "capacity": "0",
        }
        page = await browser.press(page, "save", **wrong)
        beside = set(re.findall(r'id="(\w+)-why"', page.text))
        assert beside == set(wrong)
        page = await browser.press(await browser.get("server-configuration?new"), "save")
        beside = set(re.findall(r'id="(\w+)-why"', page.text))
        assert beside == {"server_name", "hostname_or_ip_address"}
        page = await browser.get("speech-services")
        wrong = {"refresh_schedule": "2", "rejection_confidence_level": "101"}
        page = await browser.press(page, "save", **wrong)
        assert set(re.findall(r'id="(\w+)-why"', page.text)) == set(wrong)


async def test_what_was_typed_into_an_edit_box_and_not_added_is_not_lost(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, all_pages, _):
        page = await browser.get("server-configuration?server=PA1")
        page = await browser.press(page, "save", new_interceptor_ports="7XXX")
        assert "click Add" in page.words
        assert page.fields()["new-interceptor_ports"] == ["7XXX"]
        assert (await all_pages.managed.present()).number == 1


async def test_what_may_not_be_saved_while_a_server_runs_is_told_before_and_refused(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (browser, all_pages, store):
        await serve(store, "PA1", "PA2", "PA3")
        page = await browser.get("server-configuration?server=PA2")
        for button in ("preview", "save"):
            page = await browser.press(page, button, hostname_or_ip_address="127.0.0.99")
            assert "stop PA2 first" in page.words
        assert 'id="hostname_or_ip_address-why"' in page.text
        assert (await all_pages.managed.present()).number == 1


async def test_what_save_will_do_to_a_call_is_told(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, _, store):
        await serve(store, "PA1", "PA2", busy=True)
        page = await browser.get("server-configuration?server=PA1")
        page = await browser.press(page, "preview", number_of_media_ports="1")
        assert "6002 of PA1 goes when its call has ended" in page.words


async def test_the_capacity_after_a_takeover_is_shown_before_it_is_saved(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, _, __):
        page = await browser.get("server-configuration?server=PA2")
        page = await browser.press(
            page,
            "save",
            media_port_provider="skinny",
            media_port_beginning_address="6101",
            number_of_media_ports="24",
            capacity="36",
        )
        page = await browser.get("server-configuration?server=PA1")
        page = await browser.press(page, "preview", number_of_media_ports="18")
        assert "PA2: 24 of its own + 18 of PA1 = 42 media ports on 36" in page.words
        assert "More ports than calls" in page.words


async def test_the_second_writer_is_shown_what_the_first_has_changed_and_may_save_over_it(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (browser, all_pages, _):
        mine = await browser.get("server-configuration?server=PA1")
        theirs = await browser.get("server-configuration?server=PA2")
        await browser.press(theirs, "save", capacity="12")
        mine = await browser.press(mine, "save", capacity="40")
        assert mine.status == 409
        assert "somebody else has saved meanwhile" in mine.words
        assert "server 'PA2': capacity: 2 → 12" in mine.words
        assert mine.fields()["capacity"] == ["40"]
        assert (await cluster(all_pages)).server("PA1").capacity == 36
        mine = await browser.press(mine, "save")
        assert "Saved as revision 3" in mine.words
        found = await cluster(all_pages)
        assert (found.server("PA1").capacity, found.server("PA2").capacity) == (40, 12)


async def test_providers_and_speech_services_want_a_server_first_and_say_so(tmp_path: Path) -> None:
    begin = ClusterConfig((), providers=PROVIDERS)
    async with opened(tmp_path, begin, saved=False) as (browser, all_pages, _):
        for path in ("telephony", "telephony?new=jtapi", "speech-services"):
            page = await browser.get(path)
            assert "There is no server yet" in page.words
            page = await browser.press(page, "save", **({"name": "a"} if "new" in path else {}))
            assert "a cluster needs a server" in page.words
        assert (await all_pages.managed.present()).number == 0


async def test_two_who_begin_a_cluster_at_once_are_two_writers(tmp_path: Path) -> None:
    begin = ClusterConfig((), providers=PROVIDERS)
    async with opened(tmp_path, begin, saved=False) as (browser, all_pages, _):
        one = await browser.get("server-configuration")
        other = await browser.get("server-configuration")
        await browser.press(one, "save", server_name="A", hostname_or_ip_address="127.0.0.1")
        other = await browser.press(
            other, "save", server_name="B", hostname_or_ip_address="127.0.0.2"
        )
        assert other.status == 409
        await browser.press(other, "save")
        names = [each.server_name for each in (await cluster(all_pages)).servers]
        assert names == ["A", "B"]


async def test_a_server_is_renamed_and_deleted_with_its_place_in_fail_over_lists(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (browser, all_pages, _):
        page = await browser.get("server-configuration?server=PA3")
        page = await browser.press(page, "save", server_name="Spare")
        assert page.url == f"{BASE}/server-configuration?server=Spare"
        page = await browser.press(page, "delete")
        assert "Delete Spare?" in page.words
        assert "delete-really" in page.text
        assert "Spare is a server no more" in page.words
        assert len((await cluster(all_pages)).servers) == 3
        page = await browser.press(page, "delete-really")
        found = await cluster(all_pages)
        assert [each.server_name for each in found.servers] == ["PA1", "PA2"]
        assert found.server("PA1").fail_over_server_names == ("PA2",)


async def test_the_last_server_and_one_that_runs_are_not_deleted(tmp_path: Path) -> None:
    alone = replace(CLUSTER, servers=(replace(CLUSTER.servers[0], fail_over_server_names=()),))
    async with opened(tmp_path, alone) as (browser, _, __):
        page = await browser.get("server-configuration?server=PA1")
        page = await browser.press(page, "delete")
        assert "PA1 cannot be deleted now" in page.words
        assert "a cluster needs a server" in page.words
        assert "delete-really" not in page.text
        fields = [("csrf", page.fields()["csrf"][0]), ("base", "1"), ("do", "delete-really")]
        page = await browser.post(page.url, fields)
        assert "a cluster needs a server" in page.words
    async with opened(tmp_path / "other") as (browser, all_pages, store):
        await serve(store, "PA2")
        page = await browser.get("server-configuration?server=PA2")
        page = await browser.press(page, "delete")
        assert "stop PA2 first" in page.words
        fields = [("csrf", page.fields()["csrf"][0]), ("base", "1"), ("do", "delete-really")]
        page = await browser.post(page.url, fields)
        assert "stop PA2 first" in page.words
        assert len((await cluster(all_pages)).servers) == 3


async def test_who_deletes_after_another_has_saved_is_shown_that_first(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, all_pages, _):
        mine = await browser.press(await browser.get("server-configuration?server=PA3"), "delete")
        theirs = await browser.get("server-configuration?server=PA2")
        await browser.press(theirs, "save", capacity="12")
        mine = await browser.press(mine, "delete-really")
        assert mine.status == 409
        assert "server 'PA2': capacity: 2 → 12" in mine.words
        assert len((await cluster(all_pages)).servers) == 3
        await browser.press(mine, "delete-really")
        assert len((await cluster(all_pages)).servers) == 2


async def test_a_form_of_a_server_that_is_gone_saves_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, all_pages, _):
        mine = await browser.get("server-configuration?server=PA3")
        theirs = await browser.press(await browser.get(mine.url), "delete")
        await browser.press(theirs, "delete-really")
        mine = await browser.press(mine, "save", capacity="5")
        assert "there is no server 'PA3' any more" in mine.words
        assert len((await cluster(all_pages)).servers) == 2
        assert (await browser.get(mine.url)).status == 404


async def test_providers_are_listed_added_changed_and_deleted(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, all_pages, _):
        page = await browser.get("telephony")
        assert "jtapi JTAPI" in page.words
        assert "skinny Skinny (SCCP)" in page.words
        page = await browser.click(page, "Add a JTAPI provider")
        page = await browser.press(page, "add hosts", new_hosts="10.0.0.2", name="second")
        page = await browser.press(page, "add hosts", new_hosts="10.0.0.1:2748")
        page = await browser.press(page, "up hosts", chosen_hosts="10.0.0.1:2748")
        page = await browser.press(page, "save", user="pa", password=SECRET)
        assert "Saved as revision 2" in page.words
        assert page.url == f"{BASE}/telephony?provider=second"
        found = (await cluster(all_pages)).provider("second")
        assert isinstance(found, JtapiProvider)
        assert (found.hosts, found.user) == (("10.0.0.1:2748", "10.0.0.2"), "pa")
        assert found.password == SECRET
        page = await browser.press(page, "save", user="other")
        found = (await cluster(all_pages)).provider("second")
        assert isinstance(found, JtapiProvider)
        assert (found.user, found.password) == ("other", SECRET)
        page = await browser.press(await browser.press(page, "delete"), "delete-really")
        assert len((await cluster(all_pages)).providers) == 2
        page = await browser.press(await browser.get("telephony?provider=skinny"), "delete")
        assert "there is no provider 'skinny'" in page.words


async def test_a_password_is_on_no_page_whatever_is_pressed(tmp_path: Path) -> None:
    typed = "typed-just-now-and-wrong"
    async with opened(tmp_path) as (browser, all_pages, store):
        await serve(store, "PA1")
        start = await browser.get("telephony?provider=jtapi")
        pages = [start]
        for button in ("preview", "add hosts", "remove hosts", "save", "delete"):
            wrong = {"user": "", "new_hosts": "10.0.0.9"} if button == "save" else {}
            pages.append(await browser.press(start, button, password=typed, **wrong))
        assert "Type the password again" in pages[1].words
        pages.append(await browser.press(start, "save", password=typed))
        pages += [
            await browser.get(path)
            for path in ("telephony", "server-configuration", "server-status", "control-center")
        ]
        for page in pages:
            assert SECRET not in page.text
            assert typed not in page.text
        found = (await cluster(all_pages)).provider("jtapi")
        assert isinstance(found, JtapiProvider)
        assert found.password == typed
        assert all(typed not in each.what for each in all_pages.records.deeds())


async def test_speech_services_are_saved_and_say_that_nothing_is_installed(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, all_pages, _):
        page = await browser.get("speech-services")
        assert "There is no speech engine yet" in page.words
        for name, host in (
            ("speech_recognition_server_hosts", "10.77.208.24"),
            ("speech_recognition_license_manager_hosts", "10.77.208.24"),
        ):
            page = await browser.press(page, f"add {name}", **{f"new-{name}": host})
        page = await browser.press(
            page, "add supported_locales", **{"available-supported_locales": "German"}
        )
        assert page.fields()["supported_locales"] == ["American English", "German"]
        page = await browser.press(page, "save", license_key="KEY", default_locale="German")
        assert "Saved as revision 2" in page.words
        speech = (await cluster(all_pages)).speech
        assert (speech.license_key, speech.default_locale) == ("KEY", "German")
        page = await browser.press(
            page, "remove supported_locales", **{"chosen-supported_locales": "German"}
        )
        page = await browser.press(page, "save", refresh_schedule="25:00")
        assert "must be a time of day" in page.words
        page = await browser.press(page, "save", refresh_schedule="03:30")
        assert "must be one of the supported locales" in page.words
        page = await browser.press(await browser.get("speech-services"), "refresh")
        assert "Not installed" in page.words


async def test_what_a_name_says_is_shown_as_it_is_and_never_as_a_tag(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, _, __):
        page = await browser.get("telephony?provider=jtapi")
        page = await browser.press(page, "save", user='<script>alert("1")</script>')
        page = await browser.get("telephony?provider=jtapi")
        assert "<script>alert" not in page.text
        assert page.fields()["user"] == ['<script>alert("1")</script>']
        page = await browser.get('server-configuration?server="><script>')
        assert page.status == 404
        assert "<script>" not in page.text


async def test_what_save_would_do_is_drawn_alone_for_a_script(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, _, __):
        page = await browser.get("server-configuration?server=PA1")
        fields = [(name, each) for name, values in page.fields().items() for each in values]
        fields = [(n, v) for n, v in fields if n not in ("do", "number_of_media_ports")]
        fields += [("do", "preview"), ("number_of_media_ports", "1")]
        answer = await browser.post(page.url, fields, **{"x-fragment": "1"})
        assert "6002 of PA1 goes" in answer.text
        assert "<html" not in answer.text


async def test_every_revision_says_who_saved_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, all_pages, store):
        page = await browser.get("server-configuration?server=PA1")
        await browser.press(page, "save", capacity="35")
        (newest, *_) = past((await store.snapshot()).entries)
        assert (newest.number, newest.by) == (2, "administrator")
        deed = all_pages.records.deeds(1)[0]
        assert (deed.what, deed.result) == ("saved PA1", "revision 2")


_WORDS = st.text(max_size=10) | st.sampled_from(
    ["PA1", "PA2", "jtapi", "skinny", "6000", "1", "10.0.0.1", "add hosts", "save", "<b>", "\x00"]
)
_NAMES = st.sampled_from(
    [
        "server_name",
        "name",
        "hosts",
        "user",
        "password",
        "number_of_media_ports",
        "interceptor_ports",
        "fail_over_server_names",
        "new-fail_over_server_names",
        "chosen-interceptor_ports",
        "base",
        "refresh_schedule",
        "supported_locales",
        "available-supported_locales",
        "devices",
        "forget-password",
    ]
)
_BUTTONS = st.sampled_from(
    [
        "save",
        "preview",
        "delete",
        "delete-really",
        "refresh",
        "add interceptor_ports",
        "remove fail_over_server_names",
        "up hosts",
        "add supported_locales",
        "add password",
        "add nothing",
        "",
    ]
)
_PATHS = st.sampled_from(
    [
        "server-configuration?new",
        "server-configuration?server=PA1",
        "server-configuration?server=PA9",
        "telephony?provider=jtapi",
        "telephony?provider=skinny",
        "telephony?new=skinny",
        "telephony?new=nothing",
        "speech-services",
        "cluster-settings",
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(_PATHS, _BUTTONS, st.lists(st.tuples(_NAMES, _WORDS), max_size=8)), max_size=4
    )
)
def test_whatever_is_sent_is_answered_and_the_configuration_keeps_every_rule(
    tmp_path: Path, sent: list[tuple[str, str, list[tuple[str, str]]]]
) -> None:
    async def main() -> None:
        async with opened(Path(tempfile.mkdtemp(dir=tmp_path))) as (browser, all_pages, _):
            for path, button, fields in sent:
                before = await all_pages.managed.present()
                csrf = (await browser.get("control-center")).fields()["csrf"][0]
                more: list[tuple[str, Any]] = [("csrf", csrf), ("do", button)]
                answer = await browser.post(path, [*more, *fields])
                assert answer.status in (200, 403, 404, 409, 422), answer.words
                assert SECRET not in answer.text
                after = await all_pages.managed.present()
                assert after.cluster.servers
                if button not in ("save", "delete-really"):
                    assert after == before

    trio.run(main)


@pytest.mark.parametrize("path", ["server-configuration", "telephony", "cluster-settings"])
async def test_a_store_that_cannot_be_read_is_told_with_its_reason(
    tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pa_telephony.errors import ConnectionLost

    async with opened(tmp_path) as (browser, _, store):

        async def lost() -> None:
            raise ConnectionLost("the disk is gone")

        monkeypatch.setattr(store, "snapshot", lost)
        page = await browser.get(path)
        assert (page.status, "the disk is gone" in page.words) == (503, True)
