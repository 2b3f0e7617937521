"""Dialling: digits, one by one or all at once, and what is done with the whole number."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pa_telephony.callmanager.calls import pickup
from pa_telephony.callmanager.calls.model import Action, Forward, Leg, LegState, Line, Party
from pa_telephony.callmanager.calls.routing import ParkNumbers, PickupGroup
from pa_telephony.errors import RequestFailed
from pa_telephony.q850 import Cause

if TYPE_CHECKING:
    from pa_telephony.callmanager.calls.legs import Exchange
    from pa_telephony.callmanager.calls.parking import Parking

__all__ = ["Dialling"]

_LONGEST_NUMBER = 24


class Dialling:
    """Collects the digits that are dialled at legs.

    ``set_forward`` is given the number dialled at a leg that collects a forward.
    """

    def __init__(
        self,
        exchange: Exchange,
        parking: Parking,
        set_forward: Callable[[Line, Forward, str], None],
    ) -> None:
        self._exchange = exchange
        self._parking = parking
        self._set_forward = set_forward

    def number(self, leg: Leg, digits: str) -> None:
        """Dial a whole number at once, even if a shorter number begins it; ``#`` may end it."""
        if len(digits) > 1 and self._ends(leg, digits[:-1], digits[-1]):
            digits = digits[:-1]
        if len(digits) > _LONGEST_NUMBER:
            self._exchange.fail(leg, Cause.UNALLOCATED_NUMBER)
        elif digits:
            leg.digits = digits
            if leg.state is LegState.DIAL_TONE:
                self._exchange.set(leg, LegState.DIALLING)
            self.done(leg)

    def digit(self, leg: Leg, digit: str) -> None:
        """Dial one more digit; the number is whole when none could follow, or after ``#``."""
        if leg.digits and self._ends(leg, leg.digits, digit):
            self.done(leg)
            return
        if len(leg.digits) >= _LONGEST_NUMBER:
            self._exchange.fail(leg, Cause.UNALLOCATED_NUMBER)
            return
        leg.digits += digit
        self._wait(leg)
        if leg.state is LegState.DIAL_TONE:
            self._exchange.set(leg, LegState.DIALLING)
        if not self._exchange.router.find(leg.digits, _space(leg)).more:
            self.done(leg)

    def _ends(self, leg: Leg, digits: str, digit: str) -> bool:
        """Whether a digit behind others ends the number: a ``#`` that belongs to none."""
        if digit != "#":
            return False
        found = self._exchange.router.find(digits + digit, _space(leg))
        return found.target is None and not found.more

    def erase(self, leg: Leg) -> None:
        """Take back the digit dialled last."""
        self._exchange.require(leg, Action.ERASE)
        leg.digits = leg.digits[:-1]
        self._wait(leg)

    def done(self, leg: Leg) -> None:
        """Call the number that is now whole, or do what it stands for."""
        exchange = self._exchange
        leg.deadline = None
        if leg.collects is not None:
            self._collected(leg, leg.collects)
            return
        leg.called = leg.original_called = Party(leg.digits)
        exchange.set(leg, LegState.PROCEEDING)
        space = leg.appearance.config.search_space
        route = exchange.router.route(leg.digits, space, caller=leg.appearance)
        if route.cause is not Cause.NORMAL:
            exchange.fail(leg, route.cause)
        elif isinstance(route.target, ParkNumbers):
            self._parking.retrieve(leg, route.number)
        elif isinstance(route.target, PickupGroup):
            pickup.pick_up(exchange, leg, route.target.number)
        else:
            exchange.offer(leg, route)

    def _collected(self, leg: Leg, kind: Forward) -> None:
        number, leg.collects = leg.digits, None
        try:
            self._set_forward(leg.line, kind, number)
        except RequestFailed as failed:
            self._exchange.fail(leg, Cause(failed.code))
        else:
            self._exchange.clear(leg)

    def _wait(self, leg: Leg) -> None:
        leg.deadline = self._exchange.now() + self._exchange.config.timing.between_digits


def _space(leg: Leg) -> str:
    """The search space in which what is dialled at a leg will be looked up."""
    return (
        leg.appearance.config.search_space
        if leg.collects is None
        else leg.line.forward_search_space
    )
