"""Which SCCP messages hold what a person has keyed or typed, and how they look without it.

It may be a PIN, so it stands in no report of a bug, and in no trace file that was not asked for it.
Pure.
"""

from __future__ import annotations

from pa_telephony.sccp import messages
from pa_telephony.sccp.tones import TONES

__all__ = ["KEYED", "without_keyed"]

_HEADER = 12
_KEY = slice(_HEADER, _HEADER + 4)
"""Where KeypadButton has its button, and the others their tone: line and call stay readable."""
_NO_KEY = b"\xff\xff\xff\xff"
_ONE_KEY = frozenset(
    kind.id for kind in (messages.KeypadButton, messages.NotifyDtmfTone, messages.SendDtmfTone)
)
_TEXTS = frozenset(
    kind.id
    for kind in (
        messages.EnblocCall,
        messages.DeviceToUserData,
        messages.DeviceToUserDataResponse,
        messages.DeviceToUserDataVersion1,
        messages.DeviceToUserDataResponseVersion1,
    )
)
KEYED = _ONE_KEY | _TEXTS
"""Messages that hold keys, numbers, or what was typed into a phone's services."""
_TONES = frozenset(int(tone) for tone in TONES.values())


def without_keyed(frame: bytes) -> bytes | None:
    """The frame with its keys and texts covered, as long as before; None when it has none.

    A key becomes the button 0xFFFFFFFF, which no phone has; texts become empty.
    """
    number = int.from_bytes(frame[8:_HEADER], "little")
    if number in _TEXTS:
        return frame[:_HEADER] + bytes(max(0, len(frame) - _HEADER))
    key = frame[_KEY]
    # The other side of a call hears each key as a tone, where that is not in its audio.
    echo = number == messages.StartTone.id and int.from_bytes(key, "little") in _TONES
    if number not in _ONE_KEY and not echo:
        return None
    return frame[:_HEADER] + _NO_KEY[: len(key)] + frame[_HEADER + 4 :]
