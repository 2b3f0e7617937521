"""What all tests share: virtual time, hypothesis settings, no bugs, no skips in CI, a certificate.

And an error for a trap.
"""

from __future__ import annotations

import datetime
import inspect
import ipaddress
import logging
import os
from collections.abc import Awaitable, Callable, Generator, Sequence
from pathlib import Path
from typing import TypeVar
from unittest import mock

import hypothesis
import pytest
import trio
from trio.testing import MockClock

T = TypeVar("T")

hypothesis.settings.register_profile("default", max_examples=60, deadline=None)
hypothesis.settings.register_profile("thorough", max_examples=2000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


async def _run_here(function: Callable[..., T], *arguments: object, **_: object) -> T:
    await trio.lowlevel.checkpoint()
    return function(*arguments)


def _run_in_virtual_time(
    function: Callable[[], Awaitable[T]],
    *,
    clock: trio.abc.Clock | None = None,
    instruments: Sequence[trio.abc.Instrument] = (),
) -> T:
    clock = clock or MockClock(autojump_threshold=0)
    # Time would not wait for a thread.
    with mock.patch.object(trio.to_thread, "run_sync", _run_here):
        return trio.run(function, clock=clock, instruments=instruments)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run async tests on a clock that jumps as soon as all tasks wait, so that none is too slow.

    What one task sends another one over loopback is there before. Only what waits for something
    outside of the test, as a process or a lock of a file, is marked ``real_time``.
    """
    for item in items:
        is_async = inspect.iscoroutinefunction(getattr(item, "obj", None))
        if is_async and item.get_closest_marker("real_time") is None:
            item.add_marker(pytest.mark.trio(run=_run_in_virtual_time), append=False)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse an async fixture under ``@given``.

    pytest-trio sets such a fixture up inside the first example's trio.run; from the second example
    on the server behind it is gone, and nothing says so. Open the server inside the test instead.
    """
    if not hypothesis.is_hypothesis_test(getattr(item, "obj", None)):
        return
    info = getattr(item, "_fixtureinfo", None)
    for name, definitions in getattr(info, "name2fixturedefs", {}).items():
        if any(
            inspect.iscoroutinefunction(d.func) or inspect.isasyncgenfunction(d.func)
            for d in definitions
        ):
            pytest.fail(f"@given with async fixture {name!r}", pytrace=False)


class _Bugs(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(logging.Formatter().format(record))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test in which a server had an internal error, unless it is marked ``makes_bugs``.

    The servers close the connection that a bug shows on, which is what most hostile tests expect.
    What a command has set up for its own log goes with the test.
    """
    bugs, log = _Bugs(), logging.getLogger("pa_telephony")
    before = log.handlers[:], log.level, log.propagate
    log.addHandler(bugs)
    try:
        result = yield
    finally:
        for handler in {*log.handlers} - {*before[0]}:
            log.removeHandler(handler)
            handler.close()
        log.setLevel(before[1])
        log.propagate = before[2]
    if bugs.texts and item.get_closest_marker("makes_bugs") is None:
        pytest.fail("\n".join(["internal errors:", *bugs.texts]), pytrace=False)
    return result


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI nothing may be left out: a skip means that .ci/run forgot to install something.

    What a kernel does not let us do cannot be installed: namespaces as machines.
    """
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = [] if reporter is None else reporter.stats.get("skipped", [])
    left_out = [each for each in skipped if "this kernel lets us make no" not in str(each.longrepr)]
    if os.environ.get("CI") == "true" and reporter is not None and left_out:
        reporter.write_line("tests were skipped, which in CI is a failure", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a certificate of its own for 127.0.0.1."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cti")])
    now = datetime.datetime.now(datetime.UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "cti.pem"
    form = serialization.Encoding.PEM
    file.write_bytes(
        key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(form)
    )
    return file
