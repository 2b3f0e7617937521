"""Bad luck for thousands of virtual seconds: what must never happen, what must in the end.

``make simulate`` plays some ten thousand schedules more.
"""

from __future__ import annotations

import functools

import pytest
from bad_luck import BadLuck
from replicated import Replicated
from schedules import SHAPES, WITHIN, play
from simulate import shrunk

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
    assert sum(each.takeovers for each in runs) > len(runs)
    assert sum(each.returns for each in runs) > len(runs) / 2
    assert sum(each.answered for each in runs) > 8 * len(runs)


def test_a_store_on_several_machines_does_what_a_file_never_does() -> None:
    runs = [each for each in map(played, range(24)) if isinstance(each, Replicated)]
    assert len(runs) == 18
    assert sum(each.late_commits for each in runs) > len(runs)
    assert len({each.machines["PA2"] == each.machines["PA1"] for each in runs}) == 2
    said = "\n".join(line for each in runs for line in each.log)
    for what in ("stuck", "behind", "late", "election", "cut off", "power"):
        assert f": {what} for" in said


def test_a_schedule_that_breaks_a_promise_is_played_with_as_few_misfortunes_as_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Here a server thinks that it may act for ever."""
    monkeypatch.setattr(Member, "may_act", lambda member, now: True)
    seed = next(seed for seed in range(100) if play(seed).violations)
    whole, few = play(seed), shrunk("pure", seed)
    assert few.violations
    assert len(few.without) >= whole.misfortunes - 3


def test_a_schedule_is_played_again_by_its_number() -> None:
    one, two = BadLuck(SHAPES["three"], 7), BadLuck(SHAPES["three"], 7)
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
