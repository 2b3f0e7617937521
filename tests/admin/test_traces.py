"""Traces: what stands at the end of a file, row by row, and what is taken away of it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from form_browser import administration, signed_in
from hypothesis import given, strategies as st
from worlds import CLUSTER

from pa_telephony.admin.accounts import Accounts
from pa_telephony.admin.roles import Role
from pa_telephony.admin.trace_files import TraceFiles
from pa_telephony.admin.traces import Only, as_pcap, parse, rows
from pa_telephony.failover.stores import MemoryStore
from pa_telephony.pcap import read_pcap
from pa_telephony.trace import EventRecord, FrameRecord, JsonLinesTrace, PcapTrace, RtpRecord

LOCAL, REMOTE = ("127.0.0.11", 40_000), ("127.0.0.10", 2000)
KEEP_ALIVE = bytes.fromhex("0400000000000000") + bytes(4)
HOSTILE = "<script>alert(1)</script>\x1b"
RECORDS = (
    FrameRecord(1000.0, "sccp", "sent", LOCAL, REMOTE, KEEP_ALIVE),
    RtpRecord(1001.0, "received", LOCAL, ("127.0.0.20", 30_000), b"\x80" * 20),
    FrameRecord(1002.0, "sccp", "received", LOCAL, REMOTE, b"\0" * 8 + b"\xff\xff\0\0"),
    EventRecord(1003.0, "failover.fence", {"why": HOSTILE}),
    EventRecord(1004.0, "sccp.connection_closed", {"local": LOCAL, "remote": REMOTE, "why": ""}),
)


def written(directory: Path, name: str = "PA1-1.jsonl", times: int = 1) -> Path:
    directory.mkdir(exist_ok=True)
    with JsonLinesTrace(directory / name) as trace:
        for _ in range(times):
            for record in RECORDS:
                trace(record)
    return directory


def lines_of(directory: Path, name: str = "PA1-1.jsonl") -> list[bytes]:
    return TraceFiles(directory).end(name, 1 << 20)


def test_a_record_that_was_written_is_read_as_it_was(tmp_path: Path) -> None:
    found = [parse(line) for line in lines_of(written(tmp_path))]
    assert found[:3] == list(RECORDS[:3])
    assert found[3] == RECORDS[3]


@pytest.mark.parametrize(
    ("only", "whats"),
    [
        (Only.SIGNALLING, ["sccp.connection_closed", "failover.fence", "sccp", "sccp"]),
        (Only.SCCP, ["sccp", "sccp"]),
        (Only.CTI, []),
        (Only.RTP, ["rtp"]),
        (Only.EVENTS, ["sccp.connection_closed", "failover.fence"]),
    ],
)
def test_a_page_shows_the_kind_that_is_asked_for_the_newest_first(
    tmp_path: Path, only: Only, whats: list[str]
) -> None:
    found = rows(lines_of(written(tmp_path)), only, 100)
    assert [each.what for each in found] == whats


def test_a_message_has_its_name_and_an_unknown_one_its_number(tmp_path: Path) -> None:
    newer, older = rows(lines_of(written(tmp_path)), Only.SCCP, 100)
    assert (older.arrow, older.peer, older.words) == (
        "→",
        "127.0.0.10:2000",
        "KeepAliveReq, 12 bytes",
    )
    assert (newer.arrow, newer.words) == ("←", "message 0xffff, 12 bytes")
    assert len(rows(lines_of(tmp_path), Only.SIGNALLING, 2)) == 2


def test_a_pcap_of_lines_is_the_one_that_a_trace_writes_itself(tmp_path: Path) -> None:
    with PcapTrace(tmp_path / "own.pcap") as trace:
        for record in RECORDS:
            trace(record)
    made = as_pcap(lines_of(written(tmp_path / "traces")))
    assert made == (tmp_path / "own.pcap").read_bytes()
    assert len([*read_pcap(tmp_path / "own.pcap")]) > 3


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "time": st.sampled_from([1.0, "2", -1, 1e300, None]),
        "kind": st.sampled_from(["sccp.connection_closed", "x"]) | JSON,
        "protocol": st.sampled_from(["sccp", "cti", "rtp", "x"]),
        "direction": st.sampled_from(["sent", "received", 7]),
        "local": st.sampled_from([["127.0.0.1", 5], ["x", 5], ["::1", 5], ["1", -1], 7]),
        "remote": st.sampled_from([["127.0.0.2", 5], ["300.1.1.1", 5], [7, 7], None]),
        "data": st.sampled_from(["", "00", "zz", "ff" * 70_000, 5]),
    },
)


@given(st.lists(st.binary(max_size=40) | FIELDS | JSON, max_size=4))
def test_whatever_stands_in_a_file_is_shown_or_passed_over(said: list[object]) -> None:
    lines = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in said]
    for only in Only:
        assert len(rows(lines, only, 100)) <= len(lines)
    assert as_pcap(lines)[:4]


def test_only_files_of_traces_are_opened_and_half_lines_are_left_out(tmp_path: Path) -> None:
    written(tmp_path, times=50)
    written(tmp_path, "PA1-2.jsonl")
    (tmp_path / "secret").write_text("secret\n")
    (tmp_path / "PA2-1.jsonl").symlink_to(tmp_path / "secret")
    with (tmp_path / "PA1-2.jsonl").open("ab") as file:
        file.write(b'{"time": 5, "ki')
    files = TraceFiles(tmp_path)
    assert [(each.server, each.life) for each in files.all()] == [("PA1", 2), ("PA1", 1)]
    for name in ("secret", "../secret", "PA2-1.jsonl", "PA1-9.jsonl", "", "\0"):
        assert files.end(name, 1000) == []
    assert all(map(parse, files.end("PA1-2.jsonl", 1 << 20)))
    some = files.end("PA1-1.jsonl", 1000)
    assert some
    assert all(map(parse, some))
    assert TraceFiles(tmp_path / "nowhere").all() == ()


async def test_the_page_shows_the_end_of_a_file_and_gives_it_away_with_a_note(
    tmp_path: Path,
) -> None:
    directory = written(tmp_path / "traces")
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (plain, password):
        all_pages = dataclasses.replace(plain, traces=TraceFiles(directory))
        browser = await signed_in(all_pages, password)
        page = await browser.get("traces")
        assert "PA1 life 1" in page.words
        assert "KeepAliveReq, 12 bytes" in page.words
        assert "why <script>alert(1)</script>\\x1b" in page.words
        assert "<script>alert" not in page.text
        page = await browser.click(page, "rtp")
        assert "127.0.0.20:30000 20 bytes" in page.words
        answer = await browser.press(page, "Download pcap")
        assert answer.headers["content-disposition"] == 'attachment; filename="PA1-1.pcap"'
        answer = await browser.press(page, "Download JSON lines")
        assert answer.text == (directory / "PA1-1.jsonl").read_text()
        assert all_pages.records.deeds(1)[0].what == "downloaded the trace PA1-1.jsonl as jsonl"
        for path in ("traces?file=../admin", "traces?file=PA1-2.jsonl", "traces?file=%00"):
            assert (await browser.get(path)).status == 404
        assert (await browser.get("traces/events?file=../admin")).status == 404
        csrf = page.fields()["csrf"][0]
        for sent in (("../admin", "pcap"), ("PA1-1.jsonl", "exe"), ("", "")):
            fields = [("csrf", csrf), ("file", sent[0]), ("as", sent[1])]
            assert (await browser.post("traces/download", fields)).status == 404
        fields = [("file", "PA1-1.jsonl"), ("as", "pcap")]
        assert (await browser.post("traces/download", fields)).status == 403


async def test_traces_are_for_administrators_and_say_how_they_are_begun(tmp_path: Path) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (plain, password):
        browser = await signed_in(plain, password)
        assert "--trace-directory" in (await browser.get("traces")).words
        assert (await browser.get("traces/events")).status == 404
        all_pages = dataclasses.replace(plain, traces=TraceFiles(tmp_path / "empty"))
        browser = await signed_in(all_pages, password)
        assert "No server has traced yet" in (await browser.get("traces")).words
        first = Accounts(all_pages.records).add("anna", Role.OPERATOR)
        operator = await signed_in(all_pages, first, "anna")
        assert "Traces" not in (await operator.get("help")).forms().links
        assert (await operator.get("traces")).status == 403
