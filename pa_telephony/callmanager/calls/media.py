"""Which leg hears what: audio streams between legs, and to the call manager's own tones and mixes.

What a leg should hear follows from its state alone (:func:`wanted`); after every change the streams
that no longer fit are closed at once, and the missing ones opened when the verb is done. So no
feature orders media by itself, and none can leave half of it open.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pa_telephony.callmanager.calls.model import (
    Capabilities,
    Leg,
    LegState,
    MediaAddress,
    MediaEnd,
    MediaFormat,
    MediaResource,
    Mix,
    Side,
    Stream,
    StreamUse,
    Watcher,
)
from pa_telephony.rtp.packet import Codec

__all__ = ["MediaPlan", "agree", "wanted"]

_PREFERRED = (Codec.PCMU, Codec.PCMA)
_ANYTHING = Capabilities(telephone_event=0)
"""What the media resource can do; keys pressed towards it come in the signalling."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    use: StreamUse
    peer: Leg | None = None
    conference: Mix | None = None


def agree(one: Capabilities, other: Capabilities) -> MediaFormat | None:
    """The format that both sides support, G.711 µ-law first; None when they share none."""
    for codec in _PREFERRED:
        if codec in one.codecs and codec in other.codecs:
            events = one.telephone_event if other.telephone_event else 0
            return MediaFormat(codec, telephone_event=events)
    return None


def wanted(leg: Leg) -> _Wanted | None:
    """What a leg should be connected to, None for nothing."""
    if leg.state is not LegState.CONNECTED:
        return None
    if leg.conference is not None:
        return _Wanted(StreamUse.CONFERENCE, conference=leg.conference)
    if leg.peer is not None and leg.peer.state is LegState.CONNECTED:
        return _Wanted(StreamUse.TALK, peer=leg.peer)
    return _Wanted(StreamUse.HOLD_TONE)


