"""What is public is written down, so that a change of it is seen (docs/api-policy.md)."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def public_names() -> ModuleType:
    spec = importlib.util.spec_from_file_location("public_names", ROOT / "docs/public_names.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_public_is_what_is_written_down(public_names: ModuleType) -> None:
    """If this fails: make docs, and a line in CHANGELOG.md for what went."""
    written = (ROOT / "docs/reference/public-names.txt").read_text().splitlines()
    assert public_names.page().splitlines() == written


def test_the_list_has_names_options_and_fields(public_names: ModuleType) -> None:
    lines = public_names.page().splitlines()
    assert "pa_telephony.sccp.open_station" in lines
    assert "pa_telephony.failover.stores.Store" in lines
    assert "pa_telephony.sccp.messages.StartTone" in lines
    assert "pa-telephony decode --json" in lines
    assert "devices[].lines[].number" in lines
    assert "servers[].route_address" in lines
    assert "providers[].hosts[]" in lines


@pytest.mark.parametrize(
    "package",
    [
        *("callmanager", "cti", "errors", "extras", "failover", "program"),
        *("rtp", "sccp", "tasks", "testing", "trace"),
    ],
)
def test_a_package_and_all_its_names_are_imported_without_a_warning(package: str) -> None:
    code = f"import pa_telephony.{package} as it\nfor name in it.__all__: getattr(it, name)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_public_package_has_its_names_imported_here(public_names: ModuleType) -> None:
    (mark,) = test_a_package_and_all_its_names_are_imported_without_a_warning.pytestmark  # type: ignore[attr-defined]
    assert mark.args[1] == sorted(public_names.PACKAGES)


def test_the_policy_names_every_public_package(public_names: ModuleType) -> None:
    text = (ROOT / "docs" / "api-policy.md").read_text().partition("## What is not")[0]
    assert [name for name in public_names.PACKAGES if f"{name}`" not in text] == []
