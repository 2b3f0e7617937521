"""Thousands of schedules of bad luck, in batches that are resumed where they were broken off.

python tests/failover/simulate.py [KIND=SCHEDULES ...] [--first SEED] [--processes N]

KIND is ``pure`` (the members without their I/O) or ``whole`` (servers, call manager and callers in
virtual time); ``--log whole=21`` plays one schedule and prints all of its log. Each finished batch
is a line of ``.simulate/KIND.jsonl``; when the sources have changed since, it begins anew. Exits 1
when a schedule breaks a promise; its seed and the end of its log are printed.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import importlib
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
BATCH = 50

KINDS = {"pure": "schedules", "whole": "whole.play"}
"""The module that plays a kind: its ``play(seed)`` gives an object that has ``violations``,
``log``, ``seconds`` (virtual ones) and ``counts``, a dictionary of what has happened."""


def digest() -> str:
    """Of all sources that a schedule depends on."""
    found = hashlib.sha256()
    for folder in (ROOT / "pa_telephony", HERE):
        for path in sorted(folder.rglob("*.py")):
            found.update(path.read_bytes())
    return found.hexdigest()[:16]


def play_batch(job: tuple[str, int, int]) -> dict[str, Any]:
    """Play some schedules of one kind; what became of them."""
    kind, first, count = job
    # Of what a schedule leaves the collector finds nothing, and it looks for it all the time.
    gc.set_threshold(100_000)
    play = importlib.import_module(KINDS[kind]).play
    began = time.process_time()
    virtual = 0.0
    counts: dict[str, int] = {}
    broken: dict[str, list[str]] = {}
    for seed in range(first, first + count):
        played = play(seed)
        virtual += played.seconds
        for name, number in played.counts.items():
            counts[name] = counts.get(name, 0) + number
        if played.violations:
            broken[str(seed)] = [*played.violations[:5], *played.log[-40:]]
    return {
        "first": first,
        "count": count,
        "virtual": round(virtual, 1),
        "cpu": round(time.process_time() - began, 2),
        "counts": counts,
        "broken": broken,
    }


def recorded(path: Path, version: str) -> list[dict[str, Any]]:
    """The batches that are done already, by these very sources; the file stands ready for more."""
    lines = path.read_text().splitlines() if path.exists() else []
    if lines and json.loads(lines[0]) == {"sources": version}:
        return [json.loads(line) for line in lines[1:]]
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"sources": version}) + "\n")
    return []


def missing(done: list[dict[str, Any]], first: int, total: int) -> Iterator[tuple[int, int]]:
    """Batches that are not done yet: first seed, number of schedules."""
    seeds = {seed for each in done for seed in range(each["first"], each["first"] + each["count"])}
    rest = [seed for seed in range(first, first + total) if seed not in seeds]
    while rest:
        count = 1
        while count < min(BATCH, len(rest)) and rest[count] == rest[0] + count:
            count += 1
        yield rest[0], count
        rest = rest[count:]


def simulate(kind: str, first: int, total: int, processes: int) -> bool:
    """Play what is missing of ``total`` schedules and print the result; whether all are good."""
    path = ROOT / ".simulate" / f"{kind}.jsonl"
    done = recorded(path, digest())
    jobs = [(kind, *batch) for batch in missing(done, first, total)]
    began = time.monotonic()
    if jobs:
        print(f"{kind}: {sum(count for _, _, count in jobs)} of {total} schedules to play")
        with multiprocessing.Pool(processes) as pool, path.open("a") as file:
            for number, result in enumerate(pool.imap_unordered(play_batch, jobs), 1):
                done.append(result)
                print(json.dumps(result), file=file, flush=True)
                for seed, log in result["broken"].items():
                    print(f"seed {seed}:\n  " + "\n  ".join(log))
                if number % 20 == 0:
                    rate = result["virtual"] / max(result["cpu"], 0.01)
                    print(f"  {number} of {len(jobs)} batches, {rate:.0f} s/s", flush=True)
    asked = [each for each in done if first <= each["first"] < first + total]
    virtual, cpu = (sum(each[what] for each in asked) for what in ("virtual", "cpu"))
    counts: dict[str, int] = {}
    for each in asked:
        for name, number in each["counts"].items():
            counts[name] = counts.get(name, 0) + number
    broken = [seed for each in asked for seed in each["broken"]]
    print(
        f"{kind}: {sum(each['count'] for each in asked)} schedules, {len(broken)} break a promise"
        f" ({time.monotonic() - began:.0f} s); {virtual:.0f} virtual seconds in {cpu:.0f} s of"
        f" processor time: {virtual / max(cpu, 0.01):.0f} a second and core"
    )
    print("  " + ", ".join(f"{number} {name}" for name, number in sorted(counts.items())))
    if broken:
        print(f"  seeds: {' '.join(broken)}")
    return not broken


def main() -> None:
    """Read the command line; see the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "kinds", nargs="*", default=["pure=20000", "whole=2000"], metavar="KIND=SCHEDULES"
    )
    parser.add_argument("--first", type=int, default=0, help="the first schedule's seed")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--log", metavar="KIND=SEED", help="play one schedule, print its log")
    chosen = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":
        # What is in a set comes in the order of its hashes: the same in every run, too.
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, *sys.argv])
    os.nice(10)
    good = True
    for text in [chosen.log] if chosen.log else chosen.kinds:
        kind, _, number = text.partition("=")
        if kind not in KINDS or not number.isdecimal():
            parser.error(f"{text} is none of {', '.join(KINDS)} with a number")
        if chosen.log:
            played = importlib.import_module(KINDS[kind]).play(int(number))
            print("\n".join([*played.log, *played.violations]))
            good &= not played.violations
        else:
            good &= simulate(kind, chosen.first, int(number), chosen.processes)
    sys.exit(not good)


if __name__ == "__main__":
    main()
