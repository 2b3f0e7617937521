"""Many phones in a thread of a test that does something else: each has a call when it is told."""

from __future__ import annotations

import concurrent.futures
import contextlib
from collections.abc import Sequence
from typing import Self

import trio

from pa_telephony import rtp, sccp
from pa_telephony.errors import CallEnded

__all__ = ["Crowd"]

_PATIENCE = 90.0
"""Seconds that the machine may take for a call."""


class Crowd:
    """Phones that are registered while inside; leaving ends their calls.

    They live in a thread of their own, so that the test may wait for something else.
    """

    def __init__(self, call_manager: str, devices: Sequence[str], address: str) -> None:
        self._call_manager = call_manager
        self._devices = devices
        self._address = address
        self._registered: concurrent.futures.Future[trio.lowlevel.TrioToken] = (
            concurrent.futures.Future()
        )
        self._idle: list[sccp.Station] = []

    def __enter__(self) -> Self:
        self._thread = concurrent.futures.ThreadPoolExecutor(1)
        self._running = self._thread.submit(trio.run, self._live)
        concurrent.futures.wait(
            [self._running, self._registered], return_when=concurrent.futures.FIRST_COMPLETED
        )
        if not self._registered.done():
            self._running.result()
        return self

    def __exit__(self, *_: object) -> None:
        token = self._registered.result()
        trio.from_thread.run_sync(self._calls.cancel_scope.cancel, trio_token=token)
        self._running.result()
        self._thread.shutdown()

    def calls(self, number: str) -> str:
        """Have the next phone call; gives the number that talks with it, or what it hears else."""
        start, phone = self._calls.start, self._idle.pop(0)
        token = self._registered.result()
        said: str = trio.from_thread.run(start, self._call, phone, number, trio_token=token)
        return said

    async def _live(self) -> None:
        async with contextlib.AsyncExitStack() as stack:
            engine = await stack.enter_async_context(rtp.open_engine())
            for device in self._devices:
                opening = sccp.open_station(
                    device, self._call_manager, engine=engine, local_address=self._address
                )
                self._idle.append(await stack.enter_async_context(opening))
            async with trio.open_nursery() as self._calls:
                self._calls.start_soon(trio.sleep_forever)
                self._registered.set_result(trio.lowlevel.current_trio_token())

    async def _call(
        self, phone: sccp.Station, number: str, *, task_status: trio.TaskStatus[str]
    ) -> None:
        async with phone.call(number) as call:
            try:
                with trio.fail_after(_PATIENCE):
                    media = await call.wait_media()
                    while not media.port.stats.received:  # noqa: ASYNC110 - a packet tells nobody
                        await trio.sleep(0.02)
            except CallEnded:
                task_status.started(call.state.name.lower())
                return
            task_status.started(call.connected_to)
            await call.wait_ended()
