"""People in a browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.testkit import organization
from tests.testkit.browser import Chromium, OpenTab, Tab
from tests.testkit.clock import PATIENCE
from tests.testkit.installation import Installation
from tests.testkit.organization import Company

CHROMIUM = Chromium()


@pytest.fixture
def browser() -> Browser:
    """Chromium, started once for all tests that follow one another with it."""
    return CHROMIUM.get()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """Close the browser when the next test has none."""
    if nextitem is None or "browser" not in getattr(nextitem, "fixturenames", ()):
        CHROMIUM.close()


@pytest.fixture
def tab(browser: Browser, installation: Installation) -> Iterator[OpenTab]:
    """Opens tabs, each of another person; at the end none may have complained (a policy violation, a script's error)."""
    opened: list[tuple[Tab, dict[str, object]]] = []

    def open_tab(expected: str = "", **options: object) -> Tab:
        usual = {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark", "service_workers": "block"}
        made = Tab(CHROMIUM.open(installation.url, **usual | options), installation.url)
        made.page.set_default_timeout(PATIENCE * 1000)

        def note(kind: str, words: str) -> None:
            if kind == "error" and not (expected and expected in words):
                made.complaints.append(words)

        made.page.on("console", lambda message: note(message.type, message.text))
        made.page.on("pageerror", lambda error: note("error", str(error)))
        opened.append((made, usual | options))
        return made

    yield open_tab
    complaints = [words for made, _ in opened for words in made.complaints]
    for made, options in opened:
        CHROMIUM.put_away(made.page, **options)
    assert complaints == []


@pytest.fixture(scope="session")
def company(installation: Installation) -> Company:
    """An organization of its own on the shared installation, with people of every role and a source."""
    made = organization.found(installation, "Works")
    organization.staff(made)
    return made
