"""What encoding and decoding cost: our generated code, code by hand, construct, dpkt, scapy.

python bench/codec.py

SCCP: the frames of a registration (7970 with CUCM 8.6) and of a call (the same cluster) as they
were captured, those whose messages baseline/ has by hand. Before anything is measured the code by
hand proves that it reads and writes the same as ours. CTIQBE: what an application is told and asks
for a call, from messages of Cisco's client; there is no other implementation to compare with, so
our interpreter of the declarations stands beside the code that is made from them. Addresses, texts
and the parameters of codecs repeat themselves, as they do in a real system; ours remembers some.

What is measured is CPU time of this process, so that others on the machine do not count. The ways
take turns of a millisecond, so that they meet the same machine; each figure is the least of a
round's turns. Ratios are of figures of one round, and their median is shown. The goals are at least
0.8 of the hand-written code's speed and 20 times construct's.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from baseline import calls, registration

from pa_telephony.cti import messages as cti_messages
from pa_telephony.cti.messages import CtiMessage
from pa_telephony.cti.messages.codec import HEADER
from pa_telephony.sccp import messages
from pa_telephony.wire.offset.types import Source, read_block, write_block

VERSION = 20
ROUNDS, TURNS, TURN = 7, 100, 0.001
HAND_GOAL, CONSTRUCT_GOAL = 0.8, 20.0
VECTORS = Path(__file__).parents[1] / "tests" / "vectors"
CAPTURES = ("collab_sccp_phone_register.pcapng", "collab_sccp_outbound_call.pcapng")
READERS = registration.READERS | calls.READERS

Way = Callable[[], object]


def seconds(work: Way, passes: int) -> float:
    """CPU time of one pass, from so many."""
    begun = time.process_time()
    for _ in range(passes):
        work()
    return (time.process_time() - begun) / passes


def measure(ways: dict[str, Way]) -> dict[str, list[float]]:
    """Seconds for a pass of each way, round by round."""
    # So many passes that reading the clock, a system call, does not count.
    passes = {name: max(1, int(TURN / seconds(work, 20))) for name, work in ways.items()}
    rounds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        turns: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(TURNS):
            for name, work in ways.items():
                turns[name].append(seconds(work, passes[name]))
        for name in ways:
            rounds[name].append(min(turns[name]))
    return rounds


def ratio(rounds: dict[str, list[float]], way: str) -> float:
    """How many times as long as ours another way takes."""
    return statistics.median(
        theirs / ours for ours, theirs in zip(rounds["ours"], rounds[way], strict=True)
    )


def plain(value: Any) -> Any:
    """Structs and tuples opened, enumerators as numbers: what two readings are compared by."""
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value) if field.name != "trailing"]
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    return int(value) if isinstance(value, int) else value


def same(ours: Any, theirs: Any) -> bool:
    """Whether a message by hand has our values, as far as version 20 has the fields."""
    here, there = plain(ours), plain(theirs)
    return all(here[name] == value for name, value in there.items())


def rebuilt(value: Any) -> Any:
    """A copy made with constructors."""
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
        return type(value)(**{name: rebuilt(getattr(value, name)) for name in names})
    return tuple(map(rebuilt, value)) if isinstance(value, tuple) else value


def sccp_frames() -> list[bytes]:
    frames = json.loads((VECTORS / "sccp-frames.json").read_text())["frames"]
    found = [bytes.fromhex(each["hex"]) for each in frames if each["capture"] in CAPTURES]
    return [frame for frame in found if number_of(frame) in READERS]


def number_of(frame: bytes) -> int:
    return int.from_bytes(frame[8:12], "little")


def report(title: str, rounds: dict[str, list[float]], count: int) -> None:
    print(f"\n{title}: {count} frames")
    print(f"{'':14}{'µs a frame':>12}{'x ours':>9}")
    for name, times in rounds.items():
        print(
            f"{name:14}{statistics.median(times) / count * 1e6:>12.2f}{ratio(rounds, name):>9.2f}"
        )


def sccp() -> list[tuple[str, float, float]]:
    """The ratios that have goals: what, found, wanted."""
    frames = sccp_frames()
    numbered = [(number_of(frame), frame) for frame in frames]
    ours = [messages.decode(number, frame[12:], VERSION) for number, frame in numbered]
    by_hand = [READERS[number](frame) for number, frame in numbered]
    for frame, one, other in zip(frames, ours, by_hand, strict=True):
        assert same(one, other), (one, other)
        assert messages.encode(one, VERSION) == other.write(), (one, frame.hex())
    forms = [messages.as_construct(type(each), version=VERSION) for each in ours]
    # construct knows no short bodies (RegisterReq is one): it gets them whole, as they are written.
    bodies = [message.write()[12:] for message in by_hand]
    containers = [form.parse(body) for form, body in zip(forms, bodies, strict=True)]

    # What is encoded has been made by a program, not decoded.
    made = [rebuilt(message) for message in ours]

    def decode_ours() -> None:
        decode = messages.decode
        for frame in frames:
            decode(int.from_bytes(frame[8:12], "little"), frame[12:], VERSION)

    def decode_by_hand() -> None:
        for frame in frames:
            READERS[int.from_bytes(frame[8:12], "little")](frame)

    def decode_construct() -> None:
        for form, body in zip(forms, bodies, strict=True):
            form.parse(body)

    def encode_ours() -> None:
        encode = messages.encode
        for message in made:
            encode(message, VERSION)

    def encode_by_hand() -> None:
        for message in by_hand:
            message.write()

    def encode_construct() -> None:
        for form, container in zip(forms, containers, strict=True):
            form.build(container)

    decoding: dict[str, Way] = {"ours": decode_ours, "by hand": decode_by_hand}
    decoded = measure(decoding | {"construct": decode_construct})
    encoding: dict[str, Way] = {"ours": encode_ours, "by hand": encode_by_hand}
    encoded = measure(encoding | {"construct": encode_construct})
    report("SCCP decode", decoded, len(frames))
    report("SCCP encode", encoded, len(frames))
    for name, library in (("dpkt", dpkt), ("scapy", scapy)):
        library(name, frames, decode_ours)
    return [
        ("SCCP decode, of the speed by hand", ratio(decoded, "by hand"), HAND_GOAL),
        ("SCCP encode, of the speed by hand", ratio(encoded, "by hand"), HAND_GOAL),
        ("SCCP decode, times construct's", ratio(decoded, "construct"), CONSTRUCT_GOAL),
        ("SCCP encode, times construct's", ratio(encoded, "construct"), CONSTRUCT_GOAL),
    ]


def compare(name: str, frames: Sequence[bytes], read: Callable[[bytes], object]) -> None:
    """Print another library's time beside ours, over the frames that it takes apart."""
    if not frames:
        print(f"{name}: takes none of them apart")
        return

    def theirs() -> None:
        for frame in frames:
            read(frame)

    def ours() -> None:
        for frame in frames:
            messages.decode(int.from_bytes(frame[8:12], "little"), frame[12:], VERSION)

    rounds = measure({"ours": ours, name: theirs})
    report(f"SCCP decode, what {name} takes apart", rounds, len(frames))


