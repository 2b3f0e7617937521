"""CTIQBE, the wire under JTAPI: calls and route points for applications, the CTI Manager's side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pa_telephony._lazy import lazy_names

if TYPE_CHECKING:
    from pa_telephony.cti.client import media_terminal as media_terminal
    from pa_telephony.cti.client.address import Address as Address
    from pa_telephony.cti.client.call import Call as Call
    from pa_telephony.cti.client.jtapi import (
        CallActive as CallActive,
        CallInvalid as CallInvalid,
        CallMerged as CallMerged,
        ConferenceEnded as ConferenceEnded,
        ConferenceStarted as ConferenceStarted,
        Connection as Connection,
        ConnectionChanged as ConnectionChanged,
        DigitReceived as DigitReceived,
        Model as Model,
        ModelEvent as ModelEvent,
        PartiesChanged as PartiesChanged,
        ServiceChanged as ServiceChanged,
        TerminalConnection as TerminalConnection,
        TerminalConnectionChanged as TerminalConnectionChanged,
        TransferEnded as TransferEnded,
        TransferStarted as TransferStarted,
    )
    from pa_telephony.cti.client.jtapi_states import (
        ConnectionState as ConnectionState,
        TerminalConnectionState as TerminalConnectionState,
    )
    from pa_telephony.cti.client.media_terminal import (
        MediaCall as MediaCall,
        MediaTerminal as MediaTerminal,
    )
    from pa_telephony.cti.client.provider import (
        Provider as Provider,
        ProviderConfig as ProviderConfig,
        open_provider as open_provider,
    )
    from pa_telephony.cti.client.route_point import (
        RouteFailed as RouteFailed,
        RoutePoint as RoutePoint,
        RouteSession as RouteSession,
    )
    from pa_telephony.cti.client.search_space import SearchSpace as SearchSpace
    from pa_telephony.cti.connection import Role as Role, WireConnection as WireConnection
    from pa_telephony.cti.errors import (
        InvalidPartyError as InvalidPartyError,
        InvalidStateError as InvalidStateError,
        MethodNotSupportedError as MethodNotSupportedError,
        PrivilegeViolationError as PrivilegeViolationError,
        RegistrationError as RegistrationError,
        ResourceUnavailableError as ResourceUnavailableError,
    )
    from pa_telephony.cti.server.backend import CallControl as CallControl
    from pa_telephony.cti.server.handles import CtiManagerConfig as CtiManagerConfig
    from pa_telephony.cti.server.server import serve_providers as serve_providers

__all__ = [
    "Address",
    "Call",
    "CallActive",
    "CallControl",
    "CallInvalid",
    "CallMerged",
    "ConferenceEnded",
    "ConferenceStarted",
    "Connection",
    "ConnectionChanged",
    "ConnectionState",
    "CtiManagerConfig",
    "DigitReceived",
    "InvalidPartyError",
    "InvalidStateError",
    "MediaCall",
    "MediaTerminal",
    "MethodNotSupportedError",
    "Model",
    "ModelEvent",
    "PartiesChanged",
    "PrivilegeViolationError",
    "Provider",
    "ProviderConfig",
    "RegistrationError",
    "ResourceUnavailableError",
    "Role",
    "RouteFailed",
    "RoutePoint",
    "RouteSession",
    "SearchSpace",
    "ServiceChanged",
    "TerminalConnection",
    "TerminalConnectionChanged",
    "TerminalConnectionState",
    "TransferEnded",
    "TransferStarted",
    "WireConnection",
    "open_provider",
    "serve_providers",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Address": ".client.address",
        "Call": ".client.call",
        "CallActive": ".client.jtapi",
        "CallControl": ".server.backend",
        "CallInvalid": ".client.jtapi",
        "CallMerged": ".client.jtapi",
        "ConferenceEnded": ".client.jtapi",
        "ConferenceStarted": ".client.jtapi",
        "Connection": ".client.jtapi",
        "ConnectionChanged": ".client.jtapi",
        "ConnectionState": ".client.jtapi_states",
        "CtiManagerConfig": ".server.handles",
        "DigitReceived": ".client.jtapi",
        "InvalidPartyError": ".errors",
        "InvalidStateError": ".errors",
        "MediaCall": ".client.media_terminal",
        "MediaTerminal": ".client.media_terminal",
        "MethodNotSupportedError": ".errors",
        "Model": ".client.jtapi",
        "ModelEvent": ".client.jtapi",
        "PartiesChanged": ".client.jtapi",
        "PrivilegeViolationError": ".errors",
        "Provider": ".client.provider",
        "ProviderConfig": ".client.provider",
        "RegistrationError": ".errors",
        "ResourceUnavailableError": ".errors",
        "Role": ".connection",
        "RouteFailed": ".client.route_point",
        "RoutePoint": ".client.route_point",
        "RouteSession": ".client.route_point",
        "SearchSpace": ".client.search_space",
        "ServiceChanged": ".client.jtapi",
        "TerminalConnection": ".client.jtapi",
        "TerminalConnectionChanged": ".client.jtapi",
        "TerminalConnectionState": ".client.jtapi_states",
        "TransferEnded": ".client.jtapi",
        "TransferStarted": ".client.jtapi",
        "WireConnection": ".connection",
        "media_terminal": ".client.media_terminal",
        "open_provider": ".client.provider",
        "serve_providers": ".server.server",
    },
)
