"""How fast strangers may guess: every standing, every price, and who waits for whom."""

from __future__ import annotations

import itertools

import pytest

from pa_telephony.guesses import TABLE, Guess, Guesses, Pace, Price, Standing

HERE, THERE = "10.0.0.1", "10.0.0.2"


def passwords(**options: float) -> Guesses:
    return Guesses(
        Pace(at_once=4, every=0.5),
        Pace(at_once=2, every=1.0),
        **{"longest_wait": 3.0, "good_for": 100.0, "wrong_for": 50.0, **options},  # type: ignore[arg-type]
    )


def tried(
    guesses: Guesses, user: str, guess: bytes, now: float, *, address: str = HERE, right: bool
) -> float | None:
    """How long the guess waited; None: it was not looked at."""
    attempt = guesses.ask(address, user, guess, now)
    if attempt is None:
        return None
    (guesses.right if right else guesses.wrong)(attempt, now + attempt.wait)
    return attempt.wait


def test_every_pair_is_in_the_table_but_what_can_not_be() -> None:
    """Nothing was wrong yet of a strange name."""
    impossible = {(Standing.STRANGE, Guess.REPEATED)}
    assert set(TABLE) == set(itertools.product(Standing, Guess)) - impossible
    assert {price for pair, price in TABLE.items() if pair[0] is Standing.GOOD} == {
        Price.NAME,
        Price.NOTHING,
    }


def test_a_strange_name_waits_for_its_own_guesses() -> None:
    guesses = passwords()
    waits = [tried(guesses, "app", bytes([n]), 0.0, right=False) for n in range(6)]
    assert waits == [0.0, 0.0, 1.0, 2.0, 3.0, None]
    assert guesses.would_wait_too_long(HERE, "app", 0.0) is False
    # It was not paid for what was not looked at: a second later there is place for one.
    assert tried(guesses, "app", b"x", 1.0, right=False) == 3.0
    # Another user of the same address does not wait for it yet, nor the same user elsewhere.
    assert tried(guesses, "app", b"x", 1.0, address=THERE, right=False) == 0.0


def test_an_address_waits_whatever_names_it_gives() -> None:
    guesses = passwords()
    waits = [tried(guesses, f"user{n}", b"x", 0.0, right=False) for n in range(11)]
    assert waits == [0.0, 0.0, 0.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, None]
    assert tried(guesses, "user", b"x", 0.0, address=THERE, right=False) == 0.0
    # 4 at once and one more in each half second, and no more than that.
    late = [tried(guesses, f"late{n}", b"x", 100.0, right=False) for n in range(6)]
    assert late == [0.0, 0.0, 0.0, 0.0, 0.5, 1.0]


def test_a_good_name_does_not_wait_for_the_others_of_its_address() -> None:
    guesses = passwords()
    assert tried(guesses, "app", b"good", 0.0, right=True) == 0.0
    assert guesses.standing(HERE, "app", 1.0) is Standing.GOOD
    assert guesses.standing(THERE, "app", 1.0) is Standing.STRANGE
    for n in range(20):
        tried(guesses, f"user{n}", b"x", 1.0, right=False)
    assert guesses.would_wait_too_long(HERE, "nobody", 1.0) is False
    assert guesses.ask(HERE, "nobody", b"x", 1.0) is None
    assert tried(guesses, "app", b"good", 1.0, right=True) == 0.0
    # It is as all the others when that is long ago.
    assert guesses.standing(HERE, "app", 101.0) is Standing.STRANGE


def test_guesses_at_a_good_name_keep_its_own_pace_and_what_is_right_clears_it() -> None:
    guesses = passwords()
    tried(guesses, "app", b"good", 0.0, right=True)
    waits = [tried(guesses, "app", bytes([n]), 1.0, right=False) for n in range(3)]
    assert waits == [0.0, 0.0, 1.0]
    assert tried(guesses, "app", b"good", 1.0, right=True) == 2.0
    assert tried(guesses, "app", b"good", 3.0, right=True) == 0.0
    # And the address has paid nothing for all that.
    assert [tried(guesses, f"u{n}", b"x", 3.0, right=False) for n in range(5)][3:] == [0.0, 0.5]


