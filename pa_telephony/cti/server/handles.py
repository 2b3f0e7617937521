"""What the parts of one application's session share: user, handles, and the way to send."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from pa_telephony.cti.encoded import LineEvent
from pa_telephony.cti.enums import CTIFAILURE
from pa_telephony.cti.messages.base import CtiMessage
from pa_telephony.cti.server.backend import CallControl, DeviceInfo, Observer
from pa_telephony.descriptors import Descriptors
from pa_telephony.errors import RequestFailed
from pa_telephony.guesses import Guesses, Pace

__all__ = ["CtiManagerConfig", "Session"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CtiManagerConfig:
    """How the CTI Manager treats applications; times are in seconds."""

    heartbeat: int = 30
    """The interval of heartbeats both ways, at least 1: with 0 Cisco's client sends heartbeats
    without a pause (observed)."""
    login_within: float = 30.0
    wrong_password_delay: float = 1.0
    """How long the answer to a wrong password waits; and the interval in which, once
    ``max_guesses_of_one_user`` are spent, one more password of that user is looked at, for each
    address."""
    max_guesses_of_one_user: int = 5
    """How many wrong passwords of one user may come at once from one address (of IPv6: one /64)."""
    max_guesses_of_one_address: int = 20
    """How many wrong passwords of all users may come from one address at once. A user who logged in
    from there within a day does not wait for the others there."""
    guess_every: float = 0.5
    """The interval in which one more of these is looked at."""
    longest_login_wait: float = 10.0
    """A login that would wait longer for its turn is refused, and has to be tried again."""
    max_connections: int = 500
    max_before_login_of_one_address: int = 50
    """How many connections from one IP address (of IPv6: from one /64) may not have logged in,
    those that wait for another login of their address included, so that one address cannot keep all
    others out."""
    max_sessions_of_one_user: int = 100
    """How many sessions one user may have at once; one more is refused at its login."""
    max_handles: int = 5000
    """How many devices and lines one session may have open."""
    max_handles_of_one: int = 8
    """How many of these may be handles of the same device, and of the same line: each is told
    everything."""
    max_unsent: int = 8 << 20
    """How many bytes may wait for an application that does not read."""
    max_unsent_before_login: int = 1 << 16
    version: str = "15.0.1.10000-1"
    cluster: str = "StandAloneCluster"

    def fitted(self, descriptors: Descriptors) -> CtiManagerConfig:
        """Limit the connections to a quarter of the descriptors that there are."""
        share = descriptors.share
        return replace(
            self,
            max_connections=share(self.max_connections, 4),
            max_before_login_of_one_address=share(self.max_before_login_of_one_address, 16),
        )

    def guesses(self) -> Guesses:
        """The pace at which wrong passwords are looked at.

        So many can wait that half of the places of their address are left to newcomers.
        """
        fits = self.max_before_login_of_one_address // 2 * self.guess_every
        return Guesses(
            Pace(at_once=self.max_guesses_of_one_address, every=self.guess_every),
            Pace(at_once=self.max_guesses_of_one_user, every=self.wrong_password_delay),
            longest_wait=min(self.longest_login_wait, fits),
        )


class Session:
    """One session of an application, as its devices, lines and calls see it."""

    def __init__(
        self,
        backend: CallControl,
        config: CtiManagerConfig,
        send: Callable[[CtiMessage | LineEvent], None],
        handles: itertools.count[int],
        observer: Observer,
    ) -> None:
        self.backend = backend
        self._observer = observer
        self.user = ""
        self.acquired: set[str] = set()
        """The devices that a super provider asked for, besides those of the user."""
        self._send = send
        self._handles = handles
        self._room = config.max_handles
        self.most_of_one = config.max_handles_of_one
        self._held: list[CtiMessage | LineEvent] | None = None
        self._followed: Counter[str] = Counter()

    def device(self, name: str) -> DeviceInfo:
        """A device that the application may control; raises :class:`RequestFailed` for others."""
        if not self.controls(name):
            raise RequestFailed(CTIFAILURE.CTIERR_INVALID_DEVICE_NAME, f"no device {name!r}")
        return self.backend.device(name)

    def controls(self, name: str) -> bool:
        """Whether a device is the user's, or was acquired."""
        return name in self.acquired or self.backend.may_control(self.user, name)

    def new_handle(self, of_the_same: int) -> int:
        """A handle for a device or a line that ``of_the_same`` handles are open of already.

        Raises :class:`RequestFailed` when there are too many of it, or in all.
        """
        if of_the_same >= self.most_of_one:
            raise RequestFailed(
                CTIFAILURE.MAX_NUMBER_OF_CTI_CONNECTIONS_REACHED,
                f"open {of_the_same} times already",
            )
        if not self._room:
            raise RequestFailed(
                CTIFAILURE.MAX_NUMBER_OF_CTI_CONNECTIONS_REACHED, "too many handles are open"
            )
        self._room -= 1
        return next(self._handles)

    def free_handle(self) -> None:
        """Make room for another handle, since one is closed."""
        self._room += 1

    def follow(self, device: str) -> None:
        """Count one more handle for a device; with the first, this session is told its events."""
        self._followed[device] += 1
        if self._followed[device] == 1:
            self.backend.follow(self._observer, device)

    def unfollow(self, device: str) -> None:
        """Count one handle less for a device; with the last, its events are told no more."""
        self._followed[device] -= 1
        if not self._followed[device]:
            del self._followed[device]
            self.backend.unfollow(self._observer, device)

    def send_event(self, event: CtiMessage | LineEvent) -> None:
        """Send an event; while a request is served it waits for the response to go first."""
        if self._held is None:
            self._send(event)
        else:
            self._held.append(event)

    def hold_events(self) -> None:
        """Hold events back until :meth:`release_events`, since a request is served."""
        self._held = []

    def release_events(self, response: CtiMessage) -> None:
        """Send the response, and then the events that waited for it."""
        held, self._held = self._held or [], None
        self._send(response)
        for event in held:
            self._send(event)
