"""Requests to the members of an etcd: bounded, sent again where that is safe, never guessed about.

The client is httpcore2, the part of httpx2 that speaks HTTP and no more: it runs in trio, is kept,
and needs h11 alone. (etcd's own clients for Python are of gRPC, asyncio or threads.) A request that
may be sent twice is *hedged*: a member that has not answered within 0.12 s is not waited for, and
the next one is asked, too; a member that stands still costs that long and no more.
"""

from __future__ import annotations

import contextlib
import json
import ssl
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any, cast

import httpcore2
import trio

from pa_telephony.errors import ConfigurationError, ConnectionLost, RemoteProtocolError
from pa_telephony.failover.stores.etcd_address import EtcdAddress

__all__ = ["BOUND", "Gateway", "Refused", "Unanswered"]

BOUND = 1.0
"""How many seconds a request may take at most, however many members are asked."""
_ONCE = 0.5
"""So many of them one that may not be sent twice."""
_HEDGE = 0.12
_CONNECTIONS = 64
_MOST_BYTES = 64 << 20
"""An answer is no longer than this; 4,000 numbers take some 2 MiB."""
_MOST_LINE = 16 << 20

# Codes of gRPC with which a member says that a request was not done, and will not be. With all
# others (14: no leader, or the leader is another; 4: too late) it may have been.
_DEFINITE = {3, 5, 6, 7, 8, 9, 11, 12, 16}
_UNAUTHENTICATED = 16
_NO_SPACE = 8


class Unanswered(ConnectionLost):
    """No member has answered in time; whether the request was done is not known."""


class Refused(ConnectionLost):
    """A member has refused the request, which was not done."""

    def __init__(self, reason: str, code: int) -> None:
        super().__init__(reason)
        self.code = code


class _NotSentError(Unanswered):
    """A member cannot be reached; the request was not sent to it."""


class Gateway:
    """The members of one etcd; made by :func:`open_gateway`."""

    def __init__(
        self, address: EtcdAddress, pool: httpcore2.AsyncConnectionPool, password: str
    ) -> None:
        self.address = address
        self._pool = pool
        self._password = password
        self._best = 0
        self._token = ""
        self._logging_in = trio.Lock()

    async def ask(self, path: str, body: object, *, repeatable: bool) -> Any:
        """The answer to a request, within a second; raises :class:`Refused`, :class:`Unanswered`.

        What is not ``repeatable`` reaches one member at most.
        """
        content = json.dumps(body, separators=(",", ":")).encode()
        with trio.move_on_after(BOUND):
            if repeatable:
                return await self._hedged(path, content)
            return await self._once(path, content)
        raise Unanswered(f"{self.name}: no answer within {BOUND:g} s")

    @contextlib.asynccontextmanager
    async def follow(
        self, path: str, body: object, member: int
    ) -> AsyncGenerator[AsyncGenerator[Any]]:
        """The messages of an answer without an end, of one member; raises ConnectionLost.

        A member without a leader ends it. Only the beginning has a bound.
        """
        content = json.dumps(body, separators=(",", ":")).encode()
        url = self.address.urls[member % len(self.address.urls)]
        with _mapped(url):
            async with self._opened(url, path, content, bounded=False) as response:
                if response.status != 200:
                    self._refuse(url, await _read(response))
                async with contextlib.aclosing(_lines(response)) as lines:
                    yield lines

    @property
    def best(self) -> int:
        """The number of the member that answered last."""
        return self._best

    # ------------------------------------------------------------------------- one request

    async def _hedged(self, path: str, content: bytes) -> Any:
        answers: list[Any] = []
        troubles: list[Unanswered] = []
        refused: list[Refused] = []

        async def one(number: int, over: trio.Event) -> None:
            try:
                answers.append(await self._one(number, path, content))
                self._best = number
            except Unanswered as trouble:
                troubles.append(trouble)
            except Refused as trouble:
                refused.append(trouble)
            over.set()
            if answers or refused:
                nursery.cancel_scope.cancel()

        async with trio.open_nursery() as nursery:
            for number in self._order():
                over = trio.Event()
                nursery.start_soon(one, number, over)
                with trio.move_on_after(_HEDGE):
                    await over.wait()
        if answers:
            return answers[0]
        if refused:
            raise refused[0]
        raise Unanswered("; ".join(dict.fromkeys(map(str, troubles)))) from troubles[-1]

    async def _once(self, path: str, content: bytes) -> Any:
        troubles: list[_NotSentError] = []
        for number in self._order():
            try:
                with trio.move_on_after(_ONCE):
                    return await self._one(number, path, content)
            except _NotSentError as trouble:
                troubles.append(trouble)
                self._best = (number + 1) % len(self.address.urls)
                continue
            self._best = (number + 1) % len(self.address.urls)
            raise Unanswered(f"{self.address.urls[number]}: no answer within {_ONCE:g} s")
        raise Unanswered("; ".join(map(str, troubles))) from troubles[-1]

    def _order(self) -> list[int]:
        count = len(self.address.urls)
        return [(self._best + number) % count for number in range(count)]

    async def _one(self, number: int, path: str, content: bytes) -> Any:
        url = self.address.urls[number]
        if self.address.user and not self._token:
            await self._log_in(url, "")
        token = self._token
        try:
            return await self._posted(url, path, content)
        except Refused as refused:
            if not self.address.user or refused.code != _UNAUTHENTICATED:
                raise
        await self._log_in(url, token)
        return await self._posted(url, path, content)

    async def _log_in(self, url: str, before: str) -> None:
        async with self._logging_in:
            if self._token != before:
                return
            name = self.address.user
            self._token = ""
            said = json.dumps({"name": name, "password": self._password}).encode()
            answer = await self._posted(url, "/v3/auth/authenticate", said)
            self._token = str(_object(answer).get("token", ""))

    async def _posted(self, url: str, path: str, content: bytes) -> Any:
        with _mapped(url):
            async with self._opened(url, path, content) as response:
                body = await _read(response)
            if response.status != 200:
                self._refuse(url, body)
            return _parsed(body)

    @contextlib.asynccontextmanager
    async def _opened(
        self, url: str, path: str, content: bytes, *, bounded: bool = True
    ) -> AsyncGenerator[httpcore2.Response]:
        headers = [
            (b"Host", url.partition("://")[2].encode()),
            (b"Content-Type", b"application/json"),
            (b"Content-Length", str(len(content)).encode()),
            # A member that has lost its leader says so, and does not keep a watch without news.
            (b"Grpc-Metadata-hasleader", b"true"),
        ]
        if self._token:
            headers.append((b"Authorization", self._token.encode()))
        limits = {"connect": BOUND, "write": BOUND, "pool": BOUND}
        if bounded:
            limits["read"] = BOUND
        async with self._pool.stream(
            "POST", url + path, headers=headers, content=content, extensions={"timeout": limits}
        ) as response:
            yield response

    def _refuse(self, url: str, body: bytes) -> None:
        """Raise what a member's error means."""
        found = _object(_parsed(body))
        # A stream wraps it once more.
        found = _object(found["error"]) if "grpc_code" in str(found.get("error")) else found
        reason = str(found.get("message") or found.get("error") or "an error without words")
        code: object = found.get("code", found.get("grpc_code"))
        if code == _NO_SPACE:
            reason += " (docs/operations.md: etcd needs compaction, or more room)"
        if isinstance(code, int) and code in _DEFINITE:
            raise Refused(f"{url}: {reason}", code)
        raise Unanswered(f"{url}: {reason}")

    @property
    def name(self) -> str:
        """What messages call it: its members."""
        return ", ".join(self.address.urls)


