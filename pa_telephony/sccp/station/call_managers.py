"""Which call manager serves a station: the first of its list that accepts it.

It stays with that one while the link lasts, goes down the list when it is lost, and returns to an
earlier one that gives it a token when no call is up (docs/protocol/sccp.md §4).
"""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Callable, Sequence
from typing import Protocol

import trio

from pa_telephony.errors import RegistrationRejected
from pa_telephony.faults import Troubles
from pa_telephony.sccp.enums import DeviceResetType
from pa_telephony.sccp.station.core import (
    CallChanged,
    MayReturn,
    MustWait,
    Registered,
    Rejected,
    StationCore,
    StationEvent,
    Unregistered,
    UnregisterRefused,
)
from pa_telephony.sccp.station.link import End, Link, Standby
from pa_telephony.sccp.station.patience import Patience
from pa_telephony.sccp.station.registration import State
from pa_telephony.sccp.station.style import StationConfig
from pa_telephony.tasks import Background, background
from pa_telephony.trace import Trace

__all__ = ["CallManagers", "Served"]

_LOG = logging.getLogger("pa_telephony.sccp.station")


class Served(Protocol):
    """The station that is to be kept registered."""

    def handle_event(self, event: StationEvent) -> None:
        """Take an event of the session with the call manager that serves the station."""
        ...

    def connection_lost(self, index: int | None) -> None:
        """Note that the call manager at ``index`` serves the station no more; calls are over."""
        ...

    def check(self, link: Link) -> None:
        """Raise :class:`ConfigurationError` when the station cannot use this connection."""
        ...


