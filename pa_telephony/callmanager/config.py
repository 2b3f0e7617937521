"""The configuration of a call manager: devices, lines, partitions, search spaces, users.

Either the dataclasses, or a TOML file of the same names::

    [search_spaces]
    phones = ["", "PA"]

    [[device]]
    name = "SEP000000001001"
    kind = "phone"
    lines = [{ number = "1001", name = "Alice", search_space = "phones" }]
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from pa_telephony import toml
from pa_telephony.cti.server.handles import CtiManagerConfig
from pa_telephony.digits import KEYS, Pattern, PatternError
from pa_telephony.durations import LONGEST, is_duration
from pa_telephony.errors import ConfigurationError
from pa_telephony.secrecy import warn_of_readers

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
    "load",
    "validate",
    "warnings",
]

Part = TypeVar("Part")

_MOST_BUTTONS = 255
_LIMITS = ("max_calls", "max_hops", "max_conference", "max_media_streams")
_YES_OR_NO = ("media_at_signalling_host", "media_behind_nat")
_PLAIN = (
    *(*_LIMITS, *_YES_OR_NO),
    *("first_media_port", "music_on_hold", "park_numbers", "nodes"),
)
_SHARED = (
    "forward_all",
    "forward_busy",
    "forward_no_answer",
    "forward_failure",
    "forward_search_space",
    "no_answer",
    "pickup_group",
)
"""Fields that belong to the number, and so are the same on all devices of a shared line."""


class DeviceKind(enum.Enum):
    """What a device is, which says how it is reached."""

    PHONE = "phone"
    MEDIA_PORT = "media port"
    ROUTE_POINT = "route point"
    CTI_PORT = "cti port"


_STATIONS = (DeviceKind.PHONE, DeviceKind.MEDIA_PORT)
"""The kinds that register over SCCP."""


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


_PARTS: dict[str, type] = {
    "timing": Timing,
    "stations": StationLimits,
    "applications": CtiManagerConfig,
    "control": ControlLimits,
}


def load(path: str | Path, settings: Iterable[str] = ()) -> CallManagerConfig:
    """Read and check a TOML file. Raises :class:`ConfigurationError` naming file and field.

    Its ``others`` are all further values of another type; of the rules the first is told.
    ``settings`` are lines of TOML that count instead of the file's: a field with its section
    (``"applications.max_connections = 100"``), no devices and no users.
    """
    raw = toml.read(path)
    for setting in settings:
        _put(setting, raw)
    with toml.error_names_file(path):
        config = _made(raw, Path(path))
        if any(user.password for user in config.users):
            warn_of_readers(str(path), "the passwords of users")
        return validate(config)


def _made(raw: dict[str, Any], path: Path) -> CallManagerConfig:
    """The configuration, of which each value is of its type; raises ConfigurationError of all."""
    parts: dict[str, Callable[[], Any]] = {
        "devices": lambda: toml.all_made(_device, toml.tables(raw, "device")),
        "search_spaces": lambda: _search_spaces(toml.table(raw, "search_spaces")),
        "users": lambda: toml.all_made(_user, toml.tables(raw, "user")),
        "cti_tls": lambda: _beside(path, _part("cti_tls", TlsFiles, raw)),
    }
    for name, kind in _PARTS.items():
        parts[name] = functools.partial(_part, name, kind, raw)
    known = {"device", "user", *parts}
    for name, value in raw.items():
        if name not in known:
            parts[name] = functools.partial(_plain, name, value)
    return CallManagerConfig(**toml.together(parts))


def _part(name: str, kind: type[Part], raw: dict[str, Any]) -> Part:
    return toml.make(kind, toml.table(raw, name), name)


def _plain(name: str, value: object) -> Any:
    if name not in _PLAIN:
        known = sorted({"device", "user", "search_spaces", "cti_tls", *_PARTS, *_PLAIN})
        raise ConfigurationError(f"unknown; known are {', '.join(known)}", field=name)
    return toml.value_of(CallManagerConfig, name, value)


def _search_spaces(spaces: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return toml.together(
        {
            name: functools.partial(_texts, parts, "search_spaces", name)
            for name, parts in spaces.items()
        }
    )


def _user(raw: dict[str, Any], place: int) -> User:
    return toml.make(User, raw, f"user {place}")


def warnings(config: CallManagerConfig) -> list[str]:
    """Sentences about settings that work but are probably not meant; never an error.

    A route point is served by an application. Calls that come while none is there, or that it
    does not route in time, need forwards: without, they fail
    (docs/failover-design.md, F24).
    """
    missing = {
        "forward_failure": "while no application serves it its callers are turned away",
        "forward_no_answer": "a caller whom its application does not route is turned away",
    }
    return [
        f"route point {device.name}, line {line.number}: no {name}, so {what}"
        for device in config.devices
        if device.kind is DeviceKind.ROUTE_POINT
        for line in device.lines
        if not line.forward_all
        for name, what in missing.items()
        if not getattr(line, name)
    ]


def validate(config: CallManagerConfig) -> CallManagerConfig:
    """Check the parts against each other, and give them; raises :class:`ConfigurationError`."""
    names: set[str] = set()
    lines: dict[tuple[str, str], tuple[DeviceConfig, LineConfig]] = {}
    for limit in _LIMITS:
        _check_limit(config, limit)
    for each in dataclasses.fields(StationLimits):
        _check_limit(config.stations, each.name, "stations")
    _check_applications(config)
    _check_control(config.control)
    if config.stations.max_standing_by >= config.stations.max_connections:
        raise ConfigurationError(
            "must be less than max_connections", section="stations", field="max_standing_by"
        )
    _check_interval(config.timing.keep_alive, "timing")
    for each in dataclasses.fields(Timing):
        _check_seconds(config.timing, each.name, "timing", zero=False)
    for device in config.devices:
        section = f"device {device.name}"
        if not 1 <= len(device.name) <= 15 or not device.name.isprintable():
            raise ConfigurationError("must have 1 to 15 characters", section=section, field="name")
        if device.name in names:
            raise ConfigurationError("is used twice", section=section, field="name")
        names.add(device.name)
        if not device.lines:
            raise ConfigurationError("must not be empty", section=section, field="lines")
        _check_buttons(device, section)
        _check_interval(device.keep_alive, section)
        follows: Any = device.symmetric_rtp
        if type(follows) is not bool:
            raise ConfigurationError(
                "must be true or false", section=section, field="symmetric_rtp"
            )
        if device.keep_alive and device.kind not in _STATIONS:
            raise ConfigurationError(
                "is for phones and media ports", section=section, field="keep_alive"
            )
        for line in device.lines:
            _check_line(config, line, section)
            key = (Pattern.parse(line.number).text, line.partition)
            if key in lines:
                _check_shared(*lines[key], device, line, section)
            else:
                lines[key] = device, line
    port: Any = config.first_media_port
    if type(port) is not int or port % 2 or not 1024 <= port <= 65534:
        raise ConfigurationError("must be even, 1024 to 65534", field="first_media_port")
    _text(config.music_on_hold, "", "music_on_hold")
    for name in _YES_OR_NO:
        if type(getattr(config, name)) is not bool:
            raise ConfigurationError("must be true or false", field=name)
    if not all(config.nodes) or len(set(config.nodes)) < len(config.nodes):
        raise ConfigurationError("must be addresses, each once", field="nodes")
    for pattern in config.park_numbers:
        try:
            if Pattern.parse(pattern, fixed=True).breadth > 1000:
                raise PatternError(f"{pattern!r}: more than 1000 numbers")
        except PatternError as error:
            raise ConfigurationError(str(error), field="park_numbers") from None
    users: set[str] = set()
    for user in config.users:
        section = f"user {user.name}"
        if not user.name or user.name in users:
            raise ConfigurationError("must be unique", section=section, field="name")
        users.add(user.name)
        for name in user.devices:
            if name not in names:
                raise ConfigurationError(f"no device {name}", section=section, field="devices")
    return config


def _check_applications(config: CallManagerConfig) -> None:
    for each in dataclasses.fields(CtiManagerConfig):
        value: Any = getattr(config.applications, each.name)
        if each.type == "int":
            _check_limit(config.applications, each.name, "applications")
        elif each.type == "float":
            zero = each.name != "login_within"
            _check_seconds(config.applications, each.name, "applications", zero=zero)
        else:
            _text(value, "applications", each.name)
    _check_interval(config.applications.heartbeat, "applications", "heartbeat")
    if bool(config.cti_tls.certificate) is not bool(config.cti_tls.key):
        lacks = "key" if config.cti_tls.certificate else "certificate"
        raise ConfigurationError("is missing", section="cti_tls", field=lacks)


def _check_control(control: ControlLimits) -> None:
    for each in dataclasses.fields(ControlLimits):
        if each.type == "int":
            _check_limit(control, each.name, "control")
        else:
            _check_seconds(control, each.name, "control", zero=False)


def _beside(path: str | Path, files: TlsFiles) -> TlsFiles:
    """The same files, with relative paths resolved against the configuration's directory."""
    where = Path(path).parent
    return TlsFiles(
        **{
            each.name: str(where / getattr(files, each.name)) if getattr(files, each.name) else ""
            for each in dataclasses.fields(TlsFiles)
        }
    )


