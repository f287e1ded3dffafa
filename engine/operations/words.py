"""Which kinds of input come again and again?"""

import re
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

_EMAIL = re.compile(r"[^@\s\x00-\x1f\"<>(),:;\\]+@[^@\s\x00-\x1f\"<>(),:;\\]+\.?[^@\s.]+")


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise PydanticCustomError("email", "This is not an e-mail address.")
    return text.lower()


def _plain(text: str) -> str:
    if not text.isprintable():
        raise PydanticCustomError("plain", "Leave out line breaks and control characters.")
    return text


Email = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=254), AfterValidator(_email)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(_plain)]
Ids = Annotated[list[UUID], Field(min_length=1, max_length=200)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(_plain)]
