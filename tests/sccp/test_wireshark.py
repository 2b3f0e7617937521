"""Wireshark's dissector decodes what we encode, every field of every message in every version.

The values are random but seeded; all frames go through one run of tshark (4.0 of Debian 12 was
used to write this). A field counts as confirmed when the dissector shows one of the same name, at
the same offset, of the same size, with the same value. So no byte that we write stays undissected
but for what is filler by declaration: unused slots, padding, and what :data:`FAULTS` lists.
"""

from __future__ import annotations

import ipaddress
import random
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pa_telephony import pcap
from pa_telephony.sccp import messages
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.wire.declaration import Field, OpenIntEnum, fields_of
from pa_telephony.wire.sequential import types as wire

NUMBERS = sorted(SccpMessage.registry)
VERSIONS = (0, *range(3, 23))
SHOWN_AS = {12: 11, 13: 11, 14: 11}
"""The dissector refuses these words in the header; it is told the version before them."""
FILLS = {"empty": 0, "few": 3, "full": 10_000}
"""How many elements arrays get at most."""


# What the dissector says differently, and why that is not our fault -------------------------------


@dataclass(frozen=True)
class Fault:
    """Fields that the dissector does not confirm: where ``fields`` is empty, all ``but`` some."""

    reason: str
    messages: str
    fields: str = ""
    but: str = ""
    when: Callable[[Any, int, str], bool] = lambda message, version, fill: True
    elsewhere: bool = False
    """Whether it shows such fields, or others, where they are not."""

    def explains(self, name: str) -> bool:
        if not name:
            return self.elsewhere
        return name in self.fields.split() if self.fields else name not in self.but.split()


def names_of(*declarations: type[Any]) -> str:
    return " ".join(
        each.name
        for declaration in declarations
        for each in fields_of(declaration)
        if not isinstance(each.type, wire.Union)
    )


TAKEN_APART = range(100, 104)
"""Codecs of video whose parameters the dissector knows: H.261, H.263, Vieo, H.264."""


def other_than_video(message: Any, version: int, fill: str) -> bool:
    return message.compression_type not in TAKEN_APART


CAPABILITIES = "UpdateCapabilities CapabilitiesV2Res CapabilitiesV3Res"
MULTIMEDIA = "OpenMultiMediaReceiveChannel StartMultiMediaTransmission"
VIDEO_CHANNELS = [
    (name, "compression_type", FILLS[fill])
    for name in MULTIMEDIA.split()
    for fill in ("empty", "full")
]
BEHIND_PARAMETERS = (
    "algorithm_id key salt is_mki_present key_derivation_rate stream_pass_through_id "
    "associated_stream_id source_ip_addr source_port_number requested_ip_addr_type"
)

BEHIND_PICTURE_FORMATS = " ".join(
    ["conf_service_num"]
    + [
        each.name
        for declaration in (
            messages.H261Parameters,
            messages.H263Parameters,
            messages.H264Parameters,
            messages.VieoParameters,
        )
        for each in fields_of(declaration)[3:]
    ]
)
BEFORE_UNUSED_SLOTS = (
    "rtp_payload_format custom_picture_format audiocaps vid_caps data_caps "
    f"{names_of(messages.CustomPictureFormat)}"
)

