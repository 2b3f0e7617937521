"""What a program needs around its ``main``: a quiet end, and an end of its patience.

::

    async def main(call_manager: str) -> None:
        opening = sccp.open_station("SEP001122334455", call_manager)
        async with program.ready_within(60, opening) as phone:
            ...

    program.run(main, *sys.argv[1:])
"""

from __future__ import annotations

import contextlib
import inspect
import math
import signal
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeVar, TypeVarTuple

import trio

from pa_telephony.errors import ConfigurationError, TelephonyError
from pa_telephony.tasks import background

__all__ = ["ready_within", "run", "until_stopped"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


def run(main: Callable[..., Awaitable[object]], *arguments: object) -> None:
    """Run ``main`` to its end, until Ctrl-C, or until SIGTERM.

    A signal cancels ``main``, so that it says goodbye to its peers, and the exit status is 128 and
    the signal's number: 130 for Ctrl-C. Of a :class:`TelephonyError` only the text is printed, and
    the exit status is 1. Neither has a traceback; any other exception has, as everywhere. With
    ``*sys.argv[1:]`` as ``arguments``, too few or too many words end it with what it wants.
    """
    try:
        inspect.signature(main).bind(*arguments)
    except TypeError:
        sys.exit(_usage(main))
    try:
        stopped_by = trio.run(until_stopped, main, *arguments)
    except ConfigurationError as error:
        sys.exit("\n".join(map(str, (error, *error.others))))
    except TelephonyError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        stopped_by = signal.SIGINT
    if stopped_by:
        sys.exit(128 + stopped_by)


def _usage(main: Callable[..., object]) -> str:
    """The command line that ``main`` wants, by the names of its parameters."""
    words = [
        f"[{name.upper()} …]" if each.kind is each.VAR_POSITIONAL else name.upper()
        for name, each in inspect.signature(main).parameters.items()
    ]
    return " ".join(["usage:", Path(sys.argv[0]).name, *words])


async def until_stopped(main: Callable[[*Ts], Awaitable[object]], *arguments: *Ts) -> int:
    """Run ``main``, which SIGTERM and SIGINT cancel; gives the signal's number, 0 for none.

    A second signal has its ordinary effect, for users without patience.
    """
    stopped_by = 0
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with background() as tasks:

            async def stop() -> None:
                nonlocal stopped_by
                async for stopped_by in signals:
                    signal.signal(stopped_by, signal.SIG_DFL)
                    tasks.cancel_scope.cancel()

            tasks.start_soon(stop)
            await main(*arguments)
    return stopped_by


@contextlib.asynccontextmanager
async def ready_within(
    seconds: float, opening: AbstractAsyncContextManager[T]
) -> AsyncGenerator[T]:
    """Enter ``opening``, which has so many seconds to be entered; then it stays open.

    So a program ends that waits for a call manager in vain; the log says for what it waits. Raises
    :class:`TelephonyError` when the time is over.
    """
    with trio.move_on_after(seconds) as patience:
        async with opening as opened:
            patience.deadline = math.inf
            yield opened
    if patience.cancelled_caught:
        raise TelephonyError(f"not ready after {seconds:g} s")
