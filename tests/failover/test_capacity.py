"""A call counts from the moment that a port is chosen for it until it is over, and once."""

from __future__ import annotations

from pa_telephony.failover.capacity import Coming


def test_a_call_that_is_being_routed_counts_for_all_others() -> None:
    coming = Coming()
    with coming.choosing():
        assert coming.count(0.0) == 0
        with coming.choosing():
            assert coming.count(0.0) == 1
    assert coming.count(0.0) == 0


def test_a_call_on_its_way_counts_until_it_rings_or_does_not_come() -> None:
    coming = Coming()
    coming.sent("6001", 0.0)
    coming.sent("6002", 0.0)
    assert coming.count(1.0) == 2
    coming.busy("6001", True)
    assert coming.count(1.0) == 1
    assert coming.count(2.0) == 0


def test_a_call_that_rings_before_the_answer_to_its_routing_counts_once() -> None:
    coming = Coming()
    coming.busy("6001", True)
    coming.sent("6001", 0.0)
    assert coming.count(0.0) == 0
    coming.busy("6001", False)
    coming.sent("6001", 0.0)
    assert coming.count(0.0) == 1


def test_a_call_is_expected_at_a_port_that_was_chosen_for_as_long_as_it_may_take_to_ring() -> None:
    coming = Coming()
    assert not coming.expects("6001", 0.0)
    with coming.choosing():
        assert coming.expects("6001", 0.0)
    coming.sent("6001", 0.0)
    coming.busy("6001", True)
    assert coming.expects("6001", 1.9)
    assert not coming.expects("6001", 2.0)
    assert not coming.expects("6002", 1.0)
