"""What a takeover would load at its first registration is there before."""

from __future__ import annotations

import subprocess
import sys

from whole_house import a_manager, log_in

from pa_telephony import cti
from pa_telephony.failover.holder import PORT_CONFIG
from pa_telephony.failover.rehearsal import ANSWERS, REQUESTS, rehearse_media_port
from pa_telephony.trace import FrameRecord, Record


def test_a_rehearsal_goes_through() -> None:
    assert rehearse_media_port(PORT_CONFIG)


_LATE = """
import sys
from pa_telephony.failover.holder import PORT_CONFIG
from pa_telephony.failover.rehearsal import rehearse_media_port, rehearse_route_points
rehearse_media_port(PORT_CONFIG)
rehearse_route_points()
before = set(sys.modules)
import pa_telephony.sccp.station.client, pa_telephony.cti.client.route_point
print(sorted(each for each in set(sys.modules) - before if each.startswith("pa_telephony")))
"""


def test_nothing_is_left_to_be_imported() -> None:
    run = subprocess.run([sys.executable, "-c", _LATE], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


async def test_all_that_goes_to_and_fro_for_a_route_point_was_rehearsed() -> None:
    """Code for a message is made when it is first written or read, which takes some 1 ms each."""
    records: list[Record] = []
    async with (
        a_manager() as manager,
        log_in(manager, trace=records.append) as provider,
    ):
        await provider.wait_in_service()
        records.clear()
        # What comes after the answer to a close comes before the second answer to an open.
        for _ in range(2):
            async with provider.open_route_point("6000", device="RP1"):
                pass
        seen = {
            direction: {
                type(cti.messages.decode(each.data))
                for each in records
                if isinstance(each, FrameRecord) and each.direction == direction
            }
            for direction in ("sent", "received")
        }
    assert seen == {
        "sent": {type(each) for each in REQUESTS},
        "received": {type(each) for each in ANSWERS},
    }
