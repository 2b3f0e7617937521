"""What a call is asked, told and ended for."""

from __future__ import annotations

from pa_telephony.failover.vigil import Verdict, Vigil

N, A, E, L = Verdict.NOTHING, Verdict.ASK, Verdict.END, Verdict.LONG


def looks(vigil: Vigil, *heard: object, step: float = 10.0, now: float = 0.0) -> list[Verdict]:
    found: list[Verdict] = []
    for each in heard:
        now += step
        found.append(vigil.look(each, now))
    return found


def test_a_silent_call_is_asked_about_once_and_then_ended() -> None:
    vigil = Vigil(silence=60.0, long=0.0, now=0.0)
    assert looks(vigil, 1, 1, 1, 1, 1, 1, 1) == [N, N, N, A, N, N, E]
    assert vigil.silent_for(70.0) == 60.0


def test_whatever_is_heard_begins_the_time_again() -> None:
    vigil = Vigil(silence=40.0, long=0.0, now=0.0)
    assert looks(vigil, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3) == [N, N, A, N, N, A, N, N, A, N, E]


def test_a_call_on_hold_is_not_silent() -> None:
    vigil = Vigil(silence=40.0, long=0.0, now=0.0)
    assert looks(vigil, 1, None, None, None, None, None, 1, 1) == [N] * 8


def test_a_call_of_which_nothing_was_ever_heard_is_silent_from_the_first_look_on() -> None:
    assert looks(Vigil(silence=20.0, long=0.0, now=0.0), 0, 0, 0) == [N, A, E]


def test_a_long_call_is_told_once_and_goes_on() -> None:
    vigil = Vigil(silence=0.0, long=30.0, now=0.0)
    assert looks(vigil, 1, 2, 3, 4, 5) == [N, N, L, N, N]


def test_it_looks_often_enough_and_not_too_often() -> None:
    assert Vigil(silence=300.0, long=14400.0, now=0.0).pause == 30.0
    assert Vigil(silence=5.0, long=14400.0, now=0.0).pause == 0.5
    assert Vigil(silence=0.0, long=0.0, now=0.0).pause == 30.0
