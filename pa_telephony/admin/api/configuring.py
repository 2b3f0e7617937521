"""The configuration through the API: read without passwords, looked at, and saved whole."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, cast

from starlette.responses import Response

from pa_telephony.admin.administration import Administration
from pa_telephony.admin.api.asking import Asked, Handler
from pa_telephony.admin.api.problems import Refused, field_of, refused_by
from pa_telephony.admin.fields import edited
from pa_telephony.admin.managed import Present
from pa_telephony.errors import ConfigurationError
from pa_telephony.failover import text
from pa_telephony.failover.cluster import Cluster, from_document
from pa_telephony.failover.config import ClusterConfig, JtapiProvider
from pa_telephony.failover.configuring import Proposal, exported, read_configuration
from pa_telephony.failover.plain import plain_history, plain_revision
from pa_telephony.failover.stored import Revision, read

__all__ = ["Configuring", "with_passwords"]


class Configuring:
    """The operations of the configuration."""

    def __init__(self, everything: Administration) -> None:
        self._all = everything

    def handlers(self) -> dict[str, Handler]:
        """Who answers what."""
        return {"configuration": self._read, "history": self._history, "save": self._save}

    async def _read(self, asked: Asked) -> Any:
        wanted = asked.query["revision"]
        present = await self._all.managed.present()
        revisions = await read_configuration(self._all.managed.store)
        config: ClusterConfig = present.config
        if not revisions and wanted is None:
            revision = Revision(0, "")
        else:
            revision = _revision(revisions, wanted)
            if revision.number != present.number:
                config = read(revision, present.cluster)
        shown, names = _without_passwords(config)
        written = text.write(shown)
        if asked.accepts("application/toml"):
            return Response(
                exported(replace(revision, text=written)).encode(),
                media_type="application/toml",
                headers={"etag": f'"{revision.number}"'},
            )
        return plain_revision(revision) | {
            "configuration": tomllib.loads(written),
            "passwords": names,
        }

    async def _history(self, _: Asked) -> Any:
        revisions = await read_configuration(self._all.managed.store)
        return {"revisions": plain_history(revisions)}

    async def _save(self, asked: Asked) -> Any:
        managed, base = self._all.managed, asked.query["base"]
        present = await managed.present()
        if not present.number:
            _check_base(present, base)
        if "store" in asked.body:
            rule = "is where the configuration is, which saving does not change: leave it out"
            raise refused_by(ConfigurationError(rule, field="store"))
        try:
            meant = from_document(with_passwords(asked.body, present.config))
        except ConfigurationError as error:
            raise refused_by(error) from None
        if asked.query["dry_run"] == "true":
            asked.subject = "(dry run)"
            _check_base(present, base)
            proposal = await managed.propose(meant)
            return _told(proposal, meant, saved=False)
        try:
            proposal = await managed.save(meant, base, asked.actor.name)
        except ConfigurationError as error:
            raise await self._refused(error, base) from None
        asked.result = f"revision {proposal.revision.number}"
        return _told(proposal, meant, saved=proposal.transaction is not None)

    async def _refused(self, error: ConfigurationError, base: int) -> Refused:
        """What is wrong: another writer, or what may not be while servers run."""
        now = (await self._all.managed.present()).number
        if now != base:
            changes = list(getattr(error, "__notes__", ()))
            return Refused(409, error.rule, changes=changes, revision=now)
        return refused_by(error, 409, revision=now)


def _revision(revisions: Iterable[Revision], number: int | None) -> Revision:
    for each in revisions:
        if number in (None, each.number):
            return each
    raise Refused(404, f"The store has no revision {number} (any more).")


def _check_base(present: Present, base: int) -> None:
    if present.number != base:
        detail = f"The store has revision {present.number}, and this was made from {base}."
        raise Refused(409, detail, changes=[], revision=present.number)


def _without_passwords(config: ClusterConfig) -> tuple[ClusterConfig, list[str]]:
    """The configuration without its passwords, and the providers that have one."""
    names = [
        each.name for each in config.providers if isinstance(each, JtapiProvider) and each.password
    ]
    providers = tuple(
        replace(each, password="") if isinstance(each, JtapiProvider) else each
        for each in config.providers
    )
    return edited(config, providers=providers), names


def with_passwords(document: dict[str, Any], present: ClusterConfig) -> dict[str, Any]:
    """The document with the passwords that it leaves out: those of providers of the same name."""
    kept = {
        each.name: each.password for each in present.providers if isinstance(each, JtapiProvider)
    }
    providers: object = document.get("providers")
    if not isinstance(providers, list):
        return document
    entries = cast("list[object]", providers)
    return document | {"providers": [_with_password(each, kept) for each in entries]}


def _with_password(provider: object, kept: dict[str, str]) -> object:
    if not isinstance(provider, dict):
        return provider
    fields = cast("dict[str, object]", provider)
    name = fields.get("name")
    if fields.get("type") != "jtapi" or "password" in fields or not isinstance(name, str):
        return fields
    return fields | {"password": kept[name]} if kept.get(name) else fields


def _told(proposal: Proposal, meant: Cluster, *, saved: bool) -> dict[str, Any]:
    return {
        "revision": proposal.revision.number
        if saved or proposal.transaction is not None or proposal.present is None
        else proposal.present.number,
        "saved": saved,
        "changes": [str(each) for each in proposal.changes],
        "told": list(proposal.effect.told),
        "warnings": list(meant.warnings()),
        "refused": [
            field_of(each.section, each.field, each.rule) for each in proposal.effect.refused
        ],
    }
