"""Who is served first when there is more to do than time: rounds, credit, strangers."""

from __future__ import annotations

import functools
import math

import pytest
import trio

from pa_telephony import turns as turns_module
from pa_telephony.fairness import Account, Fairness, FairnessConfig
from pa_telephony.turns import Turns

CONFIG = FairnessConfig()
WORK = 1 / 1024
"""Seconds of a turn: a number that adds up exactly."""


class House:
    """Connections, and a clock that only work moves."""

    def __init__(self) -> None:
        self.fairness = Fairness()
        self.now = 0.0

    def somebody(self, *, known: bool = True) -> Account:
        account = self.fairness.account(self.now)
        if known:
            self.fairness.known(account)
            self.work(account, 0.0)
        return account

    def work(self, account: Account, seconds: float) -> None:
        self.now += seconds
        self.fairness.done(account, seconds, self.now)

    def asks(self, account: Account, ticket: object) -> bool:
        """Whether it may go at once; otherwise it waits."""
        goes = self.fairness.may_go(account, self.now)
        if not goes:
            self.fairness.wait(account, ticket)
        return goes

    def next_round(self) -> list[object]:
        """The tickets that the next round gives out."""
        tickets: list[object] = []
        self.fairness.next_round(tickets.append)
        self.fairness.rest_of_round(tickets.append)
        return tickets

    def flood(self, many: int, *, known: bool = True) -> list[Account]:
        """So many that have spent this round, and wait for the next."""
        crowd = [self.somebody(known=known) for _ in range(many)]
        part = CONFIG.known if known else CONFIG.strangers
        self.work(self.somebody(known=known), part)
        for number, each in enumerate(crowd):
            self.work(each, WORK)
            assert not self.asks(each, f"loud {number}")
        return crowd


def test_where_nobody_floods_nobody_waits() -> None:
    house = House()
    assert house.asks(house.somebody(), "a")
    assert house.asks(house.somebody(known=False), "b")
    assert not house.fairness.somebody_waits


def test_once_the_time_of_a_round_is_spent_everybody_waits_for_the_next() -> None:
    house = House()
    one, other = house.somebody(), house.somebody()
    house.work(one, CONFIG.known)
    assert not house.asks(other, "other")
    assert house.next_round() == ["other"]
    assert house.fairness.may_go_on(other)


def test_a_round_gives_way_to_no_more_work_than_half_of_it() -> None:
    house = House()
    house.flood(250)
    assert len(house.next_round()) == math.ceil(CONFIG.known / 2 / WORK)


def test_whose_turn_has_come_waits_again_when_others_have_spent_the_round() -> None:
    house = House()
    first, second, *_ = house.flood(20)
    house.next_round()
    house.work(house.somebody(), CONFIG.known)
    assert not house.fairness.may_go_on(second)
    # The first of a round has its turn in any case: else it could lose each round to long turns.
    assert house.fairness.may_go_on(first)
    assert not house.fairness.may_go_on(first)


@pytest.mark.parametrize("many", [50, 250, 2000])
def test_a_quiet_one_is_before_any_number_of_those_that_never_stop(many: int) -> None:
    house = House()
    quiet = house.somebody()
    house.flood(many)
    house.now += 1.0
    assert not house.asks(quiet, "quiet")
    assert house.next_round()[0] == "quiet"


def test_a_quiet_one_need_not_wait_when_the_round_has_time_left() -> None:
    house = House()
    quiet = house.somebody()
    first, *_ = house.flood(250)
    house.next_round()
    assert house.fairness.may_go_on(first)
    assert house.asks(quiet, "quiet")


def test_nobody_comes_between_a_round_and_its_first() -> None:
    """A connection that did could take long, and the first would wait for two such turns."""
    house = House()
    quiet = house.somebody()
    first, second, *_ = house.flood(250)
    house.next_round()
    assert not house.asks(quiet, "quiet")
    assert not house.fairness.may_go_on(second)
    assert house.fairness.may_go_on(first)
    assert house.fairness.may_go_on(second)


def test_one_that_floods_does_not_push_in_before_those_that_wait() -> None:
    house = House()
    crowd = house.flood(250)
    house.next_round()
    house.work(crowd[0], WORK)
    assert not house.asks(crowd[0], "again")


def test_those_that_never_stop_are_served_alike() -> None:
    house = House()
    crowd = {f"loud {number}": each for number, each in enumerate(house.flood(50))}
    turns = dict.fromkeys(crowd, 0)
    for _ in range(500):
        for ticket in house.next_round():
            assert isinstance(ticket, str)
            turns[ticket] += 1
            house.work(crowd[ticket], WORK)
            house.fairness.may_go(crowd[ticket], house.now)
            house.fairness.wait(crowd[ticket], ticket)
    assert max(turns.values()) - min(turns.values()) <= 1


