"""Sources and what could not be understood: their pages, live."""

import re

import pytest
from playwright.sync_api import expect

from tests.testkit.browser import OpenTab
from tests.testkit.organization import Company, Sender, listed, row, unique

pytestmark = pytest.mark.slow
RUBBISH = b'{"alerts": "all of them"}'


@pytest.fixture
def sender(company: Company) -> Sender:
    """A source of its own."""
    return company.source(unique("Alertmanager"))


def test_a_sample_is_tried_before_anything_is_made(tab: OpenTab, company: Company) -> None:
    page = tab().bring(company.people["adam"], "/sources/new")
    page.click(".kind:has-text('Alertmanager')")
    page.click("text=Try it")
    expect(page.locator(".tried").first).to_be_visible()
    page.fill("#sample", "{")
    page.click("text=Try it")
    expect(page.locator("main .banner.critical")).to_be_visible()


def test_a_name_that_is_taken_is_said_and_what_was_typed_stays(tab: OpenTab, company: Company) -> None:
    page = tab().bring(company.people["adam"], "/sources/new?kind=alertmanager")
    page.fill("#new-source #name", "Alertmanager")
    page.click("text=Add the source")
    expect(page.locator("#name-fault")).to_have_text("There is a source called “Alertmanager” already. Choose another name.")
    expect(page.locator("#new-source #name")).to_have_value("Alertmanager")


def test_a_test_alert_goes_through_everything(tab: OpenTab, company: Company, sender: Sender) -> None:
    page = tab().bring(company.people["grace"], f"/sources/{sender.id}")
    page.click("text=Send a test")
    expect(page.locator(".banner.good")).to_contain_text("The first alert is here")
    expect(page.locator(".head .above .tag")).to_have_text("Heard")


def test_settings_are_kept_and_a_wrong_one_is_said_at_its_field(tab: OpenTab, company: Company, sender: Sender) -> None:
    page = tab().bring(company.people["adam"], f"/sources/{sender.id}")
    settings = page.locator(".card", has=page.locator("h2:text-is('Settings')"))
    settings.locator("#name").fill(unique("Renamed"))
    settings.locator("summary").click()
    settings.locator("[name='settings.severities']").fill("page critical")
    page.click("text=Keep the settings")
    expect(settings.locator(".fault")).to_contain_text("name = value")
    settings.locator("[name='settings.severities']").fill("page = critical")
    page.click("text=Keep the settings")
    expect(page.locator(".toasts")).to_contain_text("The settings are kept.")
    expect(page.locator("h1")).to_contain_text("Renamed")


def test_a_rotated_secret_is_shown_once_and_works_beside_the_old_one(tab: OpenTab, company: Company, sender: Sender) -> None:
    page = tab().bring(company.people["adam"], f"/sources/{sender.id}")
    page.click("main button:has-text('Rotate')")
    page.click("text=Make a new secret")
    fresh = page.locator("[aria-label=Secret]").input_value()
    assert fresh.startswith("aio_") and fresh != sender.secret
    expect(page.locator(".card", has_text="Credentials").locator("li")).to_have_count(2)
    sender.fire(unique("By the old secret"))
    Sender(sender.id, sender.name, sender.url, fresh).fire(unique("By the new secret"))
    page.click("text=I have kept it")
    expect(page.locator("[aria-label=Secret]")).to_have_count(0)
    page.reload()
    expect(page.locator(".card", has_text="Live deliveries").locator("details")).to_have_count(2)
    assert fresh not in page.content()


def test_a_paused_source_refuses_and_takes_again(tab: OpenTab, company: Company, sender: Sender) -> None:
    page = tab().bring(company.people["adam"], f"/sources/{sender.id}")
    page.click("main button:text-is('Pause')")
    expect(page.locator(".head .above .tag")).to_have_text("Paused")
    company.until(lambda: not sender.post({"version": "4", "alerts": []}).is_success)
    page.click("text=Take alerts again")
    expect(page.locator(".head .above .tag")).to_have_text("Waiting")
    company.until(lambda: sender.post({"version": "4", "alerts": []}).is_success)


