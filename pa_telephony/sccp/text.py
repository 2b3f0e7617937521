"""Names and labels between people and the wire.

A message holds a text as the octets it came in, one character for each (so that every byte
survives, and the phrase numbers of :mod:`~pa_telephony.sccp.phrases` stay what they are). What the
octets mean is agreed by a bit of RegisterReq: UTF-8 where the phone announces it, else Latin-1
(docs/protocol/sccp.md §2 and §8: captured, and chan-sccp).
"""

from __future__ import annotations

import contextlib
import unicodedata

from pa_telephony.printable import printable
from pa_telephony.sccp.enums import PhoneFeatures

__all__ = ["readable", "sendable"]


def sendable(text: str, features: PhoneFeatures, longest: int | None = None) -> str:
    """A name as the fields of messages take it, for a phone that announced these ``features``.

    Without UTF-8 a letter that Latin-1 lacks loses its accents, or becomes ``?``. ``longest`` is in
    octets; no letter is cut in two. A NUL ends the text.
    """
    text = text.partition("\0")[0]
    if text.isascii():
        return text[:longest]
    text = unicodedata.normalize("NFC", text)
    if PhoneFeatures.UTF8 in features:
        whole = text.encode("utf-8", "replace")[:longest].decode("utf-8", "ignore")
        return whole.encode("utf-8").decode("latin-1")
    return "".join(map(_latin, text))[:longest]


def _latin(letter: str) -> str:
    if letter < "\u0100":
        return letter
    bare = [part for part in unicodedata.normalize("NFKD", letter) if part < "\u0100"]
    return "".join(bare) or "?"


def readable(text: str) -> str:
    """A text of a message for people: UTF-8 where its octets are that, else Latin-1.

    Asterisk and FreeSWITCH send what their configuration holds, whatever was announced, so the
    octets decide: Latin-1 that happens to be UTF-8 is not a thing that people write. What a
    terminal would act on is escaped.
    """
    if not text.isascii():
        with contextlib.suppress(UnicodeError):
            text = text.encode("latin-1").decode("utf-8")
    return printable(text)
