"""Every error this package raises on purpose.

::

    TelephonyError
    ├── ConfigurationError          a configuration says something impossible
    ├── ProtocolError
    │   ├── LocalProtocolError      we were asked to send what the protocol forbids
    │   └── RemoteProtocolError     the peer broke the protocol
    │       └── DecodeError         … and these are the bytes
    ├── ConnectionLost              the link is gone
    ├── RegistrationRejected        the call manager refused the device
    ├── RequestFailed               the peer answered a request with an error code
    ├── CallEnded                   the call is over; the verb came too late
    └── InternalError               a bug of ours

Nothing of construct, struct, trio or :class:`OSError` crosses the API unmapped.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from pa_telephony.q850 import described

__all__ = [
    "CallEnded",
    "ConfigurationError",
    "ConnectionLost",
    "DecodeError",
    "InternalError",
    "LocalProtocolError",
    "ProtocolError",
    "RegistrationRejected",
    "RemoteProtocolError",
    "RequestFailed",
    "TelephonyError",
]


class TelephonyError(Exception):
    """Base of every error that this package raises on purpose."""


class ConfigurationError(TelephonyError):
    """A configuration breaks a rule; nothing has been started.

    ``str()`` reads ``file: section: field: rule``, without the parts that are unknown. ``others``
    are the further rules that a configuration breaks, where all of it was looked at.
    """

    def __init__(self, rule: str, *, file: str = "", section: str = "", field: str = "") -> None:
        super().__init__(": ".join(part for part in (file, section, field, rule) if part))
        self.rule = rule
        self.file = file
        self.section = section
        self.field = field
        self.others: tuple[ConfigurationError, ...] = ()


def first_of(found: Iterable[ConfigurationError]) -> ConfigurationError:
    """The first of these errors, with the further ones as its ``others``."""
    first, *others = found
    first.others = tuple(others)
    return first


class ProtocolError(TelephonyError):
    """One side broke the protocol; abstract, as one of the two classes below is raised."""


class LocalProtocolError(ProtocolError):
    """We were asked to send something that the protocol forbids, now or always."""


class RemoteProtocolError(ProtocolError):
    """The peer sent something that the protocol forbids; its connection is closed."""

    def again(self) -> Self:
        """The same error without its traceback, whose frames keep what the peer sent in memory."""
        error = type(self).__new__(type(self))
        error.args = self.args
        error.__dict__.update(self.__dict__)
        return error


class DecodeError(RemoteProtocolError):
    """Bytes that are not what their header claims.

    ``message_id`` is the number in the frame's header (None when the header itself is bad),
    ``path`` the field in dotted form ("" for the frame), ``offset`` the position in bytes from
    the start of the frame.
    """

    def __init__(
        self, reason: str, *, message_id: int | None = None, path: str = "", offset: int = 0
    ) -> None:
        place = "frame" if message_id is None else f"message 0x{message_id:04x}"
        where = f"{place}.{path}" if path else place
        super().__init__(f"{where} at byte {offset}: {reason}")
        self.reason = reason
        self.message_id = message_id
        self.path = path
        self.offset = offset


class ConnectionLost(TelephonyError):
    """The link to the peer is gone; ``__cause__`` says how, where that is known."""


class RegistrationRejected(TelephonyError):
    """The call manager refused to register a device; ``reason`` is its text.

    ``str()`` is ``refusals``, which says who refused what, for each call manager that was asked.
    """

    def __init__(self, reason: str, refusals: str = "") -> None:
        super().__init__(refusals or reason)
        self.reason = reason


class RequestFailed(TelephonyError):
    """The peer answered a request with an error; ``code`` is the number on the wire."""

    def __init__(self, code: int, description: str = "") -> None:
        super().__init__(description or f"error 0x{code & 0xFFFFFFFF:08x}")
        self.code = code
        self.description = description


class CallEnded(TelephonyError):
    """The call is over; ``cause`` is a Q.850 number, and 16 is normal clearing."""

    def __init__(self, cause: int = 16) -> None:
        super().__init__(f"call ended: {described(cause)}")
        self.cause = cause


class InternalError(TelephonyError):
    """A bug in this package; ``__cause__`` is the exception behind it. Please report it."""
