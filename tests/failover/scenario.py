"""The language of ``scenarios/*.txt``: stories of a failover cluster, with what follows from them.

A story is a text of blocks. A block is some lines that say what happens, a line ``----``, and what
the servers do then, up to a blank line. ``#`` begins a comment. The first block names the cluster::

    cluster
      PA1 has route point 6000, ports 6001 to 6003, interceptor 5XXX; fails over to PA2, PA3
      PA2 has route point 6100, ports 6101 to 6101; at most 2 calls
      PA3 is a spare; at most 2 calls
      hold is 3 seconds
      capacity aware
      a machine each
      two call managers
    ----

``hold`` may be any setting of ``[timing]``. With ``a machine each`` no server can prove that
another one's process is gone. With ``two call managers`` the lists of hosts name two, and the
cluster goes back to the first. What may happen is in :data:`COMMANDS`; a file, as servers may read
different ones, is written like the cluster. All lines of a block happen
at one moment; then half a second passes, unless the block itself says how long to wait, or only
looks. What is told begins with the time when it is later than a tenth of a second.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from narrated import Narrated

from pa_telephony.errors import ConfigurationError
from pa_telephony.failover import (
    Cluster,
    Command,
    JtapiProvider,
    ServerConfig,
    SkinnyProvider,
    Timing,
    intents,
    world as keys,
)
from pa_telephony.failover.intent import (
    Answer,
    answer,
    keeping_away,
    kept_away,
    moving,
    returned,
    returning,
    unreturnable,
)
from pa_telephony.failover.status import ServerStatus
from pa_telephony.failover.transaction import Delete, Snapshot, Transaction

__all__ = ["COMMANDS", "Scenario", "ScenarioError", "matched", "play"]

_AFTERWARDS = 0.5
"""Seconds that pass after a block that does not say how many."""
_LONGEST_WAIT = 120.0


class ScenarioError(Exception):
    """A story that cannot be read, or in which a promise is broken; names file and line."""


@dataclass
class Block:
    """What happens, and what is told of it; ``before`` are comments and blank lines."""

    line: int
    before: list[str] = field(default_factory=list[str])
    commands: list[str] = field(default_factory=list[str])
    told: list[str] = field(default_factory=list[str])

    def happenings(self) -> Iterator[tuple[int, str, list[str]]]:
        """Each line with its number, and the lines below it that belong to it."""
        for at, line in enumerate(self.commands):
            below = itertools.takewhile(lambda each: each[0] == " ", self.commands[at + 1 :])
            if line[0] != " ":
                yield self.line + at, line, list(below)


class Scenario:
    """A story as it stands in its file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.blocks: list[Block] = []
        self.after: list[str] = []
        """Comments behind the last block."""
        block, told = Block(1), False
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if told:
                if line:
                    block.told.append(line)
                else:
                    self.blocks.append(block)
                    block, told = Block(number + 1), False
            elif line == "----":
                if not block.commands:
                    raise ScenarioError(f"{path.name}:{number}: nothing happens before ----")
                told = True
            elif not block.commands and (not line or line.startswith("#")):
                block.before.append(line)
            else:
                if not block.commands:
                    block.line = number
                block.commands.append(line)
        if told:
            self.blocks.append(block)
        elif block.commands:
            raise ScenarioError(f"{path.name}:{block.line}: no ---- follows")
        else:
            self.after = block.before

    def text(self, told: list[list[str]]) -> str:
        """The file with what is told now."""
        lines: list[str] = []
        for block, now in zip(self.blocks, told, strict=True):
            lines += [*block.before, *block.commands, "----", *now, ""]
        return "\n".join([*lines, *self.after]).rstrip("\n") + "\n"


def play(scenario: Scenario) -> list[list[str]]:
    """What is told of each block.

    ScenarioError for a line that nobody understands, and for a promise that is broken.
    """
    first, *others = scenario.blocks or [Block(1)]
    place = scenario.path.name
    if first.commands[:1] != ["cluster"]:
        raise ScenarioError(f"{place}:{first.line}: the first block must be the cluster")
    cluster, proof = _cluster(first.commands[1:], place, first.line + 1)
    told = [cluster.warnings()]
    stage = Stage(cluster, proof)
    for block in others:
        told.append(stage.play(block, place))
        if stage.house.violations:
            raise ScenarioError(f"{place}:{block.line}: {stage.house.violations[0]}")
    return told


# ------------------------------------------------------------------------------ the cluster

