"""Which numbers of seconds a setting may have: TOML and command lines know inf and nan, too.

With inf a limit is none and a deadline never comes; nan compares false with everything, so that
a check by ``<`` lets it through, and a clock that is given it raises.
"""

from __future__ import annotations

__all__ = ["LONGEST", "is_duration"]

LONGEST = 86_400.0
"""A day, in seconds: longer than any setting here has to be."""


def is_duration(value: object, *, zero: bool = True) -> bool:
    """Whether ``value`` is a number of seconds from 0 (above 0 unless ``zero``) to a day."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 < value <= LONGEST or (zero and value == 0)
