"""What is remembered of alerts and incidents that a batch is about?

One statement each, whatever the size of the batch.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from engine.model.heard import Heard, Known, Memory
from engine.model.ruled import Ruling
from engine.model.vocabulary import IdentityBy, IncidentStatus, Severity
from engine.stages.correlate import OpenIncident
from engine.storage import rows
from engine.storage.work import Work

LONGEST_REFIRE = timedelta(days=1)
_SEVERITIES: dict[str | None, Severity | None] = {None: None} | {str(severity): severity for severity in Severity}
_ALERT = """id, identity, severity, status = 'firing', starts_at, ends_at, ended_at, episodes, count, deliveries, first_seen_at,
    last_seen_at, expires_at, closed_at, closed_by, changes, flapping, check_at, acknowledged_at, acknowledged_by, incident_id,
    incident_number, content, tokens, release_at"""
_INCIDENT = """id, number, title, title_team_id, title_edited, status, severity, severity_by, team_ids, everybody, group_key, grouped_by,
    environment, services, alert_count, open_by_severity, firings, acknowledged_at, acknowledged_by, opened_at, last_alert_at, resolved_at,
    resolved_by, reopened, check_at, version"""


# source, team, title, and what is remembered
Row = tuple[UUID, UUID | None, str, Memory]


def by_identity(work: Work, identities: Collection[bytes], now: datetime) -> dict[bytes, Memory]:
    """The alerts with these identities: the open one, else the one that was closed last."""
    values = {"org": work.org_id, "identities": list(identities), "since": now - LONGEST_REFIRE}
    found = rows.fetch(work, _BY_IDENTITY, values) if identities else []
    return {row[1]: memory(row) for row in found}  # the later row of an identity is the one that counts


# Two halves, so that each reads the partial index that is made for it.
_BY_IDENTITY = f"""
SELECT * FROM (
    SELECT {_ALERT} FROM alert WHERE org_id = %(org)s AND identity = ANY (%(identities)s) AND closed_at IS NULL
    UNION ALL
    SELECT {_ALERT} FROM alert WHERE org_id = %(org)s AND identity = ANY (%(identities)s) AND closed_at IS NOT NULL
        AND closed_at >= %(since)s) found
