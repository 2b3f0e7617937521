"""What is told of many numbers in a row is one sentence."""

from __future__ import annotations

from pa_telephony.admin.sentences import condensed


def test_numbers_in_a_row_of_which_the_same_is_so_are_one_sentence() -> None:
    assert condensed(
        [
            "PA2 may stand in for PA1; nothing moves now",
            "6001 comes to PA1",
            "6002 comes to PA1",
            "6003 comes to PA1",
            "6005 comes to PA1",
            "6006 comes to PA2",
            "6007 of PA1 goes",
            "6008 of PA1 goes",
            "route 6000 comes to PA1",
        ]
    ) == (
        "PA2 may stand in for PA1; nothing moves now",
        "6001 to 6003 come to PA1",
        "6005 comes to PA1",
        "6006 comes to PA2",
        "6007 to 6008 of PA1 go",
        "Route 6000 comes to PA1",
    )
    assert condensed([]) == ()
