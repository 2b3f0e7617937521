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
def test_no_two_faults_break_a_promise_or_keep_anything_from_coming_home() -> None:
    found = explore(SHAPES["home"], 2)
    print(found)
    assert not found.violation, str(found)
    assert found.states > 100_000


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("shape", ["two spares", "mutual"])
def test_no_fault_breaks_a_promise_among_two_spares_or_two_that_stand_in_for_each_other(
    shape: str,
) -> None:
    found = explore(SHAPES[shape], 1)
    print(found)
    assert not found.violation, str(found)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_without_a_proof_of_death_no_fault_breaks_a_promise_either() -> None:
    found = explore(SHAPES["home"], 1, proof=False)
    assert not found.violation, str(found)
