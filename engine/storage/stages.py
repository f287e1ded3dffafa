"""How long does it take until what was delivered is grouped?"""

from bisect import bisect_left
from collections.abc import Iterable

import msgspec
from sqlalchemy import select

from engine.model.inbox import Stage
from engine.storage import rows
from engine.storage.work import Work

BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
GROUPED = "grouped"


def observe(work: Work, stage: str, seconds: Iterable[float]) -> None:
    """Count durations into the histogram of a stage: one statement, however many."""
    buckets: dict[str, int] = {}
    total, number = 0.0, 0
    for each in seconds:
        place = str(bisect_left(BOUNDS, each))
        buckets[place] = buckets.get(place, 0) + 1
        total, number = total + each, number + 1
    values = {"stage": stage, "buckets": msgspec.json.encode(buckets).decode(), "seconds": total, "count": number}
    rows.run(work, _OBSERVE, values)


_OBSERVE = """
INSERT INTO intake_stage AS s (stage, buckets, seconds, count) VALUES (%(stage)s, %(buckets)s, %(seconds)s, %(count)s)
ON CONFLICT (stage) DO UPDATE SET seconds = s.seconds + excluded.seconds, count = s.count + excluded.count, buckets = (
    SELECT jsonb_object_agg(k, coalesce((s.buckets ->> k)::bigint, 0) + coalesce((excluded.buckets ->> k)::bigint, 0))
    FROM (SELECT jsonb_object_keys(s.buckets || excluded.buckets) AS k) keys)
"""


def histogram(work: Work, stage: str) -> Stage | None:
    """The histogram of a stage; `buckets` counts by the place of the bound, the place after the last is `more`."""
    return work.session.execute(select(Stage).where(Stage.stage == stage)).scalar_one_or_none()
