"""Several people at one incident: who sees what of whom, who may act, and whose eyes it is not for."""

import pytest
from playwright.sync_api import expect

from tests.testkit.browser import OpenTab
from tests.testkit.installation import Installation
from tests.testkit.organization import Company, row, unique

pytestmark = pytest.mark.slow
# What somebody does who knows how the page calls the server, but has no button for it.
CALL = """(id) => {
  const forged = document.createElement("button");
  forged.setAttribute("data-act", "acknowledge");
  forged.setAttribute("data-id", id);
  document.querySelector("main").append(forged);
  forged.click();
}"""


def test_two_see_each_other_and_what_the_other_does(tab: OpenTab, company: Company) -> None:
    number = company.incident(unique("Payments fail"))["number"]
    grace = tab().bring(company.people["grace"], f"/incidents/{number}")
    linus = tab(color_scheme="light").bring(company.people["linus"], f"/incidents/{number}")
    expect(grace.locator(".above")).to_contain_text(f"{company.people['linus'].name} looks too")
    expect(linus.locator(".above")).to_contain_text(f"{company.people['grace'].name} looks too")
    grace.keyboard.press("e")
    expect(linus.locator(".above .status-of")).to_have_text("Investigating")
    expect(linus.locator("[data-act=acknowledge]")).to_have_count(0)
    linus.fill("[data-comment]", "I look at the gateway")
    linus.click("[aria-label='Send the comment']")
    expect(grace.locator(".timeline .comment")).to_have_text("I look at the gateway")
    expect(grace.locator(".timeline li", has_text="I look at the gateway")).to_contain_text(company.people["linus"].name)
    linus.goto(f"{company.installation.url}/incidents")
    expect(grace.locator(".above")).not_to_contain_text("looks too")


def test_what_is_typed_stays_while_others_write(tab: OpenTab, company: Company) -> None:
    number = company.incident(unique("Search is empty"))["number"]
    grace = tab().bring(company.people["grace"], f"/incidents/{number}")
    grace.fill("[data-comment]", "half a senten")
    linus = tab().bring(company.people["linus"], f"/incidents/{number}")
    linus.fill("[data-comment]", "Mine first")
    linus.click("[aria-label='Send the comment']")
    expect(grace.locator(".timeline .comment")).to_have_text("Mine first")
    expect(grace.locator("[data-comment]")).to_have_value("half a senten")


def test_a_viewer_sees_no_acts_and_is_refused_when_calling_them(tab: OpenTab, company: Company) -> None:
    title = unique("Index is stale")
    incident = company.incident(title)
    vera = company.people["vera"]
    page = tab().bring(vera, f"/incidents/{incident['number']}")
    expect(page.locator("h1")).to_have_text(title)
    expect(page.locator("[data-act]")).to_have_count(0)
    expect(page.locator("[data-comment]")).to_have_count(0)
    page.keyboard.press("e")
    page.evaluate(CALL, incident["id"])
    expect(page.locator(".toasts")).to_contain_text("Your role does not allow this.")
    page = tab().bring(vera, "/incidents")
    expect(row(page, title)).to_be_visible()
    expect(page.locator("[data-act]")).to_have_count(0)
    page.evaluate(CALL, incident["id"])
    expect(page.locator(".toasts")).to_contain_text("Your role does not allow this")
    assert company.numbered(incident["number"])["acknowledged_by"] is None


@pytest.mark.parametrize(("who", "acts", "adds"), [("vera", False, False), ("grace", True, False), ("adam", True, True)])
def test_each_role_has_the_acts_that_are_its_own(tab: OpenTab, company: Company, who: str, acts: bool, adds: bool) -> None:
    number = company.incident(unique("Cache misses"))["number"]
    made = tab()
    page = made.bring(company.people[who], f"/incidents/{number}")
    expect(page.locator("main button", has_text="Acknowledge")).to_have_count(int(acts))
    made.open("/sources")
    expect(page.locator("tbody")).to_contain_text("Alertmanager")
    expect(page.locator("main a", has_text="Add a source")).to_have_count(int(adds))
    made.open("/sources/new")
    refused = page.locator("main", has_text="Your role does not show this page.")
    expect(page.locator(".kind").first if adds else refused).to_be_visible()
    made.open(f"/sources/{company.sender.id}")
    expect(page.locator("main button", has_text="Send a test")).to_have_count(int(acts))
    expect(page.locator("main button", has_text="Rotate")).to_have_count(int(adds))


def test_the_incident_of_another_team_shows_nothing_of_itself(tab: OpenTab, company: Company) -> None:
    team = company.ask("POST", "/teams", name=unique("Vault"))
    sender = company.source(unique("Vault sender"), team_id=team["id"])
    title = unique("Goldfinger")
    incident = company.incident(title, sender)
    made = tab()
    page = made.bring(company.people["grace"], f"/incidents/{incident['number']}")
    expect(page.locator("main")).to_contain_text("There is no such incident, or you may not see it.")
    assert title not in page.content() and title not in page.title()
    made.open("/incidents")
    page.fill("main [type=search]", title)
    expect(page.locator("main")).to_contain_text("No incident fits these filters.")
    page.keyboard.press("Control+k")
    page.keyboard.type(title)
    expect(page.locator(".palette")).to_contain_text("Nothing fits these words.")
    company.ask("PUT", f"/teams/{team['id']}/members/{company.people['linus'].id}", role="operator")
    page = tab().bring(company.people["linus"], f"/incidents/{incident['number']}")
    expect(page.locator("h1")).to_have_text(title)


def test_an_incident_page_recovers_when_the_web_process_is_killed(tab: OpenTab, company: Company, installation: Installation) -> None:
    number = company.incident(unique("Web process dies"))["number"]
    made = tab()
    page = made.bring(company.people["grace"], f"/incidents/{number}")
    page.fill("[data-comment]", "typed before the crash")
    installation.children()["web"].kill()
    expect(page.locator(".offline")).to_be_visible()
    installation.until(lambda: installation.health().get("status") == "ok")
    expect(page.locator(".offline")).to_have_count(0)
    company.ask("POST", f"/incidents/{company.numbered(number)['id']}/comments", text="After the crash")
    expect(page.locator(".timeline .comment")).to_have_text("After the crash")
    expect(page.locator("[data-comment]")).to_have_value("typed before the crash")
    page.click("[aria-label='Send the comment']")
    expect(page.locator(".timeline .comment").last).to_have_text("typed before the crash")
    made.outlived_a_kill()
