"""Silences in a browser: in two clicks, for a maintenance, again and again."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.testkit.browser import PHONE, OpenTab
from tests.testkit.organization import Company, row, unique

pytestmark = pytest.mark.slow


def silence(company: Company, service: str, comment: str, **more: str) -> str:
    """A silence of a service from a minute ago for an hour, unless told otherwise. Returns its id."""
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    times = {"starts": (now - timedelta(minutes=1)).isoformat(), "ends": (now + timedelta(hours=1)).isoformat()}
    spec = {"matchers": [{"name": "service", "value": service}], "comment": comment} | times | more
    return company.ask("POST", "/silences", spec=spec)["id"]


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_an_alert_is_silenced_in_two_clicks(tab: OpenTab, company: Company, size: str) -> None:
    company.incident(title := unique("Noisy"), service=unique("noisy"))
    options = {"viewport": PHONE, "has_touch": True} if size == "phone" else {}
    page = tab(**options).bring(company.people["grace"], f"/alerts/{company.alert(title)['id']}")
    page.click("main summary:has-text('Silence')")
    page.click("text=For 2 hours")
    expect(page.locator("main .banner.suggested")).to_contain_text(f"Silenced: “{title}” for 2 h, until")
    page.goto(f"{company.installation.url}/alerts?q={title.split()[-1]}")
    expect(row(page, title)).to_contain_text("silenced")
    page.goto(f"{company.installation.url}/silences")
    expect(row(page, title)).to_contain_text("In force")


def test_what_is_silenced_opens_its_incident_when_the_silence_is_ended(tab: OpenTab, company: Company) -> None:
    silence(company, service := unique("quiet"), comment := unique("Maintenance"))
    assert company.sender is not None
    company.sender.fire(title := unique("Held back"), service=service)
    assert company.alert(title)["incident"] is None
    watching = tab().bring(company.people["linus"], "/incidents")
    page = tab().bring(company.people["grace"], "/silences")
    expect(row(page, comment)).to_contain_text("In force")
    row(page, comment).locator("button:text-is('End')").click()
    expect(row(page, comment)).to_have_count(0)
    expect(row(watching, title)).to_be_visible()
    page.click("text=Over")
    row(page, comment).locator("a:has-text('Again')").click()
    expect(page.locator("#matchers")).to_have_value(f'service="{service}"')


def test_a_silence_says_what_it_would_mean_while_it_is_written(tab: OpenTab, company: Company) -> None:
    company.incident(title := unique("Slow"), service=(service := unique("payment")))
    page = tab().bring(company.people["grace"], "/silences/new")
    page.fill("#matchers", f'service="{service}"')
    page.fill("#comment", comment := unique("Backups"))
    means = page.locator(".card", has_text="What it means")
    expect(means).to_contain_text("Would keep 1 of what fires now quiet.")
    expect(means).to_contain_text(title)
    page.fill("#matchers", 'service="')
    expect(page.locator("#matchers-fault")).to_contain_text("Write name=")
    page.fill("#matchers", f'service="{service}"')
    page.select_option("#repeats", "FREQ=WEEKLY")
    expect(page.locator(".card", has_text="Its next times").locator("li")).to_have_count(5)
    page.click("text=Keep the silence")
    expect(row(page, comment)).to_contain_text("every week")
    page.click(".tabs >> text=Calendar")
    expect(page.locator(".entry", has_text=comment).first).to_be_visible()
    page.click("text=Week")
    expect(page.locator(".day-of")).to_have_count(7)
    expect(page).to_have_url(re.compile(r"view=week&at=\d{4}-\d\d-\d\d"))
    page.click("[aria-label=After]")
    expect(page.locator(".entry", has_text=comment).first).to_be_visible()
    page.locator(".entry", has_text=comment).first.click()
    expect(page.locator("h1")).to_have_text(comment)


def test_a_silence_is_made_longer_and_ended_before_others_eyes(tab: OpenTab, company: Company) -> None:
    id = silence(company, unique("search"), comment := unique("Reindexing"))
    before = datetime.fromisoformat(company.ask("GET", f"/silences/{id}")["ends_at"])
    other = tab().bring(company.people["vera"], "/silences")
    page = tab().bring(company.people["grace"], "/silences")
    row(page, comment).locator("[aria-label='One day longer']").click()
    company.until(lambda: datetime.fromisoformat(company.ask("GET", f"/silences/{id}")["ends_at"]) == before + timedelta(days=1))
    expect(row(other, comment).locator("button")).to_have_count(0)
    page.goto(f"{company.installation.url}/silences/{id}")
    page.click("text=End it now")
    page.click("dialog[open] button:text-is('End it')")
    expect(row(other, comment)).to_have_count(0)


def test_a_recurring_silence_tells_its_zone_and_keeps_its_text(tab: OpenTab, company: Company) -> None:
    more = {"starts": "2026-01-04T03:00:00", "ends": "2026-01-04T05:00:00", "zone": "Europe/Berlin", "rule": "FREQ=WEEKLY;BYDAY=SU"}
    id = silence(company, unique("db"), comment := unique("Weekly"), **more)
    page = tab().bring(company.people["grace"], f"/silences/{id}")
    expect(page.locator("#zone")).to_have_value("Europe/Berlin")
    expect(page.locator("#starts")).to_have_value("2026-01-04T03:00")
    page.fill("#comment", renamed := comment + " renamed")
    page.click("text=Keep the silence")
    expect(row(page, renamed)).to_contain_text("every week on Su")
    spec = company.ask("GET", f"/silences/{id}")["spec"]
    assert {name: spec[name] for name in more} == more
