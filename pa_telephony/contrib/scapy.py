"""SCCP and CTIQBE for scapy, made from the declarations; ``pip install 'pa-telephony[scapy]'``.

::

    from pa_telephony.contrib.scapy import SCCP, StartTone, bind

    bytes(SCCP(version=20) / StartTone(tone="INSIDE_DIAL_TONE"))
    bind()  # TCP port 2000 is SCCP from now on, 2748 CTIQBE; unbind() gives both back
    sniff(offline="calls.pcap", session=TCPSession)

There is a packet class for each SCCP message and struct, with the field names of
:mod:`pa_telephony.sccp.messages`; a name that scapy needs itself gets a ``_`` behind. Several
messages in a segment lie one behind the other. The layout follows the version word of the header,
which is all that a single packet tells; where the session is known to speak another version, set
``conf.contribs["SCCP"]["version"]``.

scapy is GPL-2.0-only. This is the only module that imports it, and nothing imports this one.
"""

# scapy's annotations are comments with gaps: strict checking would report its code, not ours.
# pyright: basic

from __future__ import annotations

import struct
from typing import Any, ClassVar

from scapy.config import conf
from scapy.fields import (
    ByteEnumField,
    ByteField,
    ConditionalField,
    Field,
    FieldLenField,
    FieldListField,
    LEIntEnumField,
    LEIntField,
    LEShortEnumField,
    LEShortField,
    LESignedIntField,
    MayEnd,
    MultipleTypeField,
    PacketField,
    PacketListField,
    StrField,
    StrLenField,
    XLEIntField,
)
from scapy.layers.inet import TCP
from scapy.packet import Packet, Padding, bind_layers, split_layers

from pa_telephony.cti import messages as cti_messages
from pa_telephony.sccp import messages as sccp_messages
from pa_telephony.sccp.layouts import older_layout
from pa_telephony.wire.declaration import Message, OpenIntEnum, Struct, fields_of
from pa_telephony.wire.framing import frame_size
from pa_telephony.wire.sequential import types as sequential

__all__ = ["CTIQBE", "SCCP", "bind", "unbind"]

_SCCP_PORT, _CTI_PORT = 2000, 2748
_NEWEST = 22
_ALONE = 20
"""Version of a message without a header, and of a header that is built."""
_LONGEST = 1 << 20
_MOST_IN_A_SEGMENT = 100
"""scapy goes from layer to layer by recursion; what is left is Padding, which TCPSession keeps."""

if "SCCP" not in conf.contribs:
    conf.contribs["SCCP"] = {"version": None}


def _version(packet: Any) -> int:
    """The layout that applies to a message or struct: its own, its header's, or the newest."""
    forced = conf.contribs["SCCP"]["version"]
    at = packet
    while at is not None:
        layout = getattr(at, "layout", None)
        if layout is not None:
            return int(layout)
        if isinstance(at, SCCP):
            return int(forced if forced is not None else min(at.version, _NEWEST))
        at = at.parent or at.underlayer
    return int(forced if forced is not None else _ALONE)


# Fields.


class _Wire(Field[Any, bytes]):
    """A value whose bytes the declaration itself reads and writes: texts and addresses."""

    __slots__ = ["wire"]

    def __init__(self, name: str, default: Any, wire: sequential.SequentialType) -> None:
        super().__init__(name, default)
        self.wire = wire

    def getfield(self, pkt: Any, s: Any) -> tuple[Any, Any]:
        try:
            value, end = self.wire.read(s, 0, _version(pkt), {})
        except sequential.Short:
            raise struct.error(f"{self.name} ends too early") from None
        return s[end:], value

    def addfield(self, pkt: Any, s: Any, val: Any) -> Any:
        if isinstance(val, bytes):
            val = val.decode("latin-1")
        return s + self.wire.write(val or "", _version(pkt), pkt)

    def i2repr(self, pkt: Any, x: Any) -> str:
        return repr(x)

    def i2len(self, pkt: Any, x: Any) -> int:
        return len(self.addfield(pkt, b"", x))


