"""An application at the CTI side of the call manager without sockets: what it asks and is told."""

from __future__ import annotations

import itertools
from typing import Any

from pa_telephony.callmanager.applications.control import CtiSide
from pa_telephony.cti import messages
from pa_telephony.cti.client.line import CALLS
from pa_telephony.cti.connection import Role, WireConnection
from pa_telephony.cti.encoded import LineEvent
from pa_telephony.cti.login import Certificate
from pa_telephony.cti.messages.codec import VERSION_15
from pa_telephony.cti.server.handles import CtiManagerConfig
from pa_telephony.cti.server.session import ProviderSession

__all__ = ["Application"]


class _NoKey:
    """A key that opens no password."""

    def decrypt(self, sealed: bytes, padding: Any) -> bytes:
        raise ValueError


class Application:
    """A session that is logged in as ``user``; blank: not yet."""

    def __init__(self, side: CtiSide, user: str = "app", *, version: int = VERSION_15) -> None:
        self.said: list[Any] = []
        """All that it was told."""
        self._server = WireConnection(Role.SERVER)
        self._server.version = version
        self.session = ProviderSession(
            side,
            CtiManagerConfig(),
            self._hear,
            Certificate(b"", _NoKey()),  # type: ignore[arg-type]
            "nonce",
            itertools.count(1001),
        )
        self.session._session.user = user

    def _hear(self, message: messages.CtiMessage | LineEvent) -> None:
        self.take(self._server.send(message))

    def take(self, frame: bytes) -> None:
        """Take what the call manager says, as it comes over the wire."""
        said = messages.decode(frame)
        assert isinstance(said, messages.CtiMessage)
        self.said.append(said)

    def ask(self, request: messages.CtiMessage) -> Any:
        """What is said to a request: the answer; events may follow it in :attr:`said`."""
        begin = len(self.said)
        self.session.handle_request(request)
        return self.said[begin]

    def open_line(self, device: str, number: str) -> int:
        """The handle of a line whose calls are told."""
        opened = self.ask(
            messages.LineOpenRequest(device_name=device, line_name=number, filter=CALLS)
        )
        line: int = opened.line_id
        return line
