"""On the site a drawing of a state table is a list of its arrows.

A view of the repository draws ``mermaid`` blocks. On the site that would need a program of others
in the reader's browser, from somewhere else; so there each arrow is a row.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tables import table

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DRAWING = re.compile(r"^```mermaid\nstateDiagram-v2\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def in_words(drawing: str) -> str:
    """The arrows of a drawing as a table: from, to, and each input with its effect."""
    names = {name: text for text, name in re.findall(r'state "(.*)" as (\w+)', drawing)}
    arrows = re.findall(r"^ *(\w+) --> (\w+): (.*)$", drawing, re.MULTILINE)
    order = [*names]
    rows: list[tuple[str, str, str]] = []
    last = ""
    for before, after, inputs in sorted(arrows, key=lambda arrow: order.index(arrow[0])):
        rows.append((f"**{names[before]}**" if before != last else "", names[after], inputs))
        last = before
    return table(("from", "to", "when / what is done"), rows)


def replace_drawings(app: Sphinx, docname: str, source: list[str]) -> None:
    source[0] = DRAWING.sub(lambda found: in_words(found[1]), source[0])


def setup(app: Sphinx) -> None:
    app.connect("source-read", replace_drawings)
