"""``pa-telephony agent``: keeps the servers of this machine running as the store says."""

from __future__ import annotations

import functools
import itertools
import random
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from pa_telephony import failover
from pa_telephony.cli.running import log_options, run_until_stopped
from pa_telephony.cli.where import the_cluster_once_there, where_options
from pa_telephony.failover.agent import open_agent
from pa_telephony.failover.agents import Kept
from pa_telephony.failover.clock import boot_clock
from pa_telephony.failover.keeping import State
from pa_telephony.failover.local_processes import LocalProcesses
from pa_telephony.failover.stores import open_store

__all__ = ["agent"]


@click.command(short_help="Keep this machine's servers running as the store says.")
@where_options
@click.option(
    "--log-directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Each server logs to NAME.log there, in place of where the agent does.",
)
@click.option(
    "--trace-directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Each server traces there, stalls too: NAME-1.jsonl, NAME-2.jsonl … are its lives.",
)
@log_options
def agent(
    file: Path | None,
    store: str | None,
    log_directory: Path | None,
    trace_directory: Path | None,
) -> None:
    """Start, watch and end the servers of this machine until SIGTERM or Ctrl-C.

    A server that is not stopped in the store runs: one that crashes is started again, after a
    pause that grows. `pa-telephony stop` and `start` say what has become of it. The end of the
    agent ends no server, and an agent that starts takes over those that run. There is one agent a
    machine; servers are of this machine when their address is. Where an etcd is the store and
    cannot be reached yet, the agent waits for it.
    """
    cluster = the_cluster_once_there(file, store)
    run_until_stopped(functools.partial(_run, cluster, log_directory, trace_directory))


def _farewell(machine: str, servers: Mapping[str, Kept]) -> str:
    """What the end of the agent means for its servers."""
    on = [name for name, each in servers.items() if each.state is State.RUNNING]
    if not on:
        return f"the agent of {machine} ends; no server of it runs"
    them = "goes on, and the next agent takes it over"
    if len(on) > 1:
        them = "go on, and the next agent takes them over"
    return f"the agent of {machine} ends; {', '.join(on)} {them}"


def _trace(directory: Path | None, name: str) -> list[str]:
    """The options of a server's next life for its trace."""
    if directory is None:
        return []
    directory.mkdir(parents=True, exist_ok=True)
    lives = itertools.count(1)
    file = next(path for life in lives if not (path := directory / f"{name}-{life}.jsonl").exists())
    return ["--trace", str(file.absolute()), "--trace-stalls"]


async def _run(
    cluster: failover.Cluster, log_directory: Path | None, trace_directory: Path | None
) -> None:
    machine = socket.gethostname()
    path, locks = cluster.store_path.absolute(), cluster.locks_path.absolute()

    def command(name: str) -> list[str]:
        words = [sys.executable, "-m", "pa_telephony", "server", "--store", cluster.store_name]
        return [*words, "--name", name, *_trace(trace_directory, name)]

    async with open_store(cluster) as store:
        processes = LocalProcesses(path, locks, command, log_directory)
        async with open_agent(
            machine, cluster, store, processes, chance=random.random, clock=boot_clock
        ) as running:
            click.echo(f"the agent of {machine} is up")
            try:
                await running.run()
            finally:
                click.echo(_farewell(machine, running.servers))
