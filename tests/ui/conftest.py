"""A browser, and people in it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.installation import PASSWORD, Installation
from tests.ui import working
from tests.ui.working import Company, Person

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


OpenTab = Callable[..., Tab]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, once."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


@pytest.fixture
def tab(browser: Browser, installation: Installation) -> Iterator[OpenTab]:
    """Opens tabs, each of another person; at the end none may have complained (a policy violation, a script's error)."""
    opened: list[Tab] = []

    def open_tab(expected: str = "", **options: object) -> Tab:
        usual = {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark", "service_workers": "block"}
        context = browser.new_context(**usual | options)
        made = Tab(context.new_page(), installation.url)
        made.page.set_default_timeout(10_000)

        def note(kind: str, words: str) -> None:
            if kind == "error" and not (expected and expected in words):
                made.complaints.append(words)

        made.page.on("console", lambda message: note(message.type, message.text))
        made.page.on("pageerror", lambda error: note("error", str(error)))
        opened.append(made)
        return made

    yield open_tab
    complaints = [words for made in opened for words in made.complaints]
    for made in opened:
        made.page.context.close()
    assert complaints == []


@pytest.fixture(scope="session")
def company(installation: Installation) -> Company:
    """An organization of its own on the shared installation, with people of every role and a source."""
    made = working.found(installation, "Works")
    working.staff(made)
    return made
