"""A :class:`Simulation` without chance, which says in plain English what its servers really do.

Every delay is the middle of those that the simulation draws, and no clock drifts, so that a story
has one outcome. What is said comes from the steps that committed, from what is registered at the
call manager and from what was closed, unregistered or refused there. After every event two promises
are checked: no number is served by two servers, and nobody serves what it does not own.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from simulation import Process, Simulation

from pa_telephony.failover import Application, Cluster, Identity, Kind, cluster_status
from pa_telephony.failover.actions import Close, EndCalls, Transact
from pa_telephony.failover.calls import Calls
from pa_telephony.failover.status import Ages, ServerStatus
from pa_telephony.failover.steps import StepKind
from pa_telephony.failover.transaction import Outcome, Snapshot, Transaction

__all__ = ["Narrated"]


class _NoChance(random.Random):
    """Draws what lies in the middle."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2

    def choice(self, seq: Any) -> Any:
        return seq[len(seq) // 2]

    def random(self) -> float:
        return 0.5


_STEPS: dict[StepKind, str] = {
    StepKind.ENTER: "begins a session",
    StepKind.LEAVE: "ends its session",
    StepKind.CHOOSE_NODE: "has the whole cluster go to {server}",
    StepKind.GIVE_UP: "gives up all of {server}: another server reaches more",
    StepKind.ACQUIRE: "owns {numbers}",
    StepKind.TAKE_HOME: "takes {numbers} of {server}",
    StepKind.HAND_BACK: "gives {numbers} back to {server}",
    StepKind.HAND_OVER: "hands over {numbers} to {server}",
    StepKind.RELEASE: "stands in for {server} no more",
    StepKind.RETURNED: "has nothing to get back: the order to return is done",
    StepKind.RETIRE: "has {numbers} no more",
    StepKind.WANT: "asks for its own",
    StepKind.UNWANT: "asks no more",
}


def listed(identities: Iterable[Identity]) -> str:
    return ", ".join(identity.number for identity in identities)


class Narrated(Simulation):
    """``tell`` is called with the time and a sentence, for each thing that happens."""

    def __init__(
        self, cluster: Cluster, tell: Callable[[float, str], None], *, proof: bool = True
    ) -> None:
        super().__init__(cluster, 0, proof=proof)
        self._random = _NoChance()
        self._tell = tell
        self.faults = False
        self.refused: dict[Identity, str] = {}
        """What the call manager refuses to everybody, and why."""
        self.loses_answers: set[str] = set()
        """The servers that do not hear whether their next step has committed."""
        self.callers_at = 0
        """The call manager of the callers' phones, by its place in the lists of hosts."""
        self.handed_on: list[str] = []
        """The phones that talk with a caller whom a server has handed on."""
        self._unheard: Transact | None = None
        self._last: tuple[str, str, float, list[Identity]] | None = None
        self._repeated: dict[tuple[str, Identity], str] = {}

    # What is said.

    def say(self, sentence: str) -> None:
        """Say it, after what was still to be said about several numbers together."""
        self.flush()
        self._tell(self.now, sentence)

    def flush(self) -> None:
        """Say what waited for more numbers to be told together."""
        if self._last is not None:
            sentence, at = self.unfinished, self._last[2]
            self._last = None
            self._tell(at, sentence)

    @property
    def unfinished(self) -> str:
        """What waits for more numbers, as far as it is known."""
        if self._last is None:
            return ""
        name, verb, _, identities = self._last
        return f"{name} {verb.format(numbers=listed(identities))}"

    def _does(self, name: str, verb: str, identity: Identity) -> None:
        """``name`` does what ``verb`` says with one identity; the next ones join it."""
        last = self._last
        if last is not None and last[:2] == (name, verb) and self.now < last[2] + 0.1:
            last[3].append(identity)
        else:
            self.flush()
            self._last = name, verb, self.now, [identity]

    def _says_once(self, name: str, verb: str, identity: Identity) -> None:
        """As :meth:`_does`, but not again and again while a try has the same answer."""
        if self._repeated.get((name, identity)) != verb:
            self._repeated[name, identity] = verb
            self._does(name, verb, identity)

    # What a story does with it.

    def run_until(self, until: float, told: Callable[[], bool] = lambda: False) -> None:
        """Let time pass until then, or until ``told``."""
        while self._queue and self._queue[0][0] <= until and not told():
            self._advance(self._queue[0][0])
        if not told():
            self._advance(until)

    def stand_still(self, name: str, seconds: float) -> None:
        """Have the process of ``name`` do nothing for so long, and close nothing."""
        process = self.processes[name]
        process.muted_at, process.paused_until = self.now, self.now + seconds
        self._after(seconds, lambda: self._pump(process))

    def link(self, name: str, up: bool, provider: str) -> None:
        """Have ``name`` reach the provider, or not; "the call manager" is all of them."""
        self._link(self.processes[name], up, *([] if " " in provider else [provider]))

    def call_manager(self, node: int, up: bool) -> None:
        """Have the call manager at that place of the lists run, or not."""
        (self.down.discard if up else self.down.add)(node)
        self._nodes_changed()

    def reach(self, name: str, node: int, up: bool) -> None:
        """Have ``name`` reach the call manager at that place of the lists, or not."""
        lost = self.processes[name].lost_nodes
        (lost.discard if up else lost.add)(node)
        self._nodes_changed()

    def heal_store(self, name: str) -> None:
        """Have ``name`` read and write the store again."""
        self._heal(self.processes[name])

    def submit(self, transaction: Transaction) -> None:
        """Write into the store as an operator does."""
        self._submit(transaction)

    # What the servers do.

    def _loses_answer(self, process: Process, action: Transact) -> bool:
        if action.step is None or process.name not in self.loses_answers:
            return False
        self.loses_answers.discard(process.name)
        self._unheard = action
        return True

    def _finished(self, process: Process, action: Transact, outcome: Outcome | None) -> None:
        if action is self._unheard:
            self._unheard = None
            self.say(f"{process.name} does not hear what has become of that")
        super()._finished(process, action, outcome)

    def _noted(self, process: Process, action: Transact) -> None:
        super()._noted(process, action)
        step = action.step
        assert step is not None
        if step.kind is StepKind.DEPOSE and step.server == process.name:
            self.say(f"{process.name} ends the session of its predecessor")
        elif step.kind is StepKind.DEPOSE:
            gone = self.proof and not self.is_alive(step.server)
            why = "its process is gone" if gone else "it has been silent for too long"
            self.say(f"{process.name} ends the session of {step.server}: {why}")
        else:
            what = _STEPS[step.kind]
            numbers = listed(step.identities)
            self.say(f"{process.name} {what.format(server=step.server, numbers=numbers)}")

    def _perform(self, process: Process, action: object) -> None:
        if isinstance(action, Close) and action.identity in process.registered:
            how = "closes {numbers} at once" if action.at_once else "closes {numbers}"
            self._does(process.name, how, action.identity)
        if isinstance(action, EndCalls):
            self.say(f"{process.name} ends the call on {action.identity.number}: {action.why}")
        super()._perform(process, action)

    def _gone(self, process: Process, identity: Identity) -> None:
        had_call = self.calls.get(identity) is process
        super()._gone(process, identity)
        self._repeated.pop((process.name, identity), None)
        if had_call:
            self.say(f"the call on {identity.number} is dropped")

    # What the call manager answers.

    def _register(self, process: Process, identity: Identity, node: int) -> None:
        name = process.name
        reached = process.alive and self.reaches(process, identity.provider, node)
        if reached and identity in self.refused:
            why = self.refused[identity]
            self._says_once(name, f"is refused {{numbers}}: {why}", identity)
            process.member.refused(identity, process.clock(self.now), why)
            self._pump(process)
            return
        others = [
            other.name
            for other in self.processes.values()
            if other is not process and identity in other.registered
        ]
        super()._register(process, identity, node)
        if identity in process.registered:
            self._repeated.pop((name, identity), None)
            host = self.cluster.provider(identity.provider).hosts[node]
            where = f" at {host}" if self.cluster.nodes > 1 else ""
            self._does(name, f"serves {{numbers}}{where}", identity)
        elif reached:
            self._says_once(name, f"is refused {{numbers}}: {others[0]} has it", identity)

    def _unregister(self, process: Process, identity: Identity) -> None:
        if process.alive and self.reaches(process, identity.provider, process.at.get(identity, 0)):
            if identity in self.calls:
                self._says_once(process.name, "keeps {numbers}, which has a call", identity)
            else:
                self._does(process.name, "lets {numbers} go", identity)
        super()._unregister(process, identity)

    # Callers.

    def identity(self, number: str) -> Identity:
        """What has that number; raises KeyError."""
        for name in self.names:
            for identity in self.cluster.identities(name):
                if identity.number == number:
                    return identity
        raise KeyError(number)

    def dial(self, number: str) -> None:
        """Have a caller dial a route point or a media port."""
        identity = self.identity(number)
        if identity.kind is Kind.PORT:
            self._ring(identity, "")
            return
        for router in self.processes.values():
            member = router.member
            there = identity in router.registered and router.at[identity] == self.callers_at
            if self._runs(router) and there:
                if not member.serves(identity, router.clock(self.now)):
                    continue
                for port in self._ports(router, identity.home):
                    if self._ring(self.identity(port), f"{router.name} sends the caller to "):
                        return
                self.say(f"{router.name} finds no port for the caller, who hears busy")
                return
        self.say(f"nobody answers {number}: the call manager forwards the caller")

    def _ports(self, router: Process, home: str) -> Sequence[str]:
        """The ports that ``router`` offers a call for ``home``, in its order."""
        calls = Calls(
            router.member,
            Application(),
            lambda: router.clock(self.now),
            lambda *_, **__: None,
            lambda: None,
        )
        return calls._ports_of(home)

    def _ring(self, port: Identity, sent: str) -> bool:
        """Ring at a port; whether a server has answered there."""
        holders = [
            each
            for each in self.processes.values()
            if port in each.registered and each.at[port] == self.callers_at
        ]
        if port in self.calls or not holders:
            if not sent:
                why = "is busy" if port in self.calls else "is out of order"
                self.say(f"{port.number} {why}")
            return False
        (process,) = holders
        at = f"{sent}{port.number}; " if sent else ""
        if not self._runs(process):
            self.say(f"{at}{process.name} does not answer {port.number}: it stands still")
        elif why := process.member.turns_away(port, process.clock(self.now)):
            self.say(f"{at}{process.name} turns the caller on {port.number} away: {why}")
        else:
            self.say(f"{at}{process.name} answers on {port.number}")
            self.answered += 1
            self.calls[port] = process
            process.member.set_busy(port, True)
            self._pump(process)
            return True
        return False

    def hang_up(self, number: str) -> None:
        """Have the caller on that port hang up; KeyError when nobody talks there."""
        # The configuration may not have that port any more.
        talks = {each.number: each for each in self.calls}
        port = talks[number]
        self._hang_up(self.calls[port], port)

    def talking(self) -> list[str]:
        """Who talks with whom."""
        return [
            *(f"a caller talks on {i.number} at {p.name}" for i, p in self.calls.items()),
            *(f"a caller talks with {phone}; no server takes part" for phone in self.handed_on),
        ]

    def _runs(self, process: Process) -> bool:
        return process.alive and process.paused_until <= self.now

    # What an operator reads.

    def snapshot(self) -> Snapshot:
        running = frozenset(filter(self.is_alive, self.names)) if self.proof else None
        return replace(super().snapshot(), running=running)

    def pages(self) -> tuple[ServerStatus, ...]:
        """What ``pa-telephony status`` shows now."""
        snapshot = self.snapshot()
        ages = Ages().look(self.cluster, snapshot, self.now)
        return cluster_status(self.cluster, snapshot, ages)
