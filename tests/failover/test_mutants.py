"""The rules that ``make mutants`` breaks stand in the sources as its list has them."""

from __future__ import annotations

import mutate
import pytest

MUTANTS = mutate.read_mutants((mutate.HERE / "mutants.txt").read_text())


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_the_lines_of_a_rule_stand_exactly_once_in_its_file(mutant: mutate.Mutant) -> None:
    assert mutate.mutated(mutant)
