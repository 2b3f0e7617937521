"""The pages on a TCP port, with hypercorn in our own tasks."""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import trio
from hypercorn.config import Config

from pa_telephony.admin.access import Access
from pa_telephony.admin.administration import Administration
from pa_telephony.admin.app import make_app
from pa_telephony.admin.connections import MOST_CONNECTIONS, Connections
from pa_telephony.admin.demo_faults import DemoFaults
from pa_telephony.admin.live import Live
from pa_telephony.admin.managed import ManagedCluster
from pa_telephony.admin.records import Records, argon2_hasher, records_beside
from pa_telephony.admin.trace_files import TraceFiles
from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.config import ClusterConfig
from pa_telephony.failover.configuring import save_configuration
from pa_telephony.failover.stored import stored
from pa_telephony.failover.stores import open_store
from pa_telephony.tasks import background

__all__ = ["open_administration", "open_pages"]

_BACKLOG = 1000


@contextlib.asynccontextmanager
async def open_administration(
    begin: ClusterConfig,
    access: Access | None = None,
    *,
    demo: bool = False,
    traces: Path | None = None,
    control: Path | None = None,
) -> AsyncGenerator[tuple[Administration, str | None]]:
    """The administration of a cluster, in its store, and the first password if it is made now.

    A checked cluster becomes the configuration of a store that has none, as with servers; one that
    is not checked is what the first configuration is begun with. A ``demo`` has a page of faults;
    ``traces`` is the folder into which the servers of this machine trace. ``control`` is the call
    manager's socket, where it is not found by the providers' hosts.
    """
    path = begin.store_path
    async with open_store(begin) as store:
        if isinstance(begin, Cluster) and stored(await store.snapshot()) is None:
            await save_configuration(begin, store, at=time.time(), by="admin")
        records = await trio.to_thread.run_sync(
            lambda: Records(records_beside(path), argon2_hasher())
        )
        password = await trio.to_thread.run_sync(records.first_password)
        managed = ManagedCluster(store, begin)
        faults = DemoFaults(path) if demo else None
        found = Administration(
            managed,
            records,
            Live(managed),
            access or Access(),
            faults=faults,
            traces=TraceFiles(traces) if traces is not None else None,
            control=control,
        )
        yield found, password


@contextlib.asynccontextmanager
async def open_pages(
    administration: Administration,
    host: str,
    port: int,
    certificate: Path | None = None,
    key: Path | None = None,
    *,
    most: int = MOST_CONNECTIONS,
) -> AsyncGenerator[int]:
    """Serve the pages while inside; gives the port, which the kernel chooses for 0.

    With TLS when there is a ``certificate``, a PEM file, which has the ``key`` if no other file is
    named. At most ``most`` connections are served at once. Raises
    :class:`~pa_telephony.errors.ConnectionLost` when the address cannot be had, and
    ConfigurationError when the files cannot be used.
    """
    config = Config()
    if certificate is not None:
        _use_tls(config, certificate, key or certificate)
    listener = _listen(host, port)
    chosen: int = listener.getsockname()[1]
    config.include_server_header = False
    config.accesslog = None
    log = logging.getLogger(f"{__name__}.hypercorn")
    log.setLevel(logging.WARNING)
    config.errorlog = log
    config.keep_alive_timeout = 15.0
    config.h11_max_incomplete_size = 16_384
    connections = Connections(make_app(administration), config, most)
    listening = trio.SocketListener(trio.socket.from_stdlib_socket(listener))
    async with background() as tasks:
        tasks.start_soon(administration.live.run)
        tasks.start_soon(administration.live_call_manager.run)
        tasks.start_soon(administration.alarms.run)
        tasks.start_soon(connections.serve, listening)
        yield chosen


def _use_tls(config: Config, certificate: Path, key: Path) -> None:
    config.certfile, config.keyfile = str(certificate), str(key)
    # A key with a password is refused; otherwise it would be asked for at the terminal.
    config.keyfile_password = ""
    config.alpn_protocols = ["http/1.1"]
    config.ssl_handshake_timeout = 10.0
    try:
        config.create_ssl_context()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", "") or str(error)
        raise ConfigurationError(f"cannot be used for TLS: {why}", file=str(certificate)) from error


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        why = error.strerror or errno.errorcode.get(error.errno or 0, str(error))
        raise ConnectionLost(f"{where}: {why}") from error
    return listener
