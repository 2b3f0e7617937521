"""What the documentation names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_every_rule_of_failover_names_tests_that_exist() -> None:
    known = set()
    for file in (ROOT / "tests").rglob("test_*.py"):
        known |= set(re.findall(r"def (test_\w+)", file.read_text()))
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "failover.md").read_text()))
    assert named - known == set()
    assert len(named) > 30


def test_every_command_named_in_readme_and_docs_exists() -> None:
    from pa_telephony.cli.main import cli

    for file in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        named = set(re.findall(r"pa-telephony ([a-z]+)\b", file.read_text()))
        missing = {name for name in named if cli.get_command(None, name) is None}  # type: ignore[arg-type]
        assert missing == set(), file


@pytest.mark.parametrize("page", ["architecture.md", "adding.md"])
def test_every_file_that_a_guide_to_the_code_names_exists(page: str) -> None:
    files = re.findall(r"`((?:[a-z_]+/)+\w+\.(?:py|txt))`", (ROOT / "docs" / page).read_text())
    assert len(files) > 20
    places = (ROOT, ROOT / "pa_telephony", ROOT / "pa_telephony" / "callmanager")
    assert [name for name in files if not any((place / name).exists() for place in places)] == []


def test_every_name_in_the_walks_through_the_code_exists() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    code = ROOT / "pa_telephony"
    names = set(re.findall(r"`([A-Z]\w+)\.(\w+)`", page))
    assert len(names) > 20
    known: dict[str, set[str]] = {}
    for file in code.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef):
                inside = {getattr(each, "name", getattr(each, "id", "")) for each in ast.walk(node)}
                known.setdefault(node.name, set()).update(inside)
    missing = {each for each in names if each[1] not in known.get(each[0], ())}
    assert missing == set()


def test_what_comments_cite_is_in_the_repository() -> None:
    """A section of a page here, a page here, or a document by its name; never a page elsewhere."""
    sections = {
        page.name: set(re.findall(r"^#+ (\d+(?:\.\d+)*)\.? ", page.read_text(), re.MULTILINE))
        for page in (ROOT / "docs").glob("*.md")
    }
    places = [ROOT, ROOT / "docs", ROOT / "docs" / "reference"]
    for folder in ("pa_telephony", "tests", "bench", "examples", "fuzz"):
        for file in (ROOT / folder).rglob("*.py"):
            text = file.read_text()
            assert "DESIGN" not in text or file == Path(__file__), file
            cited = re.findall(r"([\w/-]+\.md)(?:,?\n?#? *§([\d.]*\d))?", text)
            for name, section in cited:
                page = name.removeprefix("docs/")
                assert any((place / page).exists() for place in places), (file, name)
                assert not section or section in sections[page], (file, name, section)


def test_every_rule_and_question_of_failover_that_is_cited_has_its_row() -> None:
    rows = re.findall(
        r"^\| ([FQ][^|]*) \|", (ROOT / "docs" / "failover.md").read_text(), re.MULTILINE
    )
    known = {each for row in rows for each in re.findall(r"[FQ]\d+", row)}
    assert len(known) > 40
    for folder in ("pa_telephony", "tests/failover", "tests/faults", "bench", "examples"):
        for file in (ROOT / folder).rglob("*.py"):
            cited = set(re.findall(r"\b[FQ]\d{1,2}\b", file.read_text()))
            assert cited <= known, (file, cited - known)


def test_every_docstring_is_a_sentence_or_more() -> None:
    """Messages and enumerations of the protocols are left out: their docstrings are names."""
    code = ROOT / "pa_telephony"
    left_out = {code / part / "enums.py" for part in ("cti", "sccp")}
    left_out |= {file for part in ("cti", "sccp") for file in (code / part / "messages").glob("*")}
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)
    found = [
        (f"{file.relative_to(ROOT)}:{getattr(node, 'name', 1)}", text)
        for file in sorted(set(code.rglob("*.py")) - left_out)
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, kinds) and (text := ast.get_docstring(node)) is not None
    ]
    assert len(found) > 2000
    # A code block and the target of a link may be last, too.
    ends = re.compile(r"[.?:]$|\n( {4}|\.\. _).*$")
    assert [name for name, text in found if len(text.split()) < 3 or not ends.search(text)] == []
