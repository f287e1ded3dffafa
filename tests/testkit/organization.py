"""An organization at work, for tests in a browser: its people, its senders, and what they post."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4

import httpx
from playwright.sync_api import Locator, Page, TimeoutError, expect

from tests.testkit.clock import PATIENCE, until
from tests.testkit.installation import PASSWORD, Installation

T = TypeVar("T")

ADA = "ada@acme.example"
# Everybody's name by what they are called in tests, and what they are.
STAFF = {"olive": "owner", "adam": "admin", "grace": "operator", "linus": "operator", "vera": "viewer"}


def unique(words: str) -> str:
    """Words that no other test has used, for a title or a service."""
    return f"{words} {uuid4().hex[:8]}"


def row(page: Page, words: str) -> Locator:
    """The row of a list that says these words."""
    return page.locator("main tbody tr", has_text=words)


def listed(page: Page, count: int) -> Page:
    """The page, once its list has so many rows."""
    expect(page.locator("main [data-row]")).to_have_count(count)
    return page


def loaded(page: Page) -> bool:
    """Whether nothing stands any more where data will be; waits for it."""
    try:
        page.locator(".skeleton:visible").first.wait_for(state="detached", timeout=PATIENCE * 1000)
    except TimeoutError:
        return page.locator(".skeleton:visible").count() == 0
    return True


@dataclass
class Person:
    """Somebody who is signed in: the name on the pages, and what the browser keeps."""

    id: str
    name: str
    cookies: list[dict[str, str]]


@dataclass
class Sender:
    """A source, as its sender knows it."""

    id: str
    name: str
    url: str
    secret: str

    def post(self, body: Any) -> httpx.Response:
        """Deliver a body with the secret: bytes as they are, everything else as JSON."""
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        return httpx.post(self.url, headers={"Authorization": f"Bearer {self.secret}"}, timeout=10, **content)

    def fire(self, title: str, status: str = "firing", **labels: str) -> None:
        """Deliver one alert as Alertmanager does. Without labels of a place it is in an incident of its own, named like it."""
        now = datetime.now(UTC).isoformat()
        ended = {"endsAt": now} if status == "resolved" else {}
        labels = {"alertname": title, "severity": "critical"} | labels
        alert = {"status": status, "labels": labels, "annotations": {}, "startsAt": now} | ended
        answer = self.post({"version": "4", "alerts": [alert]})
        assert answer.status_code == 202, answer.text


@dataclass
class Asking:
    """The REST interface of an installation, by its owner's token. Remembers which sources were made."""

    installed: Installation
    made: list[str] = field(default_factory=list)

    def __call__(self, method: str, path: str, **more: Any) -> Any:
        """The answer to one request, which must succeed."""
        headers = {"Authorization": f"Bearer {self.installed.token}"}
        found = httpx.request(method, f"{self.installed.url}/api/v1{path}", headers=headers, timeout=30, **more)
        assert found.is_success, f"{method} {path}: {found.status_code} {found.text}"
        return found.json()["data"] if found.content else None

    def source(self, **said: Any) -> tuple[dict[str, Any], str]:
        """A new source, and its secret."""
        made = self("POST", "/sources", json=said)
        self.made.append(made["source"]["id"])
        return made["source"], made["secret"] or ""

    def alerts(self, source_id: str, **which: Any) -> list[dict[str, Any]]:
        """The alerts of a source, at most 200."""
        return self("GET", "/alerts", params={"source_id": source_id, "limit": 200, **which})

    def until(self, what: Callable[[], T], within: float = 30.0) -> T:
        """Wait until `what()` is true, and return it."""
        return until(what, within, lambda: f"the log ends:\n{self.installed.said()[-2000:]}")

    def tidy(self) -> None:
        """Delete what came from the sources that were made, and them: the installation is shared."""
        there = {source["id"]: source for source in self("GET", "/sources", params={"limit": 200})}
        for id in self.made:
            if found := [alert["id"] for alert in self.alerts(id)]:
                self("POST", "/alerts/delete", json={"ids": found})
            if id in there and not there[id]["provisioned"]:
                self("DELETE", f"/sources/{id}")


