"""Hidden nurseries that leak nothing, subscriptions that stay bounded, and one place for OSError.

A resource that runs tasks behind its user's back never shows an exception group (CONTRIBUTING.md,
house rules). The user's own exception comes out bare, a lost link is one
:class:`~pa_telephony.errors.ConnectionLost`, and a bug of ours is an
:class:`~pa_telephony.errors.InternalError`.
"""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, TypeVarTuple, cast

import trio

from pa_telephony.errors import ConnectionLost, InternalError, TelephonyError

__all__ = [
    "Background",
    "Hub",
    "SlowSubscriber",
    "Subscription",
    "background",
    "map_os_errors",
    "os_reason",
]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class SlowSubscriber(TelephonyError):
    """A subscriber fell so far behind that events had to be thrown away."""


def map_os_errors(peer: str) -> AbstractContextManager[None]:
    """Turn what the operating system and trio's streams raise into :class:`ConnectionLost`.

    ``peer`` names the other side in the message, for example ``"127.0.0.1:2000"``. What is returned
    may be entered again and again.
    """
    return _OSErrors(peer)


class _OSErrors:
    """Made once and entered for each read, where a generator would be made for each."""

    __slots__ = ("_peer",)

    def __init__(self, peer: str) -> None:
        self._peer = peer

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        match error:
            case trio.BrokenResourceError():
                # trio wraps the OSError that tells why; that one is worth reading.
                why = str(error.__cause__ or "connection broken")
            case trio.ClosedResourceError() | trio.EndOfChannel():
                why = "connection closed"
            case OSError():
                why = os_reason(error)
            case _:
                return
        raise ConnectionLost(f"{self._peer}: {why}") from error


def os_reason(error: OSError) -> str:
    """The reason why the operating system refused, in its own words: "Connection refused"."""
    # trio's "all attempts to connect failed" has the reasons behind it, with the address in words.
    reason: BaseException | None = error.__cause__
    while isinstance(reason, BaseExceptionGroup):
        reason = cast("BaseExceptionGroup[BaseException]", reason).exceptions[-1]
    if isinstance(reason, OSError):
        # Without a number it is trio's own: our address is none of this machine's.
        return os.strerror(reason.errno) if reason.errno else str(reason)
    return error.strerror or str(error)


class Background:
    """The tasks behind an open resource; made by :func:`background`."""

    def __init__(self, nursery: trio.Nursery, errors: list[BaseException]) -> None:
        self._nursery = nursery
        self._errors = errors

    @property
    def cancel_scope(self) -> trio.CancelScope:
        """The scope that cancels the body and every task."""
        return self._nursery.cancel_scope

    def start_soon(
        self,
        function: Callable[[*Ts], Awaitable[object]],
        *arguments: *Ts,
        name: str | None = None,
    ) -> None:
        """Run a task of ours; any exception but a TelephonyError becomes an InternalError."""
        self._nursery.start_soon(
            self._run, function, arguments, True, name=name or _name_of(function)
        )

    def start_to_the_end(
        self, function: Callable[[], Awaitable[object]], *, name: str | None = None
    ) -> trio.CancelScope:
        """Run a task of ours that also goes on while a cancelled body says goodbye.

        Cancel the scope that is returned when that is done, whatever happens: nothing else ends the
        task.
        """
        scope = trio.CancelScope(shield=True)

        async def run() -> None:
            with scope:
                await function()

        self.start_soon(run, name=name or _name_of(function))
        return scope

    def start_handler(
        self,
        function: Callable[[*Ts], Awaitable[object]],
        *arguments: *Ts,
        name: str | None = None,
    ) -> None:
        """Run a function of the user's; whatever it raises comes out bare."""
        self._nursery.start_soon(
            self._run, function, arguments, False, name=name or _name_of(function)
        )

    async def start(
        self, function: Callable[..., Awaitable[object]], *arguments: Any, name: str | None = None
    ) -> Any:
        """Run a task of ours until it calls ``task_status.started(value)``; gives that value.

        What the task raises before then is raised here.
        """

        async def run(*, task_status: trio.TaskStatus[Any]) -> None:
            started = _Once(task_status)
            try:
                await function(*arguments, task_status=started)
            except (TelephonyError, *_NOT_OURS) as error:
                if started.done:
                    self._note(error)
                raise
            except Exception as error:
                bug = _bug(error)
                if started.done:
                    self._note(bug)
                raise bug from error

        return await self._nursery.start(run, name=name or _name_of(function))

    async def _run(
        self,
        function: Callable[..., Awaitable[object]],
        arguments: tuple[Any, ...],
        ours: bool,
    ) -> None:
        try:
            await function(*arguments)
        except BaseException as error:
            if _is_cancellation(error):
                raise
            if ours and isinstance(error, Exception) and not isinstance(error, TelephonyError):
                bug = _bug(error)
                self._note(bug)
                raise bug from error
            self._note(error)
            raise

    def _note(self, error: BaseException) -> None:
        if not _is_cancellation(error):
            self._errors.append(error)


# Exceptions that are never translated: cancellation, KeyboardInterrupt, SystemExit, GeneratorExit.
_NOT_OURS = (trio.Cancelled, KeyboardInterrupt, SystemExit, GeneratorExit)


