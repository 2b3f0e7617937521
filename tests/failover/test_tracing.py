"""A trace package list takes frames, events, or all of a package out of a server's trace."""

from __future__ import annotations

import logging

import pytest

from pa_telephony.failover.tracing import set_log_levels, traced
from pa_telephony.trace import EventRecord, FrameRecord, Record, RtpRecord

HERE, THERE = ("127.0.0.1", 1), ("127.0.0.2", 2)
EVENT = EventRecord(0.0, "failover.enter")
SCCP = FrameRecord(0.0, "sccp", "sent", HERE, THERE, b"")
CTI = FrameRecord(0.0, "cti", "sent", HERE, THERE, b"")
RTP = RtpRecord(0.0, "sent", HERE, THERE, b"")
ALL = [EVENT, SCCP, CTI, RTP]


@pytest.mark.parametrize(
    ("packages", "kept"),
    [
        ((), ALL),
        (("sccp=debug",), ALL),
        (("rtp=off",), [EVENT, SCCP, CTI]),
        (("sccp=info", "rtp=error"), [EVENT, CTI]),
        (("failover=off",), [SCCP, CTI, RTP]),
        (("failover=warning",), ALL),
    ],
)
def test_packages_pass_at_their_level(packages: tuple[str, ...], kept: list[Record]) -> None:
    records: list[Record] = []
    trace = traced(packages, records.append)
    assert trace is not None
    for record in ALL:
        trace(record)
    assert records == kept


def test_without_a_trace_there_is_nothing_to_filter() -> None:
    assert traced(("sccp=off",), None) is None


def test_the_log_has_of_each_package_what_the_list_says() -> None:
    names = ("sccp", "cti", "rtp", "failover")
    loggers = {name: logging.getLogger(f"pa_telephony.{name}") for name in names}
    before = {name: logger.level for name, logger in loggers.items()}
    try:
        set_log_levels(("sccp=debug", "cti=warning", "rtp=off"))
        assert loggers["sccp"].isEnabledFor(logging.DEBUG)
        assert not loggers["cti"].isEnabledFor(logging.INFO)
        assert loggers["cti"].isEnabledFor(logging.WARNING)
        assert not loggers["rtp"].isEnabledFor(logging.CRITICAL)
        assert loggers["failover"].level == before["failover"]
    finally:
        for name, logger in loggers.items():
            logger.setLevel(before[name])
