"""Orders of an operator: given by buttons, asked about where calls end, shown, and taken back."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import trio
from form_browser import Browser, administration, serve, signed_in
from hypothesis import given, settings, strategies as st
from trio.testing import MockClock
from worlds import CLUSTER, PORTS, Worlds

from pa_telephony.admin.administration import WAITED, Administration
from pa_telephony.admin.fields import FormRefused
from pa_telephony.admin.operations import Verb, deadline_of, progress, question, standing
from pa_telephony.failover import ServerStatus, cluster_status
from pa_telephony.failover.orders import held_back, move, returning, stop
from pa_telephony.failover.stores import MemoryStore

OWN = CLUSTER.identities("PA1")


def status(worlds: Worlds) -> dict[str, ServerStatus]:
    return {each.name: each for each in cluster_status(CLUSTER, worlds.snapshot())}


def stood_in() -> Worlds:
    """PA1 is back, and PA2 has its first port yet, which has a call."""
    worlds = Worlds()
    worlds.enter("PA2", up=PORTS[:1], busy=PORTS[:1])
    worlds.enter("PA1", up=[each for each in OWN if each not in PORTS[:1]], busy=PORTS[1:])
    worlds.own("PA1", *OWN)
    worlds.own("PA2", *PORTS[:1])
    worlds.claim("PA2", "PA1")
    return worlds


@pytest.mark.parametrize(
    ("key", "value", "words", "undo"),
    [
        (stop("PA1"), "stop", "ordered to be stopped", Verb.START),
        (stop("PA1"), "alone", "ordered to be stopped without failover", Verb.START),
        (
            stop("PA1"),
            "drain:600",
            "ordered to drain: calls that go on after 10 min 0 s are ended",
            Verb.START,
        ),
        (move("PA1"), "PA2", "ordered to be at PA2", Verb.MOVE_BACK),
        (
            move("PA1"),
            "PA2:90",
            "ordered to be at PA2, calls that delay it are ended after 90 s",
            Verb.MOVE_BACK,
        ),
        (
            held_back("PA1"),
            "held",
            "ordered to be held where it is: nothing comes home",
            Verb.HOLD_UNDO,
        ),
    ],
)
def test_an_order_that_stands_is_told_with_the_button_that_takes_it_back(
    key: str, value: str, words: str, undo: Verb
) -> None:
    worlds = stood_in()
    worlds.put(key, value)
    (found,) = standing(status(worlds)["PA1"])
    assert (found.words, found.undo) == (words, undo)
    assert standing(status(worlds)["PA2"]) == ()


def test_a_return_that_is_ordered_is_told_while_its_session_lasts() -> None:
    worlds = stood_in()
    token = worlds.world().sessions["PA1"].token
    worlds.put(returning("PA1"), f"PA1:{token}:0")
    (found,) = standing(status(worlds)["PA1"])
    assert found.words == "ordered to return, calls that delay it are ended at once"
    assert found.undo is Verb.RETURN_UNDO


def test_how_far_an_order_is_obeyed_is_told_in_numbers_and_calls() -> None:
    pages = status(stood_in())
    assert progress(pages["PA1"]) == "numbers: 1 at PA2, 3 at PA1; 2 calls"
    assert progress(pages["PA2"]) == ""


@pytest.mark.parametrize(
    ("verb", "name", "to", "deadline", "words"),
    [
        (Verb.STOP, "PA1", "", None, "1 call ends at once."),
        (Verb.STOP_ALONE, "PA2", "", None, "1 call ends at once."),
        (
            Verb.DRAIN,
            "PA1",
            "",
            600.0,
            "1 call ends after 10 min 0 s, unless it has ended by then.",
        ),
        (Verb.DRAIN, "PA1", "", 0.0, "1 call ends at once."),
        (Verb.MOVE, "PA1", "PA2", 0.0, "1 call ends at once."),
        (
            Verb.MOVE,
            "PA1",
            "PA3",
            60.0,
            "2 calls end after 60 s, unless they have ended by then.",
        ),
        (Verb.MOVE, "PA1", "PA2", None, ""),
        (Verb.RETURN, "PA1", "", 0.0, "1 call ends at once."),
        (Verb.STOP, "PA3", "", None, ""),
        (Verb.HOLD, "PA1", "", None, ""),
        (Verb.START, "PA1", "", None, ""),
    ],
)
def test_what_is_asked_counts_the_calls_that_the_order_ends(
    verb: Verb, name: str, to: str, deadline: float | None, words: str
) -> None:
    asked = question(verb, [name], status(stood_in()).values(), to, deadline)
    assert (asked.words if asked else "") == words
    assert asked is None or name in asked.title


def test_stop_all_asks_for_the_calls_of_all() -> None:
    asked = question(Verb.STOP, ["PA1", "PA2", "PA3"], status(stood_in()).values())
    assert asked is not None
    assert asked.words == "2 calls end at once."


@given(verb=st.sampled_from(Verb), text=st.text(max_size=8) | st.integers().map(str))
def test_a_deadline_is_some_seconds_of_a_day_or_it_is_refused(verb: Verb, text: str) -> None:
    wrong = ""
    found = None
    try:
        found = deadline_of(verb, text)
    except FormRefused as refused:
        wrong = " ".join(refused.problems.fields)
    assert wrong in ("", verb.value)
    assert not wrong or verb in (Verb.DRAIN, Verb.MOVE, Verb.RETURN)
    assert found is None or 0 <= found <= 86_400


@contextlib.asynccontextmanager
async def opened(
    directory: Path, *, busy: bool = False
) -> AsyncGenerator[tuple[Browser, Administration, MemoryStore]]:
    store = MemoryStore()
    async with administration(directory, CLUSTER, store) as (all_pages, password):
        await all_pages.managed.save(CLUSTER, 0, "import")
        await serve(store, "PA1", "PA2", busy=busy)
        yield await signed_in(all_pages, password), all_pages, store


@pytest.mark.parametrize(
    ("button", "filled", "key", "value", "undo"),
    [
        ("Drain PA1", {"drain-deadline": "600"}, stop("PA1"), "drain:600", "Undo drain"),
        ("Stop PA1 without failover", {}, stop("PA1"), "alone", "Undo stop"),
        ("Move PA1", {"to": "PA3"}, move("PA1"), "PA3", "Undo move"),
        ("Move PA1", {"to": "PA2", "move-deadline": "0"}, move("PA1"), "PA2:0", "Undo move"),
        ("Hold PA1", {}, held_back("PA1"), "held", "Undo hold"),
    ],
)
async def test_each_order_is_given_on_the_page_of_its_server_and_taken_back_there(
    tmp_path: Path, button: str, filled: dict[str, str], key: str, value: str, undo: str
) -> None:
    async with opened(tmp_path) as (browser, all_pages, store):
        page = await browser.get("control-center")
        assert "control-center/orders?server=PA1" in page.text
        page = await browser.get("control-center/orders?server=PA1")
        assert "No order stands" in page.words
        page = await browser.press(page, button, **filled)
        assert (await store.snapshot()).entries[key].value == value
        assert f"{undo}" in page.words
        page = await browser.get("control-center/orders?server=PA1")
        page = await browser.press(page, undo)
        assert key not in (await store.snapshot()).entries
        assert "Undo" not in page.words
        assert len(all_pages.records.deeds()) == 3


async def test_an_order_stands_in_the_audit_log_before_it_is_waited_for(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, all_pages, _):
        page = await browser.get("control-center/orders?server=PA1")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(browser.press, page, "Stop PA1")
            while all_pages.records.deeds(1)[0].what != "stop PA1":  # noqa: ASYNC110
                await trio.sleep(0.05)
            (deed,) = all_pages.records.deeds(1)
            assert deed.result == WAITED
            # As when the program ends meanwhile.
            nursery.cancel_scope.cancel()
        assert all_pages.records.deeds(1) == (deed,)
        page = await browser.get("control-center/orders?server=PA1")
        await browser.press(page, "Hold PA1")
        assert "PA1" in all_pages.records.deeds(1)[0].result


async def test_a_home_is_made_to_return_and_the_order_is_taken_back_in_its_row(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (browser, _, store):
        page = await browser.get("control-center/orders?server=PA1")
        page = await browser.press(page, "Return PA1", **{"return-deadline": "120"})
        value = (await store.snapshot()).entries[returning("PA1")].value
        assert value.endswith(":120")
        assert "calls that delay it are ended after 2 min 0 s" in page.words
        await browser.press(page, "Undo return of PA1")
        assert returning("PA1") not in (await store.snapshot()).entries


async def test_what_ends_calls_is_asked_about_first_and_done_by_the_second_button(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, busy=True) as (browser, _, store):
        page = await browser.press(await browser.get("control-center"), "Stop PA1")
        assert "Stop PA1?" in page.words
        assert "4 calls end at once." in page.words
        assert stop("PA1") not in (await store.snapshot()).entries
        page = await browser.press(page, "Stop PA1")
        assert (await store.snapshot()).entries[stop("PA1")].value == "stop"
        assert page.url.endswith("control-center")

        page = await browser.press(page, "stop")
        assert "Stop PA1, PA2, PA3?" in page.words
        page = await browser.press(page, "stop")
        assert stop("PA3") in (await store.snapshot()).entries


async def test_the_question_carries_what_was_filled_in(tmp_path: Path) -> None:
    async with opened(tmp_path, busy=True) as (browser, _, store):
        page = await browser.get("control-center/orders?server=PA1")
        page = await browser.press(page, "Move PA1", **{"to": "PA3", "move-deadline": "90"})
        assert "Move PA1 to PA3?" in page.words
        await browser.press(page, "Move PA1 to PA3")
        assert (await store.snapshot()).entries[move("PA1")].value == "PA3:90"


async def test_a_deadline_that_is_none_is_told_beside_its_field_and_kept_there(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (browser, _, store):
        before = (await store.snapshot()).entries
        page = await browser.get("control-center/orders?server=PA1")
        page = await browser.press(page, "Drain PA1", **{"drain-deadline": "<b>soon"})
        assert page.status == 422
        assert "must be a whole number of seconds, at most 86400" in page.words
        assert "&lt;b&gt;soon" in page.text
        assert (await store.snapshot()).entries == before


async def test_a_spare_is_drained_and_stopped_and_has_nothing_to_move(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, _, __):
        page = await browser.get("control-center/orders?server=PA2")
        assert "Drain PA2" in page.words
        for word in ("Move PA2", "Hold PA2", "Return PA2"):
            assert word not in page.words
        assert (await browser.get("control-center/orders?server=PA9")).status == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"do": "move", "to": "PA1"},
        {"do": "move", "to": "PA9"},
        {"do": "move"},
        {"do": "return", "return-deadline": "-1"},
        {"do": "drain", "drain-deadline": "86401"},
        {"do": "explode"},
        {"do": ""},
    ],
)
async def test_an_order_that_there_is_not_does_nothing(
    tmp_path: Path, fields: dict[str, str]
) -> None:
    async with opened(tmp_path) as (browser, _, store):
        before = (await store.snapshot()).entries
        csrf = (await browser.get("control-center")).fields()["csrf"][0]
        page = await browser.post(
            "control-center/orders?server=PA1", [("csrf", csrf), *fields.items()]
        )
        assert page.status in (200, 422)
        assert (await store.snapshot()).entries == before


async def test_an_order_without_the_token_of_its_form_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, _, store):
        before = (await store.snapshot()).entries
        for csrf in ([], [("csrf", "0" * 64)]):
            fields = [*csrf, ("do", "stop"), ("really", "yes")]
            page = await browser.post("control-center/orders?server=PA1", fields)
            assert page.status == 403
        assert (await store.snapshot()).entries == before


FIELDS = st.dictionaries(
    st.sampled_from(
        ["do", "to", "drain-deadline", "move-deadline", "return-deadline", "really", "server"]
    ),
    st.text(max_size=12)
    | st.sampled_from([*(each.value for each in Verb), "PA1", "PA2", "0", "60", "yes"]),
)


@settings(max_examples=30)
@given(fields=FIELDS, server=st.sampled_from(["", "PA1", "PA2", "PA9", "pa1", "%00", "%C3%28"]))
def test_whatever_is_sent_is_answered_and_ends_no_call_without_being_asked(
    tmp_path_factory: pytest.TempPathFactory, fields: dict[str, str], server: str
) -> None:
    directory = tmp_path_factory.mktemp("each", numbered=True)

    async def main() -> None:
        async with opened(directory, busy=True) as (browser, _, store):
            csrf = (await browser.get("control-center")).fields()["csrf"][0]
            sent = [("csrf", csrf), *fields.items()]
            page = await browser.post(f"control-center/orders?server={server}", sent)
            assert page.status in (200, 404, 422), page.words
            if fields.get("really") != "yes":
                assert stop("PA1") not in (await store.snapshot()).entries

    trio.run(main, clock=MockClock(autojump_threshold=0))
