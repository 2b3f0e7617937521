"""Accounts, API tokens and the audit log in a browser."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import trio
from api_program import Program
from form_browser import BASE, Browser, Page, administration, signed_in
from hypothesis import HealthCheck, given, settings, strategies as st
from worlds import CLUSTER

from pa_telephony.admin.accounts import Accounts
from pa_telephony.admin.administration import Administration
from pa_telephony.admin.roles import Role
from pa_telephony.admin.tokens import Tokens
from pa_telephony.failover.stores import MemoryStore


def secret_of(page: Page) -> str:
    found = re.search(r'<code class="secret">([^<]+)</code>', page.text)
    assert found is not None, page.words
    return found[1]


async def test_an_account_is_added_with_a_password_that_is_shown_once(tmp_path: Path) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (everything, password):
        await everything.managed.save(CLUSTER, 0, "import")
        browser = await signed_in(everything, password)
        page = await browser.click(await browser.get("password"), "Accounts")
        page = await browser.press(page, "Add", name="anna", role="operator")
        first = secret_of(page)
        assert "shown this once" in page.words
        assert first not in (await browser.get("accounts")).text
        anna = await signed_in(everything, first, "anna")
        words = (await anna.get("control-center")).words
        assert "anna (operator)" in words
        assert "Accounts" not in words
        kept = b"".join(each.read_bytes() for each in (tmp_path / "state").iterdir())
        assert kept.count(first.encode()) == kept.count(f"hash of {first}".encode()) == 1
        deed = everything.records.deeds(2)[1]
        assert (deed.account, deed.what, deed.result) == (
            "administrator",
            "add anna operator",
            "done",
        )


async def test_what_cannot_be_is_told_beside_its_field_or_above(tmp_path: Path) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (everything, password):
        browser = await signed_in(everything, password)
        page = await browser.get("accounts")
        page = await browser.press(page, "Add", name="A <b>", role="reader")
        assert page.status == 422
        assert "must be 1 to 32 of" in page.words
        assert "A <b>" not in page.text
        page = await browser.press(page, "Add", name="administrator", role="reader")
        assert "there is an account 'administrator' already" in page.words
        page = await browser.press(page, "Change the role of administrator", role="reader")
        assert page.status == 422
        assert "administrator is the last administrator" in page.words
        page = await browser.press(page, "Remove administrator")
        page = await browser.press(page, "remove-really")
        assert "administrator is the last administrator" in page.words
        assert len(Accounts(everything.records).all()) == 1


async def test_an_account_is_changed_and_removed_after_a_question(tmp_path: Path) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (everything, password):
        accounts = Accounts(everything.records)
        first = accounts.add("anna", Role.READER)
        anna = await signed_in(everything, first, "anna")
        browser = await signed_in(everything, password)
        page = await browser.get("accounts")
        page = await browser.press(page, "Change the role of anna", role="operator")
        assert "The role of anna is operator now." in page.words
        page = await browser.press(page, "New password for anna")
        again = secret_of(page)
        assert again != first
        assert (await anna.get("help")).url.startswith(f"{BASE}/login")
        page = await browser.press(await browser.get("accounts"), "Remove anna")
        assert "Remove anna?" in page.words
        assert accounts.role("anna") is Role.OPERATOR
        page = await browser.press(page, "remove-really")
        assert "The account anna is removed" in page.words
        assert accounts.role("anna") is None


async def test_a_token_is_made_used_and_revoked(tmp_path: Path) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (everything, password):
        browser = await signed_in(everything, password)
        page = await browser.get("tokens")
        assert "There is no token." in page.words
        page = await browser.press(page, "Make", name="backup", role="reader")
        secret = secret_of(page)
        program = Program(everything, {"authorization": f"Bearer {secret}"})
        assert (await program.ask("GET", "/session"))[1]["account"] == "token backup"
        page = await browser.press(page, "Make", name="backup", role="reader")
        assert (page.status, "revoke it first" in page.words) == (422, True)
        page = await browser.get("tokens")
        assert "backup reader; made" in page.words
        assert secret not in page.text
        page = await browser.press(page, "Revoke backup")
        assert "The token backup is revoked." in page.words
        assert (await program.ask("GET", "/session"))[0] == 401


async def test_the_audit_log_says_who_did_what_from_where_with_which_result(
    tmp_path: Path,
) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (everything, password):
        everything.records.note("<b>anna", "192.0.2.7\x1b", "saved PA1", "revision 2")
        Tokens(everything.records).make("backup", Role.READER, "administrator")
        browser = await signed_in(everything, password)
        page = await browser.get("audit")
        assert "<b>anna" not in page.text
        assert "\x1b" not in page.text
        assert page.words.index("logged in") < page.words.index("saved PA1")
        assert "<b>anna 192.0.2.7\\x1b saved PA1 revision 2" in page.words
        page = await browser.get("audit?account=administrator")
        assert "saved PA1" not in page.words
        assert "What was done by administrator" in page.words
        assert "Nothing by nobody." in (await browser.get("audit?account=nobody")).words


_VERBS = ["add", "change-role", "new-password", "remove", "remove-really", "make", "revoke", "x"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["accounts", "tokens"]),
            st.sampled_from(_VERBS),
            st.sampled_from(["administrator", "anna", "backup"]) | st.text(max_size=40),
            st.sampled_from([each.value for each in Role]) | st.text(max_size=10),
        ),
        max_size=6,
    )
)
def test_whatever_is_sent_there_is_an_administrator(
    tmp_path: Path, sent: list[tuple[str, str, str, str]]
) -> None:
    async def send(browser: Browser, everything: Administration) -> None:
        for path, verb, name, role in sent:
            csrf = (await browser.get("log-out")).fields()["csrf"][0]
            fields = [("csrf", csrf), ("do", verb), ("name", name), ("role", role)]
            answer = await browser.post(path, fields)
            assert answer.status in (200, 403, 422), answer.words
            roles = [each.role for each in Accounts(everything.records).all()]
            assert Role.ADMINISTRATOR in roles
            if (verb, name) == ("new-password", "administrator"):
                return  # Its session has ended.

    async def main() -> None:
        directory = tmp_path / secrets.token_hex(8)
        async with administration(directory, CLUSTER, MemoryStore()) as (everything, password):
            await send(await signed_in(everything, password), everything)

    trio.run(main)
