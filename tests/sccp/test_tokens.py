"""Tokens: so many stations on their way back at once, each for a while."""

from __future__ import annotations

from pa_telephony.sccp.tokens import Tokens


def test_so_many_stations_are_on_their_way_at_once() -> None:
    tokens = Tokens(2, 10.0)
    assert tokens.give("one", "SEP1", 0.0)
    assert tokens.give("two", "SEP2", 0.0)
    assert not tokens.give("three", "SEP3", 0.0)
    tokens.take_back("one")
    tokens.take_back("one")
    tokens.take_back("nobody")
    assert tokens.give("three", "SEP3", 0.0)
    assert not tokens.give("four", "SEP4", 0.0)


def test_who_does_not_come_loses_the_place() -> None:
    tokens = Tokens(1, 10.0)
    assert tokens.give("one", "SEP1", 0.0)
    assert not tokens.give("two", "SEP2", 9.9)
    assert tokens.give("two", "SEP2", 10.0)


def test_asking_again_prolongs_nothing_on_whichever_connection() -> None:
    tokens = Tokens(1, 10.0)
    assert tokens.give("one", "SEP1", 0.0)
    assert tokens.give("one", "SEP1", 5.0)
    assert tokens.give("its next connection", "SEP1", 8.0)
    assert not tokens.give("two", "SEP2", 9.0)
    # The token is the newer connection's: the end of the older takes nothing back.
    tokens.take_back("one")
    assert not tokens.give("two", "SEP2", 9.0)
    assert tokens.give("two", "SEP2", 10.0)
    assert not tokens.give("its next connection", "SEP1", 10.0)


def test_one_connection_has_one_token_however_many_names_it_gives() -> None:
    tokens = Tokens(2, 10.0)
    for number in range(5):
        assert tokens.give("one", f"SEP{number}", 0.0)
    assert tokens.give("two", "SEP9", 0.0)
