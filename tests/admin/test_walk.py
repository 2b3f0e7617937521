"""The steps of Cisco's document 44922 in a real browser, with scripts and without.

Debian's chromium, driven by Playwright, looks at ``pa-telephony admin --demo --empty``.
``SCREENSHOTS=docs/screens`` writes the pictures of docs/administration.md anew.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, Self

import pytest
from axe_playwright_python.sync_playwright import Axe
from crowd import Crowd
from loopback import alone_at
from playwright.sync_api import Browser, Page, expect, sync_playwright

from pa_telephony.admin.demo import CALL_MANAGER, PHONES, SERVERS

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

WIDE = {"width": 1280, "height": 860}
NARROW = {"width": 390, "height": 844}
PATIENCE = 90.0
"""Seconds that the machine may take for what the cluster does."""
SEED_ROWS = ("PA1", "6000", "6001", "6002", "5XXX")
PAGES = (
    "server-status?server=PA1",
    "server-configuration?server=PA1",
    "server-configuration?new",
    "control-center",
    "control-center/orders?server=PA1",
    "control-center/restart",
    "cluster?span=10m",
    "alarms",
    "configuration-history",
    "demo/faults",
    "traces",
    "telephony?provider=PA1jtapi",
    "telephony?provider=pa1skinny",
    "speech-services",
    "cluster-settings",
    "cluster",
    "cluster?span=7d",
    "alarms",
    "configuration-history",
    "control-center/orders?server=PA1",
    "control-center/restart",
    "accounts",
    "tokens",
    "audit",
    "demo/faults",
    "call-manager",
    "call-manager/device?name=SEP000000001001",
    "help",
    "password",
    "log-out",
)


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Debian's chromium is not installed: apt-get install chromium")
    # Its sandbox does not work for root.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium, args=options)


@contextlib.contextmanager
def administration(*options: str) -> Generator[tuple[str, str]]:
    """The address of the administration and its first password."""
    command = [sys.executable, "-m", "pa_telephony", "admin", "--demo", "--port", "0", *options]
    with alone_at(CALL_MANAGER), tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": folder}
        )
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            password = process.stdout.readline().strip().rpartition(" ")[2]
            assert address.startswith("http://"), address
            yield address, password
        finally:
            process.terminate()
            process.wait(60)
            assert process.stdout is not None
            process.stdout.close()
        assert process.returncode == 0
        assert os.listdir(folder) == []
        assert [each for each in command_lines() if folder in each] == []
        for host, port, kind in (
            (CALL_MANAGER, 2000, socket.SOCK_STREAM),
            *((each, 32000, socket.SOCK_DGRAM) for each in SERVERS.values()),
        ):
            with socket.socket(socket.AF_INET, kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind == socket.SOCK_STREAM)
                probe.bind((host, port))  # nobody is left there


def command_lines() -> list[str]:
    """Those of all processes of this machine."""
    found: list[str] = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(each.read_bytes().decode(errors="replace"))
    return found


class Phone:
    """A call to a number, of a phone that goes on talking until it is hung up or cut off."""

    def __init__(self, directory: Path, number: str = "6000", device: str = "1001") -> None:
        command = [sys.executable, "-m", "pa_telephony", "phone", f"SEP00000000{device}"]
        command += ["--call-manager", CALL_MANAGER, "--address", "127.0.0.20", "--dial", number]
        command += ["--record", str(directory / f"{device}.wav"), "--rtp-port", "32100"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.said: list[str] = []

    def talks_with(self) -> str:
        """The number that answers."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(line.strip())
            if found := re.match(r"in a call with (\S+)", line):
                return found[1]
        raise AssertionError(f"nobody answered: {self.said}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)
        assert self._process.stdout is not None
        self._process.stdout.close()


class Person:
    """Somebody who has logged in, and reads and clicks; without scripts also reloads."""

    def __init__(self, page: Page, address: str, *, scripts: bool) -> None:
        self.page = page
        self.address = address
        self.scripts = scripts
        self.troubles: list[str] = []
        page.set_default_timeout(PATIENCE * 1000)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("console", self._console)

    def _console(self, message: Any) -> None:
        if (
            message.type == "error"
            and "the server responded with a status of 4" not in message.text
        ):
            self.troubles.append(message.text)

    def logs_in(self, password: str) -> None:
        self.page.goto(self.address)
        self.page.get_by_label("User Name").fill("administrator")
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Log In").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Server Status")

    def chooses(self, menu: str, entry: str) -> None:
        """Select MENU > ENTRY in the menu bar."""
        bar = self.page.get_by_role("navigation", name="Menu bar")
        bar.locator("summary", has_text=menu).click()
        bar.get_by_role("link", name=entry, exact=True).click()

    def opens(self, server: str) -> None:
        """Click a name in the list at the left."""
        self.page.locator(".side").get_by_role("link", name=server, exact=True).click()

    def fills(self, **fields: str) -> None:
        """Fill in fields by their labels, with _ for blanks."""
        for name, value in fields.items():
            self.page.locator(f"#{name}").fill(value)

    def adds(self, field: str, *entries: str) -> None:
        """Enter each in the edit box of a list, and press Return, which adds it."""
        for entry in entries:
            self.page.locator(f"#new-{field}").fill(entry)
            self.page.locator(f"#new-{field}").press("Enter")
            expect(self.page.locator(f"#chosen-{field} option", has_text=entry)).to_be_visible()

    def saves(self) -> str:
        """Click Save; gives what is told."""
        self.page.get_by_role("button", name="Save", exact=True).click()
        told = self.page.locator(".told")
        expect(told).to_contain_text("Saved as revision")
        return told.inner_text()

    def until(self, what: str, is_so: Callable[[], bool]) -> None:
        """Wait for something on the page, which comes by itself where scripts run."""
        end = time.monotonic() + PATIENCE
        while not is_so():
            text = self.page.locator("main").inner_text()
            assert time.monotonic() < end, f"{what}: never; the page says\n{text}"
            self.page.wait_for_timeout(200)
            if not self.scripts:
                self.page.reload()

    def reads(self) -> str:
        """The words of the page, on one line."""
        return " ".join(self.page.locator("main").inner_text().split())

    def status(self) -> list[str]:
        """The rows of Server Status, each on one line."""
        rows = self.page.locator(".status tr").all_inner_texts()
        return [" ".join(each.split()) for each in rows]

    def all_is_home(self, *rows: str) -> bool:
        said = self.status()
        return "Fail Over Server" not in said and all(
            any(each.startswith(f"{row} ▲ up") for each in said) for row in rows
        )

    def sees_all_home(self) -> None:
        self.until("everything is up", lambda: self.all_is_home(*SEED_ROWS))


