"""Which of Cisco's clients there are to test with."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from jtapi import Driver

JARS = [each for each in os.environ.get("PA_TELEPHONY_JTAPI_JAR", "").split(os.pathsep) if each]
"""One or several, separated as in a class path: each release runs every test."""


@pytest.fixture(scope="session", params=JARS or [""], ids=lambda jar: Path(jar).stem or "no jar")
def driver(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Driver:
    jar: str = request.param
    if not jar:
        pytest.skip(
            "set PA_TELEPHONY_JTAPI_JAR to Cisco's jtapi.jar (your CallManager's plugin page, or "
            "github.com/CiscoDevNet/jtapi-samples)"
        )
    if not shutil.which("javac"):
        pytest.skip("javac is not installed: apt install default-jdk-headless")
    return Driver(jar, tmp_path_factory.mktemp("classes"))
