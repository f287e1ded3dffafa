"""Does anything that can be posted stop us, or the way of the alerts behind it?

The cases below always run. With TEST_CORPUS, those of its folder `payloads/hostile` run too; PAYLOADS.md there says what its
expectations mean: the class of the answer is expected of the kind of sender whose shape a body has, the rest of every kind.
A body that is shorter than its Content-Length says reaches an application as a connection that ends; that is how it is sent here.
"""

import asyncio
import gzip
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from engine.integrations.sources import KINDS
from engine.model.sources import NewSource
from engine.model.vocabulary import Role
from engine.operations import quarantine, sources
from engine.storage.work import work
from tests.api.clients import PROBLEM, Client, Server
from tests.testkit.database import TestDatabase
from tests.testkit.deliveries import ALL, Deliveries, alert, group
from tests.testkit.people import found_company

FOLDER = os.environ.get("TEST_CORPUS", "")
HOSTILE = Path(FOLDER) / "payloads" / "hostile"
MOST_MEMORY = 64 * 1024 * 1024


@dataclass(frozen=True)
class Hostile:
    """One body, with the class of the answer that is expected of the kind whose shape it has."""

    name: str
    body: bytes = field(repr=False)
    expect: str
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def cut_off(self) -> bool:
        """Whether the connection ends before the body does."""
        return "Content-Length" in self.headers

    def sent(self) -> dict[str, str]:
        """Its headers."""
        own = {name: value for name, value in self.headers.items() if name != "X-Send"}
        return own | ({"content-type": self.content_type} if self.content_type else {})


def one(**changed: Any) -> bytes:
    """An alert of Alertmanager's, with something changed."""
    return group(alert("Hostile") | changed)


GOOD = group(alert("Good"))
EITHER = "2xx|4xx"
# the body, the class of the answer, why
OWN = [
    ("nothing", b"", "4xx"),
    ("two documents", GOOD + GOOD, "4xx"),
    ("cut in half", GOOD[:40], "4xx"),
    ("not a number", GOOD.replace(b'"4"', b"NaN"), EITHER),
    ("a number that no machine holds", GOOD.replace(b'"4"', b"9" * 5000), EITHER),
    ("10,000 arrays inside one another", b"[" * 10_000 + b"]" * 10_000, "4xx"),
    ("10,000 objects inside one another", b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "4xx"),
    ("an annotation of 3,000 arrays", one(annotations={"a": 1}).replace(b'"a": 1', b'"a":' + b"[" * 3000 + b"]" * 3000), EITHER),
    ("a NUL", GOOD.replace(b"Good", b"Go\0od"), "4xx"),
    ("an escaped NUL", GOOD.replace(b"Good", rb"Go\u0000od"), EITHER),
    ("half a character", GOOD.replace(b"Good", rb"Go\ud800od"), EITHER),
    ("no UTF-8", GOOD.replace(b"Good", b"Go\xffod"), "4xx"),
    ("UTF-16", GOOD.decode().encode("utf-16"), EITHER),
    ("a byte order mark", b"\xef\xbb\xbf" + GOOD, EITHER),
    ("the top is null", b"null", "4xx"),
    ("the top is a number", b"42", "4xx"),
    ("an empty object", b"{}", "4xx"),
    ("alerts that are none", b'{"version":"4","alerts":[1,"two",null,[]]}', "4xx"),
    ("labels that are a list", one(labels=["a", "b"]), "4xx"),
    ("labels that are no text", one(labels={"alertname": "Odd", "a": 1, "b": None, "c": [1], "d": {"e": True}}), EITHER),
    ("a status that is a number", one(status=7), EITHER),
    ("the year 0", one(startsAt="0000-00-00T00:00:00Z"), EITHER),
    ("the year 10000", one(startsAt="10000-01-01T00:00:00Z"), EITHER),
    ("an offset that leaves the calendar", one(startsAt="0001-01-01T00:00:00+14:00"), EITHER),
    ("the thirtieth of February", one(startsAt="2026-02-30T00:00:00Z"), EITHER),
    ("an end before its start", one(status="resolved", startsAt="2026-01-02T00:00:00Z", endsAt="2026-01-01T00:00:00Z"), EITHER),
    ("a label of 2 MB", one(labels={"alertname": "Long", "a": "x" * 2_000_000}), EITHER),
    ("a name of 100 kB", one(labels={"alertname": "Long", "x" * 100_000: "a"}), EITHER),
    ("20,000 labels", one(labels={"alertname": "Wide"} | {f"l{place}": "v" for place in range(20_000)}), EITHER),
    ("2,000 alerts", group(*(alert(f"Many {place}", place=str(place)) for place in range(2000))), "2xx"),
    ("a fingerprint of 100 kB", one(fingerprint="f" * 100_000), EITHER),
    ("SQL", one(labels={"alertname": "'; DROP TABLE alert; --", "a": "%s %(x)s {0} {{7*7}} ${jndi:x}"}), "2xx"),
    ("markup", one(annotations={"summary": "<script>alert(1)</script>", "description": "<svg onload=alert(1)>"}), "2xx"),
    ("escape sequences", GOOD.replace(b"Good", rb"\u001b[2J\r\nX: y"), EITHER),
    ("names of prototypes", one(labels={"alertname": "P", "__proto__": "x", "constructor": "y"}), EITHER),
    (
        "links that are scripts",
        one(generatorURL="javascript:alert(1)", annotations={"summary": "L", "runbook_url": "file:///etc/passwd"}),
        "2xx",
    ),
    ("directions of writing", one(labels={"alertname": "\u202egpj.exe", "service": "check\u200bout"}), EITHER),
]
CODED = [
    Hostile("gzip", gzip.compress(GOOD), EITHER, headers={"Content-Encoding": "gzip"}),
    Hostile("a bomb", gzip.compress(b" " * 200_000_000), "4xx", headers={"Content-Encoding": "gzip"}),
    Hostile("gzip that ends too early", gzip.compress(GOOD)[:-9], "4xx", headers={"Content-Encoding": "gzip"}),
    Hostile("no gzip", GOOD, "4xx", headers={"Content-Encoding": "gzip"}),
    Hostile("an unknown coding", GOOD, "4xx", headers={"Content-Encoding": "x-evil"}),
    Hostile("a form", b"alerts=1&version=4", "4xx", "application/x-www-form-urlencoded"),
    Hostile("no type", GOOD, EITHER, ""),
    Hostile("a connection that ends", GOOD[:30], "4xx", headers={"Content-Length": "999999"}),
]


