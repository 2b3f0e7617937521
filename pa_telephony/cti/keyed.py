"""Which CTI messages hold what a person has keyed or typed, and how they look without it.

It may be a PIN, so it stands in no report of a bug, and in no trace file that was not asked for it.
Pure.
"""

from __future__ import annotations

from pa_telephony.cti import messages

__all__ = ["KEYED", "without_keyed"]

_HEADER = 20
KEYED = frozenset(
    kind.id
    for kind in (
        messages.CallPlayDtmfRequest,
        messages.CallDialRequest,
        messages.CallBlindConferenceRequest,
        messages.CallBlindTransferRequest,
        messages.CallSetupConferenceRequest,
        messages.CallSetupTransferRequest,
        messages.DtmfEvent,
        messages.DeviceDataPassThroughRequest,
        messages.DeviceDataPassThroughEvent,
    )
)
"""Messages with digits to play and to dial, digits that were pressed, or text for a phone."""


def without_keyed(frame: bytes) -> bytes | None:
    """The frame with zeros behind its header; None when the message is none of :data:`KEYED`."""
    if int.from_bytes(frame[16:_HEADER], "little") not in KEYED:
        return None
    return frame[:_HEADER] + bytes(max(0, len(frame) - _HEADER))
