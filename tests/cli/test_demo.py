"""The main job, played by ``pa-telephony demo`` and judged again by Wireshark's dissectors."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from loopback import alone_at

from pa_telephony.cli.demo.setting import CALL_MANAGER, SERVERS
from pa_telephony.failover.stores.locks import process_of

PROMISES_A_ROUND = 20
# What the machine's load does to sound and time is not judged; it may take its time, too.
PATIENCE = 320
pytestmark = pytest.mark.timeout(2 * PATIENCE + 30)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo-out")
    command = [sys.executable, "-m", "pa_telephony", "demo", "--out", str(out)]
    with alone_at(CALL_MANAGER):
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def tshark(capture: Path, show: str, fields: Sequence[str]) -> list[list[str]]:
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed; .ci/run installs it")
    command = ["tshark", "-r", str(capture), "-Y", show, "-T", "fields"]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def test_every_promise_is_kept_and_says_what_was_observed(played: Path) -> None:
    summary = json.loads((played / "summary.json").read_text())
    assert summary["ok"]
    assert len(summary["promises"]) >= 2 * PROMISES_A_ROUND
    assert all(promise["observed"] for promise in summary["promises"])


def test_every_call_to_the_number_is_told_of_with_what_became_of_it(played: Path) -> None:
    summary = json.loads((played / "summary.json").read_text())
    (*_, probed) = (each for each in summary["promises"] if "throughout" in each["promised"])
    callers = probed["values"]["callers"]
    assert len(callers) == probed["values"]["dialled"] > 0
    assert {each["reached"] for each in callers} <= {"6001", "6002"}
    assert all(each["answered"] and each["seconds"] > 0 for each in callers)


def test_an_operator_s_orders_answer_with_what_has_happened(played: Path) -> None:
    promises = json.loads((played / "summary.json").read_text())["promises"]
    answers = {
        each["promised"].partition(" ")[0]: each["observed"]
        for each in promises
        if each["promised"].endswith("answers with what has happened")
    }
    assert set(answers) == {"Stop", "Drain", "Return", "Move"}
    assert answers["Return"] == answers["Move"] == "PA1 serves all of its own"
    (ended,) = (each for each in promises if "ended at the deadline" in each["promised"])
    assert ended["observed"].endswith(": an operator has PA1 return")
    (restarted,) = (each for each in promises if "are restarted" in each["promised"])
    assert restarted["observed"] == "restarted: PA1, PA2"


def test_no_process_of_the_demo_is_left(played: Path) -> None:
    locks = played / "state" / "cluster.db.locks"
    assert [process_of(locks, name) for name in SERVERS] == [None, None]


def test_nothing_in_the_capture_is_malformed(played: Path) -> None:
    assert tshark(played / "demo.pcap", "_ws.malformed", ["frame.number"]) == []


def test_media_ports_register_as_pa1_s_from_wherever_they_are_served(played: Path) -> None:
    found = tshark(played / "demo.pcap", "skinny.messageId == 1", ["ip.src", "skinny.DeviceName"])
    sources = {"PA1-VI1": [], "PA1-VI2": []}  # type: dict[str, list[str]]
    for source, name in found:
        sources.get(name, []).append(source)
    pa1, pa2 = "127.0.0.11", "127.0.0.12"
    # A registration that was not answered in time is tried again.
    held = {name: [key for key, _ in itertools.groupby(each)] for name, each in sources.items()}
    # Stopped, killed, drained, moved, restarted: each time away, and home again.
    assert held == {name: [pa1, *[pa2, pa1] * 5] for name in sources}


def test_the_interceptor_is_offered_the_call_to_the_extension_and_sends_it_on(played: Path) -> None:
    decode = [sys.executable, "-m", "pa_telephony", "decode", "--json", str(played / "demo.pcap")]
    done = subprocess.run(decode, capture_output=True, text=True, check=True)
    frames = [frame for frame in json.loads(done.stdout)["frames"] if frame["protocol"] == "cti"]
    offered = [
        frame["destination"][0]
        for frame in frames
        if frame["message"] == "NewCallEvent" and frame["fields"]["called_party"] == "5123"
    ]
    sent_on = [
        frame["source"][0]
        for frame in frames
        if frame["message"] == "CallRedirectRequest"
        and frame["fields"]["redirect_address"] == "5123"
    ]
    pa1, pa2 = "127.0.0.11", "127.0.0.12"
    assert offered == sent_on == [pa1, pa2, pa1] * 2


def test_wireshark_knows_the_rtp_of_both_servers_at_their_first_ports(played: Path) -> None:
    found = tshark(played / "demo.pcap", "rtp && udp.srcport == 32000", ["ip.src", "rtp.p_type"])
    assert {tuple(each) for each in found} == {("127.0.0.11", "0"), ("127.0.0.12", "0")}


def test_what_each_phone_heard_and_the_picture_are_there(played: Path) -> None:
    heard = {path.name.partition("-")[0] for path in played.glob("*-*.wav")}
    assert heard >= {"1001", "1002", "1003", "1004"}
    assert (played / "timeline.svg").read_text().startswith("<svg")


@pytest.mark.long
def test_the_demo_fails_when_one_frame_in_fifty_is_not_heard(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pa_telephony", "demo", "--out", str(tmp_path)]
    with alone_at(CALL_MANAGER):
        done = subprocess.run(
            [*command, "--drop-every", "50"], capture_output=True, text=True, timeout=PATIENCE
        )
    assert done.returncode == 1, done.stdout + done.stderr
    promises = json.loads((tmp_path / "summary.json").read_text())["promises"]
    broken = {each["promised"] for each in promises if not each["ok"]}
    assert {"1001 hears 1002 all the time", "1002 hears 1001 all the time"} <= broken
    assert all("hears" in each for each in broken)
