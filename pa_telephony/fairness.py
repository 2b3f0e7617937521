"""Which connection is served next: the work of many, a round at a time. Pure.

What a peer asks for costs time to answer, and one thread answers all. So the work is done in rounds
of a few milliseconds, and before each all connections that wait are compared anew. The one that has
had the least is first (after start-time fair queueing: Goyal, Vin and Cheng, 1996): a peer that
asks now and then is served before those that ask without a pause, however many there are of them,
and these share what is left. Strangers (peers that have not registered or logged in) share a small
part of each round, and so do connections that are gone.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from weakref import WeakValueDictionary

__all__ = ["Account", "Fairness", "FairnessConfig"]

_USUAL = 4e-6
"""Seconds of work for each byte of a request, at least, when the length of a turn is guessed. A
keepalive has 12 bytes and takes 0.05 ms; the cost of others is not known before they are done."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FairnessConfig:
    """How long the work of a round may be, in seconds."""

    known: float = 0.004
    """The work for known peers, all together. Half of it goes to those that wait, so that the other
    half is there for those that become ready meanwhile."""
    strangers: float = 0.001
    """The work for strangers, all together."""
    gone: float = 0.001
    """The work for the ends of connections: others wait for their names, and they may be
    hundreds."""
    turn: float = 0.002
    """The work for one connection, before it is compared with the others again."""
    credit: float = 0.02
    """The work that a connection may have saved up while it was quiet: that much is done for it
    before it waits in line with those that never are. A call is some 2 ms of work."""
    quiet_after: float = 0.02
    """A known connection that asks for nothing for so long saves up from then on."""
    luck: float = 10.0
    """Within so many seconds one very long turn is not charged in full."""
    saved: float = 0.1
    """The work that a quiet connection saves up for each second."""
    oldest_every: int = 4
    """After so many rounds the connection that has waited longest is first. When there is more to
    do than time for it, one of hundreds would else wait for seconds, because the others have always
    had a little less."""


class _Queue:
    """The connections that share one part of a round, by the work that was done for them."""

    def __init__(self, part: float, released: float, credit: float) -> None:
        self.part = part
        self.released = released
        self.credit = credit
        self.spent = self.given = 0.0
        """Seconds of work in this round: done so far, and expected of those whose tickets were
        given."""
        self.promised = False
        """Whether the first of this round has still to come."""
        self.clock = 0.0
        """The work that was done for each connection that always wanted more."""
        self.waiting: list[tuple[float, int, Account, object]] = []
        self.line: deque[tuple[float, int, Account, object]] = deque()
        """The entries of the queue, in the order in which they came."""

    def starts_at(self, account: Account) -> float:
        return max(account.used, self.clock - self.credit)

    def ends_at(self, account: Account, longest: float) -> float:
        """The order of the line: among those that have had as little, the short turns are first.

        When thousands that were quiet begin to flood at once, all have their credit.
        """
        return self.starts_at(account) + min(account.needs, longest)


class _Share:
    """The work that was done for one connection, or for all strangers of one address."""

    __slots__ = ("__weakref__", "used")

    def __init__(self, used: float) -> None:
        self.used = used
        """The position on the clock of the queue, in seconds of work."""


class Account:
    """The account of one connection, made by :meth:`Fairness.account`."""

    __slots__ = ("asked", "forgiven", "fresh", "last", "promised", "queue", "rate", "share", "size")

    def __init__(self, queue: _Queue, share: _Share, now: float) -> None:
        self.queue = queue
        self.share = share
        self.size = 100
        """The size of what it asks for, in bytes."""
        self.promised = False
        """Whether its ticket was the first of a round: then it has its turn, whatever others
        take."""
        self.rate = self.last = 0.0
        """Seconds of work for each byte: the less of the last two turns, and the last."""
        self.fresh = False
        """Whether it became known in this turn."""
        self.forgiven = -inf
        """When one very long turn was last not charged in full."""
        self.asked = now
        """When it last asked for a turn, or ended one."""

    @property
    def used(self) -> float:
        """The work that was done for it, or for all that it shares with."""
        return self.share.used

    @property
    def needs(self) -> float:
        """The seconds that its next turn will probably take."""
        return max(self.rate, _USUAL) * self.size


