"""What a client of an etcd reads of a cluster's keys, and how it knows that it is all of it.

A *read* asks, through the quorum, for what was changed since the last one. The events of a watch
are told besides; they bring the same keys up to their own revision, and are known to be complete
up to one that is known otherwise: a write of our own, whose time we know.
"""

from __future__ import annotations

from collections.abc import Callable

from pa_telephony.errors import ConnectionLost, RemoteProtocolError
from pa_telephony.failover.stores import etcd_forms as forms
from pa_telephony.failover.stores.etcd_gateway import Gateway
from pa_telephony.failover.stores.etcd_tokens import AS_THEY_ARE, Tokens, tokens_in
from pa_telephony.failover.stores.mirror import INNER, Mirror
from pa_telephony.failover.transaction import StoreReplaced
from pa_telephony.failover.world import is_pulse

__all__ = ["IDENTITY", "MOVING", "EtcdReader"]

IDENTITY = f"{INNER}id"
"""The key that tells one store from another under the same prefix."""
MOVING = f"{INNER}moving"
"""The key that is there while a cluster is copied to this prefix: it is no store yet."""
_RANGE = "/v3/kv/range"


class EtcdReader:
    """The keys of one cluster, as far as they are known; ``name`` is the store's, for messages.

    Its methods raise ConnectionLost, and StoreReplaced when another store answers than before.
    """

    def __init__(self, prefix: str, name: str, clock: Callable[[], float]) -> None:
        self.prefix = prefix
        self.name = name
        self.mirror = Mirror(is_pulse)
        self.source = ""
        """Which store it is; "" before the first read."""
        self.as_of = float("-inf")
        """A time at which nothing was missing that had been committed."""
        self.known = 0
        """The last revision of a key that is known, from whatever source."""
        self.streamed = 0
        """The last revision up to which the watch has told everything."""
        self.tokens: Tokens = AS_THEY_ARE
        """What etcd's revisions are called here."""
        self._clock = clock
        self._cluster = ""
        self._sent: dict[int, float] = {}

    async def read(self, gateway: Gateway) -> None:
        """Read what was changed since the last time; everything, where that is not enough."""
        asked = self._clock()
        whole = not self.mirror.revision
        if not whole:
            changes = forms.since(self.prefix, self.mirror.revision, self.tokens)
            found = await self._ask(gateway, changes)
            whole = not self.mirror.merge(found.found, found.count, found.revision)
        if whole:
            found = await self._ask(gateway, forms.everything(self.prefix))
            if found.revision >= self.mirror.revision:
                self.mirror.replace(found.found, found.revision)
        self.known = max(self.known, self.mirror.last)
        self._looked(asked)

    async def _ask(self, gateway: Gateway, request: forms.Json) -> forms.Changes:
        before = self.mirror.revision
        try:
            said = await gateway.ask(_RANGE, request, repeatable=True)
            found = forms.read_changes(self.prefix, said, self.tokens)
            if not before and (tokens := tokens_in(found.found)) is not AS_THEY_ARE:
                self.tokens = tokens
                found = forms.read_changes(self.prefix, said, tokens)
        except RemoteProtocolError as error:
            raise ConnectionLost(f"store {self.name}: {error}") from error
        if self._cluster and found.cluster != self._cluster:
            raise StoreReplaced(f"store {self.name}: another etcd answers")
        if found.revision < before:
            raise StoreReplaced(f"store {self.name}: etcd was set back to an earlier state")
        self._cluster = found.cluster
        return found

    def told(self, told: forms.Told) -> None:
        """Take events of the watch."""
        if told.events:
            self.mirror.apply(told.events, told.revision)
            self.streamed = max(self.streamed, told.revision)
            self._looked(float("-inf"))

    def wrote(self, revision: int, sent: float) -> None:
        """Note that a write of ours, sent at ``sent``, has this revision; its event will come."""
        self.known = max(self.known, revision)
        self._sent[revision] = min(sent, self._sent.get(revision, sent))
        self._looked(float("-inf"))

    def _looked(self, asked: float) -> None:
        self.as_of = max(self.as_of, asked)
        for revision in [each for each in self._sent if each <= self.mirror.revision]:
            self.as_of = max(self.as_of, self._sent.pop(revision))
        if not self.mirror.revision:
            return
        identity = self.mirror.inner.get(IDENTITY)
        source = f"{self._cluster}/{identity.value if identity else ''}"
        if self.source and source != self.source:
            raise StoreReplaced(f"store {self.name}: its keys were removed or replaced")
        self.source = source if identity is not None else ""
