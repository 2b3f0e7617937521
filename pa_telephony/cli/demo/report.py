"""The promises and what was observed, on the terminal at once and in summary.json at the end."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console, RenderableType
from rich.table import Table

__all__ = ["Promise", "Report"]


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise of the story; ``values`` are the measurements behind ``observed``.

    ``not_judged`` says what was seen and is no fault of the programs', and why; "" for nothing.
    """

    round: str
    promised: str
    observed: str
    not_judged: str
    ok: bool
    values: Mapping[str, object]


class Report:
    """Collects promises; ``started`` (seconds, monotonic) is the zero of all times it shows."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.started = time.monotonic()
        self.round = ""
        self.promises: list[Promise] = []
        self.measured: dict[str, object] = {}

    @property
    def now(self) -> float:
        """Seconds since the start of the report."""
        return time.monotonic() - self.started

    @property
    def ok(self) -> bool:
        """Whether everything was as promised, and at least one promise was checked."""
        return bool(self.promises) and all(promise.ok for promise in self.promises)

    def headline(self, text: str) -> None:
        """Begin a part of the story."""
        self.console.rule(f"[bold]{text}", align="left")

    def step(self, text: str) -> None:
        """Print what is being done, with the time."""
        self.console.print(f"[dim]{self.now:6.2f} s[/dim]  {text}", highlight=False)

    def show(self, what: RenderableType) -> None:
        """Print a table, or anything else that rich can print."""
        self.console.print(what)

    def check(
        self, promised: str, ok: bool, observed: str, *, not_judged: str = "", **values: object
    ) -> bool:
        """Note and print whether a promise was kept; gives ``ok``."""
        promise = Promise(self.round, promised, observed, not_judged, bool(ok), values)
        self.promises.append(promise)
        self.console.print(
            f"[dim]{self.now:6.2f} s[/dim]  {_mark(promise)} {promised}: {_seen(promise)}",
            highlight=False,
        )
        return ok

    def summary(self) -> Table:
        """All promises once more, as a table."""
        table = Table(title="Promised and observed", title_justify="left", expand=False)
        for title in ("round", "promised", "observed", ""):
            table.add_column(title, overflow="fold")
        for promise in self.promises:
            table.add_row(promise.round, promise.promised, _seen(promise), _mark(promise))
        return table

    def write(self, path: Path) -> None:
        """Write all promises and measurements into summary.json."""
        document = {
            "ok": self.ok,
            "seconds": round(self.now, 2),
            "measured": self.measured,
            "promises": [asdict(promise) for promise in self.promises],
        }
        path.write_text(json.dumps(document, indent=1, ensure_ascii=False, default=str) + "\n")


def _mark(promise: Promise) -> str:
    return "[green]✔[/green]" if promise.ok else "[bold red]✘[/bold red]"


def _seen(promise: Promise) -> str:
    if not promise.not_judged:
        return promise.observed
    return f"{promise.observed}; not judged: {promise.not_judged}"
