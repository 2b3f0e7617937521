"""Every message that a station can send has a decision in every state, and the decision is kept."""

from __future__ import annotations

import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from company import ALICE
from line_phone import LineHouse, Phone

from pa_telephony.cli.main import cli
from pa_telephony.sccp import messages
from pa_telephony.sccp.connection import Connection, Role
from pa_telephony.sccp.enums import MediaPayloadType
from pa_telephony.sccp.messages import SccpMessage, Sender
from pa_telephony.sccp.server import decisions
from pa_telephony.sccp.server.decisions import Verb, decision, of_stations
from pa_telephony.sccp.server.device import Device
from pa_telephony.sccp.server.registrar import (
    Received,
    Registrar,
    RegistrarConfig,
    RegistrationAsked,
    StandbyAsked,
    State,
    TokenAsked,
    UnregistrationAsked,
)
from pa_telephony.sccp.server.session import StationSession

NAME = "SEP001122334455"
CLOCK = datetime.datetime(2026, 11, 24, 12, 0, tzinfo=datetime.UTC)
STATES = [State.CONNECTED, State.STANDING_BY, State.REGISTERED]


def made(kind: type[SccpMessage], version: int = 20) -> SccpMessage:
    """A message of that kind that says nothing."""
    message = messages.decode(kind.id, b"", version)
    assert isinstance(message, kind)
    return message


class Session:
    """A registrar whose owner says yes to everything, and a scripted station."""

    def __init__(self, state: State) -> None:
        self.registrar = Registrar(RegistrarConfig(), 0.0, lambda: CLOCK)
        self.station = Connection(Role.STATION)
        if state is State.STANDING_BY:
            self.says(messages.KeepAliveReq())
        elif state is State.REGISTERED:
            self.says(messages.RegisterReq(device_name=NAME, protocol_ver=20))
        assert self.registrar.state is state

    def says(self, message: SccpMessage) -> tuple[list[SccpMessage], list[SccpMessage]]:
        """What it is answered, and what is handed on to the owner."""
        self.station.send(message)
        self.registrar.receive_data(self.station.data_to_send(), 0.0)
        handed_on: list[SccpMessage] = []
        while (event := self.registrar.next_event()) is not None:
            match event:
                case RegistrationAsked():
                    self.registrar.accept(Device(name=NAME))
                case UnregistrationAsked():
                    self.registrar.accept()
                case StandbyAsked():
                    self.registrar.stand_by()
                case TokenAsked():
                    self.registrar.answer_token()
                case Received():
                    handed_on.append(event.message)
                case _:
                    pass
        self.station.receive_data(self.registrar.data_to_send())
        answers: list[Any] = []
        while (answer := self.station.next_event()) is not None:
            answers.append(answer)
        return answers, handed_on


def test_every_message_of_the_catalogue_has_a_decision_in_every_state() -> None:
    catalogue = {
        kind for kind in SccpMessage.registry.values() if kind.sender is not Sender.CALL_MANAGER
    }
    assert {*of_stations()} == catalogue
    assert decisions._REGISTERED.keys() == catalogue
    for kind in of_stations():
        for state in State:
            assert len(str(decision(kind, state))) > 20


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", of_stations(), ids=lambda kind: kind.__name__)
def test_a_message_is_answered_where_its_decision_says_so_and_nowhere_else(
    kind: type[SccpMessage], state: State
) -> None:
    session = Session(state)
    answers, handed_on = session.says(
        messages.RegisterReq(device_name=NAME, protocol_ver=20)
        if kind is messages.RegisterReq
        else made(kind)
    )
    found = decision(kind, state)
    if found.verb is Verb.ANSWERED:
        assert type(answers[0]) in found.answers
        assert not handed_on
    else:
        assert not answers
        assert len(handed_on) == (state is State.REGISTERED)
        assert session.registrar.state is state


@pytest.mark.parametrize(
    "kind",
    [kind for kind in of_stations() if decision(kind, State.REGISTERED).verb is Verb.PASSED_OVER],
    ids=lambda kind: kind.__name__,
)
def test_what_is_passed_over_changes_nothing_at_the_call_manager(
    kind: type[SccpMessage],
) -> None:
    house = LineHouse()
    phone = Phone(house.side, ALICE)
    house.calls.originate(ALICE, 1, "1002")
    before, legs = len(phone.sent), [(leg.id, leg.state) for leg in house.calls.legs.values()]
    phone.press_message(made(kind))
    assert len(phone.sent) == before
    assert [(leg.id, leg.state) for leg in house.calls.legs.values()] == legs


@pytest.mark.parametrize(
    "kind",
    [messages.UpdateCapabilities, messages.CapabilitiesV2Res, messages.CapabilitiesV3Res],
)
def test_a_phone_s_newer_words_for_its_codecs_count(kind: Any) -> None:
    """An update that lists none says nothing of them."""
    session: Any = SimpleNamespace(capabilities=())
    alaw = messages.AudioCapability(payload_capability=MediaPayloadType.G711_ALAW64K)
    for audiocaps in ((alaw,), ()):
        update = kind(rtp_payload_format=0, audiocaps=audiocaps)
        StationSession._note_capabilities(session, update)
        assert [each.payload_capability for each in session.capabilities] == [
            MediaPayloadType.G711_ALAW64K
        ]


@pytest.mark.parametrize("what", ["0x8000", "8000", "SPCPRegisterTokenReq", "spcpregistertokenreq"])
def test_explain_prints_the_row_of_a_message(what: str) -> None:
    result = CliRunner().invoke(cli, ["explain", what])
    assert result.exit_code == 0, result.output
    assert "0x8000 SPCPRegisterTokenReq, from the station" in result.output
    assert "answered with SPCPRegisterTokenAck or SPCPRegisterTokenReject" in result.output
    assert "device_name" in result.output


def test_explain_tells_of_messages_of_call_managers_and_of_unknown_ones() -> None:
    result = CliRunner().invoke(cli, ["explain", "0x0082"])
    assert "StartTone, from the call manager" in result.output
    for what, said in (("0x7777", "no message has the number 0x7777"), ("StartTune", "StartTone")):
        result = CliRunner().invoke(cli, ["explain", what])
        assert result.exit_code == 2
        assert said in result.output
