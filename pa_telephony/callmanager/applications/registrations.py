"""Which applications have which CTI device registered, and how a second one may (§6.3)."""

from __future__ import annotations

from pa_telephony.callmanager.config import DeviceKind
from pa_telephony.cti.enums import CTIFAILURE
from pa_telephony.cti.server.backend import MediaRegistration, Termination
from pa_telephony.errors import RequestFailed

__all__ = ["CtiRegistrations"]

_ALREADY = {
    Termination.NONE: CTIFAILURE.CTIERR_MEDIA_ALREADY_TERMINATED_NONE,
    Termination.STATIC: CTIFAILURE.CTIERR_MEDIA_ALREADY_TERMINATED_STATIC,
    Termination.DYNAMIC: CTIFAILURE.CTIERR_MEDIA_ALREADY_TERMINATED_DYNAMIC,
}
"""The refusal names the registration that is there (JTAPI guide)."""


class CtiRegistrations:
    """The applications that have each CTI device registered, and with which media."""

    def __init__(self) -> None:
        self._owners: dict[str, list[object]] = {}
        self._media: dict[str, MediaRegistration] = {}

    def media_of(self, device: str) -> MediaRegistration | None:
        """How a device is registered, None when it is not."""
        return self._media.get(device)

    def owners(self, device: str) -> int:
        """How many applications have a device registered."""
        return len(self._owners.get(device, ()))

    def add(self, device: str, kind: DeviceKind, owner: object, media: MediaRegistration) -> bool:
        """Add an owner; True for the first. Raises :class:`RequestFailed`.

        A second owner must register as the first did; a port with a fixed address has one only.
        """
        owners = self._owners.get(device, [])
        if owner in owners:
            raise RequestFailed(CTIFAILURE.DEVICE_ALREADY_REGISTERED, f"{device} is yours already")
        held = self._media.get(device)
        if held is not None:
            static_port = kind is DeviceKind.CTI_PORT and held.termination is Termination.STATIC
            if static_port or held.termination is not media.termination:
                raise RequestFailed(
                    _ALREADY[held.termination],
                    f"{device} is registered with media termination {held.termination.name}",
                )
            if set(held.codecs) != set(media.codecs):
                raise RequestFailed(CTIFAILURE.CTIERR_MEDIA_CAPABILITY_MISMATCH, device)
        else:
            self._media[device] = media
        self._owners[device] = [*owners, owner]
        return held is None

    def forget(self, device: str) -> None:
        """Forget the registrations of a device that was removed."""
        self._owners.pop(device, None)
        self._media.pop(device, None)

    def remove(self, device: str, owner: object) -> bool:
        """Remove an owner; True when it was the last."""
        owners = self._owners.get(device, [])
        if owner not in owners:
            return False
        owners.remove(owner)
        if owners:
            return False
        del self._owners[device], self._media[device]
        return True
