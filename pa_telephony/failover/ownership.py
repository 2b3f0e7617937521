"""Which server shall own what: a view of the store and of the world in, a plan out. Pure.

:func:`plan` is the whole policy. It looks at one snapshot and answers with *steps*, each a
transaction whose compares come from that same snapshot, and with what this server should have
registered at the call manager now. Only the compares decide: a stale view costs a round trip.

How a driver uses it (:class:`~pa_telephony.failover.member.Member` does all of this but the I/O)::

    async with store.alive(name):                  # the proof of death, around everything
        while True:
            snapshot = await store.snapshot()
            plan = ownership.plan(View(World(cluster, snapshot), …))   # no await up to …
            …                                      # … here: registrations follow plan.hold/give
            for step in plan.steps:
                await store.transact(step.transaction)
            # then until store.watch(snapshot), a report of a registration, or a deadline

Rules that stand outside the transactions and bind every driver (docs/failover-design.md §5):

* **Guard.** A server acts (registers, answers, redirects) only until ``t_own`` after it *sent* its
  last committed heartbeat, and until ``t_own`` after it *asked for* the last snapshot that it got;
  then it fences: everything is closed at once, no store needed.
* **Stop acting, then tell the store**: ENTER and LEAVE appear only when nothing is ``unquiet``,
  GIVE_UP only when nothing of that home is.
* **Give nothing blindly**: an identity counts as ``released`` only after the call manager has
  answered its unregistration (or has never had it from us).
* An unknown outcome is cured by repeating the same transaction, never by guessing.

What a server has to do about an identity is the table of :mod:`duties`; what it does because an
operator has ordered it is in :mod:`obeying`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from pa_telephony.failover import world as keys
from pa_telephony.failover.duties import Duty, Role, View, duty, role
from pa_telephony.failover.identity import Identity, Kind
from pa_telephony.failover.nodes import best_node
from pa_telephony.failover.obeying import drains, ended, hand_over, returned, stand_in
from pa_telephony.failover.steps import Plan, Step, StepKind, owned
from pa_telephony.failover.stored import CONFIGURATION, puts as stored_puts
from pa_telephony.failover.transaction import Compare, Delete, Put, Transaction
from pa_telephony.failover.world import Bearer, Session, Stop, World

__all__ = ["leaving", "plan"]


def plan(view: View) -> Plan:
    """Everything that ``view.me`` should do now; see the module."""
    world, me = view.world, view.me
    mine = view.session
    ordered = world.stopped(me) is not None
    if mine is None:
        return Plan(() if ordered or view.deaf else _bound(world, _enter(view)))
    shall_stop = ordered and not drains(view)
    token = Compare(keys.session(me), created=mine.token)
    leaves = shall_stop
    if view.deaf:
        # With nothing of its own it stays and says that it cannot read; else it sets all free.
        leaves = not view.known or world.has_anything(me)
    if shall_stop or view.deaf:
        return Plan((_leave(view, token),) if leaves and not view.unquiet else ())
    steps = [*_depose(view), *_choose_node(view, token)]
    hold: set[Identity] = set()
    give: set[Identity] = set()
    end: set[Identity] = set()
    for home in view.concerns:
        duties = {identity: duty(view, identity) for identity in world.cluster.identities(home)}
        having = {i for i, what in duties.items() if what in (Duty.HOLD, Duty.GIVE)}
        holds = bool(having) or role(view, home) is Role.HOLDER
        if holds and _shall_give_up(view, home):
            steps += _give_up(view, token, home, having)
            continue
        if home == me and not ordered:
            steps += _acquire(view, token)
        if home == me:
            steps += returned(view, token)
        if ordered or home != me or world.moved(me) is not None:
            given, over = hand_over(view, token, home)
            give |= given
            steps += over
        if Duty.TAKE in duties.values() and not ordered:
            steps += _take_home(view, token, home)
        if Duty.GIVE in duties.values():
            given, back = _give_back(view, token, home)
            give |= given
            steps += back
        if not having and role(view, home) is Role.HOLDER and _may_release(view, home):
            compares = (token, world.unchanged(keys.claim(home)))
            ends = (Delete(keys.claim(home)), Delete(keys.returning(home)))
            release = Transaction(compares, ends)
            steps.append(Step(StepKind.RELEASE, release, home))
        hold |= having
        end |= ended(view, home, having)
    if not ordered:
        steps += _ask(view, token, mine)
    for stray in world.strays:
        if world.owner(stray) == me:
            steps += _retire(view, token, stray)
            (give if stray in view.free or stray in view.released else hold).add(stray)
    steps.sort(key=lambda step: _ORDER[step.kind])
    return Plan(_bound(world, steps), frozenset(hold - give), frozenset(give), frozenset(end))


_BY_CONFIGURATION = frozenset(
    {
        StepKind.ENTER,
        StepKind.CHOOSE_NODE,
        StepKind.ACQUIRE,
        StepKind.TAKE_HOME,
        StepKind.HAND_BACK,
        StepKind.HAND_OVER,
        StepKind.RETIRE,
    }
)
"""Steps that only one configuration makes right."""


def _bound(world: World, steps: Iterable[Step]) -> tuple[Step, ...]:
    """These steps, to be committed only under the configuration that they were planned with.

    None of them where this release cannot read the configuration: it takes nothing then.
    """
    unchanged = world.unchanged(CONFIGURATION)
    bound: list[Step] = []
    for step in steps:
        if step.kind not in _BY_CONFIGURATION:
            bound.append(step)
        elif world.readable:
            compares = (*step.transaction.compares, unchanged)
            bound.append(replace(step, transaction=replace(step.transaction, compares=compares)))
    return tuple(bound)


def _retire(view: View, token: Compare, stray: Identity) -> Iterator[Step]:
    """Once the call manager has nothing of it from me, nobody owns what is no more."""
    if stray in view.released:
        compares = (token, view.world.unchanged(stray.key))
        retire = Transaction(compares, (Delete(stray.key),))
        yield Step(StepKind.RETIRE, retire, stray.home, (stray,))


def _may_release(view: View, home: str) -> bool:
    """Whether the claim may go: it stays until the home has all, so that one server retakes (F3).

    A server that does not agree with the home retakes nothing.
    """
    world = view.world
    has_all = all(world.owner(i) == home for i in world.cluster.identities(home))
    return has_all or bool(world.differs(view.me, home))


_ORDER = {kind: order for order, kind in enumerate(StepKind)}


# ------------------------------------------------------------------------------- sessions


_BEGINS = "begins"


def _enter(view: View) -> Iterator[Step]:
    world, key = view.world, keys.session(view.me)
    old = world.session(view.me)
    if old is not None:
        # A predecessor: at once when its process is proven gone, else when it has been silent.
        if view.alone or view.me in view.silent:
            # One transaction would be best, but a session's token is the revision that created
            # its key, and etcd takes no delete and put of one key together. So others are told.
            yield _deposed(world, old, Put(keys.coming(view.me), _BEGINS))
    elif not view.unquiet:
        # The intent is compared too: a Stop All between snapshot and commit must win (Q16).
        compares = (Compare(key, modified=0), world.unchanged(keys.stop(view.me)))
        puts: tuple[Put | Delete, ...] = (
            Put(key, view.beat.encode()),
            Put(keys.configuration(view.me), world.cluster.configured),
            Delete(keys.coming(view.me)),
            # It was given to a predecessor, if to anybody.
            Delete(keys.returning(view.me)),
        )
        if view.offers is not None and CONFIGURATION not in world.snapshot.entries:
            # The first server of a cluster brings its file along.
            puts = (*puts, *stored_puts(view.offers))
        enter = Transaction(compares, puts)
        yield Step(StepKind.ENTER, enter, view.me)


def _leave(view: View, token: Compare) -> Step:
    return Step(StepKind.LEAVE, leaving(token), view.me)


def leaving(token: Compare) -> Transaction:
    """What ends the session that ``token`` compares, once nothing of it is registered any more."""
    return Transaction((token,), (Delete(token.key),))


def _deposed(world: World, session: Session, *puts: Put) -> Step:
    key = keys.session(session.server)
    transaction = Transaction((world.unchanged(key),), (Delete(key), *puts))
    return Step(StepKind.DEPOSE, transaction, session.server)


def _depose(view: View) -> Iterator[Step]:
    for name, session in view.world.sessions.items():
        gone = name in view.silent or name in view.world.snapshot.dead
        if gone and name != view.me:
            yield _deposed(view.world, session)


# -------------------------------------------------------------------------- the node (Q35)


def _choose_node(view: View, token: Compare) -> Iterator[Step]:
    """Write down where the whole cluster goes, if it is not where it should be."""
    world, cluster = view.world, view.world.cluster
    if cluster.nodes == 1:
        return
    node = best_node(world.node, tuple(world.reaches()), goes_back=cluster.goes_back)
    if node != world.node:
        choice = Transaction((token, world.unchanged(keys.NODE)), (Put(keys.NODE, str(node)),))
        yield Step(StepKind.CHOOSE_NODE, choice, ", ".join(cluster.hosts_at(node)))


# -------------------------------------------------------------------- lost providers (Q8, Q9)


def _has_heir(view: View, home: str, links: frozenset[str]) -> bool:
    """Whether another server could serve ``home`` better than I through ``links``.

    Better is one that reaches all of that and more of what the home needs. Only steady links count:
    after an outage of the call manager the quicker of two servers is not the better one.
    """
    world = view.world
    heirs = [home]
    if world.stopped(home) is not Stop.ALONE:
        heirs += world.cluster.candidates(home)
    return any(links < world.reach(name, home, steady=True) for name in heirs if name != view.me)


def _shall_give_up(view: View, home: str) -> bool:
    """Whether to give up ``home``: whole or not at all, as its identities stay together (F3)."""
    return _has_heir(view, home, view.world.cluster.needs(home) - view.cut_off)


def _give_up(view: View, token: Compare, home: str, having: Iterable[Identity]) -> Iterator[Step]:
    """Once the call manager has nothing of ``home`` from me: stop acting, then tell the store."""
    if home in view.unquiet:
        return
    gone = [Delete(identity.key) for identity in sorted(having, key=lambda each: each.key)]
    if view.world.claimant(home) == view.me:
        gone.append(Delete(keys.claim(home)))
    compares = (token, *(view.world.unchanged(each.key) for each in gone))
    yield Step(StepKind.GIVE_UP, Transaction(compares, tuple(gone)), home, tuple(having))


def _stranger(view: View) -> bool:
    """Whether a server stands in for me that does not agree with me on what is mine."""
    claimant = view.world.claimant(view.me)
    return claimant is not None and bool(view.world.differs(claimant, view.me))


# -------------------------------------------------------------------------------- taking


def _bearer(view: View, token: Compare) -> Bearer:
    assert token.created is not None
    return Bearer(view.me, token.created)


def _acquire(view: View, token: Compare) -> Iterator[Step]:
    """Take orphans of my own; a later stage only when all of the earlier ones is mine (F27)."""
    world = view.world
    taken: list[Identity] = []
    seen: list[Identity] = []
    links = view.links(view.me)
    # From a stand-in that disagrees everything comes first: it may have a device of mine
    # under another number.
    if not links or _has_heir(view, view.me, links) or _stranger(view):
        return
    for stage in range(Kind.ROUTE_POINT.stage + 1):
        here = [i for i in world.cluster.identities(view.me) if i.kind.stage == stage]
        seen += here
        # A number that moves here is awaited, and nothing else is delayed by it.
        taken += [i for i in here if duty(view, i) is Duty.ACQUIRE and not world.is_leaving(i)]
        if any(duty(view, i) is Duty.ASK for i in here):
            break
    if taken:
        compares = (token, *(world.unchanged(identity.key) for identity in seen))
        acquire = Transaction(compares, owned(_bearer(view, token), taken))
        yield Step(StepKind.ACQUIRE, acquire, view.me, tuple(taken))


def _take_home(view: View, token: Compare, home: str) -> Iterator[Step]:
    """Take the whole of ``home`` if I am the first of its list that can; compare that choice."""
    world, me = view.world, view.me
    identities = world.cluster.identities(home)
    claimant = world.claimant(home)
    # A home that lives may just be slower to reach a call manager that is back: see _has_heir.
    # One that is drained takes nothing any more, and has not ended its calls.
    lives = world.session(home) is not None and world.stopped(home) is None
    links = view.links(home, steady=lives)
    if (
        not world.reach(home, home) < links
        or not view.beat.reads
        or world.differs(me, home)
        or not view.settled
        or world.stopped(home) is Stop.ALONE
        or home in view.coming
        or claimant not in (None, me)
        or (lives and any(world.owner(i) == home for i in identities))
    ):
        return
    choice: tuple[Compare, ...] | None = ()
    if claimant is None:
        choice = _chosen(view, home, links, steady=lives)
    if choice is None:
        return
    taken = tuple(i for i in identities if duty(view, i) is Duty.TAKE and not world.is_leaving(i))
    if not taken:
        return
    mine = _bearer(view, token)
    compares = (
        token,
        world.unchanged(keys.stop(me)),
        world.unchanged(keys.session(home)),
        world.unchanged(keys.configuration(home)),
        world.unchanged(keys.stop(home)),
        world.unchanged(keys.coming(home)),
        world.unchanged(keys.claim(home)),
        *choice,
        *(world.unchanged(identity.key) for identity in identities),
    )
    put_claim = Put(keys.claim(home), str(mine))
    take = Transaction(compares, (*owned(mine, taken), put_claim))
    yield Step(StepKind.TAKE_HOME, take, home, taken)


def _chosen(
    view: View, home: str, links: frozenset[str], *, steady: bool
) -> tuple[Compare, ...] | None:
    """Compares that I am the first choice of ``home``'s list; None when I am not (F4, Q5).

    It is the first of those that reach most of what the home needs; ``links`` is what I reach.
    """
    world, me = view.world, view.me
    cluster = world.cluster
    candidates = cluster.candidates(home)
    reach = {name: len(world.reach(name, home, steady=steady)) for name in candidates}
    reach[me] = len(links)
    usable = [name for name in candidates if reach[name] == max(reach.values())]
    fitting = [name for name in usable if _fits(world, name, home)]
    best = (fitting or usable)[0] if cluster.capacity_aware else usable[0]
    if best != me:
        return None
    compares: list[Compare] = []
    earlier = candidates[: candidates.index(me)]
    for name in candidates:
        if name in earlier and name in usable:
            # Skipped because it would overflow; that hangs on what it stands in for.
            others = cluster.stands_in_for(name)
            compares += [world.unchanged(keys.claim(other)) for other in others]
        elif name != me and (name in earlier or links != cluster.needs(home)):
            compares.append(world.as_read(name, home))
    return tuple(compares)


def _fits(world: World, name: str, home: str) -> bool:
    more = world.cluster.server(home).number_of_media_ports
    return world.ports(name) + more <= world.cluster.server(name).capacity


# ------------------------------------------------------------------------------- the return


def _give_back(view: View, token: Compare, home: str) -> tuple[set[Identity], list[Step]]:
    """Give back the lowest stage that is not home: ports one by one as they fall free (F26).

    An interceptor follows the ports, and a route point comes last (F27, Q19).
    """
    world = view.world
    asking = world.asks(home)
    assert asking is not None
    identities = world.cluster.identities(home)
    away = [identity for identity in identities if world.owner(identity) != home]
    if world.differs(view.me, home):
        # An identity without an owner may be unknown to the home.
        away = [identity for identity in away if world.owner(identity) is not None]
    stage = min(identity.kind.stage for identity in away)
    mine = [i for i in away if i.kind.stage == stage and duty(view, i) is Duty.GIVE]
    # A call manager lets two applications hold a route point (an interceptor is one), so nothing
    # is given up first: the number is answered throughout (F28), no decision is cut short (Q19).
    lingering = {i for i in mine if view.lingers and i.kind is not Kind.PORT}
    give = {i for i in mine if i not in lingering and (i in view.free or i in view.released)}
    back = [i for i in mine if i in lingering or i in view.released]
    # A route point goes home in one piece: the main and the attendant's together (Q18).
    if not back or (stage == Kind.ROUTE_POINT.stage and len(back) < len(away)):
        return give, []
    compares = [
        token,
        Compare(keys.session(home), created=asking.token),
        world.unchanged(keys.want(home)),
        world.unchanged(keys.held_back(home)),
        world.unchanged(keys.returning(home)),
        world.unchanged(keys.stop(view.me)),
        *(world.unchanged(i.key) for i in identities if i.kind.stage < stage or i in back),
    ]
    hand_back = Transaction(tuple(compares), owned(asking, back))
    return give, [Step(StepKind.HAND_BACK, hand_back, home, tuple(back))]


def _ask(view: View, token: Compare, mine: Session) -> Iterator[Step]:
    """Ask while another server has something of mine and I could serve it (F25)."""
    world, key = view.world, keys.want(view.me)
    identities = world.cluster.identities(view.me)
    lacking = any(duty(view, identity) is Duty.ASK for identity in identities)
    # A holder that reaches more of what it needs keeps it until I do, too.
    links = view.links(view.me)
    owners = {world.owner(identity) for identity in identities} - {None, view.me}
    better = any(links < world.reach(owner, view.me) for owner in owners if owner is not None)
    orders = world.orders(view.me)
    stays_away = orders.moved_to is not None and stand_in(view, view.me) is not None
    may = bool(links) and not orders.held_back and not stays_away
    shall = may and ((lacking and not better) or _stranger(view))
    does = world.wants(view.me) is not None
    if shall and not does:
        put = Put(key, str(Bearer(view.me, mine.token)))
        yield Step(StepKind.WANT, Transaction((token,), (put,)), view.me)
    elif does and not shall:
        yield Step(StepKind.UNWANT, Transaction((token,), (Delete(key),)), view.me)
