"""Fuzz a whole call manager whose system refuses it things: descriptors, disk and memory.

``python fuzz/fuzz_refused.py [libFuzzer options] [corpus]``; ``make fuzz`` does it all. A call
manager listens, traces into files, and is used by three phones and an application over TCP, whose
time passes as fast as they get through it. An input is

* one octet whose bits say what may be refused: 1 descriptors, sockets, files and modules, 2 what
  is written to a file, 4 memory;
* one octet for how many of the next are the refusals: each says how many times more something is
  had before the next is refused, also while an earlier refusal is dealt with;
* steps, as in house.py: who says what, who comes, who leaves without a word, how much time passes.

Nothing may end the call manager or stop a task of it, whatever was refused. Afterwards, when there
is enough of everything, a phone registers and an application logs in, and both are answered; when
all have left there is no session, and without refused memory no call and no descriptor either.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import gc
import logging
import os
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Any

import trio
import trio.testing
from fuzzing import fuzz, instrumented
from house import CONFIG, PHONES, House

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "hostile"))

from refusals import MEMORY, SYSTEM, WRITING, Refusals  # tests/hostile/refusals.py

with instrumented():
    from pa_telephony.callmanager import CallManager, DeviceConfig, LineConfig, open_call_manager
    from pa_telephony.cti import messages as cti
    from pa_telephony.cti.connection import Role, WireConnection
    from pa_telephony.cti.login import make_certificate, seal_password
    from pa_telephony.sccp import messages as sccp
    from pa_telephony.sccp.enums import MediaStatus
    from pa_telephony.trace import JsonLinesTrace, PcapTrace, tee

QUIET = "Q"
VERSION = 20
REFUSABLE = (SYSTEM, frozenset({WRITING}), frozenset({MEMORY}))
PATIENCE = 300.0
"""Seconds of the call manager's clock, which cost nothing."""
MOST_STEPS = 200
SETTINGS = CONFIG.__class__(
    devices=(*CONFIG.devices, DeviceConfig(name=QUIET, lines=(LineConfig(number="9"),))),
    users=CONFIG.users,
    park_numbers=CONFIG.park_numbers,
)


@functools.cache
def certificate() -> Any:
    now = datetime.datetime.now(datetime.UTC)
    return make_certificate("fuzz", valid_from=now)


class Doses:
    """A judge: each octet is how often something is had before the next refusal."""

    def __init__(self, octets: bytes) -> None:
        self._octets = iter(octets)
        self._left = next(self._octets, None)

    def __call__(self, kind: str, what: str) -> bool:
        if self._left is None:
            return False
        if self._left:
            self._left -= 1
            return False
        self._left = next(self._octets, None)
        return True


class Guest:
    """A phone or an application at the other end of a TCP connection."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._where = host, int(port)
        self._stream: trio.SocketStream | None = None

    async def come(self) -> None:
        """Connect, if not connected."""
        if self._stream is None:
            with contextlib.suppress(OSError):
                self._stream = await trio.open_tcp_stream(*self._where)
                await self.begin()

    async def begin(self) -> None:
        """What is said first."""

    async def say(self, data: bytes) -> None:
        if self._stream is not None:
            with trio.move_on_after(1.0) as late:
                try:
                    await self._stream.send_all(data)
                except (trio.BrokenResourceError, trio.ClosedResourceError):
                    await self.leave()
            if late.cancelled_caught:
                await self.leave()

    async def hear(self) -> bytes:
        """What comes within a moment; b"" for nothing, or the end."""
        if self._stream is None:
            return b""
        data = b""
        with trio.move_on_after(0.2) as late:
            try:
                data = bytes(await self._stream.receive_some(1 << 16))
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                data = b""
        if not data and not late.cancelled_caught:
            await self.leave()
        return data

    async def leave(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            await trio.aclose_forcefully(stream)


class Phone(Guest):
    """Registers, and answers for its channels."""

    def __init__(self, name: str, address: str) -> None:
        super().__init__(address)
        self.name = name
        self.heard: list[int] = []
        self._waiting = b""

    async def begin(self) -> None:
        self._waiting = b""
        await self.say(
            sccp.encode(sccp.RegisterReq(device_name=self.name, protocol_ver=VERSION), 0)
        )

    async def listen(self) -> None:
        """Read what there is, and say where sound may be sent to."""
        self._waiting += await self.hear()
        while len(self._waiting) >= 12:
            end = 8 + int.from_bytes(self._waiting[:4], "little")
            if len(self._waiting) < end:
                break
            frame, self._waiting = self._waiting[:end], self._waiting[end:]
            number = int.from_bytes(frame[8:12], "little")
            self.heard.append(number)
            if number == sccp.OpenReceiveChannel.id:
                asked: Any = sccp.decode(number, frame[12:], VERSION)
                await self.say(
                    sccp.encode(
                        sccp.OpenReceiveChannelAck(
                            media_reception_status=MediaStatus.OK,
                            ip_addr="127.0.0.1",
                            port_number=9,
                            pass_through_party_id=asked.pass_through_party_id,
                        ),
                        VERSION,
                    )
                )


class Application(Guest):
    """Logs in, and reads what it is told."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.logged_in = False
        self.heard: list[Any] = []
        self._connection = WireConnection(Role.CLIENT)

    async def begin(self) -> None:
        self.logged_in = False
        self._connection = WireConnection(Role.CLIENT)
        await self.ask(cti.ProviderInitRequest())
        init = await self.wait(cti.ProviderInitResponse)
        if init is not None:
            password, key = seal_password(
                CONFIG.users[0].password,
                certificate=init.certificate,
                nonce=init.nonce,
                key=secrets.token_hex(8),
            )
            await self.ask(
                cti.ProviderOpenRequest(
                    login=CONFIG.users[0].name, password=password, encrypted_key_data=key
                )
            )
            done = await self.wait(cti.ProviderOpenCompletedEvent)
            self.logged_in = done is not None and not done.reason

    async def ask(self, request: Any) -> None:
        await self.say(cti.encode(request, to_server=True))

    async def wait(self, kind: type[Any]) -> Any:
        """The next message of that kind, None if it does not come."""
        for _ in range(20):
            await self.listen()
            for message in self.heard:
                if isinstance(message, kind):
                    return message
            if self._stream is None:
                break
        return None

    async def listen(self) -> None:
        self.heard.clear()
        if data := await self.hear():
            self._connection.receive_data(data, 0.0)
            while (message := self._connection.next_event()) is not None:
                self.heard.append(message)


