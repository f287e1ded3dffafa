"""Which kinds of input come again and again?"""

import re
from typing import Annotated, Literal
from uuid import UUID

import re2
from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from engine.model.vocabulary import Severity
from engine.storage.alerts import Match

_MATCHER = re.compile(r'\s*([^=!~"\s]+)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"\s=~][^"]*?|))\s*', re.DOTALL)
_FOREIGN = re.compile(r"\(\?(?!:)|\\[pPzZACQE]")  # what RE2 and PostgreSQL do not read alike
_EMAIL = re.compile(r"[^@\s\x00-\x1f\"<>(),:;\\]+@[^@\s\x00-\x1f\"<>(),:;\\]+\.?[^@\s.]+")


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise PydanticCustomError("email", "This is not an e-mail address.")
    return text.lower()


def _plain(text: str) -> str:
    if not text.isprintable():
        raise PydanticCustomError("plain", "Leave out line breaks and control characters.")
    return text


def _matcher(said: str) -> str:
    found = parsed(said)
    if "~" in found.operator:
        _require_linear(found.value)
    return said


def _require_linear(pattern: str) -> None:
    """Refuse an expression that is not matched in linear time, or that our database reads in another way. Raises PydanticCustomError."""
    try:
        re2.compile(pattern)
    except re2.error as error:
        raise PydanticCustomError("matcher", "This is no regular expression: {why}", {"why": str(error)}) from None
    if foreign := _FOREIGN.search(pattern.removeprefix("(?i)")):
        raise PydanticCustomError("matcher", "“{part}” cannot be used here; only (?i) at the beginning and (?:…).", {"part": foreign[0]})


def _value(found: re.Match[str]) -> str:
    return found[4] if found[3] is None else found[3].replace('\\"', '"').replace("\\\\", "\\")


Email = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=254), AfterValidator(_email)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(_plain)]
Ids = Annotated[list[UUID], Field(min_length=1, max_length=200)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(_plain)]
Stated = Literal["critical", "error", "warning", "info", "none"]
Severities = Annotated[list[Stated], Field(max_length=5)]
Matcher = Annotated[str, Field(max_length=500), AfterValidator(_matcher)]
Matchers = Annotated[list[Matcher], Field(max_length=20, description='label matchers such as `job=~"node.*"`; all must hold')]


def stated(severities: list[Stated] | None) -> tuple[Severity | None, ...]:
    """Severities as they are kept: `none` is not stated."""
    return tuple(None if each == "none" else Severity(each) for each in severities or [])


def parsed(matcher: str) -> Match:
    """The parts of a matcher. Raises PydanticCustomError when it is none."""
    found = _MATCHER.fullmatch(matcher)
    if found is None:
        raise PydanticCustomError("matcher", 'Write name="value", with =, !=, =~ or !~ between them.')
    return Match(found[1], found[2], _value(found))
