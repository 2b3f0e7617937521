"""Too few descriptors, UDP ports that another program has, and two files that differ."""

from __future__ import annotations

import resource
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from faultconfig import Shape
from faultlab import Lab, few_descriptors
from loopback import NETWORK

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]


@pytest.mark.long
def test_a_stand_in_without_descriptors_is_passed_over(tmp_path: Path) -> None:
    with Lab(tmp_path, "deaf", Shape(spares=("PA2", "PA3"))) as lab:
        devices = lab.begin()
        few_descriptors(lab.processes["PA2"], 0)
        time.sleep(1.0)
        killed = lab.kill("PA1")
        lab.took("PA3 has everything", killed, lab.wait(devices, "PA3"))
        lab.status()
        lab.shown()
        lab.fair()


def test_an_owner_without_descriptors_goes_on_with_what_it_has_open(tmp_path: Path) -> None:
    with Lab(tmp_path, "deafowner") as lab:
        devices = lab.begin()
        few_descriptors(lab.processes["PA1"], 0)
        began = lab.fault("descriptors", "PA1")
        lab.callers("6000", talk=0.3)
        lab.stays(devices, "PA1", 10.0)
        lab.status()
        served = [call for call in lab.calls() if call.result == "hung up"]
        # The sound of a call needs two more; where there are none, it ends as it begins.
        assert all(call.end - call.up < 0.5 for call in lab.calls() if call.result == "dropped")
        assert len(served) > 5, lab.calls_since(began)
        slowest = max(served, key=lambda call: call.up - call.dialled)
        lab.took("the slowest call was answered", slowest.dialled, slowest.up)
        lab.shown()
        lab.fair()


def test_a_server_without_descriptors_says_what_it_could_not_register(tmp_path: Path) -> None:
    with Lab(tmp_path, "fds", Shape(ports=36, interceptors=2)) as lab:
        devices = lab.begin()
        few_descriptors(lab.processes["PA2"], 20)
        lab.kill("PA1")
        time.sleep(8.0)
        lab.status()
        registered = sum(lab.have.get(each) == ("PA2",) for each in devices)
        lab.say(f"{registered} of {len(devices)} registered with 20 descriptors")
        assert lab.alive("PA2")
        room = time.time()
        resource.prlimit(lab.processes["PA2"].pid, resource.RLIMIT_NOFILE, (4096, 4096))
        lab.took("with more room everything is at PA2", room, lab.wait(devices, "PA2"))
        lab.shown()
        lab.fair()


@pytest.mark.long
def test_a_port_whose_socket_somebody_else_has_is_down_and_gets_no_calls(tmp_path: Path) -> None:
    with Lab(tmp_path, "udp", Shape(ports=4)) as lab:
        taken = [("PA1", 20002), ("PA2", 20002)]
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in taken]
        for each, (name, number) in zip(sockets, taken, strict=True):
            each.bind((lab.shape.address(name), number))
        lab.manager()
        for name in ("PA2", "PA1"):
            lab.server(name)
        usable = [each for each in lab.shape.devices() if each != "VI2"]
        began = time.time()
        lab.took("PA1 serves the others", began, lab.wait(usable, "PA1"))
        time.sleep(2.3)
        lab.status()
        dialled = time.time()
        lab.callers("6000", phones=3, talk=0.5)
        time.sleep(5.0)
        assert lab.calls_since(dialled).keys() <= {"hung up"}, lab.calls_since(dialled)
        for each in sockets:
            each.close()
        assert lab.wait(["VI2"], "PA1", 30.0), lab.have
        lab.shown()
        lab.fair()


def test_ranges_that_meet_when_two_homes_fall_are_warned_of_and_passed_over(
    tmp_path: Path,
) -> None:
    here = f"{NETWORK}.11"
    shape = Shape(
        homes=("PA1", "PA2"),
        spares=("SP1",),
        hosts={"PA1": here, "PA2": here, "SP1": here},
        udp={"SP1": 20000, "PA1": 20004, "PA2": 20012},
    )
    with Lab(tmp_path, "udp_two", shape) as lab:
        lab.manager()
        for name in ("SP1", "PA1", "PA2"):
            lab.server(name)
        lab.seen += lab.errors("SP1").splitlines()
        time.sleep(5.0)
        lab.kill("PA1")
        killed = lab.kill("PA2")

        # All servers have one address, so the call manager cannot tell who is who.
        def at_spare() -> bool:
            each = [line for page in lab.status() for line in page["resources"]]
            return len(each) == 8 and all(line["up"] and line["holder"] == "SP1" for line in each)

        lab.took("SP1 serves both", killed, time.time() if lab.until(at_spare) else 0.0)
        lab.shown()


def test_a_file_that_is_edited_counts_when_it_is_imported(tmp_path: Path) -> None:
    with Lab(tmp_path, "config", Shape(spares=("PA2", "PA3"))) as lab:
        # The call manager knows four ports, so that either file could be served.
        Shape(spares=("PA2", "PA3"), ports=4).write(tmp_path / "new")
        (tmp_path / "cm.toml").write_text((tmp_path / "new" / "cm.toml").read_text())
        devices = lab.begin()
        lab.kill("PA1")
        assert lab.wait(devices, "PA2"), lab.have
        new = Shape(spares=("PA2", "PA3"), ports=4)
        new.write(tmp_path)
        came = time.time()
        lab.server("PA1")
        lab.took("PA1 has what the store gives it", came, lab.wait(devices, "PA1"))
        assert "is ignored until `pa-telephony cluster import`" in lab.errors("PA1")
        command = (sys.executable, "-m", "pa_telephony", "cluster", "import")
        subprocess.run([*command, "--cluster", "cluster.toml"], cwd=tmp_path, check=True)
        saved, four = time.time(), new.devices()
        lab.took("PA1 has all that the new file gives it", saved, lab.wait(four, "PA1"))
        time.sleep(2.3)
        lab.status()
        lab.kill("PA1")
        killed = time.time()
        lab.took("PA2, which was not restarted, stands in", killed, lab.wait(four, "PA2"))
        lab.shown()
        lab.fair()


def test_a_server_s_place_in_the_file_changes_no_device(tmp_path: Path) -> None:
    with Lab(tmp_path, "reorder") as lab:
        devices = lab.begin()
        lab.kill("PA1")
        assert lab.wait(devices, "PA2"), lab.have
        old = (tmp_path / "cluster.toml").read_text()
        first = (
            f'[[servers]]\nserver_name = "PA0"\nhostname_or_ip_address = "{NETWORK}.30"\n'
            'media_port_provider = "skinny"\nmedia_port_beginning_address = "6901"\n'
            "number_of_media_ports = 1\n"
        )
        (tmp_path / "reordered.toml").write_text(first + old)
        (tmp_path / "reordered.toml").chmod(0o600)
        came = time.time()
        lab.server("PA1", cluster="reordered.toml")
        lab.took("PA1 has its own devices again", came, lab.wait(devices, "PA1"))
        lab.status("reordered.toml")
        lab.shown()
        lab.fair()
