"""How Sphinx makes the site of these pages: ``make docs``, then ``docs/_build/html/index.html``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

import pa_telephony

# The extensions of ours stand beside this file.
sys.path.insert(0, str(Path(__file__).parent))

project = "pa-telephony"
author = project_copyright = "The pa-telephony developers"
version = release = pa_telephony.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "api_pages", "drawings", "references"]

# index.md has the text of README.md, which is the index where the repository is looked at.
exclude_patterns = ["_build", "README.md"]

# Links to headings (testing.md#phones) are those that a view of the repository makes.
myst_heading_anchors = 4

# In the order in which the author tells it.
autodoc_member_order = "bysource"

# As the source writes it: `trio.TASK_STATUS_IGNORED`, not what that is made of.
autodoc_preserve_defaults = True

# Its class stands above it: `answer()` in the contents, not `Call.answer()`.
toc_object_entries_show_parents = "hide"

# A line for each parameter, where one line has no room for all of them.
python_maximum_signature_line_length = 90

# A name that nothing has is a warning; references.py says what counts as having it.
nitpicky = True

html_theme = "furo"
html_title = f"{project} {release}"

# Without the sources of the pages, which are in the repository.
html_copy_source = False


def above(app: Sphinx, docname: str, source: list[str]) -> None:
    """A page above docs/ is no page of the site: a link to it downloads the file."""
    source[0] = re.sub(r"\]\((\.\./\w+\.md)\)", r"](path:\1)", source[0])


def setup(app: Sphinx) -> None:
    app.connect("source-read", above)
