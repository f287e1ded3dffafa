"""What does the audit page remember?"""

from dataclasses import dataclass

import reflex as rx

from engine.errors import NotFound
from engine.model.audit import AuditView
from engine.model.vocabulary import JobState, Outcome, Permission
from engine.operations import audit, jobs
from state.call import call, requires
from state.live import watch
from state.table import TableState


@dataclass
class AuditRow:
    """An entry as a row."""

    id: str
    seq: int
    at: str
    actor: str
    kind: str
    operation: str
    refused: bool
    times: int
    target: str
    detail: str
    address: str
    trace: str


class AuditState(TableState, rx.State):
    """The audit log and its verification."""

    rows: list[AuditRow] = []
    operations: list[str] = []
    operation: str = ""
    outcome: str = ""
    job: str = ""
    verifying: bool = False
    progress: int = 0
    note: str = ""
    verdict: str = ""
    verdict_mark: str = ""

    @rx.event
    @requires(Permission.VIEW_AUDIT)
    async def refresh(self) -> None:
        """Read the page again."""
        await self._read()
        await self._follow()

    @rx.event
    @requires(Permission.VIEW_AUDIT)
    async def search(self, words: str) -> None:
        """Look for words in actor, operation, target and address."""
        self._look_for(words)
        await self._read()

    @rx.event
    @requires(Permission.VIEW_AUDIT)
    async def only_operation(self, operation: str) -> None:
        """Show one operation, or all."""
        self.operation = operation
        self._look_for(self.words)
        await self._read()

    @rx.event
    @requires(Permission.VIEW_AUDIT)
    async def only_outcome(self, outcome: str) -> None:
        """Show what was done, what was refused, or both."""
        self.outcome = outcome
        self._look_for(self.words)
        await self._read()

    @rx.event
    @requires(Permission.VIEW_AUDIT)
    async def verify(self) -> None:
        """Have the worker walk the chain, and follow it."""
        made = await call(self, audit.request_verification)
        self.job, self.verdict, self.progress, self.note, self.verifying = str(made.id), "", 0, "waiting for a worker", True

    async def _read(self) -> None:
        outcome = Outcome(self.outcome) if self.outcome else None
        page = await call(self, audit.search, self.words, self.operation, outcome, page=self._paging())
        self.rows = [_row(entry) for entry in page.items]
        self.operations = list(await call(self, audit.operations_seen))
        self._took(page, "entry")

    async def _follow(self) -> None:
        if not self.verifying:
            return
        try:
            found = await call(self, jobs.show, self.job)
        except NotFound:
            self.verifying = False
            return
        self.progress, self.note = round(found.progress * 100), found.note
        self.verifying = found.state in (JobState.WAITING, JobState.RUNNING)
        if self.verifying:
            return
        result = found.result or {}
        self.verdict_mark = "good" if result.get("intact") else "critical"
        self.verdict = f"{result.get('checked', 0):,} entries checked, the chain is intact."
        if not result.get("intact"):
            self.verdict = str(result.get("fault") or found.error or "The verification was cancelled.")


def _row(entry: AuditView) -> AuditRow:
    return AuditRow(
        id=str(entry.id),
        seq=entry.seq,
        at=entry.at.isoformat(),
        actor=entry.actor_name,
        kind=str(entry.actor_kind),
        operation=entry.operation,
        refused=entry.outcome is Outcome.REFUSED,
        times=entry.times,
        target=entry.target,
        detail="\n".join(f"{name}: {value}" for name, value in entry.detail.items()),
        address=entry.address,
        trace=entry.trace_id,
    )


watch("/audit", AuditState.refresh, "audit", "job")
