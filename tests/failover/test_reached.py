"""What a server says of the providers that it reaches: at once, steadily, no more."""

from __future__ import annotations

from dataclasses import replace

from worlds import CLUSTER

from pa_telephony.failover import Timing
from pa_telephony.failover.beat import Beat
from pa_telephony.failover.reached import Reached

TIMING = Timing()
FIRST, *_ = sorted(CLUSTER.used_providers)
BEAT = Beat("an instance")


def reached() -> Reached:
    found = Reached()
    found.follow(CLUSTER, 100.0)
    return found


def test_what_nothing_is_known_of_counts_as_lost_since_the_beginning() -> None:
    found = reached()
    assert found.said(BEAT, CLUSTER, TIMING, 100.0) is BEAT
    assert found.cut_off(TIMING, 100.0 + TIMING.own) == {*CLUSTER.used_providers}
    assert found.cut_off(TIMING, 99.9 + TIMING.own) == set()


def test_a_link_stands_in_the_beat_at_once_and_as_steady_after_a_while() -> None:
    found = reached()
    assert found.link(FIRST, True, 101.0, "")
    said = found.said(BEAT, CLUSTER, TIMING, 101.0)
    assert (said.links, said.steady) == ({FIRST}, set())
    assert 101.0 + TIMING.steady in found.times(TIMING)
    later = found.said(said, CLUSTER, TIMING, 101.0 + TIMING.steady)
    assert later.steady == {FIRST}
    assert found.said(later, CLUSTER, TIMING, 200.0) is later
    assert FIRST not in found.cut_off(TIMING, 200.0)


def test_a_link_that_is_lost_and_comes_back_is_not_steady_again_at_once() -> None:
    found = reached()
    found.link(FIRST, True, 101.0, "")
    assert found.link(FIRST, False, 150.0, "no route to host")
    assert found.said(BEAT, CLUSTER, TIMING, 150.0).links == set()
    assert found.reasons(BEAT)[FIRST] == "no route to host"
    found.link(FIRST, True, 151.0, "")
    said = found.said(BEAT, CLUSTER, TIMING, 151.5)
    assert (said.links, said.steady) == ({FIRST}, set())
    assert found.reasons(said).get(FIRST) is None


def test_a_reason_by_itself_is_no_news_of_the_link() -> None:
    found = reached()
    assert not found.link(FIRST, False, 101.0, "refused")
    assert found.reasons(BEAT)[FIRST] == "refused"
    assert 100.0 + TIMING.own in found.times(TIMING)


def test_a_provider_that_comes_with_a_configuration_counts_from_then_on() -> None:
    found = Reached()
    spares = tuple(each for each in CLUSTER.servers if each.spare)
    assert not replace(CLUSTER, servers=spares).used_providers
    found.follow(replace(CLUSTER, servers=spares), 100.0)
    found.follow(CLUSTER, 200.0)
    found.follow(CLUSTER, 300.0)
    assert found.cut_off(TIMING, 200.0 + TIMING.own) == {*CLUSTER.used_providers}
    assert found.cut_off(TIMING, 199.9 + TIMING.own) == set()