Pictures = Callable[[str], None]


def walk(person: Person, pictures: Pictures, directory: Path) -> None:
    page = person.page

    # Step 3: the servers are added to the cluster.
    person.chooses("Servers", "Server Configuration")
    person.fills(server_name="PA1", hostname_or_ip_address="127.0.0.11")
    person.saves()
    page.get_by_role("link", name="Add a new server").click()
    person.fills(server_name="PA2", hostname_or_ip_address="127.0.0.12")
    person.saves()
    assert page.locator(".side li").all_inner_texts() == ["PA1", "PA2"]

    # Steps 4 to 6: the settings of each, and the server that may stand in.
    person.opens("PA1")
    person.fills(
        route_address="6000", media_port_beginning_address="6001", number_of_media_ports="2"
    )
    person.adds("interceptor_ports", "5XXX")
    page.locator("#new-fail_over_server_names").fill("127.0.0.12")
    page.locator("#add-fail_over_server_names").click()
    expect(page.locator("#fail_over_server_names-why")).to_contain_text("server names only")
    person.adds("fail_over_server_names", "PA2")
    expect(page.locator("#preview")).to_contain_text("PA2 may stand in for PA1")
    pictures("server-configuration")
    assert "Route 6000 comes to PA1" in person.saves()

    # Steps 7 and 8: Speech Services.
    person.chooses("System", "Speech Services")
    person.fills(license_key="PA14-DEMO-0001")
    person.adds("speech_recognition_server_hosts", "127.0.0.11", "127.0.0.12")
    person.adds("speech_recognition_license_manager_hosts", "127.0.0.11", "127.0.0.12")
    person.saves()
    pictures("speech-services")

    # Steps 9 and 10: Telephony.
    person.chooses("System", "Telephony")
    assert "PA1jtapi JTAPI" in person.reads()
    assert "pa1skinny Skinny (SCCP)" in person.reads()
    assert page.locator("#user").input_value() == "pa"
    assert page.locator("#password").input_value() == ""
    pictures("telephony")

    # Verify the server.
    person.chooses("Servers", "Server Status")
    person.opens("PA1")
    person.sees_all_home()
    assert "Media Ports in Use 0 of 2" in person.status()
    with Phone(directory) as phone:
        assert phone.talks_with() in ("6001", "6002")
        person.until("a port in use", lambda: "Media Ports in Use 1 of 2" in person.status())
        pictures("server-status")
        # Beyond the document: the same call as the call manager has it.
        person.chooses("System", "Call Manager")
        page.get_by_label("Find devices").fill("PA1-RP")
        page.get_by_role("button", name="Find").click()
        person.until("the call", lambda: "connected with 1001" in person.reads())
        assert "PA1-RP-6000 ▲ pa at 127.0.0.11" in person.reads()
        pictures("call-manager")
        person.chooses("Servers", "Server Status")
        person.opens("PA1")
    person.until("no port in use", lambda: "Media Ports in Use 0 of 2" in person.status())

    # Verify the failover configuration: Stop in the row of PA1.
    person.chooses("System", "Control Center")
    person.until("PA2 is started", lambda: page.locator(".rows .icon.started").count() == 2)
    page.get_by_role("button", name="Stop PA1", exact=True).click()
    expect(page.locator(".told")).to_contain_text("PA1 is stopped")
    expect(page.locator(".rows li").first.locator(".icon")).to_have_class("icon stopped")
    pictures("control-center")
    person.chooses("Servers", "Server Status")
    person.opens("PA1")
    stands_in = ("PA2 ▲ up", "6000 ▲ up served by PA2", "6001 ▲ up served by PA2")
    person.until(
        "PA2 stands in",
        lambda: all(any(each.startswith(row) for each in person.status()) for row in stands_in),
    )
    said = person.status()
    assert said[1].startswith("PA1 ▼ down was stopped by an operator")
    assert said[2:4] == ["Fail Over Server", "PA2 ▲ up"]
    with Phone(directory) as phone:
        assert phone.talks_with() in ("6001", "6002")
        person.until("a port in use", lambda: "Media Ports in Use 1 of 2" in person.status())
        pictures("server-status-failover")
    person.until("no port in use", lambda: "Media Ports in Use 0 of 2" in person.status())

    # Start: all comes home.
    person.chooses("System", "Control Center")
    page.get_by_role("button", name="Start PA1", exact=True).click()
    expect(page.locator(".told")).to_contain_text("PA1")
    person.chooses("Servers", "Server Status")
    person.opens("PA1")
    person.sees_all_home()

    # Active mode: 18 ports and 24 on machines for 36 calls.
    person.chooses("Servers", "Server Configuration")
    person.opens("PA1")
    person.fills(number_of_media_ports="18")
    assert "6003 to 6018 come to PA1" in person.saves()
    person.opens("PA2")
    person.fills(
        route_address="6100", media_port_beginning_address="6101", number_of_media_ports="24"
    )
    page.get_by_role("button", name="What will Save do?").click()
    expect(page.locator("#preview")).to_contain_text(
        "PA2: 24 of its own + 18 of PA1 = 42 media ports on 36"
    )
    pictures("active-mode")
    person.saves()
    person.chooses("Servers", "Server Status")
    person.opens("PA1")
    person.until("18 ports", lambda: person.all_is_home("6000", "6001", "6018"))
    person.chooses("System", "Control Center")
    page.get_by_role("button", name="Stop PA1", exact=True).click()
    expect(page.locator(".told")).to_contain_text("PA1 is stopped")
    person.chooses("Servers", "Server Status")
    person.opens("PA2")
    warning = "holds 42 media ports, and may have 36 calls at once"
    person.until("42 ports on 36", lambda: warning in person.reads())

    # 36 callers talk, each at a port of its own; the next one hears busy, and six ports are free.
    with Crowd(CALL_MANAGER, [f"SEP00000000{each}" for each in PHONES[:37]], "127.0.0.20") as crowd:
        talks = [crowd.calls(number) for number in ("6000", "6100") * 18]
        ports = (*range(6001, 6019), *range(6101, 6125))
        assert len({*talks} & {*map(str, ports)}) == 36, talks
        assert crowd.calls("6100") == "busy"
        person.until("18 of 24", lambda: "Media Ports in Use 18 of 24" in person.status())
        assert "With Those of PA1 36 of 42" in person.status()
        reason = f"{warning}: it has them, so the next caller hears busy"
        person.until("why the next one hears busy", lambda: reason in person.reads())
        pictures("capacity")
    person.until("no call", lambda: "With Those of PA1 0 of 42" in person.status())


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_the_steps_of_the_document_show_what_the_document_shows(
    browser: Browser, tmp_path: Path, scripts: bool
) -> None:
    with administration("--empty") as (address, password):
        context = browser.new_context(viewport=WIDE, java_script_enabled=scripts)
        person = Person(context.new_page(), address, scripts=scripts)
        person.logs_in(password)
        takes = "SCREENSHOTS" in os.environ and scripts

        def pictures(name: str) -> None:
            if takes:
                picture(person.page, f"{name}.png")

        walk(person, pictures, tmp_path)
        assert person.troubles == []
        context.close()


