"""What a phase does with its ports is written down for the ports that changed, and is all there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pytest
from hypothesis import given, strategies as st

from pa_telephony.rtp import Codec, Port
from pa_telephony.rtp.g711 import Samples
from pa_telephony.rtp.plan import Group, Plan
from pa_telephony.rtp.rows import numbers

ROWS = 6
SILENT = np.zeros((ROWS, 160), np.int16)


class Prompt:
    """A sound that lies ready, in one codec; in the other it is read piece by piece."""

    def __init__(self) -> None:
        self.iterator = iter([b""])

    def payloads(self, codec: Codec) -> Iterator[bytes] | None:
        return self.iterator if codec is Codec.PCMU else None


class Broken:
    """A source with a fault of its own."""

    def payloads(self, codec: Codec) -> Iterator[bytes]:
        raise RuntimeError(f"no {codec.name} today")


@dataclass(eq=False)
class FakePort:
    """What a plan looks at in a port."""

    index: int
    sending: bool = False
    plain: bool = True
    connected: bool = False
    source: object = None
    audible: bool = False
    codec: Codec = Codec.PCMU
    steady: bool = False
    listeners: list[object] = field(default_factory=list)


SOURCES: list[object] = [None, Prompt(), Prompt(), Broken(), object()]
CHANGES = st.one_of(
    st.tuples(st.sampled_from(["sending", "plain", "connected", "steady"]), st.booleans()),
    st.tuples(st.just("codec"), st.sampled_from(list(Codec))),
    st.tuples(st.just("source"), st.sampled_from(SOURCES)),
    st.tuples(st.sampled_from(["opened", "closed"]), st.none()),
)
STEPS = st.lists(st.tuples(st.integers(0, ROWS - 1), CHANGES), max_size=40)


class Ports:
    """Some ports, and a plan for them."""

    def __init__(
        self, ports: dict[int, FakePort], *, watched: bool, frames: Samples = SILENT
    ) -> None:
        self.ports = ports
        self.bugs: list[Exception] = []
        self.plan = Plan(
            frames,
            lambda row: ports[row].codec,
            lambda _port, _whose, error: self.bugs.append(error),
            watched=watched,
        )

    def update(self, row: int) -> None:
        port = self.ports.get(row)
        if port is None:
            self.plan.drop(row)
        else:
            self.plan.update(cast("Port", port), steady=port.steady)

    def change(self, row: int, what: str, value: object) -> None:
        if what == "opened":
            self.ports[row] = FakePort(row)
        elif what == "closed":
            self.ports.pop(row, None)
        elif row in self.ports:
            setattr(self.ports[row], what, value)
        self.update(row)

    def written(self) -> dict[str, object]:
        """All that a tick reads, comparable."""
        plan = self.plan
        groups: dict[str, Group] = {
            "all": plan.all,
            "readers": plan.readers,
            "plain": plan.plain,
            "careful": plan.careful,
            "players": plan.players,
            **{codec.name: group for codec, group in plan.aloud.items()},
        }
        for group in groups.values():
            assert numbers(group.rows).tolist() == [port.index for port in group.ports]
        assert all(heard is ear[0] for heard, ear in zip(plan.listeners, plan.ears, strict=True))
        return {
            **{name: group.ports for name, group in groups.items()},
            "payloads": plan.payloads,
            "ears": [(id(listeners), port) for listeners, _, port in plan.ears],
        }


@pytest.mark.parametrize("watched", [False, True])
@given(st.lists(STEPS, max_size=5))
def test_a_plan_that_took_each_change_is_the_one_that_is_made_anew(
    watched: bool, turns: list[list[tuple[int, tuple[str, object]]]]
) -> None:
    kept = Ports({}, watched=watched)
    before: tuple[object, object] = [], []
    for steps in turns:
        for row, (what, value) in steps:
            kept.change(row, what, value)
        moved = kept.plan.settle()
        anew = Ports(kept.ports, watched=watched)
        for row in kept.ports:
            anew.update(row)
        anew.plan.settle()
        found = kept.written()
        assert found == anew.written()
        exchanged = found["plain"], found["readers"]
        assert moved or exchanged == before, "who sends and who is read has to be told"
        before = exchanged


def test_a_port_falls_silent_when_its_sound_ends_unless_the_next_has_begun() -> None:
    kept = Ports({0: FakePort(0, sending=True, source=Prompt())}, watched=False)
    kept.update(0)
    assert kept.ports[0].audible
    kept.change(0, "source", None)
    assert list(kept.plan.falling_silent) == [0]
    kept.change(0, "source", Prompt())
    assert not kept.plan.falling_silent
    kept.change(0, "source", None)
    kept.change(0, "closed", None)
    assert not kept.plan.falling_silent


def test_a_source_that_fails_is_told_and_read_piece_by_piece() -> None:
    kept = Ports({0: FakePort(0, sending=True, source=Broken())}, watched=False)
    kept.update(0)
    kept.plan.settle()
    assert [str(error) for error in kept.bugs] == ["no PCMU today"]
    assert [port.index for port in kept.plan.aloud[Codec.PCMU].ports] == [0]
    assert not kept.plan.players.ports


def test_ears_hear_the_frame_of_their_own_row() -> None:
    frames: Samples = np.arange(ROWS * 160, dtype=np.int16).reshape(ROWS, 160)
    kept = Ports({row: FakePort(row) for row in (4, 2)}, watched=False, frames=frames)
    for row in (4, 2):
        kept.update(row)
    kept.plan.settle()
    assert [int(frame[0]) for _, frame, _ in kept.plan.ears] == [320, 640]