FAULTS = [
    Fault(
        "numbers that the dissector does not know",
        "MediaPortList StartMediaReception StopMediaReception",
    ),
    Fault("the body is not dissected", "ButtonTemplateReq"),
    Fault(
        "shown only if the length word is above 12; it is 8",
        "UnregisterReq",
        "un_reg_reason_code",
    ),
    Fault(
        "shown only if the length word is above 16; it is 12",
        "FeatureStatReq",
        "feature_capabilities",
    ),
    Fault(
        "shown only if the length word is above 191; disputed: chan-sccp's 48 bytes make it 176",
        "RegisterReq",
        "config_version_stamp",
    ),
    Fault(
        "read as an address of another form",
        "RegisterTokenReq",
        "station_ip_addr station_ip_v6_addr unknown",
        elsewhere=True,
    ),
    Fault("a number here, shown as an address", "SPCPRegisterTokenReq", "station_ip_addr"),
    Fault("byte 33 is not dissected; captured", "DisplayText RegisterReject", "text"),
    Fault(
        "the strings are not dissected",
        "ServiceURLStatV2Res",
        "service_url service_url_display_name",
    ),
    Fault("only the lower 16 bits have names", "SelectSoftKeys", "valid_key_mask"),
    Fault("only the lower 4 bits have names", "LineStatV2Res", "line_type"),
    Fault(
        "disputed: one string instead of words and text",
        "AddOnDeviceCapabilities",
        "unknown text",
        elsewhere=True,
    ),
    Fault(
        "unused slots are passed over with a wrong size: all that follows is shifted",
        CAPABILITIES,
        but=BEFORE_UNUSED_SLOTS,
        when=lambda message, version, fill: fill != "full",
        elsewhere=True,
    ),
    Fault(
        "reads ip_addressing_mode twice from version 16: the video slots are shifted",
        "CapabilitiesV3Res",
        names_of(
            messages.CapabilitiesV3ResVideoCapability,
            messages.LevelPreference,
            messages.H261VideoCapability,
            messages.H263VideoCapability,
            messages.H264VideoCapability,
            messages.VieoVideoCapability,
            messages.CapabilitiesV3ResDataCapability,
        ),
        when=lambda message, version, fill: version >= 16,
        elsewhere=True,
    ),
    Fault(
        "the slot of the parameters has another size for each kind; right for most video",
        MULTIMEDIA,
        BEHIND_PARAMETERS,
        when=other_than_video,
        elsewhere=True,
    ),
    Fault(
        "does not pass over the slots of picture formats if all are unused",
        MULTIMEDIA,
        f"{BEHIND_PICTURE_FORMATS} {BEHIND_PARAMETERS}",
        when=lambda message, version, fill: not getattr(message.capability, "picture_format", True),
        elsewhere=True,
    ),
    Fault(
        "has no layout for these video codecs",
        MULTIMEDIA,
        "capability",
    ),
    Fault(
        "CallManager 2.x has another layout (captured), which the dissector does not know",
        "StartMediaTransmission StopMediaTransmission",
        when=lambda message, version, fill: version == 0,
        elsewhere=True,
    ),
]

RENAMED = {
    "MwiNotification": {
        "mwi_notification_num_new_msgs": "num_new_msgs",
        "mwi_notification_num_old_msgs": "num_old_msgs",
        "mwi_notification_num_new_msgs_2": "num_new_msgs",
        "mwi_notification_num_old_msgs_2": "num_old_msgs",
        "mwi_notification_num_new_msgs_3": "num_new_msgs",
        "mwi_notification_num_old_msgs_3": "num_old_msgs",
    },
    # Named by chan-sccp; the dissector numbers what it does not know.
    "AddOnDeviceCapabilities": {
        "instance": "unknown1_0159",
        "type": "unknown2_0159",
        "max_allowed": "unknown3_0159",
    },
}
"""Fields whose name is not the dissector's in snake case."""


# Random valid messages ----------------------------------------------------------------------------

