"""Pauses before another try."""

from __future__ import annotations

import pytest

from pa_telephony.backoff import BackOff


def test_pauses_double_up_to_the_limit() -> None:
    pauses = BackOff(0.1, 1.0, lambda: 1.0)
    assert [round(pauses.pause(), 6) for _ in range(6)] == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


def test_a_success_begins_them_anew() -> None:
    pauses = BackOff(0.1, 1.0, lambda: 1.0)
    pauses.pause()
    pauses.pause()
    pauses.reset()
    assert pauses.pause() == 0.1


@pytest.mark.parametrize(("chance", "part"), [(0.0, 0.5), (0.5, 0.75), (1.0, 1.0)])
def test_half_of_a_pause_is_chance(chance: float, part: float) -> None:
    pauses = BackOff(1.0, 8.0, lambda: chance)
    assert pauses.pause() == part
    assert pauses.pause() == 2 * part


def test_what_is_tried_again_at_once_the_first_time_is_not_tried_without_a_pause_for_ever() -> None:
    pauses = BackOff(0.0, 10.0, lambda: 0.0)
    assert pauses.pause() == 0.0
    assert pauses.pause() > 0.0
