"""The control socket's protocol without a socket: what is understood, refused, and told."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from pa_telephony.callmanager.config import ControlLimits
from pa_telephony.callmanager.control.coding import (
    NotJson,
    NotReadable,
    encoded_line,
    parsed_line,
    plain,
    read,
)
from pa_telephony.callmanager.control.core import (
    ClientCore,
    ControlCore,
    ControlCounters,
    LookDue,
)
from pa_telephony.callmanager.control.requests import (
    VERBS,
    Ask,
    Change,
    Code,
    Drop,
    Failure,
    MessageWaiting,
    Request,
    Reset,
    Restart,
    Result,
    SetForward,
    Unwatch,
    Watch,
)
from pa_telephony.callmanager.control.rows import (
    TOPICS,
    Counter,
    Device,
    Line,
    Media,
    Notice,
    Refusal,
)
from pa_telephony.errors import RemoteProtocolError

LIMITS = ControlLimits(max_line=200, max_requests=3)
WHOLE = [
    Request(1, "about", Ask()),
    *(Request(f"of {topic}", topic, Ask()) for topic in TOPICS),
    Request(2, "watch", Watch(of=("calls", "devices"), every=0.5)),
    Request(3, "unwatch", Unwatch(watch=2)),
    Request(4, "reset", Reset(device="P1")),
    Request(5, "restart", Restart(device="P1")),
    Request(6, "message_waiting", MessageWaiting(line="1001", on=False, partition="PA")),
    Request(7, "forward", SetForward(line="1001", kind="all", number="1002")),
    Request(8, "drop", Drop(call=16)),
]


def a_core(limits: ControlLimits = LIMITS) -> ControlCore:
    return ControlCore(limits, ControlCounters())


def events(core: ControlCore) -> list[Request | LookDue]:
    found: list[Request | LookDue] = []
    while (event := core.next_event()) is not None:
        found.append(event)
    return found


def said(core: ControlCore) -> list[dict[str, Any]]:
    return [json.loads(line) for line in core.data_to_send().splitlines()]


def refusals(line: bytes, limits: ControlLimits = LIMITS) -> list[tuple[object, str, str]]:
    """What one line is answered, which asks for nothing that is done."""
    core = a_core(limits)
    core.receive_data(line + b"\n", 0.0)
    assert events(core) == []
    return [(each["id"], each["error"]["code"], each["error"]["text"]) for each in said(core)]


def sent(request: Request) -> bytes:
    client = ClientCore()
    client.send(request)
    return client.data_to_send()


@pytest.mark.parametrize("request_", WHOLE, ids=lambda each: each.name)
def test_every_request_arrives_as_it_was_sent(request_: Request) -> None:
    core = a_core()
    core.receive_data(sent(request_), 0.0)
    assert events(core) == [request_]
    assert said(core) == []


def test_there_is_an_example_of_every_verb() -> None:
    assert {each.name for each in WHOLE} == set(VERBS)


def test_requests_arrive_byte_by_byte_and_many_at_once() -> None:
    wire = b"".join(sent(each) for each in WHOLE)
    whole = a_core(replace(LIMITS, max_requests=100))
    whole.receive_data(wire, 0.0)
    assert events(whole) == WHOLE
    bytewise, found = a_core(), list[Any]()
    for byte in wire:
        bytewise.receive_data(bytes([byte]), 0.0)
        found += events(bytewise)
    assert found == WHOLE


def test_a_request_that_is_cut_off_is_none() -> None:
    for end in range(len(wire := sent(WHOLE[-1]).rstrip())):
        core = a_core()
        core.receive_data(wire[:end], 0.0)
        core.receive_eof(0.0)
        assert events(core) == []
        assert core.closed


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (b"", "not_json", "no JSON"),
        (b"\xff\xfe", "not_json", "no UTF-8"),
        (b"[" * 190, "not_json", ""),
        (b"{", "not_json", "no JSON"),
        (b'{"id":NaN}', "not_json", "NaN"),
        (b"[]", "bad_request", "must be a JSON object"),
        (b'{"verb":"about"}', "bad_request", "id: must be a whole number or a text"),
        (b'{"id":true,"verb":"about"}', "bad_request", "id: must be"),
        (b'{"id":1.5,"verb":"about"}', "bad_request", "id: must be"),
        (b'{"id":99999999999999999999,"verb":"about"}', "bad_request", "a smaller number"),
        (b'{"id":"' + b"x" * 65 + b'","verb":"about"}', "bad_request", "64 characters"),
    ],
)
def test_a_line_that_nobody_can_read_is_answered_by_why(line: bytes, code: str, words: str) -> None:
    ((asked, found, text),) = refusals(line)
    assert asked is None
    assert found == code
    assert words in text


@pytest.mark.parametrize(
    ("rest", "code", "words"),
    [
        ('"verb":7', "bad_request", "verb: must be a text"),
        ('"verb":"fly"', "unknown_verb", "fly: unknown; known are about, devices"),
        ('"verb":"reset"', "bad_request", "device: is missing"),
        ('"verb":"reset","device":7', "bad_request", "device: must be a text"),
        ('"verb":"reset","device":"P1","soon":true', "bad_request", "soon: unknown; known are dev"),
        ('"verb":"about","of":[]', "bad_request", "of: unknown; known are none"),
        ('"verb":"drop","call":"1"', "bad_request", "call: must be a whole number"),
        ('"verb":"message_waiting","line":"1","on":1', "bad_request", "on: must be true or false"),
        ('"verb":"watch","of":"calls"', "bad_request", "of: must be a list"),
        ('"verb":"watch","of":[1]', "bad_request", "of[0]: must be a text"),
        ('"verb":"watch","every":"x"', "bad_request", "every: must be a number"),
    ],
)
def test_a_slip_of_the_pen_is_told_with_its_field(rest: str, code: str, words: str) -> None:
    ((asked, found, text),) = refusals(f'{{"id":9,{rest}}}'.encode())
    assert (asked, found) == (9, code)
    assert words in text


def test_a_line_that_is_too_long_ends_the_connection_before_its_end_has_come() -> None:
    core = a_core()
    core.receive_data(sent(WHOLE[0]) + b"x" * 201, 0.0)
    assert core.closed
    assert events(core) == [WHOLE[0]]
    (answer,) = said(core)
    assert answer["error"]["code"] == "too_long"
    core.receive_data(sent(WHOLE[0]), 0.0)
    assert events(core) == []


def test_only_so_many_requests_wait_for_their_answers() -> None:
    core = a_core()
    core.receive_data(sent(WHOLE[0]) * 5, 0.0)
    assert len(events(core)) == 3
    assert [each["error"]["code"] for each in said(core)] == ["too_many"] * 2
    core.receive_data(sent(WHOLE[0]), 0.0)
    assert len(events(core)) == 1


def test_what_is_refused_is_counted() -> None:
    counters = ControlCounters()
    core = ControlCore(LIMITS, counters)
    core.receive_data(b"?\n" + sent(WHOLE[0]) + b"x" * 300, 0.0)
    assert (counters.requests, counters.refused_requests) == (3, 2)


# Watches.


def a_watch(core: ControlCore, asked: Any = 1, of: tuple[str, ...] = ("counters",)) -> None:
    assert core.begin_watch(asked, Watch(of=of, every=2.0), 10.0) is None


def show(core: ControlCore, **values: int) -> None:
    rows = [Counter(name=name, value=value) for name, value in values.items()]
    core.show(LookDue(1, "counters", True), rows)


def test_a_watch_is_due_at_once_and_then_at_its_interval() -> None:
    core = a_core()
    assert core.next_deadline() is None
    a_watch(core)
    assert core.next_deadline() == 10.0
    core.handle_deadline(9.9)
    assert events(core) == []
    core.handle_deadline(10.5)
    assert events(core) == [LookDue(1, "counters", True)]
    assert core.next_deadline() == 12.5


def test_a_watch_is_told_all_first_and_what_changes_afterwards() -> None:
    core = a_core()
    a_watch(core)
    show(core, a=1, b=2)
    show(core, a=1, b=2)
    show(core, a=1, b=3, c=4)
    show(core, a=1)
    assert said(core) == [
        {
            "id": 1,
            "rows": {"counters": [{"name": "a", "value": 1}, {"name": "b", "value": 2}]},
            "gone": {},
        },
        {
            "id": 1,
            "rows": {"counters": [{"name": "b", "value": 3}, {"name": "c", "value": 4}]},
            "gone": {},
        },
        {"id": 1, "rows": {}, "gone": {"counters": ["b", "c"]}},
    ]


def test_topics_are_looked_at_one_by_one_and_told_of_together() -> None:
    core = a_core()
    a_watch(core, of=("counters", "warnings"))
    core.handle_deadline(10.0)
    first, second = events(core)
    assert (first, second) == (LookDue(1, "counters", False), LookDue(1, "warnings", True))
    assert isinstance(first, LookDue)
    assert isinstance(second, LookDue)
    core.show(first, [Counter(name="a", value=1)])
    assert said(core) == []
    core.show(second, [Notice(text="slow")])
    assert said(core) == [
        {
            "id": 1,
            "rows": {"counters": [{"name": "a", "value": 1}], "warnings": [{"text": "slow"}]},
            "gone": {},
        }
    ]


def test_a_watch_is_told_first_also_when_there_is_nothing() -> None:
    core = a_core()
    a_watch(core)
    show(core)
    assert said(core) == [{"id": 1, "rows": {}, "gone": {}}]


def test_a_watch_that_was_ended_is_told_nothing_more() -> None:
    core = a_core()
    a_watch(core)
    core.handle_deadline(10.0)
    assert core.end_watch(1)
    assert not core.end_watch(1)
    show(core, a=1)
    assert (events(core), said(core), core.watches) == ([], [], 0)


@pytest.mark.parametrize(
    ("watch", "words"),
    [
        (Watch(of=()), "of: must be some of devices"),
        (Watch(of=("pins",)), "of: must be some of devices"),
        (Watch(every=0.1), "every: must be 0.2 to 3600 seconds"),
        (Watch(every=1e9), "every: must be 0.2 to 3600 seconds"),
    ],
)
def test_a_watch_that_cannot_be_is_refused(watch: Watch, words: str) -> None:
    failed = a_core().begin_watch(1, watch, 0.0)
    assert failed is not None
    assert failed.code == Code.BAD_REQUEST.value
    assert words in failed.text


def test_one_id_has_one_watch() -> None:
    core = a_core()
    a_watch(core)
    assert core.begin_watch(1, Watch(), 0.0) == Failure(
        1, "bad_request", "there is a watch of this id"
    )


# Answers.


@pytest.mark.parametrize(
    "reply",
    [
        Result(1, {"a": [1, None, "é\ud800"]}),
        Failure("x", "unknown_device", "there is no device P9"),
        Failure(None, "too_long", "a line of more than 200 bytes"),
        Change(2, {"calls": [{"id": 1}]}, {"devices": ["P1"]}),
    ],
)
def test_every_answer_arrives_as_it_was_sent(reply: Result | Failure | Change) -> None:
    core, client = a_core(), ClientCore()
    core.send(reply)
    for byte in core.data_to_send():
        client.receive_data(bytes([byte]), 0.0)
    assert client.next_event() == reply
    assert client.next_event() is None


@pytest.mark.parametrize("line", [b"?", b"[]", b'{"result":1}', b'{"id":1,"rows":7}'])
def test_what_is_no_answer_is_a_broken_protocol(line: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="cannot be read"):
        ClientCore().receive_data(line + b"\n", 0.0)


def test_a_row_comes_back_as_it_was_and_what_is_new_in_it_is_passed_over() -> None:
    device = Device(
        name="P1",
        kind="phone",
        lines=(Line(number="1001", forwards={"all": "1002"}, message_waiting=True),),
        users=("app",),
        refusal=Refusal(at=7.5, reason="Crossover session", address="10.0.0.1"),
    )
    wire = json.loads(encoded_line(plain(device)))
    assert "registered" not in wire
    assert read(Device, wire) == device
    assert read(Device, {**wire, "colour": "red"}) == device
    with pytest.raises(NotReadable, match="colour: unknown"):
        read(Device, {**wire, "colour": "red"}, strict=True)


def test_every_row_has_a_name_for_itself_and_defaults_for_what_is_new() -> None:
    for kind in TOPICS.values():
        needed = {f.name for f in fields(kind) if f.default is f.default_factory}
        assert needed <= {"name", "device", "number", "id", "user", "text"}, kind
    assert read(Media, {}) == Media()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["id", "verb", "of", "every", "device", "line", "on", "x"]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)
ALMOST = st.fixed_dictionaries(
    {"id": st.integers(0, 9) | JSON, "verb": st.sampled_from([*VERBS, "fly"]) | JSON},
    optional=dict.fromkeys(("of", "every", "device", "line", "on", "kind", "call", "watch"), JSON),
)


@given(st.lists(st.binary(max_size=60) | (JSON | ALMOST).map(json.dumps).map(str.encode)))
@example([b'{"id":1,"verb":"watch","of":["calls"],"every":1}'] * 3)
def test_whatever_comes_is_a_request_or_answered_by_an_error(lines: list[bytes]) -> None:
    """Each whole line has exactly one of both, until one is too long."""
    core = a_core(replace(LIMITS, max_requests=1000))
    wire = b"".join(line + b"\n" for line in lines)
    for at in range(0, len(wire), 7):
        core.receive_data(wire[at : at + 7], 0.0)
    found, answers = events(core), said(core)
    assert all(set(each) == {"id", "error"} for each in answers)
    assert {each["error"]["code"] for each in answers} <= {code.value for code in Code}
    if not core.closed:
        assert len(found) + len(answers) == wire.count(b"\n")
    for event in found:
        assert isinstance(event, Request)
        assert isinstance(event.verb, VERBS[event.name])


@given(JSON, st.sampled_from([Device, Media, Watch, Counter]))
def test_what_json_can_hold_is_read_or_named(value: Any, kind: type[Any]) -> None:
    for strict in (False, True):
        try:
            made = read(kind, value, strict=strict)
        except NotReadable:
            continue
        assert read(kind, json.loads(encoded_line(plain(made)))) == made


@given(st.binary(max_size=200))
def test_bytes_are_an_object_or_no_json(line: bytes) -> None:
    try:
        found: Any = parsed_line(line)
    except NotReadable as error:
        found = error
    assert isinstance(found, dict | NotJson) or str(found) == "must be a JSON object"
