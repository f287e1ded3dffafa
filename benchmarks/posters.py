"""Who posts while things are killed, and remembers what was promised?

Several connections, each posting bodies of 1 to 20 alerts: new ones, ones that fire again, and ones that end. What is not answered
with a 2xx counts as not acknowledged, and is mostly sent again word for word, as Alertmanager does.
"""

import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from benchmarks.findings import Alert, Body, Record

SEVERITIES = ("critical", "error", "warning", "info", "")
_MOST_TRIES = 6


class Bodies:
    """Bodies of one connection, each recognisable: its alerts, new or known, bear its number."""

    def __init__(self, connection: int, chance: random.Random) -> None:
        self._connection, self._random = connection, chance
        self._alerts = self._posts = 0
        self._began = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)

    def next(self) -> Body:
        """The next body."""
        self._posts += 1
        made = [self._alert() for _ in range(self._random.choice((1, 1, 2, 5, 10, 20)))]
        group = {"version": "4", "status": "firing", "receiver": "webhook", "groupLabels": {}, "alerts": [said for said, _ in made]}
        return Body(json.dumps(group).encode(), tuple(alert for _, alert in made))

    def _alert(self) -> tuple[dict[str, Any], Alert]:
        known = self._alerts > 0 and self._random.random() < 0.4
        number = self._random.randrange(max(0, self._alerts - 200), self._alerts) if known else self._alerts
        self._alerts += not known
        mark = f"{self._connection:02x}{number:014x}"
        # Starts are whole seconds apart, so that an alert has few of them, and some are heard twice.
        starts_at = self._began + timedelta(seconds=60 * self._random.randrange(6))
        ends_at = starts_at + timedelta(seconds=30) if known and self._random.random() < 0.4 else None
        severity = SEVERITIES[(number + starts_at.minute) % len(SEVERITIES)]
        labels = {"alertname": f"Chaos{number % 30}", "service": f"svc-{number % 40}", "cluster": f"eu-{number % 3}", "instance": mark}
        said = {
            "status": "resolved" if ends_at else "firing",
            "labels": labels | ({"severity": severity} if severity else {}),
            "annotations": {"summary": f"{mark} in post {self._connection}-{self._posts}"},
            "startsAt": starts_at.isoformat(),
            "endsAt": ends_at.isoformat() if ends_at else "0001-01-01T00:00:00Z",
            "fingerprint": mark,
        }
        return said, Alert(mark, starts_at, ends_at)


@dataclass
class Posters:
    """Connections that post until they are told to stop."""

    url: str
    secret: str
    seed: int
    record: Record
    connections: int = 6
    pause: float = 0.03
    answers: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    stopping: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, connection: int) -> None:
        """Post over one connection."""
        chance = random.Random(self.seed * 1000 + connection)
        bodies = Bodies(connection, chance)
        with httpx.Client(timeout=20, headers={"Authorization": f"Bearer {self.secret}"}, trust_env=False) as client:
            while not self.stopping:
                body = bodies.next()
                with self._lock:
                    self.record.sent[body.digest] = body.alerts
                self._deliver(client, body, chance)
                time.sleep(chance.uniform(0, 2 * self.pause))

    def _deliver(self, client: httpx.Client, body: Body, chance: random.Random) -> None:
        """Send a body until it is acknowledged, or, sometimes, given up; a few are sent again although they were."""
        for _ in range(_MOST_TRIES):
            acknowledged = self._post(client, body)
            if self.stopping or chance.random() < (0.95 if acknowledged else 0.15):
                return
            if not acknowledged:
                time.sleep(chance.uniform(0.05, 0.6))

    def _post(self, client: httpx.Client, body: Body) -> bool:
        try:
            answer = client.post(self.url, content=body.content, headers={"Content-Type": "application/json"})
        except httpx.HTTPError as error:
            self._count(type(error).__name__)
            return False
        self._count(str(answer.status_code))
        if answer.status_code == 202:
            return self._promised(answer.json(), body)
        if answer.status_code < 500:
            self._fault(f"answered {answer.status_code}: {answer.text[:300]}")
        elif answer.status_code == 503 and "Retry-After" not in answer.headers:
            self._fault(f"answered 503 without Retry-After: {answer.text[:300]}")
        return False

    def _promised(self, said: dict[str, Any], body: Body) -> bool:
        if said["accepted"] != len(body.alerts) or said["rejected"]:
            self._fault(f"accepted {said['accepted']} of {len(body.alerts)} alerts: {said['rejected']}")
        with self._lock:
            if UUID(said["delivery"]) in self.record.acknowledged:
                self.faults.append(f"the delivery {said['delivery']} was acknowledged twice")
            self.record.acknowledged[UUID(said["delivery"])] = body.digest
        return True

    def _count(self, answer: str) -> None:
        with self._lock:
            self.answers[answer] += 1

    def _fault(self, said: str) -> None:
        with self._lock:
            self.faults.append(said)