RANGES = {"B": (0, 0xFF), "H": (0, 0xFFFF), "I": (0, 0xFFFFFFFF), "i": (-(1 << 31), (1 << 31) - 1)}
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class Values:
    """Makes messages. Enumerators are known ones, texts are never empty and plain ASCII."""

    def __init__(self, name: str, version: int, fill: str) -> None:
        self.random = random.Random(f"{name} {version} {fill}")
        self.version = version
        self.most = FILLS[fill]

    def struct(self, declaration: Any) -> Any:
        values: dict[str, Any] = {}
        for each in fields_of(declaration):
            form = wire.present(each, self.version)
            if isinstance(form, wire.Union):
                values[each.name] = self.struct(form.arm(values[form.selector]))
            elif form is not None:
                values[each.name] = self.field(declaration, each, form)
        self.agree(declaration, values)
        return declaration(**values)

    def field(self, declaration: Any, each: Field, form: wire.SequentialType) -> Any:
        python = each.python_type
        if not (isinstance(python, type) and issubclass(python, OpenIntEnum)):
            return self.plain(form)
        if (declaration.__name__, each.name, self.most) in VIDEO_CHANNELS:
            return python(self.random.choice(TAKEN_APART))
        for other in fields_of(declaration):
            union = wire.present(other, self.version)
            if isinstance(union, wire.Union) and union.selector == each.name:
                # The dissector does not pass over a slot whose kind it does not know.
                known = {number for numbers, _ in union.arms for number in numbers}
                if not fields_of(union.otherwise):
                    return self.random.choice([member for member in python if member in known])
        return self.random.choice(list(python))

    def agree(self, declaration: Any, values: dict[str, Any]) -> None:
        """Where the dissector looks at another field than the one that counts."""
        for name in values:
            if name.startswith("total_") and "definition" in values:
                # It takes the total for the number of entries in this frame.
                values[name] = len(values["definition"])
        if declaration.__name__ in MULTIMEDIA.split():
            # It compares the RTP payload type with the numbers of codecs.
            values["payload_type"] = int(values["compression_type"])

    def plain(self, form: Any) -> Any:
        pick = self.random
        match form:
            case wire.Number():
                return pick.randint(*RANGES[form.letter])
            case wire.Chars():
                return self.text(form.size(self.version) - 1)
            case wire.CString():
                return self.text(20)
            case wire.Data() if form.slots and not self.most:
                return b""
            case wire.Data():
                # Never empty: the dissector calls an XML text of no bytes malformed.
                return self.text(min(form.maximum, 40)).encode()
            case wire.Rest():
                return self.text(1).encode() + b"abc" * 2 + b"\0"
            case wire.IPv6():
                return str(ipaddress.IPv6Address(pick.getrandbits(128)))
            case wire.IPv4or6() if self.version >= 17 and pick.random() < 0.5:
                return str(ipaddress.IPv6Address(pick.getrandbits(128)))
            case wire.IPv4() | wire.IPv4or6():
                return str(ipaddress.IPv4Address(pick.getrandbits(32)))
            case wire.Mac():
                return pick.randbytes(6).hex(":")
            case wire.Repeat():
                return self.several(form.element, form.times)
            case wire.Array():
                most = min(form.maximum, self.most)
                return self.several(
                    form.element, most if most == form.maximum else pick.randint(0, most)
                )
            case _:
                raise TypeError(form)

    def several(self, element: Any, count: int) -> tuple[Any, ...]:
        make = self.plain if isinstance(element, wire.SequentialType) else self.struct
        return tuple(make(element) for _ in range(count))

    def text(self, most: int) -> str:
        return "".join(self.random.choices(LETTERS, k=self.random.randint(1, most)))


# Where each value lies ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Value:
    """A value of ours; ``name`` is None for what stands in no declaration (counts, families)."""

    name: str | None
    offset: int
    size: int
    value: Any
    of: str
    """The field that it belongs to."""
    packed: bool = False
    """The dissector leaves the NUL of a packed text away."""


def values_of(message: Any, version: int, at: int) -> Iterator[Value]:
    declaration = type(message)
    counts = wire.counts_before(declaration, version)
    names = {id(wire.present(each, version)): each.name for each in fields_of(declaration)}
    for each in fields_of(declaration):
        form = wire.present(each, version)
        if form is None:
            continue
        for array in counts.get(each.name, ()):
            size, of = array.count.size(version), names[id(array)]
            yield Value(None, at, size, len(getattr(message, of)), of)
            at += size
        value = getattr(message, each.name)
        yield from parts_of(each.name, form, value, version, at)
        at += len(form.write(value, version, message))


def parts_of(name: str, form: Any, value: Any, version: int, at: int) -> Iterator[Value]:
    match form:
        case wire.Union():
            yield from values_of(value, version, at)
        case wire.Array() | wire.Repeat() if isinstance(form.element, wire.SequentialType):
            size = form.element.size(version)
            yield from (Value(name, at + n * size, size, v, name) for n, v in enumerate(value))
        case wire.Array() | wire.Repeat():
            size = wire.size_of(form.element, version)
            for n, v in enumerate(value):
                yield from values_of(v, version, at + n * size)
        case wire.Data() if form.slots:
            yield from (Value(name, at + n, 1, byte, name) for n, byte in enumerate(value))
        case wire.Data():
            yield Value(name, at, len(value), value.decode(), name)
        case wire.CString():
            yield Value(name, at, len(value) + 1, value, name, packed=True)
        case wire.Rest():
            yield Value(name, at, len(value), value.decode().rstrip("\0"), name, packed=True)
        case wire.IPv4or6() if version >= 17:
            yield Value(None, at, 4, int(":" in value), name)
            yield Value(name, at + 4, 16 if ":" in value else 4, value, name)
        case wire.Mac():
            yield Value(name, at, 6, value, name)
        case _:
            yield Value(name, at, form.size(version), value, name)


