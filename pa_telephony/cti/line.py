"""A line that is open at a CTI manager, whatever is done with it; renewed with every session."""

from __future__ import annotations

import abc
import contextlib
from typing import TYPE_CHECKING

from pa_telephony.cti import messages
from pa_telephony.cti.enums import CTIFAILURE, LINEAUTOACCEPTSTATUS
from pa_telephony.cti.messages.base import CtiMessage
from pa_telephony.cti.messages.structs import LineEventFilter
from pa_telephony.errors import ConnectionLost, RequestFailed

if TYPE_CHECKING:
    from pa_telephony.cti.client import Provider

__all__ = ["CALLS", "OpenLine"]

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
"""What we want to know of a line whose calls we control."""


class OpenLine(abc.ABC):
    """A device opened or registered, and one of its lines opened."""

    auto_accept = LINEAUTOACCEPTSTATUS.AUTOACCEPT_OFF
    filter = CALLS

    def __init__(self, provider: Provider, number: str, device: str | None) -> None:
        self.number = number
        self.device = device or ""
        self.was_open = False
        self._provider = provider
        self._device_handle = self._line_handle = 0
        self._device_in_service = self._line_in_service = False

    def __repr__(self) -> str:
        service = "in" if self.in_service else "out of"
        return f"<{type(self).__name__} {self.number} {service} service>"

    @property
    def in_service(self) -> bool:
        """Whether device and line can be used now."""
        return self._device_in_service and self._line_in_service

    async def wait_in_service(self) -> None:
        """Wait until they can."""
        while not self.in_service:
            await self._provider.changed()

    async def wait_out_of_service(self) -> None:
        """Wait until they can not."""
        while self.in_service:
            await self._provider.changed()

    @abc.abstractmethod
    def device_request(self) -> CtiMessage:
        """What opens or registers the device."""

    @abc.abstractmethod
    def take_call_event(self, event: CtiMessage) -> None:
        """An event of a call on the line, or of its media."""

    async def open(self) -> None:
        """Open the device, then the line (the provider does).

        What is answered only after cancelling, or after the time is up, is closed again.
        """
        self.device = self._find_device()
        await self._provider.request(
            self.device_request(), self._device_opened, self._device_opened_late
        )
        await self._provider.request(
            messages.LineOpenRequest(
                device_name=self.device,
                line_name=self.number,
                filter=self.filter,
                auto_accept_status=self.auto_accept,
            ),
            self._line_opened,
            self._line_opened_late,
        )
        self.was_open = True

    async def close(self) -> None:
        """Close line and device (the provider does)."""
        with contextlib.suppress(RequestFailed, ConnectionLost):
            if self._line_handle:
                await self._provider.request(
                    messages.LineCloseRequest(line_call_manager_id=1, line_id=self._line_handle)
                )
        with contextlib.suppress(RequestFailed, ConnectionLost):
            if self._device_handle:
                await self._provider.request(
                    messages.DeviceCloseRequest(call_manager_id=1, device_id=self._device_handle)
                )
        self._provider.close_line(self._line_handle)
        self.lost()

    def take(self, event: CtiMessage) -> None:
        """An event that may be ours (the provider calls)."""
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
                self.lost()
            case messages.LineClosedEvent(line_id=line) if line == self._line_handle:
                self._provider.close_line(line)
                device = self._device_handle
                self.lost()
                self._device_handle = device
            case _:
                line = getattr(event, "line_id", 0)
                device = getattr(event, "device_id", 0)
                if line == self._line_handle != 0 or device == self._device_handle != 0:
                    self.take_call_event(event)
                return
        self._provider.tell()

    def lost(self) -> None:
        """The session is over: nothing of it counts any more."""
        self._device_handle = self._line_handle = 0
        self._device_in_service = self._line_in_service = False

    def _device_opened(
        self, response: messages.DeviceOpenResponse | messages.DeviceRegisterDeviceResponse
    ) -> None:
        self._device_handle = response.device_id

    def _line_opened(self, response: messages.LineOpenResponse) -> None:
        self._line_handle = response.line_id
        self._provider.open_line(response.line_id, self.number, self.device)

    def _device_opened_late(
        self, response: messages.DeviceOpenResponse | messages.DeviceRegisterDeviceResponse
    ) -> None:
        self._provider.post(
            messages.DeviceCloseRequest(call_manager_id=1, device_id=response.device_id)
        )

    def _line_opened_late(self, response: messages.LineOpenResponse) -> None:
        self._provider.post(
            messages.LineCloseRequest(line_call_manager_id=1, line_id=response.line_id)
        )

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
