"""What is a complaint in the client's trace, and what the client does to itself."""

from __future__ import annotations

import pytest
from jtapi import complaints_in

COMPLAINTS = ("Exception", "failed to decode")
DROP = "(P1-app)[main][(P1-app) GCID=(1,16777238)->ACTIVE]Request: drop()"
HANG_UP = "(P1-app)[main][[{}::1/(P1-app) GCID=(1,16777238)->ACTIVE]]Request: disconnect()"
IDLE = "CallManager.processCallStateChange:Handling STATE_IDLE for {}::1"
TOO_LATE = (
    "Caught Exception e=com.cisco.jtapi.InvalidStateExceptionImpl: Did not meet pre-conditions."
)
NO_LEG = (
    "Caught Exception e=javax.telephony.ResourceUnavailableException: Illegal handle - clearing"
    " connection. (0x8ccc0004)"
)


def test_a_drop_that_is_overtaken_by_the_end_of_the_call_is_no_complaint() -> None:
    """As it was traced: the next hang-up, between the two events of that party's end."""
    trace = [
        DROP,
        HANG_UP.format("1001"),
        IDLE.format("1001"),
        IDLE.format("1002"),
        HANG_UP.format("1002"),
        TOO_LATE,
    ]
    assert complaints_in(trace, COMPLAINTS) == []


def test_nor_is_one_that_is_overtaken_while_it_asks_to_hang_up() -> None:
    """As it was traced: the end of that party comes, and the request has no leg any more."""
    trace = [
        DROP,
        HANG_UP.format("1002"),
        IDLE.format("1002"),
        HANG_UP.format("1003"),
        IDLE.format("1003"),
        NO_LEG,
    ]
    assert complaints_in(trace, COMPLAINTS) == []
    assert complaints_in([*trace[:4], NO_LEG], COMPLAINTS) == [NO_LEG]


@pytest.mark.parametrize(
    "before",
    [
        [],
        [DROP, HANG_UP.format("1001")],
        [DROP, HANG_UP.format("1001"), IDLE.format("1001"), HANG_UP.format("1002")],
        [IDLE.format("1001"), DROP, HANG_UP.format("1001")],
    ],
)
def test_the_same_complaint_elsewhere_is_one(before: list[str]) -> None:
    assert complaints_in([*before, TOO_LATE], COMPLAINTS) == [TOO_LATE]


def test_what_the_decoder_and_others_complain_of_is_found() -> None:
    trace = ["failed to decode 281", "java.lang.NullPointerException", "CallActiveEv"]
    assert complaints_in(trace, COMPLAINTS) == trace[:2]
    ended = "Thread interrupted java.lang.InterruptedException"
    assert complaints_in([ended], COMPLAINTS) == []
