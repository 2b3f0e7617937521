"""Rows of arrays over ports, named in the way that costs least.

numpy copies what a list of row numbers names, and only looks at what a slice names. The ports of a
phase were mostly opened one after the other, so that their rows follow each other.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["NOBODY", "Rows", "addresses_of", "holds", "numbers", "whole"]

Rows: TypeAlias = slice | NDArray[np.int64]
"""Distinct rows: a slice without a step, or their numbers."""

NOBODY: Final = slice(0, 0)
"""No row."""


def whole(rows: NDArray[np.int64]) -> Rows:
    """The same rows as a slice, where each follows the one before."""
    if not len(rows):
        return NOBODY
    first, last = int(rows[0]), int(rows[-1])
    if last - first == len(rows) - 1 and bool((rows[1:] > rows[:-1]).all()):
        return slice(first, last + 1)
    return rows


def holds(rows: Rows, row: int) -> bool:
    """Whether ``row`` is one of ``rows``."""
    if isinstance(rows, slice):
        return bool(rows.start <= row < rows.stop)
    return bool((rows == row).any())


def numbers(rows: Rows) -> NDArray[np.int64]:
    """The numbers of ``rows``, for picking some of them."""
    return np.arange(rows.start, rows.stop, dtype=np.int64) if isinstance(rows, slice) else rows


def addresses_of(array: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Where each row of an array lies in memory, as long as there is this array."""
    first, step = array.ctypes.data, array.strides[0]
    return first + step * np.arange(len(array), dtype=np.uint64)
