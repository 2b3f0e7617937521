"""What the targets share: atheris where it is installed, streams in pieces, a run to the end.

Nothing of pa_telephony is imported here at once: a target does that under :func:`instrumented`.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

try:
    import atheris
except ImportError:  # tests/test_fuzz_targets.py runs without it
    atheris = None


def instrumented(exclude: Sequence[str] = ()) -> contextlib.AbstractContextManager[object]:
    """Imports of pa_telephony inside guide the fuzzer by the branches that they take."""
    if atheris is None:
        return contextlib.nullcontext()
    return atheris.instrument_imports(include=["pa_telephony"], exclude=list(exclude))


def fuzz(one_input: Callable[[bytes], None]) -> None:
    """Run a target as a program."""
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


def pieces(data: bytes, size: int) -> list[bytes]:
    """The stream as the network delivers it."""
    return [data[start : start + size] for start in range(0, len(data), size)]


def events_of(
    connection: Any,
    receive: Callable[[bytes], None],
    end: Callable[[], None],
    stream: list[bytes],
    told: Callable[[Any], None] = lambda event: None,
) -> list[Any]:
    """What comes out of a connection; the last is the kind of the error that ended it."""
    from pa_telephony.errors import RemoteProtocolError

    events: list[Any] = []
    try:
        for piece in stream:
            receive(piece)
            while (event := connection.next_event()) is not None:
                events.append(event)
                told(event)
        end()
        while (event := connection.next_event()) is not None:
            events.append(event)
    except RemoteProtocolError as error:
        events.append(type(error))
        for method in (connection.next_event, end):
            try:
                method()
            except RemoteProtocolError as again:
                # It says the same; its traceback keeps nothing of what was sent.
                assert (type(again), again.args, vars(again)) == (
                    type(error),
                    error.args,
                    vars(error),
                )
            else:
                raise AssertionError("a broken connection goes on") from None
    return events
