"""A configuration's file into dataclasses, for the call manager and for clusters alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from click.testing import CliRunner

from pa_telephony import callmanager, failover, program, toml
from pa_telephony.callmanager import CallManagerConfig, validation
from pa_telephony.cli.main import cli
from pa_telephony.errors import ConfigurationError

Load: TypeAlias = Callable[[Path], object]


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


def test_all_that_is_wrong_is_told_at_once_in_the_order_of_the_file() -> None:
    values = {"number": "1", "colour": "red", "on": 1, "seconds": 2}
    with pytest.raises(ConfigurationError) as caught:
        toml.make(Example, values, "x")
    assert [(each.field, each.rule[:9]) for each in (caught.value, *caught.value.others)] == [
        ("number", "must be a"),
        ("colour", "unknown; "),
        ("on", "must be t"),
        ("name", "is mandat"),
    ]


WRONG: dict[Load, tuple[str, list[str]]] = {
    callmanager.load: (
        """
        max_calls = "many"
        colour = "red"
        park_numbers = 70
        timing = 1
        [search_spaces]
        phones = 1
        pa = 2
        [stations]
        max_connections = "all"
        [[user]]
        name = 1
        password = "secret"
        cti = "yes"
        [[device]]
        name = "P1"
        kind = "car"
        lines = [{ number = 1 }, { number = "2", max_calls = "2" }]
        [[device]]
        name = "P2"
        speed_dials = 1
        """,
        [
            "device P1: kind: must be one of phone, media port, route point, cti port",
            "device P1: number: must be text in quotes",
            "device P1: max_calls: must be a whole number",
            "device P2: speed_dials: must be a list of tables",
            "search_spaces: phones: must be a list of texts",
            "search_spaces: pa: must be a list of texts",
            "user 1: name: must be text in quotes",
            "user 1: cti: must be true or false",
            "timing: must be a table",
            "stations: max_connections: must be a whole number",
            "max_calls: must be a whole number",
            "colour: unknown; known are ",
            "park_numbers: must be a list of texts",
        ],
    ),
    failover.load: (
        """
        capacity_aware = 1
        colour = "red"
        speech = 1
        [[servers]]
        server_name = "PA1"
        hostname_or_ip_address = "127.0.0.1"
        number_of_media_ports = "two"
        fail_over_server_names = "PA2"
        [[servers]]
        server_name = 2
        hostname_or_ip_address = "127.0.0.1"
        [[providers]]
        type = "sip"
        [timing]
        own = "4 s"
        """,
        [
            "server 'PA1': number_of_media_ports: must be a whole number",
            "server 'PA1': fail_over_server_names: must be a list of texts",
            "server 2: server_name: must be text in quotes",
            'provider 1: type: must be "jtapi" or "skinny"',
            "timing: own: must be a number of seconds",
            "speech: must be a table",
            "capacity_aware: must be true or false",
            "colour: unknown; known are ",
        ],
    ),
}


@pytest.mark.parametrize("load", WRONG)
def test_all_values_of_a_wrong_type_in_a_file_are_told_at_once(load: Load, tmp_path: Path) -> None:
    text, wanted = WRONG[load]
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    said = [str(each) for each in (caught.value, *caught.value.others)]
    assert len(said) == len(wanted)
    for one, start in zip(said, wanted, strict=True):
        assert one.startswith(f"{path}: {start}")


def test_commands_and_programs_print_all_of_it(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(WRONG[callmanager.load][0])
    done = CliRunner().invoke(cli, ["callmanager", "--config", str(path)])
    assert done.exit_code == 1
    lines = done.output.splitlines()
    assert len(lines) == len(WRONG[callmanager.load][1])
    assert all(line.startswith(f"Error: {path}: ") for line in lines)

    async def main() -> None:
        callmanager.load(path)

    with pytest.raises(SystemExit) as ended:
        program.run(main)
    assert str(ended.value).splitlines() == [line.removeprefix("Error: ") for line in lines]


def refused(make: Callable[[], object]) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        make()
    return [str(each) for each in (caught.value, *caught.value.others)]


LINE = callmanager.LineConfig(number="1001")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"park_numbers": "7000"}, "park_numbers: is one text: write ('7000',)"),
        ({"search_spaces": {"s": "PA"}}, "search_spaces: s: is one text: write ('PA',)"),
        ({"search_spaces": {"s": (1,)}}, "search_spaces: s: must be a list of texts"),
        ({"search_spaces": {1: ("PA",)}}, "search_spaces: 1: must be text in quotes"),
        ({"media_behind_nat": "no"}, "media_behind_nat: must be true or false"),
        ({"max_calls": True}, "max_calls: must be a whole number"),
        (
            {"users": (callmanager.User(name="a", password="b", any_device="no"),)},  # type: ignore[arg-type]
            "user a: any_device: must be true or false",
        ),
        (
            {"devices": (callmanager.DeviceConfig(name="P1", kind="phone", lines=(LINE,)),)},  # type: ignore[arg-type]
            "device P1: kind: must be of type DeviceKind",
        ),
        (
            {"devices": (callmanager.DeviceConfig(name="P1", lines=LINE),)},  # type: ignore[arg-type]
            "device P1: lines: is one LineConfig: write (LineConfig(...),)",
        ),
        (
            {"devices": (callmanager.DeviceConfig(name="P1", lines=(replace(LINE, name=1),)),)},  # type: ignore[arg-type]
            "device P1: name: must be text in quotes",
        ),
        (
            {"timing": callmanager.Timing(no_answer="3")},  # type: ignore[arg-type]
            "timing: no_answer: must be a number of seconds",
        ),
    ],
)
def test_a_call_manager_made_in_a_program_has_values_of_the_declared_types(
    given: dict[str, Any], said: str
) -> None:
    """A comma that was missing gave park numbers 7 and 0, and "no" was as good as yes."""
    assert refused(lambda: validation.check(CallManagerConfig(**given))) == [said]


def test_a_cluster_made_in_a_program_has_values_of_the_declared_types() -> None:
    one = failover.ServerConfig(
        "PA1",
        "127.0.0.1",
        fail_over_server_names="B",  # type: ignore[arg-type]
    )
    cmab = failover.JtapiProvider("cmab", hosts="cmab")  # type: ignore[arg-type]
    assert refused(
        lambda: failover.Cluster((one,), (cmab,), capacity_aware="no", file="house.toml")  # type: ignore[arg-type]
    ) == [
        "house.toml: server 'PA1': fail_over_server_names: is one text: write ('B',)",
        "house.toml: provider 'cmab': hosts: is one text: write ('cmab',)",
        "house.toml: capacity_aware: must be true or false",
    ]


def test_a_list_does_as_a_tuple_and_a_whole_number_as_seconds() -> None:
    phone = callmanager.DeviceConfig(name="P1", lines=[LINE])  # type: ignore[arg-type]
    validation.check(
        CallManagerConfig(
            devices=[phone],  # type: ignore[arg-type]
            park_numbers=["70X"],  # type: ignore[arg-type]
            timing=callmanager.Timing(no_answer=3),
        )
    )