class _Slots:
    """A list or string that always takes ``room`` bytes, whatever is in it."""

    room: int | None

    def getfield(self, pkt: Any, s: Any) -> tuple[Any, Any]:
        if self.room is None:
            return super().getfield(pkt, s)  # type: ignore[misc,no-any-return]
        _, value = super().getfield(pkt, s[: self.room])  # type: ignore[misc]
        return s[self.room :], value

    def addfield(self, pkt: Any, s: Any, val: Any) -> Any:
        data = super().addfield(pkt, b"", val)  # type: ignore[misc]
        return s + data.ljust(self.room or 0, b"\0")


class _Structs(_Slots, PacketListField):
    __slots__ = ["room"]


class _Values(_Slots, FieldListField):
    __slots__ = ["room"]


class _Bytes(_Slots, StrLenField):
    __slots__ = ["room"]


class _Union(PacketField):
    """One of several structs; the value of another field tells which."""

    __slots__ = ["wire"]

    def __init__(self, name: str, wire: sequential.Union) -> None:
        super().__init__(name, None, Packet)
        self.wire = wire

    def _class(self, pkt: Any) -> type[Packet]:
        return _class_of(self.wire.arm(int(pkt.getfieldval(_python(self.wire.selector)) or 0)))

    def getfield(self, pkt: Any, s: Any) -> tuple[Any, Any]:
        if len(s) < self.wire.length:
            raise struct.error(f"{self.name} ends too early")
        inside = self._class(pkt)(s[: self.wire.length], _parent=pkt)
        return s[self.wire.length :], inside

    def addfield(self, pkt: Any, s: Any, val: Any) -> Any:
        if val is None:
            val = self._class(pkt)()
            val.parent = pkt
        return s + bytes(val).ljust(self.wire.length, b"\0")


_NUMBERS: dict[str, Any] = {
    "B": ByteField,
    "H": LEShortField,
    "I": LEIntField,
    "i": LESignedIntField,
}
_NAMED: dict[str, Any] = {"B": ByteEnumField, "H": LEShortEnumField, "I": LEIntEnumField}
_TAKEN = {*dir(Packet), *Packet.__all_slots__, "layout", "body_length", "trailing"}


def _python(name: str) -> str:
    """The name of a field; one that scapy needs for itself (``payload``, ``time``) gets a ``_``."""
    return f"{name}_" if name in _TAKEN else name


def _number(name: str, default: Any, wire: sequential.Number, python_type: Any) -> Any:
    named = isinstance(python_type, type) and issubclass(python_type, OpenIntEnum)
    if named and wire.letter in _NAMED:
        members: Any = python_type
        names = {int(member): member.name for member in members}
        return _NAMED[wire.letter](name, int(default or 0), names)
    return _NUMBERS[wire.letter](name, int(default or 0))


def _form(name: str, default: Any, wire: Any, python_type: Any, version: int) -> Any:
    """The scapy field of one wire type in one version."""
    match wire:
        case sequential.Number():
            return _number(name, default, wire, python_type)
        case sequential.Array():
            return _list(name, wire.element, wire.size(version), f"{name}_count")
        case sequential.Repeat():
            return _list(name, wire.element, wire.size(version), wire.times)
        case sequential.Data():
            count = f"{name}_count"
            made = _Bytes(name, b"", length_from=lambda pkt: pkt.getfieldval(count))
            made.room = wire.maximum if wire.slots else None
            return made
        case sequential.Union():
            return _Union(name, wire)
        case sequential.Rest():
            return StrField(name, default or b"")
        case _:
            return _Wire(name, default or "", wire)


def _list(name: str, element: Any, room: int | None, count: str | int) -> Any:
    def count_from(pkt: Any) -> int:
        return count if isinstance(count, int) else int(pkt.getfieldval(count))

    made: Any
    if isinstance(element, sequential.SequentialType):
        one = _form("value", None, element, int, _NEWEST)
        made = _Values(name, [], one, count_from=count_from)
    else:
        made = _Structs(name, [], _class_of(element), count_from=count_from)
    made.room = room
    return made


