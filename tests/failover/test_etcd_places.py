"""Of which names a machine may say that their processes are gone."""

from __future__ import annotations

import pytest

from pa_telephony.failover.stores.etcd_places import Place, proofs
from pa_telephony.failover.stores.mirror import INNER
from pa_telephony.failover.transaction import Entry

HERE, THERE = "here", "there"


@pytest.mark.parametrize(
    ("last", "free", "dead"),
    [
        (HERE, True, True),
        (HERE, False, False),
        (THERE, True, False),
        (None, True, True),
        (None, False, False),
    ],
    ids=[
        "its process was of this machine and has ended",
        "its process is of this machine and runs",
        "it was here once, and its process is of another machine now",
        "its process has ended in order and given the name back",
        "its process has not taken the name yet",
    ],
)
def test_a_free_lock_is_a_proof_unless_the_name_is_of_another_machine(
    last: str | None, free: bool, dead: bool
) -> None:
    inner: dict[str, Entry] = {}
    if last is not None:
        place = Place(last, "host", 7, "life")
        inner[f"{INNER}at/PA1"] = Entry(place.encode(), 1, 1)
    found, running = proofs(inner, HERE, frozenset({"PA1"} if free else ()))
    assert found == ({"PA1"} if dead else set())
    assert running == ({"PA1"} if last is not None and not dead else set())
