"""What all tests share: hypothesis settings, a usage error for a trap, no skips in CI."""

from __future__ import annotations

import inspect
import os

import hypothesis
import pytest

hypothesis.settings.register_profile("default", max_examples=60, deadline=None)
hypothesis.settings.register_profile("thorough", max_examples=2000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse an async fixture under ``@given``.

    pytest-trio sets such a fixture up inside the first example's trio.run; from the second example
    on the server behind it is gone, and nothing says so. Open the server inside the test instead.
    """
    for item in items:
        function = getattr(item, "obj", None)
        if not hypothesis.is_hypothesis_test(function):
            continue
        info = getattr(item, "_fixtureinfo", None)
        for name, definitions in getattr(info, "name2fixturedefs", {}).items():
            if any(
                inspect.iscoroutinefunction(d.func) or inspect.isasyncgenfunction(d.func)
                for d in definitions
            ):
                raise pytest.UsageError(f"{item.nodeid}: @given with async fixture {name!r}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI nothing may be left out: a skip means that .ci/run forgot to install something."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("tests were skipped, which in CI is a failure", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
