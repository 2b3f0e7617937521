"""The timeline of takeovers and returns, drawn as SVG. Pure.

A lane for each server that has numbers of its own; its bars say which server served them when. A
time that the store's episodes do not tell of is drawn as not known. Colours come from the style
sheet, so that the picture is light or dark as the page is; each bar has its server's name, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from pa_telephony.admin.moments import clock_time
from pa_telephony.failover.chronicle import Episode, EpisodeKind
from pa_telephony.failover.status import seconds
from pa_telephony.printable import printable

__all__ = ["SPANS", "Lane", "Stretch", "draw", "lanes", "quantised"]

SPANS = {"10m": 600.0, "1h": 3600.0, "6h": 21_600.0, "1d": 86_400.0, "7d": 604_800.0}
"""How many seconds the picture may show, by what the address of the page says."""
COLOURS = 6

_WIDTH, _LEFT, _RIGHT, _TOP = 960, 96, 12, 14
_LANE, _BAR = 40, 24
_STEPS = (60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400)
_TICKS = 8
_DAY = 86_400.0


@dataclass(frozen=True)
class Stretch:
    """From ``begin`` to ``end`` (Unix time) a server had a home's numbers."""

    server: str
    """"" when it is not known."""
    begin: float
    end: float
    changing: bool = False
    """Whether the numbers were on their way to it."""
    why: str = ""


@dataclass(frozen=True)
class Lane:
    """A home, who had its numbers when, and when it fenced itself."""

    home: str
    stretches: tuple[Stretch, ...]
    fences: tuple[Episode, ...] = ()


def quantised(at: float, span: float) -> float:
    """The right end of a picture that ends now.

    It stays the same for a while, so that a picture is drawn anew only when it looks different.
    """
    grain = span / 300
    return (at // grain + 1) * grain


def lanes(
    holders: Mapping[str, frozenset[str]],
    episodes: Sequence[Episode],
    now: float,
    begun: float = 0.0,
) -> tuple[Lane, ...]:
    """Who had what, as far as the episodes tell; ``holders`` says who has it now.

    Nobody had anything before the cluster was ``begun``.
    """
    return tuple(_lane(home, has, episodes, now, begun) for home, has in holders.items())


def _lane(
    home: str, has: frozenset[str], episodes: Sequence[Episode], now: float, begun: float
) -> Lane:
    moves = sorted(
        (each for each in episodes if each.home == home and each.kind is not EpisodeKind.FENCE),
        key=lambda each: each.began,
    )
    fences = tuple(
        each for each in episodes if each.server == home and each.kind is EpisodeKind.FENCE
    )
    holder, since, why = home, begun, "nothing is noted before"
    found: list[Stretch] = []
    for place, each in enumerate(moves):
        until = moves[place + 1].began if place + 1 < len(moves) else now
        takes = each.kind is EpisodeKind.TAKEOVER
        # Episodes may be missing: of an earlier release, or too many ago.
        known = (holder == each.server) is not takes
        found.append(Stretch(holder if known else "", since, each.began, why=why if known else ""))
        comes_to = each.holder
        end = min(until, now if each.seconds is None else each.began + each.seconds)
        found.append(Stretch(comes_to, each.began, end, changing=True, why=each.cause))
        holder, since, why = comes_to, end, each.cause
    known = not has or holder in has
    found.append(Stretch(holder if known else "", since, now, why=why if known else ""))
    return Lane(home, tuple(each for each in found if each.end > each.begin), fences)


def draw(shown: Sequence[Lane], servers: Sequence[str], now: float, span: float, title: str) -> str:
    """The picture of the last ``span`` seconds before ``now``."""
    height = _TOP + _LANE * len(shown) + 30
    picture = _Picture(now - span, now, [*servers])
    for lane in shown:
        picture.lane(lane)
    return (
        f'<svg class="timeline" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label='
        f'"{_attribute(title)}">{picture.scale(height)}{"".join(picture.parts)}</svg>'
    )


class _Picture:
    def __init__(self, begin: float, end: float, servers: list[str]) -> None:
        self._begin, self._end = begin, end
        self._servers = servers
        self._y = _TOP
        self.parts: list[str] = []

    def _x(self, at: float) -> float:
        inside = min(max(at, self._begin), self._end)
        return _LEFT + (inside - self._begin) / (self._end - self._begin) * (
            _WIDTH - _LEFT - _RIGHT
        )

    def lane(self, lane: Lane) -> None:
        y = self._y
        self._y += _LANE
        self.parts.append(
            f'<text x="{_LEFT - 10}" y="{y + _BAR / 2 + 5:.0f}" class="lane">'
            f"{escape(_short(lane.home, 11))}</text>"
        )
        for each in lane.stretches:
            if each.end > self._begin:
                self._bar(lane.home, each, y)
        for fence in lane.fences:
            if self._begin <= fence.began <= self._end:
                self._fence(fence, y)

    def _bar(self, home: str, stretch: Stretch, y: float) -> None:
        x = self._x(stretch.begin)
        width = max(self._x(stretch.end) - x, 2.0)
        name = stretch.server or "not noted"
        colour = f"s{self._servers.index(stretch.server) % COLOURS}" if self._knows(name) else "s"
        changing = " changing" if stretch.changing else ""
        hint = f"{home} at {name}" if not stretch.changing else f"{home} comes to {name}"
        hint += f" for {seconds(stretch.end - max(stretch.begin, self._begin))}"
        hint += f": {stretch.why}" if stretch.why else ""
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_BAR}" rx="3"'
            f' class="{colour}{changing}"><title>{escape(printable(hint, 300))}</title></rect>'
        )
        if width > 9 * len(name) + 12 and not stretch.changing:
            self.parts.append(
                f'<text x="{x + 7:.1f}" y="{y + _BAR / 2 + 5:.0f}" class="{colour} inside">'
                f"{escape(name)}</text>"
            )

    def _knows(self, name: str) -> bool:
        return name in self._servers

    def _fence(self, fence: Episode, y: float) -> None:
        x = self._x(fence.began)
        hint = f"{fence.server} stopped acting: {fence.cause}"
        self.parts.append(
            f'<path d="M{x - 5:.1f} {y - 7}h10l-5 9z" class="fence">'
            f"<title>{escape(printable(hint, 300))}</title></path>"
        )

    def scale(self, height: int) -> str:
        """Lines at round moments with their time of day."""
        span = self._end - self._begin
        step = next((each for each in _STEPS if span / each <= _TICKS), _STEPS[-1])
        first = (self._begin // step + 1) * step
        parts: list[str] = []
        at = first
        while at <= self._end:
            x = self._x(at)
            label = clock_time(at, day=step >= _DAY) if x < _WIDTH - 24 else ""
            parts.append(
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 8}" y2="{height - 24}"/>'
                f'<text x="{x:.1f}" y="{height - 8}" class="tick">{label}</text>'
            )
            at += step
        return "".join(parts)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _attribute(text: str) -> str:
    return escape(text, {'"': "&quot;"})
