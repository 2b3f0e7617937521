"""A million frames, mutated from the captured ones, through our station and our call manager.

python fuzz/mutate_sccp.py [FRAMES [SEED]]

Unlike the coverage-guided target beside it this needs nothing installed, repeats itself for a seed,
and stays close to real traffic: sessions begin with a good registration, most frames keep their
length, and go on until one ends the session with a typed error. Anything else that is raised ends
the run; the seed of its session is printed. ``tests/test_fuzz_targets.py`` runs a small part.
"""

from __future__ import annotations

import json
import random
import struct
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import fuzz_sccp

from pa_telephony.sccp import messages
from pa_telephony.sccp.messages import SccpMessage, Sender

VECTORS = Path(__file__).parents[1] / "tests" / "vectors" / "sccp-frames.json"
SESSION = 40
"""Frames at most in one session."""
_EDGES = (0, 1, 0x7F, 0x80, 0xFE, 0xFF)
_WORDS = (0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def corpus(sender: Sender) -> dict[int, list[bytes]]:
    """The captured frames of one side by session version, each once."""
    found: dict[int, list[bytes]] = {}
    for each in json.loads(VECTORS.read_text())["frames"]:
        frame = bytes.fromhex(each["hex"])
        kind = SccpMessage.registry[int.from_bytes(frame[8:12], "little")]
        assert issubclass(kind, SccpMessage)
        if kind.sender in (sender, Sender.EITHER):
            found.setdefault(each["version"], []).append(frame)
    return found


def mutated(frame: bytes, others: list[bytes], dice: random.Random) -> bytes:
    """Another frame: octets, words, tail or number changed, the length made true nine times in ten.

    One in ten stays as it is.
    """
    data = bytearray(frame)
    for _ in range(dice.choice((0, 1, 1, 1, 2, 4, 8))):
        place = dice.randrange(8, len(data))
        match dice.randrange(7):
            case 0:
                data[place] ^= 1 << dice.randrange(8)
            case 1:
                data[place] = dice.choice(_EDGES)
            case 2:
                start = min(8 + (place - 8) // 4 * 4, len(data) - 4)
                data[start : start + 4] = struct.pack("<I", dice.choice(_WORDS))
            case 3:
                del data[max(12, place) :]
            case 4:
                data += bytes(dice.choices(_EDGES, k=dice.randrange(1, 64)))
            case 5:
                other = dice.choice(others)
                data[12:] = data[12:place] + other[12 : dice.randrange(12, len(other) + 1)]
            case _:
                data[8:12] = dice.choice(others)[8:12]
    if dice.random() < 0.9:
        data[:4] = struct.pack("<I", len(data) - 8)
    else:
        data[dice.randrange(4)] = dice.choice(_EDGES)
    return bytes(data)


class Run:
    """Sessions of one side, counted frame by frame as they are taken."""

    def __init__(self, sender: Sender) -> None:
        self.frames = 0
        self.sessions = 0
        self.slowest = 0.0
        self._corpus = corpus(sender)
        self._versions = sorted(self._corpus)
        self._hello: Callable[[int], SccpMessage] = {
            Sender.STATION: lambda version: messages.RegisterReq(
                device_name=fuzz_sccp.NAME, protocol_ver=version
            ),
            Sender.CALL_MANAGER: lambda version: messages.RegisterAck(
                keep_alive_interval=30, max_protocol_ver=version
            ),
        }[sender]
        self._drive = {
            Sender.STATION: fuzz_sccp.drive_registrar,
            Sender.CALL_MANAGER: fuzz_sccp.drive_station,
        }[sender]

    def session(self, seed: str) -> None:
        """One session; raises what must not be raised."""
        begun = time.perf_counter()
        self._drive(self._stream(random.Random(seed)))
        self.slowest = max(self.slowest, time.perf_counter() - begun)
        self.sessions += 1

    def _stream(self, dice: random.Random) -> Iterator[bytes]:
        version = dice.choice(self._versions)
        frames = self._corpus[version]
        yield messages.encode(self._hello(version), version)
        for _ in range(SESSION):
            self.frames += 1
            yield mutated(dice.choice(frames), frames, dice)


def run(frames: int, seed: int, told: Callable[[str], object] = print) -> None:
    """So many frames at each side."""
    for sender in (Sender.STATION, Sender.CALL_MANAGER):
        side = Run(sender)
        begun = time.perf_counter()
        while side.frames < frames:
            name = f"{seed} {sender.value} {side.sessions}"
            try:
                side.session(name)
            except BaseException:
                told(f"the session of seed {name!r} failed")
                raise
        told(
            f"{side.frames} frames from the {sender.value} in {side.sessions} sessions: "
            f"{time.perf_counter() - begun:.0f} s, the slowest session {side.slowest * 1000:.0f} ms"
        )


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:]]
    run(*(numbers + [500_000, 1][len(numbers) :]))
