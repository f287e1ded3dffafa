"""What holds for every route: envelope, parts of a list, fields, versions, repeated requests, bulk."""

from uuid import uuid4

import pytest

from engine.model.vocabulary import Role
from engine.operations import teams
from engine.storage.database import Database
from tests.api.clients import Client, Server, is_problem
from tests.testkit.people import Company, found_company

TEAMS = "/api/v1/teams"


@pytest.fixture(scope="module")
def listed(shared: object, acme: Company) -> Company:
    """A company with seven teams, of which two have four members."""
    company = found_company(shared.database, "Listed")  # type: ignore[attr-defined]
    assert [len([*team.people.values()]) for team in (company.red, company.blue)] == [4, 4]
    for number in range(5):
        teams.create(company.owner, f"team {number}")
    return company


@pytest.fixture
def program(server: Server, listed: Company, database: Database) -> Client:
    """A program of its owner."""
    return server.program(listed.owner)


def _names(answer: object) -> list[str]:
    return [row["name"] for row in answer.json()["data"]]  # type: ignore[attr-defined]


ALL = ["Listed blue", "Listed red", "team 0", "team 1", "team 2", "team 3", "team 4"]


def test_one_thing_comes_in_an_envelope(program: Client, listed: Company) -> None:
    answer = program.get(f"{TEAMS}/{listed.red.id}")
    assert set(answer.json()) == {"data"}
    assert answer.json()["data"]["id"] == str(listed.red.id)


def test_a_list_comes_in_an_envelope_with_where_it_goes_on(program: Client) -> None:
    answer = program.get(TEAMS)
    assert _names(answer) == ALL
    assert answer.json()["pagination"] == {"next_cursor": None, "has_more": False, "total": 7, "total_is_capped": False}


def test_cursors_lead_through_a_list_once(program: Client) -> None:
    seen, cursor, parts = [], "", 0
    while cursor is not None:
        answer = program.get(f"{TEAMS}?limit=3" + (f"&cursor={cursor}" if cursor else ""))
        seen, cursor, parts = seen + _names(answer), answer.json()["pagination"]["next_cursor"], parts + 1
        assert answer.json()["pagination"]["has_more"] is (cursor is not None)
    assert (seen, parts) == (ALL, 3)


def test_a_cursor_stays_right_while_rows_arrive(server: Server, database: Database) -> None:
    owner = found_company(database, "Moving").whole().owner
    program = server.program(owner)
    first = program.get(f"{TEAMS}?limit=1")
    teams.create(owner, "AAA comes before")
    rest = program.get(f"{TEAMS}?limit=10&cursor={first.json()['pagination']['next_cursor']}")
    assert _names(first) + _names(rest) == ["Moving blue", "Moving red"]


# the query, the rows, why
PAGES = [
    ("page=1&page_size=3", ALL[:3], "the first page"),
    ("page=3&page_size=3", ALL[6:], "the last page is shorter"),
    ("page=4&page_size=3", [], "behind the end there is nothing"),
    ("page=2&page_size=3&cursor=x", ALL[3:6], "a page wins over a cursor"),
]


@pytest.mark.parametrize(("query", "rows", "why"), PAGES)
def test_pages_are_numbered_from_one(program: Client, query: str, rows: list[str], why: str) -> None:
    answer = program.get(f"{TEAMS}?{query}")
    assert _names(answer) == rows, why
    assert answer.json()["pagination"]["total"] == 7


def test_fields_leave_the_others_out(program: Client, listed: Company) -> None:
    assert program.get(f"{TEAMS}?fields=name,%20members&limit=1").json()["data"] == [{"name": ALL[0], "members": 4}]
    assert program.get(f"{TEAMS}/{listed.red.id}?fields=name").json()["data"] == {"name": "Listed red"}
    answer = program.get(f"{TEAMS}?fields=name,secret_hash")
    assert is_problem(answer, 422, "invalid") and "secret_hash" in answer.json()["detail"]


def test_a_version_is_the_etag_and_saves_the_answer(program: Client, listed: Company) -> None:
    path = f"{TEAMS}/{listed.red.id}"
    etag = program.get(path).headers["etag"]
    same = program.get(path, headers={"if-none-match": etag})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
    assert program.get(path, headers={"if-none-match": '"99"'}).status_code == 200


# what If-Match says, the status of a change, why
MATCHES = [
    (None, 200, "nobody asked"),
    ("*", 200, "any version will do"),
    ('"{}"', 200, "the version that was read"),
    ('W/"{}"', 200, "the same, as a proxy rewrites it"),
    ('"99"', 412, "a version that is not the current one"),
    ("yesterday", 422, "no ETag of ours"),
    ('"\xb2"', 422, "a digit that is no number"),
    ('"' + "9" * 30 + '"', 422, "no version is that long"),
]


