"""Of which alerts does an expression of CEL hold, as Keep writes it, in the words of our conditions?

What Keep's rule builder makes is read: comparisons, `contains`, `startsWith`, `endsWith`, `matches`, `in`, `has`, `&&`, `||`, `!`
and parentheses. Everything else is refused, with the part that is not understood. Source: https://github.com/google/cel-spec
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import re2

Condition = dict[str, Any]

# What Keep calls otherwise, and what has a name of its own in both, or gets one by enrichment; everything else is a label.
_FIELDS = {"name": "title"} | {
    name: name for name in ("description", "severity", "service", "environment", "resource", "team", "source", "status")
}
SEVERITIES = {"critical": "critical", "high": "error", "error": "error", "warning": "warning", "info": "info", "low": "info"}
_BY_NUMBER = dict(zip("54321", ("critical", "high", "warning", "info", "low"), strict=True))
_STATUSES = ("firing", "resolved")
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>[rR]?(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))|(?P<number>-?\d+(?:\.\d+)?)"""
    r"""|(?P<name>[A-Za-z_]\w*(?:@@\w+)*)|(?P<sign>&&|\|\||[=!<>]=|[!<>()\[\],.]))""",
    re.ASCII,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "'": "'", "\\": "\\", "`": "`", "?": "?"}
_COMPARED = {"==": "=", "!=": "!=", ">": ">", ">=": ">=", "<": "<", "<=": "<="}
_TURNED = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
_OPPOSITE = {"=": "!=", "!=": "=", "like": "not like", "=~": "!~", "in": "not in", "exists": "missing", "missing": "exists"}
_AROUND = {"contains": ("*", "*"), "startsWith": ("", "*"), "endsWith": ("*", "")}
_WORDS = {"true", "false", "null"}
_LACKING = "“!=” and “!” hold here also of an alert that has no such attribute"
_LONGEST, _DEEPEST = 20_000, 40


class Unreadable(ValueError):
    """Something of Keep that cannot be said here, and why, in words."""


@dataclass(frozen=True)
class Read:
    """An expression as a condition, and what of it is different here."""

    when: Condition
    notes: tuple[str, ...] = ()


def read(said: str) -> Read:
    """Read an expression. Raises Unreadable with the part that is not understood."""
    if len(said) > _LONGEST:
        raise Unreadable(f"its CEL is longer than {_LONGEST:,} characters")
    reader = _Reader(said)
    return Read(reader.whole(), tuple(reader.notes))


def field_of(path: Sequence[str]) -> str:
    """Our field for an attribute of Keep, by the names on the way to it. Raises Unreadable when it names none."""
    names = [name.strip().replace("@@", ".") for name in path]
    if not all(names) or names in (["labels"], ["annotations"]):
        raise Unreadable(f"“{'.'.join(path)[:100]}” names no single attribute")
    if len(names) == 1:
        return _FIELDS.get(names[0], f"labels.{names[0]}")
    return ".".join(names) if names[0] in ("labels", "annotations") else f"labels.{'.'.join(names)}"


@dataclass(frozen=True)
class _Token:
    kind: str
    said: str
    start: int


_END = "end"


