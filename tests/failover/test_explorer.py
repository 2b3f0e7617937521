"""Everything that faults can do to a small cluster, each race between a plan and its commit too."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from explored import CHANGES, FAULTS
from explorer import BACKWARDS, CHANGING, SHAPES, explore

from pa_telephony.failover import Identity, Kind, actions, ownership
from pa_telephony.failover.duties import View
from pa_telephony.failover.steps import Plan, Step

PAIRS = [
    (order, other)
    for order in BACKWARDS
    for other in FAULTS
    if other not in BACKWARDS or BACKWARDS.index(order) <= BACKWARDS.index(other)
]


def test_no_fault_breaks_a_promise_or_keeps_anything_from_coming_home() -> None:
    found = explore(SHAPES["home"], 1)
    assert not found.violation, str(found)
    assert found.complete
    assert found.states > 3_000


@pytest.mark.parametrize("shape", CHANGING)
def test_nor_does_a_configuration_that_is_saved_meanwhile(shape: str) -> None:
    """One change alone leads to all that its being taken up one by one can."""
    first, *others = CHANGING[shape]
    found = explore(first, 1, kinds=(CHANGES,), others=tuple(others))
    assert not found.violation, str(found)
    assert found.complete
    assert found.states > 100


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("proof", [True, False])
@pytest.mark.parametrize("shape", CHANGING)
def test_nor_one_with_another_fault(shape: str, proof: bool) -> None:
    first, *others = CHANGING[shape]
    kinds = (*FAULTS, CHANGES)
    found = explore(first, 2, proof=proof, kinds=kinds, others=tuple(others), limit=400_000)
    print(found)
    assert not found.violation, str(found)
    assert found.states > 5_000


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("shape", "faults", "proof"),
    [
        ("home", 2, True),
        ("home", 2, False),
        ("two spares", 1, True),
        ("mutual", 1, True),
        ("mutual", 1, False),
    ],
)
def test_nor_do_two_or_those_of_a_larger_cluster(shape: str, faults: int, proof: bool) -> None:
    # These are a return backwards, and each as large as all others together: below by themselves.
    kinds = tuple(kind for kind in FAULTS if kind not in BACKWARDS)
    found = explore(SHAPES[shape], faults, proof=proof, kinds=kinds)
    print(found)
    assert not found.violation, str(found)
    assert found.complete
    assert found.states > 5_000


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("order", "other"), PAIRS)
def test_nor_does_an_order_that_moves_a_home_with_another_fault(order: str, other: str) -> None:
    # `make explore` goes on where this ends.
    found = explore(SHAPES["home"], 2, kinds=(order, other), limit=30_000)
    print(found)
    assert not found.violation, str(found)
    # Where all is home nothing is to return, and nothing to be held.
    assert found.states > (50 if {order, other} & {"return", "hold"} else 1_000)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_nor_does_a_stand_in_that_is_drained_like_its_home() -> None:
    found = explore(SHAPES["two spares"], 2, kinds=("stop drain",), limit=100_000)
    print(found)
    assert not found.violation, str(found)
    assert found.states > 10_000


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kinds", [("crash", "return"), ("crash", "hold", "return")])
def test_nor_does_one_about_a_home_that_is_away(kinds: tuple[str, ...]) -> None:
    found = explore(SHAPES["home"], 3, kinds=kinds, limit=100_000)
    print(found)
    assert not found.violation, str(found)
    assert found.states > 10_000


# ------------------------------------------------------------------- it finds what is broken


def _without(prefix: str) -> Callable[[Step], Step]:
    """The step without its compares of such keys."""

    def broken(step: Step) -> Step:
        compares = tuple(c for c in step.transaction.compares if not c.key.startswith(prefix))
        return replace(step, transaction=replace(step.transaction, compares=compares))

    return broken


def _take_without(prefix: str, patch: pytest.MonkeyPatch) -> None:
    whole, broken = ownership._take_home, _without(prefix)
    patch.setattr(ownership, "_take_home", lambda *given: map(broken, whole(*given)))


def _own_is_not_compared_by_the_take(patch: pytest.MonkeyPatch) -> None:
    _take_without("own/", patch)


def _stop_is_not_compared_by_the_take(patch: pytest.MonkeyPatch) -> None:
    _take_without("stop/", patch)


def _it_leaves_while_not_quiet(patch: pytest.MonkeyPatch) -> None:
    whole = ownership.plan

    def hasty(view: View) -> Plan:
        stopped = view.world.stopped(view.me) is not None
        return whole(replace(view, unquiet=frozenset()) if stopped else view)

    patch.setattr(ownership, "plan", hasty)


def _it_registers_while_it_gives_up(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(actions.Flight, "gives_up", lambda *_: False)


def _it_gives_back_what_is_registered(patch: pytest.MonkeyPatch) -> None:
    whole = ownership.plan
    patch.setattr(ownership, "plan", lambda view: whole(replace(view, released=view.free)))


def _it_ends_calls_that_nobody_wants_ended(patch: pytest.MonkeyPatch) -> None:
    def ended(view: View, home: str, having: Iterable[Identity]) -> frozenset[Identity]:
        return frozenset(each for each in having if each.kind is Kind.PORT) - view.free

    patch.setattr(ownership, "ended", ended)


@pytest.mark.parametrize(
    ("breaks", "kinds"),
    [
        (_own_is_not_compared_by_the_take, FAULTS),
        (_it_leaves_while_not_quiet, FAULTS),
        (_it_registers_while_it_gives_up, FAULTS),
        (_it_gives_back_what_is_registered, FAULTS),
        (_it_ends_calls_that_nobody_wants_ended, ("crash",)),
        (_stop_is_not_compared_by_the_take, ("crash", "stop alone")),
    ],
)
def test_a_planner_with_one_broken_rule_is_found(
    breaks: Callable[[pytest.MonkeyPatch], None],
    kinds: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    breaks(monkeypatch)
    found = explore(SHAPES["home"], 2 if kinds == ("crash", "stop alone") else 1, kinds=kinds)
    print(found)
    assert found.violation
