"""A cluster whose servers are of two releases: this one, and 0.2.0 as it was."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from faultlab import Lab, needs

pytestmark = [pytest.mark.faults, pytest.mark.long, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
RELEASE_0_2_0 = "ba0ab2ad8986f3bd814770f3c09ed7d5bc7e3e0b"
"""The last commit of that release, which had its configuration from a file alone."""


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as it was released, in a directory for PYTHONPATH."""
    git = ["git", "-C", str(ROOT)]
    needs([*git, "cat-file", "-e", RELEASE_0_2_0], "the history of the repository")
    where = tmp_path_factory.mktemp("release")
    packed = subprocess.run(
        [*git, "archive", RELEASE_0_2_0, "pa_telephony"], capture_output=True, check=True
    )
    subprocess.run(["tar", "-x", "-C", str(where)], input=packed.stdout, check=True)
    return where


@pytest.mark.parametrize("old", ["PA1", "PA2"])
def test_a_server_of_the_release_before_works_beside_this_one(
    tmp_path: Path, release: Path, old: str
) -> None:
    before = {old: ("env", f"PYTHONPATH={release}")}
    with Lab(tmp_path, "release") as lab:
        lab.manager()
        for name in ("PA2", "PA1"):
            lab.server(name, before=before.get(name, ()))
        devices = lab.shape.devices()
        assert lab.wait(devices, "PA1"), lab.have
        lab.callers("6000", talk=1.0)
        for _ in range(2):
            killed = lab.kill("PA1")
            lab.took("PA2 has everything", killed, lab.wait(devices, "PA2"))
            lab.status()
            lab.server("PA1", before=before.get("PA1", ()))
            assert lab.wait(devices, "PA1"), lab.have
            lab.status()
        lab.shown()
        lab.fair()
