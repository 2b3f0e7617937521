"""What the hand-written messages share.

This is the code that one would write for these messages if speed were all and session version 20
the only layout: slotted dataclasses with positional arguments, a struct for each body and one for
each whole frame, tables instead of calls of enumerations, no checks. bench/codec.py compares our
generated code with it, and first makes sure that both read the same from every frame.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from socket import AF_INET6, inet_aton, inet_ntoa, inet_ntop, inet_pton

HEADER = struct.Struct("<3I")


@dataclass(slots=True)
class CodecParams:
    codec_mode: int
    dynamic_payload: int
    codec_param1: int
    codec_param2: int


def text(slot: bytes) -> str:
    return slot.split(b"\0", 1)[0].decode("latin-1")


def address(slot: bytes) -> str:
    return inet_ntop(AF_INET6, slot[4:]) if slot[0] else inet_ntoa(slot[4:8])


def packed(address: str) -> bytes:
    """An address in its slot; struct fills up what is short of 20 bytes."""
    if ":" in address:
        return b"\1\0\0\0" + inet_pton(AF_INET6, address)
    return b"\0\0\0\0" + inet_aton(address)
