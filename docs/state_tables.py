"""The page of state tables: what the machines do, drawn and in full."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from tables import table

from pa_telephony.callmanager.calls.model import ACTIONS, MOVES, LegState
from pa_telephony.cti.client import route_session
from pa_telephony.cti.server import core as application
from pa_telephony.failover import duties, keeping, registration, rolling
from pa_telephony.sccp.server import names, registrar
from pa_telephony.sccp.station import core as station

MACHINES: tuple[tuple[str, ModuleType, str], ...] = (
    ("Station", station, "pa_telephony/sccp/station/core.py: the registration of a phone or port"),
    (
        "Registrar",
        registrar,
        "pa_telephony/sccp/server/registrar.py: one station's session at a server",
    ),
    ("Names", names, "pa_telephony/sccp/server/names.py: who has a device's name at a server"),
    (
        "Application",
        application,
        "pa_telephony/cti/server/core.py: one application's session at the CTI Manager",
    ),
    (
        "Route session",
        route_session,
        "pa_telephony/cti/client/route_session.py: one call at a route point",
    ),
    ("Holder", registration, "pa_telephony/failover/registration.py: one identity at one server"),
    ("Keeper", keeping, "pa_telephony/failover/keeping.py: an agent and the process of one server"),
    ("Roll", rolling, "pa_telephony/failover/rolling.py: a rolling restart and its server at hand"),
)


def states() -> str:
    parts = [
        "# State tables",
        "Each machine is a table `(state, input) → (state, effect)`. The drawings leave out what "
        "changes nothing; the tables below them are complete, with a dot for that and an empty "
        "cell for what cannot happen.",
    ]
    for title, module, about in MACHINES:
        parts += [f"## {title}", about + ".", drawing(module), matrix(module)]
    parts += [
        "## Duties",
        "pa_telephony/failover/duties.py: what a server does about an identity, by what it is "
        "to it and how it stands.",
        table(
            ("", *(standing.value for standing in duties.Standing)),
            (
                (
                    f"**{role.value}**",
                    *(duty(role, standing) for standing in duties.Standing),
                )
                for role in duties.Role
            ),
        ),
    ]
    parts += [
        "## Legs",
        "pa_telephony/callmanager/calls/model.py: what can be done with one party's end of a call, "
        "by what that party sees. Elsewhere it is refused and changes nothing.",
        table(
            ("", *(state.value for state in LegState)),
            (
                (f"**{action.value}**", *("yes" if state in allowed else "" for state in LegState))
                for action, allowed in ACTIONS.items()
            ),
        ),
        "What can follow each state; as long as the leg stays as it is, its parties may change.",
        moves(),
    ]
    return "\n\n".join(parts)


def moves() -> str:
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{state.value}" as {state.name}' for state in LegState]
    lines += ["    [*] --> IDLE"]
    for state, following in MOVES.items():
        lines += [f"    {state.name} --> {after.name}" for after in LegState if after in following]
    return "\n".join([*lines, "```"])


def duty(role: duties.Role, standing: duties.Standing) -> str:
    known = duties.DUTIES.get((role, standing))
    return known.value if known else ""


def drawing(module: Any) -> str:
    edges: dict[tuple[Any, Any], list[str]] = {}
    for (state, step), (after, effect) in module.TABLE.items():
        if state is not after or not idle(effect):
            label = step.value if idle(effect) else f"{step.value} / {effect.value}"
            edges.setdefault((state, after), []).append(label)
    lines = ["```mermaid", "stateDiagram-v2", *named(module.State)]
    for (state, after), labels in edges.items():
        lines.append(f"    {state.name} --> {after.name}: {'<br/>'.join(labels)}")
    return "\n".join([*lines, "```"])


def named(states: type[enum.Enum]) -> Iterator[str]:
    yield f"    [*] --> {next(iter(states)).name}"
    yield from (f'    state "{state.value}" as {state.name}' for state in states)


def idle(effect: enum.Enum) -> bool:
    return effect.name in ("NONE", "NOTHING")


def matrix(module: Any) -> str:
    def cell(state: Any, step: Any) -> str:
        if (state, step) not in module.TABLE:
            return ""
        after, effect = module.TABLE[state, step]
        if after is state and idle(effect):
            return "·"
        return after.value if idle(effect) else f"{after.value} / {effect.value}"

    return table(
        ("", *(state.value for state in module.State)),
        (
            (f"**{step.value}**", *(cell(state, step) for state in module.State))
            for step in module.Input
        ),
    )
