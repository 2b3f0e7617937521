"""What can be asked of the call manager through the API. Pure."""

from __future__ import annotations

from typing import Any

from pa_telephony.admin.api.declaring import Operation, shape_of, thing
from pa_telephony.admin.api.shapes import Flag, Items, Part, Shape, Text, Thing, Whole
from pa_telephony.admin.call_manager_view import FORWARDS
from pa_telephony.admin.roles import Act
from pa_telephony.callmanager.control.rows import TOPICS, About

__all__ = ["CALL_MANAGER", "TOPIC_OF"]

_PATH = "/callmanager"
_WHAT = {
    "devices": "Every device: its lines, from where it is registered and since when, or why not.",
    "route_points": "Every number of a route point: who has it, and where callers go otherwise.",
    "calls": "The calls that are up, with everybody in them and their sound.",
    "applications": "The applications that are logged in.",
    "counters": "What it has counted.",
    "warnings": "What is probably not meant, or not well.",
}
TOPIC_OF = {f"call-manager-{each.replace('_', '-')}": each for each in TOPICS}
"""What each operation that shows something shows."""

_ANY_TEXT = Text(most=100_000)
_NAME = Text(least=1, most=200)
_LINE = (
    Part("line", _NAME),
    Part(
        "partition",
        Text(null=True, most=200, hint="Needed where the number is in several; null otherwise."),
        mandatory=False,
    ),
)


def _get(name: str, path: str, what: str, answer: Shape) -> Operation:
    return Operation(
        name=name,
        method="GET",
        path=_PATH + path,
        act=Act.LOOK,
        what=f"{what} 503 where the call manager's control socket is not reached.",
        answer=answer,
    )


_SHOWN = {topic: Items(of=shape_of(row)) for topic, row in TOPICS.items() if topic != "counters"}


def _post(name: str, what: str, *parts: Part) -> Operation:
    return Operation(
        name=f"call-manager-{name}",
        method="POST",
        path=f"{_PATH}/{name}",
        act=Act.OPERATE,
        what=what,
        answer=thing(told=_ANY_TEXT),
        body=Thing(parts=parts),
        notes=True,
    )


def _topic(name: str, topic: str) -> Operation:
    rows: dict[str, Any] = {topic: Items(of=shape_of(TOPICS[topic]))}
    return _get(name, f"/{topic.replace('_', '-')}", _WHAT[topic], thing(**rows))


CALL_MANAGER = (
    _get("call-manager", "", "Which call manager it is.", shape_of(About)),
    *(_topic(name, topic) for name, topic in TOPIC_OF.items()),
    Operation(
        name="call-manager-events",
        method="GET",
        path=f"{_PATH}/events",
        act=Act.LOOK,
        what="All of that but the counters whenever it changes, as events named `update`.",
        answer=thing(
            about=shape_of(About),
            **_SHOWN,
            unreached=Text(most=100_000, hint="Why it is not reached; empty when it is."),
        ),
        stream=True,
    ),
    _get(
        "call-manager-missing",
        "/missing",
        "The devices that it lacks for the cluster, with the lines to paste into its file.",
        thing(missing=Items(of=thing(name=_ANY_TEXT, server=_NAME, why=_ANY_TEXT, toml=_ANY_TEXT))),
    ),
    _post(
        "reset",
        "Have a phone or media port start anew, once it has no call.",
        Part("device", _NAME),
    ),
    _post(
        "restart",
        "Have a phone or media port register anew, once it has no call.",
        Part("device", _NAME),
    ),
    _post(
        "message-waiting", "Switch the message waiting lamp of a line.", *_LINE, Part("on", Flag())
    ),
    _post(
        "forward",
        "Send calls of a line elsewhere; without a number no more.",
        *_LINE,
        Part("kind", Text(choices=tuple(FORWARDS))),
        Part("number", Text(most=64), mandatory=False, default=""),
    ),
    _post("drop", "End a call, with everybody in it.", Part("call", Whole())),
)
"""All of them, for the table of operations."""