@dataclass
class Company:
    """An organization of the installation that the tests share."""

    installation: Installation
    name: str
    people: dict[str, Person] = field(default_factory=dict)
    token: str = ""
    sender: Sender | None = None

    def ask(self, method: str, path: str, query: dict[str, Any] | None = None, **body: Any) -> Any:
        """Ask the API as the company's own token. Returns the data of the answer."""
        more = {"json": body} if method != "GET" else {}
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = httpx.request(method, f"{self.installation.url}/api/v1{path}", headers=headers, params=query, timeout=10, **more)
        assert answer.is_success, answer.text
        return answer.json()["data"] if answer.content else None

    def source(self, name: str, kind: str = "alertmanager", **more: Any) -> Sender:
        """Make a source."""
        made = self.ask("POST", "/sources", kind=kind, name=name, **more)
        return Sender(made["source"]["id"], name, made["source"]["url"], made["secret"])

    def incident(self, title: str, sender: Sender | None = None, **labels: str) -> dict[str, Any]:
        """Have an alert fire and return the incident that was made of it."""
        by = sender or self.sender
        assert by is not None
        by.fire(title, **labels)
        return self.until(lambda: next(iter(self.ask("GET", "/incidents", {"q": title})), None))

    def numbered(self, number: int) -> dict[str, Any]:
        """An incident as it is now."""
        return self.ask("GET", f"/incidents/numbered/{number}")

    def alert(self, title: str) -> dict[str, Any]:
        """An alert by its title."""
        return self.until(lambda: next(iter(self.ask("GET", "/alerts", {"q": title})), None))

    def open_incidents(self, who: str) -> int:
        """How many are open of those that this person may see."""
        cookies = {each["name"]: each["value"] for each in self.people[who].cookies}
        answer = httpx.get(f"{self.installation.url}/api/v1/overview/pulse", cookies=cookies, timeout=10)
        assert answer.is_success, answer.text
        return answer.json()["data"]["open_incidents"]

    def until(self, what: Callable[[], T]) -> T:
        """Wait until `what()` is true, and return it."""
        return until(what)


def found(installation: Installation, name: str) -> Company:
    """Make a further organization as the administrator of the installation, with people of every role and a source."""
    made = Company(installation, name)
    with httpx.Client(base_url=installation.url, headers={"Origin": installation.url}, timeout=20) as ada:
        opened = ada.post("/api/v1/sessions", json={"email": ADA, "password": PASSWORD})
        assert opened.status_code == 201, opened.text
        headers = {"X-CSRF-Token": opened.json()["data"]["csrf_token"]}
        asked = {"name": name, "owner": _email("olive", name)}
        link = ada.post("/api/v1/organizations", json=asked, headers=headers).json()["data"]["owner_link"]
    with closing(_joined(made, "olive", link)) as olive:
        headers = {"X-CSRF-Token": olive.cookies["aiops_csrf"]}
        token = olive.post("/api/v1/tokens", json={"name": "tests", "role": "owner"}, headers=headers)
        made.token = token.json()["data"]["secret"]
    return made


def join(company: Company, who: str) -> None:
    """Have somebody be invited, and join."""
    link = company.ask("POST", "/invitations", email=_email(who, company.name), role=STAFF[who])["url"]
    _joined(company, who, link).close()


def staff(company: Company) -> None:
    """Have everybody else join, and make the first source."""
    for who in STAFF:
        if who not in company.people:
            join(company, who)
    company.sender = company.source("Alertmanager")


def _joined(company: Company, who: str, link: str) -> httpx.Client:
    """Follow a one-time link as somebody new; the client is signed in."""
    client = httpx.Client(base_url=company.installation.url, headers={"Origin": company.installation.url}, timeout=20)
    name = f"{who.title()} of {company.name}"
    answer = client.post("/auth/join", data={"link": link.partition("?link=")[2], "name": name, "password": PASSWORD})
    assert answer.headers["location"] == "/", answer.headers["location"]
    kept = [{"name": c.name, "value": c.value or "", "url": company.installation.url} for c in client.cookies.jar]
    company.people[who] = Person(client.get("/api/v1/me").json()["data"]["id"], name, kept)
    return client


def _email(who: str, company: str) -> str:
    return f"{who}@{company.lower().replace(' ', '-')}.example"
