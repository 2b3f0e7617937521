"""Hidden nurseries show one bare exception; subscriptions are bounded."""

from __future__ import annotations

import errno
import os

import pytest
import trio
import trio.testing

from pa_telephony.errors import ConnectionLost, InternalError
from pa_telephony.tasks import Hub, SlowSubscriber, background, map_os_errors, os_reason


async def fail(error: BaseException) -> None:
    raise error


async def fail_after_start(
    error: BaseException, *, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED
) -> None:
    task_status.started("up")
    raise error


async def test_the_users_own_exception_comes_out_bare() -> None:
    mine = KeyError("mine")
    with pytest.raises(KeyError) as caught:
        async with background() as tasks:
            tasks.start_soon(trio.sleep_forever)
            raise mine
    assert caught.value is mine


async def test_a_lost_link_of_a_hidden_task_comes_out_as_itself() -> None:
    with pytest.raises(ConnectionLost, match="gone"):
        async with background() as tasks:
            tasks.start_soon(fail, ConnectionLost("gone"))
            await trio.sleep_forever()


async def test_a_bug_in_a_hidden_task_becomes_an_internal_error() -> None:
    with pytest.raises(InternalError, match="ZeroDivisionError: oops") as caught:
        async with background() as tasks:
            tasks.start_soon(fail, ZeroDivisionError("oops"))
            await trio.sleep_forever()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


async def test_a_bug_in_the_users_handler_stays_the_users() -> None:
    with pytest.raises(ZeroDivisionError):
        async with background() as tasks:
            tasks.start_handler(fail, ZeroDivisionError())
            await trio.sleep_forever()


async def test_of_two_exceptions_the_first_comes_out_and_names_the_other() -> None:
    async def at_the_end() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise ConnectionLost("second")

    with pytest.raises(KeyError) as caught:
        async with background() as tasks:
            tasks.start_soon(at_the_end)
            await trio.testing.wait_all_tasks_blocked()
            raise KeyError("first")
    assert caught.value.__notes__ == ["at the same time: ConnectionLost: second"]


async def test_keyboard_interrupt_wins_over_everything() -> None:
    async def at_the_end() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        async with background() as tasks:
            tasks.start_soon(at_the_end)
            await trio.testing.wait_all_tasks_blocked()
            raise KeyError("first")


async def test_leaving_stops_the_tasks() -> None:
    stopped = False

    async def run() -> None:
        nonlocal stopped
        try:
            await trio.sleep_forever()
        finally:
            stopped = True

    async with background() as tasks:
        tasks.start_soon(run)
        await trio.testing.wait_all_tasks_blocked()
    assert stopped


async def test_cancelling_from_outside_is_no_error() -> None:
    with trio.CancelScope() as scope:
        async with background() as tasks:
            tasks.start_soon(trio.sleep_forever)
            scope.cancel()
            await trio.sleep_forever()
    assert scope.cancelled_caught


async def test_cancelling_tasks_with_nurseries_of_their_own_is_no_error() -> None:
    """A cancelled nursery raises a group of Cancelled, which is not an error either."""

    async def busy() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            nursery.start_soon(trio.sleep_forever)

    with trio.move_on_after(0.01) as scope:
        async with background() as tasks:
            tasks.start_soon(busy)
            tasks.start_handler(busy)
            await busy()
    assert scope.cancelled_caught


async def test_start_gives_the_value_and_later_errors_come_out_bare() -> None:
    with pytest.raises(ConnectionLost, match="later"):
        async with background() as tasks:
            assert await tasks.start(fail_after_start, ConnectionLost("later")) == "up"
            await trio.sleep_forever()


async def test_start_raises_what_comes_before_started() -> None:
    async def never_up(*, task_status: trio.TaskStatus[None]) -> None:
        raise ConnectionLost("refused")

    async with background() as tasks:
        with pytest.raises(ConnectionLost, match="refused"):
            await tasks.start(never_up)


async def test_map_os_errors_says_who_and_why() -> None:
    with (
        pytest.raises(ConnectionLost, match=r"10\.0\.0\.5:2000: Connection refused"),
        map_os_errors("10.0.0.5:2000"),
    ):
        raise ConnectionRefusedError(111, "Connection refused")
    with pytest.raises(ConnectionLost), map_os_errors("x"):
        raise trio.EndOfChannel


async def test_every_subscriber_reads_every_event_in_order() -> None:
    hub: Hub[int] = Hub()
    with hub.subscribe() as one, hub.subscribe() as two:
        for number in range(5):
            hub.publish(number)
        hub.close()
        assert [n async for n in one] == [0, 1, 2, 3, 4]
        assert [n async for n in two] == [0, 1, 2, 3, 4]


async def test_a_slow_subscriber_loses_its_subscription_and_nobody_else_does() -> None:
    hub: Hub[int] = Hub(limit=2)
    with hub.subscribe() as slow, hub.subscribe(limit=10) as patient:
        for number in range(4):
            hub.publish(number)
        assert hub.subscribers == 1
        read: list[int] = []

        async def read_all() -> None:
            async for number in slow:
                read.append(number)

        with pytest.raises(SlowSubscriber):
            await read_all()
        assert read == [0, 1]
        assert [patient.receive_nowait() for _ in range(4)] == [0, 1, 2, 3]


async def test_a_hub_closed_with_an_error_raises_it_in_its_readers() -> None:
    hub: Hub[int] = Hub()
    with hub.subscribe() as events:
        hub.publish(1)
        hub.close(ConnectionLost("gone"))
        assert await anext(events) == 1
        with pytest.raises(ConnectionLost):
            await anext(events)
    with hub.subscribe() as late, pytest.raises(ConnectionLost):
        await anext(late)


def test_the_reason_behind_trio_s_failed_connections_is_told() -> None:
    tried = OSError("all attempts to connect to 127.0.0.1:2000 failed")
    tried.__cause__ = ExceptionGroup("failed", [OSError(errno.EMFILE, "in words of its own")])
    assert os_reason(tried) == os.strerror(errno.EMFILE)
    assert os_reason(OSError("just words")) == "just words"


async def test_an_address_that_the_machine_does_not_have_is_named() -> None:
    named = r"^there: local_address='203\.0\.113\.1' is incompatible"
    with pytest.raises(ConnectionLost, match=named), map_os_errors("there"):
        await trio.open_tcp_stream("127.0.0.1", 1, local_address="203.0.113.1")
