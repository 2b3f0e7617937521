"""The whole cluster: which server has which number, since when and why. Pure.

Since when comes from the takeovers and returns that the store keeps (:mod:`chronicle`); what is
older than those is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pa_telephony.failover.agents import AgentReport
from pa_telephony.failover.chronicle import Episode, EpisodeKind
from pa_telephony.failover.identity import Kind
from pa_telephony.failover.orders import Stop
from pa_telephony.failover.status import ResourceStatus, ServerStatus, seconds

__all__ = [
    "EpisodeRow",
    "NumberRow",
    "episode_rows",
    "number_rows",
    "overview_summary",
]

_KINDS = {
    Kind.ROUTE_POINT: "route point",
    Kind.AA_ROUTE_POINT: "AA route point",
    Kind.PORT: "media port",
    Kind.INTERCEPTOR: "interceptor",
}


@dataclass(frozen=True)
class NumberRow:
    """A number, and who has it."""

    number: str
    kind: str
    home: str
    holder: str
    up: bool
    away: bool
    """Whether another server than its own serves it."""
    state: str
    busy: bool
    since: float | None
    """Unix time; None when it is not known."""
    reason: str


def number_rows(
    pages: Iterable[ServerStatus], episodes: Sequence[Episode]
) -> tuple[NumberRow, ...]:
    """Every number of the cluster, home by home."""
    rows: list[NumberRow] = []
    for page in pages:
        of_home = (each for each in episodes if each.home == page.name)
        moves = sorted(
            (each for each in of_home if each.kind is not EpisodeKind.FENCE),
            key=lambda each: each.began,
        )
        for resource in page.resources:
            since, reason = _since(page, resource, moves)
            rows.append(
                NumberRow(
                    resource.identity.number,
                    _KINDS[resource.identity.kind],
                    page.name,
                    ", ".join((resource.holder, *resource.also)),
                    resource.up and not resource.doubled,
                    resource.up and resource.holder != page.name,
                    _state(page, resource),
                    resource.busy,
                    since,
                    reason,
                )
            )
    return tuple(rows)


def _state(page: ServerStatus, resource: ResourceStatus) -> str:
    if resource.doubled:
        return "held twice"
    if not resource.up:
        return "down"
    if resource.holder == page.name:
        return "at home"
    return "at a stand-in"


def _since(
    page: ServerStatus, resource: ResourceStatus, moves: Sequence[Episode]
) -> tuple[float | None, str]:
    """Since when the holder has the number, and why it is this one, or why it is down.

    ``moves`` are what has become of the home's numbers, the oldest first.
    """
    if not resource.up:
        return None, resource.why
    last = moves[-1] if moves else None
    if resource.holder == page.name:
        if last is None or last.kind is not EpisodeKind.RETURN:
            return None, ""
        return last.began + (last.seconds or 0.0), f"given back by {last.server}: {last.cause}"
    if last is not None and last.kind is EpisodeKind.RETURN and last.seconds is None:
        # It goes on, and what is not home yet is there since the takeover before.
        last = moves[-2] if len(moves) > 1 else None
    taken = last is not None and last.holder == resource.holder
    since = last.began if last is not None and taken else None
    if page.moved_to == resource.holder:
        return since, f"moved to {page.moved_to} by an operator"
    if last is not None and taken:
        return since, f"{page.name}: {last.cause}"
    return None, f"{page.name} is drained" if page.orders.stop is Stop.DRAIN else ""


@dataclass(frozen=True)
class EpisodeRow:
    """A takeover, return, handover or fence in words."""

    began: float
    what: str
    cause: str
    took: str


def episode_rows(episodes: Iterable[Episode]) -> tuple[EpisodeRow, ...]:
    """All of them, the newest first."""
    found = sorted(episodes, key=lambda each: each.began, reverse=True)
    return tuple(
        EpisodeRow(
            each.began,
            _what(each),
            each.cause,
            "not finished" if each.seconds is None else seconds(each.seconds),
        )
        for each in found
    )


def _what(episode: Episode) -> str:
    numbers = "1 number" if episode.identities == 1 else f"{episode.identities} numbers"
    match episode.kind:
        case EpisodeKind.TAKEOVER:
            return f"{episode.server} takes {numbers} of {episode.home}"
        case EpisodeKind.RETURN:
            return f"{episode.server} gives {numbers} back to {episode.home}"
        case EpisodeKind.HANDOVER:
            return f"{episode.server} hands {numbers}{episode.of_another} over to {episode.to}"
        case EpisodeKind.FENCE:
            return f"{episode.server} stops acting" + (
                "" if episode.server == episode.home else f" for {episode.home}"
            )


def overview_summary(rows: Iterable[NumberRow], agents: Iterable[AgentReport]) -> str:
    """What has become of the cluster, in a sentence for whoever listens to the page."""
    numbers = tuple(rows)
    down = [each.number for each in numbers if not each.up]
    away = sum(each.away for each in numbers)
    words = f"{len(numbers)} numbers, {away} of them at a stand-in"
    words += f"; down: {', '.join(down)}" if down else ""
    return f"{words}; machines with an agent: {len(tuple(agents))}"
