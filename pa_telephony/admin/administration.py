"""What all pages share: the cluster, the records, those who follow, and who guesses passwords."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trio
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pa_telephony.admin.access import Access
from pa_telephony.admin.alarm_watch import AlarmWatch
from pa_telephony.admin.call_manager import CallManagerLink
from pa_telephony.admin.demo_faults import DemoFaults
from pa_telephony.admin.fields import Posted
from pa_telephony.admin.gate import address_of
from pa_telephony.admin.live import Live, LiveCallManager
from pa_telephony.admin.managed import ManagedCluster
from pa_telephony.admin.records import Records, Session
from pa_telephony.admin.trace_files import TraceFiles
from pa_telephony.guesses import Guesses, Pace

__all__ = ["WAITED", "Administration", "form_of", "session_of"]

WAITED = "given; what has come of it is not known"
"""The result of an order while it is waited for, and for good if the program ends meanwhile."""


def _paces() -> Guesses:
    """Five guesses at once; then one every two seconds of an address, every three of an account.

    Who was right at an address lately is not slowed by what others guess there.
    """
    return Guesses(Pace(at_once=5, every=2.0), Pace(at_once=5, every=3.0))


@dataclass(frozen=True)
class Administration:
    """What the pages work with; ``clock`` gives monotonic time."""

    managed: ManagedCluster
    records: Records
    live: Live
    access: Access = field(default_factory=Access)
    guesses: Guesses = field(default_factory=_paces)
    clock: Callable[[], float] = trio.current_time
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    """With it wrong passwords are recognised when they are tried again."""
    hashing: trio.CapacityLimiter = field(default_factory=lambda: trio.CapacityLimiter(1))
    """Comparing a password takes memory and time, so one is compared at a time."""

    strangers: trio.CapacityLimiter = field(default_factory=lambda: trio.CapacityLimiter(1))
    """The same for who has not been right lately at an address, so that they keep nobody waiting
    who has."""
    faults: DemoFaults | None = None
    """What can be done to servers of a demo; None for a cluster that people rely on."""
    traces: TraceFiles | None = None
    """Where the servers of this machine trace; None when that is not known."""

    control: Path | None = None
    """The call manager's control socket; None: that of the one here that the providers name."""

    @functools.cached_property
    def call_manager(self) -> CallManagerLink:
        """The call manager, as its control socket shows it."""
        return CallManagerLink(self.managed, self.control)

    @functools.cached_property
    def live_call_manager(self) -> LiveCallManager:
        """What those are told who follow it; whoever serves the pages runs it."""
        return LiveCallManager(self.call_manager)

    @functools.cached_property
    def alarms(self) -> AlarmWatch:
        """The alarms of the cluster; whoever serves the pages runs it."""
        return AlarmWatch(self.managed)

    @property
    def news(self) -> dict[str, Any]:
        """What every page shows besides its own."""
        return {"alarms": self.alarms.log.count, "demo": self.faults is not None}

    async def note(
        self, request: Request, what: str, account: str = "", *, result: str = ""
    ) -> int:
        """Note in the records who did what, and what came of it; gives the number of the note."""
        session: Session | None = request.scope["state"]["session"]
        who = session.account if session is not None else account
        address = address_of(request)
        return await trio.to_thread.run_sync(self.records.note, who, address, what, result)

    async def amend(self, number: int, result: str) -> None:
        """Note what has come of what was noted as :data:`WAITED`."""
        await trio.to_thread.run_sync(self.records.amend, number, result)

    async def leave(self, request: Request, text: str, to: str) -> Response:
        """Lead to a page, which shows this text."""
        session = session_of(request)
        await trio.to_thread.run_sync(self.records.leave_message, session, text)
        return RedirectResponse(to, 303)


def session_of(request: Request) -> Session:
    """The session of a request; the gate lets no other one come to a page that asks."""
    session: Session = request.scope["state"]["session"]
    return session


def form_of(request: Request) -> Posted:
    """What was sent with a POST."""
    posted: Posted = request.scope["state"]["form"]
    return posted
