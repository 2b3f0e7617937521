"""Code that is made from declarations, so that debuggers and tracebacks can show it."""

from __future__ import annotations

import linecache
from typing import Any

__all__ = ["make_function"]


def make_function(name: str, source: str, names: dict[str, Any]) -> Any:
    """The function ``made`` that ``source`` defines, with the objects that it names.

    ``name`` says what it is, such as ``decode StartTone v20``: it stands in tracebacks as the file,
    and ``linecache`` has the lines, so one can step into it.
    """
    file = f"<{name}>"
    # Without a time of change it is no file that could have changed.
    linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file
    exec(compile(source, file, "exec"), names)
    made = names["made"]
    made.__name__ = made.__qualname__ = name.replace(" ", "_")
    return made
