"""What strangers do to a real call manager, point by point; what it costs the others is printed.

Each act (stage.py) measures a quiet phone and a quiet application while somebody is hostile, and
judges that the process is there, that the quiet were served, and that memory and descriptors came
back. ``make hostile`` runs these, and the tests of clauses.py.
"""

from __future__ import annotations

import contextlib
import datetime
import itertools
import random
import resource
import socket
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path

import pytest
import trio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from flood import (  # bench/flood.py
    CAPABILITIES,
    CTI_FLOODS,
    CTI_STRANGER,
    SCCP_FLOODS,
    SCCP_STRANGER,
    Answers,
    Crowd,
    Loud,
    Nonstop,
    strangers,
)
from loopback import HOST
from registrar import SILENCE, Habits, Load, Phone, frames  # bench/registrar.py
from stage import (
    APPLICATIONS,
    FIRST,
    KEEPS_TIME,
    SHARED,
    SHARED_NUMBER,
    Row,
    Stage,
    device_name,
    number_of,
)
from strangers import (
    CROWD,
    HEARTBEAT,
    INIT,
    KEEP_ALIVE,
    LONG_CTI,
    LONG_SCCP,
    PASSWORD,
    REGISTER_ACK,
    REGISTER_REJECT,
    USER,
    Application,
    ask_for_name,
    ask_for_token,
    asked_to_register,
    connected,
    crowd,
    for_seconds,
    guess,
    let_go,
    requests,
    reset,
    say,
)

from pa_telephony import rtp, sccp
from pa_telephony.cti import messages as cti
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import DCallState

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]
SECONDS = 4.0
ALICE, BOB, CAROL = FIRST, FIRST + 1, FIRST + 2
QUICK = sccp.StationConfig(first_back_off=0.05, longest_back_off=0.2, stand_by=False)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    """One call manager for all scenarios that need no other."""
    with Stage(tmp_path_factory.mktemp("stage")) as stage:
        yield stage
        assert stage.stop() == 0


