"""How does each failure leave? (RFC 9457, whole, whatever failed)"""

from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import pytest
from fastapi import FastAPI

from engine.api import allow_origins
from engine.model.vocabulary import Role
from engine.serving import Web
from tests.api.clients import Client, Server, is_problem, serve
from tests.testkit.people import Company

TEAMS = "/api/v1/teams"


def test_nobody_known_is_401_and_told_how(server: Server) -> None:
    answer = server.anybody().get(TEAMS)
    assert is_problem(answer, 401, "not-signed-in")
    assert answer.headers["www-authenticate"].startswith("Bearer")


# what the Authorization header says, why it is nobody
NOBODY = [
    ("Basic YTpi", "another scheme"),
    ("Bearer", "no token"),
    ("Bearer aio_abcdefgh_" + "x" * 43, "an unknown token"),
    ("Bearer \xfc", "not even ASCII"),
]


@pytest.mark.parametrize(("sent", "why"), NOBODY)
def test_a_credential_that_is_none_is_401(server: Server, sent: str, why: str) -> None:
    answer = server.anybody("2001:db8::401").get(TEAMS, headers={"authorization": sent.encode("latin-1")})
    assert is_problem(answer, 401, "not-signed-in"), why


def test_a_known_caller_who_may_not_is_403(server: Server, acme: Company) -> None:
    answer = server.program(acme.owner, Role.VIEWER).post(TEAMS, {"name": "mine"})
    assert is_problem(answer, 403, "refused")
    assert "manage people" in answer.json()["detail"]


def test_what_is_not_there_is_404(server: Server, acme: Company) -> None:
    program = server.program(acme.owner)
    assert is_problem(program.get(f"{TEAMS}/{uuid4()}"), 404, "not-found")
    assert is_problem(program.get("/api/v1/nothing"), 404, "http-404")
    assert is_problem(program.get("/nowhere/else"), 404, "http-404")


def test_a_method_that_is_not_there_is_405(server: Server, acme: Company) -> None:
    answer = server.program(acme.owner)("PUT", TEAMS)
    assert is_problem(answer, 405, "http-405")
    assert "GET" in answer.headers["allow"]


def test_a_conflict_is_409(server: Server, acme: Company) -> None:
    assert is_problem(server.program(acme.owner).post(TEAMS, {"name": acme.red.name}), 409, "conflict")


def test_what_was_changed_meanwhile_is_412(server: Server, acme: Company) -> None:
    answer = server.program(acme.owner)("PATCH", f"{TEAMS}/{acme.red.id}", json={"name": "late"}, headers={"if-match": '"99"'})
    assert is_problem(answer, 412, "changed-meanwhile")


def test_a_body_that_is_too_large_is_413_by_its_announced_length(scratch: object, acme: Company) -> None:
    small = serve(str(scratch), body_limit_bytes="2048")
    assert is_problem(small.program(acme.owner).post(TEAMS, {"name": "x" * 3000}), 413, "too-large")
    assert is_problem(small.anybody().form("/auth/sign-in", {"email": "x" * 3000}), 413, "too-large")


def test_a_body_that_is_too_large_is_413_though_it_announces_nothing(scratch: object, acme: Company) -> None:
    small = serve(str(scratch), body_limit_bytes="2048")

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b'"' + b"x" * 300

    for who, path, kind in (
        (small.program(acme.owner), TEAMS, "application/json"),
        (small.anybody(), "/auth/sign-in", "application/x-www-form-urlencoded"),
    ):
        answer = who("POST", path, content=chunks(), headers={"content-type": kind})
        assert "content-length" not in answer.request.headers
        assert is_problem(answer, 413, "too-large")


