"""The rows of the Control Center besides servers: license managers, and speech servers. Pure.

Source: the page in Cisco's document 44922. Its groups are independent: to stop a server leaves the
license manager of its machine as it is. There is no program of either yet, so each row says that it
is not installed, and so do Start and Stop.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from pa_telephony.failover.config import ClusterConfig

__all__ = ["Service", "ServiceGroup", "ServiceState", "answer_of", "services"]


class ServiceGroup(enum.Enum):
    """A group of rows; the value is the heading of the page."""

    LICENSE_MANAGER = "Speech License Manager"
    SPEECH_SERVER = "Personal Assistant Speech Server"


class ServiceState(enum.Enum):
    """What runs of a row."""

    NOT_INSTALLED = "not installed"
    """There is no program to start."""


@dataclass(frozen=True)
class Service:
    """One row: a license manager of a host, or a speech server of a host for one locale."""

    group: ServiceGroup
    host: str
    locale: str = ""
    """The language of a speech server; "" of a license manager."""
    state: ServiceState = ServiceState.NOT_INSTALLED

    @property
    def name(self) -> str:
        """Host and locale."""
        return f"{self.host}, {self.locale}" if self.locale else self.host


def services(cluster: ClusterConfig) -> tuple[Service, ...]:
    """All rows, in the order of the page: host by host, and under each its locales."""
    speech = cluster.speech
    managers = [
        Service(ServiceGroup.LICENSE_MANAGER, host)
        for host in speech.speech_recognition_license_manager_hosts
    ]
    servers = [
        Service(ServiceGroup.SPEECH_SERVER, host, locale)
        for host in speech.speech_recognition_server_hosts
        for locale in speech.supported_locales
    ]
    return (*managers, *servers)


def answer_of(service: Service) -> str:
    """What Start and Stop of the row answer."""
    return f"{service.group.value} {service.name}: {service.state.value}"
