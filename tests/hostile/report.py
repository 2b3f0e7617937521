"""``python tests/hostile/report.py [POINT ...]``: every clause with its tests, and the figures.

Runs the tests of clauses.py, the long ones too, and says of each clause whether they passed;
conftest.py prints what the scenarios measured. With points, those clauses only. ``make hostile``.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from clauses import CLAUSES, Clause


class Report:
    """A plugin that keeps how each test ended."""

    def __init__(self, clauses: Sequence[Clause]) -> None:
        self._clauses = clauses
        self._ended: dict[str, Counter[str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            # The same test with other parameters is the same test here.
            name = report.nodeid.partition("[")[0].removeprefix("tests/")
            self._ended.setdefault(name, Counter())[report.outcome] += 1

    @pytest.hookimpl(tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        terminalreporter.section("clause by clause")
        for clause in self._clauses:
            ended: Counter[str] = Counter()
            for name, how in self._ended.items():
                if any(name == each or name.partition("::")[0] == each for each in clause.tests):
                    ended += how
            said = ", ".join(f"{many} {how}" for how, many in sorted(ended.items())) or "not run"
            terminalreporter.write_line(f"{clause.point:>4}  {clause.text}: {said}")


def main(points: Sequence[str]) -> int:
    clauses = [each for each in CLAUSES if not points or each.point in points]
    tests = dict.fromkeys(f"tests/{name}" for clause in clauses for name in clause.tests)
    begun = time.monotonic()
    # What one clause names as a file and another by a name is run once.
    whole = {name for name in tests if "::" not in name}
    wanted = [name for name in tests if name in whole or name.partition("::")[0] not in whole]
    # The scenarios together, and last: one call manager serves most of them.
    wanted.sort(key=lambda name: "test_scenarios" in name)
    status = pytest.main(["-q", "-m", "long or not long", *wanted], plugins=[Report(clauses)])
    print(f"{time.monotonic() - begun:.0f} s")
    return int(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
