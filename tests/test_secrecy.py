"""Who could learn a password is told in the log: readers of a file, and plain links."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from company import COMPANY
from whole_house import a_manager, log_in

from pa_telephony import callmanager, failover, secrecy
from pa_telephony.failover.stores import MemoryStore
from pa_telephony.secrecy import warn_of_plain_link, warn_of_plain_login

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


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize("users", [True, False])
@pytest.mark.parametrize("encrypted", [True, False])
async def test_a_call_manager_that_others_reach_without_tls_says_so(
    host: str, users: bool, encrypted: bool, pem: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = COMPANY if users else callmanager.CallManagerConfig()
    if encrypted:
        files = callmanager.TlsFiles(certificate=str(pem), key=str(pem))
        config = replace(config, cti_tls=files)
    async with a_manager(config, host=host, cti_tls_port=0):
        pass
    warned = "applications log in at 0.0.0.0:" in caplog.text and "without TLS" in caplog.text
    assert warned is (host == "0.0.0.0" and users and not encrypted)


def test_only_a_password_from_another_machine_is_worth_a_word(
    caplog: pytest.LogCaptureFixture,
) -> None:
    warn_of_plain_login("app", "127.0.0.1", 2749)
    assert not caplog.text
    warn_of_plain_login("app", "10.0.0.5", 2749)
    assert "user 'app' came from 10.0.0.5 without TLS" in caplog.text
    assert "port 2749 takes it encrypted" in caplog.text


async def test_a_password_that_came_without_tls_is_told_once_of_each_user(
    pem: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrecy, "is_loopback", lambda _: False)
    files = callmanager.TlsFiles(certificate=str(pem), key=str(pem))
    config = replace(COMPANY, cti_tls=files)
    trusting = ssl.create_default_context(cafile=str(pem))
    async with a_manager(config, cti_tls_port=0) as manager:
        said = "the password of user 'app' came from 127.0.0.1"
        async with log_in(manager.cti_tls_address, tls=trusting):
            assert said not in caplog.text
        for _ in range(2):
            async with log_in(manager):
                assert caplog.text.count(said) == 1
