"""``pa-telephony server``: one server of a failover cluster as a process."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path

import click

from pa_telephony import failover
from pa_telephony.cli.running import (
    keep_for_good,
    log_messages,
    log_options,
    open_trace,
    run_until_stopped,
    stalls_option,
    trace_options,
)
from pa_telephony.cli.where import the_cluster_once_there, where_options
from pa_telephony.failover.tracing import set_log_levels
from pa_telephony.printable import printable_reason
from pa_telephony.trace import Trace

__all__ = ["server"]


@click.command(short_help="Run one server of a cluster.")
@where_options
@click.option("--name", required=True, help="Which of the cluster's servers to be.")
@click.option(
    "--greeting",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="WAV that callers hear, instead of the configuration's.",
)
@trace_options
@stalls_option
@log_options
def server(
    file: Path | None,
    store: str | None,
    name: str,
    greeting: Path | None,
    trace_file: Path | None,
    trace_keyed: bool,
    trace_stalls: bool,
) -> None:
    """Run a server until SIGTERM or Ctrl-C; it takes over for others and gives back.

    The configuration is that of the store. Where the store has none, the file becomes it; a file
    that differs later is reported and ignored until `pa-telephony cluster import`.
    """
    cluster = the_cluster_once_there(file, store)
    for warning in cluster.warnings():
        click.echo(f"warning: {warning}", err=True)
    with open_trace(trace_file, keyed=trace_keyed) as trace:
        stalls = trace if trace_stalls else None
        logged = log_messages(trace)
        run_until_stopped(functools.partial(_run, cluster, name, greeting, logged), stalls)


async def _run(
    cluster: failover.Cluster, name: str, greeting: Path | None, trace: Trace | None
) -> None:
    while True:
        application = _Greeting(cluster, greeting)
        async with failover.open_server(
            cluster, name, application=application, trace=trace
        ) as running:
            keep_for_good()
            running.on_configured = functools.partial(_log_levels, running.name)
            _log_levels(running.name, running.cluster)
            application.configured(running.cluster)
            click.echo(f"{running.name} is up")
            try:
                # Comes to an end of its own where the configuration asks for a new beginning.
                await running.run()
            finally:
                for label, why in running.unconfirmed.items():
                    click.echo(printable_reason(f"{label} was cut off: {why}"), err=True)


def _log_levels(name: str, cluster: failover.Cluster) -> None:
    set_log_levels(cluster.server(name).trace_package_list)


class _Greeting(failover.Menu):
    """The menu, with another greeting than the configuration's if there is one."""

    def __init__(self, cluster: failover.Cluster, greeting: Path | None) -> None:
        self._other = greeting
        super().__init__(self._greeted(cluster))

    def configured(self, cluster: failover.Cluster) -> None:
        """Take up ``[application]``, but for that greeting."""
        super().configured(self._greeted(cluster))

    def _greeted(self, cluster: failover.Cluster) -> failover.Cluster:
        if self._other is None:
            return cluster
        application = replace(cluster.application, greeting=str(self._other.resolve()))
        return replace(cluster, application=application)
