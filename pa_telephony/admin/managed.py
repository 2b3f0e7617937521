"""The cluster that is administered, in its store and nowhere else.

What is asked for here is asked of the store: servers and agents see it there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import trio

from pa_telephony import failover
from pa_telephony.errors import ConfigurationError
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.config import ClusterConfig
from pa_telephony.failover.configuring import Proposal, propose, save_configuration
from pa_telephony.failover.intent import DRAINS_WITHIN, Answer, Command
from pa_telephony.failover.looking import second_look
from pa_telephony.failover.restarting import begin_restart, follow_restart
from pa_telephony.failover.rolling import Roll, rolling
from pa_telephony.failover.sight import Sight, see
from pa_telephony.failover.status import ServerStatus
from pa_telephony.failover.stored import Revision, stored
from pa_telephony.failover.stores import Store

__all__ = ["ManagedCluster", "NoServers", "Present"]


Told = Callable[[Answer], None]
"""What hears what is so on the way."""


def _nobody(_: object) -> None:
    """Nobody wants to hear it."""


class NoServers(ConfigurationError):
    """There is no server yet, so there is nothing to see or to control."""

    def __init__(self) -> None:
        super().__init__("there is no server yet: add one on Server Configuration")


@dataclass(frozen=True)
class Present:
    """The configuration that the store has."""

    config: ClusterConfig
    """That, or what the first one is begun with; then without servers."""
    number: int
    """Of its revision; 0 for none."""

    @property
    def cluster(self) -> Cluster:
        """The configuration, checked; raises :class:`NoServers` where there is none yet."""
        if isinstance(self.config, Cluster):
            return self.config
        raise NoServers


class ManagedCluster:
    """What the pages ask of a cluster and tell it.

    ``begin`` is what the first configuration is begun with while the store has none; its file and
    its store are those of the cluster. ``clock`` gives Unix time.
    """

    def __init__(
        self,
        store: Store,
        begin: ClusterConfig,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store = store
        self._begin = begin
        self._clock = clock

    async def present(self) -> Present:
        """The configuration; raises ConfigurationError when this release cannot read it."""
        revision = stored(await self.store.snapshot())
        if revision is None:
            return Present(self._begin, 0)
        return Present(self.read(revision), revision.number)

    def read(self, revision: Revision) -> Cluster:
        """The configuration of a revision; raises ConfigurationError when it cannot be read."""
        return revision.cluster(self._begin.file, self._begin.store)

    async def propose(self, cluster: Cluster) -> Proposal:
        """What it would do to save this now; nothing is done."""
        return propose(cluster, await self.store.snapshot())

    async def save(self, cluster: Cluster, base: int, by: str) -> Proposal:
        """Save it, if the store has revision ``base`` still; raises ConfigurationError.

        The notes of the error of a second writer say what the first has changed.
        """
        snapshot = await self.store.snapshot()
        present = stored(snapshot)
        if base == 0 and present is not None:
            rule = f"revision {present.number} was saved by {present.by or 'another'} meanwhile"
            raise ConfigurationError(f"{rule}: nothing was saved")
        return await save_configuration(cluster, self.store, at=self._clock(), by=by, base=base)

    async def status(self) -> tuple[ServerStatus, ...]:
        """The Server Status page of every server."""
        return await failover.read_status((await self.present()).cluster, self.store)

    async def sight(self) -> Sight:
        """All that can be seen of it; raises what reading the store raises."""
        present = await self.present()
        if not isinstance(present.config, Cluster):
            return Sight(self._clock())
        return see(await second_look(present.config, self.store), self._clock())

    async def order(
        self,
        command: Command,
        names: Iterable[str] = (),
        *,
        within: float = 10.0,
        deadline: int = DRAINS_WITHIN,
        told: Told = _nobody,
    ) -> tuple[Answer, ...]:
        """Give an operator's command to servers, or to all; and see what they do about it.

        ``deadline`` is how many seconds calls have with DRAIN; ``told`` hears what is so on the
        way, here and below.
        """
        cluster = (await self.present()).cluster
        return await failover.control_and_see(
            cluster, command, names, self.store, within=within, deadline=deadline, told=told
        )

    async def move(
        self, home: str, to: str, *, within: float, deadline: int | None, told: Told = _nobody
    ) -> Answer:
        """Have ``to`` serve ``home``; the home itself takes that back."""
        cluster = (await self.present()).cluster
        target = None if to.casefold() == home.casefold() else to
        if target is None and deadline is not None:
            rule = "an order to return brings a server's numbers home by a deadline"
            raise ConfigurationError(rule, field="deadline")
        return await failover.move_and_see(
            cluster, home, target, self.store, within=within, deadline=deadline, told=told
        )

    async def bring_back(
        self, home: str, *, undo: bool, within: float, deadline: int, told: Told = _nobody
    ) -> Answer:
        """Have ``home`` get its own back now; or take that order back."""
        cluster = (await self.present()).cluster
        return await failover.return_and_see(
            cluster, home, self.store, undo=undo, within=within, deadline=deadline, told=told
        )

    async def hold(self, home: str, *, undo: bool, within: float, told: Told = _nobody) -> Answer:
        """Keep what is the home's own at whoever stands in; or take that order back."""
        cluster = (await self.present()).cluster
        return await failover.hold_and_see(
            cluster, home, self.store, undo=undo, within=within, told=told
        )

    async def restart(
        self,
        names: Sequence[str],
        deadline: int,
        *,
        within: float = 1.0,
        told: Callable[[str], None] = _nobody,
    ) -> str:
        """Begin to restart servers, or all, one after the other; gives how far that is then.

        ``told`` hears how far it is on the way. Raises LocalProtocolError with the reason when it
        cannot be now.
        """
        cluster = (await self.present()).cluster
        await begin_restart(cluster, names, self.store, deadline=deadline)
        said = [f"restarting {', '.join(names) or 'all'}"]

        def hear(words: str) -> None:
            said.append(words)
            told(words)

        with trio.move_on_after(within):
            return str(await follow_restart(cluster, self.store, hear))
        return said[-1]

    async def roll(self) -> Roll | None:
        """The rolling restart that goes on, or was the last one."""
        return rolling(await self.store.snapshot())

    async def undo_restart(self) -> str:
        """End the restart that goes on, or clear one that was given up."""
        ended = await failover.undo_restart((await self.present()).cluster, self.store)
        return "no rolling restart goes on" if ended is None else str(ended)
