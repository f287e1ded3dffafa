"""What do the pages before signing in remember? What went wrong with the form, and what was typed."""

import asyncio

import reflex as rx
from pydantic import SecretStr

from engine.errors import AiopsError
from engine.identity.actor import Request
from engine.identity.cookies import FLASH, unpack
from engine.model.vocabulary import LinkKind
from engine.operations import sign_in
from state.call import actor_of, cookies, open_to_all


class FrontState(rx.State):
    """The sign-in, set-up and join pages."""

    loaded: bool = False
    fault: str = ""
    faults: dict[str, str] = {}
    typed: dict[str, str] = {}
    next_path: str = ""
    link: str = ""
    is_set_up: bool = True
    purpose: str = ""
    email: str = ""
    organization: str = ""
    has_account: bool = False
    link_fault: str = ""

    @rx.event
    @open_to_all
    async def open_sign_in(self) -> rx.event.EventSpec | None:
        """Show the sign-in page; who is signed in goes on at once."""
        self._recall("/sign-in")
        self.next_path = self.router.url.query_parameters.get("next", self.typed.get("next", ""))
        try:
            await actor_of(self)
            return rx.redirect("/")
        except AiopsError:
            self.is_set_up = await self._ask_set_up()
        self.loaded = True
        return None

    @rx.event
    @open_to_all
    async def open_set_up(self) -> None:
        """Show the set-up page."""
        self._recall("/setup")
        self.link = self.router.url.query_parameters.get("link", "")
        self.is_set_up = await self._ask_set_up()
        self.loaded = True

    @rx.event
    @open_to_all
    async def open_join(self) -> None:
        """Show what a one-time link is for."""
        self._recall("/join")
        self.link = self.router.url.query_parameters.get("link", "")
        try:
            found = await asyncio.to_thread(sign_in.read_link, self._request(), SecretStr(self.link))
            self.purpose = "password" if found.kind is LinkKind.PASSWORD else "invitation"
            self.email, self.organization, self.has_account = found.email, found.organization, found.has_account
            self.link_fault = ""
        except AiopsError as error:
            self.link_fault = str(error)
        self.loaded = True

    async def _ask_set_up(self) -> bool:
        try:
            return await asyncio.to_thread(sign_in.is_set_up, self._request())
        except AiopsError as error:
            self.fault = str(error)
            return True

    def _request(self) -> Request:
        return Request(address=self.router.session.client_ip)

    def _recall(self, page: str) -> None:
        """What the form's answer carried: nothing when it was for another page."""
        said = unpack(cookies(self).get(FLASH, ""))
        said = said if said.get("page") == page else {}
        self.fault = said.get("error", "")
        self.faults = {name.removeprefix("error_"): words for name, words in said.items() if name.startswith("error_")}
        self.typed = {name: said.get(name, "") for name in ("email", "name", "organization", "next")}
