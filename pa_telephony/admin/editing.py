"""What happens with a form that was sent: a list changed, a look at what Save would do, or saved.

Nothing takes effect before Save. What was typed stays in the form whatever happens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pa_telephony.admin.fields import (
    Form,
    FormRefused,
    Kind,
    Posted,
    Problems,
    Values,
    changed_list,
    typed,
)
from pa_telephony.admin.managed import ManagedCluster, Present
from pa_telephony.admin.sentences import condensed
from pa_telephony.errors import ConfigurationError
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.config import ClusterConfig
from pa_telephony.failover.configuring import Proposal

__all__ = ["Build", "Edit", "edit", "first", "opened", "remove"]

Build = Callable[[ClusterConfig, Values], Cluster]
"""Makes the cluster that a form means; raises :class:`FormRefused`."""

_LIST_VERBS = ("add", "remove", "up", "down")


@dataclass
class Edit:
    """A form, and what there is to say of it."""

    values: Values
    base: int
    """The revision that the form was made from."""
    present: Present
    problems: Problems = field(default_factory=Problems)
    boxes: dict[str, str] = field(default_factory=dict[str, str])
    """What stands in the edit boxes beside lists."""
    proposal: Proposal | None = None
    """What Save would do now."""
    meant: Cluster | None = None
    """The cluster that the form means, when it keeps every rule."""
    overtaken: tuple[str, ...] = ()
    """What another writer has saved meanwhile."""
    saved: Proposal | None = None

    @property
    def told(self) -> tuple[str, ...]:
        """What Save has done, in sentences."""
        if self.saved is None:
            return ()
        if self.saved.transaction is None:
            return ("Nothing has changed.",)
        done = f"Saved as revision {self.saved.revision.number}."
        return (done, *condensed(self.saved.effect.told))


def first(posted: Posted, name: str) -> str:
    """The first value that was sent under a name; "" for none."""
    sent = posted.get(name, ())
    return sent[0] if sent else ""


def opened(present: Present, values: Values) -> Edit:
    """A form as it is when a page is opened."""
    return Edit(values, present.number, present)


def _begun(present: Present, form: Form, posted: Posted) -> Edit:
    base = first(posted, "base")
    number = int(base) if base.isascii() and base.isdecimal() and len(base) < 12 else 0
    return Edit(typed(form, posted), number, present)


async def edit(
    managed: ManagedCluster,
    form: Form,
    posted: Posted,
    build: Build,
    by: str,
    good: Values,
    entry_problem: Callable[[ClusterConfig, Values, str, tuple[str, ...]], str] | None = None,
) -> Edit:
    """Do what the button of a form asks for, in the name of ``by``.

    ``good`` is what may stand in its fields, so that of several mistakes all are told at once.
    """
    found = _begun(await managed.present(), form, posted)
    verb, _, name = first(posted, "do").partition(" ")
    if verb == "enter":
        # Return adds what stands in an edit box beside a list, and saves where none has anything.
        verb = "add" if (filled := _filled(form, posted)) else "save"
        for each in filled:
            _change(found, Kind.LIST, verb, each, posted, entry_problem)
    elif verb in _LIST_VERBS:
        listed = form.named(name)
        if listed is not None and listed.kind in (Kind.LIST, Kind.PICK):
            _change(found, listed.kind, verb, name, posted, entry_problem)
    if verb == "save":
        _left_over(found, form, posted)
    problems = found.problems
    if verb in _LIST_VERBS:
        await _look(managed, found, build)
    elif not await _look(managed, found, build):
        _all_mistakes(found, build, good)
    else:
        _take_refused(found, form)
    if verb == "save" and not problems and found.meant is not None:
        await _save(managed, found, by)
    return found


def _change(
    found: Edit,
    kind: Kind,
    verb: str,
    name: str,
    posted: Posted,
    entry_problem: Callable[[ClusterConfig, Values, str, tuple[str, ...]], str] | None,
) -> None:
    entries: tuple[str, ...] = found.values[name]
    if kind is Kind.PICK and verb == "add":
        more = [each for each in posted.get(f"available-{name}", ()) if each not in entries]
        found.values[name] = (*entries, *more)
        return
    box = first(posted, f"new-{name}").strip()
    changed = changed_list(entries, verb, box, posted.get(f"chosen-{name}", ()))
    if verb == "add" and entry_problem is not None and changed != entries:
        why = entry_problem(found.present.config, found.values, name, changed)
        if why:
            found.problems.add(name, why)
            found.boxes[name] = box
            return
    found.values[name] = changed


def _left_over(found: Edit, form: Form, posted: Posted) -> None:
    """What was typed into an edit box and not added would be lost without a word."""
    for name, box in _filled(form, posted).items():
        found.boxes[name] = box
        found.problems.add(name, f"{box!r} is not in the list: click Add, or empty it")


def _filled(form: Form, posted: Posted) -> dict[str, str]:
    """What stands in the edit boxes beside lists, by field."""
    boxes = {
        each.name: first(posted, f"new-{each.name}").strip()
        for each in form.fields
        if each.kind is Kind.LIST
    }
    return {name: box for name, box in boxes.items() if box}


async def _look(managed: ManagedCluster, found: Edit, build: Build) -> bool:
    """See what Save would do; whether the form means a cluster that keeps every rule."""
    try:
        found.meant = build(found.present.config, found.values)
    except FormRefused:
        return False
    found.proposal = await managed.propose(found.meant)
    return True


def _all_mistakes(found: Edit, build: Build, good: Values) -> None:
    """Note all that is wrong: what cannot be read hides other rules until its field is good."""
    trial = dict(found.values)
    for _ in range(len(trial) + 1):
        try:
            build(found.present.config, trial)
        except FormRefused as refused:
            named = refused.problems.fields
            new = [name for name in named if trial.get(name) != good.get(name)]
            for name in new:
                for rule in named[name]:
                    found.problems.add(name, rule)
                trial[name] = good.get(name)
            if not new:
                for name, rules in named.items():
                    for rule in rules:
                        found.problems.add(name, rule)
                found.problems.others += refused.problems.others
                return
        else:
            return


def _take_refused(found: Edit, form: Form) -> None:
    assert found.proposal is not None
    sections = form.sections or _sections(found)
    for error in found.proposal.effect.refused:
        found.problems.take(error, form, *sections)


def _sections(found: Edit) -> tuple[str, ...]:
    """The sections of a configuration that the form of a server or of a provider is about."""
    name = found.values.get("server_name", found.values.get("name"))
    return (f"server {name!r}", f"provider {name!r}")


async def _save(managed: ManagedCluster, found: Edit, by: str) -> None:
    assert found.meant is not None
    try:
        found.saved = await managed.save(found.meant, found.base, by)
    except ConfigurationError as error:
        # What may not be saved was told by the look before; so this is another writer's doing.
        found.overtaken = (error.rule, *getattr(error, "__notes__", ()))
        found.present = await managed.present()
        found.base = found.present.number


async def remove(
    managed: ManagedCluster,
    posted: Posted,
    form: Form,
    build: Callable[[ClusterConfig], Cluster],
    by: str,
) -> Edit:
    """Remove what a form is about; looked at first, and done when the button says that it is so."""
    found = _begun(await managed.present(), form, posted)

    def without(config: ClusterConfig, _: Values) -> Cluster:
        return build(config)

    if await _look(managed, found, without):
        _take_refused(found, form)
    else:
        _all_mistakes(found, without, {})
    really = first(posted, "do") == "delete-really"
    if really and not found.problems and found.meant is not None:
        await _save(managed, found, by)
    return found
