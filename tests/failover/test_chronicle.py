"""What is written down of takeovers, returns and fences, and how it is read again."""

from __future__ import annotations

from worlds import CLUSTER, PORTS, Worlds

from pa_telephony.failover import Identity
from pa_telephony.failover.beat import Beat
from pa_telephony.failover.chronicle import KEPT, Chronicle, Episode, EpisodeKind, history
from pa_telephony.failover.steps import Step, StepKind
from pa_telephony.failover.transaction import Put, Transaction
from pa_telephony.failover.world import session

EVERYTHING = CLUSTER.identities("PA1")
WALL = 1_800_000_000.0


class Writer:
    """A server's chronicle over a store of which every write succeeds."""

    def __init__(self, worlds: Worlds, name: str = "PA2") -> None:
        self.worlds = worlds
        self.now = 100.0
        self.chronicle = Chronicle(name, heartbeat=0.5, take=5.0)
        self.look()

    def look(self, acts: bool = True, up: frozenset[Identity] = frozenset(), why: str = "") -> None:
        self.chronicle.observe(self.worlds.world(), self.now)
        self.chronicle.acting(acts, up, self.now, WALL + self.now, why)
        if transaction := self.chronicle.writes():
            assert self.worlds.commit(transaction)

    def step(self, kind: StepKind, *identities: Identity, home: str = "PA1") -> None:
        step = Step(kind, Transaction((), ()), home, identities)
        self.chronicle.observe(self.worlds.world(), self.now)
        self.chronicle.committed(step, self.now, WALL + self.now)
        self.look()

    def wait(self, seconds: float) -> None:
        """As a driver does, which looks several times a second."""
        while seconds > 0:
            self.now += min(seconds, 0.5)
            seconds -= 0.5
            self.look()

    @property
    def last(self) -> Episode:
        return history(self.worlds.snapshot())[-1]


def both() -> Worlds:
    worlds = Worlds()
    worlds.enter("PA1", "PA2")
    return worlds


def test_a_takeover_ends_when_all_is_registered() -> None:
    worlds = both()
    writer = Writer(worlds)
    worlds.dead.add("PA1")
    worlds.die("PA1")
    writer.look()
    worlds.own("PA2", *EVERYTHING)
    writer.step(StepKind.TAKE_HOME, *EVERYTHING)
    began = Episode(
        EpisodeKind.TAKEOVER, "PA2", "PA1", "its process is gone", WALL + 100.0, None, 4, 0
    )
    assert writer.last == began
    writer.now += 0.25
    writer.look(up=frozenset(EVERYTHING[:2]))
    assert writer.last == began
    writer.now += 0.25
    writer.look(up=frozenset(EVERYTHING))
    assert writer.last.seconds == 0.5


def test_what_went_away_meanwhile_is_not_waited_for() -> None:
    worlds = both()
    writer = Writer(worlds)
    writer.step(StepKind.TAKE_HOME, *EVERYTHING)
    assert writer.last.seconds is None  # the snapshot is older than the step
    worlds.own("PA2", *EVERYTHING)
    writer.look(up=frozenset(EVERYTHING[1:]))
    assert writer.last.seconds is None
    worlds.own("PA1", EVERYTHING[0])
    writer.look(up=frozenset(EVERYTHING[1:]))
    assert writer.last.seconds == 0.0


def test_the_cause_of_a_takeover() -> None:
    worlds = both()
    writer = Writer(worlds)
    writer.wait(5.0)
    worlds.die("PA1")
    writer.look()
    writer.step(StepKind.TAKE_HOME)
    assert writer.last.cause == "silent for 5.0 s"
    worlds.enter("PA1")
    writer.look()
    worlds.die("PA1")
    writer.look()
    writer.step(StepKind.TAKE_HOME)
    assert writer.last.cause == "it gave up its session"
    worlds.put(session("PA1"), Beat("i", frozenset({"skinny"})).encode())
    writer.step(StepKind.TAKE_HOME)
    assert writer.last.cause == "it does not reach jtapi"
    worlds.put(session("PA1"), Beat("i", frozenset({"*"}), reads=False).encode())
    writer.step(StepKind.TAKE_HOME)
    assert writer.last.cause == "it cannot read the store"
    worlds.stop("PA1")
    writer.step(StepKind.TAKE_HOME)
    assert writer.last.cause == "stopped by an operator"


def test_a_return_begins_with_the_first_port_and_ends_with_the_claim() -> None:
    writer = Writer(both())
    writer.step(StepKind.HAND_BACK, PORTS[0])
    writer.wait(7.0)
    writer.step(StepKind.HAND_BACK, *EVERYTHING[1:])
    writer.wait(1.0)
    assert writer.last.seconds is None
    writer.step(StepKind.RELEASE)
    found = writer.last
    assert (found.kind, found.home, found.seconds, found.identities) == (
        EpisodeKind.RETURN,
        "PA1",
        8.0,
        4,
    )


