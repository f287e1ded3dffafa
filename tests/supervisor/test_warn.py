"""Who is told that something is wrong, when, and how often?"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_string
from email.header import decode_header, make_header

import pytest
from structlog.testing import capture_logs

from engine.settings import load
from engine.supervisor.warn import Warner
from tests.supervisor.listening import Mail, Web, mail, web
from tests.testkit.installation import port_is_free

pytestmark = pytest.mark.fast
_DISK = ("disk", "the disk has 9% free: make room")
_TICK = ("tick", "the worker's tick is 20 s old")
_HOUR, _MINUTE = 3600.0, 60.0


@dataclass
class Clock:
    """A clock that goes when told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Told:
    """A warner, its clock, and the web server that it tells and pings."""

    warner: Warner
    clock: Clock
    web: Web

    def after(self, seconds: float, *faults: tuple[str, str]) -> list[list[str]]:
        """Move the clock, tell these faults. Returns what was sent for it."""
        self.clock.now += seconds
        before = len(self.web.posted)
        self.warner.tell(faults)
        return self.sent_since(before)

    def sent_since(self, before: int) -> list[list[str]]:
        """What was sent since then, once all is sent."""
        self.warner._pool.submit(lambda: None).result(15)
        return [body["faults"] for body in self.web.posted[before:]]


@contextmanager
def _warner(**environment: str) -> Iterator[tuple[Warner, Clock]]:
    clock = Clock()
    warner = Warner(load({f"AIOPS_{name.upper()}": value for name, value in environment.items()}), clock)
    try:
        yield warner, clock
    finally:
        warner.close()


@pytest.fixture
def told() -> Iterator[Told]:
    """A warner with a webhook and a dead-man address."""
    with web() as server, _warner(warn_webhook=f"{server.url}/warn", dead_man_url=f"{server.url}/alive") as (warner, clock):
        yield Told(warner, clock, server)


def test_a_fault_is_told_when_it_begins_once_an_hour_and_when_it_is_over(told: Told) -> None:
    assert told.after(0) == []
    assert told.after(10, _DISK) == [[_DISK[1]]]
    assert told.after(10, _DISK) == []
    assert told.after(_HOUR - 11, ("disk", "the disk has 8% free")) == [], "its words change, it does not"
    assert told.after(1, ("disk", "the disk has 7% free")) == [["the disk has 7% free"]]
    assert told.after(10) == [["over: disk"]]
    assert told.after(10) == []
    assert told.after(10, _DISK) == [[_DISK[1]]], "it is new again"


def test_several_faults_are_told_in_one_message_and_each_ends_by_itself(told: Told) -> None:
    assert told.after(0, _DISK, _TICK) == [[_DISK[1], _TICK[1]]]
    assert told.after(10, _TICK) == [["over: disk"]]
    assert told.after(10, _DISK) == [[_DISK[1], "over: tick"]]
    body = told.web.posted[0]
    assert (body["text"], body["address"]) == (f"{_DISK[1]}\n{_TICK[1]}", "http://localhost:3000")
    assert body["host"]


def test_what_is_over_already_is_told_at_most_once_a_minute_each(told: Told) -> None:
    told.warner.happened("web", "web ended by SIGKILL")
    told.warner.happened("web", "web ended by SIGKILL")
    told.warner.happened("worker", "worker ended with exit code 1")
    assert told.sent_since(0) == [["web ended by SIGKILL"], ["worker ended with exit code 1"]]
    told.clock.now += _MINUTE - 1
    told.warner.happened("web", "again")
    assert told.sent_since(2) == []
    told.clock.now += 1
    told.warner.happened("web", "and again")
    assert told.sent_since(2) == [["and again"]]


def test_the_dead_man_address_is_fetched_every_minute_and_only_while_all_is_well(told: Told) -> None:
    fetched = []
    for seconds, faults in ((0, ()), (59, ()), (1, ()), (60, (_DISK,)), (60, (_DISK,)), (10, ()), (10, ())):
        told.after(seconds, *faults)
        fetched.append(len(told.web.fetched))
    assert fetched == [1, 1, 2, 2, 2, 3, 3]
    assert set(told.web.fetched) == {"/alive"}


