"""The call manager through the API: what is so there, and what operators do."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from starlette.responses import Response

from pa_telephony.admin.administration import Administration
from pa_telephony.admin.api.asking import Asked, Handler
from pa_telephony.admin.api.call_manager_operations import TOPIC_OF
from pa_telephony.admin.api.problems import Refused, field_of
from pa_telephony.admin.api.streaming import streaming
from pa_telephony.admin.call_manager_view import Deed, Seen, done
from pa_telephony.callmanager import ControlRefused
from pa_telephony.callmanager.control.requests import (
    Code,
    Drop,
    MessageWaiting,
    Reset,
    Restart,
    SetForward,
)
from pa_telephony.callmanager.control.rows import TOPICS
from pa_telephony.errors import ConnectionLost, RemoteProtocolError

__all__ = ["CallManaging"]

_DEEDS: dict[str, type[Deed]] = {
    "call-manager-reset": Reset,
    "call-manager-restart": Restart,
    "call-manager-message-waiting": MessageWaiting,
    "call-manager-forward": SetForward,
    "call-manager-drop": Drop,
}
_STATUS = {
    Code.UNKNOWN_DEVICE.value: 404,
    Code.UNKNOWN_LINE.value: 404,
    Code.UNKNOWN_CALL.value: 404,
    Code.NOT_REGISTERED.value: 409,
    Code.NOT_POSSIBLE.value: 409,
    Code.BAD_REQUEST.value: 422,
    Code.TOO_LONG.value: 422,
}


class CallManaging:
    """The operations that ask the call manager."""

    def __init__(self, everything: Administration) -> None:
        self._all = everything
        self._link = everything.call_manager
        self._managed = everything.managed

    def handlers(self) -> dict[str, Handler]:
        """Who answers what."""
        return {
            "call-manager": self._about,
            "call-manager-missing": self._missing,
            "call-manager-events": self._events,
            **dict.fromkeys(TOPIC_OF, self._topic),
            **dict.fromkeys(_DEEDS, self._do),
        }

    async def _about(self, _: Asked) -> Any:
        return dataclasses.asdict((await self._link.ask("warnings")).about)

    async def _topic(self, asked: Asked) -> Any:
        topic = TOPIC_OF[asked.operation.name]
        rows = getattr((await self._link.ask(topic)).picture, topic)
        return {topic: [dataclasses.asdict(each) for each in rows]}

    async def _events(self, asked: Asked) -> Response:
        return streaming(self._all, asked, self._all.live_call_manager, _draw)

    async def _missing(self, _: Asked) -> Any:
        await self._link.ask("warnings")
        lacking = await self._link.lacking((await self._managed.present()).config)
        if lacking is None:
            raise ConnectionLost("the call manager has ended")
        rows = [
            {"name": each.name, "server": each.identity.home, "why": each.why, "toml": each.toml}
            for each in lacking.missing
        ]
        return {"missing": rows}

    async def _do(self, asked: Asked) -> Any:
        body = asked.body
        asked.subject = " ".join(f"{name}={value}" for name, value in body.items())
        deed = _DEEDS[asked.operation.name](**body)
        try:
            await self._link.do(deed)
        except ControlRefused as refused:
            status = _STATUS.get(refused.code, 503)
            raise Refused(status, refused.reason, [field_of("body", "", refused.reason)]) from None
        except RemoteProtocolError as error:
            raise ConnectionLost(str(error)) from error
        asked.result = done(deed)
        return {"told": asked.result}


def _draw(seen: Seen) -> str:
    """What is so, without the counters, which grow all the time."""
    rows = {
        topic: [dataclasses.asdict(each) for each in getattr(seen.picture, topic)]
        for topic in TOPICS
        if topic != "counters"
    }
    return json.dumps({"about": dataclasses.asdict(seen.about), **rows, "unreached": seen.why})
