"""How does an installation come to a million alerts in some minutes? Set-based SQL as superuser, with the columns of real ones.

Firing alerts and lately resolved ones are in `alert`, those that are over in `alert_history`, spread over the four weeks before;
fifty to an incident, and one line of history each.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from benchmarks.measured import Measured
from engine import start
from engine.settings import load
from engine.storage import partitions

_EACH = 50  # alerts of an incident
_AT_ONCE = 50_000
_WEEKS = 4
# state: the table, the SQL of when it was first seen, of when it was closed, and of when it is looked at next
_STATES = {
    "firing": ("alert", "now() - interval '3 hours' * random()", "NULL::timestamptz", "NULL::timestamptz"),
    "resolved": ("alert", "now() - interval '3 hours'", "now() - interval '29 minutes' * random()", "closed_at + interval '30 minutes'"),
    "over": ("alert_history", f"now() - interval '1 day' - interval '{_WEEKS * 7 - 1} days' * random()", "at + interval '1 hour'", "NULL"),
}


def populate(on: Measured, firing: int, resolved: int, over: int) -> None:
    """Make so many alerts, their incidents and histories, and let the planner know."""
    _make_weeks(on)
    with on.db() as db:
        db.execute("SET synchronous_commit = off")
        db.execute(_ID)
        for state, many in (("firing", firing), ("resolved", resolved), ("over", over)):
            for first in range(0, many, _AT_ONCE):
                _make(db, state, {"org": on.org_id, "source": on.source_id, "first": first, "last": min(many, first + _AT_ONCE) - 1})
        db.execute("DROP FUNCTION bench_id(timestamptz)")
        db.execute("UPDATE lane SET due_at = now() WHERE org_id = %s AND kind = 'check'", (on.org_id,))  # some are soon to be looked at
        db.execute("VACUUM ANALYZE alert, alert_history, alert_entry, incident, incident_alert")
        db.execute("CHECKPOINT")


def _make_weeks(on: Measured) -> None:
    """The weeks before this one, which an installation that has run so long would have."""
    settings = load({"AIOPS_DATA_DIR": str(on.installed.data_dir)})
    owner = start.owner_engine(settings)
    partitions.keep_up(owner, settings.retention, datetime.now(UTC) - timedelta(weeks=_WEEKS))
    owner.dispose()


def _make(db: psycopg.Connection[Any], state: str, values: dict[str, Any]) -> None:
    table, at, closed_at, check_at = _STATES[state]
    values = values | {"state": state, "each": _EACH, "firing": state == "firing"}
    # Bound here and not by the server, which would not know which integers these are.
    with db.transaction(), psycopg.ClientCursor(db) as cursor:
        cursor.execute(_NUMBERED, values)
        cursor.execute(_INCIDENTS, values)
        cursor.execute(_DRAWN.format(at=at, closed_at=closed_at, check_at=check_at), values)
        for statement in (_ALERTS.format(table=table), _MEMBERS, _ENTRIES):
            cursor.execute(statement, values)
        cursor.execute("DROP TABLE made_incident, made")


# A UUIDv7 of that time, as engine/model/ids.py makes them.
_ID = """
CREATE OR REPLACE FUNCTION bench_id(at timestamptz) RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(r, 1, 3) || '8' || substr(r, 4, 15))::uuid
    FROM (SELECT md5(random()::text || clock_timestamp()::text) AS r) drawn
$$
"""
_NUMBERED = """
CREATE TEMPORARY TABLE made_incident AS
WITH given AS (
    INSERT INTO incident_number (org_id, last) VALUES (%(org)s, (%(last)s - %(first)s) / %(each)s + 1)
    ON CONFLICT (org_id) DO UPDATE SET last = incident_number.last + excluded.last
    RETURNING last - ((%(last)s - %(first)s) / %(each)s + 1) AS before)
SELECT place, before + place + 1 AS number, bench_id(now()) AS id, %(first)s / %(each)s + place AS own
FROM given, generate_series(0, (%(last)s - %(first)s) / %(each)s) place
"""
_INCIDENTS = """
INSERT INTO incident (org_id, id, number, title, status, severity, severity_rank, team_ids, everybody, group_key, grouped_by, environment,
    title_edited, services, alert_count, open_by_severity, firings, opened_at, last_alert_at, resolved_at, resolved_by, reopened, version)
