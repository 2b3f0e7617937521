"""Requests to an etcd and its answers, byte for byte as the gateway of etcd 3.4 has them."""

from __future__ import annotations

import base64
import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from pa_telephony.errors import RemoteProtocolError
from pa_telephony.failover.stores import etcd_forms as forms
from pa_telephony.failover.stores.mirror import Event
from pa_telephony.failover.transaction import Compare, Delete, Entry, Put, Transaction

# Answers of etcd 3.4.23 to requests of curl, with the prefix "pa".
HEADER: dict[str, Any] = {
    "cluster_id": "2037210783374497686",
    "member_id": "13195394291058371180",
    "revision": "2",
    "raft_term": "2",
}
KV = {
    "key": "cGEvYQ==",
    "create_revision": "2",
    "mod_revision": "2",
    "version": "1",
    "value": "eA==",
}
COMMITTED: dict[str, Any] = {
    "header": HEADER,
    "succeeded": True,
    "responses": [{"response_put": {"header": {"revision": "2"}}}],
}
REFUSED: dict[str, Any] = {
    "header": HEADER,
    "responses": [
        {"response_range": {"header": {"revision": "2"}, "kvs": [KV], "count": "1"}},
    ],
}
RANGE: dict[str, Any] = {"header": HEADER, "kvs": [KV], "count": "1"}
WATCH: dict[str, Any] = {"result": {"header": HEADER, "events": [{"kv": KV}]}}


def plain(text: str) -> str:
    return base64.b64decode(text).decode()


def test_a_transaction_compares_puts_and_deletes_under_the_prefix() -> None:
    wanted = Transaction(
        (Compare("a", modified=3), Compare("b", created=0), Compare("c", created=1, modified=2)),
        (Put("a", "ä"), Delete("b")),
    )
    body = forms.transaction("pa", wanted)
    said = [(plain(each["key"]), each["target"], each["result"]) for each in body["compare"]]
    assert said == [
        ("pa/a", "MOD", "EQUAL"),
        ("pa/b", "CREATE", "EQUAL"),
        ("pa/c", "CREATE", "EQUAL"),
        ("pa/c", "MOD", "EQUAL"),
    ]
    assert body["compare"][0]["mod_revision"] == "3"
    assert body["compare"][1]["create_revision"] == "0"
    put, delete = body["success"]
    assert plain(put["request_put"]["key"]) == "pa/a"
    assert plain(put["request_put"]["value"]) == "ä"
    assert plain(delete["request_delete_range"]["key"]) == "pa/b"
    assert json.loads(json.dumps(body)) == body


def test_a_range_is_all_that_begins_with_the_prefix_and_a_slash() -> None:
    body = forms.everything("pa")
    assert (plain(body["key"]), plain(body["range_end"])) == ("pa/", "pa0")
    assert forms.since("pa", 7)["min_mod_revision"] == "8"
    assert forms.watching("pa", 7)["create_request"]["start_revision"] == "8"


def test_answers_are_read() -> None:
    assert forms.read_transaction("pa", COMMITTED) == forms.Answer(True, 2, None)
    changes = forms.Changes({"a": Entry("x", 2, 2)}, 1, 2, HEADER["cluster_id"])
    assert forms.read_transaction("pa", REFUSED) == forms.Answer(False, 2, changes)
    assert forms.read_changes("pa", RANGE) == changes
    assert forms.read_changes("pa", {"header": HEADER}) == forms.Changes(
        {}, 0, 2, HEADER["cluster_id"]
    )


def test_what_a_watch_is_told_is_read() -> None:
    told = forms.read_told("pa", WATCH)
    assert told == forms.Told((Event("a", Entry("x", 2, 2), 2),), 2)
    gone = {"type": "DELETE", "kv": {"key": KV["key"], "mod_revision": "5"}}
    deleted = {"result": {"events": [gone]}}
    assert forms.read_told("pa", deleted) == forms.Told((Event("a", None, 5),), 5)
    assert forms.read_told("pa", {"result": {"header": HEADER, "created": True}}).events == ()
    compacted = {"result": {"canceled": True, "compact_revision": "9"}}
    assert forms.read_told("pa", compacted).ended
    assert forms.read_told("pa", {"error": {"message": "no leader"}}).ended == "no leader"


FIELDS = (
    *("header", "revision", "kvs", "kv", "key", "value", "result", "events", "count", "succeeded"),
    *("responses", "response_range", "mod_revision", "create_revision"),
)
READERS = st.sampled_from([forms.read_transaction, forms.read_changes, forms.read_told])
JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(FIELDS),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@given(READERS, JSON)
def test_whatever_answers_is_read_or_refused_with_one_error(reader: Any, said: Any) -> None:
    with contextlib.suppress(RemoteProtocolError):
        reader("pa", said)


def _paths(said: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    inner = enumerate(said) if isinstance(said, list) else []
    for key, value in said.items() if isinstance(said, dict) else inner:
        found += _paths(value, (*path, key))
    return found


@pytest.mark.parametrize(
    ("reader", "said"),
    [
        (forms.read_transaction, COMMITTED),
        (forms.read_transaction, REFUSED),
        (forms.read_changes, RANGE),
        (forms.read_told, WATCH),
    ],
)
@pytest.mark.parametrize("wrong", [None, "?", [], {}, -1, "9" * 5000])
def test_an_answer_that_is_wrong_in_one_place_is_one_error_at_most(
    reader: Any, said: Any, wrong: Any
) -> None:
    for path in _paths(said):
        copy: Any = json.loads(json.dumps(said))
        inner = copy
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = wrong
        with contextlib.suppress(RemoteProtocolError):
            reader("pa", copy)


def test_a_key_of_another_prefix_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="not asked for"):
        forms.read_changes("other", RANGE)


@pytest.mark.parametrize(
    ("wanted", "repeatable"),
    [
        (Transaction((Compare("s", created=5),), (Put("s", "1"),)), True),
        (Transaction((), (Put("s", "1"),)), False),
        (Transaction((Compare("s", created=0),), (Put("s", "1"),)), False),
        (Transaction((Compare("s", created=5),), (Delete("s"),)), False),
        (Transaction((Compare("s", created=5),), (Put("t", "1"),)), False),
        (Transaction((Compare("s", modified=5),), (Put("s", "1"),)), False),
        (Transaction((Compare("s", created=5, modified=5),), (Put("s", "1"),)), False),
        (
            Transaction((Compare("s", created=5), Compare("t", modified=1)), (Put("s", "1"),)),
            False,
        ),
    ],
)
def test_only_a_heartbeat_may_be_committed_twice(wanted: Transaction, repeatable: bool) -> None:
    assert forms.is_repeatable(wanted) is repeatable
