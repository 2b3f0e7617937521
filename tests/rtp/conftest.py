"""The media engine's two ways: one system call for many packets, and one for each."""

from __future__ import annotations

import pytest

from pa_telephony.rtp import exchange
from pa_telephony.rtp.uring import Uring, UringUnavailable


@pytest.fixture
def no_uring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the system have no io_uring."""

    def refuse(slots: int) -> Uring:
        raise UringUnavailable(f"no io_uring with {slots} slots in this test")

    monkeypatch.setattr(exchange, "open_uring", refuse)


@pytest.fixture(params=["all at once", "one by one"])
def both_ways(request: pytest.FixtureRequest) -> None:
    """Run a test with io_uring, if the system has it, and without."""
    if request.param == "one by one":
        request.getfixturevalue("no_uring")
