"""The dial plan, and a configuration that names what is wrong with it."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from pa_telephony import callmanager
from pa_telephony.callmanager import (
    CallManagerConfig,
    DeviceConfig,
    DeviceKind,
    LineConfig,
    SpeedDial,
    StationLimits,
    validation,
)
from pa_telephony.callmanager.calls.dialplan import DialPlan, translate
from pa_telephony.callmanager.config import Timing
from pa_telephony.callmanager.validation import warnings
from pa_telephony.cti.server.handles import CtiManagerConfig
from pa_telephony.digits import Pattern
from pa_telephony.errors import ConfigurationError
from pa_telephony.sccp.server.registrar import RegistrarConfig


def plan(*patterns: str) -> DialPlan[str]:
    result: DialPlan[str] = DialPlan()
    for each in patterns:
        pattern, _, partition = each.partition("@")
        result.add(pattern, partition, each)
    return result


@pytest.mark.parametrize(
    ("digits", "wins"), [("1234", "1234"), ("1200", "12XX"), ("1300", "1XXX"), ("2000", None)]
)
def test_the_pattern_that_matches_the_fewest_numbers_wins(digits: str, wins: str | None) -> None:
    assert plan("1XXX", "12XX", "1234").find(digits, ()).target == wins


def test_only_partitions_of_the_search_space_count_and_their_order_breaks_ties_alone() -> None:
    """Managed phones hide in a partition that callers do not see (the two-partition trick)."""
    both = plan("5XXX@PA", "5123@PAManaged")
    assert both.find("5123", ("PA",)).target == "5XXX@PA"
    assert both.find("5123", ("PAManaged",)).target == "5123@PAManaged"
    assert both.find("5123", ("PA", "PAManaged")).target == "5123@PAManaged"
    assert both.find("5123", ()).target is None
    ties = plan("5XXX@B", "5XXX@A")
    assert ties.find("5000", ("A", "B")).target == "5XXX@A"


SPACES = st.sampled_from(["", "A", "B"])
PLACES = st.sampled_from(["1", "2", "*", "X", "[12]", "[^1]"])
ENDS = st.sampled_from(["", "", "!", "!#"])


@given(
    st.lists(
        st.tuples(
            st.tuples(st.lists(PLACES, min_size=1, max_size=4).map("".join), ENDS).map("".join),
            SPACES,
        ),
        max_size=12,
    ),
    st.sets(st.integers(0, 11)),
    st.text("123*#", max_size=6),
    st.lists(SPACES, max_size=3),
)
def test_the_tree_finds_what_a_look_at_every_pattern_finds(
    entries: list[tuple[str, str]], gone: set[int], digits: str, space: list[str]
) -> None:
    """Also after some patterns have been removed: "more" counts what is left."""
    tree: DialPlan[list[int]] = DialPlan()
    targets = [[number] for number in range(len(entries))]
    for target, (pattern, partition) in zip(targets, entries, strict=True):
        tree.add(pattern, partition, target)
    for number in gone & set(range(len(entries))):
        tree.remove(targets[number])
    seen = {partition: rank for rank, partition in reversed(list(enumerate(space)))}
    seen.setdefault("", len(seen))
    left = [
        (Pattern.parse(pattern), seen[partition], number)
        for number, (pattern, partition) in enumerate(entries)
        if number not in gone and partition in seen
    ]
    wins = min(
        ((each.breadth, rank, number) for each, rank, number in left if each.matches(digits)),
        default=None,
    )
    found = tree.find(digits, space)
    assert found.target == (None if wins is None else [wins[2]])
    assert found.more == any(
        each.begins(digits) and (not each.matches(digits) or each.text.endswith("!"))
        for each, _, _ in left
    )
    assert list(tree.targets()) == [each for each in targets if each[0] not in gone]


def test_digits_that_could_still_become_a_longer_number_are_waited_for() -> None:
    both = plan("60", "6000")
    found = both.find("60", ())
    assert (found.target, found.more) == ("60", True)
    assert not both.find("6000", ()).more


@pytest.mark.parametrize(
    ("target", "dialled", "result"),
    [
        ("5XXX", "5123", "5123"),
        ("6XXX", "5123", "6123"),
        ("9.XXX", "5123", "9123"),
        ("1002", "5123", "1002"),
    ],
)
def test_a_forward_keeps_the_dialled_digits_where_it_says_x(
    target: str, dialled: str, result: str
) -> None:
    assert translate(target, dialled) == result


GOOD = """
max_calls = 100
[search_spaces]
phones = ["", "PA"]
[[device]]
name = "SEP000000001001"
lines = [{ number = "1001", search_space = "phones" }]
[[device]]
name = "PA1-RP-6000"
kind = "route point"
lines = [{ number = "6000", partition = "PA", forward_failure = "1001" }]
[[user]]
name = "pa"
password = "secret"
devices = ["PA1-RP-6000"]
[timing]
no_answer = 3
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "cm.toml"
    path.write_text(text)
    return path


