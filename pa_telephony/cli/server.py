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
from pa_telephony.failover.tracing import set_log_levels
from pa_telephony.printable import printable_reason
from pa_telephony.trace import Trace

__all__ = ["server"]


@click.command(short_help="Run one server of a cluster.")
@click.option(
    "--cluster",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="TOML file with the fields of the Server Configuration page.",
)
@click.option("--name", required=True, help="Which of the file's servers to be.")
@click.option(
    "--greeting",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="WAV that callers hear, instead of the file's.",
)
@trace_options
@stalls_option
@log_options
def server(
    file: Path,
    name: str,
    greeting: Path | None,
    trace_file: Path | None,
    trace_keyed: bool,
    trace_stalls: bool,
) -> None:
    """Run a server until SIGTERM or Ctrl-C; it takes over for others and gives back."""
    cluster = failover.load(file)
    set_log_levels(cluster.server(name).trace_package_list)
    if greeting is not None:
        greeted = replace(cluster.application, greeting=str(greeting.resolve()))
        cluster = replace(cluster, application=greeted)
    for warning in cluster.warnings():
        click.echo(f"warning: {warning}", err=True)
    with open_trace(trace_file, keyed=trace_keyed) as trace:
        stalls = trace if trace_stalls else None
        logged = log_messages(trace)
        run_until_stopped(functools.partial(_run, cluster, name, logged), stalls)


async def _run(cluster: failover.Cluster, name: str, trace: Trace | None) -> None:
    application = failover.Menu(cluster)
    async with failover.open_server(cluster, name, application=application, trace=trace) as running:
        keep_for_good()
        click.echo(f"{name} is up")
        try:
            await running.run()
        finally:
            for label, why in running.unconfirmed.items():
                click.echo(printable_reason(f"{label} was cut off: {why}"), err=True)
