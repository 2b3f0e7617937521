"""Links of the documentation lead somewhere, and the site of its pages builds."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")] + sorted(
    page for page in (ROOT / "docs").rglob("*.md") if "_build" not in page.parts
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_of_the_repository_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


PUBLIC = ("callmanager", "cti", "errors", "failover", "rtp", "sccp", "tasks", "testing", "trace")


@pytest.mark.long
@pytest.mark.timeout(400)
def test_the_site_builds_without_a_warning_and_shows_every_public_name(tmp_path: Path) -> None:
    """What counts as a warning says docs/conf.py: a reference to a name of nothing does, too."""
    pytest.importorskip("sphinx", reason="Sphinx comes with the group docs")
    options = ["--fail-on-warning", "--keep-going", "--quiet", "-d", tmp_path / "doctrees"]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, ROOT / "docs", tmp_path / "html"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "stateDiagram" not in (tmp_path / "html/reference/states.html").read_text()
    shown = "".join(page.read_text() for page in (tmp_path / "html" / "api").glob("*.html"))
    places = set(re.findall(r'id="(?:module-)?(pa_telephony\.[\w.]+)"', shown))
    for package in PUBLIC:
        module = importlib.import_module(f"pa_telephony.{package}")
        assert {f"{module.__name__}.{name}" for name in module.__all__} - places == set()