def test_a_good_file_is_read_and_a_password_is_never_shown(tmp_path: Path) -> None:
    config = callmanager.load(write(tmp_path, GOOD))
    assert config.devices[1].kind is callmanager.DeviceKind.ROUTE_POINT
    assert config.timing.no_answer == 3
    assert "secret" not in repr(config)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("max_calls = 100", "max_calls = 0", "max_calls"),
        ("max_calls = 100", 'max_calls = "x"', "max_calls"),
        ("max_calls = 100", "colour = 1", "colour"),
        ('phones = ["", "PA"]', "phones = 1", "phones"),
        ('phones = ["", "PA"]', "phones = [1]", "phones"),
        ('name = "SEP000000001001"', 'name = "SEP0000000010012"', "name"),
        ('name = "SEP000000001001"', 'name = "PA1-RP-6000"', "PA1-RP-6000: name"),
        ('name = "SEP000000001001"', "", "name"),
        ('kind = "route point"', 'kind = "teapot"', "PA1-RP-6000: kind"),
        ('number = "1001", ', "", "number"),
        ('number = "1001"', 'number = "10O1"', "number"),
        ('number = "6000", partition = "PA"', 'number = "1001"', "number"),
        ('search_space = "phones"', 'search_space = "phone"', "search_space"),
        ('forward_failure = "1001"', 'forward_failure = "?"', "forward_failure"),
        ('forward_failure = "1001"', "max_calls = 0", "max_calls"),
        ('password = "secret"', "", "user 1: password"),
        ('password = "secret"', "password = 5", "user 1: password"),
        ('devices = ["PA1-RP-6000"]', 'devices = ["X"]', "user pa: devices"),
        ("no_answer = 3", "no_answer = 0", "timing: no_answer"),
        ("no_answer = 3", "noanswer = 3", "timing: noanswer"),
        ("[timing]", "[timing", "cm.toml"),
    ],
)
def test_a_bad_field_is_named_with_its_file_and_section(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    assert old in GOOD
    with pytest.raises(ConfigurationError) as bad:
        callmanager.load(write(tmp_path, GOOD.replace(old, new, 1)))
    assert "cm.toml: " in str(bad.value)
    assert says in str(bad.value)


def test_the_configuration_in_the_documentation_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "callmanager.md").read_text()
    text, *_ = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    config = callmanager.load(write(tmp_path, text))
    assert len(config.devices) == 4
    assert [user.name for user in config.users] == ["app"]
    assert warnings(config) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"park_numbers": ("XXXX",)}, "park_numbers"),
        ({"park_numbers": ("7a",)}, "park_numbers"),
        ({"first_media_port": 24577}, "first_media_port"),
        ({"max_conference": 0}, "max_conference"),
        ({"max_media_streams": True}, "max_media_streams"),
        ({"music_on_hold": 5}, "music_on_hold"),
    ],
)
def test_a_bad_field_of_the_house_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigurationError, match=field):
        validation.check(replace(CallManagerConfig(), **change))


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ({"busy_trigger": 0}, "busy_trigger"),
        ({"no_answer": -1}, "no_answer"),
        ({"no_answer": True}, "no_answer"),
        ({"pickup_group": "x"}, "pickup_group"),
        ({"forward_all": "1002"}, "forward_all"),
    ],
)
def test_a_bad_field_of_a_shared_line_is_named(line: dict[str, Any], field: str) -> None:
    """The last of them is fine by itself, but not the same on both phones."""
    devices = (
        DeviceConfig(name="A", lines=(LineConfig(number="2000"),)),
        DeviceConfig(name="B", lines=(LineConfig(number="2000", **line),)),
    )
    with pytest.raises(ConfigurationError, match=field):
        validation.check(CallManagerConfig(devices=devices))


