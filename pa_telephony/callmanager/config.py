"""The configuration of a call manager: devices, lines, partitions, search spaces, users.

Either these dataclasses, or a TOML file of the same names (:mod:`.config_file`)::

    [search_spaces]
    phones = ["", "PA"]

    [[device]]
    name = "SEP000000001001"
    kind = "phone"
    lines = [{ number = "1001", name = "Alice", search_space = "phones" }]
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from pa_telephony.cti.server.handles import CtiManagerConfig

__all__ = [
    "CallManagerConfig",
    "ControlLimits",
    "DeviceConfig",
    "DeviceKind",
    "LineConfig",
    "SpeedDial",
    "StationLimits",
    "Timing",
    "TlsFiles",
    "User",
]


class DeviceKind(enum.Enum):
    """What a device is, which says how it is reached."""

    PHONE = "phone"
    MEDIA_PORT = "media port"
    ROUTE_POINT = "route point"
    CTI_PORT = "cti port"


@dataclass(frozen=True, kw_only=True, slots=True)
class LineConfig:
    """One line; ``search_space`` names what it may call, forwards name numbers, "" for none.

    The same number and partition on several phones is one shared line: it rings on all, and
    forwards and pickup group must be the same everywhere. A forward's ``X`` keeps the dialled
    digit at its place (``5XXX``); forwards are looked up in ``forward_search_space``, or the
    line's own.
    """

    number: str
    name: str = ""
    partition: str = ""
    search_space: str = ""
    forward_all: str = ""
    forward_busy: str = ""
    forward_no_answer: str = ""
    forward_failure: str = ""
    forward_search_space: str = ""
    max_calls: int = 4
    """How many calls the line can have at once on this device, and one consultation more; a route
    point has no such limit."""
    busy_trigger: int = 2
    """How many calls on this device make it take no further one (call waiting below that)."""
    no_answer: float = 0.0
    """Seconds before a call that rings is forwarded; 0 for the usual time."""
    pickup_group: str = ""
    """The number of the group whose members may pick up each other's calls; dialling it does
    too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeedDial:
    """One speed-dial button of a phone; with ``busy_lamp`` it shows what the number does."""

    number: str
    name: str = ""
    busy_lamp: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceConfig:
    """One device: a name of 1 to 15 characters, and its lines."""

    name: str
    kind: DeviceKind = DeviceKind.PHONE
    lines: tuple[LineConfig, ...] = ()
    description: str = ""
    speed_dials: tuple[SpeedDial, ...] = ()
    keep_alive: int = 0
    """Seconds between the keepalives of a phone or media port; 0 for ``timing.keep_alive``. After
    silence of 1.5 of them its name can be registered from another address."""
    symmetric_rtp: bool = False
    """Whether conferences and tones on hold of this device follow the source of its first packets:
    for one behind a NAT (docs/security.md). Calls between devices do not go through here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """A user that may log in over CTI, and the devices the user may control (empty: all).

    ``any_device`` makes a super provider, who may acquire the devices of others; a ``locked``
    user or one without ``cti`` is refused, and told so once the password was right.
    """

    name: str
    password: str = field(repr=False)
    devices: tuple[str, ...] = ()
    any_device: bool = False
    cti: bool = True
    locked: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """Times of calls and keepalives, in seconds."""

    no_answer: float = 12.0
    """How long a call rings before it is forwarded on no answer."""
    alerting: float = 180.0
    """How long a call rings in all; T301 of Q.931."""
    new_call_accept: float = 4.0
    """How long an application may take to accept, answer, redirect or refuse a call that comes to
    its CTI port or route point. Then the call goes where calls go that are not answered, or else
    those of a device that is gone; its caller has heard nothing so far. CUCM's service parameter
    CTI New Call Accept Timer, 4 s by default (System Configuration Guide)."""
    park_reversion: float = 60.0
    """How long a call waits at a park number before it goes back to the line that parked it."""
    between_digits: float = 4.0
    keep_alive: int = 30
    media_exchange: float = 12.0
    """How long a device may take to say where it receives sound; then the call ends. Guessed: CUCM
    has a service parameter Media Exchange Timer, and 12 s is remembered as its default."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StationLimits:
    """What unknown peers may hold where stations register; see :class:`~.sccp.RegistrarConfig`."""

    max_connections: int = 10_000
    max_unregistered: int = 500
    """How many connections may neither have registered nor stand by."""
    max_unregistered_of_one_address: int = 250
    max_standing_by: int = 5_000
    """How many phones that have another call manager before this one may stand by; less than
    ``max_connections``."""
    max_standing_by_of_one_address: int = 2_500
    max_tokens: int = 50
    """How many phones may be on their way back at once."""
    max_tokens_of_one_address: int = 25
    max_unknown_names_of_one_address: int = 100
    """How many unknown names one address may try within 10 s; then it is told to try later, but for
    the names that registered from there within a day."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ControlLimits:
    """What programs of the same user may hold at the control socket (docs/control-socket.md)."""

    max_connections: int = 32
    max_line: int = 16_384
    """Bytes of one request; who sends more is closed."""
    max_requests: int = 100
    """How many requests of one connection may wait for their answers; others are refused."""
    max_watches: int = 16
    """How many watches there may be, over all connections."""
    taken_within: float = 30.0
    """Seconds for an answer to be read; who does not read is closed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TlsFiles:
    """Where the CTI Manager's TLS certificate and its private key are: PEM files.

    Both are set or none is; without them applications come in over the plain port only. Relative
    paths start at the directory of the configuration's file.
    """

    certificate: str = ""
    key: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class CallManagerConfig:
    """The whole configuration of a call manager."""

    devices: tuple[DeviceConfig, ...] = ()
    search_spaces: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    users: tuple[User, ...] = ()
    timing: Timing = field(default_factory=Timing)
    stations: StationLimits = field(default_factory=StationLimits)
    applications: CtiManagerConfig = field(default_factory=CtiManagerConfig)
    """How applications are treated, and what they may hold."""
    cti_tls: TlsFiles = field(default_factory=TlsFiles)
    control: ControlLimits = field(default_factory=ControlLimits)
    """What programs at the control socket may hold."""
    max_calls: int = 10_000
    """How many ends of calls there may be: a call of two has two, on however many phones of a
    shared line."""
    max_hops: int = 10
    """How many forwards and redirects one call may go through."""
    nodes: tuple[str, ...] = ()
    """The addresses of the call managers that are loaded from this file, the first choice of phones
    first: the same devices at each, and no trunk between them. None: it is the only one."""
    park_numbers: tuple[str, ...] = ()
    """Numbers, or patterns of at most 1000, at which calls can be parked."""
    max_conference: int = 8
    """How many parties one conference may have, its controller included."""
    music_on_hold: str = ""
    """A WAV file for callers on hold; "" for a tone."""
    first_media_port: int = 24576
    """The first UDP port of our own tones and mixes, an even one; each stream takes two."""
    max_media_streams: int = 256
    media_at_signalling_host: bool = False
    """Whether phones and media ports may have sound sent only to the host that they signal from, so
    that none directs a stream at another host. Wrong where a gateway or NAT carries the sound. CTI
    ports are not compared: their applications may have sound sent to other machines."""
    media_behind_nat: bool = True
    """Whether the sound of a phone or media port that announces a private address, and signals from
    a public one, is sent to the public one: it is behind a NAT. Not from another one behind the
    same NAT, for which the private one is the better. Wrong where only the signalling is carried
    by another host."""