@contextlib.asynccontextmanager
async def a_call(stage: Stage, first_port: int = 42000) -> AsyncGenerator[sccp.Call]:
    """Alice talks to Bob; both have sound."""

    async def answer(call: sccp.Call) -> None:
        async with call.answer():
            await trio.sleep_forever()

    async with (
        rtp.open_engine(address=HOST, first_port=first_port) as engine,
        sccp.open_media_port(
            device_name(ALICE), stage.sccp, engine=engine, port_index=0, config=QUICK
        ) as alice,
        sccp.open_media_port(
            device_name(BOB), stage.sccp, engine=engine, port_index=1, config=QUICK
        ) as bob,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(bob.serve, answer)
        async with alice.call(number_of(BOB)) as call:
            await call.wait_connected()
            yield call
        nursery.cancel_scope.cancel()


def hold_amid(stage: Stage, row: Row, hostile: Callable[[], object]) -> None:
    """A call is up; strangers are hostile; it is put on hold, hears the tone, and goes on."""

    async def main() -> None:
        with trio.fail_after(60):
            async with a_call(stage) as call:
                await trio.to_thread.run_sync(hostile)
                await call.hold()
                await trio.sleep(1.0)
                await call.resume()
                assert call.connected
                row.note("a call was held and taken back")

    trio.run(main)


@contextlib.contextmanager
def loud(stage: Stage) -> Generator[Crowd]:
    """Scripted phones and applications (bench/flood.py), which leave in the end."""
    load = Load(stage, Habits(calls=1, sound=False, rings=0.0))  # type: ignore[arg-type]
    everybody = Crowd(stage, load)  # type: ignore[arg-type]
    try:
        yield everybody
    finally:
        for key in list(everybody._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        everybody._selector.close()
        load.close()


def go_on(everybody: Crowd, seconds: float = SECONDS) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        everybody.go_on()


class Stays(Nonstop):
    """A phone whose call stays up after it was answered."""

    up = False

    def state(self, phone: Phone, state: int, reference: int) -> None:
        if state == DCallState.CONNECTED:
            self.up = True
        elif state == DCallState.OFF_HOOK:
            super().state(phone, state, reference)


# 1. Descriptors.


@pytest.mark.parametrize("files", [64, 1024])
def test_1_strangers_take_all_descriptors_and_a_call_is_held(tmp_path: Path, files: int) -> None:
    with Stage(tmp_path, files=files) as stage:
        many = files + 76
        what = f"{many} strangers, {files} descriptors, a hold"
        with stage.act("1", what, may_lose=True) as row, crowd(stage.address, 0) as streams:

            def come() -> None:
                for _ in range(many):
                    streams.append(connected(stage.address))
                    say(streams[-1], KEEP_ALIVE)
                time.sleep(SECONDS / 2)

            hold_amid(stage, row, come)
            row.note(f"{many - let_go(streams)} of them stayed")
        assert f"this process may open {files} files only" in stage.log


def test_1_descriptors_run_out_again_and_again(stage: Stage) -> None:
    """Not by connections: what the process asks for itself is refused, too."""
    with stage.act("1", "no descriptor to be had, half of the time", may_lose=True) as row:
        dice = random.Random(1)

        def refuse_for_a_while() -> None:
            there = stage.descriptors()
            stage.allow(resource.RLIMIT_NOFILE, max(there + dice.randrange(-3, 2), 8))
            with crowd(stage.address, 3, ask_for_name(device_name(FIRST + dice.randrange(50)))):
                time.sleep(0.1)
            stage.allow(resource.RLIMIT_NOFILE, -1)

        row.note(f"{for_seconds(2 * SECONDS, refuse_for_a_while, 0.1)} times")


# 2. The trace.


@pytest.mark.parametrize("kind", ["pcap", "jsonl"])
def test_2_the_disk_of_the_trace_is_full(tmp_path: Path, kind: str) -> None:
    """The system lets the process write no file beyond so many bytes, as a full disk does."""
    trace = tmp_path / f"trace.{kind}"
    with Stage(tmp_path, "--trace", str(trace)) as stage:
        stage.until(lambda: trace.stat().st_size > 0, "a trace is written")
        with stage.act("2", f"the disk is full: trace as {kind}, a hold") as row:
            stage.allow(resource.RLIMIT_FSIZE, trace.stat().st_size)

            def fill() -> None:
                with crowd(stage.address, 20, KEEP_ALIVE * 500):
                    time.sleep(SECONDS / 2)

            hold_amid(stage, row, fill)
            stage.allow(resource.RLIMIT_FSIZE, -1)
            stage.until(lambda: "is written again" in stage.log, "the trace goes on")
        assert stage.log.count("what cannot be written is left out") == 1
        row.note(f"mode {trace.stat().st_mode & 0o777:o}")
        assert stage.stop() == 0


def test_2_connections_that_are_over_are_forgotten_by_a_trace(tmp_path: Path) -> None:
    what = "strangers come and go, traced as pcap"
    with (
        Stage(tmp_path, "--trace", str(tmp_path / "trace.pcap")) as stage,
        stage.act("2", what, room=16) as row,
    ):
        gone = for_seconds(SECONDS, lambda: connected(stage.address).close())
        row.note(f"{gone} connections")


# 3. A live phone's name.


def test_3_a_live_name_is_asked_for_again_and_again(stage: Stage) -> None:
    """Its phone keeps its interval of one second exactly."""
    with connected(stage.address) as phone, stage.act("3", "a live phone's name is wanted") as row:
        phone.sendall(ask_for_name(device_name(KEEPS_TIME)))
        assert int.from_bytes(phone.recv(12, socket.MSG_WAITALL)[8:12], "little") == REGISTER_ACK
        over = threading.Event()

        def keep_alive() -> None:
            due = time.monotonic()
            while not over.wait(max(0.0, due - time.monotonic())):
                due += 1.0
                phone.sendall(KEEP_ALIVE)

        beating = threading.Thread(target=keep_alive)
        beating.start()
        told: list[int] = []
        for_seconds(
            10.0,
            lambda: told.append(asked_to_register(stage.address, KEEPS_TIME, "127.0.0.7")),
            0.02,
        )
        over.set()
        beating.join()
        row.note(f"asked {len(told)} times, rejected {told.count(REGISTER_REJECT)}")
        assert REGISTER_ACK not in told
        assert not let_go([phone])


# 5. Terminals.


def test_5_nothing_of_a_peer_reaches_the_terminal_raw(stage: Stage) -> None:
    escape = "\x1b]0;mine\x07\x1b[2J\x9b31m"
    with stage.act("5", "names and texts full of escapes") as row:
        for index in range(20):
            name = f"{escape}{index}"[:15]
            with connected(stage.address) as stream:
                say(stream, ask_for_name(name) + ask_for_token(name))
                time.sleep(0.05)
            with connected(stage.cti_address) as stream:
                say(stream, INIT[:-8] + escape.encode("latin-1") * 10)
            guess(stage.cti_address, escape, escape, "127.0.0.8")
    raw = stage.log_file.read_bytes()
    row.note(f"{len(raw)} bytes of log")
    assert raw
    assert not set(raw) & (set(range(32)) - {10})
    assert "\x9b" not in raw.decode()


# 6. Before the login.


def test_6_a_mebibyte_before_the_login_from_each_of_480(stage: Stage) -> None:
    """Whole ones, and ones that lack their last byte."""
    with stage.act("6", "480 x 1 MiB before a login, both servers", room=80) as row:
        streams: list[socket.socket] = []
        with contextlib.ExitStack() as stack:
            for address, data in ((stage.address, LONG_SCCP), (stage.cti_address, LONG_CTI)):
                for cut in (len(data), len(data) - 1):
                    streams += stack.enter_context(crowd(address, 120, sources=CROWD))
                    for stream in streams[-120:]:
                        stream.settimeout(2.0)
                        with contextlib.suppress(OSError):
                            stream.sendall(data[:cut])
            time.sleep(1.0)
            row.note(f"{let_go(streams)} of {len(streams)} were let go")


def certificate(directory: Path) -> Path:
    """A file with a key and a certificate."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cti")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = directory / "cti.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(pem))
    file.chmod(0o600)
    return file


def test_6_tls_that_is_never_agreed_on_and_a_flood_of_beginnings(tmp_path: Path) -> None:
    pem = certificate(tmp_path)
    settings = f'[cti_tls]\ncertificate = "{pem}"\nkey = "{pem}"\n'
    with Stage(tmp_path, "--cti-tls-port", "0", settings=settings) as stage:
        with stage.act("6, 11", "200 unfinished TLS handshakes, 16 addresses") as row:
            hello = bytes.fromhex("16030100c8010000c40303") + random.Random(6).randbytes(40)
            with crowd(stage.tls_address, 200, hello, CROWD) as streams:
                for_seconds(SECONDS, lambda: connected(stage.tls_address, "127.0.0.6").close())
                row.note(f"{len(streams) - let_go(streams)} of 200 wait")
        with (
            stage.act("6, 11", "60 unfinished TLS handshakes of one address") as row,
            crowd(stage.tls_address, 60, hello, ["127.0.0.6"]) as streams,
        ):
            time.sleep(1.0)
            row.note(f"{len(streams) - let_go(streams)} of 60 wait")


# 7. Products of limits.


def test_7_one_user_opens_one_line_1000_times_in_each_of_8_sessions(stage: Stage) -> None:
    with (
        stage.act("7", "8 sessions want 1,000 handles of a line, called") as row,
        loud(stage) as us,
    ):
        us.load.register(range(ALICE, CAROL), 2)
        opening = cti.LineOpenRequest(device_name=device_name(ALICE), line_name=number_of(ALICE))
        opened = 0
        for _ in range(8):
            watcher = Application(stage.cti_address, APPLICATIONS[0])
            us.add(Loud(watcher.stream, b""))
            watcher.stream.setblocking(True)
            for _ in range(1000):
                answer = watcher.ask(opening, cti.LineOpenResponse | cti.FailureResponse)
                opened += isinstance(answer, cti.LineOpenResponse)
            watcher.stream.setblocking(False)
        us.load.phones[ALICE].call = Answers(us.load.phones[ALICE])  # type: ignore[assignment]
        us.callers = [Nonstop(us.load.phones[BOB], number_of(ALICE))]
        us.callers[0].begin()
        go_on(us)
        calls = us.callers[0].calls
        row.note(f"{opened} handles; {calls} calls, {SECONDS / max(calls, 1) * 1000:.0f} ms each")
        assert calls


def test_7_one_user_wants_all_sessions(stage: Stage) -> None:
    with stage.act("7", "one user wants 105 sessions", room=64) as row:
        sessions: list[socket.socket] = []
        refused = 0
        for number in range(105):
            try:
                sessions.append(
                    Application(
                        stage.cti_address, APPLICATIONS[1], f"127.0.2.{number % 16 + 1}"
                    ).stream
                )
            except OSError:
                refused += 1
        row.note(f"{len(sessions)} were had, {refused} refused")
        Application(stage.cti_address, APPLICATIONS[2]).stream.close()
        for each in sessions:
            each.close()
        assert refused


def test_7_calls_held_on_a_line_that_200_share(stage: Stage) -> None:
    """Each of 52 is answered and held at the line; the others see 52 calls, and hold none."""
    with stage.act("7", "52 calls at a line that 200 share", room=96) as row, loud(stage) as us:
        us.load.register(SHARED, 50)
        us.load.register(range(FIRST, FIRST + 52), 50)
        us.callers = [
            Stays(us.load.phones[index], SHARED_NUMBER) for index in range(FIRST, FIRST + 52)
        ]
        us.load.phones[SHARED[0]].call = Answers(us.load.phones[SHARED[0]])  # type: ignore[assignment]
        for each in us.callers:
            each.begin()
            go_on(us, 0.1)
        go_on(us)
        up = sum(each.up for each in us.callers)  # type: ignore[attr-defined]
        row.note(f"{up} calls are up")

        # Somebody else's call finds room.
        async def another() -> None:
            async with (
                sccp.open_station(device_name(300), stage.sccp, config=QUICK) as one,
                sccp.open_station(device_name(301), stage.sccp, config=QUICK),
                one.call(number_of(301)) as call,
            ):
                await call.wait_for(DCallState.RING_OUT)

        done = threading.Event()

        def run() -> None:
            try:
                trio.run(another)
            finally:
                done.set()

        thread = threading.Thread(target=run)
        thread.start()
        while not done.is_set():
            go_on(us, 0.05)
        thread.join()
        assert up


# 8. Fairness.


def calling(number: str, many: int) -> Callable[[Crowd], None]:
    """So many phones call without a pause, each other or a line; the last phones answer."""

    def begin(us: Crowd) -> None:
        first = FIRST + 100
        us.load.register(range(first, first + many), 50)
        answering = SHARED if number else range(first + many, first + 2 * many)
        us.load.register(answering, 50)
        for index in answering[:1] if number else answering:
            phone = us.load.phones[index]
            phone.call = Answers(phone)  # type: ignore[assignment]
        for index in range(first, first + many):
            us.callers.append(Nonstop(us.load.phones[index], number or number_of(index + many)))
        for each in us.callers:
            each.begin()

    return begin


def phones_say(data: bytes, many: int) -> Callable[[Crowd], None]:
    def begin(us: Crowd) -> None:
        indices = range(FIRST, FIRST + many)
        us.load.register(indices, 50)
        for index in indices:
            us.add(Loud(us.load.phones[index].stream, data))

    return begin


def applications_say(data: bytes, many: int) -> Callable[[Crowd], None]:
    def begin(us: Crowd) -> None:
        for number in range(many):
            us.add(Loud(Application(us.server.cti_address, APPLICATIONS[number % 10]).stream, data))

    return begin


@pytest.mark.parametrize(
    ("what", "begin"),
    [
        ("nobody is loud", lambda us: None),
        ("50 phones call each other nonstop", calling("", 50)),
        ("50 phones call a line that 200 share", calling(SHARED_NUMBER, 50)),
        ("50 phones: off and on hook, as fast as taken", phones_say(SCCP_FLOODS["calls"], 50)),
        ("250 phones: keepalives, as fast as taken", phones_say(SCCP_FLOODS["keepalives"], 250)),
        (
            "250 applications ask for all devices",
            applications_say(CTI_FLOODS["cti all devices"], 250),
        ),
        ("250 applications ask for capabilities", applications_say(CAPABILITIES * 1000, 250)),
        ("2,000 strangers ask, SCCP", strangers("sccp", SCCP_STRANGER, 2000)),
        ("2,000 strangers ask, CTI", strangers("cti", CTI_STRANGER, 2000)),
    ],
)
def test_8_the_loud(stage: Stage, what: str, begin: Callable[[Crowd], None]) -> None:
    with stage.act("8", what, room=96) as row, loud(stage) as us:
        begin(us)
        go_on(us, 0.5)
        stage.ask_quiet()
        before = sum(each.calls for each in us.callers)
        go_on(us)
        if us.callers:
            calls = sum(each.calls for each in us.callers) - before
            row.note(f"{calls / SECONDS:.0f} calls a second")
        if us.returns:
            row.note(f"{us.returns} came back")


# 9. Guesses.


def at_once(many: int, seconds: float, what: Callable[[], object]) -> int:
    """So many threads do it again and again; how often in all."""
    counts: list[int] = []
    threads = [
        threading.Thread(target=lambda: counts.append(for_seconds(seconds, what)))
        for _ in range(many)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return sum(counts)


def test_9_passwords_are_guessed_beside_a_good_application(stage: Stage) -> None:
    """Both come from one address."""
    with stage.act("9", "8 guess passwords at a good application's address") as row:
        tried = itertools.count()
        waits: list[float] = []
        seconds = 2 * SECONDS

        def wrong() -> None:
            # The same one again would be no new guess.
            assert not guess(stage.cti_address, USER, f"wrong{next(tried)}", "127.0.0.9")

        def good() -> None:
            begun = time.monotonic()
            while not guess(stage.cti_address, USER, PASSWORD, "127.0.0.9"):
                if time.monotonic() > begun + 30:
                    return
                time.sleep(0.05)
            waits.append(time.monotonic() - begun)
            time.sleep(0.2)

        guessing = threading.Thread(target=at_once, args=(8, seconds, wrong))
        guessing.start()
        for_seconds(seconds, good)
        guessing.join()
        waits.sort()
        row.note(
            f"{next(tried) / seconds:.1f} guesses a second, looked at or not; the good one came in "
            f"{len(waits)} times, in {waits[len(waits) // 2]:.2f} s, at worst {waits[-1]:.2f}"
            if waits
            else "the good one was locked out"
        )
        assert waits


def test_9_names_of_devices_are_tried(stage: Stage) -> None:
    with stage.act("9", "8 try names of devices, one address") as row:
        found: set[int] = set()
        dice = random.Random(9)

        def name() -> None:
            there = dice.randrange(2)
            with (
                contextlib.suppress(OSError),
                connected(stage.address, "127.0.0.10") as stream,
            ):
                index = dice.randrange(FIRST, FIRST + 400) if there else dice.getrandbits(32) + 1000
                stream.sendall(ask_for_name(device_name(index)))
                stream.settimeout(2.0)
                if there and stream.recv(12, socket.MSG_WAITALL)[8:9] == bytes([REGISTER_ACK]):
                    found.add(index)

        asked = at_once(8, 2 * SECONDS, name)
        row.note(f"asked {asked} times, found {len(found)} of those that there are")


def test_9_tokens_are_asked_for_without_end(stage: Stage) -> None:
    with stage.act("9", "8 ask for tokens without end, one address") as row:
        said: list[int] = []

        def token() -> None:
            with contextlib.suppress(OSError), connected(stage.address, "127.0.0.11") as stream:
                stream.sendall(ask_for_token(device_name(random.randrange(FIRST, 400))))
                stream.settimeout(2.0)
                if len(data := stream.recv(12, socket.MSG_WAITALL)) == 12:
                    said.append(int.from_bytes(data[8:12], "little"))

        asked = at_once(8, SECONDS, token)
        acks = said.count(messages.RegisterTokenAck.id)
        row.note(f"asked {asked} times, {acks} tokens, {len(said) - acks} refusals")


# 10. RTP.


def test_10_rtp_of_strangers_at_the_tone_of_a_call_on_hold(stage: Stage) -> None:
    """The call manager's own streams have UDP ports that anybody can send to."""
    with stage.act("10", "forged RTP at the call manager's own ports") as row:
        sent = 0

        def blast() -> None:
            nonlocal sent
            dice = random.Random(10)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as forger:
                end = time.monotonic() + SECONDS
                while time.monotonic() < end:
                    for port in own_ports(stage):
                        for _ in range(100):
                            size = dice.randrange(0, 200)
                            forger.sendto(SILENCE[:8] + dice.randbytes(size), ("127.0.0.1", port))
                            sent += 1
                    time.sleep(0.005)

        async def main() -> None:
            with trio.fail_after(60):
                async with a_call(stage) as call:
                    await call.hold()
                    await trio.sleep(0.5)
                    assert own_ports(stage)
                    await trio.to_thread.run_sync(blast)
                    await call.resume()
                    assert call.connected

        trio.run(main)
        row.note(f"{sent} packets; the call went on")


def own_ports(stage: Stage) -> list[int]:
    """The UDP ports from 24576 on that the process has bound."""
    found: list[int] = []
    lines = Path(f"/proc/{stage.process.pid}/net/udp").read_text().splitlines()[1:]
    for line in lines:
        port = int(line.split()[1].rpartition(":")[2], 16)
        if 24576 <= port < 24576 + 512:
            found.append(port)
    return found


# Everything at once.


def test_garbage_cut_messages_and_resets(stage: Stage) -> None:
    """What a fuzzer says, on new connections, half of which end without a goodbye."""
    with stage.act("all", "garbage, cut messages, resets, both servers") as row:
        dice = random.Random(14)
        good = [
            frames(messages.OffHook(), messages.SoftKeySetReq()),
            ask_for_name(device_name(FIRST)),
            INIT,
            HEARTBEAT,
            requests(cti.ProviderOpenRequest(login="app", password=b"x" * 16)),
        ]

        def one() -> None:
            address = dice.choice((stage.address, stage.cti_address))
            data = dice.choice((dice.choice(good), dice.randbytes(dice.randrange(1, 400))))
            with contextlib.suppress(OSError):
                stream = connected(address, dice.choice(CROWD))
                say(stream, data[: dice.randrange(1, len(data) + 1)])
                dice.choice((reset, lambda each: each.close()))(stream)

        row.note(f"{for_seconds(2 * SECONDS, one)} connections")
