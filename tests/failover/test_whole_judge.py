"""The judge of the whole servers has eyes: a broken rule is seen by it."""

from __future__ import annotations

import pytest
import trio
from whole.stage import Stage, perform

from pa_telephony.failover import Kind
from pa_telephony.failover.application import Application
from pa_telephony.failover.deadlines import Deadlines
from pa_telephony.failover.holder import PortHolder
from pa_telephony.failover.member import Member


def test_a_server_that_acts_beyond_its_guard_is_seen() -> None:
    """Its clock is ten times too slow, so its guard lasts far longer than the others wait."""

    async def script(stage: Stage) -> None:
        house = stage.house
        stage.trouble.kill("PA1")
        house.drift["PA1"] = -0.9
        await stage.until(lambda: stage.has("PA2", "PA1"), 10.0)
        house.start("PA1")
        await stage.until(lambda: stage.has("PA1", "PA1"), 40.0)
        await stage.trouble.store("PA1", "gone", 9.0, gone=True)

    _, said = perform("aa", script)
    assert any("served by PA1 and PA2" in each for each in said), said


def test_a_return_that_does_not_ask_for_calls_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unregister(holder: PortHolder) -> None:
        await trio.lowlevel.checkpoint()
        holder._let_go = True
        holder.close()

    monkeypatch.setattr(PortHolder, "unregister", unregister)
    # Free as it looks to the server: it has not heard of any call.
    monkeypatch.setattr(Member, "set_busy", lambda *args: None)

    async def script(stage: Stage) -> None:
        for _ in range(3):
            stage.trouble.kill("PA1")
            await stage.until(lambda: stage.has("PA2", "PA1"), 10.0)
            await trio.sleep(8.0)
            stage.house.start("PA1")
            await stage.until(lambda: stage.has("PA1", "PA1", Kind.ROUTE_POINT), 60.0)
            await trio.sleep(5.0)

    _, said = perform("aa", script)
    assert any("a call was dropped that PA2 had" in each for each in said)


def test_a_server_that_ends_calls_before_their_time_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Deadlines, "over", lambda deadlines, now: frozenset(deadlines.homes))

    async def script(stage: Stage) -> None:
        stage.house.move("PA1", "PA2", 60)
        await stage.until(lambda: stage.has("PA2", "PA1"), 40.0)

    _, said = perform("aa", script)
    assert any("nobody wants it" in each for each in said)


def test_calls_that_an_order_ends_are_no_violation() -> None:
    async def script(stage: Stage) -> None:
        stage.house.move("PA1", "PA2", 1)
        await stage.until(lambda: stage.has("PA2", "PA1"), 20.0)
        stage.house.order_home("PA1", 0)
        await stage.until(lambda: stage.has("PA1", "PA1"), 20.0)
        assert stage.house.ended

    _, said = perform("aa", script)
    assert said == []


def test_an_application_that_turns_callers_away_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    async def route_call(application: Application, *args: object) -> None:
        await trio.lowlevel.checkpoint()

    monkeypatch.setattr(Application, "route_call", route_call)

    async def script(stage: Stage) -> None:
        await trio.sleep(5.0)

    _, said = perform("aa", script)
    assert any("a caller was turned away" in each for each in said)
