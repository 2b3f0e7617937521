"""A call manager whose system refuses it things: run as a program by test_starved.py.

``python starved.py KIND``: from its first line of output on, every file to open, socket to make,
address to bind and module to import (``system``), or every function of ours (``memory``), fails the
first time that it is wanted. Prints its addresses, and at the end of standard input what failed.
"""

from __future__ import annotations

import logging
import sys

import trio
from refusals import MEMORY, SYSTEM, Refusals

from pa_telephony.callmanager import (
    CallManagerConfig,
    DeviceConfig,
    LineConfig,
    User,
    open_call_manager,
)

NAMES = tuple(f"SEP00000000{number}" for number in (1001, 1002, 1003))
CONFIG = CallManagerConfig(
    devices=tuple(DeviceConfig(name=name, lines=(LineConfig(number=name[-4:]),)) for name in NAMES),
    users=(User(name="pa", password="secret"),),
)
failed: dict[tuple[str, str], None] = {}


def first_time(kind: str, what: str) -> bool:
    """Whether a step comes for the first time, when it is refused."""
    if (kind, what) in failed:
        return False
    failed[kind, what] = None
    return True


async def main(refusals: Refusals) -> None:
    async with open_call_manager(CONFIG, sccp_port=0, cti_port=0) as manager:
        print(manager.sccp_address, manager.cti_address, flush=True)
        with refusals.installed():
            refusals.arm()
            await trio.lowlevel.wait_readable(0)
        print("still there", flush=True)
        for where, what in failed:
            print(where, what)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    kinds = {"system": SYSTEM, "memory": frozenset({MEMORY}), "none": frozenset[str]()}
    some = Refusals(first_time, kinds[sys.argv[1]])
    trio.run(main, some, instruments=[some] if sys.argv[1] == "memory" else [])
