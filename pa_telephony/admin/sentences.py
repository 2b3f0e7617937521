"""Sentences about many numbers, made short enough to be read. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["condensed"]

_ABOUT = re.compile(r"(\D*)(\d+)( .*)")
_SINGULAR = re.compile(r"^( of \S+)? (come|move|go)e?s\b")


def condensed(sentences: Iterable[str]) -> tuple[str, ...]:
    """The sentences, each with a capital, and one for all numbers in a row of which it is so.

    ``6003 comes to PA1``, ``6004 comes to PA1`` are ``6003 to 6004 come to PA1``.
    """
    runs: list[list[str]] = []
    for sentence in sentences:
        if runs and _goes_on(runs[-1][-1], sentence):
            runs[-1].append(sentence)
        else:
            runs.append([sentence])
    return tuple(_capital(_of_all(run)) for run in runs)


def _goes_on(before: str, sentence: str) -> bool:
    one, other = _ABOUT.fullmatch(before), _ABOUT.fullmatch(sentence)
    if one is None or other is None or (one[1], one[3]) != (other[1], other[3]):
        return False
    return int(one[2]) + 1 == int(other[2])


def _of_all(run: list[str]) -> str:
    if len(run) == 1:
        return run[0]
    first, last = _ABOUT.fullmatch(run[0]), _ABOUT.fullmatch(run[-1])
    assert first is not None
    assert last is not None
    rest = _SINGULAR.sub(r"\1 \2", first[3])
    return f"{first[1]}{first[2]} to {last[2]}{rest}"


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
