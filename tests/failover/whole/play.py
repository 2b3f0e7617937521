"""A schedule by its number: a shape of cluster, bad luck for a while, then calm, and a verdict.

Three parts: chaos; then no new fault, and whoever is left must serve everything; then everybody is
started, and everything must come home, without a call dropped and without a caller turned away.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import trio

from pa_telephony.failover import Command
from whole.agent import Agent
from whole.clusters import SHAPES, changes_of
from whole.house import House, run_in_virtual_time
from whole.judge import Judge
from whole.trouble import Trouble

__all__ = ["Played", "play"]

_CHAOS = 24.0
_GAP = 2.5
"""Mean seconds between two faults."""
SERVED_WITHIN = 45.0
"""Seconds after the last fault within which whoever is left serves everything: a silent CTI
session may take a heartbeat of 30 s to be found out."""
HOME_WITHIN = 60.0
"""Seconds after the last start within which everything is home."""
_STAYS = 3.0


@dataclass
class Played:
    """What became of a schedule."""

    seed: int
    shape: str
    seconds: float = 0.0
    violations: list[str] = field(default_factory=list[str])
    log: list[str] = field(default_factory=list[str])
    counts: dict[str, int] = field(default_factory=dict[str, int])
    served_after: float = 0.0
    home_after: float = 0.0


def machine_each(seed: int) -> bool:
    """Whether each server has a machine of its own in that schedule, and the store others still."""
    return seed // len(SHAPES) % 5 == 4


def play(seed: int) -> Played:
    """Play the schedule ``seed``."""
    shape = sorted(SHAPES)[seed % len(SHAPES)]
    played = Played(seed, shape)
    chance = random.Random(f"faults {seed}")

    async def body(house: House) -> None:
        trouble = Trouble(house)
        judge = Judge(house, trouble)
        agent = Agent(house)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(judge.run)
            if "restart" in _draws(seed):
                nursery.start_soon(agent.run)
            try:
                await _schedule(house, trouble, judge, agent, chance, played)
            finally:
                played.seconds = trio.current_time()
                played.violations = judge.violations
                _count(played, house, judge, trouble)
                nursery.cancel_scope.cancel()

    house = run_in_virtual_time(SHAPES[shape], seed, body)
    played.log = house.log
    return played


async def _schedule(
    house: House,
    trouble: Trouble,
    judge: Judge,
    agent: Agent,
    chance: random.Random,
    played: Played,
) -> None:
    house.store.proves_death = chance.random() < 0.75
    house.store.machine_each = machine_each(played.seed)
    drift = 0.05 if house.store.machine_each else 0.01
    for name in house.names:
        house.drift[name] = chance.uniform(-drift, drift)
    proven = "" if house.store.proves_death else "not "
    where = "a machine each" if house.store.machine_each else "one machine"
    house.note(f"{played.shape}, {where}, death is {proven}proven")
    house.start_call_manager()
    house.start_callers()
    for name in house.names:
        house.start(name)
        await trio.sleep(chance.uniform(0.0, 0.3))
    draws = _draws(played.seed)
    async with trio.open_nursery() as nursery:
        ends = trio.current_time() + _CHAOS
        while (gap := chance.expovariate(1 / _GAP)) and trio.current_time() + gap < ends:
            await trio.sleep(gap)
            _misfortune(house, trouble, agent, chance, nursery, draws)
        trouble.end_all()
        agent.undo()
    house.network.heal_all()
    for name in house.names:
        house.move(name, None)
        house.hold(name, False)
    while not house.save(house.cluster):  # noqa: ASYNC110 - a call that ends tells nobody
        # A number that has gone is there again only when its last call has ended.
        await trio.sleep(0.5)
    trouble.command(Command.START)
    house.note("no more faults")
    played.served_after = await _until(house, judge, _everything_is_served, SERVED_WITHIN)
    await trio.sleep(chance.uniform(0.0, 2.0))
    house.note("everybody is started")
    for name in house.names:
        house.start(name)
    played.home_after = await _until(house, judge, House.home_again, HOME_WITHIN)
    await trio.sleep(_STAYS)
    if not house.home_again():
        judge.violated(f"came home and did not stay: {_whereabouts(house)}")


def _everything_is_served(house: House) -> bool:
    """Whether exactly one server has each identity of every home that a server could serve."""
    cluster = house.cluster
    return house.manager is not None and all(
        (len(house.holders(identity)) == 1 and not house.has_ghost(identity))
        or not any(map(house.runs, (identity.home, *cluster.candidates(identity.home))))
        for identity in house.devices
    )


async def _until(house: House, judge: Judge, condition, within: float) -> float:
    began = trio.current_time()
    while not condition(house):
        if trio.current_time() > began + within:
            name = condition.__name__.strip("_").replace("_", " ")
            judge.violated(f"not {name!r} within {within} s: {_whereabouts(house)}")
            break
        await trio.sleep(0.05)
    return trio.current_time() - began


def _whereabouts(house: House) -> str:
    return ", ".join(
        f"{identity.label} with {' and '.join(house.holders(identity)) or 'nobody'}"
        for identity in house.devices
        if house.holders(identity) != [identity.home]
    )


def _draws(seed: int) -> dict[str, int]:
    """What may happen in a schedule, and how often each is drawn, relative to the others."""
    draws = dict(_FAULTS)
    if seed % 7 in (2, 3, 6):
        draws |= _CHANGES
    if seed % 7 in (1, 3):
        draws |= _RESTARTS
    if machine_each(seed):
        draws |= _MACHINES
    return draws


def _misfortune(
    house: House,
    trouble: Trouble,
    agent: Agent,
    chance: random.Random,
    nursery: trio.Nursery,
    draws: dict[str, int],
) -> None:
    """One thing that happens, drawn."""
    name = chance.choice(house.names)
    if not house.runs(name) and chance.random() < 0.7:
        house.start(name)
        return

    def soon(function, *args: object, **kwargs: object) -> None:
        nursery.start_soon(lambda: function(*args, **kwargs))

    draw = chance.choices(list(draws), list(draws.values()))[0]
    match draw:
        case "kill":
            silently = not house.store.proves_death and chance.random() < 0.4
            trouble.kill(name, silently=silently)
        case "pause":
            soon(trouble.pause, name, chance.choice([0.3, 1.0, 4.4, 6.0, 9.0]))
        case "operator":
            command = chance.choice([Command.STOP, Command.STOP, Command.STOP_ALONE])
            soon(trouble.stopped_by_operator, command, chance.choice([0.5, 4.0, 9.0]), name)
        case "stop all":
            soon(trouble.stopped_by_operator, Command.STOP, chance.choice([0.5, 3.0]))
        case "configuration":
            house.save(chance.choice(changes_of(house.cluster)))
        case "drain":
            seconds = chance.choice([0.5, 4.0, 9.0])
            soon(trouble.stopped_by_operator, Command.DRAIN, seconds, name)
        case "move":
            to = chance.choice([None, *house.cluster.candidates(name)])
            house.move(name, to, chance.choice([None, 0, 1, 5]) if to is not None else None)
        case "return":
            house.order_home(name, chance.choice([0, 0, 1, 5]))
        case "hold":
            house.hold(name, chance.random() < 0.6)
        case "restart":
            agent.restart(chance.sample(house.names, chance.randint(1, len(house.names))))
        case "no call manager":
            soon(trouble.no_call_manager, chance.choice([0.2, 1.0, 5.0, 8.0]))
        case "call manager stopped":
            soon(trouble.pause_call_manager, chance.choice([0.5, 2.0, 6.0]))
        case "call manager slow":
            delay = chance.choice([0.3, 1.5, 3.0])
            soon(trouble.slow_call_manager, delay, chance.uniform(2, 10))
        case "cut":
            to, back = chance.choice([(True, True), (True, True), (True, False), (False, True)])
            service = chance.choice([0, 0, 2000, 2748])
            seconds = chance.choice([0.5, 3.0, 7.0, 12.0])
            soon(trouble.cut, name, seconds, to=to, back=back, service=service)
        case "refused":
            soon(trouble.refuse, name, chance.choice([2000, 2748]), chance.choice([2.0, 6.0, 12.0]))
        case "reset":
            trouble.reset(name, chance.choice([0, 2000, 2748]))
        case "store":
            what, weather = chance.choice(_WEATHER)
            soon(trouble.store, name, what, chance.choice([0.7, 3.0, 6.0, 9.0]), **weather)
        case "member":
            what, weather = chance.choice(_MEMBER)
            soon(trouble.store, name, what, chance.choice([0.7, 3.0, 9.0]), **weather)
        case "election":
            soon(trouble.election, chance.uniform(0.5, 2.5))


_FAULTS = {
    "kill": 20,
    "pause": 14,
    "operator": 12,
    "stop all": 2,
    "no call manager": 5,
    "call manager stopped": 4,
    "call manager slow": 5,
    "cut": 14,
    "refused": 4,
    "reset": 6,
    "store": 16,
}
_CHANGES = {"configuration": 20, "move": 12, "drain": 8, "return": 8, "hold": 8}
_RESTARTS = {"restart": 20}
_MACHINES = {"member": 24, "election": 10}
"""What is drawn besides, in some of the schedules each."""

_WEATHER: list[tuple[str, dict[str, object]]] = [
    ("gone", {"gone": True}),
    ("silent", {"stands": True}),
    ("cannot be read", {"deaf": True}),
    ("slow", {"delay": (0.05, 0.4), "look": (0.1, 1.0)}),
    ("loses answers", {"lost_before": 0.2, "lost_after": 0.3}),
]
_MEMBER: list[tuple[str, dict[str, object]]] = [
    ("commits late", {"stuck": 0.3}),
    ("commits late", {"stuck": 1.0}),
    ("is behind", {"behind": 0.3}),
    ("is behind", {"behind": 2.0}),
]


def _count(played: Played, house: House, judge: Judge, trouble: Trouble) -> None:
    calls = house.callers.calls
    counts = {
        "calls": len(calls),
        "calls answered": sum(call.up is not None for call in calls),
        "calls failed": sum(call.result == "failed" for call in calls),
        "faults": len(trouble.spells),
        "lives": sum(house.lives.values()),
        "configurations saved": len(house.configurations) - 1,
        "takeovers": sum(" take_home " in line for line in house.log),
        "hand-overs": sum(" hand_over " in line for line in house.log),
        "hand-backs": sum(" hand_back " in line for line in house.log),
    }
    for why, number in judge.excused.items():
        what = why.partition(" for ")[0].partition(" by ")[0]
        counts[f"dropped: {what}"] = counts.get(f"dropped: {what}", 0) + number
    played.counts = counts
