"""What goes wrong, to whom, from when to when: the faults do it, the judge reads it as excuses."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from dataclasses import dataclass

import trio

from pa_telephony.failover import Command
from whole.clusters import CALL_MANAGER
from whole.house import House
from whole.store import Weather

__all__ = ["CALL_MANAGER_ITSELF", "Spell", "Trouble"]

CALL_MANAGER_ITSELF = "call manager"


@dataclass
class Spell:
    """Something that is wrong with ``who`` for a time."""

    who: str
    what: str
    begun: float
    ended: float = float("inf")

    @property
    def deadly(self) -> bool:
        """Whether it ends the process."""
        return self.what in ("kill", "no power")

    @property
    def drains(self) -> bool:
        """Whether it is an order that lets calls end by themselves."""
        return self.what == "operator says drain"


class Trouble:
    """Every fault by its name. What lasts is ended by :meth:`end_all` at the latest."""

    def __init__(self, house: House) -> None:
        self.spells: list[Spell] = []
        self._house = house
        self._ends: list[tuple[Spell, Callable[[], None]]] = []
        self._scopes: list[trio.CancelScope] = []

    def since(self, when: float, *who: str) -> list[Spell]:
        """What was wrong with any of ``who`` (with anybody when none is named) after ``when``."""
        return [
            spell for spell in self.spells if spell.ended >= when and (not who or spell.who in who)
        ]

    def strike(self, who: str, what: str) -> None:
        """Something that is over at once."""
        now = trio.current_time()
        self._house.note(f"fault: {what} ({who})")
        self.spells.append(Spell(who, what, now, now))

    async def last(self, who: str, what: str, seconds: float, end: Callable[[], None]) -> None:
        """It has begun; call ``end`` after ``seconds``, or when all faults end."""
        spell = Spell(who, what, trio.current_time())
        self.spells.append(spell)
        self._house.note(f"fault: {what} for {seconds:.1f} s ({who})")
        with trio.CancelScope() as scope:
            self._scopes.append(scope)
            try:
                await trio.sleep(seconds)
            finally:
                spell.ended = trio.current_time()
                self._house.note(f"over: {what} ({who})")
                end()

    def end_all(self) -> None:
        """What still lasts ends now."""
        for scope in self._scopes:
            scope.cancel()

    # Processes.

    def kill(self, name: str, *, silently: bool = False) -> None:
        """Kill a server, which is gone until it is started again."""
        if self._house.runs(name):
            self.strike(name, "no power" if silently else "kill")
            self._house.kill(name, silently=silently)

    async def pause(self, name: str, seconds: float) -> None:
        """Pause a server, as SIGSTOP and later SIGCONT do."""
        process = self._house.running.get(name)
        if process is not None and process.runs:
            process.stop()
            await self.last(name, "stopped", seconds, process.go_on)

    async def pause_call_manager(self, seconds: float) -> None:
        """The call manager does nothing; its machine still takes connections."""
        process = self._house.call_manager
        if process is not None and process.runs:
            process.stop()
            await self.last(CALL_MANAGER_ITSELF, "stopped", seconds, process.go_on)

    async def no_call_manager(self, seconds: float) -> None:
        """It is killed, and started later."""
        if self._house.manager is not None:
            self._house.kill_call_manager()
            await self.last(CALL_MANAGER_ITSELF, "down", seconds, self._house.start_call_manager)

    # The operator.

    def command(self, command: Command, *names: str) -> None:
        """An operator gives a command."""
        house = self._house
        for name in names or house.names:
            if command is Command.START:
                for spell in self.spells:
                    if spell.who == name and spell.what.startswith("operator"):
                        spell.ended = min(spell.ended, trio.current_time())
            else:
                what = f"operator says {command.value}"
                self.spells.append(Spell(name, what, trio.current_time()))
        house.command(command, *names)

    async def stopped_by_operator(self, command: Command, seconds: float, *names: str) -> None:
        """An operator gives a command that stops servers (all without names), and Start later."""
        self.command(command, *names)
        with trio.CancelScope() as scope:
            self._scopes.append(scope)
            await trio.sleep(seconds)
        self.command(Command.START, *names)

    # Links.

    async def slow_call_manager(self, delay: float, seconds: float) -> None:
        """Every answer of the call manager comes later."""
        network = self._house.network
        network.slow[CALL_MANAGER] = delay

        def end() -> None:
            network.slow.pop(CALL_MANAGER, None)

        await self.last(CALL_MANAGER_ITSELF, f"slow by {delay} s", seconds, end)

    async def cut(
        self, name: str, seconds: float, *, to: bool = True, back: bool = True, service: int = 0
    ) -> None:
        """Nothing passes between a server and the call manager, in one direction or both."""
        network, address = self._house.network, self._house.address[name]
        ways = [(address, CALL_MANAGER)] * to + [(CALL_MANAGER, address)] * back
        for way in ways:
            network.cut(*way, service)

        def end() -> None:
            for way in ways:
                network.heal(*way, service)

        arrow = {(True, True): "<->", (True, False): "->", (False, True): "<-"}[to, back]
        port = f" port {service}" if service else ""
        await self.last(name, f"cut {arrow} call manager{port}", seconds, end)

    def reset(self, name: str, service: int = 0) -> None:
        """Every connection with the call manager breaks."""
        self.strike(name, "connections reset")
        self._house.network.reset(self._house.address[name], CALL_MANAGER, service)

    async def refuse(self, name: str, service: int, seconds: float) -> None:
        """A firewall ends a server's connections to one port of the call manager, new ones too."""
        network, address = self._house.network, self._house.address[name]
        network.refused.add((address, service))
        network.reset(address, CALL_MANAGER, service)
        await self.last(
            name,
            f"port {service} refused",
            seconds,
            lambda: network.refused.discard((address, service)),
        )

    # The store.

    async def store(self, name: str, what: str, seconds: float, **weather: object) -> None:
        """The store is as ``weather`` says for one server."""
        client = self._house.clients.get(name)
        if client is None:
            return
        with _as(client.weather, **weather) as end:
            await self.last(name, f"store {what}", seconds, end)

    async def election(self, seconds: float) -> None:
        """The store has no leader for a while: nothing commits, nothing is read."""
        house = self._house
        house.store.elects_until = trio.current_time() + seconds
        for name in house.names:
            self.strike(name, "election")
        with trio.CancelScope() as scope:
            self._scopes.append(scope)
            await trio.sleep(seconds)
        house.store.elects_until = 0.0


@contextlib.contextmanager
def _as(weather: Weather, **fields: object) -> Generator[Callable[[], None]]:
    """Set ``fields`` until what is given is called."""
    usual = Weather()
    for key, value in fields.items():
        setattr(weather, key, value)

    def end() -> None:
        for key in fields:
            setattr(weather, key, getattr(usual, key))

    yield end
