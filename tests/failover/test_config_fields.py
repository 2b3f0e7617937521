"""Every field of a cluster's file has a value that is refused, by name, before anything starts."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pa_telephony.errors import ConfigurationError
from pa_telephony.failover import Cluster, JtapiProvider, ServerConfig, SkinnyProvider, Timing, load
from pa_telephony.failover.config import ApplicationConfig
from pa_telephony.failover.speech import SpeechConfig

EXAMPLE = tomllib.loads((Path(__file__).parents[2] / "examples" / "cluster.toml").read_text())

BAD: dict[type, dict[str, Any]] = {
    ServerConfig: {
        "server_name": "",
        "hostname_or_ip_address": "10.77.208",
        "media_termination_udp_beginning_port": 32001,
        "route_address_provider": "nobody",
        "route_address": "60OO",
        "aa_route_address": "6000",
        "media_port_provider": "PA1jtapi",
        "media_port_beginning_address": "+6001",
        "number_of_media_ports": 1001,
        "interceptor_port_provider": "",
        "interceptor_ports": ["6XXX"],
        "fail_over_server_names": ["127.0.0.12"],
        "trace_package_list": ["sccp"],
        "capacity": 0,
        "route_point_device": "a device with blanks",
    },
    JtapiProvider: {
        "name": "two words",
        "hosts": [],
        "user": "",
        "password": 1234,
        "tls": "yes",
        "tls_authorities": "authorities.pem",
        "type": "tapi",
    },
    SkinnyProvider: {
        "name": "PA1jtapi",
        "hosts": ["127.0.0.10:99999"],
        "device_name_prefix": "PA1-VI-MUCH-TOO-LONG",
        "devices": {"6001": ""},
        "return_to_preferred": 1,
        "media_at_signalling_host": 1,
        "type": "",
    },
    Timing: {each.name: -1 for each in dataclasses.fields(Timing)} | {"take": 4.0, "own": 0.5},
    ApplicationConfig: {"greeting": 5, "transfer": "x", "digits": {"11": "1002"}},
    SpeechConfig: {
        "refresh_schedule": "24:00",
        "send_refresh_status": "yes",
        "administrator_email_address": "nobody",
        "license_key": "two words",
        "speech_recognition_server_hosts": ["10.77.208"],
        "speech_recognition_license_manager_hosts": ["pa1", "PA1"],
        "supported_locales": ["Klingon"],
        "default_locale": "German",
        "rejection_confidence_level": 101,
        "reconfirm_confidence_level": 44,
        "max_error_count_per_dialog": 0,
        "max_error_count_per_call": 1000,
    },
    Cluster: {
        "servers": {},
        "providers": 3,
        "timing": [],
        "application": 1,
        "speech": "American English",
        "store": 7,
        "capacity_aware": "yes",
    },
}
SECTION = {
    ServerConfig: lambda document: document["servers"][0],
    JtapiProvider: lambda document: document["providers"][0],
    SkinnyProvider: lambda document: document["providers"][1],
    Timing: lambda document: document.setdefault("timing", {}),
    ApplicationConfig: lambda document: document.setdefault("application", {}),
    SpeechConfig: lambda document: document.setdefault("speech", {}),
    Cluster: lambda document: document,
}
CASES = [(kind, name) for kind, fields in BAD.items() for name in fields]


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


def written(directory: Path, kind: type, name: str) -> Path:
    """The example with this one field bad."""
    document = json.loads(json.dumps(EXAMPLE))
    SECTION[kind](document)[name] = BAD[kind][name]
    path = directory / "cluster.toml"
    path.write_text("".join(f"{key} = {toml(value)}\n" for key, value in document.items()))
    return path


@pytest.mark.parametrize("kind", BAD, ids=lambda kind: kind.__name__)
def test_no_field_is_forgotten_here(kind: type) -> None:
    fields = {each.name for each in dataclasses.fields(kind)}  # type: ignore[arg-type]
    assert fields - {"file"} == set(BAD[kind])


@pytest.mark.parametrize(("kind", "name"), CASES, ids=lambda case: getattr(case, "__name__", case))
def test_a_bad_value_is_refused_with_file_section_field_and_rule(
    tmp_path: Path, kind: type, name: str
) -> None:
    path = written(tmp_path, kind, name)
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    error = caught.value
    assert error.field == name
    assert error.file == str(path)
    assert error.rule
    words = {
        ServerConfig: "PA1" if name != "server_name" else "server",
        Timing: "timing",
        ApplicationConfig: "application",
        SpeechConfig: "speech",
        Cluster: "",
    }
    assert words.get(kind, "provider") in error.section


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
@pytest.mark.parametrize("name", [each.name for each in dataclasses.fields(Timing)])
def test_a_time_is_a_number_of_seconds_that_ends(tmp_path: Path, name: str, value: str) -> None:
    """TOML has inf and nan, and nan is neither below nor above any limit."""
    path = tmp_path / "cluster.toml"
    document = "".join(f"{key} = {toml(each)}\n" for key, each in EXAMPLE.items())
    path.write_text(f"{document}[timing]\n{name} = {value}\n")
    with pytest.raises(ConfigurationError, match=f"timing: {name}: must be"):
        load(path)


def test_a_server_with_a_bad_field_starts_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, ServerConfig, "capacity")
    command = [sys.executable, "-m", "pa_telephony", "server", "--cluster", str(path)]
    done = subprocess.run([*command, "--name", "PA1"], capture_output=True, text=True)
    assert done.returncode == 1
    assert f"{path}: server 'PA1': capacity: must be 1 or more" in done.stderr
    assert list(tmp_path.iterdir()) == [path]


def test_a_greeting_that_can_not_be_read_starts_nothing(tmp_path: Path) -> None:
    document = dict(EXAMPLE) | {"application": {"greeting": "nowhere.wav"}}
    path = tmp_path / "cluster.toml"
    path.write_text("".join(f"{key} = {toml(value)}\n" for key, value in document.items()))
    command = [sys.executable, "-m", "pa_telephony", "server", "--cluster", str(path)]
    done = subprocess.run([*command, "--name", "PA1"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "application: greeting: " in done.stderr
    assert "nowhere.wav" in done.stderr
    assert list(tmp_path.iterdir()) == [path]
