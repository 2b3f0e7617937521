"""The examples are run as their reader would run them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parent.parent / "examples"


def test_two_phones_talk_and_the_example_says_what_was_heard() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / "two_phones.py"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "1002 rings, 1001 calls" in done.stdout
    assert "loudest at 600 Hz" in done.stdout
    assert ", 0 lost" in done.stdout
