"""What is seen of a cluster as plain values, which JSON can have: for ``--json`` and the API. Pure.

Names and values in it change only as docs/api-policy.md says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pa_telephony.errors import ConfigurationError
from pa_telephony.failover.agents import AgentReport, Kept
from pa_telephony.failover.alarm_kinds import Alarm
from pa_telephony.failover.changes import differences
from pa_telephony.failover.chronicle import Episode
from pa_telephony.failover.identity import Kind
from pa_telephony.failover.intent import Answer
from pa_telephony.failover.orders import Orders, Stop
from pa_telephony.failover.rolling import Roll
from pa_telephony.failover.services import Service
from pa_telephony.failover.status import ResourceStatus, ServerStatus
from pa_telephony.failover.stored import Revision

__all__ = [
    "KINDS",
    "plain_agent",
    "plain_alarm",
    "plain_answer",
    "plain_episode",
    "plain_history",
    "plain_revision",
    "plain_roll",
    "plain_server",
    "plain_status",
]

KINDS = {
    Kind.ROUTE_POINT: "route point",
    Kind.AA_ROUTE_POINT: "AA route point",
    Kind.PORT: "media port",
    Kind.INTERCEPTOR: "interceptor",
}
"""What each kind of number is called."""


def plain_status(
    pages: Iterable[ServerStatus], reports: Iterable[AgentReport], services: Iterable[Service]
) -> list[dict[str, object]]:
    """The servers, then the license managers and speech servers."""
    kept = {name: each for report in reports for name, each in report.servers.items()}
    servers = [plain_server(each, kept.get(each.name)) for each in pages]
    return [*servers, *map(_service, services)]


def plain_server(server: ServerStatus, process: Kept | None) -> dict[str, object]:
    """The status page of one server."""
    return {
        "server": server.name,
        "state": server.state,
        "severity": server.severity.name.lower(),
        "up": server.up,
        "stopped": server.stopped,
        # As the agent of its machine keeps it; null where none does.
        "process": None if process is None else str(process),
        "orders": _orders(server.orders),
        "age": None if server.age is None else round(server.age, 3),
        "notes": list(server.notes),
        "stands_in_for": list(server.stands_in_for),
        "fail_over_server": server.fail_over_server,
        "media_ports_in_use": server.media_ports_in_use,
        "calls": server.calls,
        "resources": [_resource(each) for each in server.resources],
    }


def _service(service: Service) -> dict[str, object]:
    return {
        "group": service.group.value,
        "host": service.host,
        "locale": service.locale,
        "state": service.state.value,
    }


def _orders(orders: Orders) -> dict[str, object]:
    """What operators have ordered; ``seconds`` is what calls have, null for all their time."""
    found: dict[str, object] = {}
    if orders.stop is Stop.DRAIN:
        found["drain"] = {"seconds": orders.drains_within}
    elif orders.stop is not None:
        found["stop"] = {"alone": orders.stop is Stop.ALONE}
    if orders.moved_to is not None:
        found["move"] = {"to": orders.moved_to, "seconds": orders.moves_within}
    if orders.returns_within is not None:
        found["return"] = {"seconds": orders.returns_within}
    if orders.held_back:
        found["hold"] = {}
    return found


def _resource(resource: ResourceStatus) -> dict[str, object]:
    return {
        "kind": KINDS[resource.identity.kind],
        "number": resource.identity.number,
        "up": resource.up,
        "holder": resource.holder,
        "also": list(resource.also),
        "doubled": resource.doubled,
        "busy": resource.busy,
        "why": resource.why,
    }


def plain_agent(report: AgentReport) -> dict[str, object]:
    """What the agent of a machine says."""
    return {
        "machine": report.machine,
        "servers": {name: str(each) for name, each in report.servers.items()},
        "load": report.health.load,
        "memory_mib": report.health.memory_mib,
        "disk_mib": report.health.disk_mib,
        "told": round(report.told),
    }


def plain_alarm(alarm: Alarm) -> dict[str, object]:
    """One thing that is wrong."""
    return {
        "kind": alarm.kind.value,
        "server": alarm.server,
        "identity": alarm.identity,
        "text": alarm.text,
    }


def plain_episode(episode: Episode) -> dict[str, object]:
    """One takeover, return, handover or fence."""
    return {
        "kind": episode.kind.value,
        "server": episode.server,
        "home": episode.home,
        "cause": episode.cause,
        "began": episode.began,
        "seconds": episode.seconds,
        "identities": episode.identities,
        "to": episode.to,
    }


def plain_answer(answer: Answer) -> dict[str, object]:
    """What a server has done about an order."""
    return {
        "server": answer.server,
        "final": answer.final,
        "obeyed": answer.obeyed,
        "words": answer.words,
    }


def plain_roll(roll: Roll) -> dict[str, object]:
    """How far a rolling restart is."""
    return {
        "state": roll.state.value,
        "goes_on": roll.goes_on,
        "done": list(roll.done),
        "left": list(roll.servers),
        "deadline": roll.deadline,
        "since": roll.since,
        "words": str(roll),
    }


def plain_revision(revision: Revision) -> dict[str, object]:
    """A revision of the configuration without its text."""
    return {
        "revision": revision.number,
        "hash": revision.hash,
        "at": revision.at,
        "by": revision.by,
    }


def plain_history(revisions: Sequence[Revision]) -> list[dict[str, object]]:
    """The revisions, the newest first, each with what it has changed; of the last one nothing."""
    found: list[dict[str, object]] = []
    for place, revision in enumerate(revisions):
        changes: list[str] = []
        if place + 1 < len(revisions):
            try:
                before, after = revisions[place + 1].cluster(), revision.cluster()
                changes = [str(each) for each in differences(before, after)]
            except ConfigurationError as error:
                changes = [f"cannot be compared: {error}"]
        found.append(plain_revision(revision) | {"changes": changes})
    return found
