"""A process notes when it stood still, and whether it was the machine's doing."""

from __future__ import annotations

import time

import pytest
import trio

from pa_telephony.cli import stalls
from pa_telephony.trace import EventRecord, Record


class Machine:
    """The kernel's counters, as a test wants them."""

    def __init__(self) -> None:
        self.waits = 0.0
        self.steals = 0.0

    def queued(self) -> float:
        waited, self.waits = self.waits, 0.0
        return waited

    def stolen(self, wanted: bool) -> float:
        return self.steals if wanted else 0.0


async def noted(
    monkeypatch: pytest.MonkeyPatch, blocks: float, waits: float = 0.0, steals: float = 0.0
) -> list[Record]:
    """What is written down when this process stands still for ``blocks`` seconds."""
    machine = Machine()
    monkeypatch.setattr(stalls, "Machine", lambda: machine)
    found: list[Record] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stalls.watch_stalls, found.append)
        await trio.sleep(0.05)
        found.clear()
        machine.waits, machine.steals = waits, steals
        time.sleep(blocks)  # noqa: ASYNC251 - this is the fault
        while not found:  # noqa: ASYNC110
            await trio.sleep(0.001)
        nursery.cancel_scope.cancel()
    return found


@pytest.mark.parametrize(
    ("waits", "steals", "kept_waiting"), [(0.0, 0.0, 0.0), (0.07, 0.0, 0.07), (0.0, 0.08, 0.08)]
)
async def test_standing_still_is_noted_with_how_long_the_machine_gave_no_cpu(
    monkeypatch: pytest.MonkeyPatch, waits: float, steals: float, kept_waiting: float
) -> None:
    (first, *_) = await noted(monkeypatch, 0.1, waits, steals)
    assert isinstance(first, EventRecord)
    assert first.kind == stalls.KIND
    seconds = first.fields["seconds"]
    assert isinstance(seconds, float)
    assert seconds >= 0.1
    assert first.fields["kept_waiting"] == kept_waiting


def test_short_waits_one_after_the_other_are_noted_together() -> None:
    tally = stalls.Tally()
    assert tally.add(0.013, 0.003, 0.003) is None
    assert tally.add(0.013, 0.003, 0.003) == (0.026, 0.006)
    assert tally.add(0.013, 0.003, 0.003) is None


def test_short_waits_far_from_each_other_are_not_noted() -> None:
    tally = stalls.Tally()
    for _ in range(20):
        assert tally.add(0.011, 0.001, 0.0007) is None


def test_a_long_stall_of_our_own_is_noted_without_excuse() -> None:
    assert stalls.Tally().add(0.05, 0.04, 0.0) == (0.05, 0.0)


def test_this_kernel_is_asked() -> None:
    machine = stalls.Machine()
    assert machine.queued() >= 0.0
    assert machine.stolen(True) >= 0.0
    assert machine.stolen(False) == 0.0
