"""A thousand open event streams at once, on real sockets: what each is told, and what stays."""

from __future__ import annotations

import gc
import os
import resource
from collections import Counter
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
import trio
from form_browser import BASE
from hypercorn.trio.tcp_server import TCPServer
from served_pages import ask, opened

from pa_telephony.admin.gate import COOKIE
from pa_telephony.admin.live import MOST
from pa_telephony.admin.records import ADMINISTRATOR
from pa_telephony.failover import Command

pytestmark = [pytest.mark.real_time, pytest.mark.long, pytest.mark.timeout(540)]

STREAMS = 1000


@pytest.fixture
def many_files() -> Generator[None]:
    """Both ends of each stream are descriptors of this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * STREAMS + 500
    assert hard == resource.RLIM_INFINITY or hard >= wanted, "the hard limit of files is too low"
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Followers:
    """Those who follow the Control Center in one session; each reads until its stream ends."""

    def __init__(self, port: int, token: str) -> None:
        self.port = port
        self.request = ("Host: localhost", f"Cookie: {COOKIE}={token}")
        self.told: Counter[str] = Counter()
        """How many were told first what is so, and how many that too many follow."""
        self.ended = 0
        """How many of the streams have been ended by the server."""
        self.saw_the_order = 0

    async def follow(self) -> None:
        """Read the events of a stream."""
        first, heard = "", b""
        async with await trio.open_tcp_stream("127.0.0.1", self.port) as stream:
            lines = (f"GET {BASE}/control-center/events HTTP/1.1", *self.request)
            await stream.send_all("\r\n".join([*lines, "Connection: close", "", ""]).encode())
            async for part in stream:
                before, heard = heard, heard + part
                if not first:
                    kinds = [each for each in ("update", "full") if f": {each}\n".encode() in heard]
                    first = "".join(kinds)
                    self.told.update(kinds)
                order = b"PA1 is stopped: down"
                self.saw_the_order += order in heard and order not in before
        self.ended += 1

    async def page(self, name: str) -> bytes:
        """The page of this name, to its end."""
        lines = (f"GET {BASE}/{name} HTTP/1.1", *self.request)
        return await ask(self.port, *lines, until=b"</html>")


async def until(is_so: Callable[[], bool]) -> None:
    with trio.fail_after(240):
        while not is_so():  # noqa: ASYNC110 - nothing tells of it
            await trio.sleep(0.05)


def connections() -> int:
    """How many connections hypercorn holds."""
    gc.collect()
    return sum(type(each) is TCPServer for each in gc.get_objects())


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.usefixtures("many_files")
async def test_of_a_thousand_streams_200_follow_the_others_are_told_and_all_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path, monkeypatch) as (all_pages, port):
        followers = Followers(port, all_pages.records.begin(ADMINISTRATOR).token)
        assert b"</html>" in await followers.page("control-center")
        await until(lambda: connections() == 0)
        before = descriptors()
        async with trio.open_nursery() as nursery:
            for _ in range(STREAMS):
                nursery.start_soon(followers.follow)
            await until(lambda: followers.told.total() == STREAMS)
            assert followers.told == {"update": MOST, "full": STREAMS - MOST}
            assert all_pages.live.followers == MOST
            await until(lambda: followers.ended == STREAMS - MOST)

            # Pages are answered meanwhile, to those who do not follow as well.
            for name in ("control-center", "server-status", "cluster", "alarms"):
                answer = await followers.page(name)
                assert answer.startswith(b"HTTP/1.1 200")
                assert b"</html>" in answer

            # Nothing is lost: each of those who follow is told of an order.
            await all_pages.managed.order(Command.STOP, ["PA1"], within=0.0)
            await until(lambda: followers.saw_the_order == MOST)
            nursery.cancel_scope.cancel()

        await until(lambda: all_pages.live.followers == 0)
        await until(lambda: connections() == 0)
        await until(lambda: descriptors() <= before)

        # There is room for others again.
        async with trio.open_nursery() as nursery:
            nursery.start_soon(followers.follow)
            await until(lambda: followers.told["update"] == MOST + 1)
            nursery.cancel_scope.cancel()
