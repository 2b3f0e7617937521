"""Single keys of a terminal, as they are pressed."""

from __future__ import annotations

import contextlib
import os
import sys
import termios
import tty
from collections.abc import AsyncIterator, Generator, Iterator

import trio

__all__ = ["keys", "keys_in", "single_keys"]

_SEQUENCES = {
    "\x1b[A": "up",
    "\x1b[B": "down",
    "\x1bOA": "up",
    "\x1bOB": "down",
    "\r": "enter",
    "\n": "enter",
    "\x7f": "backspace",
    "\b": "backspace",
    "\x1b": "escape",
}


@contextlib.contextmanager
def single_keys() -> Generator[None]:
    """Give keys at once and do not show them, until the block is left; Ctrl-C still interrupts."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


async def keys() -> AsyncIterator[str]:
    """Every key as it is pressed; the iteration ends with the input."""
    descriptor = sys.stdin.fileno()
    while True:
        await trio.lowlevel.wait_readable(descriptor)
        data = os.read(descriptor, 256)
        if not data:
            return
        for key in keys_in(data.decode("utf-8", "replace")):
            yield key


def keys_in(text: str) -> Iterator[str]:
    """The keys in a text that was read at once: characters, and names for the others."""
    while text:
        sequence = next((each for each in _SEQUENCES if text.startswith(each)), "")
        if sequence == "\x1b" and text.startswith(("\x1b[", "\x1bO")):
            # A key without a meaning here: its sequence ends with a letter or ~.
            end = next((n for n, c in enumerate(text[2:], 2) if c.isalpha() or c == "~"), len(text))
            text = text[end + 1 :]
            continue
        yield _SEQUENCES[sequence] if sequence else text[0]
        text = text[len(sequence) or 1 :]
