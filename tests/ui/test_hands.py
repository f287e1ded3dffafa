"""Hands on keys: the palette, the help, and where each key leads."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.testkit.browser import OpenTab
from tests.testkit.organization import Company, listed, row, unique

pytestmark = pytest.mark.slow
# The keyboard's clock goes on by so many milliseconds.
LATER = """(ms) => {
  const real = Object.getOwnPropertyDescriptor(Event.prototype, "timeStamp").get;
  Object.defineProperty(Event.prototype, "timeStamp", { configurable: true, get() { return real.call(this) + ms; } });
}"""


@pytest.fixture
def page(tab: OpenTab, company: Company) -> Page:
    """Grace, an operator, on the dashboard, which is live."""
    opened = tab().bring(company.people["grace"])
    expect(opened.locator(".topbar .live")).to_have_text("live")
    return opened


def palette(page: Page, words: str) -> None:
    """Open the palette and type."""
    page.keyboard.press("Control+k")
    expect(page.locator(".palette input")).to_be_focused()
    page.keyboard.type(words)


def test_keys_work_from_the_first_moment_on(tab: OpenTab, company: Company) -> None:
    company.incident(unique("Early bird"))
    made = tab()
    made.page.context.add_cookies(company.people["grace"].cookies)
    made.page.goto(f"{company.installation.url}/incidents")
    made.page.wait_for_selector("main [data-row]")
    made.page.keyboard.press("j")
    expect(made.page.locator("main [data-row]").first).to_have_attribute("data-cursor", "")


def test_the_palette_leads_to_a_page_by_a_few_letters(page: Page) -> None:
    palette(page, "quar")
    expect(page.locator(".palette [aria-selected=true]")).to_contain_text("Quarantine")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Quarantine")
    expect(page.locator(".palette")).not_to_be_visible()


def test_the_palette_leads_to_an_incident_by_its_number_and_by_words(page: Page, company: Company) -> None:
    title = unique("Kraken wakes")
    number = company.incident(title)["number"]
    palette(page, f"#{number}")
    expect(page.locator(".palette [aria-selected=true]")).to_contain_text(f"Incident #{number}")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(title)
    page.keyboard.press("g")
    page.keyboard.press("d")
    expect(page.locator("h1")).to_have_text("Today")
    palette(page, title)
    page.locator(".palette li", has_text=f"#{number} {title}").click()
    expect(page).to_have_url(re.compile(rf"/incidents/{number}$"))


def test_the_palette_offers_the_acts_of_the_page_by_name(page: Page, company: Company) -> None:
    title = unique("Leviathan")
    number = company.incident(title)["number"]
    page.goto(f"{company.installation.url}/incidents/{number}")
    expect(page.locator("h1")).to_have_text(title)
    palette(page, "acknow")
    line = page.locator(".palette [aria-selected=true]")
    expect(line).to_contain_text(re.compile("^Acknowledge"))
    expect(line.locator("kbd")).to_have_text("e")
    page.keyboard.press("Enter")
    expect(page.locator(".above .status-of")).to_have_text("Investigating")


def test_the_palette_is_walked_by_arrows_and_left_by_escape(page: Page) -> None:
    page.click(".topbar .jump")
    first = page.locator(".palette li").first
    expect(first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    expect(page.locator(".palette li").last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page.locator(".palette")).not_to_be_visible()
    expect(page.locator("h1")).to_have_text("Today")
    palette(page, "zzzzzz")
    expect(page.locator(".palette")).to_contain_text("Nothing fits these words.")
    page.keyboard.press("Control+k")
    expect(page.locator(".palette")).not_to_be_visible()


def test_the_palette_offers_only_pages_that_the_role_shows(tab: OpenTab, company: Company) -> None:
    page = tab().bring(company.people["vera"])
    palette(page, "audit")
    expect(page.locator(".palette li", has_text=re.compile("^Audit"))).to_have_count(0)


def test_a_question_mark_shows_the_keys(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_contain_text("acknowledge")
    page.keyboard.press("g")
    page.keyboard.press("i")
    expect(page.locator("h1")).to_have_text("Today")
    page.keyboard.press("Escape")
    expect(page.locator("dialog#keys")).not_to_be_visible()


def test_g_and_a_letter_go_to_a_page(page: Page, company: Company) -> None:
    for letter, path in {"i": "/incidents", "a": "/alerts", "o": "/sources", "q": "/quarantine", ",": "/settings", "d": "/"}.items():
        page.keyboard.press("g")
        page.keyboard.press(letter)
        expect(page).to_have_url(company.installation.url + path)


def test_a_letter_long_after_g_means_itself(tab: OpenTab, company: Company) -> None:
    company.incident(title := unique("Long after"))
    page = tab().bring(company.people["grace"], "/incidents")
    expect(row(page, title)).to_be_visible()
    page.keyboard.press("g")
    page.evaluate(LATER, 2100)
    page.keyboard.press("i")
    page.keyboard.press("j")
    expect(page.locator("main [data-cursor]")).to_have_count(1)


def test_a_slash_leads_to_the_search_of_the_list_where_keys_are_letters(tab: OpenTab, company: Company) -> None:
    title = unique("Jackal jex")
    number = company.incident(title)["number"]
    page = tab().bring(company.people["grace"], "/incidents")
    expect(row(page, title)).to_be_visible()
    page.keyboard.press("/")
    search = page.locator("main [type=search]")
    expect(search).to_be_focused()
    page.keyboard.type(title)
    expect(search).to_have_value(title)
    listed(page, 1)
    page.keyboard.type("?gi")
    expect(page.locator("dialog#keys")).not_to_be_visible()
    expect(page).to_have_url(re.compile("/incidents"))
    expect(page.locator("main [data-cursor]")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(search).not_to_be_focused()
    assert company.numbered(number)["acknowledged_by"] is None, "an e in a word acknowledges nothing"


def test_the_cursor_goes_down_and_up_and_is_left_by_escape(tab: OpenTab, company: Company) -> None:
    company.incident(unique("Upper")), company.incident(unique("Lower"))
    page = tab().bring(company.people["grace"], "/incidents")
    rows = page.locator("main [data-row]")
    expect(rows.nth(1)).to_be_visible()
    for key, place in (("j", 0), ("j", 1), ("k", 0), ("k", 0)):
        page.keyboard.press(key)
        expect(rows.nth(place)).to_have_attribute("data-cursor", "")
    expect(page.locator("main [data-cursor]")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("main [data-cursor]")).to_have_count(0)


def test_the_first_tab_skips_to_the_content(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    page.keyboard.press("Enter")
    expect(page.locator("main#content")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("main :focus")).to_be_visible()


def test_a_new_source_is_one_key_away(tab: OpenTab, company: Company) -> None:
    page = tab().bring(company.people["adam"], "/sources")
    expect(page.locator("main a", has_text="Add a source")).to_be_visible()
    page.keyboard.press("n")
    expect(page.locator("h1")).to_have_text("Add a source")


def test_an_open_menu_closes_when_somebody_presses_elsewhere_or_leaves(tab: OpenTab, company: Company) -> None:
    company.incident(unique("Menu"))
    page = tab().bring(company.people["grace"], "/incidents")
    menu = page.locator("main details.facet", has_text="Severity")
    menu.locator("summary").click()
    expect(menu.locator(".options")).to_be_visible()
    page.locator("h1").click()
    expect(menu.locator(".options")).not_to_be_visible()
    menu.locator("summary").click()
    expect(menu.locator(".options")).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu.locator(".options")).not_to_be_visible()


def test_the_theme_is_changed_and_kept(page: Page) -> None:
    expect(page.locator("html")).to_have_class(re.compile("dark"))
    page.click("[aria-label='Light or dark']")
    expect(page.locator("html")).to_have_class(re.compile("light"))
    page.reload()
    expect(page.locator("html")).to_have_class(re.compile("light"))
