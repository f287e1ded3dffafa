"""The first minutes of an organization: from an empty dashboard to the first alert, and the demonstration before it."""

import re
import subprocess
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.testkit import organization
from tests.testkit.browser import OpenTab
from tests.testkit.installation import Installation
from tests.testkit.organization import Company

pytestmark = pytest.mark.slow


@pytest.fixture
def empty(installation: Installation) -> Company:
    """An organization of which there is nothing yet but Olive, its owner."""
    return organization.found(installation, f"Fresh {uuid4().hex[:6]}")


def pasted(page: Page, where: str) -> str:
    """What the page of a source says to paste there."""
    return page.locator(".stack", has=page.locator(f"h3:text-is('{where}')")).last.locator("pre").inner_text()


def test_the_owner_is_led_from_nothing_to_the_first_alert(tab: OpenTab, empty: Company) -> None:
    made = tab()
    page = made.bring(empty.people["olive"])
    expect(page.locator("main")).to_contain_text("First steps")
    page.click("main >> text=Add a source")
    page.click(".kind:has-text('Alertmanager')")
    page.fill("#new-source #name", "Our Alertmanager")
    page.click("text=Add the source")
    expect(page).to_have_url(re.compile(r"/sources/[0-9a-f-]{36}$"))
    expect(page.locator("h1")).to_have_text("Our Alertmanager")
    expect(page.locator(".banner.waits")).to_contain_text("Waiting for the first alert.")
    secret = page.locator("[aria-label=Secret]").input_value()
    assert secret.startswith("aio_") and secret in pasted(page, "alertmanager.yml")
    line = pasted(page, "Or try it from a shell")
    answer = subprocess.run(
        ["bash", "-c", line.replace("curl -sS", "curl -sS --fail-with-body")], capture_output=True, text=True, timeout=30
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    expect(page.locator(".banner.good")).to_contain_text("The first alert is here: DiskFull")
    expect(page.locator(".card", has_text="Live deliveries").locator("details")).to_have_count(1)
    page.click("text=I have kept it")
    expect(page.locator("[aria-label=Secret]")).to_have_count(0)
    page.click("text=Look at it")
    expect(page.locator("h1")).to_have_text("db: DiskFull")
    page.go_back()
    expect(page.locator("h1")).to_have_text("Our Alertmanager")
    page.reload()
    expect(page.locator("main .facts").first).to_contain_text("Deliveries")
    assert secret not in page.content()
    made.open("/")
    expect(page.locator("main .listing")).to_contain_text("DiskFull")


def test_who_may_not_configure_is_told_who_does(tab: OpenTab, empty: Company) -> None:
    organization.join(empty, "vera")
    page = tab().bring(empty.people["vera"])
    expect(page.locator("main")).to_contain_text("Somebody who may configure adds the first source.")
    expect(page.locator("main .card", has_text="First steps").locator("text=Add a source")).to_have_count(0)


def test_the_demonstration_is_watched_and_removed(tab: OpenTab, empty: Company) -> None:
    made = tab()
    page = made.bring(empty.people["olive"])
    expect(page.locator("text=Watch the demonstration")).to_be_visible()
    empty.ask("POST", "/demo", speed=20)
    expect(page.locator("main .banner.suggested")).to_contain_text("The demonstration is here")
    expect(page.locator("main .listing [data-row]").first).to_be_visible()
    page.click("main .banner.suggested >> text=Remove it")
    page.click("main .banner.suggested >> text=Remove it")
    page.click("dialog#remove-demo footer >> text=Remove")
    expect(page.locator(".toasts")).to_contain_text(re.compile(r"The demonstration is removed: \d+ alerts, \d+ incidents\."))
    expect(page.locator("main")).to_contain_text("Nothing sends alerts here yet.")
    made.open("/incidents")
    expect(page.locator("main")).to_contain_text("Nothing is open. All is quiet.")
