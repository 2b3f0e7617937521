"""Whole servers in virtual time under bad luck: what callers and the call manager see.

``make simulate`` plays some thousand schedules more.
"""

from __future__ import annotations

import functools

import pytest
from whole.play import Played, play

SEEDS = range(24)
played = functools.cache(play)


def check(schedule: Played) -> None:
    assert not schedule.violations, "\n".join([*schedule.violations, *schedule.log[-150:]])


@pytest.mark.parametrize("seed", SEEDS)
def test_one_server_has_each_number_and_callers_are_answered(seed: int) -> None:
    check(played(seed))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(SEEDS.stop, SEEDS.stop + 300))
def test_some_hundred_schedules_more_break_no_promise(seed: int) -> None:
    check(play(seed))


@pytest.mark.long
@pytest.mark.parametrize("seed", [343, 351, 586, 649, 1148, 1174, 1565, 1706])
def test_schedules_that_the_judge_once_called_broken_break_no_promise(seed: int) -> None:
    check(play(seed))


def test_the_schedules_are_worth_something() -> None:
    """Without takeovers, returns and interrupted calls nothing would have been put to the test."""
    total: dict[str, int] = {}
    for seed in SEEDS:
        for what, number in played(seed).counts.items():
            total[what] = total.get(what, 0) + number
    assert total["takeovers"] > len(SEEDS)
    assert total["configurations saved"] > 5
    assert total["hand-overs"] > 5
    assert total["hand-backs"] > 2 * len(SEEDS)
    assert total["calls answered"] > 15 * len(SEEDS)
    assert sum(number for what, number in total.items() if what.startswith("dropped")) > 20


def test_a_schedule_is_played_again_by_its_number() -> None:
    assert play(5).log == played(5).log
