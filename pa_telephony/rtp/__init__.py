"""RTP and RTCP, G.711, DTMF, tones and WAV, and the engine that gives every call its sound.

Pure modules, usable with any I/O and without numpy: :mod:`packet`, :mod:`rtcp`, :mod:`session`,
:mod:`jitter`, :mod:`dtmf`. With numpy: :mod:`g711`, :mod:`audio`, :mod:`tones`, :mod:`wav`.
With trio: :mod:`engine` (one task that ticks every 20 ms over all ports), :mod:`port`,
:mod:`sound` (the verbs: play, ask, record …).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pa_telephony._lazy import lazy_names

if TYPE_CHECKING:
    from pa_telephony.rtp import dtmf, g711, jitter, packet, rtcp, session, tones, wav
    from pa_telephony.rtp.audio import Audio
    from pa_telephony.rtp.engine import (
        Engine,
        EngineConfig,
        EngineStatistics,
        PortUnavailable,
        open_engine,
    )
    from pa_telephony.rtp.packet import Codec, Packet
    from pa_telephony.rtp.port import Port, PortStatistics
    from pa_telephony.rtp.sound import Media, Recording
    from pa_telephony.rtp.tones import Tone

__all__ = [
    "Audio",
    "Codec",
    "Engine",
    "EngineConfig",
    "EngineStatistics",
    "Media",
    "Packet",
    "Port",
    "PortStatistics",
    "PortUnavailable",
    "Recording",
    "Tone",
    "dtmf",
    "g711",
    "jitter",
    "open_engine",
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
        "Engine": ".engine",
        "EngineConfig": ".engine",
        "EngineStatistics": ".engine",
        "Media": ".sound",
        "Packet": ".packet",
        "Port": ".port",
        "PortStatistics": ".port",
        "PortUnavailable": ".engine",
        "Recording": ".sound",
        "Tone": ".tones",
        "dtmf": ".dtmf",
        "g711": ".g711",
        "jitter": ".jitter",
        "open_engine": ".engine",
        "packet": ".packet",
        "rtcp": ".rtcp",
        "session": ".session",
        "tones": ".tones",
        "wav": ".wav",
    },
)
