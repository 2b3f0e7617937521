"""CTIQBE, the wire under JTAPI: calls and route points for applications, the CTI Manager's side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pa_telephony._lazy import lazy_names

if TYPE_CHECKING:
    from pa_telephony.cti.address import Address as Address
    from pa_telephony.cti.call import Call as Call
    from pa_telephony.cti.call_states import (
        ConnectionState as ConnectionState,
        TerminalConnectionState as TerminalConnectionState,
    )
    from pa_telephony.cti.client import (
        Provider as Provider,
        ProviderConfig as ProviderConfig,
        open_provider as open_provider,
    )
    from pa_telephony.cti.connection import Role as Role, WireConnection as WireConnection
    from pa_telephony.cti.control import CallControl as CallControl
    from pa_telephony.cti.errors import (
        InvalidPartyError as InvalidPartyError,
        InvalidStateError as InvalidStateError,
        MethodNotSupportedError as MethodNotSupportedError,
        PrivilegeViolationError as PrivilegeViolationError,
        RegistrationError as RegistrationError,
        ResourceUnavailableError as ResourceUnavailableError,
    )
    from pa_telephony.cti.media_terminal import (
        MediaCall as MediaCall,
        MediaTerminal as MediaTerminal,
    )
    from pa_telephony.cti.model import (
        Connection as Connection,
        Model as Model,
        TerminalConnection as TerminalConnection,
    )
    from pa_telephony.cti.route_point import (
        RouteFailed as RouteFailed,
        RoutePoint as RoutePoint,
        RouteSession as RouteSession,
    )
    from pa_telephony.cti.server import serve_providers as serve_providers
    from pa_telephony.cti.session import CtiManagerConfig as CtiManagerConfig

__all__ = [
    "Address",
    "Call",
    "CallControl",
    "Connection",
    "ConnectionState",
    "CtiManagerConfig",
    "InvalidPartyError",
    "InvalidStateError",
    "MediaCall",
    "MediaTerminal",
    "MethodNotSupportedError",
    "Model",
    "PrivilegeViolationError",
    "Provider",
    "ProviderConfig",
    "RegistrationError",
    "ResourceUnavailableError",
    "Role",
    "RouteFailed",
    "RoutePoint",
    "RouteSession",
    "TerminalConnection",
    "TerminalConnectionState",
    "WireConnection",
    "open_provider",
    "serve_providers",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Address": ".address",
        "Call": ".call",
        "CallControl": ".control",
        "Connection": ".model",
        "ConnectionState": ".call_states",
        "CtiManagerConfig": ".session",
        "InvalidPartyError": ".errors",
        "InvalidStateError": ".errors",
        "MediaCall": ".media_terminal",
        "MediaTerminal": ".media_terminal",
        "MethodNotSupportedError": ".errors",
        "Model": ".model",
        "PrivilegeViolationError": ".errors",
        "Provider": ".client",
        "ProviderConfig": ".client",
        "RegistrationError": ".errors",
        "ResourceUnavailableError": ".errors",
        "Role": ".connection",
        "RouteFailed": ".route_point",
        "RoutePoint": ".route_point",
        "RouteSession": ".route_point",
        "TerminalConnection": ".model",
        "TerminalConnectionState": ".call_states",
        "WireConnection": ".connection",
        "open_provider": ".client",
        "serve_providers": ".server",
    },
)
