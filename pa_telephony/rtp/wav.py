"""WAV files: PCM of 8 and 16 bits, µ-law and A-law, one or more channels.

The standard library's :mod:`wave` refuses the formats 6 and 7, which are what telephony uses.
A file is a RIFF chunk (little endian ``"RIFF" size "WAVE"``) of chunks ``id size data``, each
padded to an even size; ``"fmt "`` comes before ``data`` (Multimedia Programming Interface and Data
Specifications 1.0, IBM and Microsoft 1991). Every size in the file is checked against the bytes
that are there.
"""

from __future__ import annotations

import os
import struct
from enum import IntEnum
from pathlib import Path

import numpy as np

from pa_telephony.errors import DecodeError, LocalProtocolError
from pa_telephony.rtp import g711
from pa_telephony.rtp.audio import Audio
from pa_telephony.rtp.g711 import Samples
from pa_telephony.rtp.packet import Codec

__all__ = ["Encoding", "build", "parse", "read", "write"]

_EXTENSIBLE = 0xFFFE
_MAXIMUM_CHANNELS = 8
_MAXIMUM_RATE = 384_000
_STREAMED_SIZES = (0, 0xFFFFFFFF)
"""Sizes written by programs that pipe a WAV and cannot fill the size in afterwards."""


class Encoding(IntEnum):
    """Format tags of the ``"fmt "`` chunk that are understood."""

    PCM = 1
    ALAW = 6
    ULAW = 7


def read(path: str | os.PathLike[str]) -> Audio:
    """Read a file at its own rate; several channels are averaged into one.

    Raises :class:`DecodeError` when it is no WAV file of ours, :class:`LocalProtocolError` when
    it cannot be read.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise LocalProtocolError(f"{os.fspath(path)}: {error.strerror or error}") from error
    try:
        return parse(data)
    except DecodeError as error:
        reason = f"{error.reason} ({os.fspath(path)})"
        raise DecodeError(reason, path=error.path, offset=error.offset) from None


def write(
    path: str | os.PathLike[str], audio: Audio | Samples, encoding: Encoding = Encoding.PCM
) -> None:
    """Write 16-bit PCM, µ-law or A-law; bare samples are taken as 8000 per second."""
    try:
        Path(path).write_bytes(build(audio, encoding))
    except OSError as error:
        raise LocalProtocolError(f"{os.fspath(path)}: {error.strerror or error}") from error


def parse(data: bytes | bytearray | memoryview) -> Audio:
    """Read the bytes of a WAV file; raises :class:`DecodeError` for any other."""
    if len(data) < 12 or bytes(data[:4]) != b"RIFF" or bytes(data[8:12]) != b"WAVE":
        raise DecodeError("not a RIFF WAVE file", path="RIFF")
    offset = 12
    form: tuple[Encoding, int, int, int] | None = None
    while offset + 8 <= len(data):
        name = bytes(data[offset : offset + 4])
        (size,) = struct.unpack_from("<I", data, offset + 4)
        offset += 8
        remaining = len(data) - offset
        if name == b"data":
            if form is None:
                raise DecodeError("data before fmt", path="data", offset=offset)
            if size in _STREAMED_SIZES and remaining:
                size = remaining
            if size > remaining:
                raise DecodeError(
                    f"{size} octets claimed, {remaining} there", path="data", offset=offset
                )
            return _samples(bytes(data[offset : offset + size]), *form)
        if size > remaining:
            path = name.decode("ascii", "replace")
            raise DecodeError(f"{size} octets claimed, {remaining} there", path=path, offset=offset)
        if name == b"fmt ":
            form = _format(data[offset : offset + size], offset)
        offset += size + (size & 1)
    raise DecodeError("no data chunk", path="data", offset=len(data))


def _format(chunk: bytes | bytearray | memoryview, offset: int) -> tuple[Encoding, int, int, int]:
    """Check a ``"fmt "`` chunk; answer encoding, channels, rate and octets per sample."""
    if len(chunk) < 16:
        raise DecodeError(f"{len(chunk)} octets, at least 16", path="fmt", offset=offset)
    tag, channels, rate, _, align, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == _EXTENSIBLE:
        # WAVEFORMATEXTENSIBLE: the tag is the start of the GUID at octet 24.
        if len(chunk) < 26:
            raise DecodeError("extensible format cut short", path="fmt", offset=offset)
        (tag,) = struct.unpack_from("<H", chunk, 24)
    widths: dict[int, tuple[int, ...]] = {
        Encoding.PCM: (8, 16),
        Encoding.ALAW: (8,),
        Encoding.ULAW: (8,),
    }
    allowed = widths.get(tag)
    if allowed is None:
        raise DecodeError(f"format {tag}: only PCM, A-law and µ-law", path="fmt", offset=offset)
    if bits not in allowed:
        raise DecodeError(f"{bits} bits per sample", path="fmt.bits", offset=offset + 14)
    if not 1 <= channels <= _MAXIMUM_CHANNELS:
        raise DecodeError(f"{channels} channels", path="fmt.channels", offset=offset + 2)
    if not 1 <= rate <= _MAXIMUM_RATE:
        raise DecodeError(f"{rate} samples per second", path="fmt.rate", offset=offset + 4)
    if align != channels * bits // 8:
        raise DecodeError(f"block of {align} octets", path="fmt.align", offset=offset + 12)
    return Encoding(tag), channels, rate, bits // 8


def _samples(data: bytes, encoding: Encoding, channels: int, rate: int, width: int) -> Audio:
    data = data[: len(data) - len(data) % (channels * width)]
    samples: Samples
    if encoding is Encoding.ULAW:
        samples = g711.decode(data, Codec.PCMU)
    elif encoding is Encoding.ALAW:
        samples = g711.decode(data, Codec.PCMA)
    elif width == 2:
        samples = np.frombuffer(data, "<i2").astype(np.int16)
    else:
        # 8-bit PCM alone is unsigned, with 128 as zero.
        samples = (np.frombuffer(data, np.uint8).astype(np.int16) - 128) << 8
    if channels > 1:
        samples = samples.reshape(-1, channels).mean(axis=1).astype(np.int16)
    return Audio(samples, rate)


def build(audio: Audio | Samples, encoding: Encoding = Encoding.PCM) -> bytes:
    """The bytes of a file with one channel."""
    if not isinstance(audio, Audio):
        audio = Audio(audio)
    if encoding is Encoding.PCM:
        data, width = np.asarray(audio.samples, "<i2").tobytes(), 2
    else:
        codec = Codec.PCMU if encoding is Encoding.ULAW else Codec.PCMA
        data, width = g711.encode(audio.samples, codec), 1
    chunk = struct.pack("<HHIIHH", encoding, 1, audio.rate, audio.rate * width, width, width * 8)
    fact = b""
    if encoding is not Encoding.PCM:
        # Non-PCM formats carry the size of their (empty) extension and a fact chunk.
        chunk += struct.pack("<H", 0)
        fact = b"fact" + struct.pack("<II", 4, len(data))
    body = b"".join(
        (
            b"WAVEfmt ",
            struct.pack("<I", len(chunk)),
            chunk,
            fact,
            b"data",
            struct.pack("<I", len(data)),
            data,
            bytes(len(data) & 1),
        )
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body