def test_a_home_that_falls_again_breaks_its_return_off() -> None:
    writer = Writer(both())
    writer.step(StepKind.HAND_BACK, PORTS[0])
    writer.wait(2.0)
    writer.step(StepKind.TAKE_HOME, PORTS[0])
    returned, taken = history(writer.worlds.snapshot())
    assert (returned.cause, returned.seconds) == ("PA1 asked for its own; broken off", 2.0)
    assert taken.kind is EpisodeKind.TAKEOVER


def test_a_handover_begins_with_the_route_point_and_ends_with_the_last_port() -> None:
    writer = Writer(both(), "PA1")
    writer.worlds.own("PA1", *EVERYTHING)
    writer.look()
    writer.step(StepKind.HAND_OVER, *EVERYTHING[1:], home="PA2")
    writer.worlds.own("PA2", *EVERYTHING[1:])
    writer.wait(7.0)
    assert writer.last.seconds is None
    writer.step(StepKind.HAND_OVER, PORTS[0], home="PA2")
    found = writer.last
    assert (found.kind, found.server, found.home, found.to) == (
        EpisodeKind.HANDOVER,
        "PA1",
        "PA1",
        "PA2",
    )
    assert (found.cause, found.seconds, found.identities) == ("an operator drains PA1", 7.0, 4)
    assert found.holder == "PA2"


def test_a_handover_that_is_taken_back_is_not_finished_and_the_next_is_another() -> None:
    writer = Writer(both(), "PA1")
    writer.worlds.own("PA1", *EVERYTHING)
    writer.step(StepKind.HAND_OVER, EVERYTHING[-1], home="PA2")
    writer.step(StepKind.WANT)
    writer.worlds.commit(Transaction((), (Put("move/PA1", "PA2"),)))
    writer.look()
    writer.step(StepKind.HAND_OVER, *EVERYTHING, home="PA2")
    first, second = history(writer.worlds.snapshot())
    assert (first.seconds, first.cause) == (None, "an operator drains PA1")
    assert (second.seconds, second.cause) == (0.0, "an operator moves PA1")


def test_a_stand_in_that_is_drained_writes_whose_numbers_the_next_one_gets() -> None:
    worlds = both()
    worlds.own("PA2", *EVERYTHING)
    writer = Writer(worlds, "PA2")
    writer.look()
    writer.step(StepKind.HAND_OVER, *EVERYTHING, home="PA3")
    found = writer.last
    assert (found.home, found.holder, found.seconds) == ("PA1", "PA3", 0.0)
    assert found.cause == "an operator drains PA2"


def test_a_fence_is_written_when_the_server_may_act_again() -> None:
    worlds = both()
    writer = Writer(worlds)
    writer.look(acts=False, why="store x: disk full")
    assert history(worlds.snapshot()) == ()
    writer.now += 0.5
    writer.look(acts=False)
    writer.now += 0.5
    writer.look()
    found = writer.last
    assert (found.kind, found.home, found.cause) == (
        EpisodeKind.FENCE,
        "PA2",
        "store x: disk full",
    )
    assert (found.began, found.seconds) == (WALL + 100.0, 1.0)


def test_the_cause_of_a_fence() -> None:
    worlds = both()
    writer = Writer(worlds)

    def fenced() -> str:
        writer.look(acts=False)
        writer.look()
        return writer.last.cause

    assert fenced() == "no heartbeat was committed in time"
    writer.now += 45.0
    assert fenced() == "stood still for 45 s"
    for _ in range(8):
        writer.now += 0.5
        writer.chronicle.acting(True, frozenset(), writer.now, WALL + writer.now)
    writer.chronicle.acting(False, frozenset(), writer.now, WALL + writer.now)
    writer.look()
    assert writer.last.cause == "the store could not be read for 4.0 s"
    worlds.die("PA2")
    assert fenced() == "given up by others"


def test_who_leaves_has_not_fenced() -> None:
    writer = Writer(both())
    writer.chronicle.committed(Step(StepKind.LEAVE, Transaction((), ()), "PA2"), 0.0, WALL)
    writer.look(acts=False)
    writer.look()
    assert history(writer.worlds.snapshot()) == ()


def test_only_so_many_are_kept_and_a_restart_goes_on_counting() -> None:
    worlds = both()
    for _ in range(3):
        writer = Writer(worlds)
        for _ in range(KEPT // 2):
            writer.step(StepKind.TAKE_HOME)
            writer.now += 1.0
    found = [each.number for each in history(worlds.snapshot())]
    assert len(found) == KEPT
    assert set(found) == set(range(KEPT // 2, KEPT // 2 * 3))


def test_what_is_no_episode_is_passed_over() -> None:
    worlds = Worlds()
    for place, text in enumerate(("", "{}", "[1]", '{"kind":"party","began":0}', "no JSON")):
        worlds.put(f"log/PA1/{place:02d}", text)
    good = Episode(EpisodeKind.FENCE, "PA1", "PA1", "why", 1.5, 2.5, 3, 7)
    worlds.commit(Transaction((), (Put(good.key, good.encode()),)))
    assert history(worlds.snapshot()) == (good,)
