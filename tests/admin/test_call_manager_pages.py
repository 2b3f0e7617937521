"""Call Manager: what its page shows of a running one, what buttons do there, and who may."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import AsyncGenerator, Generator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import trio
from company import ALICE, BOB, COMPANY, MEDIA_PORT, changed, media_port, route_point
from form_browser import Browser, administration, signed_in
from loopback import HOST
from whole_house import a_manager, pick_up, ringing, until
from worlds import CLUSTER

from pa_telephony import rtp, sccp
from pa_telephony.admin.accounts import Accounts
from pa_telephony.admin.administration import Administration
from pa_telephony.admin.call_manager_view import MOST, Seen, ask_drop, shown, sound
from pa_telephony.admin.rendering import fragment
from pa_telephony.admin.roles import Role
from pa_telephony.callmanager import CallManager, CallManagerConfig, offer_control
from pa_telephony.callmanager.control import place
from pa_telephony.callmanager.control.rows import (
    Call,
    Device,
    Line,
    Media,
    Party,
    Picture,
    Refusal,
    Statistics,
)
from pa_telephony.failover import Cluster
from pa_telephony.failover.config import JtapiProvider, SkinnyProvider
from pa_telephony.failover.stores import MemoryStore


@pytest.fixture
def directory() -> Generator[Path]:
    """One whose path is short enough for a socket."""
    made = tempfile.mkdtemp(prefix="pa-")
    yield Path(made)
    shutil.rmtree(made)


@contextlib.asynccontextmanager
async def opened(
    directory: Path, config: CallManagerConfig = COMPANY
) -> AsyncGenerator[tuple[Browser, Administration, CallManager]]:
    """A browser that has logged in, at a cluster beside a call manager with a control socket."""
    async with (
        a_manager(config) as manager,
        offer_control(manager, directory / "c"),
        administration(directory, CLUSTER, MemoryStore(), control=directory / "c") as (
            all_pages,
            password,
        ),
    ):
        await all_pages.managed.save(CLUSTER, 0, "import")
        yield await signed_in(all_pages, password), all_pages, manager


@contextlib.asynccontextmanager
async def phones(manager: CallManager, *names: str) -> AsyncGenerator[Sequence[sccp.Station]]:
    """Stations of ours that are registered under these names."""
    async with (
        rtp.open_engine(address=HOST, first_port=47000) as engine,
        contextlib.AsyncExitStack() as stack,
    ):
        yield [
            await stack.enter_async_context(
                sccp.open_station(name, manager.sccp_address, engine=engine)
            )
            for name in names
        ]


async def goes_on() -> bool:
    await trio.lowlevel.checkpoint()
    return True


def last_deed(all_pages: Administration) -> tuple[str, str, str]:
    deed = all_pages.records.deeds(1)[0]
    return deed.account, deed.what, deed.result


# What is shown.


async def test_devices_route_points_and_warnings_are_shown_as_they_are(directory: Path) -> None:
    config = changed(COMPANY, "RP1", forward_failure="1001")
    async with opened(directory, config) as (browser, _, manager), phones(manager, ALICE):
        page = await browser.click(await browser.get("help"), "Call Manager")
        words = page.words
        assert f"Phones register at {manager.sccp_address}" in words
        assert "P1 phone 1001 ▲ from 127.0.0.1:" in words
        assert "P2 phone 1002, 2000 ▼ no" in words
        assert "6000 RP1 ▼ nobody forwarded to 1001" in words
        assert "6100 RP2 ▼ nobody callers are turned away" in words
        assert "nobody serves 6100 of RP2: its callers are turned away" in words
        assert f"1 of {len(COMPANY.devices)} devices registered" in words
        assert "sccp.registrations" in words


async def test_devices_are_found_by_what_people_know_of_them(directory: Path) -> None:
    async with opened(directory) as (browser, _, __):
        page = await browser.get("call-manager?find=bob")
        assert "P2 phone" in page.words
        assert "P1 phone" not in page.words
        page = await browser.get("call-manager?find=%3Cb%3E")
        assert "No device is found." in page.words
        assert "<b>" not in page.text


async def test_the_page_follows_the_call_manager_and_nobody_looks_while_nobody_follows(
    directory: Path,
) -> None:
    async with (
        a_manager() as manager,
        offer_control(manager, directory / "c") as offered,
        administration(directory, CLUSTER, MemoryStore(), control=directory / "c") as (
            all_pages,
            _,
        ),
    ):
        live = all_pages.live_call_manager
        seen: list[str] = []

        def draw(what: Seen) -> str:
            return fragment("call_manager_live.html", shown=shown(what, ""), sound=sound)

        async with contextlib.aclosing(live.follow("", draw, goes_on)) as told:
            seen.append(await anext(told))
            assert "0 of " in seen[-1]
            async with phones(manager, ALICE):
                while "1 of " not in seen[-1]:
                    seen.append(await anext(told))
            assert (live.followers, offered._connections) == (1, 1)
        await until(lambda: (live.followers, offered._connections) == (0, 0))
        async with contextlib.aclosing(live.follow("", draw, goes_on)) as told:
            assert "0 of " in await anext(told)


async def test_a_live_page_says_when_the_call_manager_has_ended_and_when_it_is_back(
    directory: Path,
) -> None:
    async with administration(directory, CLUSTER, MemoryStore(), control=directory / "c") as (
        all_pages,
        _,
    ):

        def draw(what: Seen) -> str:
            return what.why or what.about.sccp

        live = all_pages.live_call_manager
        async with contextlib.aclosing(live.follow("", draw, goes_on)) as words:
            assert "no call manager answers at" in await anext(words)
            async with a_manager() as manager, offer_control(manager, directory / "c"):
                assert await anext(words) == manager.sccp_address
            assert "has ended" in await anext(words)


async def test_without_a_control_socket_the_page_says_why_and_what_to_start(
    directory: Path,
) -> None:
    async with administration(directory, CLUSTER, MemoryStore(), control=directory / "c") as (
        all_pages,
        password,
    ):
        browser = await signed_in(all_pages, password)
        words = (await browser.get("call-manager")).words
        assert f"No call manager answers at {directory / 'c'}: No such file" in words
        assert "start it on this machine" in words
        assert "--control PATH" in words
        page = await browser.get("call-manager/device?name=P1")
        assert page.url.endswith("/call-manager")
        assert "The call manager is not reached" in page.words


# Where it is.


@contextlib.asynccontextmanager
async def known_as(
    name: str, cluster: Cluster, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Seen]:
    """What is seen where the well-known place has a socket of this name."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(directory))
    path = place.well_known_directory() / f"callmanager-{name}.sock"
    async with (
        a_manager() as manager,
        offer_control(manager, path),
        administration(directory, cluster, MemoryStore()) as (all_pages, _),
    ):
        await all_pages.managed.save(cluster, 0, "import")
        here = replace(all_pages, control=None)
        yield await here.call_manager.look("devices")


