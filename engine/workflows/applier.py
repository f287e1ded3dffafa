"""How does a worker apply what was delivered?

A thread of its own takes the lanes that are due: one organization at a time, batch after batch, each in one transaction. It
holds the lane by a lease with a fence; a worker that lost it learns so at its next batch, and writes nothing.
"""

import gc
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from uuid import UUID

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from engine import pipeline
from engine.errors import LostLease
from engine.log import logger, trace_id
from engine.model.heard import Fault
from engine.model.ids import time_of
from engine.model.vocabulary import AlertEntryKind
from engine.pipeline import upkeep
from engine.storage import batches, inbox, lanes, sources, stages, tallies
from engine.storage.batches import Written
from engine.storage.database import Database
from engine.storage.inbox import Waiting
from engine.storage.lanes import CHECK, INBOX, Held
from engine.storage.sources import Sender
from engine.storage.tallies import Tally
from engine.storage.work import Tenant, Work, work

_TICK = 0.5
_APART = 0.1  # seconds between the begins of two batches
_FIRINGS = (AlertEntryKind.OPENED, AlertEntryKind.REFIRED)
_OURS = "A fault of ours while applying it; replay it after an update."
_TURN = 2.0  # seconds of one organization while others wait
_CHECK_NEXT = "SELECT min(check_at) FROM (SELECT min(check_at) AS check_at FROM alert WHERE org_id = :org AND check_at IS NOT NULL \
UNION ALL SELECT min(release_at) FROM alert WHERE org_id = :org AND release_at IS NOT NULL AND status = 'firing' \
UNION ALL SELECT min(check_at) FROM incident WHERE org_id = :org AND check_at IS NOT NULL \
UNION ALL SELECT now() FROM decided WHERE org_id = :org AND indexed_to IS NOT NULL \
UNION ALL SELECT min(beat_due_at) FROM source WHERE org_id = :org AND beat_due_at IS NOT NULL AND NOT paused AND deleted_at IS NULL) due"
_INBOX_NEXT = "SELECT now() FROM pending WHERE org_id = :org LIMIT 1"


@dataclass
class Applier:
    """Applies deliveries, and what time changes. `owner` names this worker in leases."""

    database: Database
    owner: str
    _stopping: bool = False
    _wake: SimpleQueue[None] = field(default_factory=SimpleQueue)

    def start(self) -> threading.Thread:
        """Begin in a thread of its own."""
        # A batch makes many small objects that die with it, and no cycles: looking for those so often costs a tenth of the time.
        gc.freeze()
        gc.set_threshold(100_000, 20, 20)
        thread = threading.Thread(target=self.run, name="intake", daemon=True)
        thread.start()
        return thread

    def wake(self) -> None:
        """Look at once."""
        self._wake.put(None)

    def stop(self) -> None:
        """End after the batch in hand."""
        self._stopping = True
        self._wake.put(None)

    def run(self) -> None:
        """Work until `stop`. A database that goes away is waited for."""
        while not self._stopping:
            began = time.monotonic()
            try:
                again = self.round()
            except (DBAPIError, psycopg.Error) as error:
                again = False
                logger().error("intake.round_failed", error=type(error).__name__)
            except Exception as error:  # the supervisor's place: whatever a round met, the next one begins
                again = False
                logger().error("intake.round_failed", error=type(error).__name__, exc_info=error)
            if not again:
                self._rest(max(0.05, _TICK - (time.monotonic() - began)))

    def round(self) -> bool:
        """Give each organization with work a turn. Returns whether there is more."""
        more = False
        for kind, turn in ((INBOX, self._deliveries), (CHECK, self._check)):
            with work(self.database, Tenant()) as open_work:
                due = lanes.due(open_work, kind)
            for org_id in due:
                if self._stopping:
                    return False
                more = self._turn(org_id, kind, turn) or more
        return more

    def _rest(self, seconds: float) -> None:
        with suppress(Empty):
            self._wake.get(timeout=seconds)
            while True:
                self._wake.get_nowait()

    def _turn(self, org_id: UUID, kind: str, step: Callable[[Tenant, Held], bool]) -> bool:
        tenant = Tenant(org_id, all_teams=True, instance=True)
        with work(self.database, tenant) as open_work:
            held = lanes.hold(open_work, kind, self.owner)
        if held is None:
            return False
        began, more = time.monotonic(), True
        try:
            while more and not self._stopping and time.monotonic() - began < _TURN:
                at = time.monotonic()
                more = step(tenant, held)
                # What comes in a steady stream is gathered: a batch of one costs nearly as much as a batch of hundreds.
                time.sleep(max(0.0, _APART - (time.monotonic() - at)) if more else 0)
        except LostLease:
            logger().warning("intake.lost", organization=str(org_id), lane=kind)
            return False
        with work(self.database, tenant) as open_work:
            lanes.rest(open_work, held, _INBOX_NEXT if kind == INBOX else _CHECK_NEXT)
        return more

    def _deliveries(self, tenant: Tenant, held: Held) -> bool:
        """Apply one batch. Returns whether there was one."""
        with work(self.database, tenant) as open_work:
            lanes.enter(open_work, held)
            waiting = inbox.waiting(open_work)
        if not waiting:
            return False
        self._apply(tenant, held, waiting)
        return True

    def _apply(self, tenant: Tenant, held: Held, waiting: Sequence[Waiting]) -> None:
        """Apply deliveries; when the database refuses a value of theirs, halve until the one that holds it is found."""
        try:
            with work(self.database, tenant) as open_work:
                lanes.enter(open_work, held)
                lanes.renew(open_work, held)
                apply(open_work, waiting)
        except Exception as error:  # a workflow step: what one delivery brings about must not hold up all others
            if not _is_its_own(error):
                raise
            if len(waiting) > 1:
                half = len(waiting) // 2
                self._apply(tenant, held, waiting[:half])
                self._apply(tenant, held, waiting[half:])
                return
            logger().error("intake.refused", delivery=str(waiting[0].id), exc_info=error)
            with work(self.database, tenant) as open_work:
                lanes.enter(open_work, held)
                put_aside(
                    open_work,
                    waiting[0],
                    "The database refuses a value in it; replay it after an update." if isinstance(error, psycopg.Error) else _OURS,
                )

    def _check(self, tenant: Tenant, held: Held) -> bool:
        """Let time do its part: one set of what is due. Returns whether there may be more."""
        with work(self.database, tenant) as open_work:
            lanes.enter(open_work, held)
            lanes.renew(open_work, held)
            done = upkeep.check(open_work, open_work.now)
            upkeep.announce(open_work, done.written)
        return done.more


