"""Thousands of schedules of bad luck, in batches that are resumed where they were broken off.

python tests/failover/simulate.py [KIND=SCHEDULES ...] [--first SEED] [--processes N]

KIND is ``pure`` (the members without their I/O) or ``whole`` (servers, call manager and callers in
virtual time); ``--log whole=21`` plays one schedule and prints all of its log, ``--shrink pure=21``
one that breaks a promise with as few of its misfortunes as still break one. Each finished batch
is a line of ``.simulate/KIND.jsonl``; when a module that the schedules of its kind load has changed
since, it begins anew. Exits 1 when a schedule breaks a promise; its seed and the end of its log are
printed.
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
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pa_telephony

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PACKAGE = Path(pa_telephony.__file__).parent
BATCH = 50

KINDS = {"pure": "schedules", "whole": "whole.play"}
"""The module that plays a kind: its ``play(seed)`` gives an object that has ``violations``,
``log``, ``seconds`` (virtual ones) and ``counts``, a dictionary of what has happened."""


def digest(kind: str) -> str:
    """Of all sources that the schedules of a kind depend on: what playing one of them loads."""
    played_once(kind, 0)
    found = hashlib.sha256()
    names = {getattr(module, "__file__", None) or "" for module in list(sys.modules.values())}
    for path in sorted(Path(name) for name in names):
        ours = path.is_relative_to(ROOT) or path.is_relative_to(PACKAGE)
        if ours and ".venv" not in path.parts and path != Path(__file__):
            found.update(path.read_bytes())
    return found.hexdigest()[:16]


def played_once(kind: str, seed: int) -> Any:
    """The schedule of that number."""
    return importlib.import_module(KINDS[kind]).play(seed)


def shrunk(kind: str, seed: int) -> Any:
    """The schedule with no misfortune more than it takes to break a promise."""
    play = importlib.import_module(KINDS[kind]).play
    played = play(seed)
    without: set[int] = set()
    left = list(range(played.misfortunes)) if played.violations else []
    size = len(left)
    while size:
        for at in range(0, len(left), size):
            fewer = without.union(left[at : at + size])
            tried = play(seed, fewer)
            if tried.violations:
                played, without = tried, fewer
        left = [number for number in left if number not in without]
        size = min(size // 2, len(left))
    print(f"{len(left)} misfortunes are left: {left}")
    return played


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
        try:
            played = play(seed)
        except Exception:  # noqa: BLE001 - a schedule that ends so is broken, too
            broken[str(seed)] = traceback.format_exc().splitlines()
            continue
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
    with multiprocessing.Pool(1) as pool:
        # What is loaded for one kind is not loaded for the next.
        version = pool.apply(digest, (kind,))
    done = recorded(path, version)
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
    parser.add_argument("--shrink", metavar="pure=SEED", help="the same with fewer misfortunes")
    chosen = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":
        # What is in a set comes in the order of its hashes: the same in every run, too.
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, *sys.argv])
    os.nice(10)
    good = True
    one = chosen.shrink or chosen.log
    for text in [one] if one else chosen.kinds:
        kind, _, number = text.partition("=")
        if kind not in KINDS or not number.isdecimal():
            parser.error(f"{text} is none of {', '.join(KINDS)} with a number")
        if one:
            play = shrunk if chosen.shrink else played_once
            played = play(kind, int(number))
            print("\n".join([*played.log, *played.violations]))
            good &= not played.violations
        else:
            good &= simulate(kind, chosen.first, int(number), chosen.processes)
    sys.exit(not good)


if __name__ == "__main__":
    main()
