"""Rolling restarts of whole servers, with callers all the time: nobody is turned away or cut off.

The judge is that of all schedules, and a rolling restart is no excuse for anything.
"""

from __future__ import annotations

import pytest
import trio
from whole.agent import Agent
from whole.clusters import SHAPES
from whole.house import House
from whole.stage import Script, Stage, perform

from pa_telephony.failover import Command
from pa_telephony.failover.rolling import State


def kept(shape: str, script: Script) -> House:
    """Play it; every promise that the judge of the schedules knows is kept."""
    house, said = perform(shape, script)
    assert not said, "\n".join([*said, *house.log[-200:]])
    return house


def state(agent: Agent) -> State | None:
    return agent.roll.state if agent.roll is not None else None


def begun(stage: Stage, *names: str) -> Agent:
    agent = Agent(stage.house)
    stage.soon(agent.run)
    agent.restart(names or stage.house.names)
    return agent


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_all_are_restarted_and_every_caller_is_answered(shape: str) -> None:
    async def script(stage: Stage) -> None:
        before = dict(stage.house.lives)
        agent = begun(stage)
        await stage.until(lambda: state(agent) is State.DONE, 400.0)
        assert stage.house.lives == {name: lives + 1 for name, lives in before.items()}
        assert stage.house.home_again()
        await stage.answered(10.0)

    kept(shape, script)


@pytest.mark.long
@pytest.mark.parametrize("later", range(1, 7))
@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_whenever_it_begins_every_caller_is_answered(shape: str, later: int) -> None:
    """What takes some milliseconds, as a port on its way, meets a caller now and then."""

    async def script(stage: Stage) -> None:
        await trio.sleep(0.713 * later)
        agent = begun(stage)
        await stage.until(lambda: state(agent) is State.DONE, 400.0)

    kept(shape, script)


def test_a_home_whose_numbers_were_moved_is_restarted_and_they_stay_there() -> None:
    async def script(stage: Stage) -> None:
        stage.house.move("PA1", "PA2")
        await stage.until(lambda: stage.has("PA2", "PA1"), 40.0)
        agent = begun(stage, "PA1")
        await stage.until(lambda: state(agent) is State.DONE, 100.0)
        assert stage.has("PA2", "PA1")

    kept("aa", script)


def test_a_stand_in_is_restarted_when_the_return_is_over() -> None:
    async def script(stage: Stage) -> None:
        stage.trouble.kill("PA1")
        await stage.until(lambda: stage.has("PA2", "PA1"), 10.0)
        stage.house.start("PA1")
        agent = begun(stage, "PA2")
        await stage.until(lambda: state(agent) is State.DRAINED, 100.0)
        assert stage.has("PA1", "PA1")
        await stage.until(lambda: state(agent) is State.DONE, 100.0)

    kept("aa", script)


def test_a_stand_in_that_dies_while_it_is_needed_brings_the_numbers_back() -> None:
    async def script(stage: Stage) -> None:
        agent = begun(stage, "PA1")
        await stage.until(lambda: state(agent) is State.DRAINED, 40.0)
        await trio.sleep(0.5)
        stage.trouble.kill("PA2")
        await stage.until(lambda: stage.has("PA1", "PA1"), 30.0)
        stage.house.start("PA2")
        await stage.until(lambda: state(agent) is State.DONE, 120.0)
        await stage.until(stage.house.home_again, 40.0)

    kept("aa", script)


def test_without_a_call_manager_nobody_is_drained_and_it_is_given_up() -> None:
    async def script(stage: Stage) -> None:
        agent = begun(stage)
        stage.soon(stage.trouble.no_call_manager, 45.0)
        await stage.until(lambda: state(agent) is State.FAILED, 60.0)
        assert agent.roll is not None
        assert "nobody could serve the numbers of PA1 meanwhile" in agent.roll.why
        await stage.until(stage.house.home_again, 60.0)

    house = kept("mutual", script)
    assert all(lives == 1 for lives in house.lives.values())


def test_an_operator_who_stops_the_next_one_ends_it_and_the_first_one_serves() -> None:
    async def script(stage: Stage) -> None:
        agent = begun(stage, "PA1", "PA2")
        await stage.until(lambda: state(agent) is State.DRAINED, 40.0)
        stage.trouble.command(Command.STOP, "PA2")
        await stage.until(lambda: state(agent) is State.UNDONE, 10.0)
        for name in stage.house.names:
            stage.house.start(name)
        await stage.until(lambda: stage.has("PA1", "PA1"), 30.0)

    kept("aa", script)
