"""The fixture's ``check()`` names sound that cannot come, and whose fault it is."""

from __future__ import annotations

import pytest

from pa_telephony.callmanager import CallManagerConfig, Timing
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
