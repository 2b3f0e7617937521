"""The judge of the fault scenarios, and that every row of the page has a scenario."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from faultjudge import Call, Fault, Observer, judge
from faultlab import rows

NAMES = {"127.0.1.11": "PA1", "127.0.1.12": "PA2"}
PORTS = {"6001": "VI1"}
NOW = 100.0


def observed(tmp_path: Path, *changes: tuple[float, str, str]) -> Observer:
    """An observer that has seen ``(time, device, servers)``; "up" is a call manager's start."""
    addresses = {name: address for address, name in NAMES.items()}
    lines: list[dict[str, object]] = [
        {"time": time, "up": True}
        if device == "up"
        else {"time": time, "device": device, "by": [addresses[name] for name in by.split()]}
        for time, device, by in changes
    ]
    file = tmp_path / "observed.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"time": 1')
    return Observer(NAMES, file)


def wrong(tmp_path: Path, changes: list[tuple[float, str, str]], *faults: Fault) -> list[str]:
    return judge(observed(tmp_path, *changes), [], faults, PORTS, NOW).wrong


def test_the_observer_knows_who_has_what_now_and_had_it_then(tmp_path: Path) -> None:
    observer = observed(tmp_path, (1.0, "VI1", "PA1"), (2.0, "VI1", ""), (3.0, "VI1", "PA2"))
    assert observer.look() == {"VI1": ("PA2",)}
    assert [observer.holder_at("VI1", time) for time in (0.5, 1.5, 2.5, 3.5)] == [
        "",
        "PA1",
        "",
        "PA2",
    ]
    assert observer.last_change(["VI1", "VI2"]) == 3.0


def test_a_call_manager_that_starts_has_nobody(tmp_path: Path) -> None:
    observer = observed(tmp_path, (1.0, "RP", "PA1 PA2"), (1.5, "up", ""))
    assert observer.look() == {"RP": ()}
    (double,) = observer.doubles(NOW)
    assert (double.start, double.end) == (1.0, 1.5)


def test_two_may_have_a_route_point_for_the_time_of_a_return_and_a_port_never(
    tmp_path: Path,
) -> None:
    assert wrong(tmp_path, [(1.0, "RP", "PA2 PA1"), (2.0, "RP", "PA1")]) == []
    assert wrong(tmp_path, [(1.0, "RP", "PA2 PA1"), (3.0, "RP", "PA1")]) == [
        "RP at PA2 and PA1 for 2.00 s"
    ]
    assert wrong(tmp_path, [(1.0, "VI1", "PA2 PA1"), (1.1, "VI1", "PA1")]) == [
        "VI1 at PA2 and PA1 for 0.10 s"
    ]
    assert wrong(tmp_path, [(1.0, "RP", "PA2 PA1")]) == ["RP at PA2 and PA1 for 99.00 s"]


def test_who_stands_still_gives_nothing_up(tmp_path: Path) -> None:
    changes = [(1.0, "RP", "PA1 PA2"), (9.0, "RP", "PA2")]
    stopped, goes_on = Fault(0.5, "SIGSTOP", "PA1"), Fault(8.9, "SIGCONT", "PA1")
    assert wrong(tmp_path, changes, stopped, goes_on) == []
    assert wrong(tmp_path, changes, stopped) == []
    assert wrong(tmp_path, changes, stopped, Fault(5.0, "SIGCONT", "PA1")) != []
    other = [Fault(each.time, each.what, "PA3") for each in (stopped, goes_on)]
    assert wrong(tmp_path, changes, *other) != []


def test_a_call_manager_that_stands_still_hears_of_nothing(tmp_path: Path) -> None:
    changes = [(1.0, "RP", "PA2 PA1"), (4.2, "RP", "PA1")]
    assert wrong(tmp_path, changes, Fault(1.1, "SIGSTOP", "cm"), Fault(4.1, "SIGCONT", "cm")) == []
    assert wrong(tmp_path, changes, Fault(1.1, "SIGSTOP", "cm"), Fault(2.1, "SIGCONT", "cm")) != []


@pytest.mark.parametrize(
    ("fault", "excused"),
    [
        (Fault(9.9, "SIGKILL", "PA1"), True),
        (Fault(9.9, "SIGKILL", "cm"), True),
        (Fault(9.9, "SIGKILL", "PA2"), False),
        (Fault(9.9, "start", "PA1"), False),
        (Fault(5.0, "SIGKILL", "PA1"), False),
        (Fault(5.0, "SIGSTOP", "PA1"), True),
    ],
)
def test_a_call_ends_for_a_reason(tmp_path: Path, fault: Fault, excused: bool) -> None:
    observer = observed(tmp_path, (1.0, "VI1", "PA1"))
    call = Call(dialled=1.5, up=2.0, end=10.0, number="6000", at="6001", result="dropped")
    verdict = judge(observer, [call], [fault], PORTS, NOW)
    assert (not verdict.wrong) is excused
    assert verdict.calls == {"dropped": 1}
    assert str(verdict).startswith("calls: 1 dropped; ")


def test_every_row_of_the_page_has_a_scenario_and_every_scenario_a_row() -> None:
    played: set[str] = set()
    for file in Path(__file__).parent.glob("test_*_faults.py"):
        text = file.read_text()
        played |= set(re.findall(r'Lab\(\s*tmp_path, "(\w+)"', text))
        for several in re.findall(r'parametrize\("scenario", \[([^]]*)\]', text):
            played |= set(re.findall(r'"(\w+)"', several))
    assert played == set(rows())
    for row in rows().values():
        assert row.words, row
        assert row.within > 0
