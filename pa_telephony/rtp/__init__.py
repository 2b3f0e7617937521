"""RTP and RTCP, G.711, DTMF, tones and WAV.

Pure modules, usable with any I/O and without numpy: :mod:`packet`, :mod:`rtcp`, :mod:`session`,
:mod:`jitter`, :mod:`dtmf`. With numpy: :mod:`g711`, :mod:`audio`, :mod:`tones`, :mod:`wav`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pa_telephony._lazy import lazy_names

if TYPE_CHECKING:
    from pa_telephony.rtp import dtmf, g711, jitter, packet, rtcp, session, tones, wav
    from pa_telephony.rtp.audio import Audio
    from pa_telephony.rtp.packet import Codec, Packet
    from pa_telephony.rtp.tones import Tone

__all__ = [
    "Audio",
    "Codec",
    "Packet",
    "Tone",
    "dtmf",
    "g711",
    "jitter",
    "packet",
    "rtcp",
    "session",
    "tones",
    "wav",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Audio": ".audio",
        "Codec": ".packet",
        "Packet": ".packet",
        "Tone": ".tones",
        "dtmf": ".dtmf",
        "g711": ".g711",
        "jitter": ".jitter",
        "packet": ".packet",
        "rtcp": ".rtcp",
        "session": ".session",
        "tones": ".tones",
        "wav": ".wav",
    },
)
