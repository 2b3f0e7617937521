"""docs/reference is what the declarations say, and what it says of evidence is true."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from pa_telephony.sccp.messages import SccpMessage

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"


def module_of_docs(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    return module_of_docs("generate")


def test_the_committed_pages_are_what_the_declarations_say(generate: ModuleType) -> None:
    """If this fails: make docs."""
    committed = {
        path.relative_to(REFERENCE).as_posix(): path.read_text() for path in REFERENCE.rglob("*.md")
    }
    written = generate.pages()
    assert committed.keys() == written.keys()
    assert [name for name, text in written.items() if committed[name] != text] == []


def test_the_table_of_messages_says_captured_or_synthesised_for_each(generate: ModuleType) -> None:
    rows = re.findall(
        r"\| 0x\w+ \| .* \| (captured, \d+|synthesised only) \|", generate.sccp_index()
    )
    assert len(rows) == len(SccpMessage.registry)


def test_what_is_said_to_be_captured_covers_the_captured_frames(generate: ModuleType) -> None:
    frames = json.loads((ROOT / "tests/vectors/sccp-frames.json").read_text())["frames"]
    for number in {int.from_bytes(bytes.fromhex(frame["hex"])[8:12], "little") for frame in frames}:
        assert generate.evidence(SccpMessage.registry[number]).startswith("captured")


def test_on_the_site_each_arrow_of_a_drawing_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "docs")
    drawings = module_of_docs("drawings")
    page = (REFERENCE / "states.md").read_text()
    arrows = re.findall(r"^    [A-Z_]+ --> [A-Z_]+: ", page, re.MULTILINE)
    drawn = drawings.DRAWING.findall(page)
    tables = [drawings.in_words(drawing) for drawing in drawn]
    assert len(drawn) == page.count("```mermaid")
    assert sum(table.count("\n") - 1 for table in tables) == len(arrows)
    assert "| **offline** | registering | connected / RegisterReq |" in tables[0]


def test_every_link_leads_to_a_heading() -> None:
    broken = []
    for page in {*(ROOT / "docs").rglob("*.md")} - {*(ROOT / "docs" / "_build").rglob("*.md")}:
        for target, anchor in re.findall(r"\]\(([^)#:]+\.md)(?:#(\w+))?\)", page.read_text()):
            there = page.parent / target
            headings = re.findall(r"^## (\w+)$", there.read_text(), re.M) if there.exists() else []
            if not there.exists() or (anchor and anchor not in map(str.lower, headings)):
                broken.append((page.name, target, anchor))
    assert broken == []
