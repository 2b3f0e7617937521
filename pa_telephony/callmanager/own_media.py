"""The call manager's own media: music or a tone on hold, and the mix of conferences.

A media engine is opened when the first stream is wanted, so a call manager that is never asked
for sound binds no port. What it needs is loaded at the start: a process that has run out of
descriptors can load nothing, and numpy that was loaded by half is not to be had any more.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import trio

from pa_telephony.callmanager.calls.verbs import Calls, Leg, MediaAddress, Mix, Stream
from pa_telephony.callmanager.config import CallManagerConfig
from pa_telephony.errors import ConfigurationError, LocalProtocolError, TelephonyError
from pa_telephony.faults import MOST_BUGS, Seldom, report_bug
from pa_telephony.trace import Trace

if TYPE_CHECKING:
    from pa_telephony.rtp import Audio, Engine, Port, Tone
    from pa_telephony.rtp.mixer import Mixer
    from pa_telephony.rtp.port import PortStatistics

__all__ = ["HouseMedia", "load_libraries", "load_music"]

_LOG = logging.getLogger("pa_telephony.callmanager")


class HouseMedia:
    """A MediaResource on a media engine of its own.

    ``announce`` gives the address of ours at which a leg's device reaches us, for an engine that is
    bound to all. ``symmetric`` says whether the source of a device's first packets is followed.
    """

    def __init__(
        self,
        calls: Calls,
        config: CallManagerConfig,
        *,
        address: str,
        announce: Callable[[Leg], str],
        symmetric: Callable[[Leg], bool],
        music: Audio | None,
        trace: Trace | None,
    ) -> None:
        self._calls = calls
        self._config = config
        self._address = address
        self._announce = announce
        self._symmetric = symmetric
        self._music = music
        self._trace = trace
        self._engine: Engine | None = None
        self._wanted = trio.Event()
        self._waiting: dict[Stream, None] = {}
        self._ports: dict[Stream, Port] = {}
        self._mixers: dict[Mix, Mixer] = {}
        self._told_lost, self._told_silent = (Seldom(at_once=MOST_BUGS) for _ in range(2))

    @property
    def streams(self) -> int:
        """How many streams there are now, those that wait for the engine included."""
        return len(self._ports) + len(self._waiting)

    def has_room(self, streams: int) -> bool:
        """Whether so many more streams can be opened."""
        return self.streams + streams <= self._config.max_media_streams

    def statistics(self, stream: Stream) -> PortStatistics | None:
        """What was counted of a stream of ours; None when it is none, or not open yet."""
        port = self._ports.get(stream)
        return None if port is None else port.stats

    async def run(self) -> None:
        """Wait until sound is wanted, then keep an engine, until cancelled.

        Without an engine (no descriptor, no memory, a module that cannot be loaded, a bug) callers
        on hold hear nothing, and conferences end; it is tried again for the next stream.
        """
        while True:
            await self._wanted.wait()
            try:
                await self._keep_engine()
            except Exception as error:  # noqa: BLE001  # told, and tried again
                self._wanted = trio.Event()
                # Where there is no memory for that either, the streams stay without sound.
                with contextlib.suppress(Exception):
                    self._lose_all(error)

    async def _keep_engine(self) -> None:
        from pa_telephony import rtp

        async with rtp.open_engine(
            address=self._address,
            first_port=self._config.first_media_port,
            config=rtp.EngineConfig(max_ports=self._config.max_media_streams),
            trace=self._trace,
        ) as engine:
            self._engine = engine
            try:
                while self._waiting:
                    self._open(next(iter(self._waiting)), engine)
                await trio.sleep_forever()
            finally:
                self._engine = None

    def _lose_all(self, error: Exception) -> None:
        lost = [*self._waiting, *self._ports]
        self._waiting.clear()
        self._ports.clear()
        self._mixers.clear()
        for stream in lost:
            try:
                self._calls.receiving(stream, None)
            except Exception as bug:  # noqa: BLE001  # reported; the others are told, too
                report_bug(bug, part="callmanager", trace=self._trace, now=time.time())
        if self._told_lost.due(trio.current_time()):
            why, times = f"{type(error).__name__}: {error}", self._told_lost.times()
            _LOG.warning("no sound of our own%s: %s", times, why, exc_info=error)

    # MediaResource: what the calls order.

    def open_media(self, stream: Stream) -> None:
        """Take a port for a stream, once there is an engine."""
        if not self.has_room(1):
            self._calls.receiving(stream, None)
            return
        self._waiting[stream] = None
        if self._engine is not None:
            self._open(stream, self._engine)
        else:
            self._wanted.set()

    def send_media(self, stream: Stream, address: MediaAddress) -> None:
        """Send to the leg's device, which is at ``address``."""
        port = self._ports.get(stream)
        if port is None:
            return
        try:
            port.start_sending(address, stream.format.codec, packet_ms=stream.format.packet_ms)
        except LocalProtocolError:
            # An address that cannot be sent to.
            self._calls.receiving(stream, None)

    def close_media(self, stream: Stream) -> None:
        """Give the port of a stream back to the engine."""
        self._waiting.pop(stream, None)
        port = self._ports.pop(stream, None)
        if port is None:
            return
        conference = stream.conference
        if conference is not None:
            mixer = self._mixers.get(conference)
            if mixer is not None:
                mixer.leave(port)
                if not len(mixer):
                    del self._mixers[conference]
        port.close()

    def _open(self, stream: Stream, engine: Engine) -> None:
        del self._waiting[stream]
        try:
            port = self._port_for(stream, engine)
        except Exception as error:  # noqa: BLE001  # told; this stream is silent
            if self._told_silent.due(trio.current_time()):
                times = self._told_silent.times()
                _LOG.warning("no sound for %s%s: %s", stream.leg.device, times, error)
            self.close_media(stream)
            self._calls.receiving(stream, None)
            return
        host, number = port.local_address
        if host == "0.0.0.0":
            host = self._announce(stream.leg)
        self._calls.receiving(stream, (host, number))
        # The device may have been quicker than the engine.
        if stream.open and stream.far is not None and stream.far.address is not None:
            self.send_media(stream, stream.far.address)

    def _port_for(self, stream: Stream, engine: Engine) -> Port:
        from pa_telephony.rtp.mixer import Loop, Mixer

        port = self._ports[stream] = engine.open_port()
        port.symmetric = self._symmetric(stream.leg)
        port.start_receiving(stream.format.codec, packet_ms=stream.format.packet_ms)
        if stream.conference is None:
            port.source = Loop(self._music or _hold_tone())
        else:
            self._mixers.setdefault(stream.conference, Mixer()).join(port)
        return port


def _hold_tone() -> Tone:
    from pa_telephony.rtp import Tone

    # A second of 440 Hz every four: quieter than speech, and plainly not a fault.
    return Tone((440,), -19.0, (1.0, 3.0))


def load_libraries() -> None:
    """Load the modules that sound takes, so that none is left to be loaded while calls are up."""
    for name in ("mixer", "sound"):
        importlib.import_module(f"pa_telephony.rtp.{name}")


def load_music(path: str) -> Audio:
    """Read the WAV file that callers on hold hear; raises :class:`ConfigurationError`."""
    from pa_telephony.rtp import wav
    from pa_telephony.rtp.audio import Audio
    from pa_telephony.rtp.packet import CLOCK_RATE

    try:
        return Audio(wav.read(path).at_rate(CLOCK_RATE).samples)
    except TelephonyError as error:
        raise ConfigurationError(str(error), field="music_on_hold") from error
