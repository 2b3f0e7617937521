"""The plugin, where the package that is installed does not name it yet."""

from __future__ import annotations

import importlib.metadata

_INSTALLED = importlib.metadata.entry_points(group="pytest11", name="pa_telephony")
if not _INSTALLED:
    from pa_telephony.testing.plugin import *  # noqa: F403
