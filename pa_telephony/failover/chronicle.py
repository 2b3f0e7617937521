"""The last takeovers, returns and fences: what a server writes down of them, and how it is read.

Each server has a ring of :data:`KEPT` keys ``log/S/00`` … in the store, so that what has happened
is known after all servers have restarted, and so that it never grows. It is for people: nothing is
decided by it, and nothing waits for it. Pure.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator, Set as AbstractSet
from dataclasses import dataclass, replace

from pa_telephony.failover.identity import Identity
from pa_telephony.failover.status import seconds
from pa_telephony.failover.steps import Step, StepKind
from pa_telephony.failover.transaction import Put, Snapshot, Transaction
from pa_telephony.failover.world import World

__all__ = ["KEPT", "Chronicle", "Episode", "EpisodeKind", "history"]

KEPT = 32
"""How many episodes the store keeps of each server."""
_PREFIX = "log/"
_LONGEST = 200
"""How many characters of a cause are kept."""


class EpisodeKind(enum.Enum):
    """What happened in an episode."""

    TAKEOVER = "takeover"
    RETURN = "return"
    HANDOVER = "handover"
    """A home gave its own to a stand-in, as an operator had ordered."""
    FENCE = "fence"
    """A server stopped acting, as it could not renew its right to."""


@dataclass(frozen=True)
class Episode:
    """One takeover, return, handover or fence."""

    kind: EpisodeKind
    server: str
    """The server that did it, and wrote it down."""
    home: str
    """The server whose identities it is about; the server itself for a fence of everything."""
    cause: str
    began: float
    """When it began: wall-clock seconds since the epoch, of the server's machine."""
    seconds: float | None = None
    """How long it took; None when it goes on, or was never finished."""
    identities: int = 0
    number: int = 0
    """The number of the episode at its server; the key is this modulo :data:`KEPT`."""
    to: str = ""
    """The stand-in of a handover."""

    @property
    def holder(self) -> str:
        """The server that has the numbers afterwards; "" for a fence."""
        match self.kind:
            case EpisodeKind.TAKEOVER:
                return self.server
            case EpisodeKind.RETURN:
                return self.home
            case EpisodeKind.HANDOVER:
                return self.to
            case EpisodeKind.FENCE:
                return ""

    @property
    def of_another(self) -> str:
        """Whose numbers they are, as " of PA1" behind a count; "" for the server's own."""
        return "" if self.home == self.server else f" of {self.home}"

    @property
    def key(self) -> str:
        """The key of the episode in the store."""
        return f"{_PREFIX}{self.server}/{self.number % KEPT:02d}"

    def encode(self) -> str:
        """Write it as JSON on one line."""
        return json.dumps(
            {
                "kind": self.kind.value,
                "home": self.home,
                "cause": self.cause,
                "began": round(self.began, 3),
                "seconds": None if self.seconds is None else round(self.seconds, 3),
                "identities": self.identities,
                "number": self.number,
                "to": self.to,
            },
            separators=(",", ":"),
        )

    @classmethod
    def decode(cls, key: str, text: str) -> Episode | None:
        """Read an episode; None for text that is none (another release wrote it)."""
        try:
            read = dict(json.loads(text))
            took = read["seconds"]
            return cls(
                EpisodeKind(read["kind"]),
                key.removeprefix(_PREFIX).rpartition("/")[0],
                str(read["home"]),
                str(read["cause"]),
                float(read["began"]),
                None if took is None else float(took),
                int(read["identities"]),
                int(read["number"]),
                str(read.get("to", "")),
            )
        except (ValueError, TypeError, KeyError):
            return None


def history(snapshot: Snapshot) -> tuple[Episode, ...]:
    """All episodes that the store has, the oldest first."""
    found = [
        episode
        for key in snapshot.under(_PREFIX)
        if (episode := Episode.decode(key, snapshot.entries[key].value)) is not None
    ]
    return tuple(sorted(found, key=lambda each: (each.began, each.server, each.number)))


