"""G.711, tones and WAV files carry the sound that went in."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from pa_telephony.errors import DecodeError, LocalProtocolError
from pa_telephony.rtp import g711, tones, wav

EVERY_CODE = bytes(range(256))


def test_the_laws_begin_and_end_where_g711_says() -> None:
    """Recommendation G.711, tables 1 and 2, scaled to 16 bits."""
    assert g711.ulaw_decode(b"\x00\x80\xff\x7f").tolist() == [-32124, 32124, 0, 0]
    assert g711.alaw_decode(b"\x2a\xaa\xd5\x55").tolist() == [-32256, 32256, 8, -8]


@pytest.mark.parametrize(
    ("decode", "encode"),
    [(g711.ulaw_decode, g711.ulaw_encode), (g711.alaw_decode, g711.alaw_encode)],
)
def test_every_code_survives_decoding_and_encoding(decode, encode) -> None:  # type: ignore[no-untyped-def]
    again = encode(decode(EVERY_CODE))
    assert np.array_equal(decode(again), decode(EVERY_CODE))


def test_every_sample_is_coded_to_within_half_a_step() -> None:
    samples = np.arange(-32768, 32768).astype(np.int16)
    for encode, decode in (
        (g711.ulaw_encode, g711.ulaw_decode),
        (g711.alaw_encode, g711.alaw_decode),
    ):
        error = np.abs(decode(encode(samples)).astype(np.int32) - samples)
        assert np.all(error <= np.maximum(np.abs(samples.astype(np.int32)) // 16, 16) + 32)


def test_transcoding_is_decoding_and_encoding() -> None:
    straight = g711.alaw_decode(g711.ulaw_to_alaw(EVERY_CODE))
    around = g711.alaw_decode(g711.alaw_encode(g711.ulaw_decode(EVERY_CODE)))
    assert np.array_equal(straight, around)


def test_a_tone_has_its_frequency_and_nothing_else() -> None:
    samples = tones.sine(440.0, 1.0).samples.astype(np.float64)
    spectrum = np.abs(np.fft.rfft(samples))
    assert len(samples) == 8000
    assert int(np.argmax(spectrum)) == 440
    assert spectrum[440] ** 2 > 0.99 * (spectrum**2).sum()


@pytest.mark.parametrize("encoding", list(wav.Encoding))
def test_a_file_reads_back_as_written(tmp_path: Path, encoding: wav.Encoding) -> None:
    audio = tones.sine(600.0, 0.5)
    wav.write(tmp_path / "tone.wav", audio, encoding)
    again = wav.read(tmp_path / "tone.wav")
    assert again.rate == 8000
    correlation = np.corrcoef(audio.samples, again.samples)[0, 1]
    assert correlation > 0.999


@given(st.binary(max_size=120))
def test_garbage_is_no_wave_file(data: bytes) -> None:
    with contextlib.suppress(DecodeError):
        wav.parse(data)
    with contextlib.suppress(DecodeError):
        wav.parse(b"RIFF\x00\x00\x00\x00WAVE" + data)


def test_a_file_that_is_none_or_is_missing_is_named(tmp_path: Path) -> None:
    file = tmp_path / "menu.wav"
    with pytest.raises(LocalProtocolError, match=r"menu\.wav: No such file"):
        wav.read(file)
    file.write_bytes(b"MP3")
    with pytest.raises(DecodeError, match=r"not a RIFF WAVE file \(.*menu\.wav\)"):
        wav.read(file)


@given(st.data())
def test_a_file_cut_anywhere_reads_or_raises_decode_error(data: st.DataObject) -> None:
    whole = wav.build(tones.sine(440.0, 0.01))
    with contextlib.suppress(DecodeError):
        wav.parse(whole[: data.draw(st.integers(0, len(whole)))])
