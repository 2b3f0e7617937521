"""``pa-telephony metrics``: a cluster's state for Prometheus, and for who only asks if it works.

It reads the store and nothing else, so that one of it, on any machine, tells of all servers, and
says what is wrong when none of them runs.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import click

from pa_telephony import failover
from pa_telephony.cli.running import FILLED, run_until_stopped
from pa_telephony.cli.where import the_cluster_once_there, where_options
from pa_telephony.extras import need
from pa_telephony.failover.series import Series, series
from pa_telephony.printable import printable_lines

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

__all__ = ["Answer", "Latest", "metrics"]

_STALE = 10.0
"""Seconds after which a look that does not come is itself the trouble."""
_TEXT = "text/plain; charset=utf-8"


@click.command(short_help="The cluster's state for Prometheus; /healthz and /readyz.")
@where_options
@click.option(
    "--host", type=FILLED, default="127.0.0.1", show_default=True, help="Where to listen."
)
@click.option("--port", default=9464, show_default=True, type=click.IntRange(0, 65535))
def metrics(file: Path | None, store: str | None, host: str, port: int) -> None:
    """Serve /metrics, /healthz and /readyz until SIGTERM or Ctrl-C.

    /healthz says whether this program works, /readyz whether every number of the cluster is served;
    200 means yes, 503 no, and the text why.
    """
    need("metrics", "prometheus_client")
    cluster = the_cluster_once_there(file, store)
    latest = Latest()
    try:
        server = make_server(
            host, port, latest.answer, server_class=_Threading, handler_class=_Quiet
        )
    except OSError as error:
        raise click.ClickException(f"{host}:{port}: {error.strerror or error}") from error
    with server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        click.echo(f"http://{host}:{server.server_port}/metrics")
        run_until_stopped(lambda: _look(cluster, latest))
        server.shutdown()


async def _look(cluster: failover.Cluster, latest: Latest) -> None:
    async with contextlib.aclosing(failover.watch_cluster(cluster)) as sights:
        async for sight in sights:
            latest.sight = sight


class _Threading(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of each request."""


Answer = tuple[str, str, bytes]
"""Status, type of content, and content."""


class Latest:
    """The last look at the cluster, and what is answered of it; ``clock`` gives Unix time."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.sight: failover.Sight | None = None
        self._clock = clock

    def answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request; a WSGI application."""
        status, content, body = self.get(str(environ.get("PATH_INFO", "/")))
        start(status, [("Content-Type", content), ("Content-Length", str(len(body)))])
        return [body]

    def get(self, path: str) -> Answer:
        """The answer for a path."""
        match path:
            case "/metrics":
                return self._metrics()
            case "/healthz":
                return _said(self._not_healthy())
            case "/readyz":
                return _said(self._not_ready())
            case _:
                return "404 Not Found", _TEXT, b"there are /metrics, /healthz and /readyz\n"

    def collect(self) -> Iterable[Metric]:
        """The series as prometheus_client has them."""
        from prometheus_client.metrics_core import GaugeMetricFamily  # an extra

        for each in self._series():
            family = GaugeMetricFamily(each.name, each.text, labels=each.labels)
            for labels, value in each.values.items():
                family.add_metric(labels, value)
            yield family

    def _series(self) -> tuple[Series, ...]:
        sight = self.sight
        return series(sight if sight is not None else failover.Sight(0.0, unreadable="not yet"))

    def _metrics(self) -> Answer:
        from prometheus_client import CollectorRegistry, exposition  # an extra

        registry = CollectorRegistry()
        registry.register(self)
        return "200 OK", exposition.CONTENT_TYPE_LATEST, exposition.generate_latest(registry)

    def _not_healthy(self) -> str:
        sight = self.sight
        if sight is None:
            return "the cluster has not been looked at yet"
        age = self._clock() - sight.at
        return f"the last look was {age:.0f} s ago" if age > _STALE else ""

    def _not_ready(self) -> str:
        sight = self.sight
        if sight is None or self._not_healthy():
            return self._not_healthy()
        if sight.unreadable:
            return printable_lines(sight.unreadable)
        down = [
            f"{alarm.identity}: {alarm.text}"
            for page in sight.pages
            for alarm in page.alarms
            if alarm.identity
        ]
        return "\n".join(map(printable_lines, down))


def _said(trouble: str) -> Answer:
    if trouble:
        return "503 Service Unavailable", _TEXT, f"{trouble}\n".encode()
    return "200 OK", _TEXT, b"ok\n"
