"""What a server knows when it plans, and what it has to do about each identity. Pure.

The table :data:`DUTIES` is the policy at one glance: what a server has to do follows from what it
is to the home (:class:`Role`) and from what the store says of the identity (:class:`Standing`).
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Mapping
from dataclasses import dataclass, fields

from pa_telephony.failover.beat import Beat
from pa_telephony.failover.identity import Identity
from pa_telephony.failover.stored import Revision
from pa_telephony.failover.world import Session, World

__all__ = ["DUTIES", "Duty", "Role", "Standing", "View", "duty", "role", "standing"]


class Role(enum.Enum):
    """The part that a server has for a home."""

    __hash__ = object.__hash__  # members are singletons

    HOME = "home"
    """The server is the home itself."""
    HOLDER = "holder"
    """The server has the home's claim: it stands in."""
    CANDIDATE = "candidate"
    """The server is on the home's fail-over list."""
    BYSTANDER = "bystander"
    """The server is none of these."""


class Standing(enum.Enum):
    """What the store says of an identity, as seen by this server."""

    __hash__ = object.__hash__  # members are singletons

    ORPHAN = "orphan"
    MINE = "mine"
    ASKED = "asked"
    """The identity is mine, and its home has asked for it long enough, or an operator for it."""
    OTHERS = "others"


class Duty(enum.Enum):
    """What a server has to do about an identity."""

    NOTHING = "nothing"
    HOLD = "hold"
    GIVE = "give"
    ACQUIRE = "acquire"
    TAKE = "take"
    ASK = "ask"


# An identity is served by its owner, whatever the owner's role: roles change unseen by calls.
DUTIES: dict[tuple[Role, Standing], Duty] = {
    (Role.HOME, Standing.ORPHAN): Duty.ACQUIRE,
    (Role.HOME, Standing.MINE): Duty.HOLD,
    (Role.HOME, Standing.ASKED): Duty.HOLD,
    (Role.HOME, Standing.OTHERS): Duty.ASK,
    (Role.HOLDER, Standing.ORPHAN): Duty.TAKE,
    (Role.HOLDER, Standing.MINE): Duty.HOLD,
    (Role.HOLDER, Standing.ASKED): Duty.GIVE,
    (Role.HOLDER, Standing.OTHERS): Duty.NOTHING,
    (Role.CANDIDATE, Standing.ORPHAN): Duty.TAKE,
    (Role.CANDIDATE, Standing.MINE): Duty.HOLD,
    (Role.CANDIDATE, Standing.ASKED): Duty.GIVE,
    (Role.CANDIDATE, Standing.OTHERS): Duty.NOTHING,
    (Role.BYSTANDER, Standing.ORPHAN): Duty.NOTHING,
    (Role.BYSTANDER, Standing.MINE): Duty.HOLD,
    (Role.BYSTANDER, Standing.ASKED): Duty.GIVE,
    (Role.BYSTANDER, Standing.OTHERS): Duty.NOTHING,
}


@dataclass(eq=False)
class View:
    """What a server knows when it plans; all of it but ``world`` is about itself, now.

    One is made for every plan, so it is not frozen, which would make that four times as slow.
    """

    world: World
    me: str
    beat: Beat
    """What the server's next heartbeat would say; ``beat.links`` are the providers that it reaches
    now, ``beat.instance`` tells its session from a predecessor's."""
    alone: bool = True
    """Whether it holds the proof that no other process has its name."""
    settled: bool = True
    """Whether the grace after its start is over: it may take from others."""
    deaf: bool = False
    """Whether it has not been able to read the store for ``t_own``: ``world`` is as old as that."""
    known: bool = True
    """Whether ``world`` shows everything that it has committed itself."""
    cut_off: frozenset[str] = frozenset()
    """The providers that it has not reached for so long that others should serve what needs
    them."""
    unquiet: frozenset[str] = frozenset()
    """The homes of which it has something registered, or is registering or closing something."""
    silent: frozenset[str] = frozenset()
    """The servers without a heartbeat for ``t_take``, all of it while its own ones succeeded."""
    coming: frozenset[str] = frozenset()
    """The homes whose new process is about to begin a session: nothing is taken from them."""
    granted: frozenset[str] = frozenset()
    """The homes that have asked for their own, without a break, for the hold time."""
    free: frozenset[Identity] = frozenset()
    """The identities without a call here."""
    released: frozenset[Identity] = frozenset()
    """The identities of which the call manager has confirmed that it has nothing from here."""
    overdue: bool = False
    """Whether its calls have had all the time that they were given when it was to be drained."""
    ending: frozenset[str] = frozenset()
    """The homes whose calls here have had all the time that an order gives them."""
    offers: Revision | None = None
    """The configuration of its file, for a store that has none."""
    lingers: bool = False
    """Whether route points and interceptors go home before they are given up here
    (Timing.linger)."""

    @property
    def session(self) -> Session | None:
        """My session, if I have one; a predecessor's of the same name is not mine."""
        return self.world.session_of(self.me, self.beat.instance)

    def resembles(self, other: View) -> bool:
        """Whether both views are the same but for the world."""
        mine, others = vars(self), vars(other)
        return all(mine[name] == others[name] for name in _ABOUT_ITSELF)

    def links(self, home: str, *, steady: bool = False) -> frozenset[str]:
        """The providers that ``home`` needs and that I reach now, or have reached for long."""
        return self.world.cluster.needs(home) & (self.beat.steady if steady else self.beat.links)

    @functools.cached_property
    def concerns(self) -> tuple[str, ...]:
        """The homes that are ``me``'s concern: a bystander that owns nothing of one does nothing.

        Where each server stands in for a few others, that is what keeps a plan from growing with
        the cluster.
        """
        owned = self.world.homes_of(self.me)
        return tuple(
            home
            for home in self.world.names
            if home in owned or role(self, home) is not Role.BYSTANDER
        )

    @functools.cached_property
    def duties(self) -> Mapping[Identity, Duty]:
        """What ``me`` has to do about every identity that is its concern, by :data:`DUTIES`."""
        found: dict[Identity, Duty] = {}
        for home in self.concerns:
            what = role(self, home)
            for identity in self.world.cluster.identities(home):
                found[identity] = DUTIES[what, standing(self, identity)]
        return found


_ABOUT_ITSELF = tuple(each.name for each in fields(View) if each.name != "world")


def role(view: View, home: str) -> Role:
    """The role of ``view.me`` for ``home`` in this snapshot."""
    if view.me == home:
        return Role.HOME
    if view.world.claimant(home) == view.me:
        return Role.HOLDER
    if view.me in view.world.cluster.candidates(home):
        return Role.CANDIDATE
    return Role.BYSTANDER


def standing(view: View, identity: Identity) -> Standing:
    """What the store says of ``identity``, as seen by ``view.me``."""
    owner = view.world.owner(identity)
    if owner is None:
        return Standing.ORPHAN
    if owner != view.me:
        return Standing.OTHERS
    return Standing.ASKED if _goes_home(view, identity.home) else Standing.MINE


def _goes_home(view: View, home: str) -> bool:
    """Whether ``home`` gets its own back: it asks, for long enough or by order, and may.

    A server that is to stop waits for no hold time.
    """
    world, orders = view.world, view.world.orders(home)
    if world.asks(home) is None or orders.held_back:
        return False
    ordered = orders.returns_within is not None or world.stopped(view.me) is not None
    return ordered or home in view.granted


def duty(view: View, identity: Identity) -> Duty:
    """What ``view.me`` has to do about ``identity``: a look into :data:`DUTIES`."""
    return view.duties.get(identity, Duty.NOTHING)
