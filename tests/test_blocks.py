"""Every block of code in the documentation is run, or read by what it is meant for.

What is done with a block follows from the language that stands at its head:

* ``python``: a program, run as it stands. What a ``text`` block right below it says is what it must
  print. Where a page has tests in its blocks, all of them are run by pytest instead.
* ``console``: lines that begin with ``$`` are commands. They must exist with all their options;
  those that are done at once are run.
* ``toml``: a configuration that loads.
* ``mermaid``: written by docs/generate.py.
* ``text``: what programs print, and drawings.

Right above a block may stand where its lines come from, ``<!-- from: examples/ivr.py -->``: it must
be like that file, which a test of its own runs. Or why it is not run, ``<!-- not run: … -->``.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shlex
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt

from pa_telephony import callmanager, failover, pcap
from pa_telephony.admin.api.operations import find
from pa_telephony.cli.main import cli
from pa_telephony.sccp import messages

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")] + sorted(
    page for page in (ROOT / "docs").rglob("*.md") if "_build" not in page.parts
)
LANGUAGES = {"python", "console", "toml", "java", "mermaid", "text"}
# Of the site; Sphinx reads them when the site is built.
DIRECTIVES = {"{include}", "{toctree}"}


@dataclass(frozen=True)
class Block:
    page: str
    line: int
    language: str
    text: str
    source: str = ""
    """The file whose lines these are."""
    not_run: str = ""
    output: str | None = None
    """The text of the block right below, if that is what this one prints."""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(page: Path) -> Iterator[Block]:
    name = page.relative_to(ROOT).as_posix()
    tokens = MarkdownIt().parse(page.read_text())
    for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        if token.type not in ("fence", "code_block"):
            continue
        note = before.content if before and before.type == "html_block" else ""
        known = dict(re.findall(r"<!-- (from|not run): (.*) -->", note))
        prints = after is not None and (after.type, after.info) == ("fence", "text")
        assert token.map is not None
        yield Block(
            name,
            token.map[0] + 1,
            token.info.partition(" ")[0],
            token.content,
            known.get("from", ""),
            known.get("not run", ""),
            after.content if after is not None and prints else None,
        )


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def blocks(language: str) -> list[Block]:
    """Those that are run."""
    return [each for each in BLOCKS if each.language == language and not each.not_run]


def test_every_block_says_in_which_language_it_is() -> None:
    unknown = {str(block): block.language for block in BLOCKS if block.language not in LANGUAGES}
    assert {name for name, language in unknown.items() if language not in DIRECTIVES} == set()
    assert {name for name in unknown if not name.startswith("docs/index.md:")} == set()


def test_few_blocks_are_not_run_and_each_says_why() -> None:
    left_out = [block for block in BLOCKS if block.not_run]
    assert len(left_out) <= 3
    assert [str(block) for block in left_out if len(block.not_run.split()) < 3] == []


# ------------------------------------------------------------------------- lines of files


def test_lines_of_a_file_are_as_in_that_file() -> None:
    shown = [block for block in BLOCKS if block.source]
    assert len(shown) >= 5
    for block in shown:
        lines = (ROOT / block.source).read_text().splitlines()
        wanted = block.text.splitlines()
        places = (lines[at : at + len(wanted)] for at in range(len(lines) - len(wanted) + 1))
        found = any(textwrap.dedent("\n".join(each)).split("\n") == wanted for each in places)
        assert found, f"{block} is not as in {block.source}"


def test_every_file_that_is_shown_is_run_by_a_test() -> None:
    run = (ROOT / "tests" / "test_examples.py").read_text()
    run += (ROOT / "examples/java_application/test_java_router.py").read_text()
    for source in {block.source for block in BLOCKS if block.source}:
        file = Path(source)
        assert file.name.startswith("test_") or file.name in run, source


def test_every_block_of_java_is_of_an_example() -> None:
    assert [str(block) for block in blocks("java") if not block.source] == []


# ----------------------------------------------------------------------------- python

PROGRAMS = [block for block in blocks("python") if not block.source]
TESTS = sorted({block.page for block in PROGRAMS if "def test_" in block.text})
RUN_ALL = """
import contextlib, io, json, sys
printed = []
for name, text in json.load(sys.stdin):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(text, name, "exec"), {"__name__": "__main__"})
    printed.append(out.getvalue())
