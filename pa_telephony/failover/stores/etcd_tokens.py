"""The tokens of a store in an etcd: its revisions, or what goes on from another store. Pure.

A cluster that was moved here (:mod:`etcd_copy`) keeps every token that it has: the values of its
entries name some, and its servers know them. So the keys ``!old/…`` say which tokens each copied
entry had, and by how much all later ones are more than etcd's revisions. An entry has its old
tokens for as long as it stands as it was copied, and its old ``created`` until it is deleted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pa_telephony.errors import RemoteProtocolError
from pa_telephony.failover.stores.mirror import INNER
from pa_telephony.failover.transaction import Entry

__all__ = ["AS_THEY_ARE", "OLD", "Tokens", "encode", "tokens_in"]

OLD = f"{INNER}old/"
"""What the keys with the tokens of copied entries begin with; numbers follow."""
_NEVER = -1
"""A revision that no key has."""


class Copied(NamedTuple):
    """The tokens that an entry had, and the revision of etcd with which it was copied."""

    created: int
    modified: int
    at: int


@dataclass(frozen=True)
class Tokens:
    """What etcd's revisions are called in the cluster."""

    offset: int = 0
    copied: Mapping[str, Copied] = field(default_factory=dict[str, Copied])

    def entry(self, key: str, value: str, created: int, modified: int) -> Entry:
        """The entry of a key that has these revisions in etcd."""
        old = self.copied.get(key)
        if old is not None and created == old.at:
            later = modified + self.offset
            return Entry(value, old.created, old.modified if modified == old.at else later)
        return Entry(value, created + self.offset, modified + self.offset)

    def created(self, key: str, token: int) -> int:
        """The revision in etcd of a key whose ``created`` is ``token``; 0 for none."""
        old = self.copied.get(key)
        return old.at if old is not None and token == old.created else self._revision(token)

    def modified(self, key: str, token: int) -> int:
        """The revision in etcd of a key whose ``modified`` is ``token``; 0 for none."""
        old = self.copied.get(key)
        return old.at if old is not None and token == old.modified else self._revision(token)

    def _revision(self, token: int) -> int:
        if token == 0:
            return 0
        return token - self.offset if token > self.offset else _NEVER


AS_THEY_ARE = Tokens()
"""Those of a cluster that began in its etcd."""


def encode(offset: int, entries: Mapping[str, Entry]) -> str:
    """What is written beside ``entries``, in the transaction that copies them."""
    said = {key: (entry.created, entry.modified) for key, entry in entries.items()}
    return json.dumps({"offset": offset, "tokens": said}, separators=(",", ":"))


def tokens_in(found: Mapping[str, Entry]) -> Tokens:
    """The tokens that the keys of a store name, as etcd has them; raises RemoteProtocolError."""
    offset, copied = 0, dict[str, Copied]()
    for key, entry in found.items():
        if key.startswith(OLD):
            try:
                said = json.loads(entry.value)
                offset = int(said["offset"])
                for name, (created, modified) in said["tokens"].items():
                    copied[name] = Copied(int(created), int(modified), entry.modified)
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise RemoteProtocolError(f"the key {key} cannot be read: {error!r}") from None
    return Tokens(offset, copied) if copied else AS_THEY_ARE
