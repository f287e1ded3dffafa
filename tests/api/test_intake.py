"""Who may deliver, and what becomes of what is delivered? (scenario S7)"""

import base64
import gzip
import hmac
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from engine.model.sources import NewSource
from engine.model.vocabulary import SourceAuth
from engine.operations import sources
from engine.operations.door import runtime
from engine.storage.work import Tenant, work
from tests.api.clients import PROBLEM, Client, Server
from tests.pipeline.stored import Line
from tests.testkit.asking import written
from tests.testkit.deliveries import rows
from tests.testkit.people import Company

ALERT = {"status": "firing", "labels": {"alertname": "DiskFull"}}
GROUP: dict[str, Any] = {"version": "4", "status": "firing", "alerts": [ALERT]}
KEY = "‹credential›"


@pytest.fixture(autouse=True)
def _nothing_is_remembered(server: Server) -> Iterator[None]:
    """No bus listens here, so what it would do is done by hand: sources are forgotten."""
    forget(server)
    yield


def forget(server: Server) -> None:
    """A source has changed."""
    server.app._intake.senders.forget()  # pyright: ignore[reportAttributeAccessIssue]


def made(company: Company, kind: str = "alertmanager", **more: Any) -> NewSource:
    """A new source."""
    return sources.create(company.owner, kind, f"{kind} {uuid4().hex[:8]}", **more)


def secret(new: NewSource) -> str:
    """What its sender was given."""
    assert new.secret is not None
    return new.secret.get_secret_value()


def path(new: NewSource) -> str:
    """Where its sender posts to."""
    return f"/webhook/{new.source.kind}/{new.source.public_id}"


def sender(server: Server, new: NewSource, address: str = "203.0.113.9") -> Client:
    """Its sender, with the right credential."""
    return server.anybody(address, authorization=f"Bearer {secret(new)}")


def tenant(company: Company) -> Tenant:
    """The company as a worker sees it."""
    return Tenant(company.id, all_teams=True)


def found(company: Company, sql: str, new: NewSource) -> list[Any]:
    """Rows of the company about a source."""
    with work(runtime().database, tenant(company)) as open_work:
        return rows(open_work, f"{sql} WHERE source_id = :id ORDER BY id", id=new.source.id)


def kept(company: Company, new: NewSource) -> list[Any]:
    """Deliveries that are on disk."""
    return found(company, "SELECT * FROM inbox", new)


def aside(company: Company, new: NewSource) -> list[Any]:
    """What was refused and kept."""
    return found(company, "SELECT * FROM quarantine", new)


def refused_as(answer: httpx.Response, status: int, slug: str) -> bool:
    """Whether the answer is that problem document."""
    body = answer.json()
    named = body["type"] == f"/api/docs#{slug}" and body["title"] and body["detail"] and len(body["trace_id"]) >= 8
    return bool(named) and answer.status_code == body["status"] == status and answer.headers["content-type"] == PROBLEM


# Taking


def test_a_delivery_is_kept_as_it_came_before_it_is_answered(server: Server, acme: Company) -> None:
    new, body = made(acme), json.dumps(GROUP, indent=3).encode()
    answer = sender(server, new).post(path(new), content=body)
    (row,) = kept(acme, new)
    assert (answer.status_code, answer.json()) == (202, {"delivery": str(row.id), "accepted": 1, "rejected": []})
    assert (row.body, row.kind, row.alerts, row.headers) == (body, "alertmanager", 1, {})
    with work(runtime().database, tenant(acme)) as open_work:
        assert len(rows(open_work, "SELECT 1 FROM pending WHERE id = :id", id=row.id)) == 1
        assert rows(open_work, "SELECT due_at FROM lane WHERE org_id = :o AND kind = 'inbox'", o=acme.id)[0].due_at is not None


def test_the_answer_is_no_page_and_is_kept_by_nobody(server: Server, acme: Company) -> None:
    new = made(acme)
    answer = sender(server, new).post(path(new), GROUP)
    assert answer.headers["content-type"] == "application/json"
    assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == ("no-store", "nosniff")
    assert answer.headers["x-trace-id"]


