"""Call pickup: answer at one line a call that rings at another of the group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pa_telephony.callmanager.calls.model import Leg, LegState, Reason
from pa_telephony.q850 import Cause

if TYPE_CHECKING:
    from pa_telephony.callmanager.calls.legs import Exchange

__all__ = ["pick_up", "ringing_in"]


def ringing_in(exchange: Exchange, group: str, device: str = "") -> Leg | None:
    """The call that has been ringing longest in a group, calls to or from ``device`` aside."""
    return next(
        (
            leg
            for leg in exchange.legs.values()
            if leg.state is LegState.OFFERED
            and leg.appearance.config.pickup_group == group
            and group
            and device not in (leg.device, leg.peer.device if leg.peer is not None else "")
        ),
        None,
    )


def pick_up(exchange: Exchange, leg: Leg, group: str) -> None:
    """Connect ``leg``, which is off hook, to the caller who rings in ``group``; or let it fail."""
    ringing = ringing_in(exchange, group, leg.device)
    if ringing is None or ringing.peer is None:
        exchange.fail(leg, Cause.FACILITY_REJECTED)
        return
    caller = ringing.peer
    if not exchange.media.compatible(leg, caller):
        exchange.fail(leg, Cause.INCOMPATIBLE)
        return
    ringing.reason = Reason.PICKUP
    called = ringing.called
    exchange.clear(ringing, Cause.NOT_SELECTED)
    leg.incoming = True
    leg.calling, leg.called, leg.original_called = caller.party, leg.party, called
    leg.last_redirecting = called
    leg.reason = caller.reason = Reason.PICKUP
    exchange.name_other(caller, leg.party)
    exchange.connect(leg, caller)
