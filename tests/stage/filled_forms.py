"""Forms of the administration filled in with anything, and what they are refused for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from pa_telephony.admin.fields import FormRefused

__all__ = ["posts", "refused", "say_why"]

_TEXTS = st.text(max_size=12) | st.sampled_from(
    ["PA1", "PA2", "6000", "6001", "5XXX", "2", "99999999999", "32000", "jtapi", "skinny", "<b>"]
)


def posts(form: Any, known: dict[str, Any]) -> st.SearchStrategy[dict[str, list[str]]]:
    """Any fields, many of them as they are."""
    good = {
        name: list(value)
        if isinstance(value, tuple)
        else ["yes"]
        if value is True
        else [str(value)]
        for name, value in known.items()
    }
    any_field = st.lists(_TEXTS, max_size=3)
    return st.fixed_dictionaries(
        {each.name: st.just(good[each.name]) | any_field for each in form.fields}
    )


def say_why(error: FormRefused) -> None:
    """Whether it says what is wrong."""
    assert error.problems


def refused(call: Any, *arguments: Any, **named: Any) -> dict[str, list[str]]:
    """What is wrong, by field, when it is called with these."""
    with pytest.raises(FormRefused) as caught:
        call(*arguments, **named)
    return caught.value.problems.fields