def _check_limit(
    config: CallManagerConfig | StationLimits | CtiManagerConfig | ControlLimits,
    name: str,
    section: str = "",
) -> None:
    value: Any = getattr(config, name)
    if type(value) is not int or value < 1:
        raise ConfigurationError(
            "must be a whole number of at least 1", section=section, field=name
        )


def _check_seconds(
    part: Timing | CtiManagerConfig | LineConfig | ControlLimits,
    name: str,
    section: str,
    *,
    zero: bool = True,
) -> None:
    if not is_duration(getattr(part, name), zero=zero):
        positive = "" if zero else "positive "
        raise ConfigurationError(
            f"must be a {positive}number of seconds, at most {LONGEST:.0f}",
            section=section,
            field=name,
        )


def _check_interval(value: Any, section: str, name: str = "keep_alive") -> None:
    """Check a number of seconds that is sent to a peer as a whole number."""
    if type(value) is not int or not 0 <= value <= LONGEST:
        raise ConfigurationError(
            f"must be a whole number of seconds, at most {LONGEST:.0f}",
            section=section,
            field=name,
        )


def _check_buttons(device: DeviceConfig, section: str) -> None:
    """Check the number of a phone's buttons, as each has a number of one octet."""
    if device.kind in _STATIONS:
        for name in ("lines", "speed_dials"):
            if len(getattr(device, name)) > _MOST_BUTTONS:
                raise ConfigurationError(
                    f"must be at most {_MOST_BUTTONS}", section=section, field=name
                )
    for speed_dial in device.speed_dials:
        if not speed_dial.number or not set(speed_dial.number) <= KEYS:
            raise ConfigurationError(
                "must be keys of a phone", section=section, field="speed_dials"
            )
        _check_name(speed_dial.name, section)


