"""The Speech Services page: its form, and the cluster that it means. Pure.

Source: the page in Cisco's document 44922, in its words and its order; the levels and counts are of
the Administration Guide (:mod:`pa_telephony.failover.speech`).
"""

from __future__ import annotations

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
from pa_telephony.errors import ConfigurationError
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.config import ClusterConfig
from pa_telephony.failover.speech import SpeechConfig

__all__ = ["GROUPS", "SPEECH_FORM", "values_of", "with_speech"]

_HOSTS = "IP addresses or DNS names."

GROUPS: dict[str, tuple[Field, ...]] = {
    "Daily Automatic Refresh": (Field("refresh_schedule", "Refresh Schedule", hint="hh:mm"),),
    "Refresh Notification": (
        Field("send_refresh_status", "Send Refresh Status", Kind.CHECK),
        Field("administrator_email_address", "Administrator E-mail Address"),
    ),
    "Speech Licenses": (Field("license_key", "License Key"),),
    "Speech Recognition Servers": (
        Field(
            "speech_recognition_server_hosts",
            "Speech Recognition Server Hosts",
            Kind.LIST,
            hint=f"{_HOSTS} They are used from the next refresh on.",
        ),
        Field(
            "speech_recognition_license_manager_hosts",
            "Speech Recognition License Manager Hosts",
            Kind.LIST,
            hint=f"{_HOSTS} At least one has to run for recognition to work.",
        ),
    ),
    "Locales": (
        Field("supported_locales", "Supported Locales", Kind.PICK),
        Field("default_locale", "Default Locale", Kind.CHOICE),
    ),
    "Recognition": (
        Field(
            "rejection_confidence_level",
            "Rejection Confidence Level",
            Kind.NUMBER,
            hint="0 to 100; below it the caller is asked again.",
        ),
        Field(
            "reconfirm_confidence_level",
            "Reconfirm Confidence Level",
            Kind.NUMBER,
            hint="0 to 100; below it the caller confirms what was understood.",
        ),
        Field(
            "max_error_count_per_dialog",
            "Max Error Count per Dialog",
            Kind.NUMBER,
            hint="After more errors the caller goes to the operator.",
        ),
        Field("max_error_count_per_call", "Max Error Count per Call", Kind.NUMBER),
    ),
}
"""The fields of each part of the page."""

SPEECH_FORM = Form(
    tuple(each for fields in GROUPS.values() for each in fields), sections=("speech",)
)


def values_of(speech: SpeechConfig) -> Values:
    """What stands in the form."""
    return {
        each.name: str(value) if each.kind is Kind.NUMBER else value
        for each in SPEECH_FORM.fields
        for value in (getattr(speech, each.name),)
    }


def with_speech(config: ClusterConfig, values: Values) -> Cluster:
    """The cluster with speech services as the form says; raises :class:`FormRefused`."""
    speech = SpeechConfig(**read(SPEECH_FORM, values))
    try:
        return checked(edited(config, speech=speech))
    except ConfigurationError as error:
        problems = Problems()
        problems.take(error, SPEECH_FORM, *SPEECH_FORM.sections)
        raise FormRefused(problems) from error