def test_a_very_long_turn_is_charged_with_two_once() -> None:
    """A garbage collection in a connection's turn does not shut it out for seconds."""
    house = House()
    unlucky, other = house.somebody(), house.somebody()
    house.work(unlucky, 0.5)
    house.work(other, 2 * CONFIG.turn)
    assert unlucky.used == pytest.approx(other.used)
    before = unlucky.used
    house.work(unlucky, 0.5)
    assert unlucky.used == pytest.approx(before + CONFIG.credit + CONFIG.turn)


def test_strangers_together_have_a_part_of_their_own() -> None:
    house = House()
    known = house.somebody()
    house.flood(500, known=False)
    assert house.asks(known, "known")
    assert len(house.next_round()) == math.ceil(CONFIG.strangers / WORK)


def test_a_new_stranger_is_before_those_that_flood() -> None:
    house = House()
    crowd = {f"loud {number}": each for number, each in enumerate(house.flood(50, known=False))}
    for _ in range(200):
        for ticket in house.next_round():
            assert isinstance(ticket, str)
            house.work(crowd[ticket], WORK)
            house.fairness.may_go(crowd[ticket], house.now)
            house.fairness.wait(crowd[ticket], ticket)
    house.fairness.wait(house.somebody(known=False), "new")
    assert house.next_round()[0] == "new"


def test_strangers_that_come_back_again_and_again_are_not_new() -> None:
    house = House()
    loud = [house.fairness.account(0.0, "10.0.0.1") for _ in range(50)]
    for _ in range(20):
        house.work(loud[0], WORK)
    back = house.fairness.account(0.0, "10.0.0.1")
    new = house.fairness.account(0.0, "10.0.0.2")
    house.fairness.wait(back, "back")
    house.fairness.wait(new, "new")
    assert house.next_round()[0] == "new"
    # The others of the address wait behind it, too, although they came before it.
    for number, each in enumerate(loud):
        house.fairness.wait(each, number)
    house.work(loud[0], WORK)
    house.fairness.wait(house.fairness.account(0.0, "10.0.0.3"), "newer")
    assert house.next_round()[0] == "newer"
    # Once registered, it has an account of its own.
    house.fairness.known(loud[1])
    assert loud[1].share is not loud[0].share


def test_whoever_has_waited_longest_is_first_now_and_then() -> None:
    """Among hundreds that ask now and then one always has had a little more than the others."""
    house = House()
    house.fairness.next_round(lambda ticket: None)
    loud = house.somebody()
    for _ in range(30):
        house.work(loud, WORK)
    house.fairness.wait(loud, "loud")
    rounds = 0
    while rounds < 10 * CONFIG.oldest_every:
        rounds += 1
        for number in range(20):
            house.fairness.wait(house.somebody(), f"{rounds}: {number}")
        tickets = house.next_round()
        if "loud" in tickets:
            break
    assert rounds <= CONFIG.oldest_every
    assert tickets[0] == "loud"


def test_who_comes_and_goes_leaves_nothing_in_the_line() -> None:
    house = House()
    waits = house.somebody()
    house.fairness.wait(waits, "waits")
    for number in range(5000):
        house.fairness.wait(waits, number)
        house.fairness.leave(number)
        house.fairness.may_go(waits, house.now)
    assert len(house.fairness._known.line) < 200


def test_the_turn_in_which_somebody_becomes_known_was_a_stranger_s() -> None:
    """One that waited for seconds after that kept its name from the connection that came next."""
    house = House()
    house.flood(50)
    new = house.somebody(known=False)
    house.fairness.known(new)
    house.work(new, 0.5)
    assert not house.asks(new, "new")
    assert house.next_round()[0] == "new"


def test_the_end_of_a_connection_is_not_kept_waiting() -> None:
    house = House()
    crowd = house.flood(250)
    gone = crowd[-1]
    house.fairness.leave("loud 249")
    house.fairness.last(gone)
    assert house.asks(gone, "gone")


def test_hundreds_that_leave_at_once_keep_none_of_the_others_waiting() -> None:
    house = House()
    quiet, leaving = house.somebody(), [house.somebody() for _ in range(500)]
    for number, each in enumerate(leaving):
        house.fairness.last(each)
        if house.asks(each, f"gone {number}"):
            house.work(each, WORK)
    assert house.asks(quiet, "quiet")
    # How long an end takes is a guess before its first turn.
    assert len(house.next_round()) <= 2 * math.ceil(CONFIG.gone / WORK)


def test_of_thousands_that_were_quiet_the_one_that_asks_little_is_first() -> None:
    house = House()
    crowd = [house.somebody() for _ in range(2000)]
    quiet = house.somebody()
    for each in crowd:
        house.work(each, WORK)
    for seconds in (WORK / 10, 0.5):
        # The second is a collection of garbage.
        house.work(quiet, seconds)
    house.now += 10.0
    # It asks for as much as the others, which has taken a tenth of their time.
    house.work(house.somebody(), CONFIG.known)
    for number, each in enumerate((*crowd, quiet)):
        assert not house.asks(each, number)
    assert house.next_round()[0] == len(crowd)


