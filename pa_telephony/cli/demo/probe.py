"""A phone that calls a number again and again, and remembers how each call ended."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import trio

from pa_telephony.cli.demo.evidence import Event
from pa_telephony.errors import CallEnded, TelephonyError
from pa_telephony.sccp import Station

__all__ = ["Caller", "Probe"]

_PATIENCE = 12.0
_ABOUT_CALLERS = {"routed", "not_routed", "turned_away"}


@dataclass(slots=True)
class Caller:
    """One call as the caller saw it; times are wall clock, durations seconds."""

    number: str
    """The number of the caller."""
    dialled: float
    seconds: float = 0.0
    """Seconds from dialling to sound; of a call that was not answered, to its end."""
    answered: bool = False
    reached: str = ""
    """The number that the call manager last showed as the other side."""
    cause: int = 0
    """The cause of the end (Q.850); 0 while there is none."""
    shown: str = ""
    """The last state and prompt on the display, of a call that was not answered."""
    servers: list[str] = field(default_factory=list[str])
    """What the servers' events say about it; :meth:`Probe.ask_servers` fills it in."""

    def __str__(self) -> str:
        told = f"cause {self.cause}" if self.cause else "no answer"
        said = "; ".join(self.servers) or "no server heard of it"
        return f"{told} after {self.seconds * 1000:.0f} ms, {self.shown} ({said})"


class Probe:
    """Calls ``number`` from a phone, talks for a moment, hangs up, and begins again."""

    def __init__(
        self, station: Station, number: str = "6000", *, talks: float = 0.1, pauses: float = 0.2
    ) -> None:
        self.callers: list[Caller] = []
        self._station = station
        self._number = number
        self._talks = talks
        self._pauses = pauses

    @property
    def answered(self) -> int:
        """How many calls were answered."""
        return sum(caller.answered for caller in self.callers)

    @property
    def slowest(self) -> float:
        """Seconds from dialling to sound of the call that waited longest; 0.0 without any."""
        return max((caller.seconds for caller in self.callers if caller.answered), default=0.0)

    @property
    def turned_away(self) -> list[Caller]:
        """The calls that were not answered."""
        return [caller for caller in self.callers if not caller.answered]

    def ask_servers(self, events: Sequence[Event]) -> None:
        """Find in the servers' events which of them routed each unanswered call, and where to."""
        for caller in self.turned_away:
            until = caller.dialled + caller.seconds + 1.0
            caller.servers = [
                _in_words(event, caller)
                for event in events
                if event.kind in _ABOUT_CALLERS
                and event.fields.get("calling") == caller.number
                and caller.dialled <= event.time <= until
            ]

    def document(self) -> list[dict[str, Any]]:
        """Every call as a dictionary, for summary.json."""
        return [asdict(caller) for caller in self.callers]

    @asynccontextmanager
    async def calling(self) -> AsyncGenerator[None]:
        """Call again and again until the block is left; the last call is not cut short."""
        over = trio.Event()

        async def go_on() -> None:
            while not over.is_set():
                await self._call()
                with trio.move_on_after(self._pauses):
                    await over.wait()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(go_on)
            yield
            over.set()

    async def _call(self) -> None:
        caller = Caller(self._station.number, time.time())
        self.callers.append(caller)
        begun = trio.current_time()
        with trio.move_on_after(_PATIENCE) as patience:
            try:
                async with self._station.call(self._number) as call:
                    try:
                        await call.wait_media()
                    except BaseException:
                        caller.cause = call.cause if call.ended or call.refused else 0
                        caller.shown = (
                            f"{call.state.name.lower().replace('_', ' ')} {call.prompt!r}"
                        )
                        raise
                    else:
                        caller.answered = True
                        caller.seconds = trio.current_time() - begun
                        # Once there is sound, the time limit of the caller is off.
                        patience.deadline = float("inf")
                        await trio.sleep(self._talks)
                    finally:
                        caller.reached = call.connected_to
            except CallEnded as ended:
                caller.cause = caller.cause or ended.cause
            except TelephonyError as error:
                caller.shown = caller.shown or str(error)
        if not caller.answered:
            caller.seconds = trio.current_time() - begun


def _in_words(event: Event, caller: Caller) -> str:
    after = f"{event.server} after {(event.time - caller.dialled) * 1000:.0f} ms"
    if event.kind == "turned_away":
        return f"{after}: {event.identity} does not answer, {event.fields['why']}"
    tried = ", ".join(event.fields.get("tried", ())) or "nothing tried"
    return f"{after}: {tried}" + (f", {event.fields['why']}" if event.fields["why"] else "")
