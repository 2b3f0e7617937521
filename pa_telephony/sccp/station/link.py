"""The connections of a station to its call managers: registered with one, standing by at others.

A station keeps a connection to the call manager it would go to next (docs/protocol/sccp.md §4):
only keepalives pass on it, and registering there takes one message when the first is lost.
"""

from __future__ import annotations

import contextlib
import math
import random
import time
from collections.abc import Callable
from typing import Protocol, TypeAlias

import trio

from pa_telephony.backoff import BackOff
from pa_telephony.errors import ConnectionLost, RemoteProtocolError
from pa_telephony.sccp.keyed import without_keyed
from pa_telephony.sccp.station.core import (
    MayReturn,
    MustWait,
    Rejected,
    SessionLost,
    StationCore,
    StationEvent,
    Unregistered,
)
from pa_telephony.sccp.station.patience import LASTED
from pa_telephony.sccp.station.registration import State
from pa_telephony.sccp.station.style import StationConfig
from pa_telephony.tasks import background, map_os_errors
from pa_telephony.trace import EventRecord, FrameTrace, Trace, guarded

__all__ = ["End", "Link", "LinkOwner", "Standby"]

_READ = 65536
_CONNECT_WITHIN = 5.0
_ASK_AGAIN = 60.0
"""Seconds after which a call manager that was asked in vain is asked again; twice as long each time
that we left another one for it and it did not take us, since no call reaches us meanwhile
(guessed)."""
_ASK_AGAIN_AT_LEAST = 3600.0
"""Seconds after which it is asked again in any case, since it may have been repaired (guessed)."""

End: TypeAlias = Rejected | Unregistered | SessionLost
"""The ways a connection can end."""


class LinkOwner(Protocol):
    """The station that a connection belongs to."""

    name: str
    config: StationConfig
    protocol_errors: int
    slow_call_managers: int
    last_error: str

    def handle_link_event(self, link: Link, event: StationEvent) -> None:
        """Take an event of a connection."""
        ...

    def came_up(self, link: Link) -> None:
        """Take a new connection, on which nothing was sent yet."""
        ...

    def went_down(self, link: Link) -> None:
        """Note that a connection has ended, or could not be made."""
        ...


