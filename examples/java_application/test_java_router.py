"""A JTAPI application in Java, tested with a call manager in Python.

PA_TELEPHONY_JTAPI_JAR=…/jtapi.jar pytest examples/java_application

The jar is Cisco's: from your CallManager's plugin page, or from its public repository
github.com/CiscoDevNet/jtapi-samples. A JDK (javac) is needed besides.
"""

import os
import subprocess
from pathlib import Path

import pytest

from pa_telephony.testing import CallManager

JAR = os.environ.get("PA_TELEPHONY_JTAPI_JAR", "")
pytestmark = pytest.mark.skipif(not JAR, reason="PA_TELEPHONY_JTAPI_JAR does not name Cisco's jar")


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that runs Router.java, compiled."""
    classes = tmp_path_factory.mktemp("classes")
    source = Path(__file__).with_name("Router.java")
    subprocess.run(["javac", "-nowarn", "-cp", JAR, "-d", classes, source], check=True)
    return ["java", "-cp", f"{JAR}:{classes}", "Router"]


def run(call_manager: CallManager, router: list[str]) -> list[str]:
    # A JVM starts slowly on a busy machine, and the client of 11.5 comes back only after a pause
    # (observed: 15 s, and more than 30 s).
    call_manager.timeout = 90
    call_manager.add_user("app", "secret")
    call_manager.add_route_point("6000")
    return [*router, call_manager.cti_address, "app", "secret"]


def test_a_caller_reaches_its_agent(
    call_manager: CallManager, router: list[str], tmp_path: Path
) -> None:
    command = run(call_manager, router)
    call_manager.phone("2001").answers()
    with call_manager.application(command, directory=tmp_path):
        call_manager.wait_for_provider("app")
        call_manager.wait_for_route_point("6000")
        call = call_manager.phone("1001").dial("6000")
        call.wait_for("connected")
        assert call.connected_to == "2001"
    call_manager.check()


def test_a_busy_agent_is_passed_over(
    call_manager: CallManager, router: list[str], tmp_path: Path
) -> None:
    command = run(call_manager, router)
    call_manager.phone("2001").busy()
    call_manager.phone("2999").answers()
    with call_manager.application(command, directory=tmp_path):
        call_manager.wait_for_route_point("6000")
        call = call_manager.phone("1001").dial("6000")
        call.wait_for("connected")
        assert call.connected_to == "2999"
    call_manager.check(allow=["CallRedirectRequest"])  # the busy agent's


def test_calls_are_routed_again_after_the_call_manager_was_restarted(
    call_manager: CallManager, router: list[str], tmp_path: Path
) -> None:
    command = run(call_manager, router)
    call_manager.phone("2001").answers()
    with call_manager.application(command, directory=tmp_path):
        call_manager.wait_for_route_point("6000")
        before = len(call_manager.messages())
        call_manager.drop_connections()
        call_manager.wait_for_message("DeviceRegisterDeviceRequest", after=before)
        call_manager.wait_for_route_point("6000")
        call = call_manager.phone("1001").dial("6000")
        call.wait_for("connected")
