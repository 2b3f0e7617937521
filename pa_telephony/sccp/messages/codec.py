"""Whole SCCP frames to bytes, and bodies to messages.

A frame is ``u32 data_length | u32 header_version | u32 message_id | body``, little endian;
data_length counts the message id and the body (captured).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pa_telephony.errors import DecodeError
from pa_telephony.sccp.layouts import codec_of, older_layout
from pa_telephony.sccp.messages.base import SccpMessage
from pa_telephony.wire.declaration import Struct, UnknownMessage, fields_of
from pa_telephony.wire.sequential.codec import HEADER, frame_of
from pa_telephony.wire.sequential.types import CString, size_of

if TYPE_CHECKING:
    from pa_telephony.wire.anatomy import Part

__all__ = ["HEADER", "as_construct", "decode", "encode", "likely_version", "parts_of"]

# Written with header version 0 whatever the session speaks: RegisterReq, Alarm, RegisterAck,
# KeepAliveAck, UnregisterAck, EnhancedAlarm (captured: CUCM, CME, 7970, IOS; the last but one
# chan-sccp).
_ALWAYS_BASIC = frozenset({0x0001, 0x0020, 0x0081, 0x0100, 0x0118, 0x015A})


_NEWEST = 22
_CHANGES = (0, 3, 11, 15, 16, 17, 18, 19, 21)
"""Versions that make some message longer."""
_PACKS = 17
"""From here on texts are packed in every capture, and below in none."""
_OF_CALL_MANAGER_2 = {0x008A: 36, 0x008B: 4}
"""Body lengths of the messages that have a layout of their own there (captured)."""


class _Decoders(dict[int, Callable[[bytes], Any]]):
    """What reads the bodies of a session version, by message number; filled with what is used."""

    def __init__(self, version: int) -> None:
        self._version = version

    def __missing__(self, number: int) -> Callable[[bytes], Any]:
        declaration = SccpMessage.registry.get(number)
        if declaration is None:
            # Not kept: a peer may invent any number.
            return lambda body: UnknownMessage(id=number, body=body)
        self[number] = codec_of(declaration, self._version).decode
        return self[number]


_decoders = {version: _Decoders(version) for version in range(256)}


def encode(
    message: SccpMessage | UnknownMessage, version: int, header_version: int | None = None
) -> bytes:
    """The whole frame of a message in the layout of session ``version`` (0..22).

    ``header_version`` is the second word; None takes what real equipment writes: 0 below
    version 10 and in registration, else the version. Raises :class:`LocalProtocolError` naming
    the field whose value does not fit.
    """
    asked: Any = message  # testing its type first would cost a tenth of all
    frame: Callable[..., bytes]
    try:
        frame = asked.framers[version]
    except (AttributeError, KeyError):
        frame = _framer(message, version)
    return frame(message) if header_version is None else frame(message, header_version)


def _framer(message: SccpMessage | UnknownMessage, version: int) -> Callable[..., bytes]:
    usual = 0 if version < 10 or message.id in _ALWAYS_BASIC else version
    if isinstance(message, UnknownMessage):
        number, body = message.id, message.body

        def unknown(_: UnknownMessage, word: int = usual) -> bytes:
            return frame_of(number, body, word)

        return unknown
    frame = message.framers[version] = codec_of(type(message), version).framer(usual)
    return frame


def decode(message_id: int, body: bytes, version: int) -> SccpMessage | UnknownMessage:
    """The message behind a header, in the layout of session ``version``.

    A number that nobody declared gives :class:`UnknownMessage`. A body that ends early says less:
    what is behind its end takes its default, or nothing of its type. A count beyond its limit
    raises :class:`DecodeError` with the offset in the frame.
    """
    try:
        message: SccpMessage | UnknownMessage = _decoders[version][message_id](body)
    except DecodeError as error:
        raise DecodeError(
            error.reason,
            message_id=message_id,
            path=error.path,
            offset=HEADER.size + error.offset,
        ) from None
    return message


def likely_version(frame: bytes) -> int:
    """The layout of a frame whose session is not known: a guess, for people.

    The second word of the header tells it where it is not 0. Where it is, that may be any session
    of real equipment below 10, or one of a peer that always writes 0 (Asterisk, FreeSWITCH, one
    CUCM to a conference bridge): then the length decides.
    """
    _, header_version, number = HEADER.unpack_from(frame)
    if header_version:
        return min(int(header_version), _NEWEST)
    length = len(frame) - HEADER.size
    declaration = SccpMessage.registry.get(number)
    own = _OF_CALL_MANAGER_2.get(number)
    if declaration is None or length == own:
        return 0
    if any(isinstance(field.type, CString) for field in fields_of(declaration)):
        return _PACKS
    for version in _CHANGES if own is None else _CHANGES[1:]:
        size = size_of(declaration, version)
        if size is None or length <= size + -size % 4:
            return version
    return _NEWEST


def as_construct(declaration: type[Struct], *, version: int) -> Any:
    """The body of a message, or a struct of one, as a ``construct.Struct``.

    For taking messages apart with other tools, slowly; it knows nothing of frames and of short
    bodies. ``as_construct(StartTone, version=20).build({"tone": "INSIDE_DIAL_TONE"})``.
    """
    from pa_telephony.wire.construct_form import sequential_form

    return sequential_form(declaration, version)


def parts_of(frame: bytes, version: int) -> list[Part]:
    """What each byte of a whole frame is, in the layout of session ``version``; for people.

    Never raises: what cannot be read is marked so.
    """
    from pa_telephony.wire.anatomy import Part, PartKind, sequential_parts

    if len(frame) < HEADER.size:
        return [Part(0, frame, "", PartKind.UNREADABLE)]
    length, header_version, message_id = HEADER.unpack_from(frame)
    header = {"data_length": length, "header_version": header_version, "message_id": message_id}
    parts = [
        Part(4 * place, frame[4 * place : 4 * place + 4], name, PartKind.HEADER, value)
        for place, (name, value) in enumerate(header.items())
    ]
    declaration = SccpMessage.registry.get(message_id)
    if declaration is None:
        rest = frame[HEADER.size :]
        return [*parts, Part(HEADER.size, rest, "", PartKind.TRAILING)] if rest else parts
    layout = older_layout(declaration, frame[HEADER.size :], version)
    return parts + sequential_parts(declaration, frame, HEADER.size, layout)
