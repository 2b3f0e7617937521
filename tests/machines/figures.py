"""How long several machines take, beside the floor: a bare compare-and-swap in the same store.

python tests/machines/figures.py [--runs 5] [--delay MS] [--only WORDS]

PA1 on one machine owns 41 identities (36 media ports, 4 interceptors, a route point), PA2 on
another one stands in. Time counts from the fault to what the call manager sees. Needs root.
"""

from __future__ import annotations

import argparse
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "shared"))
sys.path.insert(0, str(Path(__file__).parents[1] / "faults"))

from machinejudge import CUTS
from machinelab import CALL_MANAGERS, STORE, MachineLab, shape

OWNER, TAKER = "PA1", "PA2"
MACHINE = 31
EVERYTHING, FROM_CALL_MANAGERS = CUTS
_QUIET = 3.0


class Figures:
    """The rows of the table."""

    def __init__(self, lab: MachineLab, runs: int, only: str = "") -> None:
        self.lab = lab
        self.runs = runs
        self.only = only
        self.devices = lab.shape.devices(OWNER)

    def say(self, what: str, seconds: Sequence[float], goal: str) -> None:
        """Print a row."""
        if seconds:
            median, worst = statistics.median(seconds), max(seconds)
            figures = f"{median:.3f} s | {min(seconds):.3f} s | {worst:.3f} s"
        else:
            figures = "- | - | -"
        print(f"| {what} | {figures} | {len(seconds)} | {goal} |", flush=True)

    def floor(self) -> None:
        """Bare swaps from the owner's machine."""
        took = self.lab.members.swap_seconds(self.lab.network.machines[MACHINE], 300)
        self.say("a bare compare-and-swap through the same store", took, "the floor")

    def takeovers(
        self,
        what: str,
        goal: str,
        fault: Callable[[], float],
        end: Callable[[], object] = lambda: None,
    ) -> None:
        """Do it again and again; one row until all identities are served, one of letting go."""
        if self.only not in what:
            return
        took: list[float] = []
        returned: list[float] = []
        between: list[float] = []
        for _ in range(self.runs):
            self.settle()
            since = fault()
            if not self.lab.until(lambda since=since: len(self.came(since)) == len(self.devices)):
                print(f"{what}: not all were taken: {self.lab.have}\n{self.lab.logs()}")
                break
            took.append(max(self.came(since).values()) - since)
            left = self.lab.leavings(self.devices, OWNER, since)
            if left.keys() >= {*self.devices}:
                came = self.came(since)
                between.append(min(came[each] - left[each] for each in self.devices))
            ended = time.time()
            end()
            self.lab.home()
            returned.append(time.time() - ended)
        self.say(f"{what}: all {len(self.devices)} served", took, goal)
        if between:
            self.say("… let go before it is taken", between, "")
        self.say("… then all at home again", returned, "")

    def came(self, since: float) -> dict[str, float]:
        """When the taker got what."""
        return self.lab.arrivals(self.devices, TAKER, since)

    def settle(self) -> None:
        """Wait until all is well, and may be taken over again."""
        assert self.lab.home(), f"{self.lab.have}\n{self.lab.logs()}"
        time.sleep(_QUIET)

    def unmoved(self, what: str, fault: Callable[[], Callable[[], object]], seconds: float) -> None:
        """How many devices move while the store is hurt; the goal is none."""
        if self.only not in what:
            return
        moved = 0
        for _ in range(self.runs):
            self.settle()
            since = time.time()
            end = fault()
            time.sleep(seconds)
            end()
            time.sleep(2.0)
            self.lab.observer.look()
            moved += sum(each.time >= since for each in self.lab.observer.changes)
        print(f"| {what}: devices that moved | {moved} | | | {self.runs} | 0 |", flush=True)

    def all_rows(self) -> None:
        """Measure everything."""
        lab = self.lab
        print(
            "| what | median | least | most | runs | goal |\n| --- | --- | --- | --- | --- | --- |"
        )
        self.floor()
        self.takeovers(
            "process killed on another machine",
            "1 s median",
            lambda: lab.signal(OWNER, signal.SIGKILL),
        )
        self.takeovers(
            "machine lost",
            "5.5 s median, 7 s at the most",
            lambda: lab.lose(MACHINE),
            lambda: lab.bring_back(MACHINE),
        )
        self.takeovers(
            "orderly end (SIGTERM)", "0.5 s median", lambda: lab.signal(OWNER, signal.SIGTERM)
        )
        self.takeovers(
            "Stop, from the first thing that it closes",
            "0.5 s median",
            self.stop,
            lambda: lab.order("start", OWNER),
        )
        for what, others in (
            ("cut from the store", STORE),
            (FROM_CALL_MANAGERS, CALL_MANAGERS),
            (EVERYTHING, ()),
        ):
            self.takeovers(
                what,
                "",
                lambda what=what, others=others: lab.cut(MACHINE, what, *others),
                lambda others=others: lab.join(MACHINE, *others),
            )
        self.takeovers(
            "server paused (SIGSTOP)",
            "",
            lambda: lab.signal(OWNER, signal.SIGSTOP),
            lambda: lab.signal(OWNER, signal.SIGCONT),
        )
        self.unmoved("store's leader killed, 6 s", self.kill_leader, 6.0)
        self.unmoved("store's leader paused, 6 s", self.pause_leader, 6.0)

    def stop(self) -> float:
        """Stop the owner as an operator does; gives when it began to let go."""
        since = time.time()
        self.lab.order("stop", OWNER)
        return min(self.lab.leavings(self.devices, OWNER, since).values())

    def kill_leader(self) -> Callable[[], object]:
        """Kill it; the answer starts it again."""
        leader = self.lab.members.leader(self.lab.phones)
        assert leader is not None
        self.lab.members.signal(leader, signal.SIGKILL)
        return lambda: self.lab.members.start(leader)

    def pause_leader(self) -> Callable[[], object]:
        """Stop it; the answer lets it go on."""
        leader = self.lab.members.leader(self.lab.phones)
        assert leader is not None
        self.lab.members.signal(leader, signal.SIGSTOP)
        return lambda: self.lab.members.signal(leader, signal.SIGCONT)


def main() -> int:
    """Measure, and judge what was done meanwhile."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--delay", type=float, default=0.0, help="milliseconds of every link")
    parser.add_argument("--only", default="", help="the rows with these words")
    options = parser.parse_args()
    of = shape(homes=(OWNER,), ports=36, interceptors=4)
    with (
        tempfile.TemporaryDirectory(prefix="machines-") as name,
        MachineLab(Path(name), of=of) as lab,
    ):
        lab.network.quality(delay=options.delay / 1000)
        Figures(lab, options.runs, options.only).all_rows()
        verdict = lab.verdict()
        print(verdict)
    return 1 if verdict.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
