"""People who call all the time, and what became of each call."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import trio

from pa_telephony import sccp
from pa_telephony.errors import TelephonyError
from whole.clusters import CALL_MANAGER
from whole.engine import SilentEngine

__all__ = ["PATIENCE", "Call", "Callers"]

PATIENCE = 8.0
"""Seconds until a caller gives up who hears nothing but ringing."""


@dataclass
class Call:
    """One call, from the first digit to its end."""

    phone: str
    number: str
    began: float
    up: float | None = None
    at: str = ""
    """The number that answered."""
    server: str = ""
    """The server that had it then."""
    ended: float | None = None
    result: str = ""
    """``ok``: the caller hung up; ``dropped``: the other end did; ``failed``: never answered;
    ``nothing``: the phone itself had no call manager."""
    why: str = ""

    def __str__(self) -> str:
        until = f", up at {self.up:.3f} with {self.at}" if self.up is not None else ""
        return (
            f"{self.phone} calls {self.number} at {self.began:.3f}{until}: {self.result} {self.why}"
        )


class Callers:
    """Phones that call one number after the other, and extensions that answer."""

    def __init__(
        self,
        phones: list[str],
        numbers: list[str],
        extensions: list[str],
        whose: Callable[[str], str],
        address: str,
        chance: random.Random,
    ) -> None:
        self.calls: list[Call] = []
        self.over: deque[Call] = deque()
        """Those that have ended and were not judged yet."""
        self.busy = True
        """False: nobody begins a new call."""
        self._phones, self._numbers, self._extensions = phones, numbers, extensions
        self._whose = whose
        self._engine = SilentEngine(address)
        self._address = address
        self._chance = chance

    async def run(self, _process: object) -> None:
        """Call until cancelled."""
        async with trio.open_nursery() as nursery:
            for number in self._extensions:
                nursery.start_soon(self._answer, number)
            for number in self._phones:
                nursery.start_soon(self._call_all_the_time, number)

    def _station(self, number: str):
        return sccp.open_station(
            f"SEP{number}",
            f"{CALL_MANAGER}:2000",
            engine=self._engine,
            local_address=self._address,
        )

    async def _answer(self, number: str) -> None:
        async def pick_up(call: sccp.Call) -> None:
            async with call.answer():
                await call.wait_ended()

        while True:
            try:
                async with self._station(number) as station:
                    await station.serve(pick_up)
            except TelephonyError:
                await trio.sleep(1.0)

    async def _call_all_the_time(self, phone: str) -> None:
        while True:
            try:
                async with self._station(phone) as station:
                    while True:
                        await trio.sleep(self._chance.uniform(0.3, 2.5))
                        if self.busy and station.registered:
                            await self._call(station, phone)
            except TelephonyError:
                await trio.sleep(1.0)

    async def _call(self, station: sccp.Station, phone: str) -> None:
        chance = self._chance
        # A person has one call at a time; another's would wait with the call manager's own sound.
        taken = {call.number for call in self.calls if call.ended is None}
        free = [number for number in self._extensions if number not in taken]
        among = free if free and chance.random() < 0.1 else self._numbers
        call = Call(phone, chance.choice(among), trio.current_time())
        self.calls.append(call)
        length = chance.choice([0.2, 1.0, 3.0, 12.0])
        try:
            with trio.move_on_after(PATIENCE) as patience:
                async with station.call(call.number) as up:
                    await up.wait_media()
                    call.up, call.at = trio.current_time(), up.connected_to
                    call.server = self._whose(call.at)
                    patience.deadline = float("inf")
                    with trio.move_on_after(length) as talk:
                        await up.wait_ended()
                    if talk.cancelled_caught:
                        call.result = "ok"
                    else:
                        call.result, call.why = "dropped", f"cause {up.cause}"
            if patience.cancelled_caught:
                call.result, call.why = "failed", f"nobody answers for {PATIENCE} s"
        except TelephonyError as error:
            lost = not station.registered
            call.result = "nothing" if lost else "dropped" if call.up is not None else "failed"
            call.why = call.why or f"{type(error).__name__}: {error}"
        call.ended = trio.current_time()
        self.over.append(call)