class MediaPlan:
    """The streams of all legs, opened and closed as the states of the legs require.

    ``incompatible`` is told of a leg that has no codec in common with what it should hear,
    ``unavailable`` of one whose device could not open its channel, or has not said within
    ``patience`` seconds where it receives. ``now`` is a monotonic clock in seconds.
    """

    def __init__(
        self,
        side_of: Callable[[Leg], Side],
        watchers: Sequence[Watcher],
        incompatible: Callable[[Leg], None],
        unavailable: Callable[[Leg], None],
        now: Callable[[], float],
        patience: float,
    ) -> None:
        self.resource: MediaResource | None = None
        """The source of tones and mixes; without one, callers on hold hear nothing, and there are
        no conferences."""
        self._side_of = side_of
        self._watchers = watchers
        self._incompatible = incompatible
        self._unavailable = unavailable
        self._now = now
        self._patience = patience
        self._awaited: dict[Stream, None] = {}
        """The streams whose devices have not said where they receive, in the order of their
        deadlines."""
        self._ids = itertools.count(0x2000001)
        self._changed: dict[Leg, None] = {}
        self._settling = False
        self._late: list[tuple[Stream, MediaAddress | None]] = []

    def compatible(self, one: Leg, other: Leg) -> bool:
        """Whether two legs have a codec in common, so that they could talk."""
        return self._agree(one, other) is not None

    def has_room(self, streams: int) -> bool:
        """Whether the media resource has that many streams left."""
        return self.resource is not None and self.resource.has_room(streams)

    def changed(self, leg: Leg) -> None:
        """Close the stream of a changed leg if it no longer fits, and note the leg."""
        stream = leg.stream
        if stream is not None and not _fits(stream):
            self._close(stream)
        self._changed[leg] = None

    def settle(self) -> None:
        """Open the streams that the changed legs should have and lack."""
        if self._settling:
            return
        self._settling = True
        try:
            while self._changed or self._late:
                while self._changed:
                    leg = next(iter(self._changed))
                    del self._changed[leg]
                    self._open(leg)
                if self._late:
                    self._receiving(*self._late.pop(0))
        finally:
            self._settling = False
            for watcher in self._watchers:
                watcher.settled()

    def receiving(self, stream: Stream, address: MediaAddress | None) -> None:
        """Note that an end opened its receive channel at ``address``; None: it could not."""
        self._late.append((stream, address))
        self.settle()

    def next_deadline(self) -> float | None:
        """The time to call :meth:`handle_deadline`, None when no device is waited for."""
        return next((stream.deadline for stream in self._awaited), None)

    def handle_deadline(self, now: float) -> list[Stream]:
        """Give up waiting for devices that have not said in time where they receive."""
        missing: list[Stream] = []
        for stream in list(self._awaited):
            if stream.deadline is None or now < stream.deadline:
                break
            self._awaited.pop(stream, None)
            missing.append(stream)
        return missing

    def tell_missing(self, stream: Stream) -> None:
        """Tell of a device that has not said where it receives.

        A tone that nobody takes is silence, and ends no call.
        """
        if stream.use is StreamUse.HOLD_TONE:
            self._end_quietly(stream)
        for watcher in self._watchers:
            watcher.media_missing(stream)

    def _receiving(self, stream: Stream, address: MediaAddress | None) -> None:
        self._awaited.pop(stream, None)
        if not stream.open:
            return
        if address is None:
            # A tone that cannot be opened is silence; a voice that cannot be opened ends the call.
            if stream.use is not StreamUse.HOLD_TONE:
                self._unavailable(stream.leg)
            elif stream.open:
                self._end_quietly(stream)
            return
        stream.address = address
        if stream.leg.stream is stream:
            for watcher in self._watchers:
                watcher.receiving(stream)
        far = stream.far
        if far is not None:
            self._send(far, address)
            if far.address is not None:
                self._tell_both_ways(stream, far)

    def _tell_both_ways(self, *ends: Stream) -> None:
        for end in ends:
            if end.open and end.leg.stream is end:
                for watcher in self._watchers:
                    watcher.both_ways(end)

    def _send(self, stream: Stream, address: MediaAddress) -> None:
        stream.end.send_media(stream, address)
        if stream.leg.stream is stream:
            for watcher in self._watchers:
                watcher.sending(stream, address)

    def _open(self, leg: Leg) -> None:
        want = wanted(leg)
        if want is None or leg.stream is not None:
            return
        if want.peer is not None:
            if want.peer.stream is not None:
                self._close(want.peer.stream)
            self._open_pair(leg, want.peer)
        elif self.resource is not None:
            self._open_own(leg, want)

    def _open_pair(self, leg: Leg, peer: Leg) -> None:
        agreed = self._agree(leg, peer)
        if agreed is None:
            self._incompatible(leg)
            return
        # The called side opens first, as in the captures.
        first, second = (leg, peer) if leg.incoming else (peer, leg)
        ends = [self._stream(each, agreed, StreamUse.TALK) for each in (first, second)]
        ends[0].far, ends[1].far = ends[1], ends[0]
        for end in ends:
            if end.open:
                end.end.open_media(end)

    def _open_own(self, leg: Leg, want: _Wanted) -> None:
        resource = self.resource
        assert resource is not None
        agreed = agree(self._side_of(leg).capabilities(leg), _ANYTHING)
        if agreed is None:
            if want.use is StreamUse.CONFERENCE:
                self._unavailable(leg)
            return
        near = self._stream(leg, agreed, want.use, conference=want.conference)
        far = Stream(
            next(self._ids), leg, agreed, want.use, resource, near, conference=want.conference
        )
        near.far = far
        for end in (far, near):
            if end.open:
                end.end.open_media(end)

    def _stream(
        self,
        leg: Leg,
        agreed: MediaFormat,
        use: StreamUse,
        conference: Mix | None = None,
    ) -> Stream:
        end: MediaEnd = self._side_of(leg)
        stream = Stream(next(self._ids), leg, agreed, use, end, conference=conference)
        leg.stream = stream
        stream.deadline = self._now() + self._patience
        self._awaited[stream] = None
        return stream

    def _agree(self, one: Leg, other: Leg) -> MediaFormat | None:
        return agree(self._side_of(one).capabilities(one), self._side_of(other).capabilities(other))

    def _close(self, stream: Stream) -> None:
        for each in (stream, stream.far):
            if each is None or not each.open:
                continue
            each.open = False
            self._awaited.pop(each, None)
            each.end.close_media(each)
            if each.leg.stream is each:
                for watcher in self._watchers:
                    watcher.media_closed(each)
                each.leg.stream = None
                self._changed[each.leg] = None

    def _end_quietly(self, stream: Stream) -> None:
        self._close(stream)
        # Not tried again before the leg changes.
        self._changed.pop(stream.leg, None)


def _fits(stream: Stream) -> bool:
    want = wanted(stream.leg)
    if want is None or want.use is not stream.use or want.conference is not stream.conference:
        return False
    return want.peer is None or (stream.far is not None and stream.far.leg is want.peer)
