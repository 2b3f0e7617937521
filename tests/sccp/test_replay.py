"""Captured sessions played again: each side of ours is fed what the real peer said.

What ours sends is compared with what the real one sent: which messages, in which order, how long
each is, and every field of it. All that is not the same stands here with its reason, without
wildcards; docs/reference/sccp/sessions.md shows it message by message. The order of our messages is
one that the real peer was seen to accept, but for those differences.

``-Kind`` is not sent by ours, ``+Kind`` by ours alone, ``~Kind`` at another place; ``Kind.field``
has another value, ``Kind.length`` is another data length.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import pytest
from captured import SESSIONS, Said, read, session
from replayed import Manager, Row, Station, compared

from pa_telephony.sccp import messages
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.station.registration import State

RELAYS = ("MTP relays",)
"""Our call manager directs no media resources: these are played to our station only."""

SCENES = {
    "Registration": "7970 registers",
    "Call out": "phone calls",
    "Call in, and release by the far end": "phone is called",
}
"""What everybody asks about, and the session that shows it; the page begins with these."""

_ITSELF = "what a device says of itself: configuration here, hardware there"
_CODECS = "ours offers the codecs that it can do: G.711 and telephone-event"
_STALE = "gateways have their MAC and stale memory where phones say how many lines and conferences"
_BETWEEN = "it answers between its own questions, which race with CapabilitiesReq; ours behind them"
_DISPLAY = "ours has no display and no browser"
_CAPACITY = "the 7912 leaves it out"
_HANDSET = "its handset goes down when the speaker takes over; ours has none"
_LIKE_7970 = "ours is a 7970 in all but its type and its name"
_GATEWAYS = {
    "RegisterReq.max_conferences": _STALE,
    "RegisterReq.active_conferences": _STALE,
}

STATION_DIFFERENCES: dict[str, dict[str, str]] = {
    "7970 registers": {
        "CapabilitiesRes.caps": _CODECS,
        "CapabilitiesRes.length": _CODECS,
        "-EnhancedAlarm": "why the phone last went, in 2,000 bytes that some servers refuse",
        "+Alarm": "ours says it as a 7912 does",
        "~DeviceToUserDataResponseVersion1": "ours answers at once",
        "DeviceToUserDataResponseVersion1.xmldata": _DISPLAY,
        "DeviceToUserDataResponseVersion1.length": _DISPLAY,
        "~RegisterAvailableLines": "ours says it before TimeDateReq as the 7912 does",
        "-RegisterAvailableLines": "ours says it once",
    },
    "FXS port registers": {
        **_GATEWAYS,
        "~CapabilitiesRes": _BETWEEN,
        "CapabilitiesRes.caps": _CODECS,
    },
    "gateway registers": {
        **_GATEWAYS,
        "RegisterReq.max_number_of_lines": _STALE,
        "~CapabilitiesRes": _BETWEEN,
        "CapabilitiesRes.caps": _CODECS,
    },
    "7912 registers and calls": {
        "RegisterReq.instance": _LIKE_7970,
        "RegisterReq.max_conferences": _LIKE_7970,
        "RegisterReq.max_streams": _LIKE_7970,
        "RegisterReq.phone_features": _LIKE_7970,
        "ButtonTemplateReq.button_capacity": _CAPACITY,
        "ButtonTemplateReq.length": _CAPACITY,
        "SpeedDialStatReq.speed_dial_number": "the 7912 begins with the last",
        "Alarm.text": _ITSELF,
        "Alarm.parm1": "what the number means is not known; ours says 0",
        "-FeatureStatReq": "ours asks for the features that the buttons show, and here are none",
        "+IpPort": "newer phones send it, and CallManager 4.1 took it from gateways",
        "+ConfigStatReq": "newer phones ask (7970)",
        "+ForwardStatReq": "newer phones ask (7970)",
        "~CapabilitiesRes": "the 7912 waits for one answer before it asks the next question; "
        "ours asks several at once as a 7970 does",
        "CapabilitiesRes.caps": _CODECS,
    },
    "conference bridge registers": {
        **_GATEWAYS,
        "RegisterReq.max_number_of_lines": _STALE,
        "RegisterReq.unknown": _ITSELF,
        "CapabilitiesRes.caps": _CODECS,
    },
    "MTP registers": {
        **_GATEWAYS,
        "RegisterReq.max_number_of_lines": _STALE,
        "RegisterReq.unknown": _ITSELF,
        "CapabilitiesRes.caps": _CODECS,
        "~MediaResourceNotification": "shares a packet: the captured order is not known",
    },
    "phone calls": {
        "MediaPathEvent.media_path_id": _HANDSET,
        "MediaPathEvent.media_path_event": _HANDSET,
        "-MediaPathEvent": "that user switched the speaker on, which went off hook; ours tells of "
        "its speaker when the call manager switches it",
        "~OnHook": "and so ours hangs up before its speaker is off",
    },
    "phone is called": {},
    "FXS port calls": {},
    "MTP relays": {
        "OpenReceiveChannelAck.call_reference": "the relay answers with 0; only the party counts",
    },
}


_SHOWN = "9 in the capture: the number first dialled and the caller's name are shown"
_FEATURES = "ours announces the features of CUCM 8.6 to everybody"
_KEYS = "ours has two keys more, and hides those that it does not serve"
_BUTTONS = "the captured phone has speed dials, ours here only its lines"
_OWNER = "ours knows no owners of phones"
_FEATURE = "the captured phone has a feature button"
_LABEL = "ours labels a line with its number"
_WORDS = "a port or a gateway gets words, ours phrase numbers"
_SERVICE = "CUCM counts its questions, and leaves stale memory for a priority; ours has one number"
_SOURCE = (
    "CUCM names the other side's host, and its port where that is known; ours leaves both to "
    "StartMediaTransmission"
)
_G722 = "G.722, which the captured two agreed on; ours has G.711"
_MAILBOX = "ours knows no mailboxes"
_CALL = {
    "CallInfoV2.last_redirecting_party": "CUCM repeats the called number where nobody redirected",
    "-StopTone": "CUCM stops the tone a second time, and nothing has begun one since",
}
_ASKED = {
    "UserToDeviceDataVersion1.application_id": _SERVICE,
    "UserToDeviceDataVersion1.transaction_id": _SERVICE,
    "UserToDeviceDataVersion1.display_priority": _SERVICE,
}
_IN_WORDS = {
    "DisplayPromptStatusV2.prompt_status": _WORDS,
    "DisplayPromptStatusV2.length": _WORDS,
}

MANAGER_DIFFERENCES: dict[str, dict[str, str]] = {
    "7970 registers": {
        "~UserToDeviceDataVersion1": "CUCM asks before it answers; ours when it has the codecs",
        "ButtonTemplateRes.total_button_count": _BUTTONS,
        "ButtonTemplateRes.definition": _BUTTONS,
        "SoftKeyTemplateRes.total_soft_key_count": _KEYS,
        "SoftKeyTemplateRes.definition": _KEYS,
        "~SoftKeySetRes": "shares a packet with what follows it: the captured order is unknown",
        "SoftKeySetRes.definition": _KEYS,
        "~DisplayPromptStatusV2": "shares that packet, too",
        "ConfigStatV2Res.user_name": _OWNER,
        "ConfigStatV2Res.length": _OWNER,
        "LineStatV2Res.line_text_label": _LABEL,
        "LineStatV2Res.length": _LABEL,
        "LineStatV2Res.line_type": _SHOWN,
    },
    "FXS port registers": {
        **_ASKED,
        **_IN_WORDS,
        "~ButtonTemplateRes": "ours answers in the order of the questions, CUCM did not",
        "LineStatV2Res.line_text_label": _LABEL,
        "LineStatV2Res.length": _LABEL,
    },
    "gateway registers": {**_ASKED, **_IN_WORDS},
    "7912 registers and calls": {
        "RegisterAck.unknown": _FEATURES,
        "RegisterAck.phone_features": _FEATURES,
        "ButtonTemplateRes.total_button_count": _BUTTONS,
        "ButtonTemplateRes.definition": _BUTTONS,
        "SoftKeyTemplateRes.total_soft_key_count": _KEYS,
        "SoftKeyTemplateRes.definition": _KEYS,
        "SoftKeySetRes.total_soft_key_set_count": "ours has one set more, as CUCM 8.6",
        "SoftKeySetRes.definition": _KEYS,
        "LineStatRes.line_display_options": _SHOWN,
        "FeatureStatRes.feature_id": _FEATURE,
        "FeatureStatRes.feature_text_label": _FEATURE,
        "SelectSoftKeys.valid_key_mask": _KEYS,
        "+SetRinger": "ours says at the end of every call that nothing rings, as CUCM 8.6 does",
    },
    "conference bridge registers": {
        "RegisterAck.unknown": _FEATURES,
        "RegisterAck.phone_features": _FEATURES,
    },
    "MTP registers": {
        "RegisterAck.unknown": _FEATURES,
        "RegisterAck.phone_features": _FEATURES,
    },
    "phone calls": {
        **_CALL,
        "CallInfoV2.cgpn_voice_mailbox": _MAILBOX,
        "CallInfoV2.cdpn_voice_mailbox": _MAILBOX,
        "CallInfoV2.original_cdpn_voice_mailbox": _MAILBOX,
        "CallInfoV2.last_redirecting_voice_mailbox": _MAILBOX,
        "CallInfoV2.length": "as the texts that differ",
        "SelectSoftKeys.valid_key_mask": _KEYS,
        "OpenReceiveChannel.compression_type": _G722,
        "OpenReceiveChannel.source_ip_addr": _SOURCE,
        "StartMediaTransmission.compression_type": _G722,
        "~SetRinger": "ours stops the ringing last, as CUCM does for a port; the captured order of "
        "the packet is not known",
    },
    "phone is called": {
        **_CALL,
        "OpenReceiveChannel.compression_type": _G722,
        "StartMediaTransmission.compression_type": _G722,
    },
    "FXS port calls": {
        **_CALL,
        **_IN_WORDS,
        "CallInfoV2.length": "as the number that differs",
        "-SelectSoftKeys": "CUCM sent the keys of an idle phone before those of dialling",
        "SelectSoftKeys.valid_key_mask": _KEYS,
        "~StartMediaTransmission": "the other side had its channel open before, and ours not",
        "OpenReceiveChannel.source_ip_addr": _SOURCE,
        "OpenReceiveChannel.source_port_number": _SOURCE,
    },
}


def check(rows: Iterable[Row], explained: dict[str, str]) -> None:
    """Every difference has a reason, and every reason a difference."""
    found = {each for row in rows for each in row.differs}
    assert found - explained.keys() == set()
    assert explained.keys() - found == set()


@pytest.mark.parametrize("name", SESSIONS)
def test_our_station_says_what_the_captured_one_said(name: str) -> None:
    station = Station(name)
    check(station.play(), STATION_DIFFERENCES[name])
    assert station.core.state is State.REGISTERED


@pytest.mark.parametrize("name", [name for name in SESSIONS if name not in RELAYS])
def test_our_call_manager_says_what_the_captured_one_said(name: str) -> None:
    check(Manager(name).play(), MANAGER_DIFFERENCES[name])


def test_every_reason_is_of_a_session_that_is_played() -> None:
    assert STATION_DIFFERENCES.keys() == SESSIONS.keys()
    assert MANAGER_DIFFERENCES.keys() == SESSIONS.keys() - set(RELAYS)
    assert set(SCENES.values()) <= SESSIONS.keys()


# That the comparison notices what there is to notice ----------------------------------------------


def said(*what: SccpMessage) -> list[Said]:
    data = b"".join(messages.encode(each, 20) for each in what)
    return read(data, 20, by_station=True)


_TONE = messages.StopTone(line_instance=1, call_reference=7)
_PLANE = messages.ActivateCallPlane(line_instance=1)
_LAMP = messages.SetLamp(stimulus=9, stimulus_instance=1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ours", "differs"),
    [
        ((_TONE, _PLANE, _LAMP), []),
        ((_TONE, _LAMP), ["-ActivateCallPlane"]),
        ((_TONE, _PLANE, _LAMP, _LAMP), ["+SetLamp"]),
        ((_PLANE, _LAMP, _TONE), ["~StopTone"]),
        (
            (_TONE, dataclasses.replace(_PLANE, line_instance=2), _LAMP),
            ["ActivateCallPlane.line_instance"],
        ),
        (
            (_PLANE, _LAMP, dataclasses.replace(_TONE, line_instance=2)),
            ["~StopTone", "StopTone.line_instance"],
        ),
    ],
)
def test_another_order_another_number_and_another_value_are_noticed(
    ours: tuple[SccpMessage, ...], differs: list[str]
) -> None:
    rows = compared(said(_TONE, _PLANE, _LAMP), said(*ours))
    assert [each for row in rows for each in row.differs] == differs


def test_another_length_is_noticed_where_the_fields_are_the_same() -> None:
    (real,) = said(messages.RegisterReq(device_name="SEP000000000001", protocol_ver=20))
    short = real.frame[:136]
    (ours,) = read((128).to_bytes(4, "little") + short[4:], 20, by_station=True)
    assert ours.message == real.message
    (row,) = compared([real], [ours])
    assert row.differs == ("RegisterReq.length",)


@pytest.mark.parametrize(
    ("second", "differs"), [(21, ()), (22, ("CallState.call_reference",))], ids=["same", "other"]
)
def test_numbers_of_calls_are_each_side_s_own_but_mean_the_same_throughout(
    second: int, differs: tuple[str, ...]
) -> None:
    real, ours = (
        said(*(messages.CallState(call_state=1, call_reference=each) for each in numbers))  # type: ignore[arg-type]
        for numbers in ((7, 7), (21, second))
    )
    assert [row.differs for row in compared(real, ours)] == [(), differs]


def test_of_a_session_that_is_only_noted_what_is_not_known_is_not_compared() -> None:
    noted = [each for each in session("phone is called") if isinstance(each, Said)]
    keys = next(each for each in noted if isinstance(each.message, messages.SelectSoftKeys))
    assert "valid_key_mask" not in keys.known
    assert keys.length == 20
    information = next(each for each in noted if isinstance(each.message, messages.CallInfoV2))
    assert information.length is None
