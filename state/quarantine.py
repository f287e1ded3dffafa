"""What does the quarantine page remember?"""

from dataclasses import dataclass
from uuid import UUID

import reflex as rx

from engine.model.inbox import QuarantineView
from engine.model.vocabulary import Permission, QuarantineState
from engine.operations import quarantine
from state import words
from state.call import answering, call, requires, tell
from state.live import watch
from state.table import TableState

_MOST_OF_A_BODY = 50_000


@dataclass
class QuarantineRow:
    """Something that could not be understood, as a row."""

    id: str
    at: str
    source: str
    source_href: str
    kind: str
    reason: str
    part: str
    state: str
    handled: str


class QuarantinePageState(TableState, rx.State):
    """What could not be understood, and the one whose body is looked at."""

    rows: list[QuarantineRow] = []
    state: str = "waiting"
    body: str = ""
    body_reason: str = ""
    body_source: str = ""
    body_id: str = ""
    settled: int = 0

    @rx.event
    @requires(Permission.VIEW)
    async def refresh(self) -> None:
        """Read the list again."""
        await self._read()

    @rx.event
    @requires(Permission.VIEW)
    async def show_state(self, state: str) -> None:
        """Show what waits, or what was done with the rest."""
        self.state = state if state in list(QuarantineState) else "waiting"
        self._look_for("")
        await self._read()

    @rx.event
    @requires(Permission.VIEW)
    async def look(self, entry_id: str) -> None:
        """Read the body of an entry."""
        self.body = self.body_reason = ""
        found = await call(self, quarantine.show, UUID(entry_id))
        more = "\n…" if len(found.body) > _MOST_OF_A_BODY else ""
        self.body, self.body_reason = found.body[:_MOST_OF_A_BODY] + more, found.entry.reason
        self.body_source, self.body_id = f"/sources/{found.entry.source_id}", str(found.entry.id)

    @rx.event
    @requires(Permission.RESPOND)
    async def act(self, name: str, ids: list[str]) -> None:
        """Replay or discard. What is refused is put back, with the reason."""
        async with answering(self):
            done = await call(self, quarantine.replay if name == "replay" else quarantine.discard, ids[:200])
            if done.failed:
                await tell(self, "warning", f"{len(done.success)} done, {len(done.failed)} not: {done.failed[0].error}")
        await self._read()

    @rx.event
    @requires(Permission.RESPOND)
    async def replay_all(self) -> None:
        """Deliver everything that waits again, as its sources are set up now."""
        done = await call(self, quarantine.replay_all)
        more = "; there are more" if done.more else ""
        await tell(
            self, "warning" if done.failed else "good", f"{done.replayed} delivered again, {done.failed} still not understood{more}."
        )
        await self._read()

    async def _read(self) -> None:
        page = await call(self, quarantine.all, QuarantineState(self.state), page=self._paging())
        self.rows = [_row(entry) for entry in page.items]
        self._took(page, "entry")


def _row(entry: QuarantineView) -> QuarantineRow:
    return QuarantineRow(
        id=str(entry.id),
        at=words.iso(entry.received_at),
        source=entry.source or "a deleted source",
        source_href=f"/sources/{entry.source_id}",
        kind=entry.kind,
        reason=entry.reason,
        part="whole body" if entry.index is None or entry.index < 0 else f"alert {entry.index + 1} of a delivery",
        state=entry.state.value,
        handled=f"by {entry.handled_by}" if entry.handled_by else "",
    )


watch("/quarantine", QuarantinePageState.refresh, "quarantine", "source")