BROKEN = """
max_calls = 0
first_media_port = 24577
park_numbers = ["7a"]
nodes = ["10.0.0.1", "10.0.0.1"]
[timing]
keep_alive = 0
no_answer = -1
[stations]
max_connections = 10
[applications]
heartbeat = 0
login_within = 0
[control]
max_line = 0
[cti_tls]
key = "key.pem"
[[user]]
name = "ivr"
password = "secret"
devices = ["P9"]
[[device]]
name = "P1"
symmetric_rtp = true
lines = [{ number = "2000", busy_trigger = 0, search_space = "none" }, { number = "12a" }]
[[device]]
name = "P1"
[[device]]
name = "RP1"
kind = "route point"
keep_alive = 30
lines = [{ number = "2000", forward_busy = "1a" }, { number = "3000" }, { number = "3000" }]
"""
TOLD = [
    "max_calls: must be a whole number of at least 1",
    "stations: max_standing_by: must be less than max_connections",
    "applications: heartbeat: must be a whole number of seconds, 1 to 86400",
    "applications: login_within: must be a positive number of seconds, at most 86400",
    "cti_tls: certificate: is missing",
    "control: max_line: must be a whole number of at least 1",
    "timing: no_answer: must be a positive number of seconds, at most 86400",
    "timing: keep_alive: must be a whole number of seconds, 1 to 86400",
    "device P1: search_space: no search space 'none'",
    "device P1: busy_trigger: must be a whole number of at least 1",
    "device P1: number: '12a': ",
    "device P1: name: is used twice",
    "device P1: lines: must not be empty",
    "device RP1: keep_alive: is for phones and media ports",
    "device RP1: forward_busy: '1a': ",
    "device RP1: number: 3000 is already a line of RP1",
    "first_media_port: must be even, 1024 to 65534",
    "nodes: must be addresses, each once",
    "park_numbers: '7a': ",
    "user ivr: devices: no device P9",
]


def test_all_rules_that_a_file_breaks_are_told_at_once(tmp_path: Path) -> None:
    file = write(tmp_path, BROKEN)
    with pytest.raises(ConfigurationError) as caught:
        callmanager.load(file)
    said = [str(each).removeprefix(f"{file}: ") for each in (caught.value, *caught.value.others)]
    assert len(said) == len(TOLD)
    for one, start in zip(said, TOLD, strict=True):
        assert one.startswith(start)


def test_a_speed_dial_has_keys_of_a_phone() -> None:
    device = DeviceConfig(
        name="A", lines=(LineConfig(number="1"),), speed_dials=(SpeedDial(number="a"),)
    )
    with pytest.raises(ConfigurationError, match="speed_dials"):
        validation.check(CallManagerConfig(devices=(device,)))


MANY = tuple(LineConfig(number=str(1000 + number)) for number in range(256))


@pytest.mark.parametrize(
    ("device", "says"),
    [
        ({"lines": MANY}, "lines: must be at most 255"),
        ({"lines": MANY[:1], "speed_dials": (SpeedDial(number="1"),) * 256}, "speed_dials: must"),
        ({"lines": (LineConfig(number="1", name="a\0b"),)}, "name: must be printable"),
        ({"lines": MANY[:1], "speed_dials": (SpeedDial(number="1", name="\n"),)}, "name: must be"),
    ],
)
def test_what_no_phone_can_be_told_is_refused(device: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=f"device A: {says}"):
        validation.check(CallManagerConfig(devices=(DeviceConfig(name="A", **device),)))


def test_an_application_may_have_more_lines_than_a_phone() -> None:
    device = DeviceConfig(name="A", kind=DeviceKind.CTI_PORT, lines=MANY)
    validation.check(CallManagerConfig(devices=(device,)))


@pytest.mark.parametrize("seconds", [0.5, 30.0, 86_401, 1 << 32])
def test_the_keepalive_interval_is_one_that_can_be_announced(seconds: float) -> None:
    timing: Any = {"keep_alive": seconds}
    with pytest.raises(ConfigurationError, match="timing: keep_alive: must be a whole number"):
        validation.check(CallManagerConfig(timing=Timing(**timing)))


TIMES = [
    (part, each.name)
    for part, kind in (("timing", Timing), ("applications", CtiManagerConfig))
    for each in fields(kind)
    if each.type == "float"
]


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "86401", "true", "-1", '"1"'])
@pytest.mark.parametrize(("part", "field"), TIMES)
def test_a_time_is_a_number_of_seconds_that_ends(
    part: str, field: str, value: str, tmp_path: Path
) -> None:
    """TOML has inf and nan, and nan is neither below nor above any limit."""
    with pytest.raises(ConfigurationError, match=f"{part}: {field}: must be a (positive )?number"):
        callmanager.load(write(tmp_path, f"[{part}]\n{field} = {value}"))


@pytest.mark.parametrize("value", [math.nan, math.inf, 0])
def test_a_line_rings_and_a_login_is_waited_for_for_a_time_that_ends(value: float) -> None:
    if value:
        line = LineConfig(number="1001", no_answer=value)
        device = DeviceConfig(name="A", lines=(line,))
        with pytest.raises(ConfigurationError, match="device A: no_answer: must be a number"):
            validation.check(CallManagerConfig(devices=(device,)))
    applications = CtiManagerConfig(login_within=value)
    with pytest.raises(ConfigurationError, match="login_within: must be a positive number"):
        validation.check(CallManagerConfig(applications=applications))