def test_alerts_that_are_none_are_reported_by_their_place_and_the_others_are_taken(server: Server, acme: Company) -> None:
    new = made(acme, "generic")
    answer = sender(server, new).post(path(new), [{"title": "One"}, 7, {"title": "Two"}, []])
    said = answer.json()
    assert (answer.status_code, said["accepted"]) == (202, 2)
    assert said["rejected"] == [{"index": index, "reason": "An alert must be an object."} for index in (1, 3)]
    assert (len(kept(acme, new)), aside(acme, new)) == (1, [])


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("alertmanager", b"not json"),
        ("alertmanager", b'{"alerts": 7}'),
        ("alertmanager", b""),
        ("alertmanager", b"\xff\xfe{}"),
        ("prometheus", b"{}"),
        ("generic", b"7"),
        ("generic", b"[7, 8]"),
        ("pagerduty", b'{"event_action": "trigger"}'),
    ],
)
def test_what_cannot_be_understood_is_answered_with_a_problem_and_kept_aside(server: Server, acme: Company, kind: str, body: bytes) -> None:
    new = made(acme, kind)
    answer = sender(server, new).post(path(new), content=body)
    assert refused_as(answer, 422, "not-understood")
    (row,) = aside(acme, new)
    assert (row.body, row.reason, row.state, kept(acme, new)) == (body, answer.json()["detail"], "waiting", [])
    view = sources.show(acme.owner, new.source.id)
    assert (view.failures, view.last_failure, view.deliveries) == (1, row.reason, 0)


def test_a_problem_has_the_headers_of_every_answer(server: Server, acme: Company) -> None:
    for answer in (server.anybody().post(path(made(acme)), GROUP), server.anybody().post("/webhook/nothing", GROUP)):
        assert answer.headers.get("x-trace-id") == answer.json()["trace_id"], "by which it is found in the logs"
        assert (answer.headers.get("x-content-type-options"), answer.headers.get("cache-control")) == ("nosniff", "no-store")


# Addresses


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("alertmanager", "/webhook/alertmanager/{id}"),
        ("alertmanager", "/webhook/alertmanager/{id}/"),
        ("alertmanager", "/webhook/alerts/{id}"),
        ("alertmanager", "/webhook/alertmanager"),
        ("alertmanager", "/webhook/alerts"),
        ("prometheus", "/webhook/prometheus/{id}/api/v2/alerts"),
        ("prometheus", "/webhook/prometheus/api/v2/alerts"),
        ("prometheus", "/api/v2/alerts"),
        ("prometheus", "/api/v2/alerts/"),
    ],
)
def test_every_address_that_a_sender_may_be_told_leads_to_its_source(server: Server, acme: Company, kind: str, address: str) -> None:
    new = made(acme, kind)
    body: Any = GROUP if kind == "alertmanager" else [{"labels": {"alertname": "DiskFull"}}]
    answer = sender(server, new).post(address.format(id=new.source.public_id), body)
    assert answer.is_success
    assert len(kept(acme, new)) == 1


def test_prometheus_is_answered_as_alertmanager_answers_it(server: Server, acme: Company) -> None:
    new = made(acme, "prometheus")
    answer = sender(server, new).post("/api/v2/alerts", [{"labels": {"alertname": "DiskFull"}}])
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")


@pytest.mark.parametrize("address", ["/webhook/nothing", "/webhook/nothing/x", "/webhook/", "/webhook/alertmanager/a/b", "/webhook"])
def test_an_address_of_nothing_is_a_problem_and_no_page(server: Server, address: str) -> None:
    assert server.anybody().post(address, GROUP).status_code == 404


def test_only_a_post_is_a_delivery(server: Server, acme: Company) -> None:
    new = made(acme)
    for method in ("GET", "PUT", "DELETE"):
        assert sender(server, new)(method, path(new)).status_code in (404, 405)
    assert kept(acme, new) == []


# Credentials


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"authorization": "Bearer {secret}"}, "the usual one"),
        ({"authorization": "bearer {secret}"}, "whatever its case"),
        ({"authorization": "GenieKey {secret}"}, "whatever a sender calls it"),
        ({"x-api-key": "{secret}"}, "for senders that have a header of their own"),
    ],
)
def test_a_credential_in_a_header_names_its_source(server: Server, acme: Company, form: dict[str, str], why: str) -> None:
    new = made(acme)
    headers = {name: value.format(secret=secret(new)) for name, value in form.items()}
    assert server.anybody(**headers).post("/webhook/alertmanager", GROUP).status_code == 202, why
    assert server.anybody(**headers).post(path(new), GROUP).status_code == 202, why


