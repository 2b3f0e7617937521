"""What a store on other machines may do late: what the planner stands, and what no store may do."""

from __future__ import annotations

import pytest
from explored import CHANGES, FAULTS, Situation
from explorer import BACKWARDS, CHANGING, SHAPES, at_home, explore
from happening import Happening
from lateness import LATENESS

USUAL = tuple(kind for kind in FAULTS if kind not in BACKWARDS)


def moves(explored: Happening, situation: Situation) -> dict[str, Situation]:
    """What can happen, faults too, and where it leads to."""
    return {what: after for what, _, after in explored.moves(situation, faults=True)}


def follow(explored: Happening, *path: str) -> Situation:
    """Where these moves lead to, one after the other, from a cluster at rest."""
    situation = at_home(explored)
    for what in path:
        there = moves(explored, situation)
        said = next((each for each in there if each.startswith(what)), None)
        assert said is not None, f"{what}: only {', '.join(there)}"
        situation = there[said]
    return situation


def test_nothing_that_comes_late_breaks_a_promise_or_keeps_anything_from_coming_home() -> None:
    found = explore(SHAPES["home"], 1, proof=False, kinds=(*USUAL, *LATENESS))
    assert not found.violation, str(found)
    assert found.complete
    assert found.states > 3_000


AWAY = (
    *("PA1 crashes", "PA2 looks", "PA2: depose PA1 committed"),
    *("PA2 looks", "PA2: take home PA1", "PA2 looks", "PA2 has", "PA2 has"),
)
"""PA2 stands in for PA1, which is dead."""
ASKED = (
    *("PA1 starts again", "PA1 looks", "PA1: enter PA1 committed"),
    *("PA1 looks", "PA1: want PA1 committed", "PA2 looks", "PA2 gives up port 6001"),
)
"""PA1 is back and asks, and PA2 has let the port go, to hand it back."""


def test_a_step_that_is_given_up_and_commits_after_all_drops_a_call() -> None:
    """So no store may do that: it finds out first, which also makes a late commit impossible.

    It takes a crash, the step, and an order that is given and taken back: what the step compares is
    then as it was, and PA2 has the port again, with a call.
    """
    explored = Happening(SHAPES["home"], kinds=("crash", "late step", "hold"))
    follow(
        explored,
        *AWAY,
        *ASKED,
        *("PA2: hand back PA1, 1 identities is given up", "PA1 is held"),
        *("PA2: hand back PA1, 1 identities refused", "PA2 looks", "PA2 has port 6001"),
        *("PA1 is held no more", "PA2: hand back PA1, 1 identities commits late", "PA2 looks"),
    )
    (broken,) = explored.broken
    assert broken.startswith("PA2 drops a call on port 6001 of PA1")


def test_a_step_of_a_process_that_is_followed_commits_no_more() -> None:
    explored = Happening(SHAPES["home"], kinds=("crash", "orphan"))
    sent = follow(explored, *AWAY, *ASKED[:2], "PA1 crashes, and enter PA1 is on its way")
    there = moves(explored, sent)
    assert "PA1: enter PA1 commits late" in there
    assert not there["PA1 starts again"].late


def test_a_heartbeat_of_a_dead_server_may_commit_as_long_as_its_session_lasts() -> None:
    explored = Happening(SHAPES["home"], kinds=("crash", "late beat"))
    dead = follow(explored, "a beat of PA1 is on its way", "PA1 crashes")
    assert "PA1: a beat commits late" in moves(explored, dead)
    deposed = follow(
        explored, "a beat of PA1 is on its way", *AWAY[:2], "PA2: depose PA1 committed"
    )
    assert not deposed.late


def test_who_has_read_something_newer_does_not_see_what_was() -> None:
    explored = Happening(SHAPES["home"], kinds=("stop stop", "old look"))
    behind = moves(explored, follow(explored, "PA2 is about to read", "stop PA1"))
    assert "PA2 sees what was" in behind
    assert "PA2 sees what was" not in moves(explored, behind["PA2 looks"])


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", LATENESS)
def test_nor_does_it_with_another_fault(kind: str) -> None:
    found = explore(SHAPES["home"], 2, proof=False, kinds=(*USUAL, kind), limit=40_000)
    print(found)
    assert not found.violation, str(found)
    assert found.states > 5_000


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("shape", CHANGING)
def test_nor_with_a_configuration_that_is_saved_meanwhile(shape: str) -> None:
    first, *others = CHANGING[shape]
    kinds = (CHANGES, "crash", *LATENESS)
    found = explore(first, 2, proof=False, kinds=kinds, others=tuple(others), limit=40_000)
    print(found)
    assert not found.violation, str(found)
    assert found.states > 5_000
