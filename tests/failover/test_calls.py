"""Who is answered at a media port and at a route point, who waits, and who is turned away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import trio
import trio.testing
from driver import Driver, started
from worlds import CLUSTER, INTERCEPTOR, PORTS, ROUTE_POINT

from pa_telephony import cti, failover, sccp
from pa_telephony.cti.client.route_session import Input, State
from pa_telephony.cti.enums import CTIFAILURE
from pa_telephony.errors import CallEnded
from pa_telephony.failover import Identity
from pa_telephony.failover.beat import Beat
from pa_telephony.failover.calls import Calls
from pa_telephony.failover.world import session, stop

BUSY = CTIFAILURE.REDIRECT_CALL_DESTINATION_BUSY
OUT_OF_ORDER = CTIFAILURE.REDIRECT_CALL_DESTINATION_OUT_OF_ORDER
NOT_KNOWN = CTIFAILURE.REDIRECT_CALL_UNKNOWN_DESTINATION
ONE_CALL = replace(CLUSTER, servers=(replace(CLUSTER.servers[0], capacity=1), *CLUSTER.servers[1:]))
"""PA1 may have one call at once."""


class Session(SimpleNamespace):
    """A call at a route point, as far as it is looked at."""

    def __init__(self) -> None:
        super().__init__(
            calling="1001",
            called="6000",
            call_id=7,
            tried=(),
            ended_by=None,
            state=State.ROUTE,
            ended=False,
        )

    async def refuse(self) -> None:
        self.ended = True

    def takes(self, number: str) -> None:
        self.tried, self.state, self.ended = ((number, "taken"),), State.ROUTE_USED, True


class Chooses(failover.Application):
    """Tries the ports in the order given; the first ``refusals`` times each call is refused."""

    def __init__(self, *refusals: dict[str, int]) -> None:
        self.refusals = list(refusals)
        self.given: list[list[str]] = []
        self.media: list[Identity] = []
        self.intercepted: list[Any] = []

    async def route_call(self, session: cti.RouteSession, ports: Sequence[str]) -> None:
        await trio.lowlevel.checkpoint()
        self.given.append([*ports])
        if self.refusals:
            refused: Any = self.refusals.pop(0)
            raise cti.RouteFailed(refused)
        if ports:
            taken: Any = session
            taken.takes(ports[0])

    async def media_call(self, call: sccp.Call, identity: Identity) -> None:
        await trio.lowlevel.checkpoint()
        self.media.append(identity)

    async def intercepted_call(self, session: cti.RouteSession) -> None:
        await trio.lowlevel.checkpoint()
        self.intercepted.append(session)


class Bench:
    """The calls of PA1, which holds all of its own; ``events`` is what was written down."""

    def __init__(self, application: failover.Application, driver: Driver | None = None) -> None:
        self.driver = driver or started()
        self.events: list[tuple[str, dict[str, object]]] = []
        self._began = trio.current_time()
        self._start = self.driver.now
        self.calls = Calls(self.driver.member, application, self.clock, self._event, lambda: None)

    def clock(self) -> float:
        return self._start + trio.current_time() - self._began

    def _event(self, kind: str, **fields: object) -> None:
        self.events.append((kind, fields))

    async def routed(self, at: Identity = ROUTE_POINT) -> Any:
        caller: Any = Session()
        await self.calls.routed_call(at, caller)
        return caller

    def why(self) -> object:
        """The reason in the newest event."""
        return self.events[-1][1]["why"]


def heard_of(driver: Driver, **changes: Any) -> None:
    """The store says of PA1's heartbeat what is given besides."""
    up = {identity.label for identity in CLUSTER.identities("PA1")}
    beat = replace(Beat("life of PA1", up=frozenset(up)), **changes)
    driver.worlds.put(session("PA1"), beat.encode())
    driver.member.observe(driver.worlds.snapshot(), driver.now)


async def test_a_caller_is_sent_to_a_port_of_the_home_and_the_event_says_which() -> None:
    bench = Bench(application := Chooses())
    await bench.routed()
    assert application.given == [["6001", "6002"]]
    (kind, fields) = bench.events[-1]
    assert (kind, fields["tried"], fields["why"]) == ("routed", ["6001 taken"], "")


