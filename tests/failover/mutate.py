"""Break one rule of the failover manager at a time; a test must notice.

python tests/failover/mutate.py [WORDS …] [--processes N] [--quick] [--list]

Each mutant of ``mutants.txt`` replaces lines, which must stand exactly once in their file, and in
memory only. The tests of its file run until the first one fails, the cheapest first. Prints a line
for each; exits 1 when one survives or no longer fits. WORDS choose by what file and rule contain.
"""

from __future__ import annotations

import argparse
import fcntl
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, ModuleType

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PACKAGE = "pa_telephony.failover"
SOURCES = ROOT / "pa_telephony" / "failover"

_KILLED, _SURVIVED = 0, 1
_PROCESSOR_SECONDS = 120
"""What a mutant may use up; one that goes round in circles is noticed by this."""

_PLANNING = (
    "test_nodes.py",
    "test_compares.py",
    "test_ownership.py",
    "test_obeying.py",
    "test_following.py",
    "test_member.py",
    "test_scenarios.py",
    "test_simulation.py",
    "test_explorer.py",
)
TESTS: dict[str, Sequence[str]] = {
    "ownership": _PLANNING,
    "duties": _PLANNING,
    "obeying": _PLANNING,
    "orders": ("test_obeying.py", "test_ownership.py", "test_intent.py", "test_scenarios.py"),
    "deadlines": ("test_obeying.py", "test_scenarios.py", "test_draining.py"),
    "nodes": ("test_nodes.py", "test_scenarios.py"),
    "reached": ("test_reached.py", "test_nodes.py", "test_member.py"),
    "member": (
        "test_beat.py",
        "test_nodes.py",
        "test_member.py",
        "test_obeying.py",
        "test_following.py",
        "test_scenarios.py",
        "test_simulation.py",
        "test_explorer.py",
    ),
    "ledger": (
        "test_nodes.py",
        "test_member.py",
        "test_obeying.py",
        "test_following.py",
        "test_scenarios.py",
        "test_simulation.py",
        "test_explorer.py",
    ),
    "others": (
        "test_member.py",
        "test_following.py",
        "test_scenarios.py",
        "test_simulation.py",
        "test_explorer.py",
    ),
    "actions": (
        "test_member.py",
        "test_following.py",
        "test_scenarios.py",
        "test_simulation.py",
        "test_explorer.py",
    ),
    "keeping": ("test_keeping.py", "test_agent.py"),
    "agent": ("test_agent.py", "test_rolling_agent.py"),
    "rolling": ("test_rolling.py", "test_rolling_agent.py"),
    "roll_orders": ("test_rolling.py", "test_rolling_agent.py"),
    "registration": (
        "test_registration.py",
        "test_member.py",
        "test_scenarios.py",
        "test_simulation.py",
    ),
    "beat": ("test_beat.py", "test_world.py"),
    "world": (
        "test_beat.py",
        "test_world.py",
        "test_compares.py",
        "test_ownership.py",
        "test_obeying.py",
        "test_following.py",
        "test_member.py",
        "test_scenarios.py",
        "test_simulation.py",
    ),
    "intent": ("test_intent.py", "test_obeying.py"),
    "transaction": ("test_compares.py", "test_stores.py", "test_world.py"),
    "calls": ("test_calls.py", "test_returning.py"),
    "holder": ("test_holder.py", "test_server.py"),
    "stores/memory": ("test_stores.py",),
    "stores/sqlite": ("test_stores.py", "test_store_file.py", "test_sqlite_store.py"),
    "stores/database": (
        "test_move_mark.py",
        "test_stores.py",
        "test_store_file.py",
        "test_sqlite_store.py",
    ),
    "stores/move_mark": ("test_move_mark.py",),
    "stores/movable": ("test_move_mark.py",),
    "stores/etcd_tokens": ("test_etcd_tokens.py",),
    "stores/locks": ("test_stores.py", "test_store_file.py", "test_sqlite_store.py"),
}
"""What runs against a file's mutants, in this order."""
_ALONE = frozenset({"test_server.py", "test_draining.py", "test_returning.py"})
"""Those that use addresses of this machine: one at a time."""
_DEAR = frozenset({"test_simulation.py", "test_explorer.py"})


@dataclass
class Mutant:
    """Where ``old`` stands in ``file`` there is ``new``; lines, ``rule`` is broken by it."""

    file: str
    rule: str
    old: list[str] = field(default_factory=list[str])
    new: list[str] = field(default_factory=list[str])

    def __str__(self) -> str:
        return f"{self.file}: {self.rule}"


def read_mutants(text: str) -> list[Mutant]:
    """Those of ``mutants.txt``, whose head says how they are written."""
    found: list[Mutant] = []
    for line in text.splitlines():
        file, colon, rule = line.partition(": ")
        if colon and file in TESTS:
            found.append(Mutant(file, rule))
        elif found and line[:2] in ("  ", "- ", "+ ", "-", "+"):
            if line[0] != "+":
                found[-1].old.append(line[2:])
            if line[0] != "-":
                found[-1].new.append(line[2:])
        elif line and found and not line.startswith("# "):
            raise ValueError(f"mutants.txt: {line!r} is no line of a mutant")
    return found


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self._text = text

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._text, self.path, "exec", dont_inherit=True)


