"""What is typed: it outlives a dead server and what others do, and is gone when it was sent or given up."""

import pytest
from playwright.sync_api import Page, expect

from tests.testkit.browser import OpenTab, Tab
from tests.testkit.installation import Installation
from tests.testkit.organization import Company, unique

pytestmark = pytest.mark.slow


def killed(made: Tab, installation: Installation) -> Page:
    """The page, after the web process was killed under it and came back."""
    installation.children()["web"].kill()
    expect(made.page.locator(".offline")).to_be_visible()
    installation.until(lambda: installation.health().get("status") == "ok")
    expect(made.page.locator(".offline")).to_have_count(0)
    made.outlived_a_kill()
    return made.page


def resolving(page: Page) -> Page:
    """The dialog that asks for a cause."""
    page.click("summary[aria-label=More]")
    page.click("text=Resolve with a cause")
    expect(page.locator("#cause")).to_be_visible()
    return page


def test_a_dialog_stays_open_with_what_was_typed_when_the_server_dies(tab: OpenTab, company: Company, installation: Installation) -> None:
    incident = company.incident(unique("Half told"))
    made = tab()
    page = resolving(made.bring(company.people["grace"], f"/incidents/{incident['number']}"))
    page.fill("#cause", "a full disk")
    killed(made, installation)
    expect(page.locator("h1")).to_have_text(incident["title"])
    expect(page.locator("#cause")).to_be_visible()
    expect(page.locator("#cause")).to_have_value("a full disk")
    page.fill("#resolution", "a bigger one")
    page.click("dialog[open] button[type=submit]")
    expect(page.locator("main")).to_contain_text("a bigger one")
    assert company.numbered(incident["number"])["cause"] == "a full disk"


def test_the_form_of_a_new_source_is_as_it_was_when_the_server_dies(tab: OpenTab, company: Company, installation: Installation) -> None:
    made = tab()
    page = made.bring(company.people["olive"], "/sources/new")
    page.click(".kind:has-text('Generic JSON')")
    page.fill("#name", "Night watch")
    page.select_option("#auth", "signature")
    page.fill("#signature_header", "X-Hub-Signature")
    killed(made, installation)
    expect(page.locator("#name")).to_have_value("Night watch")
    expect(page.locator("#auth")).to_have_value("signature")
    expect(page.locator("#signature_header")).to_have_value("X-Hub-Signature")


def test_a_dialog_that_is_left_forgets_what_was_typed(tab: OpenTab, company: Company) -> None:
    number = company.incident(unique("Given up"))["number"]
    page = resolving(tab().bring(company.people["grace"], f"/incidents/{number}"))
    page.fill("#cause", "no idea")
    page.keyboard.press("Escape")
    expect(page.locator("#cause")).not_to_be_visible()
    expect(resolving(page).locator("#cause")).to_have_value("")


def test_a_title_is_typed_in_peace_while_others_change_the_incident(tab: OpenTab, company: Company) -> None:
    incident = company.incident(unique("Restless"))
    page = tab().bring(company.people["grace"], f"/incidents/{incident['number']}")
    page.click("summary[aria-label=More]")
    page.click("text=Title, severity, status")
    page.fill("#title", "What it really is")
    company.ask("PATCH", f"/incidents/{incident['id']}", severity="info")
    expect(page.locator(".above .severity")).to_have_text("Info")
    expect(page.locator("#title")).to_have_value("What it really is")
    page.click("dialog[open] button[type=submit]")
    expect(page.locator("h1")).to_have_text("What it really is")


def test_a_comment_waits_for_its_writer_and_is_gone_once_sent(tab: OpenTab, company: Company) -> None:
    number = company.incident(unique("Half a thought"))["number"]
    made = tab()
    page = made.bring(company.people["grace"], f"/incidents/{number}")
    page.fill("[data-comment]", "it began with")
    page.click(".sidebar [href='/incidents']")
    expect(page.locator("h1")).to_have_text("Incidents")
    page.go_back()
    expect(page.locator("[data-comment]")).to_have_value("it began with")
    page.click("[aria-label='Send the comment']")
    expect(page.locator(".timeline .comment")).to_have_text("it began with")
    expect(page.locator("[data-comment]")).to_have_value("")
    page.click(".sidebar [href='/incidents']")
    expect(page.locator("h1")).to_have_text("Incidents")
    page.go_back()
    expect(page.locator("[data-comment]")).to_have_value("")