@pytest.mark.parametrize("halves", ["{secret}:x", "x:{secret}", ":{secret}", "{secret}:"])
def test_a_credential_is_either_half_of_basic(server: Server, acme: Company, halves: str) -> None:
    new = made(acme)
    basic = base64.b64encode(halves.format(secret=secret(new)).encode()).decode()
    assert server.anybody(authorization=f"Basic {basic}").post("/webhook/alertmanager", GROUP).status_code == 202


def event(key: str, **more: Any) -> dict[str, Any]:
    """An event as senders post it to PagerDuty."""
    payload = {"summary": f"Disk full {key}", "source": "db-1", "severity": "critical", "custom_details": {"again": key}}
    return {"routing_key": key, "event_action": "trigger", "dedup_key": "k", "payload": payload} | more


def test_pagerduty_s_routing_key_names_its_source_and_is_never_kept(server: Server, acme: Company) -> None:
    new = made(acme, "pagerduty")
    body = event(secret(new))
    body["payload"] = {"summary": "Disk full", "source": "db-1", "severity": "critical"}
    answer = server.anybody().post("/webhook/pagerduty", body)
    assert (answer.status_code, answer.json()) == (202, {"status": "success", "message": "Event processed", "dedup_key": "k"})
    (row,) = kept(acme, new)
    assert secret(new) not in row.body.decode()
    assert json.loads(row.body)["routing_key"] == KEY


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"event_action": "trigger"}, "what cannot be understood is kept aside without it"),
        ({"event_action": "nothing", "payload": {"summary": "x"}}, "whatever is wrong with it"),
    ],
)
def test_the_routing_key_is_not_in_the_quarantine_either(server: Server, acme: Company, body: dict[str, Any], why: str) -> None:
    new = made(acme, "pagerduty")
    assert server.anybody().post("/webhook/pagerduty", {"routing_key": secret(new)} | body).status_code == 422
    (row,) = aside(acme, new)
    assert (secret(new) in row.body.decode(), KEY in row.body.decode()) == (False, True), why


def test_a_routing_key_written_with_escapes_is_not_kept_either(server: Server, acme: Company) -> None:
    new = made(acme, "pagerduty")
    raw = json.dumps({"routing_key": secret(new), "event_action": "trigger"}).replace("aio_", "\\u0061io_").encode()
    server.anybody().post("/webhook/pagerduty", content=raw)
    (row,) = aside(acme, new)
    assert secret(new)[4:] not in row.body.decode()


def test_a_routing_key_that_an_event_repeats_elsewhere_is_not_kept_there(server: Server, acme: Company) -> None:
    new = made(acme, "pagerduty")
    assert server.anybody().post("/webhook/pagerduty", event(secret(new))).status_code == 202
    (row,) = kept(acme, new)
    assert secret(new) not in row.body.decode()


@pytest.mark.parametrize("where", ["path", "no path"])
@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("nobody", "no credential"),
        ("stranger", "a credential of nobody"),
        ("other source", "the right one of another source"),
        ("other organization", "the right one of a source of another organization"),
        ("other kind", "the right one of a source of another kind"),
        ("half", "the public half with another secret"),
        ("user token", "what opens the API delivers nothing"),
        ("garbage", "no credential at all"),
    ],
)
def test_a_delivery_without_the_right_credential_is_refused_and_nothing_of_it_is_kept(
    server: Server, acme: Company, beta: Company, who: str, why: str, where: str
) -> None:
    new = made(acme)
    others = {"other source": made(acme), "other organization": made(beta), "other kind": made(acme, "generic")}
    if where == "no path" and who in ("other source", "other organization"):
        return  # it is a right one there
    known = secret(new)
    tokens = {
        "nobody": None,
        "stranger": "aio_aaaaaaaa_" + "x" * 43,
        "half": known[:13] + "x" * 43,
        "garbage": "é\x01 not a token",
        **{name: secret(each) for name, each in others.items()},
    }
    client = server.program(acme.owner) if who == "user token" else server.anybody()
    headers: dict[str, Any] = {} if tokens.get(who) is None else {"authorization": f"Bearer {tokens[who]}".encode()}
    before = [len(kept(company, each)) for company, each in ((acme, new), (beta, others["other organization"]))]
    answer = client.post(path(new) if where == "path" else "/webhook/alertmanager", GROUP, headers=headers)
    assert refused_as(answer, 401, "not-signed-in"), why
    assert [len(kept(company, each)) for company, each in ((acme, new), (beta, others["other organization"]))] == before == [0, 0]
    assert (aside(acme, new), kept(acme, others["other source"]), kept(acme, others["other kind"])) == ([], [], [])


