"""Stories of a failover cluster as people tell them: ``scenarios/*.txt``, read by scenario.py.

Real members play them in virtual time, and what they do must be what the file says. ``REWRITE=1
pytest tests/failover/test_scenarios.py`` writes what they do now into the files: read the diff. A
story in which a promise is broken is not written, whatever it says (narrated.py has the promises).
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from narrated import Narrated
from scenario import COMMANDS, Scenario, ScenarioError, matched, play
from worlds import CLUSTER, PORTS

from pa_telephony.failover.member import Member
from pa_telephony.failover.transaction import Delete, Transaction

FOLDER = Path(__file__).parent / "scenarios"
STORIES = sorted(FOLDER.glob("*.txt"))


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_what_follows_is_what_the_story_says(path: Path) -> None:
    scenario = Scenario(path)
    text = scenario.text(play(scenario))
    if os.environ.get("REWRITE"):
        path.write_text(text)
    assert text.splitlines() == path.read_text().splitlines()


def test_each_story_begins_with_the_rules_that_it_shows() -> None:
    assert len(STORIES) >= 15
    for path in STORIES:
        first = Scenario(path).blocks[0].before
        assert re.match(r"# ([FQ]\d+(, )?)+: .*", first[0]), path.name


def test_every_form_of_a_command_stands_in_a_story() -> None:
    """What no story says is not tested, and need not be in the language."""
    lines = {line for path in STORIES for block in Scenario(path).blocks for line in block.commands}
    unsaid = {form for form in COMMANDS if all(matched(form, line) is None for line in lines)}
    assert unsaid == set()


STORY = """cluster
  PA1 has route point 6000, ports 6001 to 6001; fails over to PA2
  PA2 is a spare
"""


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (f"{STORY}----\n\nPA1 sleeps\n----\n", "story.txt:6: 'PA1 sleeps': nobody understands"),
        (f"{STORY}  PA3 sings\n----\n", "story.txt:4: '  PA3 sings' is nothing of a cluster"),
        (f"{STORY}  hope is 3 seconds\n----\n", "story.txt:4: .*is nothing of a cluster"),
        ("cluster\n  PA1 has two doors\n----\n", "story.txt:2: a server has no 'two doors'"),
        ("\nPA1 starts\n----\n", "story.txt:2: the first block must be the cluster"),
        (f"{STORY}----\n\nPA1 starts\n", "story.txt:6: no ---- follows"),
        (f"{STORY}----\n\n----\n", "story.txt:6: nothing happens before ----"),
        (f"{STORY}----\n\nwait until PA1 sings\n----\n", "story.txt:6: .*: not within 120 s"),
        (f"{STORY}----\n\nPA1 starts\nPA1 starts too\n----\n", "story.txt:7: .*nobody"),
        (
            f"{STORY}----\n\nPA1 starts\n  PA2 is a spare\n----\n",
            "story.txt:6: .*nothing may stand",
        ),
    ],
)
def test_what_nobody_understands_is_an_error_with_file_and_line(
    text: str, error: str, tmp_path: Path
) -> None:
    path = tmp_path / "story.txt"
    path.write_text(text)
    with pytest.raises(ScenarioError, match=error):
        play(Scenario(path))


def test_a_story_that_says_something_else_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "story.txt"
    path.write_text(f"# A story.\n{STORY}----\n\n# Then:\nPA1 starts\n----\nit sings\n")
    scenario = Scenario(path)
    assert scenario.text(play(scenario)) == (
        f"# A story.\n{STORY}----\n\n# Then:\nPA1 starts\n----\n"
        "PA1 begins a session\nPA1 owns 6001, 6000\nPA1 serves 6001, 6000\n"
    )


def test_a_promise_that_is_broken_ends_the_story(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here a server thinks that it may act for ever."""
    monkeypatch.setattr(Member, "may_act", lambda member, now: True)
    with pytest.raises(ScenarioError, match=r"partition.txt:\d+: .*PA1 dropped a call"):
        play(Scenario(FOLDER / "partition.txt"))


def test_nobody_serves_what_it_does_not_own() -> None:
    house = Narrated(CLUSTER, lambda at, sentence: None)
    house.start("PA1")
    house.run_until(house.now + 1.0)
    assert house.violations == []
    house.submit(Transaction((), (Delete(PORTS[0].key),)))
    house.run_until(house.now + 0.5)
    assert "PA1 serves port 6001 of PA1, which is of nobody" in house.violations[0]
