"""What is installed for development is written down, and allowed by what users are told."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKED = {
    canonicalize_name(name): version
    for name, version in re.findall(
        r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE
    )
}


def wanted() -> list[Requirement]:
    project = PROJECT["project"]
    parts = [
        project["dependencies"],
        PROJECT["build-system"]["requires"],
        *project["optional-dependencies"].values(),
        *PROJECT["dependency-groups"].values(),
    ]
    found = [Requirement(each) for part in parts for each in part]
    return [each for each in found if each.name != "pa-telephony"]


def test_every_dependency_has_one_version_that_users_may_have_too() -> None:
    for requirement in wanted():
        version = LOCKED[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), requirement


def test_whose_api_moves_has_an_upper_bound() -> None:
    moving = {"trio", "construct", "numpy", "click", "scapy", "sounddevice"}
    told = {*PROJECT["project"]["dependencies"]}
    for part in PROJECT["project"]["optional-dependencies"].values():
        told |= {*part}
    for requirement in map(Requirement, told):
        if requirement.name in moving:
            assert "<" in str(requirement.specifier), requirement
