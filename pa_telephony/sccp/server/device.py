"""What a call manager knows of a device, and what it answers when the device asks.

:class:`Device` is the configuration of one station. :func:`answer` turns a station's question
(a button template, a line, the time, …) into the messages real call managers send; it is pure,
so the clock is an argument. From session version 17 on the answers have their V2 forms
(docs/protocol/sccp.md §3.7, captured).
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import (
    ButtonType,
    DeviceType,
    PhoneFeatures,
    SequenceFlag,
    SoftKeySet,
    SubscribeCause,
    SubscriptionFeatureID,
)
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.server.soft_keys import select_soft_keys, soft_key_sets, soft_key_template
from pa_telephony.sccp.text import sendable

__all__ = [
    "CALL_MANAGERS_OWN",
    "QUESTIONS",
    "BusyLamp",
    "Device",
    "LineAppearance",
    "answer",
    "feature",
    "forwards",
    "name_of",
    "notify",
    "number_of",
    "prompt",
    "question_of_abilities",
]

Clock: TypeAlias = Callable[[], datetime.datetime]

PACKED = 17
"""The session version from which strings are packed and messages have V2 forms (captured)."""

YOUR_CURRENT_OPTIONS = "\x80\x13"

CALL_MANAGERS_OWN = 27
"""The application that our own questions to phones are of; applications have 0 (captured: a number
of CUCM's own for each phone, and the transaction has the same)."""

_MEDIA_RESOURCES = frozenset(
    {
        DeviceType.CONFERENCE_BRIDGE,
        DeviceType.CONFERENCE_BRIDGE_YOKO,
        DeviceType.CONFERENCE_BRIDGE_DIXIE_LAND,
        DeviceType.CONFERENCE_BRIDGE_SUMMIT,
        DeviceType.MUSIC_ON_HOLD,
        DeviceType.LINE_ANNUNCIATOR,
        DeviceType.SOFTWARE_MTP_DIXIE_LAND,
        DeviceType.CONFERENCE_BRIDGE_FLINT,
        DeviceType.CONFERENCE_BRIDGE_HETRO_GEN,
        DeviceType.CONFERENCE_BRIDGE_AUD_VID,
        DeviceType.CONFERENCE_H_VIDEO_BRIDGE,
        DeviceType.MEDIA_TERMINATION_POINT_DIXIE_LAND,
        DeviceType.ANNUNCIATOR,
    }
)
"""The types of stations without a display, which are not asked what it can show (captured)."""

_NUMBER = 24
"""How many octets a number has in a fixed field."""
_BUTTONS_OF_A_PART = 42
"""How many buttons one ButtonTemplateRes holds (captured)."""


class BusyLamp(enum.IntEnum):
    """What the number of a speed dial does (observed: chan-sccp)."""

    UNKNOWN = 0
    IDLE = 1
    IN_USE = 2
    DO_NOT_DISTURB = 3
    ALERTING = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class LineAppearance:
    """One line button: the directory number (24 digits) and how it is shown.

    Texts that are longer than a phone's field are cut when they are sent.
    """

    number: str
    display_name: str = ""
    label: str = ""
    forward_all: str = ""
    forward_busy: str = ""
    forward_no_answer: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """One station: its name (at most 15 characters) and its lines, line 1 first.

    At most 255 lines and 255 speed dials: each is a button, numbered in one octet.
    ``device_type`` None accepts any type that registers under the name.
    """

    name: str
    lines: tuple[LineAppearance, ...] = ()
    speed_dials: tuple[tuple[str, str], ...] = ()
    busy_lamps: tuple[tuple[int, BusyLamp], ...] = ()
    """The speed dials, by index from 1, that show what their number does now."""
    device_type: DeviceType | None = None
    description: str = ""
    keep_alive_interval: int | None = None
    """Seconds between the station's keepalives; None: as the server's configuration says."""
    state_of: Callable[[str], BusyLamp | None] | None = field(default=None, compare=False)
    """Gives what a number does now, for lists of calls; None for one that is not to be told."""

    def spelt(self, features: PhoneFeatures, version: int) -> Device:
        """The device as a station with ``features`` is told of it: names in octets, cut to fit."""
        return replace(
            self,
            lines=tuple(
                replace(
                    line,
                    display_name=name_of(line.display_name, features, version),
                    label=name_of(line.label, features, version),
                )
                for line in self.lines
            ),
            speed_dials=tuple(
                (number, name_of(name, features, version)) for number, name in self.speed_dials
            ),
        )


def name_of(name: str, features: PhoneFeatures, version: int) -> str:
    """A name or label as messages of this session take it, at most 39 octets, packed 120."""
    return sendable(name, features, 120 if version >= PACKED else 39)


def number_of(number: str, version: int) -> str:
    """As much of a number as messages of this session take, 24 octets, packed 120."""
    return number[: 120 if version >= PACKED else _NUMBER]


def prompt(text: str, version: int, *, line: int = 0, call: int = 0) -> SccpMessage:
    """A prompt on the status line: packed from version 17, 32 characters below (captured)."""
    if version >= PACKED:
        return messages.DisplayPromptStatusV2(
            time_out_value=0, line_instance=line, call_reference=call, prompt_status=text
        )
    return messages.DisplayPromptStatus(
        time_out_value=0, prompt_status=text[:31], line_instance=line, call_reference=call
    )


def notify(text: str, version: int, *, seconds: int = 10, priority: int = 5) -> SccpMessage:
    """A text that covers the prompt for ``seconds``; 10 and priority 5 are captured."""
    if version >= PACKED:
        return messages.DisplayPriNotifyV2(time_out_value=seconds, priority=priority, notify=text)
    return messages.DisplayPriNotify(time_out_value=seconds, priority=priority, notify=text[:31])


def question_of_abilities(kind: DeviceType, version: int) -> tuple[SccpMessage, ...]:
    """What a station is asked once it has told its codecs: what its display and services can do.

    CUCM asks phones and ports from version 17 on, and CallManager 4.1 none (captured).
    """
    if version < PACKED or kind in _MEDIA_RESOURCES:
        return ()
    return (
        messages.UserToDeviceDataVersion1(
            application_id=CALL_MANAGERS_OWN,
            transaction_id=CALL_MANAGERS_OWN,
            sequence_flag=SequenceFlag.LAST,
            display_priority=3,
            xmldata=b"<getDeviceCaps/>",
        ),
    )


def answer(
    question: SccpMessage, device: Device, version: int, clock: Clock
) -> tuple[SccpMessage, ...]:
    """The messages that answer a station's question; none for one that is only taken note of.

    ``clock`` gives the local time, and is asked where the answer has it.
    """
    find = _ANSWERS.get(type(question))
    return () if find is None else find(question, device, version, clock)


def _buttons(
    question: SccpMessage, device: Device, version: int, clock: Clock
) -> tuple[SccpMessage, ...]:
    used = [
        messages.ButtonDefinition(instance_number=number, button_definition=ButtonType.LINE)
        for number, _ in enumerate(device.lines, 1)
    ]
    lamps = dict(device.busy_lamps)
    used += [
        messages.ButtonDefinition(
            instance_number=number,
            button_definition=ButtonType.BUSY_LAMP_FIELD_SPEEDDIAL
            if number in lamps
            else ButtonType.SPEED_DIAL,
        )
        for number, _ in enumerate(device.speed_dials, 1)
    ]
    # A template that is too long for one message comes in parts, each with its offset.
    return tuple(
        messages.ButtonTemplateRes(
            button_offset=offset,
            total_button_count=len(used),
            definition=tuple(used[offset : offset + _BUTTONS_OF_A_PART]),
        )
        for offset in range(0, max(1, len(used)), _BUTTONS_OF_A_PART)
    )


def _key_template(
    question: SccpMessage, device: Device, version: int, clock: Clock
) -> tuple[SccpMessage, ...]:
    return (soft_key_template(),)


def _key_sets(
    question: SccpMessage, device: Device, version: int, clock: Clock
) -> tuple[SccpMessage, ...]:
    return (
        soft_key_sets(),
        select_soft_keys(SoftKeySet.ON_HOOK),
        prompt(YOUR_CURRENT_OPTIONS, version),
    )


def _configuration(
    question: SccpMessage, device: Device, version: int, clock: Clock
) -> tuple[SccpMessage, ...]:
    form = messages.ConfigStatV2Res if version >= PACKED else messages.ConfigStatRes
    return (
        form(
            device_name=device.name,
            number_of_lines=len(device.lines),
            number_of_speed_dials=len(device.speed_dials),
        ),
    )


def _line(
    question: messages.LineStatReq, device: Device, version: int, clock: Clock
) -> tuple[SccpMessage, ...]:
    known = 1 <= question.line_number <= len(device.lines)
    line = device.lines[question.line_number - 1] if known else LineAppearance(number="")
    form = messages.LineStatV2Res if version >= PACKED else messages.LineStatRes
    return (
        form(
            line_number=question.line_number,
            line_dir_number=number_of(line.number, version),
            line_fully_qualified_display_name=line.display_name,
            line_text_label=line.label or number_of(line.number, version),
        ),
    )


def _forward(
    question: messages.ForwardStatReq, device: Device, version: int, clock: Clock
) -> tuple[SccpMessage, ...]:
    return (forwards(device, question.line_number),)


def forwards(device: Device, line: int) -> messages.ForwardStatRes:
    """The answer that tells a station where the calls of a line are forwarded to."""
    known = 1 <= line <= len(device.lines)
    shown = device.lines[line - 1] if known else LineAppearance(number="")
    # No packed form: these fields are fixed in every version.
    every, busy, no_answer = (
        target[:_NUMBER]
        for target in (shown.forward_all, shown.forward_busy, shown.forward_no_answer)
    )
    return messages.ForwardStatRes(
        active_forward=int(any((every, busy, no_answer))),
        line_number=line,
        forward_all_active=int(bool(every)),
        forward_all_dirnum=every,
        forward_busy_active=int(bool(busy)),
        forward_busy_dirnum=busy,
        forward_no_answer_active=int(bool(no_answer)),
        forward_no_answerl_dirnum=no_answer,
    )


def _speed_dial(
    question: messages.SpeedDialStatReq, device: Device, version: int, clock: Clock
) -> tuple[SccpMessage, ...]:
    number = question.speed_dial_number
    known = 1 <= number <= len(device.speed_dials)
    digits, name = device.speed_dials[number - 1] if known else ("", "")
    form = messages.SpeedDialStatV2Res if version >= PACKED else messages.SpeedDialStatRes
    return (
        form(
            speed_dial_number=number,
            speed_dial_dir_number=number_of(digits, version),
            speed_dial_display_name=name,
        ),
    )


def _feature(
    question: messages.FeatureStatReq, device: Device, version: int, clock: Clock
) -> tuple[SccpMessage, ...]:
    return (feature(device, question.feature_index, version),)


def feature(device: Device, index: int, version: int) -> SccpMessage:
    """The answer that tells a station of a feature button: a busy lamp, or that it is unused."""
    form = messages.FeatureStatV2Res if version >= PACKED else messages.FeatureStatRes
    status = dict(device.busy_lamps).get(index)
    if status is None:
        return form(feature_index=index)
    number, name = device.speed_dials[index - 1]
    return form(
        feature_index=index,
        feature_id=ButtonType.BUSY_LAMP_FIELD_SPEEDDIAL,
        feature_text_label=name or number_of(number, version),
        feature_status=status,
    )


def _service(
    question: messages.ServiceURLStatReq, device: Device, version: int, clock: Clock
) -> tuple[SccpMessage, ...]:
    form = messages.ServiceURLStatV2Res if version >= PACKED else messages.ServiceURLStatRes
    return (form(service_url_index=question.service_url_index),)


def _subscription(
    question: messages.SubscriptionStatReq, device: Device, version: int, clock: Clock
) -> tuple[SccpMessage, ...]:
    feature_id, state = question.subscription_feature_id, None
    if device.state_of is not None and feature_id == SubscriptionFeatureID.BLF:
        state = device.state_of(question.subscription_id)
    taken = messages.SubscriptionStatRes(
        transaction_id=question.transaction_id,
        subscription_feature_id=feature_id,
        timer=question.timer,
        cause=SubscribeCause.ROUTE_FAIL if state is None else SubscribeCause.OK,
    )
    if state is None:
        return (taken,)
    # Once: whether a phone wants to be told again is not known (observed: chan-sccp does not).
    told = messages.Notification(
        transaction_id=question.transaction_id,
        subscription_feature_id=feature_id,
        notification_status=state,
    )
    return taken, told


def _version(
    question: SccpMessage, device: Device, version: int, clock: Clock
) -> tuple[SccpMessage, ...]:
    # Empty, as CUCM answers gateways: there is no firmware of ours to fetch.
    return (messages.VersionRes(version_str=""),)


def _server(
    question: SccpMessage, device: Device, version: int, clock: Clock
) -> tuple[SccpMessage, ...]:
    return (messages.ServerRes(server=(messages.ServerName(),) * 5),)


def _time(
    question: SccpMessage, device: Device, version: int, clock: Clock
) -> tuple[SccpMessage, ...]:
    return (time_date(clock()), prompt(YOUR_CURRENT_OPTIONS, version))


def time_date(now: datetime.datetime) -> messages.TimeDateRes:
    """The clock of a phone: local time in fields (Sunday is day 0), and seconds since the epoch."""
    return messages.TimeDateRes(
        w_year=now.year,
        w_month=now.month,
        w_day_of_week=now.isoweekday() % 7,
        w_day=now.day,
        w_hour=now.hour,
        w_minute=now.minute,
        w_second=now.second,
        w_milliseconds=now.microsecond // 1000,
        system_time=int(now.timestamp()),
    )


_Answer = Callable[..., tuple[SccpMessage, ...]]

_ANSWERS: dict[type[SccpMessage], _Answer] = {
    messages.ButtonTemplateReq: _buttons,
    messages.SoftKeyTemplateReq: _key_template,
    messages.SoftKeySetReq: _key_sets,
    messages.ConfigStatReq: _configuration,
    messages.LineStatReq: _line,
    messages.ForwardStatReq: _forward,
    messages.SpeedDialStatReq: _speed_dial,
    messages.FeatureStatReq: _feature,
    messages.ServiceURLStatReq: _service,
    messages.SubscriptionStatReq: _subscription,
    messages.VersionReq: _version,
    messages.ServerReq: _server,
    messages.TimeDateReq: _time,
}

QUESTIONS = frozenset(_ANSWERS)
"""The messages that :func:`answer` answers."""
