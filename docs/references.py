"""Where a name in a docstring or a type hint leads.

A docstring names a thing as the module does that it stands in (``ConnectionLost``), a type hint by
the module that it is made in; the site has it where users import it. What is not on the site, being
of another library or not public, is text without a link. A name of nothing at all is a warning.
"""

from __future__ import annotations

import inspect
import pydoc
import re
import sys
from typing import Any

import api_pages
import public_names
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

# What the site describes, by identity: the alias Trace does not know its name. Plain values are
# left out, for equal ones may be one object.
PUBLIC: dict[int, str] = {
    id(thing): name
    for module, parts in public_names.modules()
    for name, thing in api_pages.described(module, parts).items()
    if not isinstance(thing, bool | int | float | str | bytes | tuple)
}


def resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, text: nodes.TextElement
) -> nodes.Element | None:
    """A link, or text where the site has none; None for a warning."""
    if node.get("refdomain") != "py":
        return None
    name = full_name(node.get("py:module") or "pa_telephony", node["reftarget"])
    if name is None:
        return None
    kind, page = node["reftype"], node["refdoc"]
    link = env.domains.python_domain.resolve_xref(
        env, page, app.builder, kind, public_name(name), node, text
    )
    return text if link is None else link


def full_name(module: str, target: str) -> str | None:
    """What ``target`` means on the page of ``module``, if there is such a thing.

    Names are known to the modules that import them; those below ``module`` are asked first.
    """
    head = target.partition(".")[0]
    knowing = [
        name
        for name, each in list(sys.modules.items())
        if name.startswith("pa_telephony.") and head in vars(each)
    ]
    knowing.sort(key=lambda name: not name.startswith(f"{module}."))
    candidates = [target, *(f"{each}.{target}" for each in (module, *knowing))]
    if "." not in target:
        candidates.append(candidates.pop(0))  # `status` is a module of ours before anybody else's
    return next(filter(exists, candidates), None)


def exists(name: str) -> bool:
    if pydoc.locate(name) is not None:
        return True
    owner, _, attribute = name.rpartition(".")
    thing = pydoc.locate(owner) if owner else None
    # What only instances have stands in the text of the class.
    return inspect.isclass(thing) and any(
        re.search(rf"\b{attribute}\b *[:=]", inspect.getsource(each))
        for each in thing.__mro__
        if each.__module__.startswith("pa_telephony.")
    )


def public_name(name: str) -> str:
    """The name that the site has for this, or for what this is an attribute of."""
    outer, inner = name, ""
    while outer:
        thing: Any = pydoc.locate(outer)
        if id(thing) in PUBLIC:
            return PUBLIC[id(thing)] + inner
        outer, _, last = outer.rpartition(".")
        inner = f".{last}{inner}"
    return name


def setup(app: Sphinx) -> None:
    app.connect("missing-reference", resolve)
