"""Bad luck for a cluster in virtual time, drawn by number, until all must be home.

Everything that can go wrong is drawn from one seeded generator, so a schedule that fails can be
played again by its number; each misfortune has a number, too, and may be left out without another
one becoming a different one.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence

from simulation import KEY, Process, Simulation

from pa_telephony.failover import Cluster, Command, Kind, intents
from pa_telephony.failover.intent import keeping_away, moving, returning, unreturnable

__all__ = ["BadLuck"]


class BadLuck(Simulation):
    """``run`` plays a schedule; ``violations`` should be empty then."""

    def __init__(
        self,
        cluster: Cluster,
        seed: int,
        *,
        proof: bool = True,
        others: Sequence[Cluster] = (),
        without: Collection[int] = (),
    ) -> None:
        super().__init__(cluster, seed, proof=proof)
        self.seed = seed
        self.without = without
        """The misfortunes, by number, that do not befall anybody."""
        self.gap = 2.0
        """Mean seconds between two misfortunes."""
        self.misfortunes = 0
        """How many there were, those that were left out included."""
        self.others = (cluster, *others) if others else ()
        """Configurations that are saved, each in place of another; none: the store has none."""
        self.seconds = 0.0
        self.calm = 0.0

    def run(self, seconds: float, within: float) -> None:
        """Faults for ``seconds``, then none until all is home, ``within`` seconds at most."""
        began = self.now
        if self.others:
            self.save(self.cluster)
            self._after(5.0, self._change)
        for name in self.names:
            self._after(self._random.uniform(0, 0.5), lambda name=name: self.start(name))
        self._after(1.0, self._misfortune)
        self._after(1.0, self._caller)
        self._advance(self.now + seconds)
        self.faults = False
        self._submit(intents(self.cluster, Command.START))
        for name in self.names:
            self.order("shall be at home", name, moving(self.cluster, name, None), None)
            self.order("is held no more", name, keeping_away(self.cluster, name, keep=False), None)
        for process in self.everybody:
            process.paused_until = 0.0
            self._heal(process)
            self._link(process, True)
        for name in self.names:
            if not self.is_alive(name):
                self.start(name)
        healed = self.now
        while (left := self.away()) and self.now < healed + within:
            self._advance(self.now + 1.0)
        self.calm = self.now - healed
        if left:
            self.violated(f"{within:.0f} s without a fault, and {left}")
        self._advance(self.now + 2.0)
        self.seconds = self.now - began

    def away(self) -> str:
        """What is not as it should be in the end; blank when everybody has its own."""
        world = self.world()
        for stray in world.strays:
            if (owner := world.owner(stray)) is not None:
                return f"{owner} still has {stray}, which is no more"
        for home in self.names:
            if claimant := world.claimant(home):
                return f"{claimant} still stands in for {home}"
            if world.orders(home).returns_within is not None:
                return f"{home} is still ordered to return"
            for identity in self.cluster.identities(home):
                if world.owner(identity) != home:
                    return f"{identity} is not home, but of {world.owner(identity)}"
                if identity not in self.processes[home].registered:
                    return f"{identity} is home and not registered"
        return ""

    @property
    def counts(self) -> dict[str, int]:
        """What has happened, by name."""
        return {
            "takeovers": self.takeovers,
            "returns": self.returns,
            "calls answered": self.answered,
            "calls ended by order": self.ended,
            "configurations saved": self.saved,
        }

    def _change(self) -> None:
        if self.faults:
            self.save(self._random.choice(self.others))
            self._after(self._random.expovariate(1 / 6.0), self._change)

    def _misfortune(self) -> None:
        if not self.faults:
            return
        chance = random.Random(f"{self.seed} {self.misfortunes}")
        if self.misfortunes not in self.without:
            self._befalls(chance.choice(self.names), chance)
        self.misfortunes += 1
        self._after(chance.expovariate(1 / self.gap), self._misfortune)

    def _befalls(self, name: str, chance: random.Random) -> None:
        """One thing that happens to a server, drawn."""
        what = chance.random()
        if not self.is_alive(name):
            self.start(name)
        elif what < 0.35:
            self.kill(name)
        elif what < 0.5:
            command = chance.choice([Command.STOP, Command.DRAIN, Command.START])
            self.log.append(f"{self.now:8.3f} {command.value} {name}")
            deadline = chance.choice([2, 10, 600])
            self._submit(intents(self.cluster, command, [name], deadline=deadline))
        elif what < 0.55:
            self._submit(intents(self.cluster, Command.START))
        elif what < 0.64:
            self._order_of_a_home(name, chance)
        elif what < 0.75:
            process = self.processes[name]
            pause = chance.choice([0.3, 1.0, 4.5, 8.0])
            self.log.append(f"{self.now:8.3f} {name} does not run for {pause}")
            process.muted_at, process.paused_until = self.now, self.now + pause
            self._after(pause, lambda: self._pump(process))
        elif what < 0.87:
            process = self.processes[name]
            providers = self.cluster.used_providers
            if process.lost or chance.random() < 0.5:
                self._link(process, bool(process.lost))
            else:
                self._link(process, False, chance.choice(providers))
        else:
            self._store_trouble(self.processes[name], chance)

    def _order_of_a_home(self, name: str, chance: random.Random) -> None:
        what = chance.choice(["move", "move", "return", "hold", "hold no more"])
        if what == "move":
            to = chance.choice([None, *self.cluster.candidates(name)])
            seconds = chance.choice([None, 0, 2, 10]) if to is not None else None
            order = moving(self.cluster, name, to, deadline=seconds)
            self.order(f"shall be at {to or 'home'}, calls have {seconds} s", name, order, seconds)
        elif what == "return":
            snapshot = self.snapshot()
            if not unreturnable(self.cluster, snapshot, name):
                seconds = chance.choice([0, 0, 2, 10])
                order = returning(self.cluster, snapshot, name, deadline=seconds)
                self.order(f"shall return, calls have {seconds} s", name, order, seconds)
        else:
            keep = what == "hold"
            order = keeping_away(self.cluster, name, keep=keep)
            self.order("is held" if keep else "is held no more", name, order, None)

    def _store_trouble(self, process: Process, chance: random.Random) -> None:
        how = chance.choice(["reads", "writes", "either"])
        long = chance.choice([0.5, 2.5, 6.0, 12.0])
        self.log.append(f"{self.now:8.3f} {process.name}: the store, {how}, is gone for {long}")
        process.reads = process.reads and how == "writes"
        process.writes = process.writes and how == "reads"
        self._after(long, lambda: self._heal(process))

    def _caller(self) -> None:
        free = [
            (process, identity)
            for process in self.everybody
            for identity in sorted(process.registered, key=KEY)
            if identity.kind is Kind.PORT and identity not in self.calls
        ]
        if free:
            process, identity = self._random.choice(free)
            runs = process.alive and process.paused_until <= self.now
            if runs and process.member.may_answer(identity, process.clock(self.now)):
                self.answered += 1
                self.calls[identity] = process
                process.member.set_busy(identity, True)
                self._pump(process)
                length = self._random.choice([0.5, 3.0, 20.0])
                self._after(length, lambda: self._hang_up(process, identity))
        self._after(self._random.expovariate(1.0), self._caller)
