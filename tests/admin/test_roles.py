"""Who may do what: the table of roles, and every page asked for by every role."""

from __future__ import annotations

from pathlib import Path

import pytest
from form_browser import BASE, PlainHasher, administration, signed_in
from worlds import CLUSTER

from pa_telephony.admin.accounts import Account, AccountRefused, Accounts
from pa_telephony.admin.app import routes_of
from pa_telephony.admin.records import ADMINISTRATOR, Records
from pa_telephony.admin.roles import PAGES, TABLE, Act, Role, account_problem, act_of_page, why_not
from pa_telephony.failover.stores import MemoryStore

MAY = {
    Role.READER: {Act.LOOK, Act.OWN},
    Role.OPERATOR: {Act.LOOK, Act.OWN, Act.OPERATE},
    Role.ADMINISTRATOR: {*Act},
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("act", Act)
def test_each_role_may_do_what_it_is_for_and_is_told_why_not(role: Role, act: Act) -> None:
    why = why_not(role, act)
    assert TABLE[role, act] == (act in MAY[role]) == (not why)
    if why:
        assert why.startswith(f"The role {role.value} may not {act.value}.")
        assert "administrator may." in why


def test_what_stands_in_no_table_is_for_administrators() -> None:
    for path in ("/nothing", f"{BASE}/nothing", f"{BASE}//server-status", f"{BASE}/static/x"):
        assert act_of_page("GET", path) is Act.ADMINISTER
        assert act_of_page("POST", path) is Act.ADMINISTER
    assert act_of_page("POST", "/") is Act.ADMINISTER
    assert act_of_page("GET", f"{BASE}/server-status/events") is Act.LOOK


async def test_every_page_has_its_row_and_answers_each_role_as_that_says(tmp_path: Path) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, password):
        await all_pages.managed.save(CLUSTER, 0, "import")
        accounts = Accounts(all_pages.records)
        browsers = {Role.ADMINISTRATOR: await signed_in(all_pages, password)}
        for role in (Role.READER, Role.OPERATOR):
            first = accounts.add(role.value, role)
            browsers[role] = await signed_in(all_pages, first, role.value)
        asked = 0
        for route in routes_of(all_pages):
            page = route.path.removeprefix(f"{BASE}/").partition("/")[0]
            if page == "static" or route.path.endswith("/events"):
                continue
            if route.path not in ("/", "/PAsystemadmin", f"{BASE}/"):
                assert page in PAGES, f"{route.path} has no row in roles.PAGES"
            for method in sorted({"GET", "POST"} & (route.methods or set())):
                for role, browser in browsers.items():
                    csrf = (await browser.get("log-out")).fields()["csrf"][0]
                    data = {"csrf": csrf, "do": "preview"} if method == "POST" else None
                    if method == "POST" and page == "log-out":
                        continue
                    answer = await browser.client.request(method, route.path, data=data)
                    act = act_of_page(method, route.path)
                    told = f"The role {role.value} may not {act.value}"
                    assert (told in answer.text) == (act not in MAY[role]), (role, route.path)
                    asked += 1
        assert asked > 40


async def test_who_may_not_do_something_is_shown_no_button_for_it_but_why(tmp_path: Path) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, password):
        await all_pages.managed.save(CLUSTER, 0, "import")
        first = Accounts(all_pages.records).add("anna", Role.OPERATOR)
        operator = await signed_in(all_pages, first, "anna")
        for path in ("server-configuration?server=PA1", "telephony", "speech-services"):
            page = await operator.get(path)
            assert "The role operator may not change the configuration." in page.words
            assert [each.buttons for each in page.forms().forms] == [[]]
        page = await operator.get("control-center")
        assert "may not" not in page.words
        assert any(each.buttons for each in page.forms().forms)
        Accounts(all_pages.records).change_role("anna", Role.READER)
        page = await operator.get("control-center")
        assert "The role reader may not give orders to servers." in page.words
        assert not any(each.buttons for each in page.forms().forms)
        administrator = await signed_in(all_pages, password)
        assert "may not" not in (await administrator.get("server-configuration?server=PA1")).words


@pytest.fixture
def records(tmp_path: Path) -> Records:
    found = Records(tmp_path / "state" / "admin", PlainHasher())
    found.first_password()
    return found


def test_the_last_administrator_is_neither_removed_nor_demoted(records: Records) -> None:
    accounts = Accounts(records)
    for verb in (
        lambda: accounts.remove(ADMINISTRATOR),
        lambda: accounts.change_role(ADMINISTRATOR, Role.OPERATOR),
    ):
        with pytest.raises(AccountRefused, match="administrator is the last administrator"):
            verb()
    assert accounts.all() == (Account(ADMINISTRATOR, Role.ADMINISTRATOR),)
    accounts.add("anna", Role.ADMINISTRATOR)
    accounts.remove(ADMINISTRATOR)
    assert accounts.all() == (Account("anna", Role.ADMINISTRATOR),)


def test_an_account_that_goes_or_gets_a_new_password_has_no_session_any_more(
    records: Records,
) -> None:
    accounts = Accounts(records)
    password = accounts.add("anna", Role.OPERATOR)
    assert records.right("anna", password)
    session = records.begin("anna")
    accounts.change_role("anna", Role.READER)
    found = records.find(session.token)
    assert found is not None
    assert found.role is Role.READER
    other = accounts.new_password("anna")
    assert records.find(session.token) is None
    assert records.right("anna", other)
    assert not records.right("anna", password)
    session = records.begin("anna")
    accounts.remove("anna")
    assert records.find(session.token) is None
    assert not records.right("anna", other)
    assert accounts.role("anna") is None


def test_an_account_that_is_there_or_that_is_not_is_told_as_such(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = Accounts(records)
    with pytest.raises(AccountRefused, match="already") as refused:
        accounts.add(ADMINISTRATOR, Role.READER)
    assert refused.value.field == "name"
    with pytest.raises(AccountRefused, match="there is no account 'anna'") as refused:
        accounts.remove("anna")
    assert refused.value.missing
    with pytest.raises(AccountRefused, match="no account"):
        accounts.new_password("anna")
    monkeypatch.setattr("pa_telephony.admin.accounts.MOST", 1)
    with pytest.raises(AccountRefused, match="no more"):
        accounts.add("anna", Role.READER)


@pytest.mark.parametrize("name", ["", "Anna", "a b", "-a", "a" * 33, "a\n", "é", "a/b"])
def test_a_name_that_could_be_mistaken_is_no_account_s(name: str, records: Records) -> None:
    assert account_problem(name)
    with pytest.raises(AccountRefused, match="1 to 32"):
        Accounts(records).add(name, Role.READER)


async def test_the_other_sessions_of_an_account_are_ended_and_no_one_else_s(
    tmp_path: Path,
) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, password):
        first = Accounts(all_pages.records).add("anna", Role.READER)
        anna = await signed_in(all_pages, first, "anna")
        one, other = [await signed_in(all_pages, password) for _ in range(2)]
        page = await one.press(await one.get("log-out"), "Log out everywhere else")
        assert "that were ended: 1." in page.words
        assert (await other.get("server-status")).url.startswith(f"{BASE}/login")
        assert (await anna.get("server-status")).url == f"{BASE}/server-status"
