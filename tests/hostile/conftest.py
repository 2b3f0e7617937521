"""Prints what was measured, at the end of the run."""

from __future__ import annotations

import os
from typing import Any

from stage import ROWS, table


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not ROWS:
        return
    terminalreporter.section("what strangers cost the others")
    for line in table(ROWS):
        terminalreporter.write_line(line)
    terminalreporter.write_line(
        f"load average {' '.join(f'{each:.1f}' for each in os.getloadavg())}"
    )
