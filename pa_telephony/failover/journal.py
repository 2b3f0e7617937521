"""A server's events in the words of its log, for people who read it. Pure.

The trace has every event; the log has those that an operator wants to find the next morning. The
same trouble of the same identity is logged once until it changes, however often it is tried again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, cast

from pa_telephony.printable import printable_reason

__all__ = ["BY_CALLERS", "Journal", "WriteEvent"]


class WriteEvent(Protocol):
    """Writes an event into the trace and, if the log has words for it, into the log."""

    def __call__(self, kind: str, **fields: object) -> None:
        """Write an event; ``kind`` is its name without ``failover.``."""
        ...


Fields = Mapping[str, object]


def _texts(fields: Fields, name: str) -> list[str]:
    value = fields.get(name)
    if not isinstance(value, list | tuple):
        return []
    return list(map(str, cast("Sequence[object]", value)))


def _count(fields: Fields) -> str:
    count = len(_texts(fields, "identities"))
    return f"{count} number{'s' * (count != 1)}"


_I, _W = logging.INFO, logging.WARNING
# Event → (subject, level, words); the subject is the field that the event is about.
_WORDS: dict[str, tuple[str, int, Callable[[Fields], str]]] = {
    "refused": ("identity", _W, lambda f: f"{f['identity']} is not registered: {f['why']}"),
    "lost": ("identity", _W, lambda f: f"{f['identity']} is lost: {f['why']}"),
    "registered": ("identity", _I, lambda f: f"{f['identity']} is registered"),
    "turned_away": (
        "calling",
        _W,
        lambda f: f"{f['calling']} is turned away at {f['identity']}: {f['why']}",
    ),
    "call.silent": (
        "identity",
        _W,
        lambda f: f"{f['calling']} at {f['identity']} is not heard for {f['seconds']} s",
    ),
    "call.given_up": (
        "identity",
        _W,
        lambda f: (
            f"the call of {f['calling']} at {f['identity']} is ended: not heard for"
            f" {f['seconds']} s"
        ),
    ),
    "call.ended": (
        "identity",
        _W,
        lambda f: f"the call of {f['calling']} at {f['identity']} is ended: {f['why']}",
    ),
    "call.long": (
        "identity",
        _W,
        lambda f: f"the call of {f['calling']} at {f['identity']} lasts for {f['seconds']} s",
    ),
    "provider.refused": ("provider", _W, lambda f: f"{f['provider']} refuses us: {f['why']}"),
    "store.lost": ("what", _W, lambda f: f"the store cannot be used: {f['why']}"),
    "store.back": ("what", _I, lambda f: "the store can be used again"),
    "store.local": ("server", _W, lambda f: str(f["why"])),
    "configuration": (
        "home",
        _W,
        lambda f: (
            f"our configuration of {f['home']} is another than its own: {', '.join(groups)}"
            if (groups := _texts(f, "differs_in"))
            else f"our configuration of {f['home']} is its own again"
        ),
    ),
    "configuration.file": (
        "file",
        _W,
        lambda f: (
            f"{f['file'] or 'the configuration at hand'} is not what the store has, and is ignored"
            f" until `pa-telephony cluster import`: {'; '.join(_texts(f, 'changes'))}"
        ),
    ),
    "configuration.taken_up": (
        "server",
        _I,
        lambda f: f"the configuration has changed: {'; '.join(_texts(f, 'changes'))}",
    ),
    "configuration.unread": (
        "server",
        _W,
        lambda f: (
            f"goes on without the configuration of the store: {f['why']}"
            if f["why"]
            else "can read the configuration of the store again"
        ),
    ),
    "configuration.anew": ("server", _W, lambda f: f"has to begin anew: {f['why']}"),
    "acquire": ("home", _I, lambda f: f"takes {_count(f)} of its own"),
    "want": ("home", _I, lambda f: f"waits for what is {f['home']}'s and a stand-in has"),
    "left": ("server", _I, lambda f: "has left"),
    "enter": ("server", _I, lambda f: "has a session"),
    "leave": ("server", _W, lambda f: "has given up its session"),
    "depose": ("home", _W, lambda f: f"gives up {f['home']}: its process is gone, or it is silent"),
    "choose_node": ("home", _W, lambda f: f"has the whole cluster go to {f['home']}"),
    "give_up": ("home", _W, lambda f: f"gives up {f['home']}: another server reaches more"),
    "take_home": ("home", _W, lambda f: f"stands in for {f['home']}: {_count(f)}"),
    "hand_back": ("home", _I, lambda f: f"gives back to {f['home']}: {_count(f)}"),
    "hand_over": ("home", _I, lambda f: f"hands over to {f['home']}: {_count(f)}"),
    "returned": ("home", _I, lambda f: "has all of its own: the order to return is done"),
    "release": ("home", _I, lambda f: f"{f['home']} has everything back"),
    "application.error": (
        "identity",
        _W,
        lambda f: f"the application failed in a call at {f['identity']}: {f['error']}",
    ),
}

BY_CALLERS = frozenset(
    {"turned_away", "call.silent", "call.given_up", "call.long", "application.error"}
)
"""Events that callers can cause as often as they call: the log has a limited number of them a
minute."""


class Journal:
    """Turns the events of one server into lines of its log."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], str] = {}
        self._troubled: set[str] = set()

    def line(self, kind: str, fields: Fields) -> tuple[int, str] | None:
        """Level and sentence for an event (without ``failover.``); None when it is not logged."""
        if kind == "link":
            return self._link(fields)
        if kind not in _WORDS:
            return None
        about, level, words = _WORDS[kind]
        subject = f"{about} {fields.get(about, '')}"
        if kind == "registered":
            # Only after earlier trouble, as a takeover would fill a page with these.
            if subject not in self._troubled:
                return None
            self._troubled.discard(subject)
        elif kind in ("refused", "lost"):
            self._troubled.add(subject)
        try:
            text = printable_reason(words(fields))
        except KeyError:
            return None
        return self._once((kind, subject), level, text)

    def _link(self, fields: Fields) -> tuple[int, str] | None:
        provider, why = fields.get("provider", "a call manager"), fields.get("why") or "no answer"
        if fields.get("reachable"):
            text = f"reaches {provider}"
            return self._once(("link", str(provider)), _I, printable_reason(text))
        return self._once(
            ("link", str(provider)), _W, printable_reason(f"does not reach {provider}: {why}")
        )

    def _once(self, key: tuple[str, str], level: int, text: str) -> tuple[int, str] | None:
        """The line of a trouble, unless it was the last one of the same subject."""
        kind, subject = key
        key = ("state", subject) if kind in ("refused", "lost", "registered") else key
        if kind in ("link", "refused", "lost", "registered", "provider.refused"):
            if self._last.get(key) == text:
                return None
            self._last[key] = text
        return level, text
