"""Whole CTIQBE messages to bytes and back.

A message is a header of eight little-endian words, a fixed part and a variable part:
``length of what follows the first 8 bytes, 0, magic, version, type, 32, fixed bytes, variable
bytes`` (observed with Cisco's JTAPI client 11.5 and 15).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from pa_telephony.cti.messages.base import CtiMessage
from pa_telephony.errors import DecodeError, LocalProtocolError
from pa_telephony.wire.declaration import UnknownMessage
from pa_telephony.wire.offset.codec import read_message, write_message
from pa_telephony.wire.offset.types import fixed_size

if TYPE_CHECKING:
    from pa_telephony.wire.anatomy import Part

__all__ = [
    "HEADER",
    "MAGIC",
    "VERSION_11_5",
    "VERSION_15",
    "as_construct",
    "decode",
    "encode",
    "parts_of",
]

HEADER = struct.Struct("<8I")
MAGIC = 0xFFFFDDDD
VERSION_15 = 0x00110000
"""The version word of Cisco's client 15 (17.0)."""
VERSION_11_5 = 0x00100000
"""The version word of Cisco's client 11.5 (16.0)."""


def encode(
    message: CtiMessage | UnknownMessage, *, to_server: bool, version: int = VERSION_15
) -> bytes:
    """The whole message; ``to_server`` tells which of the two ways of writing strings is meant.

    Raises :class:`LocalProtocolError` naming the field whose value does not fit.
    """
    if isinstance(message, UnknownMessage):
        raise LocalProtocolError(
            f"type {message.id} has no declaration; Cisco's client fails on numbers without a class"
        )
    fixed = fixed_size(type(message))
    body = write_message(type(message), message, HEADER.size, to_server)
    total = HEADER.size + len(body)
    return (
        HEADER.pack(total - 8, 0, MAGIC, version, message.id, HEADER.size, fixed, len(body) - fixed)
        + body
    )


def decode(frame: bytes) -> CtiMessage | UnknownMessage:
    """The message in a whole frame, whichever side sent it.

    A number that nobody declared gives :class:`UnknownMessage`; everything that cannot be what
    the header says raises :class:`DecodeError`.
    """
    if len(frame) < HEADER.size:
        raise DecodeError(f"{len(frame)} bytes, at least {HEADER.size}")
    length, _, magic, _, number, start, fixed, variable = HEADER.unpack_from(frame)
    if magic != MAGIC:
        raise DecodeError(f"magic 0x{magic:08x}", offset=8)
    if length + 8 != len(frame):
        raise DecodeError(f"length word says {length + 8} bytes, there are {len(frame)}")
    if start + fixed > len(frame) or fixed + variable > len(frame):
        raise DecodeError("parts run beyond the message", message_id=number, offset=20)
    declaration = CtiMessage.registry.get(number)
    if declaration is None:
        return UnknownMessage(id=number, body=frame[HEADER.size :])
    try:
        message: CtiMessage = read_message(declaration, start, fixed, frame)
    except DecodeError as error:
        raise DecodeError(
            error.reason, message_id=number, path=error.path, offset=error.offset
        ) from None
    return message


def as_construct(declaration: type[CtiMessage], *, to_server: bool) -> Any:
    """A whole message as a ``construct.Struct``, its header the member ``header``.

    For taking messages apart with other tools, slowly. A string that is not there is None
    instead of :data:`~pa_telephony.wire.offset.types.NULL`.
    """
    from pa_telephony.wire.construct_form import offset_form

    return offset_form(declaration, to_server)


def parts_of(frame: bytes) -> list[Part]:
    """What each byte of a whole message is, in the order of the bytes; for people.

    Never raises: what cannot be read is marked so.
    """
    from pa_telephony.wire.anatomy import Part, PartKind, offset_parts

    if len(frame) < HEADER.size:
        return [Part(0, frame, "", PartKind.UNREADABLE)]
    words = HEADER.unpack_from(frame)
    names = ("length", "zero", "magic", "version", "type", "start", "fixed", "variable")
    parts = [
        Part(4 * place, frame[4 * place : 4 * place + 4], name, PartKind.HEADER, words[place])
        for place, name in enumerate(names)
    ]
    number, start, fixed = words[4:7]
    declaration = CtiMessage.registry.get(number)
    if declaration is None or start != HEADER.size or start + fixed > len(frame):
        kind = PartKind.TRAILING if declaration is None else PartKind.UNREADABLE
        rest = frame[HEADER.size :]
        return [*parts, Part(HEADER.size, rest, "", kind)] if rest else parts
    return parts + offset_parts(declaration, frame, start, fixed)
