"""Refusals by the name that JTAPI gives them; the code on the wire says more."""

from __future__ import annotations

from pa_telephony.cti.enums import CTIFAILURE
from pa_telephony.errors import RequestFailed

__all__ = [
    "InvalidPartyError",
    "InvalidStateError",
    "MethodNotSupportedError",
    "PrivilegeViolationError",
    "RegistrationError",
    "ResourceUnavailableError",
    "refused",
]


class InvalidStateError(RequestFailed):
    """A call, a line or a device is not in a state for the request (InvalidStateException)."""


class InvalidPartyError(RequestFailed):
    """The number in a request does not exist (InvalidPartyException)."""


class PrivilegeViolationError(RequestFailed):
    """The user may not do what was requested (PrivilegeViolationException)."""


class ResourceUnavailableError(RequestFailed):
    """Something that the request needs is missing or in use (ResourceUnavailableException)."""


class MethodNotSupportedError(RequestFailed):
    """The device or the call manager does not support it (MethodNotSupportedException)."""


class RegistrationError(RequestFailed):
    """Another application has the device in another way (CiscoRegistrationException)."""


_F = CTIFAILURE
_NAMED: dict[type[RequestFailed], tuple[CTIFAILURE, ...]] = {
    InvalidStateError: (
        _F.ILLEGAL_CALLSTATE,
        _F.CALLHANDLE_NOTINCOMINGCALL,
        _F.OPERATION_NOT_AVAILABLE_IN_CURRENT_STATE,
        _F.REDIRECT_CALL_INCOMPATIBLE_STATE,
        _F.DIGIT_GENERATION_WRONG_CALL_STATE,
        _F.HOLDFAILED,
        _F.RETRIEVEFAILED,
        _F.TRANSFERFAILED,
        _F.CONFERENCE_FAILED,
        _F.CTIERR_LINE_OUT_OF_SERVICE,
        _F.DEVICE_OUT_OF_SERVICE,
    ),
    InvalidPartyError: (
        _F.REDIRECT_CALL_UNKNOWN_DESTINATION,
        _F.TRANSFERFAILED_DESTINATION_UNALLOCATED,
        _F.CFWDALL_DESTN_INVALID,
        _F.MSGWAITING_DESTN_INVALID,
        _F.CONFERENCE_INVALID_PARTICIPANT,
        _F.UNDEFINED_LINE,
    ),
    PrivilegeViolationError: (
        _F.CTIERR_ACCESS_TO_DEVICE_DENIED,
        _F.CTIERR_INVALID_DEVICE_NAME,
        _F.CTIERR_DEVICE_RESTRICTED,
        _F.CTIERR_LINE_RESTRICTED,
        _F.CTIERR_USER_NOT_AUTH_FOR_SECURITY,
    ),
    ResourceUnavailableError: (
        _F.ILLEGAL_HANDLE,
        _F.REDIRECT_CALL_DESTINATION_BUSY,
        _F.REDIRECT_CALL_DESTINATION_OUT_OF_ORDER,
        _F.CTIERR_MAXCALL_LIMIT_REACHED,
        _F.CTIERR_CALL_PARK_NO_DN,
        _F.CTIERR_NO_CONFERENCE_BRIDGE,
        _F.CONFERENCE_FULL,
        _F.MAX_NUMBER_OF_CTI_CONNECTIONS_REACHED,
    ),
    MethodNotSupportedError: (_F.COMMAND_NOT_IMPLEMENTED_ON_DEVICE,),
    RegistrationError: (
        _F.DEVICE_ALREADY_REGISTERED,
        _F.CTIERR_MEDIA_ALREADY_TERMINATED_NONE,
        _F.CTIERR_MEDIA_ALREADY_TERMINATED_STATIC,
        _F.CTIERR_MEDIA_ALREADY_TERMINATED_DYNAMIC,
        _F.CTIERR_MEDIA_CAPABILITY_MISMATCH,
        _F.CTIERR_DEVICE_REGISTRATION_FAILED_NOT_SUPPORTED_MEDIATYPE,
    ),
}
_CLASSES = {int(code): name for name, codes in _NAMED.items() for code in codes}


def refused(code: int, description: str = "") -> RequestFailed:
    """The error for a refusal: one of those above, or a plain :class:`RequestFailed`."""
    return _CLASSES.get(int(code), RequestFailed)(code, description)
