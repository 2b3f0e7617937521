"""A cluster of servers that own a number, its media ports and its interceptors, and stand in.

Pure: :mod:`config`, :mod:`validation` and :mod:`cluster` (the Server Configuration page),
:mod:`identity`, :mod:`ownership` (the planner) with :mod:`duties` (what it looks at) and
:mod:`obeying` (what operators order), :mod:`registration` (one identity's life at one holder),
:mod:`member` (a server without I/O), :mod:`status` (the Server Status page).
With trio: :mod:`stores`, :mod:`server`, :mod:`holder` (one identity at the call manager) and
:mod:`operating` (what a person does from outside).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pa_telephony._lazy import lazy_names

if TYPE_CHECKING:
    from pa_telephony.failover import stores
    from pa_telephony.failover.agents import AgentReport
    from pa_telephony.failover.alarm_kinds import Alarm, AlarmKind
    from pa_telephony.failover.alarms import AlarmBook
    from pa_telephony.failover.application import Application, Menu
    from pa_telephony.failover.chronicle import Episode, EpisodeKind, history
    from pa_telephony.failover.cluster import Cluster, load
    from pa_telephony.failover.config import (
        JtapiProvider,
        ServerConfig,
        SkinnyProvider,
        Timing,
    )
    from pa_telephony.failover.identity import Identity, Kind
    from pa_telephony.failover.intent import Command, intents
    from pa_telephony.failover.operating import (
        control,
        control_and_see,
        hold_and_see,
        move_and_see,
        read_agents,
        read_history,
        read_status,
        return_and_see,
        watch_status,
    )
    from pa_telephony.failover.restarting import (
        read_rolling,
        restart_and_see,
        undo_restart,
    )
    from pa_telephony.failover.rolling import Roll
    from pa_telephony.failover.server import Server, open_server
    from pa_telephony.failover.sight import Sight, watch_cluster
    from pa_telephony.failover.status import (
        ResourceStatus,
        ServerStatus,
        Severity,
        cluster_status,
        worst,
    )
    from pa_telephony.failover.stores import open_store

__all__ = [
    "AgentReport",
    "Alarm",
    "AlarmBook",
    "AlarmKind",
    "Application",
    "Cluster",
    "Command",
    "Episode",
    "EpisodeKind",
    "Identity",
    "JtapiProvider",
    "Kind",
    "Menu",
    "ResourceStatus",
    "Roll",
    "Server",
    "ServerConfig",
    "ServerStatus",
    "Severity",
    "Sight",
    "SkinnyProvider",
    "Timing",
    "cluster_status",
    "control",
    "control_and_see",
    "history",
    "hold_and_see",
    "intents",
    "load",
    "move_and_see",
    "open_server",
    "open_store",
    "read_agents",
    "read_history",
    "read_rolling",
    "read_status",
    "restart_and_see",
    "return_and_see",
    "stores",
    "undo_restart",
    "watch_cluster",
    "watch_status",
    "worst",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "AgentReport": ".agents",
        "Alarm": ".alarm_kinds",
        "AlarmBook": ".alarms",
        "AlarmKind": ".alarm_kinds",
        "Application": ".application",
        "Cluster": ".cluster",
        "Command": ".intent",
        "Episode": ".chronicle",
        "EpisodeKind": ".chronicle",
        "Identity": ".identity",
        "JtapiProvider": ".config",
        "Kind": ".identity",
        "Menu": ".application",
        "ResourceStatus": ".status",
        "Roll": ".rolling",
        "Server": ".server",
        "ServerConfig": ".config",
        "ServerStatus": ".status",
        "Severity": ".status",
        "Sight": ".sight",
        "SkinnyProvider": ".config",
        "Timing": ".config",
        "cluster_status": ".status",
        "control": ".operating",
        "control_and_see": ".operating",
        "history": ".chronicle",
        "hold_and_see": ".operating",
        "intents": ".intent",
        "load": ".cluster",
        "move_and_see": ".operating",
        "open_server": ".server",
        "open_store": ".stores",
        "read_agents": ".operating",
        "read_history": ".operating",
        "read_rolling": ".restarting",
        "read_status": ".operating",
        "restart_and_see": ".restarting",
        "return_and_see": ".operating",
        "stores": ".stores",
        "undo_restart": ".restarting",
        "watch_cluster": ".sight",
        "watch_status": ".operating",
        "worst": ".status",
    },
)
