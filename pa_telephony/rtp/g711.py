"""G.711 µ-law and A-law by lookup tables made from ITU-T G.711 (11/1988), tables 1 and 2.

Samples are 16-bit linear, as other G.711 libraries have them: µ-law's 14 bits shifted left by 2
(full scale 32124), A-law's 13 bits shifted left by 3 (full scale 32256).
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pa_telephony.rtp.packet import Codec

__all__ = [
    "ALAW_SILENCE",
    "ALAW_TO_LINEAR",
    "ALAW_TO_ULAW",
    "LINEAR_TO_ALAW",
    "LINEAR_TO_ULAW",
    "SILENCE",
    "ULAW_SILENCE",
    "ULAW_TO_ALAW",
    "ULAW_TO_LINEAR",
    "Samples",
    "alaw_decode",
    "alaw_encode",
    "alaw_to_ulaw",
    "decode",
    "encode",
    "ulaw_decode",
    "ulaw_encode",
    "ulaw_to_alaw",
]

Samples: TypeAlias = NDArray[np.int16]
"""Linear 16-bit samples of one channel."""

ULAW_SILENCE: Final = 0xFF
"""The µ-law code of +0."""
ALAW_SILENCE: Final = 0xD5
"""The code of the smallest positive value, 8; A-law has no zero."""

SILENCE: Final = {Codec.PCMU: ULAW_SILENCE, Codec.PCMA: ALAW_SILENCE}

_ULAW_BIAS = 33
"""The offset of table 2: 14-bit decision values are 33 below powers of two."""


def _ulaw_value(code: int) -> int:
    """Decode one code: sign, 3 bits of segment, 4 bits of step, all inverted on the line."""
    code = ~code & 0xFF
    magnitude = ((2 * (code & 0x0F) + _ULAW_BIAS) << (code >> 4 & 7)) - _ULAW_BIAS
    return -4 * magnitude if code & 0x80 else 4 * magnitude


def _alaw_value(code: int) -> int:
    """Decode one code: even bits inverted on the line, sign 1 = positive."""
    code ^= 0x55
    segment, step = code >> 4 & 7, code & 0x0F
    magnitude = 2 * step + 1 if segment == 0 else (2 * step + 33) << (segment - 1)
    return 8 * magnitude if code & 0x80 else -8 * magnitude


def _bit_length(values: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.frexp(values)[1].astype(np.int32)


def _ulaw_codes() -> NDArray[np.uint8]:
    """Encode all samples by truncation to 14 bits, as ITU-T G.191 ``ulaw_compress`` does."""
    value = np.arange(0x10000, dtype=np.uint16).view(np.int16).astype(np.int32) >> 2
    magnitude = np.minimum(np.where(value < 0, ~value, value) + _ULAW_BIAS, 0x1FFF)
    segment = _bit_length(magnitude) - 6
    code = np.where(value < 0, 0x80, 0) | segment << 4 | magnitude >> (segment + 1) & 0x0F
    codes: NDArray[np.uint8] = (~code & 0xFF).astype(np.uint8)
    return codes


def _alaw_codes() -> NDArray[np.uint8]:
    """Encode all samples by truncation to 13 bits, as ITU-T G.191 ``alaw_compress`` does."""
    value = np.arange(0x10000, dtype=np.uint16).view(np.int16).astype(np.int32) >> 4
    magnitude = np.where(value < 0, ~value, value)
    segment = np.maximum(_bit_length(magnitude) - 4, 0)
    step = magnitude >> np.maximum(segment - 1, 0)
    code = np.where(value < 0, 0, 0x80) | segment << 4 | step & 0x0F
    codes: NDArray[np.uint8] = (code ^ 0x55).astype(np.uint8)
    return codes


ULAW_TO_LINEAR: Final[Samples] = np.array([_ulaw_value(code) for code in range(256)], np.int16)
ALAW_TO_LINEAR: Final[Samples] = np.array([_alaw_value(code) for code in range(256)], np.int16)
LINEAR_TO_ULAW: Final = _ulaw_codes()
"""Codes, indexed by the sample seen as an unsigned 16-bit number; so is the table below."""
LINEAR_TO_ALAW: Final = _alaw_codes()

_DECODE = {Codec.PCMU: ULAW_TO_LINEAR, Codec.PCMA: ALAW_TO_LINEAR}
_ENCODE = {Codec.PCMU: LINEAR_TO_ULAW, Codec.PCMA: LINEAR_TO_ALAW}

ULAW_TO_ALAW: Final = bytes(LINEAR_TO_ALAW[ULAW_TO_LINEAR.view(np.uint16)])
"""A table for :meth:`bytes.translate` that leads through the linear value; so is the one below."""
ALAW_TO_ULAW: Final = bytes(LINEAR_TO_ULAW[ALAW_TO_LINEAR.view(np.uint16)])


def decode(data: bytes | bytearray | memoryview, codec: Codec) -> Samples:
    """Decode octets of ``codec`` to a new array of linear samples."""
    return _DECODE[codec].take(np.frombuffer(data, np.uint8))


def encode(samples: Samples, codec: Codec) -> bytes:
    """Encode linear samples to octets of ``codec``."""
    contiguous = np.ascontiguousarray(samples, np.int16)
    return _ENCODE[codec].take(contiguous.view(np.uint16)).tobytes()


def ulaw_decode(data: bytes | bytearray | memoryview) -> Samples:
    """Decode µ-law octets to linear samples."""
    return decode(data, Codec.PCMU)


def ulaw_encode(samples: Samples) -> bytes:
    """Encode linear samples to µ-law octets."""
    return encode(samples, Codec.PCMU)


def alaw_decode(data: bytes | bytearray | memoryview) -> Samples:
    """Decode A-law octets to linear samples."""
    return decode(data, Codec.PCMA)


def alaw_encode(samples: Samples) -> bytes:
    """Encode linear samples to A-law octets."""
    return encode(samples, Codec.PCMA)


def ulaw_to_alaw(data: bytes) -> bytes:
    """Transcode µ-law octets to A-law by one table, without linear samples between."""
    return data.translate(ULAW_TO_ALAW)


def alaw_to_ulaw(data: bytes) -> bytes:
    """Transcode A-law octets to µ-law by one table, without linear samples between."""
    return data.translate(ALAW_TO_ULAW)
