"""What can be done to the machines of a cluster: each fault is there inside of a block.

A fault draws what it needs from ``chance`` and yields in words what it has done. Of one *group*
there is never more than one fault at a time.
"""

from __future__ import annotations

import contextlib
import random
import signal
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager

from machinejudge import CUTS
from machinelab import CALL_MANAGERS, HOSTS, STORE, MachineLab

__all__ = ["FAULTS", "HARMLESS", "MOMENTARY", "Make", "group_of"]

Make = Callable[[MachineLab, random.Random], AbstractContextManager[str]]
_EVERYTHING, _CALL_MANAGERS = CUTS
_STORE = "cut from the store"


def _a_server(chance: random.Random) -> str:
    return chance.choice([*HOSTS])


def _a_machine(chance: random.Random) -> int:
    return chance.choice(sorted({*HOSTS.values()}))


def _leader(lab: MachineLab) -> int:
    found = lab.members.leader(lab.phones)
    assert found is not None, "the store has no leader"
    return found


@contextlib.contextmanager
def kill_server(lab: MachineLab, chance: random.Random) -> Generator[str]:
    """A server's process is killed; its agent starts it again."""
    name = _a_server(chance)
    if lab.runs(name):
        lab.signal(name, signal.SIGKILL)
    yield name


@contextlib.contextmanager
def pause_server(lab: MachineLab, chance: random.Random) -> Generator[str]:
    """A server's process stands still."""
    name = _a_server(chance)
    if lab.runs(name):
        lab.signal(name, signal.SIGSTOP)
    yield name
    if lab.runs(name):
        lab.signal(name, signal.SIGCONT)


def _cut(what: str, *others: int) -> Make:
    @contextlib.contextmanager
    def cut(lab: MachineLab, chance: random.Random) -> Generator[str]:
        host = _a_machine(chance)
        lab.cut(host, what, *others)
        yield f"machine {host}"
        lab.join(host, *others)

    return cut


@contextlib.contextmanager
def deafen_machine(lab: MachineLab, chance: random.Random) -> Generator[str]:
    """What the store answers does not reach a machine of servers; what these ask reaches it."""
    host = _a_machine(chance)
    lab.fault(_STORE, *lab.servers_of(host))
    for each in STORE:
        lab.network.order("cut", source=each, target=host)
    yield f"machine {host}"
    for each in STORE:
        lab.network.order("join", source=each, target=host)
    lab.fault("back", *lab.servers_of(host))


@contextlib.contextmanager
def lose_machine(lab: MachineLab, chance: random.Random) -> Generator[str]:
    """A machine of servers loses its power, and gets it back."""
    host = _a_machine(chance)
    lab.lose(host)
    yield f"machine {host}"
    lab.bring_back(host)


@contextlib.contextmanager
def kill_agent(lab: MachineLab, chance: random.Random) -> Generator[str]:
    """An agent is killed, and started again at the end."""
    host = _a_machine(chance)
    if (machine := lab.network.machines.get(host)) and machine.processes("agent"):
        lab.signal_agent(host, signal.SIGKILL)
    yield f"machine {host}"
    if (machine := lab.network.machines.get(host)) and not machine.processes("agent"):
        lab.agent(host)


@contextlib.contextmanager
def pause_agent(lab: MachineLab, chance: random.Random) -> Generator[str]:
    """An agent stands still."""
    host = _a_machine(chance)
    if (machine := lab.network.machines.get(host)) and machine.processes("agent"):
        lab.signal_agent(host, signal.SIGSTOP)
    yield f"machine {host}"
    if (machine := lab.network.machines.get(host)) and machine.processes("agent"):
        lab.signal_agent(host, signal.SIGCONT)


@contextlib.contextmanager
def kill_member(lab: MachineLab, chance: random.Random) -> Generator[str]:
    """A member of the store is killed, every other time its leader, and started again."""
    host = _leader(lab) if chance.random() < 0.5 else chance.choice(STORE)
    lab.members.signal(host, signal.SIGKILL)
    yield f"member {host}"
    lab.members.start(host)


@contextlib.contextmanager
def pause_leader(lab: MachineLab, chance: random.Random) -> Generator[str]:
    """The store's leader stands still."""
    host = _leader(lab)
    lab.members.signal(host, signal.SIGSTOP)
    yield f"member {host}"
    lab.members.signal(host, signal.SIGCONT)


