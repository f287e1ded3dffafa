"""What do silences of amtool and blackouts of Alerta mean as silences of ours?"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from engine.errors import Invalid
from engine.integrations.imports.contract import Imported

_OPS = {(False, True): "=", (False, False): "!=", (True, True): "=~", (True, False): "!~"}


def from_amtool(document: Any) -> Imported:
    """Read what `amtool silence query -o json` prints. Raises Invalid when it is not that."""
    found = Imported()
    for number, said in enumerate(_listed(document, "")):
        place = f"silences[{number}]"
        try:
            matchers = [_matcher(each) for each in said["matchers"]]
            silence = _silence(matchers, said["startsAt"], said["endsAt"], str(said.get("comment") or "no comment"))
        except (KeyError, TypeError, ValueError):
            found.leave(place, "it is no silence as amtool writes it")
            continue
        if cast(Mapping[str, Any], said.get("status") or {}).get("state") == "expired":
            found.leave(place, f"“{silence['comment']}” is over")
            continue
        found.silences.append(made := silence | {"created_by": str(said.get("createdBy") or "")[:200]})
        found.take(place, f"“{made['comment']}”, until {made['ends']} UTC", made)
    return found


def _matcher(said: Mapping[str, Any]) -> dict[str, str]:
    op = _OPS[bool(said.get("isRegex")), bool(said.get("isEqual", True))]
    return {"name": str(said["name"]), "op": op, "value": str(said["value"])}


# Where Alerta and we have different names for the same.
_ALERTA = {"environment": "environment", "resource": "resource", "event": "alertname", "group": "group", "origin": "origin"}


def from_alerta(document: Any) -> Imported:
    """Read what `GET /blackouts` of Alerta answers. Raises Invalid when it is not that."""
    found = Imported()
    for number, said in enumerate(_listed(document, "blackouts")):
        place = f"blackouts[{number}]"
        try:
            matchers = [{"name": ours, "value": str(said[theirs])} for theirs, ours in _ALERTA.items() if said.get(theirs)]
            matchers += _services(said.get("service") or ())
            tags = [str(tag).partition("=") for tag in said.get("tags") or ()]
            silence = _silence(matchers, said["startTime"], said["endTime"], str(said.get("text") or f"blackout {said.get('id', number)}"))
        except (KeyError, TypeError, ValueError):
            found.leave(place, "it is no blackout as Alerta writes it")
            continue
        if bare := [name for name, sign, _ in tags if not sign]:
            found.leave(place, f"an alert here has no tags without a value: {', '.join(bare)}")
            continue
        if said.get("status") == "expired":
            found.leave(place, f"“{silence['comment']}” is over")
            continue
        matchers += [{"name": name, "value": value} for name, _, value in tags]
        found.silences.append(made := silence | {"created_by": str(said.get("user") or said.get("createBy") or "")[:200]})
        found.take(place, f"“{made['comment']}”, until {made['ends']} UTC", made)
    return found


def _services(names: Sequence[str]) -> list[dict[str, str]]:
    if not names:
        return []
    return [{"name": "service", "op": "=~", "value": "|".join(re.escape(str(name)) for name in names)}]


def _listed(document: Any, key: str) -> list[Mapping[str, Any]]:
    listed = document.get(key) if key and isinstance(document, Mapping) else document
    if not isinstance(listed, list) or not all(isinstance(each, Mapping) for each in listed):
        raise Invalid.field("text", f"This is no list of {key or 'silences'} in JSON.")
    return cast(list[Mapping[str, Any]], listed)


def _silence(matchers: list[dict[str, str]], starts: str, ends: str, comment: str) -> dict[str, Any]:
    return {"matchers": matchers, "starts": _wall(starts), "ends": _wall(ends), "comment": comment[:1000]}


def _wall(said: str) -> str:
    """A moment as the wall clock of UTC shows it."""
    return datetime.fromisoformat(said).astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat()