def test_the_limits_of_stations_are_those_of_the_registrar_until_they_are_set(
    tmp_path: Path,
) -> None:
    assert RegistrarConfig(**asdict(StationLimits())) == RegistrarConfig()
    limits = "\n".join(f"{each.name} = {n}" for n, each in enumerate(fields(StationLimits), 1))
    said = limits.replace("connections = 1", "connections = 100")
    config = callmanager.load(write(tmp_path, f"[stations]\n{said}"))
    assert list(asdict(config.stations).values()) == [100, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ({"max_tokens": 0}, "max_tokens: must be a whole number of at least 1"),
        ({"max_unregistered": 1.5}, "max_unregistered: must be a whole number"),
        ({"max_connections": 5000}, "max_standing_by: must be less than max_connections"),
    ],
)
def test_a_bad_limit_of_stations_is_named(limits: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=f"stations: {says}"):
        validation.check(CallManagerConfig(stations=StationLimits(**limits)))


def test_a_file_that_is_not_there_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        callmanager.load(tmp_path / "none.toml")


PATTERN = st.lists(st.sampled_from(["1", "2", "*", "X", "[12]", "[^1]"]), min_size=1, max_size=4)
ENTRY = st.tuples(PATTERN.map("".join), st.sampled_from(["", "A", "B"]))


@given(
    st.lists(ENTRY, max_size=12),
    st.text("12*", max_size=4),
    st.lists(st.sampled_from(["A", "B"]), unique=True),
)
def test_the_tree_finds_what_looking_at_every_pattern_finds(
    entries: list[tuple[str, str]], digits: str, space: list[str]
) -> None:
    plan: DialPlan[int] = DialPlan()
    for number, (pattern, partition) in enumerate(entries):
        plan.add(pattern, partition, number)
    order = [*space, ""]
    seen = [
        (Pattern.parse(pattern), order.index(partition), number)
        for number, (pattern, partition) in enumerate(entries)
        if partition in order
    ]
    fitting = [(p.breadth, rank, n) for p, rank, n in seen if p.matches(digits)]
    found = plan.find(digits, space)
    assert found.target == (min(fitting)[2] if fitting else None)
    longer = any(p.begins(digits) and not p.matches(digits) for p, _, _ in seen)
    assert found.more is longer


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ("[applications]\nmax_connections = 0", "applications: max_connections: must be"),
        ("[applications]\nlogin_within = -1", "applications: login_within: must be"),
        ("[applications]\nheartbeat = 4294967296", "applications: heartbeat: must be"),
        ("[applications]\nversion = 15", "applications: version: must be text in quotes"),
        ("[applications]\nmost = 1", "applications: most: unknown; known are "),
        ('[[devices]]\nname = "A"', "devices: unknown; known are .*, device, "),
        ('[[users]]\nname = "a"', "users: unknown; known are .*, user$"),
        ('[cti_tls]\ncertificate = "a.pem"', "cti_tls: key: is missing"),
        ('[cti_tls]\nkey = "a.pem"', "cti_tls: certificate: is missing"),
        ("media_at_signalling_host = 1", "media_at_signalling_host: must be true or false"),
    ],
)
def test_a_bad_setting_of_applications_or_media_is_named(
    said: str, says: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=says):
        callmanager.load(write(tmp_path, said))


def test_a_setting_counts_instead_of_the_file_s(tmp_path: Path) -> None:
    file = write(tmp_path, "max_calls = 5\n[applications]\nmax_handles = 7\nheartbeat = 9")
    settings = (
        "applications.max_handles = 8",
        "stations.max_tokens=3",
        "max_calls = 6",
        "cti_tls = { certificate = 'a.pem', key = 'b.pem' }",
    )
    config = callmanager.load(file, settings)
    assert (config.applications.max_handles, config.applications.heartbeat) == (8, 9)
    assert (config.stations.max_tokens, config.max_calls) == (3, 6)
    assert config.cti_tls.key == f"{tmp_path}/b.pem"


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("applications.most = 1", "applications: most: unknown; known are "),
        ("applications.max_handles = 0", "applications: max_handles: must be a whole number"),
        ("applications = 1", "applications: must be a table"),
        ("timing.alerting = inf", "timing: alerting: must be a positive number"),
        ("limit = 1", "limit: unknown; known are "),
        ("devices = []", "devices: unknown; known are "),
        ("", "'' sets no field"),
        ("max_calls", "'max_calls' is no line of TOML: "),
        ("user = []", "user: is set in the file only"),
        ("[[device]]", "device: is set in the file only"),
    ],
)
def test_a_bad_setting_is_named(setting: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(says)):
        callmanager.load(write(tmp_path, ""), [setting])


def test_files_of_a_certificate_stand_beside_the_configuration(tmp_path: Path) -> None:
    said = '[cti_tls]\ncertificate = "cti.pem"\nkey = "/etc/key.pem"'
    files = callmanager.load(write(tmp_path, said)).cti_tls
    assert files == callmanager.TlsFiles(certificate=f"{tmp_path}/cti.pem", key="/etc/key.pem")
