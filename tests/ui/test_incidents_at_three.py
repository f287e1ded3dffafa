"""An alert at three in the morning: it is seen, acknowledged, commented, resolved and written down, by keys and with others."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.testkit.browser import Link, OpenTab
from tests.testkit.organization import Company, row, unique

pytestmark = pytest.mark.slow


def under_the_cursor(page: Page, title: str) -> None:
    """Go down a list by j until the cursor is on that row."""
    expect(row(page, title)).to_be_visible()
    for _ in range(page.locator("main [data-row]").count()):
        page.keyboard.press("j")
        if title in page.locator("main [data-cursor]").inner_text():
            return
    raise AssertionError(f"no row says {title}")


def test_a_new_incident_is_listed_counted_and_in_the_title_without_a_reload(tab: OpenTab, company: Company) -> None:
    page = tab().bring(company.people["grace"], "/incidents")
    title = unique("Checkout is slow")
    company.incident(title)
    expect(row(page, title)).to_be_visible()
    expect(row(page, title).locator(".severity")).to_have_text("Critical")
    # Other tests' incidents may end meanwhile, or belong to a team: what grace is shown is what is true for her at that moment.
    company.until(lambda: page.locator(".sidebar a[href='/incidents'] .count").inner_text() == str(company.open_incidents("grace")))
    company.until(lambda: page.title().startswith(f"({company.open_incidents('grace')}) Incidents"))
    company.sender.fire(title, status="resolved")
    expect(row(page, title).locator(".many-of")).to_have_text("0 of 1")


def test_a_key_acknowledges_from_the_list_at_once_and_then_truly(tab: OpenTab, company: Company) -> None:
    title = unique("Queue grows")
    number = company.incident(title)["number"]
    made, link = tab(), Link()
    made.page.route_web_socket(re.compile("/_event"), link.connect)
    page = made.bring(company.people["grace"], "/incidents")
    expect(row(page, title)).to_be_visible()
    under_the_cursor(page, title)
    link.hold()
    page.keyboard.press("e")
    expect(row(page, title)).to_have_attribute("data-pending", "acknowledge")
    link.release()
    expect(row(page, title)).not_to_have_attribute("data-pending", "acknowledge")
    assert company.numbered(number)["acknowledged_by"] == company.people["grace"].name
    expect(row(page, title)).to_contain_text(company.people["grace"].name)
    expect(row(page, title).locator(".status-of")).to_have_text("Investigating")


def test_an_incident_is_worked_on_by_keys_alone_from_the_list_to_the_end(tab: OpenTab, company: Company) -> None:
    title = unique("Disk of db-1 is full")
    incident = company.incident(title)
    page = tab().bring(company.people["grace"], "/incidents")
    under_the_cursor(page, title)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(title)
    page.keyboard.press("c")
    expect(page.locator("[data-comment]")).to_be_focused()
    page.keyboard.type("Grows since the deployment; r and e are letters here.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".timeline .comment")).to_have_text("Grows since the deployment; r and e are letters here.")
    expect(page.locator("[data-comment]")).to_have_value("")
    expect(page.locator("[data-comment]")).to_be_focused()
    page.keyboard.type("restarted, and errors are gone")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".timeline .comment").last).to_have_text("restarted, and errors are gone")
    assert company.numbered(incident["number"])["resolved_at"] is None, "words that follow a comment are no acts"
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    expect(page.locator(".above .status-of")).to_have_text("Resolved")
    expect(page.locator("main")).to_contain_text("How it ended")
    assert company.numbered(incident["number"])["resolved_by"] == company.people["grace"].name
    page.keyboard.press("e")  # as whoever wanted to acknowledge it and comes late
    page.locator("main button", has_text="Reopen").focus()
    assert company.numbered(incident["number"])["resolved_at"] is not None
    page.keyboard.press("Enter")
    expect(page.locator(".above .status-of")).not_to_have_text(re.compile("Resolved|Reopened"))
    expect(page.locator("main button", has_text="Resolve").first).to_be_visible()
    assert company.numbered(incident["number"])["resolved_at"] is None
    said = [line["kind"] for line in company.ask("GET", f"/incidents/{incident['id']}/timeline")]
    assert {"comment", "resolved", "reopened"} <= set(said)


def test_how_it_was_mended_is_written_down_with_the_resolution(tab: OpenTab, company: Company) -> None:
    title = unique("Certificate ended")
    number = company.incident(title)["number"]
    page = tab().bring(company.people["grace"], f"/incidents/{number}")
    page.click("[aria-label=More]")
    page.click("text=Resolve with a cause")
    page.fill("#cause", "Nobody renewed it")
    page.fill("#resolution", "Renewed, and a timer set")
    page.click("dialog#resolve footer >> text=Resolve")
    expect(page.locator("main .card", has_text="How it ended")).to_contain_text("Nobody renewed it")
    expect(page.locator("dialog#resolve")).not_to_be_visible()
    assert company.numbered(number)["resolution"] == "Renewed, and a timer set"


def test_title_severity_and_status_are_changed_and_two_incidents_become_one(tab: OpenTab, company: Company) -> None:
    first, second = company.incident(unique("Api errors")), company.incident(unique("Api latency"))
    page = tab().bring(company.people["grace"], f"/incidents/{first['number']}")
    page.click("[aria-label=More]")
    page.click("text=Title, severity, status")
    page.fill("dialog#change #title", title := unique("The API is down"))
    page.select_option("dialog#change #severity", "warning")
    page.select_option("dialog#change #status", "mitigated")
    page.click("dialog#change footer >> text=Change")
    expect(page.locator("h1")).to_have_text(title)
    expect(page.locator(".above")).to_contain_text(re.compile("Warning.*Mitigated", re.DOTALL))
    page.click("[aria-label=More]")
    page.click("text=Merge another into this")
    page.fill("dialog#merge #number", f"#{second['number']}")
    page.click("dialog#merge footer >> text=Merge")
    expect(page.locator("main .card", has_text="Alerts").first).to_contain_text(second["title"])
    assert company.numbered(second["number"])["merged_into"] == first["id"]


def test_an_alert_is_split_off_into_an_incident_of_its_own(tab: OpenTab, company: Company) -> None:
    service = unique("shop")
    incident = company.incident(f"Errors of {service}", service=service)
    company.sender.fire(f"Latency of {service}", service=service)
    page = tab().bring(company.people["grace"], f"/incidents/{incident['number']}")
    row(page, f"Latency of {service}").locator("[data-mark]").check()
    page.click("[data-act=split]")
    expect(page.locator(".toasts")).to_contain_text(re.compile(r"1 moved into a new incident, #\d+"))
    expect(row(page, f"Latency of {service}")).to_contain_text("left")


def test_the_report_is_downloaded_as_markdown(tab: OpenTab, company: Company) -> None:
    title = unique("Memory runs out")
    number = company.incident(title)["number"]
    page = tab().bring(company.people["vera"], f"/incidents/{number}")
    page.click("[aria-label=More]")
    with page.expect_download() as downloading:
        page.click("text=Export as Markdown")
    assert downloading.value.suggested_filename.endswith(".md")
    text = downloading.value.path().read_text()
    assert text.startswith("# ") and title in text


def test_what_is_not_there_is_said_with_a_way_on(tab: OpenTab, company: Company) -> None:
    made = tab()
    page = made.bring(company.people["grace"])
    gone = {"incidents": "There is no such incident, or you may not see it.", "alerts": "There is no such alert, or you may not see it."}
    for place, words in (gone | {"sources": "There is no such source, or it was deleted."}).items():
        for what in ("999999", "nonsense", "01900000-0000-7000-8000-000000000000"):
            made.open(f"/{place}/{what}")
            expect(page.locator("main")).to_contain_text(words)
        page.click(f"main a:has-text('All {place}')")
        expect(page.locator("h1")).to_have_text(place.title())


def test_an_alert_tells_what_it_is_what_happened_and_why_and_is_acknowledged(tab: OpenTab, company: Company) -> None:
    title = unique("Pod restarts")
    company.incident(title, namespace="payments")
    alert = company.alert(title)
    page = tab().bring(company.people["grace"], f"/alerts/{alert['id']}")
    expect(page.locator("h1")).to_have_text(title)
    expect(page.locator(".tags .label", has_text="namespace")).to_have_text("namespace=payments")
    expect(page.locator(".card", has_text="History").locator("tbody tr").first).to_contain_text("fires for the first time")
    expect(page.locator(".card", has_text="Why it is what it is").locator(".reason").first).to_be_visible()
    page.click("text=Show what was delivered")
    deliveries = page.locator(".card", has_text="Deliveries, as they came")
    deliveries.locator("summary").first.click()
    expect(deliveries.locator("details[open] pre")).to_contain_text('"namespace"')
    page.keyboard.press("e")
    expect(page.locator(".above")).to_contain_text(company.people["grace"].name)
    assert company.alert(title)["acknowledged_by"] == company.people["grace"].name
    page.click(f".above a:has-text('Incident #{alert['incident']['number']}')")
    expect(page).to_have_url(re.compile(rf"/incidents/{alert['incident']['number']}$"))
