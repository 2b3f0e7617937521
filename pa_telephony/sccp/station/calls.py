"""The calls of a station: which views became calls, which one a key opened, which were lost.

A call begins and ends when the call manager says so; this is where that is noticed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from pa_telephony.q850 import Cause
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import DCallState, DeviceTone
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.station.call import Call, Owner
from pa_telephony.sccp.station.call_media import no_statistics
from pa_telephony.sccp.station.call_view import CallView
from pa_telephony.sccp.station.core import CallChanged

__all__ = ["StationCalls"]

_REMEMBERED = 8
"""Calls that may still be asked about after their end."""
_BEYOND_DIGITS = (DCallState.PROCEED, DCallState.RING_OUT)
_BEING_MADE = (DCallState.OFF_HOOK, *_BEYOND_DIGITS)
_DIAL_TONES = (DeviceTone.INSIDE_DIAL_TONE, DeviceTone.OUTSIDE_DIAL_TONE)


class StationCalls:
    """The calls of one station, and the ones among them that ring."""

    def __init__(self, station: Owner) -> None:
        self.up: dict[int, Call] = {}
        """The calls that are up, by :attr:`CallView.key`."""
        self.ringing: deque[Call] = deque()
        """Calls that rang, are not over, and were given to no handler: ``max_calls`` at most."""
        self.opened: Call | None = None
        """The newest call that was opened from here, and asks for digits or is beyond them."""
        self.held: set[Call] = set()
        """The calls that a program has opened and not left."""
        self.on_call: Callable[[Call], object] | None = None
        self._station = station
        self._ended: deque[Call] = deque(maxlen=_REMEMBERED)
        self._left_up: dict[int, list[messages.OnHook]] = {}

    @property
    def being_made(self) -> bool:
        """Whether a call that a program opened is not yet answered, refused or given up."""
        # A call that comes goes off hook as well, when it is answered.
        return any(
            call.state in _BEING_MADE
            and not (call.ended or call.elsewhere)
            and not (call.state is DCallState.OFF_HOOK and call.incoming)
            for call in self.held
        )

    def handle_change(self, event: CallChanged) -> None:
        """Take a message of the call manager about a call; begin or end the call with it."""
        view, message = event.call, event.message
        call = self.up.get(view.key)
        known = call is not None
        if call is None:
            if view.ended:
                return
            call = self.up[view.key] = Call(self._station, view)
        call.changed(message)
        self._tell(call)
        if view.ended:
            self.up.pop(view.key, None)
            self._ended.append(call)
            if call in self.ringing:
                self.ringing.remove(call)
        elif view.state is DCallState.RING_IN and isinstance(message, messages.CallState):
            # Call managers repeat the state when the caller changes (a transfer).
            if not call.announced:
                call.announced = True
                self.ringing.append(call)
        elif _opens(view, message, known):
            self.opened = call

    def statistics(
        self, request: messages.ConnectionStatisticsReq
    ) -> messages.ConnectionStatisticsRes:
        """The statistics of a call that is up, or was one of the last."""
        for call in (*self._ended, *self.up.values()):
            if call.call_reference == request.call_reference:
                return call.statistics(request)
        return no_statistics(request)

    def connection_lost(self, index: int | None) -> None:
        """End all calls: the link to the call manager at ``index`` of the list is gone."""
        self.ringing.clear()
        calls, self.up = self.up, {}
        if index is not None and calls:
            self._left_up[index] = [
                messages.OnHook(line_instance=call.line, call_reference=call.call_reference)
                for key, call in calls.items()
                if not call.elsewhere and key == call.call_reference
            ]
        for call in calls.values():
            call.connection_lost(Cause.TEMPORARY_FAILURE)
            self._tell(call)

    def left_up(self, index: int) -> list[messages.OnHook]:
        """The OnHook messages for a call manager that is there again: its lost calls, given once.

        chan_skinny keeps call and hook of a lost connection, and passes over OffHook until it
        hears this; elsewhere the numbers are those of no call.
        """
        return self._left_up.pop(index, [])

    def _tell(self, call: Call) -> None:
        if self.on_call is not None:
            self.on_call(call)


def _opens(view: CallView, message: SccpMessage, known: bool) -> bool:
    """Whether ``message`` shows the call that a key of ours has opened."""
    match message:
        case messages.CallState() if not view.incoming:
            return view.state is DCallState.OFF_HOOK or (view.state in _BEYOND_DIGITS and not known)
        case messages.StartTone():
            # The digits of a transfer are wanted on the call itself (pyskinny's simulator).
            return view.state is DCallState.CALL_TRANSFER and message.tone in _DIAL_TONES
        case _:
            return False
