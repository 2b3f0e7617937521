"""Every situation that a few faults can bring a small cluster into, one after the other.

python tests/failover/explorer.py [--faults N] [--shape NAME] [--no-proof] [--kinds crash,pause,…]

Breadth first over :mod:`explored`, so that the way to a violation is a shortest one. In each
situation nobody may act beside another for one identity, the route point is home only after the
ports, and what is away from home is in one hand (but for ports with a call at a drained stand-in).
From each situation a run without faults leads home, so that every fair one does.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections import deque
from dataclasses import dataclass, replace

from explored import CHANGES, FAULTS, Explored, Situation
from happening import Happening
from lateness import LATENESS

from pa_telephony.failover import Cluster, JtapiProvider, ServerConfig, SkinnyProvider
from pa_telephony.failover.identity import Kind
from pa_telephony.failover.registration import State
from pa_telephony.failover.world import World

__all__ = ["BACKWARDS", "CHANGING", "SHAPES", "Found", "explore"]

_PROVIDERS = (
    JtapiProvider(name="jtapi", hosts=("127.0.0.10",), user="pa", password="x"),
    SkinnyProvider(name="skinny", hosts=("127.0.0.10",), device_name_prefix="PA-VI"),
)


def _server(number: int, ports: int, *others: int) -> ServerConfig:
    return ServerConfig(
        server_name=f"PA{number}",
        hostname_or_ip_address=f"127.0.0.{10 + number}",
        route_address=f"{5 + number}000" if ports else "",
        media_port_provider="skinny" if ports else "",
        media_port_beginning_address=f"{5 + number}001" if ports else "",
        number_of_media_ports=ports,
        fail_over_server_names=tuple(f"PA{other}" for other in others),
    )


SHAPES = {
    "home": Cluster(servers=(_server(1, 1, 2), _server(2, 0)), providers=_PROVIDERS),
    "two spares": Cluster(
        servers=(_server(1, 1, 2, 3), _server(2, 0), _server(3, 0)), providers=_PROVIDERS
    ),
    "mutual": Cluster(servers=(_server(1, 1, 2), _server(2, 1, 1)), providers=_PROVIDERS),
}


_PINNED = replace(_PROVIDERS[1], devices={str(each): f"VI{each}" for each in (6001, 6002, 7001)})


def _with_ports(one: int, two: int, first: str = "7001") -> Cluster:
    """PA1 with so many ports from 6001 on, and PA2 with so many from ``first`` on."""
    second = replace(_server(2, two, 1), media_port_beginning_address=first if two else "")
    return Cluster(
        servers=(_server(1, one, 2), replace(second, route_address="")),
        providers=(_PROVIDERS[0], _PINNED),
    )


CHANGING = {
    "a port comes and goes": (_with_ports(1, 0), _with_ports(2, 0)),
    "a port moves": (_with_ports(2, 0), _with_ports(1, 1, "6002")),
}
"""Configurations of which each may be saved in place of the other."""


BACKWARDS = ("stop drain", "move", "move within", "return", "hold")
"""Orders about a home that lives: each as large as all the others together."""


@dataclass
class Found:
    """What an exploration found: ``path`` is the shortest one to ``violation``."""

    states: int
    moves: int
    seconds: float
    violation: str = ""
    path: tuple[str, ...] = ()
    complete: bool = True
    """False: the search was ended at its limit."""

    def __str__(self) -> str:
        rate = f"{self.states} states, {self.moves} moves in {self.seconds:.1f} s"
        if not self.violation:
            return f"{rate}: no violation{'' if self.complete else ' so far'}"
        way = "\n".join(f"  {number:3} {what}" for number, what in enumerate(self.path, 1))
        return f"{rate}: {self.violation}, by this shortest way:\n{way}"


def wrong(explored: Explored, situation: Situation) -> str:
    """What no situation may show; blank when all is well."""
    acting = [explored.acts(node) for node in situation.nodes]
    for number, identity in enumerate(explored.identities):
        twins = explored.twins[number]
        names = [
            name
            for name, acts in zip(explored.names, acting, strict=True)
            if not twins.isdisjoint(acts)
        ]
        if len(names) > 1:
            return f"{identity} is served by {' and '.join(names)}"
    if situation.store not in explored.judged:
        explored.judged[situation.store] = wrong_in(explored, explored.world(situation))
    return explored.judged[situation.store]


def wrong_in(explored: Explored, world: World) -> str:
    """What no store may show; blank when all is well."""
    for home in explored.names:
        owners = {i: world.owner(i) for i in world.cluster.identities(home)}
        for later in (i for i, owner in owners.items() if owner == home):
            for other, owner in owners.items():
                if other.kind.stage < later.kind.stage and owner not in (None, home):
                    return f"{later} is home before {other}"
        # A stand-in that is drained keeps ports with calls, and hands on the rest.
        apart = {Kind.PORT} if "stop drain" in explored.kinds else set[Kind]()
        held = {owner for i, owner in owners.items() if i.kind not in apart}
        strangers = held - {None, home}
        if len(strangers) > 1:
            return f"what is of {home} is in the hands of {' and '.join(map(str, strangers))}"
    return ""


def is_home(explored: Explored, situation: Situation) -> bool:
    """Every server has its own registered, and no claim or wish is left."""
    world: World = explored.world(situation)
    if any(world.owner(stray) is not None for stray in world.strays):
        return False
    for place, home in enumerate(explored.names):
        node = situation.nodes[place]
        if node.life is None or world.claimant(home) or world.wants(home):
            return False
        if world.orders(home).returns_within is not None:
            return False
        for identity in world.cluster.identities(home):
            if world.owner(identity) != home:
                return False
            if explored.member(node).state(identity) is not State.REGISTERED:
                return False
            if situation.at[explored.identities.index(identity)] != {place}:
                return False
    return True


def at_home(explored: Happening) -> Situation:
    """Where a cluster is that has just been started, once everybody had its turns."""
    situation = explored.start()
    for turn in range(1000):
        moves = [
            after
            for what, _, after in explored.moves(situation, faults=False)
            if after != situation and not what.startswith("a call on")
        ]
        if not moves:
            return situation
        situation = moves[turn % len(moves)]
    raise AssertionError("a cluster that is started does not come to rest")


class Graph:
    """What has been found, by number, and how one comes from one to another without a fault."""

    def __init__(self) -> None:
        self.numbers: dict[Situation, int] = {}
        self.came: list[tuple[int, str]] = []
        self.edges: list[tuple[int, int]] = []
        self.home: list[int] = []

    def add(self, situation: Situation, before: int, what: str) -> tuple[int, bool]:
        """Its number, and whether it is new."""
        number = self.numbers.setdefault(situation, len(self.came))
        if number < len(self.came):
            return number, False
        self.came.append((before, what))
        return number, True

    def way(self, number: int) -> tuple[str, ...]:
        """A shortest way to it."""
        path: list[str] = []
        while number:
            number, what = self.came[number]
            path.append(what)
        return tuple(reversed(path))

    def stuck(self) -> int | None:
        """The first one from which no run without faults leads home.

        Where there is always one, each run that is fair leads home: it cannot pass by for ever.
        """
        back: list[list[int]] = [[] for _ in self.came]
        for before, after in self.edges:
            back[after].append(before)
        reached = bytearray(len(self.came))
        todo = list(self.home)
        for number in todo:
            reached[number] = 1
        while todo:
            for before in back[todo.pop()]:
                if not reached[before]:
                    reached[before] = 1
                    todo.append(before)
        found = reached.find(0)
        return None if found < 0 else found


def explore(
    cluster: Cluster,
    faults: int,
    *,
    proof: bool = True,
    kinds: tuple[str, ...] = FAULTS,
    limit: int = 10_000_000,
    others: tuple[Cluster, ...] = (),
) -> Found:
    """Everything that ``faults`` faults can lead to; ends at the first violation.

    ``others`` are configurations that may be saved in place of ``cluster``: a fault, too.
    """
    collects = gc.isenabled()
    gc.disable()  # Millions of things, all of them kept.
    try:
        explored = Happening(cluster, proof=proof, kinds=kinds, others=others)
        return _explored(explored, faults, limit)
    finally:
        if collects:
            gc.enable()


def _explored(explored: Happening, faults: int, limit: int) -> Found:
    began = time.monotonic()
    graph = Graph()
    first = at_home(explored)
    graph.add(first, 0, "")
    queue = deque([first])
    later: dict[Situation, tuple[int, str]] = {}
    left = faults
    moves = 0

    def found(violation: str = "", path: tuple[str, ...] = ()) -> Found:
        return Found(len(graph.came), moves, time.monotonic() - began, violation, path)

    while queue:
        situation = queue.popleft()
        number = graph.numbers[situation]
        if violation := wrong(explored, situation):
            return found(violation, graph.way(number))
        if is_home(explored, situation):
            graph.home.append(number)
        for what, fault, after in explored.moves(situation, faults=left > 0):
            moves += 1
            if explored.broken:
                return found(explored.broken[0], (*graph.way(number), what))
            if fault:
                later.setdefault(after, (number, what))
                continue
            there, new = graph.add(after, number, what)
            if new:
                queue.append(after)
            if not what.startswith("a call on"):
                graph.edges.append((number, there))
        if len(graph.came) > limit:
            return replace(found(), complete=False)
        if not queue and left:
            left -= 1
            queue.extend(there for there, came in later.items() if graph.add(there, *came)[1])
            later.clear()
    stuck = graph.stuck()
    if stuck is not None:
        return found("nothing without a fault brings all home from here", graph.way(stuck))
    return found()


def main() -> None:
    """Read the command line; see the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faults", type=int, default=2)
    parser.add_argument("--shape", choices=[*SHAPES, *CHANGING], default="home")
    usual = [kind for kind in (*FAULTS, CHANGES) if kind not in BACKWARDS]
    more = f"others: {', '.join((*BACKWARDS, *LATENESS, 'late step'))}"
    parser.add_argument("--kinds", default=",".join(usual), help=more)
    parser.add_argument("--no-proof", action="store_true", help="the store proves no deaths")
    chosen = parser.parse_args()
    kinds = tuple(chosen.kinds.split(","))
    first, *others = CHANGING.get(chosen.shape) or (SHAPES[chosen.shape],)
    result = explore(
        first, chosen.faults, proof=not chosen.no_proof, kinds=kinds, others=tuple(others)
    )
    print(f"{chosen.shape}, {chosen.faults} faults of {', '.join(kinds)}: {result}")
    sys.exit(bool(result.violation))


if __name__ == "__main__":
    main()
