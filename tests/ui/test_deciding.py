"""What operators decide about alerts: rules, enrichment, imports, written and tried in a browser."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.testkit import organization
from tests.testkit.browser import OpenTab
from tests.testkit.installation import Installation
from tests.testkit.organization import Company, row, unique

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def company(installation: Installation) -> Company:
    """An organization of its own: what is decided here holds of every alert."""
    made = organization.found(installation, unique("Deciding"))
    organization.staff(made)
    return made


def rule(company: Company, **more: Any) -> dict[str, Any]:
    """A rule that holds of nothing, unless told otherwise."""
    spec = {"name": unique("Rule"), "when": {"field": "service", "value": unique("nobody")}, "then": {"severity": "info"}} | more
    return company.ask("POST", "/rules", spec=spec)


def order(company: Company) -> list[str]:
    """The rules in the order in which they are asked."""
    return [each["name"] for each in company.ask("GET", "/rules")]


def keep(page: Page, words: str = "Keep the rule") -> None:
    """Press the button that keeps what was written, and see that it was; what is new is shown at its own address then."""
    page.click(f"text={words}")
    expect(page.locator(".toasts")).to_contain_text("is kept")
    expect(page).not_to_have_url(re.compile("/new"))


def test_a_rule_is_written_by_clicking_and_answers_while_it_is_written(tab: OpenTab, company: Company) -> None:
    service, name = unique("checkout"), unique("Calm")
    company.incident(unique("Slow"), service=service)
    page = tab().bring(company.people["adam"], "/rules/new")
    page.fill("#name", name)
    page.fill("[aria-label=Value]", service)
    expect(page.locator("main")).to_contain_text(re.compile(r"Holds of 1 of [\d,]+ alerts"))
    page.select_option("#severity", "warning")
    expect(page.locator("main")).to_contain_text("would change severity of 1")
    page.click("text=+ Compare a field")
    page.locator("[aria-label=Field]").nth(1).fill("title")
    page.locator("[aria-label=Comparison]").nth(1).select_option("like")
    page.locator("[aria-label=Value]").nth(1).fill("Nothing*")
    expect(page.locator("main")).to_contain_text("Holds of 0 of")
    page.select_option("[aria-label='How the parts go together']", "any")
    expect(page.locator("main")).to_contain_text("Holds of 1 of")
    keep(page)
    expect(page.locator("h1")).to_have_text(name)
    assert company.sender is not None
    company.sender.fire(again := unique("Slow"), service=service)
    assert company.alert(again)["severity"] == "warning"
    page.goto(f"{company.installation.url}/rules")
    expect(row(page, name)).to_contain_text(f"service is {service} or title is like Nothing*")
    expect(row(page, name)).to_contain_text("severity warning")


def test_the_text_of_a_condition_and_its_rows_say_the_same(tab: OpenTab, company: Company) -> None:
    made = rule(company)
    page = tab().bring(company.people["adam"], f"/rules/{made['id']}")
    page.fill("#when", '{"any": [{"field": "title", "op": "in", "value": ["a", "b"]}, {"not": {"field": "service", "value": "x"}}]}')
    expect(page.locator("[aria-label=Value]")).to_have_value("a, b")
    expect(page.locator(".part.other")).to_contain_text('"not"')
    page.fill("[aria-label=Value]", "a, b, c")
    expect(page.locator("#when")).to_have_value(re.compile(r'"c"'))
    page.fill("#when", "{")
    expect(page.locator(".builder")).to_contain_text("the rows come back when it is")
    page.fill("#when", '{"logic": {"==": [{"var": "labels.job"}, "node"]}}')
    page.fill("[aria-label='JSON Logic']", '{"!=": [{"var": "labels.job"}, "node"]}')
    keep(page)
    assert company.ask("GET", f"/rules/{made['id']}")["spec"]["when"] == {"logic": {"!=": [{"var": "labels.job"}, "node"]}}


def test_what_is_wrong_is_said_at_its_field(tab: OpenTab, company: Company) -> None:
    page = tab().bring(company.people["adam"], "/rules/new")
    page.fill("#name", unique("Wrong"))
    page.fill("#when", '{"field": "title", "op": "=~", "value": "("}')
    page.click("text=Keep the rule")
    expect(page.locator(".builder .fault")).to_contain_text("This is no regular expression")


def test_a_rule_is_tried_with_the_alert_it_is_written_for(tab: OpenTab, company: Company) -> None:
    service = unique("search")
    company.incident(title := unique("Full"), service=service)
    page = tab().bring(company.people["adam"], f"/alerts/{company.alert(title)['id']}")
    page.click("text=Write a rule")
    tried = page.locator(".card", has_text="Try it with an alert")
    expect(tried).to_contain_text("holds")
    expect(tried.locator(".trace")).to_contain_text(f"service = {service}")
    page.locator("[aria-label=Value]").first.fill("another")
    expect(tried).to_contain_text("does not hold")
    company.incident(other := unique("Other"), service="another")
    page.fill("#words", other)
    tried.locator("button:text-is('Try it')").click()
    expect(tried).to_contain_text(other)
    page.fill("#words", unique("nothing"))
    page.keyboard.press("Enter")
    expect(tried.locator(".fault")).to_contain_text("No alert has these words.")


def test_the_past_is_asked_with_progress_and_a_picture(tab: OpenTab, company: Company) -> None:
    company.incident(unique("Past"), service=(service := unique("past")))
    page = tab().bring(company.people["adam"], f"/rules/{rule(company, when={'field': 'service', 'value': service})['id']}")
    page.click("text=Ask the past")
    dry = page.locator(".card", has=page.locator("h2:text-is('Dry run')"))
    expect(dry).to_contain_text(re.compile(r"Holds of 1 of [\d,]+ alerts"))
    expect(dry.locator(".bars .held").first).to_be_attached()
    dry.locator("summary").click()
    expect(dry.locator("tbody tr").first).to_be_visible()


def test_rules_change_places_by_drag_and_by_key_and_others_see_it(tab: OpenTab, company: Company) -> None:
    names = [rule(company)["name"] for _ in range(3)]
    other = tab().bring(company.people["olive"], "/rules")
    page = tab().bring(company.people["adam"], "/rules")
    first, last = row(page, names[0]), row(page, names[2])
    last.locator("[data-handle]").drag_to(first.locator(".title-of"), target_position={"x": 10, "y": 2})
    expect(page.locator("tbody")).to_have_text(re.compile(f"{names[2]}.*{names[0]}.*{names[1]}", re.DOTALL))
    expect(other.locator("tbody")).to_have_text(re.compile(f"{names[2]}.*{names[0]}", re.DOTALL))
    page.locator(f"[aria-label='Ask {names[2]} later']").press("Enter")
    expect(page.locator("tbody")).to_have_text(re.compile(f"{names[0]}.*{names[2]}.*{names[1]}", re.DOTALL))
    assert [name for name in order(company) if name in names] == [names[0], names[2], names[1]]


def test_a_version_shows_what_it_changed_and_is_said_again(tab: OpenTab, company: Company) -> None:
    made = rule(company)
    page = tab().bring(company.people["adam"], f"/rules/{made['id']}")
    page.select_option("#severity", "critical")
    keep(page)
    page.locator("details", has_text="Version 2").locator("summary").click()
    expect(page.locator(".diff.removed", has_text="severity: info")).to_be_visible()
    expect(page.locator(".diff.added", has_text="severity: critical")).to_be_visible()
    page.locator("details", has_text="Version 1").locator("summary").click()
    page.click("text=Say this again")
    expect(page.locator("#severity")).to_have_value("info")
    expect(page.locator("main")).to_contain_text("rolled back to version 1")


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(tab: OpenTab, company: Company) -> None:
    made = rule(company)
    page = tab().bring(company.people["adam"], f"/rules/{made['id']}")
    page.fill("#description", "half written")
    company.ask("PUT", f"/rules/{made['id']}", spec=made["spec"] | {"description": "of somebody else"})
    expect(page.locator("main .banner.warning")).to_contain_text("has changed this meanwhile")
    expect(page.locator("#description")).to_have_value("half written")
    page.click("text=Keep the rule")
    expect(page.locator(".toasts")).to_contain_text("was changed meanwhile")
    page.click("text=Load it again")
    expect(page.locator("#description")).to_have_value("of somebody else")


def test_a_rule_is_switched_off_and_on_and_deleted(tab: OpenTab, company: Company) -> None:
    made = rule(company)
    page = tab().bring(company.people["adam"], f"/rules/{made['id']}")
    page.click("main button:has-text('Switch off')")
    expect(page.locator(".above .tag")).to_have_text("Off")
    page.click("main button:has-text('Switch on')")
    expect(page.locator(".above .tag")).to_have_text("On")
    page.click("main button:has-text('Delete')")
    page.click("dialog[open] button:text-is('Delete')")
    expect(page).to_have_url(re.compile(r"/rules$"))
    expect(row(page, made["name"])).to_have_count(0)


def test_a_rule_that_is_written_outlives_a_killed_web_process(tab: OpenTab, company: Company, installation: Installation) -> None:
    made = tab()
    page = made.bring(company.people["adam"], "/rules/new")
    page.fill("#name", name := unique("Half written"))
    page.fill("[aria-label=Value]", "payment")
    page.select_option("#severity", "warning")
    installation.children()["web"].kill()
    expect(page.locator(".offline")).to_be_visible()
    installation.until(lambda: installation.health().get("status") == "ok")
    expect(page.locator(".offline")).to_have_count(0)
    expect(page.locator("#name")).to_have_value(name)
    expect(page.locator("[aria-label=Value]")).to_have_value("payment")
    keep(page)
    made.outlived_a_kill()


def test_a_table_comes_from_a_file_and_names_the_owner(tab: OpenTab, company: Company, tmp_path: Path) -> None:
    service, file = unique("ledger"), tmp_path / "owners.csv"
    file.write_text(f"service;owner;tier\n{service};money;1\nother;nobody;2\n")
    page = tab().bring(company.people["adam"], "/enrichment")
    page.locator("header", has_text="Tables").locator("a:has-text('New')").click()
    page.fill("#name", name := unique("Owners"))
    page.fill("#match_on", "service")
    page.set_input_files("#rows-file", file)
    expect(page.locator(".card", has_text="As it is read")).to_contain_text("2 rows")
    keep(page, "Keep the table")
    expect(page.locator("h1")).to_have_text(name)
    company.incident(title := unique("Owned"), service=service)
    assert company.alert(title)["labels"]["owner"] == "money"
    page.goto(f"{company.installation.url}/enrichment")
    expect(row(page, name)).to_contain_text("by service sets owner, tier · 2 rows")


def test_an_extraction_and_an_inhibition_are_written(tab: OpenTab, company: Company) -> None:
    page = tab().bring(company.people["adam"], "/extractions/new")
    page.fill("#name", unique("Host"))
    page.fill("#field", "title")
    page.fill("#pattern", "on (\\S+)")
    page.click("text=Keep the extraction")
    expect(page.locator("#pattern-fault, .banner.critical")).to_contain_text("Name what is taken out")
    page.fill("#pattern", "on (?P<seen_host>\\S+)")
    keep(page, "Keep the extraction")
    company.incident(title := unique("Full on") + " db-7")
    assert company.alert(title)["labels"]["seen_host"]
    page.goto(f"{company.installation.url}/inhibitions/new")
    page.fill("#name", name := unique("Node"))
    page.fill("#sources", "alertname")
    page.fill("#targets", 'severity=~"warning|error"')
    page.click("text=Keep the inhibition")
    expect(page.locator("#sources-fault")).to_contain_text("name=")
    page.fill("#sources", f'alertname="{name}"')
    page.fill("#equal", "node")
    keep(page, "Keep the inhibition")
    page.goto(f"{company.installation.url}/inhibitions")
    expect(row(page, name)).to_contain_text("quiet with the same node")


def test_a_configuration_is_looked_at_before_it_is_taken(tab: OpenTab, company: Company, tmp_path: Path) -> None:
    team, file = unique("team").replace(" ", "-"), tmp_path / "alertmanager.yml"
    receivers = f"receivers:\n  - name: {team}\n    webhook_configs: [{{url: 'http://x.example'}}]\n"
    file.write_text(f"route:\n  receiver: {team}\n  group_by: [cluster]\n  routes:\n    - matchers: ['team=\"{team}\"']\n{receivers}")
    page = tab().bring(company.people["adam"], "/imports")
    page.set_input_files("#text-file", file)
    page.click("text=See what would be taken")
    expect(page.locator("main")).to_contain_text(re.compile(r"Would be: .*added"))
    assert not any(team in str(each) for each in company.ask("GET", "/rules"))
    page.click("button:text-is('Take it over')")
    expect(page.locator("main")).to_contain_text("Taken over:")
    assert any(team in str(each) for each in company.ask("GET", "/rules"))
    for each in company.ask("GET", "/rules"):
        if team in str(each):
            company.ask("DELETE", f"/rules/{each['id']}")


def test_a_viewer_reads_rules_and_changes_none(tab: OpenTab, company: Company) -> None:
    made = rule(company)
    page = tab().bring(company.people["vera"], "/rules")
    expect(row(page, made["name"])).to_be_visible()
    expect(page.locator("[data-handle], main button:has-text('On'), main a:has-text('New rule')")).to_have_count(0)
    page.goto(f"{company.installation.url}/rules/{made['id']}")
    expect(page.locator("#name")).to_be_disabled()
    expect(page.locator("text=Keep the rule")).to_have_count(0)


def test_pages_of_decisions_are_reached_by_keys(tab: OpenTab, company: Company) -> None:
    page = tab().bring(company.people["adam"])
    page.keyboard.press("g")
    page.keyboard.press("u")
    expect(page.locator("h1")).to_have_text("Rules")
    expect(page.locator("main a:has-text('New rule')").first).to_be_visible()
    page.keyboard.press("n")
    expect(page.locator("h1")).to_have_text("New rule")
    page.keyboard.press("g")
    page.keyboard.press("s")
    expect(page.locator("h1")).to_have_text("Silences")
    expect(page.locator("main a:has-text('New silence')").first).to_be_visible()
    page.keyboard.press("n")
    expect(page.locator("h1")).to_have_text("New silence")