class Link:
    """A connection to the ``index``-th call manager of the list.

    It stands by until :meth:`register`; ``interval`` is that of its keepalives until then.
    """

    def __init__(
        self,
        owner: LinkOwner,
        index: int,
        address: tuple[str, int],
        interval: float,
        trace: Trace | None,
        source: str | None,
    ) -> None:
        self.index = index
        self.core: StationCore | None = None
        self.addresses = (("0.0.0.0", 0), ("0.0.0.0", 0))
        """The address and port of our end, and of the call manager's."""
        self.ended = trio.Event()
        self.end: End = SessionLost("closed")
        self.up_since: float | None = None
        self._owner = owner
        self._address = address
        self._interval = interval
        self._trace = guarded(trace)
        self._source = source
        self._to_send = trio.Event()
        self._nap = trio.CancelScope()
        """Cancelled when the core has something to do."""
        self._scope = trio.CancelScope()
        self._registers = False

    @property
    def stands_by(self) -> bool:
        """Whether one message would register the station here."""
        return self.core is not None and self.core.state is State.STANDBY

    def register(self) -> None:
        """Register here, at once or as soon as the connection is up."""
        self._registers = True
        self._ask(self._begin)

    def come_back(self) -> None:
        """Ask whether the station may register here."""
        self._ask(StationCore.come_back)

    def leave(self) -> None:
        """Ask to unregister, if there is a session."""
        self._ask(StationCore.leave)

    def _begin(self, core: StationCore, now: float) -> None:
        core.last_end = self._owner.last_error
        core.connected(now)

    def _ask(self, step: Callable[[StationCore, float], None]) -> None:
        if self.core is None:
            return
        # A core that has failed raises its error at each caller until its own task, which reports
        # the error and ends the connection, has come to its end.
        with contextlib.suppress(RemoteProtocolError):
            step(self.core, trio.current_time())
        self.flush()

    def flush(self) -> None:
        """Send what the core has queued, and look at its deadline again."""
        self._to_send.set()
        if self.core is not None:
            self._nap.deadline = _or_never(self.core.next_deadline())

    def close(self) -> None:
        """Close the connection without a message."""
        self._scope.cancel()

    async def run(self) -> None:
        """Connect, and serve the connection until either side ends it."""
        try:
            with self._scope:
                self.end = await self._session()
        finally:
            self.ended.set()
            self._owner.went_down(self)
            if self._trace is not None and self.core is not None:
                local, remote = self.addresses
                reason = self.end.reason if isinstance(self.end, SessionLost | Rejected) else ""
                fields = {"device": self._owner.name, "local": local, "remote": remote}
                event = "sccp.connection_closed"
                self._trace(EventRecord(time.time(), event, {**fields, "reason": reason}))

    async def _session(self) -> End:
        host, port = self._address
        peer = f"{host}:{port}" if ":" not in host else f"[{host}]:{port}"
        try:
            stream: trio.SocketStream | None = None
            with trio.move_on_after(_CONNECT_WITHIN), map_os_errors(peer):
                stream = await trio.open_tcp_stream(host, port, local_address=self._source)
            if stream is None:
                return SessionLost(f"{peer} does not answer")
            with map_os_errors(peer):
                local, remote = stream.socket.getsockname(), stream.socket.getpeername()
            self.addresses = (local[:2], remote[:2])
            return await self._speak(stream, peer)
        except ConnectionLost as lost:
            return SessionLost(str(lost))
        except RemoteProtocolError as error:
            self._owner.protocol_errors += 1
            return SessionLost(f"{peer}: {error}")

    async def _speak(self, stream: trio.SocketStream, peer: str) -> End:
        end: list[End] = []
        config = self._owner.config
        own = self.addresses[0][0]
        # How a phone says its IPv6 address is not established (docs/protocol/sccp.md §13); it may
        # leave IPv4 out.
        core = StationCore(self._owner.name, config, own if ":" not in own else "0.0.0.0")
        if self._trace is not None:
            frames = FrameTrace(self._trace, time.time, "sccp", *self.addresses, without_keyed)
            core.watch_frames(frames.received, frames.sent)

        def pump() -> bool:
            while (event := core.next_event()) is not None:
                if isinstance(event, Rejected | Unregistered | SessionLost):
                    end.append(event)
                    return False
                self._owner.handle_link_event(self, event)
                check_unsent()
            check_unsent()
            self.flush()
            return True

        def check_unsent() -> None:
            if core.unsent > config.max_unsent:
                self._owner.slow_call_managers += 1
                raise ConnectionLost(f"{peer} does not read what it is sent")

        async def keep_time(tasks: trio.CancelScope) -> None:
            while True:
                self._nap = trio.CancelScope(deadline=_or_never(core.next_deadline()))
                with self._nap:
                    await trio.sleep_forever()
                core.handle_deadline(trio.current_time())
                if not pump():
                    tasks.cancel()

        async def write() -> None:
            while True:
                self._to_send = trio.Event()
                if data := core.data_to_send():
                    with map_os_errors(peer):
                        await stream.send_all(data)
                else:
                    await self._to_send.wait()

        async with stream, background() as tasks:
            self._owner.came_up(self)
            now = trio.current_time()
            if self._registers:
                self._begin(core, now)
            else:
                core.stand_by(now, self._interval)
            self.core, self.up_since = core, now
            tasks.start_soon(keep_time, tasks.cancel_scope)
            tasks.start_soon(write)
            while True:
                with map_os_errors(peer):
                    data = await stream.receive_some(_READ)
                if data:
                    core.receive_data(bytes(data), trio.current_time())
                else:
                    core.receive_eof(trio.current_time())
                if not pump():
                    break
        return end[0] if end else SessionLost(f"{peer}: connection closed")


def _or_never(deadline: float | None) -> float:
    return math.inf if deadline is None else deadline


