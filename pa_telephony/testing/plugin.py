"""The pytest plugin: fixture ``call_manager``; loaded by every pytest run, so it imports nothing.

A test that fails leaves ``call_manager.pcap`` in its ``tmp_path``, and the last messages in the
report. An internal error of the call manager fails the test that brought it out.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pa_telephony.callmanager import CallManagerConfig
    from pa_telephony.testing.call_manager import CallManager

__all__ = [
    "call_manager",
    "call_manager_config",
    "pytest_runtest_call",
    "pytest_runtest_makereport",
]

_RUNNING = pytest.StashKey[tuple["CallManager", Path]]()


@pytest.fixture
def call_manager_config() -> CallManagerConfig | None:
    """What the call manager begins with: override it to have search spaces or other timing."""
    return None


@pytest.fixture
def call_manager(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    call_manager_config: CallManagerConfig | None,
) -> Generator[CallManager]:
    """A running :class:`pa_telephony.testing.CallManager`, a new one for each test."""
    from pa_telephony.testing.call_manager import CallManager

    with CallManager(call_manager_config) as manager:
        request.node.stash[_RUNNING] = manager, tmp_path
        yield manager


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that passed although the call manager has had an internal error meanwhile.

    A test that fails anyhow gets its traceback as a note; an error that shows later, while
    everything ends, is one of the teardown.
    """
    failure: BaseException | None = None
    try:
        return (yield)
    except BaseException as error:
        failure = error
        raise
    finally:
        if _RUNNING in item.stash:
            item.stash[_RUNNING][0].raise_internal_errors(failure)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the call manager has seen when a test has failed."""
    report = yield
    if report.failed and report.when == "call" and _RUNNING in item.stash:
        manager, directory = item.stash[_RUNNING]
        path = directory / "call_manager.pcap"
        manager.save_pcap(path)
        report.sections.append(("call manager", f"{manager.report()}\nall traffic: {path}"))
    return report
