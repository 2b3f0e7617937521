"""A call manager for tests of any kind: its own thread, real TCP and UDP, phones on strings."""

from __future__ import annotations

import contextlib
import datetime
import functools
import itertools
import os
import random
import threading
import traceback
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping, Sequence
from typing import Self, TypeVar

import trio

from pa_telephony import callmanager, rtp
from pa_telephony.callmanager import (
    CallManagerConfig,
    DeviceConfig,
    DeviceKind,
    LineConfig,
    User,
    open_call_manager,
)
from pa_telephony.cti.login import Certificate, make_certificate
from pa_telephony.errors import ConfigurationError, ConnectionLost, InternalError
from pa_telephony.faults import HandlerErrors
from pa_telephony.tasks import Background, background
from pa_telephony.testing.application import Application
from pa_telephony.testing.messages import Log, Problem, Seen, message_names
from pa_telephony.testing.phone import Phone
from pa_telephony.testing.thread import (
    TrioThread,
    Unexpected,
    WaitFailed,
    check_known,
    is_told_to_the_test,
)
from pa_telephony.trace import EventRecord, PcapTrace, Record, RtpRecord

__all__ = ["CallManager"]

__tracebackhide__ = is_told_to_the_test

T = TypeVar("T")

_SCCP_PORT, _CTI_PORT = 2000, 2748
_FIRST_MEDIA_PORT = 32000
_PLACES = 3
_MAX_RECORDS = 200_000
"""How many frames, and as many RTP packets, are kept for the pcap: 40 phones for 100 s."""
_SHOWN = 8


