"""Imports, cores and arrows are as CONTRIBUTING.md says."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "pa_telephony"
HEAVY = {"trio", "numpy", "construct", "scapy", "click", "rich", "cryptography", "pytest"}

# Modules with tasks and sockets are few and named for what they are (CONTRIBUTING.md).
TRIO_NAMES = {
    "address",
    "application",
    "call",
    "client",
    "clock",
    "engine",
    "fallback",
    "holder",
    "link",
    "manager",
    "operating",
    "port",
    "route_point",
    "server",
    "serving",
    "sound",
    "stores",
    "tasks",
    "turns",
}
# Named like messages that are pure: a line at the CTI manager is closed under a bound.
TRIO_MODULES = {
    "pa_telephony.cti.line",
    "pa_telephony.failover.calls",
    "pa_telephony.failover.links",
    "pa_telephony.failover.machines",
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


def test_everything_not_named_a_trio_module_is_pure() -> None:
    guilty = {}
    for name, tree in sources():
        parts = name.split(".")
        if (parts[1:2] and parts[1] in PROGRAMS) or TRIO_NAMES & set(parts[1:]):
            continue
        if name in TRIO_MODULES:
            continue
        impure = {i.partition(".")[0] for i in imports_at_run_time(tree)} & IMPURE
        if impure:
            guilty[name] = sorted(impure)
    assert guilty == {}


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
