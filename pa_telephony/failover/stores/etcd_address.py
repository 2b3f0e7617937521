"""Where a cluster's etcd is, as the one line that names a store says it. Pure.

``etcd://[USER@]HOST[:PORT][,HOST[:PORT]…]/PREFIX[?OPTION=VALUE&…]``; ``etcds://`` speaks TLS.
Every key of the cluster begins with PREFIX, so that several clusters share one etcd. Options name
files: ``ca`` (who signs the members' certificates), ``cert`` and ``key`` (our certificate), and
``password`` (a file with the password of USER, which therefore stands in no list of processes).
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from pa_telephony.errors import ConfigurationError
from pa_telephony.failover.hosts import is_host, split_host

__all__ = ["EtcdAddress", "is_etcd", "state_directory"]

_PORT = 2379
_MOST_MEMBERS = 9
_PREFIX = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SCHEMES = ("etcd", "etcds")
_FILES = ("ca", "cert", "key", "password")
_FORM = "etcd://HOST[:PORT],…/PREFIX"
_LIKE_A_URL = re.compile(r"\s*([a-z][a-z0-9+.-]*:/|etcds?:)", re.IGNORECASE)


def is_etcd(store: str) -> bool:
    """Whether the line that names a store means an etcd, and no file.

    Raises ConfigurationError for what looks like a URL and is no etcd's: were a misspelt one a
    file, servers of two machines would own the same numbers.
    """
    if store.startswith(tuple(f"{scheme}://" for scheme in _SCHEMES)):
        return True
    if _LIKE_A_URL.match(store):
        raise _broken("must be etcd://HOST,HOST/PREFIX (or etcds://), or the path of a file")
    return False


@dataclass(frozen=True)
class EtcdAddress:
    """The members of an etcd, the prefix of our keys there, and how we show who we are."""

    members: tuple[tuple[str, int], ...]
    """Host and TCP port of each, in the order in which they are tried."""
    prefix: str
    tls: bool = False
    user: str = ""
    ca: str = ""
    cert: str = ""
    key: str = ""
    password: str = ""
    """The file that has the password of ``user``."""

    @classmethod
    def parse(cls, store: str) -> EtcdAddress:
        """Read the line that names a store; raises ConfigurationError with the rule it breaks."""
        if not is_etcd(store):
            raise _broken(f"is no {_FORM}")
        try:
            split = urlsplit(store)
            query = split.query
            options = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
        except ValueError as error:
            raise _broken(f"is no {_FORM}: {error}") from None
        if "#" in store:
            raise _broken(f"has a '#', which says nothing of an etcd: {_FORM}")
        user, at, hosts = split.netloc.rpartition("@")
        if ":" in user:
            raise _broken("has a password: name a file by ?password=FILE, which only you may read")
        if at and not _PREFIX.fullmatch(user):
            raise _broken("names no user of letters, digits, '.', '_', '-' before the @")
        members = tuple(_member(each) for each in hosts.split(",")) if hosts else ()
        if not members:
            raise _broken(f"names no host: {_FORM}")
        if len(members) > _MOST_MEMBERS:
            raise _broken(f"names {len(members)} members, more than {_MOST_MEMBERS}")
        prefix = split.path.strip("/")
        if not _PREFIX.fullmatch(prefix):
            raise _broken(f"has no prefix of 1 to 64 letters, digits, '.', '_', '-': {_FORM}")
        files: dict[str, str] = {}
        for name, file in options:
            if name not in _FILES:
                raise _broken(f"has no option {name!r}, only {', '.join(_FILES)}")
            if name in files:
                raise _broken(f"has the option {name!r} twice")
            if not file:
                raise _broken(f"names no file by the option {name!r}")
            files[name] = file
        address = cls(members, prefix, split.scheme == "etcds", user, **files)
        address._check()
        return address

    def _check(self) -> None:
        if (self.ca or self.cert or self.key) and not self.tls:
            raise _broken("has a certificate, but does not begin with etcds://")
        if bool(self.cert) != bool(self.key):
            raise _broken("needs both cert and key, or neither")
        if bool(self.user) != bool(self.password):
            raise _broken("needs both USER@ and ?password=FILE, or neither")

    def __str__(self) -> str:
        """The line that :meth:`parse` reads."""
        scheme = "etcds" if self.tls else "etcd"
        hosts = ",".join(f"{_shown(host)}:{port}" for host, port in self.members)
        files = {name: value for name in _FILES if (value := getattr(self, name))}
        options = f"?{urlencode(files, safe='/')}" if files else ""
        return f"{scheme}://{self.user + '@' if self.user else ''}{hosts}/{self.prefix}{options}"

    @property
    def urls(self) -> tuple[str, ...]:
        """The beginning of the address of each member's gateway."""
        scheme = "https" if self.tls else "http"
        return tuple(f"{scheme}://{_shown(host)}:{port}" for host, port in self.members)


def _member(text: str) -> tuple[str, int]:
    host, port = split_host(text)
    if not is_host(host):
        raise _broken(f"has a host {host!r}, which is neither an address nor a name")
    if not port:
        return host, _PORT
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise _broken(f"has a port {port!r}, which is not from 1 to 65535")
    return host, int(port)


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _broken(rule: str) -> ConfigurationError:
    return ConfigurationError(rule, field="store")


def state_directory(store: str, environment: Mapping[str, str] | None = None) -> Path:
    """The directory for what a machine has to itself although its store is an etcd.

    The locks of its servers are there, and the name by which the machine is known. It is below
    ``PA_TELEPHONY_STATE``; else what systemd gives (``StateDirectory=``); else
    ``XDG_STATE_HOME``, by default ``~/.local/state``. It must be on a disk of this machine alone.
    """
    found = os.environ if environment is None else environment
    address = EtcdAddress.parse(store)
    members = ",".join(sorted(f"{host}:{port}" for host, port in address.members))
    short = hashlib.sha256(members.encode()).hexdigest()[:8]
    above = found.get("PA_TELEPHONY_STATE") or found.get("STATE_DIRECTORY", "").partition(":")[0]
    if not above:
        home = found.get("XDG_STATE_HOME") or str(Path("~/.local/state").expanduser())
        above = f"{home}/pa-telephony"
    return Path(above) / f"{address.prefix}-{short}"
