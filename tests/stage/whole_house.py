"""The call manager of :mod:`company` on real sockets, and what people do with its phones."""

from __future__ import annotations

import contextlib
import datetime
import functools
from collections.abc import AsyncGenerator, Callable
from typing import Any

import trio
from company import COMPANY, PASSWORD

from pa_telephony import cti, sccp
from pa_telephony.callmanager import CallManager, CallManagerConfig, open_call_manager
from pa_telephony.cti.login import Certificate, make_certificate
from pa_telephony.errors import CallEnded
from pa_telephony.sccp.enums import DCallState

__all__ = ["QUICK_PROVIDER", "QUICK_STATION", "a_manager", "log_in", "pick_up", "ringing", "until"]

QUICK_STATION = sccp.StationConfig(first_back_off=0.01, longest_back_off=0.01)
"""A station that is back at once after its connection was lost."""
QUICK_PROVIDER = cti.ProviderConfig(first_back_off=0.01, longest_back_off=0.01)
"""An application that is back at once after its connection was lost."""


@functools.cache
def _certificate() -> Certificate:
    """One for all, since a key takes longer to make than most tests take."""
    return make_certificate("pa-telephony", valid_from=datetime.datetime.now(datetime.UTC))


@contextlib.asynccontextmanager
async def a_manager(
    config: CallManagerConfig = COMPANY, *, within: float = 30.0, **options: Any
) -> AsyncGenerator[CallManager]:
    """A call manager at any free ports; ``options`` are those of ``open_call_manager``.

    ``within`` is how many seconds the block may last.
    """
    fixed: dict[str, Any] = {"sccp_port": 0, "cti_port": 0}
    if config.users:
        fixed["certificate"] = _certificate()
    with trio.fail_after(within):
        async with open_call_manager(config, **{**fixed, **options}) as manager:
            yield manager


def log_in(
    at: CallManager | str, user: str = "app", **options: Any
) -> contextlib.AbstractAsyncContextManager[cti.Provider]:
    """An application of that user at the CTI Manager, or at the address of one."""
    address = at if isinstance(at, str) else at.cti_address
    return cti.open_provider(address, user=user, password=PASSWORD, **options)


async def until(condition: Callable[[], object]) -> None:
    """Wait for what no event tells; the block around it says for how long at most."""
    while not condition():  # noqa: ASYNC110
        await trio.sleep(0.005)


async def ringing(station: sccp.Station) -> sccp.Call:
    """The call that rings at a station, once it does and says who calls."""
    while True:
        for call in station.calls.values():
            if call.incoming and call.state is DCallState.RING_IN and call.calling:
                return call
        await trio.sleep(0.005)


async def pick_up(call: sccp.Call) -> None:
    """Answer, and stay until the call is over."""
    with contextlib.suppress(CallEnded):
        async with call.answer():
            await call.wait_ended()
