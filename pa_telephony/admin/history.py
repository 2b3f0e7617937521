"""The configuration's revisions: what each has changed, two compared, and one made present again.

Pure. A revision that this release cannot read is shown with the reason, and never compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pa_telephony.errors import ConfigurationError
from pa_telephony.failover.changes import Change, differences
from pa_telephony.failover.stored import Revision

__all__ = ["Compared", "RevisionRow", "compared", "numbered", "revision_rows"]


@dataclass(frozen=True)
class Compared:
    """In what one revision differs from another, or why that cannot be told."""

    changes: tuple[Change, ...] = ()
    unreadable: str = ""


@dataclass(frozen=True)
class RevisionRow:
    """A revision, with what it has changed of the one before."""

    revision: Revision
    present: bool
    before: Revision | None
    """The one before; None when the store does not have it any more."""
    compared: Compared


def compared(before: Revision, after: Revision) -> Compared:
    """In what ``after`` differs from ``before``; a password's value is not told."""
    try:
        return Compared(differences(before.cluster(), after.cluster()))
    except ConfigurationError as error:
        return Compared(unreadable=str(error))


def revision_rows(revisions: Sequence[Revision]) -> tuple[RevisionRow, ...]:
    """A row for each revision; they are given as they are read, the present one first."""
    rows: list[RevisionRow] = []
    for place, revision in enumerate(revisions):
        before = revisions[place + 1] if place + 1 < len(revisions) else None
        found = compared(before, revision) if before is not None else Compared()
        rows.append(RevisionRow(revision, not place, before, found))
    return tuple(rows)


def numbered(revisions: Sequence[Revision], text: str) -> Revision | None:
    """The revision of this number, as it was sent; None when there is none."""
    if not (text.isascii() and text.isdecimal() and len(text) < 12):
        return None
    return next((each for each in revisions if each.number == int(text)), None)
