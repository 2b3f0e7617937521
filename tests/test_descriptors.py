"""A process may open as many files as its servers want, and keeps some for itself."""

from __future__ import annotations

import logging

import pytest

from pa_telephony import descriptors
from pa_telephony.descriptors import Descriptors, prepare

resource = pytest.importorskip("resource")


class System:
    """The limits of a process, as a test wants them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, soft: int, hard: int) -> None:
        self.limits = soft, hard
        self.refuses = False
        monkeypatch.setattr(resource, "getrlimit", lambda _: self.limits)
        monkeypatch.setattr(resource, "setrlimit", self.set)
        monkeypatch.setattr(descriptors, "_told", set())

    def set(self, _: int, limits: tuple[int, int]) -> None:
        if self.refuses:
            raise PermissionError
        self.limits = limits


def test_the_limit_is_raised_to_what_is_wanted_and_what_is_kept(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    system = System(monkeypatch, 1024, 1 << 20)
    found = prepare(10_000, "stations")
    assert system.limits == (10_512, 1 << 20)
    assert found == Descriptors(10_512, 10_000)
    assert found.are_left(9_999)
    assert not found.are_left(10_000)
    assert not caplog.text


def test_a_limit_that_is_high_enough_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    system = System(monkeypatch, 65_536, 65_536)
    prepare(100, "stations")
    assert system.limits == (65_536, 65_536)


@pytest.mark.parametrize("refuses", [True, False])
def test_what_cannot_be_had_is_said_once_with_what_there_is(
    refuses: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    system = System(monkeypatch, 1024, 2048)
    system.refuses = refuses
    most = 1024 if refuses else 2048
    for what in ("stations", "applications"):
        assert prepare(10_000, what) == Descriptors(most, most - most // 8)
    (record,) = caplog.records
    assert f"stations: 10000 connections are to be possible, and this process may open {most}" in (
        record.getMessage()
    )


def test_a_small_limit_leaves_something_to_both(monkeypatch: pytest.MonkeyPatch) -> None:
    System(monkeypatch, 64, 64)
    assert prepare(10_000, "stations") == Descriptors(64, 48)


def test_without_a_limit_everything_is_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    System(monkeypatch, resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    assert prepare(10_000, "stations").are_left(1 << 40)
