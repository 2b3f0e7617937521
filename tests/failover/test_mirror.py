"""However the changes of a store come, by reads or by events, the same is known in the end."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, strategies as st

from pa_telephony.failover.stores.mirror import Event, Mirror
from pa_telephony.failover.transaction import Entry

KEYS = ["a", "b", "c", "!id", "!at/PA1"]


@dataclass
class Truth:
    """The keys of an etcd, and all that ever happened to them."""

    keys: dict[str, Entry] = field(default_factory=dict[str, Entry])
    events: list[Event] = field(default_factory=list[Event])
    revision: int = 1

    def put(self, key: str, value: str) -> None:
        self.revision += 1
        old = self.keys.get(key)
        self.keys[key] = Entry(value, old.created if old else self.revision, self.revision)
        self.events.append(Event(key, self.keys[key], self.revision))

    def delete(self, key: str) -> None:
        if key in self.keys:
            self.revision += 1
            del self.keys[key]
            self.events.append(Event(key, None, self.revision))

    def since(self, revision: int) -> dict[str, Entry]:
        return {key: entry for key, entry in self.keys.items() if entry.modified > revision}


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from(KEYS), st.text(max_size=2)),
        st.tuples(st.just("delete"), st.sampled_from(KEYS), st.just("")),
        st.tuples(st.just("read"), st.just(""), st.just("")),
        st.tuples(st.just("tell"), st.just(""), st.just("")),
        st.tuples(st.just("tell again"), st.just(""), st.just("")),
    ),
    max_size=40,
)


def read(mirror: Mirror, truth: Truth) -> None:
    changes = truth.since(mirror.revision)
    if not mirror.merge(changes, len(truth.keys), truth.revision):
        mirror.replace(truth.keys, truth.revision)


@given(STEPS)
def test_reads_and_events_in_any_order_come_to_the_same(
    steps: list[tuple[str, str, str]],
) -> None:
    truth, mirror, told = Truth(), Mirror(), 0
    for what, key, value in steps:
        before = mirror.revision
        if what == "put":
            truth.put(key, value)
        elif what == "delete":
            truth.delete(key)
        elif what == "read":
            read(mirror, truth)
        else:
            # Events come in order, and perhaps once more after a watch was begun anew.
            told = 0 if what == "tell again" else told
            events = truth.events[told:]
            told = len(truth.events)
            mirror.apply(events, max((each.revision for each in events), default=0))
        assert mirror.revision >= before
        if mirror.revision == truth.revision:
            assert {**mirror.entries, **mirror.inner} == truth.keys
    read(mirror, truth)
    assert {**mirror.entries, **mirror.inner} == truth.keys
    assert not any(key.startswith("!") for key in mirror.entries)


def test_what_was_given_away_does_not_change() -> None:
    mirror = Mirror()
    mirror.apply([Event("a", Entry("1", 2, 2), 2)], 2)
    before = mirror.entries
    mirror.apply([Event("a", Entry("2", 2, 3), 3)], 3)
    assert before["a"].value == "1"
    kept = mirror.entries
    mirror.apply([Event("b", Entry("1", 4, 4), 4)], 4)
    mirror.apply([Event("b", None, 5)], 5)
    assert kept == mirror.entries == {"a": Entry("2", 2, 3)}


def test_a_pulse_is_a_change_but_no_news() -> None:
    mirror = Mirror(lambda _key, old, new: old.created == new.created)
    mirror.apply([Event("a", Entry("1", 2, 2), 2)], 2)
    mirror.apply([Event("a", Entry("2", 2, 3), 3)], 3)
    assert (mirror.changed, mirror.news) == (3, 2)
    mirror.apply([Event("a", None, 4)], 4)
    mirror.apply([Event("a", Entry("2", 5, 5), 5)], 5)
    mirror.apply([Event("a", Entry("3", 5, 6), 6)], 6)
    assert (mirror.changed, mirror.news) == (6, 5)


def test_a_change_of_the_store_s_own_keys_is_no_change_of_entries() -> None:
    mirror = Mirror()
    mirror.apply([Event("a", Entry("1", 2, 2), 2)], 2)
    mirror.apply([Event("!pen/1", Entry("1", 3, 3), 3)], 3)
    assert (mirror.revision, mirror.changed) == (3, 2)


def test_an_answer_that_is_older_than_what_is_known_changes_nothing() -> None:
    mirror = Mirror()
    mirror.apply([Event("a", Entry("2", 2, 5), 5)], 5)
    assert mirror.merge({"a": Entry("1", 2, 4)}, 1, 4)
    assert mirror.entries["a"].value == "2"
    assert mirror.revision == 5


def test_a_key_that_is_missing_is_noticed_by_the_number_of_all() -> None:
    mirror = Mirror()
    mirror.apply([Event("a", Entry("1", 2, 2), 2), Event("b", Entry("1", 3, 3), 3)], 3)
    assert not mirror.merge({}, 1, 4)
    assert mirror.merge({}, 2, 4)
