"""What operators order through the API, with what is so on the way."""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable
from typing import Any

import trio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pa_telephony.admin.administration import WAITED, Administration
from pa_telephony.admin.api.asking import Asked, Handler
from pa_telephony.admin.api.problems import Refused, as_refused, broken, refused_by
from pa_telephony.admin.api.shapes import Problem
from pa_telephony.admin.managed import NoServers, Told
from pa_telephony.errors import ConfigurationError, ConnectionLost, LocalProtocolError
from pa_telephony.failover.intent import DRAINS_WITHIN, Answer, Command
from pa_telephony.failover.plain import plain_answer, plain_roll

__all__ = ["Ordering"]

_Tell = Callable[[dict[str, object]], None]
"""What hears what is so on the way."""
_Give = Callable[[_Tell], Awaitable[tuple[str, dict[str, Any]]]]
"""Gives an order; what has come of it in words for the log, and as the answer."""


class Ordering:
    """The operations that give orders to servers."""

    def __init__(self, everything: Administration) -> None:
        self._managed = everything.managed

    def handlers(self) -> dict[str, Handler]:
        """Who answers what."""
        commands: dict[str, Handler] = {each.value: self._command for each in Command}
        return {
            **commands,
            **dict.fromkeys(("move", "return", "hold"), self._one),
            "restart-progress": self._restart_progress,
            "restart": self._restart,
            "end-restart": self._end_restart,
        }

    async def _command(self, asked: Asked) -> Any:
        body, command, names = asked.body, Command(asked.operation.name), _names(asked)

        async def give(tell: _Tell) -> tuple[str, dict[str, Any]]:
            deadline = body.get("deadline", DRAINS_WITHIN)
            answers = await self._managed.order(
                command, names, within=body["within"], deadline=deadline, told=_telling(tell)
            )
            return _answered(answers)

        return await self._see(asked, give)

    async def _one(self, asked: Asked) -> Any:
        body, managed, server = asked.body, self._managed, asked.body["server"]
        asked.subject = f"{server} to {body['to']}" if "to" in body else server
        if body.get("undo"):
            asked.subject += " (undo)"
        within, deadline = body["within"], body.get("deadline")

        async def give(tell: _Tell) -> tuple[str, dict[str, Any]]:
            told = _telling(tell)
            match asked.operation.name:
                case "move":
                    one = await managed.move(
                        server, body["to"], within=within, deadline=deadline, told=told
                    )
                case "return":
                    one = await managed.bring_back(
                        server, undo=body["undo"], within=within, deadline=deadline, told=told
                    )
                case _:
                    one = await managed.hold(server, undo=body["undo"], within=within, told=told)
            return _answered((one,))

        return await self._see(asked, give)

    async def _restart_progress(self, _: Asked) -> Any:
        roll = await self._managed.roll()
        return {"restart": None if roll is None else plain_roll(roll)}

    async def _restart(self, asked: Asked) -> Any:
        body, names = asked.body, _names(asked)

        async def give(tell: _Tell) -> tuple[str, dict[str, Any]]:
            try:
                words = await self._managed.restart(
                    names,
                    body["deadline"],
                    within=body["within"],
                    told=lambda words: tell({"words": words}),
                )
            except LocalProtocolError as error:
                raise Refused(409, str(error)) from None
            return words, await self._restart_progress(asked)

        return await self._see(asked, give)

    async def _end_restart(self, asked: Asked) -> Any:
        asked.result = await self._managed.undo_restart()
        return await self._restart_progress(asked)

    async def _see(self, asked: Asked, give: _Give) -> Any:
        """Give an order that is waited for; it stands in the audit log before."""
        note, asked.result = asked.note, WAITED
        assert note is not None
        await note()
        if asked.accepts("text/event-stream"):
            asked.note = None
            return _Progress(give, asked, note)
        try:
            asked.result, answer = await give(lambda _: None)
        except NoServers:
            raise
        except ConfigurationError as error:
            raise refused_by(error) from None
        return answer


def _names(asked: Asked) -> list[str]:
    """The servers that are named, or none for all of them."""
    names: list[str] = asked.body["servers"]
    if bool(names) == asked.body["all"]:
        refused = broken("body", [Problem("servers", "name the servers, or say all: true")])
        assert refused is not None
        raise refused
    asked.subject = ", ".join(names) or "all"
    return names


def _telling(tell: _Tell) -> Told:
    return lambda answer: tell(plain_answer(answer))


def _answered(answers: tuple[Answer, ...]) -> tuple[str, dict[str, Any]]:
    return "\n".join(each.words for each in answers), {
        "obeyed": all(each.obeyed for each in answers),
        "answers": [*map(plain_answer, answers)],
    }


class _Progress(Response):
    """Events ``progress`` with what is so on the way, and ``done`` at the end, or ``refused``."""

    media_type = "text/event-stream"

    def __init__(self, give: _Give, asked: Asked, note: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self._give = give
        self._asked = asked
        self._note = note
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Give the order, and send what becomes of it."""
        told, heard = trio.open_memory_channel[dict[str, object]](math.inf)
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})

        async def relay() -> None:
            async for each in heard:
                await _event(send, "progress", each)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(relay)
            async with told:
                last = await self._order(told)
        await _event(send, *last)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _order(
        self, told: trio.MemorySendChannel[dict[str, object]]
    ) -> tuple[str, dict[str, Any]]:
        try:
            self._asked.result, answer = await self._give(told.send_nowait)
            return "done", answer
        except (Refused, ConfigurationError, ConnectionLost) as error:
            self._asked.result = f"refused: {error}"
            return "refused", as_refused(error).body
        finally:
            await self._note()


async def _event(send: Send, name: str, value: dict[str, Any]) -> None:
    text = f"event: {name}\ndata: {json.dumps(value)}\n\n"
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
