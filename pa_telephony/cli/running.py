"""What the commands that run until they are stopped have in common."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import trio

from pa_telephony.tasks import background
from pa_telephony.trace import JsonLinesTrace, PcapTrace, Trace

__all__ = ["open_trace", "run_until_stopped"]


def run_until_stopped(main: Callable[[], Awaitable[None]]) -> None:
    """Run ``main``; SIGTERM and SIGINT cancel it, so that it says goodbye to its peers.

    A second signal gets its ordinary effect, for whoever has no patience.
    """

    async def run() -> None:
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async with background() as tasks:

                async def stop() -> None:
                    async for number in signals:
                        signal.signal(number, signal.SIG_DFL)
                        tasks.cancel_scope.cancel()

                tasks.start_soon(stop)
                await main()

    trio.run(run)


@contextmanager
def open_trace(path: Path | None) -> Generator[Trace | None]:
    """A trace into a file: ``.pcap`` for Wireshark, anything else as JSON lines."""
    if path is None:
        yield None
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with (PcapTrace if path.suffix == ".pcap" else JsonLinesTrace)(path) as trace:
        yield trace
