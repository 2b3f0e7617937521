"""The demo judges sound by content: a wrong sound, a missing piece or silence is noticed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from pa_telephony.cli.demo.checks import FRAME, RATE, Samples, find, tone_gaps
from pa_telephony.cli.demo.setting import greeting
from pa_telephony.rtp import g711, tones

rng = np.random.default_rng(7)


def tune(seconds: float = 2.0) -> Samples:
    """Something that is unlike itself at every other place."""
    at = np.arange(round(seconds * RATE)) / RATE
    wave: Samples = (9000 * np.sin(2 * np.pi * (300 + 350 * at) * at)).astype(np.int16)
    return wave


def companded(samples: Samples) -> Samples:
    return g711.ulaw_decode(g711.ulaw_encode(samples))


def test_a_sound_is_found_where_it_begins_in_spite_of_companding_and_volume() -> None:
    heard = np.concatenate(
        [np.zeros(1234, np.int16), companded(tune()) // 2, np.zeros(99, np.int16)]
    )
    match = find(tune(), heard)
    assert match.correlation > 0.99
    assert match.start == 1234 / RATE
    assert match.gaps == ()


def test_another_sound_does_not_match() -> None:
    noise = rng.integers(-9000, 9000, 3 * RATE).astype(np.int16)
    assert find(tune(), noise).correlation < 0.3
    assert find(tune(), np.zeros(RATE, np.int16)).correlation == 0


def test_missing_frames_are_gaps_where_they_are() -> None:
    heard = tune().copy()
    heard[30 * FRAME : 33 * FRAME] = 0
    (gap,) = find(tune(), heard).gaps
    assert (gap.frames, gap.start) == (3, pytest.approx(0.6))


GREETING = greeting().samples
FRAMES = len(GREETING) // FRAME


@given(st.sets(st.integers(0, FRAMES - 1), max_size=12))
def test_frames_of_the_greeting_that_never_came_are_counted(lost: set[int]) -> None:
    heard = companded(GREETING)
    for number in lost:
        heard[number * FRAME : (number + 1) * FRAME] = 0
    match = find(GREETING, np.concatenate([np.zeros(777, np.int16), heard]))
    assert match.missing == len(lost)
    assert match.correlation > 0.99


@given(st.dictionaries(st.integers(1, FRAMES - 1), st.integers(1, 9), max_size=4))
def test_pauses_of_a_player_that_stood_still_are_counted(pauses: dict[int, int]) -> None:
    pieces = [np.zeros(777, np.int16)]
    for number in range(FRAMES):
        pieces.append(np.zeros(pauses.get(number, 0) * FRAME, np.int16))
        pieces.append(companded(GREETING[number * FRAME : (number + 1) * FRAME]))
    match = find(GREETING, np.concatenate(pieces))
    assert match.missing == sum(pauses.values())
    assert match.correlation > 0.99
    assert match.start == 777 / RATE


def test_a_sound_cut_off_ends_in_a_gap() -> None:
    match = find(tune(), tune()[:RATE])
    assert sum(gap.frames for gap in match.gaps) == 50


def test_a_steady_tone_has_no_gaps() -> None:
    assert tone_gaps(440, companded(tones.sine(440, 3.0).samples)) == ()


def test_a_tone_that_is_not_there_is_none() -> None:
    assert tone_gaps(620, tones.sine(440, 1.0).samples) is None
    assert tone_gaps(440, np.zeros(RATE, np.int16)) is None


@given(st.integers(0, 40), st.integers(1, 20))
def test_gaps_in_a_tone_are_counted_in_frames(start: int, length: int) -> None:
    heard = tones.sine(440, 2.0).samples.copy()
    begin = (10 + start) * FRAME
    heard[begin : begin + length * FRAME] = 0
    gaps = tone_gaps(440, heard)
    assert gaps is not None
    assert [(gap.frames, round(gap.start * RATE)) for gap in gaps] == [(length, begin)]


def test_silence_around_a_tone_is_no_gap() -> None:
    quiet = np.zeros(RATE, np.int16)
    heard = np.concatenate([quiet, tones.sine(440, 1.0).samples, quiet])
    assert tone_gaps(440, heard) == ()