class _Finder(importlib.abc.MetaPathFinder):
    """Imports one module from other text than its file has."""

    def __init__(self, name: str, path: Path, text: str) -> None:
        self._name, self._path, self._text = name, path, text

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        loader = _Loader(fullname, str(self._path), self._text)
        return importlib.util.spec_from_file_location(fullname, self._path, loader=loader)


def mutated(mutant: Mutant) -> str:
    """The text of its file with the rule broken; raises ValueError when it does not fit."""
    lines = (SOURCES / f"{mutant.file}.py").read_text().splitlines()
    long = len(mutant.old)
    at = [n for n in range(len(lines) - long + 1) if lines[n : n + long] == mutant.old]
    if len(at) != 1 or mutant.old == mutant.new:
        raise ValueError(f"its lines stand {len(at)} times in {mutant.file}.py")
    return "\n".join([*lines[: at[0]], *mutant.new, *lines[at[0] + long :], ""])


def tests_of(mutant: Mutant, quick: bool) -> list[str]:
    """What pytest is given, the cheapest first."""
    names = [name for name in TESTS[mutant.file] if (HERE / name).exists()]
    return [str(HERE / name) for name in names if not (quick and name in _DEAR)]


def begin(mutant: Mutant, text: str, output: int, quick: bool) -> int:
    """Run the tests in a process of their own; its number."""
    child = os.fork()
    if child:
        return child
    code = 3
    try:
        os.setpgid(0, 0)
        if _ALONE.intersection(TESTS[mutant.file]):
            fcntl.flock(os.open(HERE, os.O_RDONLY), fcntl.LOCK_EX)
        os.dup2(output, 1)
        os.dup2(output, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (_PROCESSOR_SECONDS, _PROCESSOR_SECONDS))
        name = f"{PACKAGE}.{mutant.file.replace('/', '.')}"
        sys.meta_path.insert(0, _Finder(name, SOURCES / f"{mutant.file}.py", text))
        import pytest

        # Plain: pytest's own importer, which rewrites assertions, would come before ours.
        options = ["-x", "-q", "--tb=line", "--assert=plain", "-p", "no:cacheprovider"]
        code = pytest.main([*options, *tests_of(mutant, quick)])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(code))
    raise AssertionError


def verdict(status: int, output: str) -> tuple[int, str]:
    """What became of a mutant, and the test that noticed it."""
    if os.WIFSIGNALED(status):
        if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL):
            return _KILLED, "it goes round in circles"
        return 2, f"ended by signal {os.WTERMSIG(status)}"
    code = os.WEXITSTATUS(status)
    if code == 0:
        return _SURVIVED, "SURVIVES"
    if code == 1:
        failed = [line for line in output.splitlines() if line.startswith(("FAILED", "ERROR"))]
        return _KILLED, failed[0].partition("::")[2].partition(" - ")[0] if failed else "?"
    return 2, "no test could run:\n" + output[-1500:]


def run(chosen: Sequence[Mutant], processes: int, quick: bool) -> int:
    """Run them all; how many are not noticed or do not fit."""
    bad = 0
    running: dict[int, tuple[Mutant, Path, float]] = {}
    waiting = list(chosen)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        while waiting or running:
            while waiting and len(running) < processes:
                mutant = waiting.pop(0)
                try:
                    text = mutated(mutant)
                except ValueError as error:
                    bad += 1
                    print(f"{mutant}: DOES NOT FIT, {error}", flush=True)
                    continue
                path = Path(directory) / f"{len(waiting)}.txt"
                with path.open("wb") as output:
                    child = begin(mutant, text, output.fileno(), quick)
                running[child] = mutant, path, time.monotonic()
            if not running:
                break
            child, status, _ = os.wait3(0)
            mutant, path, since = running.pop(child)
            what, why = verdict(status, path.read_text(errors="replace"))
            bad += what != _KILLED
            print(f"{mutant}: {why} ({time.monotonic() - since:.1f} s)", flush=True)
    took = time.monotonic() - began
    print(f"{len(chosen)} mutants, {bad} not noticed, in {took:.0f} s")
    return bad


def main() -> None:
    """Read the command line; see the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", help="only those with one of these words")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--quick", action="store_true", help="without the dearest tests")
    parser.add_argument("--list", action="store_true", help="only say which there are")
    asked = parser.parse_args()
    chosen = [
        mutant
        for mutant in read_mutants((HERE / "mutants.txt").read_text())
        if not asked.words or any(word in str(mutant) for word in asked.words)
    ]
    if asked.list:
        print("\n".join(map(str, chosen)))
        return
    os.nice(int(os.environ.get("MUTANTS_NICE", "10")))
    os.chdir(ROOT)
    # What the tests need and no mutant changes is imported once, and each process is a copy.
    for name in ("pytest", "hypothesis", "trio", "numpy", "pa_telephony.sccp", "pa_telephony.cti"):
        importlib.import_module(name)
    assert not any(name.startswith(PACKAGE) for name in sys.modules), "a mutant would not be seen"
    sys.exit(bool(run(chosen, asked.processes, asked.quick)))


if __name__ == "__main__":
    main()
