"""``pa-telephony metrics`` and ``alarms``: what monitoring and people are answered."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from pa_telephony import failover
from pa_telephony.cli.alarms import alarms
from pa_telephony.cli.metrics import Latest
from pa_telephony.failover.identity import Identity, Kind
from pa_telephony.failover.status import ResourceStatus, ServerStatus

ROUTE_POINT = Identity("PA1", Kind.ROUTE_POINT, "6000", "PA-RP", "jtapi")


def a_page(*, up: bool = True, doubled: bool = False) -> ServerStatus:
    also = ("PA2",) if doubled else ()
    resource = ResourceStatus(ROUTE_POINT, up, "PA1", False, "" if up else "lost", also, doubled)
    return ServerStatus("PA1", True, False, False, True, "", (resource,))


def latest(sight: failover.Sight | None, now: float = 100.0) -> Latest:
    found = Latest(lambda: now)
    found.sight = sight
    return found


def test_ready_is_whoever_serves_every_number() -> None:
    good = latest(failover.Sight(99.0, (a_page(),)))
    assert good.get("/readyz") == ("200 OK", "text/plain; charset=utf-8", b"ok\n")
    for page, why in ((a_page(up=False), b"lost"), (a_page(doubled=True), b"held by two")):
        status, _, body = latest(failover.Sight(99.0, (page,))).get("/readyz")
        assert status.startswith("503")
        assert b"6000" in body
        assert why in body
    status, _, body = latest(failover.Sight(99.0, unreadable="no such file")).get("/readyz")
    assert (status[:3], body) == ("503", b"no such file\n")


def test_healthy_is_whoever_looks_at_the_cluster() -> None:
    assert latest(None).get("/healthz")[0].startswith("503")
    assert latest(failover.Sight(99.0, unreadable="no such file")).get("/healthz")[0] == "200 OK"
    status, _, body = latest(failover.Sight(50.0)).get("/healthz")
    assert (status[:3], body) == ("503", b"the last look was 50 s ago\n")
    assert latest(failover.Sight(50.0, (a_page(),))).get("/readyz")[0].startswith("503")


def test_metrics_are_what_prometheus_reads() -> None:
    pytest.importorskip("prometheus_client")
    from prometheus_client.parser import text_string_to_metric_families

    status, content, body = latest(failover.Sight(99.0, (a_page(),), revision=3)).get("/metrics")
    assert status == "200 OK"
    assert content.startswith("text/plain")
    families = {each.name: each for each in text_string_to_metric_families(body.decode())}
    assert families["pa_telephony_configuration_revision"].samples[0].value == 3
    (sample,) = families["pa_telephony_number_up"].samples
    assert sample.labels == {"home": "PA1", "kind": "route", "number": "6000"}
    assert len(families) >= 15


def test_another_path_is_told_which_there_are() -> None:
    status, _, body = latest(None).get("/")
    assert status.startswith("404")
    assert b"/metrics" in body


def test_requests_are_answered_as_wsgi_asks() -> None:
    started: list[object] = []
    body = b"".join(
        latest(failover.Sight(99.0)).answer(
            {"PATH_INFO": "/healthz"}, lambda *what: started.append(what)
        )
    )
    assert body == b"ok\n"
    (what,) = started
    assert ("Content-Length", "3") in what[1]  # type: ignore[index]


def test_alarms_of_a_cluster_that_cannot_be_read_end_with_3(tmp_path: Path) -> None:
    done = CliRunner().invoke(alarms, ["--store", str(tmp_path / "none.db")])
    assert done.exit_code == 3
    assert "none.db" in done.output
