"""Who could learn a password is told in the log: readers of a file, and plain links."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pa_telephony import callmanager, failover
from pa_telephony.failover.stores import MemoryStore
from pa_telephony.secrecy import warn_of_plain_link

CALL_MANAGER = '[[user]]\nname = "app"\npassword = "secret"\n'
CLUSTER = """
[[servers]]
server_name = "PA1"
hostname_or_ip_address = "127.0.0.11"
route_address = "6000"
[[providers]]
type = "jtapi"
name = "jtapi"
hosts = ["127.0.0.10"]
user = "pa"
password = "secret"
"""


async def read_by_a_call_manager(file: Path) -> None:
    callmanager.load(file)


async def read_by_a_server(file: Path) -> None:
    cluster = failover.load(file)
    application: Any = None
    async with failover.open_server(cluster, "PA1", application=application, store=MemoryStore()):
        pass


@pytest.mark.parametrize(
    ("read", "text"), [(read_by_a_call_manager, CALL_MANAGER), (read_by_a_server, CLUSTER)]
)
@pytest.mark.parametrize(("mode", "warned"), [(0o644, True), (0o640, False), (0o600, False)])
async def test_a_file_with_passwords_that_everybody_may_read_is_warned_of(
    read: Callable[[Path], Awaitable[None]],
    text: str,
    mode: int,
    warned: bool,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    file = tmp_path / "configuration.toml"
    file.write_text(text)
    file.chmod(mode)
    await read(file)
    assert ("chmod o-r" in caplog.text) is warned
    assert "secret" not in caplog.text


def test_tools_that_only_read_a_cluster_s_file_say_nothing_of_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each ``status`` would say it again."""
    file = tmp_path / "configuration.toml"
    file.write_text(CLUSTER)
    file.chmod(0o644)
    failover.load(file)
    assert not caplog.text


def test_a_file_without_passwords_may_be_read_by_everybody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "configuration.toml"
    file.write_text("max_calls = 5\n")
    file.chmod(0o644)
    callmanager.load(file)
    assert not caplog.text


def test_a_password_that_leaves_the_machine_without_tls_is_warned_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    warn_of_plain_link([("127.0.0.1", 2748), ("::1", 2748), ("localhost", 2748)], "app")
    assert not caplog.text
    warn_of_plain_link([("10.0.0.5", 2748), ("cm-b", 2748)], "app")
    assert "10.0.0.5:2748 without TLS" in caplog.text
    assert "cm-b:2748 without TLS" in caplog.text
