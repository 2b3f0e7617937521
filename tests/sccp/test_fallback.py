"""Call managers of a list that are no good: what one of them does costs its own connection."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest
import trio

from pa_telephony import callmanager, sccp
from pa_telephony.callmanager import CallManager, CallManagerConfig, DeviceConfig, LineConfig
from pa_telephony.errors import RemoteProtocolError
from pa_telephony.sccp.manager import Link
from pa_telephony.sccp.registration import State
from pa_telephony.sccp.station import StationCore
from pa_telephony.sccp.style import StationConfig

NAME = "SEP000000001001"
CONFIG = CallManagerConfig(
    devices=(DeviceConfig(name=NAME, lines=(LineConfig(number="1001"),)),),
)
QUICK = StationConfig(first_back_off=0.01, longest_back_off=0.01)
GARBAGE = b"\xff" * 64


@contextlib.asynccontextmanager
async def a_manager_and(
    other: Callable[[trio.SocketStream], Awaitable[None]],
) -> AsyncGenerator[tuple[CallManager, str]]:
    """A good call manager, and the address of another one."""
    async with (
        trio.open_nursery() as nursery,
        callmanager.open_call_manager(CONFIG, sccp_port=0) as manager,
    ):
        serve = functools.partial(trio.serve_tcp, host="127.0.0.1")
        [listener] = await nursery.start(serve, other, 0)
        yield manager, f"127.0.0.1:{listener.socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


class Owner:
    """Whose connections they are."""

    def __init__(self) -> None:
        self.name = NAME
        self.config = QUICK
        self.protocol_errors = 0
        self.slow_call_managers = 0

    def take(self, link: Link, event: object) -> None: ...

    def came_up(self, link: Link) -> None: ...

    def went_down(self, link: Link) -> None: ...


def a_link(index: int = 0) -> Link:
    """A connection that stands by, without a socket."""
    link = Link(Owner(), index, ("127.0.0.1", 2000), 60.0, None, None)
    link.core = StationCore(NAME, QUICK)
    link.core.stand_by(trio.current_time(), 60.0)
    return link


@pytest.mark.parametrize("step", [Link.register, Link.come_back, Link.leave])
async def test_what_a_failed_connection_is_asked_for_is_no_error_of_who_asks(
    step: Callable[[Link], None],
) -> None:
    link = a_link()
    assert link.stands_by
    assert link.core is not None
    link.core.receive_data(GARBAGE, trio.current_time())
    with pytest.raises(RemoteProtocolError):
        link.core.next_event()
    assert link.core.state is State.OFFLINE
    assert not link.stands_by
    step(link)


async def test_a_better_call_manager_that_talks_garbage_costs_its_own_connection() -> None:
    """The station asked on a connection that had just failed whether it may come back."""

    async def garbage(stream: trio.SocketStream) -> None:
        with contextlib.suppress(trio.BrokenResourceError):
            await stream.send_all(GARBAGE)
            await stream.receive_some()
        await stream.aclose()

    with trio.fail_after(20):
        async with a_manager_and(garbage) as (manager, broken):
            for _ in range(20):
                both = [broken, manager.sccp_address]
                async with sccp.open_station(NAME, both, config=QUICK) as station:
                    while station.protocol_errors < 3:  # noqa: ASYNC110
                        await trio.sleep(0.001)
                    assert (station.registered, station.registrations) == (True, 1)


async def test_a_connection_that_fails_as_it_is_needed_is_one_that_could_not_be_had() -> None:
    """Garbage where the station stands by, and the end of its registration, at once."""
    streams: list[trio.SocketStream] = []

    async def later(stream: trio.SocketStream) -> None:
        streams.append(stream)
        await trio.sleep_forever()

    with trio.fail_after(20):
        async with a_manager_and(later) as (manager, broken):
            both = [manager.sccp_address, broken]
            async with sccp.open_station(NAME, both, config=QUICK) as station:
                for known in range(1, 11):
                    while not (station.registered and station.standing_by):  # noqa: ASYNC110
                        await trio.sleep(0.001)
                    assert (station.registrations, station.protocol_errors) == (known, known - 1)
                    [session] = manager._line_side.sessions.values()
                    await streams[-1].send_all(GARBAGE)
                    session.close("gone")
                    while station.registrations == known:  # noqa: ASYNC110
                        await trio.sleep(0.001)