async def test_ports_without_a_call_come_first_then_those_about_to_go_home_then_busy_ones() -> None:
    bench = Bench(application := Chooses())
    heard_of(bench.driver, busy=frozenset({PORTS[0].label}))
    await bench.routed()
    assert application.given == [["6002", "6001"]]


async def test_beyond_the_guard_nobody_is_served_and_the_reason_is_written_down() -> None:
    bench = Bench(application := Chooses())
    bench.driver.member._guard = bench.driver.now - 1.0
    caller = await bench.routed()
    assert not caller.ended  # the one who may act finds it at its own route point
    assert bench.events[-1][0] == "not_routed"
    assert bench.why() == "the guard is over"
    await bench.routed(INTERCEPTOR)
    call: Any = SimpleNamespace(calling="1001", heard=0.0)
    await bench.calls.media_call(PORTS[0], call)
    assert bench.events[-1][0] == "turned_away"
    assert bench.why() == "the guard is over"
    assert (application.given, application.media, application.intercepted) == ([], [], [])


async def test_a_call_at_a_port_goes_to_the_application_until_there_are_too_many() -> None:
    bench = Bench(application := Chooses(), started(cluster=ONE_CALL))
    call: Any = SimpleNamespace(calling="1001", heard=0.0)
    bench.driver.member.set_busy(PORTS[0], True)
    await bench.calls.media_call(PORTS[0], call)
    assert application.media == [PORTS[0]]
    await bench.calls.media_call(PORTS[1], call)
    assert application.media == [PORTS[0]]
    assert bench.why() == "1 call, of 1 at most"


async def test_no_port_of_a_server_that_has_all_the_calls_it_may_have_is_chosen() -> None:
    bench = Bench(application := Chooses(), started(cluster=ONE_CALL))
    heard_of(bench.driver)
    bench.driver.member.set_busy(PORTS[0], True)
    await bench.routed()
    assert application.given == [[]]
    assert ("turned_away", "1 call, of 1 at most") in [
        (kind, fields["why"]) for kind, fields in bench.events
    ]


async def test_a_call_sent_to_a_port_counts_before_it_rings() -> None:
    bench = Bench(application := Chooses(), started(cluster=ONE_CALL))
    await bench.routed()
    await bench.routed()
    assert application.given == [["6001", "6002"], []]
    bench.calls.busy("6001", True)
    bench.calls.busy("6001", False)
    await bench.routed()
    assert application.given[2] == ["6001", "6002"]


@pytest.mark.parametrize(
    ("refusals", "asked"),
    [
        ([{"6001": BUSY, "6002": OUT_OF_ORDER}, {"6001": BUSY}], 2),
        ([{"6001": BUSY, "6002": BUSY}], 1),
        ([{"1001": OUT_OF_ORDER}], 1),
        ([{"6002": OUT_OF_ORDER}, {"6002": OUT_OF_ORDER}], 3),
    ],
    ids=["then busy", "busy", "no port of the home", "then taken"],
)
async def test_a_call_waits_for_a_port_that_is_registered_nowhere_and_for_no_other(
    refusals: list[dict[str, int]], asked: int, autojump_clock: trio.testing.MockClock
) -> None:
    """F28. The claim may be over while the last port is on its way: only the refusal tells."""
    bench = Bench(application := Chooses(*refusals))
    began = trio.current_time()
    given: Any = Session()
    if asked > len(refusals):
        await bench.calls.route_call("PA1", given)
    else:
        with pytest.raises(cti.RouteFailed):
            await bench.calls.route_call("PA1", given)
    assert len(application.given) == asked
    assert trio.current_time() - began <= 4.1


@pytest.mark.parametrize("code", [BUSY, OUT_OF_ORDER, NOT_KNOWN])
async def test_a_caller_whom_nobody_takes_is_refused_in_the_end_and_does_not_ring(
    code: int, autojump_clock: trio.testing.MockClock
) -> None:
    bench = Bench(Chooses(*[{"6001": code}] * 100))
    caller: Any = Session()
    began = trio.current_time()
    with pytest.raises(cti.RouteFailed):
        await bench.calls.routed_call(ROUTE_POINT, caller)
    assert caller.ended
    waited = trio.current_time() - began
    assert waited == 0.0 if code == BUSY else 4.0 <= waited < 5.0  # a router has 5 s