def test_a_source_is_deleted_and_its_alerts_stay(tab: OpenTab, company: Company, sender: Sender) -> None:
    title = unique("Outlives its source")
    company.incident(title, sender)
    page = tab().bring(company.people["adam"], f"/sources/{sender.id}")
    page.click("main .head >> text=Delete")
    page.click("dialog#delete footer >> text=Delete")
    expect(page).to_have_url(re.compile(r"/sources$"))
    expect(page.locator("tbody")).not_to_contain_text(sender.name)
    assert company.alert(title)["status"] == "firing"


def test_rubbish_appears_in_the_quarantine_with_its_reason_and_is_discarded(tab: OpenTab, company: Company, sender: Sender) -> None:
    page = tab().bring(company.people["grace"], "/quarantine")
    assert sender.post(RUBBISH).status_code >= 400
    entry = row(page, sender.name)
    expect(entry).to_be_visible()
    waiting = len(company.ask("GET", "/quarantine"))
    expect(page.locator(".sidebar a[href='/quarantine'] .count")).to_have_text(str(waiting))
    reason = company.ask("GET", "/quarantine")[0]["reason"]
    expect(entry).to_contain_text(reason[:60])
    entry.locator("text=Look").click()
    expect(page.locator("dialog#look pre")).to_contain_text('"all of them"')
    page.click("dialog#look footer >> text=Replay")
    expect(page.locator(".toasts")).to_contain_text(re.compile(r"0 done, 1 not: .+"))
    expect(entry).not_to_have_attribute("data-pending", "replay")
    entry.locator("[data-mark]").check()
    page.click(".many [data-act=discard]")
    expect(row(page, sender.name)).to_have_count(0)
    page.click("main .segment:has-text('Discarded')")
    expect(row(page, sender.name)).to_contain_text(f"by {company.people['grace'].name}")
    row(page, sender.name).locator("[data-mark]").check()
    expect(page.locator(".many [data-act]")).to_have_text(["Replay"])


def test_what_the_mended_settings_understand_is_replayed(tab: OpenTab, company: Company) -> None:
    sender = company.source(unique("Own sender"), kind="generic", settings={"alerts_path": "all"})
    title = unique("Belt is torn")
    assert sender.post({"all": [["no alert"]], "right": [{"title": title}]}).status_code == 202
    page = tab().bring(company.people["grace"], "/quarantine")
    expect(row(page, sender.name)).to_be_visible()
    company.ask("PATCH", f"/sources/{sender.id}", settings={"alerts_path": "right"})
    row(page, sender.name).locator("[data-mark]").check()
    page.click(".many [data-act=replay]")
    expect(row(page, sender.name)).to_have_count(0)
    assert company.alert(title)["title"] == title


def test_a_viewer_looks_at_the_quarantine_and_touches_nothing(tab: OpenTab, company: Company, sender: Sender) -> None:
    sender.post(RUBBISH)
    page = tab().bring(company.people["vera"], "/quarantine")
    row(page, sender.name).locator("text=Look").click()
    expect(page.locator("dialog#look pre")).to_contain_text('"all of them"')
    expect(page.locator("[data-act], main button:has-text('Replay all')")).to_have_count(0)


def test_the_list_of_sources_is_live(tab: OpenTab, company: Company) -> None:
    page = tab().bring(company.people["vera"], "/sources")
    expect(row(page, company.sender.name).first).to_be_visible()
    before = page.locator("main [data-row]").count()
    sender = company.source(unique("Grafana"), kind="grafana")
    expect(row(page, sender.name)).to_contain_text("Waiting")
    company.ask("POST", f"/sources/{sender.id}/test")
    expect(row(page, sender.name)).to_contain_text("Heard")
    listed(page, before + 1)
