"""Bad luck for thousands of virtual seconds: what must never happen, what must in the end.

``make simulate`` plays some ten thousand schedules more.
"""

from __future__ import annotations

import functools

import pytest
from schedules import SHAPES, WITHIN, play
from simulation import Simulation

from pa_telephony.failover.actions import Action
from pa_telephony.failover.member import Member

played = functools.cache(play)


@pytest.mark.parametrize("seed", range(24))
def test_never_two_owners_no_call_dropped_by_a_return_and_all_comes_home(seed: int) -> None:
    simulation = played(seed)
    assert not simulation.violations, "\n".join(simulation.log[-60:])


@pytest.mark.long
@pytest.mark.parametrize("seed", range(24, 224))
def test_some_hundred_schedules_more_break_no_promise(seed: int) -> None:
    simulation = play(seed)
    assert not simulation.violations, "\n".join(simulation.log[-60:])


def test_the_schedules_are_worth_something() -> None:
    """Bad luck that never takes anything over, or never interrupts a call, would prove nothing."""
    runs = [played(seed) for seed in range(24)]
    assert sum(each.takeovers for each in runs) > 2 * len(runs)
    assert sum(each.returns for each in runs) > len(runs) / 2
    assert sum(each.answered for each in runs) > 20 * len(runs)


def test_a_schedule_is_played_again_by_its_number() -> None:
    one, two = Simulation(SHAPES["three"], 7), Simulation(SHAPES["three"], 7)
    for each in (one, two):
        each.run(30.0, within=WITHIN)
    assert one.log == two.log


@pytest.mark.parametrize("seed", range(12))
def test_a_member_at_rest_misses_nothing_that_a_look_at_everything_would_have_found(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rested, actions = played(seed), Member.actions

    def look_at_everything(member: Member, now: float) -> list[Action]:
        member._rests_until = 0.0
        return actions(member, now)

    monkeypatch.setattr(Member, "actions", look_at_everything)
    assert play(seed).log == rested.log
