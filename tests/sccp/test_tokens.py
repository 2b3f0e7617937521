"""Tokens: so many stations on their way back at once, each for a while."""

from __future__ import annotations

from pa_telephony.sccp.server.tokens import Tokens

HERE, THERE = "10.0.0.1", "10.0.0.2"


def test_so_many_stations_are_on_their_way_at_once() -> None:
    tokens = Tokens(2, 2, 10.0)
    assert tokens.give("one", "SEP1", HERE, 0.0)
    assert tokens.give("two", "SEP2", HERE, 0.0)
    assert not tokens.give("three", "SEP3", HERE, 0.0)
    tokens.take_back("one")
    tokens.take_back("one")
    tokens.take_back("nobody")
    assert tokens.give("three", "SEP3", HERE, 0.0)
    assert not tokens.give("four", "SEP4", HERE, 0.0)


def test_who_does_not_come_loses_the_place() -> None:
    tokens = Tokens(1, 1, 10.0)
    assert tokens.give("one", "SEP1", HERE, 0.0)
    assert not tokens.give("two", "SEP2", HERE, 9.9)
    assert tokens.give("two", "SEP2", HERE, 10.0)


def test_asking_again_prolongs_nothing_on_whichever_connection() -> None:
    tokens = Tokens(1, 1, 10.0)
    assert tokens.give("one", "SEP1", HERE, 0.0)
    assert tokens.give("one", "SEP1", HERE, 5.0)
    assert tokens.give("its next connection", "SEP1", HERE, 8.0)
    assert not tokens.give("two", "SEP2", HERE, 9.0)
    # The token is the newer connection's: the end of the older takes nothing back.
    tokens.take_back("one")
    assert not tokens.give("two", "SEP2", HERE, 9.0)
    assert tokens.give("two", "SEP2", HERE, 10.0)
    assert not tokens.give("its next connection", "SEP1", HERE, 10.0)


def test_one_connection_has_one_token_however_many_names_it_gives() -> None:
    tokens = Tokens(2, 2, 10.0)
    for number in range(5):
        assert tokens.give("one", f"SEP{number}", HERE, 0.0)
    assert tokens.give("two", "SEP9", HERE, 0.0)


def test_one_address_has_so_many_of_them_and_they_come_back() -> None:
    tokens = Tokens(4, 2, 10.0)
    assert tokens.give("one", "SEP1", "2001:db8::1", 0.0)
    assert tokens.give("two", "SEP2", "2001:db8::2", 0.0)
    assert not tokens.give("three", "SEP3", "2001:db8::3", 0.0)
    assert tokens.give("four", "SEP4", THERE, 0.0)
    tokens.take_back("one")
    assert tokens.give("three", "SEP3", "2001:db8::3", 0.0)
    assert not tokens.give("five", "SEP5", "2001:db8::5", 9.9)
    assert tokens.give("five", "SEP5", "2001:db8::5", 10.0)


def test_a_token_is_no_other_address_s_to_take() -> None:
    tokens = Tokens(4, 4, 10.0)
    assert tokens.give("one", "SEP1", HERE, 0.0)
    assert not tokens.give("stranger", "SEP1", THERE, 1.0)
    assert tokens.give("one", "SEP1", HERE, 2.0)
    tokens.take_back("stranger")
    assert tokens.give("stranger", "SEP1", THERE, 10.0)
