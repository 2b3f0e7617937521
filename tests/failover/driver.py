"""A member driven by hand: what it asks for is done at once, at a time that the test says."""

from __future__ import annotations

from worlds import CLUSTER, Worlds

from pa_telephony.failover import Cluster, Identity
from pa_telephony.failover.actions import Action, Close, EndCalls, Register, Transact, Unregister
from pa_telephony.failover.member import Member
from pa_telephony.failover.steps import StepKind
from pa_telephony.failover.stored import Revision
from pa_telephony.failover.transaction import Outcome

__all__ = ["Driver", "started"]


class Driver:
    """Does at once, and without fail, what a member asks for; unless told otherwise."""

    def __init__(
        self,
        name: str,
        worlds: Worlds,
        cluster: Cluster = CLUSTER,
        *,
        offers: Revision | None = None,
    ) -> None:
        self.now = 100.0
        self.worlds = worlds
        instance = f"life of {name}"
        self.member = Member(cluster, name, instance=instance, now=self.now, offers=offers)
        self.link(True)
        self.store_answers = True
        self.store_is_read = True
        self.answers_are_lost = False
        self.hangs_up = True
        self.call_manager_answers = True
        self.refuses: set[Identity] = set()
        self.keeps: set[Identity] = set()
        """What the call manager does not let go, as it has a call."""
        self.asked: list[list[Identity]] = []
        self.registered: set[Identity] = set()
        self.closed_at_once: set[Identity] = set()
        self.steps: list[StepKind] = []
        self.ended: list[tuple[Identity, str]] = []

    def link(self, reachable: bool, *providers: str) -> None:
        for provider in providers or self.member.cluster.used_providers:
            self.member.link(provider, reachable, self.now)

    def settle(self) -> None:
        """Until nothing more happens at this time."""
        for _ in range(50):
            if self.store_answers and self.store_is_read:
                self.member.observe(self.worlds.snapshot(), self.now)
            actions = self.member.actions(self.now)
            if not actions:
                return
            if begun := [each.identity for each in actions if isinstance(each, Register)]:
                self.asked.append(begun)
            for action in actions:
                self.perform(action)
        raise AssertionError("it does not come to rest")

    def perform(self, action: Action) -> None:
        member, now = self.member, self.now
        match action:
            case Transact():
                outcome = None
                if self.store_answers:
                    committed = self.worlds.commit(action.transaction)
                    outcome = Outcome(committed, self.worlds.revision)
                    if committed and action.step is not None:
                        self.steps.append(action.step.kind)
                    if self.answers_are_lost and action.step is not None:
                        outcome, self.answers_are_lost = None, False
                member.finished(action, outcome, now)
            case Register(identity):
                if self.call_manager_answers and identity not in self.refuses:
                    self.registered.add(identity)
                    member.registered(identity, now)
                else:
                    member.refused(identity, now, "no such device")
                    member.closed(identity, now)
            case Unregister(identity) if identity in self.keeps:
                member.kept(identity, now)
            case Unregister(identity):
                self.registered.discard(identity)
                member.unregistered(identity, now)
            case Close(identity, at_once):
                self.registered.discard(identity)
                if at_once:
                    self.closed_at_once.add(identity)
                member.closed(identity, now)
            case EndCalls(identity, why):
                self.ended.append((identity, why))
                if self.hangs_up:
                    member.set_busy(identity, False)

    def pass_time(self, seconds: float) -> None:
        """As a driver does: wake at each deadline on the way."""
        until = self.now + seconds
        while (at := self.member.next_deadline(self.now)) <= until:
            self.now = at
            self.settle()
        self.now = until
        self.settle()


def started(name: str = "PA1", cluster: Cluster = CLUSTER) -> Driver:
    """A server that has entered and registered all of its own."""
    driver = Driver(name, Worlds(cluster), cluster)
    driver.settle()
    return driver