@pytest.mark.parametrize(("sent", "status", "why"), MATCHES)
def test_a_change_can_ask_that_nobody_changed_the_thing_meanwhile(
    program: Client, listed: Company, sent: str | None, status: int, why: str
) -> None:
    path = f"{TEAMS}/{listed.blue.id}"
    version = program.get(path).headers["etag"].strip('"')
    headers = {} if sent is None else {"if-match": sent.format(version).encode("latin-1")}
    answer = program("PATCH", path, json={"name": "Listed blue"}, headers=headers)
    assert answer.status_code == status, why
    number = int(version.partition("-")[0]) + (status == 200)
    assert program.get(path).headers["etag"].startswith(f'"{number}-')


def test_an_etag_changes_with_what_is_shown_though_the_row_has_not(program: Client, server: Server, acme: Company) -> None:
    owner = server.program(acme.owner)
    path = f"{TEAMS}/{acme.red.id}"
    before = owner.get(path).headers["etag"]
    owner("PUT", f"{path}/members/{acme.viewer.id}", json={"role": "viewer"})
    assert owner.get(path, headers={"if-none-match": before}).status_code == 200, "it has a member more"


def test_a_repeated_request_happens_once_and_is_answered_the_same(server: Server, acme: Company) -> None:
    program, name = server.program(acme.owner), f"team {uuid4().hex}"
    key = {"idempotency-key": uuid4().hex}
    first, again = (program.post(TEAMS, {"name": name}, headers=key) for _ in range(2))
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert first.status_code == 201
    assert is_problem(program.post(TEAMS, {"name": f"{name} 2"}, headers=key), 409, "conflict")
    assert is_problem(program.post(TEAMS, {"name": name}), 409, "conflict"), "without the key it is tried again"


def test_a_repeated_request_without_an_answer_happens_once_too(server: Server, acme: Company) -> None:
    program, key = server.program(acme.owner), {"idempotency-key": uuid4().hex}
    team_id = teams.create(acme.owner, f"team {uuid4().hex}").id
    assert [program("DELETE", f"{TEAMS}/{team_id}", headers=key).status_code for _ in range(2)] == [204, 204]
    assert program("DELETE", f"{TEAMS}/{team_id}").status_code == 404


def test_an_answer_that_holds_a_secret_is_not_given_twice(server: Server, acme: Company) -> None:
    program, key = server.program(acme.owner), {"idempotency-key": uuid4().hex}
    first = program.post("/api/v1/tokens", {"name": "ci", "role": "viewer"}, headers=key)
    assert first.json()["data"]["secret"].startswith("aio_")
    again = program.post("/api/v1/tokens", {"name": "ci", "role": "viewer"}, headers=key)
    assert is_problem(again, 409, "conflict") and "shown only once" in again.json()["detail"]


@pytest.mark.parametrize("key", ["a b", "x" * 201, "ключ", ""])
def test_an_idempotency_key_that_is_none_is_422(server: Server, acme: Company, key: str) -> None:
    answer = server.program(acme.owner).post(TEAMS, {"name": "x"}, headers={"idempotency-key": key.encode()})
    assert is_problem(answer, 422, "invalid")
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


def test_a_key_means_nothing_when_reading(server: Server, acme: Company) -> None:
    program, key = server.program(acme.owner), {"idempotency-key": "reading"}
    assert program.get(TEAMS, headers=key).status_code == program.get("/api/v1/users", headers=key).status_code == 200


def test_a_bulk_act_answers_thing_by_thing(server: Server, acme: Company, beta: Company) -> None:
    program = server.program(acme.owner)
    mine = program.post("/api/v1/tokens", {"name": "ci", "role": "viewer"}).json()["data"]["id"]
    foreign = server.program(beta.owner).post("/api/v1/tokens", {"name": "ci", "role": "viewer"}).json()["data"]["id"]
    answer = program.post("/api/v1/tokens/revoke", {"ids": [mine, foreign]})
    assert answer.status_code == 200
    assert answer.json()["data"]["success"] == [mine]
    assert [set(row) for row in answer.json()["data"]["failed"]] == [{"id", "error"}]
    assert answer.json()["data"]["failed"][0]["id"] == foreign


def test_a_link_is_shown_to_who_asked_for_it(server: Server, acme: Company) -> None:
    answer = server.program(acme.owner).post("/api/v1/invitations", {"email": "new@example.com", "role": Role.VIEWER})
    assert answer.status_code == 201
    assert "/join?link=aio_" in answer.json()["data"]["url"]
    listed = server.program(acme.owner).get("/api/v1/invitations").text
    secret = answer.json()["data"]["url"].partition("link=")[2].split("_", 2)[2]  # the last part may hold a “_” of its own
    assert len(secret) > 20 and "link=" not in listed and secret not in listed


def test_a_job_can_be_followed(server: Server, acme: Company) -> None:
    program = server.program(acme.owner)
    asked = program.post("/api/v1/audit/verifications")
    assert asked.status_code == 202
    id = asked.json()["data"]["id"]
    assert program.get(f"/api/v1/jobs/{id}").json()["data"]["state"] == "waiting"
    assert program.post(f"/api/v1/jobs/{id}/cancel").json()["data"]["state"] == "cancelled"
    assert is_problem(program.post(f"/api/v1/jobs/{id}/cancel"), 409, "conflict")
