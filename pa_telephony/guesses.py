"""How fast unknown peers may guess: passwords of a user, names of devices.

A peer that guesses waits; no other does. A guess is paid for with time: each address (of IPv6: each
/64) may make so many at once and then one every so many seconds, and so, where it is configured,
may each name at each address. A right guess costs nothing, and its name is *good* at that address
for a day: it no longer waits for what the others there do, which the same host, or the same NAT,
may have. A wrong guess that is repeated tells a guesser nothing new (an application with an old
password, a phone that was removed), and costs a part only. So an address with a guesser behind it
is slowed, and no peer is locked out.
"""

from __future__ import annotations

import enum
from collections import OrderedDict
from dataclasses import dataclass

from pa_telephony.admission import network_of
from pa_telephony.tables import decisions

__all__ = ["TABLE", "Attempt", "Guess", "Guesses", "Pace", "Price", "Standing"]

_WRONG_KEPT = 4
"""How many wrong guesses are remembered of one name at one address."""
_LONGEST_NAME = 64
"""How many characters of a name are compared here: unknown peers choose them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """A limit of guesses: so many ``at_once``, and one more ``every`` so many seconds."""

    at_once: int
    every: float


class Standing(enum.Enum):
    """What is known of a name at an address."""

    STRANGE = "nothing is known of it"
    WRONG = "something was wrong lately, and nothing right"
    GOOD = "something was right lately"


class Guess(enum.Enum):
    """Whether a guess is new for its name, before it is looked at."""

    NEW = "something new"
    REPEATED = "what was wrong before"


class Price(enum.Enum):
    """The paces that a guess has to keep."""

    ALL = "that of the name, and that of the address"
    PART = "a part of that of the address"
    NAME = "that of the name"
    NOTHING = "none"


_PRICES = {
    (Standing.STRANGE, Guess.NEW): Price.ALL,
    (Standing.WRONG, Guess.NEW): Price.ALL,
    (Standing.WRONG, Guess.REPEATED): Price.PART,
    (Standing.GOOD, Guess.NEW): Price.NAME,
    (Standing.GOOD, Guess.REPEATED): Price.NOTHING,
}

TABLE = decisions(
    Standing,
    Guess,
    _PRICES,
    # It has had no wrong guess that could be repeated.
    impossible={Standing.STRANGE: {Guess.REPEATED}},
)
"""What a guess costs."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A guess that may be looked at after ``wait`` seconds, and what was paid for it."""

    wait: float
    network: str
    name: str
    guess: bytes
    for_name: float = 0.0
    for_network: float = 0.0


@dataclass(slots=True)
class _Name:
    """What unknown peers have guessed for a name at an address."""

    paid_until: float = 0.0
    wrong: tuple[bytes, ...] = ()
    wrong_until: float = 0.0


