"""What the store's entries mean: beats of this and of earlier releases, who is usable for what."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, strategies as st
from worlds import CLUSTER, Worlds

from pa_telephony.failover import Cluster
from pa_telephony.failover.beat import Beat
from pa_telephony.failover.transaction import Entry, Snapshot
from pa_telephony.failover.world import World, is_pulse, session


def test_a_beat_is_read_as_it_was_written() -> None:
    beat = Beat(
        "i",
        frozenset({"jtapi", "skinny"}),
        frozenset({"jtapi"}),
        False,
        frozenset({"PA1/port/6001"}),
        frozenset({"PA1/port/6001"}),
        {"PA1/port/6002": "no such device"},
        {"skinny": "connection refused"},
        frozenset({"PA3"}),
        frozenset({"PA1/port/6001"}),
        1234.5,
        7,
        {"PA1": 300.0},
    )
    assert Beat.decode(beat.encode()) == beat


@pytest.mark.parametrize("link", [True, False])
def test_a_beat_of_a_release_with_one_link_speaks_for_all_providers(link: bool) -> None:
    beat = Beat.decode(json.dumps({"instance": "i", "link": link, "up": []}))
    assert beat.link is beat.reaches("skinny") is beat.is_steady("jtapi") is link
    assert beat.reads


def test_a_release_with_one_link_finds_it_in_our_beat() -> None:
    assert json.loads(Beat("i", frozenset({"jtapi"})).encode())["link"] is True
    assert json.loads(Beat("i").encode())["link"] is False


@pytest.mark.parametrize(
    "text", ["", "[]", "no JSON", '{"links":1}', '{"up":[[]], "sequence":"x"}']
)
def test_a_beat_that_cannot_be_read_says_nothing(text: str) -> None:
    assert Beat.decode(text) == Beat("")


def test_what_a_server_reaches_of_a_home_are_the_providers_that_the_home_needs() -> None:
    worlds = Worlds()
    assert worlds.world().reach("PA2", "PA1") == frozenset()
    worlds.beat("PA2", frozenset({"jtapi", "another"}), frozenset())
    world = worlds.world()
    assert world.reach("PA2", "PA1") == {"jtapi"}
    assert world.reach("PA2", "PA1", steady=True) == frozenset()
    assert world.reach("PA2", "PA3") == frozenset()  # it needs none
    worlds.stop("PA2")
    assert worlds.world().reach("PA2", "PA1") == frozenset()


def test_a_server_that_cannot_read_the_store_reaches_nothing() -> None:
    worlds = Worlds()
    links = frozenset(CLUSTER.used_providers)
    worlds.put(session("PA2"), Beat("i", links, links, reads=False).encode())
    assert worlds.world().reach("PA2", "PA1") == frozenset()


def test_a_home_asks_only_while_it_could_serve() -> None:
    worlds = Worlds()
    worlds.enter("PA1")
    worlds.want("PA1")
    assert worlds.world().asks("PA1") is not None
    worlds.enter("PA1", link=False)
    assert worlds.world().asks("PA1") is None


def test_who_has_an_identity_or_only_a_claim_has_something() -> None:
    worlds = Worlds()
    worlds.enter("PA1", "PA2")
    worlds.own("PA1", *CLUSTER.identities("PA1")[:1])
    assert [worlds.world().has_anything(name) for name in ("PA1", "PA2")] == [True, False]
    worlds.claim("PA2", "PA1")
    assert worlds.world().has_anything("PA2")


# ------------------------------------------------------------------------- configuration


def edited(**changes: Any) -> Cluster:
    """The cluster with another PA1."""
    return replace(CLUSTER, servers=(replace(CLUSTER.servers[0], **changes), *CLUSTER.servers[1:]))


def test_a_server_differs_in_a_home_from_what_the_home_said_last() -> None:
    worlds = Worlds()
    worlds.configure("PA1", edited(number_of_media_ports=1))
    worlds.configure("PA2", CLUSTER)
    worlds.configure("PA3", edited(number_of_media_ports=1))
    for _ in range(2):
        world = worlds.world()
        assert world.differs("PA2", "PA1") == ("numbers", "device names", "providers")
        assert world.differs("PA3", "PA1") == world.differs("PA1", "PA1") == ()
        assert world.differs("PA1", "PA2") == ()
        assert world.reach("PA2", "PA1") == frozenset()
        assert world.reach("PA3", "PA1") == world.cluster.needs("PA1")
        worlds.die("PA1")


def test_what_nobody_knows_does_not_differ() -> None:
    worlds = Worlds()
    worlds.enter("PA1", "PA2")
    assert worlds.world().differs("PA2", "PA1") == ()
    worlds.configure("PA1", edited(number_of_media_ports=1))
    assert worlds.world().differs("PA2", "PA1") == ()


def test_what_is_left_over_from_an_earlier_session_says_nothing() -> None:
    """An earlier release has begun the session that there is now."""
    worlds = Worlds()
    worlds.configure("PA1", edited(number_of_media_ports=1))
    worlds.configure("PA2", CLUSTER)
    worlds.die("PA2")
    worlds.enter("PA2")
    assert worlds.world().differs("PA2", "PA1") == ()


def test_a_server_that_our_file_does_not_have_owns_what_it_owns() -> None:
    worlds = Worlds()
    worlds.enter("PA9")
    (port, *_) = CLUSTER.identities("PA1")
    worlds.own("PA9", port)
    assert worlds.world().owner(port) == "PA9"
    worlds.die("PA9")
    assert worlds.world().owner(port) is None


entries = st.dictionaries(
    st.sampled_from(["srv/PA1", "srv/PA2", "srv/PA9", "own/PA1/port/6001", "want/PA1"]),
    st.builds(
        Entry,
        st.builds(lambda sequence: Beat("i", sequence=sequence).encode(), st.integers(0, 2)),
        st.integers(1, 2),
        st.integers(2, 4),
    ),
)


@given(entries, entries)
def test_a_world_that_knows_the_one_before_it_is_the_same_as_one_that_does_not(
    old: dict[str, Entry], new: dict[str, Entry]
) -> None:
    first = World(CLUSTER, Snapshot(1, old))
    alone, with_before = (
        World(CLUSTER, Snapshot(2, new)),
        World(CLUSTER, Snapshot(2, new), before=first),
    )
    assert with_before.sessions == alone.sessions
    assert with_before.has_news_since(first) == alone.has_news_since(first)
    says_news = old.keys() != new.keys() or any(
        not is_pulse(key, old[key], new[key]) for key in new if old[key] != new[key]
    )
    assert alone.has_news_since(first) == says_news
