"""Where a cluster's configuration is: in its store, or in the file that it was imported from."""

from __future__ import annotations

import contextlib
import functools
import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click
import trio

from pa_telephony import failover
from pa_telephony.backoff import BackOff
from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.failover import validation
from pa_telephony.failover.changes import differences
from pa_telephony.failover.configuring import read_configuration
from pa_telephony.failover.stored import read
from pa_telephony.failover.stores import StoreView, open_view, view_of
from pa_telephony.failover.stores.etcd_address import is_etcd
from pa_telephony.failover.stores.movable import moved_to
from pa_telephony.failover.transaction import StoreMissing
from pa_telephony.printable import printable_reason

__all__ = ["from_file", "the_cluster", "the_cluster_once_there", "where_options"]

_PAUSES = 0.5, 5.0
"""Seconds between two looks whether the store is there: the first ones, and the longest."""

Command = TypeVar("Command", bound=Callable[..., Any])


def where_options(command: Command) -> Command:
    """Add ``--cluster`` (``file``) and ``--store`` (``store``), for :func:`the_cluster`."""
    file = click.option(
        "--cluster",
        "file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="The cluster's TOML file; what its store has counts, once it has something.",
    )
    store = click.option(
        "--store",
        help="The cluster's store, a file or etcd://HOST,…/PREFIX; it has the configuration.",
    )
    return file(store(command))


def the_cluster(file: Path | None, store: str | None) -> failover.Cluster:
    """The cluster of these options; with both, the file's with that store.

    Says so when the file differs from what the store has, which counts. Raises ConfigurationError,
    for a store without a configuration, too.
    """
    if file is not None:
        cluster = from_file(file, store)
        _say_when_it_differs(cluster)
        return cluster
    if store is None:
        raise click.UsageError("--cluster FILE or --store FILE is needed")
    view = view_of(store)
    revisions = trio.run(functools.partial(read_configuration, view))
    _say_when_it_moved(store, view)
    if not revisions:
        rule = "has no configuration yet: pa-telephony cluster import --cluster FILE"
        raise ConfigurationError(rule, file=store)
    return revisions[0].cluster(store, store if is_etcd(store) else Path(store).name)


def the_cluster_once_there(file: Path | None, store: str | None) -> failover.Cluster:
    """The same for what runs until it is stopped: an etcd that does not answer is waited for.

    After a power cut a machine may be there before its etcd is. Each reason is said once. A store
    that is a file is not waited for: nobody brings it later.
    """
    back_off, told = BackOff(*_PAUSES, random.random), ""
    while True:
        try:
            cluster = the_cluster(file, store)
            if file is not None and _is_in_etcd(cluster.store_name):
                # The configuration was known without it. One that has nothing yet is there, too.
                with contextlib.suppress(StoreMissing):
                    trio.run(open_view(cluster).snapshot)
            return cluster
        except ConnectionLost as lost:
            if file is None and store is not None and not _is_in_etcd(store):
                raise
            if str(lost) != told:
                told = str(lost)
                click.echo(printable_reason(f"waits for the store: {lost}"), err=True)
            time.sleep(back_off.pause())


def _is_in_etcd(store: str) -> bool:
    """Whether a store is an etcd, or a file that says into which one it was moved."""
    if is_etcd(store):
        return True
    view = view_of(store)
    with contextlib.suppress(ConfigurationError, ConnectionLost):
        trio.run(view.snapshot)
    return bool(moved_to(view))


def from_file(file: Path, store: str | None) -> failover.Cluster:
    """The cluster of a file, with ``store`` in place of its own; raises ConfigurationError."""
    cluster = failover.load(file)
    if store is None:
        return cluster
    if not is_etcd(store):
        return replace(cluster, store=str(Path(store).resolve()))
    found = replace(cluster, store=store)
    validation.check(found)
    return found


def _say_when_it_differs(cluster: failover.Cluster) -> None:
    # What is wrong with the store is told by whoever needs it.
    with contextlib.suppress(ConfigurationError, ConnectionLost):
        view = open_view(cluster)
        revisions = trio.run(functools.partial(read_configuration, view))
        _say_when_it_moved(cluster.store_name, view)
        for revision in revisions[:1]:
            if differences(cluster, read(revision, cluster)):
                click.echo(
                    printable_reason(
                        f"{cluster.file} differs from revision {revision.number} in the store,"
                        " which counts: pa-telephony cluster diff"
                    ),
                    err=True,
                )


def _say_when_it_moved(store: str, view: StoreView) -> None:
    if to := moved_to(view):
        click.echo(printable_reason(f"{store} was moved to {to}, which is used"), err=True)
