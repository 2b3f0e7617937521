"""The fuzz targets run: each over the corpus that it would start from, without atheris."""

from __future__ import annotations

import importlib.util
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, strategies as st

FUZZ = Path(__file__).parents[1] / "fuzz"
TARGETS = sorted(path.stem.removeprefix("fuzz_") for path in FUZZ.glob("fuzz_*.py"))


def load(stem: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(stem, FUZZ / f"{stem}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[stem] = module
    spec.loader.exec_module(module)
    return module


load("fuzzing")
HOUSE = load("house")
MODULES = {name: load(f"fuzz_{name}") for name in TARGETS}
CORPUS = load("make_corpus")
MUTATE = load("mutate_sccp")


def damaged(seed: bytes) -> Iterator[bytes]:
    """The seed cut, with another way to cut its stream, and with octets changed."""
    dice = random.Random(seed)
    yield b"\x00" + seed[1:]
    yield seed[: dice.randrange(len(seed))]
    for _ in range(3):
        other = bytearray(seed)
        other[dice.randrange(len(seed))] = dice.choice((0, 1, 0x7F, 0x80, 0xFF))
        yield bytes(other)


def test_there_is_a_target_and_a_corpus_for_each_protocol_and_for_refusals() -> None:
    assert TARGETS == ["cti", "refused", "rtp", "sccp"] == sorted(CORPUS.TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_runs_over_its_corpus_whole_and_damaged(name: str) -> None:
    one_input: Callable[[bytes], None] = MODULES[name].one_input
    seeds = list(CORPUS.TARGETS[name][0]())
    assert len(seeds) >= 10
    for seed in seeds:
        one_input(seed)
        for other in damaged(seed):
            one_input(other)


@pytest.mark.parametrize("application", [False, True])
@given(data=st.binary(max_size=400))
def test_a_conversation_without_sense_leaves_nothing_behind(application: bool, data: bytes) -> None:
    HOUSE.drive(data, application=application)


@pytest.mark.parametrize("name", TARGETS)
@given(data=st.binary(max_size=600))
def test_a_target_runs_over_anything(name: str, data: bytes) -> None:
    MODULES[name].one_input(data)


def test_a_small_part_of_the_million_mutated_frames_gives_typed_errors_alone() -> None:
    told: list[str] = []
    MUTATE.run(3000, 20261124, told.append)
    assert len(told) == 2


def test_corpus_and_dictionaries_are_written_where_make_looks_for_them(tmp_path: Path) -> None:
    command = [sys.executable, str(FUZZ / "make_corpus.py"), str(tmp_path)]
    subprocess.run(command, check=True, cwd=FUZZ.parent)
    for name in TARGETS:
        assert len(list((tmp_path / "corpus" / name).iterdir())) >= 10
        lines = (tmp_path / f"{name}.dict").read_text().splitlines()
        assert len(lines) > 10
        assert all(line.startswith('"\\x') and line.endswith('"') for line in lines)
