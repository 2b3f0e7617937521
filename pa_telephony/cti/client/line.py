"""A line that is open at a CTI manager, whatever it is used for; renewed with every session."""

from __future__ import annotations

import abc
import contextlib
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

import trio

from pa_telephony.cti import messages
from pa_telephony.cti.client.link import Answer, ProviderConfig
from pa_telephony.cti.enums import CTIFAILURE, LINEAUTOACCEPTSTATUS
from pa_telephony.cti.messages.base import CtiMessage
from pa_telephony.cti.messages.structs import LineEventFilter
from pa_telephony.errors import ConnectionLost, RequestFailed
from pa_telephony.faults import HandlerErrors

__all__ = ["CALLS", "LineOwner", "OpenLine"]

_LOG = logging.getLogger("pa_telephony.cti")
CALLS = LineEventFilter(
    call_state_changed=True,
    dtmf=True,
    global_call_handle_changed=True,
    party_info_changed=True,
    b_existing_call_event=True,
    b_new_call_event=True,
    b_line_cfwd_all_status=True,
    b_transfer_started=True,
    b_transfer_ended=True,
    b_conference_started=True,
    b_conference_ended=True,
)
"""The events that we want of a line whose calls we control."""
_NOT_OPEN = frozenset(
    {
        CTIFAILURE.DEVICE_NOT_OPEN,
        CTIFAILURE.INVALID_LINE_HANDLE,
        CTIFAILURE.ILLEGAL_HANDLE,
        CTIFAILURE.DEVICE_NOT_REGISTERED,
    }
)
"""The refusals of a close which mean that there is nothing to close."""


class LineOwner(Protocol):
    """What a line needs of the provider that it is opened at."""

    config: ProviderConfig
    devices: dict[str, tuple[str, ...]]

    def ask(self, message: CtiMessage, at_once: Callable[[Any], None] | None = None) -> Answer:
        """Send a request; gives the answer to wait for. Raises :class:`ConnectionLost`."""
        ...

    async def wait(self, answer: Answer) -> Any:
        """Wait for a response; raises as :meth:`request` does."""
        ...

    async def request(
        self,
        message: CtiMessage,
        at_once: Callable[[Any], None] | None = None,
        too_late: Callable[[Any], None] | None = None,
    ) -> Any:
        """Send a request and wait for its response."""
        ...

    def post(self, message: CtiMessage) -> None:
        """Send a request whose answer is not waited for; dropped without a session."""
        ...

    def wake_waiters(self) -> None:
        """Wake all tasks that wait for a state."""
        ...

    async def changed(self) -> None:
        """Wait for the next change of any state."""
        ...

    def drop(self, why: str) -> trio.Event:
        """Give the session up; the event is set when it is over."""
        ...

    def asking_for(self, device: str) -> AbstractContextManager[None]:
        """Remember, while inside a request is made for ``device``, that it may be fulfilled."""
        ...

    def may_have(self, device: str) -> bool:
        """Whether this session may have ``device`` though no line of ours knows its handle."""
        ...

    def open_line(self, handle: int, number: str, device: str) -> None:
        """Note the handle of the line with that number."""
        ...

    def close_line(self, handle: int) -> None:
        """Note that no line has that handle any more."""
        ...


