"""Phrase numbers in texts: ``0x80 n`` and ``0x1e n`` stand for words in the phone's language.

CUCM writes them in prompts, notifications and soft key labels, and plain English to FXS ports
(docs/protocol/sccp.md §8, captured).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pa_telephony.printable import printable
from pa_telephony.sccp.enums import DisplayLabels36, DisplayLabels200
from pa_telephony.sccp.text import readable

__all__ = ["english", "phrase_of"]

_CODE = re.compile("([\x80\x1e])(.)", re.DOTALL)
_LETTER = "[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
"""One letter in UTF-8: a 0x80 within it begins no phrase number."""
_CODE_OR_LETTER = re.compile(f"{_CODE.pattern}|{_LETTER}", re.DOTALL)
_WORDS = re.compile("[a-z0-9]+")
_LONGEST = 80
"""How many characters of a text are looked at; the longest phrase has 36."""
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
    """A text with its phrase numbers in words, and printable: ``"From 1001"``."""
    return printable(_CODE_OR_LETTER.sub(_words, text).strip())


def phrase_of(text: str) -> str:
    """The phrase number that a text begins with, also where it is said in English; "" for none.

    "Enter Number" and ``0x80 0x20`` both give ``0x80 0x20``.
    """
    if match := _CODE.match(text):
        return match[0]
    words = _spelt(text[:_LONGEST])
    return next(
        (
            _PHRASES[start]
            for count in range(len(words), 0, -1)
            if (start := " ".join(words[:count])) in _PHRASES
        ),
        "",
    )


def _spelt(text: str) -> list[str]:
    # "Can Not Complete Transfer", "Error: No License": the enumerators have neither case nor signs.
    return _WORDS.findall(text.casefold().replace("cannot", "can not"))


def _words(match: re.Match[str]) -> str:
    if match[1] is None:
        return readable(match[0])
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
_PHRASES = {
    " ".join(_spelt(name.replace("_", " "))): f"{table}{chr(number)}"
    for table, names in _NAMES.items()
    for number, name in names.items()
    if number
}
