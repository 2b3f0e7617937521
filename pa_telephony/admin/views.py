"""What Server Status and Control Center show, row by row. Pure.

Source: the pages in Cisco's document 44922. The arrows of route point, media ports and interceptors
are those of the resource, whoever serves it; only the server's own says whether that runs.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pa_telephony.admin.operations import StandingOrder, progress, standing
from pa_telephony.failover.config import ClusterConfig
from pa_telephony.failover.identity import Kind
from pa_telephony.failover.services import Service, ServiceGroup, services
from pa_telephony.failover.status import ResourceStatus, ServerStatus

__all__ = [
    "ControlRow",
    "Holding",
    "Icon",
    "StatusGroup",
    "StatusRow",
    "control_rows",
    "control_summary",
    "holding",
    "service_rows",
    "status_groups",
    "status_summary",
]


@dataclass(frozen=True)
class StatusRow:
    """A name with its arrow, and what there is to say of it."""

    name: str
    up: bool
    why: str = ""
    """Why it is down."""
    note: str = ""
    """What else there is to know: that another server serves it, or that it has a call."""


@dataclass(frozen=True)
class StatusGroup:
    """A heading with its rows."""

    heading: str
    rows: tuple[StatusRow, ...]


_GROUPS = (
    ("Route Point", Kind.ROUTE_POINT),
    ("AA Route Point", Kind.AA_ROUTE_POINT),
    ("Media Ports", Kind.PORT),
    ("Interceptor Ports", Kind.INTERCEPTOR),
)


def status_groups(page: ServerStatus, pages: Sequence[ServerStatus]) -> tuple[StatusGroup, ...]:
    """The groups of a server's page, in the order of the document."""
    up = {each.name: each.up for each in pages}
    why = "" if page.up else "; ".join(each.removeprefix("it ") for each in page.notes)
    note = page.state if page.up else ""
    groups = [StatusGroup("Server", (StatusRow(page.name, page.up, why, note),))]
    if page.fail_over_server:
        row = StatusRow(page.fail_over_server, up[page.fail_over_server])
        groups.append(StatusGroup("Fail Over Server", (row,)))
    for heading, kind in _GROUPS:
        rows = tuple(_resource(page, each) for each in page.of_kind(kind))
        if rows:
            groups.append(StatusGroup(heading, rows))
    return tuple(groups)


def _resource(page: ServerStatus, resource: ResourceStatus) -> StatusRow:
    notes: list[str] = []
    if resource.up and resource.holder != page.name:
        notes.append(f"served by {resource.holder}")
    if resource.doubled:
        notes.append(f"held by {', '.join((resource.holder, *resource.also))} at once")
    if resource.busy:
        notes.append("in a call")
    why = "" if resource.up else f"{resource.holder} {resource.why}".strip()
    up = resource.up and not resource.doubled
    return StatusRow(resource.identity.number, up, why, ", ".join(notes))


@dataclass(frozen=True)
class Holding:
    """The media ports that a server has registered, those of other servers among them."""

    homes: tuple[str, ...]
    """The other servers."""
    ports: int
    in_use: int


def holding(page: ServerStatus, pages: Iterable[ServerStatus]) -> Holding | None:
    """What a server holds; None while it has no media port of another server."""
    held = [each for one in pages for each in one.of_kind(Kind.PORT) if each.holder == page.name]
    held = [each for each in held if each.up]
    homes = tuple(dict.fromkeys(each.identity.home for each in held))
    others = tuple(each for each in homes if each != page.name)
    return Holding(others, len(held), sum(each.busy for each in held)) if others else None


def status_summary(page: ServerStatus) -> str:
    """What has become of a server, in a sentence for whoever listens to the page."""
    down = [each.identity.number for each in page.resources if not each.up]
    words = f"{page.name} is {'up' if page.up else 'down'}: {page.state}"
    if down:
        words += f"; down: {', '.join(down)}"
    return f"{words}; media ports in use: {page.media_ports_in_use}"


class Icon(enum.Enum):
    """What stands beside a name in the Control Center."""

    STARTED = "started"
    STOPPED = "stopped"
    NOT_INSTALLED = "not installed"


@dataclass(frozen=True)
class ControlRow:
    """A row of the Control Center; ``subject`` is what its buttons name."""

    subject: str
    name: str
    icon: Icon
    words: str = ""
    orders: tuple[StandingOrder, ...] = ()
    progress: str = ""
    """Where its numbers are, for as long as an order stands."""


def control_rows(pages: Iterable[ServerStatus]) -> tuple[ControlRow, ...]:
    """The rows of the servers."""
    return tuple(
        ControlRow(
            each.name,
            each.name,
            Icon.STARTED if each.up else Icon.STOPPED,
            _state(each),
            orders,
            progress(each) if orders else "",
        )
        for each in pages
        for orders in (standing(each),)
    )


def _state(page: ServerStatus) -> str:
    if page.up or page.stopped:
        return page.state
    return "; ".join([page.state, *page.notes])


def service_rows(
    cluster: ClusterConfig,
) -> tuple[tuple[ServiceGroup, tuple[tuple[str, tuple[ControlRow, ...]], ...]], ...]:
    """The other groups: each with its hosts, and those with their rows."""
    rows = services(cluster)
    return tuple(
        (
            group,
            tuple(
                (host, tuple(_service(each) for each in of_group if each.host == host))
                for host in dict.fromkeys(each.host for each in of_group)
            ),
        )
        for group in ServiceGroup
        for of_group in ([each for each in rows if each.group is group],)
    )


def _service(service: Service) -> ControlRow:
    name = service.locale or service.host
    subject = f"{service.group.value}: {service.name}"
    return ControlRow(subject, name, Icon.NOT_INSTALLED, service.state.value)


def control_summary(rows: Iterable[ControlRow]) -> str:
    """Which servers run, in a sentence for whoever listens to the page."""
    return ", ".join(f"{each.name} is {each.icon.value}: {each.words}" for each in rows)
