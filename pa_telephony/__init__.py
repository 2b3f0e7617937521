"""Cisco call control: SCCP, CTI and RTP, with a call manager to run and test them.

The package is the prefix: ``sccp.open_station``, ``cti.open_provider``, ``rtp.open_engine``,
``callmanager.open_call_manager``, ``failover.open_server``. Importing this package costs next to
nothing; what stands behind a name is imported when the name is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pa_telephony._lazy import lazy_names

if TYPE_CHECKING:
    from pa_telephony import (
        callmanager as callmanager,
        cti as cti,
        errors as errors,
        failover as failover,
        program as program,
        rtp as rtp,
        sccp as sccp,
        tasks as tasks,
        testing as testing,
        trace as trace,
    )
    from pa_telephony.errors import (
        CallEnded as CallEnded,
        ConfigurationError as ConfigurationError,
        ConnectionLost as ConnectionLost,
        DecodeError as DecodeError,
        InternalError as InternalError,
        LocalProtocolError as LocalProtocolError,
        ProtocolError as ProtocolError,
        RegistrationRejected as RegistrationRejected,
        RemoteProtocolError as RemoteProtocolError,
        RequestFailed as RequestFailed,
        TelephonyError as TelephonyError,
    )

__version__ = "0.2.0"

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "callmanager": ".callmanager",
        "cti": ".cti",
        "errors": ".errors",
        "failover": ".failover",
        "program": ".program",
        "rtp": ".rtp",
        "sccp": ".sccp",
        "tasks": ".tasks",
        "testing": ".testing",
        "trace": ".trace",
        "CallEnded": ".errors",
        "ConfigurationError": ".errors",
        "ConnectionLost": ".errors",
        "DecodeError": ".errors",
        "InternalError": ".errors",
        "LocalProtocolError": ".errors",
        "ProtocolError": ".errors",
        "RegistrationRejected": ".errors",
        "RemoteProtocolError": ".errors",
        "RequestFailed": ".errors",
        "TelephonyError": ".errors",
    },
)
