"""Tools for tests of telephony: a call manager for tests, and strategies of random messages.

:class:`CallManager` is also the pytest fixture ``call_manager``; docs/testing.md shows both. The
strategies (:mod:`pa_telephony.testing.strategies`, :mod:`~pa_telephony.testing.cti_strategies`)
make messages for hypothesis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pa_telephony._lazy import lazy_names

if TYPE_CHECKING:
    from pa_telephony.testing.application import Application as Application
    from pa_telephony.testing.call import Call as Call
    from pa_telephony.testing.call_manager import CallManager as CallManager
    from pa_telephony.testing.messages import Problem as Problem, Seen as Seen
    from pa_telephony.testing.phone import Phone as Phone
    from pa_telephony.testing.thread import Unexpected as Unexpected, WaitFailed as WaitFailed

__all__ = [
    "Application",
    "Call",
    "CallManager",
    "Phone",
    "Problem",
    "Seen",
    "Unexpected",
    "WaitFailed",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Application": ".application",
        "Call": ".call",
        "CallManager": ".call_manager",
        "Phone": ".phone",
        "Problem": ".messages",
        "Seen": ".messages",
        "Unexpected": ".thread",
        "WaitFailed": ".thread",
    },
)
