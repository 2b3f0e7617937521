"""Every core that speaks a protocol has one interface."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from company import COMPANY

from pa_telephony.callmanager.applications.control import CtiSide
from pa_telephony.callmanager.calls.verbs import Calls
from pa_telephony.core import Core
from pa_telephony.cti.connection import Role, WireConnection
from pa_telephony.cti.server.core import ApplicationCore
from pa_telephony.cti.server.handles import CtiManagerConfig
from pa_telephony.sccp.server.registrar import Registrar, RegistrarConfig
from pa_telephony.sccp.station.core import StationCore
from pa_telephony.sccp.station.style import StationConfig


def station() -> Core[Any, Any]:
    core = StationCore("SEP000000001001", StationConfig())
    core.connected(0.0)
    return core


def registrar() -> Core[Any, Any]:
    return Registrar(RegistrarConfig(), 0.0, lambda: datetime.datetime.min)


def wire() -> Core[Any, Any]:
    core = WireConnection(Role.SERVER)
    core.start_heartbeats(30.0, 90.0, 0.0)
    return core


def application() -> Core[Any, Any]:
    backend: Any = CtiSide(COMPANY, Calls(COMPANY, lambda: 0.0))
    certificate: Any = None
    return ApplicationCore(backend, CtiManagerConfig(), certificate, "", itertools.count(1), 0.0)


cores = pytest.mark.parametrize("core_of", [station, registrar, wire, application])


@cores
def test_a_core_that_has_heard_nothing_has_no_event(core_of: Callable[[], Core[Any, Any]]) -> None:
    assert core_of().next_event() is None


@cores
def test_a_core_gives_its_bytes_once(core_of: Callable[[], Core[Any, Any]]) -> None:
    core = core_of()
    core.data_to_send()
    assert core.data_to_send() == b""


@cores
def test_the_end_of_a_connection_is_one_event(core_of: Callable[[], Core[Any, Any]]) -> None:
    core = core_of()
    core.receive_eof(1.0)
    assert core.next_event() is not None
    assert core.next_event() is None


@cores
def test_a_deadline_that_was_dealt_with_is_not_due_again(
    core_of: Callable[[], Core[Any, Any]],
) -> None:
    core = core_of()
    deadline = core.next_deadline()
    assert deadline is not None
    core.handle_deadline(deadline)
    after = core.next_deadline()
    assert after is None or after > deadline