@contextlib.contextmanager
def isolate_leader(lab: MachineLab, chance: random.Random) -> Generator[str]:
    """The store's leader is cut off from the other members, and from nobody else."""
    host = _leader(lab)
    others = [each for each in STORE if each != host]
    lab.network.cut(host, *others)
    yield f"member {host}"
    lab.network.join(host, *others)


@contextlib.contextmanager
def lose_member(lab: MachineLab, chance: random.Random) -> Generator[str]:
    """A machine of the store loses its power, and gets it back."""
    host = chance.choice(STORE[:-1])
    lab.network.lose(host)
    yield f"member {host}"
    lab.network.machine(host)
    lab.members.start(host)


@contextlib.contextmanager
def fill_disk(lab: MachineLab, chance: random.Random) -> Generator[str]:
    """The file system of one of the store's members is full."""
    host = STORE[-1]
    lab.members.fill(host)
    yield f"member {host}"
    lab.members.make_room(host)


@contextlib.contextmanager
def pause_majority(lab: MachineLab, chance: random.Random) -> Generator[str]:
    """Two of the store's three members stand still: nobody can agree on anything."""
    both = chance.sample(STORE, 2)
    lab.fault(_STORE, *HOSTS)
    for host in both:
        lab.members.signal(host, signal.SIGSTOP)
    yield " and ".join(f"member {host}" for host in both)
    for host in both:
        lab.members.signal(host, signal.SIGCONT)
    lab.fault("back", *HOSTS)


@contextlib.contextmanager
def bad_links(lab: MachineLab, chance: random.Random) -> Generator[str]:
    """Every frame takes 20 ms ± 10, one of twenty is lost, one of fifty comes twice."""
    lab.network.quality(delay=0.02, jitter=0.01, loss=0.05, duplicates=0.02)
    yield "all links"
    lab.network.quality()


@contextlib.contextmanager
def set_clock(lab: MachineLab, chance: random.Random) -> Generator[str]:
    """The wall clock of a machine of servers is set days ahead or back, and then right."""
    host, ahead = _a_machine(chance), chance.uniform(-1e6, 1e6)
    lab.set_clock(host, ahead)
    yield f"machine {host} by {ahead:.0f} s"
    lab.set_clock(host, 0.0)


@contextlib.contextmanager
def kill_call_manager(lab: MachineLab, chance: random.Random) -> Generator[str]:
    """A call manager is killed, and started again."""
    host = chance.choice(lab.call_managers)
    lab.signal_call_manager(host, signal.SIGKILL)
    yield f"call manager {host}"
    lab.call_manager(host)


@contextlib.contextmanager
def pause_call_manager(lab: MachineLab, chance: random.Random) -> Generator[str]:
    """A call manager stands still."""
    host = chance.choice(lab.call_managers)
    lab.signal_call_manager(host, signal.SIGSTOP)
    yield f"call manager {host}"
    lab.signal_call_manager(host, signal.SIGCONT)


FAULTS: Mapping[str, Mapping[str, Make]] = {
    "servers": {
        "server killed": kill_server,
        "server paused": pause_server,
        "cut from the store": _cut(_STORE, *STORE),
        "cut from the call managers": _cut(_CALL_MANAGERS, *CALL_MANAGERS),
        "cut from everything": _cut(_EVERYTHING),
        "deaf to the store": deafen_machine,
        "machine lost": lose_machine,
    },
    "agents": {"agent killed": kill_agent, "agent paused": pause_agent},
    "store": {
        "member killed": kill_member,
        "leader paused": pause_leader,
        "leader isolated": isolate_leader,
        "member's machine lost": lose_member,
        "member's disk full": fill_disk,
        "majority paused": pause_majority,
    },
    "links": {"bad links": bad_links},
    "clocks": {"wall clock set": set_clock},
    "call managers": {
        "call manager killed": kill_call_manager,
        "call manager paused": pause_call_manager,
    },
}
HARMLESS = (
    *FAULTS["agents"],
    *FAULTS["clocks"],
    *(each for each in FAULTS["store"] if each != "majority paused"),
)
"""Of these alone nothing may be moved."""
MOMENTARY = ("server killed",)
"""These end by themselves."""


def group_of(fault: str) -> str:
    """The group of a fault."""
    return next(group for group, faults in FAULTS.items() if fault in faults)
