"""What happens to every request, whoever answers it?"""

import re
from ipaddress import ip_network
from pathlib import Path

import pytest

from engine.api.edge import real_address
from engine.model.vocabulary import Role
from engine.operations import audit
from tests.api.clients import Server, is_problem, serve
from tests.testkit.people import Company

TEAMS = "/api/v1/teams"

# the trace id sent, whether it is taken, why
TRACES = [
    ("deploy-2026.11.21_a", True, "letters, digits, dot, dash, underscore"),
    ("x" * 64, True, "the longest"),
    ("short", False, "too short to be unique"),
    ("x" * 65, False, "too long for a line"),
    ('abc"}\\n{"event":"forged', False, "would break a log line"),
    ("abcdefgh<script>", False, "would break a page"),
    ("кириллица", False, "not ASCII"),
]


@pytest.mark.parametrize(("sent", "is_taken", "why"), TRACES)
def test_a_trace_id_goes_in_and_out_and_garbage_is_replaced(server: Server, acme: Company, sent: str, is_taken: bool, why: str) -> None:
    answer = server.anybody().get(TEAMS, headers={"x-trace-id": sent.encode()})
    said = answer.headers["x-trace-id"]
    assert (said == sent) is is_taken, why
    assert is_taken or re.fullmatch(r"[0-9a-f]{32}", said)
    assert answer.json()["trace_id"] == said


def test_a_trace_id_reaches_the_record(server: Server, acme: Company) -> None:
    program = server.program(acme.owner)
    program("PATCH", f"{TEAMS}/{acme.red.id}", json={"name": acme.red.name}, headers={"x-trace-id": "trace-of-a-rename"})
    entry = audit.search(acme.owner, operation="teams.rename").items[0]
    assert (entry.trace_id, entry.address) == ("trace-of-a-rename", "203.0.113.9")


HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}


@pytest.mark.parametrize("path", [TEAMS, "/api/v1/nothing", "/health/live", "/auth/sign-in", "/api/openapi.json", "/metrics"])
def test_every_answer_carries_the_security_headers(server: Server, path: str) -> None:
    answer = server.anybody().get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "camera=()" in answer.headers["permissions-policy"]
    assert not {"server", "x-powered-by"} & set(answer.headers)
    assert "strict-transport-security" not in answer.headers, "without TLS it would lock people out"


def test_with_tls_browsers_are_told_to_stay_with_it(scratch: Path) -> None:
    answer = serve(str(scratch), public_url="https://ops.example.com").anybody().get("/health/live")
    assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"


def test_what_is_left_of_the_rate_is_said(scratch: Path, acme: Company) -> None:
    program = serve(str(scratch), rate_limit_per_minute="10").program(acme.owner)
    answer = [program.get(TEAMS) for _ in range(3)][-1]
    said = answer.headers
    assert (said["x-ratelimit-limit"], said["x-ratelimit-remaining"]) == ("10", "7")
    assert 1 <= int(said["x-ratelimit-reset"]) <= 61
    assert said["ratelimit-policy"] == '"default";q=10;w=60'
    assert re.fullmatch(r'"default";r=7;t=\d+', said["ratelimit"])


def test_each_credential_has_a_rate_of_its_own(scratch: Path, acme: Company) -> None:
    small = serve(str(scratch), rate_limit_per_minute="10")
    busy, calm = small.program(acme.owner), small.program(acme.owner, Role.VIEWER)
    assert [busy.get(TEAMS).status_code for _ in range(12)][-1] == 429
    refused = busy.get(TEAMS)
    assert (refused.headers["x-ratelimit-remaining"], refused.headers["ratelimit"].partition(";t=")[0]) == ("0", '"default";r=0')
    assert calm.get(TEAMS).status_code == 200


def test_made_up_credentials_do_not_lift_the_limit_of_an_address(scratch: Path) -> None:
    small = serve(str(scratch), rate_limit_per_minute="10")
    codes = [small.anybody("2001:db8::77", cookie=f"made=up{n}").get(TEAMS).status_code for n in range(101)]
    assert codes == [401] * 100 + [429]
    assert small.anybody("2001:db8::78").get(TEAMS).status_code == 401, "another address is free"


