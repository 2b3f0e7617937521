"""What a server does because an operator has ordered it: to be drained, moved, to return. Pure.

The first two are a return backwards: a stand-in gets what is mine although I live, and what I have
of others when I am drained. No call is dropped, but for those that still go on when the time is
over that the order gives them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pa_telephony.failover import world as keys
from pa_telephony.failover.duties import Duty, View, duty
from pa_telephony.failover.identity import Identity, Kind
from pa_telephony.failover.steps import Step, StepKind, owned
from pa_telephony.failover.transaction import Compare, Delete, Put, Transaction
from pa_telephony.failover.world import Bearer, Stop

__all__ = ["drains", "ended", "hand_over", "returned", "stand_in"]


def drains(view: View) -> bool:
    """Whether I am to stop, but not yet: calls go on, or another one takes over what I have."""
    world, me = view.world, view.me
    if world.stopped(me) is not Stop.DRAIN or view.overdue:
        return False
    having = [*world.held(me), *(each for each in world.strays if world.owner(each) == me)]
    if any(identity not in view.free for identity in having):
        return True
    return any(
        stand_in(view, home) is not None or (home != me and _gets_its_own(view, home))
        for home in world.homes_of(me)
    )


def stand_in(view: View, home: str) -> Bearer | None:
    """The server that shall have what I have of ``home``, and could serve all that I serve of it.

    Of my own that is where I was moved to; of any home, when I am to stop, the first of its list.
    Where another one has the claim it is that, or none: what is of one home stays together (F3),
    and what I could not hand over before I was told to stay follows.
    """
    world, me = view.world, view.me
    if home != me and (world.stopped(home) is Stop.ALONE or _gets_its_own(view, home)):
        return None
    links, claimant, moved = view.links(home), world.claimant(home), world.moved(home)
    names: tuple[str, ...] = ()
    if home == me and moved is not None:
        names = (moved,)
    elif home != me and claimant is not None:
        names = (claimant,)
    if world.stopped(me) is not None:
        names = (*names, *world.cluster.candidates(home))
    for name in names:
        session = world.session(name)
        may = claimant in (None, me, name) and links <= world.reach(name, home)
        if session is not None and name != me and may:
            return Bearer(name, session.token) if links else None
    return None


def _gets_its_own(view: View, home: str) -> bool:
    """Whether ``home`` begins, or asks for its own and may have it: then nobody else gets that."""
    asks = view.world.asks(home) is not None
    return home in view.coming or (asks and not view.world.orders(home).held_back)


def hand_over(view: View, token: Compare, home: str) -> tuple[set[Identity], list[Step]]:
    """Give a stand-in the highest stage of ``home`` that I still have: the return, backwards.

    The route point first, and the ports one by one as they fall free: so a home that has its route
    point has all of its ports, here, too (F27).
    """
    world, me = view.world, view.me
    identities = world.cluster.identities(home)
    having = [identity for identity in identities if world.owner(identity) == me]
    to = stand_in(view, home)
    if to is None or not having:
        return set(), []
    stage = max(identity.kind.stage for identity in having)
    mine = [identity for identity in having if identity.kind.stage == stage]
    lingering = {i for i in mine if view.lingers and i.kind is not Kind.PORT}
    give = {i for i in mine if i not in lingering and (i in view.free or i in view.released)}
    over = [i for i in mine if i in lingering or i in view.released]
    if not over or (stage == Kind.ROUTE_POINT.stage and len(over) < len(mine)):
        return give, []
    compares = [
        token,
        Compare(keys.session(to.server), created=to.token),
        world.unchanged(keys.stop(me)),
        world.unchanged(keys.move(home)),
        world.unchanged(keys.stop(to.server)),
        world.unchanged(keys.claim(home)),
        *(world.unchanged(i.key) for i in identities if i.kind.stage > stage or i in over),
    ]
    if home != me:
        compares += [world.unchanged(each(home)) for each in (keys.stop, keys.want, keys.coming)]
    put_claim = Put(keys.claim(home), str(to))
    hand_over = Transaction(tuple(compares), (*owned(to, over), put_claim))
    return give, [Step(StepKind.HAND_OVER, hand_over, to.server, tuple(over))]


def ended(view: View, home: str, having: Iterable[Identity]) -> frozenset[Identity]:
    """The ports of ``home`` whose calls end now, as an order says; ``having`` is what I have of it.

    At the home itself only when all but ports is handed over: no new calls come then.
    """
    having = tuple(having)
    if home not in view.ending:
        return frozenset()
    if home == view.me and (
        stand_in(view, home) is None or any(each.kind is not Kind.PORT for each in having)
    ):
        return frozenset()
    return frozenset(
        each
        for each in having
        if each.kind is Kind.PORT
        and each not in view.free
        and (home == view.me or duty(view, each) is Duty.GIVE)
    )


def returned(view: View, token: Compare) -> Iterator[Step]:
    """The order that I have my own back has nothing to do any more, or never had."""
    world, me = view.world, view.me
    away = {world.owner(each) for each in world.cluster.identities(me)} - {None, me}
    if world.orders(me).returns_within is not None and not away and world.claimant(me) is None:
        key = keys.returning(me)
        compares = (token, world.unchanged(key), world.unchanged(keys.claim(me)))
        yield Step(StepKind.RETURNED, Transaction(compares, (Delete(key),)), me)
