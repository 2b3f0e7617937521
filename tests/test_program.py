"""What stands around the main of a program: Ctrl-C, errors in words, and patience with an end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import trio

from pa_telephony import program
from pa_telephony.errors import ConnectionLost, TelephonyError

ROOT = Path(__file__).parent.parent
WAITS = """
import trio
from pa_telephony import program

async def main(word):
    try:
        print(word, flush=True)
        await trio.sleep_forever()
    finally:
        print("bye")

program.run(main, "there")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_program_that_is_stopped_says_goodbye_and_shows_no_traceback(
    number: signal.Signals,
) -> None:
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", WAITS],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (out, err, process.returncode) == ("bye\n", "", 128 + number)


def test_an_error_of_the_package_ends_a_program_in_words() -> None:
    async def main() -> None:
        raise ConnectionLost("10.0.0.1:2748, user app: Connection refused")

    with pytest.raises(SystemExit) as ended:
        program.run(main)
    assert ended.value.code == "10.0.0.1:2748, user app: Connection refused"


def test_a_bug_of_a_program_comes_out_as_it_is() -> None:
    async def main() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        program.run(main)


def test_a_program_that_is_done_ends_without_a_status() -> None:
    async def main(words: list[str]) -> None:
        words.append("done")

    words: list[str] = []
    program.run(main, words)
    assert words == ["done"]


@contextlib.asynccontextmanager
async def opened_after(seconds: float) -> AsyncGenerator[str]:
    async with trio.open_nursery() as nursery:
        await trio.sleep(seconds)
        yield "open"
        nursery.cancel_scope.cancel()


async def test_what_is_open_in_time_stays_open() -> None:
    async with program.ready_within(60, opened_after(59)) as opened:
        await trio.sleep(1000)
        assert opened == "open"


async def test_what_is_not_open_in_time_is_given_up() -> None:
    began = trio.current_time()
    with pytest.raises(TelephonyError, match=r"^not ready after 60 s$"):
        async with program.ready_within(60, opened_after(61)):
            pass
    assert trio.current_time() - began == pytest.approx(60)


async def test_an_error_of_the_body_or_of_the_opening_comes_out() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        async with program.ready_within(60, opened_after(1)):
            raise KeyError("body")
    assert caught.group_contains(KeyError)


async def test_a_second_opening_has_its_own_patience() -> None:
    async with (
        program.ready_within(60, opened_after(50)) as one,
        program.ready_within(60, opened_after(50)) as other,
    ):
        assert (one, other) == ("open", "open")


@pytest.mark.parametrize(
    ("arguments", "code"), [([], 1), (["one"], 1), (["one", "two"], 0), (["one", "two", "3"], 0)]
)
def test_a_program_without_its_arguments_says_which_it_wants(
    tmp_path: Path, arguments: list[str], code: int
) -> None:
    script = tmp_path / "greet.py"
    script.write_text(
        "import sys\n"
        "from pa_telephony import program\n"
        "async def main(manager: str, number: str, *others: str) -> None: ...\n"
        "program.run(main, *sys.argv[1:])\n"
    )
    done = subprocess.run(
        [sys.executable, script, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    assert done.stderr == ("usage: greet.py MANAGER NUMBER [OTHERS …]\n" if code else "")
