"""What do a load balancer, a person and Prometheus learn?"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from engine.model.vocabulary import ProcessKind
from engine.storage import instance, migrate
from engine.storage.database import Database
from engine.storage.instance import Beat
from engine.storage.work import INSTANCE, work
from tests.api.clients import Server, is_problem, serve
from tests.testkit.database import TestDatabase


def _beat(database: Database, kind: ProcessKind, ticks: bool = False) -> None:
    with work(database, INSTANCE) as open_work:
        instance.beat(open_work, Beat(f"{kind} of a test", kind, "0.0.test", open_work.now, open_work.now, None))
        if ticks:
            instance.ticked(open_work, f"{kind} of a test")


def test_a_process_that_answers_is_alive(server: Server) -> None:
    assert server.anybody().get("/health/live").json() == {"status": "live"}


def test_it_is_ready_when_database_and_schema_are(server: Server) -> None:
    answer = server.anybody().get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


def test_without_its_schema_it_is_alive_and_not_ready(server: Server, fresh: TestDatabase) -> None:
    migrate.down(fresh.owner, "base")
    assert server.anybody().get("/health/live").status_code == 200
    answer = server.anybody().get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "not ready")
    assert answer.json()["faults"]


def test_health_tells_everything_and_what_is_wrong(server: Server, fresh: TestDatabase) -> None:
    answer = server.anybody().get("/health")
    assert answer.status_code == 503
    assert answer.json()["faults"] == ["the worker's tick is missing: see the worker's log"]
    _beat(fresh.database, ProcessKind.WORKER, ticks=True)
    _beat(fresh.database, ProcessKind.WEB)
    body = server.anybody().get("/health").json()
    assert body["revision"] == migrate.newest() and body["version"] == "0.0.test"
    assert [p["kind"] for p in body["processes"]] == ["web", "worker"]
    assert 0 <= body["tick_age_seconds"] < 5 and 0 < body["disk_free_ratio"] <= 1 and body["database_bytes"] > 0
    assert (body["status"] == "ok") is (body["disk_free_ratio"] >= 0.1)
    assert set(body) == {
        *("status", "version", "time", "database", "revision", "processes", "tick_age_seconds"),
        *("queue_age_seconds", "intake_age_seconds", "proof", "disk_free_ratio", "database_bytes", "faults"),
    }


def test_health_tells_no_names_of_people_or_organizations(server: Server, acme: object) -> None:
    assert "Acme" not in server.anybody().get("/health").text


def test_an_old_tick_is_a_fault(server: Server, fresh: TestDatabase) -> None:
    _beat(fresh.database, ProcessKind.WORKER, ticks=True)
    with work(fresh.database, INSTANCE) as open_work:
        open_work.session.connection().exec_driver_sql("UPDATE heartbeat SET tick_at = tick_at - interval '20 seconds'")
    answer = server.anybody().get("/health")
    assert answer.status_code == 503 and "20 s old" in answer.json()["faults"][0]
    assert server.anybody().get("/health/ready").status_code == 200, "requests can still be served"


def test_without_its_database_it_is_alive_not_ready_and_says_so(server: Server, away: Callable[[], None]) -> None:
    away()
    assert server.anybody().get("/health/live").status_code == 200
    for path, status in (("/health/ready", "not ready"), ("/health", "fault")):
        answer = server.anybody().get(path)
        assert (answer.status_code, answer.json()["status"]) == (503, status)
        assert "the database does not answer" in answer.json()["faults"][0]


NAMES = (
    *("aiops_http_requests_total", "aiops_http_request_duration_seconds_bucket", "aiops_build_info", "aiops_open_tabs"),
    *("aiops_bus_connected", "aiops_database_connections", "aiops_processes", "aiops_tick_age_seconds"),
    *("aiops_job_queue_age_seconds", "aiops_disk_free_ratio", "aiops_database_bytes", "aiops_faults"),
)


def test_this_machine_reads_metrics_by_name(server: Server, database: Database) -> None:
    _beat(database, ProcessKind.WEB)
    near = server.anybody("127.0.0.1")
    near.get("/api/v1/teams/01234567-89ab-7def-8123-456789abcdef")
    answer = near.get("/metrics")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain")
    assert not [name for name in NAMES if f"\n{name}" not in answer.text]
    assert 'route="/api/v1/teams/{team_id}"' in answer.text, "ids make no new series"
    assert "456789abcdef" not in answer.text


# the sender, its headers, whether metrics are read, why
READERS = [
    ("127.0.0.1", {}, True, "this machine"),
    ("::1", {}, True, "this machine, by IPv6"),
    ("198.51.100.1", {}, False, "another machine"),
    ("127.0.0.1", {"x-forwarded-for": "198.51.100.1"}, False, "a proxy on this machine makes everybody look local"),
    ("127.0.0.1", {"x-forwarded-for": ""}, False, "even one that says nobody"),
    ("198.51.100.1", {"authorization": "Bearer "}, False, "no token is set"),
]


@pytest.mark.parametrize(("address", "headers", "is_read", "why"), READERS)
def test_without_a_token_only_this_machine_reads_metrics(
    server: Server, address: str, headers: dict[str, str], is_read: bool, why: str
) -> None:
    answer = server.anybody(address, **headers).get("/metrics")
    assert (answer.status_code == 200) is is_read, why
    assert is_read or is_problem(answer, 403, "refused")


def test_with_a_token_only_its_holders_read_metrics(scratch: Path) -> None:
    guarded = serve(str(scratch), metrics_token="a scraper's token")
    assert guarded.anybody("198.51.100.1", authorization="Bearer a scraper's token").get("/metrics").status_code == 200
    for headers in ({}, {"authorization": "Bearer another"}, {"authorization": b"Bearer \xff"}):
        assert is_problem(guarded.anybody("127.0.0.1").get("/metrics", headers=headers), 403, "refused")


def test_without_its_database_there_are_no_metrics(server: Server, away: Callable[[], None]) -> None:
    away()
    assert is_problem(server.anybody("127.0.0.1").get("/metrics"), 503, "unavailable")


def test_a_tick_of_a_day_stands_for_none(server: Server, fresh: TestDatabase) -> None:
    text = server.anybody("127.0.0.1").get("/metrics").text
    assert f"aiops_tick_age_seconds {timedelta(days=1).total_seconds()}" in text