def test_facts_are_logged_once_with_their_names(told: Told) -> None:
    with capture_logs() as logged:
        told.after(0, _DISK)
        told.after(10, _DISK)
        told.after(10)
        told.warner.happened("web", "web ended by SIGKILL")
    assert [(entry["event"], entry.get("fault") or entry.get("what")) for entry in logged] == [
        ("supervisor.fault", "disk"),
        ("supervisor.over", "disk"),
        ("supervisor.happened", "web"),
    ]


@pytest.mark.parametrize(
    ("url", "error", "why"),
    [
        ("http://127.0.0.1:1/s3cret-path", "ConnectError", "nobody is there"),
        ("refused", "HTTPStatusError", "it answers, and refuses"),
        ("http://host:s3cret", "InvalidURL", "it is no address"),
    ],
)
def test_a_webhook_that_fails_is_logged_without_its_address_and_the_mail_is_sent(url: str, error: str, why: str) -> None:
    assert port_is_free(1)
    with web() as server, mail() as post, capture_logs() as logged:
        server.status = 500
        hook = f"{server.url}/s3cret" if url == "refused" else url
        by_mail = {"warn_email": "ops@acme.example", "smtp_url": f"smtp://127.0.0.1:{post.port}"}
        with _warner(warn_webhook=hook, dead_man_url=hook, **by_mail) as (warner, _):
            warner.tell([])
            warner.tell([_DISK])
    assert {entry["event"]: entry.get("error") for entry in logged if "fail" in entry["event"]} == {
        "supervisor.dead_man_failed": error,
        "supervisor.warning_failed": error,
    }, why
    assert "s3cret" not in repr(logged), why
    assert len(post.messages) == 1, why


def test_a_mail_says_the_faults_to_whom_the_settings_name() -> None:
    with mail() as post:
        duty = ("duty vacuum", "the duty failed: no\nsuch table – “x”\nBcc: eve@evil.example")
        _send_by(post, duty, _DISK, smtp_from="aiops@acme.example")
    sent = message_from_string(post.messages[0])
    assert (sent["To"], sent["From"], sent["Bcc"]) == ("ops@acme.example", "aiops@acme.example", None)
    subject = str(make_header(decode_header(sent["Subject"])))
    assert "the duty failed: no such table – “x” Bcc: eve@evil.example" in " ".join(subject.split()), "in one line, as a subject must be"
    body = sent.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert _DISK[1] in body.decode() and "http://localhost:3000" in body.decode()
    assert post.signed_in == [], "no credentials are set"


def test_the_mail_server_gets_the_credentials_and_the_log_does_not() -> None:
    with mail() as post, capture_logs() as logged:
        _send_by(post, _DISK, user="aiops:s3cr%2Fet@")
    assert post.signed_in == [("aiops", "s3cr/et")]
    assert len(post.messages) == 1
    assert "s3cr" not in repr(logged)


def test_where_the_mail_server_offers_tls_the_password_is_never_sent_without_it() -> None:
    with mail("STARTTLS", "AUTH PLAIN") as post, capture_logs() as logged:
        _send_by(post, _DISK, user="aiops:s3cret@")
    assert post.commands[:2] == ["EHLO", "STARTTLS"]
    assert (post.signed_in, post.messages) == ([], [])
    assert [entry["by"] for entry in logged if entry["event"] == "supervisor.warning_failed"] == ["mail"]
    assert "s3cret" not in repr(logged)


def _send_by(post: Mail, *faults: tuple[str, str], user: str = "", smtp_from: str = "") -> None:
    with _warner(warn_email="ops@acme.example", smtp_url=f"smtp://{user}127.0.0.1:{post.port}", smtp_from=smtp_from) as (warner, _):
        warner.tell(faults)
