"""Pages of the site about the public names, made anew with every build: ``docs/api/``.

Each package's ``__all__`` says which names are public. What is told of them autodoc takes from the
docstrings, under the names that users import.
"""

from __future__ import annotations

import enum
import inspect
from collections.abc import Iterator, Sized
from pathlib import Path
from types import ModuleType
from typing import Any

from public_names import PACKAGES, modules
from sphinx.application import Sphinx


def described(module: ModuleType, parts: list[ModuleType]) -> dict[str, Any]:
    """What stands on the page: public name to object.

    What a package and one of its modules both name stands there once, as the package's.
    """
    found: dict[str, Any] = {}
    for each in (module, *parts):
        for name in each.__all__:
            thing = getattr(each, name)
            above = each is not module and found.get(f"{module.__name__}.{name}") is thing
            if not above and not isinstance(thing, ModuleType):
                found[f"{each.__name__}.{name}"] = thing
    return found


def page(module: ModuleType, parts: list[ModuleType]) -> Iterator[str]:
    here = described(module, parts)
    for each in (module, *parts):
        # autodoc leaves out a value without a docstring, which an alias of types hardly needs: each
        # has a directive of its own.
        own = {name: here.get(f"{each.__name__}.{name}") for name in each.__all__}
        apart = [name for name, thing in own.items() if not is_code(thing)]
        yield heading(each.__name__, "=" if each is module else "-")
        yield f".. automodule:: {each.__name__}\n   :members:" + (
            f"\n   :exclude-members: {', '.join(apart)}" if apart else ""
        )
        for name in apart:
            if (value := own[name]) is not None:
                long = isinstance(value, Sized) and len(value) > 16
                yield f".. autodata:: {each.__name__}.{name}" + ("\n   :no-value:" if long else "")


def is_code(thing: object) -> bool:
    return inspect.isclass(thing) or inspect.isroutine(thing)


def index() -> Iterator[str]:
    yield heading("pa_telephony", "=")
    yield ".. automodule:: pa_telephony"
    yield "The errors of :mod:`pa_telephony.errors` are names of this package, too."
    yield ".. toctree::\n   :maxdepth: 1\n\n" + "\n".join(f"   {package}" for package in PACKAGES)


def heading(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}"


def write(app: Sphinx) -> None:
    """Write every page, and remove those that nothing writes any more."""
    written = {package: page(*each) for package, each in zip(PACKAGES, modules(), strict=True)}
    written["index"] = index()
    folder = Path(app.srcdir) / "api"
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.rst"):
        if path.stem not in written:
            path.unlink()
    for name, parts in written.items():
        (folder / f"{name}.rst").write_text("\n\n".join(parts) + "\n")


def without_factories(
    app: Sphinx,
    what: str,
    name: str,
    thing: object,
    options: object,
    arguments: str | None,
    result: str | None,
) -> tuple[str | None, str | None]:
    """Write ``...`` for a default that is made anew: ``<factory>`` is no Python, nor read as it."""
    return arguments and arguments.replace("<factory>", "..."), result


def left_out(
    app: Sphinx, what: str, name: str, thing: object, skip: bool, options: object
) -> bool | None:
    """Leave out no member of an enumeration: it says what it is by its name, and needs no more."""
    return False if isinstance(thing, enum.Enum) else None


def not_of_its_type(
    app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Say nothing of a value that has no docstring: Python would take that of its type."""
    if what == "data" and " ".join(lines).split() == (inspect.getdoc(thing) or "").split():
        lines.clear()


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", write)
    app.connect("autodoc-process-signature", without_factories)
    app.connect("autodoc-skip-member", left_out)
    app.connect("autodoc-process-docstring", not_of_its_type)
