"""The phone beside the bed: nothing is wider than it, and what is done now is under the thumb."""

import pytest
from playwright.sync_api import Page, expect

from tests.testkit.browser import PHONE, OpenTab
from tests.testkit.organization import Company, loaded, unique

pytestmark = pytest.mark.slow
LONG = "node-exporter.monitoring.svc.cluster-eu-central-1.acme-production.internal:9100/metrics"


@pytest.fixture
def phone(tab: OpenTab) -> OpenTab:
    """Opens phones."""
    return lambda **more: tab(viewport=PHONE, has_touch=True, is_mobile=True, **more)


def wider(page: Page) -> list[str]:
    """What makes the page wider than the phone."""
    if page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]:
        return []
    far = f"[...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().right > {PHONE['width']} + 1)"
    return ["wider", *page.evaluate(f"{far}.map((e) => e.tagName + '.' + e.className).slice(0, 5)")]


def test_no_page_is_wider_than_a_phone(phone: OpenTab, company: Company) -> None:
    title = unique("A long name of what is wrong, as senders write it with everything they know")
    number = company.incident(title, service=LONG, instance=LONG, namespace=title)["number"]
    sender = company.source(unique("A source with a name that goes on"))
    sender.post(b"rubbish" * 40)
    places = ["/", "/incidents", f"/incidents/{number}", "/alerts", f"/alerts/{company.alert(title)['id']}", "/sources"]
    places += ["/sources/new?kind=generic", f"/sources/{sender.id}", "/quarantine", "/settings", "/people", "/teams", "/tokens"]
    places += ["/audit", "/profile", "/system", "/incidents/999999"]
    made = phone()
    page = made.bring(company.people["olive"])
    found: dict[str, list[str]] = {}
    for place in places:
        made.open(place)
        found[place] = wider(page) if loaded(page) else ["it never loads"]
    assert {place: what for place, what in found.items() if what} == {}


def test_it_is_acknowledged_by_two_taps_from_a_link(phone: OpenTab, company: Company) -> None:
    title = unique("Wakes you up")
    number = company.incident(title)["number"]
    made = phone()
    made.page.context.add_cookies(company.people["grace"].cookies)
    made.page.goto(f"{company.installation.url}/{number}")  # the first tap, on the short link
    expect(made.page.locator("h1")).to_have_text(title)
    act = made.page.locator("main .head [data-act=acknowledge]")
    box = act.bounding_box()
    assert box is not None and box["height"] >= 44, "a thumb hits it"
    assert box["y"] + box["height"] > PHONE["height"] - 90 and box["y"] + box["height"] <= PHONE["height"], "it is in the bar at the bottom"
    act.tap()
    expect(made.page.locator(".above .status-of")).to_have_text("Investigating")
    assert company.numbered(number)["acknowledged_by"] == company.people["grace"].name


def test_the_bar_stays_at_the_bottom_and_its_menu_opens_above_it(phone: OpenTab, company: Company) -> None:
    number = company.incident(unique("Bar"))["number"]
    page = phone().bring(company.people["grace"], f"/incidents/{number}")
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    expect(page.locator("[data-act=acknowledge]")).to_be_in_viewport()
    page.locator("[aria-label=More]").tap()
    menu = page.locator(".head .facet .options").bounding_box()
    assert menu is not None and menu["x"] >= 0 and menu["x"] + menu["width"] <= PHONE["width"]
    assert menu["y"] >= 0 and menu["y"] + menu["height"] <= PHONE["height"]
    page.locator("text=Title, severity, status").tap()
    expect(page.locator("dialog#change")).to_be_in_viewport()


def test_the_sidebar_is_behind_a_button(phone: OpenTab, company: Company) -> None:
    page = phone().bring(company.people["grace"])
    expect(page.locator(".sidebar")).not_to_be_visible()
    page.locator("[aria-label=Menu]").tap()
    page.locator(".sidebar >> text=Incidents").tap()
    expect(page.locator("h1")).to_have_text("Incidents")
    expect(page.locator(".sidebar")).not_to_be_visible()


def test_the_incidents_seen_last_can_be_read_without_a_connection(phone: OpenTab, company: Company) -> None:
    title = unique("Down in the cellar")
    incident = company.incident(title)
    made = phone(service_workers="allow", expected="ERR_INTERNET_DISCONNECTED")
    page = made.bring(company.people["grace"], f"/incidents/{incident['number']}")
    expect(page.locator("h1")).to_have_text(title)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.context.set_offline(True)
    page.goto(f"{company.installation.url}/incidents")
    expect(page.locator("#seen li", has_text=title)).to_contain_text(f"#{incident['number']}")
    expect(page.locator("#seen li", has_text=title)).to_contain_text("Detected")
    page.context.set_offline(False)
    expect(page.locator("h1")).to_have_text("Incidents")
    made.complaints[:] = [words for words in made.complaints if "WebSocket" not in words]