json.dump(printed, sys.stdout)
"""


@pytest.mark.parametrize("page", sorted({block.page for block in PROGRAMS} - {*TESTS}))
def test_the_programs_of_a_page_run_and_print_what_it_says(page: str, tmp_path: Path) -> None:
    programs = [block for block in PROGRAMS if block.page == page]
    write_capture(tmp_path / "calls.pcap")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN_ALL],
        input=json.dumps([(str(block), block.text) for block in programs]),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 0, done.stderr
    for block, printed in zip(programs, json.loads(done.stdout), strict=True):
        assert block.output in (None, printed), block


def write_capture(file: Path) -> None:
    """Write a capture with one message in it, for programs that read one."""
    frame = messages.encode(messages.KeepAliveReq(), 20)
    packets = pcap.PacketMaker().tcp(("127.0.0.1", 40000), ("127.0.0.1", 2000), frame)
    file.write_bytes(pcap.file_header() + b"".join(pcap.record(0.0, each) for each in packets))


@pytest.mark.parametrize("page", TESTS)
def test_the_tests_of_a_page_pass(page: str, tmp_path: Path) -> None:
    known = importlib.metadata.entry_points(group="pytest11", name="pa_telephony")
    plugin = () if known else ("-p", "pa_telephony.testing.plugin")
    tests = [block for block in PROGRAMS if block.page == page]
    wanted = 0
    for block in tests:
        (tmp_path / f"test_line_{block.line}.py").write_text(block.text)
        wanted += len(re.findall(r"^\s*def test_", block.text, re.MULTILINE))
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
    assert wanted >= len(tests)
    assert f"{wanted} passed" in done.stdout


def test_many_blocks_of_python_are_run() -> None:
    texts = [each.text for each in PROGRAMS if each.page == "docs/testing.md"]
    assert sum(len(re.findall(r"^\s*def test_", text, re.MULTILINE)) for text in texts) > 10
    assert len([each for each in PROGRAMS if each.page == "README.md" and each.output]) > 1


# ---------------------------------------------------------------------------- commands


def commands() -> Iterator[tuple[Block, list[str]]]:
    """The command lines of the pages, without what a shell does with them."""
    for block in blocks("console"):
        for line in block.text.splitlines():
            if line.startswith("$ "):
                words = shlex.split(line[2:], comments=True)
                while re.match(r"[A-Z_]+=", words[0]):
                    words = words[1:]
                ends = [at for at, word in enumerate(words) if word in ("&", "<", ">", "|")]
                yield block, words[: min(ends, default=len(words))]


COMMANDS = list(commands())


@pytest.mark.parametrize(
    ("block", "words"), COMMANDS, ids=[shlex.join(words)[:60] for _, words in COMMANDS]
)
def test_every_command_is_there_with_its_options(
    block: Block, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    program, *arguments = words
    CHECKS[program](arguments)


def check_ours(arguments: list[str]) -> None:
    name, *rest = arguments
    for each in rest:
        if each.endswith(".pcap"):
            write_capture(Path(each))
    command = cli.get_command(None, name)  # type: ignore[arg-type]
    assert command is not None, name
    command.make_context(name, [*rest])  # raises for an option that there is not
    if name == "decode" and rest != ["-"]:
        done = CliRunner().invoke(cli, arguments)
        assert done.exit_code == 0, done.output


def check_python(arguments: list[str]) -> None:
    script, *rest = arguments
    text = (ROOT / script).read_text()
    options = [each for each in rest if each.startswith("--")]
    assert [each for each in options if f'"{each}"' not in text] == []


def check_make(arguments: list[str]) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for each in arguments:
        name, is_variable, _ = each.partition("=")
        known = rf"\b{name}\b" if is_variable else rf"^{name}:"
        assert re.search(known, makefile, re.MULTILINE), each


def check_pip(arguments: list[str]) -> None:
    assert arguments[0] == "install"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = re.fullmatch(r"(?:\.|pa-telephony)(?:\[(\w+)\])?", arguments[1])
    assert found is not None
    assert found[1] is None or found[1] in project["optional-dependencies"]


def check_pytest(arguments: list[str]) -> None:
    assert [each for each in arguments if not (ROOT / each).exists()] == []


def check_curl(arguments: list[str]) -> None:
    (path,) = [urlsplit(each).path for each in arguments if each.startswith("http")]
    bodies = [json.loads(each) for each in arguments if each.startswith("{")]
    operation = find(path)[0]["POST" if bodies else "GET"]
    for body in bodies:
        assert operation.body is not None
        assert [*operation.body.problems(body)] == []


CHECKS = {
    "curl": check_curl,
    "pa-telephony": check_ours,
    "python": check_python,
    "make": check_make,
    "pip": check_pip,
    "pytest": check_pytest,
    "sleep": lambda seconds: [float(each) for each in seconds],
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_and_extra_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text()
    for target in re.findall(r"`make ([a-z][a-z-]*)", text):
        check_make([target])
    for wanted in re.findall(r"pip install '([^']+)'", text):
        check_pip(["install", wanted])


# --------------------------------------------------------------------- configurations


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_every_configuration_loads(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "configuration.toml"
    file.write_text(block.text)
    if "servers" in tomllib.loads(block.text):
        failover.load(file)
    else:
        callmanager.load(file)


def test_every_drawing_is_written_from_a_table() -> None:
    assert {Path(block.page).parts[:2] for block in blocks("mermaid")} == {("docs", "reference")}