class Guests(House):
    """The steps of an input, said over TCP to a call manager that runs."""

    def __init__(self, data: bytes, manager: CallManager, clock: trio.testing.MockClock) -> None:
        self._data = data
        self._at = 0
        self._clock = clock
        self.calls = manager.calls
        self.lines = manager._line_side
        self._guests: list[Phone] = [Phone(name, manager.sccp_address) for name in PHONES]
        self._program = Application(manager.cti_address)

    async def play(self) -> None:
        """All steps, and then everybody goes."""
        for _ in range(MOST_STEPS):
            if self._at >= len(self._data):
                break
            await self._act()
        for each in (*self._guests, self._program):
            await each.leave()

    async def _act(self) -> None:
        who = self._octet() % 8
        if who < 3 and (phone := self._guests[who]):
            await phone.come()
            what = self._octet()
            kinds = KEYS if what < 192 else FROM_STATION
            message = self._varied(kinds[what % len(kinds)])
            with contextlib.suppress(LocalProtocolError):
                await phone.say(sccp.encode(message, VERSION))
            await phone.listen()
        elif who < 5:
            await self._program.come()
            what = self._octet()
            message = self._varied(REQUESTS[what % len(REQUESTS)])
            with contextlib.suppress(LocalProtocolError):
                await self._program.ask(message)
            await self._program.listen()
        elif who == 5:
            self._clock.jump(self._octet() / 4)
            await trio.sleep(0.0)
        elif who == 6:
            await (*self._guests, self._program)[self._octet() % 4].leave()
        else:
            octet = self._octet()
            guest = self._guests[octet % 3]
            await guest.come()
            await guest.say(bytes(self._octet() for _ in range(octet % 16)))


from house import FROM_STATION, KEYS, REQUESTS  # noqa: E402

from pa_telephony.errors import LocalProtocolError  # noqa: E402


async def served(manager: CallManager) -> None:
    """A phone registers and an application logs in, and both are answered."""
    phone = Phone(QUIET, manager.sccp_address)
    program = Application(manager.cti_address)
    try:
        with trio.fail_after(PATIENCE):
            while sccp.KeepAliveAck.id not in phone.heard:
                await phone.come()
                await phone.say(sccp.encode(sccp.KeepAliveReq(), VERSION))
                await phone.listen()
            assert sccp.RegisterAck.id in phone.heard
            while not program.logged_in:
                await program.leave()
                await program.come()
            await program.ask(cti.ProviderGetCapabilitiesRequest(sequence_number=1))
            assert await program.wait(cti.ProviderGetCapabilitiesResponse) is not None
    finally:
        await phone.leave()
        await program.leave()


def is_used(manager: CallManager) -> bool:
    return bool(manager.applications) or any(each.registered for each in manager.devices())


async def whole(
    steps: bytes,
    refusals: Refusals,
    directory: Path,
    clock: trio.testing.MockClock,
    *,
    no_memory_refused: bool,
) -> None:
    with (
        PcapTrace(directory / "trace.pcap", limit=1 << 14) as packets,
        JsonLinesTrace(directory / "trace.jsonl", limit=1 << 14) as lines,
    ):
        async with open_call_manager(
            SETTINGS,
            sccp_port=0,
            cti_port=0,
            certificate=certificate(),
            trace=tee(packets, lines),
        ) as manager:
            (server,) = (
                task
                for nursery in trio.lowlevel.current_task().child_nurseries
                for task in nursery.child_tasks
            )
            refusals.guard(server)
            with refusals.installed():
                refusals.arm()
                await Guests(steps, manager, clock).play()
                refusals.disarm()
            await served(manager)
            with trio.move_on_after(PATIENCE):
                while is_used(manager):  # noqa: ASYNC110
                    await trio.sleep(1.0)
            assert not manager.applications
            if no_memory_refused:
                assert not any(each.registered for each in manager.devices())
                assert not manager.calls.legs


def one_input(data: bytes) -> None:
    """One run."""
    if len(data) < 2:
        return
    kinds = frozenset[str]().union(
        *(some for bit, some in enumerate(REFUSABLE) if data[0] >> bit & 1)
    )
    refusals = Refusals(Doses(data[2 : 2 + data[1]]), kinds, one_at_a_time=False)
    clock = trio.testing.MockClock(autojump_threshold=0.001)
    before = len(os.listdir("/proc/self/fd"))
    logging.disable(logging.CRITICAL)
    try:
        with tempfile.TemporaryDirectory() as directory:
            trio.run(
                functools.partial(
                    whole,
                    data[2 + data[1] :],
                    refusals,
                    Path(directory),
                    clock,
                    no_memory_refused=MEMORY not in kinds,
                ),
                clock=clock,
                instruments=[refusals],
            )
    finally:
        logging.disable(logging.NOTSET)
    if MEMORY not in kinds:
        gc.collect()
        assert len(os.listdir("/proc/self/fd")) <= before


if __name__ == "__main__":
    fuzz(one_input)
