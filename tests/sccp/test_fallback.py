"""Call managers of a list that are no good: what one of them does costs its own connection."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest
import trio
import trio.testing
from company import ALICE
from whole_house import QUICK_STATION, a_manager

from pa_telephony import sccp
from pa_telephony.callmanager import CallManager
from pa_telephony.errors import RemoteProtocolError
from pa_telephony.sccp import messages
from pa_telephony.sccp.connection import Connection, Role
from pa_telephony.sccp.station.core import MayReturn, StationCore
from pa_telephony.sccp.station.link import Link, Standby
from pa_telephony.sccp.station.registration import State

GARBAGE = b"\xff" * 64


@contextlib.asynccontextmanager
async def a_manager_and(
    other: Callable[[trio.SocketStream], Awaitable[None]],
) -> AsyncGenerator[tuple[CallManager, str]]:
    """A good call manager, and the address of another one."""
    async with (
        trio.open_nursery() as nursery,
        a_manager(within=math.inf) as manager,
    ):
        serve = functools.partial(trio.serve_tcp, host="127.0.0.1")
        [listener] = await nursery.start(serve, other, 0)
        yield manager, f"127.0.0.1:{listener.socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


class Owner:
    """The owner of the connections."""

    def __init__(self) -> None:
        self.name = ALICE
        self.config = QUICK_STATION
        self.protocol_errors = 0
        self.slow_call_managers = 0
        self.last_error = ""

    def handle_link_event(self, link: Link, event: object) -> None: ...

    def came_up(self, link: Link) -> None: ...

    def went_down(self, link: Link) -> None: ...


def a_link(index: int = 0) -> Link:
    """A connection that stands by, without a socket."""
    link = Link(Owner(), index, ("127.0.0.1", 2000), 60.0, None, None)
    link.core = StationCore(ALICE, QUICK_STATION)
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
                async with sccp.open_station(ALICE, both, config=QUICK_STATION) as station:
                    while station.protocol_errors < 3:  # noqa: ASYNC110
                        await trio.sleep(0.001)
                    assert (station.registered, station.registrations) == (True, 1)


class Better:
    """What a station knows of a call manager that would have it, and when it goes there."""

    def __init__(self, clock: trio.testing.MockClock) -> None:
        self.standby = Standby(QUICK_STATION, 2, a_link)
        self._clock = clock

    def left_for(self) -> float:
        """Seconds until the station, served by the second, goes to the first: it has a token."""
        start = trio.current_time()
        self.standby.arrange(1, start)
        at = max(start, self.standby.next_look(1, may_return=True))
        self._clock.jump(at - start)
        link = self.standby._links[0]
        assert self.standby.ask_to_return(1, at) is None
        assert link.core is not None
        assert link.core.state is State.ASKING
        self.standby.answered(0, MayReturn(), at)
        assert self.standby.take_link(0) is link
        return at - start


async def test_the_way_to_one_that_never_takes_the_station_is_tried_half_as_often_each_time(
    mock_clock: trio.testing.MockClock,
) -> None:
    better = Better(mock_clock)
    waits: list[float] = []
    for _ in range(9):
        waits.append(better.left_for())
        better.standby.not_taken(0, trio.current_time())
    assert waits == [0.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 3600.0, 3600.0, 3600.0]
    # It takes the station after all; from then on it is asked as often as any other.
    assert better.left_for() == 3600.0
    better.standby.taken(0)
    assert better.left_for() == 60.0
    better.standby.not_taken(0, trio.current_time())
    assert better.left_for() == 120.0


@pytest.mark.parametrize("takes", [False, True], ids=["refuses", "takes and drops at once"])
async def test_a_station_seldom_leaves_a_good_one_for_one_that_does_not_have_it(
    takes: bool, mock_clock: trio.testing.MockClock
) -> None:
    """Which answers keepalives, and closes on RegisterTokenReq and RegisterReq: each minute once
    the station was out of reach."""

    async def better(stream: trio.SocketStream) -> None:
        core = Connection(Role.CALL_MANAGER)
        with contextlib.suppress(trio.BrokenResourceError):
            while data := await stream.receive_some(4096):
                core.receive_data(bytes(data))
                while (message := core.next_event()) is not None:
                    match message:
                        case messages.KeepAliveReq():
                            core.send(messages.KeepAliveAck())
                        case messages.RegisterReq() if takes and again:
                            core.send(messages.RegisterAck(keep_alive_interval=30))
                        case messages.TimeDateReq() if takes:
                            core.send(messages.TimeDateRes(w_year=2026))
                            await stream.send_all(core.data_to_send())
                            return
                        case messages.RegisterReq() | messages.RegisterTokenReq():
                            again.append(True)
                            return
                        case _:
                            pass
                await stream.send_all(core.data_to_send())

    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            await better(stream)

    again: list[bool] = []
    async with a_manager_and(serve) as (manager, bad):
        both = [bad, manager.sccp_address]
        async with sccp.open_station(ALICE, both, config=QUICK_STATION) as station:
            for _ in range(360):
                mock_clock.jump(5.0)
                await trio.testing.wait_all_tasks_blocked(0.003)
            # At 4, 124, 364, 844 and 1804 seconds.
            assert 3 <= manager.sccp_counters.registrations <= 7
            assert station.registered
