"""Is the contract whole, and does a person find it?"""

import re

from engine.api import build_api
from engine.api.routes import ELSEWHERE, ROUTES
from engine.operations.door import OPERATIONS
from engine.settings import load
from tests.api.clients import Server, is_problem

SPEC = build_api(load({"AIOPS_DATA_DIR": "/nonexistent"}), "1.2.3").openapi()
ENTRIES = [(method, path, entry) for path, methods in SPEC["paths"].items() for method, entry in methods.items()]


def test_every_operation_is_a_route_or_says_where_it_is_instead() -> None:
    routed = [(route.operation.name, route.kind) for route in ROUTES]
    assert len(routed) == len(set(routed)), "one way to do a thing, for each kind of it"
    assert sorted({name for name, _ in routed} | set(ELSEWHERE)) == sorted(OPERATIONS)
    assert not {name for name, _ in routed} & set(ELSEWHERE)
    assert all(reason.strip() for reason in ELSEWHERE.values())


def test_the_contract_is_openapi_3_1_and_served_to_everybody(server: Server) -> None:
    assert SPEC["openapi"].startswith("3.1")
    assert SPEC["info"]["version"] == "1.2.3"
    assert server.anybody().get("/api/openapi.json").json()["paths"].keys() == SPEC["paths"].keys()


def test_operation_ids_are_there_and_unique() -> None:
    ids = [entry["operationId"] for _, path, entry in ENTRIES if path.startswith("/api/v1")]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z_]+", id) for id in ids)


def test_every_entry_says_what_it_does_and_what_it_needs() -> None:
    for method, path, entry in ENTRIES:
        if not path.startswith("/api/v1"):
            continue
        assert entry["summary"] and entry["tags"], (method, path)
        if entry["operationId"] not in ("sessions_open", "sessions_close"):
            assert re.search(r"Permission: `[a-z_]+`", entry["description"]), (method, path)


def test_every_reference_leads_somewhere() -> None:
    known = {f"#/components/schemas/{name}" for name in SPEC["components"]["schemas"]}
    assert set(re.findall(r"#/components/schemas/[^\"']+", str(SPEC))) <= known


def test_bodies_and_queries_refuse_what_they_do_not_know() -> None:
    for method, path, entry in ENTRIES:
        content = entry.get("requestBody", {}).get("content", {}).get("application/json")
        if (
            content and "$ref" in content["schema"] and not path.startswith("/api/v2")
        ):  # what senders and Alertmanager's clients post is theirs
            schema = SPEC["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
            assert schema["additionalProperties"] is False, (method, path)


def test_no_answer_of_the_contract_holds_a_hash_or_password() -> None:
    for name, schema in SPEC["components"]["schemas"].items():
        if name.startswith(("One", "Many")) or "View" in name:
            assert not [field for field in schema.get("properties", {}) if "hash" in field or "password" in field], name


def test_the_documentation_is_one_page_without_a_script(server: Server) -> None:
    answer = server.anybody().get("/api/docs")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src" not in policy
    assert "<script" not in answer.text and " on" + "click" not in answer.text and "http://" not in answer.text
    for _, path, _entry in ENTRIES:
        assert f"<code>{path}</code>" in answer.text


def test_the_framework_s_own_documentation_is_not_there(server: Server) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert is_problem(server.anybody().get(path), 404, "http-404")