ORDER BY closed_at NULLS LAST
"""  # noqa: S608


def to_check(work: Work, now: datetime, limit: int) -> list[Row]:
    """Alerts that time may have changed: source, team, title and what is remembered."""
    found = rows.fetch(work, _TO_CHECK, {"org": work.org_id, "now": now, "limit": limit})
    return [(row[25], row[26], row[27], memory(row)) for row in found]


_TO_CHECK = f"""
SELECT {_ALERT}, source_id, team_id, title FROM alert WHERE org_id = %(org)s AND check_at <= %(now)s ORDER BY check_at LIMIT %(limit)s
"""  # noqa: S608


def alerts(work: Work, ids: Collection[UUID]) -> list[Row]:
    """Live alerts by id, as far as they may be seen: source, team, title and what is remembered."""
    found = rows.fetch(work, _ALERTS, {"org": work.org_id, "ids": list(ids)}) if ids else []
    return [(row[25], row[26], row[27], memory(row)) for row in found]


_ALERTS = f"SELECT {_ALERT}, source_id, team_id, title FROM alert WHERE org_id = %(org)s AND id = ANY (%(ids)s) ORDER BY id"  # noqa: S608


def to_release(work: Work, now: datetime, limit: int) -> list[tuple[UUID, Memory, Known]]:
    """Alerts that wait and are to be looked at again: source, what is remembered, and what they say."""
    found = rows.fetch(work, _TO_RELEASE, {"org": work.org_id, "now": now, "limit": limit})
    return [(row[25], memory(row), _known(row)) for row in found]


_SAID = "source_id, title, service, environment, resource, team, labels, fingerprint, identity_by, ruling, description, annotations"
_TO_RELEASE = f"""
SELECT {_ALERT}, {_SAID} FROM alert
WHERE org_id = %(org)s AND release_at <= %(now)s AND status = 'firing' ORDER BY release_at LIMIT %(limit)s
"""  # noqa: S608


def to_index(work: Work, after: UUID, limit: int) -> list[tuple[UUID, Memory, Known]]:
    """Firing alerts after an id, in its order: source, what is remembered, and what they say."""
    found = rows.fetch(work, _TO_INDEX, {"org": work.org_id, "after": after, "limit": limit})
    return [(row[25], memory(row), _known(row)) for row in found]


_TO_INDEX = f"""
SELECT {_ALERT}, {_SAID} FROM alert WHERE org_id = %(org)s AND status = 'firing' AND id > %(after)s ORDER BY id LIMIT %(limit)s
"""  # noqa: S608


def waits(work: Work, ids: Collection[UUID]) -> dict[UUID, tuple[list[str], dict[str, Any] | None]]:
    """Those of these alerts that inhibit or wait: their tokens, and what rules said of them."""
    found = rows.fetch(work, _WAITS, {"org": work.org_id, "ids": list(ids)}) if ids else []
    return {row[0]: (row[1], row[2]) for row in found}


_WAITS = "SELECT id, tokens, ruling FROM alert WHERE org_id = %(org)s AND id = ANY (%(ids)s) AND tokens IS NOT NULL"


def matchable(work: Work, most: int) -> list[tuple[UUID, dict[str, str | None], dict[str, str]]]:
    """The newest firing alerts, so many, with the fields and labels that silences look at."""
    found = rows.fetch(work, _MATCHABLE, {"org": work.org_id, "most": most})
    return [(row[0], dict(zip(_MATCHED, row[1:6], strict=True)), row[6]) for row in found]


_MATCHED = ("service", "environment", "resource", "team", "severity")
_MATCHABLE = f"""
SELECT id, {", ".join(_MATCHED)}, labels FROM alert WHERE org_id = %(org)s AND status = 'firing' ORDER BY id DESC LIMIT %(most)s
"""  # noqa: S608


def _known(row: tuple[Any, ...]) -> Known:
    ruling = None if row[34] is None else msgspec.convert(row[34], Ruling)
    heard = Heard(
        title=row[26],
        firing=True,
        service=row[27],
        environment=row[28],
        resource=row[29],
        team=row[30],
        labels=row[31],
        group=ruling.sender_group if ruling else "",
        description=row[35],
        annotations=row[36],
    )
    return Known(heard, row[1], IdentityBy(row[33]), row[32], _SEVERITIES[row[2]], None, row[22], ruling)


def memory(row: tuple[Any, ...]) -> Memory:
    """What is remembered, from a row of the columns above."""
    return Memory(
        id=row[0],
        identity=row[1],
        severity=_SEVERITIES[row[2]],
        firing=row[3],
        starts_at=row[4],
        ends_at=row[5],
        ended_at=row[6],
        episodes=row[7],
        count=row[8],
        deliveries=row[9],
        first_seen_at=row[10],
        last_seen_at=row[11],
        expires_at=row[12],
        closed_at=row[13],
        closed_by=row[14],
        changes=row[15],
        flapping=row[16],
        check_at=row[17],
        acknowledged_at=row[18],
        acknowledged_by=row[19],
        incident_id=row[20],
        incident_number=row[21],
        content=row[22],
        tokens=row[23] or [],
        tokens_before=row[23] or [],
        release_at=row[24],
    )


def incidents(work: Work, keys: Collection[str], ids: Collection[UUID], since: datetime) -> list[OpenIncident]:
    """Open incidents with one of these keys that had an alert since then, and incidents by id that are open or were lately."""
    values = {"org": work.org_id, "keys": list(keys), "ids": list(ids), "since": since}
    return [incident(row) for row in rows.fetch(work, _INCIDENTS, values)] if keys or ids else []


_INCIDENTS = f"""
SELECT {_INCIDENT} FROM incident
WHERE org_id = %(org)s AND group_key = ANY (%(keys)s) AND resolved_at IS NULL AND last_alert_at >= %(since)s
UNION
SELECT {_INCIDENT} FROM incident WHERE org_id = %(org)s AND id = ANY (%(ids)s)
"""  # noqa: S608


def incidents_to_check(work: Work, now: datetime, limit: int) -> list[OpenIncident]:
    """Incidents that time may have changed."""
    found = rows.fetch(work, _INCIDENTS_TO_CHECK, {"org": work.org_id, "now": now, "limit": limit})
    return [incident(row) for row in found]


_INCIDENTS_TO_CHECK = f"SELECT {_INCIDENT} FROM incident WHERE org_id = %(org)s AND check_at <= %(now)s ORDER BY check_at LIMIT %(limit)s"  # noqa: S608


def incident(row: tuple[Any, ...]) -> OpenIncident:
    """An incident, from a row of the columns above."""
    return OpenIncident(
        id=row[0],
        number=row[1],
        title=row[2],
        title_team_id=row[3],
        title_edited=row[4],
        status=IncidentStatus(row[5]),
        severity=_SEVERITIES[row[6]],
        severity_by=row[7],
        team_ids=row[8],
        everybody=row[9],
        group_key=row[10],
        grouped_by=row[11],
        environment=row[12],
        services=row[13],
        alert_count=row[14],
        open_by_severity=row[15],
        firings=row[16],
        acknowledged_at=row[17],
        acknowledged_by=row[18],
        opened_at=row[19],
        last_alert_at=row[20],
        resolved_at=row[21],
        resolved_by=row[22],
        reopened=row[23],
        check_at=row[24],
        version=row[25],
    )


def numbers(work: Work, count: int) -> Iterable[int]:
    """The organization's next incident numbers."""
    last = rows.fetch(work, _NUMBERS, {"org": work.org_id, "count": count})[0][0] if count else 0
    return range(last - count + 1, last + 1)


_NUMBERS = """
INSERT INTO incident_number (org_id, last) VALUES (%(org)s, %(count)s)
ON CONFLICT (org_id) DO UPDATE SET last = incident_number.last + excluded.last RETURNING last
"""
