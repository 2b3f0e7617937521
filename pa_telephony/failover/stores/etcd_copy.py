"""A cluster's entries copied to an empty prefix of an etcd, with their tokens.

Until the copy is made a store by :func:`finish`, the key ``!moving`` is there: it says whose copy
it is, every write compares it, and nobody begins a store beside it. So no write of a copy that was
given up can come late.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import trio

from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.failover.stores import etcd_forms as forms
from pa_telephony.failover.stores.etcd_gateway import Gateway
from pa_telephony.failover.stores.etcd_places import AT, Place
from pa_telephony.failover.stores.etcd_reader import IDENTITY, MOVING
from pa_telephony.failover.stores.etcd_tokens import OLD, encode
from pa_telephony.failover.transaction import Delete, Entry, Put, Transaction

__all__ = ["MOST_BYTES", "claim", "copy", "empty", "finish"]

_TXN, _RANGE = "/v3/kv/txn", "/v3/kv/range"
_ENTRIES = 100
_BYTES = 256 << 10
MOST_BYTES = 1 << 20
"""The longest entry; etcd takes requests of 1.5 MiB, in which it is as it is here."""
_AT_ONCE = 8
_NOTHING = Transaction((), ())


async def claim(gateway: Gateway, attempt: str, identity: str) -> None:
    """Have the empty prefix for this copy alone; what earlier attempts of ``identity`` left goes.

    Raises ConfigurationError when there is anything else.
    """
    prefix = gateway.address.prefix
    said = await gateway.ask(_RANGE, forms.everything(prefix), repeatable=True)
    found = forms.read_changes(prefix, said).found
    there = found.get(MOVING)
    if there is not None and there.value.startswith(f"{identity} ") and IDENTITY not in found:
        compares = [forms.same(prefix, MOVING, there.value)]
    elif found:
        raise ConfigurationError(
            f"{gateway.name}: the prefix {prefix} is not empty: {_words(found)}; name another one",
            field="store",
        )
    else:
        compares = [forms.absent(prefix, MOVING)]
    mine = f"{identity} {attempt}"
    body = forms.transaction(
        prefix, _NOTHING, [*compares, forms.absent(prefix, IDENTITY)], [Put(MOVING, mine)]
    )
    body["success"] += forms.all_but(prefix, MOVING)
    body["failure"] = [{"request_range": forms.one(prefix, MOVING)}]
    answer = forms.read_transaction(prefix, await gateway.ask(_TXN, body, repeatable=True))
    now = answer.read.found.get(MOVING) if answer.read is not None else None
    # Sent twice, the first is done and the second one sees it.
    if not answer.committed and (now is None or now.value != mine):
        raise ConfigurationError(f"{gateway.name}: another one uses the prefix {prefix} by now")


def _words(found: Mapping[str, Entry]) -> str:
    if IDENTITY in found:
        return "a cluster's store is there"
    if MOVING in found:
        return "another cluster was being moved there"
    return f"it has {len(found)} keys"


async def copy(
    gateway: Gateway,
    attempt: str,
    identity: str,
    entries: Mapping[str, Entry],
    offset: int,
    places: Mapping[str, Place],
) -> None:
    """Write the entries, and which process has which name.

    Every later token is more than ``offset``. Raises ConnectionLost when the etcd cannot be used,
    and ConfigurationError when the prefix is another copy's by now.
    """
    prefix = gateway.address.prefix
    limit = trio.CapacityLimiter(_AT_ONCE)
    mine = [forms.same(prefix, MOVING, f"{identity} {attempt}"), forms.absent(prefix, IDENTITY)]
    troubles: list[ConnectionLost | ConfigurationError] = []

    async def write(puts: Iterable[Put]) -> None:
        async with limit:
            try:
                body = forms.transaction(prefix, _NOTHING, mine, puts)
                said = await gateway.ask(_TXN, body, repeatable=True)
                if not forms.read_transaction(prefix, said).committed:
                    raise ConfigurationError(f"{gateway.name}: another move has begun meanwhile")
            except (ConnectionLost, ConfigurationError) as error:
                troubles.append(error)
                nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        for number, some in enumerate(_pieces(entries)):
            puts = [Put(key, entry.value) for key, entry in some.items()]
            nursery.start_soon(write, [*puts, Put(f"{OLD}{number:04d}", encode(offset, some))])
        names = [Put(AT + name, place.encode()) for name, place in places.items()]
        for first in range(0, len(names), _ENTRIES):
            nursery.start_soon(write, names[first : first + _ENTRIES])
    if troubles:
        raise troubles[0]


def _pieces(entries: Mapping[str, Entry]) -> Iterator[dict[str, Entry]]:
    """The entries in parts that etcd takes at once; there is one part at least."""
    part: dict[str, Entry] = {}
    size = 0
    for key, entry in entries.items():
        length = len(entry.value.encode())
        if part and (len(part) == _ENTRIES or size + length > _BYTES):
            yield part
            part, size = {}, 0
        part[key] = entry
        size += length
    yield part


async def finish(gateway: Gateway, attempt: str, identity: str) -> None:
    """Make the copy a store, which the mark in the file has decided; any process may do so.

    Raises ConnectionLost when it is not there, or cannot be told.
    """
    prefix = gateway.address.prefix
    gone = Transaction((), (Delete(MOVING),))
    body = forms.transaction(
        prefix,
        gone,
        [forms.same(prefix, MOVING, f"{identity} {attempt}")],
        [Put(IDENTITY, identity)],
        [forms.one(prefix, IDENTITY)],
    )
    answer = forms.read_transaction(prefix, await gateway.ask(_TXN, body, repeatable=True))
    if not answer.committed and not (answer.read and IDENTITY in answer.read.found):
        raise ConnectionLost(
            f"store {gateway.name}: a cluster was moved to the prefix {prefix}, which is not there"
        )


async def empty(gateway: Gateway, attempt: str, identity: str) -> None:
    """Remove a copy that was given up."""
    prefix = gateway.address.prefix
    mine = forms.same(prefix, MOVING, f"{identity} {attempt}")
    body: dict[str, Any] = forms.transaction(
        prefix, Transaction((), (Delete(MOVING),)), [mine, forms.absent(prefix, IDENTITY)]
    )
    body["success"] += forms.all_but(prefix, MOVING)
    await gateway.ask(_TXN, body, repeatable=True)
