"""DTMF digits as the tones of a phone: what StartTone, SendDtmfTone and NotifyDtmfTone name."""

from __future__ import annotations

from pa_telephony.sccp.enums import DeviceTone

__all__ = ["DIGITS", "TONES"]

TONES = {
    **{str(number): DeviceTone(number or 10) for number in range(10)},
    **{key: DeviceTone(number) for number, key in enumerate("*#ABCD", 14)},
}
"""The tone of each digit (docs/protocol/sccp.md §7; 1 to 3 are captured)."""
DIGITS = {tone: digit for digit, tone in TONES.items()}