class _Once(Generic[T]):
    """A task status that remembers that it was called."""

    def __init__(self, status: trio.TaskStatus[T]) -> None:
        self._status = status
        self.done = False

    def started(self, value: Any = None) -> None:
        self.done = True
        self._status.started(value)


def _bug(error: BaseException) -> InternalError:
    return InternalError(f"{type(error).__name__}: {error}")


def _is_cancellation(error: BaseException) -> bool:
    """Whether an exception is cancellation alone; a cancelled nursery raises a group of these."""
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return all(_is_cancellation(each) for each in group.exceptions)
    return isinstance(error, trio.Cancelled)


def _name_of(function: Callable[..., object]) -> str:
    return getattr(function, "__qualname__", repr(function))


@contextlib.asynccontextmanager
async def background() -> AsyncGenerator[Background]:
    """Run tasks beside the body of an ``async with``; leaving cancels those that still run.

    However many exceptions there are, one comes out, bare: the first that happened, whether in
    the body or in a task. The others stand in its notes. A cancelled body stays cancelled.
    """
    errors: list[BaseException] = []
    group: BaseExceptionGroup[BaseException] | None = None
    try:
        async with trio.open_nursery() as nursery:
            try:
                yield Background(nursery, errors)
            except BaseException as error:
                if not _is_cancellation(error):
                    errors.append(error)
                raise
            nursery.cancel_scope.cancel()
    except BaseExceptionGroup as caught:
        group = caught
    if group is not None and not errors:
        raise group
    if errors:
        # KeyboardInterrupt and its kind win over errors that only came first.
        first = next((e for e in errors if not isinstance(e, Exception)), errors[0])
        for other in errors:
            if other is not first and not _was_caused_by(first, other):
                first.add_note(f"at the same time: {type(other).__name__}: {other}")
        try:
            raise first
        finally:
            # A raised exception that its own frame still names is a reference cycle.
            del first, errors, group


def _was_caused_by(error: BaseException, other: BaseException) -> bool:
    return error.__cause__ is other or error.__context__ is other


class Subscription(Generic[T]):
    """One subscriber's events, in order: ``async for event in subscription``.

    Iteration ends when the hub is closed. It raises :class:`SlowSubscriber` once the events that
    still fitted have been read, and whatever error the hub was closed with.
    """

    def __init__(self, limit: int, wanted: Callable[[T], bool] | None = None) -> None:
        self._limit = limit
        self._wanted = wanted
        self._items: deque[T] = deque()
        self._closed = False
        self._error: BaseException | None = None
        self._news = trio.Event()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        await trio.lowlevel.checkpoint()
        while not self._items:
            if self._error is not None:
                raise self._error
            if self._closed:
                raise StopAsyncIteration
            self._news = trio.Event()
            await self._news.wait()
        return self._items.popleft()

    def receive_nowait(self) -> T:
        """The next event that is already here; raises :class:`trio.WouldBlock` without one."""
        if not self._items:
            raise trio.WouldBlock
        return self._items.popleft()

    def put(self, item: T) -> bool:
        """Queue an item, as the hub does; False when it was full, which ends the subscription."""
        if self._wanted is not None and not self._wanted(item):
            return True
        if len(self._items) >= self._limit:
            self.end(SlowSubscriber(f"more than {self._limit} events waited to be read"))
            return False
        self._items.append(item)
        self._news.set()
        return True

    def end(self, error: BaseException | None = None) -> None:
        """End the iteration, or raise ``error`` in it, behind the items that wait."""
        if not self._closed:
            self._closed = True
            self._error = error
            self._news.set()


class Hub(Generic[T]):
    """Hands each published item to every subscriber, and never waits for one of them.

    ``limit`` is how many items may wait for a subscriber before it is dropped.
    """

    def __init__(self, limit: int = 1000) -> None:
        self._limit = limit
        self._subscriptions: list[Subscription[T]] = []
        self._closed = False
        self._error: BaseException | None = None

    @property
    def subscribers(self) -> int:
        """How many subscriptions are open."""
        return len(self._subscriptions)

    def publish(self, item: T) -> None:
        """Give ``item`` to every subscriber; one whose queue is full loses its subscription."""
        self._subscriptions = [each for each in self._subscriptions if each.put(item)]

    @contextlib.contextmanager
    def subscribe(
        self, limit: int | None = None, wanted: Callable[[T], bool] | None = None
    ) -> Generator[Subscription[T]]:
        """Subscribe to events from now on, until the block is left; only to ``wanted`` ones."""
        subscription: Subscription[T] = Subscription(
            self._limit if limit is None else limit, wanted
        )
        if self._closed:
            subscription.end(self._error)
        else:
            self._subscriptions.append(subscription)
        try:
            yield subscription
        finally:
            subscription.end(None)
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)

    def close(self, error: BaseException | None = None) -> None:
        """End every subscription once its waiting items were read; ``error`` is raised there."""
        self._closed = True
        self._error = error
        for subscription in self._subscriptions:
            subscription.end(error)
        self._subscriptions.clear()
