"""``pa-telephony cluster``: the configuration in the store, and the files it comes from."""

from __future__ import annotations

import functools
import getpass
import os
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click
import trio

from pa_telephony import callmanager, failover
from pa_telephony.callmanager.control.look import as_device
from pa_telephony.callmanager.control.rows import Device
from pa_telephony.cli.cm import control_option, run_at
from pa_telephony.cli.where import from_file, the_cluster, where_options
from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.extras import need
from pa_telephony.failover.changes import differences
from pa_telephony.failover.configuring import (
    Proposal,
    base_of,
    exported,
    look_at,
    propose,
    read_configuration,
    save_configuration,
)
from pa_telephony.failover.missing import missing_devices, toml_lines
from pa_telephony.failover.stored import Revision
from pa_telephony.failover.stores import open_store, open_view
from pa_telephony.failover.stores.etcd_address import is_etcd
from pa_telephony.printable import printable_lines, printable_reason

__all__ = ["cluster"]

T = TypeVar("T")

_file = click.option(
    "--cluster",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The cluster's TOML file.",
)
_store = click.option(
    "--store",
    help="The store, a file or etcd://HOST,…/PREFIX, in place of the one that the file names.",
)


@click.group(short_help="The cluster's configuration in the store: import, export, history, move.")
def cluster() -> None:
    """What the store has is the cluster's configuration; a file is read when it is imported.

    Servers take up what is imported without a restart, and no call is touched. What would need one
    is refused with server, field and rule while that server runs.
    """


@cluster.command("import", short_help="Make a file the configuration of the store.")
@_file
@_store
@click.option("--over", type=int, help="Save over this revision, whatever the file is from.")
@click.option("--yes", is_flag=True, help="Do not ask before it is saved.")
def import_(file: Path, store: str | None, over: int | None, yes: bool) -> None:
    """Make the file the configuration of the store: all of it, or nothing.

    Says what comes, goes, moves and stays, and asks before it is saved where a terminal can answer.
    A file that was exported is refused when another revision has been saved since; what that has
    changed is shown then.
    """
    found = from_file(file, store)
    base = over if over is not None else base_of(file.read_text("utf-8"))
    by = f"{getpass.getuser()}@{socket.gethostname()}"

    async def look() -> Proposal:
        async with open_store(found) as opened:
            return await look_at(found, opened, base=base)

    proposal = _run(look)
    _tell(proposal, found)
    if proposal.transaction is None:
        click.echo(f"nothing changes: the store has this as revision {_number(proposal)}")
        return
    if proposal.present is not None and not yes and sys.stdin.isatty():
        click.confirm("Save this?", default=True, abort=True)
        # What was shown is what is saved, however long the answer took.
        base = proposal.present.number

    async def save() -> Proposal:
        async with open_store(found) as opened:
            return await save_configuration(found, opened, at=time.time(), by=by, base=base)

    click.echo(f"revision {_run(save).revision.number} is saved")


@cluster.command(short_help="Print the configuration as a file.")
@where_options
@click.option("--revision", type=int, help="An earlier one.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="The file to make.")
def export(file: Path | None, store: str | None, revision: int | None, output: Path | None) -> None:
    """Print the configuration as TOML, which import takes back unchanged; passwords are in it."""
    found = _revision(_revisions(file, store), revision)
    if output is None:
        click.echo(exported(found), nl=False)
        return
    try:
        # Its owner's alone, because of the passwords; an existing file is not written over.
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise click.ClickException(f"--output {output}: {error.strerror}") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(exported(found))


@cluster.command(short_help="Show what an import would change, and do.")
@_file
@_store
def diff(file: Path, store: str | None) -> None:
    """Show what an import of the file would change, and what would happen; nothing is done.

    The exit status is 0 when nothing differs, 1 when something does, 2 when it would be refused.
    """
    found = from_file(file, store)
    if not is_etcd(found.store) and not found.store_path.exists():
        missing = f"{found.store_path} is not there: name the cluster's store with --store"
        raise click.ClickException(missing)

    async def look() -> Proposal:
        return propose(found, await open_view(found).snapshot())

    proposal = _run(look)
    _tell(proposal, found)
    for error in proposal.effect.refused:
        click.echo(printable_reason(f"refused: {error}"))
    if proposal.effect.refused:
        sys.exit(2)
    sys.exit(1 if proposal.transaction is not None else 0)


@cluster.command(short_help="Check a file alone.")
@_file
def validate(file: Path) -> None:
    """Check the file alone: every rule, and the warnings; the exit status is 1 for an error.

    All rules that are broken are told, each with server or provider, field and rule.
    """
    found = failover.load(file)
    _warn(found)
    servers = len(found.servers)
    click.echo(f"{file} keeps every rule: {servers} server{'' if servers == 1 else 's'}")


@cluster.command(short_help="The revisions, and what each has changed.")
@where_options
def history(file: Path | None, store: str | None) -> None:
    """The revisions that the store has, the newest first, with what each has changed.

    The hash tells one configuration from another; servers say with it which one they follow.
    """
    revisions = _revisions(file, store)
    for place, revision in enumerate(revisions):
        when = "at an unknown time"
        if revision.at:
            when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(revision.at))
        by = f" by {revision.by}" if revision.by else ""
        click.echo(
            printable_reason(f"revision {revision.number}, {when}{by}, hash {revision.hash}")
        )
        if place + 1 < len(revisions):
            _differences(revisions[place + 1], revision)


