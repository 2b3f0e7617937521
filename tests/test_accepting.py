"""How connections are accepted: in their order, a few at a time, and whatever fails of it."""

from __future__ import annotations

import logging
import socket

import pytest
import trio
from whole_house import until

from pa_telephony import serving

LOG = logging.getLogger("tests.accepting")


@pytest.fixture
def listener() -> socket.socket:
    with socket.create_server(("127.0.0.1", 0)) as made:
        return made.dup()


def connect(listener: socket.socket, many: int) -> list[socket.socket]:
    return [socket.create_connection(listener.getsockname()) for _ in range(many)]


@pytest.mark.real_time
async def test_those_who_wait_are_served_in_the_order_in_which_they_came(
    listener: socket.socket,
) -> None:
    many = 3 * serving._AT_ONCE + 1
    clients = connect(listener, many)
    served: list[tuple[str, int]] = []

    async def handle(stream: trio.SocketStream) -> None:
        served.append(stream.socket.getpeername())

    listener.setblocking(False)
    ours = trio.SocketListener(trio.socket.from_stdlib_socket(listener))
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serving.serve_connections, [ours], handle, LOG)
            await until(lambda: len(served) == many)
            nursery.cancel_scope.cancel()
    by_batches = [
        set(served[at : at + serving._AT_ONCE]) for at in range(0, many, serving._AT_ONCE)
    ]
    names = [client.getsockname() for client in clients]
    assert by_batches == [
        set(names[at : at + serving._AT_ONCE]) for at in range(0, many, serving._AT_ONCE)
    ]
    for client in clients:
        client.close()
