"""The whole demo on one page: which server held each identity when, with calls and audio gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

__all__ = ["Call", "Holding", "Moment", "draw"]


@dataclass(frozen=True, slots=True)
class Holding:
    """An identity (``"6001"``) was registered by a server from ``start`` to ``end``, seconds."""

    identity: str
    holder: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Call:
    """A call, drawn as a line of its own; ``gaps`` are stretches without the expected audio."""

    label: str
    start: float
    end: float
    gaps: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened at one time (``"PA1 killed"``); a vertical line."""

    time: float
    label: str


_WIDTH, _LEFT, _RIGHT = 1200, 190, 20
_ROW, _BAR = 26, 16
_TOP, _FLAG = 74, 15
_COLOURS = ("#2f6fb0", "#e08a1e", "#5a9e4b", "#8d5fb0")


def draw(
    holdings: Sequence[Holding],
    calls: Sequence[Call],
    moments: Sequence[Moment],
    *,
    title: str,
    seconds: float,
) -> str:
    """An SVG of ``seconds`` seconds; rows in the order in which identities and calls are given."""
    picture = _Picture(seconds, moments)
    holders = list(dict.fromkeys(holding.holder for holding in holdings))
    colours = {holder: _COLOURS[n % len(_COLOURS)] for n, holder in enumerate(holders)}
    for identity in dict.fromkeys(holding.identity for holding in holdings):
        picture.row(identity)
        for holding in holdings:
            if holding.identity == identity:
                picture.bar(
                    holding.start,
                    holding.end,
                    colours[holding.holder],
                    holding.holder,
                    f"{identity} at {holding.holder}",
                )
    picture.space()
    for call in calls:
        picture.row(call.label)
        picture.call(call)
    return picture.finish(title, colours)


class _Picture:
    """Collects the rows from top to bottom; x is time."""

    def __init__(self, seconds: float, moments: Sequence[Moment]) -> None:
        self._seconds = max(seconds, 1.0)
        self._moments = sorted(moments, key=lambda moment: moment.time)
        self._flags = self._lanes()
        self._top = _TOP + _FLAG * (max(self._flags, default=0) + 1)
        self._y = self._top
        self._parts: list[str] = []

    def _x(self, time: float) -> float:
        inside = min(max(time, 0.0), self._seconds)
        return _LEFT + inside / self._seconds * (_WIDTH - _LEFT - _RIGHT)

    def _lanes(self) -> list[int]:
        """A height for each moment's label, so that neighbours do not write over each other."""
        ends: list[float] = []
        lanes: list[int] = []
        for moment in self._moments:
            x = self._flag_x(moment)
            lane = next((n for n, end in enumerate(ends) if end < x), len(ends))
            end = x + _flag_width(moment)
            ends[lane : lane + 1] = [end]
            lanes.append(lane)
        return lanes

    def _flag_x(self, moment: Moment) -> float:
        return min(self._x(moment.time) + 4, _WIDTH - _flag_width(moment))

    def row(self, label: str) -> None:
        self._y += _ROW
        self._parts.append(
            f'<text x="{_LEFT - 10}" y="{self._y - 8}" text-anchor="end">{escape(label)}</text>'
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" '
            f'y1="{self._y}" y2="{self._y}" class="rule"/>'
        )

    def space(self) -> None:
        self._y += _ROW // 2

    def bar(self, start: float, end: float, colour: str, text: str, hint: str) -> None:
        x, width = self._x(start), max(self._x(end) - self._x(start), 1.5)
        y = self._y - _BAR - 4
        self._parts.append(
            f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_BAR}" rx="2" fill="{colour}">'
            f"<title>{escape(hint)}, {start:.2f} to {end:.2f} s</title></rect>"
        )
        if width > 8 * len(text) + 8:
            self._parts.append(
                f'<text x="{x + 5:.1f}" y="{y + 12}" class="inside">{escape(text)}</text>'
            )

    def call(self, call: Call) -> None:
        y = self._y - _BAR // 2 - 4
        x1, x2 = self._x(call.start), self._x(call.end)
        self._parts.append(
            f'<line x1="{x1:.1f}" x2="{x2:.1f}" y1="{y}" y2="{y}" class="call"/>'
            f'<circle cx="{x1:.1f}" cy="{y}" r="4" class="end"/>'
            f'<circle cx="{x2:.1f}" cy="{y}" r="4" class="end"/>'
        )
        for start, end in call.gaps:
            width = max(self._x(end) - self._x(start), 2.0)
            self._parts.append(
                f'<rect x="{self._x(start):.1f}" y="{y - 5}" width="{width:.1f}" height="10" '
                f'class="gap"><title>no audio for {(end - start) * 1000:.0f} ms</title></rect>'
            )

    def finish(self, title: str, colours: dict[str, str]) -> str:
        bottom = self._y + 6
        lines: list[str] = []
        for moment, lane in zip(self._moments, self._flags, strict=True):
            x, y = self._x(moment.time), _TOP + _FLAG * lane
            lines.append(
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - 8}" y2="{bottom}" class="moment"/>'
                f'<text x="{self._flag_x(moment):.1f}" y="{y}" class="flag">'
                f"{escape(moment.label)}</text>"
            )
        step = next(s for s in (1, 2, 5, 10, 20, 60, 600) if self._seconds / s <= 16 or s == 600)
        for second in range(0, int(self._seconds) + 1, step):
            lines.append(
                f'<text x="{self._x(second):.1f}" y="{bottom + 16}" class="scale">{second} s</text>'
            )
        legend = "".join(
            f'<rect x="{_LEFT + 110 * n}" y="34" width="12" height="12" fill="{colour}"/>'
            f'<text x="{_LEFT + 110 * n + 18}" y="45">{escape(holder)}</text>'
            for n, (holder, colour) in enumerate(colours.items())
        )
        legend += (
            f'<line x1="{_LEFT + 260}" x2="{_LEFT + 290}" y1="40" y2="40" class="call"/>'
            f'<text x="{_LEFT + 298}" y="45">call</text>'
            f'<rect x="{_LEFT + 350}" y="35" width="12" height="10" class="gap"/>'
            f'<text x="{_LEFT + 368}" y="45">audio gap</text>'
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{bottom + 30}" '
            f'viewBox="0 0 {_WIDTH} {bottom + 30}">'
            "<style>text{font:12px sans-serif;fill:#222}.title{font-size:16px;font-weight:bold}"
            ".inside{fill:#fff;font-size:11px}.rule{stroke:#ddd}.call{stroke:#333;stroke-width:3}"
            ".end{fill:#333}.gap{fill:#d22}.moment{stroke:#999;stroke-dasharray:3 3}"
            ".flag{font-size:11px;fill:#555}.scale{font-size:11px;text-anchor:middle;fill:#555}"
            "</style>"
            f'<rect width="100%" height="100%" fill="#fff"/>'
            f'<text x="10" y="22" class="title">{escape(title)}</text>{legend}'
            f"{''.join(lines)}{''.join(self._parts)}</svg>\n"
        )


def _flag_width(moment: Moment) -> float:
    return 6.2 * len(moment.label) + 10
