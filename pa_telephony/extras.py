"""Packages that only some parts need, and by which command they are had."""

from __future__ import annotations

import importlib.util

from pa_telephony.errors import TelephonyError

__all__ = ["MissingExtra", "need"]


class MissingExtra(TelephonyError, ImportError):
    """A package is not installed that this part needs; the text has the command that installs it.

    It is an :class:`ImportError`, too.
    """

    def __init__(self, package: str, extra: str) -> None:
        command = f"pip install 'pa-telephony[{extra}]'"
        super().__init__(f"{package} is missing. Install it with: {command}")
        self.name = package
        self.extra = extra


def need(extra: str, *packages: str) -> None:
    """Raise :class:`MissingExtra` when one of ``packages`` of an extra is not installed."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise MissingExtra(package, extra)
