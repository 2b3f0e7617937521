"""The call manager for tests: phones do what they are told, waits say what was seen instead."""

from __future__ import annotations

import logging
import socket
import sys
import threading
import time
import unittest
from collections.abc import Sequence
from pathlib import Path

import pytest

from pa_telephony import pcap, rtp
from pa_telephony.callmanager import CallManagerConfig, DeviceConfig, LineConfig, Timing
from pa_telephony.errors import (
    ConfigurationError,
    ConnectionLost,
    RegistrationRejected,
    RequestFailed,
)
from pa_telephony.sccp import messages
from pa_telephony.testing import CallManager, Unexpected, WaitFailed


def test_a_phone_that_answers_is_talked_to(call_manager: CallManager) -> None:
    bob = call_manager.phone("1002").answers(speaks=rtp.Tone((600,)))
    call = call_manager.phone("1001").dial("1002", speaks=rtp.Tone((400,)))
    call.wait_for("ringing")
    call.wait_for("connected")
    assert (call.calling, call.connected_to, call.incoming) == ("1001", "1002", False)
    call.wait_for_tone(600)
    bob.wait_for_call().wait_for_tone(400)
    assert call.heard.seconds >= 0.2
    call.hang_up()
    assert call.states == ("dialling", "ringing", "connected", "ended")
    call_manager.check()


def test_a_phone_that_rings_is_answered_by_the_test(call_manager: CallManager) -> None:
    bob = call_manager.phone("1002")
    call = call_manager.phone("1001").dial("1002")
    ringing = bob.wait_for_call()
    assert (ringing.state, ringing.incoming, ringing.connected_to) == ("ringing", True, "1001")
    ringing.answer()
    call.wait_for("connected")
    ringing.hang_up()
    call.wait_for("ended")


def test_a_phone_that_refuses_and_one_that_is_busy_do_not_answer(
    call_manager: CallManager,
) -> None:
    call_manager.phone("1002").refuses()
    call = call_manager.phone("1001").dial("1002")
    call.wait_for("ended")
    assert "connected" not in call.states
    call_manager.phone("1002").busy()
    call = call_manager.phone("1001").dial("1002")
    call.wait_for("busy")
    call.hang_up()
    call_manager.phone("1002").rings_only()
    call_manager.phone("1001").dial("1002").wait_for("ringing")


def test_an_answer_may_take_its_time(call_manager: CallManager) -> None:
    call_manager.phone("1002").answers(after=0.2)
    call = call_manager.phone("1001").dial("1002")
    call.wait_for("ringing")
    call.wait_for("connected")


def test_hold_transfer_and_keys_reach_the_other_side(call_manager: CallManager) -> None:
    bob = call_manager.phone("1002").answers()
    call_manager.phone("1003").answers()
    call = call_manager.phone("1001").dial("1002")
    call.wait_for("connected")
    at_bob = bob.wait_for_call()
    call.wait_for_sound(0.1)
    call.send_digits("42#")
    at_bob.wait_for_digits("42#")
    call.hold()
    assert call.state == "held"
    call.resume()
    call.play(rtp.Tone((500,), seconds=0.5))
    at_bob.transfer("1003")
    at_bob.wait_for("ended")
    call.wait_for("connected")
    assert call.connected_to == "1003"


def test_a_transfer_to_nobody_is_refused_with_its_cause(call_manager: CallManager) -> None:
    call_manager.phone("1002").answers()
    call = call_manager.phone("1001").dial("1002")
    call.wait_for("connected")
    with pytest.raises(RequestFailed) as failed:
        call.transfer("7777")
    assert failed.value.code == 1
    assert str(failed.value) == "7777: no such number (cause 1)"
    assert call.state == "connected"


def test_a_state_that_can_not_come_any_more_fails_at_once(call_manager: CallManager) -> None:
    call = call_manager.phone("1001").dial("7777")
    with pytest.raises(WaitFailed, match=r"1001 -> 7777 at 1001 cannot be connected any more"):
        call.wait_for("connected", timeout=1000)
    call.wait_for("no such number")


