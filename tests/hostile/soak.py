"""A soak: phones and applications call for minutes while everything hostile happens to the server.

``python tests/hostile/soak.py [--minutes 20] [--phones 200] [--applications 50]``; ``make soak``.

The server is a ``pa-telephony callmanager`` of its own, with a trace. Phones (our stations) call
each other, hold, transfer, let it ring or refuse; applications log in, open a line, call and leave.
About four times a second something goes wrong: connections are cut in the middle of a call, peers
send half a message, garbage or nothing, guess passwords, want other phones' names, flood, do not
read; the disk of the trace is full for a moment, the process gets no descriptors. Every minute a
line says what there was; at the end the load goes, and what is left is compared with before.

Exit status 0: the server never went away, the quiet phone and the quiet application were served,
memory did not grow after the warm-up (a quarter of the time) by more than its own noise, and
tasks, descriptors and memory of sessions are back. Otherwise 1, and the reasons.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import functools
import os
import random
import resource
import signal
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import trio
from stage import APPLICATIONS, FIRST, Stage, device_name, number_of
from strangers import (
    CROWD,
    INIT,
    KEEP_ALIVE,
    LONG_CTI,
    SILENCE,
    Application,
    ask_for_name,
    ask_for_token,
    asked_to_register,
    connected,
    crowd,
    frames,
    guess,
    requests,
    reset,
    say,
)

from pa_telephony import cti, rtp, sccp
from pa_telephony.cti import messages as cti_messages
from pa_telephony.errors import TelephonyError
from pa_telephony.sccp import messages

EVERY = 0.25
"""Seconds between two faults, on the average."""
WARM_UP = 0.25
"""Part of the time that is not judged."""
GROWTH = 0.03
"""How much larger the memory may be at the end than after the warm-up, on the fitted line."""
SILENT = 40
"""Silent peers at once; then the oldest goes."""
STATION = sccp.StationConfig(first_back_off=0.5, longest_back_off=5.0, stand_by=False)


class Soak:
    """What happens, and how often."""

    def __init__(self, stage: Stage, phones: int, applications: int, seed: int) -> None:
        self.stage = stage
        self.dice = random.Random(seed)
        self.phones = range(FIRST, FIRST + phones)
        self.raw = range(FIRST + phones, FIRST + phones + 50)
        """Phones that are scripted, to be cut."""
        self.applications = applications
        self.calls = 0
        self.failed: collections.Counter[str] = collections.Counter()
        self.faults: collections.Counter[str] = collections.Counter()
        self._silent: collections.deque[socket.socket] = collections.deque()
        self._bothering = False

    async def phone(self, index: int, engine: rtp.Engine) -> None:
        """One phone that calls and is called."""
        dice = random.Random(self.dice.random())
        while True:
            with trio.CancelScope() as day:
                day.deadline = trio.current_time() + dice.uniform(60, 600)
                try:
                    async with (
                        sccp.open_station(
                            device_name(index), self.stage.sccp, config=STATION, engine=engine
                        ) as station,
                        trio.open_nursery() as nursery,
                    ):
                        nursery.start_soon(station.serve, functools.partial(self._answer, dice))
                        while True:
                            await trio.sleep(dice.uniform(5, 25))
                            await self._call(station, dice)
                except* TelephonyError as errors:
                    self.failed[type(errors.exceptions[0]).__name__] += 1
                    await trio.sleep(1.0)

    async def _answer(self, dice: random.Random, call: sccp.Call) -> None:
        await trio.sleep(dice.uniform(0.0, 1.0))
        if dice.random() < 0.85:
            async with call.answer():
                await call.wait_ended()

    async def _call(self, station: sccp.Station, dice: random.Random) -> None:
        number = number_of(dice.choice(self.phones))
        try:
            with trio.move_on_after(20.0):
                async with station.call(number) as call:
                    await call.wait_connected()
                    self.calls += 1
                    await trio.sleep(dice.uniform(0.1, 4.0))
                    match dice.randrange(6):
                        case 0:
                            await call.hold()
                            await trio.sleep(dice.uniform(0.1, 2.0))
                            await call.resume()
                        case 1:
                            await call.transfer(number_of(dice.choice(self.phones)))
                        case 2:
                            await call.park()
                        case _:
                            pass
        except TelephonyError as error:
            self.failed[type(error).__name__] += 1

    async def application(self, index: int) -> None:
        """One application with a line of a phone."""
        dice = random.Random(self.dice.random())
        user = APPLICATIONS[index % len(APPLICATIONS)]
        while True:
            with trio.CancelScope() as day:
                day.deadline = trio.current_time() + dice.uniform(20, 200)
                try:
                    async with (
                        cti.open_provider(self.stage.cti, user=user, password="secret") as provider,
                        provider.open_address(number_of(dice.choice(self.phones))) as address,
                    ):
                        while True:
                            await trio.sleep(dice.uniform(5, 30))
                            with trio.move_on_after(15.0):
                                async with address.call(
                                    number_of(dice.choice(self.phones))
                                ) as call:
                                    await call.wait_connected()
                                    self.calls += 1
                                    await trio.sleep(dice.uniform(0.1, 3.0))
                except* TelephonyError as errors:
                    self.failed[type(errors.exceptions[0]).__name__] += 1
                    await trio.sleep(1.0)

    async def trouble(self) -> None:
        """Something goes wrong, again and again."""
        async with trio.open_nursery() as nursery:
            while True:
                await trio.sleep(self.dice.expovariate(1 / EVERY))
                fault = self.dice.choice(self.all_faults())
                nursery.start_soon(self._one, fault)

    async def _one(self, fault: Callable[[], None]) -> None:
        try:
            await trio.to_thread.run_sync(fault, abandon_on_cancel=True)
        except OSError as error:
            # Whoever is hostile may be refused.
            self.faults[f"{fault.__name__}, refused: {type(error).__name__}"] += 1
        else:
            self.faults[fault.__name__] += 1

    def all_faults(self) -> list[Callable[[], None]]:
        return [
            self.cut_in_a_call,
            self.cut_in_a_call,
            self.half_a_message,
            self.silent_peer,
            self.garbage,
            self.garbage,
            self.wrong_password,
            self.mebibyte,
            self.another_s_name,
            self.flood,
            self.application_cut_in_a_call,
            self.application_does_not_read,
            self.strangers_come_and_go,
            self.tokens,
            self.forged_sound,
            self.disk_full,
            self.no_descriptors,
        ]

    def cut_in_a_call(self) -> None:
        """A phone registers, calls, and is gone."""
        with connected(self.stage.address, self._somewhere()) as stream:
            stream.sendall(ask_for_name(device_name(self.dice.choice(self.raw))))
            number = number_of(self.dice.choice(self.phones))
            stream.sendall(frames(messages.EnblocCall(called_party=number, line_instance=1)))
            time.sleep(self.dice.uniform(0.0, 3.0))
            reset(stream)

    def half_a_message(self) -> None:
        address, data = self._something()
        with connected(address, self._somewhere()) as stream:
            say(stream, data[: self.dice.randrange(1, len(data))])
            time.sleep(self.dice.uniform(0.0, 5.0))

    def silent_peer(self) -> None:
        self._silent.append(connected(self._something()[0], self._somewhere()))
        if len(self._silent) > SILENT:
            self._silent.popleft().close()

    def garbage(self) -> None:
        address, _ = self._something()
        with connected(address, self._somewhere()) as stream:
            say(stream, self.dice.randbytes(self.dice.randrange(1, 3000)))
            time.sleep(0.1)

    def wrong_password(self) -> None:
        guess(self.stage.cti_address, APPLICATIONS[0], "wrong", self._somewhere())

    def mebibyte(self) -> None:
        with connected(self.stage.cti_address, self._somewhere()) as stream:
            say(stream, LONG_CTI)
            time.sleep(0.2)

    def another_s_name(self) -> None:
        for _ in range(5):
            asked_to_register(self.stage.address, self.dice.choice(self.phones), self._somewhere())

    def flood(self) -> None:
        with connected(self.stage.address, self._somewhere()) as stream:
            stream.sendall(ask_for_name(device_name(self.dice.choice(self.raw))))
            say(stream, KEEP_ALIVE * 5000)
            time.sleep(0.5)

    def application_cut_in_a_call(self) -> None:
        application = Application(self.stage.cti_address, self.dice.choice(APPLICATIONS))
        index = self.dice.choice(self.phones)
        opened = application.ask(
            cti_messages.LineOpenRequest(
                device_name=device_name(index), line_name=number_of(index)
            ),
            cti_messages.LineOpenResponse,
        )
        number = number_of(self.dice.choice(self.phones))
        call = cti_messages.LineCallInitiateRequest(line_id=opened.line_id, dest_address=number)
        application.stream.sendall(requests(call))
        time.sleep(self.dice.uniform(0.0, 2.0))
        reset(application.stream)

    def application_does_not_read(self) -> None:
        application = Application(self.stage.cti_address, self.dice.choice(APPLICATIONS))
        with application.stream as stream:
            say(stream, requests(cti_messages.ProviderGetAllDevicesAndLinesRequest()) * 200)
            time.sleep(1.0)

    def strangers_come_and_go(self) -> None:
        with crowd(self.stage.address, 50, KEEP_ALIVE, CROWD):
            time.sleep(0.2)

    def tokens(self) -> None:
        with connected(self.stage.address, self._somewhere()) as stream:
            say(stream, ask_for_token(device_name(self.dice.choice(self.phones))) * 5)
            time.sleep(0.2)

    def forged_sound(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as forger:
            for port in range(24576, 24676):
                forger.sendto(SILENCE[:40], ("127.0.0.1", port))

    def disk_full(self) -> None:
        self._bother(resource.RLIMIT_FSIZE, 0, 1.0)

    def no_descriptors(self) -> None:
        self._bother(resource.RLIMIT_NOFILE, self.stage.descriptors(), 0.2)

    def _bother(self, what: int, soft: int, seconds: float) -> None:
        if self._bothering:
            return
        self._bothering = True
        try:
            self.stage.allow(what, soft)
            time.sleep(seconds)
        finally:
            self.stage.allow(what, -1)
            self._bothering = False

    def _something(self) -> tuple[tuple[str, int], bytes]:
        if self.dice.random() < 0.5:
            return self.stage.address, ask_for_name(device_name(self.dice.choice(self.raw)))
        return self.stage.cti_address, INIT

    def _somewhere(self) -> str:
        return f"127.0.{self.dice.randrange(3, 6)}.{self.dice.randrange(1, 250)}"

    def close(self) -> None:
        """The silent peers leave."""
        while self._silent:
            self._silent.popleft().close()


def felt(told: dict[str, dict[str, list[float]]], name: str) -> str:
    waits = sorted(told[name]["waits"]) or [float("nan")]
    lost = f" ({len(told[name]['wrong'])} lost)" if told[name]["wrong"] else ""
    return f"{waits[len(waits) // 2] * 1000:6.1f} /{waits[-1] * 1000:6.0f}{lost}"


def growth(memory: Sequence[float]) -> tuple[float, float]:
    """MiB an hour by the fitted line, and how much of the memory that is over the whole time."""
    slope, _ = statistics.linear_regression(range(len(memory)), memory)
    return slope * 60, slope * (len(memory) - 1) / statistics.mean(memory)


async def main(stage: Stage, minutes: float, phones: int, applications: int, seed: int) -> bool:
    before = stage.memory(), stage.descriptors(), stage.tasks()
    print(f"before: {before[0]:.0f} MiB, {before[1]} descriptors, {before[2]} tasks")
    print(
        f"{'minute':>6}{'calls':>8}{'faults':>8}{'MiB':>8}{'descriptors':>13}{'tasks':>7}"
        f"{'phone, ms':>18}{'application, ms':>18}{'load':>6}",
        flush=True,
    )
    soak = Soak(stage, phones, applications, seed)
    memory: list[float] = []
    wrong: list[str] = []
    async with (
        rtp.open_engine(address="127.0.0.1", first_port=42000) as engine,
        trio.open_nursery() as nursery,
    ):
        for index in soak.phones:
            nursery.start_soon(soak.phone, index, engine)
        for index in range(applications):
            nursery.start_soon(soak.application, index)
        nursery.start_soon(soak.trouble)
        stage.ask_quiet()
        begun = trio.current_time()
        while trio.current_time() < begun + minutes * 60:
            await trio.sleep_until(begun + (len(memory) + 1) * 60)
            told = await trio.to_thread.run_sync(stage.ask_quiet)
            if not stage.is_there():
                wrong.append(f"the server ended: {stage.process.returncode}")
                break
            memory.append(stage.memory())
            tasks = await trio.to_thread.run_sync(stage.tasks)
            print(
                f"{len(memory):6}{soak.calls:8}{soak.faults.total():8}{memory[-1]:8.1f}"
                f"{stage.descriptors():13}{tasks:7}{felt(told, 'phone'):>18}"
                f"{felt(told, 'application'):>18}{os.getloadavg()[0]:6.1f}",
                flush=True,
            )
            for name in ("phone", "application"):
                for text, many in collections.Counter(told[name]["wrong"]).most_common(3):
                    print(f"{'':6}the quiet {name}, {many} times: {text}", flush=True)
                if not told[name]["waits"]:
                    wrong.append(f"minute {len(memory)}: the quiet {name} was not served")
        nursery.cancel_scope.cancel()
    soak.close()
    print("faults:", ", ".join(f"{name} {many}" for name, many in soak.faults.most_common()))
    print("ends that callers met:", dict(soak.failed.most_common()))
    if stage.is_there():
        wrong += await trio.to_thread.run_sync(judge, stage, before, memory)
    print("; ".join(wrong) or "flat, and everything came back")
    return not wrong


def judge(stage: Stage, before: tuple[float, int, int], memory: list[float]) -> list[str]:
    """What is not as it was."""
    wrong: list[str] = []
    judged = memory[int(len(memory) * WARM_UP) :]
    if len(judged) >= 3:
        an_hour, part = growth(judged)
        print(f"memory after the warm-up: {an_hour:+.1f} MiB an hour, {part:+.1%} over the time")
        if part > GROWTH:
            wrong.append(f"memory grows by {an_hour:.1f} MiB an hour")
    try:
        stage.until(lambda: stage.descriptors() <= before[1] + 6, "descriptors come back")
        stage.until(lambda: stage.tasks() <= before[2] + 12, "tasks come back")
        stage.check_served()
    except AssertionError as error:
        wrong.append(str(error))
    print(
        f"after: {stage.memory():.0f} MiB, {stage.descriptors()} descriptors, {stage.tasks()} tasks"
    )
    bugs = stage.log.count("internal error")
    print(f"internal errors in the log: {bugs}")
    if bugs:
        wrong.append(f"{bugs} internal errors; the log is {stage.log_file}")
    return wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--phones", type=int, default=200)
    parser.add_argument("--applications", type=int, default=50)
    parser.add_argument("--seed", type=int, default=14)
    parser.add_argument("--directory", type=Path, help="where log and trace are kept")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.ExitStack() as stack:
        where = options.directory or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        where.mkdir(parents=True, exist_ok=True)
        stage = stack.enter_context(Stage(where, "--trace", str(where / "trace.pcap")))
        run = functools.partial(
            main, stage, options.minutes, options.phones, options.applications, options.seed
        )
        sys.exit(0 if trio.run(run) else 1)
