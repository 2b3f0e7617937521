"""Which legs are one call: neither SCCP nor CTI says that, so it is concluded.

Two legs belong to one call when one sends its sound to where the other receives, or when they show
the same parties within two seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from pa_telephony.cli.capture import Frame
from pa_telephony.printable import printable
from pa_telephony.sccp import messages as sccp
from pa_telephony.sccp.enums import DCallState

__all__ = ["Address", "Call", "Leg", "Legs", "Session"]

Address: TypeAlias = tuple[str, int]
Session: TypeAlias = tuple[Address, Address]
"""The address of the client, then that of the server."""
Leg: TypeAlias = tuple[str, int]
"""The server's IP address and its number of the leg: SCCP's call reference, CTI's leg id.

Taken as one series of numbers: so it is with our call manager; guessed for CUCM.
"""

_SAME_CALL_WITHIN = 2.0


@dataclass(frozen=True, slots=True)
class Call:
    """Legs that belong together; numbered from 1 in the order in which calls begin."""

    number: int
    title: str
    references: tuple[int, ...]
    start: float
    end: float


class Legs:
    """The legs of a capture and the calls they make (a union-find over legs)."""

    def __init__(self) -> None:
        self._parent: dict[Leg, Leg] = {}
        self._times: dict[Leg, tuple[float, float]] = {}
        self._titles: dict[Leg, str] = {}
        self._parties: dict[tuple[str, str, str], tuple[float, Leg]] = {}
        self._of_party: dict[tuple[Session, int], Leg] = {}
        self._receivers: dict[Address, Leg] = {}
        self._pressed: dict[Session, Leg] = {}
        self._asked: dict[tuple[Session, int], Leg] = {}
        self._unborn = 0

    def leg(self, frame: Frame, session: Session) -> Leg | None:
        """The leg that a message is about, None for none."""
        message = frame.message
        reference = getattr(message, "call_reference", 0) or getattr(message, "call_leg_id", 0)
        party = getattr(message, "pass_through_party_id", 0)
        sequence = getattr(message, "sequence_number", 0)
        leg: Leg | None = (session[1][0], reference) if reference else None
        if leg is None and party:
            leg = self._of_party.get((session, party))
        if leg is None and sequence:
            # Responses of CTI name the request that they answer, not the leg.
            leg = self._asked.pop((session, sequence), None)
        if leg is None and isinstance(message, sccp.OffHook | sccp.EnblocCall | sccp.SoftKeyEvent):
            # A key that begins a call: the call manager's next message gives it its reference.
            self._unborn -= 1
            leg = self._pressed[session] = (session[1][0], self._unborn)
        if leg is None:
            return None
        if party:
            self._of_party[session, party] = leg
        if reference and sequence:
            self._asked[session, sequence] = leg
        self._seen(leg, frame.time)
        if reference and isinstance(message, sccp.CallState) and session in self._pressed:
            self.join(leg, self._pressed.pop(session))
        self._tell(leg, frame)
        return leg

    def _seen(self, leg: Leg, time: float) -> None:
        self._parent.setdefault(leg, leg)
        first, last = self._times.get(leg, (time, time))
        self._times[leg] = min(first, time), max(last, time)

    def _tell(self, leg: Leg, frame: Frame) -> None:
        match frame.message:
            case sccp.OpenReceiveChannelAck():
                address = (frame.message.ip_addr, frame.message.port_number)
                self._receivers[address] = leg
            case sccp.StartMediaTransmission():
                remote = (frame.message.remote_ip_addr, frame.message.remote_port_number)
                if remote in self._receivers:
                    self.join(leg, self._receivers[remote])
            case sccp.CallState(call_state=DCallState.ON_HOOK):
                self._over(leg)
            case _:
                calling = getattr(frame.message, "calling_party", "")
                called = getattr(frame.message, "called_party", "")
                if calling and called:
                    self._shows(leg, frame.time, str(calling), str(called))

    def _shows(self, leg: Leg, time: float, calling: str, called: str) -> None:
        self._titles.setdefault(leg, printable(f"{calling} → {called}"))
        parties = (leg[0], calling, called)
        if parties in self._parties:
            shown_at, other = self._parties[parties]
            if time - shown_at <= _SAME_CALL_WITHIN:
                self.join(leg, other)
        self._parties[parties] = (time, leg)

    def _over(self, leg: Leg) -> None:
        """Forget the parties and ports of a leg that is over: what comes next is another call."""
        root = self._root(leg)
        self._parties = {k: v for k, v in self._parties.items() if self._root(v[1]) != root}
        self._receivers = {k: v for k, v in self._receivers.items() if v != leg}

    def _root(self, leg: Leg) -> Leg:
        while (parent := self._parent.setdefault(leg, leg)) != leg:
            self._parent[leg] = self._parent[parent]
            leg = parent
        return leg

    def join(self, one: Leg, other: Leg) -> None:
        """Make the calls of two legs one call."""
        self._parent[self._root(one)] = self._root(other)

    def numbered(self) -> tuple[dict[Leg, int], list[Call]]:
        """The number of each leg's call, and the calls, numbered from 1."""
        groups: dict[Leg, list[Leg]] = {}
        for leg in sorted(self._times, key=lambda leg: self._times[leg]):
            groups.setdefault(self._root(leg), []).append(leg)
        numbers: dict[Leg, int] = {}
        calls: list[Call] = []
        for legs in groups.values():
            references = tuple(sorted({number for _, number in legs if number > 0}))
            if not references:
                continue
            title = next(
                (self._titles[leg] for leg in legs if leg in self._titles), "a call without parties"
            )
            calls.append(
                Call(
                    len(calls) + 1,
                    title,
                    references,
                    min(self._times[leg][0] for leg in legs),
                    max(self._times[leg][1] for leg in legs),
                )
            )
            numbers |= dict.fromkeys(legs, len(calls))
        return numbers, calls
