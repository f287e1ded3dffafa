"""How is it proved, every minute, that alerts get through?

A proof alert takes the way of every other: into the inbox, through the pipeline, into an incident; then it ends. How long that
took is in /health and /metrics, and when it fails, a fault.
"""

import time
from datetime import timedelta
from threading import Event
from uuid import UUID

import msgspec

from engine.log import logger
from engine.model.heard import Delivery
from engine.model.ids import delivery_id
from engine.storage import inbox, proof
from engine.storage.database import Database
from engine.storage.inbox import Post
from engine.storage.work import INSTANCE, work

_LONGEST = 20.0
_LOOK_EVERY = 0.05


def prove(database: Database, ending: Event) -> None:
    """Send a proof alert, wait until it is in an incident, and end it. When the process ends meanwhile, nothing is proved."""
    with work(database, proof.TENANT) as open_work:
        source_id, at = proof.source(open_work).id, open_work.now
        name = str(delivery_id(at))
    began = time.monotonic()
    _send(database, source_id, name, "firing")
    seconds: float | None = None
    while seconds is None and time.monotonic() - began < _LONGEST:
        with work(database, proof.TENANT) as open_work:
            if proof.is_grouped(open_work, name):
                seconds = time.monotonic() - began
        if ending.wait(_LOOK_EVERY):
            return
    error = "" if seconds is not None else f"a proof alert was not grouped within {timedelta(seconds=_LONGEST).seconds} s"
    _send(database, source_id, name, "resolved")
    with work(database, proof.TENANT) as open_work:
        proof.forget_old(open_work)
    with work(database, INSTANCE) as open_work:
        proof.record(open_work, at, seconds, error)
    if error:
        logger().error("proof.failed", error=error)


def _send(database: Database, source_id: UUID, name: str, status: str) -> None:
    with work(database, proof.TENANT) as open_work:
        body = msgspec.json.encode({"id": name, "title": "Proof alert", "status": status, "severity": "info"})
        delivery = Delivery(body, {}, open_work.now)
        post = Post(delivery_id(open_work.now), proof.ORGANIZATION, None, source_id, proof.KIND, delivery, 1)
        inbox.append(open_work, [post])
