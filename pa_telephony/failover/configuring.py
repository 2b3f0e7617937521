"""How a cluster's configuration gets into the store, and out of it. Pure but for the store's calls.

A :class:`Proposal` says what a new configuration changes and what happens then, before anything is
done. It is saved whole, and only over the revision that it was compared with: of two writers the
second is refused, and shown what the first has changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pa_telephony.errors import ConfigurationError, first_of
from pa_telephony.failover import validation
from pa_telephony.failover.changes import Change, Effect, differences, effect
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.stored import Revision, offered, past, read, saving, stored
from pa_telephony.failover.stores import Store, StoreView
from pa_telephony.failover.stores.movable import moved_to
from pa_telephony.failover.transaction import Delete, Snapshot, Transaction
from pa_telephony.failover.world import World

__all__ = [
    "Proposal",
    "base_of",
    "exported",
    "look_at",
    "propose",
    "read_configuration",
    "save_configuration",
]

_BASE = "# revision "


@dataclass(frozen=True)
class Proposal:
    """A configuration that may be saved, compared with the one that the store has."""

    revision: Revision
    """What it would be."""
    present: Revision | None
    """What the store has; None when it has none."""
    changes: tuple[Change, ...]
    effect: Effect
    transaction: Transaction | None
    """What saves it; None when nothing changes, or it is refused."""

    def check(self) -> None:
        """Raise ConfigurationError with server, field and rule when it may not be saved now."""
        if self.effect.refused:
            first = first_of(self.effect.refused)
            for other in first.others:
                first.add_note(str(other))
            raise first


def propose(cluster: Cluster, snapshot: Snapshot, *, at: float = 0.0, by: str = "") -> Proposal:
    """``cluster`` as the next revision of the store; ``at`` and ``by`` are for its history.

    Raises ConfigurationError when this release cannot read what the store has.
    """
    present = stored(snapshot)
    if present is None:
        revision = offered(cluster, 1, at, by)
        return Proposal(revision, None, (), Effect(), saving(revision, snapshot))
    old = read(present, cluster)
    revision = offered(cluster, present.number + 1, at, by)
    new = read(revision, cluster)
    if revision.hash == present.hash:
        return Proposal(revision, present, (), Effect(), None)
    world = World(old, snapshot)
    found = effect(new, world)
    transaction = None
    if not found.refused:
        transaction = saving(revision, snapshot, found.relies_on)
        litter = tuple(each.key for each in world.strays if world.owner(each) is None)
        transaction = _without(transaction, litter, world)
    return Proposal(revision, present, differences(old, new), found, transaction)


def _without(transaction: Transaction, keys: Iterable[str], world: World) -> Transaction:
    """The transaction, which also drops entries of what is no more and has no owner."""
    compares = {each.key: each for each in transaction.compares}
    compares.update((key, world.unchanged(key)) for key in keys)
    deletes = tuple(Delete(key) for key in keys)
    return Transaction(tuple(compares.values()), (*transaction.operations, *deletes))


async def look_at(
    cluster: Cluster, view: StoreView, *, at: float = 0.0, by: str = "", base: int | None = None
) -> Proposal:
    """What :func:`save_configuration` would do now; it raises what that would raise."""
    snapshot = await view.snapshot()
    if to := moved_to(view):
        validation.check(replace(cluster, store=to))
    proposal = propose(cluster, snapshot, at=at, by=by)
    if base is not None and proposal.present is not None and proposal.present.number != base:
        raise _overtaken(cluster, snapshot, base, proposal.present)
    proposal.check()
    return proposal


async def save_configuration(
    cluster: Cluster,
    store: Store,
    *,
    at: float = 0.0,
    by: str = "",
    base: int | None = None,
) -> Proposal:
    """Make ``cluster`` the configuration of the store; all of it, or nothing.

    ``base`` is the number of the revision that it was made from, if that is known. Raises
    ConfigurationError when it may not be saved, and when another one was saved meanwhile.
    """
    proposal = await look_at(cluster, store, at=at, by=by, base=base)
    if proposal.transaction is not None:
        outcome = await store.transact(proposal.transaction)
        if not outcome.committed:
            now = await store.snapshot()
            there = stored(now)
            number = proposal.present.number if proposal.present is not None else 0
            if there is not None and there.number != number:
                raise _overtaken(cluster, now, number, there)
            rule = (
                "a server has started, or taken a number, meanwhile: nothing was saved, try again"
            )
            raise ConfigurationError(rule, file=cluster.file)
    return proposal


def _overtaken(
    cluster: Cluster, snapshot: Snapshot, base: int, present: Revision
) -> ConfigurationError:
    """The error of a second writer, with what the first has changed as its notes."""
    who = f" by {present.by}" if present.by else ""
    error = ConfigurationError(
        f"revision {present.number} was saved{who} after revision {base}, which this was made from:"
        " nothing was saved",
        file=cluster.file,
    )
    before = next((each for each in past(snapshot.entries) if each.number == base), None)
    if before is not None:
        for change in differences(read(before, cluster), read(present, cluster)):
            error.add_note(str(change))
    return error


async def read_configuration(view: StoreView) -> tuple[Revision, ...]:
    """The revisions that the store has, the present one first; none when it has none.

    Raises ConfigurationError when the present one is no revision.
    """
    snapshot = await view.snapshot()
    present = stored(snapshot)
    if present is None:
        return ()
    return (present, *(each for each in past(snapshot.entries) if each.number != present.number))


def exported(revision: Revision) -> str:
    """The text of a revision for a file, which says from which one it is."""
    return f"{_BASE}{revision.number}\n{revision.text}"


def base_of(text: str) -> int | None:
    """The number of the revision that an exported text is from; None when it does not say."""
    first, _, _ = text.partition("\n")
    number = first.removeprefix(_BASE).strip()
    return int(number) if first.startswith(_BASE) and number.isdecimal() else None
