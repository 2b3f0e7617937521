"""What a takeover would load at its first registration is there before."""

from __future__ import annotations

import subprocess
import sys

from pa_telephony.failover.holder import PORT_CONFIG
from pa_telephony.failover.rehearsal import rehearse


def test_a_rehearsal_goes_through() -> None:
    assert rehearse(PORT_CONFIG)


_LATE = """
import sys
from pa_telephony.failover.holder import PORT_CONFIG
from pa_telephony.failover.rehearsal import rehearse
rehearse(PORT_CONFIG)
before = set(sys.modules)
import pa_telephony.sccp.client, pa_telephony.cti.route_point
print(sorted(each for each in set(sys.modules) - before if each.startswith("pa_telephony")))
"""


def test_nothing_is_left_to_be_imported() -> None:
    run = subprocess.run([sys.executable, "-c", _LATE], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
