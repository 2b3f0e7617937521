"""The pattern language of interceptor ports: ``2007``, ``2XXX``, ``3.2XXX``, ``20[2-9]X``.

Source: Cisco's Personal Assistant 1.4 Installation and Administration Guide,
and Cisco's document 44922. The dot is a mark, it matches nothing; what follows it is the
extension. ``!``, ``?``, ``+`` and ``@`` of the call manager's route patterns are refused here:
a call must be able to go back to an extension, which needs a fixed length.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Pattern", "PatternError"]

_KEYS = "0123456789*#"
_DIGITS = frozenset("0123456789")


class PatternError(ValueError):
    """A text is no pattern of an interceptor port; ``str()`` says why."""


@dataclass(frozen=True)
class Pattern:
    """A parsed pattern.

    ``text`` is the normal form: upper case ``X``, the dot where it stood. ``places`` holds the
    keys that each digit may be; ``steering`` is how many digits stand before the dot.
    """

    text: str
    places: tuple[frozenset[str], ...]
    steering: int = 0

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Read a pattern; raises :class:`PatternError` naming the rule it breaks."""
        places: list[frozenset[str]] = []
        normal: list[str] = []
        steering: int | None = None
        position = 0
        while position < len(text):
            token = text[position]
            if token in "xX":
                places.append(_DIGITS)
                normal.append("X")
            elif token in _KEYS:
                places.append(frozenset(token))
                normal.append(token)
            elif token == ".":
                if steering is not None:
                    raise PatternError("one dot at most")
                if not places:
                    raise PatternError("a dot cannot come first")
                steering = len(places)
                normal.append(token)
            elif token == "[":
                end = text.find("]", position)
                if end < 0:
                    raise PatternError("a range [ without its ]")
                places.append(_range(text[position + 1 : end]))
                normal.append(text[position : end + 1])
                position = end
            elif token in "!?+@":
                raise PatternError(f"{token!r} has no fixed length and is refused")
            else:
                raise PatternError(f"{token!r} is no digit, X, *, #, range or dot")
            position += 1
        if not places:
            raise PatternError("empty")
        if steering == len(places):
            raise PatternError("a dot cannot come last")
        return cls("".join(normal), tuple(places), steering or 0)

    @property
    def number(self) -> str:
        """The pattern as the call manager has it: without the dot."""
        return self.text.replace(".", "")

    @property
    def size(self) -> int:
        """How many numbers match."""
        product = 1
        for place in self.places:
            product *= len(place)
        return product

    def matches(self, number: str) -> bool:
        """Whether a dialled number matches, digit for digit."""
        return len(number) == len(self.places) and all(
            key in place for key, place in zip(number, self.places, strict=True)
        )

    def extension(self, number: str) -> str:
        """The part of a dialled number that follows the dot; all of it without a dot."""
        return number[self.steering :]

    def overlaps(self, other: Pattern) -> bool:
        """Whether some number matches both."""
        return len(self.places) == len(other.places) and all(
            mine & theirs for mine, theirs in zip(self.places, other.places, strict=True)
        )


def _range(inside: str) -> frozenset[str]:
    excluded = inside.startswith("^")
    body = inside[1:] if excluded else inside
    keys: set[str] = set()
    position = 0
    while position < len(body):
        first = body[position]
        if first not in _DIGITS:
            raise PatternError(f"[{inside}] holds something that is no digit")
        last = first
        if body[position + 1 : position + 2] == "-":
            last = body[position + 2 : position + 3]
            if last not in _DIGITS or last < first:
                raise PatternError(f"[{inside}] has a bad range")
            position += 2
        keys.update(chr(code) for code in range(ord(first), ord(last) + 1))
        position += 1
    keys = set(_DIGITS) - keys if excluded else keys
    if not keys:
        raise PatternError(f"[{inside}] matches nothing")
    return frozenset(keys)
