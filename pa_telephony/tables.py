"""State tables: what follows from each input in each state is decided, or it is a bug of ours.

All state machines of this package are written as such tables::

    TABLE = state_table(
        State,
        Input,
        {
            (State.OFFLINE, Input.CONNECTED): (State.REGISTERING, Effect.REGISTER),
            ...
        },
        ignored={State.OFFLINE: {Input.ACK, Input.REJECT}},
        nothing=Effect.NOTHING,
        impossible={State.REGISTERING: {Input.CONNECTED}},
    )
    state, effect = TABLE[state, input]

A pair that nobody has decided on is found when the module is imported. Tests walk the same tables,
and docs/reference/states.md is drawn from them.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from typing import Generic, TypeVar

from pa_telephony.errors import LocalProtocolError

__all__ = ["Table", "decisions", "state_table"]

S = TypeVar("S", bound=enum.Enum)
I = TypeVar("I", bound=enum.Enum)  # noqa: E741  # the input, beside the state
E = TypeVar("E", bound=enum.Enum)
V = TypeVar("V")


class Table(dict[tuple[S, I], V], Generic[S, I, V]):
    """What is decided for each pair; asking for one that cannot happen is an error.

    It is a :class:`LocalProtocolError`: whoever asks has called something at the wrong moment.
    """

    def __missing__(self, pair: tuple[S, I]) -> V:
        state, step = pair
        raise LocalProtocolError(f"{step.name} in state {state.name}")


def decisions(
    states: type[S],
    inputs: type[I],
    rows: Mapping[tuple[S, I], V],
    *,
    impossible: Mapping[S, Collection[I]] | None = None,
) -> Table[S, I, V]:
    """A table of ``rows``; all other pairs have to be in ``impossible``.

    Raises :class:`ValueError` when a pair is decided twice, or not at all.
    """
    never = {(state, step) for state, steps in (impossible or {}).items() for step in steps}
    if twice := never & rows.keys():
        raise ValueError(f"possible and impossible: {_told(twice)}")
    pairs = [(state, step) for state in states for step in inputs]
    if missing := {*pairs} - rows.keys() - never:
        raise ValueError(f"nothing is decided for {_told(missing)}")
    # Always in the same order, whatever sets the rows were made of.
    return Table({pair: rows[pair] for pair in pairs if pair in rows})


def state_table(
    states: type[S],
    inputs: type[I],
    rows: Mapping[tuple[S, I], tuple[S, E]],
    *,
    nothing: E,
    ignored: Mapping[S, Collection[I]] | None = None,
    impossible: Mapping[S, Collection[I]] | None = None,
) -> Table[S, I, tuple[S, E]]:
    """A table of ``rows``, and of the inputs that are ``ignored`` in a state.

    These leave the state as it is and have the effect ``nothing``. All other pairs have to be in
    ``impossible``. Raises :class:`ValueError` when a pair is decided twice, or not at all.
    """
    calm = {
        (state, step): (state, nothing)
        for state, steps in (ignored or {}).items()
        for step in steps
    }
    if twice := calm.keys() & rows.keys():
        raise ValueError(f"ignored and not ignored: {_told(twice)}")
    return decisions(states, inputs, {**rows, **calm}, impossible=impossible)


def _told(pairs: Collection[tuple[enum.Enum, enum.Enum]]) -> str:
    return ", ".join(sorted(f"{step.name} in state {state.name}" for state, step in pairs))
