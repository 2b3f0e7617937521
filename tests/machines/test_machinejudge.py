"""The judge of the machines: what nobody can use is no registration in force; all else counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from faultjudge import Call, Fault, Observer
from machinejudge import BACK, CUTS, judge_machines

NAMES = {"10.9.0.31": "PA1", "10.9.0.32": "PA2"}
PORTS = {"6001": "VI1"}
NOW = 300.0
EVERYTHING, _ = CUTS

Seen = tuple[float, str, str]
"""When, which device, and who has it by which port: ``"PA1:1 PA2:7"``."""


def observer(tmp_path: Path, *managers: list[Seen]) -> Observer:
    addresses = {name: address for address, name in NAMES.items()}
    files: list[Path] = []
    for number, changes in enumerate(managers):
        lines: list[dict[str, object]] = []
        for time, device, had in changes:
            pairs = [each.split(":") for each in had.split()]
            by = [addresses[name] for name, _ in pairs]
            ports = [int(port) for _, port in pairs]
            line = {"time": time, "device": device, "by": by, "ports": ports}
            lines.append({"time": time, "up": True} if device == "up" else line)
        files.append(tmp_path / f"observed-{number}.jsonl")
        files[-1].write_text("".join(json.dumps(line) + "\n" for line in lines))
    return Observer(NAMES, *files)


def wrong(tmp_path: Path, changes: list[Seen], *faults: Fault) -> list[str]:
    return judge_machines(observer(tmp_path, changes), [], faults, PORTS, NOW).wrong


TAKEN = [(1.0, "RP", "PA1:1"), (10.0, "RP", "PA1:1 PA2:7")]
"""PA2 takes what the call manager believes that PA1 has, at 10 s."""


def test_two_call_managers_are_looked_at_as_one(tmp_path: Path) -> None:
    both = observer(
        tmp_path,
        [(1.0, "RP", "PA1:1"), (5.0, "RP", ""), (8.0, "up", "")],
        [(4.0, "RP", "PA2:7"), (6.0, "RP", "PA1:9")],
    )
    assert both.look() == {"RP": ("PA1",)}
    assert [(each.start, each.end) for each in both.doubles(NOW)] == [(4.0, 5.0)]
    port = observer(tmp_path, [(1.0, "VI1", "PA1:1")], [(2.0, "VI1", "PA2:7")])
    assert judge_machines(port, [], [], PORTS, NOW).wrong == ["VI1 at PA1 and PA2 for 298.00 s"]


def test_one_server_may_have_it_at_both_call_managers(tmp_path: Path) -> None:
    both = observer(tmp_path, [(1.0, "VI1", "PA1:1")], [(2.0, "VI1", "PA1:7")])
    assert judge_machines(both, [], [], PORTS, NOW).wrong == []


@pytest.mark.parametrize("death", ["SIGKILL", "lost"])
def test_what_the_dead_had_counts_no_more_however_long_it_stands_there(
    tmp_path: Path, death: str
) -> None:
    assert wrong(tmp_path, TAKEN) != []
    assert wrong(tmp_path, TAKEN, Fault(5.0, death, "PA1")) == []
    assert wrong(tmp_path, TAKEN, Fault(5.0, death, "PA2")) != []


def test_what_it_registers_after_its_return_counts(tmp_path: Path) -> None:
    again = [*TAKEN, (20.0, "RP", "PA1:1 PA2:7 PA1:2")]
    assert wrong(tmp_path, again, Fault(5.0, "lost", "PA1"), Fault(19.0, "returned", "PA1")) == [
        "RP at PA2 and PA1 for 280.00 s"
    ]


def test_who_is_cut_off_has_given_it_up_when_the_end_of_its_connection_can_have_come_through(
    tmp_path: Path,
) -> None:
    cut, back = Fault(5.0, EVERYTHING, "PA1"), Fault(15.0, BACK, "PA1")
    gone = [*TAKEN, (25.0, "RP", "PA2:7")]
    assert wrong(tmp_path, gone, cut, back) == []
    assert wrong(tmp_path, TAKEN, cut) == []
    assert wrong(tmp_path, TAKEN, cut, back) == ["RP at PA1 and PA2 for 274.00 s"]
    late = [(1.0, "RP", "PA1:1"), (100.0, "RP", "PA1:1 PA2:7")]
    assert wrong(tmp_path, late, cut, back) != []


def test_who_is_cut_off_from_the_store_alone_is_not_excused(tmp_path: Path) -> None:
    assert wrong(tmp_path, TAKEN, Fault(5.0, "cut from the store", "PA1")) != []


def test_who_stands_still_has_it_again_half_a_second_after_it_goes_on(tmp_path: Path) -> None:
    stopped, goes_on = Fault(5.0, "SIGSTOP", "PA1"), Fault(20.0, "SIGCONT", "PA1")
    assert wrong(tmp_path, [*TAKEN, (20.4, "RP", "PA2:7")], stopped, goes_on) == []
    assert wrong(tmp_path, [*TAKEN, (23.0, "RP", "PA2:7")], stopped, goes_on) == [
        "RP at PA1 and PA2 for 2.50 s"
    ]


def test_a_route_point_may_be_with_two_for_the_time_of_a_return_and_a_port_never(
    tmp_path: Path,
) -> None:
    for device, counts in (("RP", 0), ("VI1", 1)):
        changes = [
            (1.0, device, "PA2:7"),
            (2.0, device, "PA2:7 PA1:1"),
            (3.0, device, "PA1:1"),
        ]
        assert len(wrong(tmp_path, changes)) == counts


@pytest.mark.parametrize(
    ("fault", "excused"),
    [
        (Fault(9.0, "lost", "PA1"), True),
        (Fault(5.0, EVERYTHING, "PA1"), True),
        (Fault(9.9, "SIGKILL", "cm"), True),
        (Fault(9.9, "lost", "PA2"), False),
        (Fault(9.9, "returned", "PA1"), False),
        (Fault(-9.0, "SIGKILL", "PA1"), False),
    ],
)
def test_a_call_ends_for_a_reason(tmp_path: Path, fault: Fault, excused: bool) -> None:
    seen = observer(tmp_path, [(1.0, "VI1", "PA1:1")])
    call = Call(dialled=1.5, up=2.0, end=10.0, number="6000", at="6001", result="dropped")
    verdict = judge_machines(seen, [call], [fault], PORTS, NOW)
    assert (not verdict.wrong) is excused
    assert verdict.calls == {"dropped": 1}
