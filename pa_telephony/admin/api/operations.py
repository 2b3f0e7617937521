"""All that can be asked of the API: declared once, checked by it, and described by it. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, cast, get_type_hints

from pa_telephony.admin.api.call_manager_operations import CALL_MANAGER
from pa_telephony.admin.api.declaring import BASE, Operation, thing
from pa_telephony.admin.api.shapes import (
    Anything,
    Flag,
    Items,
    Names,
    Number,
    Part,
    Text,
    Thing,
    Whole,
)
from pa_telephony.admin.roles import Act, Role
from pa_telephony.failover.alarm_kinds import AlarmKind
from pa_telephony.failover.chronicle import EpisodeKind
from pa_telephony.failover.config import (
    ApplicationConfig,
    JtapiProvider,
    ServerConfig,
    SkinnyProvider,
    Timing,
)
from pa_telephony.failover.intent import DRAINS_WITHIN
from pa_telephony.failover.plain import KINDS
from pa_telephony.failover.rolling import State
from pa_telephony.failover.speech import SpeechConfig

__all__ = ["BASE", "NOTHING", "OPERATIONS", "PROBLEM", "Operation", "find"]

_NAME = Text(least=1, most=200)
_ANY_TEXT = Text(most=100_000)
_WITHIN = Part(
    "within",
    Number(most=300.0, hint="Wait so many seconds for it to happen."),
    mandatory=False,
    default=10.0,
)
_UNDO = Part("undo", Flag(hint="Take the order back."), mandatory=False, default=False)


def _deadline(default: int | None, hint: str) -> Part:
    whole = Whole(most=86_400, null=default is None, hint=hint)
    return Part("deadline", whole, mandatory=False, default=default)


# ------------------------------------------------------------------------------------ answers

NOTHING = Thing(hint="Nothing to say.")

_RESOURCE = thing(
    kind=Text(choices=tuple(KINDS.values())),
    number=_ANY_TEXT,
    up=Flag(),
    holder=Text(hint="The server that serves or owns it; empty for none."),
    also=Items(of=_NAME),
    doubled=Flag(),
    busy=Flag(hint="Whether it has a call."),
    why=_ANY_TEXT,
)
_ORDERS = Thing(
    parts=(
        Part("drain", thing(seconds=Number()), mandatory=False),
        Part("stop", thing(alone=Flag()), mandatory=False),
        Part("move", thing(to=_NAME, seconds=Number(null=True)), mandatory=False),
        Part("return", thing(seconds=Number()), mandatory=False),
        Part("hold", thing(), mandatory=False),
    ),
    hint="What operators have ordered; `seconds` is what calls have, null for all their time.",
)
_SERVER = thing(
    server=_NAME,
    state=_ANY_TEXT,
    severity=Text(choices=("normal", "warning", "down")),
    up=Flag(),
    stopped=Flag(),
    process=Text(null=True, most=10_000, hint="As its agent keeps it; null where none does."),
    orders=_ORDERS,
    age=Number(null=True, least=-1e9, hint="Seconds since its last heartbeat."),
    notes=Items(of=_ANY_TEXT),
    stands_in_for=Items(of=_NAME),
    fail_over_server=Text(hint="The server that stands in now; empty for none."),
    media_ports_in_use=Whole(),
    calls=Whole(hint="Media ports with a call at it, its own and those of others."),
    resources=Items(of=_RESOURCE),
)
_SERVICE = thing(group=_NAME, host=_ANY_TEXT, locale=_ANY_TEXT, state=_ANY_TEXT)
_AGENT = thing(
    machine=_NAME,
    servers=Names(of=_ANY_TEXT),
    load=Number(),
    memory_mib=Whole(),
    disk_mib=Whole(),
    told=Whole(
        hint="When it said so, by its machine's clock: seconds since the epoch; 0 = not known."
    ),
)
_ALARM = thing(
    kind=Text(choices=tuple(each.value for each in AlarmKind)),
    server=Text(),
    identity=Text(),
    text=_ANY_TEXT,
)
_EPISODE = thing(
    kind=Text(choices=tuple(each.value for each in EpisodeKind)),
    server=_NAME,
    home=Text(),
    cause=_ANY_TEXT,
    began=Number(),
    seconds=Number(null=True),
    identities=Whole(),
    to=Text(),
)
_REVISION = (
    Part("revision", Whole()),
    Part("hash", Text()),
    Part("at", Number(hint="Seconds since 1970; 0 when it is not known.")),
    Part("by", _ANY_TEXT),
)
_PAST = Thing(parts=(*_REVISION, Part("changes", Items(of=_ANY_TEXT))))
_ANSWER = thing(
    server=_NAME,
    final=Flag(hint="Whether waiting longer would change nothing."),
    obeyed=Flag(),
    words=_ANY_TEXT,
)
_RESTART = thing(
    restart=Thing(
        null=True,
        hint="The one that goes on, or was the last one; null when there was none.",
        parts=(
            Part("state", Text(choices=tuple(each.value for each in State))),
            Part("goes_on", Flag()),
            Part("done", Items(of=_NAME, hint="Those that were restarted.")),
            Part("left", Items(of=_NAME, hint="Those that were not; the first is at hand.")),
            Part("deadline", Number(hint="Seconds that calls of a server have.")),
            Part("since", Number(hint="When the state began.")),
            Part("words", _ANY_TEXT),
        ),
    )
)
_ROLE = Text(choices=tuple(each.value for each in Role))
_ACCOUNT = thing(name=_NAME, role=_ROLE)
_PASSWORD = thing(name=_NAME, role=_ROLE, password=Text(hint="It is shown this once."))
_TOKEN = (
    Part("name", _NAME),
    Part("role", _ROLE),
    Part("by", Text(hint="The one who made it.")),
    Part("made", Number()),
    Part("used", Number(null=True, hint="When it was used last, to a minute.")),
)
_DEED = thing(at=Number(), account=Text(), address=Text(), what=_ANY_TEXT, result=_ANY_TEXT)

PROBLEM = Thing(
    parts=(
        Part("type", Text()),
        Part("title", Text()),
        Part("status", Whole(least=400, most=599)),
        Part("detail", _ANY_TEXT),
        Part("errors", Items(of=thing(section=_ANY_TEXT, field=_ANY_TEXT, rule=_ANY_TEXT))),
        Part(
            "changes",
            Items(of=_ANY_TEXT, hint="What another writer has changed meanwhile."),
            mandatory=False,
        ),
        Part("revision", Whole(hint="What the store has now."), mandatory=False),
    ),
    hint="What was refused, and why (RFC 9457).",
)

# ------------------------------------------------------------------------------ configuration

_TYPES: dict[object, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    tuple[str, ...]: {"type": "array", "items": {"type": "string"}},
    Mapping[str, str]: {"type": "object", "additionalProperties": {"type": "string"}},
}


def _described(kind: type[Any]) -> dict[str, Any]:
    """The JSON Schema of a table of the configuration; its fields are checked by their class."""
    hints = get_type_hints(kind)
    fields = dataclasses.fields(kind)
    found: dict[str, Any] = {
        "type": "object",
        "properties": {each.name: dict(_TYPES[hints[each.name]]) for each in fields},
        "additionalProperties": False,
    }
    required = [
        each.name
        for each in fields
        if each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
    ]
    return found | ({"required": required} if required else {})


def _provider(kind: type[JtapiProvider | SkinnyProvider]) -> dict[str, Any]:
    found = _described(kind)
    name = cast("str", getattr(kind, "type", ""))
    properties = {"type": {"type": "string", "const": name}, **found["properties"]}
    return found | {"properties": properties, "required": ["type", *found["required"]]}


_CONFIGURATION = Anything(
    hint="The configuration as TOML has it: what is left out has its default. A password is never"
    " given out; one that is left out stays as it is, and an empty one is removed.",
    described=(
        (
            "properties",
            {
                "servers": {"type": "array", "items": _described(ServerConfig)},
                "providers": {
                    "type": "array",
                    "items": {"oneOf": [_provider(JtapiProvider), _provider(SkinnyProvider)]},
                },
                "timing": _described(Timing),
                "application": _described(ApplicationConfig),
                "speech": _described(SpeechConfig),
                "capacity_aware": {"type": "boolean"},
            },
        ),
        ("additionalProperties", False),
    ),
)
_PRESENT = Thing(
    parts=(
        *_REVISION,
        Part("configuration", _CONFIGURATION),
        Part("passwords", Items(of=_NAME, hint="The providers that have a password.")),
    )
)
_SAVED = thing(
    revision=Whole(),
    saved=Flag(hint="False of a dry run, and when nothing has changed."),
    changes=Items(of=_ANY_TEXT),
    told=Items(of=_ANY_TEXT, hint="What happens then."),
    warnings=Items(of=_ANY_TEXT),
    refused=Items(
        of=thing(section=_ANY_TEXT, field=_ANY_TEXT, rule=_ANY_TEXT),
        hint="Of a dry run: why it could not be saved now.",
    ),
)

# ------------------------------------------------------------------------------------- orders


def _order(name: str, what: str, *parts: Part) -> Operation:
    return _ordered(name, what, _of_servers(*parts))


def _of_servers(*parts: Part) -> Thing:
    return Thing(
        parts=(
            Part(
                "servers",
                Items(of=_NAME, most=1000, hint="Their names; or `all`."),
                mandatory=False,
                default=[],
            ),
            Part("all", Flag(hint="All servers."), mandatory=False, default=False),
            *parts,
            _WITHIN,
        )
    )


def _order_one(name: str, what: str, *parts: Part) -> Operation:
    return _ordered(name, what, Thing(parts=(Part("server", _NAME), *parts, _WITHIN)))


def _ordered(name: str, what: str, body: Thing) -> Operation:
    return Operation(
        name=name,
        method="POST",
        path=f"/orders/{name}",
        act=Act.OPERATE,
        what=f"{what} Waits, and says what has become of it; as events, with what is so on the way,"
        " when `text/event-stream` is accepted.",
        answer=thing(obeyed=Flag(), answers=Items(of=_ANSWER)),
        body=body,
        events=True,
        notes=True,
    )


_CALLS_HAVE = "Calls that delay it are ended after so many seconds."

OPERATIONS = (
    Operation(
        name="description",
        method="GET",
        path="/openapi.json",
        act=Act.LOOK,
        what="This description, as OpenAPI 3.1.",
        answer=Anything(),
    ),
    Operation(
        name="session",
        method="GET",
        path="/session",
        act=Act.LOOK,
        what="Who asks, what that role may do, and the token that a session's requests carry in"
        " `X-CSRF-Token`.",
        answer=thing(
            account=_NAME,
            role=_ROLE,
            may=Items(of=Text(choices=tuple(each.name.lower() for each in Act))),
            csrf=Text(null=True),
        ),
    ),
    Operation(
        name="status",
        method="GET",
        path="/status",
        act=Act.LOOK,
        what="Every server's status page, as `pa-telephony status --json`; then services.",
        answer=thing(servers=Items(of=_SERVER), services=Items(of=_SERVICE)),
    ),
    Operation(
        name="agents",
        method="GET",
        path="/agents",
        act=Act.LOOK,
        what="What the agents that live say of their machines.",
        answer=thing(agents=Items(of=_AGENT)),
    ),
    Operation(
        name="alarms",
        method="GET",
        path="/alarms",
        act=Act.LOOK,
        what="What is wrong now.",
        answer=thing(alarms=Items(of=_ALARM)),
    ),
    Operation(
        name="episodes",
        method="GET",
        path="/episodes",
        act=Act.LOOK,
        what="The last takeovers, returns and fences, the oldest first.",
        answer=thing(episodes=Items(of=_EPISODE)),
    ),
    Operation(
        name="events",
        method="GET",
        path="/events",
        act=Act.LOOK,
        what="Status and alarms whenever they change, as events named `update`.",
        answer=thing(
            revision=Whole(),
            servers=Items(of=_SERVER),
            alarms=Items(of=_ALARM),
            unreadable=Text(hint="Why the store cannot be read; empty when it can."),
        ),
        stream=True,
    ),
    Operation(
        name="configuration",
        method="GET",
        path="/configuration",
        act=Act.LOOK,
        what="The configuration; an earlier one by its number.",
        answer=_PRESENT,
        query=Thing(parts=(Part("revision", Whole(least=1), mandatory=False),)),
        toml=True,
    ),
    Operation(
        name="save",
        method="PUT",
        path="/configuration",
        act=Act.CONFIGURE,
        what="Save the configuration: all of it, or nothing. 409 when another was saved after"
        " `base`.",
        answer=_SAVED,
        query=Thing(
            parts=(
                Part(
                    "base",
                    Whole(hint="The revision that it was made from; 0 when there was none."),
                ),
                Part(
                    "dry_run",
                    Text(
                        choices=("true", "false"), hint="Say what saving would do, and do nothing."
                    ),
                    mandatory=False,
                    default="false",
                ),
            )
        ),
        body=_CONFIGURATION,
        toml=True,
        notes=True,
    ),
    Operation(
        name="history",
        method="GET",
        path="/configuration/history",
        act=Act.LOOK,
        what="The revisions, the newest first, each with what it has changed.",
        answer=thing(revisions=Items(of=_PAST)),
    ),
    _order("start", "Take back the order to stop or to drain."),
    _order("stop", "Stop at once: calls end, others stand in."),
    _order("stop-alone", "Stop at once, and nobody stands in."),
    _order(
        "drain",
        "Take no new calls, and stop when all have ended.",
        _deadline(DRAINS_WITHIN, "Calls are ended after so many seconds."),
    ),
    _order_one(
        "move",
        "Have a stand-in serve the server's numbers; `to` the server itself undoes it.",
        Part("to", _NAME),
        _deadline(None, _CALLS_HAVE),
    ),
    _order_one(
        "return",
        "Have the server get its numbers back now.",
        _deadline(0, _CALLS_HAVE),
        _UNDO,
    ),
    _order_one("hold", "Keep the server's numbers at whoever stands in.", _UNDO),
    Operation(
        name="restart-progress",
        method="GET",
        path="/restart",
        act=Act.LOOK,
        what="How far the rolling restart is.",
        answer=_RESTART,
    ),
    Operation(
        name="restart",
        method="POST",
        path="/restart",
        act=Act.OPERATE,
        what="Restart servers one after the other, with callers answered. The agents go on with it;"
        " this waits for its end, and says how far it is; as events, with `words` on the way, when"
        " `text/event-stream` is accepted.",
        answer=_RESTART,
        body=_of_servers(_deadline(DRAINS_WITHIN, "Calls are ended after so many seconds.")),
        events=True,
        notes=True,
    ),
    Operation(
        name="end-restart",
        method="DELETE",
        path="/restart",
        act=Act.OPERATE,
        what="End the rolling restart that goes on, or clear one that was given up. A server that"
        " it drains is started again.",
        answer=_RESTART,
        notes=True,
    ),
    *CALL_MANAGER,
    Operation(
        name="accounts",
        method="GET",
        path="/accounts",
        act=Act.ADMINISTER,
        what="All accounts.",
        answer=thing(accounts=Items(of=_ACCOUNT)),
    ),
    Operation(
        name="add-account",
        method="POST",
        path="/accounts",
        act=Act.ADMINISTER,
        what="Make an account; its first password is in the answer.",
        answer=_PASSWORD,
        body=thing(name=_NAME, role=_ROLE),
        status=201,
        notes=True,
    ),
    Operation(
        name="change-account",
        method="PATCH",
        path="/accounts/{name}",
        act=Act.ADMINISTER,
        what="Give an account another role.",
        answer=_ACCOUNT,
        body=thing(role=_ROLE),
        notes=True,
    ),
    Operation(
        name="new-password",
        method="POST",
        path="/accounts/{name}/password",
        act=Act.ADMINISTER,
        what="Give an account a new password, which is in the answer; its sessions end.",
        answer=_PASSWORD,
        notes=True,
    ),
    Operation(
        name="remove-account",
        method="DELETE",
        path="/accounts/{name}",
        act=Act.ADMINISTER,
        what="Take an account away; its sessions end.",
        answer=NOTHING,
        notes=True,
    ),
    Operation(
        name="tokens",
        method="GET",
        path="/tokens",
        act=Act.ADMINISTER,
        what="All tokens, without their secrets.",
        answer=thing(tokens=Items(of=Thing(parts=_TOKEN))),
    ),
    Operation(
        name="make-token",
        method="POST",
        path="/tokens",
        act=Act.ADMINISTER,
        what="Make a token; its secret is in the answer.",
        answer=thing(name=_NAME, role=_ROLE, secret=Text(hint="It is shown this once.")),
        body=thing(name=_NAME, role=_ROLE),
        status=201,
        notes=True,
    ),
    Operation(
        name="revoke-token",
        method="DELETE",
        path="/tokens/{name}",
        act=Act.ADMINISTER,
        what="Revoke a token.",
        answer=NOTHING,
        notes=True,
    ),
    Operation(
        name="deeds",
        method="GET",
        path="/deeds",
        act=Act.ADMINISTER,
        what="The audit log, the newest first.",
        answer=thing(deeds=Items(of=_DEED)),
        query=Thing(
            parts=(
                Part("account", Text(hint="Of that account alone."), mandatory=False, default=""),
                Part("most", Whole(least=1, most=10_000), mandatory=False, default=100),
            )
        ),
    ),
)


def find(path: str) -> tuple[dict[str, Operation], dict[str, str]]:
    """The operations of a path by their methods, and the parts that are given in it."""
    parts = path.removeprefix(BASE).split("/")
    for pattern in dict.fromkeys(each.path for each in OPERATIONS):
        wanted = pattern.split("/")
        pairs = list(zip(wanted, parts, strict=False))
        if len(wanted) == len(parts) and all(
            one == other or (one.startswith("{") and other) for one, other in pairs
        ):
            given = {one[1:-1]: other for one, other in pairs if one.startswith("{")}
            return {each.method: each for each in OPERATIONS if each.path == pattern}, given
    return {}, {}