SELECT %(org)s, id, number, 'svc-' || own || ': p99 latency above 2s', CASE WHEN %(firing)s THEN 'detected' ELSE 'resolved' END, 'critical',
    1, '{}', true, g, g, 'Production', false, ARRAY['svc-' || own], many,
    CASE WHEN %(firing)s THEN ARRAY[(many + 1) / 2, 0, many / 2, 0, 0] ELSE '{0,0,0,0,0}' END, many, now(), now(),
    CASE WHEN NOT %(firing)s THEN now() END, CASE WHEN NOT %(firing)s THEN 'all its alerts have ended' END, 0, 1
FROM made_incident CROSS JOIN LATERAL (
    SELECT 'environment Production, cluster eu-' || own %% 4 || ', namespace old-' || own %% 40 || ', service svc-' || own AS g,
        least(%(each)s, %(last)s - %(first)s + 1 - place * %(each)s) AS many) said
"""
_DRAWN = """
CREATE TEMPORARY TABLE made AS
SELECT *, {check_at} AS check_at FROM (
    SELECT *, {closed_at} AS closed_at FROM (
        SELECT n, bench_id(at) AS id, at, i.id AS incident_id, i.number AS incident_number, own,
            decode(md5(%(state)s || n), 'hex') AS identity, substr(md5(%(state)s || n), 1, 16) AS fingerprint,
            CASE WHEN (n - %(first)s) %% %(each)s %% 2 = 0 THEN 'critical' ELSE 'warning' END AS severity
        FROM (SELECT n, {at} AS at FROM generate_series(%(first)s, %(last)s) n) numbered
        JOIN made_incident i ON i.place = (n - %(first)s) / %(each)s) identified) closed
"""
_ALERTS = """
INSERT INTO {table} (org_id, id, source_id, identity, identity_by, fingerprint, title, description, severity, severity_rank, severity_word,
    status, service, environment, resource, team, labels, annotations, links, notes, count, deliveries, starts_at, ends_at, first_seen_at,
    last_seen_at, closed_at, closed_by, episodes, ended_at, changes, flapping, check_at, incident_id, incident_number, content, search)
SELECT %(org)s, id, %(source)s, identity, 'sender', fingerprint, 'p99 latency of svc-' || own || ' on ' || host || ' above 2s',
    'p99 request latency is 2.7s (threshold 2s) for 5m on ' || host, severity, CASE severity WHEN 'critical' THEN 1 ELSE 3 END, severity,
    CASE WHEN %(firing)s THEN 'firing' ELSE 'resolved' END, 'svc-' || own, 'Production', host || ':9100', 'team-' || n %% 12,
    jsonb_build_object('alertname', 'HighLatency' || n %% 50, 'severity', severity, 'environment', 'Production', 'service', 'svc-' || own,
        'instance', host || ':9100', 'job', 'node', 'cluster', 'eu-' || own %% 4, 'region', 'eu-west-1', 'team', 'team-' || n %% 12,
        'namespace', 'old-' || own %% 40),
    jsonb_build_object('summary', 'p99 latency of svc-' || own || ' on ' || host || ' above 2s', 'value', '2.7',
        'runbook_url', 'https://runbooks.example/latency'),
    jsonb_build_array(jsonb_build_object('title', 'Runbook', 'url', 'https://runbooks.example/latency')), '{{}}', 1, 2, at, closed_at, at,
    coalesce(closed_at, now()), closed_at, CASE WHEN closed_at IS NOT NULL THEN 'sender' END, ARRAY[at], closed_at,
    CASE WHEN closed_at IS NULL THEN '{{}}' ELSE ARRAY[closed_at] END, false, check_at::timestamptz, incident_id, incident_number, n,
    array_to_tsvector(ARRAY['p99', 'latency', 'of', 'svc', 'on', 'above', '2s', host, 'host', n::text, 'svc-' || own, 'production', 'node',
        'job=node', 'service=svc-' || own, 'instance=' || host || ':9100', 'severity=' || severity, 'cluster=eu-' || own %% 4,
        'namespace=old-' || own %% 40, 'team=team-' || n %% 12, 'alertname=HighLatency' || n %% 50, 'region=eu-west-1'])
FROM (SELECT *, 'old-' || n AS host FROM made) named
"""
_MEMBERS = """
INSERT INTO incident_alert (org_id, incident_id, alert_id, by, score, reason, joined_at)
SELECT %(org)s, incident_id, id, 'group', 1, 'same environment, cluster, namespace, service, within 5 min of its last alert', at FROM made
"""
_ENTRIES = """
INSERT INTO alert_entry (org_id, id, alert_id, kind, severity, starts_at) SELECT %(org)s, bench_id(at), id, 'opened', severity, at FROM made
"""