_SERVER = re.compile(
    r"  (PA\d+) (?:is a spare|has ([^;]+))(?:; at most (\d+) calls?)?(?:; fails over to (.+))?"
)
_SETTING = re.compile(r"  (\w+) is ([\d.]+) seconds?")
_OWN: dict[str, Callable[..., ServerConfig]] = {
    r"route point (\d+)": lambda server, number: replace(server, route_address=number),
    r"AA route point (\d+)": lambda server, number: replace(server, aa_route_address=number),
    r"ports (\d+) to (\d+)": lambda server, first, last: replace(
        server,
        media_port_provider="skinny",
        media_port_beginning_address=first,
        number_of_media_ports=int(last) - int(first) + 1,
    ),
    r"interceptor (\w+)": lambda server, pattern: replace(
        server, interceptor_port_provider="jtapi", interceptor_ports=(pattern,)
    ),
}
_PROVIDERS = (
    JtapiProvider(name="jtapi", hosts=("127.0.0.10",), user="pa", password="x"),
    SkinnyProvider(name="skinny", hosts=("127.0.0.10",), device_name_prefix="PA-VI"),
)
_HOSTS = ("127.0.0.10", "127.0.0.20")
_TWO_CALL_MANAGERS = (
    replace(_PROVIDERS[0], hosts=_HOSTS),
    replace(_PROVIDERS[1], hosts=_HOSTS, return_to_preferred=True),
)
_NTH = ("first", "second")


def _cluster(lines: list[str], place: str, first: int) -> tuple[Cluster, bool]:
    """The cluster that lines from ``first`` on describe, and whether its store proves deaths."""
    servers: list[ServerConfig] = []
    timing, aware, proof, providers = Timing(), False, True, _PROVIDERS
    for number, line in enumerate(lines, first):
        if line == "  capacity aware":
            aware = True
        elif line == "  a machine each":
            proof = False
        elif line == "  two call managers":
            providers = _TWO_CALL_MANAGERS
        elif (found := _SETTING.fullmatch(line)) and hasattr(timing, found[1]):
            timing = replace(timing, **{found[1]: float(found[2])})
        elif found := _SERVER.fullmatch(line):
            name, has, calls, others = found.groups()
            server = ServerConfig(
                server_name=name,
                hostname_or_ip_address=f"127.0.0.{10 + int(name[2:])}",
                fail_over_server_names=tuple(others.split(", ")) if others else (),
            )
            if calls:
                server = replace(server, capacity=int(calls))
            for what in has.split(", ") if has else ():
                for pattern, change in _OWN.items():
                    if own := re.fullmatch(pattern, what):
                        server = change(server, *own.groups())
                        break
                else:
                    raise ScenarioError(f"{place}:{number}: a server has no {what!r}")
            servers.append(server)
        else:
            raise ScenarioError(f"{place}:{number}: {line!r} is nothing of a cluster")
    try:
        return Cluster(tuple(servers), providers, timing=timing, capacity_aware=aware), proof
    except ConfigurationError as error:
        raise ScenarioError(f"{place}:{first}: {error}") from None


# ----------------------------------------------------------------------------- the commands

COMMANDS: dict[str, Callable[..., object]] = {}
"""What can happen, as the form of a line; a word in capitals stands for names or a number, and a
letter before "?" may be absent."""
_WORDS = {
    "SERVERS": r"(PA\d+(?:(?:, | and )PA\d+)*)",
    "SERVER": r"(PA\d+)",
    "NTH": r"(first|second)",
    "PROVIDER": r"(the call manager|skinny|jtapi)",
    "NUMBER": r"(\d+)",
    "SECONDS": r"([\d.]+)",
    "TEXT": r"(.+)",
}
_WORD = re.compile("|".join(sorted(_WORDS, key=len, reverse=True)))


def _command(form: str) -> Callable[[Callable[..., object]], Callable[..., object]]:
    def keep(function: Callable[..., object]) -> Callable[..., object]:
        COMMANDS[form] = function
        return function

    return keep


def matched(form: str, line: str) -> tuple[str, ...] | None:
    """The names and numbers in ``line``, if it has that form of a command."""
    found = re.fullmatch(_WORD.sub(lambda word: _WORDS[word[0]], form), line)
    return None if found is None else found.groups()


def _names(servers: str) -> list[str]:
    return re.split(r", | and ", servers)


