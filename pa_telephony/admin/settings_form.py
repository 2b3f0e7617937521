"""The Cluster Settings page: its form, and the cluster that it means. Pure.

All of it is ours: the application, ``capacity_aware`` and the times of
:class:`~pa_telephony.failover.config.Timing`.
"""

from __future__ import annotations

import dataclasses
from decimal import Decimal

from pa_telephony.admin.fields import (
    Field,
    Form,
    FormRefused,
    Kind,
    Problems,
    Values,
    checked,
    edited,
    read,
)
from pa_telephony.durations import LONGEST
from pa_telephony.errors import ConfigurationError
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.config import ApplicationConfig, ClusterConfig, Timing
from pa_telephony.failover.validation import MAY_BE_ZERO

__all__ = ["SETTINGS_FORM", "values_of", "with_settings"]

_TIMES = {
    "heartbeat": "A server says so often that it lives.",
    "own": "So long a server acts after its last heartbeat that the store has; then it closes"
    " everything by itself. At least two heartbeats and a registration.",
    "take": "A server that is silent so long is given up by the others. More than Own by 2 %.",
    "grace": "A server that has just started takes nothing from others for so long.",
    "hold": "A server that is back asks so long, without a break, before its ports come home.",
    "hold_longest": "Hold is doubled up to this when a server is taken over again and again.",
    "flap_window": "Takeovers within this time double Hold.",
    "steady": "Without a break so long at the call manager, a server may take from one that lives"
    " and does not reach it. At least twice Back Off.",
    "back_off": "The longest wait between two attempts to reach a call manager that is gone.",
    "registration": "A registration is begun only while so much is left of Own.",
    "linger": "So long at most a stand-in serves the route point beside the server that gets it"
    " back; with 0 it gives it up first.",
    "retry": "The pause before a number that the call manager refused is tried again.",
    "media_silence": "A call of which nothing is heard for so long is ended; with 0 never.",
    "long_call": "A call that is longer is an alarm, and goes on; with 0 never.",
}


def _time(name: str, default: float) -> Field:
    least = "0" if name in MAY_BE_ZERO else "More than 0"
    hint = f"{_TIMES[name]} {least} to {LONGEST:.0f} seconds; {plain(default)} unless changed."
    label = f"{name.replace('_', ' ').title()} (seconds)"
    return Field(name, label, Kind.SECONDS, hint=hint, more=True)


def plain(seconds: float) -> str:
    """Seconds as somebody would type them: ``14400``, ``0.5``."""
    return f"{Decimal(repr(seconds)):f}".removesuffix(".0")


SETTINGS_FORM = Form(
    (
        Field(
            "greeting",
            "Greeting",
            hint="What callers hear at a media port: a WAV file on each server's machine, beside"
            " the cluster's file or with its whole path; a tone if it is blank.",
        ),
        Field(
            "digits",
            "Digits",
            Kind.PAIRS,
            hint="Where the greeting's callers go who press a key; a line for each: 1 = 2001",
        ),
        Field(
            "transfer",
            "Transfer",
            hint="The number that all others go to after the greeting; blank hangs up.",
        ),
        Field(
            "capacity_aware",
            "Prefer a stand-in that has room",
            Kind.CHECK,
            hint="One that would get more media ports than it may have calls is passed over when a"
            " later one of the list would not.",
        ),
        *(_time(each.name, float(str(each.default))) for each in dataclasses.fields(Timing)),
    ),
    sections=("timing", "application"),
)
_TIMING = frozenset(each.name for each in dataclasses.fields(Timing))
_APPLICATION = frozenset(each.name for each in dataclasses.fields(ApplicationConfig))


def values_of(config: ClusterConfig) -> Values:
    """What stands in the form."""
    application, timing = config.application, config.timing
    digits = "\n".join(f"{key} = {number}" for key, number in application.digits.items())
    return {
        "greeting": application.greeting,
        "digits": digits,
        "transfer": application.transfer,
        "capacity_aware": config.capacity_aware,
        **{name: plain(getattr(timing, name)) for name in _TIMING},
    }


def with_settings(config: ClusterConfig, values: Values) -> Cluster:
    """The cluster with these settings; raises :class:`FormRefused`."""
    found = read(SETTINGS_FORM, values)
    timing = Timing(**{name: found[name] for name in _TIMING})
    application = ApplicationConfig(**{name: found[name] for name in _APPLICATION})
    aware = found["capacity_aware"]
    try:
        return checked(edited(config, timing=timing, application=application, capacity_aware=aware))
    except ConfigurationError as error:
        problems = Problems()
        problems.take(error, SETTINGS_FORM, *SETTINGS_FORM.sections)
        raise FormRefused(problems) from error
