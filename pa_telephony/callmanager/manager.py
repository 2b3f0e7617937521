"""The call manager as something that runs: its servers, its clock, its status."""

from __future__ import annotations

import contextlib
import datetime
import functools
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import trio

from pa_telephony.admission import Refusal
from pa_telephony.callmanager import validation
from pa_telephony.callmanager.applications.control import CtiSide
from pa_telephony.callmanager.calls.verbs import Calls, Stream
from pa_telephony.callmanager.config import (
    CallManagerConfig,
    DeviceConfig,
    TlsFiles,
    User,
)
from pa_telephony.callmanager.journal import Journal
from pa_telephony.callmanager.media_reports import MediaReports
from pa_telephony.callmanager.own_media import HouseMedia, load_libraries, load_music
from pa_telephony.callmanager.phones.phones import LineSide
from pa_telephony.cti.login import Certificate, make_certificate
from pa_telephony.cti.server.application import ApplicationSession
from pa_telephony.cti.server.server import Counters, CtiManager, serve_providers
from pa_telephony.descriptors import prepare
from pa_telephony.errors import ConfigurationError
from pa_telephony.faults import report_bug
from pa_telephony.sccp.server.names import AddressChange
from pa_telephony.sccp.server.registrar import RegistrarConfig
from pa_telephony.sccp.server.server import (
    Counters as StationCounters,
    StationServer,
    local_time,
    serve_stations,
)
from pa_telephony.sccp.server.session import StationSession
from pa_telephony.secrecy import warn_of_plain_listener
from pa_telephony.tasks import background
from pa_telephony.trace import Trace, guarded
from pa_telephony.turns import Turns

if TYPE_CHECKING:
    from pa_telephony.rtp import Audio
    from pa_telephony.rtp.port import PortStatistics

if TYPE_CHECKING:
    import ssl

__all__ = ["CallManager", "DeviceStatus", "open_call_manager"]

_NAP = 0.1


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """Whether a device is registered, from where, and how many calls it has."""

    name: str
    numbers: tuple[str, ...]
    registered: bool
    address: tuple[str, int] | None
    calls: int
    moved: AddressChange | None = None
    """The newest registration from another address than before, None if there is none of late."""


