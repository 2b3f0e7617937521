"""The programs in the documentation run as they stand."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^(<!-- not run: .*-->\n)?```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def snippets(page: Path) -> list[tuple[int, bool, str]]:
    """Line number, whether it is run, and text of each Python block."""
    text = page.read_text()
    return [
        (text.count("\n", 0, match.start(2)), not match[1], match[2])
        for match in BLOCK.finditer(text)
    ]


def test_every_python_snippet_about_testing_passes_as_a_test(tmp_path: Path) -> None:
    known = importlib.metadata.entry_points(group="pytest11", name="pa_telephony")
    plugin = () if known else ("-p", "pa_telephony.testing.plugin")
    found = snippets(ROOT / "docs" / "testing.md")
    wanted = 0
    for line, runs, text in found:
        compile(text, f"docs/testing.md:{line}", "exec")
        if runs:
            (tmp_path / f"test_line_{line}.py").write_text(text)
            wanted += len(re.findall(r"^\s*def test_", text, re.MULTILINE))
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", tmp_path / "pytest.ini", *plugin, tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert wanted > 10
    assert f"{wanted} passed" in done.stdout


def test_the_first_program_of_the_readme_says_what_stands_below_it(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text()
    found = re.search(r"```python\n(.*?)```\n\n```\n(.*?)```", text, re.DOTALL)
    assert found is not None
    program, output = found.groups()
    (tmp_path / "program.py").write_text(program)
    done = subprocess.run(
        [sys.executable, tmp_path / "program.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
    )
    assert done.stdout == output, done.stderr


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
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
    shown = "".join(page.read_text() for page in (tmp_path / "html" / "api").glob("*.html"))
    places = set(re.findall(r'id="(?:module-)?(pa_telephony\.[\w.]+)"', shown))
    for package in PUBLIC:
        module = importlib.import_module(f"pa_telephony.{package}")
        assert {f"{module.__name__}.{name}" for name in module.__all__} - places == set()
