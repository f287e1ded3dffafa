"""How a test posts to a kind of sender, and reads what was heard."""

import json
from datetime import UTC, datetime
from typing import Any

from engine.integrations.sources import KINDS
from engine.model.heard import Delivery, Fault, Heard

NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
JSON = {"content-type": "application/json"}


def posted(kind: str, body: Any, settings: dict[str, Any] | None = None, headers: dict[str, str] | None = None) -> list[Heard | Fault]:
    """What a post says, read as the worker does: from the body that was kept."""
    entry = KINDS[kind]
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = JSON if headers is None else headers
    accepted = entry.accept(raw, sent)
    found = entry.read(Delivery(accepted.body, sent, NOW), entry.settings(**settings or {}))
    if not (settings or {}).get("alerts_path"):  # the first look knows no settings
        assert [fault for fault in found if isinstance(fault, Fault)] == list(accepted.rejected)
        assert len(found) == accepted.alerts
    return found


def heard(kind: str, body: Any, settings: dict[str, Any] | None = None, headers: dict[str, str] | None = None) -> Heard:
    """The one alert of a post."""
    (found,) = posted(kind, body, settings, headers)
    assert isinstance(found, Heard)
    return found
