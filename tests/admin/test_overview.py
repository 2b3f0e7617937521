"""The cluster's page: who has what, since when and why; the timeline; the machines."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

from form_browser import Clock, administration, serve, signed_in
from hypothesis import given, strategies as st
from worlds import CLUSTER, PORTS, ROUTE_POINT, Worlds

from pa_telephony.admin.overview import NumberRow, episode_rows, number_rows, overview_summary
from pa_telephony.admin.timeline import SPANS, Lane, Stretch, draw, lanes, quantised
from pa_telephony.failover import cluster_status
from pa_telephony.failover.agents import AgentReport, Health, Kept, key, process_name
from pa_telephony.failover.chronicle import Episode, EpisodeKind
from pa_telephony.failover.config import ClusterConfig
from pa_telephony.failover.configuring import save_configuration
from pa_telephony.failover.keeping import State
from pa_telephony.failover.orders import move, stop
from pa_telephony.failover.stores import MemoryStore
from pa_telephony.failover.transaction import Put, Transaction

OWN = CLUSTER.identities("PA1")
HOSTILE = "<script>alert(1)</script>\x1b"


def episode(kind: str, server: str, began: float, took: float | None, cause: str = "") -> Episode:
    home = server if kind == "fence" else "PA1"
    return Episode(EpisodeKind(kind), server, home, cause, began, took, 4, round(began))


TAKEN = episode("takeover", "PA2", 1000.0, 2.0, "its process is gone")
RETURNED = episode("return", "PA2", 1100.0, 5.0, "PA1 asked for its own")


def taken() -> Worlds:
    worlds = Worlds()
    worlds.enter("PA2", up=OWN, busy=PORTS[:1])
    worlds.own("PA2", *OWN)
    worlds.claim("PA2", "PA1")
    return worlds


def rows(worlds: Worlds, *episodes: Episode) -> tuple[NumberRow, ...]:
    return number_rows(cluster_status(CLUSTER, worlds.snapshot()), episodes)


def test_a_number_at_a_stand_in_has_the_takeover_for_its_reason() -> None:
    first = rows(taken(), TAKEN)[0]
    assert (first.number, first.home, first.holder) == ("6001", "PA1", "PA2")
    assert (first.state, first.busy, first.away) == ("at a stand-in", True, True)
    assert (first.since, first.reason) == (1000.0, "PA1: its process is gone")


def test_a_number_that_came_home_is_there_since_the_end_of_the_return() -> None:
    worlds = Worlds()
    worlds.enter("PA1", up=OWN)
    worlds.own("PA1", *OWN)
    first = rows(worlds, TAKEN, RETURNED)[0]
    assert (first.state, first.since) == ("at home", 1105.0)
    assert first.reason == "given back by PA2: PA1 asked for its own"


def test_what_the_store_does_not_tell_is_not_made_up() -> None:
    worlds = Worlds()
    worlds.enter("PA1", up=OWN)
    worlds.own("PA1", *OWN)
    assert {(each.since, each.reason) for each in rows(worlds)} == {(None, "")}
    assert {(each.since, each.reason) for each in rows(taken())} == {(None, "")}


def test_a_move_is_the_order_of_an_operator() -> None:
    worlds = taken()
    worlds.put(move("PA1"), "PA2")
    assert rows(worlds, TAKEN)[0].reason == "moved to PA2 by an operator"


def test_what_was_handed_over_by_a_drain_has_no_earlier_takeover_for_its_reason() -> None:
    worlds = taken()
    worlds.put(stop("PA1"), "drain:60")
    assert {(each.since, each.reason) for each in rows(worlds, TAKEN, RETURNED)} == {
        (None, "PA1 is drained")
    }


def test_what_is_not_home_yet_is_away_since_the_takeover() -> None:
    first = rows(taken(), TAKEN, episode("return", "PA2", 1200.0, None))[0]
    assert (first.since, first.reason) == (1000.0, "PA1: its process is gone")


def test_a_number_that_is_down_says_why_and_one_that_two_have_names_both() -> None:
    worlds = Worlds()
    worlds.enter("PA1", up=OWN[1:], why={OWN[0].label: "Device Unknown"})
    worlds.enter("PA2", up=[PORTS[1]])
    worlds.own("PA1", *OWN)
    first, second, *_ = rows(worlds)
    assert (first.up, first.state, first.reason) == (False, "down", "Device Unknown")
    assert (second.up, second.state, second.holder) == (False, "held twice", "PA1, PA2")
    summary = overview_summary(rows(worlds), ())
    assert (
        summary == "4 numbers, 0 of them at a stand-in; down: 6001, 6002; machines with an agent: 0"
    )


def test_episodes_are_told_in_words_the_newest_first() -> None:
    fence = episode("fence", "PA1", 990.0, None, "stood still for 9 s")
    found = [(each.what, each.cause, each.took) for each in episode_rows([TAKEN, RETURNED, fence])]
    assert found == [
        ("PA2 gives 4 numbers back to PA1", "PA1 asked for its own", "5.0 s"),
        ("PA2 takes 4 numbers of PA1", "its process is gone", "2.0 s"),
        ("PA1 stops acting", "stood still for 9 s", "not finished"),
    ]


def stretches(*episodes: Episode, has: str = "PA1") -> list[tuple[str, float, float, bool]]:
    (lane,) = lanes({"PA1": frozenset({has})}, episodes, 2000.0)
    return [(each.server, each.begin, each.end, each.changing) for each in lane.stretches]


def test_a_lane_says_who_had_the_numbers_and_when_they_were_on_their_way() -> None:
    assert stretches() == [("PA1", 0.0, 2000.0, False)]
    assert stretches(TAKEN, RETURNED) == [
        ("PA1", 0.0, 1000.0, False),
        ("PA2", 1000.0, 1002.0, True),
        ("PA2", 1002.0, 1100.0, False),
        ("PA1", 1100.0, 1105.0, True),
        ("PA1", 1105.0, 2000.0, False),
    ]


def test_before_the_cluster_was_begun_nobody_had_anything() -> None:
    (lane,) = lanes({"PA1": frozenset({"PA1"})}, [TAKEN, RETURNED], 2000.0, 900.0)
    assert lane.stretches[0] == Stretch("PA1", 900.0, 1000.0, why="nothing is noted before")
    (lane,) = lanes({"PA1": frozenset({"PA1"})}, [], 2000.0, 1900.0)
    assert [(each.begin, each.end) for each in lane.stretches] == [(1900.0, 2000.0)]


async def test_the_picture_begins_with_the_first_configuration(tmp_path: Path) -> None:
    store = MemoryStore()
    await save_configuration(CLUSTER, store, at=Clock().now - 60, by="import")
    await serve(store, "PA1", "PA2")
    async with administration(tmp_path, CLUSTER, store) as (all_pages, password):
        browser = await signed_in(all_pages, password)
        begins = [
            float(each)
            for page in ("cluster?span=10m", "cluster?span=7d")
            for each in re.findall(r'<rect x="([0-9.]+)"', (await browser.get(page)).text)
        ]
    assert begins
    assert min(begins) > 800


def test_numbers_that_were_handed_over_by_order_are_there_since_nobody_knows_when() -> None:
    running = episode("return", "PA3", 1500.0, None)
    assert stretches(running) == [("", 0.0, 1500.0, False), ("PA1", 1500.0, 2000.0, True)]
    again = episode("takeover", "PA2", 1500.0, 1.0)
    assert stretches(TAKEN, again, has="PA2")[2:4] == [
        ("", 1002.0, 1500.0, False),
        ("PA2", 1500.0, 1501.0, True),
    ]


def test_one_that_took_over_before_the_one_before_was_done_ends_that() -> None:
    later = episode("takeover", "PA3", 1001.0, 1.0)
    assert stretches(TAKEN, later, has="PA3")[1:3] == [
        ("PA2", 1000.0, 1001.0, True),
        ("PA3", 1001.0, 1002.0, True),
    ]


def test_where_the_store_tells_of_another_than_the_episodes_nobody_is_named() -> None:
    assert stretches(TAKEN, has="PA3")[-1] == ("", 1002.0, 2000.0, False)


EPISODES = st.lists(
    st.builds(
        Episode,
        st.sampled_from(EpisodeKind),
        st.sampled_from(["PA1", "PA2", "PA3"]),
        st.sampled_from(["PA1", "PA2"]),
        st.text(max_size=20),
        st.floats(0, 4000),
        st.none() | st.floats(0, 1000),
    ),
    max_size=8,
)


@given(EPISODES, st.sampled_from([*SPANS.values()]))
def test_a_picture_is_well_formed_and_its_lanes_have_no_gap(
    episodes: list[Episode], span: float
) -> None:
    shown = lanes({"PA1": frozenset({"PA1"}), "PA2": frozenset()}, episodes, 4000.0)
    for lane in shown:
        for one, other in zip(lane.stretches, lane.stretches[1:], strict=False):
            assert one.end == other.begin
        assert lane.stretches[-1].end == 4000.0
    picture = draw(shown, ["PA1", "PA2", "PA3"], 4000.0, span, HOSTILE)
    root = ET.fromstring(picture.replace("\x1b", ""))
    width = float(root.attrib["viewBox"].split()[2])
    for each in root.iter("rect"):
        assert 0 <= float(each.attrib["x"]) <= width


def test_a_picture_names_each_bar_and_escapes_what_it_quotes() -> None:
    lane = Lane("PA<1>", (Stretch("PA2", 0.0, 600.0, why=HOSTILE),))
    picture = draw([lane], ["PA2"], 600.0, 600.0, 'a "title"')
    assert "<script" not in picture
    assert "\\x1b" in picture
    assert "PA&lt;1&gt;" in picture
    assert 'aria-label="a &quot;title&quot;"' in picture


def test_the_end_of_a_picture_stays_where_it_is_for_a_while() -> None:
    assert quantised(1000.0, 3600.0) == quantised(1007.0, 3600.0) == 1008.0
    assert quantised(1008.0, 3600.0) == 1020.0


async def test_the_page_has_numbers_timeline_episodes_and_machines(tmp_path: Path) -> None:
    store = MemoryStore()
    async with administration(tmp_path, CLUSTER, store) as (all_pages, password):
        await all_pages.managed.save(CLUSTER, 0, "import")
        browser = await signed_in(all_pages, password)
        page = await browser.get("cluster")
        assert "No takeover, return or fence so far" in page.words
        assert "No agent runs" in page.words

        await serve(store, "PA1", "PA2")
        hostile = episode("fence", "PA1", 1.0, 2.0, HOSTILE)
        kept = {"PA1": Kept(State.RUNNING, 2, "exit status <7>")}
        report = AgentReport("machine", 0.0, kept, Health(1.25, 2048, 900))
        puts = (Put(hostile.key, hostile.encode()), Put(key("machine"), report.encode()))
        await store.transact(Transaction((), puts))
        async with store.alive(process_name("machine")):
            page = await browser.get("cluster?span=7d")
        assert "<script>alert" not in page.text
        assert "PA1 stops acting" in page.words
        assert "6001 media port PA1 PA1 ▲ at home" in page.words
        assert "machine 1.25 2048 MiB 900 MiB PA1: running, ended by itself twice" in (
            page.words.replace("2 times", "twice")
        )
        assert "exit status <7>" in page.words
        assert 'role="img"' in page.text
        for span in ("1h", "nonsense", ""):
            assert (await browser.get(f"cluster?span={span}")).status == 200


async def test_a_cluster_without_servers_leads_to_where_they_are_added(tmp_path: Path) -> None:
    store = MemoryStore()
    async with administration(tmp_path, ClusterConfig(()), store) as (all_pages, password):
        browser = await signed_in(all_pages, password)
        page = await browser.get("cluster")
        assert page.status == 200
        assert "No server has numbers of its own" in page.words


def test_a_route_point_is_named_as_one() -> None:
    worlds = Worlds()
    worlds.enter("PA1", up=OWN)
    assert {each.kind for each in rows(worlds) if each.number == ROUTE_POINT.number} == {
        "route point"
    }
