"""Lists with filters: what is done with many at once, what the address keeps, and rows that wait while somebody reads."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.testkit.browser import Link, OpenTab
from tests.testkit.organization import Company, listed, row, unique

pytestmark = pytest.mark.slow


@pytest.fixture
def three(company: Company) -> tuple[str, list[int]]:
    """Three incidents that share a word of their titles: the word, and their numbers, the oldest first."""
    word = unique("Herd")
    return word, [company.incident(f"{name} {word}")["number"] for name in ("First", "Second", "Third")]


def mark(page: Page, *titles: str) -> None:
    """Mark rows by a click on their boxes."""
    for title in titles:
        row(page, title).locator("[data-mark]").check()
    expect(page.locator("[data-many]")).to_have_text(str(len(titles)))


def unresolved(page: Page, title: str) -> Locator:
    """The row, unless it says that it is resolved. In a list of what is open it goes as soon as nobody reads: with its mark."""
    return row(page, title).filter(has_not_text="Resolved")


def wait_until_reading(page: Page, reading: bool = True) -> None:
    """Wait until the page has told the server that somebody reads, or that nobody does."""
    expect(page.locator("html")).to_have_attribute("data-reading", str(reading).lower())


def facet(page: Page, title: str, option: str) -> None:
    """Narrow a list by a facet."""
    page.click(f"main details.facet summary:has-text('{title}')")
    page.click(f"main details.facet[open] .option:has-text('{option}')")


def test_many_are_acknowledged_at_once(tab: OpenTab, company: Company, three: tuple[str, list[int]]) -> None:
    word, numbers = three
    page = listed(tab().bring(company.people["grace"], f"/incidents?q={word.split()[-1]}"), 3)
    expect(page.locator("main .many")).not_to_be_visible()
    page.locator("[data-mark-all]").check()
    expect(page.locator("[data-many]")).to_have_text("3")
    row(page, f"Second {word}").locator("[data-mark]").uncheck()
    page.click(".many [data-act=acknowledge]")
    expect(row(page, f"First {word}").locator(".status-of")).to_have_text("Investigating")
    expect(page.locator("main .many")).not_to_be_visible()
    by = [company.numbered(number)["acknowledged_by"] for number in numbers]
    assert by == [company.people["grace"].name, None, company.people["grace"].name]


def test_many_are_marked_by_key_assigned_and_resolved(tab: OpenTab, company: Company, three: tuple[str, list[int]]) -> None:
    word, numbers = three
    page = listed(tab().bring(company.people["grace"], f"/incidents?q={word.split()[-1]}"), 3)
    for key in "jxjx":
        page.keyboard.press(key)
    expect(page.locator("[data-many]")).to_have_text("2")
    page.click(".many >> text=Assign")
    page.click(f"dialog#assign .option:has-text('{company.people['linus'].name}')")
    expect(page.locator("dialog#assign")).not_to_be_visible()
    expect(row(page, f"Third {word}").locator(".owner-of")).to_have_text(company.people["linus"].name)
    expect(row(page, f"First {word}").locator(".owner-of")).to_have_text("nobody yet")
    page.keyboard.press("Escape")
    mark(page, f"First {word}", f"Third {word}")
    page.keyboard.press("r")
    expect(unresolved(page, f"Third {word}")).to_have_count(0)
    assert [company.numbered(number)["resolved_at"] is None for number in numbers] == [False, True, False]


def test_many_become_one(tab: OpenTab, company: Company, three: tuple[str, list[int]]) -> None:
    word, numbers = three
    page = listed(tab().bring(company.people["grace"], f"/incidents?q={word.split()[-1]}"), 3)
    mark(page, f"Second {word}", f"Third {word}")
    page.click(".many >> text=Merge")
    page.click("dialog#merge footer >> text=Merge")
    expect(page.locator(".toasts")).to_contain_text(f"1 merged into #{numbers[1]}.")
    assert company.numbered(numbers[2])["merged_into"] == company.numbered(numbers[1])["id"]


def test_filters_are_in_the_address_outlive_a_reload_and_open_for_others(tab: OpenTab, company: Company) -> None:
    service = unique("till")
    company.incident(f"Slow {service}", service=service)
    company.incident(f"Warm {service}", service=f"{service}-2", severity="warning")
    page = tab().bring(company.people["grace"], "/incidents")
    page.fill("main [type=search]", service)
    listed(page, 2)
    facet(page, "Severity", "Warning")
    listed(page, 1)
    expect(page).to_have_url(re.compile(r"severity=warning.*q=till"))
    page.reload()
    listed(page, 1)
    expect(row(page, f"Warm {service}")).to_be_visible()
    expect(page.locator("main [type=search]")).to_have_value(service)
    theirs = listed(tab().bring(company.people["vera"], page.url.removeprefix(company.installation.url)), 1)
    expect(row(theirs, f"Warm {service}")).to_be_visible()
    theirs.click("text=Clear")
    expect(theirs).to_have_url(re.compile(r"/incidents$"))
    expect(theirs.locator("main [type=search]")).to_have_value("")


def test_facets_count_and_narrow_and_widen_again(tab: OpenTab, company: Company) -> None:
    service = unique("depot")
    company.incident(f"Gate {service}", service=service)
    page = tab().bring(company.people["vera"], f"/alerts?service={service}")
    listed(page, 1)
    page.click("main details.facet summary:has-text('Service')")
    chosen = page.locator("main details.facet[open] .option.on")
    expect(chosen).to_have_text(re.compile(rf"{service}\s*1"))
    chosen.click()
    expect(page).not_to_have_url(re.compile("service="))
    expect(page.locator("main tbody tr").nth(1)).to_be_visible()


def test_alerts_are_narrowed_by_matchers_and_a_wrong_one_is_said(tab: OpenTab, company: Company) -> None:
    zone = unique("zone").replace(" ", "-")
    company.incident(unique("Fan stands still"), zone=zone)
    page = tab().bring(company.people["vera"], "/alerts")
    page.fill("[aria-label='Label matchers']", f'zone="{zone}"')
    page.keyboard.press("Enter")
    listed(page, 1)
    page.fill("[aria-label='Label matchers']", "zone=~(")
    page.keyboard.press("Enter")
    expect(page.locator("main .banner.warning")).to_be_visible()


def test_a_view_is_kept_and_used_again(tab: OpenTab, company: Company) -> None:
    service = unique("harbour")
    company.incident(f"Fog {service}", service=service)
    made = tab()
    page = made.bring(company.people["grace"], f"/incidents?q={service}")
    page.click("main summary:has-text('Views')")
    page.fill("[aria-label='Name of the view']", "The harbour")
    page.click("main details[open] >> text=Keep")
    expect(page.locator("main [data-view='The harbour']")).to_be_visible()
    made.open("/incidents")
    page.click("main summary:has-text('Views')")
    page.click("main [data-view='The harbour']")
    listed(page, 1)
    expect(page).to_have_url(re.compile("q=harbour"))
    page.click("main summary:has-text('Views')")
    page.click("[aria-label='Forget this view']")
    expect(page.locator("main [data-view='The harbour']")).to_have_count(0)
    page.reload()
    page.click("main summary:has-text('Views')")
    expect(page.locator("[aria-label='Name of the view']")).to_be_visible()
    expect(page.locator("main .view")).to_have_count(0)


def test_a_list_is_sorted_by_its_columns_both_ways(tab: OpenTab, company: Company, three: tuple[str, list[int]]) -> None:
    word, numbers = three
    page = listed(tab().bring(company.people["vera"], f"/incidents?q={word.split()[-1]}"), 3)
    head = page.locator("th", has_text="#")
    for sort, expected in (("ascending", numbers), ("descending", numbers[::-1])):
        head.locator("button").click()
        expect(head).to_have_attribute("aria-sort", sort)
        expect(page.locator(".number-of")).to_have_text([str(number) for number in expected])
    expect(page).to_have_url(re.compile("sort=-number"))


def test_new_rows_wait_while_somebody_reads(tab: OpenTab, company: Company) -> None:
    company.incident(old := unique("Old news"))
    page = tab().bring(company.people["grace"], "/incidents")
    expect(row(page, old)).to_be_visible()
    pill = page.locator("main .pill button")
    for reads in (row(page, old).hover, lambda: page.keyboard.press("j"), lambda: mark(page, old)):
        page.mouse.move(0, 0)
        page.keyboard.press("Escape")
        wait_until_reading(page, False)
        reads()
        wait_until_reading(page)
        company.incident(new := unique("Fresh news"))
        expect(pill).to_have_text(re.compile(r"1\s*new"))
        expect(row(page, new)).to_have_count(0)
        pill.click()
        expect(row(page, new)).to_be_visible()
        expect(pill).to_have_count(0)


def test_new_rows_wait_while_the_list_is_scrolled(tab: OpenTab, company: Company) -> None:
    company.incident(old := unique("Deep down"))
    page = tab(viewport={"width": 1440, "height": 320}).bring(company.people["vera"], "/incidents")
    expect(row(page, old)).to_be_visible()
    page.evaluate("window.scrollTo(0, 200)")
    wait_until_reading(page)
    company.incident(new := unique("On top"))
    page.click("main .pill button")
    expect(row(page, new)).to_be_in_viewport()


def test_who_reads_on_after_asking_for_new_rows_is_not_disturbed_either(tab: OpenTab, company: Company) -> None:
    company.incident(old := unique("Read closely"))
    page = tab().bring(company.people["vera"], "/incidents")
    expect(row(page, old)).to_be_visible()
    page.keyboard.press("j")
    for title in (unique("One more"), unique("And another")):
        wait_until_reading(page)
        company.incident(title)
        expect(row(page, title)).to_have_count(0)
        page.click("main .pill button")
        expect(row(page, title)).to_be_visible()


def test_who_stops_reading_gets_what_waited(tab: OpenTab, company: Company) -> None:
    company.incident(calm := unique("Calm"))
    page = tab().bring(company.people["vera"], "/incidents")
    expect(row(page, calm)).to_be_visible()
    page.keyboard.press("j")
    wait_until_reading(page)
    company.incident(new := unique("Storm"))
    expect(page.locator("main .pill button")).to_be_visible()
    page.keyboard.press("Escape")
    expect(row(page, new)).to_be_visible()


def test_what_is_marked_while_an_act_is_answered_stays_marked(tab: OpenTab, company: Company, three: tuple[str, list[int]]) -> None:
    word, numbers = three
    made, link = tab(), Link()
    made.page.route_web_socket(re.compile("/_event"), link.connect)
    page = listed(made.bring(company.people["grace"], f"/incidents?q={word.split()[-1]}"), 3)
    link.hold()
    mark(page, f"First {word}")
    page.keyboard.press("e")
    expect(row(page, f"First {word}")).to_have_attribute("data-pending", "acknowledge")
    row(page, f"Second {word}").locator("[data-mark]").check()
    link.release()
    expect(row(page, f"First {word}")).not_to_have_attribute("data-pending", "acknowledge")
    expect(row(page, f"First {word}").locator("[data-mark]")).not_to_be_checked()
    expect(row(page, f"Second {word}").locator("[data-mark]")).to_be_checked()
    page.keyboard.press("r")
    expect(unresolved(page, f"Second {word}")).to_have_count(0)
    assert [company.numbered(number)["resolved_at"] is None for number in numbers] == [True, False, True]


def test_titles_have_room_at_every_width(tab: OpenTab, company: Company) -> None:
    company.incident(unique("Payments fail for more and more customers"))
    made = tab()
    page = made.bring(company.people["grace"])
    for path in ("/", "/incidents", "/alerts"):
        made.open(path)
        expect(page.locator("main tbody .title-of").first).to_be_visible()
        for width in (768, 961, 1101, 1200, 1281, 1441):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.locator("main tbody .title-of").first.evaluate("(cell) => cell.clientWidth") > 150, f"{path} at {width}"
