"""Do the words of the product and those the database accepts agree?"""

import re
from enum import StrEnum

import pytest
from sqlalchemy import Enum, text
from sqlmodel import SQLModel

import engine.model  # noqa: F401 makes every table known
from engine.model.vocabulary import ActorKind, JobState, LinkKind, Outcome, Permission, ProcessKind, Role
from engine.storage.database import Database

WORDS = [ActorKind, JobState, LinkKind, Outcome, Permission, ProcessKind, Role]
# Kept as free words: an entry must be readable after a kind of actor has been retired.
UNCHECKED = {("audit", "actor_kind")}
CHECKS = """
SELECT c.conrelid::regclass::text, pg_get_constraintdef(c.oid) FROM pg_constraint c
JOIN pg_class t ON t.oid = c.conrelid WHERE c.contype = 'c' AND NOT t.relispartition AND t.relnamespace = 'public'::regnamespace
"""


@pytest.mark.fast
def test_roles_rank_from_viewer_to_owner() -> None:
    assert [role.rank for role in (Role.VIEWER, Role.OPERATOR, Role.ADMIN, Role.OWNER)] == [0, 1, 2, 3]


@pytest.mark.fast
@pytest.mark.parametrize("words", WORDS, ids=lambda words: words.__name__)
def test_every_word_fits_its_column_and_is_lower_case(words: type[StrEnum]) -> None:
    for word in words:
        assert len(word) <= 32
        assert re.fullmatch(r"[a-z_]+", word)


def test_the_database_accepts_exactly_the_words_of_the_vocabulary(database: Database) -> None:
    with database.engine.connect() as db:
        rows = [(table, rule) for table, rule in db.execute(text(CHECKS))]
    found = 0
    for table in SQLModel.metadata.tables.values():
        for column in table.columns:
            if not isinstance(column.type, Enum) or (table.name, column.name) in UNCHECKED:
                continue
            rules = [rule for name, rule in rows if name == table.name and re.search(rf"\(?{column.name}\)?::text = ANY", rule)]
            assert len(rules) == 1, f"{table.name}.{column.name} has no check"
            assert set(re.findall(r"'(\w+)'", rules[0])) == set(column.type.enums), f"{table.name}.{column.name}"
            found += 1
    assert found >= 8
