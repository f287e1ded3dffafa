"""The whole way, with a real Alertmanager: from the lines that the page shows to a resolved incident, in one tab without a reload."""

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.scenarios.senders.running import programs
from tests.testkit import organization
from tests.testkit.browser import OpenTab
from tests.testkit.installation import Installation
from tests.ui.test_first_minutes import pasted

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("prometheus-alertmanager"), reason="not installed: prometheus-alertmanager"),
]
ALERTMANAGER = 19232
LABELS = {"alertname": "PaymentErrors", "severity": "critical", "service": "payment", "instance": "payment-1"}


def tell(**more: str) -> None:
    """Tell Alertmanager as Prometheus does."""
    alert = {"labels": LABELS, "annotations": {"description": "4.8 % of payments fail"}} | more
    httpx.post(f"http://127.0.0.1:{ALERTMANAGER}/api/v2/alerts", json=[alert], timeout=10).raise_for_status()


def connected(page: Page) -> str:
    """Make the first source by hand; what the page says to paste into alertmanager.yml."""
    page.click("main >> text=Add a source")
    page.click(".kind:has-text('Alertmanager')")
    page.fill("#new-source #name", "Production")
    page.click("text=Add the source")
    expect(page.locator(".banner.waits")).to_be_visible()
    return pasted(page, "alertmanager.yml")


def test_a_real_alertmanager_is_connected_and_its_incident_worked_on_to_the_end(
    tab: OpenTab, installation: Installation, tmp_path: Path
) -> None:
    page = tab().bring(organization.found(installation, f"Real {uuid4().hex[:6]}").people["olive"])
    (tmp_path / "alertmanager.yml").write_text(connected(page))
    page.evaluate("window.opened = true")  # gone with a reload
    with programs(tmp_path) as running:
        log = running.alertmanager(tmp_path / "alertmanager.yml", ALERTMANAGER)
        tell()
        expect(page.locator(".banner.good")).to_contain_text("The first alert is here: PaymentErrors")
        page.keyboard.press("g")
        page.keyboard.press("i")
        row = organization.row(page, "payment: PaymentErrors")
        expect(row).to_contain_text("Critical")
        page.keyboard.press("j")
        page.keyboard.press("e")
        expect(row).to_contain_text("Investigating")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("payment: PaymentErrors")
        page.keyboard.press("c")
        page.keyboard.type("The card provider is down; switched to the second.")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator(".timeline .comment")).to_have_text("The card provider is down; switched to the second.")
        tell(endsAt=datetime.now(UTC).isoformat())
        page.keyboard.press("Escape")
        page.keyboard.press("r")
        expect(page.locator(".above .status-of")).to_have_text("Resolved")
        expect(page.locator("main .card", has_text="How it ended")).to_contain_text(re.compile(r"Lasted.*by Olive", re.DOTALL))
        assert "level=error" not in log.read_text().lower()
    assert page.evaluate("window.opened") is True
