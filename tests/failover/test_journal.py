"""What a server says in its log, and what it says only once."""

from __future__ import annotations

import logging

from pa_telephony.failover.journal import Journal

PORT = "PA1/port/6002"


def test_the_same_trouble_is_said_once_until_it_changes() -> None:
    journal = Journal()
    unknown = {"identity": PORT, "why": "Device Unknown"}
    said = (logging.WARNING, "PA1/port/6002 is not registered: Device Unknown")
    assert journal.line("refused", unknown) == said
    assert journal.line("refused", unknown) is None
    assert journal.line("lost", {"identity": PORT, "why": "reset"}) is not None
    assert journal.line("refused", unknown) == said


def test_a_registration_is_worth_a_line_after_trouble_only() -> None:
    journal = Journal()
    assert journal.line("registered", {"identity": PORT}) is None
    journal.line("refused", {"identity": PORT, "why": "Device Unknown"})
    assert journal.line("registered", {"identity": PORT}) == (
        logging.INFO,
        "PA1/port/6002 is registered",
    )
    assert journal.line("registered", {"identity": PORT}) is None
    assert journal.line("refused", {"identity": PORT, "why": "Device Unknown"}) is not None


def test_links_are_told_when_they_change() -> None:
    journal = Journal()
    down = {"provider": "jtapi", "reachable": False, "why": "wrong password"}
    assert journal.line("link", down) == (
        logging.WARNING,
        "does not reach jtapi: wrong password",
    )
    assert journal.line("link", down) is None
    assert journal.line("link", {"provider": "jtapi", "reachable": True, "why": ""}) == (
        logging.INFO,
        "reaches jtapi",
    )


def test_a_takeover_is_told_with_its_size() -> None:
    fields = {"home": "PA1", "identities": [PORT, "PA1/port/6001"]}
    assert Journal().line("take_home", fields) == (
        logging.WARNING,
        "stands in for PA1: 2 numbers",
    )


def test_a_configuration_that_differs_is_told_with_what() -> None:
    journal = Journal()
    differs = {"home": "PA1", "differs_in": ["numbers", "timing"]}
    text = "our configuration of PA1 is another than its own: numbers, timing"
    assert journal.line("configuration", differs) == (logging.WARNING, text)
    same = {"home": "PA1", "differs_in": []}
    text = "our configuration of PA1 is its own again"
    assert journal.line("configuration", same) == (logging.WARNING, text)


def test_what_nobody_needs_and_what_is_incomplete_is_no_line() -> None:
    assert Journal().line("busy", {"identity": PORT}) is None
    assert Journal().line("refused", {"identity": PORT}) is None


def test_a_reason_from_outside_stays_on_its_line() -> None:
    line = Journal().line("refused", {"identity": PORT, "why": "no\n\x1b[2J"})
    assert line is not None
    assert line[1].endswith(r"no\n\x1b[2J")


def test_a_long_reason_is_told_to_its_end() -> None:
    line = Journal().line("refused", {"identity": PORT, "why": "x" * 500 + " no route to host"})
    assert line is not None
    assert line[1].endswith("no route to host")


def test_what_a_server_takes_waits_for_and_leaves_is_told() -> None:
    journal = Journal()
    own = {"home": "PA1", "identities": [PORT]}
    assert journal.line("acquire", own) == (logging.INFO, "takes 1 number of its own")
    waits = "waits for what is PA1's and a stand-in has"
    assert journal.line("want", {"home": "PA1", "identities": []}) == (logging.INFO, waits)
    assert journal.line("left", {"unconfirmed": {}}) == (logging.INFO, "has left")
