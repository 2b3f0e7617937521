"""The Speech Services page: what may stand in its fields, and the rows that come of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from worlds import CLUSTER, Worlds

from pa_telephony.errors import ConfigurationError
from pa_telephony.failover import Cluster
from pa_telephony.failover.changes import differences, effect
from pa_telephony.failover.services import ServiceGroup, answer_of, services
from pa_telephony.failover.speech import SpeechConfig
from pa_telephony.failover.world import World

HOSTS = ("127.0.0.11", "127.0.0.12")


def with_speech(**fields: object) -> Cluster:
    return replace(CLUSTER, speech=SpeechConfig(**fields))  # type: ignore[arg-type]


SEED = with_speech(
    license_key="ABC-123",
    speech_recognition_server_hosts=HOSTS,
    speech_recognition_license_manager_hosts=HOSTS,
)
"""As in Cisco's document 44922, at addresses of this cluster."""


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"refresh_schedule": "2:00"}, "refresh_schedule"),
        ({"refresh_schedule": "02:60"}, "refresh_schedule"),
        ({"send_refresh_status": True}, "administrator_email_address"),
        ({"administrator_email_address": "pa@10.77.208"}, "administrator_email_address"),
        ({"license_key": "x" * 129}, "license_key"),
        ({"supported_locales": ()}, "supported_locales"),
        ({"supported_locales": ("German", "German")}, "supported_locales"),
        ({"supported_locales": ("German",)}, "default_locale"),
        ({"rejection_confidence_level": 61}, "reconfirm_confidence_level"),
        ({"rejection_confidence_level": -1}, "rejection_confidence_level"),
        ({"max_error_count_per_call": 0}, "max_error_count_per_call"),
    ],
)
def test_what_breaks_a_rule_is_refused_by_section_and_field(
    fields: dict[str, object], field: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        with_speech(**fields)
    assert (caught.value.section, caught.value.field) == ("speech", field)


def test_a_license_manager_that_is_missing_or_elsewhere_is_a_warning() -> None:
    before = set(CLUSTER.warnings())
    assert set(SEED.warnings()) == before
    alone = with_speech(speech_recognition_server_hosts=HOSTS)
    (said,) = set(alone.warnings()) - before
    assert "without a license manager" in said
    elsewhere = with_speech(speech_recognition_license_manager_hosts=("10.9.9.9",))
    (said,) = set(elsewhere.warnings()) - before
    assert said.endswith("10.9.9.9")


def test_there_is_a_row_for_each_license_manager_and_each_locale_of_a_speech_server() -> None:
    assert services(CLUSTER) == ()
    two = replace(
        SEED, speech=replace(SEED.speech, supported_locales=("German", "American English"))
    )
    rows = [(row.group, row.host, row.locale) for row in services(two)]
    assert rows == [
        (ServiceGroup.LICENSE_MANAGER, "127.0.0.11", ""),
        (ServiceGroup.LICENSE_MANAGER, "127.0.0.12", ""),
        (ServiceGroup.SPEECH_SERVER, "127.0.0.11", "German"),
        (ServiceGroup.SPEECH_SERVER, "127.0.0.11", "American English"),
        (ServiceGroup.SPEECH_SERVER, "127.0.0.12", "German"),
        (ServiceGroup.SPEECH_SERVER, "127.0.0.12", "American English"),
    ]


def test_start_and_stop_of_a_row_answer_that_it_is_not_installed() -> None:
    assert [answer_of(row) for row in services(SEED)][::2] == [
        "Speech License Manager 127.0.0.11: not installed",
        "Personal Assistant Speech Server 127.0.0.11, American English: not installed",
    ]


def test_a_change_of_speech_is_told_and_refused_by_no_server_that_runs() -> None:
    worlds = Worlds()
    assert [str(each) for each in differences(CLUSTER, SEED)] == [
        "speech: license_key: nothing → ABC-123",
        "speech: speech_recognition_server_hosts: nothing → 127.0.0.11, 127.0.0.12",
        "speech: speech_recognition_license_manager_hosts: nothing → 127.0.0.11, 127.0.0.12",
    ]
    found = effect(SEED, World(CLUSTER, worlds.snapshot()))
    assert found.refused == ()
    assert found.told == ("speech services are kept; there is no engine that they would change",)
