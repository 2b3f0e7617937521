"""Framing, which both protocols share: a frame begins with the number of bytes behind its first 8.

That number has 32 bits, little endian. What the other four of the first eight bytes are, and what
follows, is the protocol's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pa_telephony.errors import DecodeError, LocalProtocolError, RemoteProtocolError

__all__ = ["PREFIX", "ConnectionClosed", "FramedConnection", "frame_size", "frames_in"]

PREFIX = 8
"""The bytes of a frame that its length does not count."""


def frame_size(data: bytes, start: int = 0) -> int:
    """The size in bytes of the frame that begins at ``start``, as its first four bytes say."""
    return PREFIX + int.from_bytes(data[start : start + 4], "little")


def frames_in(data: bytes) -> Iterator[bytes]:
    """The frames that ``data`` consists of, one after the other."""
    start = 0
    while start < len(data):
        end = start + frame_size(data, start)
        yield data[start:end]
        start = end


@dataclass(frozen=True, slots=True)
class ConnectionClosed:
    """The peer has closed its side, and no frame was cut short by it."""


class FramedConnection:
    """The bytes of a connection that came and wait to be read, and those that wait to be sent.

    An error of the peer's is raised again by every later call, since nobody knows where the next
    frame begins.
    """

    def __init__(self) -> None:
        self.on_frame: Callable[[bytes], None] | None = None
        """Is given every whole frame of the peer before it is decoded (for traces)."""
        self.on_sent: Callable[[bytes], None] | None = None
        """Is given every frame that is queued."""
        self._received = bytearray()
        self._start = 0
        """Where in these the next frame begins."""
        self._outgoing = bytearray()
        self._eof = False
        self._told_eof = False
        self._error: RemoteProtocolError | None = None

    @property
    def unsent(self) -> int:
        """Bytes that wait for :meth:`data_to_send`."""
        return len(self._outgoing)

    def data_to_send(self) -> bytes:
        """The bytes queued since the last call."""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def _queue(self, frame: bytes) -> None:
        if self.on_sent is not None:
            self.on_sent(frame)
        self._outgoing += frame

    def _take_data(self, data: bytes, most: int) -> None:
        """Take bytes; raises :class:`RemoteProtocolError` when more than ``most`` wait."""
        self._check()
        if self._eof:
            raise LocalProtocolError("data after the end")
        # Consumed bytes are dropped here, at most once for each read: never quadratic.
        if self._start:
            del self._received[: self._start]
            self._start = 0
        self._received += data
        if len(self._received) > most:
            raise self._fail(RemoteProtocolError(f"{len(self._received)} bytes wait to be read"))

    def _take_eof(self) -> None:
        self._check()
        self._eof = True

    def _take_frame(self, size: int) -> bytes | None:
        """The next frame, if all of its ``size`` bytes are there."""
        end = self._start + size
        if end > len(self._received):
            return None
        frame = bytes(self._received[self._start : end])
        self._start = end
        return frame

    def _end(self) -> ConnectionClosed | None:
        """What comes when no whole frame is left: the end, once; an error when it cuts a frame."""
        if not self._eof or self._told_eof:
            return None
        if rest := len(self._received) - self._start:
            raise self._fail(DecodeError(f"the connection ends inside a frame, after {rest} bytes"))
        self._told_eof = True
        return ConnectionClosed()

    def _fail(self, error: RemoteProtocolError) -> RemoteProtocolError:
        # The error is raised again for ever, so it must not keep alive what led to it.
        self._error = error.again()
        self._received = bytearray()
        self._start = 0
        return error

    def _check(self) -> None:
        if self._error is not None:
            raise self._error.again()