class CallManagers:
    """The call managers of one station, best first, and which of them serves it now."""

    def __init__(
        self,
        name: str,
        addresses: Sequence[tuple[str, int]],
        config: StationConfig,
        station: Served,
        trace: Trace | None,
        source: str | None,
    ) -> None:
        self.name = name
        self.config = config
        self.link: Link | None = None
        """The connection to the call manager that serves the station, or is asked to."""
        self.registered = False
        self.registrations = 0
        self.protocol_errors = 0
        self.slow_call_managers = 0
        self.last_error = ""
        self.on_trouble: Callable[[str], object] | None = None
        self._troubles = Troubles(_LOG, f"{name} is not registered")
        self._refusals: dict[int, str] = {}
        """The last refusal of each call manager, by its place in the list."""
        self._untold: dict[int, str] = {}
        """Those that are not told yet."""
        self.refusals = 0
        """How often a call manager would not let the station go."""
        self.let_go = False
        """Whether the last call manager confirmed that the station has left."""
        self._addresses = addresses
        self._station = station
        self._trace = trace
        self._source = source
        self._standby = Standby(config, len(addresses), self._connect)
        self._patience = Patience(config, len(addresses), random.random)
        self._tasks: Background | None = None
        self._returning: int | None = None
        self._same_again: int | None = None
        self._wanted = True
        self._stopped = False
        self._running = trio.CancelScope()
        self._look = trio.Event()
        """Set when something has changed for the connections that stand by, or for the way back."""

    @property
    def core(self) -> StationCore | None:
        """The session with the call manager that serves the station."""
        return self.link.core if self.link is not None else None

    @property
    def standing_by(self) -> list[tuple[str, int]]:
        """The call managers that one message would register the station with."""
        return [self._addresses[index] for index in sorted(self._standby.ready)]

    def flush(self) -> None:
        """Send what the session has queued."""
        if self.link is not None:
            self.link.flush()

    def ask_to_leave(self) -> None:
        """Unregister, and stay unregistered; ``registered`` ends, or ``refusals`` rises."""
        self._wanted = False
        if self.link is not None and self.registered:
            self.link.leave()

    def stay(self) -> None:
        """Be registered as before, after leaving was refused or given up."""
        self._wanted = not self._stopped

    def stop(self) -> None:
        """Stop being registered without a message: connections just close."""
        self._stopped = True
        self._wanted = False
        self._forget()
        self._running.cancel()

    async def run(self) -> None:
        """Stay registered until cancelled, :meth:`ask_to_leave` succeeds or :meth:`stop`."""
        with self._running:
            async with background() as tasks:
                self._tasks = tasks
                if self.config.stand_by and len(self._addresses) > 1:
                    tasks.start_soon(self._keep_standby)
                await self._stay_registered()
                tasks.cancel_scope.cancel()

    async def _stay_registered(self) -> None:
        while self._wanted:
            known, returns_to = self.registrations, self._returning
            for place, index in enumerate(self._order()):
                ended = await self._serve(index)
                now = trio.current_time()
                if isinstance(ended, Unregistered):
                    # Without a registration it counts as a call manager that does not serve us.
                    self._note("unregistered by the call manager")
                    self._obey(ended.reset, index)
                elif isinstance(ended, Rejected):
                    self._refused(index, ended.reason, now)
                else:
                    self._note(ended.reason)
                served = self.registrations != known
                if served and self._patience.unregistered(now):
                    self._standby.taken(index)
                elif index == returns_to and self._returning is None:
                    self._standby.not_taken(index, now)
                if served:
                    break
                if place == 0 and not isinstance(ended, Rejected):
                    self._patience.not_refused()
                if not self._wanted:
                    break
            if not self._wanted:
                return
            if self._returning is None:
                await trio.sleep(self._patience.pause())

    def _refused(self, index: int, reason: str, now: float) -> None:
        """Take a refusal; raises :class:`RegistrationRejected` when it is the last word."""
        host, port = self._addresses[index]
        why = f"{host}:{port} refuses {self.name}: {reason}"
        self._refusals[index] = self.last_error = why
        last_word = self._patience.refused(reason, now)
        if self.registrations or not (last_word or self._patience.hopeless):
            self._note(why)
        elif last_word:
            raise RegistrationRejected(reason, "; ".join(self._refusals.values()))
        else:
            # The error is about to say it, unless something else happens before.
            self._untold[index] = why

    def _note(self, why: str) -> None:
        """Tell why the station is not registered, and what was not told before."""
        self.last_error = why
        if self._wanted and self._returning is None:
            self._tell_refusals()
            self._tell(why)

    def _tell_refusals(self) -> None:
        while self._untold:
            self._tell(self._untold.pop(min(self._untold)))

    def _tell(self, why: str) -> None:
        if self.on_trouble is not None:
            self.on_trouble(why)
        else:
            self._troubles.tell(why, trio.current_time())

    def _obey(self, reset: DeviceResetType | None, index: int) -> None:
        if reset is DeviceResetType.RESTART:
            self._same_again = index
        elif reset is DeviceResetType.RESET:
            self._standby.close()
            self._standby = Standby(self.config, len(self._addresses), self._connect)

    def _order(self) -> list[int]:
        """The order to try: where a token or a restart leads, where we stand by, down the list."""
        first = self._same_again if self._returning is None else self._returning
        self._returning = self._same_again = None
        ready = self._standby.ready
        return sorted(
            range(len(self._addresses)),
            key=lambda index: (index != first, index not in ready, index),
        )

    async def _serve(self, index: int) -> End:
        """Be registered with one call manager for as long as that lasts."""
        link = self._standby.take_link(index)
        if link is None:
            link = self._connect(index)
        self.link = link
        link.register()
        try:
            await link.ended.wait()
            self.let_go = isinstance(link.end, Unregistered) and link.end.confirmed
        finally:
            self._forget()
        return link.end

    def _connect(self, index: int) -> Link:
        interval = self.core.standby_interval if self.core is not None else 60.0
        address = self._addresses[index]
        link = Link(self, index, address, interval, self._trace, self._source)
        assert self._tasks is not None
        self._tasks.start_soon(link.run)
        return link

    async def _keep_standby(self) -> None:
        while True:
            self._look = trio.Event()
            now = trio.current_time()
            self._standby.forget_ended(now)
            again = math.inf
            if self.registered and self.link is not None and self.core is not None:
                here = self.link.index
                self._standby.arrange(here, now)
                may_return = self.config.fall_back and self.core.idle and self._returning is None
                if may_return:
                    index = self._standby.ask_to_return(here, now)
                    if index is not None:
                        self._return_to(index)
                again = self._standby.next_look(here, may_return=may_return)
            with trio.move_on_at(again):
                await self._look.wait()

    def _return_to(self, index: int) -> None:
        """Leave the call manager that serves us, to register with the one at ``index``."""
        link, core = self.link, self.core
        if link is None or core is None or not self.registered:
            return
        # A connection that has just failed is lost, not left: that is trouble to report.
        if core.idle and core.state is not State.OFFLINE:
            self._returning = index
            link.leave()

    def handle_link_event(self, link: Link, event: StationEvent) -> None:
        """Take an event of a connection."""
        if link is self.link:
            self._handle_event(event)
        elif isinstance(event, MayReturn | MustWait):
            self._standby.answered(link.index, event, trio.current_time())
            self._look.set()
            if isinstance(event, MayReturn):
                self._return_to(link.index)

    def _handle_event(self, event: StationEvent) -> None:
        match event:
            case Registered():
                self.registered = True
                self.registrations += 1
                self._tell_refusals()
                self._patience.registered(trio.current_time())
                self._look.set()
            case UnregisterRefused():
                self.refusals += 1
                self._returning = None
                self._look.set()
            case CallChanged(call=call) if call.ended or call.elsewhere:
                self._look.set()
            case _:
                pass
        self._station.handle_event(event)

    def came_up(self, link: Link) -> None:
        """Take a new connection; raises :class:`ConfigurationError` when it is of no use."""
        self._station.check(link)
        self._look.set()

    def went_down(self, link: Link) -> None:
        """Note that a connection has ended."""
        self._look.set()

    def _forget(self) -> None:
        self.registered = False
        link, self.link = self.link, None
        self._station.connection_lost(None if link is None else link.index)