def naming(skinny: str, jtapi: str) -> Cluster:
    providers = (
        JtapiProvider(name="jtapi", hosts=(jtapi,), user="pa", password="x"),
        SkinnyProvider(name="skinny", hosts=(skinny,), device_name_prefix="PA-VI"),
    )
    return replace(CLUSTER, providers=providers)


@pytest.mark.parametrize(
    ("socket", "skinny", "jtapi", "found"),
    [
        ("127.0.0.10:2000", "127.0.0.10", "127.0.0.10", True),
        ("127.0.0.10:2001", "127.0.0.10:2001", "203.0.113.1", True),
        ("127.0.0.10:2001", "203.0.113.1", "127.0.0.10:2748", True),
        ("0.0.0.0:2000", "127.0.0.10", "203.0.113.1", True),
        ("0.0.0.0:2000", "203.0.113.2", "203.0.113.1", False),
        ("127.0.0.11:2000", "127.0.0.10", "127.0.0.10", False),
        ("127.0.0.10:2001", "127.0.0.10", "203.0.113.1", False),
        ("nonsense:x", "127.0.0.10", "127.0.0.10", False),
    ],
)
async def test_the_call_manager_is_the_one_here_that_the_providers_name(
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    socket: str,
    skinny: str,
    jtapi: str,
    found: bool,
) -> None:
    async with known_as(socket, naming(skinny, jtapi), directory, monkeypatch) as seen:
        assert bool(seen.picture.devices) is found
        if not found:
            host = skinny.partition(":")[0]
            assert seen.why.startswith(f"the providers name {host}")
            assert str(directory / "pa-telephony") in seen.why


async def test_a_call_manager_that_does_not_answer_keeps_nobody_waiting_for_long(
    directory: Path,
) -> None:
    listener = trio.socket.socket(trio.socket.AF_UNIX)
    await listener.bind(str(directory / "c"))
    listener.listen(1)
    async with administration(directory, CLUSTER, MemoryStore(), control=directory / "c") as (
        all_pages,
        _,
    ):
        assert (await all_pages.call_manager.look()).why == (
            f"{directory / 'c'}: the call manager does not answer"
        )
    listener.close()


# What is done.


