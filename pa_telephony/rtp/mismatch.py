"""Sound that comes to a port and cannot be played, or cannot be sent: which, and why.

Two ends that agreed on an address or on payload types, and do otherwise, make a call that is up and
silent, or one in which keys are not heard. The packets are counted anyway (``foreign``,
``unexpected``, ``unsent``); here is what makes a sentence of it, once for each stream.
"""

from __future__ import annotations

from typing import Final

from pa_telephony.rtp.session import Address, Latch

__all__ = ["KIND", "SILENT_FOR", "Mismatch"]

KIND: Final = "rtp.no_media"
"""The kind of the trace's event."""

SILENT_FOR: Final = 1.0
"""Seconds in which nothing was heard from the announced address, before sound from another one is
told of."""

_FOREIGN = 10
"""So many packets from another address are no late ones of the stream before."""
_UNEXPECTED = 5
"""So many of another payload type are no late ones of the codec before."""
_UNSENT = 25
"""So many that cannot be sent are more than a peer that hangs up a moment earlier costs."""


class Mismatch:
    """What has come to one port and was not of its stream."""

    def __init__(self) -> None:
        self.foreign_from: Address | None = None
        """From where the last packet came that was not taken, None before the first."""
        self._foreign = 0
        self._unexpected_before = self._unsent_before = 0
        self._told: set[str] = set()

    def begin(self, unexpected: int, unsent: int) -> None:
        """Note that a stream begins, in either direction.

        So many packets of unexpected types came before it, and so many could not be sent.
        """
        self._foreign = 0
        self._unexpected_before, self._unsent_before = unexpected, unsent
        self._told.clear()

    def refuse(self, origin: Address) -> None:
        """Note a packet from an address that is not the announced one."""
        self.foreign_from = origin
        self._foreign += 1

    def complaints(
        self,
        latch: Latch,
        *,
        silent: bool,
        unexpected: int,
        payload_type: int,
        unsent: int,
        because: str,
    ) -> list[str]:
        """What has to be told now, and was not told of this stream.

        ``silent`` says that nothing has come from the peer for :data:`SILENT_FOR` seconds,
        ``unexpected`` how many packets had a type that nobody agreed on, ``payload_type`` being
        the last, and ``unsent`` how many could not be sent, ``because`` of what.
        """
        found: dict[str, str] = {}
        origin = self.foreign_from
        # What came from the peer itself came before the peer was named.
        strange = silent and origin not in (latch.announced, latch.remote)
        if origin is not None and strange and self._foreign >= _FOREIGN:
            found["address"] = (
                f"sound comes from {_text(origin)}, but {_text(latch.announced)} was"
                " announced: it is not heard"
            )
        if unexpected - self._unexpected_before > _UNEXPECTED:
            found["type"] = f"payload type {payload_type} comes, which was not agreed on: not heard"
        if unsent - self._unsent_before > _UNSENT:
            found["unsent"] = f"sound cannot be sent to {_text(latch.remote)}: {because}"
        new = [why for what, why in found.items() if what not in self._told]
        self._told.update(found)
        return new


def _text(address: Address) -> str:
    return f"{address[0]}:{address[1]}"
