"""What a tick does with which port of a phase, in lists that a tick only reads.

A call that comes, goes or changes its prompt moves its own port from one list to another. With
hundreds of calls to a phase there is such a change in nearly every tick, so the other ports' part
of the plan is not made anew for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np

from pa_telephony.rtp.g711 import Samples
from pa_telephony.rtp.packet import Codec
from pa_telephony.rtp.port import Port
from pa_telephony.rtp.rows import NOBODY, Rows, whole

__all__ = ["Ear", "Group", "Plan"]

Ear: TypeAlias = tuple[list[Callable[[Samples], None]], Samples, Port]
"""The listeners of a port, the frame that they hear, and the port."""


class Group:
    """Some ports in the order of their rows, as lists and arrays take them."""

    def __init__(self) -> None:
        self.ports: list[Port] = []
        self.rows: Rows = NOBODY
        self._members: dict[int, Port] = {}
        self._is_old = False

    def put(self, port: Port, *, belongs: bool) -> None:
        """Let ``port`` belong to the group, or not."""
        if not belongs:
            self.drop(port.index)
        elif self._members.get(port.index) is not port:
            self._members[port.index] = port
            self._is_old = True

    def drop(self, row: int) -> None:
        """Let no port of this row belong to the group."""
        self._is_old |= self._members.pop(row, None) is not None

    def settle(self) -> bool:
        """Write the lists anew if need be; whether that was so."""
        if not self._is_old:
            return False
        rows = sorted(self._members)
        self.ports = [self._members[row] for row in rows]
        self.rows = whole(np.array(rows, np.int64))
        self._is_old = False
        return True


class Plan:
    """The lists of a phase. ``frames`` has the samples that each row plays out.

    ``watched`` says that whatever is sent has to be noted; ``report_bug`` takes the error of a
    source.
    """

    def __init__(
        self,
        frames: Samples,
        codec_of: Callable[[int], Codec],
        report_bug: Callable[[Port, str, Exception], None],
        *,
        watched: bool,
    ) -> None:
        self._frames = frames
        self._codec_of = codec_of
        self._report_bug = report_bug
        self._watched = watched
        self.all = Group()
        self.readers = Group()
        """The ports that are read in every tick."""
        self.plain = Group()
        """The ports that send a packet of 20 ms to one known peer."""
        self.careful = Group()
        """All other ports that send."""
        self.players = Group()
        """The ports whose sound lies ready."""
        self.payloads: list[Iterator[bytes]] = []
        """The payloads of their packets."""
        self.aloud = {codec: Group() for codec in Codec}
        """The ports whose sound is read piece by piece, by codec."""
        self.ears: list[Ear] = []
        self.listeners: list[list[Callable[[Samples], None]]] = []
        """The listeners of each of these."""
        self.falling_silent: dict[int, Port] = {}
        """The ports whose sound has ended, by row; who lets them send silence empties it."""
        self._sounds: dict[int, Iterator[bytes]] = {}
        self._groups = (self.all, self.readers, self.plain, self.careful, *self._speaking())

    def _speaking(self) -> tuple[Group, ...]:
        return (self.players, *self.aloud.values())

    def update(self, port: Port, *, steady: bool) -> None:
        """Put a port where it belongs now; ``steady`` says whether it is read in every tick."""
        row, sending = port.index, port.sending
        is_plain = port.plain and port.connected and not self._watched
        self.all.put(port, belongs=True)
        self.readers.put(port, belongs=steady)
        self.plain.put(port, belongs=sending and is_plain)
        self.careful.put(port, belongs=sending and not is_plain)
        speaks = sending and port.source is not None
        payloads = self._payloads_of(port) if speaks else None
        if payloads is None:
            self._sounds.pop(row, None)
        else:
            self._sounds[row] = payloads
        self.players.put(port, belongs=payloads is not None)
        codec = self._codec_of(row) if speaks and payloads is None else None
        for each, group in self.aloud.items():
            group.put(port, belongs=each is codec)
        self.falling_silent.pop(row, None)
        if speaks:
            port.audible = True
        elif sending and port.audible:
            self.falling_silent[row] = port

    def drop(self, row: int) -> None:
        """Forget the port of a row."""
        self._sounds.pop(row, None)
        self.falling_silent.pop(row, None)
        for group in self._groups:
            group.drop(row)

    def settle(self) -> bool:
        """Write down what was changed; whether other ports send or are read than before."""
        if self.all.settle():
            ports = self.all.ports
            self.ears = [(port.listeners, self._frames[port.index], port) for port in ports]
            self.listeners = [port.listeners for port in ports]
        self.careful.settle()
        for group in self._speaking():
            group.settle()
        self.payloads = [self._sounds[port.index] for port in self.players.ports]
        moved = self.plain.settle(), self.readers.settle()
        return any(moved)

    def _payloads_of(self, port: Port) -> Iterator[bytes] | None:
        """The sound of a port as it is sent; None where it does not lie ready."""
        payloads = getattr(port.source, "payloads", None)
        if payloads is None:
            return None
        try:
            found = payloads(self._codec_of(port.index))
            return None if found is None else iter(found)
        except Exception as error:  # noqa: BLE001  # logged; other ports are not to blame
            self._report_bug(port, "the source", error)
            return None