def apply(work: Work, waiting: Sequence[Waiting]) -> None:
    """Apply a batch, and everything that is to be noted about it."""
    trace_id.set(str(waiting[0].id))
    senders = sources.senders(work, {each.source_id for each in waiting})
    if late := [each.id for each in waiting if (sender := senders.get(each.source_id)) and sender.dropped]:
        inbox.drop(work, late)  # the web process had let them in before it heard of the removal
        waiting = [each for each in waiting if each.id not in late]
        if not waiting:
            return
    ingested, written = pipeline.run(work, waiting, senders)
    inbox.applied(work, [each.id for each in waiting])
    tallies.count(work, _tallies(waiting, ingested, written, senders))
    sources.beat(work, {id: (at, senders[id].settings.beat_wait()) for id, at in ingested.beats.items()})
    stages.observe(work, stages.GROUPED, _waited(waiting))
    if ingested.beats:
        lanes.bring_forward(work, CHECK, min(at + senders[id].settings.beat_wait() for id, at in ingested.beats.items()))
    upkeep.announce(work, written)
    if ingested.faults:
        work.touch("quarantine")
    work.touch("delivery")


def put_aside(work: Work, waiting: Waiting, reason: str) -> None:
    """Quarantine a whole delivery."""
    fault = (waiting, Fault(batches.WHOLE, reason), None)
    batches.quarantine(work, [fault])
    inbox.applied(work, [waiting.id])
    sender = sources.senders(work, {waiting.source_id})
    tallies.count(work, _tallies([waiting], pipeline.Ingested(faults=[fault]), Written(), sender))
    work.touch("quarantine")


def _is_its_own(error: Exception) -> bool:
    """Whether a failure comes from what was delivered, and not from a lost lease or a database that is away."""
    if isinstance(error, psycopg.OperationalError):
        return isinstance(error, psycopg.errors.ProgramLimitExceeded)  # such as a value too long for an index
    return not isinstance(error, LostLease | DBAPIError | PoolTimeout | psycopg.InterfaceError)


def _waited(waiting: Sequence[Waiting]) -> list[float]:
    """How long each delivery has waited until now, in seconds; one that is replayed, since then."""
    now = datetime.now(UTC)
    return [(now - time_of(each.id)).total_seconds() for each in waiting]


def _tallies(
    waiting: Sequence[Waiting], ingested: pipeline.Ingested, written: Written, senders: Mapping[UUID, Sender]
) -> dict[UUID, Tally]:
    source_of = {memory.id: source_id for memory, source_id, _ in written.alerts}
    fired = Counter(source_of[entry.alert_id] for entry in written.entries if entry.kind in _FIRINGS)
    heard = Counter(item.policy.source_id for item in ingested.items)
    found: dict[UUID, Tally] = {}
    for source_id in {each.source_id for each in waiting}:
        mine = [each for each in waiting if each.source_id == source_id]
        faults = [fault.reason for each, fault, _ in ingested.faults if each.source_id == source_id]
        waited, sender = _waited(mine), senders.get(source_id)
        found[source_id] = Tally(
            team_id=sender.policy.team_id if sender else None,
            deliveries=len(mine),
            alerts=heard[source_id],
            firings=fired[source_id],
            quarantined=len(faults),
            waited=sum(waited),
            slowest=max(waited),
            last_seen_at=max(each.delivery.received_at for each in mine),
            last_failure=faults[-1] if faults else "",
        )
    return found