def test_a_refusal_says_the_same_whether_there_is_such_a_source_or_not(server: Server, acme: Company) -> None:
    new = made(acme)
    there, nowhere = (server.anybody().post(address, GROUP).json() for address in (path(new), "/webhook/alertmanager/nowhere1"))
    assert there["detail"] == nowhere["detail"]


def test_a_source_that_was_deleted_takes_nothing(server: Server, acme: Company) -> None:
    new = made(acme)
    assert sender(server, new).post(path(new), GROUP).status_code == 202
    sources.delete(acme.owner, new.source.id)
    forget(server)
    assert sender(server, new).post(path(new), GROUP).status_code == 401
    assert len(kept(acme, new)) == 1


def test_a_paused_source_takes_nothing_and_says_so_only_to_its_own_sender(server: Server, acme: Company) -> None:
    new = made(acme)
    sources.pause(acme.owner, new.source.id)
    assert refused_as(sender(server, new).post(path(new), GROUP), 403, "refused")
    assert server.anybody().post(path(new), GROUP).status_code == 401
    assert kept(acme, new) == aside(acme, new) == []
    sources.pause(acme.owner, new.source.id, False)
    forget(server)
    assert sender(server, new).post(path(new), GROUP).status_code == 202


def test_two_secrets_are_valid_while_one_replaces_the_other(server: Server, acme: Company) -> None:
    first = made(acme)
    second = sources.rotate(acme.owner, first.source.id, 24)
    forget(server)
    assert [sender(server, each).post(path(first), GROUP).status_code for each in (first, second)] == [202, 202]
    third = sources.rotate(acme.owner, first.source.id, 24)
    forget(server)
    assert [sender(server, each).post(path(first), GROUP).status_code for each in (first, second, third)] == [401, 202, 202]


def test_the_old_secret_ends_even_while_its_source_is_remembered(server: Server, acme: Company) -> None:
    first = made(acme)
    second = sources.rotate(acme.owner, first.source.id, 24)
    soon = runtime_now() + timedelta(seconds=0.6)
    set_end = "UPDATE source_credential SET expires_at = :soon WHERE source_id = :id AND expires_at IS NOT NULL"
    written(tenant(acme), set_end, soon=soon, id=first.source.id)
    forget(server)
    assert sender(server, first).post(path(first), GROUP).status_code == 202
    time.sleep(0.8)
    assert sender(server, first).post(path(first), GROUP).status_code == 401
    assert sender(server, second).post(path(first), GROUP).status_code == 202


def runtime_now() -> Any:
    """The clock of the database."""
    with work(runtime().database, Tenant()) as open_work:
        return open_work.now


def test_a_rotation_without_overlap_ends_the_old_secret_at_once(server: Server, acme: Company) -> None:
    first = made(acme)
    second = sources.rotate(acme.owner, first.source.id, 0)
    forget(server)
    assert [sender(server, each).post(path(first), GROUP).status_code for each in (first, second)] == [401, 202]


# Where it comes from


@pytest.mark.parametrize(
    ("address", "status", "why"),
    [
        ("10.1.2.3", 202, "in the first network"),
        ("2001:db8::7", 202, "in the second"),
        ("10.2.0.1", 401, "in none"),
        ("::ffff:10.1.2.3", 202, "the same address as a socket of both families says it"),
        ("not an address", 401, "unknown is nowhere"),
    ],
)
def test_a_source_with_networks_takes_only_what_comes_from_there(
    server: Server, acme: Company, address: str, status: int, why: str
) -> None:
    new = made(acme, networks=["10.1.0.0/16", "2001:db8::/32"])
    assert sender(server, new, address).post(path(new), GROUP).status_code == status, why
    by_address = made(acme, auth=SourceAuth.ADDRESS, networks=["10.1.0.0/16", "2001:db8::/32"])
    assert server.anybody(address).post(path(by_address), GROUP).status_code == status, why
    assert len(kept(acme, new)) == len(kept(acme, by_address)) == (status == 202)


def test_a_network_does_not_replace_the_secret(server: Server, acme: Company) -> None:
    new = made(acme, networks=["10.1.0.0/16"])
    assert server.anybody("10.1.2.3").post(path(new), GROUP).status_code == 401