def _fields(declaration: type[Struct]) -> list[Any]:
    fields: list[Any] = []
    counts = sequential.counts_before(declaration, _NEWEST)
    owners = {id(sequential.present(f, _NEWEST)): f.name for f in fields_of(declaration)}
    for field in fields_of(declaration):
        if not field.required and fields:
            # A body may end here: what follows takes its default.
            last = fields.pop()
            fields.append(_may_end(last))
        for array in counts.get(field.name, ()):
            fields.append(_count(_python(owners[id(array)]), array))
        fields.append(_versions(field))
    return fields


def _may_end(field: Any) -> Any:
    if isinstance(field, ConditionalField):
        return ConditionalField(MayEnd(field.fld), field.cond)
    return MayEnd(field)


def _count(name: str, array: sequential.Array | sequential.Data) -> Any:
    letter = f"<{array.count.letter}"
    if isinstance(array, sequential.Data):
        return FieldLenField(f"{name}_count", None, fmt=letter, length_of=name)
    return FieldLenField(f"{name}_count", None, fmt=letter, count_of=name)


def _versions(field: Any) -> Any:
    """A field of all versions, with conditions where some lack it or have it in another form."""
    default = None if field.required else field.default
    name = _python(field.name)
    wire = field.type
    match wire:
        case sequential.When():
            since, until = wire.since, wire.until
            inside = _form(name, default, wire.type, field.python_type, _NEWEST)
            return ConditionalField(inside, lambda pkt: since <= _version(pkt) <= until)
        case sequential.Changed():
            since = wire.since
            newer, older = (
                _form(name, default, each, field.python_type, version)
                for each, version in ((wire.newer, _NEWEST), (wire.older, since - 1))
            )
            return MultipleTypeField([(newer, lambda pkt: _version(pkt) >= since)], older)
        case _:
            return _form(name, default, wire, field.python_type, _NEWEST)


# Packets.


class _Inside(Packet):
    """The packet class of a struct inside a message."""

    def extract_padding(self, s: Any) -> tuple[Any, Any]:
        return b"", s


class _Body(Packet):
    """The packet class of a message: the body of one frame."""

    __slots__ = ["body_length", "layout"]
    declaration: type[Struct]

    def pre_dissect(self, s: Any) -> Any:
        # A body that is too short for its version may have the layout of an older one.
        self.layout = None
        version = _version(self.underlayer)
        older = older_layout(self.declaration, bytes(s), version)
        self.layout = older if older != version else None
        return s

    def copy(self) -> Any:
        made = super().copy()
        made.layout = getattr(self, "layout", None)
        return made

    def post_build(self, pkt: Any, pay: Any) -> Any:
        pkt += bytes(-len(pkt) % 4)
        self.body_length = len(pkt)
        return pkt + pay

    @property
    def length_built(self) -> int:
        """How many bytes the body had when it was last built."""
        cached = self.raw_packet_cache
        return len(cached) if cached is not None else int(self.body_length)


class _Framed(Packet):
    """A protocol of frames that begin with their length less eight, any number in a segment."""

    def do_dissect_payload(self, s: Any) -> None:
        size = self.unread
        if s[:size]:
            super().do_dissect_payload(s[:size])
        else:
            self.dissect_nothing()
        rest = s[size:]
        last = self.lastlayer()
        for _ in range(_MOST_IN_A_SEGMENT):
            size = _frame_size(rest)
            if not 12 <= size <= len(rest):
                break
            frame = type(self)(rest[:size], _underlayer=last)
            last.add_payload(frame)
            last = frame.lastlayer()
            rest = rest[size:]
        if rest:
            last.add_payload(Padding(rest))

    @property
    def unread(self) -> int:
        """How many bytes of the frame lie behind the header's own fields."""
        raise NotImplementedError

    def dissect_nothing(self) -> None:
        """Dissect a frame that ends with its own fields; scapy asks no layer about no bytes."""

    @classmethod
    def tcp_reassemble(cls, data: bytes, metadata: Any, session: Any) -> Any:
        """What :class:`scapy.sessions.TCPSession` calls: a packet, or None for more bytes."""
        size = _frame_size(data)
        if size > _LONGEST:
            return Padding(data)
        return cls(data) if 12 <= size <= len(data) else None


def _frame_size(data: bytes) -> int:
    return frame_size(data) if len(data) >= 4 else 0


