"""Parked calls: a number where a party waits until it is dialled, or the time is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pa_telephony.callmanager.calls.model import Action, Appearance, Leg, Parked, Party, Reason
from pa_telephony.callmanager.calls.routing import Route
from pa_telephony.digits import Pattern
from pa_telephony.q850 import Cause

if TYPE_CHECKING:
    from pa_telephony.callmanager.calls.legs import Exchange

__all__ = ["ParkedCall", "Parking"]


@dataclass(eq=False, slots=True)
class ParkedCall(Parked):
    """A party that waits at ``number``; ``by`` parked it and gets it back at ``deadline``."""

    number: str
    leg: Leg
    by: Appearance
    deadline: float
    parking: Parking

    def forget(self, reason: Reason = Reason.DIRECT) -> None:
        """Free the number: the party waits there no more."""
        self.parking.forget(self, reason)

    def move_to(self, leg: Leg) -> None:
        """Let the party wait at another device of its shared line."""
        self.leg.parking, leg.parking = None, self
        self.leg = leg


class Parking:
    """The park numbers of a configuration, and the parties that wait there."""

    def __init__(self, exchange: Exchange) -> None:
        self.parked: dict[str, ParkedCall] = {}
        self._exchange = exchange
        self._ranges = [Pattern.parse(each) for each in exchange.config.park_numbers]

    def park(self, leg: Leg, number: str = "") -> ParkedCall:
        """Let the other party of ``leg`` wait at ``number``, or at the first free one.

        The leg ends. Raises :class:`RequestFailed` when no number is free, or the call cannot be
        parked.
        """
        exchange = self._exchange
        exchange.require(leg, Action.PARK)
        peer = leg.peer
        if peer is None or leg.conference is not None:
            raise exchange.refusal(Cause.FACILITY_REJECTED, "only an ordinary call can be parked")
        if number and not any(each.matches(number) for each in self._ranges):
            raise exchange.refusal(Cause.UNALLOCATED_NUMBER, f"{number} is no park number")
        place = number or self._free()
        if not place or place in self.parked:
            raise exchange.refusal(Cause.FACILITY_REJECTED, "no park number available")
        deadline = exchange.now() + exchange.config.timing.park_reversion
        parked = self.parked[place] = ParkedCall(place, peer, leg.appearance, deadline, self)
        exchange.part(leg)
        leg.reason = peer.reason = Reason.PARK
        exchange.clear(leg)
        peer.parking = parked
        exchange.name_other(peer, Party(place, "Park"))
        exchange.show(peer)
        for watcher in exchange.watchers:
            watcher.call_parked(parked)
        return parked

    def _free(self) -> str:
        return next(
            (
                number
                for pattern in self._ranges
                for number in pattern.numbers()
                if number not in self.parked
            ),
            "",
        )

    def retrieve(self, leg: Leg, number: str) -> None:
        """Connect ``leg``, which dialled ``number``, to the party that waits there."""
        parked = self.parked.get(number)
        if parked is None:
            self._exchange.fail(leg, Cause.UNALLOCATED_NUMBER)
            return
        other = parked.leg
        if not self._exchange.media.compatible(leg, other):
            self._exchange.fail(leg, Cause.INCOMPATIBLE)
            return
        self.forget(parked, Reason.UNPARK)
        leg.reason = other.reason = Reason.UNPARK
        self._exchange.name_other(leg, other.party)
        self._exchange.name_other(other, leg.party)
        self._exchange.connect(leg, other)

    def forget(self, parked: Parked, reason: Reason) -> None:
        """Free the number of a parked call, and tell the watchers."""
        if self.parked.get(parked.number) is parked:
            del self.parked[parked.number]
            parked.leg.parking = None
            for watcher in self._exchange.watchers:
                watcher.call_unparked(parked, reason)

    def next_deadline(self) -> float | None:
        """When the next parked party has waited for too long; None when none waits."""
        return min((each.deadline for each in self.parked.values()), default=None)

    def handle_deadline(self, now: float) -> list[Exception]:
        """Offer parties that have waited for too long to the line that parked them, if it is free.

        Gives the errors that :meth:`Exchange.contain` has contained.
        """
        exchange = self._exchange
        errors: list[Exception] = []
        for parked in list(self.parked.values()):
            by = parked.by
            if now < parked.deadline:
                continue
            if by.device not in exchange.sides or exchange.router.is_busy(by):
                parked.deadline = now + exchange.config.timing.park_reversion
            else:
                errors += exchange.contain(parked.leg, self._give_back)
        return errors

    def _give_back(self, leg: Leg) -> None:
        parked, exchange = leg.parking, self._exchange
        if parked is None:
            # The reversion of another parked call has ended this call.
            return
        by = parked.by
        self.forget(parked, Reason.PARK_REVERSION)
        route = Route(
            number=by.line.number,
            appearances=(by,),
            target=by.line,
            redirecting=Party(parked.number, "Park"),
            hops=leg.hops,
        )
        # Else Cisco's client keeps the connection of the park number (observed).
        leg.reason = Reason.PARK_REVERSION
        exchange.offer(leg, route, reason=Reason.PARK_REVERSION)
