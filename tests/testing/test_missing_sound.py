"""The fixture's ``check()`` names sound that cannot come, and whose fault it is."""

from __future__ import annotations

import socket
import time

import pytest

from pa_telephony import rtp
from pa_telephony.callmanager import CallManagerConfig, Timing
from pa_telephony.sccp import messages
from pa_telephony.sccp.station.call_media import CallMedia
from pa_telephony.testing import CallManager, Unexpected


def test_a_phone_that_never_answers_for_a_channel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CallMedia, "_receive", lambda self, order: None)
    with CallManager(CallManagerConfig(timing=Timing(media_exchange=0.2))) as manager:
        manager.phone("1002").answers()
        call = manager.phone("1001").dial("1002")
        call.wait_for("ended")
        with pytest.raises(Unexpected, match=r"no media: .* never answered OpenReceiveChannel"):
            manager.check()
        manager.check(allow=["no media"])


def test_a_phone_whose_sound_comes_from_elsewhere_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a phone behind a NAT does: what it announces is not from where it sends."""
    monkeypatch.setattr("pa_telephony.rtp.phase.Phase._send_others", lambda self: None)
    with (
        CallManager() as manager,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outer,
    ):
        outer.bind(("127.0.0.99", 0))
        manager.phone("1002").answers()
        call = manager.phone("1001").dial("1002")
        call.wait_for("connected")
        opened = manager.wait_for_message("OpenReceiveChannelAck").message
        assert isinstance(opened, messages.OpenReceiveChannelAck)
        for number in range(500):
            packet = rtp.Packet(sequence_number=number, timestamp=number * 160, payload=bytes(160))
            outer.sendto(bytes(packet), (opened.ip_addr, opened.port_number))
            if manager.problems:
                break
            time.sleep(0.02)
        with pytest.raises(Unexpected, match=r"no media: .* sound comes from 127\.0\.0\.99:"):
            manager.check()
