"""Takes the pictures in docs/pictures anew: every page, dark and light, on a desk and on a phone (`make screenshots`).

It starts an installation of its own in a temporary folder, fills it as a small company would, and stops it again.
"""

import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.testkit.installation import PASSWORD, Installation  # noqa: E402

PICTURES = Path(__file__).parent / "pictures"
PAGES = {
    "dashboard": "/",
    "incidents": "/incidents",
    "incident": "/incidents/3",
    "alerts": "/alerts",
    "alert": "ALERT",
    "sources": "/sources",
    "source": "SOURCE",
    "new-source": "/sources/new?kind=generic",
    "rules": "/rules",
    "rule": "RULE",
    "enrichment": "/enrichment",
    "mapping": "MAPPING",
    "imports": "/imports",
    "silences": "/silences",
    "silence": "SILENCE",
    "calendar": "/silences/calendar",
    "inhibitions": "/inhibitions",
    "quarantine": "/quarantine",
    "settings": "/settings",
    "people": "/people",
    "teams": "/teams",
    "tokens": "/tokens",
    "audit": "/audit",
    "profile": "/profile",
    "system": "/system",
}
SIZES = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


def main() -> None:
    """Take all pictures."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        Path(folder).chmod(0o711)
        installation = Installation(Path(folder) / "data").start()
        try:
            pages = PAGES | outage(fill(installation), installation.url)
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
            for theme in ("dark", "light"):
                for size in SIZES:
                    take(browser, installation.url, theme, size, pages)
        finally:
            installation.stop()


def outage(api: httpx.Client, url: str) -> dict[str, str]:
    """The demonstration at its worst, half taken care of; what a sender of nonsense left. Returns where alert and source are."""
    job = api.post("/demo", json={"speed": 8}).json()["data"]["id"]
    time.sleep(130 / 8)
    api.post(f"/jobs/{job}/cancel").raise_for_status()  # it stays at its worst while the pictures are taken
    incidents = {row["services"][0]: row for row in api.get("/incidents?open=true").json()["data"] if row["services"]}
    people = {row["name"]: row["id"] for row in api.get("/users").json()["data"]}
    checkout, db = incidents["checkout"]["id"], incidents["db"]["id"]
    api.post(f"/incidents/{checkout}/acknowledge", json={"note": "looking into this now"})
    api.post(f"/incidents/{checkout}/assign", json={"user_id": people["Ada Lovelace"]})
    api.post(f"/incidents/{checkout}/comments", json={"text": "Payment v2.3.1 holds on to connections; rolling back to v2.3.0."})
    api.post(f"/incidents/{db}/acknowledge", json={})
    api.post(f"/incidents/{db}/assign", json={"user_id": people["Grace Hopper"]})
    api.post(f"/incidents/{incidents['search']['id']}/resolve", json={"cause": "orders came late", "resolution": "caught up by itself"})
    made = api.post("/sources", json={"kind": "generic", "name": "Backup scripts"}).json()["data"]
    bearer = {"Authorization": f"Bearer {made['secret']}"}
    httpx.post(f"{url}/webhook/generic/{made['source']['public_id']}", content=b"backup of db-1 failed", headers=bearer)
    decided = decide(api)
    time.sleep(1)
    alert = api.get("/alerts?status=firing&service=db").json()["data"][0]["id"]
    source = next(row["id"] for row in api.get("/sources").json()["data"] if row["kind"] == "alertmanager")
    here = {"alert": f"/alerts/{alert}", "source": f"/sources/{source}", "incident": f"/incidents/{incidents['checkout']['number']}"}
    return here | decided


def decide(api: httpx.Client) -> dict[str, str]:
    """Rules, tables and silences of a small shop. Returns where some of them are."""

    def make(kind: str, **spec: object) -> str:
        return f"/{kind}/{api.post(f'/{kind}', json={'spec': spec}).raise_for_status().json()['data']['id']}"

    night = {"times": [{"from": "22:00", "to": "06:00", "zone": "Europe/Berlin"}]}
    slow = {"field": "title", "op": "=~", "value": "(Payment|Checkout)(Latency|Error).*"}
    rule = make("rules", name="Slow payments are worse at night", when={"all": [slow, night]}, then={"severity": "critical"})
    dev = {"field": "environment", "op": "in", "value": ["staging", "dev"]}
    make("rules", name="Staging wakes nobody", when=dev, then={"suppress": True}, stop=True)
    disks = {"any": [{"field": "title", "op": "like", "value": "Disk*"}, {"field": "labels.job", "value": "node"}]}
    make("rules", name="Disks are the platform's", when=disks, then={"team": "platform", "group_by": ["labels.cluster"]})
    make("extractions", name="Host from the title", field="title", pattern="on (?P<host>\\S+)")
    rows = [["payment", "Payments", "1"], ["checkout", "Storefront", "1"], ["search", "Storefront", "2"], ["db", "Platform", "1"]]
    mapping = make("mappings", name="Who owns what", match_on=["service"], columns=["service", "team", "tier"], rows=rows)
    node = [{"name": "alertname", "value": "NodeDown"}]
    make("inhibitions", name="A node before its services", sources=node, targets=[{"name": "severity", "value": "warning"}], equal=["node"])
    weekly = {"rule": "FREQ=WEEKLY;BYDAY=SU", "zone": "Europe/Berlin", "comment": "Weekly backups of the databases"}
    backups = [{"name": "service", "value": "db"}, {"name": "severity", "value": "warning"}]
    silence = make("silences", matchers=backups, starts="2026-01-04T03:00:00", ends="2026-01-04T05:00:00", **weekly)
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    times = {"starts": now.isoformat(), "ends": (now + timedelta(hours=3)).isoformat()}
    make("silences", matchers=[{"name": "service", "value": "search"}], comment="Reindexing of search", **times)
    return {"rule": rule, "mapping": mapping, "silence": silence}


def fill(installation: Installation) -> httpx.Client:
    """A small company: people, teams, tokens, and something refused."""
    token = installation.owner("Corner Shop")
    api = httpx.Client(base_url=f"{installation.url}/api/v1", headers={"Authorization": f"Bearer {token}"})
    people = (("Grace Hopper", "operator"), ("Alan Turing", "operator"), ("Katherine Johnson", "admin"), ("Tim Berners-Lee", "viewer"))
    ids = []
    for name, role in people:
        email = f"{name.split()[0].lower()}@corner.example"
        link = api.post("/invitations", json={"email": email, "role": role}).json()["data"]["url"].partition("link=")[2]
        form = {"link": link, "name": name, "password": PASSWORD}
        httpx.post(f"{installation.url}/auth/join", data=form, headers={"Origin": installation.url})
    ids = [row["id"] for row in api.get("/users").json()["data"] if row["name"] != "Ada Lovelace"]
    for place, name in enumerate(("Payments", "Storefront", "Platform")):
        team = api.post("/teams", json={"name": name}).json()["data"]["id"]
        for member in ids[place : place + 2]:
            api.put(f"/teams/{team}/members/{member}", json={"role": "operator"})
    for name, role in (("deploy script", "operator"), ("status board", "viewer")):
        made = api.post("/tokens", json={"name": name, "role": role, "expires_in_days": 90}).json()["data"]
    httpx.get(f"{installation.url}/api/v1/audit", headers={"Authorization": f"Bearer {made['secret']}"})
    api.post("/invitations", json={"email": "margaret@corner.example", "role": "operator"})
    return api


def take(browser: Browser, url: str, theme: str, size: str, pages: dict[str, str]) -> None:
    """The pictures of one theme and size."""
    context = browser.new_context(viewport=SIZES[size], color_scheme=theme, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{url}/sign-in")
    page.wait_for_selector("#email")
    keep(page, "sign-in", theme, size)
    page.fill("#email", "ada@acme.example")
    page.fill("#password", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("h1:has-text('Today')")
    for name, path in pages.items():
        page.goto(url + path)
        page.wait_for_selector("h1")
        page.wait_for_timeout(900)
        keep(page, name, theme, size)
    context.close()


def keep(page: Page, name: str, theme: str, size: str) -> None:
    """Write one picture."""
    page.screenshot(path=PICTURES / f"{name}-{theme}-{size}.png")


if __name__ == "__main__":
    main()
