"""A test of an application, here our own examples/route_point.py: any program will do.

pytest examples/test_router.py
"""

import sys
from pathlib import Path

from pa_telephony.testing import CallManager

ROUTER = [sys.executable, Path(__file__).with_name("route_point.py").as_posix()]


def test_router(call_manager: CallManager) -> None:  # pytest fixture, own thread, real TCP ports
    call_manager.add_user("app", "secret")
    call_manager.add_route_point("6000")
    call_manager.phone("2001").answers()
    with call_manager.application([*ROUTER, call_manager.cti_address]):
        call_manager.wait_for_route_point("6000")
        call = call_manager.phone("1001").dial("6000")
        call.wait_for("connected")
        assert call.connected_to == "2001"
    call_manager.check()