@cluster.command(short_help="Move a running cluster from its file to an etcd.")
@where_options
@click.option(
    "--to",
    required=True,
    metavar="ETCD",
    help="An empty prefix of an etcd, etcd://HOST,…/PREFIX, for several machines.",
)
def move(file: Path | None, store: str | None, to: str) -> None:
    """Move the cluster from its file to an etcd, while its servers run and calls are up.

    Its configuration with all revisions, its orders, and what each server serves are there
    afterwards. Servers and agents of this machine go on there by themselves, and servers of other
    machines can be started with --store ETCD. A move that broke off is finished by the same
    command. Nothing is moved when it takes too long, or may not be now: the reason is told.
    """
    need("etcd", "httpcore2")
    from pa_telephony.failover.moving import move_cluster

    found = the_cluster(file, store)
    done = _run(functools.partial(move_cluster, found, to))
    took = f"nothing could be written for {done.seconds:.2f} s" if done.seconds else "it was there"
    history = f"{done.revisions} revision{'' if done.revisions == 1 else 's'}"
    click.echo(
        printable_reason(
            f"moved to {done.to}: {done.entries} entries, {history} of the configuration; {took}"
        )
    )
    for name in done.here:
        click.echo(printable_reason(f"{name} goes on there"))
    for name in done.behind:
        click.echo(printable_reason(f"{name} has not come after yet: is it busy, or stopped?"))
    click.echo(printable_reason(f"next, on each further machine: pa-telephony agent --store {to}"))
    click.echo(printable_reason(f"keep {found.store_path}: whoever is given it finds the etcd"))
    sys.exit(1 if done.behind else 0)


@cluster.command(short_help="What a call manager lacks for the cluster, to paste there.")
@where_options
@control_option
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The TOML file of a call manager, in place of one that runs.",
)
def devices(
    file: Path | None, store: str | None, control: Path | None, config: Path | None
) -> None:
    """Name the devices that a running call manager lacks, with the lines to paste into its file.

    These are route points, media ports and interceptors of all servers. The exit status is 0 when
    it has all of them, 1 when one is missing or is something else.
    """
    if control is not None and config is not None:
        raise click.UsageError("--control or --config, not both")
    found = the_cluster(file, store)
    if config is not None:
        known, whose = tuple(map(as_device, callmanager.load(config).devices)), str(config)
    else:
        known, whose = run_at(control, _devices_there)
    missing = missing_devices(found, known)
    if not missing:
        click.echo(f"{whose} has every device of the cluster")
        return
    lines = toml_lines(missing)
    click.echo(printable_lines(lines, len(lines)), nl=False)
    word = "device is" if len(missing) == 1 else "devices are"
    click.echo(f"{len(missing)} {word} missing in {whose}", err=True)
    sys.exit(1)


async def _devices_there(control: callmanager.Control) -> tuple[tuple[Device, ...], str]:
    return await control.devices(), f"the call manager {control.about.sccp}"


def _differences(before: Revision, after: Revision) -> None:
    try:
        changes = differences(before.cluster(), after.cluster())
    except ConfigurationError as error:
        click.echo(printable_reason(f"  cannot be compared: {error}"))
        return
    for change in changes:
        click.echo(printable_reason(f"  {change}"))


def _revisions(file: Path | None, store: str | None) -> tuple[Revision, ...]:
    found = the_cluster(file, store)
    revisions = _run(functools.partial(read_configuration, open_view(found)))
    if not revisions:
        rule = "has no configuration yet: pa-telephony cluster import --cluster FILE"
        raise ConfigurationError(rule, file=found.store_name)
    return revisions


def _revision(revisions: tuple[Revision, ...], number: int | None) -> Revision:
    for revision in revisions:
        if number in (None, revision.number):
            return revision
    known = ", ".join(str(each.number) for each in revisions)
    raise click.ClickException(f"the store has no revision {number}, only {known}")


def _warn(found: failover.Cluster) -> None:
    for warning in found.warnings():
        click.echo(printable_reason(f"warning: {warning}"))


def _tell(proposal: Proposal, found: failover.Cluster) -> None:
    _warn(found)
    if proposal.present is None:
        click.echo("the store has no configuration yet")
    for change in proposal.changes:
        click.echo(printable_reason(f"{change}"))
    for sentence in proposal.effect.told:
        click.echo(printable_reason(f"  {sentence}"))


def _number(proposal: Proposal) -> int:
    return proposal.present.number if proposal.present is not None else 0


def _run(body: Callable[[], Awaitable[T]]) -> T:
    """Run it; the notes of an error, such as what another writer has changed, are shown, too."""
    try:
        return trio.run(body)
    except (ConfigurationError, ConnectionLost) as error:
        lines = [str(error), *(f"  {note}" for note in getattr(error, "__notes__", ()))]
        raise click.ClickException(printable_lines("\n".join(lines))) from error