def _corpus() -> list[Hostile]:
    cases = json.loads((HOSTILE / "manifest.json").read_text())["cases"] if FOLDER else []
    return [Hostile(c["file"], (HOSTILE / c["file"]).read_bytes(), c["expect"], c["content_type"], c["headers"]) for c in cases]


CASES = [*(Hostile(name, body, expect) for name, body, expect in OWN), *CODED, *_corpus()]


@dataclass
class Yard:
    """An organization with a source of each kind, and who posts to them."""

    server: Server
    line: Deliveries
    made: dict[str, NewSource]

    def post(self, kind: str, case: Hostile) -> tuple[int, bytes, dict[str, str]]:
        """Post a body to the source of that kind."""
        new = self.made[kind]
        assert new.secret
        path = "/api/v2/alerts" if kind == "prometheus" else f"/webhook/{kind}/{new.source.public_id}"
        sender = self.server.bearer(new.secret.get_secret_value())
        if case.cut_off:
            return cut_off(sender, path, case)
        answer: httpx.Response = sender("POST", path, headers=case.sent(), content=case.body)
        return answer.status_code, answer.content, dict(answer.headers)

    def pending(self) -> int:
        """How many deliveries wait."""
        with work(self.line.database, self.line.tenant) as open_work:
            mine = {"org": self.line.company.id}
            return open_work.session.execute(text("SELECT count(*) FROM pending WHERE org_id = :org"), mine).scalar_one()


