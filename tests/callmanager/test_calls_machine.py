"""Several devices doing anything in any order: what always holds, holds."""

from __future__ import annotations

import hypothesis.strategies as st
from bare_house import ALAW_ONLY, ULAW_ONLY, House
from company import PHONES
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pa_telephony.callmanager.calls.media import wanted
from pa_telephony.callmanager.calls.model import REMOTE, WAITING
from pa_telephony.callmanager.calls.verbs import (
    Capabilities,
    Cause,
    DoNotDisturb,
    Forward,
    Leg,
    LegState,
    Purpose,
    Stream,
    StreamUse,
)
from pa_telephony.errors import RequestFailed

NUMBERS = ("1001", "1002", "1003", "1004", "2000", "5600", "700", "701", "8", "9", "")
ACTIVE = (
    LegState.DIAL_TONE,
    LegState.DIALLING,
    LegState.PROCEEDING,
    LegState.RINGING_OUT,
    LegState.CONNECTED,
    LegState.FAILED,
)
TALKING = (LegState.CONNECTED, LegState.HELD)
places = st.integers(0, 100)


class AnythingGoes(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.house = House()
        self.calls = self.house.calls

    def pick(self, at: int) -> Leg:
        legs = list(self.calls.legs.values())
        return legs[at % len(legs)]

    def ask(self, verb: object, *arguments: object, **named: object) -> None:
        """Refusing is an answer; and it changes nothing, except where a codec is missing."""
        before = self.snapshot()
        refused: RequestFailed | None = None
        try:
            verb(*arguments, **named)  # type: ignore[operator]
        except RequestFailed as failed:
            refused = failed
        if refused is not None:
            assert refused.code in list(Cause)
            if refused.code != Cause.INCOMPATIBLE:
                assert self.snapshot() == before

    def snapshot(self) -> list[object]:
        return [
            (leg.id, leg.state, leg.call_id, leg.peer, leg.conference, leg.parking, leg.called)
            for leg in self.calls.legs.values()
        ]

    @rule(device=st.sampled_from(PHONES), line=st.integers(1, 3), number=st.sampled_from(NUMBERS))
    def originate(self, device: str, line: int, number: str) -> None:
        if device in self.house.devices:
            self.ask(self.calls.originate, device, line, number)

    @precondition(lambda self: self.calls.legs)
    @rule(at=places, digit=st.sampled_from("0123456789*#"))
    def digit(self, at: int, digit: str) -> None:
        self.ask(self.calls.digit, self.pick(at), digit)

    @precondition(lambda self: self.calls.legs)
    @rule(at=places)
    def answer(self, at: int) -> None:
        self.ask(self.calls.answer, self.pick(at))

    @rule(device=st.sampled_from(PHONES), rings=st.booleans())
    def ring_at_once_or_when_accepted(self, device: str, rings: bool) -> None:
        if device in self.house.devices:
            self.house.devices[device].rings = rings

    @rule(at=places)
    def accept(self, at: int) -> None:
        if ringing := self.in_state(LegState.OFFERED):
            self.ask(self.calls.accept, ringing[at % len(ringing)])

    # What people do, so that the deeper states are reached too.

    @rule(device=st.sampled_from(PHONES), number=st.sampled_from(NUMBERS[:5]))
    def call_and_be_answered(self, device: str, number: str) -> None:
        self.originate(device, 1, number)
        self.answer_what_rings(0)

    @rule(at=places)
    def answer_what_rings(self, at: int) -> None:
        if ringing := self.in_state(LegState.OFFERED):
            self.ask(self.calls.answer, ringing[at % len(ringing)])

    @rule(at=places, purpose=st.sampled_from(Purpose), number=st.sampled_from(NUMBERS[:5]))
    def consult_and_complete(self, at: int, purpose: Purpose, number: str) -> None:
        if talking := self.in_state(LegState.CONNECTED):
            leg = talking[at % len(talking)]
            self.ask(self.calls.consult, leg, purpose, number)
            self.answer_what_rings(at)
            if purpose is Purpose.CONFERENCE:
                self.ask(self.calls.conference_key, leg)
            else:
                self.ask(self.calls.transfer_key, leg)

    @rule(at=places, verb=st.sampled_from(["hold", "park", "drop", "release"]))
    def do_while_talking(self, at: int, verb: str) -> None:
        if talking := self.in_state(LegState.CONNECTED):
            self.ask(getattr(self.calls, verb), talking[at % len(talking)])

    @rule(at=places)
    def resume_here_or_elsewhere(self, at: int) -> None:
        if held := self.in_state(LegState.HELD, LegState.REMOTE_HELD):
            self.ask(self.calls.resume, held[at % len(held)])

    def in_state(self, *states: LegState) -> list[Leg]:
        return [leg for leg in self.calls.legs.values() if leg.state in states]

    @precondition(lambda self: self.calls.legs)
    @rule(
        at=places,
        verb=st.sampled_from(
            [
                "hold",
                "resume",
                "release",
                "transfer_key",
                "conference_key",
                "park",
                "drop",
                "refuse",
            ]
        ),
    )
    def key(self, at: int, verb: str) -> None:
        self.ask(getattr(self.calls, verb), self.pick(at))

    @precondition(lambda self: self.calls.legs)
    @rule(at=places, cause=st.sampled_from(list(Cause)))
    def refuse(self, at: int, cause: Cause) -> None:
        self.ask(self.calls.refuse, self.pick(at), cause)

    @precondition(lambda self: self.calls.legs)
    @rule(at=places, number=st.sampled_from(NUMBERS))
    def redirect(self, at: int, number: str) -> None:
        self.ask(self.calls.redirect, self.pick(at), number)

    @precondition(lambda self: self.calls.legs)
    @rule(at=places, purpose=st.sampled_from(Purpose), number=st.sampled_from(NUMBERS))
    def consult(self, at: int, purpose: Purpose, number: str) -> None:
        self.ask(self.calls.consult, self.pick(at), purpose, number)

    @precondition(lambda self: self.calls.legs)
    @rule(at=places, other=places)
    def transfer(self, at: int, other: int) -> None:
        self.ask(self.calls.transfer, self.pick(at), self.pick(other))

    @precondition(lambda self: self.calls.legs)
    @rule(at=places, others=st.lists(places, max_size=3))
    def join(self, at: int, others: list[int]) -> None:
        self.ask(self.calls.join, self.pick(at), *map(self.pick, others))

    @rule(device=st.sampled_from(PHONES), line=st.integers(1, 3))
    def pick_up(self, device: str, line: int) -> None:
        if device in self.house.devices:
            self.ask(self.calls.pick_up, device, line)

    @rule(at=places, kind=st.sampled_from(Forward), number=st.sampled_from([*NUMBERS, *[""] * 11]))
    def set_forward(self, at: int, kind: Forward, number: str) -> None:
        lines = self.calls.lines()
        self.ask(self.calls.set_forward, lines[at % len(lines)], kind, number)

    @rule(device=st.sampled_from(PHONES), mode=st.sampled_from(DoNotDisturb))
    def do_not_disturb(self, device: str, mode: DoNotDisturb) -> None:
        self.calls.set_do_not_disturb(device, mode)

    @rule(device=st.sampled_from([*PHONES, "RP5600"]))
    def come_or_go(self, device: str) -> None:
        if device in self.house.devices:
            self.house.leave(device)
            assert not self.calls.legs_of(device)
        else:
            self.house.arrive(device)

    @rule(seconds=st.sampled_from([1.0, 5.0, 11.0, 31.0, 200.0]))
    def wait(self, seconds: float) -> None:
        self.house.wait(seconds)

    @rule(device=st.sampled_from([*PHONES, ""]), prompt=st.booleans(), works=st.booleans())
    def media_of_a_device(self, device: str, prompt: bool, works: bool) -> None:
        found = self.house.devices.get(device, self.house.resource)
        found.prompt, found.works = prompt, works

    @rule(
        device=st.sampled_from(PHONES), can=st.sampled_from([ALAW_ONLY, ULAW_ONLY, Capabilities()])
    )
    def codecs_of_a_device(self, device: str, can: Capabilities) -> None:
        if device in self.house.devices:
            self.house.devices[device].can = can

    @rule(device=st.sampled_from([*PHONES, ""]))
    def media_comes_late(self, device: str) -> None:
        found = self.house.devices.get(device, self.house.resource)
        waiting, found.waiting = found.waiting, []
        for stream in waiting:
            found.tell(stream)

    # What always holds.

    @invariant()
    def every_leg_is_alive_and_its_device_is_there(self) -> None:
        for number, leg in self.calls.legs.items():
            assert leg.id == number
            assert leg.state is not LegState.IDLE
            assert leg.device in self.house.devices

    @invariant()
    def no_leg_is_without_its_other_side(self) -> None:
        for leg in self.calls.legs.values():
            peer = leg.peer
            if peer is not None:
                assert peer.id in self.calls.legs
                assert leg.conference is None
                assert leg.parking is None
                assert peer.call_id == leg.call_id
            if leg.state is LegState.OFFERED:
                assert peer is not None
                assert peer.peer in leg.appearances
                assert peer.state in (*WAITING, LegState.HELD)
            elif peer is not None:
                assert peer.peer is leg or (
                    peer.state is LegState.OFFERED and leg.peer in peer.appearances
                )
            if leg.state in WAITING:
                assert peer is not None
                assert peer.state is LegState.OFFERED
            if leg.state is LegState.PROCEEDING:
                assert peer is not None
                assert not any(each.alerting for each in peer.appearances)
            if leg.state in TALKING:
                assert (peer is not None) + (leg.conference is not None) + (
                    leg.parking is not None
                ) == 1
            if leg.state in (LegState.DIAL_TONE, LegState.DIALLING, LegState.FAILED):
                assert peer is None

    @invariant()
    def a_shared_line_has_one_who_talks_and_others_who_see_it(self) -> None:
        for leg in self.calls.legs.values():
            assert leg in leg.appearances
            assert all(each.id in self.calls.legs for each in leg.appearances)
            if leg.state in REMOTE:
                owners = [each for each in leg.appearances if each.state not in REMOTE]
                assert len(owners) == 1
                assert owners[0].state in (*TALKING, *WAITING)
                assert leg.stream is None

    @invariant()
    def a_device_is_in_one_call_at_a_time(self) -> None:
        for name in PHONES:
            active = [leg for leg in self.calls.legs_of(name) if leg.state in ACTIVE]
            assert len(active) <= 1, active

    @invariant()
    def a_consultation_belongs_to_a_held_call_of_its_device(self) -> None:
        for leg in self.calls.legs.values():
            if leg.consult_of is not None:
                assert leg.consult_of.id in self.calls.legs
                assert leg.consult_of.device == leg.device

    @invariant()
    def a_conference_has_three_members_or_two_without_a_codec_and_no_more_than_allowed(
        self,
    ) -> None:
        for leg in self.calls.legs.values():
            conference = leg.conference
            if conference is not None:
                assert 2 <= len(conference.members) <= 4
                assert leg in conference.members
                assert leg.call_id == conference.id
                assert all(each.conference is conference for each in conference.members)

    @invariant()
    def who_is_parked_can_be_found(self) -> None:
        parked = self.calls.parked
        for number, each in parked.items():
            assert each.leg.parking is each
            assert each.number == number
            assert each.leg.id in self.calls.legs
        waiting = [leg for leg in self.calls.legs.values() if leg.parking is not None]
        assert len(waiting) == len(parked)

    @invariant()
    def parties_are_counted_once_on_however_many_phones(self) -> None:
        legs = self.calls.legs.values()
        assert self.calls.parties == len({id(leg.appearances) for leg in legs})

    @invariant()
    def no_media_is_half_open(self) -> None:
        """Who should hear something has a stream of that kind, and nothing else is open."""
        ends = [*self.house.devices.values(), self.house.resource]
        open_streams = {stream for end in ends for stream in end.streams}
        accounted: set[Stream] = set()
        for leg in self.calls.legs.values():
            want, stream = wanted(leg), leg.stream
            if stream is None:
                assert want is None or want.use is StreamUse.HOLD_TONE
                continue
            assert want is not None
            assert stream.use is want.use
            far = stream.far
            assert far is not None
            assert far.far is stream
            assert far.open
            assert {stream, far} <= open_streams
            if want.peer is not None:
                assert far.leg is want.peer
            accounted |= {stream, far}
        assert open_streams == accounted

    @invariant()
    def who_receives_is_sent_to(self) -> None:
        for end in [*self.house.devices.values(), self.house.resource]:
            for stream in end.streams:
                assert stream.far is not None
                assert end.sends.get(stream) == stream.far.address

    @invariant()
    def the_lines_keep_to_their_limits(self) -> None:
        for line in self.calls.lines():
            for appearance in line.appearances:
                if appearance.device not in PHONES:
                    continue
                legs = [
                    leg
                    for leg in self.calls.legs.values()
                    if leg.appearance is appearance and leg.state not in REMOTE
                ]
                consultations = sum(leg.consult_of is not None for leg in legs)
                assert len(legs) - consultations <= appearance.config.max_calls + 1

    def teardown(self) -> None:
        """When all devices have left, no leg is left."""
        for device in list(self.house.devices):
            self.house.leave(device)
        assert not self.calls.legs
        assert not self.calls.parked
        assert not self.house.resource.streams


AnythingGoes.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_anything_goes = AnythingGoes.TestCase
