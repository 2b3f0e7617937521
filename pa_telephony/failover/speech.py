"""The Speech Services page, field by field, and the rules of its fields. Pure.

Source: the page in Cisco's document 44922, and for the levels and counts the Personal Assistant 1.4
Installation and Administration Guide (OL-4590-03), page A-24. There is no program of any of this
yet: what is configured here is kept, and shown as not installed (:mod:`services`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pa_telephony.failover.hosts import is_host

__all__ = ["LOCALES", "SpeechConfig", "check_speech", "speech_warnings"]

LOCALES = (
    "American English",
    "British English",
    "Canadian French",
    "French",
    "German",
    "Italian",
    "Spanish",
)
"""The locales that may be supported. The document shows American English; the others are ours."""

_TIME_OF_DAY = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_ADDRESS = re.compile(r"[^\s@<>,;\"]{1,64}@[^\s@<>,;\"]{1,253}")
_KEY = re.compile(r"[!-~]{0,128}")


@dataclass(frozen=True)
class SpeechConfig:
    """The form of the Speech Services page."""

    refresh_schedule: str = "02:00"
    """When the names are read anew every day: ``hh:mm``."""
    send_refresh_status: bool = False
    """Whether the result of a refresh is mailed to the administrator."""
    administrator_email_address: str = ""
    license_key: str = ""
    """The key of the speech software, called License Code in the text of the document."""
    speech_recognition_server_hosts: tuple[str, ...] = ()
    """The machines that recognise: IP addresses or DNS names, unlike the fail-over list."""
    speech_recognition_license_manager_hosts: tuple[str, ...] = ()
    """The servers where license managers run: IP addresses or DNS names."""
    supported_locales: tuple[str, ...] = ("American English",)
    """The languages, of :data:`LOCALES`."""
    default_locale: str = "American English"
    """One of the supported ones."""
    rejection_confidence_level: int = 45
    """Below it a caller was not understood and is asked again, 0..100."""
    reconfirm_confidence_level: int = 60
    """Below it what was understood is read back to the caller and confirmed, 0..100."""
    max_error_count_per_dialog: int = 3
    """After more errors in one dialog the caller goes to the operator, 1..100."""
    max_error_count_per_call: int = 10
    """The same for the whole call, 1..100; the default is ours."""


def check_speech(speech: SpeechConfig, fail: Callable[[str, str], None]) -> None:
    """Call ``fail`` with (rule, field) for each rule that is broken."""
    if not _TIME_OF_DAY.fullmatch(speech.refresh_schedule):
        fail("must be a time of day, hh:mm", "refresh_schedule")
    address = speech.administrator_email_address
    if address and not _is_email(address):
        fail("must be an e-mail address", "administrator_email_address")
    if speech.send_refresh_status and not address:
        fail("is needed to send the status of a refresh", "administrator_email_address")
    if not _KEY.fullmatch(speech.license_key):
        fail("must be up to 128 characters without blanks", "license_key")
    for field in ("speech_recognition_server_hosts", "speech_recognition_license_manager_hosts"):
        _check_hosts(getattr(speech, field), field, fail)
    _check_locales(speech, fail)
    for field in ("rejection_confidence_level", "reconfirm_confidence_level"):
        if not 0 <= getattr(speech, field) <= 100:
            fail("must be 0 to 100", field)
    if speech.reconfirm_confidence_level < speech.rejection_confidence_level:
        fail("must not be below rejection_confidence_level", "reconfirm_confidence_level")
    for field in ("max_error_count_per_dialog", "max_error_count_per_call"):
        if not 1 <= getattr(speech, field) <= 100:
            fail("must be 1 to 100", field)


def _is_email(text: str) -> bool:
    return bool(_ADDRESS.fullmatch(text)) and is_host(text.rpartition("@")[2])


def _check_hosts(hosts: tuple[str, ...], field: str, fail: Callable[[str, str], None]) -> None:
    seen: set[str] = set()
    for host in hosts:
        if not is_host(host):
            fail(f"{host!r} must be an IP address or a DNS name", field)
        elif host.casefold() in seen:
            fail(f"{host!r} is listed twice", field)
        seen.add(host.casefold())


def _check_locales(speech: SpeechConfig, fail: Callable[[str, str], None]) -> None:
    field = "supported_locales"
    for locale in speech.supported_locales:
        if locale not in LOCALES:
            fail(f"{locale!r} must be one of {', '.join(LOCALES)}", field)
    if len(set(speech.supported_locales)) < len(speech.supported_locales):
        fail("lists a locale twice", field)
    if not speech.supported_locales:
        fail("needs a locale", field)
    elif speech.default_locale not in speech.supported_locales:
        fail("must be one of the supported locales", "default_locale")


def speech_warnings(speech: SpeechConfig, hosts: frozenset[str]) -> Iterator[str]:
    """Settings that are probably not meant; ``hosts`` are those of the servers, case folded."""
    managers = speech.speech_recognition_license_manager_hosts
    if speech.speech_recognition_server_hosts and not managers:
        yield "speech servers without a license manager do not recognise anything"
    for host in managers:
        if host.casefold() not in hosts:
            yield f"speech: no server of the cluster is at the license manager host {host}"
