"""The tests that are named clause by clause are there, and no scenario is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from clauses import CLAUSES

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.text)
def test_each_named_test_is_there(clause: object) -> None:
    for name in clause.tests:  # type: ignore[attr-defined]
        file, _, test = name.partition("::")
        text = (TESTS / file).read_text()
        assert not test or re.search(rf"def {test}\(", text), name


def test_every_point_has_a_clause_and_every_scenario_belongs_to_one() -> None:
    assert {clause.point for clause in CLAUSES} == {*map(str, range(1, 13)), "all"}
    named = {name.partition("::")[2] for clause in CLAUSES for name in clause.tests}
    text = (TESTS / "hostile" / "test_scenarios.py").read_text()
    assert set(re.findall(r"^def (test_\w+)", text, re.MULTILINE)) <= named