def test_a_wait_says_what_was_waited_for_and_what_was_seen(call_manager: CallManager) -> None:
    phone = call_manager.phone("1002")
    call = call_manager.phone("1001").dial("1002")
    call.wait_for("ringing")
    with pytest.raises(WaitFailed) as failed:
        call.wait_for("connected", timeout=0.05)
    assert str(failed.value) == (
        "waited 0.05 s for the call 1001 -> 1002 at 1001 to be connected: "
        "it was dialling, ringing; the other party shown is 1002"
    )
    with pytest.raises(WaitFailed, match="hear the keys 1"):
        call.wait_for_digits("1", timeout=0.05)
    phone.wait_for_call()
    with pytest.raises(WaitFailed, match="for a call at phone 1002, which is registered"):
        phone.wait_for_call(timeout=0.05)
    call_manager.add_user("app", "secret")
    with pytest.raises(WaitFailed) as failed:
        call_manager.wait_for_provider("app", timeout=0.05)
    text = str(failed.value)
    assert text.startswith("waited 0.05 s for user app to be logged in\nregistered: SEP")
    assert "logged in: nobody" in text
    assert "sccp SoftKeyEvent" not in text
    assert "call manager -> 127." in text


@pytest.mark.parametrize("answered", [True, False])
def test_the_end_warns_of_nothing_that_it_does_itself(
    answered: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Phones hang up and unregister before the call manager closes its connections."""
    with CallManager() as call_manager:
        bob = call_manager.phone("1002")
        if answered:
            bob.answers()
        call = call_manager.phone("1001").dial("1002")
        call.wait_for("connected" if answered else "ringing")
    assert [each.getMessage() for each in caplog.records if each.levelno > logging.INFO] == []
    assert len(call_manager.messages("UnregisterReq")) == 2


def test_what_is_waited_for_has_to_be_there(call_manager: CallManager) -> None:
    with pytest.raises(ConfigurationError, match="no user app: add_user comes first"):
        call_manager.wait_for_provider("app")
    with pytest.raises(ConfigurationError, match="no device has the name or number 6000"):
        call_manager.wait_for_route_point("6000")
    with pytest.raises(ConfigurationError, match="no device has the name or number 6000"):
        call_manager.add_user("app", "secret", devices=["6000"])
    call_manager.add_route_point("6000")
    with pytest.raises(ConfigurationError, match="6000 is a route point, and no phone"):
        call_manager.phone("6000")
    with pytest.raises(ConfigurationError, match="6000 is already a line of RP-6000"):
        call_manager.add_phone("6000")
    with pytest.raises(ValueError, match="x"):
        call_manager.phone("1001").dial("x")


def test_calls_to_a_route_point_nobody_serves_go_where_it_forwards(
    call_manager: CallManager,
) -> None:
    assert call_manager.add_route_point("5XXX", forward_failure="1002") == "RP-5XXX"
    call_manager.phone("1002").answers()
    call = call_manager.phone("1001").dial("5123")
    call.wait_for("connected")
    assert call.connected_to == "1002"
    assert not call_manager.registered("5XXX")
    assert call_manager.registered("1002")


def test_phones_come_back_after_connections_were_dropped(call_manager: CallManager) -> None:
    phone = call_manager.phone("1001")
    count = len(call_manager.messages())
    call_manager.drop_connections()
    call_manager.wait_for_message("RegisterReq", after=count)
    call_manager.wait_for_registration("1001")
    call_manager.phone("1002").answers()
    phone.dial("1002").wait_for("connected")


def test_a_wait_for_a_state_that_there_is_not_is_refused_with_the_nearest_one(
    call_manager: CallManager,
) -> None:
    call_manager.phone("1002")
    call = call_manager.phone("1001").dial("1002")
    with pytest.raises(ValueError, match=r"'conected': did you mean 'connected'\?"):
        call.wait_for("conected")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'x': there are dialling, ringing, connected"):
        call.wait_for("x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"'RegisterAkc': did you mean 'RegisterAck'\?"):
        call_manager.wait_for_message("RegisterAkc")
    with pytest.raises(ValueError, match="RegisterAck"):
        call_manager.messages("Registerack")
    assert call_manager.messages("Unknown(0x1234)") == []


def test_a_call_to_a_phone_that_is_off_says_that_it_is_not_registered(
    call_manager: CallManager,
) -> None:
    call_manager.phone("1002").unplug()
    call = call_manager.phone("1001").dial("1002")
    with pytest.raises(WaitFailed, match=r"; 1002 is not registered$"):
        call.wait_for("connected")


def test_a_phone_that_is_unplugged_loses_its_calls_and_comes_back(
    call_manager: CallManager,
) -> None:
    bob = call_manager.phone("1002").answers()
    call = call_manager.phone("1001").dial("1002")
    call.wait_for("connected")
    bob.unplug()
    call.wait_for("ended")
    bob.plug_in()
    assert bob.registered
    call_manager.phone("1001").dial("1002").wait_for("connected")


def test_messages_are_decoded_and_a_pcap_holds_them(
    call_manager: CallManager, tmp_path: Path
) -> None:
    call_manager.phone("1002").answers()
    call_manager.phone("1001").dial("1002").wait_for("connected")
    (dialled,) = call_manager.messages("EnblocCall")
    assert isinstance(dialled.message, messages.EnblocCall)
    assert dialled.message.called_party == "1002"
    assert dialled.sender == "phone"
    call_manager.save_pcap(tmp_path / "calls.pcap")
    found = list(pcap.datagrams(pcap.read_pcap(tmp_path / "calls.pcap")))
    assert any(isinstance(each, pcap.Segment) and dialled.data in each.payload for each in found)


def send_to(call_manager: CallManager, data: bytes) -> None:
    host, _, port = call_manager.sccp_address.rpartition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) is not None


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (messages.encode(messages.KeepAliveAck(), 20), "misdirected"),
        (bytes.fromhex("03000000").ljust(16, b"\0"), "protocol error"),
        (bytes.fromhex("08080000000000005a010000").ljust(2064, b"\0"), "undecodable"),
        (
            messages.encode(messages.RegisterReq(device_name="SEP1", protocol_ver=20), 20),
            "refused registration",
        ),
    ],
)
def test_what_should_not_be_seen_fails_the_check(
    call_manager: CallManager, data: bytes, kind: str
) -> None:
    send_to(call_manager, data)
    with pytest.raises(Unexpected, match=f"seen on the wire:\n  {kind}"):
        call_manager.check()
    call_manager.check(allow=[kind, "protocol error"])


def test_messages_nobody_knows_fail_the_check(call_manager: CallManager) -> None:
    host, _, port = call_manager.sccp_address.rpartition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(bytes.fromhex("0400000000000000") + b"\x99\x99\x00\x00")
        call_manager.wait_for_message("Unknown(0x9999)")
    with pytest.raises(Unexpected, match=r"unknown message: call manager <- 127.*0x9999"):
        call_manager.check()
    call_manager.check(allow=["0x9999"])


def test_any_thread_of_a_test_may_use_it(call_manager: CallManager) -> None:
    call_manager.phone("2000").answers()
    connected: list[str] = []

    def call(number: str) -> None:
        call = call_manager.phone(number).dial("2000")
        call.wait_for("connected")
        connected.append(call.calling)
        call.hang_up()

    threads = [threading.Thread(target=call, args=(f"100{n}",)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(connected) == ["1000", "1001"]


def test_threads_that_ask_for_the_same_phone_get_the_same_phone(call_manager: CallManager) -> None:
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.append(call_manager.phone("1001"))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [call_manager.phone("1001")] * 4
    assert len(call_manager.messages("RegisterReq")) == 1


def test_a_phone_whose_name_is_taken_by_the_application_says_so(call_manager: CallManager) -> None:
    call_manager.add_device(DeviceConfig(name="SEP1", lines=(LineConfig(number="1001"),)))
    host, _, port = call_manager.sccp_address.rpartition(":")
    request = messages.RegisterReq(device_name="SEP1", protocol_ver=20)
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(messages.encode(request, 20))
        call_manager.wait_for_registration("SEP1")
        with pytest.raises(RegistrationRejected, match="Crossover"):
            call_manager.phone("1001")
    call_manager.check(allow=["Crossover"])
    call_manager.phone("1002")


def test_several_call_managers_run_side_by_side_on_the_ports_everybody_knows() -> None:
    with CallManager() as one, CallManager() as two:
        assert one.cti_address != two.cti_address
        assert ":" not in one.cti_address
        for each in (one, two):
            assert each.sccp_address.endswith(":2000")
            each.phone("1002").answers()
            each.phone("1001").dial("1002").wait_for("connected")


def test_where_it_is_told_an_address_it_takes_free_ports_of_it() -> None:
    with CallManager(host="127.0.0.1") as call_manager:
        assert call_manager.cti_address.startswith("127.0.0.1:")
        call_manager.phone("1002").answers()
        call_manager.phone("1001").dial("1002").wait_for("connected")


def test_an_address_that_can_not_be_had_is_said_at_the_beginning() -> None:
    with (
        pytest.raises(ConnectionLost, match=r"192\.0\.2\.1"),
        CallManager(host="192.0.2.1"),
    ):
        pass


def test_one_that_does_not_run_says_so() -> None:
    call_manager = CallManager()
    with pytest.raises(RuntimeError, match="is not running"):
        call_manager.phone("1001")
    with call_manager:
        phone = call_manager.phone("1001")
    with pytest.raises(RuntimeError, match="is not running"):
        phone.dial("1002")


def test_what_goes_wrong_in_the_thread_comes_out_at_the_end() -> None:
    async def fail() -> None:
        raise OSError("the bug")

    with pytest.raises(OSError, match="the bug"), CallManager(timeout=1) as call_manager:
        call_manager.thread.run_sync(call_manager.start_soon, fail)


def test_the_configuration_may_hold_what_there_are_no_verbs_for() -> None:
    config = CallManagerConfig(timing=Timing(no_answer=0.2))
    with CallManager(config) as call_manager:
        call_manager.phone("1003")
        call_manager.add_phone("1002", forward_no_answer="1003", display_name="Bob")
        call = call_manager.phone("1001").dial("1002")
        assert call_manager.phone("1003").wait_for_call().last_redirecting == "1002"
        call.hang_up()


def test_an_application_that_has_ended_is_not_waited_for(call_manager: CallManager) -> None:
    call_manager.add_user("app", "secret")
    broken = [sys.executable, "-c", "raise SystemExit('no such switch')"]
    with (
        call_manager.application(broken),
        pytest.raises(WaitFailed, match=r"in vain for user app") as failed,
    ):
        call_manager.wait_for_provider("app", timeout=1000)
    assert "has ended with status 1; its output:\n  | no such switch" in str(failed.value)


def test_sound_is_not_waited_for_when_the_call_is_over(call_manager: CallManager) -> None:
    call_manager.phone("1002").refuses()
    call = call_manager.phone("1001").dial("1002")
    with pytest.raises(WaitFailed, match=r"cannot hear 600 Hz any more: it was .*ended"):
        call.wait_for_tone(600, timeout=1000)
    with pytest.raises(WaitFailed, match=r"cannot hear 1 s of sound any more"):
        call.wait_for_sound(1, timeout=1000)


def test_a_wait_for_sound_or_keys_says_what_was_heard_instead(call_manager: CallManager) -> None:
    bob = call_manager.phone("1002").answers(speaks=rtp.Tone((500,)))
    call = call_manager.phone("1001").dial("1002")
    call.wait_for_tone(500)
    with pytest.raises(
        WaitFailed, match=r"it heard \d+\.\d s of sound, the last loudest at 500 Hz"
    ):
        call.wait_for_tone(700, timeout=0.05)
    at_bob = bob.wait_for_call()
    with pytest.raises(WaitFailed, match=r"it heard the keys \(none\)$"):
        at_bob.wait_for_digits("42", timeout=0.05)
    call.send_digits("4")
    at_bob.wait_for_digits("4")
    with pytest.raises(WaitFailed, match=r"it heard the keys 4$"):
        at_bob.wait_for_digits("42", timeout=0.05)


def test_what_an_application_wrote_is_in_the_report_after_its_block(
    call_manager: CallManager,
) -> None:
    """A test that fails in the block shows its report when the block has been left."""
    says_why = [sys.executable, "-c", "print('a bug', flush=True); import time; time.sleep(1000)"]
    with call_manager.application(says_why) as application:
        while not application.output:
            time.sleep(0.01)
    assert "ran until its block was left; its output:\n  | a bug" in call_manager.report()


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["no/such/program"], "cannot be started: no/such/program: No such file or directory"),
        ("python router.py", "one text, 'python router.py', and has to be a list of its words"),
    ],
)
def test_an_application_that_cannot_be_started_is_an_error_in_words(
    call_manager: CallManager, command: Sequence[str], why: str
) -> None:
    with pytest.raises(ConfigurationError, match=why), call_manager.application(command):
        pass


def test_an_application_does_not_outlive_its_block(call_manager: CallManager) -> None:
    endless = [sys.executable, "-c", "import os, time; print(os.environ['NAME']); time.sleep(1000)"]
    with call_manager.application(endless, environment={"NAME": "it"}) as application:
        assert application.status is None
    assert application.status == -15


class UnittestStyle(unittest.TestCase):
    def test_the_context_manager_serves_other_kinds_of_tests(self) -> None:
        with CallManager() as call_manager:
            call_manager.phone("1002").answers()
            call = call_manager.phone("1001").dial("1002")
            call.wait_for("connected")
            assert call.connected_to == "1002"


@pytest.mark.parametrize("port", ["sccp_port", "cti_port"])
def test_a_port_without_the_host_that_it_is_of_is_refused(port: str) -> None:
    with pytest.raises(ValueError, match=f"{port} goes with host"):
        CallManager(**{port: 4711})  # type: ignore[arg-type]