def cut_off(sender: Client, path: str, case: Hostile) -> tuple[int, bytes, dict[str, str]]:
    """Begin to post a body, and end the connection."""
    said: list[Any] = []
    heard = iter([{"type": "http.request", "body": case.body, "more_body": True}, {"type": "http.disconnect"}])
    headers = [(name.lower().encode(), value.encode()) for name, value in (case.sent() | dict(sender.headers)).items()]
    scope: dict[str, Any] = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http"}
    scope |= {"path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers, "client": ("203.0.113.9", 1)}

    async def receive() -> Any:
        return next(heard)

    async def send(message: Any) -> None:
        said.append(message)

    asyncio.run(sender.app(scope, receive, send))
    found = {name.decode(): value.decode() for name, value in said[0]["headers"]}
    return said[0]["status"], said[1]["body"], found


@pytest.fixture(scope="module")
def yard(server: Server, shared: TestDatabase, scratch: Path) -> Iterator[Yard]:
    """The yard, in which everything that a test leaves is applied in the end."""
    shared.open_door(scratch)
    company = found_company(shared.database, "Yard")
    made = {kind.id: sources.create(company.owner, kind.id, f"Yard {kind.id}") for kind in KINDS}
    yield Yard(server, Deliveries(shared.database, company), made)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_whatever_is_posted_is_taken_or_refused_in_time_and_the_next_alert_comes_through(yard: Yard, case: Hostile) -> None:
    longest = 30 if len(case.body) > 1_000_000 else 10
    for kind in KINDS:
        began, before = time.monotonic(), _memory("VmRSS")
        status, content, headers = yard.post(kind.id, case)
        assert status < 500, (kind.id, content[:500])
        assert time.monotonic() - began < longest, kind.id
        if "Content-Encoding" in case.headers:
            assert _memory("VmHWM") - before < MOST_MEMORY, kind.id
        if status >= 400:
            assert headers["content-type"] == PROBLEM and json.loads(content)["detail"], kind.id
        if kind.id == "alertmanager":
            assert f"{status // 100}xx" in case.expect, content[:500]
            assert status >= 400 or _counts_add_up(content)
    assert yard.post("alertmanager", Hostile("good", GOOD, "2xx"))[0] == 202


def _counts_add_up(content: bytes) -> bool:
    """Whether each alert that was not taken is named."""
    said = json.loads(content)
    return said["accepted"] >= 0 and all(each["reason"] for each in said["rejected"])


def _memory(what: str) -> int:
    """The memory of this process; its highest (VmHWM) is since this was last asked for VmRSS."""
    if what == "VmRSS":
        Path("/proc/self/clear_refs").write_text("5")
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(what)]
    return int(line.split()[1]) * 1024


def _strictly(answer: httpx.Response) -> Any:
    """An answer as a browser reads JSON: without NaN."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    assert answer.status_code == 200, answer.text[:500]
    return json.loads(answer.content.decode("utf-8"), parse_constant=refuse)


def test_what_was_taken_goes_through_the_pipeline_and_can_be_read_back(yard: Yard) -> None:
    for case in CASES[: len(OWN)]:
        for kind in ("alertmanager", "generic"):
            yard.post(kind, case)
    for _ in range(200):
        yard.line.apply()
        if not yard.pending():
            break
    assert yard.pending() == 0, "nothing holds up what comes behind it"
    program, seen, cursor = yard.server.program(yard.line.company.owner, Role.VIEWER), 0, ""
    while cursor is not None:
        said = _strictly(program.get(f"/api/v1/alerts?limit=200{cursor and f'&cursor={cursor}'}"))
        for each in said["data"]:
            assert each["title"].strip(), "every alert has a name to call it by"
            assert all(link["url"].startswith(("http://", "https://")) for link in each["links"]), each["links"]
            assert len(json.dumps(each)) < 5_000_000
        for each in said["data"][:3]:
            assert _strictly(program.get(f"/api/v1/alerts/{each['id']}/explain"))["data"]["reasons"]
            assert _strictly(program.get(f"/api/v1/alerts/{each['id']}/history"))["data"]
        seen += len(said["data"])
        cursor = said["pagination"]["next_cursor"]
    assert seen > 1000
    assert _strictly(program.get("/api/v1/incidents?limit=200"))["data"]
    assert _strictly(program.get("/api/v2/alerts"))
    assert _strictly(program.get("/api/v1/quarantine?limit=200"))["data"], "what was refused is kept"


def test_what_the_pipeline_puts_aside_says_why(yard: Yard) -> None:
    found = quarantine.all(yard.line.company.owner, page=ALL).items
    assert all(each.reason for each in found)
    assert not [each for each in found if "database refuses" in each.reason], "every value is made fit before it is written"


def test_the_same_body_twice_is_one_alert(yard: Yard) -> None:
    name = uuid4().hex
    body = Hostile("twice", group({"status": "firing", "labels": {"alertname": name, "n": 1, "b": True}}), "2xx")
    for _ in range(2):
        assert yard.post("alertmanager", body)[0] == 202
    yard.line.apply()
    assert yard.line.alert(name).count == 1, "it fired once, however often that is told"


def test_what_names_look_like_is_not_what_they_are(yard: Yard) -> None:
    run = uuid4().hex
    services = [f"checkout {run}", f"check\u200bout {run}", f"сheckout {run}", f"\u202echeckout {run}"]
    source = yard.made["alertmanager"].source
    yard.line.deliver(source, *(alert(f"{run} {place}", service=service) for place, service in enumerate(services)))
    assert len({yard.line.incident_of(f"{run} {place}").id for place in range(len(services))}) == len(services)