def drains(bench: Bench, *, heir: bool = True) -> None:
    """PA1 is drained, with all of its ports still there; PA2 could take them, if there is one."""
    worlds = bench.driver.worlds
    if heir:
        worlds.enter("PA2")
    worlds.put(stop("PA1"), "drain:60")
    heard_of(bench.driver)


async def test_a_port_that_a_drained_server_is_about_to_give_is_waited_for(
    autojump_clock: trio.testing.MockClock,
) -> None:
    bench = Bench(application := Chooses())
    drains(bench)

    async def gives() -> None:
        await trio.sleep(0.3)
        worlds = bench.driver.worlds
        worlds.own("PA2", *PORTS)
        worlds.enter("PA2", up=PORTS)
        worlds.enter("PA1")
        bench.driver.member.observe(worlds.snapshot(), bench.driver.now)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(gives)
        caller = await bench.routed()
    assert application.given == [["6001", "6002"]]
    assert caller.state is State.ROUTE_USED


async def test_a_port_that_is_not_given_in_time_or_that_nobody_is_to_have_is_not_waited_for(
    autojump_clock: trio.testing.MockClock,
) -> None:
    for heir, least, most in ((True, 3.99, 4.2), (False, 0.0, 0.0)):
        bench = Bench(application := Chooses())
        drains(bench, heir=heir)
        began = trio.current_time()
        await bench.routed()
        assert application.given == [[]]
        assert least <= trio.current_time() - began <= most


async def test_a_call_that_was_sent_to_a_port_before_the_order_to_drain_is_answered() -> None:
    bench = Bench(application := Chooses())
    await bench.routed()
    drains(bench)
    call: Any = SimpleNamespace(calling="1001", heard=0.0)
    await bench.calls.media_call(PORTS[0], call)
    assert application.media == [PORTS[0]]
    await bench.calls.media_call(PORTS[1], call)
    assert application.media == [PORTS[0]]
    assert "takes no new calls" in str(bench.why())
    bench.driver.worlds.stop("PA1")
    heard_of(bench.driver)
    await bench.calls.media_call(PORTS[0], call)
    assert application.media == [PORTS[0]]


async def test_a_caller_that_another_server_takes_meanwhile_is_left_to_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    bench = Bench(application := Chooses())
    drains(bench)
    caller: Any = Session()

    async def goes() -> None:
        await trio.sleep(0.3)
        caller.ended, caller.ended_by = True, Input.GONE

    async with trio.open_nursery() as nursery:
        nursery.start_soon(goes)
        await bench.calls.routed_call(ROUTE_POINT, caller)
    assert application.given == []
    assert [kind for kind, _ in bench.events] == ["not_routed"]


async def test_a_bug_of_the_application_is_counted_and_ends_its_own_call_only() -> None:
    class Broken(failover.Application):
        async def media_call(self, call: sccp.Call, identity: Identity) -> None:
            await trio.lowlevel.checkpoint()
            raise RuntimeError("a bug")

    bench = Bench(Broken())
    call: Any = SimpleNamespace(calling="1001", heard=0.0)
    await bench.calls.media_call(PORTS[0], call)
    assert bench.calls.application_errors == 1
    assert isinstance(bench.calls.last_application_error, RuntimeError)
    assert bench.events == [
        ("application.error", {"identity": PORTS[0].label, "error": "RuntimeError('a bug')"})
    ]


async def test_that_a_call_has_ended_is_no_bug() -> None:
    class Leaves(failover.Application):
        async def media_call(self, call: sccp.Call, identity: Identity) -> None:
            await trio.lowlevel.checkpoint()
            raise CallEnded

    bench = Bench(Leaves())
    call: Any = SimpleNamespace(calling="1001", heard=0.0)
    with pytest.raises(CallEnded):
        await bench.calls.media_call(PORTS[0], call)
    assert bench.calls.application_errors == 0
