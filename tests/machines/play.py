"""Hundreds of seeded faults of several machines, in batches resumed where they were broken off.

python tests/machines/play.py [FAULTS] [--first SEED] [--only FAULT] [--call-managers 2]

Each episode is a line of ``.machines/faults.jsonl``; when the sources have changed since, it begins
anew. Exits 1 when a promise was broken; what was seen then is kept in ``.machines/SEED``.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import hashlib
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "shared"))
sys.path.insert(0, str(Path(__file__).parents[1] / "faults"))

from machinefaults import FAULTS, HARMLESS, MOMENTARY, group_of
from machinelab import CALL_MANAGERS, MachineLab, shape

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
KEPT = ROOT / ".machines"
EPISODES = 20
"""Faults after which the machines are made anew."""
_SHORTEST, _LONGEST = 1.0, 60.0
_MOMENT = 6.0
"""Seconds in which what ends by itself is over."""
_LONGEST_CUT = 20.0
_TWO_AT_ONCE = 0.3
_OTHERS = ("test_", "story", "figures")
"""How the names begin of what no episode depends on."""
_QUIET = 2.5
"""Seconds between two episodes: a server that has just started takes nothing from others."""


@dataclass
class Episode:
    """What was done with a seed, and what came of it."""

    seed: int
    faults: list[str]
    what: list[str] = field(default_factory=list[str])
    lasted: float = 0.0
    moved: int = 0
    """Devices that another server got."""
    home: float = 0.0
    """Seconds from the end of the fault until everything was at home."""
    answered: float = 0.0
    """Seconds from then until a call was answered."""
    calls: dict[str, int] = field(default_factory=dict[str, int])
    wrong: list[str] = field(default_factory=list[str])


def choose(seed: int, only: str | None = None) -> tuple[Episode, random.Random]:
    """What a seed does."""
    chance = random.Random(seed)
    first = only or chance.choice([name for group in FAULTS.values() for name in group])
    names = [first]
    if chance.random() < _TWO_AT_ONCE:
        others = [group for group in FAULTS if group != group_of(first)]
        names.append(chance.choice([*FAULTS[chance.choice(others)]]))
    return Episode(seed, names), chance


def play(lab: MachineLab, episode: Episode, chance: random.Random) -> None:
    """Do it, end it, and wait until all is well again."""
    longest = _LONGEST if any("paused" in each for each in episode.faults) else _LONGEST_CUT
    if {*episode.faults} <= {*MOMENTARY}:
        longest = _MOMENT
    lasts = _SHORTEST * (longest / _SHORTEST) ** chance.random()
    before, began = dict(lab.have), time.time()
    with contextlib.ExitStack() as ends:
        for name in episode.faults:
            make = FAULTS[group_of(name)][name]
            episode.what.append(ends.enter_context(make(lab, chance)))
            time.sleep(chance.uniform(0.0, 0.5))
        time.sleep(lasts)
    over = time.time()
    episode.lasted = round(over - began, 1)
    if not lab.home():
        episode.wrong.append(f"not everything came home: {_away(lab)}")
    episode.home = round(time.time() - over, 2)
    changes = [each for each in lab.observer.changes if each.time >= began]
    episode.moved = len(
        {each.device for each in changes if set(each.by) - set(before.get(each.device, ()))}
    )
    if episode.moved and set(episode.faults) <= set(HARMLESS):
        episode.wrong.append(f"{episode.moved} devices were moved")
    at_home = time.time()
    for home in lab.shape.homes:
        up = lab.answered(lab.shape.number(home), at_home, 30.0)
        episode.answered = max(episode.answered, round(up - at_home, 2))
        if not up:
            episode.wrong.append(f"{lab.shape.number(home)} is not answered")
    verdict = lab.verdict()
    episode.wrong += verdict.wrong
    ended = [each for each in lab.calls() if each.end >= began]
    episode.calls = dict(Counter(each.result for each in ended))


def _away(lab: MachineLab) -> str:
    return ", ".join(
        f"{device} at {' and '.join(lab.have.get(device, ())) or 'nobody'}"
        for home in lab.shape.homes
        for device in lab.shape.devices(home)
        if lab.have.get(device) != (home,)
    )


def play_batch(episodes: list[tuple[Episode, random.Random]], out: Path, managers: int) -> None:
    """Play some with the same machines, or up to the first that goes wrong."""
    with tempfile.TemporaryDirectory(prefix="machines-") as name:
        directory = Path(name)
        of = shape(managers=CALL_MANAGERS[:managers])
        with MachineLab(directory, episodes[0][0].seed, of) as lab:
            for home in lab.shape.homes:
                lab.callers(lab.shape.number(home), phones=3, talk=8.0)
            time.sleep(_QUIET)
            for episode, chance in episodes:
                try:
                    play(lab, episode, chance)
                except (AssertionError, OSError) as error:
                    episode.wrong.append(f"{type(error).__name__}: {error}")
                with out.open("a") as file:
                    file.write(json.dumps(dataclasses.asdict(episode)) + "\n")
                print(_told(episode), flush=True)
                if episode.wrong:
                    _keep(lab, episode)
                    return
                time.sleep(_QUIET)


def _told(episode: Episode) -> str:
    what = "; ".join(
        f"{fault}: {where}" for fault, where in zip(episode.faults, episode.what, strict=False)
    )
    calls = ", ".join(f"{number} {result}" for result, number in sorted(episode.calls.items()))
    told = f"{episode.seed}: {what}, {episode.lasted:.0f} s; moved {episode.moved}, at home after"
    told += f" {episode.home:.1f} s; calls: {calls}"
    return told + "".join(f"\n    WRONG: {each}" for each in episode.wrong)


def _keep(lab: MachineLab, episode: Episode) -> None:
    where = KEPT / str(episode.seed)
    shutil.rmtree(where, ignore_errors=True)
    shutil.copytree(
        lab.directory, where, ignore=shutil.ignore_patterns("etcd-??", "state*", "*.wav")
    )
    told = [f"{each.time:.3f} {each.what} {each.process}" for each in lab.faults]
    (where / "faults.txt").write_text("\n".join([*told, *episode.wrong]) + "\n")


def digest() -> str:
    """Of all sources that an episode depends on."""
    found = hashlib.sha256()
    for folder in (ROOT / "pa_telephony", HERE, ROOT / "tests" / "faults"):
        for path in sorted(folder.rglob("*.py")):
            if not path.name.startswith(_OTHERS):
                found.update(path.read_bytes())
    return found.hexdigest()[:16]


def recorded(out: Path) -> list[dict[str, Any]]:
    """The episodes of these very sources that were played before."""
    lines = out.read_text().splitlines() if out.exists() else []
    if lines and json.loads(lines[0]) == {"sources": digest()}:
        return [json.loads(line) for line in lines[1:]]
    out.parent.mkdir(exist_ok=True)
    if lines:
        out.rename(out.with_name(f"{out.stem}-{json.loads(lines[0])['sources']}.jsonl"))
    out.write_text(json.dumps({"sources": digest()}) + "\n")
    return []


def main() -> int:
    """Play what has not been played yet, and say what came of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faults", nargs="?", type=int, default=200)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--only")
    parser.add_argument("--call-managers", type=int, default=1)
    options = parser.parse_args()
    out = KEPT / "faults.jsonl"
    seeds = range(options.first, options.first + options.faults)
    while True:
        done = {each["seed"] for each in recorded(out)}
        batch = [choose(seed, options.only) for seed in seeds if seed not in done][:EPISODES]
        if not batch:
            break
        play_batch(batch, out, options.call_managers)
    found = [each for each in recorded(out) if each["seed"] in seeds]
    broken = [each["seed"] for each in found if each["wrong"]]
    alone: dict[str, list[dict[str, Any]]] = {}
    for each in found:
        alone.setdefault(" + ".join(sorted(each["faults"])), []).append(each)
    print("| fault | episodes | devices moved | s until at home: median | most |")
    print("| --- | --- | --- | --- | --- |")
    for name, those in sorted(alone.items(), key=lambda each: (" + " in each[0], -len(each[1]))):
        home = [each["home"] for each in those]
        told = f"{statistics.median(home):.1f} | {max(home):.1f}"
        moved = sum(each["moved"] for each in those)
        print(f"| {name} | {len(those)} | {moved} | {told} |")
    faults = sum(len(each["faults"]) for each in found)
    calls = sum((Counter(each["calls"]) for each in found), Counter[str]())
    print(f"{faults} faults in {len(found)} episodes; calls: {dict(calls)}")
    print(f"{len(broken)} episodes break a promise{': ' if broken else ''}{broken or ''}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
