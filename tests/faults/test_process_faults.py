"""Servers that are killed, stopped, ended or started at the wrong moment."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from faultconfig import Shape
from faultlab import Lab, needs

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]


def test_an_owner_that_stands_still_costs_what_the_table_says(tmp_path: Path) -> None:
    with Lab(tmp_path, "stop") as lab:
        devices = lab.begin()
        lab.callers("6000", talk=200.0)
        time.sleep(2.0)
        stopped = lab.signal("PA1", signal.SIGSTOP)
        assert lab.until(lambda: "PA2" in lab.have.get("RP-PA1", ()))
        lab.say(f"the route point is at PA2 after {time.time() - stopped:.1f} s")
        ports = [each for each in devices if each.startswith("VI")]
        lab.took("PA2 has the ports", stopped, lab.wait(ports, "PA2"))
        lab.status()
        time.sleep(max(0.0, stopped + 45.0 - time.time()))
        lab.signal("PA1", signal.SIGCONT)
        lab.kill("callers0")
        assert lab.wait(devices, "PA1"), lab.have
        lab.shown()
        lab.fair()


def test_the_stand_in_dies_while_it_takes_over(tmp_path: Path) -> None:
    with Lab(
        tmp_path, "takeover_kill", Shape(spares=("PA2", "PA3"), ports=12, interceptors=2)
    ) as lab:
        devices = lab.begin()
        lab.callers("6000", phones=3, talk=1.0)
        for number in range(8):
            lab.kill("PA1")
            time.sleep(0.01 + 0.02 * number)
            killed = lab.kill("PA2")
            lab.took(f"round {number + 1}: PA3 has everything", killed, lab.wait(devices, "PA3"))
            lab.status()
            lab.server("PA2")
            lab.server("PA1")
            assert lab.wait(devices, "PA1"), lab.have
            time.sleep(2.3)
        lab.shown()
        lab.fair()


def test_either_dies_at_some_moment_of_the_return(tmp_path: Path) -> None:
    shape = Shape(spares=("PA2", "PA3"), ports=6, interceptors=2)
    with Lab(tmp_path, "return_kill", shape) as lab:
        devices = lab.begin()
        lab.callers("6000", phones=4, talk=1.5)
        for number, home in enumerate([0, 0, 2, 2, 5, 5, 8, 8]):
            lab.kill("PA1")
            assert lab.until(lambda: held_by_one(lab, devices, ("PA2", "PA3"))), lab.have
            time.sleep(0.5)
            lab.server("PA1")
            lab.until(lambda home=home: lab_home(lab) >= home, 20.0)
            victim = "PA1" if number % 2 else "PA2"
            killed = lab.kill(victim)
            others = [name for name in lab.shape.names if name != victim]
            assert lab.until(lambda others=others: held_by_one(lab, devices, others, split=True)), (
                lab.have
            )
            served = lab.observer.last_change(devices)
            lab.took(f"{victim} dies when {home} were home: all is served", killed, served)
            lab.status()
            lab.server(victim)
            assert lab.wait(devices, "PA1"), lab.have
            time.sleep(2.3)
        lab.shown()
        lab.fair()


def lab_home(lab: Lab) -> int:
    """How many devices are at home."""
    return sum(by == ("PA1",) for by in lab.have.values())


def held_by_one(
    lab: Lab, devices: Sequence[str], names: Sequence[str], *, split: bool = False
) -> bool:
    """All devices are at one server each: at the same, or ``split`` among several."""
    have = lab.have
    holders = [have.get(each, ()) for each in devices]
    if any(len(by) != 1 or by[0] not in names for by in holders):
        return False
    return split or len(set(holders)) == 1


@pytest.mark.long
def test_an_ordered_end_is_taken_over_at_once(tmp_path: Path) -> None:
    with Lab(tmp_path, "term", Shape(spares=("PA2", "PA3"), ports=4)) as lab:
        devices = lab.begin()
        lab.callers("6000", phones=3, talk=30.0)
        time.sleep(2.0)
        for name, heir in (("PA1", "PA2"), ("PA2", "PA3")):
            told = lab.signal(name, signal.SIGTERM)
            lab.took(f"{heir} has everything", told, lab.wait(devices, heir))
            assert lab.processes[name].wait(20) == 0
            lab.status()
            time.sleep(3.0)
        lab.shown()
        lab.fair()


def test_both_die_and_come_back_in_any_order(tmp_path: Path) -> None:
    with Lab(tmp_path, "both") as lab:
        devices = lab.begin()
        for order in (("PA2", "PA1"), ("PA1", "PA2"), ("PA2",), ("PA1",)):
            for name in lab.shape.names:
                lab.kill(name)
            time.sleep(0.5)
            lab.status()
            came = time.time()
            for name in order:
                lab.server(name)
            heir = "PA1" if "PA1" in order else "PA2"
            lab.took(f"{' and '.join(order)} started: {heir} serves", came, lab.wait(devices, heir))
            for name in lab.shape.names:
                if not lab.alive(name):
                    lab.server(name)
            assert lab.wait(devices, "PA1"), lab.have
        lab.shown()
        lab.fair()


@pytest.mark.long
def test_a_second_process_of_one_name_is_refused(tmp_path: Path) -> None:
    with Lab(tmp_path, "two_names") as lab:
        devices = lab.begin()
        for number, name in enumerate(("PA1", "pa1", "Pa2")):
            began = time.time()
            again = lab.command("server", "--cluster", "cluster.toml", "--name", name)
            lab.took(f"{name} is refused a second time", began, time.time())
            lab.seen.append(again)
            lab.say(f"second {name} ({number + 1}): {again.strip().splitlines()[-1]}")
            assert "is up" not in again
        assert lab.wait(devices, "PA1", 2.0), lab.have
        lab.shown()
        lab.fair()


def test_more_ports_than_calls_are_allowed(tmp_path: Path) -> None:
    shape = Shape(
        homes=("PA1", "PA2"),
        spares=(),
        ports={"PA1": 24, "PA2": 18},
        lists={"PA1": ("PA2",), "PA2": ("PA1",)},
        phones=42,
    )
    with Lab(tmp_path, "capacity", shape) as lab:
        devices = lab.begin()
        killed = lab.kill("PA1")
        lab.took("PA2 has 42 ports", killed, lab.wait(devices, "PA2"))
        lab.callers("6000", phones=24, talk=300.0)
        time.sleep(3.0)
        lab.callers("7000", phones=18, talk=300.0, first=24)
        time.sleep(8.0)
        busy: set[str] = set()
        most = 0
        for event in lab.events("PA2", killed):
            if event["kind"] == "failover.busy":
                busy.add(event["identity"])
            elif event["kind"] == "failover.idle":
                busy.discard(event["identity"])
            most = max(most, len(busy))
        turned_away = lab.kinds("PA2", killed).count("turned_away")
        lab.say(f"{most} ports had a call, {turned_away} calls were one too many")
        lab.status()
        assert len(busy) == 36
        lab.shown()
        lab.fair()


def test_a_machine_that_booted_at_another_time_is_understood(tmp_path: Path) -> None:
    elsewhere = ["unshare", "-T", "--fork", "--kill-child", "--boottime", "400000"]
    elsewhere += ["--monotonic", "300000"]
    needs([*elsewhere, "true"], "a time namespace")
    with Lab(tmp_path, "boottime") as lab:
        lab.manager()
        lab.server("PA2")
        began = time.time()
        lab.server("PA1", before=elsewhere)
        devices = lab.shape.devices()
        lab.took("PA1 serves", began, lab.wait(devices, "PA1"))
        lab.stays(devices, "PA1", 6.0)
        lab.status()
        lab.shown()
        lab.fair()


def test_an_application_that_blocks_its_server_loses_it_and_comes_back(tmp_path: Path) -> None:
    with Lab(tmp_path, "wedge") as lab:
        lab.manager()
        lab.server("PA2")
        lab.server("PA1", blocks=7.0)
        devices = lab.shape.devices()
        assert lab.wait(devices, "PA1"), lab.have
        time.sleep(2.3)
        began = time.time()
        lab.callers("6000", phones=1, talk=300.0)
        assert lab.until(lambda: "PA2" in lab.have.get("RP-PA1", ())), lab.have
        lab.status()
        lab.kill("callers0")
        lab.took("everything is at PA1 again", began, lab.wait(devices, "PA1"))
        lab.shown()


@pytest.mark.parametrize("ports", [2, 35])
def test_a_takeover_takes_as_long_as_the_table_says(tmp_path: Path, ports: int) -> None:
    shape = Shape(ports=ports, interceptors=1 if ports == 2 else 4)
    with Lab(tmp_path, "timing", shape) as lab:
        devices = lab.begin()
        for _ in range(3):
            killed = lab.kill("PA1")
            had = lab.wait(devices, "PA2")
            lab.took(f"PA2 has {len(devices)} identities", killed, had)
            lab.status()
            came = time.time()
            lab.server("PA1")
            home = lab.wait(devices, "PA1")
            assert home, lab.have
            lab.say(f"PA1 has everything {home - came:.2f} s after its start")
            time.sleep(2.3)
        lab.shown()
        lab.fair()


def test_ten_idle_servers_cost_next_to_nothing(tmp_path: Path) -> None:
    homes = tuple(f"PA{number}" for number in range(1, 10))
    with Lab(tmp_path, "idle", Shape(homes=homes, spares=("SP1",), phones=2)) as lab:
        lab.manager()
        for name in lab.shape.names:
            # As an operator starts it: without the trace, which has a task of its own.
            command = ("-m", "pa_telephony", "server", "--cluster", "cluster.toml", "--name", name)
            lab.spawn(name, *command)
        for home in homes:
            assert lab.wait(lab.shape.devices(home), home), lab.have
        time.sleep(8.0)
        before = {name: spent(lab, name) for name in lab.shape.names}
        time.sleep(20.0)
        used = {name: spent(lab, name) - before[name] for name in lab.shape.names}
        lab.say("CPU in 20 s: " + ", ".join(f"{name} {each:.2f} s" for name, each in used.items()))
        lab.status()
        assert max(used.values()) <= lab.row.within
        lab.shown()
        lab.fair()


def spent(lab: Lab, name: str) -> float:
    """Seconds of CPU that a server has used."""
    fields = Path(f"/proc/{lab.processes[name].pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
