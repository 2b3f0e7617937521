"""``pa-telephony demo``: play the story, check it by content, write down what was seen."""

from __future__ import annotations

import gc
import sys
import time
from pathlib import Path

import click
import trio
from rich.console import Console

from pa_telephony.cli.demo.evidence import holdings, merge
from pa_telephony.cli.demo.phones import Conversation
from pa_telephony.cli.demo.report import Report
from pa_telephony.cli.demo.scene import IDENTITIES, gaps_in_talk
from pa_telephony.cli.demo.setting import PHONES, Stage
from pa_telephony.cli.demo.story import Story
from pa_telephony.cli.demo.timeline import Call, Moment, draw
from pa_telephony.program import until_stopped
from pa_telephony.trace import EventRecord, JsonLinesTrace

__all__ = ["demo", "write_down"]

_TITLE = "PA1 is stopped, killed, drained, moved, restarted; PA2 stands in; PA1 comes home"
_LONGEST = 300.0
"""Seconds that the demo may take. It takes 65 on a machine of its own, and must come to an end on
one that is not."""


@click.command(short_help="PA1 dies and comes home, with real calls and audio.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo-out"),
    show_default=True,
    help="Where WAV, pcap, summary.json and timeline.svg go.",
)
@click.option(
    "--drop-every",
    metavar="N",
    type=click.IntRange(min=1),
    help="Check the demo itself: phones do not hear one frame of 20 ms in N; it has to fail.",
)
def demo(out: Path, drop_every: int | None) -> None:
    """Play the whole story with real processes on loopback; exit 1 if a promise is not kept.

    Sound and time that were lost because the machine let one of the processes stand still are not
    judged, and it is said which and for how long. Numbers, owners and calls are judged always.
    """
    # The collector takes longer than a frame of sound to look through all that was recorded.
    gc.disable()
    console = Console()
    report = Report(console)
    started = time.time()
    story = Story(Stage(out), report, [], drop_every=drop_every or 0)

    async def play() -> None:
        with trio.move_on_after(_LONGEST) as late:
            await story.play()
        if late.cancelled_caught:
            report.check("the story ends", False, f"not within {_LONGEST:.0f} s")

    stopped_by = trio.run(until_stopped, play)
    if stopped_by:
        sys.exit(128 + stopped_by)
    report.round = "afterwards"
    write_down(story, started, out)
    console.print(report.summary())
    console.print(f"{out}/: summary.json, timeline.svg, demo.pcap, {len(PHONES)} phones as WAV")
    report.write(out / "summary.json")
    if not report.ok:
        sys.exit(1)


def write_down(story: Story, started: float, out: Path) -> None:
    """Write sound, packets and the timeline of a story into a directory, and say so."""
    stage, report = story.stage, story.report
    packets = merge(stage.processes, story.records, out / "demo.pcap")
    with JsonLinesTrace(out / "phones.jsonl") as trace:
        for record in story.records:
            if isinstance(record, EventRecord):
                trace(record)
    report.measured |= {"packets": packets, "takeover_seconds": story.takeovers}
    numbers: dict[str, int] = {}
    for label, conversation in story.conversations:
        count = numbers[conversation.phone] = numbers.get(conversation.phone, 0) + 1
        conversation.recording.save(out / f"{conversation.phone}-{count}.wav")
        report.step(f"{conversation.phone}-{count}.wav: {label}")
    servers = [each for each in stage.processes if each.name != "callmanager"]
    now = time.time()
    calls = [_drawn(label, each, started) for label, each in story.conversations]
    (out / "timeline.svg").write_text(
        draw(
            sorted(
                holdings(servers, started, now), key=lambda each: IDENTITIES.index(each.identity)
            ),
            sorted(calls, key=lambda call: call.start),
            [Moment(at - started, label) for at, label in story.moments],
            title=_TITLE,
            seconds=now - started,
        )
    )


def _drawn(label: str, conversation: Conversation, started: float) -> Call:
    begun = conversation.connected - started
    ended = (conversation.ended or time.time()) - started
    gaps = [(begun + gap.start, begun + gap.end) for gap in gaps_in_talk(conversation)]
    return Call(label, begun, ended, tuple(gaps))
