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


def a_page(alarm: failover.AlarmKind | None = None, text: str = "") -> ServerStatus:
    label = ROUTE_POINT.label
    alarms = () if alarm is None else (failover.Alarm(alarm, "PA1", text, label),)
    resource = ResourceStatus(ROUTE_POINT, alarm is None, "PA1", False, text)
    return ServerStatus("PA1", True, False, False, True, "", (resource,), alarms=alarms)


def latest(sight: failover.Sight | None, now: float = 100.0) -> Latest:
    found = Latest(lambda: now)
    found.sight = sight
    return found


def test_ready_is_whoever_serves_every_number() -> None:
    good = latest(failover.Sight(99.0, (a_page(),)))
    assert good.get("/readyz") == ("200 OK", "text/plain; charset=utf-8", b"ok\n")
    down = a_page(failover.AlarmKind.NUMBER_DOWN, "PA1 lost")
    status, _, body = latest(failover.Sight(99.0, (down,))).get("/readyz")
    assert (status[:3], body) == ("503", b"PA1/route/6000: PA1 lost\n")
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
