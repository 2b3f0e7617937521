"""Serve stations over TCP: which connections are let in, and one registration per device name.

The owner of the stations (a call manager) implements :class:`Directory`; everything a station
needs to register is answered here and in :mod:`~pa_telephony.sccp.server.session`.
"""

from __future__ import annotations

import dataclasses
import datetime
import logging
import time
from collections.abc import Mapping, Sequence

import trio

from pa_telephony.admission import Lobby, Refusal, Refusals
from pa_telephony.descriptors import Descriptors, prepare
from pa_telephony.faults import MOST_BUGS, NEWS, Seldom
from pa_telephony.guesses import Attempt
from pa_telephony.printable import printable, printable_reason
from pa_telephony.sccp import messages
from pa_telephony.sccp.server import names
from pa_telephony.sccp.server.registrar import (
    Registrar,
    RegistrarConfig,
)
from pa_telephony.sccp.server.session import Counters, Directory, StationSession
from pa_telephony.sccp.server.tokens import Tokens
from pa_telephony.serving import Door, serve_connections
from pa_telephony.tasks import map_os_errors
from pa_telephony.trace import EventRecord, Trace, guarded
from pa_telephony.turns import Turns

__all__ = [
    "Counters",
    "Directory",
    "StationServer",
    "StationSession",
    "local_time",
    "serve_stations",
]

_HARDLY_A_GUESS = 0.9
"""The part of a guess's price that is given back where the name is known."""
_MOST_CHANGES = 20
"""Changes of address that the log has within a minute: a takeover brings all at once, and two who
take a name in turns bring them without end. The trace has all, and the newest can be asked for."""
_TOLD_OF_ONE = 10
"""How often the log says within a minute that one device comes or goes: anybody who knows its name
can make it do so."""
_UNKNOWN = "Device Unknown"
_LOG = logging.getLogger("pa_telephony.sccp")


def local_time() -> datetime.datetime:
    """What time it is here, for the displays of phones."""
    return datetime.datetime.now().astimezone()