# What the dissector says --------------------------------------------------------------------------


@dataclass
class Dissection:
    """What tshark shows of one frame; ``bits`` are words that it takes apart: value and mask."""

    malformed: bool = False
    shown: dict[tuple[int, str], tuple[int, str]] = field(default_factory=dict)
    bits: dict[int, tuple[int, int]] = field(default_factory=dict)
    words: dict[int, int] = field(default_factory=dict)
    """Sizes of what it takes apart."""

    def add(self, element: ET.Element, base: int) -> None:
        name, size = element.get("name", ""), int(element.get("size", 0))
        # xmlData repeats the text before it.
        if not name.startswith("skinny.") or name == "skinny.xmlData" or not size:
            return
        at = int(element.get("pos", 0)) - base
        single = re.match(r"([01. ]+) = ", element.get("showname", ""))
        if single:
            pattern = single[1].replace(" ", "")
            value, mask = self.bits.get(at, (0, 0))
            value |= int(pattern.replace(".", "0"), 2)
            mask |= int(pattern.replace("0", "1").replace(".", "0"), 2)
            self.bits[at] = value, mask
            self.words[at] = size
        else:
            name = re.sub(r"^skinny\.|\.ipv[46]$", "", name).replace(".", "_")
            self.shown.setdefault((at, snake(name)), (size, element.get("show", "")))


def snake(wire_name: str) -> str:
    """The rule that turns wire names into attribute names."""
    wire_name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", wire_name)
    return re.sub(r"(?<=[A-Z])(?=[A-Z][a-z])", "_", wire_name).lower()


def equal(value: Any, show: str) -> bool:
    if isinstance(value, int):
        # The dissector has no signed numbers.
        return bool(re.fullmatch(r"\d+|0x[0-9a-f]+", show)) and value % (1 << 32) == int(show, 0)
    try:
        return ipaddress.ip_address(value) == ipaddress.ip_address(show)
    except ValueError:
        return bool(value == show)


@dataclass(frozen=True)
class Case:
    message: Any
    version: int
    fill: str

    def frame(self) -> bytes:
        # The dissector takes the layout from the header, real equipment from the session.
        word = SHOWN_AS.get(self.version, self.version if self.version >= 10 else 0)
        return messages.encode(self.message, self.version, word)

    def differences(self, theirs: Dissection) -> Iterator[tuple[str, str]]:
        """The fields that are not confirmed, and how; an empty name is the frame as a whole."""
        if theirs.malformed:
            yield "", "malformed"
        left = dict(theirs.shown)
        renamed = RENAMED.get(type(self.message).__name__, {})
        for ours in values_of(self.message, self.version, 12):
            if ours.name is None:
                at = [key for key in left if key[0] == ours.offset]
                found = [left.pop(key) for key in at]
                if (ours.size, True) not in [(s, equal(ours.value, show)) for s, show in found]:
                    yield ours.of, f"count or family {ours.value} is {found}"
            elif ours.offset in theirs.bits:
                value, mask = theirs.bits[ours.offset]
                if ours.value & mask != value:
                    yield ours.of, f"{ours.value:#x} has bits {value:#x} of {mask:#x}"
                elif mask != (1 << 8 * ours.size) - 1:
                    yield ours.of, f"only bits {mask:#x}"
            else:
                name = renamed.get(ours.name, ours.name.rstrip("_"))
                size, show = left.pop((ours.offset, name), (0, ""))
                if size != ours.size and not (ours.packed and size == ours.size - 1):
                    yield ours.of, f"{ours.size} bytes at {ours.offset}, dissected {size}"
                elif not equal(ours.value, show):
                    yield ours.of, f"{ours.value!r} is {show!r}"
        yield from (("", f"shows {key} that is not there") for key in left if key[0] >= 12)
        yield from self.undissected(theirs)

    def undissected(self, theirs: Dissection) -> Iterator[tuple[str, str]]:
        """Bytes of ours that say something and that the dissector passes over."""
        seen = bytearray(self.frame())
        seen[:12] = bytes(12)
        for (at, _), (size, _) in theirs.shown.items():
            seen[at : at + size] = bytes(size)
        for at, size in theirs.words.items():
            seen[at : at + size] = bytes(size)
        for ours in values_of(self.message, self.version, 12):
            if any(seen[ours.offset : ours.offset + ours.size]):
                yield ours.of, f"undissected, {ours.size} bytes at {ours.offset}"
                seen[ours.offset : ours.offset + ours.size] = bytes(ours.size)
        if any(seen):
            yield "", f"undissected: {seen.hex()}"

    def fault(self, name: str) -> Fault | None:
        """The fault that explains a difference. Fields shown at wrong places go with shifts."""
        here = [
            fault
            for fault in FAULTS
            if type(self.message).__name__ in fault.messages.split()
            and fault.when(self.message, self.version, self.fill)
        ]
        return next((fault for fault in here if fault.explains(name)), None)