async def test_a_phone_is_reset_and_restarted_from_its_page(directory: Path) -> None:
    async with opened(directory) as (browser, all_pages, manager):
        async with phones(manager, ALICE) as (alice,):
            page = await browser.click(await browser.get("call-manager"), ALICE)
            for verb, times in (("reset", 2), ("restart", 3)):
                page = await browser.press(page, f"{verb} {ALICE}")
                assert f"{ALICE} was told to" in page.words
                await until(lambda times=times: alice.registrations == times)
                await until(lambda: manager.calls.is_registered(ALICE))
                what = f"call manager: {verb}s {ALICE}"
                done = last_deed(all_pages)
                assert done[:2] == ("administrator", what)
                assert done[2].startswith(f"{ALICE} was told to")
        page = await browser.press(page, f"reset {ALICE}")
        assert f"Not done: {ALICE} is not registered." in page.words
        assert last_deed(all_pages)[2] == f"Not done: {ALICE} is not registered."


async def test_a_device_that_only_its_application_can_reset_has_no_button_for_it(
    directory: Path,
) -> None:
    async with opened(directory) as (browser, _, __):
        page = await browser.get("call-manager/device?name=RP1")
        assert "Only its application can reset or restart it." in page.words
        assert not any(
            value.startswith("reset")
            for form in page.forms().forms
            for _, __, value in form.buttons
        )
        assert (await browser.get("call-manager/device?name=P%3C9")).status == 404


async def test_message_waiting_is_switched_on_and_off(directory: Path) -> None:
    async with opened(directory) as (browser, _, manager), phones(manager, ALICE) as (alice,):
        page = await browser.get(f"call-manager/device?name={ALICE}")
        page = await browser.press(page, "Switch message waiting of 1001 on")
        assert "Message waiting of 1001 is on." in page.words
        await alice.wait_shown(lambda screen: screen.message_waiting())
        assert "message waiting" in (await browser.get("call-manager")).words
        page = await browser.press(page, "Switch message waiting of 1001 off")
        await alice.wait_shown(lambda screen: not screen.message_waiting())


async def test_a_forward_is_set_and_cleared_and_one_that_cannot_be_is_refused(
    directory: Path,
) -> None:
    async with opened(directory) as (browser, all_pages, manager), phones(manager, ALICE):
        page = await browser.get(f"call-manager/device?name={ALICE}")
        button = "Set the forward of 1001"
        page = await browser.press(page, button, kind="all", number=" 1002 ")
        assert "1001 is forwarded to 1002: all calls." in page.words
        assert "forwarded to 1002" in (await browser.get("call-manager")).words
        page = await browser.press(page, "Clear the forward of 1001: all calls")
        assert "1001 is not forwarded any more: all calls." in page.words
        assert "forwarded to 1002" not in (await browser.get("call-manager")).words
        page = await browser.press(page, button, kind="busy", number="777")
        assert "Not done: 1001 cannot be forwarded to 777" in page.words
        assert last_deed(all_pages)[1] == "call manager: forwards 1001 to 777 (busy)"
        page = await browser.press(page, button, kind="busy", number="")
        assert "Name the number" in page.words


async def test_a_call_is_dropped_only_after_a_page_has_asked(directory: Path) -> None:
    async with (
        opened(directory) as (browser, all_pages, manager),
        phones(manager, ALICE, BOB) as (alice, bob),
        trio.open_nursery() as nursery,
        alice.call("1002") as call,
    ):
        nursery.start_soon(pick_up, await ringing(bob))
        await call.wait_connected()
        await call.wait_media()
        page = await browser.get("call-manager")
        assert "1 call" in page.words
        assert "1001 Alice P1 connected with 1002" in page.words
        assert f"PCMU 20 ms, talk, at {HOST}:" in page.words
        (label,) = [
            label
            for form in page.forms().forms
            for label, _, __ in form.buttons
            if label.startswith("Drop call ")
        ]
        asked = await browser.press(page, label)
        assert "This ends call" in asked.words
        assert "1001 Alice and 1002 Bob." in asked.words
        assert last_deed(all_pages)[1] == "logged in"
        assert manager.calls.legs
        page = await browser.press(asked, asked.forms().forms[-1].buttons[0][0])
        assert "has ended." in page.words
        assert last_deed(all_pages)[1].startswith("call manager: drops call ")
        await call.wait_ended()
        again = await browser.press(asked, asked.forms().forms[-1].buttons[0][0])
        assert "Not done: there is no call" in again.words


@pytest.mark.parametrize(
    "button", ["", "reset", "reset P9", "drop x", "drop " + "9" * 40, "forward", "clear night"]
)
async def test_what_there_is_not_is_told_and_nothing_is_done(directory: Path, button: str) -> None:
    async with opened(directory) as (browser, _, __):
        csrf = (await browser.get("call-manager")).forms().forms[-1].fields[0][1]
        sent = [("csrf", csrf), ("do", button), ("line", "1001\x00<b>"), ("kind", "night")]
        page = await browser.post("call-manager", sent)
        assert page.status == 200
        assert "There is no such button." in page.words or "Not done: " in page.words
        assert "<b>" not in page.text
        assert (await browser.post("call-manager", sent[1:])).status == 403