def dpkt(name: str, frames: Sequence[bytes], _: Way) -> None:
    try:
        reader = importlib.import_module("dpkt.sccp").SCCP
    except ImportError:
        print(f"\n{name}: not installed")
        return
    # A message that dpkt knows becomes an attribute named after its class.
    known = [frame for frame in frames if len(vars(reader(frame))) > len(vars(reader()))]
    compare(name, known, reader)


def scapy(name: str, frames: Sequence[bytes], _: Way) -> None:
    try:
        skinny = importlib.import_module("scapy.contrib.skinny")
    except ImportError:
        print(f"\n{name}: not installed")
        return

    def told(frame: bytes) -> bool:
        layer = skinny.Skinny(frame).payload
        return bool(layer.fields_desc) and type(layer).__name__ != "SkinnyMessageGeneric"

    compare(name, [frame for frame in frames if told(frame)], skinny.Skinny)


CTI = (
    "NewCallEvent",
    "CallStateChangedEventV2",
    "CallPartyInfoChangedEvent",
    "DeviceCallOpenLogicalChannelEvent",
    "LineCallInitiateRequest",
    "LineCallInitiateResponse",
    "CallAnswerRequest",
    "CallAnswerResponse",
    "CallRedirectRequest",
    "CallDisconnectRequest",
)


def cti() -> None:
    """Figures without a goal: nobody else's code speaks this."""
    vectors = json.loads((VECTORS / "ctiqbe.json").read_text())["messages"]
    chosen = [each for each in vectors if each["message"] in CTI]
    frames = [bytes.fromhex(each["hex"]) for each in chosen]
    sides = [each["to_server"] for each in chosen]
    decoded = [cti_messages.decode(frame) for frame in frames]
    made = [rebuilt(message) for message in decoded]
    kinds = [CtiMessage.registry[message.id] for message in decoded]
    for frame, message in zip(frames, decoded, strict=True):
        assert read_block(type(message), HEADER.size, fixed_of(frame), Source(frame)) == message

    def decode_ours() -> None:
        decode = cti_messages.decode
        for frame in frames:
            decode(frame)

    def decode_patiently() -> None:
        for frame, kind in zip(frames, kinds, strict=True):
            read_block(kind, HEADER.size, fixed_of(frame), Source(frame))

    def encode_ours() -> None:
        encode = cti_messages.encode
        for message, to_server in zip(made, sides, strict=True):
            encode(message, to_server=to_server)

    def encode_patiently() -> None:
        for message, to_server in zip(made, sides, strict=True):
            write_block(type(message), [message], HEADER.size, to_server)

    decoding: dict[str, Way] = {"ours": decode_ours, "interpreted": decode_patiently}
    encoding: dict[str, Way] = {"ours": encode_ours, "interpreted": encode_patiently}
    report("CTIQBE decode", measure(decoding), len(frames))
    report("CTIQBE encode", measure(encoding), len(frames))


def fixed_of(frame: bytes) -> int:
    return int.from_bytes(frame[24:28], "little")


def main() -> int:
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(
        f"CPU time, {ROUNDS} rounds, ways taking turns of {TURN * 1000:.0f} ms; load average {load}"
    )
    goals = sccp()
    cti()
    print()
    for what, found, wanted in goals:
        print(f"{what}: {found:.2f} (goal {wanted})")
    return 0 if all(found >= wanted for _, found, wanted in goals) else 1


if __name__ == "__main__":
    sys.exit(main())
