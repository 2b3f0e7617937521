"""Phrase numbers in texts: ``0x80 n`` and ``0x1e n`` stand for words in the phone's language.

CUCM writes them in prompts, notifications and soft key labels (protocol notes §8, captured).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pa_telephony.sccp.enums import DisplayLabels36, DisplayLabels200

__all__ = ["english"]

_CODE = re.compile("([\x80\x1e])(.)", re.DOTALL)
_KEYS: Mapping[int, str] = {
    1: "Redial",
    2: "NewCall",
    3: "Hold",
    4: "Trnsfer",
    5: "CFwdALL",
    8: "<<",
    9: "EndCall",
    10: "Resume",
    11: "Answer",
    13: "Confrn",
    14: "Park",
    15: "Join",
    16: "MeetMe",
    17: "PickUp",
    18: "GPickUp",
    57: "RmLstC",
    63: "DND",
    67: "Barge",
    77: "DirTrfr",
    78: "Select",
    79: "ConfList",
    88: "VidMode",
}
"""Labels as the phones' English has them; other phrases are named after their enumerator."""


def english(text: str) -> str:
    """A text with its phrase numbers in words, for reading: ``"From 1001"``."""
    return _CODE.sub(_words, text).strip()


def _words(match: re.Match[str]) -> str:
    table, number = match[1], ord(match[2])
    if table == "\x80" and number in _KEYS:
        return _KEYS[number]
    name = _NAMES[table].get(number)
    # "From" and "Forwarded to" are followed by a number at once.
    return match[0] if name is None else f"{name.replace('_', ' ').capitalize()} "


_NAMES = {
    "\x80": {label.value: label.name for label in DisplayLabels200},
    "\x1e": {label.value: label.name for label in DisplayLabels36},
}
