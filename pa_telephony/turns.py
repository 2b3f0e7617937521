"""Turns of connections that are served by one thread: trio's side of :mod:`.fairness`.

As long as no connection floods, none waits: to begin a turn is two comparisons. Once a round's time
is spent, a connection that wants a turn waits until a system task, which lives while any waits,
begins the next round: each time that every other task that was ready has run.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable

import trio

from pa_telephony.admission import network_of
from pa_telephony.fairness import Account, Fairness, FairnessConfig
from pa_telephony.faults import Seldom

__all__ = ["Turn", "Turns"]

_LOG = logging.getLogger("pa_telephony.turns")
_PAUSE = 0.01
"""Seconds until the next round, when one could not be begun."""


class Turns:
    """The turns of all connections of a process, or of one server.

    ``clock`` gives seconds, and ``work`` seconds of work: of CPU, since no connection is to blame
    for the time for which the machine did something else.
    """

    def __init__(
        self,
        config: FairnessConfig | None = None,
        clock: Callable[[], float] | None = None,
        work: Callable[[], float] = time.thread_time,
    ) -> None:
        self.fairness = Fairness(config)
        self.clock = clock or trio.current_time
        self.work = work
        self._rounds = False
        self._told = Seldom()
        self.in_turn = False
        """Whether somebody's turn is being taken; a plain attribute, since where there is no memory
        a call fails, and from one that is left set nothing is told to anybody ever again."""
        self.kept_back: dict[Callable[[], None], None] = {}
        """What is done when the turn is over, each once."""

    def turn(self, address: str = "") -> Turn:
        """The turns of one new connection, which is a stranger's so far, from an IP address."""
        network = network_of(address) if address else ""
        return Turn(self, self.fairness.account(self.clock(), network))

    async def wait(self, account: Account) -> None:
        """Wait for a turn; cancelled, the place in the line is given up."""
        while True:
            # Not the task itself: to set an event twice, or when none waits for it, is harmless.
            ticket = trio.Event()
            try:
                self.fairness.wait(account, ticket)
                if not self._rounds:
                    trio.lowlevel.spawn_system_task(self._begin_rounds)
                    self._rounds = True
                await ticket.wait()
            finally:
                self.fairness.leave(ticket)
            if self.fairness.may_go_on(account):
                return

    def afterwards(self, step: Callable[[], None]) -> None:
        """Do ``step``, which raises nothing, once when the turn is over; at once without a turn.

        What one peer's turn tells another, in however many steps, so leaves in one go.
        """
        if not self.in_turn:
            step()
        else:
            self.kept_back[step] = None

    def let_go(self) -> None:
        """Do what was kept back; what there is no memory to begin stays for the next turn's end."""
        while self.kept_back:
            step = next(iter(self.kept_back))
            step()
            del self.kept_back[step]

    async def _begin_rounds(self) -> None:
        """Begin rounds while a connection waits.

        An exception out of a system task ends the process, and the connections that wait have no
        other task: so none comes out, and what fails (there may be no memory) is tried again.
        """
        try:
            while True:
                try:
                    if not self.fairness.next_round(_give):
                        return
                    # A task runs in the next pass of trio's loop, in whatever order.
                    await trio.lowlevel.checkpoint()
                    self.fairness.rest_of_round(_give)
                except Exception as error:  # noqa: BLE001  # told, and tried again
                    with contextlib.suppress(Exception):
                        self._tell(error)
                    await trio.sleep(_PAUSE)
                else:
                    await trio.lowlevel.checkpoint()
        finally:
            self._rounds = False

    def _tell(self, error: Exception) -> None:
        if self._told.due(trio.current_time()):
            why = f"{type(error).__name__}: {error}"
            _LOG.error(
                "whose turn it is could not be found out%s; tried again: %s",
                *(self._told.times(), why),
                exc_info=error,
            )


def _give(ticket: object) -> None:
    assert isinstance(ticket, trio.Event)
    ticket.set()


class Turn:
    """The turns of one connection: between :meth:`begin` and :meth:`end` nothing is awaited."""

    def __init__(self, turns: Turns, account: Account) -> None:
        self._turns = turns
        self._account = account
        self._began = 0.0

    def known(self) -> None:
        """Note that the peer of the connection has registered or logged in."""
        self._turns.fairness.known(self._account)

    async def begin(self, size: int = 0, *, last: bool = False) -> None:
        """Wait for a turn to answer ``size`` bytes, or what was left of them (0).

        The ``last`` one is that of a connection that is gone.
        """
        if last:
            self._turns.fairness.last(self._account)
        if not self._turns.fairness.may_go(self._account, self._turns.clock(), size):
            await self._turns.wait(self._account)
        self._began = self._turns.work()

    def is_over(self) -> bool:
        """Whether the turn has taken as long as one may."""
        return self._turns.work() - self._began >= self._turns.fairness.config.turn

    def end(self) -> None:
        """End the turn: everything is done, or the rest waits for the next turn."""
        seconds = self._turns.work() - self._began
        self._turns.fairness.done(self._account, seconds, self._turns.clock())
