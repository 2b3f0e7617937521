"""Imports, cores and arrows are as CONTRIBUTING.md says."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "pa_telephony"
HEAVY = {"trio", "numpy", "construct", "scapy", "click", "rich", "cryptography", "pytest"}
HEAVY |= {"starlette", "hypercorn", "jinja2", "argon2"}

# Modules with tasks, sockets, clocks or chance; all others are pure (CONTRIBUTING.md).
IMPURE_MODULES = {
    "pa_telephony.callmanager.control.client",
    "pa_telephony.callmanager.control.server",
    "pa_telephony.callmanager.own_media",
    "pa_telephony.callmanager.manager",
    "pa_telephony.cti.client.address",
    "pa_telephony.cti.client.provider",
    "pa_telephony.cti.client.line",
    "pa_telephony.cti.client.link",
    "pa_telephony.cti.client.route_point",
    "pa_telephony.cti.server.application",
    "pa_telephony.cti.server.server",
    "pa_telephony.failover.agent",
    "pa_telephony.failover.calls",
    "pa_telephony.failover.clock",
    "pa_telephony.failover.holder",
    "pa_telephony.failover.links",
    "pa_telephony.failover.looking",
    "pa_telephony.failover.local_processes",
    "pa_telephony.failover.machines",
    "pa_telephony.failover.moving",
    "pa_telephony.failover.operating",
    "pa_telephony.failover.restarting",
    "pa_telephony.failover.server",
    "pa_telephony.failover.sight",
    "pa_telephony.failover.stores.database",
    "pa_telephony.failover.stores.etcd",
    "pa_telephony.failover.stores.etcd_copy",
    "pa_telephony.failover.stores.etcd_gateway",
    "pa_telephony.failover.stores.etcd_places",
    "pa_telephony.failover.stores.locks",
    "pa_telephony.failover.stores.machine",
    "pa_telephony.failover.stores.memory",
    "pa_telephony.failover.stores.movable",
    "pa_telephony.failover.stores.sqlite",
    "pa_telephony.rtp.engine",
    "pa_telephony.rtp.pacing",
    "pa_telephony.rtp.phase",
    "pa_telephony.rtp.port",
    "pa_telephony.rtp.reports",
    "pa_telephony.rtp.sockets",
    "pa_telephony.rtp.sound",
    "pa_telephony.rtp.upkeep",
    "pa_telephony.sccp.station.call",
    "pa_telephony.sccp.station.client",
    "pa_telephony.sccp.station.call_managers",
    "pa_telephony.sccp.station.link",
    "pa_telephony.sccp.server.server",
    "pa_telephony.sccp.server.session",
    "pa_telephony.peer",
    "pa_telephony.program",
    "pa_telephony.serving",
    "pa_telephony.tasks",
    "pa_telephony.turns",
}
# Programs put a server and a call manager together; they may use anything.
PROGRAMS = {"cli", "testing", "admin", "contrib"}
IMPURE = {"trio", "socket", "time", "random", "secrets", "threading", "select", "ssl"}


def modules_after(statement: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after ``statement``."""
    code = f"import sys\n{statement}\nprint(*{{n.partition('.')[0] for n in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def packages() -> list[str]:
    inits = sorted(PACKAGE.rglob("__init__.py"))
    return [".".join(path.parent.relative_to(ROOT).parts) for path in inits]


def sources() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        yield name.removesuffix(".__init__"), ast.parse(path.read_text(), str(path))