# method, path below /api/v1, body, the field that is named, why
INVALID = [
    ("POST", "/teams", {"name": ""}, "name", "empty"),
    ("POST", "/teams", {}, "name", "left out"),
    ("POST", "/teams", {"name": "x", "nmae": "y"}, "nmae", "an unknown field of the body"),
    ("POST", "/teams", [], "body", "a list in place of an object"),
    ("GET", "/teams?colour=red", None, "colour", "an unknown field of the query"),
    ("GET", "/teams/42", None, "team_id", "a part of the path that is no id"),
    ("GET", "/teams?limit=0", None, "limit", "below the least"),
    ("GET", "/teams?limit=201", None, "limit", "above the most"),
    ("GET", "/teams?page=ten", None, "page", "no number"),
    ("GET", "/teams?cursor=bm9uc2Vuc2U", None, "cursor", "not a cursor of ours"),
    ("GET", "/audit?since=2026-01-01T00:00:00", None, "since", "a time without its zone"),
    ("GET", "/audit?words=%00", None, "words", "a character that no text has"),
    ("POST", "/tokens", {"name": "x", "role": "god"}, "role", "a word that is no role"),
    ("POST", "/invitations", {"email": "nobody", "role": "viewer"}, "email", "no address"),
]


@pytest.mark.parametrize(("method", "path", "body", "field", "why"), INVALID)
def test_a_fault_of_the_input_is_422_and_names_the_field(
    server: Server, acme: Company, method: str, path: str, body: object, field: str, why: str
) -> None:
    answer = server.program(acme.owner)(method, f"/api/v1{path}", **({} if body is None else {"json": body}))
    assert is_problem(answer, 422, "invalid")
    assert [fault["field"] for fault in answer.json()["errors"]] == [field], why
    assert all(fault["message"] for fault in answer.json()["errors"])


def test_json_that_is_none_is_422(server: Server, acme: Company) -> None:
    for content in (b"{", b"\xff", b"[" * 900, b""):
        answer = server.program(acme.owner)("POST", TEAMS, content=content, headers={"content-type": "application/json"})
        assert is_problem(answer, 422, "invalid")
        assert [fault["field"] for fault in answer.json()["errors"]] == ["body"]


def test_several_faults_are_all_named(server: Server, acme: Company) -> None:
    answer = server.program(acme.owner).post("/api/v1/tokens", {"role": "god", "expires_in_days": 0})
    assert sorted(fault["field"] for fault in answer.json()["errors"]) == ["expires_in_days", "name", "role"]


def test_too_many_requests_are_429_with_the_time_to_wait(scratch: object, acme: Company) -> None:
    program = serve(str(scratch), rate_limit_per_minute="10").program(acme.owner)
    answers = [program.get(TEAMS) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert is_problem(answers[-1], 429, "too-many")
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60


def test_a_fault_of_ours_is_500_and_tells_nothing_of_the_inside(server: Server) -> None:
    web = Web(server.settings)

    @web.api.get("/api/v1/broken")
    def broken() -> None:
        raise RuntimeError("the password is hunter2")

    answer = Client(web.guard(allow_origins(web.api, server.settings))).get("/api/v1/broken")
    assert is_problem(answer, 500, "error")
    assert "hunter2" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_database_that_is_away_is_503_and_says_when_to_come_again(server: Server, acme: Company, away: Callable[[], None]) -> None:
    program = server.program(acme.owner)
    away()
    answer = program.get(TEAMS)
    assert is_problem(answer, 503, "unavailable")
    assert answer.headers["retry-after"] == "5"


def test_every_problem_of_the_contract_is_a_problem_document() -> None:
    api: FastAPI = Web(serve("/nonexistent").settings).api
    for path, methods in api.openapi()["paths"].items():
        for method, operation in methods.items():
            if not path.startswith("/api/v1"):
                continue
            for code in ("401", "403", "422", "429", "503"):
                content = operation["responses"][code]["content"]
                assert content["application/problem+json"]["schema"]["$ref"].endswith("/Problem"), (method, path, code)
                assert list(content) == ["application/problem+json"], (method, path, code)
