"""What a server does with calls: an interface for authors, and the application that is built in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pa_telephony.cti.client.search_space import SearchSpace
from pa_telephony.errors import ConfigurationError, ProtocolError
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.identity import Identity

if TYPE_CHECKING:
    from pa_telephony import cti, sccp
    from pa_telephony.rtp.sound import Playable

__all__ = ["Application", "Menu"]

_TONE_HZ = 600.0
_TONE_SECONDS = 1.0


class Application:
    """Handles the calls of a server; override the methods that should do something else.

    Each call runs in a task of its own. An exception of a method other than
    :class:`~pa_telephony.errors.CallEnded` ends its call, is counted and traced, and stops neither
    the server nor other calls.
    """

    def configured(self, cluster: Cluster) -> None:
        """Note that the configuration in the store is another now; calls that are up go on."""

    async def route_call(self, session: cti.RouteSession, ports: Sequence[str]) -> None:
        """Route a call at a route point; ``ports`` are the home's media ports, idle ones first.

        Those of a server that has as many calls as it may have are left out, so there may be none:
        then name another number or refuse the call, as this method does; ``select_route`` without a
        number is an error. The caller hears busy when the call is refused, and when all that are
        selected are busy. A call for which nothing is selected rings until the call manager
        forwards it.

        Called again, for 4 s at most, when it raises :class:`~pa_telephony.cti.RouteFailed` because
        of a port that is not busy but registered nowhere: it is on its way from one server to the
        other.
        """
        if ports:
            await session.select_route(*ports, search_space=SearchSpace.ADDRESS)
        else:
            await session.refuse()

    async def intercepted_call(self, session: cti.RouteSession) -> None:
        """Route a call at an interceptor: on to the extension that was dialled."""
        await session.select_route(session.called, search_space=SearchSpace.ADDRESS)

    async def media_call(self, call: sccp.Call, identity: Identity) -> None:
        """Serve a call at a media port; ``identity.home`` is the server that the port belongs to.

        Returning drops the call unless it was transferred away.
        """


class Menu(Application):
    """A greeting, a digit if the caller presses one, a transfer: ``[application]`` of the file.

    Reads the greeting when it is made. Raises :class:`ConfigurationError` when it cannot be read.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._config = cluster.application
        self._greeting = _greeting(cluster)

    def configured(self, cluster: Cluster) -> None:
        """Take up ``[application]`` for the calls that come."""
        if cluster.application != self._config:
            # Read first: when that fails all stays as it is.
            greeting = _greeting(cluster)
            self._config, self._greeting = cluster.application, greeting

    async def media_call(self, call: sccp.Call, identity: Identity) -> None:
        """Greet; then transfer by the digit pressed, or to the number for all calls, or hang up."""
        config = self._config
        async with call.answer() as media:
            if config.digits:
                pressed = await media.ask(self._greeting, digits=1)
            else:
                await media.play(self._greeting)
                pressed = ""
            target = config.digits.get(pressed, config.transfer)
            if target:
                await call.transfer(target)


def _greeting(cluster: Cluster) -> Playable:
    from pa_telephony.rtp import tones, wav

    if not cluster.application.greeting:
        return tones.sine(_TONE_HZ, _TONE_SECONDS)
    try:
        return wav.read(cluster.directory / cluster.application.greeting)
    except ProtocolError as error:
        raise ConfigurationError(
            str(error), file=cluster.file, section="application", field="greeting"
        ) from error
