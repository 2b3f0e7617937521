"""What a station puts up with, in time of the tests' own."""

from __future__ import annotations

import pytest

from pa_telephony.sccp.station.patience import LASTED, Patience, is_final
from pa_telephony.sccp.station.style import StationConfig


def refusals_until_the_last_word(reason: str, chance: float, call_managers: int = 1) -> list[float]:
    """When each refusal came, as the client tries all call managers and pauses."""
    patience = Patience(StationConfig(), call_managers, lambda: chance)
    now, at = 0.0, list[float]()
    while True:
        for _ in range(call_managers):
            at.append(now)
            if patience.refused(reason, now):
                return at
        now += patience.pause()


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("call_managers", [1, 2])
@pytest.mark.parametrize(
    "reason", ["Crossover session", "Reload in progress", "No Authority: ", "Nope"]
)
def test_an_old_session_may_linger_for_two_keepalive_intervals(
    reason: str, call_managers: int, chance: float
) -> None:
    """Of 30 s, which all known call managers announce."""
    at = refusals_until_the_last_word(reason, chance, call_managers)
    assert at[-1] > 60.0
    assert at[-1] < 60.0 * 2, "and the error comes in a time that somebody waits"
    assert len(at) < 15 * call_managers


@pytest.mark.parametrize(
    "reason",
    [
        "Device Unknown",
        "Wrong Device Type",
        "Error: No License",
        "IP Not Authorized",
        "Error: DB Config",
    ],
)
def test_a_name_that_is_not_to_be_had_is_an_error_after_three_refusals(reason: str) -> None:
    assert is_final(reason)
    at = refusals_until_the_last_word(reason, 1.0)
    assert len(at) == 3
    assert at[-1] < 1.0
    assert len(refusals_until_the_last_word(reason, 1.0, call_managers=2)) == 6


def test_one_call_manager_that_may_come_round_is_waited_for_whatever_the_other_says() -> None:
    patience = Patience(StationConfig(), 2, lambda: 1.0)
    for now in range(70):
        assert not patience.refused("Crossover session", float(now))
        assert not patience.refused("Device Unknown", float(now))
    assert patience.refused("Crossover session", 75.0)


def test_refusals_before_the_first_call_manager_failed_otherwise_do_not_count() -> None:
    patience = Patience(StationConfig(), 1, lambda: 1.0)
    patience.refused("Device Unknown", 0.0)
    patience.refused("Device Unknown", 1.0)
    patience.not_refused()
    assert not patience.refused("Device Unknown", 2.0)


def test_pauses_double_from_the_first_to_the_longest() -> None:
    config = StationConfig(first_back_off=1.0, longest_back_off=5.0)
    patience = Patience(config, 1, lambda: 1.0)
    assert [patience.pause() for _ in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]
    half = Patience(config, 1, lambda: 0.0)
    assert [half.pause() for _ in range(3)] == [0.5, 1.0, 2.0]
    never_none = Patience(StationConfig(first_back_off=0.0), 1, lambda: 1.0)
    assert [never_none.pause() for _ in range(3)] == [0.0, 0.1, 0.2]


def test_a_registration_that_did_not_last_shortens_no_pause() -> None:
    patience = Patience(StationConfig(first_back_off=1.0), 1, lambda: 1.0)
    pauses: list[float] = []
    for now, lasts in ((0.0, 0.1), (10.0, LASTED), (20.0, LASTED + 0.1), (30.0, 0.1)):
        patience.registered(now)
        patience.unregistered(now + lasts)
        pauses.append(patience.pause())
    assert pauses == [1.0, 2.0, 1.0, 2.0]
