"""How long does a list of a million alerts take, at its begin and deep inside?

A page is asked for by a cursor of ours, made as the API makes them: the sorted-by values of the last row before it.
"""

import base64
import json
import time
from typing import Any

import httpx

from benchmarks.measured import Measured
from engine.storage.paging import _encoded

PAGES = (1, 100, 10_000)
_LIMIT = 50
_PATH = f"/api/v1/alerts?status=firing&limit={_LIMIT}"
# What the list is sorted by, as far as its cursors tell: one value, or the severity and then the id.
_BEFORE = {
    1: "SELECT id FROM alert WHERE org_id = %s AND status = 'firing' ORDER BY id {way} OFFSET %s LIMIT 1",
    2: "SELECT severity_rank, id FROM alert WHERE org_id = %s AND status = 'firing' "
    "ORDER BY severity_rank {way}, id {way} OFFSET %s LIMIT 1",
}


def measure(on: Measured, requests: int) -> dict[str, Any]:
    """Ask for each page so often. Returns the milliseconds of each."""
    with httpx.Client(base_url=on.installed.url, headers={"Authorization": f"Bearer {on.token}"}, timeout=60, trust_env=False) as client:
        cursors = _cursors(on, client)
        return {f"page_{page}": _timed(client, cursors[page], requests) for page in PAGES if page in cursors}


def _cursors(on: Measured, client: httpx.Client) -> dict[int, str]:
    """A cursor for each page that is there, the way of sorting told by the first answer."""
    first = _page(client, "")
    given: str = first["pagination"]["next_cursor"] or ""
    if not given:
        return {1: ""}
    *values, total = json.loads(base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)))
    for way in ("DESC", "ASC"):
        statement = _BEFORE[len(values)].format(way=way)
        with on.db() as db:
            found = {page: db.execute(statement, (on.org_id, (page - 1) * _LIMIT - 1)).fetchone() for page in (2, *PAGES[1:])}
        if found[2] is not None and _encoded(tuple(found[2]), total) == given:
            return {1: ""} | {page: _encoded(tuple(row), total) for page, row in found.items() if row is not None}
    raise RuntimeError(f"the list is sorted by something else than expected: {values}")


def _page(client: httpx.Client, cursor: str) -> dict[str, Any]:
    answer = client.get(_PATH + (f"&cursor={cursor}" if cursor else ""))
    answer.raise_for_status()
    return answer.json()


def _timed(client: httpx.Client, cursor: str, requests: int) -> dict[str, float]:
    waits = []
    for _ in range(requests):
        began = time.perf_counter()
        _page(client, cursor)
        waits.append(1000 * (time.perf_counter() - began))
    waits.sort()
    last = len(waits) - 1
    return {f"p{p}_ms": round(waits[min(last, p * len(waits) // 100)], 2) for p in (50, 99)}
