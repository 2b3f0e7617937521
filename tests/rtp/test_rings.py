"""Playout rings of many rows hold what was written, and know what never came."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from pa_telephony.rtp.rings import Rings
from pa_telephony.rtp.rows import whole

ROWS, SLOTS, FRAME = 3, 4, 160
SIZE = SLOTS * FRAME

PUT = st.tuples(st.just("put"), st.integers(0, ROWS - 1), st.integers(0, SLOTS - 1), st.just(0))
WRITE = st.tuples(
    st.just("write"),
    st.integers(0, ROWS - 1),
    st.one_of(st.integers(0, SIZE - 1), st.sampled_from(range(0, SIZE, FRAME // 2))),
    st.one_of(st.integers(0, SIZE), st.sampled_from([80, 160, 240, 480])),
)
ADVANCE = st.tuples(st.just("advance"), st.integers(0, 7), st.just(0), st.just(0))
EMPTY = st.tuples(st.just("empty"), st.integers(0, ROWS - 1), st.just(0), st.just(0))


class Model:
    """One row as a list of octets; None is what never came."""

    def __init__(self) -> None:
        self.waits: list[int | None] = [None] * SIZE

    def write(self, at: int, payload: bytes) -> None:
        self.waits[at : at + len(payload)] = payload

    def advance(self) -> None:
        self.waits = [*self.waits[FRAME:], *[None] * FRAME]


def played(rings: Rings, rows: list[int]) -> list[list[int | None]]:
    """What rows play next, as models have it."""
    octets, came = rings.frames(whole(np.array(rows, np.int64)))
    there = np.ones_like(octets, np.bool_) if came is None else came
    return np.where(there, octets.astype(object), None).tolist()  # type: ignore[no-any-return]


@given(st.lists(st.one_of(PUT, WRITE, ADVANCE, EMPTY), max_size=40))
def test_rings_play_what_a_list_of_octets_does(steps: list[tuple[str, int, int, int]]) -> None:
    rings, models = Rings(ROWS, SLOTS), [Model() for _ in range(ROWS)]
    for number, (what, which, at, length) in enumerate(steps, 1):
        octet = bytes([number])
        if what == "put":
            # Only for what nothing has come for yet, as the engine does.
            if models[which].waits[at * FRAME : (at + 1) * FRAME] == [None] * FRAME:
                slots = np.array([rings.slot(which, at)])
                rings.put(slots, np.full((1, FRAME), number, np.uint8))
                models[which].write(at * FRAME, octet * FRAME)
        elif what == "write":
            payload = octet * min(length, SIZE - at)
            rings.write(which, at, payload)
            models[which].write(at, payload)
        elif what == "advance":
            rows = [row for row in range(ROWS) if which & 1 << row]
            rings.advance(whole(np.array(rows, np.int64)))
            for row in rows:
                models[row].advance()
        else:
            rings.empty(which)
            models[which] = Model()
        for rows in ([0, 1, 2], [0, 2], [1]):
            assert played(rings, rows) == [models[row].waits[:FRAME] for row in rows]


@pytest.mark.parametrize("slots", [0, 3, 6])
def test_the_number_of_slots_is_a_power_of_two(slots: int) -> None:
    with pytest.raises(ValueError, match=f"{slots} slots must be a power of two"):
        Rings(1, slots)
