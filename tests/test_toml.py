"""A configuration's file into dataclasses, for the call manager and for clusters alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pa_telephony import callmanager, failover, toml
from pa_telephony.errors import ConfigurationError


@dataclass(frozen=True)
class Example:
    name: str
    number: int = 0
    seconds: float = 1.0
    on: bool = False
    words: tuple[str, ...] = ()
    pairs: Mapping[str, str] = field(default_factory=dict[str, str])


def test_values_become_what_their_fields_are_declared_with() -> None:
    made = toml.make(Example, {"name": "a", "seconds": 2, "words": ["b"], "pairs": {"c": "d"}}, "x")
    assert made == Example("a", seconds=2.0, words=("b",), pairs={"c": "d"})
    assert type(made.seconds) is float


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "x: name: is mandatory"),
        ({"name": 1}, "x: name: must be text in quotes"),
        ({"name": "a", "number": 1.5}, "x: number: must be a whole number"),
        ({"name": "a", "number": True}, "x: number: must be a whole number"),
        ({"name": "a", "seconds": "1"}, "x: seconds: must be a number of seconds"),
        ({"name": "a", "on": 1}, "x: on: must be true or false"),
        ({"name": "a", "words": "b"}, "x: words: must be a list of texts"),
        ({"name": "a", "words": [1]}, "x: words: must be a list of texts"),
        ({"name": "a", "pairs": {"c": 1}}, "x: pairs: must be a table of texts"),
        ({"name": "a", "colour": "red"}, "x: colour: unknown; known are name, number"),
    ],
)
def test_what_is_wrong_is_named_with_section_field_and_rule(
    values: dict[str, object], said: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        toml.make(Example, values, "x")
    assert said in str(caught.value)


@pytest.mark.parametrize("load", [callmanager.load, failover.load])
@pytest.mark.parametrize("text", [b"[[", b"name = \xff\xfe", b"a = 1\na = 2"])
def test_a_file_that_is_no_toml_is_refused_by_its_name(
    load: object, text: bytes, tmp_path: Path
) -> None:
    """Bytes that are no UTF-8 ended `pa-telephony callmanager` with a traceback."""
    path = tmp_path / "bad.toml"
    path.write_bytes(text)
    assert callable(load)
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    assert (caught.value.file, "not TOML" in str(caught.value)) == (str(path), True)


@pytest.mark.parametrize(
    "text", ["device = 1", "device = [1]", "[device]\nname = 'a'", "user = {}"]
)
def test_what_should_be_tables_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match="must be tables"):
        callmanager.load(path)