def _check_name(name: str, section: str) -> None:
    """Check that a name has no control characters, which mean something else to phones."""
    if not name.isprintable():
        raise ConfigurationError("must be printable", section=section, field="name")


def _check_line(config: CallManagerConfig, line: LineConfig, section: str) -> None:
    try:
        Pattern.parse(line.number)
    except PatternError as error:
        raise ConfigurationError(str(error), section=section, field="number") from None
    _check_name(line.name, section)
    for name in ("search_space", "forward_search_space"):
        space = getattr(line, name)
        if space and space not in config.search_spaces:
            raise ConfigurationError(f"no search space {space!r}", section=section, field=name)
    for name in ("forward_all", "forward_busy", "forward_no_answer", "forward_failure"):
        target = getattr(line, name)
        try:
            if target:
                Pattern.parse(target, fixed=True)
        except PatternError as error:
            raise ConfigurationError(str(error), section=section, field=name) from None
    for name in ("max_calls", "busy_trigger"):
        if type(getattr(line, name)) is not int or getattr(line, name) < 1:
            raise ConfigurationError(
                "must be a whole number of at least 1", section=section, field=name
            )
    _check_seconds(line, "no_answer", section)
    if line.pickup_group and not set(line.pickup_group) <= KEYS:
        raise ConfigurationError("must be a number", section=section, field="pickup_group")


def _check_shared(
    other: DeviceConfig, same: LineConfig, device: DeviceConfig, line: LineConfig, section: str
) -> None:
    if other.name == device.name or DeviceKind.ROUTE_POINT in (other.kind, device.kind):
        raise ConfigurationError(
            f"{line.number} is already a line of {other.name}", section=section, field="number"
        )
    for name in _SHARED:
        if getattr(same, name) != getattr(line, name):
            raise ConfigurationError(
                f"must be as on {other.name}, which shares {line.number}",
                section=section,
                field=name,
            )


def _put(setting: str, raw: dict[str, Any]) -> None:
    try:
        said = tomllib.loads(setting)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{setting!r} is no line of TOML: {error}") from error
    for name, value in said.items():
        if name in ("device", "user"):
            raise ConfigurationError("is set in the file only", field=name)
        section = raw.get(name)
        if isinstance(section, dict) and isinstance(value, dict):
            cast("dict[str, Any]", section).update(cast("dict[str, Any]", value))
        else:
            raw[name] = value


def _device(raw: dict[str, Any], place: int) -> DeviceConfig:
    section = f"device {raw.get('name', '?')}"
    return toml.make(DeviceConfig, raw, section, kind=_kind, lines=_lines, speed_dials=_speed_dials)


def _speed_dials(value: Any, section: str, name: str) -> tuple[SpeedDial, ...]:
    def one(raw: dict[str, Any], place: int) -> SpeedDial:
        return toml.make(SpeedDial, raw, section)

    return toml.all_made(one, _tables(value, section, name))


def _lines(value: Any, section: str, name: str) -> tuple[LineConfig, ...]:
    def one(raw: dict[str, Any], place: int) -> LineConfig:
        return toml.make(LineConfig, raw, section)

    return toml.all_made(one, _tables(value, section, name))


def _tables(value: Any, section: str, name: str) -> list[dict[str, Any]]:
    entries = cast("list[object]", value)
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in entries):
        raise ConfigurationError("must be a list of tables", section=section, field=name)
    return cast("list[dict[str, Any]]", entries)


def _kind(value: Any, section: str, name: str) -> DeviceKind:
    try:
        return DeviceKind(value)
    except ValueError:
        known = ", ".join(kind.value for kind in DeviceKind)
        raise ConfigurationError(f"must be one of {known}", section=section, field=name) from None


def _texts(value: Any, section: str, name: str) -> tuple[str, ...]:
    entries = cast("list[object]", value)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in entries):
        raise ConfigurationError("must be a list of texts", section=section, field=name)
    return tuple(cast("list[str]", entries))


def _text(value: Any, section: str, name: str) -> str:
    if not isinstance(value, str):
        raise ConfigurationError("must be a text", section=section, field=name)
    return value
