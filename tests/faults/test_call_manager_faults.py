"""The call manager is slow, gone, gone again and again, or half of it cannot be reached."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from faultconfig import CALL_MANAGER, SECOND, Shape
from faultlab import Lab

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]
STEPS = {"take_home", "leave", "acquire"}
"""What a server does that takes or gives up in the store."""


@pytest.mark.long
def test_a_route_point_closed_at_a_slow_call_manager_is_not_kept_by_two(tmp_path: Path) -> None:
    with Lab(tmp_path, "zombie") as lab:
        devices = lab.begin()
        lab.kill("PA1")
        assert lab.wait(devices, "PA2")
        time.sleep(0.5)
        lab.server("PA1")
        assert lab.until(lambda: lab.have.get("RP-PA1") == ("PA2", "PA1")), lab.have
        lab.signal("cm", signal.SIGSTOP)
        time.sleep(3.0)
        goes_on = lab.signal("cm", signal.SIGCONT)
        lab.took("PA1 alone has everything", goes_on, lab.wait(devices, "PA1"))
        # The number is answered, whoever dies next.
        dialled = time.time()
        lab.callers("6000", talk=0.3)
        time.sleep(5.0)
        lab.status()
        killed = lab.kill("PA1")
        lab.took("PA2 has everything again", killed, lab.wait(devices, "PA2"))
        time.sleep(3.0)
        assert lab.calls_since(dialled).get("hung up", 0) > 5
        assert lab.calls_since(time.time() - 2.5).keys() <= {"hung up"}
        lab.shown()
        lab.fair()


def test_stop_while_the_call_manager_is_slow_gives_everything_up(tmp_path: Path) -> None:
    with Lab(tmp_path, "zombie_stop") as lab:
        devices = lab.begin()
        lab.signal("cm", signal.SIGSTOP)
        lab.order("stop", "PA1")
        time.sleep(1.0)
        goes_on = lab.signal("cm", signal.SIGCONT)
        lab.took("PA2 alone has everything", goes_on, lab.wait(devices, "PA2"))
        lab.status()
        lab.order("start", "PA1")
        assert lab.wait(devices, "PA1"), lab.have
        lab.shown()
        lab.fair()


@pytest.mark.long
def test_a_call_manager_that_is_gone_for_a_while_moves_nobody(tmp_path: Path) -> None:
    with Lab(tmp_path, "cm", Shape(ports=4)) as lab:
        devices = lab.begin()
        lab.callers("6000")
        time.sleep(2.0)
        killed = lab.kill("cm")
        time.sleep(4.0)
        lab.status()
        time.sleep(1.0)
        lab.manager()
        back = time.time()
        lab.took("everything is at PA1", back, lab.wait(devices, "PA1"))
        lab.stays(devices, "PA1", 3.0)
        for name in lab.shape.names:
            assert not STEPS & set(lab.kinds(name, killed)), lab.kinds(name, killed)
        lab.shown()
        lab.fair()


def test_outages_longer_than_a_server_may_act_move_nobody(tmp_path: Path) -> None:
    with Lab(tmp_path, "cm_loop", Shape(ports=4)) as lab:
        devices = lab.begin()
        for number in range(6):
            killed = lab.kill("cm")
            time.sleep(4.5 + 0.7 * number)
            lab.status()
            lab.manager()
            back = time.time()
            lab.took(f"outage {number + 1}: all is at PA1", back, lab.wait(devices, "PA1"))
            assert "take_home" not in lab.kinds("PA2", killed)
            time.sleep(2.5)
        lab.shown()
        lab.fair()


@pytest.mark.long
def test_a_server_that_has_lost_sccp_alone_is_stood_in_for(tmp_path: Path) -> None:
    with Lab(tmp_path, "sccp_cut", Shape(skinny=f"{CALL_MANAGER}:2002")) as lab:
        lab.proxy(2002, 2000)
        devices = lab.begin()
        lab.callers("6000", talk=1.0)
        time.sleep(3.0)
        cut = lab.cut("PA1")
        lab.until(lambda: lab.status() != [] and "skinny" in "".join(lab.seen), 10.0)
        lab.took("PA2 has everything", cut, lab.wait(devices, "PA2"))
        dialled = time.time()
        time.sleep(4.0)
        assert lab.calls_since(dialled).keys() <= {"hung up"}
        lab.status()
        lab.cut()
        assert lab.wait(devices, "PA1"), lab.have
        lab.shown()
        lab.fair()


@pytest.mark.long
def test_the_first_of_two_call_managers_dies_and_comes_back(tmp_path: Path) -> None:
    steady = 5.0
    timing = {"flap_window": 0.0, "steady": steady}
    with Lab(tmp_path, "cm_two", Shape(managers=(CALL_MANAGER, SECOND), timing=timing)) as lab:
        lab.second_manager()
        devices = lab.begin()
        # Until every server has reached both steadily.
        time.sleep(steady + 3.0)
        lab.callers("6000", talk=1.0)
        time.sleep(2.0)
        killed = lab.kill("cm")
        lab.took(
            "PA1 has everything at the second", killed, lab.wait(devices, "PA1", at=lab.second)
        )
        dialled = time.time()
        assert lab.until(lambda: lab.calls_since(dialled).get("hung up", 0) > 3), lab.calls()
        lab.status()
        lab.manager()
        back = time.time()
        lab.took("PA1 has everything at the first", back, lab.wait(devices, "PA1"))
        assert lab.until(lambda: not any(lab.second.look().values())), lab.second.holders
        dialled = time.time()
        assert lab.until(lambda: lab.calls_since(dialled).get("hung up", 0) > 3), lab.calls()
        for name in lab.shape.names:
            assert not STEPS & set(lab.kinds(name, killed)), lab.kinds(name, killed)
        lab.shown()
        lab.fair()
