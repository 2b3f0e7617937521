"""A thread that runs trio, for tests without trio: run a function in it, or wait for something."""

from __future__ import annotations

import concurrent.futures
import contextlib
import difflib
import threading
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar, TypeVarTuple

import trio

from pa_telephony.errors import InternalError, TelephonyError

__all__ = ["TrioThread", "Unexpected", "WaitFailed", "check_known", "is_told_to_the_test"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_LOOK_AGAIN = 0.05
"""Seconds between two looks; most conditions change with a message, which rings the bell, but sound
does not."""


_IN_ORDER = 10.0
"""Seconds in which all should be closed; phones say goodbye in one."""


class WaitFailed(AssertionError):
    """An event did not happen within its timeout; the text says what happened instead."""


class Unexpected(AssertionError):
    """A problem was seen on the wire that the test does not allow."""


def is_told_to_the_test(failure: object) -> bool:
    """Whether the text of a failure (pytest's ``ExceptionInfo``) says all that a test can use.

    A module whose ``__tracebackhide__`` this is stays out of the report of pytest then, which ends
    at the line of the test; ``pytest --full-trace`` shows it.
    """
    return isinstance(getattr(failure, "value", None), AssertionError | TelephonyError | ValueError)


__tracebackhide__ = is_told_to_the_test


def check_known(what: str, word: str, known: Collection[str]) -> None:
    """Refuse a word that a test has misspelt: it would be waited for in vain.

    Raises :class:`ValueError` with the nearest one that there is.
    """
    if word not in known:
        near = difflib.get_close_matches(word, known, 1, 0.5)
        meant = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
        raise ValueError(f"no {what} is called {word!r}: {meant}")


class TrioThread:
    """Runs ``main`` under trio in a thread of its own.

    ``main`` is given a function to call when it is ready, and an event: it is to end in its own
    order when that is set. Every method may be called from any thread but this one.
    """

    def __init__(
        self, main: Callable[[Callable[[], None], trio.Event], Awaitable[None]], name: str
    ) -> None:
        self.failure: BaseException | None = None
        self._main = main
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._ready: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._bell = trio.Event()
        self._stopping = trio.Event()
        self._token: trio.lowlevel.TrioToken | None = None
        self._nursery: trio.Nursery | None = None

    @property
    def alive(self) -> bool:
        """Whether the thread runs now."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Start the thread, and return when ``main`` is ready; raises what it raised instead."""
        self._thread.start()
        self._ready.result()

    def stop(self) -> None:
        """Tell ``main`` to end, and wait for the end of the thread; cancel it if it takes long."""
        if self._token is not None:
            self._soon(self._token, self._stopping.set)
            self._thread.join(_IN_ORDER)
            if self._nursery is not None:
                self._soon(self._token, self._nursery.cancel_scope.cancel)
        self._thread.join()

    @staticmethod
    def _soon(token: trio.lowlevel.TrioToken, function: Callable[[], object]) -> None:
        # It may have ended already, and ``failure`` says why.
        with contextlib.suppress(trio.RunFinishedError):
            token.run_sync_soon(function)

    def run(self, function: Callable[[*Ts], Awaitable[T]], *arguments: *Ts) -> T:
        """Run an async function in the thread, and give its result."""
        result: concurrent.futures.Future[T] = concurrent.futures.Future()

        async def task() -> None:
            try:
                result.set_result(await function(*arguments))
            except trio.Cancelled:
                result.set_exception(self._gone())
                raise
            except Exception as error:  # noqa: BLE001  # raised where it was asked for
                result.set_exception(error)

        def start() -> None:
            assert self._nursery is not None
            try:
                self._nursery.start_soon(task)
            except RuntimeError:  # the nursery is closing
                result.set_exception(self._gone())

        token = self._token
        try:
            if token is None or not self._thread.is_alive():
                raise self._gone()
            token.run_sync_soon(start)
        except trio.RunFinishedError:
            raise self._gone() from self.failure
        return result.result()

    def run_sync(self, function: Callable[[*Ts], T], *arguments: *Ts) -> T:
        """Run a function in the thread between two messages, and give its result."""

        async def call() -> T:
            return function(*arguments)

        return self.run(call)

    def wait_until(self, condition: Callable[[], object], timeout: float) -> bool:
        """Wait until ``condition()`` is true; False after ``timeout`` seconds.

        The condition is called in the thread.
        """

        async def wait() -> bool:
            with trio.move_on_after(timeout):
                while not condition():
                    bell = self._bell
                    with trio.move_on_after(_LOOK_AGAIN):
                        await bell.wait()
                return True
            return False

        return self.run(wait)

    def ring(self) -> None:
        """Let threads that wait look again; to be called in the thread itself."""
        self._bell.set()
        self._bell = trio.Event()

    def _gone(self) -> Exception:
        if self.failure is not None:
            return InternalError(f"the call manager's thread has ended: {self.failure!r}")
        return RuntimeError("the call manager is not running")

    def _run(self) -> None:
        try:
            trio.run(self._serve)
        except BaseException as error:  # noqa: BLE001  # raised in the thread that asks next
            self.failure = self.failure or error
        if not self._ready.done():
            self._ready.set_exception(self.failure or self._gone())

    async def _serve(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            try:
                await self._main(lambda: self._ready.set_result(None), self._stopping)
            except Exception as error:  # noqa: BLE001  # raised in the thread that asks next
                self.failure = error
            nursery.cancel_scope.cancel()
