"""A browser, and tabs in it as people have them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, WebSocketRoute, expect, sync_playwright

from tests.testkit.clock import PATIENCE
from tests.testkit.installation import PASSWORD
from tests.testkit.organization import Person

# Nothing waits for so long but what will never be.
expect.set_options(timeout=PATIENCE * 1000)

CHROMIUM = "/usr/bin/chromium"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync"]
CUT = ("WebSocket", "ERR_CONNECTION", "ERR_CONTENT_LENGTH_MISMATCH")  # what a kill does to whatever is under way
PHONE = {"width": 390, "height": 844}


@dataclass
class Tab:
    """A page in a browser profile of its own, and what its console complained of."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def sign_in(self, email: str, password: str = PASSWORD, path: str = "/sign-in") -> "Tab":
        """Sign in by the form, as a person does."""
        self.page.goto(self.url + path)
        self.page.fill("#email", email)
        self.page.fill("#password", password)
        self.page.click("button[type=submit]")
        self.page.wait_for_selector(".sidebar .end >> text=Sign out", state="attached")
        return self

    def bring(self, person: Person, path: str = "/") -> Page:
        """Open a page as somebody who signed in before."""
        self.page.context.add_cookies(person.cookies)
        self.open(path)
        self.page.wait_for_selector(".topbar .live:has-text('live')")
        return self.page

    def open(self, path: str) -> Page:
        """Go to a page and wait for its heading."""
        self.page.goto(self.url + path)
        self.page.wait_for_selector("h1")
        return self.page

    def outlived_a_kill(self) -> None:
        """Take back what the console said of connections and downloads that the kill of a process has cut."""
        self.complaints = [words for words in self.complaints if not any(sign in words for sign in CUT)]


@dataclass
class Link:
    """A page's connection to its server, on which the server's answers can be held back: `page.route_web_socket(…, link.connect)`."""

    page: WebSocketRoute | None = None
    held: list[str | bytes] | None = None

    def connect(self, page: WebSocketRoute) -> None:
        """Take the page's socket, and hand on what either side says."""
        self.page = page
        page.connect_to_server().on_message(self._answer)

    def hold(self) -> None:
        """Hold back what the server says from now on."""
        self.held = []

    def release(self) -> None:
        """Hand on what was held back, and everything after it at once."""
        assert self.page is not None and self.held is not None
        for message in self.held:
            self.page.send(message)
        self.held = None

    def _answer(self, message: str | bytes) -> None:
        assert self.page is not None
        if self.held is None:
            self.page.send(message)
        else:
            self.held.append(message)


OpenTab = Callable[..., Tab]


@dataclass
class Chromium:
    """Started when a tab is first asked for. Closed before other tests: while it runs, its event loop is in the way of theirs."""

    playwright: Playwright | None = None
    browser: Browser | None = None
    _spare: dict[str, list[BrowserContext]] = field(default_factory=dict)

    def get(self) -> Browser:
        """The one that runs."""
        if self.browser is None:
            self.playwright = sync_playwright().start()
            self.browser = self.playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        return self.browser

    def open(self, url: str, **options: Any) -> Page:
        """A page in a profile in which nobody was ever at `url`, with these options; `put_away` closes it.

        A profile that was put away is used again, emptied but for the scripts that it has fetched and compiled: that is most of
        what the first page in a fresh one costs.
        """
        browser, spare = self.get(), self._spare.get(repr(sorted(options.items())))
        context = spare.pop() if spare else browser.new_context(**options)
        page = context.new_page()
        devtools = context.new_cdp_session(page)
        devtools.send(
            "Storage.clearDataForOrigin", {"origin": url, "storageTypes": "local_storage,indexeddb,service_workers,cache_storage"}
        )
        devtools.detach()
        return page

    def put_away(self, page: Page, **options: Any) -> None:
        """Close everything in the page's profile, and keep it for who asks for one with the same options."""
        context = page.context
        for each in context.pages:
            each.close()
        context.clear_cookies()
        context.unroute_all()
        context.set_offline(False)
        self._spare.setdefault(repr(sorted(options.items())), []).append(context)

    def close(self) -> None:
        """End it, until somebody asks again."""
        self._spare.clear()
        if self.browser is not None and self.playwright is not None:
            self.browser.close()
            self.playwright.stop()
        self.playwright = self.browser = None