def test_an_old_password_said_again_and_again_costs_a_part_and_slows_no_user() -> None:
    """One host with a bad application and a good one of the same user."""
    guesses = passwords()
    assert tried(guesses, "app", b"old", 0.0, right=False) == 0.0
    assert guesses.standing(HERE, "app", 0.0) is Standing.WRONG
    for _ in range(10):
        assert tried(guesses, "app", b"old", 0.0, right=False) == 0.0
    assert tried(guesses, "app", b"good", 0.0, right=True) == 0.0
    # From now on it costs nothing at all.
    assert tried(guesses, "app", b"old", 0.0, right=False) == 0.0
    for _ in range(1000):
        assert tried(guesses, "app", b"old", 0.0, right=False) == 0.0
    assert tried(guesses, "app", b"good", 0.0, right=True) == 0.0
    # A guess and ten tenths of the address were spent before.
    waits = [tried(guesses, f"u{n}", b"x", 0.0, right=False) for n in range(4)]
    assert waits == pytest.approx([0.0, 0.0, 0.5, 1.0])


def test_what_was_wrong_is_forgotten_after_a_while() -> None:
    guesses = passwords()
    tried(guesses, "app", b"old", 0.0, right=False)
    attempt = guesses.ask(HERE, "app", b"old", 49.0)
    assert attempt is not None
    assert attempt.for_name == 0.0
    attempt = guesses.ask(HERE, "app", b"old", 50.0)
    assert attempt is not None
    assert attempt.for_name == 1.0


def test_what_is_right_costs_nothing_however_many_come_at_once() -> None:
    """All applications of a site after a power cut."""
    guesses = passwords()
    for n in range(500):
        assert tried(guesses, f"app{n}", b"good", 0.0, right=True) == 0.0


def test_an_attempt_that_is_dropped_stays_paid() -> None:
    guesses = passwords()
    for _ in range(3):
        attempt = guesses.ask(HERE, "app", b"x", 0.0)
    assert attempt is not None
    assert attempt.wait == 1.0


def test_all_addresses_of_an_ipv6_network_are_one() -> None:
    guesses = passwords()
    for n in range(10):
        tried(guesses, f"u{n}", b"x", 0.0, address=f"2001:db8::{n:x}", right=False)
    assert guesses.ask("2001:db8::ffff:1", "app", b"x", 0.0) is None
    assert tried(guesses, "app", b"x", 0.0, address="2001:db8:0:1::1", right=False) == 0.0


def test_what_is_remembered_is_bounded() -> None:
    guesses = passwords(most=10, longest_wait=1e9)
    for n in range(1000):
        tried(guesses, f"user{n}" + "x" * 5000, b"x", 0.0, right=False)
        tried(guesses, f"app{n}", b"x", 0.0, right=True)
    for n in range(1000):
        tried(guesses, "user", bytes(n), 0.0, address=f"2001:db8:{n:x}::1", right=False)
    assert len(guesses) <= 10 + 10 + 1001
    guesses.ask("10.0.0.9", "app", b"x", 1e12)
    assert len(guesses) == 2


def test_without_a_pace_of_names_a_name_said_again_costs_a_part() -> None:
    """So it is with names of devices: the name is the guess."""
    guesses = Guesses(Pace(at_once=2, every=1.0), longest_wait=0.5)
    assert tried(guesses, "SEP1", b"", 0.0, right=False) == 0.0
    for _ in range(10):
        assert tried(guesses, "SEP1", b"", 0.0, right=False) == 0.0
    assert guesses.ask(HERE, "SEP2", b"", 0.0) is None
    assert guesses.would_wait_too_long(HERE, "SEP3", 10.0) is False
    assert tried(guesses, "SEP2", b"", 10.0, right=True) == 0.0
    for n in range(3, 9):
        tried(guesses, f"SEP{n}", b"", 10.0, right=False)
    assert guesses.ask(HERE, "SEP9", b"", 10.0) is None
    assert tried(guesses, "SEP2", b"", 10.0, right=True) == 0.0
