"""Links carry, delay, lose, double and keep back frames as they are told, by their seed."""

from __future__ import annotations

import pytest
from links import ALL, LONGEST_QUEUE, Links, Quality, address_of, host_of


def sent(links: Links, count: int, source: int = 1, target: int = 2) -> list[tuple[float, bytes]]:
    """When which of so many frames arrives, one sent each 10 ms."""
    found: list[tuple[float, bytes]] = []
    for number in range(count):
        links.send(source, target, b"%d" % number, number * 0.01)
    while (due := links.next_arrival()) is not None:
        found += [(due, frame) for to, frame in links.arrived(due) if to == target]
    return found


def test_a_good_link_carries_every_frame_at_once() -> None:
    assert sent(Links(1), 3) == [(0.0, b"0"), (0.01, b"1"), (0.02, b"2")]


def test_delay_and_jitter_are_kept_and_no_frame_overtakes_another() -> None:
    links = Links(1, Quality(delay=0.05, jitter=0.03))
    came = sent(links, 500)
    assert [int(frame) for _, frame in came] == [*range(500)]
    took = [time - int(frame) * 0.01 for time, frame in came]
    assert min(took) >= 0.02 - 1e-9
    assert max(took) <= 0.08 + 1e-9
    assert 0.04 < sum(took) / len(took) < 0.07


def test_so_many_are_lost_and_so_many_come_twice() -> None:
    links = Links(1, Quality(loss=0.1, duplicates=0.2))
    came = [frame for _, frame in sent(links, 2000)]
    assert 0.85 < len({*came}) / 2000 < 0.95
    assert 0.15 < len(came) / len({*came}) - 1 < 0.25
    assert links.counts.lost == 2000 - len({*came})
    assert links.counts.doubled == len(came) - len({*came})


def test_the_seed_decides_and_other_traffic_changes_nothing() -> None:
    bad = Quality(delay=0.05, jitter=0.03, loss=0.2)
    alone, busy, other = Links(7, bad), Links(7, bad), Links(8, bad)
    sent(busy, 100, source=3)
    assert sent(alone, 100) == sent(busy, 100)
    assert sent(Links(7, bad), 100) != sent(other, 100)


@pytest.mark.parametrize("cut", [(1, 2), (1, ALL), (ALL, 2), (ALL, ALL)])
def test_a_cut_lets_nothing_through_that_way_until_it_is_joined(cut: tuple[int, int]) -> None:
    links = Links(1)
    links.cut(*cut)
    assert sent(links, 3) == []
    assert links.counts.cut == 3
    if ALL not in cut:
        assert len(sent(links, 3, source=2, target=1)) == 3
    links.join(*cut)
    assert len(sent(links, 3)) == 3


def test_a_link_is_as_good_as_was_said_of_it_and_the_others_as_all() -> None:
    links = Links(1)
    links.set_quality(Quality(delay=1.0), 1, 2)
    links.set_quality(Quality(delay=2.0), 3)
    links.set_quality(Quality(delay=3.0), ALL, 4)
    assert [time for time, _ in sent(links, 1)] == [1.0]
    assert [time for time, _ in sent(links, 1, 3, 2)] == [2.0]
    assert [time for time, _ in sent(links, 1, 1, 4)] == [3.0]
    assert [time for time, _ in sent(links, 1, 2, 1)] == [0.0]
    links.set_quality(Quality(delay=4.0))
    assert [time for time, _ in sent(links, 1)] == [4.0]


def test_what_is_under_way_to_a_lost_machine_is_lost() -> None:
    links = Links(1, Quality(delay=1.0))
    links.send(1, 2, b"a", 0.0)
    links.send(1, 3, b"b", 0.0)
    links.forget(2)
    assert links.arrived(2.0) == [(3, b"b")]


def test_no_more_frames_are_under_way_than_the_limit() -> None:
    links = Links(1, Quality(delay=1.0))
    for _ in range(LONGEST_QUEUE + 5):
        links.send(1, 2, b"", 0.0)
    assert links.counts.overflowed == 5
    assert len(links.arrived(1.0)) == LONGEST_QUEUE


def test_a_frame_goes_to_the_machine_of_its_address() -> None:
    rest = bytes(8)
    assert host_of(bytes.fromhex(address_of(31).replace(":", "")) + rest) == 31
    assert host_of(b"\xff" * 6 + rest) == ALL
    assert host_of(bytes.fromhex("0030480000ab") + rest) == -1
    assert host_of(b"short") == -1