def test_health_and_pages_are_not_limited(scratch: Path) -> None:
    somebody = serve(str(scratch), rate_limit_per_minute="10").anybody("2001:db8::79")
    assert {somebody.get("/health/live").status_code for _ in range(30)} == {200}


PROXIES = [ip_network("10.0.0.0/8"), ip_network("2001:db8:1::/48")]
# peer, X-Forwarded-For lines, who it is, why
ADDRESSES = [
    ("198.51.100.1", [], "198.51.100.1", "nobody between us"),
    ("198.51.100.1", ["1.2.3.4"], "198.51.100.1", "a stranger may say what he likes"),
    ("10.0.0.1", ["203.0.113.7"], "203.0.113.7", "a trusted proxy says who it was"),
    ("10.0.0.1", ["1.2.3.4, 203.0.113.7"], "203.0.113.7", "what the sender wrote before is a claim"),
    ("10.0.0.1", ["1.2.3.4", "203.0.113.7"], "203.0.113.7", "also in a line of its own"),
    ("10.0.0.1", ["203.0.113.7, 10.0.0.2"], "203.0.113.7", "through two trusted proxies"),
    ("10.0.0.1", ["10.9.9.9"], "10.9.9.9", "somebody inside the trusted network"),
    ("10.0.0.1", ["203.0.113.7, garbage"], "10.0.0.1", "what is no address is not believed"),
    ("10.0.0.1", [""], "10.0.0.1", "an empty line"),
    ("10.0.0.1", [], "10.0.0.1", "the proxy itself"),
    ("2001:db8:1::5", ["2001:db8:2::9"], "2001:db8:2::9", "IPv6 alike"),
    ("10.0.0.1", ["203.0.113.7:4711"], "10.0.0.1", "an address with a port is none"),
    ("", ["203.0.113.7"], "", "a unix socket has no peer"),
]


@pytest.mark.parametrize(("peer", "forwarded", "address", "why"), ADDRESSES)
def test_the_sender_is_the_last_address_that_no_trusted_proxy_added(peer: str, forwarded: list[str], address: str, why: str) -> None:
    assert real_address(peer, forwarded, list(PROXIES)) == address, why


def test_nobody_escapes_the_throttle_by_naming_addresses(server: Server) -> None:
    def guess(number: int) -> int:
        spoofing = server.anybody("2001:db8::66")
        body = {"email": "nobody@example.com", "password": "a guess"}
        return spoofing.post("/api/v1/sessions", body, headers={"x-forwarded-for": f"198.51.100.{number}"}).status_code

    assert [guess(number) for number in range(6)] == [401] * 5 + [429]


def test_pages_of_allowed_origins_may_call_and_others_may_not(scratch: Path) -> None:
    open_to = serve(str(scratch), allowed_origins="https://chat.example.com")
    ask = {"access-control-request-method": "POST", "access-control-request-headers": "x-csrf-token"}
    allowed = open_to.anybody()("OPTIONS", TEAMS, headers=ask | {"origin": "https://chat.example.com"})
    assert allowed.headers["access-control-allow-origin"] == "https://chat.example.com"
    assert allowed.headers["access-control-allow-credentials"] == "true"
    refused = open_to.anybody()("OPTIONS", TEAMS, headers=ask | {"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in refused.headers
    assert "access-control-allow-origin" not in open_to.anybody().get(TEAMS, headers={"origin": "https://evil.example"}).headers


def test_a_body_of_just_the_limit_is_taken(scratch: Path, acme: Company) -> None:
    small = serve(str(scratch), body_limit_bytes="1024").program(acme.owner)
    start, end = b'{"name": "', b'"}'
    for length, slug in ((1024, "invalid"), (1025, "too-large")):
        content = start + b"x" * (length - len(start) - len(end)) + end
        answer = small("POST", TEAMS, content=content, headers={"content-type": "application/json"})
        assert is_problem(answer, 422 if slug == "invalid" else 413, slug)
