"""The cluster's configuration as the store has it: one text, its revision, and the ones before.

Pure. The entry ``cluster`` has the present revision, ``cluster/00`` … the last ones. A revision
counts from 1; that of the store's entry is what a save compares, so that of two writers the second
is refused. Its *hash* is in the heartbeat of every server that has taken it up.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pa_telephony.errors import ConfigurationError
from pa_telephony.failover import text
from pa_telephony.failover.cluster import Cluster, parse
from pa_telephony.failover.config import JtapiProvider
from pa_telephony.failover.transaction import Compare, Entry, Put, Snapshot, Transaction

__all__ = [
    "CONFIGURATION",
    "Revision",
    "begun",
    "current",
    "offered",
    "past",
    "read",
    "saving",
    "stored",
]

CONFIGURATION = "cluster"
"""The key of the present revision."""
KEPT = 32
"""How many revisions the store keeps."""


@dataclass(frozen=True)
class Revision:
    """One configuration that the store has, or had."""

    number: int
    text: str
    """TOML without relative paths, and without ``store``."""
    at: float = 0.0
    """When it was saved: seconds since the epoch, of the writer's machine; 0 = not known."""
    by: str = ""
    """The one who saved it, for people."""

    @functools.cached_property
    def hash(self) -> str:
        """A short name that tells one configuration from another."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]

    @property
    def key(self) -> str:
        """The key under which the store keeps it when it is the present one no longer."""
        return f"{CONFIGURATION}/{self.number % KEPT:02d}"

    def encode(self) -> str:
        """Write it as JSON on one line."""
        said = {"number": self.number, "at": round(self.at, 3), "by": self.by, "text": self.text}
        return json.dumps(said, separators=(",", ":"))

    @classmethod
    def decode(cls, value: str) -> Revision:
        """Read what :meth:`encode` wrote; raises ConfigurationError for anything else."""
        return _decode(value)

    def cluster(self, file: str = "", store: str = "") -> Cluster:
        """The configuration, checked; raises ConfigurationError.

        ``file`` is what its errors begin with, and ``store`` is the store's path from there.
        """
        return _cluster(self.text, file, store)


@functools.lru_cache(maxsize=64)
def _decode(value: str) -> Revision:
    try:
        said: dict[str, Any] = dict(json.loads(value))
        return Revision(int(said["number"]), str(said["text"]), float(said["at"]), str(said["by"]))
    except (ValueError, TypeError, KeyError) as error:
        raise ConfigurationError(f"the store's configuration cannot be read: {error!r}") from None


@functools.lru_cache(maxsize=16)
def _cluster(text: str, file: str, store: str) -> Cluster:
    found = parse(text, file)
    return replace(found, store=store) if store else found


def stored(snapshot: Snapshot) -> Revision | None:
    """The present revision; None when the store has none. Raises ConfigurationError."""
    entry = snapshot.entries.get(CONFIGURATION)
    return None if entry is None else Revision.decode(entry.value)


def begun(snapshot: Snapshot) -> float:
    """When the first revision was saved, in Unix time; 0.0 when the store does not tell."""
    entry = snapshot.entries.get(Revision(1, "").key)
    if entry is None:
        return 0.0
    try:
        first = Revision.decode(entry.value)
    except ConfigurationError:
        return 0.0
    return first.at if first.number == 1 else 0.0


def current(cluster: Cluster, snapshot: Snapshot) -> Cluster:
    """The configuration of the store, or ``cluster`` where it has none.

    Raises ConfigurationError when this release cannot read it.
    """
    revision = stored(snapshot)
    return cluster if revision is None else read(revision, cluster)


def read(revision: Revision, like: Cluster) -> Cluster:
    """The configuration of a revision, of the same file and store as ``like``."""
    return revision.cluster(like.file, like.store)


def past(entries: Mapping[str, Entry]) -> tuple[Revision, ...]:
    """The revisions that the store still has, the newest first; unreadable ones are left out."""
    found: dict[int, Revision] = {}
    for key, entry in entries.items():
        if key.startswith(f"{CONFIGURATION}/"):
            try:
                revision = Revision.decode(entry.value)
            except ConfigurationError:
                continue
            found[revision.number] = revision
    return tuple(found[number] for number in sorted(found, reverse=True))


def offered(cluster: Cluster, number: int = 1, at: float = 0.0, by: str = "") -> Revision:
    """``cluster`` as a revision: its text with absolute paths, since the store is in no directory.

    So the same configuration has the same text wherever its file is.
    """
    directory = cluster.directory.resolve()

    def located(path: str) -> str:
        return str(directory / Path(path)) if path else ""

    application = replace(cluster.application, greeting=located(cluster.application.greeting))
    providers = tuple(
        replace(each, tls_authorities=located(each.tls_authorities))
        if isinstance(each, JtapiProvider)
        else each
        for each in cluster.providers
    )
    here = replace(cluster, application=application, providers=providers)
    return Revision(number, text.write(here), at, by)


def puts(revision: Revision) -> tuple[Put, Put]:
    """What makes ``revision`` the present one."""
    value = revision.encode()
    return Put(CONFIGURATION, value), Put(revision.key, value)


def saving(revision: Revision, snapshot: Snapshot, unchanged: Iterable[str] = ()) -> Transaction:
    """The transaction that saves ``revision`` over the one in ``snapshot``, if it is still there.

    ``unchanged``: further keys that have to be as they are in ``snapshot``.
    """
    keys = (CONFIGURATION, *unchanged)
    compares = tuple(Compare(key, modified=snapshot.modified(key)) for key in keys)
    return Transaction(compares, puts(revision))
