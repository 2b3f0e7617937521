"""Phones that call numbers again and again; one line for each call.

python callers.py calls.jsonl CALL_MANAGER[,CALL_MANAGER] ADDRESS FIRST PHONES TALK NUMBER …

{"dialled": …, "number": "6000", "up": …, "at": "6001", "end": …, "result": "hung up"}
``result`` is what ended it: "hung up" by the phone, "dropped" by the other side, or "refused",
and then ``why``. TALK is how long a phone talks, in the mean; 0 hangs up at once. CALL_MANAGER may
be several, with commas between.
"""

from __future__ import annotations

import json
import random
import sys
import time
from typing import Any, TextIO

import trio

from pa_telephony import rtp, sccp
from pa_telephony.errors import TelephonyError

PATIENCE = 8.0


async def call(station: sccp.Station, number: str, talk: float, out: TextIO) -> None:
    """One call, from dialling to its end, whatever ends it."""
    told: dict[str, Any] = {"dialled": time.time(), "number": number, "result": "refused"}
    try:
        with trio.move_on_after(PATIENCE) as patience:
            async with station.call(number) as leg:
                await leg.wait_media()
                patience.deadline = float("inf")
                told |= {"up": time.time(), "at": leg.connected_to, "result": "dropped"}
                with trio.move_on_after(talk) as over:
                    await leg.wait_ended()
                if over.cancelled_caught:
                    told["result"] = "hung up"
        if patience.cancelled_caught:
            told["why"] = f"no answer within {PATIENCE:.0f} s"
    except TelephonyError as error:
        told["why"] = f"{type(error).__name__} {error}"
    finally:
        out.write(json.dumps(told | {"end": time.time()}) + "\n")


async def phone(
    name: str,
    where: tuple[list[str], str],
    engine: rtp.Engine,
    talk: float,
    numbers: list[str],
    out: TextIO,
) -> None:
    chance = random.Random(name)
    managers, address = where
    while True:
        try:
            async with sccp.open_station(
                name, managers, engine=engine, local_address=address
            ) as station:
                while True:
                    length = chance.expovariate(1 / talk) if talk else 0.0
                    await call(station, chance.choice(numbers), length, out)
                    await trio.sleep(chance.uniform(0.02, 0.3))
        except TelephonyError:
            await trio.sleep(0.2)


async def main(
    out: TextIO,
    managers: list[str],
    address: str,
    first: int,
    phones: int,
    talk: float,
    numbers: list[str],
) -> None:
    where = managers, address
    async with (
        rtp.open_engine(address=address, first_port=40000 + 2 * first) as engine,
        trio.open_nursery() as nursery,
    ):
        print("up", flush=True)
        for number in range(first, first + phones):
            nursery.start_soon(phone, f"SEP{number:012d}", where, engine, talk, numbers, out)


if __name__ == "__main__":
    file, managers, address, first, phones, talk, *numbers = sys.argv[1:]
    with open(file, "a", buffering=1) as out:
        where = managers.split(","), address
        trio.run(main, out, *where, int(first), int(phones), float(talk), numbers)
