"""Start, Stop, Start All, Stop All."""

from __future__ import annotations

from dataclasses import replace

import pytest
from worlds import CLUSTER, Worlds

from pa_telephony.errors import ConfigurationError
from pa_telephony.failover import Command, cluster_status, intents
from pa_telephony.failover.intent import Answer, answer, moved, moving
from pa_telephony.failover.world import Stop

EVERYTHING = CLUSTER.identities("PA1")


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


def told(command: Command, worlds: Worlds, running: tuple[str, ...], **ages: float) -> Answer:
    snapshot = replace(worlds.snapshot(), running=frozenset(running))
    (page, *_) = cluster_status(CLUSTER, snapshot, ages)
    return answer(command, page, snapshot)


def test_start_says_that_no_process_hears_it() -> None:
    found = told(Command.START, Worlds(), ())
    assert (found.final, found.obeyed) == (True, False)
    assert found.words == "PA1 may run, but no process of it runs: start pa-telephony server"
    found = told(Command.START, Worlds(), ("PA1",))
    assert (found.final, found.obeyed) == (False, False)


def test_start_is_done_when_the_server_has_all_of_its_own() -> None:
    worlds = Worlds()
    worlds.enter("PA1", "PA2")
    worlds.enter("PA1", up=EVERYTHING[1:], why={EVERYTHING[0].label: "no such device"})
    worlds.own("PA1", *EVERYTHING)
    found = told(Command.START, worlds, ("PA1", "PA2"))
    assert (found.final, found.obeyed) == (False, False)
    assert found.words == "PA1 runs; not served: 6001 (no such device)"
    worlds.enter("PA1", up=EVERYTHING)
    found = told(Command.START, worlds, ("PA1", "PA2"))
    assert (found.final, found.obeyed, found.words) == (True, True, "PA1 serves all of its own")


def test_start_says_what_a_call_keeps_elsewhere() -> None:
    worlds = Worlds()
    worlds.enter("PA1", up=EVERYTHING[1:])
    worlds.own("PA1", *EVERYTHING[1:])
    worlds.enter("PA2", up=EVERYTHING[:1], busy=EVERYTHING[:1])
    worlds.own("PA2", *EVERYTHING[:1])
    worlds.claim("PA2", "PA1")
    found = told(Command.START, worlds, ("PA1", "PA2"))
    assert (found.final, found.obeyed) == (False, True)
    assert found.words == "PA1 runs; PA2 still has 1 of its numbers, 1 of them in a call"


def test_stop_says_who_serves_instead() -> None:
    worlds = Worlds()
    worlds.enter("PA1", "PA2")
    worlds.own("PA1", *EVERYTHING)
    worlds.stop("PA1")
    found = told(Command.STOP, worlds, ("PA1", "PA2"))
    assert (found.final, found.words) == (False, "PA1 has not stopped yet")
    worlds.die("PA1")
    found = told(Command.STOP, worlds, ("PA1", "PA2"))
    waits = "PA1 is stopped; its process waits for start; "
    assert (found.final, found.obeyed) == (False, True)
    assert found.words == waits + "nobody stands in for its 4 numbers"
    worlds.enter("PA2", up=EVERYTHING)
    worlds.own("PA2", *EVERYTHING)
    worlds.claim("PA2", "PA1")
    found = told(Command.STOP, worlds, ("PA1", "PA2"))
    assert (found.final, found.obeyed) == (True, True)
    assert found.words == waits + "PA2 serves 4 of its 4 numbers"


def test_stop_alone_is_done_when_nothing_is_served() -> None:
    worlds = Worlds()
    worlds.stop("PA1", Stop.ALONE)
    found = told(Command.STOP_ALONE, worlds, ())
    assert (found.final, found.obeyed) == (True, True)
    assert found.words.endswith("no process of it runs; its 4 numbers are out of service")


@pytest.mark.parametrize("command", list(Command))
def test_a_silent_server_has_not_obeyed(command: Command) -> None:
    worlds = Worlds()
    worlds.enter("PA1", up=EVERYTHING)
    worlds.own("PA1", *EVERYTHING)
    found = told(command, worlds, ("PA1",), PA1=12.0)
    assert (found.final, found.obeyed) == (False, False)
    assert found.words == "PA1 does not hear it: it is silent for 12 s"


def test_an_order_to_drain_says_how_long_calls_have_and_is_taken_back_by_start() -> None:
    worlds = Worlds()
    worlds.commit(intents(CLUSTER, Command.DRAIN, ["PA1"], deadline=90))
    world = worlds.world()
    assert world.stopped("PA1") is Stop.DRAIN
    assert world.drains_within("PA1") == 90.0
    worlds.commit(intents(CLUSTER, Command.START, ["PA1"]))
    assert worlds.world().stopped("PA1") is None
    assert worlds.world().drains_within("PA1") == 0.0


def test_the_answer_to_drain_tells_of_the_calls_that_go_on() -> None:
    worlds = Worlds()
    worlds.enter("PA1", up=EVERYTHING[:1], busy=EVERYTHING[:1])
    worlds.enter("PA2", up=EVERYTHING[1:])
    worlds.own("PA1", EVERYTHING[0])
    worlds.own("PA2", *EVERYTHING[1:])
    worlds.claim("PA2", "PA1")
    worlds.commit(intents(CLUSTER, Command.DRAIN, ["PA1"]))
    found = told(Command.DRAIN, worlds, ("PA1", "PA2"))
    assert (found.final, found.obeyed) == (False, False)
    assert found.words == (
        "PA1 takes no new calls; calls that go on: 1; PA2 has 3 of its 4 numbers"
    )


def test_a_home_is_moved_only_to_a_server_of_its_list_and_moved_back() -> None:
    worlds = Worlds()
    worlds.commit(moving(CLUSTER, "pa1", "pa3"))
    assert worlds.world().moved("PA1") == "PA3"
    worlds.commit(moving(CLUSTER, "PA1", None))
    assert worlds.world().moved("PA1") is None
    with pytest.raises(ConfigurationError, match="PA1 may not stand in for PA2"):
        moving(CLUSTER, "PA2", "PA1")


def test_the_answer_to_move_tells_how_far_it_is() -> None:
    worlds = Worlds()
    worlds.enter("PA1", up=EVERYTHING[:1], busy=EVERYTHING[:1])
    worlds.enter("PA2", up=EVERYTHING[1:])
    worlds.own("PA1", EVERYTHING[0])
    worlds.own("PA2", *EVERYTHING[1:])
    worlds.claim("PA2", "PA1")
    worlds.put("move/PA1", "PA2")
    (page, *_) = cluster_status(CLUSTER, worlds.snapshot())
    assert page.state == "moves to PA2, which has 3 of 4 numbers"
    found = moved(page, "PA2")
    assert (found.final, found.obeyed) == (False, False)
    assert found.words == "PA1: PA2 serves 3 of its 4 numbers; calls that go on elsewhere: 1"
    worlds.enter("PA2", up=EVERYTHING)
    worlds.own("PA2", *EVERYTHING)
    worlds.enter("PA1")
    (page, *_) = cluster_status(CLUSTER, worlds.snapshot())
    assert page.state == "moved to PA2"
    found = moved(page, "PA2")
    assert (found.final, found.words) == (True, "PA1: PA2 serves 4 of its 4 numbers")