class CallManager:
    """A running call manager, made by :func:`open_call_manager`."""

    def __init__(self, config: CallManagerConfig) -> None:
        self.config = config
        self.calls = Calls(config, trio.current_time)
        self.internal_errors = 0
        """How many errors showed when a time was over: legs that ended for it; the log has
        tracebacks. Errors that a device's message brings out are counted by its server."""
        self._line_side = LineSide(config, self.calls, local_time)
        self._cti_side = CtiSide(config, self.calls, self._line_side.send_data)
        self._line_side.data_received = self._cti_side.data_received
        self._journal = Journal(config, self.calls)
        self.calls.watchers.append(self._journal)
        self._stations: StationServer | None = None
        self._sccp: Sequence[tuple[str, int]] = ()
        self._cti: Sequence[tuple[str, int]] = ()
        self._cti_manager: CtiManager | None = None
        self._media: HouseMedia | None = None
        self.turns = Turns()
        """When each connection is served: all share them, so that none makes the others wait."""

    @property
    def sccp_address(self) -> str:
        """The address where stations register, as ``host:port``."""
        host, port = self._sccp[0]
        return f"{host}:{port}"

    @property
    def cti_address(self) -> str:
        """The address where applications log in, as ``host:port``; "" when no CTI Manager runs."""
        return f"{self._cti[0][0]}:{self._cti[0][1]}" if self._cti else ""

    @property
    def cti_tls_address(self) -> str:
        """The address where applications log in over TLS; "" when that is not offered."""
        known = self._cti_manager.tls_addresses if self._cti_manager is not None else ()
        return f"{known[0][0]}:{known[0][1]}" if known else ""

    @property
    def applications(self) -> list[str]:
        """The users that are logged in over CTI, once for each session."""
        sessions = self._cti_manager.sessions if self._cti_manager is not None else ()
        return sorted(session.name for session in sessions if session.name)

    @property
    def sessions(self) -> list[ApplicationSession]:
        """The applications that are logged in, by the time of their login."""
        known = self._cti_manager.sessions if self._cti_manager is not None else ()
        return sorted(
            (each for each in known if each.name), key=lambda each: (each.since or 0.0, each.name)
        )

    def station(self, device: str) -> StationSession | None:
        """The connection of a phone or media port that is registered; None of others."""
        return self._line_side.sessions.get(device)

    def refusal(self, device: str) -> Refusal | None:
        """Why a device was refused last since it was registered, on the clock of :attr:`calls`."""
        known = None if self._stations is None else self._stations.refusals.of(device)
        return known or self._cti_side.refusals.of(device)

    def statistics(self, stream: Stream) -> PortStatistics | None:
        """The packets of a tone or conference; None for sound that goes from device to device."""
        if self._media is None or stream.far is None:
            return None
        return self._media.statistics(stream.far)

    def is_served(self, device: str) -> bool:
        """Whether a device is registered and an application is told of its calls."""
        sessions = self._cti_manager.sessions if self._cti_manager is not None else ()
        return self.calls.is_registered(device) and any(s.takes_calls(device) for s in sessions)

    @property
    def sccp_counters(self) -> StationCounters:
        """What the server of the stations has counted."""
        assert self._stations is not None
        return self._stations.counters

    @property
    def cti_counters(self) -> Counters | None:
        """What the CTI Manager has counted; None when none runs."""
        return self._cti_manager.counters if self._cti_manager is not None else None

    @property
    def address_changes(self) -> Sequence[AddressChange]:
        """The newest hundred registrations from another address than the device had before.

        The oldest comes first. They are logged (``pa_telephony.sccp``) and traced
        (``sccp.address_changed``) as well.
        """
        return () if self._stations is None else self._stations.addresses.changes

    def devices(self) -> list[DeviceStatus]:
        """The status of every configured device, in the order of the configuration."""
        result: list[DeviceStatus] = []
        moved = {change.name: change for change in self.address_changes}
        for device in self.config.devices:
            session = self._line_side.sessions.get(device.name)
            result.append(
                DeviceStatus(
                    device.name,
                    tuple(line.number for line in device.lines),
                    self.calls.is_registered(device.name),
                    session.address if session is not None else None,
                    len(self.calls.legs_of(device.name)),
                    moved.get(device.name),
                )
            )
        return result

    def add_device(self, device: DeviceConfig) -> None:
        """Add a device while the call manager runs; it can register at once.

        Raises :class:`ConfigurationError`, and nothing has changed then.
        """
        devices = (*self.config.devices, device)
        # The entries of users may name devices that were removed.
        validation.check(replace(self.config, devices=devices, users=()))
        self.config = replace(self.config, devices=devices)
        self._journal.add_device(device)
        self.calls.add_device(device)
        self._line_side.add_device(device)
        self._cti_side.add_device(device)

    def remove_device(self, name: str) -> None:
        """Remove a device: its calls end, its connection is closed, and its users are told.

        A user's entry that names it is kept as it is: the user controls a device of this name again
        if one is added, and none that the entry does not name. Raises :class:`ConfigurationError`
        when there is no such device.
        """
        kept = tuple(device for device in self.config.devices if device.name != name)
        if len(kept) == len(self.config.devices):
            raise ConfigurationError("no such device", section=f"device {name}")
        self.config = replace(self.config, devices=kept)
        self.calls.remove_device(name)
        self._line_side.remove_device(name)
        self._cti_side.remove_device(name)

    def add_user(self, user: User) -> None:
        """Let another user log in over CTI.

        Raises :class:`ConfigurationError`, also when no CTI Manager runs (see
        :func:`open_call_manager`), and nothing has changed then.
        """
        if self._cti_manager is None:
            raise ConfigurationError("no CTI Manager runs", section=f"user {user.name}")
        # Those of the others may name devices that were removed.
        others = (replace(each, devices=()) for each in self.config.users)
        validation.check(replace(self.config, users=(*others, user)))
        self.config = replace(self.config, users=(*self.config.users, user))
        self._cti_side.set_users(self.config.users)

    def remove_user(self, name: str) -> None:
        """Remove a user and close the user's sessions; raises :class:`ConfigurationError`."""
        kept = tuple(user for user in self.config.users if user.name != name)
        if len(kept) == len(self.config.users):
            raise ConfigurationError("no such user", section=f"user {name}")
        self.config = replace(self.config, users=kept)
        self._cti_side.set_users(kept)
        for application in list(self._cti_manager.sessions if self._cti_manager else ()):
            if application.name == name:
                application.close("user removed")

    def drop_connections(self) -> None:
        """Close every registered station's and every application's connection, as a restart does.

        They may come back at once.
        """
        for station in list(self._line_side.sessions.values()):
            station.close("dropped")
        for application in list(self._cti_manager.sessions if self._cti_manager else ()):
            application.close("dropped")

    def _configured(self, name: str) -> DeviceConfig:
        """The configuration of a device; the default one, once it is gone."""
        found = (each for each in self.config.devices if each.name == name)
        return next(found, DeviceConfig(name=name))

    async def serve(
        self,
        host: str,
        sccp_port: int,
        cti_port: int,
        certificate: Certificate | None,
        tls: ssl.SSLContext | None,
        cti_tls_port: int,
        trace: Trace | None,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve stations and applications until cancelled."""
        registrar = RegistrarConfig(
            keep_alive_interval=self.config.timing.keep_alive, **asdict(self.config.stations)
        )
        await trio.to_thread.run_sync(load_libraries)
        music: Audio | None = None
        if self.config.music_on_hold:
            music = await trio.to_thread.run_sync(load_music, self.config.music_on_hold)
        media = HouseMedia(
            self.calls,
            self.config,
            address="0.0.0.0" if ":" in host else host,
            announce=self._line_side.address_for,
            symmetric=lambda leg: self._configured(leg.device).symmetric_rtp,
            music=music,
            trace=trace,
        )
        self._media = media
        self.calls.use_media(media)
        patience = self.config.timing.media_exchange
        self.calls.watchers.append(
            MediaReports(
                lambda device: self._configured(device).kind,
                self.calls.now,
                time.time,
                patience,
                trace,
            )
        )
        # As many as there may be at once: the servers ask for their own parts only.
        prepare(
            registrar.max_connections
            + self.config.applications.max_connections
            + self.config.control.max_connections
            + 2 * self.config.max_media_streams,
            "the call manager",
        )
        async with background() as tasks:
            tasks.start_soon(media.run)
            self._stations, self._sccp = await tasks.start(
                functools.partial(
                    serve_stations,
                    self._line_side,
                    host=host,
                    port=sccp_port,
                    config=registrar,
                    trace=trace,
                    turns=self.turns,
                )
            )
            if certificate is not None:
                self._cti_manager, self._cti = await tasks.start(
                    functools.partial(
                        serve_providers,
                        self._cti_side,
                        certificate,
                        host=host,
                        port=cti_port,
                        tls=tls,
                        tls_port=cti_tls_port,
                        config=self.config.applications,
                        trace=trace,
                        turns=self.turns,
                    )
                )
                if tls is None:
                    warn_of_plain_listener(host, self._cti[0][1])
            task_status.started()
            while True:
                await trio.sleep(_NAP)
                # No connection is to blame: the calls have ended the legs that an error showed at.
                try:
                    self.calls.handle_deadline(trio.current_time())
                except Exception as error:  # noqa: BLE001  # reported
                    self.internal_errors += 1
                    report_bug(error, part="callmanager", trace=trace, now=time.time())


@contextlib.asynccontextmanager
async def open_call_manager(
    config: CallManagerConfig,
    *,
    host: str = "127.0.0.1",
    sccp_port: int = 2000,
    cti_port: int = 2748,
    certificate: Certificate | None = None,
    cti_tls: ssl.SSLContext | None = None,
    cti_tls_port: int = 2749,
    trace: Trace | None = None,
) -> AsyncGenerator[CallManager]:
    """Run a call manager; entered means that stations can register. Port 0 chooses a free one.

    The CTI Manager runs when there are users who could log in (that needs the extra ``cti``), or
    when it is given the ``certificate`` that seals their passwords, so that users can be added.
    With a server-side ``cti_tls`` context, or the files of ``config.cti_tls``, it takes encrypted
    connections at ``cti_tls_port``, too. What applications may hold is ``config.applications``.

    Passwords that other machines can read are warned of in the log (``pa_telephony``): when there
    is no TLS and ``host`` is not a loopback address, and when a user logs in without it.

    Raises :class:`ConfigurationError` before anything is started, and :class:`ConnectionLost`
    when the address cannot be had.
    """
    trace = guarded(trace)
    validation.check(config)
    manager = CallManager(config)
    if cti_tls is None and config.cti_tls.certificate:
        cti_tls = await trio.to_thread.run_sync(_tls_context, config.cti_tls)
    if config.users and certificate is None:
        now = datetime.datetime.now(datetime.UTC)
        certificate = await trio.to_thread.run_sync(
            functools.partial(make_certificate, "pa-telephony", valid_from=now)
        )
    async with background() as tasks:
        await tasks.start(
            manager.serve, host, sccp_port, cti_port, certificate, cti_tls, cti_tls_port, trace
        )
        yield manager


def _tls_context(files: TlsFiles) -> ssl.SSLContext:
    import ssl

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(files.certificate, files.key)
    except (ssl.SSLError, OSError) as error:
        raise ConfigurationError(
            f"{files.certificate} with {files.key}: {error}", section="cti_tls"
        ) from error
    return context