def imports_at_run_time(tree: ast.Module) -> Iterator[str]:
    """Every module named in an import, but for ``if TYPE_CHECKING:``."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            skipped.update(id(inner) for part in node.body for inner in ast.walk(part))
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module


@pytest.mark.parametrize("package", ["callmanager", "cti", "failover", "rtp", "sccp", "testing"])
def test_a_public_name_is_not_hidden_by_a_module_of_the_same_name(package: str) -> None:
    public = importlib.import_module(f"pa_telephony.{package}")
    for name in public.__all__:
        value = getattr(public, name)
        assert not (isinstance(value, ModuleType) and hasattr(value, name)), name


@pytest.mark.parametrize("package", packages())
def test_importing_a_package_imports_nothing_heavy(package: str) -> None:
    loaded = modules_after(f"import {package}")
    assert not loaded & HEAVY, f"import {package} loads {sorted(loaded & HEAVY)}"


def test_importing_the_top_level_stays_small() -> None:
    """A count of modules is steady on a busy machine; milliseconds are not."""
    bare = modules_after("import dataclasses, typing, importlib, collections.abc")
    assert len(modules_after("import pa_telephony") - bare) <= 5


def test_parsing_packets_needs_neither_trio_nor_construct() -> None:
    loaded = modules_after("from pa_telephony.rtp.packet import *")
    assert not loaded & {"trio", "construct", "numpy"}


def test_declaring_messages_needs_neither_trio_nor_construct() -> None:
    for protocol in ("sccp", "cti"):
        loaded = modules_after(f"from pa_telephony.{protocol} import messages; messages.decode")
        assert not loaded & {"trio", "construct", "numpy"}, protocol


def test_construct_is_imported_in_wire_only() -> None:
    guilty = [
        name
        for name, tree in sources()
        if any(i.partition(".")[0] == "construct" for i in imports_at_run_time(tree))
        and not name.startswith("pa_telephony.wire")
    ]
    assert guilty == []


def test_scapy_is_imported_in_one_module_only() -> None:
    guilty = [
        name
        for name, tree in sources()
        if any(i.partition(".")[0] == "scapy" for i in imports_at_run_time(tree))
        and name != "pa_telephony.contrib.scapy"
    ]
    assert guilty == []


def test_every_module_is_pure_but_those_named_here() -> None:
    impure: set[str] = set()
    for name, tree in sources():
        program = name.split(".")[1:2] and name.split(".")[1] in PROGRAMS
        imported = {i.partition(".")[0] for i in imports_at_run_time(tree)}
        if not program and (imported & IMPURE or asks_for_today(tree)):
            impure.add(name)
    assert impure == IMPURE_MODULES


def asks_for_today(tree: ast.Module) -> bool:
    """Whether the clock is read through datetime, whose values are pure."""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in {"now", "today", "utcnow"}
        and ast.unparse(node.value) in {"datetime.datetime", "datetime.date", "datetime"}
        for node in ast.walk(tree)
    )


def test_errors_are_never_swallowed_by_a_bare_except() -> None:
    guilty = [
        f"{name}:{node.lineno}"
        for name, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and node.type is None
    ]
    assert guilty == []


def test_the_arrows_point_downward() -> None:
    """The contracts stand in pyproject.toml, [tool.importlinter]."""
    pytest.importorskip("importlinter", reason="import-linter comes with the group lint")
    # A process of its own: it switches off every logger that there is.
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_help_is_answered_before_anything_heavy_is_loaded() -> None:
    loaded = modules_after("import pa_telephony.cli.main")
    assert "click" in loaded
    assert not loaded & (HEAVY - {"click"})


def test_files_do_not_import_each_other_in_a_circle() -> None:
    """Imports in functions and for type checkers count, too: who reads one has to know both.

    A circle is opened by a small Protocol in place of the import of a type.
    """
    trees = dict(sources())
    imports = {name: imported_modules(tree, trees) - {name} for name, tree in trees.items()}
    assert circles_of(imports) == []


def imported_modules(tree: ast.Module, known: Collection[str]) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                module = f"{node.module}.{alias.name}"
                found.add(module if module in known else node.module)
    return found.intersection(known)


def circles_of(imports: Mapping[str, set[str]]) -> list[set[str]]:
    """Sets of files of which each reaches each other one."""
    reached: dict[str, set[str]] = {}
    for name in imports:
        seen: set[str] = set()
        waiting = [*imports[name]]
        while waiting:
            module = waiting.pop()
            if module not in seen:
                seen.add(module)
                waiting += imports[module]
        reached[name] = seen
    circles: list[set[str]] = []
    for name in imports:
        circle = {other for other in reached[name] if name in reached[other]}
        if circle and circle not in circles:
            circles.append(circle)
    return circles


def test_a_circle_is_found() -> None:
    imports = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": set[str]()}
    assert circles_of(imports) == [{"a", "b", "c"}]
