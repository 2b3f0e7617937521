"""The ladder as one SVG: a column for each side, a row for each message, bars for sound."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from xml.sax.saxutils import escape

from pa_telephony.cli.ladder.model import Arrow, Ladder, Stream

__all__ = ["draw"]

_LEFT, _RIGHT = 150, 90
_ROW, _BREAK, _HEAD = 26, 24, 62
_TITLE, _LEGEND = 34, 20
_LONGEST_LEGEND = 12
_NO_CALL = "#777"
# The colours of the demo's timeline and some more: neighbours are told apart in print too.
_COLOURS = ("#2f6fb0", "#c2571a", "#3f8a3a", "#8d5fb0", "#a3862a", "#1d8a8a")
_PAUSE = 0.3
"""A time without messages of at least so many seconds is shown as a break."""

_STYLE = (
    "text{font:11px sans-serif;fill:#222}.title{font-size:16px;font-weight:bold}"
    ".name{font-size:13px;font-weight:bold;text-anchor:middle}"
    ".detail{fill:#555;text-anchor:middle}.time{fill:#555;text-anchor:end}"
    ".pause{fill:#999;text-anchor:end;font-style:italic}.life{stroke:#bbb}"
    ".gap{stroke:#bbb;stroke-dasharray:1 4}"
    ".label{text-anchor:middle;paint-order:stroke;stroke:#fff;stroke-width:4px}"
    ".lost{fill:#c11;font-weight:bold}.note{fill:#555}.arrow{stroke-width:1.5;fill:none}"
)


def draw(ladder: Ladder, *, title: str) -> str:
    """An SVG as high as there are rows; times are seconds after the start of the capture."""
    return _Picture(ladder).draw(title)


class _Picture:
    def __init__(self, ladder: Ladder) -> None:
        self._ladder = ladder
        self._rows = ladder.rows
        self._places = ladder.places
        count = len(ladder.columns)
        self._pitch = 270 if count <= 4 else 230 if count <= 6 else 190
        self._width = _LEFT + _RIGHT + self._pitch * max(count - 1, 1)
        self._x = {c.key: _LEFT + self._pitch * n for n, c in enumerate(ladder.columns)}
        shown = len(ladder.calls) <= _LONGEST_LEGEND
        self._legend = ladder.calls if shown else ()
        self._top = _TITLE + _LEGEND * ((len(self._legend) + 2) // 3)
        self._ys: list[float] = []
        self._pauses: list[tuple[float, float]] = []
        self._bottom = self._lay_out()

    def _lay_out(self) -> float:
        """Give each row its height, with a break where nothing happened for a while."""
        y = float(self._top + _HEAD)
        last = None
        for row in self._rows:
            if last is not None and row.time - last >= _PAUSE:
                self._pauses.append((y + _BREAK / 2 + 5, row.time - last))
                y += _BREAK
            y += _ROW
            self._ys.append(y)
            last = row.time
        return y + _ROW

    def _y(self, time: float) -> float:
        """The height at which a time lies, also between two rows."""
        below = bisect.bisect_right(self._rows, time, key=lambda row: row.time)
        if not self._ys or below == 0:
            return self._ys[0] if self._ys else self._top
        if below == len(self._ys):
            return self._bottom - _ROW / 2
        t1, t2 = self._rows[below - 1].time, self._rows[below].time
        y1, y2 = self._ys[below - 1], self._ys[below]
        return y1 + (time - t1) / (t2 - t1) * (y2 - y1)

    def draw(self, title: str) -> str:
        foot = self._footnotes()
        height = self._bottom + _HEAD + 18 * len(foot) + 10
        notes = "".join(
            f'<text x="12" y="{self._bottom + _HEAD + 14 + 18 * n:.0f}" class="note">'
            f"{escape(line)}</text>"
            for n, line in enumerate(foot)
        )
        parts = (
            self._calls(),
            *self._lifelines(),
            *self._sounding(),
            *self._heads(self._top + 4),
            *self._heads(self._bottom + 6),
            *self._drawn_rows(),
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self._width}" '
            f'height="{height:.0f}" viewBox="0 0 {self._width} {height:.0f}">'
            f"<style>{_STYLE}</style>"
            '<rect width="100%" height="100%" fill="#fff"/>'
            f'<text x="12" y="24" class="title">{escape(title)}</text>'
            f"{''.join(parts)}{notes}</svg>\n"
        )

    def _colour(self, call: int) -> str:
        place = self._places.get(call)
        return _NO_CALL if place is None else _COLOURS[place % len(_COLOURS)]

    def _calls(self) -> str:
        """The legend: the colour of each call, three calls beside each other."""
        width = (self._width - 24) // 3
        return "".join(
            f'<rect x="{12 + width * (n % 3)}" y="{_TITLE + _LEGEND * (n // 3)}" width="11" '
            f'height="11" fill="{self._colour(call.number)}"/>'
            f'<text x="{28 + width * (n % 3)}" y="{_TITLE + 10 + _LEGEND * (n // 3)}">'
            f"call {call.number}: {escape(call.title)}, {call.end - call.start:.1f} s</text>"
            for n, call in enumerate(self._legend)
        )

    def _heads(self, y: float) -> Iterator[str]:
        for column in self._ladder.columns:
            x = self._x[column.key]
            yield f'<text x="{x}" y="{y + 14:.0f}" class="name">{escape(column.title)}</text>'
            details = column.details[:2]
            if len(column.details) > 3:
                details.append("…")
            else:
                details += column.details[2:3]
            for n, line in enumerate(details):
                yield (
                    f'<text x="{x}" y="{y + 28 + 13 * n:.0f}" class="detail">{escape(line)}</text>'
                )

    def _lifelines(self) -> Iterator[str]:
        for x in self._x.values():
            yield (
                f'<line x1="{x}" x2="{x}" y1="{self._top + _HEAD + 4}" '
                f'y2="{self._bottom:.0f}" class="life"/>'
            )

    def _sounding(self) -> Iterator[str]:
        """A thick lifeline while a column sends or receives sound."""
        spans: dict[tuple[str, int], list[tuple[float, float]]] = {}
        for stream in self._ladder.streams:
            for key in (stream.source, stream.target):
                spans.setdefault((key, stream.call), []).append((stream.start, stream.end))
        for (key, call), times in spans.items():
            for start, end in _united(times):
                y1, y2 = self._y(start), self._y(end)
                yield (
                    f'<rect x="{self._x[key] - 5}" y="{y1:.1f}" width="10" '
                    f'height="{max(y2 - y1, 4):.1f}" rx="3" fill="{self._colour(call)}" '
                    'opacity="0.35"/>'
                )

    def _drawn_rows(self) -> Iterator[str]:
        for y, seconds in self._pauses:
            yield (
                f'<line x1="70" x2="{self._width - 20}" y1="{y - 4:.1f}" y2="{y - 4:.1f}" '
                f'class="gap"/><text x="62" y="{y:.1f}" class="pause">{seconds:.1f} s later</text>'
            )
        shown = ""
        for row, y in zip(self._rows, self._ys, strict=True):
            time = f"{row.time - self._ladder.start:.3f}"
            if time != shown:
                yield f'<text x="62" y="{y + 4:.1f}" class="time">{time}</text>'
            shown = time
            yield self._stream(row, y) if isinstance(row, Stream) else self._arrow(row, y)

    def _arrow(self, arrow: Arrow, y: float) -> str:
        x1, x2 = self._x[arrow.source], self._x[arrow.target]
        colour = self._colour(arrow.call)
        dashes = ' stroke-dasharray="5 3"' if arrow.protocol == "cti" else ""
        text = f"<tspan font-weight='bold'>{escape(arrow.name)}</tspan>"
        if arrow.detail:
            text += f" {escape(arrow.detail)}"
        return (
            f'<line x1="{x1}" x2="{x2}" y1="{y}" y2="{y}" class="arrow" stroke="{colour}"{dashes}/>'
            f"{_point(x1, x2, y, 8, colour)}"
            f'<text x="{(x1 + x2) / 2:.0f}" y="{y - 5:.1f}" class="label">{text}</text>'
        )

    def _stream(self, stream: Stream, y: float) -> str:
        """A thick bar from side to side, as the sound is what a reader looks for first."""
        x1, x2 = self._x[stream.source], self._x[stream.target]
        if x1 == x2:
            # To itself: a bar as long as the way to a neighbour, so that it is seen.
            x2 = x1 + self._pitch * 9 // 10
        colour = self._colour(stream.call)
        lost = " lost" if stream.lost else ""
        way = 1 if x2 > x1 else -1
        end = x2 - 14 * way
        return (
            f'<rect x="{min(x1, end)}" y="{y - 9}" width="{abs(end - x1)}" height="16" rx="3" '
            f'fill="{colour}" opacity="0.22"/>'
            f"{_point(x1, x2, y - 1, 14, colour)}"
            f'<text x="{(x1 + x2) / 2:.0f}" y="{y + 3}" class="label{lost}">'
            f"<tspan font-weight='bold'>RTP</tspan> {escape(stream.text)}</text>"
        )

    def _footnotes(self) -> list[str]:
        lines = ["SCCP solid, CTI dashed, RTP as bars."] if self._rows else ["Nothing to draw."]
        if self._ladder.hidden:
            kinds = ", ".join(f"{n} {kind}" for kind, n in self._ladder.hidden.items())
            lines.append(f"Left out: {kinds} (--all draws them).")
        return lines + list(self._ladder.notes)


def _point(x1: float, x2: float, y: float, size: int, colour: str) -> str:
    """The head of an arrow that ends at ``x2``."""
    back = x2 - size if x2 > x1 else x2 + size
    half = size * 0.45
    return f'<path d="M{x2} {y}L{back} {y - half:.1f}L{back} {y + half:.1f}z" fill="{colour}"/>'


def _united(spans: list[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """The spans with overlapping ones united."""
    start, end = min(spans)
    for one, two in sorted(spans):
        if one > end:
            yield start, end
            start, end = one, two
        end = max(end, two)
    yield start, end