class SCCP(_Framed):
    """The header of a Skinny frame; ``length`` counts the message id and the body."""

    name = "SCCP"
    fields_desc: ClassVar[list[Any]] = [
        LEIntField("length", None),
        LEIntField("version", _ALONE),
        LEIntEnumField(
            "message_id",
            0,
            {number: each.__name__ for number, each in sccp_messages.SccpMessage.registry.items()},
        ),
    ]

    @property
    def unread(self) -> int:
        """How many bytes the body of the frame has."""
        return max(int(self.length) - 4, 0)

    def dissect_nothing(self) -> None:
        """Add the message of a frame without a body, as many messages have none."""
        guessed = self.guess_payload_class(b"")
        if issubclass(guessed, _Body) and not any(
            field.required for field in fields_of(guessed.declaration)
        ):
            made = guessed()
            made.raw_packet_cache, made.raw_packet_cache_fields = b"", {}
            self.add_payload(made)

    def post_build(self, pkt: Any, pay: Any) -> Any:
        """Fill in the length that was left out."""
        if self.length is None:
            body = self.payload
            size = body.length_built if isinstance(body, _Body) else len(pay)
            pkt = struct.pack("<I", size + 4) + pkt[4:]
        return pkt + pay


class CTIQBE(_Framed):
    """The header of a CTI message; its fixed and variable part stay bytes."""

    name = "CTIQBE"
    fields_desc: ClassVar[list[Any]] = [
        LEIntField("length", None),
        LEIntField("zero", 0),
        XLEIntField("magic", 0xFFFFDDDD),
        XLEIntField("version", 0x00110000),
        LEIntEnumField(
            "type",
            0,
            {number: each.__name__ for number, each in cti_messages.CtiMessage.registry.items()},
        ),
        LEIntField("start", 32),
        LEIntField("fixed", 0),
        LEIntField("variable", 0),
        StrLenField("body", b"", length_from=lambda pkt: max(pkt.length - 24, 0)),
    ]

    @property
    def unread(self) -> int:
        """How many bytes lie behind the fields: none, as the body is a field."""
        return 0

    def post_build(self, pkt: Any, pay: Any) -> Any:
        """Fill in the length that was left out."""
        if self.length is None:
            pkt = struct.pack("<I", len(pkt) - 8) + pkt[4:]
        return pkt + pay


_METACLASS: Any = type(Packet)
_classes: dict[type[Struct], type[Packet]] = {}


def _class_of(declaration: type[Struct]) -> type[Packet]:
    """The packet class of a message or struct."""
    if declaration not in _classes:
        fields = _fields(declaration)
        base: type[Packet] = _Inside
        if issubclass(declaration, Message):
            base = _Body
            if fields:
                fields.append(_may_end(fields.pop()))
            fields.append(StrField("trailing", b""))
        _classes[declaration] = _METACLASS(
            declaration.__name__,
            (base,),
            {
                "__module__": __name__,
                "__doc__": declaration.__doc__,
                "name": f"SCCP {declaration.__name__}",
                "fields_desc": fields,
                "declaration": declaration,
            },
        )
    return _classes[declaration]


for _number_of, _declared in sccp_messages.SccpMessage.registry.items():
    bind_layers(SCCP, _class_of(_declared), message_id=_number_of)


def __getattr__(name: str) -> type[Packet]:
    """Packet classes under the names of their declarations."""
    for declaration, made in _classes.items():
        if declaration.__name__ == name:
            return made
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def bind(sccp_port: int = _SCCP_PORT, cti_port: int = _CTI_PORT) -> None:
    """Dissect TCP on these ports as SCCP and CTIQBE, before what scapy has there (Skinny)."""
    unbind()
    known = list(TCP.payload_guess)
    for own, port in ((SCCP, sccp_port), (CTIQBE, cti_port)):
        for end in ("sport", "dport"):
            bind_layers(TCP, own, {end: port})
            _bound.append((own, end, port))
    # scapy takes the first layer that fits.
    TCP.payload_guess = [each for each in TCP.payload_guess if each not in known] + known


def unbind() -> None:
    """Undo :func:`bind`: give the ports back to what scapy had there."""
    while _bound:
        own, end, port = _bound.pop()
        split_layers(TCP, own, {end: port})


_bound: list[tuple[type[Packet], str, int]] = []