class Standby:
    """The connections on which only keepalives pass, and what is known of their call managers."""

    def __init__(self, config: StationConfig, count: int, connect: Callable[[int], Link]) -> None:
        self._config = config
        self._count = count
        self._connect = connect
        self._links: dict[int, Link] = {}
        self._not_before: dict[int, float] = {}
        self._back_offs: dict[int, BackOff] = {}
        self._ask_at: dict[int, float] = {}
        self._asked: set[int] = set()
        self._knows_no_tokens: set[int] = set()
        self._in_vain: dict[int, int] = {}

    @property
    def ready(self) -> set[int]:
        """The call managers that one message would register the station with."""
        return {index for index, link in self._links.items() if link.stands_by}

    def close(self) -> None:
        """Close all connections that stand by."""
        while self._links:
            self._links.popitem()[1].close()

    def take_link(self, index: int) -> Link | None:
        """Take over the connection to a call manager, to register on it; None without one."""
        link = self._links.pop(index, None)
        self._asked.discard(index)
        return None if link is None or link.ended.is_set() else link

    def arrange(self, here: int, now: float) -> None:
        """Stand by at those before ``here`` in the list, and at the next one."""
        wanted = self._wanted(here)
        for index in set(self._links) - wanted:
            self._links.pop(index).close()
        for index in sorted(wanted - set(self._links)):
            if now >= self._not_before.get(index, 0.0):
                self._links[index] = self._connect(index)

    def forget_ended(self, now: float) -> None:
        """Remember which connections failed, and when to try again."""
        for index, link in list(self._links.items()):
            if not link.ended.is_set():
                continue
            del self._links[index]
            if index in self._asked:
                # It dropped the connection over the question, as FreeSWITCH may
                # (docs/protocol/sccp.md §4).
                self._asked.discard(index)
                self._knows_no_tokens.add(index)
                self._ask_at[index] = now + self._config.token_within
            lasted = link.up_since is not None and now - link.up_since > LASTED
            first, longest = self._config.first_back_off, self._config.longest_back_off
            back_off = self._back_offs.setdefault(index, BackOff(first, longest, random.random))
            if lasted:
                back_off.reset()
            self._not_before[index] = now + back_off.pause()

    def ask_to_return(self, here: int, now: float) -> int | None:
        """Ask the best call manager before ``here`` for a token; gives one that knows none."""
        for index in range(here):
            link = self._links.get(index)
            if link is None or not link.stands_by:
                continue
            if now < self._ask_at.get(index, 0.0):
                continue
            self._ask_at[index] = now + _ASK_AGAIN
            if index in self._knows_no_tokens:
                return index
            self._asked.add(index)
            link.come_back()
            return None
        return None

    def taken(self, index: int) -> None:
        """Note that a call manager had the station for a while: returning there is worthwhile."""
        self._in_vain.pop(index, None)

    def not_taken(self, index: int, now: float) -> None:
        """Note that the station left another call manager for this one, in vain."""
        times = self._in_vain[index] = self._in_vain.get(index, 0) + 1
        self._ask_at[index] = now + min(_ASK_AGAIN * 2 ** min(times, 16), _ASK_AGAIN_AT_LEAST)

    def next_look(self, here: int, *, may_return: bool) -> float:
        """When :meth:`arrange`, or :meth:`ask_to_return` where that is wanted, has more to do."""
        times = [
            self._not_before.get(index, 0.0) for index in self._wanted(here) - set(self._links)
        ]
        if may_return:
            times += [
                self._ask_at.get(index, 0.0)
                for index, link in self._links.items()
                if index < here and link.stands_by
            ]
        return min(times, default=math.inf)

    def _wanted(self, here: int) -> set[int]:
        return {*range(here), here + 1} & {*range(self._count)}

    def answered(self, index: int, answer: MayReturn | MustWait, now: float) -> None:
        """Take a call manager's answer whether the station may register there."""
        self._asked.discard(index)
        if isinstance(answer, MustWait):
            self._ask_at[index] = now + max(1, answer.seconds)