class StationServer:
    """The sessions of one listener, by device name."""

    def __init__(
        self,
        directory: Directory,
        config: RegistrarConfig,
        trace: Trace | None,
        descriptors: Descriptors | None = None,
        turns: Turns | None = None,
    ) -> None:
        if descriptors is not None:
            config = config.fitted(descriptors)
        self.directory = directory
        self.turns = turns or Turns()
        self.config = config
        self.trace = guarded(trace)
        self.counters = Counters()
        self.sessions: dict[str, StationSession] = {}
        self._connections: set[StationSession] = set()
        self._lobby = Lobby(config.max_unregistered, config.max_unregistered_of_one_address)
        self.door = Door(
            self._lobby, config.max_connections, self.counters, descriptors, _LOG, "registered"
        )
        self._standby = Lobby(config.max_standing_by, config.max_standing_by_of_one_address)
        self._tokens = Tokens(
            config.max_tokens, config.max_tokens_of_one_address, config.token_wait
        )
        self._guesses = config.guesses()
        self._told_rejected, self._told_guesses = Seldom(), Seldom()
        self.told_bugs = Seldom(at_once=MOST_BUGS)
        self._told_changes = {
            level: Seldom(at_once=_MOST_CHANGES) for level in (logging.INFO, logging.WARNING)
        }
        self._told_of: dict[str, Seldom] = {}
        self.addresses = names.Addresses(config.max_connections)
        """From where each name came last, and which have changed."""
        self.refusals = Refusals()
        """Why names that there are, or were not looked up, were rejected last."""

    def _record_event(self, kind: str, fields: Mapping[str, object]) -> None:
        if self.trace is not None:
            self.trace(EventRecord(time.time(), kind, fields))

    def decide(
        self, session: StationSession, registrar: Registrar, request: messages.RegisterReq
    ) -> None:
        """Say yes or no to a RegisterReq: by what the device is, then by who has the name.

        :data:`~pa_telephony.sccp.server.names.TABLE` has the second part: our answer to a question
        that real call managers answer in four ways (docs/protocol/sccp.md §5).
        """
        name = request.device_name
        attempt = self._attempt(session, name)
        if attempt is None:
            # Nothing was looked up: a name that there is gets the same answer.
            self._reject(session, registrar, name, "Too many names: try later")
            return
        device = self.directory.find_device(name)
        if device is None:
            self._guesses.wrong(attempt, trio.current_time())
            self._reject(session, registrar, name, _UNKNOWN)
            return
        # Who looks for names is held up by those that there are not.
        self._guesses.give_back(attempt, _HARDLY_A_GUESS)
        if device.device_type not in (None, request.device_type):
            self._reject(session, registrar, name, "Wrong Device Type")
            return
        if session.name and session.name != name:
            self._reject(session, registrar, name, "Already Registered")
            return
        old = self._holder(name)
        again = old is session
        asked = names.Input.REGISTER_AGAIN if again else names.Input.REGISTER
        effect = self._look_up(old, asked)
        silent_for: float | None = None
        if effect is names.Effect.REFUSE:
            assert old is not None
            old.probe()
            self._reject(session, registrar, name, "Crossover session")
            return
        if effect is names.Effect.REPLACE:
            assert old is not None
            silent_for = trio.current_time() - old.last_heard
            old.close(f"silent for {silent_for:.1f} s, replaced from {session.address[0]}")
        self._guesses.give_back(attempt, 1 - _HARDLY_A_GUESS)
        self._guesses.is_good(attempt, trio.current_time())
        session.confirm(device)
        self._tokens.take_back(session)
        self._lobby.leave(session)
        self._standby.leave(session)
        if not again:
            self.sessions[name] = session
            self.counters.registrations += 1
            self._note_address(session, silent_for)
            self.refusals.forget(name)
            self.directory.registered(session)
            kind = getattr(request.device_type, "name", f"type {int(request.device_type)}")
            says = f"{kind}, version {session.version}"
            self._tell(name, f"is registered from {session.address[0]}: {says}")

    def _holder(self, name: str) -> StationSession | None:
        """The session that has a name; one that is over has none, however its end went."""
        session = self.sessions.get(name)
        return None if session is None or session.ended else session

    def _look_up(self, holder: StationSession | None, asked: names.Input) -> names.Effect:
        silent_at = None if holder is None else holder.silent_at
        _, effect = names.step(names.state_of(silent_at, trio.current_time()), asked)
        return effect

    def _tell(self, name: str, text: str) -> None:
        """Say what became of a device: known names only, and each not too often."""
        if not _LOG.isEnabledFor(logging.INFO):
            return
        if len(self._told_of) > self.config.max_connections:
            self._told_of.clear()
        told = self._told_of.setdefault(name, Seldom(at_once=_TOLD_OF_ONE))
        if (times := told.told(trio.current_time())) is not None:
            _LOG.info("%s %s%s", printable(name), printable_reason(text), times, extra=NEWS)

    def _note_address(self, session: StationSession, silent_for: float | None) -> None:
        """Say that a name is registered from another address than before, if it is."""
        change = self.addresses.registered(
            session.name, session.address[0], silent_for, time.time()
        )
        if change is None:
            return
        self.counters.address_changes += 1
        # Nothing to worry about when the old connection was over: a phone that moved, a stand-in.
        level = logging.INFO if silent_for is None else logging.WARNING
        told = self._told_changes[level]
        if told.due(trio.current_time()):
            _LOG.log(level, "%s%s", change, told.times())
        self._record_event("sccp.address_changed", dataclasses.asdict(change))

    def stand_by(self, session: StationSession, registrar: Registrar) -> None:
        """Let a station stand by, or close its connection when too many do.

        Whoever stands by already stays, and takes up no place of those who come to register.
        """
        address = session.address[0]
        if self._standby.full or self._standby.crowded(address):
            self.counters.standbys_refused += 1
            registrar.end_session("too many stand by")
            return
        self._lobby.leave(session)
        self._standby.enter(session, address)
        registrar.stand_by()

    def token(
        self,
        session: StationSession,
        request: messages.RegisterTokenReq | messages.SPCPRegisterTokenReq,
    ) -> int:
        """Whether a station may come back now (0), or the seconds after which it may ask again.

        Real call managers pace a mass return with a queue (documented); ours lets so many be on
        their way at once. A name whose old connection is there and not silent waits, as with
        chan-sccp; one that is registered in this session is here already.
        """
        name = request.device_name
        old = self._holder(name)
        asked = names.Input.TOKEN_AGAIN if old is session else names.Input.TOKEN
        effect = self._look_up(old, asked)
        if effect is names.Effect.IS_HERE:
            return 0
        if effect is names.Effect.MUST_WAIT and old is not None:
            old.probe()
        attempt = self._attempt(session, name)
        known = attempt is not None and self.directory.find_device(name) is not None
        if attempt is not None and known:
            self._guesses.give_back(attempt, _HARDLY_A_GUESS)
        elif attempt is not None:
            self._guesses.wrong(attempt, trio.current_time())
        # Registered under another name, it cannot come; nor can one that nobody knows.
        may_come = effect is names.Effect.MAY_COME and known and not session.name
        address = session.address[0]
        if may_come and self._tokens.give(session, name, address, trio.current_time()):
            return 0
        self.counters.tokens_refused += 1
        return self.config.token_wait

    def _reject(
        self, session: StationSession, registrar: Registrar, name: str, reason: str
    ) -> None:
        self.counters.rejections += 1
        address = session.address[0]
        if reason != _UNKNOWN:
            self.refusals.note(name, Refusal(trio.current_time(), reason, address))
        if self._told_rejected.due(trio.current_time()):
            times = self._told_rejected.times()
            _LOG.info("%s from %s is not registered%s: %s", printable(name), address, times, reason)
        self._record_event(
            "sccp.registration_rejected",
            {"device": name, "remote": session.address, "reason": reason},
        )
        registrar.reject(reason)

    def _attempt(self, session: StationSession, name: str) -> Attempt | None:
        """Whether a name may be looked up; None: its address has tried too many."""
        address, now = session.address[0], trio.current_time()
        attempt = self._guesses.ask(address, name, b"", now)
        if attempt is None:
            self.counters.refused_unseen += 1
            if self._told_guesses.due(now):
                most = self.config.max_unknown_names_of_one_address
                _LOG.warning(
                    "%s tried more than %d unknown names within %g s, the last %s%s: no other is "
                    "looked up now but those that registered from there within a day",
                    *(address, most, self.config.unknown_names_within, printable(name)),
                    self._told_guesses.times(),
                )
        return attempt

    def forget(self, session: StationSession, reason: str, was_registered: bool) -> None:
        """A session is over: its name is free at once."""
        # First of all, and by nothing that could fail: else the name stays a dead session's.
        if self.sessions.get(session.name) is session:
            del self.sessions[session.name]
        try:
            self._tokens.take_back(session)
        finally:
            if was_registered:
                self.directory.unregistered(session, reason)
                self._tell(session.name, f"is not registered any more: {reason}")

    async def handle(self, stream: trio.SocketStream) -> None:
        """Serve one connection until it ends."""
        try:
            if not self.door.lets_in(stream, len(self._connections)):
                await trio.aclose_forcefully(stream)
                return
            registrar = Registrar(self.config, trio.current_time(), local_time)
            session = StationSession(self, stream, registrar)
        except OSError:
            # Gone before it was looked at.
            await trio.aclose_forcefully(stream)
            return
        try:
            self.counters.connections += 1
            self._connections.add(session)
            self._lobby.enter(session, session.address[0], session.turn_out)
            await session.run()
        finally:
            # All of it, and whatever fails of it: a place that nobody gives back is gone for ever.
            # An ExitStack would say so in fewer lines, and take 3 KiB for each phone.
            try:
                await trio.aclose_forcefully(stream)
            finally:
                try:
                    self._lobby.leave(session)
                finally:
                    try:
                        self._standby.leave(session)
                    finally:
                        self._connections.discard(session)
                        self._record_event("sccp.connection_closed", session.told_at_end())


async def serve_stations(
    directory: Directory,
    *,
    host: str = "127.0.0.1",
    port: int = 2000,
    config: RegistrarConfig | None = None,
    trace: Trace | None = None,
    turns: Turns | None = None,
    task_status: trio.TaskStatus[
        tuple[StationServer, Sequence[tuple[str, int]]]
    ] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve stations until cancelled.

    ``task_status.started`` gets the server and the list of (address, port) that are listened on;
    port 0 chooses a free one. Two servers of one process share ``turns``, so that neither makes
    the other wait. Raises :class:`ConnectionLost` when the address cannot be had.
    """
    config = config or RegistrarConfig()
    descriptors = prepare(config.max_connections, f"stations at {host}:{port}")
    server = StationServer(directory, config, trace, descriptors, turns)
    with map_os_errors(f"{host}:{port}"):
        # A burst of phones after a power cut must fit into the backlog.
        listeners = await trio.open_tcp_listeners(port, host=host, backlog=4096)
    addresses = [each.socket.getsockname()[:2] for each in listeners]
    task_status.started((server, addresses))
    await serve_connections(listeners, server.handle, _LOG)
