"""What does an alert say in our words, and which alert is it?

Severity by a table of words; identity by the sender's key, else by chosen fields, else by the usual ones (decision 13). Text
is cut to what a person can read; what was cut is noted.
"""

import re
from hashlib import blake2b, sha256

import msgspec

from engine.model.heard import Heard, Known, Policy
from engine.model.vocabulary import IdentityBy, Severity

_WORDS = {
    Severity.CRITICAL: "critical crit fatal disaster emergency alert p1 sev0 page severe blocker",
    Severity.ERROR: "error err high major average p2 sev1 failure",
    Severity.WARNING: "warning warn minor p3 sev2 medium degraded",
    Severity.INFO: "info informational information notice low ok debug none p4 p5 sev3 sev4 normal trivial",
}
_SEVERITIES = {word: severity for severity, words in _WORDS.items() for word in words.split()}
# The order is part of the identity: changing it makes every alert a new one.
_USUAL = ("service", "environment", "resource", "instance", "namespace", "pod", "job", "cluster")
_FOUND_BY = ("service", "environment", "resource", "team")
_FIELDS = ("title", "service", "environment", "resource", "team", "severity")
_TITLE, _FIELD, _TEXT, _LABEL, _NAME, _LABELS, _KEY = 500, 300, 16_000, 4_000, 200, 200, 200
_TOKEN = re.compile(r"\w+")
_MOST_TOKENS, _LONGEST_TOKEN = 300, 100
_encode = msgspec.json.Encoder().encode


def normalise(heard: Heard, policy: Policy) -> Known:
    """An alert in our words. Changes `heard` only where it cuts text that is too long."""
    _cut(heard)
    severity = severity_of(heard.severity, policy)
    word = heard.severity
    if word and severity is policy.default_severity and word.lower() not in _SEVERITIES and word.lower() not in policy.severities:
        heard.notes += (f"The severity “{word[:60]}” is not one we know; read as {severity or 'not stated'}.",)
    by, key = _key(heard, policy)
    identity = blake2b(b"%s\0%s\0%s" % (policy.scope, by.encode(), key.encode()), digest_size=16).digest()
    fields = heard.service, heard.environment, heard.resource, heard.team
    told = _encode((heard.title, heard.description, heard.labels, heard.annotations, heard.links, word, fields))
    content = int.from_bytes(blake2b(told, digest_size=8).digest(), signed=True)
    return Known(heard, identity, by, key, severity, word, content)


def severity_of(word: str | None, policy: Policy) -> Severity | None:
    """What the sender's word means: by the source's own table, else the usual one, else the source's default."""
    if not word:
        return None
    lower = word.lower()
    return policy.severities.get(lower) or _SEVERITIES.get(lower) or policy.default_severity


def searchable(known: Known) -> str:
    """The words by which an alert is found, as PostgreSQL reads a tsvector: words in lower case, and `name=value` of labels and fields."""
    heard = known.heard
    said = [heard.title, heard.description or "", *heard.labels.values(), heard.resource or "", heard.service or ""]
    tokens = {token[:_LONGEST_TOKEN] for token in tokens_of(" ".join(said))[:_MOST_TOKENS]}
    fields = {name: value for name in _FOUND_BY if (value := getattr(heard, name))}
    pairs = [label_token(name, value) for name, value in (heard.labels | fields).items()]
    return " ".join(["'" + t + "'" for t in tokens] + ["'" + p.replace("\\", "\\\\").replace("'", "''") + "'" for p in pairs])


def tokens_of(text: str) -> list[str]:
    """The words of a text, as searching and finding both cut them."""
    return _TOKEN.findall(text.lower())


def label_token(name: str, value: str) -> str:
    """The token of a label."""
    token = f"{name}={value}"
    return token if len(token) <= _LONGEST_TOKEN else f"{name[:50]}={sha256(value.encode()).hexdigest()[:32]}"


def _key(heard: Heard, policy: Policy) -> tuple[IdentityBy, str]:
    labels = heard.labels
    if policy.fingerprint_fields:
        chosen = [(name, _value(heard, name)) for name in policy.fingerprint_fields]
        if any(value for _, value in chosen):
            return IdentityBy.FIELDS, _digest([f"{name}={value}" for name, value in chosen if value])
    if heard.key:
        return IdentityBy.SENDER, heard.key if len(heard.key) <= _KEY else _digest([heard.key])
    found = [labels.get("alertname") or heard.title]
    found += [f"{name}={value}" for name in _USUAL if (value := _value(heard, name))]
    return IdentityBy.LABELS, _digest(found)


def _value(heard: Heard, name: str) -> str | None:
    found: str | None = getattr(heard, name) if name in _FIELDS else None
    return found or heard.labels.get(name)


def _digest(parts: list[str]) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()[:32]


def _cut(heard: Heard) -> None:
    """Cut what is longer than a person would read, and note it."""
    cut: list[str] = []
    if len(heard.title) > _TITLE:
        heard.title = heard.title[: _TITLE - 1] + "…"
        cut.append("title")
    if heard.description and len(heard.description) > _TEXT:
        heard.description = heard.description[: _TEXT - 1] + "…"
        cut.append("description")
    for name in ("service", "environment", "resource", "team", "severity", "acknowledged_by"):
        value: str | None = getattr(heard, name)
        if value is not None and len(value) > _FIELD:
            setattr(heard, name, value[: _FIELD - 1] + "…")
            cut.append(name)
    for name, longest in (("labels", _LABEL), ("annotations", _TEXT)):
        said: dict[str, str] = getattr(heard, name)
        if said and (len(said) > _LABELS or max(map(len, said.values())) > longest or max(map(len, said)) > _NAME):
            setattr(heard, name, {k[:_NAME]: v[:longest] for k, v in list(said.items())[:_LABELS]})
            cut.append(name)
    if cut:
        heard.notes += (f"Too long, and cut: {', '.join(cut)}.",)
