"""Texts of peers, made fit for a terminal, a log line or a table.

Names, numbers and texts come from unknown peers. An escape sequence in one of them would clear the
screen of a user who looks at it, or forge lines of a log; a character that changes the direction of
writing would show one number as another.
"""

from __future__ import annotations

__all__ = ["printable", "printable_lines", "printable_reason"]

_LONGEST = 200
_LONGEST_REASON = 2_000


def printable(text: str, longest: int = _LONGEST) -> str:
    r"""``text`` on one line with everything escaped that a terminal would act on.

    Control characters, line breaks, lone surrogates, and what Unicode calls formats, private or
    unassigned stand as Python writes them (``\x1b``); a backslash stays as it is. More than
    ``longest`` characters end in "…".
    """
    if len(text) > longest:
        text = text[:longest] + "…"
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def printable_reason(text: str) -> str:
    """A sentence of ours that quotes peers, on one line and escaped as by :func:`printable`.

    Names can be cut; a sentence ends with what its reader wants to know, so it has 2,000
    characters.
    """
    return printable(text, _LONGEST_REASON)


def printable_lines(text: str, longest: int = 100_000) -> str:
    """A text of several lines, escaped as by :func:`printable`, with its line breaks.

    ``longest`` is for all of it: a line ends with the reason, so none is cut for itself.
    """
    return "\n".join(printable(line, longest) for line in text[:longest].split("\n"))
