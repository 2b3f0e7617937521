"""Real servers on several machines that are killed, lost, cut off, or whose store loses members.

All of them by ``make machines``, three by ``make test-long``. The times of all this are measured by
``figures.py``; hundreds of faults are played by ``play.py``.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Generator

import pytest
from machinejudge import CUTS
from machinelab import CALL_MANAGERS, STORE, MachineLab
from machines import needs_machines

pytestmark = pytest.mark.machines

EVERYTHING, FROM_CALL_MANAGERS = CUTS


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Generator[MachineLab]:
    """All machines, with phones that call both homes."""
    needs_machines("etcd", "curl")
    with MachineLab(tmp_path_factory.mktemp("machines")) as found:
        for home in found.shape.homes:
            found.callers(found.shape.number(home), talk=2.0)
        yield found


@pytest.fixture
def lab(machines: MachineLab) -> Generator[MachineLab]:
    """The machines; after the test all is home and answered, and has gone by the rules."""
    time.sleep(2.5)  # A server that has just started takes nothing from others for 2 s.
    yield machines
    assert machines.home(), f"{machines.have}\n{machines.logs()}"
    at_home = time.time()
    for home in machines.shape.homes:
        assert machines.answered(machines.shape.number(home), at_home)
    verdict = machines.verdict()
    print(f"\n{verdict}")
    assert not verdict.wrong, verdict


def taken(lab: MachineLab, owner: str, by: str, since: float) -> bool:
    """Wait until another server has got all of a home's devices."""
    devices = lab.shape.devices(owner)
    return lab.until(lambda: lab.arrivals(devices, by, since).keys() == {*devices})


def nobody_moved(lab: MachineLab, since: float) -> bool:
    lab.observer.look()
    return not [each for each in lab.observer.changes if each.time >= since]


@pytest.mark.long
def test_a_killed_server_is_taken_over_by_one_of_another_machine_and_comes_home(
    lab: MachineLab,
) -> None:
    assert taken(lab, "PA1", "PA3", lab.signal("PA1", signal.SIGKILL)), lab.have


@pytest.mark.long
def test_a_lost_machine_is_taken_over_and_comes_home_with_its_power(lab: MachineLab) -> None:
    lost = lab.lose(31)
    assert taken(lab, "PA1", "PA3", lost), lab.have
    lab.bring_back(31)


def test_who_is_cut_off_from_the_store_lets_go_before_another_one_takes(lab: MachineLab) -> None:
    cut = lab.cut(32, "cut from the store", *STORE)
    assert taken(lab, "PA2", "PA3", cut), lab.have
    devices = lab.shape.devices("PA2")
    left = lab.leavings(devices, "PA2", cut)
    came = lab.arrivals(devices, "PA3", cut)
    assert all(left[each] < came[each] for each in devices)
    lab.join(32, *STORE)


@pytest.mark.parametrize(
    ("what", "others"), [(EVERYTHING, ()), (FROM_CALL_MANAGERS, CALL_MANAGERS)]
)
def test_who_reaches_no_call_manager_is_stood_in_for(
    lab: MachineLab, what: str, others: tuple[int, ...]
) -> None:
    assert taken(lab, "PA1", "PA3", lab.cut(31, what, *others)), lab.have
    lab.join(31, *others)


@pytest.mark.long
def test_a_store_without_its_leader_goes_on_and_nobody_is_moved(lab: MachineLab) -> None:
    began = time.time()
    leader = lab.members.leader(lab.phones)
    assert leader is not None
    lab.members.signal(leader, signal.SIGKILL)
    lab.until(lambda: lab.members.leader(lab.phones) not in (None, leader))
    lab.members.start(leader)
    leader = lab.members.leader(lab.phones)
    assert leader is not None
    lab.members.signal(leader, signal.SIGSTOP)
    time.sleep(6.0)
    lab.members.signal(leader, signal.SIGCONT)
    assert nobody_moved(lab, began), lab.observer.changes


def test_an_agent_that_stands_still_or_dies_moves_nobody(lab: MachineLab) -> None:
    began = time.time()
    lab.signal_agent(31, signal.SIGSTOP)
    time.sleep(6.0)
    lab.signal_agent(31, signal.SIGCONT)
    lab.signal_agent(32, signal.SIGKILL)
    lab.agent(32)
    assert nobody_moved(lab, began), lab.observer.changes


def test_a_server_that_stands_still_has_given_everything_up_when_it_goes_on(
    lab: MachineLab,
) -> None:
    stopped = lab.signal("PA2", signal.SIGSTOP)
    assert taken(lab, "PA2", "PA3", stopped), lab.have
    lab.signal("PA2", signal.SIGCONT)


def test_a_wall_clock_that_is_set_moves_nobody(lab: MachineLab) -> None:
    began = time.time()
    for hours in (1000, -1000, 0):
        lab.set_clock(31, hours * 3600.0)
        time.sleep(3.0)
    assert nobody_moved(lab, began), lab.observer.changes


def test_callers_are_answered_over_slow_links_that_lose_frames(lab: MachineLab) -> None:
    lab.network.quality(delay=0.02, jitter=0.01, loss=0.05, duplicates=0.02)
    began = time.time()
    for home in lab.shape.homes:
        assert lab.answered(lab.shape.number(home), began)
    lab.network.quality()


def test_an_operator_drains_a_server_and_restarts_homes_from_another_machine(
    lab: MachineLab,
) -> None:
    done = lab.order("drain", "PA1", "--deadline", "60")
    assert done.returncode == 0, done.stdout
    assert not lab.runs("PA1")
    done = lab.order("start", "PA1", "--within", "60")
    assert done.returncode == 0, done.stdout
    lab.home()
    lab.fault("restart", *lab.shape.homes)
    done = lab.command("restart", "--store", lab.store, *lab.shape.homes)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1] == "restarted: PA1, PA2"
