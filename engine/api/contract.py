"""How does the contract describe the addresses that deliveries come to?

They are served by plain ASGI, so the framework does not know them.
"""

from typing import Any

from engine.integrations.sources import ALIASES, KINDS

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_REFUSALS = {
    "401": "no credential of a source, or a wrong one: nothing was kept",
    "403": "the source is paused",
    "404": "there is no such kind of sender",
    "413": "larger than AIOPS_BODY_LIMIT_BYTES, also when unpacked",
    "415": "a Content-Encoding other than gzip",
    "422": "nothing in the body can be understood: it is in the quarantine",
    "429": "over a limit of this source; for kinds of senders that come again only after a 5xx it is a 503",
    "503": "nothing was kept; come again after Retry-After seconds",
}
_ACCEPTED = {
    "type": "object",
    "properties": {
        "delivery": {"type": "string", "format": "uuid"},
        "accepted": {"type": "integer", "description": "alerts taken"},
        "rejected": {
            "type": "array",
            "items": {"type": "object", "properties": {"index": {"type": "integer"}, "reason": {"type": "string"}}},
        },
    },
}


def paths() -> dict[str, Any]:
    """The paths of deliveries, for the contract."""
    kind = _parameter("kind", "the kind of the source", {"type": "string", "enum": sorted([*(kind.id for kind in KINDS), *ALIASES])})
    source = _parameter("source", "its public id, as on its page", {"type": "string", "pattern": "^[a-z0-9-]{4,40}$"})
    taken = {"202": _answer("on disk", _ACCEPTED), "200": {"description": "on disk, for senders that expect this"}}
    named = "Take a delivery of a source. What is answered with a 2xx is on disk."
    unnamed = "Take a delivery of the source that the credential names."
    drop_in = "Take alerts as an Alertmanager does: from Prometheus, vmalert or Loki's ruler."
    return {
        "/webhook/{kind}/{source}": {"post": _post("deliver", named, [kind, source], taken)},
        "/webhook/{kind}": {"post": _post("deliver_by_credential", unnamed, [kind], taken)},
        "/api/v2/alerts": {"post": _post("deliver_alerts", drop_in, [], {"200": {"description": "on disk"}})},
    }


def _parameter(name: str, about: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "description": about, "schema": schema}


def _answer(about: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": about, "content": {"application/json": {"schema": schema}}}


def _post(id: str, summary: str, parameters: list[dict[str, Any]], taken: dict[str, Any]) -> dict[str, Any]:
    refusals = {code: {"description": about, "content": _PROBLEM} for code, about in _REFUSALS.items()}
    return {
        "operationId": id,
        "summary": summary,
        "tags": ["intake"],
        "security": [{"source": []}, {"source_key": []}, {"source_basic": []}],
        "parameters": parameters,
        "requestBody": {"required": True, "content": {"application/json": {"schema": {}}}},
        "responses": taken | refusals,
    }


SCHEMES = {
    "source": {"type": "http", "scheme": "bearer", "description": "the secret of a source: aio_…"},
    "source_key": {"type": "apiKey", "in": "header", "name": "X-API-KEY", "description": "the secret of a source"},
    "token_basic": {"type": "http", "scheme": "basic", "description": "an API token as password, for amtool"},
    "source_basic": {"type": "http", "scheme": "basic", "description": "the secret of a source as password, or as user"},
}
