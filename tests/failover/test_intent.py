"""Start, Stop, Start All, Stop All."""

from __future__ import annotations

import pytest
from worlds import CLUSTER, Worlds

from pa_telephony.errors import ConfigurationError
from pa_telephony.failover import Command, intents
from pa_telephony.failover.world import Stop


def test_stop_all_is_one_transaction() -> None:
    worlds = Worlds()
    assert worlds.commit(intents(CLUSTER, Command.STOP))
    assert worlds.revision == 1
    assert {worlds.world().stopped(n) for n in ("PA1", "PA2", "PA3")} == {Stop.FAIL_OVER}


def test_start_takes_the_order_back_for_the_servers_named() -> None:
    worlds = Worlds()
    worlds.commit(intents(CLUSTER, Command.STOP))
    worlds.commit(intents(CLUSTER, Command.START, ["pa1"]))
    assert worlds.world().stopped("PA1") is None
    assert worlds.world().stopped("PA2") is Stop.FAIL_OVER


def test_stop_alone_says_that_nobody_shall_stand_in() -> None:
    worlds = Worlds()
    worlds.commit(intents(CLUSTER, Command.STOP_ALONE, ["PA1", "PA1"]))
    assert worlds.world().stopped("PA1") is Stop.ALONE


def test_a_name_that_is_no_server_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no server 'PA9'"):
        intents(CLUSTER, Command.STOP, ["PA1", "PA9"])
