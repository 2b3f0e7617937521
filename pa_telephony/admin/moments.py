"""Moments for people: the time of this machine's place, and the exact one for programs. Pure."""

from __future__ import annotations

import datetime

from markupsafe import Markup

__all__ = ["clock_time", "instant", "moment"]


def moment(at: float | None) -> Markup:
    """The element of a moment, which is Unix time; a word where none is known."""
    if not at:
        return Markup("at an unknown time")
    local = datetime.datetime.fromtimestamp(at, datetime.UTC).astimezone()
    exact = local.isoformat(timespec="seconds")
    return Markup('<time datetime="{}">{}</time>').format(exact, f"{local:%Y-%m-%d %H:%M:%S}")


def instant(at: float) -> Markup:
    """The element of a moment of a trace: the time of day to the millisecond."""
    local = datetime.datetime.fromtimestamp(at, datetime.UTC).astimezone()
    exact = local.isoformat(timespec="milliseconds")
    shown = f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}"
    return Markup('<time datetime="{}">{}</time>').format(exact, shown)


def clock_time(at: float, *, seconds: bool = False, day: bool = False) -> str:
    """The time of day of a moment, for the scale of a picture."""
    local = datetime.datetime.fromtimestamp(at, datetime.UTC).astimezone()
    if day:
        return f"{local:%b %d}"
    return f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
