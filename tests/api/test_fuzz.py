"""Does anything that can be sent make us fail? (derived from the contract; always the same examples)"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from engine.api import build_api
from engine.model.vocabulary import Role
from engine.operations import tokens
from engine.settings import load
from tests.api.clients import PROBLEM, Client, Server
from tests.conftest import TestDatabase
from tests.factories import Company, found_company

SPEC = build_api(load({"AIOPS_DATA_DIR": "/nonexistent"}), "0").openapi()
ENTRIES = [
    (method.upper(), path, entry)
    for path, methods in SPEC["paths"].items()
    for method, entry in methods.items()
    if path.startswith("/api/v1") and entry["operationId"] != "sessions_open"
]
# What parsers, databases and logs have stumbled over.
NASTY = [
    *("", " ", "0", "-1", "null", "true", "1e309", "NaN", "\x00", "a\x00b", "\r\nX: y", "\x1b[31m", "\u202e", "\u0130", "%00", "%", "_"),
    *("../../etc/passwd", "' OR 1=1 --", "{{7*7}}", "<script>", "9" * 40, "x" * 5000, "2026-13-45", "0001-01-01T00:00:00Z"),
    *("9999-12-31T23:59:59-14:00", "2026-01-01", "W10", "W3sidSI6ICJ4In1d", "WzFd", "bnVsbA", "W251bGxd", "Infinity", "१२३", "²"),
]
_text = st.one_of(st.sampled_from(NASTY), st.text(max_size=20), st.uuids().map(str))
_leaf = st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), _text)
_json = st.recursive(_leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3), max_leaves=6)


@dataclass(frozen=True)
class Sent:
    """One request."""

    method: str
    path: str
    query: str
    body: Any
    headers: dict[str, bytes]


def _known(schema: dict[str, Any]) -> SearchStrategy[Any]:
    """Values that a schema takes, roughly: so that requests also get past the first check."""
    if reference := schema.get("$ref"):
        return _known(SPEC["components"]["schemas"][reference.rpartition("/")[2]])
    if options := schema.get("anyOf"):
        return st.one_of(*(_known(option) for option in options))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema.get("type")
    if kind == "array":
        return st.lists(_known(schema["items"]), max_size=4)
    if kind == "integer":
        return st.integers(schema.get("minimum", 0), schema.get("maximum", 10_000))
    if kind == "object":
        parts = {name: _known(part) for name, part in schema.get("properties", {}).items()}
        needed = {name: part for name, part in parts.items() if name in schema.get("required", [])}
        return st.fixed_dictionaries(needed, optional={name: part for name, part in parts.items() if name not in needed})
    formats = {"uuid": st.sampled_from(_ids).map(str) | st.uuids().map(str), "date-time": st.datetimes().map(lambda t: f"{t.isoformat()}Z")}
    return formats.get(schema.get("format", ""), st.sampled_from(["Name", "x@example.com", "Europe/Berlin"]) | _text)


_ids: list[UUID] = [UUID(int=0)]


@st.composite
def requests(draw: st.DrawFn) -> Sent:
    """A request to one of the routes: right, nearly right, or nonsense."""
    method, path, entry = draw(st.sampled_from(ENTRIES))
    query = []
    for parameter in entry.get("parameters", []):
        value = draw(_mostly(_known(parameter["schema"]), _text))
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", quote(str(value), safe="") or "-")
        elif draw(st.booleans()):
            query.append(f"{parameter['name']}={quote(str(value), safe='')}")
    if draw(st.integers(0, 9)) == 0:
        query.append(f"{quote(draw(_text), safe='')}={quote(draw(_text), safe='')}")
    content = entry.get("requestBody", {}).get("content", {}).get("application/json", {})
    body = draw(_mostly(_known(content["schema"]), _json)) if content else None
    names = st.sampled_from(["if-match", "if-none-match", "idempotency-key", "x-trace-id", "x-forwarded-for", "accept", "origin"])
    values = st.binary(max_size=12).map(_sendable) | st.sampled_from([b'"1"', b"*", b"key", b"\xb2"])
    headers = draw(_mostly(st.just({}), st.dictionaries(names, values, max_size=2)))
    return Sent(method, path, "&".join(query), body, headers)


def _mostly(usual: SearchStrategy[Any], seldom: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """The usual in three cases of four."""
    return st.integers(0, 3).flatmap(lambda number: usual if number else seldom)


def _sendable(raw: bytes) -> bytes:
    """What a server's parser lets through in a header."""
    return bytes(byte for byte in raw if byte >= 0x20 and byte != 0x7F).strip()


@pytest.fixture(scope="module")
def playground(shared: TestDatabase, scratch: Any) -> Iterator[Company]:
    """A company that may be wrecked, and ids of it that requests name."""
    shared.open_door(scratch)
    company = found_company(shared.database, "Playground")
    _ids[:] = [company.red.id, company.blue.id, company.viewer.id, company.operator.id, company.id]
    yield company


@pytest.fixture(scope="module")
def callers(server: Server, playground: Company) -> list[Callable[[], Client]]:
    """The owner's program, and a page of an admin, who may lose the session by any request."""
    token = tokens.create(playground.owner, "fuzz", Role.OWNER).secret.get_secret_value()
    return [lambda: server.bearer(token), lambda: server.browser(playground.admin)]


@given(request=requests(), who=st.integers(0, 1))
@settings(max_examples=400, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_sent_is_answered_in_order(callers: list[Callable[[], Client]], request: Sent, who: int) -> None:
    content = {} if request.body is None else {"content": json.dumps(request.body), "headers": {"content-type": "application/json"}}
    headers = {**content.pop("headers", {}), **request.headers}  # type: ignore[dict-item]
    answer = callers[who]()(request.method, f"{request.path}?{request.query}", headers=headers, **content)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == PROBLEM, answer.text
        assert answer.json()["status"] == answer.status_code and answer.json()["detail"]
        return
    assert answer.headers["x-trace-id"] and answer.headers["content-security-policy"]
    assert "data" in answer.json() if answer.status_code not in (204, 304) else answer.content == b""