def walk_beyond(person: Person, pictures: Pictures) -> None:
    """What came after the document: orders, faults, alarms, history, accounts, tokens, audit."""
    page = person.page

    # An order with a deadline, told in the server's row until it is taken back.
    page.goto(f"{person.address}server-status?server=PA1")
    person.sees_all_home()
    person.chooses("System", "Control Center")
    page.get_by_role("link", name="More orders for PA1").click()
    page.locator("#drain-deadline").fill("soon")
    page.get_by_role("button", name="Drain PA1", exact=True).click()
    expect(page.locator("#drain-why")).to_contain_text("whole number of seconds")
    pictures("orders")
    page.locator("#drain-deadline").fill("600")
    page.get_by_role("button", name="Drain PA1", exact=True).click()
    expect(page.locator(".told")).to_contain_text("PA1")
    person.until("the order stands in the row", lambda: "drain" in person.reads().lower())
    page.get_by_role("button", name="Undo drain of PA1").click()
    expect(page.locator(".told")).to_contain_text("PA1")
    person.chooses("Servers", "Server Status")
    person.opens("PA1")
    person.sees_all_home()

    # A server that stands still is an alarm, and a takeover on Cluster.
    page.get_by_role("link", name="Demo", exact=True).click()
    page.get_by_role("button", name="Stop PA1 dead").click()
    person.until("PA1 stands still", lambda: "stands still" in person.reads())
    pictures("faults")
    person.chooses("System", "Alarms")
    person.until("an alarm", lambda: page.locator(".alarm").count() > 0)
    pictures("alarms")
    person.chooses("System", "Cluster")
    page.get_by_role("link", name="10 minutes").click()
    person.until("PA2 stands in", lambda: "at a stand-in" in person.reads())
    pictures("cluster")
    page.get_by_role("link", name="Demo", exact=True).click()
    page.get_by_role("button", name="Let PA1 go on").click()
    page.goto(f"{person.address}server-status?server=PA1")
    person.sees_all_home()

    # A spare is restarted by its agent.
    person.chooses("System", "Control Center")
    page.get_by_role("link", name="Rolling restart…").click()
    page.get_by_label("PA2", exact=True).check()
    page.get_by_role("button", name="Restart", exact=True).click()
    pictures("restart")
    person.until("it is restarted", lambda: "All were restarted" in person.reads())
    page.goto(f"{person.address}server-status?server=PA1")
    person.sees_all_home()

    # What servers have traced so far, and what has no page in the document.
    person.chooses("System", "Traces")
    person.until("there is something", lambda: page.locator("table.traces tr").count() > 1)
    pictures("traces")
    person.chooses("System", "Cluster Settings")
    page.locator("details.more summary").click()
    person.fills(hold="0.5")
    page.get_by_role("button", name="What will Save do?").click()
    person.until("it is refused", lambda: "stop PA1 first" in person.reads())
    pictures("cluster-settings")

    # A revision is compared with the one before, and taken back as a new one.
    person.chooses("Servers", "Server Configuration")
    person.opens("PA2")
    page.locator("details.more summary").click()
    person.fills(capacity="30")
    person.saves()
    person.chooses("System", "Configuration History")
    assert "present" in person.reads()
    pictures("configuration-history")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("From revision")
    person.chooses("System", "Configuration History")
    page.get_by_role("link", name=re.compile("Make revision 1 the present")).click()
    page.get_by_role("button", name=re.compile("Make it present again")).click()
    expect(page.locator(".told")).to_contain_text("Revision 1 is the present one again")

    # Another account and a token; the audit log has all of it.
    person.chooses("Session", "Accounts")
    page.locator("#name").fill("anna")
    page.locator("#role").select_option("operator")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".told")).to_contain_text("The password of anna")
    person.chooses("Session", "Accounts")
    pictures("accounts")
    person.chooses("Session", "API Tokens")
    page.locator("#name").fill("billing")
    page.get_by_role("button", name="Make", exact=True).click()
    expect(page.locator(".told")).to_contain_text("The token of billing")
    person.chooses("Session", "API Tokens")
    pictures("tokens")
    person.chooses("Session", "Audit Log")
    said = person.reads()
    for deed in ("anna", "billing", "made revision 1 the present one again"):
        assert deed in said
    pictures("audit")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_the_pages_beyond_the_document_do_what_they_say(browser: Browser, scripts: bool) -> None:
    with administration() as (address, password):
        context = browser.new_context(viewport=WIDE, java_script_enabled=scripts)
        person = Person(context.new_page(), address, scripts=scripts)
        person.logs_in(password)
        takes = "SCREENSHOTS" in os.environ and scripts

        def pictures(name: str) -> None:
            if takes:
                picture(person.page, f"{name}.png")

        walk_beyond(person, pictures)
        assert person.troubles == []
        context.close()


