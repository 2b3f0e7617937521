"""Write docs/reference/ from the declarations: messages, enumerations, real frames, state tables.

Run as ``python docs/generate.py`` (``make docs``); a test holds that what is committed is what this
writes. Evidence comes from the docstrings of the messages and, for CTI, from tests/vectors.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

sys.path.insert(0, str(Path(__file__).parent))

import frames
import public_names
from sessions import sessions
from state_tables import states
from tables import table

from pa_telephony.admin.api.description import description
from pa_telephony.admin.api.operations import BASE, OPERATIONS
from pa_telephony.admin.roles import TABLE, Role
from pa_telephony.cti import enums as cti_enums
from pa_telephony.cti.messages import CtiMessage
from pa_telephony.sccp import enums as sccp_enums
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.server.decisions import decision, of_stations
from pa_telephony.sccp.server.registrar import State
from pa_telephony.wire.declaration import Field, OpenIntEnum, OpenIntFlag, Struct, fields_of
from pa_telephony.wire.offset import types as offset
from pa_telephony.wire.sequential import types as sequential

ROOT = Path(__file__).parent
NOTE = "<!-- Written by docs/generate.py from the declarations; edit those. -->"


def pages() -> dict[str, str]:
    """All pages: path under docs/reference to text."""
    found = {
        "sccp/README.md": sccp_index(),
        "cti/README.md": cti_index(),
        "sccp/enumerations.md": enumerations("SCCP", sccp_enums),
        "cti/enumerations.md": enumerations("CTIQBE", cti_enums),
        "sccp/sessions.md": sessions(),
        "sccp/decisions.md": decisions(),
        "sccp/frames.md": frames.sccp(),
        "cti/frames.md": frames.cti(),
        "states.md": states(),
        "api.md": api(),
    }
    for protocol, registry in (("sccp", SccpMessage.registry), ("cti", CtiMessage.registry)):
        for module in {declaration.__module__ for declaration in registry.values()}:
            found[f"{protocol}/{page_of(module)}"] = family(protocol, sys.modules[module])
    structs = sys.modules["pa_telephony.cti.messages.structs"]
    found["cti/structs.md"] = family("cti", structs)
    return {path: f"{NOTE}\n\n{text.rstrip()}\n" for path, text in sorted(found.items())}


def page_of(module: str) -> str:
    return module.rpartition(".")[2] + ".md"


def anchor(declaration: type[Any]) -> str:
    return declaration.__name__.lower()


def link(declaration: type[Any]) -> str:
    """A link to a struct or a message from another page of the same protocol."""
    return f"[{declaration.__name__}]({page_of(declaration.__module__)}#{anchor(declaration)})"


# What is known of each message --------------------------------------------------------------------


def evidence(declaration: type[Any]) -> str:
    """The word of the docstring of an SCCP message: captured, or made up from other sources."""
    frames = re.search(r"captured, (\d+) frame", declaration.__doc__ or "")
    return f"captured, {frames[1]}" if frames else "synthesised only"


def disputed(declaration: type[Any]) -> str:
    return "disputed" if "Disputed:" in (declaration.__doc__ or "") else ""


def sccp_index() -> str:
    registry = SccpMessage.registry
    captured = sum("captured," in evidence(each) for each in registry.values())
    rows = [
        (f"0x{number:04X}", link(each), each.sender.value, evidence(each), disputed(each))
        for number, each in sorted(registry.items())
    ]
    return "\n\n".join(
        [
            "# SCCP messages",
            f"{len(registry)} messages, {captured} of them captured from real equipment (with the "
            "number of frames), the others synthesised: known from public descriptions only. What "
            "we write for all of them, in every session version, is held against Wireshark's "
            "dissector by `tests/sccp/test_wireshark.py`, and what we read of the captured ones by "
            "`tests/sccp/test_vectors.py`; both list where the dissector is wrong. Disputed: "
            "sources disagree on the layout; the page of the message says how.",
            "See also all [enumerations](enumerations.md), and what our two sides say otherwise "
            "than captured equipment in [whole sessions](sessions.md), and [what becomes of each "
            "message](decisions.md) of a station.",
            table(("number", "message", "from", "evidence", "layout"), rows),
        ]
    )


def cti_index() -> str:
    vectors = json.loads((ROOT.parent / "tests/vectors/ctiqbe.json").read_text())["messages"]
    recorded = {vector["message"].replace("_", "") for vector in vectors}
    rows = [
        (
            number,
            link(each),
            each.kind.value,
            "recorded" if each.__name__ in recorded else "",
        )
        for number, each in sorted(CtiMessage.registry.items())
    ]
    return "\n\n".join(
        [
            "# CTIQBE messages",
            f"{len(rows)} messages of Cisco's JTAPI client 11.5 and 15. Recorded: the client wrote "
            "it, or accepted it from a server, and the bytes are in `tests/vectors/ctiqbe.json`.",
            "See also all [structs](structs.md) and all [enumerations](enumerations.md).",
            table(("number", "message", "kind", "evidence"), rows),
        ]
    )


def decisions() -> str:
    """What becomes of each message of stations, in the states that read one."""
    rows = [
        (
            f"0x{each.id:04X}",
            link(each),
            str(decision(each, State.CONNECTED)),
            str(decision(each, State.REGISTERED)),
        )
        for each in of_stations()
    ]
    return "\n\n".join(
        [
            "# SCCP: what becomes of each message of a station",
            "Every message that a station may send is answered, acted on, relayed, or passed over "
            "for the reason given. `tests/sccp/test_decisions.py` walks the catalogue, and "
            "`pa-telephony explain 0x8000` prints a row. A connection that stands by is not "
            "registered, either; while the owner has a question to answer (ASKING, LEAVING) "
            "nothing is read. A number that nobody declared, and a message for the station to "
            "receive, are passed over and counted in every state.",
            table(("number", "message", "before the registration", "registered"), rows),
        ]
    )


# One family of messages ---------------------------------------------------------------------------


def family(protocol: str, module: ModuleType) -> str:
    title = (module.__doc__ or "").partition("\n")[0].rstrip(".")
    declared = [
        each
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, Struct)
        and each.__module__ == module.__name__
        and not each.__name__.startswith("_")
    ]
    parts = [f"# {protocol.upper()}: {title}", "[All messages](README.md)"]
    declared.sort(key=lambda each: getattr(each, "id", 1 << 16))
    for each in declared:
        number = f"0x{each.id:04X}. " if protocol == "sccp" and hasattr(each, "id") else ""
        parts += [f"## {each.__name__}", number + prose(each), fields(protocol, each)]
    return "\n\n".join(parts)


def prose(declaration: type[Any]) -> str:
    text = re.sub(r"\n +", "\n", declaration.__doc__ or "").strip()
    return re.sub(r"^Disputed:", "**Disputed:**", text, flags=re.MULTILINE)


def fields(protocol: str, declaration: type[Struct]) -> str:
    known = fields_of(declaration)
    if not known:
        return "No fields."
    if protocol == "cti":
        rows = [(f"`{each.name}`", kind(each, each.type), default(each)) for each in known]
        return table(("field", "type", "default"), rows)
    return table(
        ("field", "type", "versions", "default"),
        [
            (f"`{each.name}`", kind(each, each.type), versions(each), default(each))
            for each in known
        ],
    )


def versions(field: Field) -> str:
    match field.type:
        case sequential.When(since=since, until=255):
            return f"from {since}"
        case sequential.When(since=since, until=until):
            return f"{since} to {until}" if since else f"up to {until}"
        case _:
            return "all"


def default(field: Field) -> str:
    if field.required:
        return "required"
    value = field.default
    if isinstance(value, OpenIntFlag):
        return str(int(value))
    if isinstance(value, OpenIntEnum):
        return value.name if value in type(value) else str(int(value))
    if dataclasses.is_dataclass(value):
        return f"`{type(value).__name__}()`"
    if isinstance(value, tuple) and value:
        return "zeros"
    return "" if value in ("", b"", ()) else f"{value}"


NUMBERS = {"B": "u8", "H": "u16", "I": "u32", "i": "i32"}


def kind(field: Field | None, form: Any) -> str:
    """A wire type in words; ``field`` tells the enumeration of a number."""
    match form:
        case sequential.When():
            return kind(field, form.type)
        case sequential.Changed():
            return f"{kind(field, form.older)}; from {form.since} {kind(field, form.newer)}"
        case sequential.Number():
            return enumerated(field, NUMBERS[form.letter])
        case offset.Int():
            return enumerated(field, "i32")
        case sequential.DirectoryNumber():
            return "text, 24 bytes; from 18 25 bytes"
        case sequential.Chars():
            return f"text, {form.length} bytes"
        case sequential.Array() | sequential.Data():
            return counted(field, form)
        case sequential.Repeat():
            return f"{form.times} {element(form.element)}"
        case sequential.Union():
            arms = [f"{span(numbers)} {link(arm)}" for numbers, arm in form.arms]
            return f"by `{form.selector}`: {', '.join(arms)}, else {link(form.otherwise)}"
        case offset.Nested():
            return link(form.struct)
        case offset.Structs():
            return f"several {link(form.struct)}"
        case _:
            return PLAIN[type(form)]


PLAIN: dict[type[Any], str] = {
    sequential.CString: "text up to NUL, packed",
    sequential.Rest: "bytes to the end",
    sequential.IPv4: "IPv4 address",
    sequential.IPv6: "IPv6 address",
    sequential.IPv4or6: "IPv4 address, 4 bytes; from 17 IPv4 or IPv6, 20 bytes",
    sequential.Mac: "MAC address, 12 bytes",
    offset.Bool: "truth value",
    offset.String: "text, 8 bit",
    offset.UString: "text, UTF-16",
    offset.Bytes: "bytes",
    offset.HandleWords: "handle, two u32",
    offset.Ints: "several i32",
    offset.Handles: "several handles",
}


def enumerated(field: Field | None, number: str) -> str:
    python = field.python_type if field else None
    if isinstance(python, type) and issubclass(python, OpenIntEnum | OpenIntFlag):
        return f"{number}, [{python.__name__}](enumerations.md#{anchor(python)})"
    return number


def element(form: Any) -> str:
    return kind(None, form) if isinstance(form, sequential.SequentialType) else link(form)


def span(numbers: frozenset[int]) -> str:
    first, last = min(numbers), max(numbers)
    return str(first) if first == last else f"{first} to {last}"


def counted(field: Field | None, form: sequential.Array | sequential.Data) -> str:
    what = "bytes" if isinstance(form, sequential.Data) else element(form.element)
    if field and isinstance(form, sequential.Array) and isinstance(form.element, sequential.Number):
        (each,) = {*get_args(field.python_type)} - {...}
        what = enumerated(dataclasses.replace(field, python_type=each), what)
    room = ", always in full" if form.slots else ""
    place = f" before `{form.count_before}`" if form.count_before else ""
    return f"up to {form.maximum} {what}{room}; count {NUMBERS[form.count.letter]}{place}"


# Enumerations and states --------------------------------------------------------------------------


def enumerations(protocol: str, module: ModuleType) -> str:
    parts = [
        f"# {protocol}: enumerations",
        f"{len(module.__all__)} enumerations. "
        "All are open: a number without a name stays a number.",
    ]
    for name in sorted(module.__all__):
        members = getattr(module, name)
        parts.append(f"## {name}")
        if said := prose(members).partition("\n")[2].strip():
            parts.append(said)
        parts.append(table(("number", "name"), map(numbered, named_ones(members))))
    return "\n\n".join(parts)


def named_ones(members: Any) -> Iterable[Any]:
    """Flags have names for several bits as well."""
    return members.__members__.values() if issubclass(members, OpenIntFlag) else members


def numbered(member: Any) -> tuple[str, str]:
    value = int(member)
    if isinstance(member, OpenIntFlag):
        return f"0x{value:04X}", str(member.name)
    return (f"{value}" if 0 <= value < 1 << 16 else f"0x{value % (1 << 32):08X}"), member.name


def api() -> str:
    """A table of all operations of the administration's API."""
    rows = [
        (
            each.method,
            f"`{BASE}{each.path}`",
            ", ".join(role.value for role in Role if TABLE[role, each.act]),
            each.what,
        )
        for each in OPERATIONS
    ]
    return "\n\n".join(
        [
            "# The operations of the administration's API",
            "[How it is used](../administration-api.md). Bodies, queries and answers, field by "
            "field, are in [openapi.json](openapi.json); `tests/admin/test_openapi.py` holds that "
            "this is what is answered.",
            table(("method", "path", "roles", "what it does"), rows),
        ]
    )


def openapi() -> str:
    """The description of the administration's API, as it gives it out itself."""
    return json.dumps(description(), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write every page, and remove those that nothing writes any more."""
    written = pages()
    for path in (ROOT / "reference").rglob("*.md"):
        if path.relative_to(ROOT / "reference").as_posix() not in written:
            path.unlink()
    for name, text in written.items():
        path = ROOT / "reference" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (ROOT / "reference" / "public-names.txt").write_text(public_names.page())
    (ROOT / "reference" / "openapi.json").write_text(openapi())


if __name__ == "__main__":
    main()
