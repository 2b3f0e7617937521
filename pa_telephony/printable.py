"""What a peer says, made fit for a terminal, a log line or a table.

Names, numbers and texts come from strangers. An escape sequence in one of them would clear the
screen of whoever looks, or write lines into a log that nobody wrote; a character that changes the
direction of writing would show one number as another.
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
    """The same for a sentence of ours that quotes what peers said.

    Names can be cut; a sentence ends with what somebody wants to know, so it has 2,000 characters.
    """
    return printable(text, _LONGEST_REASON)


def printable_lines(text: str, longest: int = 100_000) -> str:
    """The same for a text of several lines, as a log's with a traceback: line breaks stay.

    ``longest`` is for all of it: a line ends with the reason, so none is cut for itself.
    """
    return "\n".join(printable(line, longest) for line in text[:longest].split("\n"))