# Signatures


BODY = json.dumps(GROUP).encode()


def signature(key: str, body: bytes = BODY, stamp: float | None = None) -> str:
    """The signature of a body, with a time if there is one."""
    if stamp is None:
        return "sha256=" + hmac.digest(key.encode(), body, "sha256").hex()
    at = str(int(stamp))
    return f"t={at},v1=" + hmac.digest(key.encode(), at.encode() + b"." + body, "sha256").hex()


def signing(acme: Company, **more: Any) -> NewSource:
    """A source whose sender signs."""
    return made(acme, auth=SourceAuth.SIGNATURE, signature_header="X-Hub-Signature-256", **more)


def post_signed(server: Server, new: NewSource, said: str | None, body: bytes = BODY) -> httpx.Response:
    """A delivery with that signature."""
    headers = {} if said is None else {"X-Hub-Signature-256": said}
    return server.anybody().post(path(new), content=body, headers=headers)


@pytest.mark.parametrize("stamped", [False, True])
def test_a_signed_body_is_taken_and_a_changed_one_is_not(server: Server, acme: Company, stamped: bool) -> None:
    new = signing(acme)
    said = signature(secret(new), stamp=time.time() if stamped else None)
    assert post_signed(server, new, said).status_code == 202
    again = json.dumps(json.loads(BODY), separators=(",", ":")).encode()
    assert post_signed(server, new, said, again).status_code == 401, "the bytes are signed, not what they mean"
    assert len(kept(acme, new)) == 1


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (None, "none"),
        ("", "an empty one"),
        ("sha256=", "half of one"),
        ("sha256=" + "0" * 64, "a wrong one"),
        ("t=1,v1=" + "0" * 64, "a wrong old one"),
        (",,,=,t=,v1=", "rubbish"),
    ],
)
def test_without_the_right_signature_nothing_is_taken(server: Server, acme: Company, said: str | None, why: str) -> None:
    new = signing(acme)
    assert refused_as(post_signed(server, new, said), 401, "not-signed-in"), why
    assert kept(acme, new) == []


def test_the_secret_that_signs_is_no_credential_by_itself(server: Server, acme: Company) -> None:
    new = signing(acme)
    assert sender(server, new).post(path(new), GROUP).status_code == 401


def test_a_signature_with_an_old_time_is_not_taken(server: Server, acme: Company) -> None:
    new = signing(acme)
    for age, status in ((299, 202), (302, 401), (-310, 401)):
        assert post_signed(server, new, signature(secret(new), stamp=time.time() - age)).status_code == status


def test_a_zipped_body_is_signed_as_it_is_unpacked(server: Server, acme: Company) -> None:
    new = signing(acme)
    packed = gzip.compress(BODY)
    headers = {"X-Hub-Signature-256": signature(secret(new)), "content-encoding": "gzip"}
    assert server.anybody().post(path(new), content=packed, headers=headers).status_code == 202


def test_a_replay_of_a_signed_body_is_kept_and_counts_once(server: Server, acme: Company) -> None:
    new = signing(acme)
    said = signature(secret(new))
    assert [post_signed(server, new, said).status_code for _ in range(3)] == [202, 202, 202]
    line = Line(runtime().database, acme)
    line.apply_batch()
    (found,) = line.rows("SELECT count, deliveries FROM alert WHERE source_id = :id", id=new.source.id)
    assert tuple(found) == (1, 1)


def test_two_signing_secrets_are_valid_at_once_and_the_old_one_ends(server: Server, acme: Company) -> None:
    first = signing(acme)
    second = sources.rotate(acme.owner, first.source.id, 24)
    forget(server)
    assert [post_signed(server, first, signature(secret(each))).status_code for each in (first, second)] == [202, 202]
    third = sources.rotate(acme.owner, first.source.id, 24)
    forget(server)
    assert [post_signed(server, first, signature(secret(each))).status_code for each in (first, second, third)] == [401, 202, 202]


def test_the_secret_that_signs_lies_sealed_in_the_database(server: Server, acme: Company) -> None:
    new = signing(acme)
    (row,) = found(acme, "SELECT * FROM source_credential", new)
    assert row.secret_hash is None
    assert secret(new).encode() not in bytes(row.sealed)
    assert runtime().vault.open(bytes(row.sealed)) == secret(new)
    assert isinstance(row.id, UUID)