class Stage:
    """A cluster that a story is played on."""

    def __init__(self, cluster: Cluster, proof: bool) -> None:
        self.house = Narrated(cluster, self._hear, proof=proof)
        self._told: list[tuple[float, str]] = []
        self._began = self.house.now
        self._waited = False
        self._asked: list[tuple[Callable[[ServerStatus, Snapshot], Answer], str]] = []
        self._below: list[str] = []

    def _hear(self, at: float, sentence: str) -> None:
        self._told.append((at, sentence))

    def play(self, block: Block, place: str) -> list[str]:
        self._told, self._began, self._waited = [], self.house.now, False
        for number, line, below in block.happenings():
            self._below = below
            try:
                self._play(line)
                if self._below:
                    raise ScenarioError("nothing may stand below it")
            except (ScenarioError, ConfigurationError, KeyError) as error:
                raise ScenarioError(f"{place}:{number}: {line!r}: {error}") from None
        if not self._waited:
            self._pass(_AFTERWARDS)
        self.house.flush()
        for judge, name in self._asked:
            (page,) = (page for page in self.house.pages() if page.name == name)
            words = judge(page, self.house.snapshot()).words
            self._hear(self.house.now, f"the operator reads: {words}")
        self._asked.clear()
        return self._with_times()

    def _with_times(self) -> list[str]:
        lines: list[str] = []
        last = 0.0
        for at, sentence in self._told:
            after = round(at - self._began, 1)
            if after > max(last, 0.1) and not sentence.startswith("the operator reads"):
                lines.append(f"after {after:.1f} s:")
                last = after
            lines += [f"  {line}" if last else line for line in sentence.splitlines()]
        return lines

    def _play(self, line: str) -> None:
        for form, function in COMMANDS.items():
            if (words := matched(form, line)) is not None:
                function(self, *words)
                return
        raise ScenarioError("nobody understands this")

    # Time.

    def _pass(self, seconds: float) -> None:
        self.house.run_until(self.house.now + seconds)

    @_command("SECONDS seconds? passe?s?")
    def passes(self, seconds: str) -> None:
        self._waited = True
        self._pass(float(seconds))

    @_command("wait until TEXT")
    def wait_until(self, text: str) -> None:
        self._waited = True
        house, told = self.house, len(self._told)
        house.run_until(house.now + _LONGEST_WAIT, lambda: self._is_told(text, told))
        house.flush()
        if not self._is_told(text, told):
            raise ScenarioError(f"not within {_LONGEST_WAIT:.0f} s")

    def _is_told(self, text: str, since: int) -> bool:
        about = [sentence for _, sentence in self._told[since:]]
        return any(text in sentence for sentence in (*about, self.house.unfinished))

    # Servers.

    @_command("SERVERS starts?")
    def start(self, servers: str) -> None:
        for name in _names(servers):
            self.house.start(name)

    @_command("SERVER starts with another file")
    def start_otherwise(self, name: str) -> None:
        self.house.files[name], _ = _cluster(self._below, "its file", 1)
        self._below = []
        self.house.start(name)

    @_command("SERVERS dies?")
    def die(self, servers: str) -> None:
        for name in _names(servers):
            self.house.kill(name)

    @_command("SERVER stands still for SECONDS seconds")
    def stand_still(self, name: str, seconds: str) -> None:
        self.house.stand_still(name, float(seconds))

    @_command("SERVERS loses? PROVIDER")
    def lose(self, servers: str, provider: str) -> None:
        for name in _names(servers):
            self.house.link(name, False, provider)

    @_command("SERVERS reache?s? PROVIDER again")
    def reach(self, servers: str, provider: str) -> None:
        for name in _names(servers):
            self.house.link(name, True, provider)

    @_command("SERVERS loses? the NTH call manager")
    def lose_node(self, servers: str, nth: str) -> None:
        for name in _names(servers):
            self.house.reach(name, _NTH.index(nth), False)

    @_command("SERVERS reache?s? the NTH call manager again")
    def reach_node(self, servers: str, nth: str) -> None:
        for name in _names(servers):
            self.house.reach(name, _NTH.index(nth), True)

    @_command("the NTH call manager dies")
    def node_dies(self, nth: str) -> None:
        self.house.call_manager(_NTH.index(nth), False)

    @_command("the NTH call manager is back")
    def node_is_back(self, nth: str) -> None:
        self.house.call_manager(_NTH.index(nth), True)

    @_command("callers are at the NTH call manager")
    def callers_at(self, nth: str) -> None:
        self.house.callers_at = _NTH.index(nth)

    @_command("SERVER cannot read the store")
    def cannot_read(self, name: str) -> None:
        self.house.processes[name].reads = False

    @_command("SERVER cannot write the store")
    def cannot_write(self, name: str) -> None:
        self.house.processes[name].writes = False

    @_command("SERVER does not reach the store")
    def not_reach(self, name: str) -> None:
        self.cannot_read(name)
        self.cannot_write(name)

    @_command("SERVER has the store again")
    def has_store(self, name: str) -> None:
        self.house.heal_store(name)

    @_command("SERVER does not hear whether its next step commits")
    def not_hear(self, name: str) -> None:
        self.house.loses_answers.add(name)

    # The call manager and its callers.

    @_command("the call manager refuses NUMBER: TEXT")
    def refuse(self, number: str, why: str) -> None:
        self.house.refused[self.house.identity(number)] = why

    @_command("the call manager takes NUMBER again")
    def take(self, number: str) -> None:
        del self.house.refused[self.house.identity(number)]

    @_command("a caller dials NUMBER")
    def dial(self, number: str) -> None:
        self.house.dial(number)

    @_command("the caller on NUMBER hangs up")
    def hang_up(self, number: str) -> None:
        self.house.hang_up(number)

    @_command("the caller on NUMBER is handed on to NUMBER")
    def hand_on(self, number: str, phone: str) -> None:
        self.house.hang_up(number)
        self.house.handed_on.append(phone)

    # The operator.

    @_command("the operator stops SERVERS")
    def stop(self, servers: str) -> None:
        self._order(Command.STOP, servers)

    @_command("the operator stops SERVERS without a stand-in")
    def stop_alone(self, servers: str) -> None:
        self._order(Command.STOP_ALONE, servers)

    @_command("the operator drains SERVERS within SECONDS seconds")
    def drain(self, servers: str, seconds: str) -> None:
        names = _names(servers)
        order = intents(self.house.cluster, Command.DRAIN, names, deadline=int(seconds))
        self.house.submit(order)
        self._ask(Command.DRAIN, names)

    @_command("the operator moves SERVER to SERVER")
    def move(self, home: str, to: str) -> None:
        order = moving(self.house.cluster, home, None if to == home else to)
        self.house.order(f"moves to {to}", home, order, None)

    @_command("the operator moves SERVER to SERVER, where calls have SECONDS seconds")
    def move_within(self, home: str, to: str, seconds: str) -> None:
        order = moving(self.house.cluster, home, to, deadline=int(seconds))
        self.house.order(f"moves to {to}", home, order, float(seconds))

    @_command("the operator orders SERVER home")
    def order_home(self, home: str) -> None:
        self.order_home_within(home, "0")

    @_command("the operator orders SERVER home, where calls have SECONDS seconds")
    def order_home_within(self, home: str, seconds: str) -> None:
        house, snapshot = self.house, self.house.snapshot()
        if why := unreturnable(house.cluster, snapshot, home):
            house.say(f"the operator reads: {why}")
            return
        order = returning(house.cluster, snapshot, home, deadline=int(seconds))
        house.order("shall return", home, order, float(seconds))
        self._asked.append((returned, home))

    @_command("the operator orders SERVER home no more")
    def order_home_no_more(self, home: str) -> None:
        self.house.order(
            "shall not return", home, Transaction((), (Delete(keys.returning(home)),)), None
        )

    @_command("the operator holds SERVER")
    def hold(self, home: str) -> None:
        self.house.order("is held", home, keeping_away(self.house.cluster, home), None)
        self._asked.append((lambda page, _: kept_away(page), home))

    @_command("the operator holds SERVER no more")
    def hold_no_more(self, home: str) -> None:
        order = keeping_away(self.house.cluster, home, keep=False)
        self.house.order("is held no more", home, order, None)
        self._asked.append((functools.partial(answer, Command.START), home))

    @_command("the operator starts SERVERS")
    def start_again(self, servers: str) -> None:
        self._order(Command.START, servers)

    @_command("the operator imports")
    def import_(self) -> None:
        new, _ = _cluster(self._below, "the file", 1)
        self._below = []
        proposal = self.house.save(new)
        for error in proposal.effect.refused:
            self.house.say(f"the operator reads: refused: {error}")
        for sentence in proposal.effect.told if proposal.transaction is not None else ():
            self.house.say(f"the operator reads: {sentence}")

    def _order(self, command: Command, servers: str) -> None:
        names = _names(servers)
        self.house.submit(intents(self.house.cluster, command, names))
        self._ask(command, names)

    def _ask(self, command: Command, names: list[str]) -> None:
        self._asked += [(functools.partial(answer, command), name) for name in names]

    @_command("status")
    def status(self) -> None:
        self._waited = True
        for page in self.house.pages():
            self.house.say("\n".join(_page(page)))

    @_command("calls")
    def calls(self) -> None:
        self._waited = True
        for sentence in self.house.talking() or ["nobody talks"]:
            self.house.say(sentence)


def _page(page: ServerStatus) -> list[str]:
    """A server's page; of its numbers only what is not at home, not up, or in a call."""
    lines = [f"{page.name}: {page.state}"]
    at: dict[str, list[str]] = {}
    for each in page.resources:
        if each.up and each.holder != page.name:
            at.setdefault(f"at {each.holder}", []).append(each.identity.number)
        elif each.up and each.why:
            at.setdefault(each.why, []).append(each.identity.number)
        elif not each.up:
            at.setdefault(f"down: {each.why}", []).append(each.identity.number)
        if each.busy:
            at.setdefault("in a call", []).append(each.identity.number)
    lines += [f"  {', '.join(numbers)} {where}" for where, numbers in at.items()]
    return lines + [f"  {note}" for note in page.notes]
