"""One language of numbers and patterns, for dial plans and for interceptor ports."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from pa_telephony.digits import LONGEST, Pattern, PatternError, plain

PLACES = st.sampled_from(["1", "2", "*", "+", "X", "x", "[12]", "[1-46]", "[^1]", "\\+"])
PATTERNS = st.tuples(
    st.lists(PLACES, min_size=1, max_size=4).map("".join), st.sampled_from(["", "!", "!#"])
).map("".join)
NUMBERS = st.text("1234*#+", max_size=6)


@given(PATTERNS, NUMBERS)
def test_a_pattern_matches_what_the_same_regular_expression_matches(text: str, number: str) -> None:
    expression = "".join(
        # What is excluded is excluded of the digits: the keys * # + are none (documented).
        {"X": "[0-9]", "*": "[*]", "+": "[+]", "!": "[0-9]+", "[^1]": "[02-9]"}.get(part, part)
        for part in re.findall(r"\[[^]]*\]|.", text.replace("\\+", "+").replace("x", "X"))
    )
    assert Pattern.parse(text).matches(number) == bool(re.fullmatch(expression, number))


@given(PATTERNS, NUMBERS)
def test_a_number_begins_a_pattern_when_some_number_that_matches_begins_so(
    text: str, number: str
) -> None:
    pattern = Pattern.parse(text)
    tails = ["", *("1111"[:more] + end for more in range(1, 5) for end in ("", "#"))]
    whole = {number + tail for tail in tails}
    whole |= {number + each[len(number) :] for each in pattern.numbers() if len(each) < LONGEST}
    if any(pattern.matches(each) for each in whole):
        assert pattern.begins(number)
    if pattern.repeats is None:
        assert pattern.begins(number) == any(each.startswith(number) for each in pattern.numbers())


@given(PATTERNS)
def test_the_normal_form_reads_as_the_same_pattern(text: str) -> None:
    pattern = Pattern.parse(text)
    again = Pattern.parse(pattern.text)
    assert (again.places, again.repeats) == (pattern.places, pattern.repeats)


def test_the_dot_matches_nothing_and_a_class_matches_its_digits() -> None:
    assert Pattern.parse("3.2XXX").matches("32123")
    assert Pattern.parse("3.2XXX").number == "32XXX"
    assert Pattern.parse("20[2-4]X").breadth == 30
    assert Pattern.parse("[^1-8]").matches("9")


def test_a_plus_is_a_key_with_and_without_its_backslash() -> None:
    for text in (r"\+4930XXX", "+4930XXX"):
        assert Pattern.parse(text).matches("+4930123")
        assert Pattern.parse(text).text == "+4930XXX"


def test_what_comes_again_and_again_is_broader_than_anything_of_one_length() -> None:
    assert Pattern.parse("9011!").breadth > Pattern.parse("9" + "X" * 17).breadth
    assert Pattern.parse("9!").breadth > Pattern.parse("9011!").breadth


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "1 to 24 keys"),
        ("1" * 25, "1 to 24 keys"),
        ("12a", "'a' is none of"),
        ("[12", "not closed"),
        ("[3-1]", "no range of digits"),
        ("[*]", "no range of digits"),
        ("[]", "matches nothing"),
        ("[^0-9]", "matches nothing"),
        (".", "1 to 24 keys"),
        (".5", "between keys"),
        ("5.", "between keys"),
        ("1.2.3", "one dot"),
        ("5!5", "only '#' can follow"),
        ("9.@", "numbering plan"),
        ("5?", "repetition"),
    ],
)
def test_what_is_no_pattern_is_refused_with_the_rule_that_it_breaks(text: str, why: str) -> None:
    with pytest.raises(PatternError, match=re.escape(why)):
        Pattern.parse(text)


def test_where_all_numbers_have_one_length_an_exclamation_mark_is_refused() -> None:
    with pytest.raises(PatternError, match="no fixed length"):
        Pattern.parse("5!", fixed=True)


@pytest.mark.parametrize(
    ("one", "other", "do"),
    [
        ("1002", "10.02", True),
        ("100X", "1[0-2]02", True),
        ("100[0-4]", "100[5-9]", False),
        ("100X", "1002X", False),
        ("X", "*", False),
    ],
)
def test_patterns_overlap_when_some_number_matches_both(one: str, other: str, do: bool) -> None:
    assert Pattern.parse(one).overlaps(Pattern.parse(other)) is do
    assert Pattern.parse(other).overlaps(Pattern.parse(one)) is do


@pytest.mark.parametrize(
    ("text", "result"), [("10.0x", "100X"), (r"\+49", "+49"), ("Alice", "Alice"), ("", "")]
)
def test_a_number_is_as_the_call_manager_has_it_and_another_text_as_it_was(
    text: str, result: str
) -> None:
    assert plain(text) == result