def test_every_page_is_usable_on_a_small_screen_and_by_everybody(browser: Browser) -> None:
    """By everybody: axe finds nothing, in light and dark, wide and narrow."""
    with administration() as (address, password):
        found: dict[str, object] = {}
        for scheme, size in (("light", WIDE), ("dark", WIDE), ("light", NARROW)):
            context = browser.new_context(viewport=size, color_scheme=scheme)
            person = Person(context.new_page(), address, scripts=True)
            page = person.page
            page.goto(address)
            found |= violations(page, f"login {scheme}")
            person.logs_in(password)
            page.goto(f"{address}server-status?server=PA1")
            person.sees_all_home()
            for path in PAGES:
                page.goto(address + path)
                found |= violations(page, f"{path} {scheme} {size['width']}")
                overflow = page.evaluate(
                    "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                )
                assert overflow <= 0, f"{path} is wider than {size['width']} pixels"
                if "SCREENSHOTS" in os.environ and path in PICTURES[scheme, size["width"]]:
                    kind = "dark" if scheme == "dark" else "narrow"
                    name = path.partition("?")[0].rpartition("/")[2]
                    picture(page, f"{name}-{kind}.png")
            assert person.troubles == []
            context.close()
        assert found == {}


def test_the_menus_are_used_by_keyboard_alone_also_far_away(
    browser: Browser,
) -> None:
    with administration("--empty") as (address, password):
        context = browser.new_context(viewport=WIDE)
        person = Person(context.new_page(), address, scripts=True)
        far = {"offline": False, "latency": 500, "downloadThroughput": -1, "uploadThroughput": -1}
        network = context.new_cdp_session(person.page)
        network.send("Network.emulateNetworkConditions", far)
        network.send("Network.setCacheDisabled", {"cacheDisabled": True})
        person.logs_in(password)
        page = person.page
        servers = page.locator("summary", has_text="Servers")
        entry = page.get_by_role("link", name="Server Configuration", exact=True)
        servers.focus()
        page.keyboard.press("Enter")
        expect(entry).to_be_visible()
        page.keyboard.press("Escape")
        expect(entry).to_be_hidden()
        expect(servers).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(entry).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Server Configuration")
        page.locator("#server_name").focus()
        page.keyboard.type("PA1")
        page.keyboard.press("Tab")
        page.keyboard.type("127.0.0.11")
        page.keyboard.press("Enter")
        expect(page.locator(".told")).to_contain_text("Saved as revision 1")
        context.close()


def test_a_page_that_follows_the_cluster_says_when_it_cannot(browser: Browser) -> None:
    with administration() as (address, password):
        context = browser.new_context(viewport=WIDE)
        person = Person(context.new_page(), address, scripts=True)
        person.logs_in(password)
        person.chooses("System", "Control Center")
        person.until("it follows", lambda: "normal" in person.reads())
        notice = person.page.get_by_role("alert")
        assert notice.count() == 0
    expect(notice).to_contain_text("may be out of date")
    context.close()


PICTURES = {
    ("light", 1280): (),
    ("dark", 1280): ("control-center", "cluster"),
    ("light", 390): (
        "server-status?server=PA1",
        "server-configuration?server=PA1",
        "control-center",
        "telephony?provider=PA1jtapi",
        "speech-services",
        "cluster",
        "alarms",
        "configuration-history",
        "control-center/orders?server=PA1",
        "control-center/restart",
        "accounts",
        "tokens",
        "audit",
        "demo/faults",
    ),
}


def violations(page: Page, where: str) -> dict[str, object]:
    found = Axe().run(page).response["violations"]
    return {f"{where}: {each['id']}": [node["html"] for node in each["nodes"]] for each in found}


def picture(page: Page, name: str) -> None:
    folder = Path(os.environ["SCREENSHOTS"])
    folder.mkdir(parents=True, exist_ok=True)
    page.wait_for_timeout(1500)  # until what has changed is no longer marked
    page.screenshot(path=folder / name, full_page=True)