class Chronicle:
    """The episodes of one server.

    Its driver tells it what it sees, and writes what :meth:`writes` gives.
    """

    def __init__(self, name: str, *, heartbeat: float, take: float) -> None:
        self._name = name
        self._long = 2 * heartbeat + 1.0
        self._take = take
        self._world: World | None = None
        self._read = 0.0
        self._number: int | None = None
        self._heard: dict[str, tuple[int, float]] = {}
        self._gone: dict[str, str] = {}
        self._acted = False
        self._looked = 0.0
        self._fence: tuple[Episode, float] | None = None
        self._takeovers: dict[str, tuple[Episode, float, set[Identity]]] = {}
        self._owned: set[Identity] = set()
        """The identities that the store has shown as ours since a takeover; one that is ours no
        more is not waited for."""
        self._returns: dict[str, tuple[Episode, float]] = {}
        self._handovers: dict[str, tuple[Episode, float]] = {}
        self._pending: dict[str, Episode] = {}

    # Inputs.

    def observe(self, world: World, now: float) -> None:
        """Take a snapshot of the store."""
        self._world = world
        self._read = now
        if self._number is None:
            episodes = history(world.snapshot)
            numbers = [each.number for each in episodes if each.server == self._name]
            self._number = max(numbers, default=-1) + 1
        for _, _, waiting in self._takeovers.values():
            mine = {each for each in waiting if world.owner(each) == self._name}
            waiting -= (waiting & self._owned) - mine
            self._owned |= mine
        for name in world.names:
            session = world.session(name)
            heard = self._heard.get(name)
            if session is not None:
                if heard is None or heard[0] != session.modified:
                    self._heard[name] = (session.modified, now)
            elif heard is not None:
                silent = now - self._heard.pop(name)[1]
                if name in world.snapshot.dead:
                    self._gone[name] = "its process is gone"
                elif silent >= 0.9 * self._take:
                    self._gone[name] = f"silent for {seconds(silent)}"
                else:
                    self._gone[name] = "it gave up its session"

    def committed(self, step: Step, now: float, wall: float) -> None:
        """Note that a step of this server has been committed."""
        home = step.server
        match step.kind:
            case StepKind.LEAVE:
                self._acted = False
            case StepKind.TAKE_HOME:
                self._close_return(home, now, "; broken off")
                began = self._new(EpisodeKind.TAKEOVER, home, self._lost(home), wall)
                episode = replace(began, identities=len(step.identities))
                self._takeovers[home] = (episode, now, set(step.identities))
                self._owned.difference_update(step.identities)
                self._note(episode)
            case StepKind.HAND_BACK:
                self._takeovers.pop(home, None)
                episode, since = self._returns.get(home) or (
                    self._new(EpisodeKind.RETURN, home, self._why_home(home), wall),
                    now,
                )
                episode = replace(episode, identities=episode.identities + len(step.identities))
                self._returns[home] = (episode, since)
                self._note(episode)
            case StepKind.GIVE_UP:
                self._takeovers.pop(home, None)
                self._close_return(home, now, "; broken off")
                cause = f"another server reaches more of what {home} needs"
                self._note(replace(self._new(EpisodeKind.FENCE, home, cause, wall), seconds=0.0))
            case StepKind.RELEASE:
                self._close_return(home, now, "")
            case StepKind.HAND_OVER:
                self._hand_over(step, now, wall)
            case StepKind.WANT:
                self._handovers.pop(self._name, None)
            case _:
                pass

    def _hand_over(self, step: Step, now: float, wall: float) -> None:
        """Note what a stand-in gets of a home; the last that I have of it ends the episode."""
        to, me, home = step.server, self._name, step.identities[0].home
        self._takeovers.pop(home, None)
        found = self._handovers.get(home)
        if found is None or found[0].to != to:
            moved = self._world is not None and home == me and self._world.moved(me) == to
            cause = f"an operator moves {me}" if moved else f"an operator drains {me}"
            found = replace(self._new(EpisodeKind.HANDOVER, home, cause, wall), to=to), now
        episode, since = found
        episode = replace(episode, identities=episode.identities + len(step.identities))
        self._handovers[home] = episode, since
        if not {*self._held_of(home)} - {*step.identities}:
            del self._handovers[home]
            episode = replace(episode, seconds=now - since)
        self._note(episode)

    def _held_of(self, home: str) -> Iterator[Identity]:
        """What I had of ``home`` when the store was last read."""
        if self._world is not None:
            for identity in self._world.cluster.identities(home):
                if self._world.owner(identity) == self._name:
                    yield identity

    def _why_home(self, home: str) -> str:
        """Why ``home`` gets its own back."""
        if self._world is not None and self._world.orders(home).returns_within is not None:
            return f"an operator has {home} return"
        return f"{home} asked for its own"

    def acting(
        self, acts: bool, up: AbstractSet[Identity], now: float, wall: float, why: str = ""
    ) -> None:
        """Note whether the server may act now, and what it has registered; called all the time.

        ``why``: the last error of a store that cannot be used, "" when it can be.
        """
        stood_still = now - self._looked
        self._looked = now
        if self._acted and not acts:
            cause = self._stopped(now, stood_still, why)
            # It stopped acting while it stood still, at the latest; when exactly was not seen.
            self._fence = (self._new(EpisodeKind.FENCE, self._name, cause, wall), now)
        elif acts and self._fence is not None:
            episode, since = self._fence
            self._fence = None
            self._note(replace(episode, seconds=now - since))
        self._acted = acts
        for home, (episode, since, waiting) in list(self._takeovers.items()):
            waiting -= up
            if not waiting:
                del self._takeovers[home]
                self._note(replace(episode, seconds=now - since))

    # Outputs.

    def writes(self) -> Transaction | None:
        """The transaction to write now, given once; None for nothing, or while we may not act."""
        if not self._pending or not self._acted:
            return None
        puts = tuple(Put(each.key, each.encode()) for each in self._pending.values())
        self._pending.clear()
        return Transaction((), puts)

    # Helpers.

    def _note(self, episode: Episode) -> None:
        self._pending[episode.key] = episode

    def _new(self, kind: EpisodeKind, home: str, cause: str, wall: float) -> Episode:
        number = self._number or 0
        self._number = number + 1
        return Episode(kind, self._name, home, cause[:_LONGEST], wall, number=number)

    def _close_return(self, home: str, now: float, more: str) -> None:
        if home in self._returns:
            episode, since = self._returns.pop(home)
            self._note(replace(episode, seconds=now - since, cause=episode.cause + more))

    def _lost(self, home: str) -> str:
        """The reason why ``home`` had to be taken over."""
        world = self._world
        if world is None:
            return ""
        if world.stopped(home) is not None:
            return "stopped by an operator"
        if home in world.snapshot.dead:
            return "its process is gone"
        session = world.session(home)
        if session is not None and not session.beat.reads:
            return "it cannot read the store"
        away = sorted(world.cluster.needs(home) - world.reach(home, home))
        if session is not None and away:
            return f"it does not reach {', '.join(away)}"
        # It has no session, or has begun a new one since.
        return self._gone.get(home, "it has no session")

    def _stopped(self, now: float, stood_still: float, why: str) -> str:
        """The reason why this server may not act any more."""
        if stood_still > self._long:
            return f"stood still for {seconds(stood_still)}"
        if why:
            return why
        if now - self._read > self._long:
            return f"the store could not be read for {seconds(now - self._read)}"
        session = self._world.session(self._name) if self._world is not None else None
        return "no heartbeat was committed in time" if session is not None else "given up by others"
