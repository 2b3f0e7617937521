"""Mixes and endless sounds, without a network."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np

from pa_telephony.rtp import Audio, Port, Tone
from pa_telephony.rtp.mixer import Loop, Mixer


class _Hashable(SimpleNamespace):
    __hash__ = object.__hash__  # type: ignore[assignment]


def members(count: int) -> tuple[Mixer, list[Port]]:
    mixer = Mixer()
    found = [cast("Port", _Hashable(listeners=[], source=None)) for _ in range(count)]
    for port in found:
        mixer.join(port)
    return mixer, found


def say(port: Port, value: int) -> None:
    for listener in port.listeners:
        listener(np.full(160, value, np.int16))


def hears(port: Port) -> int:
    assert port.source is not None
    samples = port.source.read(160)
    assert samples.dtype == np.int16
    assert (samples == samples[0]).all()
    return int(samples[0])


def test_everybody_is_sent_the_sum_of_the_others() -> None:
    _, (one, two, three) = members(3)
    for tick in (1, 2):
        say(one, 100 * tick)
        say(two, 20 * tick)
        say(three, 3 * tick)
        assert [hears(port) for port in (one, two, three)] == [23 * tick, 103 * tick, 120 * tick]


def test_a_loud_mix_is_clipped_and_not_wrapped() -> None:
    _, (one, two, three) = members(3)
    for port in (one, two):
        say(port, 30000)
    say(three, -30000)
    assert (hears(three), hears(one)) == (32767, 0)


def test_who_left_is_heard_no_more_and_hears_nothing() -> None:
    mixer, (one, two, three) = members(3)
    for port in (one, two, three):
        say(port, 10)
    mixer.leave(two)
    mixer.leave(two)
    assert two.source is None
    assert two.listeners == []
    assert (hears(one), hears(three), len(mixer)) == (10, 10, 2)


def test_a_loop_begins_again_in_the_middle_of_a_frame() -> None:
    loop = Loop(Audio(np.arange(100, dtype=np.int16)))
    first = loop.read(160)
    assert first.tolist() == [*range(100), *range(60)]
    assert loop.read(160)[0] == 60


def test_a_loop_of_a_tone_goes_on_in_its_cadence_and_one_of_nothing_is_silence() -> None:
    tone = Tone((440,), cadence=(0.5, 0.5))
    loop = Loop(tone)
    pieces = np.concatenate([loop.read(160) for _ in range(100)])
    assert (pieces == tone.render(0, 16000)).all()
    assert not Loop(Audio(np.zeros(0, np.int16))).read(160).any()
