"""Conferences: three parties or more hear each other, mixed by the media resource.

The party that joins them is a member like the others. When two members are left they are an
ordinary call again, unless only the mix can translate between their codecs; when one is left the
call is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pa_telephony.callmanager.calls.model import Action, Leg, LegState, Mix, Party, Reason
from pa_telephony.q850 import Cause

if TYPE_CHECKING:
    from pa_telephony.callmanager.calls.legs import Exchange

__all__ = ["Conference", "drop", "join"]

_SHOWN = Party("", "Conference")
_TALKING = (LegState.CONNECTED, LegState.HELD)


class Conference(Mix):
    """The members of a conference, in the order of joining.

    ``controller`` is the leg that made it, None once that one has left.
    """

    def __init__(self, exchange: Exchange, controller: Leg) -> None:
        self.id = controller.call_id
        self._exchange = exchange
        self.members: list[Leg] = []
        self.controller: Leg | None = controller

    def leave(self, leg: Leg) -> None:
        """Remove a member; the last two become an ordinary call if they have a common codec."""
        exchange = self._exchange
        leg.conference = None
        self.members.remove(leg)
        for watcher in exchange.watchers:
            watcher.party_left(leg, tuple(self.members), self.controller)
        if leg is self.controller:
            self.controller = None
        if len(self.members) > 2 or (
            len(self.members) == 2 and not exchange.media.compatible(*self.members)
        ):
            return
        rest, self.members = self.members, []
        for each in rest:
            each.conference = None
        if len(rest) == 1 or rest[0].device == rest[1].device:
            for each in rest:
                exchange.clear(each)
            return
        one, other = rest
        exchange.name_other(one, other.party)
        exchange.name_other(other, one.party)
        exchange.connect(one, other)

    def replace(self, old: Leg, new: Leg) -> None:
        """Put another device of the same shared line in a member's place."""
        self.members[self.members.index(old)] = new
        old.conference, new.conference = None, self
        if self.controller is old:
            self.controller = new


def join(exchange: Exchange, legs: Sequence[Leg]) -> Mix:
    """Put the other parties of ``legs``, two or more of one device, into one conference.

    The first leg stays as the device's own; the others end. The call of the first survives.
    """
    first = legs[0]
    for leg in legs:
        exchange.require(leg, Action.CONFERENCE)
        peer = leg.peer
        if leg.device != first.device or (
            leg.conference is None and (peer is None or peer.state not in _TALKING)
        ):
            raise exchange.refusal(Cause.FACILITY_REJECTED, "a party has not answered")
    conference = first.conference or Conference(exchange, first)
    coming = [each for leg in legs for each in _others(leg) if each not in conference.members]
    size = len({*conference.members, first, *coming})
    own = any(each in legs for leg in legs for each in _others(leg))
    if len(legs) < 2 or len(set(legs)) < len(legs) or size < 3 or own:
        raise exchange.refusal(Cause.FACILITY_REJECTED, "nobody to join")
    if size > exchange.config.max_conference:
        raise exchange.refusal(Cause.FACILITY_REJECTED, "too many parties")
    if not exchange.media.has_room(size):
        raise exchange.refusal(Cause.RESOURCE_UNAVAILABLE, "no conference bridge")
    gone = tuple(dict.fromkeys(leg.call_id for leg in legs[1:]))
    for watcher in exchange.watchers:
        watcher.calls_joined(Reason.CONFERENCE, first, conference.id, gone)
    if first not in conference.members:
        conference.members.append(first)
    for leg in legs:
        exchange.part(leg)
        leg.conference, leg.consult_of = None, None
    for each in coming:
        each.call_id = conference.id
        each.reason = Reason.CONFERENCE
        conference.members.append(each)
    for each in conference.members:
        each.conference = conference
        exchange.name_other(each, _SHOWN)
    for leg in legs[1:]:
        leg.reason = Reason.CONFERENCE
        exchange.clear(leg)
    exchange.make_way(first.appearance, first)
    for each in conference.members:
        if each is first:
            exchange.set(each, LegState.CONNECTED)
        else:
            exchange.show(each)
    for watcher in exchange.watchers:
        watcher.calls_were_joined(Reason.CONFERENCE, first)
    return conference


def drop(exchange: Exchange, leg: Leg, member: Leg | None = None) -> None:
    """Remove a member (by default the last that joined); only the controller may."""
    exchange.require(leg, Action.DROP)
    conference = leg.conference
    if conference is None or conference.controller is not leg:
        raise exchange.refusal(Cause.FACILITY_REJECTED, "not the controller of a conference")
    others = [each for each in conference.members if each is not leg]
    if member is None:
        member = others[-1]
    elif member not in others:
        raise exchange.refusal(Cause.FACILITY_REJECTED, "not a member of the conference")
    exchange.end(member, Cause.NORMAL)


def _others(leg: Leg) -> list[Leg]:
    if leg.conference is not None:
        return [each for each in leg.conference.members if each is not leg]
    return [leg.peer] if leg.peer is not None else []