class OpenLine(abc.ABC):
    """One device that is opened or registered, and one of its lines that is opened."""

    auto_accept = LINEAUTOACCEPTSTATUS.AUTOACCEPT_OFF
    filter = CALLS

    def __init__(self, provider: LineOwner, number: str, device: str | None) -> None:
        self.number = number
        self._handler_errors = HandlerErrors(_LOG, number)
        self.device = device or ""
        self.was_open = False
        self.leaving = False
        """Whether the line is being closed, or has been."""
        self.last_error = ""
        """Why a new session could not open the line again, the last time; "" if it always could."""
        self.unconfirmed = ""
        """Why it is closed without an answer of the CTI manager: the session had to be dropped."""
        self._provider = provider
        self._turn = trio.Lock()
        """Held by the task that opens or closes the line, since a new session opens it again."""
        self._asked: list[Answer] = []
        """Requests to open or to close that may have no answer yet."""
        self._device_handle = self._line_handle = 0
        self._device_in_service = self._line_in_service = False

    def __repr__(self) -> str:
        service = "in" if self.in_service else "out of"
        return f"<{type(self).__name__} {self.number} {service} service>"

    @property
    def handler_errors(self) -> int:
        """How many calls ended by a bug of the handler that served them; the log has each."""
        return self._handler_errors.bugs

    def of_a_call(self) -> AbstractContextManager[None]:
        """Wrap the handler of a call, and its end, whose exceptions end this call alone."""
        return self._handler_errors.of_a_call(trio.current_time)

    def has_device(self, device: str) -> bool:
        """Whether ``device`` is open or registered by this line."""
        return self.device == device and bool(self._device_handle)

    @property
    def in_service(self) -> bool:
        """Whether device and line can be used now."""
        return self._device_in_service and self._line_in_service

    async def wait_in_service(self) -> None:
        """Wait until device and line can be used."""
        while not self.in_service:
            await self._provider.changed()

    async def wait_out_of_service(self) -> None:
        """Wait until device or line cannot be used."""
        while self.in_service:
            await self._provider.changed()

    @abc.abstractmethod
    def device_request(self) -> CtiMessage:
        """The request that opens or registers the device."""

    @abc.abstractmethod
    def handle_call_event(self, event: CtiMessage) -> None:
        """Take an event of a call on the line, or of its media."""

    async def open(self) -> None:
        """Open the device, then the line (the provider does).

        What is answered after cancelling is remembered, and :meth:`close` closes it. Raises
        :class:`RequestFailed` when the CTI manager refuses, and :class:`ConnectionLost` without a
        session, which is also the case when it had to be dropped: the CTI manager then has the
        device registered for this very session, and its handle is not known.
        """
        async with self._turn:
            if self.leaving:
                return
            await self._all_answered()
            self.device = self._find_device()
            try:
                with self._provider.asking_for(self.device):
                    await self._ask(self.device_request(), self._device_opened)
            except RequestFailed as refused:
                already = refused.code == CTIFAILURE.DEVICE_ALREADY_REGISTERED
                if already and self._provider.may_have(self.device):
                    why = f"{self.device} is registered by this session, and its handle is lost"
                    self._provider.drop(why)
                    raise ConnectionLost(why) from refused
                raise
            await self._ask(
                messages.LineOpenRequest(
                    device_name=self.device,
                    line_name=self.number,
                    filter=self.filter,
                    auto_accept_status=self.auto_accept,
                ),
                self._line_opened,
            )
            self.was_open = True

    async def close(self) -> None:
        """Close line and device, for good (the provider does).

        Returns when the CTI manager has neither open any more, and cannot be cancelled: both closes
        are confirmed, or the whole session is over. Without an answer within
        :attr:`ProviderConfig.release_within` the session is dropped, and :attr:`unconfirmed` says
        why.
        """
        self.leaving = True
        with trio.CancelScope(shield=True):
            released = False
            with trio.move_on_after(self._provider.config.release_within):
                released = await self.release()
            if not released:
                self.unconfirmed = f"the CTI manager does not confirm that {self.number} is closed"
                await self._provider.drop(self.unconfirmed).wait()

    async def release(self) -> bool:
        """Ask to close what is open, and wait for the answers; False when one is a refusal.

        Answers to an earlier :meth:`open` that are still missing are waited for, too.
        """
        async with self._turn:
            await self._all_answered()
            closes: list[Answer] = []
            # Neither waits for the other's answer, so that a slow CTI manager has both requests.
            with contextlib.suppress(ConnectionLost):
                if self._line_handle:
                    closes.append(
                        self._provider.ask(
                            messages.LineCloseRequest(
                                line_call_manager_id=1, line_id=self._line_handle
                            )
                        )
                    )
                if self._device_handle:
                    closes.append(
                        self._provider.ask(
                            messages.DeviceCloseRequest(
                                call_manager_id=1, device_id=self._device_handle
                            )
                        )
                    )
            self._asked += closes
            await self._all_answered()
            self._provider.close_line(self._line_handle)
            self.session_lost()
        for close in closes:
            if isinstance(close.error, ConnectionLost):
                self.unconfirmed = f"{self.number} was being closed: {close.error}"
        return not any(
            isinstance(close.error, RequestFailed) and close.error.code not in _NOT_OPEN
            for close in closes
        )

    async def _ask(self, message: CtiMessage, opened: Callable[[Any], None]) -> None:
        answer = self._provider.ask(message, opened)
        self._asked.append(answer)
        await self._provider.wait(answer)

    async def _all_answered(self) -> None:
        for answer in self._asked:
            await answer.settled()
        self._asked.clear()

    def handle_event(self, event: CtiMessage) -> None:
        """Take an event that may be this line's; the provider calls it for every event."""
        match event:
            case messages.DeviceInServiceEvent(device_id=self._device_handle):
                self._device_in_service = True
            case messages.DeviceOutOfServiceEvent(device_id=self._device_handle):
                self._device_in_service = False
            case messages.LineInServiceEvent(line_id=self._line_handle):
                self._line_in_service = True
            case messages.LineOutOfServiceEvent(line_id=self._line_handle):
                self._line_in_service = False
            case messages.DeviceClosedEvent(device_id=device) if device == self._device_handle:
                self._provider.close_line(self._line_handle)
                self.session_lost()
            case messages.LineClosedEvent(line_id=line) if line == self._line_handle:
                self._provider.close_line(line)
                device = self._device_handle
                self.session_lost()
                self._device_handle = device
            case _:
                line = getattr(event, "line_id", 0)
                device = getattr(event, "device_id", 0)
                if line == self._line_handle != 0 or device == self._device_handle != 0:
                    self.handle_call_event(event)
                return
        self._provider.wake_waiters()

    def session_lost(self) -> None:
        """Note that the session is over, and with it all handles."""
        self._device_handle = self._line_handle = 0
        self._device_in_service = self._line_in_service = False

    def _device_opened(
        self, response: messages.DeviceOpenResponse | messages.DeviceRegisterDeviceResponse
    ) -> None:
        self._device_handle = response.device_id

    def _line_opened(self, response: messages.LineOpenResponse) -> None:
        self._line_handle = response.line_id
        self._provider.open_line(response.line_id, self.number, self.device)

    def _find_device(self) -> str:
        devices = self._provider.devices
        if self.device:
            names = [self.device] if self.device in devices else []
        else:
            names = [name for name, lines in devices.items() if self.number in lines]
        if len(names) != 1:
            found = ", ".join(names) or "no device of ours"
            raise RequestFailed(CTIFAILURE.UNDEFINED_LINE, f"{self.number}: {found} has that line")
        return names[0]
