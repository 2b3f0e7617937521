"""Accounts, sessions and who did what: kept in a file of their own, with nothing that signs in."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from form_browser import Clock, PlainHasher

from pa_telephony.admin.accounts import Accounts
from pa_telephony.admin.records import (
    ADMINISTRATOR,
    IDLE,
    LIFE,
    WRONG_PASSWORD,
    PasswordRefused,
    Records,
    Session,
    argon2_hasher,
)
from pa_telephony.admin.roles import Role
from pa_telephony.errors import ConnectionLost


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def records(tmp_path: Path, clock: Clock) -> Records:
    return Records(tmp_path / "state" / "cluster.db.admin", PlainHasher(), clock)


def test_the_first_password_is_made_once_and_is_right_for_the_administrator(
    records: Records,
) -> None:
    password = records.first_password()
    assert password is not None
    assert len(password) == 16
    assert records.first_password() is None
    assert records.right(ADMINISTRATOR, password)
    assert records.right("Administrator", password)
    assert not records.right(ADMINISTRATOR, password + "x")
    assert not records.right("nobody", password)


def test_the_file_is_its_owner_s_and_holds_no_password_and_no_token(tmp_path: Path) -> None:
    pytest.importorskip("argon2")
    path = tmp_path / "state" / "cluster.db.admin"
    records = Records(path, argon2_hasher())
    password = records.first_password()
    assert password is not None
    assert records.right(ADMINISTRATOR, password)
    session = records.begin(ADMINISTRATOR)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    kept = b"".join(each.read_bytes() for each in path.parent.iterdir())
    assert password.encode() not in kept
    assert session.token.encode() not in kept
    assert b"$argon2id$" in kept


def test_a_session_ends_when_nobody_uses_it_and_in_any_case_after_a_day_s_work(
    records: Records, clock: Clock
) -> None:
    records.first_password()
    session = records.begin(ADMINISTRATOR)
    for _ in range(3):
        clock.now += IDLE - 1
        assert records.find(session.token) == session
    clock.now += IDLE + 1
    assert records.find(session.token) is None
    session = records.begin(ADMINISTRATOR)
    begun = clock.now
    while clock.now < begun + LIFE:
        assert records.find(session.token) == session
        clock.now += IDLE / 2
    clock.now += 1
    assert records.find(session.token) is None


def test_who_only_watches_does_not_keep_a_session(records: Records, clock: Clock) -> None:
    records.first_password()
    session = records.begin(ADMINISTRATOR)
    for _ in range(4):
        clock.now += IDLE / 2 - 1
        records.find(session.token, seen=False)
    assert records.find(session.token) is None


def test_a_session_that_was_ended_is_ended(records: Records) -> None:
    records.first_password()
    one, other = records.begin(ADMINISTRATOR), records.begin(ADMINISTRATOR)
    records.end(one)
    assert records.find(one.token) is None
    assert records.find(other.token) == other
    assert one.csrf != other.csrf


def test_another_password_ends_the_other_sessions(records: Records) -> None:
    assert records.first_password()
    one, other = records.begin(ADMINISTRATOR), records.begin(ADMINISTRATOR)
    records.change_password(one, "a long enough one")
    assert records.right(ADMINISTRATOR, "a long enough one")
    assert records.find(one.token) == one
    assert records.find(other.token) is None


@pytest.mark.parametrize("new", ["short", "x" * 201])
def test_a_password_that_is_too_short_or_too_long_is_refused(records: Records, new: str) -> None:
    records.first_password()
    with pytest.raises(PasswordRefused, match="10 to 200"):
        records.change_password(records.begin(ADMINISTRATOR), new)


def test_the_same_password_again_is_refused(records: Records) -> None:
    password = records.first_password()
    assert password is not None
    with pytest.raises(PasswordRefused, match="another"):
        records.change_password(records.begin(ADMINISTRATOR), password)


def test_a_message_is_shown_once_and_to_its_session_alone(records: Records) -> None:
    records.first_password()
    one, other = records.begin(ADMINISTRATOR), records.begin(ADMINISTRATOR)
    records.leave_message(one, "saved")
    assert records.take_message(other) == ""
    assert records.take_message(one) == "saved"
    assert records.take_message(one) == ""


def test_there_are_only_so_many_sessions_and_the_oldest_goes(
    records: Records, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pa_telephony.admin.records._MOST_SESSIONS", 2)
    records.first_password()
    first = records.begin(ADMINISTRATOR)
    clock.now += 1
    second = records.begin(ADMINISTRATOR)
    clock.now += 1
    third = records.begin(ADMINISTRATOR)
    found = [records.find(each.token, seen=False) for each in (first, second, third)]
    assert found == [None, second, third]


def test_an_account_that_begins_many_sessions_ends_its_own_and_no_one_else_s(
    records: Records, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pa_telephony.admin.records._MOST_OF_ONE", 2)
    records.first_password()
    Accounts(records).add("anna", Role.READER)
    others = records.begin(ADMINISTRATOR)
    found: list[Session] = []
    for _ in range(3):
        clock.now += 1
        found.append(records.begin("anna"))
    assert [records.find(each.token, seen=False) for each in found] == [None, *found[1:]]
    assert records.find(others.token) == others


def test_who_did_what_is_noted_the_newest_first_and_the_oldest_goes(
    records: Records, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pa_telephony.admin.records._MOST_DEEDS", 3)
    for number in range(5):
        clock.now += 1
        records.note(ADMINISTRATOR, "192.0.2.7", f"deed {number}")
    assert [each.what for each in records.deeds()] == ["deed 4", "deed 3", "deed 2"]
    assert records.deeds(1)[0].address == "192.0.2.7"


def test_who_guesses_does_not_push_out_what_others_did(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pa_telephony.admin.records._MOST_GUESSES", 2)
    records.note(ADMINISTRATOR, "192.0.2.7", "saved PA1", "revision 2")
    for number in range(5):
        records.note(f"guess {number}", "192.0.2.66", WRONG_PASSWORD)
    assert [each.account for each in records.deeds()] == ["guess 4", "guess 3", ADMINISTRATOR]
    (deed,) = records.deeds(account=ADMINISTRATOR)
    assert (deed.what, deed.result) == ("saved PA1", "revision 2")


def test_a_file_that_is_no_database_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "state" / "admin"
    path.parent.mkdir()
    path.write_text("something else altogether, and longer than a header of SQLite would be" * 20)
    with pytest.raises(ConnectionLost, match="not a database"):
        Records(path, PlainHasher())


def test_a_link_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state" / "admin"
    path.parent.mkdir()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConnectionLost, match="symbolic link"):
        Records(path, PlainHasher())
