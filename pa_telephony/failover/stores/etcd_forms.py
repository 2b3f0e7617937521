"""Requests and answers of etcd's version 3 over its JSON gateway. Pure.

Source: etcd's ``rpc.proto`` as the gateway maps it (``/v3/kv/txn``, ``/v3/kv/range``,
``/v3/watch``; etcd 3.4 and later): bytes are base64, 64-bit numbers are text, and a field that has
its default is left out. Revisions are etcd's in what is sent, and the cluster's ``tokens`` before
and after.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from pa_telephony.errors import RemoteProtocolError
from pa_telephony.failover.stores.etcd_tokens import AS_THEY_ARE, Tokens
from pa_telephony.failover.stores.mirror import Event
from pa_telephony.failover.transaction import Compare, Delete, Entry, Put, Transaction

__all__ = [
    "MOST_OPERATIONS",
    "Answer",
    "Changes",
    "Told",
    "absent",
    "all_but",
    "everything",
    "is_repeatable",
    "one",
    "read_changes",
    "read_told",
    "read_transaction",
    "same",
    "since",
    "transaction",
    "watching",
]

MOST_OPERATIONS = 128
"""Compares, or operations, in one transaction (etcd's ``--max-txn-ops`` by default)."""

Json = dict[str, Any]


def is_repeatable(wanted: Transaction) -> bool:
    """Whether to commit it a second time changes nothing, so that it may be sent twice.

    It compares only when keys were created, puts only such keys, and deletes none: a heartbeat.
    """
    created = {each.key for each in wanted.compares if each.created and each.modified is None}
    return len(created) == len(wanted.compares) and all(
        isinstance(each, Put) and each.key in created for each in wanted.operations
    )


# -------------------------------------------------------------------------------- requests


def transaction(
    prefix: str,
    wanted: Transaction,
    compares: Iterable[Json] = (),
    puts: Iterable[Put] = (),
    otherwise: Iterable[Json] = (),
    tokens: Tokens = AS_THEY_ARE,
) -> Json:
    """The request that commits ``wanted`` with further ``compares`` and ``puts``, or nothing.

    What is to be read when a compare does not hold is ``otherwise``.
    """
    return {
        "compare": [each for one in wanted.compares for each in _compared(prefix, one, tokens)]
        + list(compares),
        "success": [_operation(prefix, each) for each in (*wanted.operations, *puts)],
        "failure": [{"request_range": each} for each in otherwise],
    }


def same(prefix: str, key: str, value: str) -> Json:
    """The compare that holds while ``key`` has ``value``."""
    return {**_compare(prefix, key, "VALUE"), "value": _base64(value)}


def absent(prefix: str, key: str) -> Json:
    """The compare that holds while there is no ``key``."""
    return {**_compare(prefix, key, "CREATE"), "create_revision": "0"}


def since(prefix: str, revision: int, tokens: Tokens = AS_THEY_ARE) -> Json:
    """The request for all keys that were modified after ``revision``, and the number of all."""
    return {**_all_keys(prefix), "min_mod_revision": str(revision - tokens.offset + 1)}


def everything(prefix: str) -> Json:
    """The request for all keys."""
    return _all_keys(prefix)


def all_but(prefix: str, key: str) -> list[Json]:
    """The operations that delete all keys, but that one."""
    first, last = _base64(f"{prefix}/"), _base64(f"{prefix}0")
    before = {"key": first, "range_end": _base64(f"{prefix}/{key}")}
    behind = {"key": _base64(f"{prefix}/{key}\0"), "range_end": last}
    return [{"request_delete_range": each} for each in (before, behind)]


def one(prefix: str, key: str) -> Json:
    """The request for one key."""
    return {"key": _base64(f"{prefix}/{key}")}


def watching(prefix: str, revision: int, tokens: Tokens = AS_THEY_ARE) -> Json:
    """The request that follows all keys from the events after ``revision`` on."""
    start = str(revision - tokens.offset + 1)
    return {"create_request": {**_all_keys(prefix), "start_revision": start}}


def _all_keys(prefix: str) -> Json:
    # The key that sorts right behind all that begin with PREFIX/ ends the range.
    return {"key": _base64(f"{prefix}/"), "range_end": _base64(f"{prefix}0")}


def _compare(prefix: str, key: str, target: str) -> Json:
    return {"key": _base64(f"{prefix}/{key}"), "target": target, "result": "EQUAL"}


def _compared(prefix: str, one: Compare, tokens: Tokens) -> Iterator[Json]:
    if one.created is not None:
        created = str(tokens.created(one.key, one.created))
        yield {**_compare(prefix, one.key, "CREATE"), "create_revision": created}
    if one.modified is not None:
        modified = str(tokens.modified(one.key, one.modified))
        yield {**_compare(prefix, one.key, "MOD"), "mod_revision": modified}


def _operation(prefix: str, each: Put | Delete) -> Json:
    key = _base64(f"{prefix}/{each.key}")
    if isinstance(each, Delete):
        return {"request_delete_range": {"key": key}}
    return {"request_put": {"key": key, "value": _base64(each.value)}}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


# --------------------------------------------------------------------------------- answers


@dataclass(frozen=True)
class Changes:
    """Keys with what they have, as an answer to :func:`since` or :func:`everything` gives them."""

    found: Mapping[str, Entry]
    count: int
    """How many keys there are, those included that were not asked for."""
    revision: int
    cluster: str
    """The number of the etcd cluster that answers."""


@dataclass(frozen=True)
class Answer:
    """The outcome of a transaction, and what was read since it did not commit."""

    committed: bool
    revision: int
    read: Changes | None


@dataclass(frozen=True)
class Told:
    """What a watch was told at once: events up to ``revision``, or why it has ended."""

    events: tuple[Event, ...]
    revision: int
    ended: str = ""


def read_transaction(prefix: str, said: object, tokens: Tokens = AS_THEY_ARE) -> Answer:
    """Read the answer to a transaction; raises RemoteProtocolError for anything else."""
    with _reading():
        answer = _object(said)
        header = _object(answer["header"])
        committed = answer.get("succeeded") is True
        read: Changes | None = None
        for each in answer.get("responses", ()):
            if "response_range" in each:
                read = _changes(prefix, _object(each["response_range"]), header, tokens)
        return Answer(committed, int(header["revision"]) + tokens.offset, read)


def read_changes(prefix: str, said: object, tokens: Tokens = AS_THEY_ARE) -> Changes:
    """Read the answer to a range; raises RemoteProtocolError for anything else."""
    with _reading():
        answer = _object(said)
        return _changes(prefix, answer, _object(answer["header"]), tokens)


def read_told(prefix: str, said: object, tokens: Tokens = AS_THEY_ARE) -> Told:
    """Read one message of a watch; raises RemoteProtocolError for anything else."""
    with _reading():
        answer = _object(said)
        if "error" in answer:
            return Told((), 0, str(_object(answer["error"]).get("message", "the watch has ended")))
        result = _object(answer["result"])
        if result.get("canceled"):
            return Told((), 0, str(result.get("cancel_reason", "the watch has ended")))
        events = tuple(_event(prefix, _object(each), tokens) for each in result.get("events", ()))
        # Without events a header says what the member has, which may be more than was told here.
        return Told(events, max((each.revision for each in events), default=0))


def _changes(prefix: str, said: Json, header: Json, tokens: Tokens) -> Changes:
    found = dict(_entry(prefix, _object(each), tokens) for each in said.get("kvs", ()))
    cluster = str(header.get("cluster_id", ""))
    revision = int(header["revision"]) + tokens.offset
    return Changes(found, int(said.get("count", 0)), revision, cluster)


def _event(prefix: str, said: Json, tokens: Tokens) -> Event:
    kv = _object(said["kv"])
    if said.get("type") == "DELETE":
        return Event(_key(prefix, kv), None, int(kv["mod_revision"]) + tokens.offset)
    key, entry = _entry(prefix, kv, tokens)
    return Event(key, entry, int(kv["mod_revision"]) + tokens.offset)


def _entry(prefix: str, kv: Json, tokens: Tokens) -> tuple[str, Entry]:
    value, key = base64.b64decode(kv.get("value", ""), validate=True).decode(), _key(prefix, kv)
    return key, tokens.entry(key, value, int(kv["create_revision"]), int(kv["mod_revision"]))


def _key(prefix: str, kv: Json) -> str:
    key = base64.b64decode(kv["key"], validate=True).decode()
    if not key.startswith(f"{prefix}/"):
        raise ValueError(f"the key {key!r} was not asked for")
    return key.removeprefix(f"{prefix}/")


def _object(said: object) -> Json:
    if not isinstance(said, dict):
        raise TypeError(f"{said!r:.40} where an object was expected")
    return cast("Json", said)


@contextlib.contextmanager
def _reading() -> Generator[None]:
    """Map whatever is wrong with an answer to the one typed error."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RemoteProtocolError(f"etcd answers what cannot be read: {error}") from error
