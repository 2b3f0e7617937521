"""A package that is missing is named by the command that installs it, wherever it is needed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pa_telephony.errors import TelephonyError
from pa_telephony.extras import MissingExtra, need

ROOT = Path(__file__).parent.parent
LOGIN = """
import trio
from pa_telephony import {part}

async def main():
    async with {call}:
        pass

trio.run(main)
"""
ADMIN = """
sys.argv = ["pa-telephony", "admin", "--demo"]
from pa_telephony.__main__ import main
main()
"""
PROVIDER = LOGIN.format(
    part="cti", call="cti.open_provider('127.0.0.1', user='app', password='secret')"
)
MANAGER = LOGIN.format(
    part="callmanager",
    call="callmanager.open_call_manager(callmanager.CallManagerConfig("
    "users=(callmanager.User(name='app', password='secret'),)), sccp_port=0, cti_port=0)",
)


@pytest.mark.parametrize(
    ("missing", "extra", "code"),
    [
        ("click", "cli", "from pa_telephony.__main__ import main; main()"),
        ("rich", "cli", "from pa_telephony.__main__ import main; main()"),
        ("click", "cli", "from pa_telephony.cli.demo.command import demo"),
        ("cryptography", "cti", PROVIDER),
        ("cryptography", "cti", MANAGER),
        (
            "cryptography",
            "cti",
            "from pa_telephony.testing import CallManager; CallManager().start()",
        ),
        ("hypothesis", "testing", "import pa_telephony.testing.strategies"),
        ("hypothesis", "testing", "import pa_telephony.testing.cti_strategies"),
        ("scapy", "scapy", "import pa_telephony.contrib.scapy"),
        ("starlette", "admin", ADMIN),
        ("argon2", "admin", ADMIN),
    ],
)
def test_what_is_missing_is_named_by_the_command_that_installs_it(
    missing: str, extra: str, code: str
) -> None:
    hidden = f"import sys; sys.modules[{missing!r}] = None\n"
    done = subprocess.run(
        [sys.executable, "-c", hidden + code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    wanted = f"{missing} is missing. Install it with: pip install 'pa-telephony[{extra}]'"
    assert wanted in done.stderr.splitlines()[-1]


def test_what_is_there_is_not_missing() -> None:
    need("cti", "os", "sys")


def test_a_missing_extra_is_an_import_error_and_one_of_ours() -> None:
    with pytest.raises(MissingExtra) as caught:
        need("cti", "no_such_package")
    assert isinstance(caught.value, ImportError)
    assert isinstance(caught.value, TelephonyError)
    assert (caught.value.name, caught.value.extra) == ("no_such_package", "cti")