class CallManager:
    """A call manager in a thread of its own, for synchronous tests; a context manager.

    It listens on the well-known ports, SCCP 2000 and CTI 2748, of a loopback address that it
    chooses for itself (127.x.y.z), because Cisco's JTAPI client cannot be told a port (observed: it
    takes "host:port" for an IPv6 address). So any number of them run at the same time. Where the
    system has 127.0.0.1 only, or another program listens on these ports of all addresses, it takes
    free ports of 127.0.0.1. With ``host`` it listens there, on ``sccp_port`` and ``cti_port`` (0:
    free ones), which are nothing without it: :class:`ValueError`.

    An internal error of the call manager while it serves a connection closes that connection, as it
    does in production; here it is raised as well (:meth:`raise_internal_errors`). So is the
    exception of a handler that ``serve`` gave a call to in the test's own process.

    ``timeout`` is how many seconds each wait lasts that is not told otherwise. ``config`` is the
    configuration to begin with, search spaces and timing included. Needs the extra ``testing``.
    """

    def __init__(
        self,
        config: CallManagerConfig | None = None,
        *,
        host: str | None = None,
        sccp_port: int = 0,
        cti_port: int = 0,
        timeout: float = 10.0,
    ) -> None:
        if host is None and (sccp_port or cti_port):
            raise ValueError(f"{'sccp_port' if sccp_port else 'cti_port'} goes with host")
        self.timeout = timeout
        self.thread = TrioThread(self._run, "pa-telephony call manager")
        self._config = config or CallManagerConfig()
        self._given = None if host is None else (host, sccp_port, cti_port)
        self._manager: callmanager.CallManager | None = None
        self._engine: rtp.Engine | None = None
        self._tasks: Background | None = None
        self._phones: dict[str, Phone] = {}
        self._adding = threading.RLock()
        self._applications: list[Application] = []
        self._past_applications: list[Application] = []
        self._log = Log()
        self._bugs: list[tuple[str, Exception]] = []
        """Internal errors, and those of handlers in this process, each with where it showed."""
        self._raised = 0
        self._records: deque[Record] = deque(maxlen=_MAX_RECORDS)
        self._packets: deque[Record] = deque(maxlen=_MAX_RECORDS)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self.thread.stop()
        with contextlib.suppress(ValueError):  # stopped already
            HandlerErrors.watchers.remove(self._handler_failed)
        if self.thread.failure is not None:
            if error is None:
                raise self.thread.failure
            error.add_note(f"the call manager failed: {self.thread.failure!r}")
        self.raise_internal_errors(error)

    def start(self) -> None:
        """Return when stations can register and applications log in (``with`` does it)."""
        self.thread.start()
        HandlerErrors.watchers.append(self._handler_failed)

    def stop(self) -> None:
        """Hang up and end; raises errors of the background (the end of ``with`` does it)."""
        self.__exit__(None, None, None)

    # Its addresses.

    @property
    def sccp_address(self) -> str:
        """The address where phones and media ports register, as ``host:port``."""
        return self._running.sccp_address

    @property
    def cti_address(self) -> str:
        """Where applications log in: the address alone on port 2748, ``host:port`` otherwise.

        It is what JTAPI's ``getProvider`` and :func:`pa_telephony.cti.open_provider` take.
        """
        address = self._running.cti_address
        return address.removesuffix(f":{_CTI_PORT}")

    @contextlib.contextmanager
    def application(
        self,
        command: Sequence[str | os.PathLike[str]],
        *,
        directory: str | os.PathLike[str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Generator[Application]:
        """Run the application under test while the block lasts.

        ``environment`` is added to the test's own. Waits of the call manager fail at once, with
        what the application wrote, when it has ended before its time. Raises
        :class:`ConfigurationError` when it cannot be started.
        """
        with Application(command, directory, environment) as application:
            self._applications.append(application)
            try:
                yield application
            finally:
                self._applications.remove(application)
                self._past_applications.append(application)

    # Its configuration.

    def add_user(self, name: str, password: str, devices: Sequence[str] = ()) -> None:
        """Let an application log in; ``devices`` limits what it controls (empty: everything).

        Devices are named by device name or by number. Raises :class:`ConfigurationError`.
        """
        names = tuple(self._device(each).name for each in devices)
        user = User(name=name, password=password, devices=names)
        self._call(lambda: self._running.add_user(user))

    def add_route_point(
        self,
        number: str,
        *,
        name: str = "",
        forward_busy: str = "",
        forward_no_answer: str = "",
        forward_failure: str = "",
        partition: str = "",
        search_space: str = "",
    ) -> str:
        """Add a route point with a number or a pattern (``5XXX``); gives the device's name.

        ``forward_failure`` is where calls go while no application serves it,
        ``forward_no_answer`` where they go when none routes the call in time.
        """
        line = LineConfig(
            number=number,
            partition=partition,
            search_space=search_space,
            forward_busy=forward_busy,
            forward_no_answer=forward_no_answer,
            forward_failure=forward_failure,
        )
        return self._add(DeviceKind.ROUTE_POINT, name or f"RP-{number}"[:15], line)

    def add_cti_port(self, number: str, *, name: str = "") -> str:
        """Add a CTI port, which an application registers; gives the device's name."""
        line = LineConfig(number=number)
        return self._add(DeviceKind.CTI_PORT, name or f"CTIP-{number}"[:15], line)

    def add_media_port(self, number: str, *, name: str = "") -> str:
        """Add a media port of the application under test, which registers by SCCP itself."""
        line = LineConfig(number=number, max_calls=1)
        return self._add(DeviceKind.MEDIA_PORT, name or f"MP-{number}"[:15], line)

    def add_phone(
        self,
        number: str,
        *,
        name: str = "",
        display_name: str = "",
        forward_all: str = "",
        forward_busy: str = "",
        forward_no_answer: str = "",
        partition: str = "",
        search_space: str = "",
        max_calls: int = 2,
    ) -> Phone:
        """Add a phone and register it: a station of ours over TCP, with sound over RTP."""
        line = LineConfig(
            number=number,
            name=display_name,
            partition=partition,
            search_space=search_space,
            forward_all=forward_all,
            forward_busy=forward_busy,
            forward_no_answer=forward_no_answer,
            max_calls=max_calls,
        )
        with self._adding:
            self._add(DeviceKind.PHONE, name or f"SEP{number:0>12}"[:15], line)
            return self.phone(number)

    def add_device(self, device: DeviceConfig) -> None:
        """Add any device; raises :class:`ConfigurationError`, and nothing has changed then."""
        self._call(lambda: self._running.add_device(device))

    def phone(self, number: str) -> Phone:
        """The phone of this number, registered; it is added when there is none."""
        with self._adding:
            if number not in self._phones:
                if not self._lines(number):
                    return self.add_phone(number)
                device = self._device(number)
                if device.kind is not DeviceKind.PHONE:
                    raise ConfigurationError(f"{number} is a {device.kind.value}, and no phone")
                assert self._engine is not None
                phone = Phone(self, self._running, self._engine, device.name, number)
                self._phones[number] = phone
            phone = self._phones[number]
        self.thread.run(phone.start)
        return phone

    # Waits for what goes on.

    def registered(self, device: str) -> bool:
        """Whether a device (its name or number) is registered, or in service."""
        return self._running.calls.is_registered(self._device(device).name)

    def wait_for_registration(self, device: str, *, timeout: float | None = None) -> None:
        """Wait until a device (its name or number) is registered."""
        found = self._device(device)
        self._wait(
            lambda: self._running.calls.is_registered(found.name),
            f"{found.kind.value} {found.name} to be registered",
            timeout,
        )

    def wait_for_provider(self, user: str, *, timeout: float | None = None) -> None:
        """Wait until an application has logged in as ``user``.

        Its route points come in service later: see :meth:`wait_for_route_point`.
        """
        if user not in (each.name for each in self._running.config.users):
            raise ConfigurationError(f"no user {user}: add_user comes first")
        self._wait(
            lambda: user in self._running.applications, f"user {user} to be logged in", timeout
        )

    def wait_for_route_point(self, number: str, *, timeout: float | None = None) -> None:
        """Wait until an application is told of the calls at a route point.

        Cisco's client registers first and asks for calls afterwards; it leaves a call that comes in
        between alone (observed).
        """
        found = self._device(number)
        self._wait(
            lambda: self._running.is_served(found.name),
            f"route point {number} to be served",
            timeout,
        )

    def wait_for_message(self, name: str, *, after: int = 0, timeout: float | None = None) -> Seen:
        """Wait for a message of this name; the first ``after`` messages do not count.

        Raises :class:`ValueError` for a name that no message has.
        """
        self._check_message(name)
        self._wait(lambda: self._messages(name, after), f"a {name}", timeout)
        return self._messages(name, after)[0]

    def drop_connections(self) -> None:
        """Close every connection, as a restart does; phones and applications come back."""
        self._call(self._running.drop_connections)

    # The messages that were seen.

    def messages(self, name: str = "") -> list[Seen]:
        """The messages that the call manager has sent and received so far, or those of one name.

        Raises :class:`ValueError` for a name that no message has.
        """
        if name:
            self._check_message(name)
        return self._messages(name, 0)

    @property
    def problems(self) -> list[Problem]:
        """All problems so far, of which :meth:`check` raises those that are not allowed."""
        return list(self._log.problems)

    def check(self, allow: Sequence[str] = ()) -> None:
        """Raise :class:`Unexpected` when something was seen that should not have been.

        That is: undecodable frames, unknown and misdirected messages, broken protocol, refused
        registrations and logins, refused requests, sound that cannot come. ``allow`` names what the
        test provokes: each entry is a kind of :class:`Problem` or a part of its text, such as a
        message's name.
        """
        wrong = [
            problem
            for problem in self.problems
            if not any(each == problem.kind or each in problem.text for each in allow)
        ]
        if wrong:
            raise Unexpected("\n".join(["seen on the wire:", *(f"  {each}" for each in wrong)]))

    def raise_internal_errors(self, instead_of: BaseException | None = None) -> None:
        """Raise :class:`InternalError` for internal errors that were not raised yet.

        And for bugs of handlers of calls in this process, which end nothing but their calls.
        Its ``__cause__`` is the first of them; the others are its notes. Where an exception is on
        its way already, all are notes of that one, and nothing is raised. The end of the block
        does it, and the fixture as soon as the test's own code is done.
        """
        bugs = self._bugs[self._raised :]
        self._raised += len(bugs)
        if not bugs:
            return
        where, first = bugs[0]
        raised = instead_of or InternalError(f"{where}: {type(first).__name__}: {first}")
        for where, bug in bugs if instead_of else bugs[1:]:
            raised.add_note("".join([f"{where}:\n", *traceback.format_exception(bug)]))
        if instead_of is None:
            raise raised from first

    def save_pcap(self, path: str | os.PathLike[str]) -> None:
        """Write what the call manager and its phones have sent, for Wireshark."""

        def everything() -> list[Record]:
            return [*self._records, *self._packets]

        records = self._call(everything) if self.thread.alive else everything()
        # The keys in it were pressed by the test.
        with PcapTrace(path, keyed=True) as pcap:
            for record in sorted(records, key=lambda record: record.time):
                pcap(record)

    # In the thread.

    def start_soon(self, function: Callable[..., Awaitable[object]], *arguments: object) -> None:
        """Run a task beside the call manager."""
        assert self._tasks is not None
        self._tasks.start_handler(function, *arguments)

    async def _run(self, ready: Callable[[], None], stopping: trio.Event) -> None:
        async with contextlib.AsyncExitStack() as stack:
            self._manager = await self._open(stack)
            host = self._manager.sccp_address.rpartition(":")[0]
            own = self._given is None and host != "127.0.0.1"
            # An address of its own has every port free; elsewhere other programs may use some.
            first = _FIRST_MEDIA_PORT if own else random.randrange(10_000, 30_000, 2)
            self._engine = await stack.enter_async_context(
                rtp.open_engine(address=host, first_port=first, trace=self._record)
            )
            # Left first: a phone that finds itself cut off would warn of it.
            self._tasks = await stack.enter_async_context(background())
            ready()
            await stopping.wait()

    async def _open(self, stack: contextlib.AsyncExitStack) -> callmanager.CallManager:
        for place, (host, sccp_port, cti_port) in enumerate(self._places(), 1):
            opened = open_call_manager(
                self._config,
                host=host,
                sccp_port=sccp_port,
                cti_port=cti_port,
                certificate=_certificate(),
                trace=self._record,
            )
            try:
                return await stack.enter_async_context(opened)
            except ConnectionLost:
                if self._given is not None or place > _PLACES:
                    raise
        raise AssertionError("there is always a place")

    def _places(self) -> Iterator[tuple[str, int, int]]:
        if self._given is not None:
            yield self._given
            return
        for _ in range(_PLACES):
            host = ".".join(str(random.randint(1, 254)) for _ in range(3))
            yield f"127.{host}", _SCCP_PORT, _CTI_PORT
        yield "127.0.0.1", 0, 0

    def _record(self, record: Record) -> None:
        if isinstance(record, RtpRecord):
            self._packets.append(record)
            return
        self._records.append(record)
        self._log.feed(record)
        if isinstance(record, EventRecord) and record.error is not None:
            self._bugs.append(("in the call manager, while it served somebody", record.error))
        self.thread.ring()

    # Called outside of it.

    def _handler_failed(self, error: Exception) -> None:
        self._bugs.append(("in a handler of calls", error))

    @property
    def _running(self) -> callmanager.CallManager:
        if self._manager is None:
            raise RuntimeError("the call manager is not running: use it as a context manager")
        return self._manager

    def _call(self, function: Callable[[], T]) -> T:
        return self.thread.run_sync(function)

    def _add(self, kind: DeviceKind, name: str, line: LineConfig) -> str:
        self.add_device(DeviceConfig(name=name, kind=kind, lines=(line,)))
        return name

    def _lines(self, number: str) -> list[DeviceConfig]:
        return [
            device
            for device in self._running.config.devices
            if number in (line.number for line in device.lines)
        ]

    def _device(self, name: str) -> DeviceConfig:
        """Find a device by its name or by its number."""
        for device in self._running.config.devices:
            if device.name == name:
                return device
        for device in self._lines(name):
            return device
        raise ConfigurationError(f"no device has the name or number {name}")

    def _check_message(self, name: str) -> None:
        # What nobody knows is called "Unknown(0x1234)", and what cannot be decoded "undecodable".
        if name != "undecodable" and not name.startswith("Unknown("):
            check_known("message", name, message_names())

    def absent(self, number: str) -> str:
        """The words "1002 is not registered" when no device with the number is; "" otherwise."""
        devices = self._lines(number)
        calls = self._running.calls
        if not devices or any(calls.is_registered(device.name) for device in devices):
            return ""
        return f"{number} is not registered"

    def _messages(self, name: str, after: int) -> list[Seen]:
        seen = self._log.messages[after:]
        return [each for each in seen if name in ("", each.name)]

    def _wait(self, condition: Callable[[], object], what: str, timeout: float | None) -> None:
        seconds = self.timeout if timeout is None else timeout

        def decided() -> bool:
            gone = any(each.status is not None for each in self._applications)
            return bool(condition()) or gone or len(self._bugs) > self._raised

        if not self.thread.wait_until(decided, seconds):
            raise WaitFailed(f"waited {seconds:g} s for {what}\n{self.report()}")
        if not self._call(condition):
            self.raise_internal_errors()
            raise WaitFailed(f"waited in vain for {what}\n{self.report()}")

    def report(self) -> str:
        """A text with the present registrations and the last messages, for people."""
        manager = self._running
        registered = [device for device in manager.devices() if device.registered]
        names = ", ".join(f"{each.name} ({'/'.join(each.numbers)})" for each in registered)
        lines = [
            f"registered: {names or 'nothing'}",
            f"logged in: {', '.join(manager.applications) or 'nobody'}",
        ]
        lines += [f"problem: {problem}" for problem in self._log.problems[-_SHOWN:]]
        lines += [str(each) for each in (*self._past_applications, *self._applications)]
        seen = self._log.messages
        lines.append(f"messages: {len(seen)}" + (", the last:" if seen else ""))
        last = itertools.islice(seen, max(0, len(seen) - _SHOWN), None)
        lines += [f"  {each}" for each in last]
        return "\n".join(lines)


_making = threading.Lock()


@functools.cache
def _made() -> Certificate:
    return make_certificate("pa-telephony", valid_from=datetime.datetime.now(datetime.UTC))


def _certificate() -> Certificate:
    """The certificate of all call managers of the process: a key takes 0.1 s to make."""
    with _making:
        return _made()