class Guesses:
    """Paces guesses. ``now`` is any monotonic clock, in seconds.

    ``longest_wait`` bounds how many can wait: a guess that would wait longer is not looked at.
    ``repeated`` is the part of the price that a repeated guess costs. Good names are remembered for
    ``good_for`` seconds, wrong guesses for ``wrong_for``, and ``most`` names of each kind: the one
    that was not used for longest is forgotten first.
    """

    def __init__(
        self,
        of_one_address: Pace,
        of_one_name: Pace | None = None,
        *,
        longest_wait: float = 5.0,
        repeated: float = 0.1,
        good_for: float = 86_400.0,
        wrong_for: float = 3_600.0,
        most: int = 10_000,
    ) -> None:
        self._of_one_address = of_one_address
        self._of_one_name = of_one_name
        self._longest_wait = longest_wait
        self._repeated = repeated
        self._good_for = good_for
        self._wrong_for = wrong_for
        self._most = most
        self._good: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._names: OrderedDict[tuple[str, str], _Name] = OrderedDict()
        self._paid_until: dict[str, float] = {}
        self._forget_at = 0.0

    def __len__(self) -> int:
        return len(self._good) + len(self._names) + len(self._paid_until)

    def standing(self, address: str, name: str, now: float) -> Standing:
        """What is known of a name at an address (of IPv6: at its /64)."""
        return self._standing((network_of(address), name[:_LONGEST_NAME]), now)

    def _standing(self, key: tuple[str, str], now: float) -> Standing:
        if now < self._good.get(key, now):
            return Standing.GOOD
        known = self._names.get(key)
        return Standing.WRONG if known and now < known.wrong_until else Standing.STRANGE

    def ask(self, address: str, name: str, guess: bytes, now: float) -> Attempt | None:
        """When a guess may be looked at; None: not now, since too many of its kind wait already.

        ``guess`` is what a repeated one is recognised by: a keyed digest where it is a secret. The
        attempt is then given to :meth:`right`, :meth:`wrong` or :meth:`give_back`, or dropped.
        """
        self._forget(now)
        network, name = network_of(address), name[:_LONGEST_NAME]
        key = network, name
        known = self._names.get(key, _Name())
        was_wrong = now < known.wrong_until and guess in known.wrong
        kind = Guess.REPEATED if was_wrong else Guess.NEW
        price = TABLE[self._standing(key, now), kind]
        for_name = for_network = name_wait = network_wait = 0.0
        if price in (Price.ALL, Price.NAME) and self._of_one_name is not None:
            for_name = self._of_one_name.every
            name_wait = _wait(known.paid_until, now, for_name, self._of_one_name)
        if price in (Price.ALL, Price.PART):
            part = self._repeated if price is Price.PART else 1.0
            for_network = self._of_one_address.every * part
            paid = self._paid_until.get(network, 0.0)
            network_wait = _wait(paid, now, for_network, self._of_one_address)
        wait = max(name_wait, network_wait)
        if wait > self._longest_wait:
            return None
        if for_name:
            known = self._noted(key)
            known.paid_until = max(known.paid_until, now) + for_name
        if for_network:
            paid = self._paid_until.get(network, 0.0)
            self._paid_until[network] = max(paid, now) + for_network
        return Attempt(wait, network, name, guess, for_name, for_network)

    def would_wait_too_long(self, address: str, name: str, now: float) -> bool:
        """Whether no guess at all could be looked at now, so that it need not even be read."""
        network, name = network_of(address), name[:_LONGEST_NAME]
        waits = [0.0]
        if self._of_one_name is not None and (network, name) in self._names:
            paid = self._names[network, name].paid_until
            waits.append(_wait(paid, now, 0.0, self._of_one_name))
        if self._standing((network, name), now) is not Standing.GOOD:
            waits.append(_wait(self._paid_until.get(network, 0.0), now, 0.0, self._of_one_address))
        return max(waits) > self._longest_wait

    def right(self, attempt: Attempt, now: float) -> None:
        """Note a right guess: it costs nothing, and the name is good at its address from now on."""
        self.give_back(attempt)
        self.is_good(attempt, now)

    def is_good(self, attempt: Attempt, now: float) -> None:
        """Note that the name is good at its address from now on."""
        key = attempt.network, attempt.name
        if key in self._names:
            self._names[key].paid_until = now
        self._good[key] = now + self._good_for
        self._good.move_to_end(key)
        if len(self._good) > self._most:
            self._good.popitem(last=False)

    def give_back(self, attempt: Attempt, part: float = 1.0) -> None:
        """Give ``part`` of the price for the address back, since it was no guess, or hardly one."""
        if attempt.network in self._paid_until:
            self._paid_until[attempt.network] -= attempt.for_network * part

    def wrong(self, attempt: Attempt, now: float) -> None:
        """Note a wrong guess: its price is lost, and it is recognised when it is repeated."""
        key = attempt.network, attempt.name
        known = self._noted(key)
        others = tuple(each for each in known.wrong if each != attempt.guess)
        known.wrong = (*others, attempt.guess)[-_WRONG_KEPT:]
        known.wrong_until = now + self._wrong_for

    def _noted(self, key: tuple[str, str]) -> _Name:
        known = self._names.setdefault(key, _Name())
        self._names.move_to_end(key)
        if len(self._names) > self._most:
            self._names.popitem(last=False)
        return known

    def _forget(self, now: float) -> None:
        if now < self._forget_at:
            return
        self._forget_at = now + max(self._longest_wait, 1.0)
        self._paid_until = {each: until for each, until in self._paid_until.items() if now < until}
        for key, known in list(self._names.items()):
            if now >= max(known.paid_until, known.wrong_until):
                del self._names[key]
        for key, until in list(self._good.items()):
            if now >= until:
                del self._good[key]


def _wait(paid_until: float, now: float, price: float, pace: Pace) -> float:
    debt = max(0.0, paid_until - now)
    # Sums of parts are off by less than a microsecond, which is no time to wait for.
    return max(0.0, round(debt + price - pace.at_once * pace.every, 6))
