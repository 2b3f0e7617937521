"""The examples are run as their reader would run them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import trio

from pa_telephony import callmanager, sccp

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


ROUTING = """
[search_spaces]
all = [""]

[[user]]
name = "app"
password = "secret"

[[device]]
name = "RP1"
kind = "route point"
lines = [{ number = "6000" }]

[[device]]
name = "P1"
lines = [{ number = "1001" }]

[[device]]
name = "P2"
lines = [{ number = "2001" }]
"""


async def test_the_route_point_example_routes_each_caller_to_its_agent(tmp_path: Path) -> None:
    file = tmp_path / "callmanager.toml"
    file.write_text(ROUTING)
    config = callmanager.load(file)
    async with (
        callmanager.open_call_manager(config, sccp_port=0, cti_port=0) as manager,
        sccp.open_station("P1", manager.sccp_address) as caller,
        sccp.open_station("P2", manager.sccp_address),
    ):
        process = await trio.lowlevel.open_process(
            [sys.executable, "-W", "error", EXAMPLES / "route_point.py", manager.cti_address],
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        try:
            with trio.fail_after(20):
                assert await process.stdout.receive_some() == b"6000 is in service\n"
                async with caller.call("6000"):
                    assert await process.stdout.receive_some() == b"1001 goes to 2001\n"
        finally:
            process.terminate()
            with trio.CancelScope(shield=True):
                await process.wait()
                await process.stdout.aclose()