class Fairness:
    """Tells which connections may go on, and which wait; ``now`` is any monotonic clock in seconds.

    A connection that wants to be served asks :meth:`may_go`; on False it waits with a ticket of its
    own (:meth:`wait`) until :meth:`next_round`, or :meth:`rest_of_round` when the first have had
    their turns, gives that ticket out, and then asks :meth:`may_go_on`, since the round may be over
    before it comes to do so. What was done is told by :meth:`done`. Rounds need to be begun only
    while a connection waits.

    Where there is no memory any of these may fail; a ticket that was taken in is given out all the
    same, by that round or the next.
    """

    def __init__(self, config: FairnessConfig | None = None) -> None:
        self.config = config or FairnessConfig()
        credit = self.config.credit
        self._known = _Queue(self.config.known, self.config.known / 2, credit)
        self._strangers = _Queue(self.config.strangers, self.config.strangers, credit)
        self._gone = _Queue(self.config.gone, self.config.gone, credit)
        self._queues = self._known, self._strangers, self._gone
        self._of: WeakValueDictionary[str, _Share] = WeakValueDictionary()
        """The shares of the networks from where strangers are there."""
        self._numbers = itertools.count()
        self._round = 0
        self._place: dict[object, int] = {}
        """The number in a queue of each ticket that was not given out; other entries are stale."""

    @property
    def somebody_waits(self) -> bool:
        """Whether there is a ticket that was not given out."""
        return bool(self._place)

    def account(self, now: float, network: str = "") -> Account:
        """The account of a stranger; it is one turn ahead of those that never stop.

        The strangers of one ``network`` share one account, or those that come back again and again
        would be as new as one that comes once; with "" a stranger has an account of its own.
        """
        share = self._of.get(network) if network else None
        if share is None:
            share = _Share(self._strangers.clock - self.config.turn)
            if network:
                self._of[network] = share
        return Account(self._strangers, share, now)

    def known(self, account: Account) -> None:
        """Move an account from the strangers to the known peers, where it begins anew.

        With all that one can save up, so that its first questions are answered before those that
        never stop, and others are not kept from a name whose connection waits for a turn.
        """
        if account.queue is not self._known:
            account.queue, account.fresh = self._known, True
            account.share = _Share(self._known.clock - self.config.credit)

    def last(self, account: Account) -> None:
        """Move the account of a connection that is gone: its end waits for other ends only."""
        account.queue = self._gone
        account.share = _Share(self._gone.clock)

    def may_go(self, account: Account, now: float, size: int = 0) -> bool:
        """Whether a connection may be served now: there is time left, and none is before it.

        It asks for ``size`` bytes to be answered; 0 is what is left of what it asked for before.
        """
        account.size = size or account.size
        quiet = now - account.asked - self.config.quiet_after
        account.asked = now
        if quiet > 0 and account.queue is not self._strangers:
            # Strangers save up nothing: of many that share, some are always quiet.
            account.share.used -= quiet * self.config.saved
        queue = account.queue
        if queue.promised or queue.spent >= queue.part:
            return False
        first = self._first(queue)
        return first is None or queue.ends_at(account, self.config.turn) < first[0]

    def may_go_on(self, account: Account) -> bool:
        """Whether a connection whose ticket was given out may be served: it has priority."""
        queue = account.queue
        if account.promised:
            account.promised = queue.promised = False
            return True
        return not queue.promised and queue.spent < queue.part

    def wait(self, account: Account, ticket: object) -> None:
        """Let a connection wait; ``ticket`` is a hashable object that is its own."""
        queue, number = account.queue, next(self._numbers)
        place = queue.ends_at(account, self.config.turn)
        entry = place, number, account, ticket
        if len(queue.line) > 2 * len(self._place) + 100:
            # Most have had their turn before the one that has waited longest.
            queue.line = deque(each for each in queue.line if self._place.get(each[3]) == each[1])
        heapq.heappush(queue.waiting, entry)
        queue.line.append(entry)
        # Last: a ticket that is known is in the queue, too, so that its turn comes.
        self._place[ticket] = number

    def leave(self, ticket: object) -> None:
        """Forget the ticket of a connection that waits no more."""
        self._place.pop(ticket, None)

    def done(self, account: Account, seconds: float, now: float) -> None:
        """Charge a turn that was ``seconds`` of work.

        One that took very long is charged with two turns now and then: it was bad luck (the garbage
        collector ran). Again within ``config.luck``, it costs all that was saved up: a request that
        takes so long cannot be answered in parts, as a call on a line that hundreds share.
        """
        account.asked = now
        if account.fresh:
            # The turn in which it became known was a stranger's.
            account.fresh = False
            self._strangers.spent += seconds
            return
        queue, charged = account.queue, min(seconds, self.config.credit + self.config.turn)
        if seconds > 2 * self.config.turn and now > account.forgiven + self.config.luck:
            account.forgiven, charged = now, 2 * self.config.turn
        start = queue.starts_at(account)
        account.share.used = start + charged
        rate = seconds / account.size
        account.rate, account.last = min(rate, account.last or rate), rate
        queue.spent += seconds
        queue.clock = max(queue.clock, start)

    def next_round(self, give: Callable[[object], None]) -> bool:
        """Begin a round: ``give`` out the ticket of the first in each line, which has its turn.

        False if no connection waited. A ticket whose giving failed is given again by the next
        round.
        """
        for queue in self._queues:
            queue.promised = False
        if not self._place:
            return False
        self._round += 1
        oldest = self._round % self.config.oldest_every == 0
        for queue in self._queues:
            queue.spent = queue.given = 0.0
            first = self._oldest(queue) if oldest else self._first(queue)
            if first is not None:
                first[2].promised = queue.promised = True
                self._give(queue, first, give)
        return True

    def rest_of_round(self, give: Callable[[object], None]) -> None:
        """Give out the tickets of those for which there will probably be time after the first.

        Not together with the first: which task runs first is for trio to decide, and one long turn
        is enough.
        """
        for queue in self._queues:
            while queue.given < queue.released and queue.spent < queue.part:
                first = self._first(queue)
                if first is None:
                    break
                self._give(queue, first, give)

    def _give(
        self,
        queue: _Queue,
        first: tuple[float, int, Account, object],
        give: Callable[[object], None],
    ) -> None:
        _, _, account, ticket = first
        give(ticket)
        # From here on the ticket is stale where it stands in the line, and passed over.
        del self._place[ticket]
        queue.given += account.needs

    def _oldest(self, queue: _Queue) -> tuple[float, int, Account, object] | None:
        while queue.line:
            _, number, _, ticket = queue.line[0]
            if self._place.get(ticket) == number:
                return queue.line[0]
            queue.line.popleft()
        return None

    def _first(self, queue: _Queue) -> tuple[float, int, Account, object] | None:
        while queue.waiting:
            first = place, number, account, ticket = queue.waiting[0]
            if self._place.get(ticket) != number:
                heapq.heappop(queue.waiting)
                continue
            # Others of its network may have had much since it came.
            now = account.used + min(account.needs, self.config.turn)
            if now <= place:
                return first
            heapq.heapreplace(queue.waiting, (now, number, account, ticket))
        return None
