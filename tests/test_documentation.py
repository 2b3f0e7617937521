"""What the documentation names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STORY = re.compile(r"`(\w+\.txt)`")


def test_every_rule_of_failover_names_tests_that_exist() -> None:
    known = set()
    for file in (ROOT / "tests").rglob("test_*.py"):
        known |= set(re.findall(r"def (test_\w+)", file.read_text()))
    pages = [ROOT / "docs" / page for page in ("failover.md", "failover-design.md", "security.md")]
    named = {name for page in pages for name in re.findall(r"`(test_\w+)`", page.read_text())}
    assert named - known == set()
    assert len(named) > 30


def test_every_story_of_failover_that_the_design_names_is_there() -> None:
    stories = {file.name for file in (ROOT / "tests" / "failover" / "scenarios").glob("*.txt")}
    page = (ROOT / "docs" / "failover-design.md").read_text()
    told = {
        name for row in page.splitlines() if row.startswith("| ") for name in STORY.findall(row)
    }
    assert told - stories == set()
    assert len(told) > 15


def rows_of_failover(letter: str) -> dict[str, list[str]]:
    """The tables of the page about the design: the number of each row to its other cells."""
    page = (ROOT / "docs" / "failover-design.md").read_text()
    rows = re.findall(rf"^\| ({letter}\d+) \| (.*) \|$", page, re.MULTILINE)
    return {number: cells.split(" | ") for number, cells in rows}


def test_every_rule_question_and_promise_of_failover_is_there_and_says_what_holds_it() -> None:
    for letter, count in (("F", 30), ("Q", 36), ("P", 10)):
        rows = rows_of_failover(letter)
        assert [*rows] == [f"{letter}{number}" for number in range(1, count + 1)]
        tools = ("`test_", "`tests/", ".txt`", "explorer", "simulator")
        nowhere = [n for n, cells in rows.items() if not any(tool in cells[-1] for tool in tools)]
        # Speech and licence servers, and the users' rules, are not ours.
        assert nowhere == {"F": ["F16"], "Q": ["Q28"], "P": []}[letter]


def test_every_mutant_and_step_of_failover_that_the_design_names_is_there() -> None:
    from pa_telephony.failover.steps import StepKind

    page = (ROOT / "docs" / "failover-design.md").read_text()
    mutants = (ROOT / "tests" / "failover" / "mutants.txt").read_text().splitlines()
    named = set(re.findall(r"`([a-z]+: [^`]+)`", page))
    assert named - {*mutants} == set()
    assert len(named) > 10
    steps = page.partition("| step |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| ([a-z ]+) \|", steps, re.MULTILINE) == [each.value for each in StepKind]


def test_every_command_named_in_readme_and_docs_exists() -> None:
    from pa_telephony.cli.main import cli

    for file in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        named = set(re.findall(r"pa-telephony ([a-z]+)\b", file.read_text()))
        missing = {name for name in named if cli.get_command(None, name) is None}  # type: ignore[arg-type]
        assert missing == set(), file


def test_every_file_of_the_repository_that_a_page_names_exists() -> None:
    folders = r"(?:pa_telephony|tests|bench|examples|docs|fuzz)"
    file = re.compile(rf"(?<![\w/.-]){folders}/[\w/.-]+\.(?:py|toml|txt|md|json|java|wav)\b")
    names = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
    pages = [ROOT / name for name in names]
    pages += [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs").glob("protocol/*.md")]
    named = {found for page in pages for found in file.findall(page.read_text())}
    assert len(named) > 40
    assert {name for name in named if not (ROOT / name).exists()} == set()


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
    docs = ROOT / "docs"
    sections = {
        page.relative_to(docs).as_posix(): set(
            re.findall(r"^#+ (\d+(?:\.\d+)*)\.? ", page.read_text(), re.MULTILINE)
        )
        for page in (*docs.glob("*.md"), *docs.glob("protocol/*.md"))
    }
    places = [ROOT, docs, docs / "reference"]
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
    known = {*rows_of_failover("F"), *rows_of_failover("Q")}
    assert len(known) > 40
    for folder in ("pa_telephony", "tests/failover", "tests/faults", "bench", "examples"):
        files = [*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("scenarios/*.txt")]
        for file in files:
            cited = set(re.findall(r"\b[FQ]\d{1,2}\b", file.read_text()))
            assert cited <= known, (file, cited - known)


def test_how_many_messages_there_are_is_written_by_no_hand() -> None:
    """The pages under docs/reference count them."""
    counted = re.compile(r"\b\d[\d,]* (?:messages|enumerations|structs)\b")
    names = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
    pages = [ROOT / name for name in names]
    pages += [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs").glob("protocol/*.md")]
    assert {page.name: counted.findall(page.read_text()) for page in pages} == {
        page.name: [] for page in pages
    }


def test_every_message_in_the_exchanges_of_ctiqbe_is_declared() -> None:
    from pa_telephony.cti.messages import CtiMessage

    declared = {each.__name__ for each in CtiMessage.registry.values()}
    page = (ROOT / "docs/protocol/ctiqbe-exchanges.md").read_text()
    named = re.findall(r"^(?:C->S|S->C)  (\w+)", page, re.MULTILINE)
    assert {name.replace("_", "") for name in named} - declared == set()
    assert len(named) > 100


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
