"""An application that is refused descriptors, sockets and modules goes on, and so do its calls."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from loopback import HOST

PROGRAM = Path(__file__).parent / "starved_client.py"


def test_every_socket_bind_and_import_of_an_application_fails_and_it_goes_on() -> None:
    """Its handlers are those of the README: they know nothing of want."""
    done = subprocess.run(
        [sys.executable, str(PROGRAM), HOST],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    rounds, _, refused = done.stdout.partition("still there\n")
    assert rounds.splitlines()[-3:] == ["worked"] * 3
    kinds = {line.partition(" ")[0] for line in refused.splitlines()}
    assert kinds >= {"socket.__new__", "socket.bind"}
    # Said where people look, for the calls that had no sound.
    assert "ends: no media port for the call" in done.stderr
