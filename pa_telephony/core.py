"""The one interface of every core that speaks a protocol: bytes and time in, events and bytes out.

Whoever owns a core reads from a socket and calls :meth:`Core.receive_data`, takes what
:meth:`Core.next_event` gives until that is None, and writes what :meth:`Core.data_to_send` gives;
at :meth:`Core.next_deadline` it calls :meth:`Core.handle_deadline`, and does the rest again. A core
does no I/O and reads no clock; random numbers and the time of day are handed to it when it is made.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

__all__ = ["Core"]

Event = TypeVar("Event", covariant=True)
Message = TypeVar("Message", contravariant=True)


class Core(Protocol[Event, Message]):
    """One connection of a protocol, without I/O. ``now`` is any monotonic clock, in seconds."""

    def receive_data(self, data: bytes, now: float) -> None:
        """Take bytes from the peer; raises :class:`RemoteProtocolError` for what is wrong."""
        ...

    def receive_eof(self, now: float) -> None:
        """Note that the peer has closed its side, or that the link broke."""
        ...

    def next_event(self) -> Event | None:
        """The next thing for the owner to deal with; None when more bytes are needed.

        Raises :class:`RemoteProtocolError` for what the peer has sent wrong.
        """
        ...

    def send(self, message: Message) -> object:
        """Queue a message; raises :class:`LocalProtocolError` for one that cannot be encoded."""
        ...

    def data_to_send(self) -> bytes:
        """The bytes queued since the last call."""
        ...

    def next_deadline(self) -> float | None:
        """When :meth:`handle_deadline` has to be called at the latest; None for never."""
        ...

    def handle_deadline(self, now: float) -> None:
        """Do what is due, which may be nothing; may raise :class:`RemoteProtocolError`."""
        ...