def _tokens(said: str) -> list[_Token]:
    found, at, said = list[_Token](), 0, said.rstrip()
    while at < len(said):
        match = _TOKEN.match(said, at)
        if match is None or match.lastgroup is None:
            raise _not_understood(said[at:].strip())
        found.append(_Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        at = match.end()
    return [*found, _Token(_END, "", len(said))]


def _not_understood(part: str) -> Unreadable:
    return Unreadable(f"“{part[:60]}{'…' if len(part) > 60 else ''}” is not understood" if part else "its CEL ends too early")


class _Reader:
    """Reads from the first token to the last; each method takes what it is named after."""

    def __init__(self, said: str) -> None:
        self._said, self._tokens, self._at, self._depth = said, _tokens(said), 0, 0
        self.notes: dict[str, None] = {}

    def whole(self) -> Condition:
        found = self._either()
        if self._token.kind != _END:
            raise self._fault()
        return found

    @property
    def _token(self) -> _Token:
        return self._tokens[self._at]

    def _fault(self, start: int | None = None) -> Unreadable:
        return _not_understood(self._said[self._token.start if start is None else start :])

    def _takes(self, *signs: str) -> str:
        """The sign or word that comes next, when it is one of these."""
        token = self._token
        if token.kind == "text" or token.said not in signs:
            return ""
        self._at += 1
        return token.said

    def _require(self, sign: str) -> None:
        if not self._takes(sign):
            raise self._fault()

    def _either(self) -> Condition:
        parts = [self._both()]
        while self._takes("||"):
            parts.append(self._both())
        return _joined("any", parts)

    def _both(self) -> Condition:
        parts = [self._one()]
        while self._takes("&&"):
            parts.append(self._one())
        return _joined("all", parts)

    def _one(self, *, negated: bool = False) -> Condition:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Unreadable(f"its CEL is nested deeper than {_DEEPEST} levels")
        if self._takes("!"):
            self.notes[_LACKING] = None
            found = _opposite(self._one(negated=True))
        elif self._takes("("):
            found = self._either()
            self._require(")")
        else:
            found = self._relation(negated=negated)
        self._depth -= 1
        return found

    def _relation(self, *, negated: bool) -> Condition:
        start = self._token.start
        if self._token.kind in ("text", "number"):
            value = self._value()
            if negated or not (op := self._takes(*_COMPARED)):
                raise self._fault(start)
            return self._compared(self._path(), _TURNED.get(op, op), value, start)
        if constant := self._takes("true", "false"):
            return {"all": []} if constant == "true" else {"not": {"all": []}}
        if self._takes("has"):
            self._require("(")
            field = field_of(self._path())
            self._require(")")
            return {"field": field, "op": "exists"}
        return self._of(self._path(), start, negated=negated)

    def _of(self, path: list[str], start: int, *, negated: bool) -> Condition:
        """What is said of an attribute."""
        if self._takes("("):
            return self._called(path, start)
        if negated:  # CEL would negate the attribute, and compare that
            raise self._fault(start)
        if op := self._takes(*_COMPARED):
            return self._compared(path, op, self._value(), start)
        if self._takes("in"):
            return self._listed(path, start)
        raise self._fault(start)

    def _path(self) -> list[str]:
        path = [self._name()]
        while sign := self._takes(".", "["):
            if sign == ".":
                path.append(self._name())
            elif self._token.kind == "text":
                path.append(self._value() or "")
                self._require("]")
            else:
                raise self._fault()
        return path

    def _name(self) -> str:
        if self._token.kind != "name" or self._token.said in _WORDS:
            raise self._fault()
        self._at += 1
        return self._tokens[self._at - 1].said

    def _value(self) -> str | None:
        """A text, a number or a word as text; None for null."""
        token = self._token
        if token.kind == "text":
            self._at += 1
            return _text(token.said)
        if token.kind != "number" and token.said not in _WORDS:
            raise self._fault()
        self._at += 1
        return None if token.said == "null" else token.said

    def _called(self, path: list[str], start: int) -> Condition:
        method, owner, quoted = path[-1], path[:-1], self._token.kind == "text"
        if not owner or not quoted or (method not in _AROUND and method != "matches"):
            raise self._fault(start)
        field, value = field_of(owner), self._value() or ""
        self._require(")")
        if field in ("severity", "status"):  # parts of Keep's words are no parts of ours
            raise _not_understood(self._said[start : self._token.start].strip())
        self._note_source(field)
        if method == "matches":
            return {"field": field, "op": "=~", "value": f"(?s:.*)(?:{value})(?s:.*)"}
        before, after = _AROUND[method]
        if "*" in value or "?" in value:
            around = {"*": "(?s:.*)", "": ""}
            return {"field": field, "op": "=~", "value": around[before] + re2.escape(value) + around[after]}
        return {"field": field, "op": "like", "value": before + value + after}

    def _compared(self, path: list[str], op: str, value: str | None, start: int) -> Condition:
        field, op = field_of(path), _COMPARED[op]
        self._note_source(field)
        if op == "!=":
            self.notes[_LACKING] = None
        if value is None:
            if op not in ("=", "!="):
                raise self._fault(start)
            return {"field": field, "op": "missing" if op == "=" else "exists"}
        if field == "severity" and op == ">" and value in ("low", "1"):
            op = ">="  # Keep's low and info are both info here
        return {"field": field, "op": op, "value": self._worded(field, value)}

    def _listed(self, path: list[str], start: int) -> Condition:
        field, values = field_of(path), list[str]()
        self._require("[")
        while not self._takes("]"):
            value = self._value()
            if value is None:
                raise self._fault(start)
            values.append(self._worded(field, value))
            if not self._takes(",") and self._token.said != "]":
                raise self._fault()
        self._note_source(field)
        return {"field": field, "op": "in", "value": list(dict.fromkeys(values))}

    def _worded(self, field: str, value: str) -> str:
        """A value in our words, where Keep has others."""
        if field == "status" and value and value not in _STATUSES:
            raise Unreadable(f"the status “{value[:60]}” is not known here")
        if field != "severity" or not value:
            return value
        word = _BY_NUMBER.get(value, value.lower())
        if word not in SEVERITIES:
            raise Unreadable(f"the severity “{value[:60]}” is not known here")
        if SEVERITIES[word] != word:
            self.notes[f"the severity “{word}” is “{SEVERITIES[word]}” here"] = None
        return SEVERITIES[word]

    def _note_source(self, field: str) -> None:
        if field == "source":
            self.notes["“source” is the name of a source here, in Keep the kind of a provider"] = None


def _text(said: str) -> str:
    """What a quoted text says."""
    if said[0] in "rR":
        return said[2:-1]
    return _ESCAPE.sub(_unescaped, said[1:-1])


def _unescaped(match: re.Match[str]) -> str:
    if number := match[1] or match[2]:
        char = chr(int(number, 16))
        return "" if char == "\0" or "\ud800" <= char <= "\udfff" else char
    return _ESCAPED.get(match[3], match[0])


def _joined(kind: str, parts: list[Condition]) -> Condition:
    if len(parts) == 1:
        return parts[0]
    return {kind: [inner for part in parts for inner in (part[kind] if kind in part else [part])]}


def _opposite(said: Condition) -> Condition:
    op = _OPPOSITE.get(said.get("op", ""))
    return said | {"op": op} if op else {"not": said}