async def test_a_reader_sees_all_and_has_no_button(directory: Path) -> None:
    async with opened(directory) as (_, all_pages, __):
        first = Accounts(all_pages.records).add("anna", Role.READER)
        reader = await signed_in(all_pages, first, "anna")
        for path in ("call-manager", f"call-manager/device?name={ALICE}"):
            page = await reader.get(path)
            assert "The role reader may not give orders to servers." in page.words
            buttons = [label for form in page.forms().forms for label, _, __ in form.buttons]
            assert buttons in ([], ["Find"])


# Server Configuration.


async def test_the_devices_that_the_call_manager_lacks_are_shown_with_the_lines_to_paste(
    directory: Path,
) -> None:
    async with opened(directory) as (browser, _, manager):
        page = await browser.get("server-configuration?server=PA1")
        words = page.words
        assert f"The call manager {manager.sccp_address} does not have these 3 devices" in words
        assert 'name = "PA-VI1" kind = "media port"' in words
        assert 'kind = "route point" [[device.lines]] number = "5XXX"' in words
        assert 'number = "6000"' not in words
        more = await browser.press(page, "preview", route_address="60<0")
        assert 'number = "60<0"' not in more.text
        more = await browser.press(page, "preview", route_address="6200")
        assert "these 4 devices" in more.words
        assert 'number = "6200"' in more.words


async def test_where_it_lacks_nothing_or_is_not_reached_nothing_is_said_of_it(
    directory: Path,
) -> None:
    others = changed(COMPANY, MEDIA_PORT, number="6009")
    devices = (
        *others.devices,
        media_port("PA-VI1", "6001"),
        media_port("PA-VI2", "6002"),
        route_point("RP5", "5XXX", partition="PA"),
    )
    async with opened(directory, replace(others, devices=devices)) as (browser, all_pages, _):
        assert "lacks" not in (await browser.get("server-configuration?server=PA1")).words
        lacking = await all_pages.call_manager.lacking(CLUSTER)
        assert lacking is not None
        assert lacking.missing == ()
    async with administration(
        directory / "other", CLUSTER, MemoryStore(), control=directory / "c"
    ) as (all_pages, password):
        browser = await signed_in(all_pages, password)
        page = await browser.get("server-configuration?server=PA1")
        assert page.status == 200
        assert "lacks" not in page.words


# What is made of it.


def test_the_first_devices_are_those_that_need_somebody_and_the_rest_is_found() -> None:
    refused = Device(name="LAST", refusal=Refusal(at=1.0, reason="Device <Unknown>"))
    devices = (*(Device(name=f"D{at}") for at in range(MOST + 50)), refused)
    found = shown(Seen(at=0.0, picture=Picture(devices=devices)), "")
    assert found["devices"][0] is refused
    assert len(found["devices"]) == MOST
    assert found["found"] == MOST + 51
    text = fragment("call_manager_live.html", shown=found, sound=sound)
    assert f"The first {MOST} of {MOST + 51}" in text
    assert "Device &lt;Unknown&gt;" in text
    lines = (Line(number="1001", name="Anna"),)
    one = shown(Seen(at=0.0, picture=Picture(devices=(Device(name="X", lines=lines),))), " ANNA ")
    assert one["found"] == 1


def test_sound_says_where_it_goes_and_what_was_counted() -> None:
    assert sound(Party(leg=1)) == ""
    media = Media(use="hold tone", codec="PCMA", receives_at="a:1", sends_to="b:2")
    assert sound(Party(leg=1, media=media)) == "PCMA 20 ms, hold tone, at a:1, to b:2"
    counted = replace(media, statistics=Statistics(sent=50, received=49, lost=1, jitter=2.5))
    assert sound(Party(leg=1, media=counted)).endswith(
        ": 50 sent, 49 received, 1 lost, jitter 2.5 ms"
    )


def test_the_question_names_everybody_in_the_call_once() -> None:
    parties = (
        Party(leg=1, number="1001", name="Alice"),
        Party(leg=2, number="2000"),
        Party(leg=3, number="2000"),
        Party(leg=4, device="P4"),
    )
    assert ask_drop(Call(id=7, parties=parties)).words == (
        "This ends call 7, with everybody in it: 1001 Alice and 2000 and P4."
    )
    assert "nobody who is known" in ask_drop(Call(id=7)).words
