"""The ladder in a terminal: lifelines and arrows of box characters, one message a line."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from pa_telephony.cli.ladder.model import Arrow, Ladder, Stream

__all__ = ["draw", "lines"]

_LEFT = 12
_COLOURS = ("cyan", "yellow", "green", "magenta", "blue", "red")
_NARROWEST, _WIDEST = 22, 46
_PAUSE = 0.3


def draw(ladder: Ladder, width: int | None = None) -> None:
    """Print the ladder, wider than the terminal if the columns need it (``less -SR`` scrolls)."""
    console = Console(width=width, highlight=False)
    for line in lines(ladder, console.width):
        console.print(line, no_wrap=True, crop=False, overflow="ignore", soft_wrap=True)


def lines(ladder: Ladder, width: int) -> Iterator[Text]:
    """The lines of the picture, for a terminal of ``width`` characters."""
    yield from _Screen(ladder, width).lines()


class _Screen:
    def __init__(self, ladder: Ladder, width: int) -> None:
        self._ladder = ladder
        self._places = ladder.places
        self._silent = sorted(ladder.streams, key=lambda stream: stream.start, reverse=True)
        self._sounding: list[Stream] = []
        count = len(ladder.columns)
        # Half a title stands out on either side.
        room = (width - _LEFT - 18) // max(count - 1, 1)
        self._pitch = min(max(room, _NARROWEST), _WIDEST)
        self._at = {c.key: _LEFT + 6 + self._pitch * n for n, c in enumerate(ladder.columns)}
        self._width = _LEFT + 16 + self._pitch * max(count - 1, 0)

    def lines(self) -> Iterator[Text]:
        if not self._ladder.columns:
            yield Text("nothing to draw")
        else:
            yield from self._heads()
            yield from self._rows()
        yield from self._foot()

    def _heads(self) -> Iterator[Text]:
        columns = self._ladder.columns
        most = max(len(column.details) for column in columns)
        for level in range(min(most, 2) + 1):
            line = _Line(self._width)
            for column in columns:
                details = [column.title, *column.details]
                if level < len(details):
                    style = "bold" if level == 0 else "dim"
                    text = details[level][: self._pitch - 2]
                    line.write(self._at[column.key] - len(text) // 2, text, style)
            yield line.text()

    def _rows(self) -> Iterator[Text]:
        last = None
        shown = ""
        for row in self._ladder.rows:
            if last is not None and row.time - last >= _PAUSE:
                line = self._lifelines(row.time)
                line.write(0, f"{f'{row.time - last:.1f} s ⋮':>{_LEFT - 1}}", "dim italic")
                yield line.text()
            last = row.time
            line = self._lifelines(row.time)
            time = f"{row.time - self._ladder.start:{_LEFT - 3}.3f}"
            if time != shown:
                line.write(0, time, "dim")
            shown = time
            if isinstance(row, Stream):
                self._stream(line, row)
            else:
                self._arrow(line, row)
            yield line.text()

    def _lifelines(self, time: float) -> _Line:
        """A line with all lifelines at ``time``, heavy where there is sound; times only grow."""
        line = _Line(self._width)
        for at in self._at.values():
            line.write(at, "│", "dim")
        while self._silent and self._silent[-1].start <= time:
            self._sounding.append(self._silent.pop())
        self._sounding = [stream for stream in self._sounding if stream.end >= time]
        for stream in self._sounding:
            for key in (stream.source, stream.target):
                line.write(self._at[key], "┃", self._colour(stream.call))
        return line

    def _arrow(self, line: _Line, arrow: Arrow) -> None:
        shaft = "╌" if arrow.protocol == "cti" else "─"
        text = (arrow.name, arrow.detail)
        self._shaft(line, arrow, shaft, text, self._colour(arrow.call))

    def _stream(self, line: _Line, stream: Stream) -> None:
        style = self._colour(stream.call)
        self._shaft(line, stream, "═", ("RTP", stream.text), f"bold {style}")
        if stream.lost:
            line.restyle(f"{stream.lost} lost", "bold red")

    def _shaft(
        self, line: _Line, row: Arrow | Stream, shaft: str, words: tuple[str, str], style: str
    ) -> None:
        start, end = self._at[row.source], self._at[row.target]
        if start == end:
            line.write(start + 2, f"↺ {' '.join(words)}", style)
            return
        low, high = min(start, end) + 1, max(start, end) - 1
        line.write(low, shaft * (high - low + 1), style)
        if end > start:
            line.write(high, "▶", style)
        else:
            line.write(low, "◀", style)
        room = high - low - 3
        text = _fitted(*words, room)
        line.write(low + 1 + (room - len(text)) // 2, f" {text} ", style)

    def _colour(self, call: int) -> str:
        place = self._places.get(call)
        return "white" if place is None else _COLOURS[place % len(_COLOURS)]

    def _foot(self) -> Iterator[Text]:
        ladder = self._ladder
        if ladder.calls:
            yield Text()
        for call in ladder.calls:
            colour = self._colour(call.number)
            references = ", ".join(map(str, call.references[:6]))
            more = ", …" if len(call.references) > 6 else ""
            yield Text.assemble(
                (f"  call {call.number:<3}", f"bold {colour}"),
                f" {call.title}, {call.end - call.start:.1f} s",
                (f"  references {references}{more}", "dim"),
            )
        if ladder.hidden:
            kinds = ", ".join(f"{n} {kind}" for kind, n in ladder.hidden.items())
            yield Text(f"  left out: {kinds} (--all)", style="dim")
        for note in ladder.notes:
            yield Text(f"  note: {note}", style="yellow")


def _fitted(name: str, detail: str, room: int) -> str:
    """Name and detail in ``room`` characters; the name is cut first, but not its end (Ack)."""
    text = f"{name} {detail}".rstrip()
    if len(text) > room and 0 < len(detail) <= room - 12:
        return f"{name[: room - len(detail) - 5]}…{name[-3:]} {detail}"
    return text if len(text) <= room else f"{text[: max(room - 1, 0)]}…"


class _Line:
    """A line of characters, each with its style."""

    def __init__(self, width: int) -> None:
        self._cells = [" "] * width
        self._styles = [""] * width

    def write(self, at: int, text: str, style: str) -> None:
        """Put text over the line from ``at`` on; characters outside the line are cut."""
        for place, character in enumerate(text, at):
            if 0 <= place < len(self._cells):
                self._cells[place] = character
                self._styles[place] = style

    def restyle(self, text: str, style: str) -> None:
        """Give the first place of a text in the line another style."""
        at = "".join(self._cells).find(text)
        if at >= 0:
            self._styles[at : at + len(text)] = [style] * len(text)

    def text(self) -> Text:
        """The line as rich prints it, without blanks at its end."""
        made = Text()
        end = len("".join(self._cells).rstrip())
        for character, style in zip(self._cells[:end], self._styles, strict=False):
            made.append(character, style or None)
        return made
