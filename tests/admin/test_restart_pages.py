"""Rolling restart in the browser: begun, asked about, followed, ended, refused with the reason."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest
from form_browser import Browser, administration, serve, signed_in
from worlds import CLUSTER, PORTS, Worlds

from pa_telephony.admin.administration import Administration
from pa_telephony.admin.roll_view import restart_question, roll_heading, roll_steps
from pa_telephony.failover import ServerStatus, cluster_status
from pa_telephony.failover.agents import AgentReport, Kept, key, process_name
from pa_telephony.failover.keeping import State as Process
from pa_telephony.failover.rolling import ROLLING, Roll, State, rolling
from pa_telephony.failover.stores import MemoryStore
from pa_telephony.failover.transaction import Put, Transaction

OWN = CLUSTER.identities("PA1")
HOSTILE = "<script>alert(1)</script>\x1b"
ROLL = Roll(("PA2", "PA3"), 600, State.STARTED, "", 1000.0, ("PA1",))


def pages(worlds: Worlds | None = None) -> tuple[ServerStatus, ...]:
    worlds = worlds or Worlds()
    worlds.enter("PA2")
    return cluster_status(CLUSTER, worlds.snapshot())


def test_a_restart_is_told_server_by_server() -> None:
    found = roll_steps(ROLL, pages())
    assert [(each.name, each.done, each.at_hand) for each in found] == [
        ("PA1", True, False),
        ("PA2", False, True),
        ("PA3", False, False),
    ]
    assert found[1].words == "is started again, and gets its own back: idle spare"
    assert found[2].words == "follows"


@pytest.mark.parametrize(
    ("state", "heading", "words"),
    [
        (State.NEXT, "Restarting: 1 of 3 done", "follows"),
        (State.DONE, "All were restarted", "was restarted"),
        (State.FAILED, "Given up", "was not restarted"),
        (State.UNDONE, "Ended by an operator", "was not restarted"),
    ],
)
def test_its_heading_says_how_it_is(state: State, heading: str, words: str) -> None:
    roll = replace(ROLL, state=state)
    assert roll_heading(roll) == heading
    assert roll_steps(roll, pages())[-1].words == words


@pytest.mark.parametrize(
    ("names", "deadline", "words"),
    [
        (
            ["PA1", "PA2"],
            60,
            "2 calls go on. One that has not ended by then ends 60 s after its server is drained.",
        ),
        (["PA1"], 0, "2 calls go on, and end when its server is drained."),
        (["PA3"], 60, ""),
    ],
)
def test_it_is_asked_about_when_calls_go_on(names: list[str], deadline: int, words: str) -> None:
    worlds = Worlds()
    worlds.enter("PA1", up=OWN, busy=PORTS)
    worlds.own("PA1", *OWN)
    asked = restart_question(names, pages(worlds), deadline)
    assert (asked.words if asked else "") == words


@contextlib.asynccontextmanager
async def opened(
    directory: Path, *, busy: bool = False, agent: bool = True
) -> AsyncGenerator[tuple[Browser, Administration, MemoryStore]]:
    store = MemoryStore()
    async with administration(directory, CLUSTER, store) as (all_pages, password):
        await all_pages.managed.save(CLUSTER, 0, "import")
        await serve(store, "PA1", "PA2", busy=busy)
        kept = {name: Kept(Process.RUNNING) for name in ("PA1", "PA2", "PA3")}
        report = Put(key("machine"), AgentReport("machine", 0.0, kept).encode())
        await store.transact(Transaction((), (report,)))
        alive = store.alive(process_name("machine")) if agent else contextlib.nullcontext()
        async with alive:
            yield await signed_in(all_pages, password), all_pages, store


async def roll_of(store: MemoryStore) -> Roll | None:
    return rolling(await store.snapshot())


async def test_the_servers_that_are_chosen_are_restarted_and_it_is_ended_by_a_button(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (browser, all_pages, store):
        page = await browser.click(await browser.get("control-center"), "Rolling restart…")
        assert "There was no rolling restart so far" in page.words
        page = await browser.press(page, "restart", server=["PA2"], deadline="600")
        assert page.url.endswith("control-center/restart")
        assert "Restarting: 0 of 1 done" in page.words
        roll = await roll_of(store)
        assert roll is not None
        assert (roll.servers, roll.deadline, roll.state) == (("PA2",), 600, State.NEXT)
        page = await browser.press(page, "End the restart")
        assert "Ended by an operator" in page.words
        roll = await roll_of(store)
        assert roll is not None
        assert roll.state is State.UNDONE
        ended, begun = all_pages.records.deeds(2)
        assert (begun.what, begun.result) == ("restart PA2", "PA2 is next")
        assert (ended.what, ended.result.startswith("ended by an operator")) == (
            "restart undone",
            True,
        )


async def test_servers_with_calls_are_asked_about_first(tmp_path: Path) -> None:
    async with opened(tmp_path, busy=True) as (browser, _, store):
        page = await browser.get("control-center/restart")
        page = await browser.press(page, "restart", server=["PA1"], deadline="60")
        assert "Restart PA1 one after the other?" in page.words
        assert "4 calls go on" in page.words
        assert await roll_of(store) is None
        await browser.press(page, "Restart PA1")
        roll = await roll_of(store)
        assert roll is not None
        assert (roll.servers, roll.deadline) == (("PA1",), 60)


async def test_what_cannot_be_now_is_refused_with_the_reason_and_what_was_chosen_stays(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, agent=False) as (browser, _, store):
        page = await browser.get("control-center/restart")
        page = await browser.press(page, "restart", server=["PA2"], deadline="7")
        assert page.status == 409
        assert "no agent keeps PA2: start pa-telephony agent there" in page.words
        assert page.fields()["server"] == ["PA2"]
        assert page.fields()["deadline"] == ["7"]
        assert await roll_of(store) is None


async def test_servers_have_to_be_chosen_and_a_deadline_be_one(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, _, store):
        page = await browser.get("control-center/restart")
        answer = await browser.press(page, "restart", deadline="600")
        assert answer.status == 422
        assert "choose the servers to restart" in answer.words
        answer = await browser.press(page, "restart", server=["PA2"], deadline="<b>")
        assert answer.status == 422
        assert "must be a whole number of seconds" in answer.words
        assert "<b>" not in answer.text
        assert await roll_of(store) is None


async def test_one_that_was_given_up_says_why_and_is_cleared(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, _, store):
        roll = replace(ROLL, state=State.FAILED, why=HOSTILE)
        await store.transact(Transaction((), (Put(ROLLING, roll.encode()),)))
        page = await browser.get("control-center/restart")
        assert "Given up" in page.words
        assert "<script>alert(1)</script>\\x1b" in page.words
        assert "<script>alert" not in page.text
        page = await browser.press(page, "Clear")
        roll_now = await roll_of(store)
        assert roll_now is None or roll_now.state is State.UNDONE


@pytest.mark.parametrize(
    "fields",
    [
        [("do", "restart"), ("server", "PA9"), ("really", "yes")],
        [("do", "explode"), ("server", "PA1")],
        [("do", "restart"), ("server", "PA1"), ("deadline", "99999")],
        [],
    ],
)
async def test_what_there_is_not_is_not_done(tmp_path: Path, fields: list[tuple[str, str]]) -> None:
    async with opened(tmp_path) as (browser, _, store):
        csrf = (await browser.get("control-center")).fields()["csrf"][0]
        page = await browser.post("control-center/restart", [("csrf", csrf), *fields])
        assert page.status in (200, 422)
        page = await browser.post("control-center/restart", [*fields, ("csrf", "x")])
        assert page.status == 403
        assert await roll_of(store) is None


async def test_ending_none_ends_none(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, _, __):
        csrf = (await browser.get("control-center")).fields()["csrf"][0]
        page = await browser.post("control-center/restart", [("csrf", csrf), ("do", "undo")])
        assert "no rolling restart goes on" in page.words
