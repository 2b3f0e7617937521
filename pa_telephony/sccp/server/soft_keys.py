"""The soft keys of a phone: the template, the sets, and which keys of a set are shown.

Template, labels and sets are those of CUCM 8.6 and CallManager 4.1, which are the same (captured:
collab_sccp_phone_register, pyskinny_hist_cm_cap). A label is a phrase number, which the phone
puts into the language of its user. A key says its event number when it is pressed; from 21 on
the captured events are no phrase numbers any more. Two keys are added behind the captured ones.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping

from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import SoftKeyEvent, SoftKeySet
from pa_telephony.sccp.messages import SccpMessage

__all__ = ["SETS", "UNSERVED", "select_soft_keys", "soft_key_sets", "soft_key_template"]

_BARGE, _DIRECT_TRANSFER, _SELECT, _CONFERENCE_LIST, _VIDEO_MODE = (
    SoftKeyEvent(number) for number in (21, 28, 29, 30, 33)
)
UNSERVED = frozenset(
    {
        SoftKeyEvent.JOIN,
        SoftKeyEvent.MEET_ME,
        _BARGE,
        _DIRECT_TRANSFER,
        _SELECT,
        _CONFERENCE_LIST,
        _VIDEO_MODE,
    }
)
"""Keys that real call managers have and this one does nothing for: never shown."""

_K = SoftKeyEvent
_GAP = SoftKeyEvent(0)
"""The event of a place that is left empty."""
_TEMPLATE = (
    (_K.REDIAL, 1),
    (_K.NEW_CALL, 2),
    (_K.HOLD, 3),
    (_K.TRANSFER, 4),
    (_K.CFWD_ALL, 5),
    (_K.BACK_SPACE, 8),
    (_K.END_CALL, 9),
    (_K.RESUME, 10),
    (_K.ANSWER, 11),
    (_K.CONFRN, 13),
    (_K.PARK, 14),
    (_K.JOIN, 15),
    (_K.MEET_ME, 16),
    (_K.PICK_UP, 17),
    (_K.GRP_PICKUP, 18),
    (_BARGE, 67),
    (_DIRECT_TRANSFER, 77),
    (_SELECT, 78),
    (_CONFERENCE_LIST, 79),
    (_VIDEO_MODE, 88),
    # Ours from here on.
    (_K.RM_LST_C, 57),
    (_K.DND, 63),
)
"""The event and the phrase number of each key."""

SETS: Mapping[SoftKeySet, tuple[SoftKeyEvent, ...]] = {
    SoftKeySet.ON_HOOK: (_K.REDIAL, _K.NEW_CALL, _K.CFWD_ALL, _K.DND),
    SoftKeySet.CONNECTED: (
        _K.HOLD,
        _K.END_CALL,
        _K.TRANSFER,
        _K.PARK,
        _K.CONFRN,
        _CONFERENCE_LIST,
        _SELECT,
        _K.JOIN,
        _DIRECT_TRANSFER,
        _VIDEO_MODE,
    ),
    SoftKeySet.ON_HOLD: (_K.RESUME, _K.NEW_CALL, _DIRECT_TRANSFER, _SELECT, _K.JOIN),
    SoftKeySet.RINGIN: (_K.ANSWER,),
    SoftKeySet.OFF_HOOK: (
        _K.REDIAL,
        _K.END_CALL,
        _K.CFWD_ALL,
        _K.PICK_UP,
        _K.GRP_PICKUP,
        _K.MEET_ME,
    ),
    SoftKeySet.CONN_TRANS: (_GAP, _K.END_CALL, _K.TRANSFER),
    SoftKeySet.DIGITS_FOLL: (_K.BACK_SPACE, _K.END_CALL),
    SoftKeySet.CONN_CONF: (_K.HOLD, _K.END_CALL, _K.CONFRN, _K.RM_LST_C),
    SoftKeySet.RING_OUT: (
        _GAP,
        _K.END_CALL,
    ),
    SoftKeySet.OFF_HOOK_FEAT: (_K.REDIAL, _K.END_CALL),
    SoftKeySet.IN_USE_HINT: (_BARGE, _K.NEW_CALL),
    SoftKeySet.ON_HOOK_STEALABLE: (
        _GAP,
        _K.END_CALL,
    ),
}
"""The keys of each set from the left; DND in the first, RmLstC and Hold in CONN_CONF are ours."""

_POSITION = {_GAP: 0, **{event: index for index, (event, _) in enumerate(_TEMPLATE, 1)}}
_INFO = {_GAP: 0, **{event: 300 + event for event, _ in _TEMPLATE}}
_PLACES = 16


@functools.cache
def soft_key_template() -> messages.SoftKeyTemplateRes:
    """The message with all soft keys, which tells a phone their events and labels."""
    definition = tuple(
        messages.SoftKeyDefinition(soft_key_label=f"\x80{chr(label)}", soft_key_event=event)
        for event, label in _TEMPLATE
    )
    return messages.SoftKeyTemplateRes(
        soft_key_offset=0, total_soft_key_count=len(definition), definition=definition
    )


@functools.cache
def soft_key_sets() -> messages.SoftKeySetRes:
    """The message with all sets, which tells a phone the keys of each."""
    definition: list[messages.SoftKeySetDefinition] = []
    for events in SETS.values():
        unused = (0,) * (_PLACES - len(events))
        definition.append(
            messages.SoftKeySetDefinition(
                soft_key_template_index=(*(_POSITION[event] for event in events), *unused),
                soft_key_info_index=(*(_INFO[event] for event in events), *unused),
            )
        )
    return messages.SoftKeySetRes(
        soft_key_set_offset=0,
        total_soft_key_set_count=len(definition),
        definition=tuple(definition),
    )


def select_soft_keys(
    keys: SoftKeySet, *, line: int = 0, call: int = 0, without: Iterable[SoftKeyEvent] = ()
) -> SccpMessage:
    """The message that shows a set, but for the keys that cannot be used now."""
    hidden = UNSERVED.union(without)
    mask = 0xFFFFFFFF
    for place, event in enumerate(SETS[keys]):
        if event in hidden:
            mask &= ~(1 << place)
    return messages.SelectSoftKeys(
        line_instance=line, call_reference=call, soft_key_set_index=keys, valid_key_mask=mask
    )
