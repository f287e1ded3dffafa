"""What does the page of API tokens remember?"""

from dataclasses import dataclass
from typing import Any

import reflex as rx

from engine.model.vocabulary import Permission
from engine.operations import tokens
from state.call import call, requires, tell
from state.live import watch
from state.table import TableState


@dataclass
class TokenRow:
    """A token as a row."""

    id: str
    name: str
    hint: str
    role: str
    scopes: str
    by: str
    used_at: str
    expires_at: str


class TokensState(TableState, rx.State):
    """The list of API tokens, and the one that was just made."""

    rows: list[TokenRow] = []
    secret: str = ""
    secret_name: str = ""
    chosen: str = ""
    chosen_name: str = ""
    round: int = 0

    @rx.event
    @requires(Permission.MANAGE_TOKENS)
    async def refresh(self) -> None:
        """Read the list again."""
        await self._read()

    @rx.event
    @requires(Permission.MANAGE_TOKENS)
    async def create(self, form: dict[str, Any]) -> None:
        """Make a token; its secret is shown once."""
        days = form.get("days") or None
        made = await call(self, tokens.create, form.get("name", ""), form.get("role", ""), expires_in_days=days)
        self.secret, self.secret_name = made.secret.get_secret_value(), made.name
        await self._read()

    @rx.event
    @requires(Permission.MANAGE_TOKENS)
    async def forget_secret(self) -> None:
        """Take the secret off the page."""
        self.secret = self.secret_name = ""

    @rx.event
    @requires(Permission.MANAGE_TOKENS)
    async def choose(self, token_id: str, name: str) -> None:
        """Name the token that the dialog is about."""
        self.chosen, self.chosen_name = token_id, name

    @rx.event
    @requires(Permission.MANAGE_TOKENS)
    async def revoke(self) -> None:
        """Revoke the chosen token."""
        self.round += 1
        done = await call(self, tokens.revoke, [self.chosen])
        if done.success:
            await tell(self, "good", f"The token {self.chosen_name} is revoked.")
        await self._read()

    async def _read(self) -> None:
        page = await call(self, tokens.all, self._paging())
        self.rows = [
            TokenRow(
                id=str(t.id),
                name=t.name,
                hint=t.hint,
                role=str(t.role),
                scopes=", ".join(t.scopes),
                by=t.created_by,
                used_at=t.used_at.isoformat() if t.used_at else "",
                expires_at=t.expires_at.isoformat() if t.expires_at else "",
            )
            for t in page.items
        ]
        self._took(page, "token")


watch("/tokens", TokensState.refresh, "token")
