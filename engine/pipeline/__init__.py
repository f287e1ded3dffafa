"""What happens to what was delivered, in which order?

    waiting → ingest → normalise → enrich → rules → dedup → correlate → written

One organization at a time, in one transaction, with the same number of statements whatever the size of the batch. What
cannot be understood goes to the quarantine with its reason, and the batch goes on. Applying a delivery twice is impossible:
what it does has ids made of the delivery and the place in it.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct, field

from engine.errors import AiopsError
from engine.integrations.sources import KINDS
from engine.log import logger
from engine.model.heard import Fault, Heard, Known, Memory, Policy
from engine.model.ids import entry_id, new_id
from engine.pipeline import book as books
from engine.pipeline.book import Book
from engine.pipeline.grouping import Grouping
from engine.pipeline.item import Happened, Item
from engine.stages import dedup
from engine.stages.normalise import normalise
from engine.storage import batches, remembered
from engine.storage.batches import WHOLE, Entry, Written
from engine.storage.inbox import Waiting
from engine.storage.sources import Sender
from engine.storage.work import Work

SILENCE = "aiops:silence"


class Ingested(Struct):
    """What a batch of deliveries says: alerts, signs of life by source, and what could not be understood."""

    items: list[Item] = field(default_factory=list)
    beats: dict[UUID, datetime] = field(default_factory=dict)
    faults: list[tuple[Waiting, Fault, UUID | None]] = field(default_factory=list)


def run(work: Work, deliveries: Sequence[Waiting], senders: dict[UUID, Sender]) -> tuple[Ingested, Written]:
    """Apply deliveries of one organization, the oldest first. The caller is alone with its alerts."""
    ingested = ingest(deliveries, senders)
    written = apply(work, ingested.items)
    batches.quarantine(work, ingested.faults)
    return ingested, written


def ingest(deliveries: Sequence[Waiting], senders: dict[UUID, Sender]) -> Ingested:
    """Read and normalise what was delivered."""
    found = Ingested()
    for waiting in deliveries:
        sender = senders[waiting.source_id]
        for index, heard in enumerate(read(waiting, sender)):
            if waiting.part not in (None, index) and not _is_whole(heard):
                continue
            if isinstance(heard, Fault):
                found.faults.append((waiting, heard, sender.policy.team_id))
                continue
            if heard.beat:
                found.beats[waiting.source_id] = waiting.delivery.received_at
                heard = silence(sender, firing=False)
            known = _normalised(heard, sender.policy, index)
            if isinstance(known, Fault):
                found.faults.append((waiting, known, sender.policy.team_id))
                continue
            found.items.append(Item(entry_id(waiting.id, index), sender.policy, known, waiting.delivery.received_at, waiting.repeated))
    return found


def silence(sender: Sender, *, firing: bool) -> Heard:
    """The alert that a sender of heartbeats has fallen silent, or its end."""
    title = f"No sign of life from {sender.name}"
    description = "Its heartbeat is overdue: the sender, or what is between it and us, does not work."
    return Heard(title=title, firing=firing, key=SILENCE, severity="critical", description=description, service=sender.name)


def read(waiting: Waiting, sender: Sender) -> Sequence[Heard | Fault]:
    """What a delivery says; when it cannot be read at all, one fault of the whole."""
    try:
        return KINDS[waiting.kind].read(waiting.delivery, sender.settings)
    except AiopsError as error:
        return [Fault(WHOLE, str(error))]
    except Exception as error:  # one delivery that our own code cannot read must not hold up all others
        logger().error("intake.unreadable", delivery=str(waiting.id), kind=waiting.kind, exc_info=error)
        return [Fault(WHOLE, f"A fault of ours while reading it ({type(error).__name__}); replay it after an update.")]


def _is_whole(heard: Heard | Fault) -> bool:
    return isinstance(heard, Fault) and heard.index == WHOLE


def _normalised(heard: Heard, policy: Policy, index: int) -> Known | Fault:
    try:
        return normalise(heard, policy)
    except Exception as error:  # as above: a poison alert is put aside, the batch goes on
        logger().error("intake.not_normalised", exc_info=error)
        return Fault(index, f"A fault of ours while normalising it ({type(error).__name__}); replay it after an update.")


def apply(work: Work, items: Sequence[Item]) -> Written:
    """Deduplicate and group alerts, and write what changed."""
    if not items:
        return Written()
    now = max(item.at for item in items)
    batches.begin(work)
    book = books.of(work)
    heard = _Heard(book, remembered.by_identity(work, {item.known.identity for item in items}, now))
    for item in items:
        heard.hear(item)
    grouping = Grouping(work, heard.happened, book)
    for happened in heard.happened:
        grouping.follow(happened)
    written = grouping.into(Written(heard.alerts(), heard.entries, ran=heard.ran()))
    batches.write(work, written, now)
    return written


class _Heard:
    """Rules and deduplication of a batch: alerts by identity, and what happened to each."""

    def __init__(self, book: Book, memories: dict[bytes, Memory]) -> None:
        self._book, self._memories = book, memories
        self._touched: dict[UUID, tuple[Memory, UUID, UUID | None]] = {}
        self.happened: list[Happened] = []
        self.entries: list[Entry] = []

    def hear(self, item: Item) -> None:
        known, policy = item.known, item.policy
        memory = self._memories.get(known.identity)
        if memory is not None and not dedup.is_same(memory, item.at, policy):
            memory = None
        self._book.judge(item, memory)
        if memory is None:
            if known.heard.key == SILENCE and not known.heard.firing:
                return  # a sign of life while none was missed
            memory = Memory(id=new_id(item.at), identity=known.identity, first_seen_at=item.at, last_seen_at=item.at, is_new=True)
            memory.known, memory.content = known, known.content
            self._memories[known.identity] = memory
        told = dedup.hear(memory, known, item.at, policy, item.repeated)
        self._touched.setdefault(memory.id, (memory, policy.source_id, policy.team_id))
        self.happened.append(happened := Happened(item, memory, told))
        self.entries.append(happened.entry())

    def ran(self) -> dict[UUID, int]:
        """Which rules held of how many alerts that began to fire, or said something new."""
        told = (each for each in self.happened if each.is_fresh)
        rulings = (each.item.known.ruling for each in told)
        return Counter(ran.rule_id for ruling in rulings if ruling is not None for ran in ruling.ran)

    def alerts(self) -> list[tuple[Memory, UUID, UUID | None]]:
        return list(self._touched.values())
