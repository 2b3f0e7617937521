"""Everything that faults can do to a small cluster, each race between a plan and its commit too."""

from __future__ import annotations

import pytest
from explorer import SHAPES, explore


def test_no_fault_breaks_a_promise_or_keeps_anything_from_coming_home() -> None:
    found = explore(SHAPES["home"], 1)
    assert not found.violation, str(found)
    assert found.states > 5_000


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("shape", "faults"), [("home", 2), ("two spares", 1), ("mutual", 1)])
def test_the_nearest_forty_thousand_situations_break_no_promise(shape: str, faults: int) -> None:
    """``make explore`` goes on to the end."""
    found = explore(SHAPES[shape], faults, limit=40_000)
    assert not found.violation, str(found)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_without_a_proof_of_death_no_fault_breaks_a_promise_either() -> None:
    found = explore(SHAPES["home"], 1, proof=False)
    assert not found.violation, str(found)