@contextlib.asynccontextmanager
async def open_gateway(address: EtcdAddress) -> AsyncGenerator[Gateway]:
    """The members of ``address``, with connections that are kept; closed when the block is left.

    Raises ConfigurationError when a file for TLS, or with the password, cannot be used.
    """
    password = await trio.to_thread.run_sync(_password, address) if address.user else ""
    context = await trio.to_thread.run_sync(_tls, address) if address.tls else None
    pool = httpcore2.AsyncConnectionPool(
        ssl_context=context, max_connections=_CONNECTIONS, keepalive_expiry=60.0
    )
    try:
        yield Gateway(address, pool, password)
    finally:
        with trio.CancelScope(shield=True), trio.move_on_after(BOUND):
            await pool.aclose()


def _tls(address: EtcdAddress) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=address.ca or None)
        if address.cert:
            context.load_cert_chain(address.cert, address.key)
    except (OSError, ssl.SSLError) as error:
        names = ", ".join(each for each in (address.ca, address.cert, address.key) if each)
        raise ConfigurationError(f"cannot use {names}: {error}", field="store") from error
    return context


def _password(address: EtcdAddress) -> str:
    try:
        return Path(address.password).read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        rule = f"password={address.password}: {error}"
        raise ConfigurationError(rule, field="store") from error


@contextlib.contextmanager
def _mapped(url: str) -> Generator[None]:
    try:
        yield
    except (httpcore2.ConnectError, httpcore2.ConnectTimeout, httpcore2.PoolTimeout) as error:
        raise _NotSentError(f"{url}: cannot be reached: {error}") from error
    except (httpcore2.NetworkError, httpcore2.TimeoutException) as error:
        raise Unanswered(f"{url}: no answer: {error or type(error).__name__}") from error
    except (httpcore2.ProtocolError, RemoteProtocolError) as error:
        raise Unanswered(f"{url}: no answer that can be read: {error}") from error


async def _read(response: httpcore2.Response) -> bytes:
    found = bytearray()
    async with _parts(response) as parts:
        async for part in parts:
            found += part
            if len(found) > _MOST_BYTES:
                raise RemoteProtocolError(f"an answer of more than {_MOST_BYTES >> 20} MiB")
    return bytes(found)


async def _lines(response: httpcore2.Response) -> AsyncGenerator[Any]:
    rest = b""
    async with _parts(response) as parts:
        async for part in parts:
            *lines, rest = (rest + part).split(b"\n")
            if len(rest) > _MOST_LINE:
                raise RemoteProtocolError(f"a message of more than {_MOST_LINE >> 20} MiB")
            for line in lines:
                if line.strip():
                    yield _parsed(line)


def _parts(
    response: httpcore2.Response,
) -> contextlib.AbstractAsyncContextManager[AsyncGenerator[bytes]]:
    # It is a generator, which has to be closed when it is left before its end.
    parts = response.aiter_stream()
    assert isinstance(parts, AsyncGenerator)
    return contextlib.aclosing(parts)


def _object(said: object) -> dict[str, Any]:
    return cast("dict[str, Any]", said) if isinstance(said, dict) else {}


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RemoteProtocolError(f"{body[:60]!r} is no JSON: {error}") from error
