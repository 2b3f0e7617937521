"""The faults of a demo: a process killed, stopped dead, cut off; and nowhere but in a demo."""

from __future__ import annotations

import contextlib
import dataclasses
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest
from form_browser import Browser, administration, serve, signed_in
from worlds import CLUSTER

from pa_telephony.admin import demo_faults
from pa_telephony.admin.administration import Administration
from pa_telephony.admin.demo_faults import DemoFaults, Fault, Injury
from pa_telephony.failover.orders import stop
from pa_telephony.failover.stores import MemoryStore
from pa_telephony.failover.transaction import Put, Transaction

WRITER = """
import sys
for line in sys.stdin:
    try:
        with open(sys.argv[1], "wb") as file:
            file.write(b"heartbeat")
        print("written", flush=True)
    except OSError as error:
        print("refused", flush=True)
"""


@contextlib.contextmanager
def a_server(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[subprocess.Popen[str]]:
    """A process that is PA1 by its lock, and writes a file whenever it is told to."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(directory / "written")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        numbers = {"PA1": process.pid}
        monkeypatch.setattr(demo_faults, "process_of", lambda _, name: numbers.get(name))
        try:
            yield process
        finally:
            process.kill()


def writes(process: subprocess.Popen[str]) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def test_one_that_is_cut_off_cannot_write_until_it_is_connected_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = DemoFaults(tmp_path / "cluster.db")
    with a_server(tmp_path, monkeypatch) as process:
        assert writes(process) == "written"
        assert "is cut off from the store" in faults.do("PA1", Fault.CUT)
        assert writes(process) == "refused"
        assert faults.look("PA1") == Injury(process.pid, cut=True)
        assert faults.do("PA1", Fault.MEND) == "PA1 can write the store again"
        assert writes(process) == "written"
        assert faults.look("PA1") == Injury(process.pid)


def test_one_that_stands_still_goes_on_and_one_that_is_killed_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = DemoFaults(tmp_path / "cluster.db")
    with a_server(tmp_path, monkeypatch) as process:
        assert faults.do("PA1", Fault.FREEZE) == "PA1 stands still"
        while not faults.look("PA1").frozen:
            time.sleep(0.01)
        assert faults.do("PA1", Fault.THAW) == "PA1 goes on"
        assert writes(process) == "written"
        assert not faults.look("PA1").frozen
        faults.do("PA1", Fault.KILL)
        assert process.wait() == -9
        assert faults.do("PA1", Fault.KILL).startswith("PA1: ")


def test_a_server_without_a_process_has_nothing_that_can_be_done_to_it(tmp_path: Path) -> None:
    faults = DemoFaults(tmp_path / "cluster.db")
    assert faults.look("PA1") == Injury(None)
    assert faults.do("PA1", Fault.KILL) == "PA1: no process of it runs"


class Pretended(DemoFaults):
    def __init__(self) -> None:
        super().__init__(Path("nowhere"))
        self.done: list[tuple[str, Fault]] = []

    def look(self, name: str) -> Injury:
        return (
            Injury(None) if name == "PA3" else Injury(42, frozen=name == "PA2", cut=name == "PA2")
        )

    def do(self, name: str, fault: Fault) -> str:
        self.done.append((name, fault))
        return f"{name} <b>{fault.value}</b>"


@contextlib.asynccontextmanager
async def opened(
    directory: Path, faults: DemoFaults | None
) -> AsyncGenerator[tuple[Browser, Administration, MemoryStore]]:
    store = MemoryStore()
    async with administration(directory, CLUSTER, store) as (plain, password):
        all_pages = dataclasses.replace(plain, faults=faults)
        await all_pages.managed.save(CLUSTER, 0, "import")
        await serve(store, "PA1", "PA2")
        yield await signed_in(all_pages, password), all_pages, store


async def test_each_server_has_the_buttons_that_fit_what_was_done_to_it(tmp_path: Path) -> None:
    faults = Pretended()
    async with opened(tmp_path, faults) as (browser, all_pages, store):
        page = await browser.click(await browser.get("help"), "Demo")
        assert page.url.endswith("demo/faults")
        for button in (
            "Kill PA1",
            "Stop PA1 dead",
            "Cut PA1 off from the store",
            "Let PA2 go on",
            "Connect PA2 with the store",
        ):
            answer = await browser.press(page, button)
            assert answer.status == 200
            assert "<b>" not in answer.text
        assert faults.done == [
            ("PA1", Fault.KILL),
            ("PA1", Fault.FREEZE),
            ("PA1", Fault.CUT),
            ("PA2", Fault.THAW),
            ("PA2", Fault.MEND),
        ]
        assert "process 42, stands still, cut off from the store" in page.words
        await store.transact(Transaction((), (Put(stop("PA3"), "stop"),)))
        page = await browser.press(await browser.get("demo/faults"), "Start PA3")
        assert stop("PA3") not in (await store.snapshot()).entries
        assert all_pages.records.deeds(1)[0].what.startswith("fault start PA3: ")


@pytest.mark.parametrize("button", ["", "kill", "kill PA9", "explode PA1", "kill PA1\x00"])
async def test_what_there_is_not_is_not_done(tmp_path: Path, button: str) -> None:
    faults = Pretended()
    async with opened(tmp_path, faults) as (browser, _, __):
        csrf = (await browser.get("demo/faults")).fields()["csrf"][0]
        page = await browser.post("demo/faults", [("csrf", csrf), ("do", button)])
        assert "There is no such" in page.words
        page = await browser.post("demo/faults", [("do", "kill PA1")])
        assert page.status == 403
        assert faults.done == []


async def test_a_cluster_that_people_rely_on_has_no_such_page(tmp_path: Path) -> None:
    async with opened(tmp_path, None) as (browser, _, __):
        assert "Demo" not in (await browser.get("help")).forms().links
        for path in ("demo/faults", "demo/faults/events"):
            assert (await browser.get(path)).status == 404
        csrf = (await browser.get("control-center")).fields()["csrf"][0]
        page = await browser.post("demo/faults", [("csrf", csrf), ("do", "kill PA1")])
        assert page.status == 404


async def test_it_wants_a_session(tmp_path: Path) -> None:
    async with opened(tmp_path, Pretended()) as (_, all_pages, __):
        assert "login" in (await Browser(all_pages).get("demo/faults")).url