@pytest.fixture(scope="module")
def dissected(tmp_path_factory: pytest.TempPathFactory) -> dict[int, list[tuple[Case, Dissection]]]:
    if shutil.which("tshark") is None:
        pytest.skip("Wireshark's tshark is not installed: apt-get install tshark")
    cases = [
        Case(Values(declaration.__name__, version, fill).struct(declaration), version, fill)
        for declaration in map(SccpMessage.registry.__getitem__, NUMBERS)
        for version in VERSIONS
        for fill in FILLS
    ]
    path = tmp_path_factory.mktemp("wireshark")
    write_pcap(path / "all.pcap", [case.frame() for case in cases])
    with (path / "all.pdml").open("wb") as out:
        subprocess.run(
            ["tshark", "-r", path / "all.pcap", "-d", "tcp.port==2000,skinny", "-T", "pdml"],
            stdout=out,
            check=True,
        )
    found: dict[int, list[tuple[Case, Dissection]]] = {}
    for case, theirs in zip(cases, dissections(path / "all.pdml"), strict=True):
        found.setdefault(case.message.id, []).append((case, theirs))
    return found


def write_pcap(path: Path, frames: list[bytes]) -> None:
    """One frame a packet, each from another address, so that they do not look like one stream."""
    maker = pcap.PacketMaker()
    with path.open("wb") as out:
        out.write(pcap.file_header())
        for number, frame in enumerate(frames):
            station = (str(ipaddress.IPv4Address(0x0A010000 + number)), 50000)
            out.write(pcap.record(1.0, maker.tcp(station, ("10.0.0.1", 2000), frame)[-1]))


def dissections(path: Path) -> Iterator[Dissection]:
    for _, packet in ET.iterparse(path):
        if packet.tag != "packet":
            continue
        protocols = {proto.get("name"): proto for proto in packet.iter("proto")}
        dissection = Dissection(malformed="_ws.malformed" in protocols)
        skinny = protocols["skinny"]
        for element in skinny.iter("field"):
            dissection.add(element, int(skinny.get("pos", 0)))
        yield dissection
        packet.clear()


@pytest.mark.parametrize("number", NUMBERS, ids=lambda n: SccpMessage.registry[n].__name__)
def test_wireshark_decodes_every_field_to_the_value_given(
    number: int, dissected: dict[int, list[tuple[Case, Dissection]]]
) -> None:
    wrong = [
        (f"version {case.version}, {case.fill}", name, how)
        for case, theirs in dissected[number]
        for name, how in case.differences(theirs)
        if case.fault(name) is None
    ]
    assert wrong == []


def test_every_listed_fault_of_the_dissector_is_still_there(
    dissected: dict[int, list[tuple[Case, Dissection]]],
) -> None:
    """The list of exceptions is no longer than it must be: each fault explains a difference."""
    about = subprocess.run(["tshark", "--version"], capture_output=True, text=True, check=True)
    if "Wireshark) 4.0." not in about.stdout:
        return  # later ones may have mended some
    explained = {
        (id(fault), name)
        for all_of_one in dissected.values()
        for case, theirs in all_of_one
        for name, _ in case.differences(theirs)
        if (fault := case.fault(name))
    }
    idle = [
        (fault.messages, name)
        for fault in FAULTS
        for name in fault.fields.split()
        if (id(fault), name) not in explained
    ]
    assert idle == []
    assert {id(fault) for fault in FAULTS} == {number for number, _ in explained}
