"""The judge: what the call manager sees, call by call and device by device.

Nothing is asked of the servers but whom they would serve now; everything else is seen where the
callers are. Excuses are only what :mod:`whole.trouble` did, to the very server, for a stated time
after it was over.
"""

from __future__ import annotations

import math

import trio
from simulation import hands_over

from pa_telephony.failover import Identity, Kind
from pa_telephony.failover.registration import State
from pa_telephony.failover.world import World
from whole.callers import Call
from whole.house import House
from whole.trouble import CALL_MANAGER_ITSELF, Trouble

__all__ = ["Judge"]

_LOOK = 0.05
_SETTLES = 3.0
"""Seconds that a fault counts as an excuse after it is over."""
_TAKES_OVER = 10.0
"""Seconds without any trouble, after which every call must be answered."""
_CHANGES_HANDS = 0.5
"""Seconds that a route point may be with nobody while it goes home, where nobody lingers."""
_HANGS_UP = 0.5
"""Seconds that a port may be busy with a call whose caller has hung up."""


class Judge:
    """``violations`` should stay empty."""

    def __init__(self, house: House, trouble: Trouble) -> None:
        self.violations: list[str] = []
        self.excused: dict[str, int] = {}
        """Calls that were dropped, by what excuses it."""
        self._house, self._trouble = house, trouble
        self._reported: set[str] = set()
        self._world: World | None = None
        self._since: dict[tuple[str, object], float] = {}
        self._ended = 0
        """How many calls that were ended by order have been looked at."""
        self._port = {
            identity.number: identity for identity in house.devices if identity.kind is Kind.PORT
        }
        self._homes = {
            number: server.server_name
            for server in house.cluster.servers
            for number in (server.route_address, server.aa_route_address)
            if number
        }
        self._unserved: dict[str, float] = dict.fromkeys(house.names, 0.0)
        """When a home last had nobody who could serve it."""

    def violated(self, what: str) -> None:
        """Note that a promise is broken."""
        if what not in self._reported:
            self._reported.add(what)
            self.violations.append(f"{trio.current_time():.3f} {what}")
            self._house.note(f"VIOLATION {what}")

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await trio.sleep(_LOOK)
            self._look()

    def _look(self) -> None:
        house, now = self._house, trio.current_time()
        for home in house.names:
            if not self._could_be_served(home):
                self._unserved[home] = now
        for identity in house.devices:
            self._look_who_serves(identity)
            if house.manager is not None:
                self._look_at(identity, now)
        while house.bugs:
            self.violated(house.bugs.pop())
        self._look_at_ended()
        while house.callers.over:
            self._judge(house.callers.over.popleft())

    def _look_at_ended(self) -> None:
        """What a server has ended by order, an operator has ordered."""
        for at, label in self._house.ended[self._ended :]:
            home = label.partition("/")[0]
            if not self._house.limits.allow(home, at):
                self.violated(f"a call at {label} was ended at {at:.3f}, and nobody wants it")
        self._ended = len(self._house.ended)

    def _could_be_served(self, home: str) -> bool:
        house = self._house
        return house.manager is not None and any(
            name in house.running and house.running[name].runs
            for name in (home, *house.cluster.candidates(home))
        )

    def _look_who_serves(self, identity: Identity) -> None:
        serving = [
            name
            for name, server in self._house.servers.items()
            if self._house.running[name].runs
            and server._member.serves(identity, self._house.running[name].clock())
            and server._member.state(identity) is State.REGISTERED
            and not hands_over(server._member, identity)
        ]
        if len(serving) > 1:
            self.violated(f"{identity.label} is served by {' and '.join(sorted(serving))}")

    def _look_at(self, identity: Identity, now: float) -> None:
        """What the call manager has of it, and for how long that has been odd."""
        house = self._house
        holders = house.holders(identity)
        linger = house.cluster.timing.linger
        if house.has_ghost(identity):
            self._since.pop(("two", identity), None)
            self._since.pop(("strange", identity), None)
            return
        if self._lasts("two", identity, len(holders) > 1, now) > linger + 1.0:
            self._unless_troubled(holders, f"{identity.label} is with {' and '.join(holders)}")
        owner = None
        if holders:
            owner = self._owner(identity)
        strange = len(holders) == 1 and owner is not None and owner != holders[0]
        if self._lasts("strange", identity, strange, now) > linger + 3.0:
            self._unless_troubled(
                [*holders, str(owner)], f"{identity.label} is with {holders[0]}, of {owner}"
            )

    def _owner(self, identity: Identity) -> str | None:
        store = self._house.store
        if self._world is None or self._world.snapshot.revision != store.revision:
            self._world = World(self._house.cluster, store.snapshot())
        return self._world.owner(identity)

    def _lasts(self, what: str, identity: Identity, true: bool, now: float) -> float:
        """For how long it has been so; negative when it is not."""
        if not true:
            self._since.pop((what, identity), None)
            return -1.0
        return now - self._since.setdefault((what, identity), now)

    def _unless_troubled(self, names: list[str], what: str) -> None:
        everybody = (*names, CALL_MANAGER_ITSELF)
        if not self._trouble.since(trio.current_time() - _SETTLES, *everybody):
            self.violated(what)

    # Calls.

    def _judge(self, call: Call) -> None:
        assert call.ended is not None
        if call.result == "dropped":
            self._judge_dropped(call)
        elif call.result == "failed":
            self._judge_failed(call)

    def _judge_dropped(self, call: Call) -> None:
        assert call.ended is not None
        assert call.up is not None
        # Who answered may have lost its link before the answer arrived, and nobody has the call.
        who = (call.server,) if call.server else self._who_may_have(call)
        found = self._trouble.since(call.ended - _SETTLES, *who, CALL_MANAGER_ITSELF)
        # The call manager may learn only much later that the process is dead.
        found += [spell for spell in self._trouble.since(call.up, call.server) if spell.deadly]
        if not call.server:
            # Its answer was on its way, behind a cut perhaps, when the process died.
            found += [spell for spell in self._trouble.since(call.began) if spell.deadly]
        # An order to drain has an hour here, and until then it drops nothing.
        found = [spell for spell in found if not spell.drains]
        self._house.note(f"dropped: {call}")
        if self._was_ended(call):
            self.excused["as ordered"] = self.excused.get("as ordered", 0) + 1
        elif not found:
            self.violated(f"a call was dropped that {call.server} had: {call}")
        else:
            why = found[-1].what
            self.excused[why] = self.excused.get(why, 0) + 1

    def _was_ended(self, call: Call) -> bool:
        """Whether a server has just ended that very call because it was ordered."""
        port, up, ended = self._port.get(call.at), call.up, call.ended
        if port is None or up is None or ended is None:
            return False
        return any(
            label == port.label and up <= at <= ended <= at + _HANGS_UP
            for at, label in reversed(self._house.ended)
        )

    def _who_may_have(self, call: Call) -> tuple[str, ...]:
        home = self._home_of(call)
        return () if home is None else (home, *self._house.cluster.candidates(home))

    def _judge_failed(self, call: Call) -> None:
        assert call.ended is not None
        home = self._homes.get(call.number)
        quiet = call.began - _TAKES_OVER
        served = home is None or self._unserved[home] < quiet
        troubled = self._trouble.since(quiet)
        self._house.note(f"failed: {call}")
        if served and not (troubled or self.all_busy(call) or self._changed_hands(call)):
            self.violated(f"a caller was turned away: {call}")

    def _changed_hands(self, call: Call) -> bool:
        """Whether the route point went home just then, and its cluster leaves a gap there."""
        house = self._house
        return not house.cluster.timing.linger and any(
            call.began - _CHANGES_HANDS <= house.moved.get(identity.label, -math.inf)
            for identity in house.devices
            if identity.number == call.number
        )

    def all_busy(self, call: Call) -> bool:
        """Whether the home had at some time in the call no port left for it."""
        home = self._homes.get(call.number)
        if home is None:
            return False
        house = self._house
        ports = min(each.server(home).number_of_media_ports for each in house.configurations)
        up = [
            other
            for other in house.callers.calls
            if other is not call
            and other.up is not None
            and other.up <= (call.ended or math.inf)
            and (other.ended or math.inf) + _HANGS_UP >= call.began
        ]
        here = [each for each in up if self._home_of(each) == home]
        least = min(server.capacity for server in house.cluster.servers)
        return len(here) >= ports or len(up) >= least

    def _home_of(self, call: Call) -> str | None:
        port = self._port.get(call.at)
        return None if port is None else port.home