def test_who_is_gone_gets_no_turn_and_keeps_nobody_waiting() -> None:
    house = House()
    house.flood(30)
    for number in range(30):
        house.fairness.leave(f"loud {number}")
    assert not house.fairness.somebody_waits
    assert house.next_round() == []


def test_who_becomes_known_while_it_waits_can_still_give_up() -> None:
    house = House()
    account, *_ = house.flood(10, known=False)
    house.fairness.known(account)
    house.fairness.leave("loud 0")
    assert "loud 0" not in house.next_round()


def test_a_ticket_whose_giving_fails_is_given_by_the_next_round() -> None:
    house = House()
    house.flood(3)
    given: list[object] = []

    def give(ticket: object) -> None:
        if ticket == "loud 1" and "failed" not in given:
            given.append("failed")
            raise MemoryError
        given.append(ticket)

    house.fairness.next_round(give)
    with pytest.raises(MemoryError):
        house.fairness.rest_of_round(give)
    assert house.fairness.next_round(give)
    house.fairness.rest_of_round(give)
    assert given == ["loud 0", "failed", "loud 1", "loud 2"]
    assert not house.fairness.next_round(give)


async def test_tasks_wait_for_the_next_round_and_then_all_have_a_turn() -> None:
    now = 0.0
    turns = Turns(clock=lambda: now, work=lambda: now)
    served: list[int] = []

    async def work(number: int) -> None:
        nonlocal now
        turn = turns.turn()
        turn.known()
        await turn.begin()
        now += 0.005
        served.append(number)
        turn.end()

    async with trio.open_nursery() as nursery:
        for number in range(20):
            nursery.start_soon(work, number)
    assert sorted(served) == list(range(20))


async def test_a_task_that_is_cancelled_while_it_waits_gives_up_its_place() -> None:
    now = 0.0
    turns = Turns(clock=lambda: now, work=lambda: now)
    loud, other = turns.turn(), turns.turn()
    await loud.begin()
    now += 1.0
    loud.end()
    with trio.CancelScope() as scope:
        scope.cancel()
        await other.begin()
    assert scope.cancelled_caught
    assert not turns.fairness.somebody_waits
    await other.begin()


def spent(turns: Turns) -> None:
    """Leave no time in this round."""
    somebody = turns.turn()
    for _ in range(2):
        turns.fairness.done(somebody._account, 1.0, 1.0)
        somebody.known()


@pytest.mark.makes_bugs
async def test_what_fails_between_rounds_is_told_once_and_nobody_waits_for_ever(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What came out of the system task that begins rounds once ended the process."""
    turns = Turns()
    failures = 0
    give = turns_module._give

    def fail(ticket: object) -> None:
        nonlocal failures
        failures += 1
        if failures in (1, 3):
            raise MemoryError("refused by the test")
        give(ticket)

    monkeypatch.setattr(turns_module, "_give", fail)
    served: list[int] = []

    async def work(number: int) -> None:
        turn = turns.turn()
        await turn.begin()
        served.append(number)
        turn.end()

    spent(turns)
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            for number in range(5):
                nursery.start_soon(work, number)
    assert sorted(served) == [0, 1, 2, 3, 4]
    assert caplog.text.count("could not be found out") == 1


@pytest.mark.makes_bugs
async def test_one_whose_waiting_fails_is_alone_in_that(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns()
    spent(turns)
    with monkeypatch.context() as patch:

        def refuse(*_: object) -> None:
            raise MemoryError("refused by the test")

        patch.setattr(trio.lowlevel, "spawn_system_task", refuse)
        with pytest.raises(MemoryError):
            await turns.turn().begin()
    assert not turns.fairness.somebody_waits
    with trio.fail_after(10):
        await turns.turn().begin()


def test_what_one_turn_tells_others_leaves_when_it_is_over_and_once() -> None:
    turns = Turns(clock=float, work=float)
    left: list[str] = []
    steps = {name: functools.partial(left.append, name) for name in "ab"}
    turns.afterwards(steps["a"])
    assert left == ["a"], "outside of a turn nothing waits"
    turns.in_turn = True
    for name in "bab":
        turns.afterwards(steps[name])
    assert left == ["a"]
    turns.let_go()
    turns.in_turn = False
    assert left == ["a", "b", "a"]
    turns.afterwards(steps["b"])
    assert left == ["a", "b", "a", "b"]


def test_what_there_is_no_memory_to_begin_is_done_when_the_next_turn_is_over() -> None:
    turns = Turns(clock=float, work=float)
    left: list[str] = []

    def poor() -> None:
        if not left:
            left.append("refused")
            raise MemoryError("refused by the test")
        left.append("done")

    turns.in_turn = True
    turns.afterwards(poor)
    turns.afterwards(functools.partial(left.append, "another"))
    with pytest.raises(MemoryError):
        turns.let_go()
    assert left == ["refused"]
    turns.let_go()
    assert left == ["refused", "done", "another"]
    assert not turns.kept_back
