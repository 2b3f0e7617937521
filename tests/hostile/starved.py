"""A call manager whose system refuses it things: run as a program by test_starved.py.

``python starved.py KIND``: from its first line of output on, every file to open, socket to make,
address to bind and module to import (``system``), or every function of ours (``memory``), fails the
first time that it is wanted. Prints its addresses, and at the end of standard input what failed.
"""

from __future__ import annotations

import errno
import inspect
import sys
from types import FrameType
from typing import Any

import trio

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
EVENTS = {"open", "socket.__new__", "socket.bind", "import", "os.listdir", "os.scandir"}

RESUMED = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
"""What has its frame already when it goes on."""

failed: dict[tuple[str, str], None] = {}
armed = False


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Audit hook: what it raises is what the operation raises."""
    if not armed or event not in EVENTS:
        return
    key = event, "" if event.startswith("socket.__") else repr(arguments[:1])
    if event == "socket.bind":
        key = event, repr(arguments[1])
    if key not in failed:
        failed[key] = None
        raise OSError(errno.EMFILE, "refused by the test")


def starve(frame: FrameType, event: str, argument: object) -> None:
    """Profile function: as if there were no memory for the frame of a function."""
    if event != "call" or not armed:
        return
    code = frame.f_code
    if "/pa_telephony/" not in code.co_filename or code.co_flags & RESUMED:
        return
    key = code.co_filename.rpartition("pa_telephony/")[2], code.co_qualname
    if key in failed or sys.exc_info()[0] is not None:
        # Once each, and one trouble at a time: not while another one is dealt with.
        return
    failed[key] = None
    raise MemoryError(f"refused by the test in {code.co_qualname}")


async def main(kind: str) -> None:
    global armed
    async with open_call_manager(CONFIG, sccp_port=0, cti_port=0) as manager:
        print(manager.sccp_address, manager.cti_address, flush=True)
        armed = True
        if kind == "system":
            sys.addaudithook(refuse)
        async with trio.open_nursery() as nursery:
            if kind == "memory":
                nursery.start_soon(keep_starving)
            await trio.lowlevel.wait_readable(0)
            nursery.cancel_scope.cancel()
        armed = False
        sys.setprofile(None)
        print("still there", flush=True)
        for where, what in failed:
            print(where, what)


async def keep_starving() -> None:
    """A profile function that has raised is switched off."""
    while True:
        sys.setprofile(starve)
        await trio.lowlevel.checkpoint()
        await trio.sleep(0.001)


if __name__ == "__main__":
    import logging

    logging.basicConfig(level=logging.WARNING)
    trio.run(main, sys.argv[1])
