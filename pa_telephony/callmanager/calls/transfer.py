"""Consultations, transfers and redirects: the other party goes on with a third one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pa_telephony.callmanager.calls.model import Action, Leg, LegState, Purpose, Reason, Shown
from pa_telephony.q850 import Cause

if TYPE_CHECKING:
    from pa_telephony.callmanager.calls.legs import Exchange

__all__ = ["consult", "consultation_of", "redirect", "transfer"]


def consult(exchange: Exchange, leg: Leg, purpose: Purpose, call_id: int | None = None) -> Leg:
    """Hold a call and take its line off hook for another, one beyond the line's ``max_calls``."""
    exchange.require(leg, Action.CONSULT)
    if consultation_of(exchange, leg) is not None:
        raise exchange.refusal(Cause.WRONG_STATE, "consulting already")
    full = exchange.calls_of(leg.appearance) > leg.appearance.config.max_calls
    if full or exchange.full:
        raise exchange.refusal(Cause.RESOURCE_UNAVAILABLE, "no room for a call")
    exchange.set(leg, LegState.HELD)
    return exchange.new_call(leg.appearance, call_id, consult_of=leg, purpose=purpose)


def consultation_of(exchange: Exchange, leg: Leg) -> Leg | None:
    """The consultation that was begun from a held leg."""
    return next((each for each in exchange.legs_of(leg.device) if each.consult_of is leg), None)


def transfer(exchange: Exchange, first: Leg, second: Leg) -> None:
    """Connect the other parties of two legs of one device, which ends both.

    ``second`` may still be ringing out. The call of ``first`` survives.
    """
    for leg in (first, second):
        exchange.require(leg, Action.TRANSFER)
    stays, target = first.peer, second.peer
    if (
        second in (first, stays)
        or first.device != second.device
        or first.state is LegState.RINGING_OUT
        or stays is None
        or target is None
        or stays.state is LegState.OFFERED
    ):
        raise exchange.refusal(Cause.FACILITY_REJECTED, "nobody to connect")
    ringing = target.state is LegState.OFFERED
    if not ringing and not exchange.media.compatible(stays, target):
        raise exchange.refusal(Cause.INCOMPATIBLE, "no common codec")
    for watcher in exchange.watchers:
        watcher.calls_joined(Reason.TRANSFER, first, first.call_id, (second.call_id,))
    rings = [each for each in target.appearances if each.state is LegState.OFFERED]
    exchange.part(first)
    exchange.part(second)
    for leg in (first, second):
        leg.reason, leg.consult_of = Reason.TRANSFER, None
    for leg in (first, second):
        exchange.clear(leg)
    for each in rings or [target]:
        each.call_id = stays.call_id
        exchange.name_other(each, stays.party)
        if each.incoming:
            each.last_redirecting = first.party
        each.reason = Reason.TRANSFER
    stays.reason = Reason.TRANSFER
    stays.hops = max(stays.hops, second.hops)
    stays.passed = second.passed
    exchange.name_other(stays, target.party)
    if ringing:
        exchange.pair(stays, target)
        exchange.wait(stays, rings=any(each.alerting for each in rings))
        for each in rings:
            exchange.show(each)
    else:
        exchange.connect(target, stays)
    for watcher in exchange.watchers:
        watcher.calls_were_joined(Reason.TRANSFER, first)


def redirect(
    exchange: Exchange,
    leg: Leg,
    number: str,
    space: str,
    shown: Shown,
    reason: Reason,
) -> None:
    """Send the other party to ``number`` and leave the call; a refusal changes nothing."""
    exchange.require(leg, Action.REDIRECT)
    caller = leg.peer
    if caller is None or caller.state is LegState.OFFERED:
        # One who is on hold may have been sent on to a phone that only rings yet.
        raise exchange.refusal(Cause.WRONG_STATE, "nobody to redirect")
    route = exchange.router.route(number, space, caller=caller.appearance, hops=caller.hops + 1)
    if route.cause is not Cause.NORMAL or not route.appearances:
        cause = route.cause if route.cause is not Cause.NORMAL else Cause.UNALLOCATED_NUMBER
        raise exchange.refusal(cause, number)
    leg.reason = reason
    exchange.clear(leg)
    # Cisco's client waits for both at the side that stays (observed).
    caller.reason, caller.last_redirecting = reason, leg.party
    exchange.send_on(caller, route, leg.party, reason, shown)
