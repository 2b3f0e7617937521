"""What a call manager knows of a device, and what it answers when the device asks.

:class:`Device` is the configuration of one station. :func:`answer` turns a station's question
(a button template, a line, the time, …) into the messages real call managers send; it is pure,
so the clock is an argument. From session version 17 on the answers have their V2 forms
(protocol notes §3.7, captured).
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass

from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import (
    ButtonType,
    DeviceType,
    SoftKeyEvent,
    SoftKeySet,
)
from pa_telephony.sccp.messages import SccpMessage

__all__ = ["QUESTIONS", "Device", "LineAppearance", "answer", "prompt", "select_soft_keys"]

PACKED = 17
"""The session version from which strings are packed and messages have V2 forms (captured)."""

ALL_KEYS = 0xFFFFFFFF
YOUR_CURRENT_OPTIONS = "\x80\x13"


@dataclass(frozen=True, kw_only=True, slots=True)
class LineAppearance:
    """One line button: the directory number (at most 24 digits) and how it is shown."""

    number: str
    display_name: str = ""
    label: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """One station: its name (at most 15 characters) and its lines, line 1 first.

    ``device_type`` None accepts any type that registers under the name.
    """

    name: str
    lines: tuple[LineAppearance, ...] = ()
    speed_dials: tuple[tuple[str, str], ...] = ()
    device_type: DeviceType | None = None
    description: str = ""


# Labels are plain text, as CME sends them; CUCM sends two-byte phrase codes instead.
_KEYS = (
    (SoftKeyEvent.REDIAL, "Redial"),
    (SoftKeyEvent.NEW_CALL, "NewCall"),
    (SoftKeyEvent.HOLD, "Hold"),
    (SoftKeyEvent.TRANSFER, "Trnsfer"),
    (SoftKeyEvent.CFWD_ALL, "CFwdAll"),
    (SoftKeyEvent.BACK_SPACE, "<<"),
    (SoftKeyEvent.END_CALL, "EndCall"),
    (SoftKeyEvent.RESUME, "Resume"),
    (SoftKeyEvent.ANSWER, "Answer"),
)

_SETS = {
    SoftKeySet.ON_HOOK: (SoftKeyEvent.REDIAL, SoftKeyEvent.NEW_CALL, SoftKeyEvent.CFWD_ALL),
    SoftKeySet.CONNECTED: (SoftKeyEvent.HOLD, SoftKeyEvent.END_CALL, SoftKeyEvent.TRANSFER),
    SoftKeySet.ON_HOLD: (SoftKeyEvent.RESUME, SoftKeyEvent.NEW_CALL, SoftKeyEvent.TRANSFER),
    SoftKeySet.RINGIN: (SoftKeyEvent.ANSWER, SoftKeyEvent.END_CALL),
    SoftKeySet.OFF_HOOK: (SoftKeyEvent.REDIAL, SoftKeyEvent.END_CALL, SoftKeyEvent.CFWD_ALL),
    SoftKeySet.CONN_TRANS: (SoftKeyEvent.HOLD, SoftKeyEvent.END_CALL, SoftKeyEvent.TRANSFER),
    SoftKeySet.DIGITS_FOLL: (SoftKeyEvent.BACK_SPACE, SoftKeyEvent.END_CALL),
    SoftKeySet.CONN_CONF: (SoftKeyEvent.HOLD, SoftKeyEvent.END_CALL),
    SoftKeySet.RING_OUT: (SoftKeyEvent.END_CALL, SoftKeyEvent.TRANSFER),
    SoftKeySet.OFF_HOOK_FEAT: (SoftKeyEvent.REDIAL, SoftKeyEvent.END_CALL),
    SoftKeySet.IN_USE_HINT: (SoftKeyEvent.NEW_CALL,),
    SoftKeySet.ON_HOOK_STEALABLE: (SoftKeyEvent.REDIAL, SoftKeyEvent.NEW_CALL),
}

_POSITION = {event: index for index, (event, _) in enumerate(_KEYS, 1)}
_INFO_BASE = 300


def prompt(text: str, version: int, *, line: int = 0, call: int = 0) -> SccpMessage:
    """A prompt on the status line: packed from version 17, 32 characters below (captured)."""
    if version >= PACKED:
        return messages.DisplayPromptStatusV2(
            time_out_value=0, line_instance=line, call_reference=call, prompt_status=text
        )
    return messages.DisplayPromptStatus(
        time_out_value=0, prompt_status=text[:31], line_instance=line, call_reference=call
    )


def select_soft_keys(keys: SoftKeySet, *, line: int = 0, call: int = 0) -> SccpMessage:
    """Show one of the soft key sets, all of its keys enabled."""
    return messages.SelectSoftKeys(
        line_instance=line, call_reference=call, soft_key_set_index=keys, valid_key_mask=ALL_KEYS
    )


def answer(
    question: SccpMessage, device: Device, version: int, now: datetime.datetime
) -> tuple[SccpMessage, ...]:
    """What a call manager answers; nothing to what it only takes note of."""
    find = _ANSWERS.get(type(question))
    return () if find is None else find(question, device, version, now)


def _buttons(
    question: SccpMessage, device: Device, version: int, now: datetime.datetime
) -> tuple[SccpMessage, ...]:
    used = [
        messages.ButtonDefinition(instance_number=number, button_definition=ButtonType.LINE)
        for number, _ in enumerate(device.lines, 1)
    ]
    used += [
        messages.ButtonDefinition(instance_number=number, button_definition=ButtonType.SPEED_DIAL)
        for number, _ in enumerate(device.speed_dials, 1)
    ]
    return (
        messages.ButtonTemplateRes(
            button_offset=0, total_button_count=len(used), definition=tuple(used)
        ),
    )


def _key_template(
    question: SccpMessage, device: Device, version: int, now: datetime.datetime
) -> tuple[SccpMessage, ...]:
    definition = tuple(
        messages.SoftKeyDefinition(soft_key_label=label, soft_key_event=event)
        for event, label in _KEYS
    )
    return (
        messages.SoftKeyTemplateRes(
            soft_key_offset=0, total_soft_key_count=len(definition), definition=definition
        ),
    )


def _key_sets(
    question: SccpMessage, device: Device, version: int, now: datetime.datetime
) -> tuple[SccpMessage, ...]:
    definition: list[messages.SoftKeySetDefinition] = []
    for events in _SETS.values():
        unused = (0,) * (16 - len(events))
        definition.append(
            messages.SoftKeySetDefinition(
                soft_key_template_index=(*(_POSITION[event] for event in events), *unused),
                soft_key_info_index=(*(_INFO_BASE + event for event in events), *unused),
            )
        )
    return (
        messages.SoftKeySetRes(
            soft_key_set_offset=0,
            total_soft_key_set_count=len(definition),
            definition=tuple(definition),
        ),
        select_soft_keys(SoftKeySet.ON_HOOK),
        prompt(YOUR_CURRENT_OPTIONS, version),
    )


def _configuration(
    question: SccpMessage, device: Device, version: int, now: datetime.datetime
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
    question: messages.LineStatReq, device: Device, version: int, now: datetime.datetime
) -> tuple[SccpMessage, ...]:
    known = 1 <= question.line_number <= len(device.lines)
    line = device.lines[question.line_number - 1] if known else LineAppearance(number="")
    form = messages.LineStatV2Res if version >= PACKED else messages.LineStatRes
    return (
        form(
            line_number=question.line_number,
            line_dir_number=line.number,
            line_fully_qualified_display_name=line.display_name,
            line_text_label=line.label or line.number,
        ),
    )


def _forward(
    question: messages.ForwardStatReq, device: Device, version: int, now: datetime.datetime
) -> tuple[SccpMessage, ...]:
    return (messages.ForwardStatRes(active_forward=0, line_number=question.line_number),)


def _speed_dial(
    question: messages.SpeedDialStatReq, device: Device, version: int, now: datetime.datetime
) -> tuple[SccpMessage, ...]:
    number = question.speed_dial_number
    known = 1 <= number <= len(device.speed_dials)
    digits, name = device.speed_dials[number - 1] if known else ("", "")
    form = messages.SpeedDialStatV2Res if version >= PACKED else messages.SpeedDialStatRes
    return (
        form(speed_dial_number=number, speed_dial_dir_number=digits, speed_dial_display_name=name),
    )


def _feature(
    question: messages.FeatureStatReq, device: Device, version: int, now: datetime.datetime
) -> tuple[SccpMessage, ...]:
    form = messages.FeatureStatV2Res if version >= PACKED else messages.FeatureStatRes
    return (form(feature_index=question.feature_index),)


def _service(
    question: messages.ServiceURLStatReq, device: Device, version: int, now: datetime.datetime
) -> tuple[SccpMessage, ...]:
    form = messages.ServiceURLStatV2Res if version >= PACKED else messages.ServiceURLStatRes
    return (form(service_url_index=question.service_url_index),)


def _version(
    question: SccpMessage, device: Device, version: int, now: datetime.datetime
) -> tuple[SccpMessage, ...]:
    # Empty, as CUCM answers gateways: there is no firmware of ours to fetch.
    return (messages.VersionRes(version_str=""),)


def _server(
    question: SccpMessage, device: Device, version: int, now: datetime.datetime
) -> tuple[SccpMessage, ...]:
    return (messages.ServerRes(server=(messages.ServerName(),) * 5),)


def _time(
    question: SccpMessage, device: Device, version: int, now: datetime.datetime
) -> tuple[SccpMessage, ...]:
    return (time_date(now), prompt(YOUR_CURRENT_OPTIONS, version))


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
    messages.VersionReq: _version,
    messages.ServerReq: _server,
    messages.TimeDateReq: _time,
}

QUESTIONS = frozenset(_ANSWERS)
"""The messages that :func:`answer` answers."""
