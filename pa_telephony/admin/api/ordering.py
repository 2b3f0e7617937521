"""What operators order through the API, with what is so on the way."""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable
from typing import Any

import trio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pa_telephony.admin.administration import Administration
from pa_telephony.admin.api.asking import Asked, Handler
from pa_telephony.admin.api.problems import as_refused, broken, refused_by
from pa_telephony.admin.api.shapes import Problem
from pa_telephony.admin.managed import NoServers, Told
from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.failover.intent import DRAINS_WITHIN, Answer, Command
from pa_telephony.failover.plain import plain_answer

__all__ = ["Ordering"]

_Give = Callable[[Told], Awaitable[tuple[Answer, ...]]]


class Ordering:
    """The operations that give orders to servers."""

    def __init__(self, everything: Administration) -> None:
        self._managed = everything.managed

    def handlers(self) -> dict[str, Handler]:
        """Who answers what."""
        commands: dict[str, Handler] = {each.value: self._command for each in Command}
        return commands | {"move": self._one, "return": self._one, "hold": self._one}

    async def _command(self, asked: Asked) -> Any:
        body, command = asked.body, Command(asked.operation.name)
        names = body["servers"]
        if bool(names) == body["all"]:
            refused = broken("body", [Problem("servers", "name the servers, or say all: true")])
            assert refused is not None
            raise refused
        asked.subject = ", ".join(names) or "all"

        async def give(told: Told) -> tuple[Answer, ...]:
            deadline = body.get("deadline", DRAINS_WITHIN)
            return await self._managed.order(
                command, names, within=body["within"], deadline=deadline, told=told
            )

        return await self._see(asked, give)

    async def _one(self, asked: Asked) -> Any:
        body, managed, server = asked.body, self._managed, asked.body["server"]
        asked.subject = f"{server} to {body['to']}" if "to" in body else server
        if body.get("undo"):
            asked.subject += " (undo)"
        within, deadline = body["within"], body.get("deadline")

        async def give(told: Told) -> tuple[Answer, ...]:
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
            return (one,)

        return await self._see(asked, give)

    async def _see(self, asked: Asked, give: _Give) -> Any:
        if asked.accepts("text/event-stream"):
            note, asked.note = asked.note, None
            return _Progress(give, asked, note)
        try:
            answers = await give(lambda _: None)
        except NoServers:
            raise
        except ConfigurationError as error:
            raise refused_by(error) from None
        asked.result = _words(answers)
        return _answered(answers)


def _words(answers: tuple[Answer, ...]) -> str:
    return "\n".join(each.words for each in answers)


def _answered(answers: tuple[Answer, ...]) -> dict[str, Any]:
    return {
        "obeyed": all(each.obeyed for each in answers),
        "answers": [*map(plain_answer, answers)],
    }


class _Progress(Response):
    """Events ``progress`` with what is so on the way, and ``done`` at the end, or ``refused``."""

    media_type = "text/event-stream"

    def __init__(
        self, give: _Give, asked: Asked, note: Callable[[], Awaitable[None]] | None
    ) -> None:
        super().__init__()
        self._give = give
        self._asked = asked
        self._note = note
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Give the order, and send what becomes of it."""
        told, heard = trio.open_memory_channel[Answer](math.inf)
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})

        async def relay() -> None:
            async for each in heard:
                await _event(send, "progress", plain_answer(each))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(relay)
            async with told:
                last = await self._order(told)
        await _event(send, *last)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _order(self, told: trio.MemorySendChannel[Answer]) -> tuple[str, dict[str, Any]]:
        try:
            answers = await self._give(told.send_nowait)
            self._asked.result = _words(answers)
            return "done", _answered(answers)
        except (ConfigurationError, ConnectionLost) as error:
            self._asked.result = f"refused: {error}"
            return "refused", as_refused(error).body
        finally:
            if self._note is not None:
                await self._note()


async def _event(send: Send, name: str, value: dict[str, Any]) -> None:
    text = f"event: {name}\ndata: {json.dumps(value)}\n\n"
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
