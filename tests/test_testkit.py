"""Is what tests stand on as the product makes it, and is the suite handed out as it should be?"""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from engine.identity.actor import Actor
from engine.model.vocabulary import Role
from engine.operations import people, sign_in
from engine.storage.database import Database
from engine.storage.work import Tenant, work
from tests.testkit.asking import entered, known, text_of
from tests.testkit.clock import until
from tests.testkit.deliveries import rows
from tests.testkit.installation import PROJECT
from tests.testkit.people import HERE, PASSWORD, Company, enter, hire
from tests.testkit.running import FIRST, GROUPS, group_of

# Where people are written, and what differs from one to the next.
OF_A_PERSON = ("app_user", "password", "membership", "team_member", "session", "session_directory")
THEIR_OWN = {"id", "user_id", "session_id", "email", "name", "hash", "secret_hash", "created_at", "changed_at", "seen_at", "expires_at"}


def written(database: Database, actor: Actor) -> dict[str, list[dict[str, Any]]]:
    """Every row of a person, without what is their own."""
    tenant = Tenant(actor.org_id, all_teams=True, user_id=actor.id, email=actor.email)
    with work(database, tenant) as open_work:
        found = {}
        for table in OF_A_PERSON:
            column = "id" if table == "app_user" else "user_id"
            made = rows(open_work, f"SELECT to_jsonb(t) AS row FROM {table} t WHERE {column} = :id", id=actor.id)
            found[table] = [{name: value for name, value in each.row.items() if name not in THEIR_OWN} for each in made]
    return found


def joined(owner: Actor, role: Role, team_id: UUID | None) -> Actor:
    """Somebody who joins as people do: invited, and by the link."""
    link = people.invite(owner, f"joined-{role}-{team_id}@example.com", role, team_id)
    return known(sign_in.use_link(HERE, text_of(link), SecretStr(PASSWORD)).secret)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("in_team", [False, True])
def test_who_is_hired_is_written_as_who_joins_by_a_link(database: Database, acme: Company, role: Role, in_team: bool) -> None:
    team_id = acme.red.id if in_team else None
    hired, by_link = hire(acme.owner, role, team_id), joined(acme.owner, role, team_id)
    assert written(database, hired) == written(database, by_link)
    own = {"id": hired.id, "name": hired.name, "email": hired.email, "session_id": hired.session_id}
    assert replace(by_link, **own) == hired, "and acts as they do"


def test_who_is_hired_can_sign_in_and_a_session_that_is_written_is_as_one_that_is_opened(database: Database, acme: Company) -> None:
    for again in (known(enter(acme.operator)), known(entered(acme.operator).secret)):
        assert replace(again, session_id=acme.operator.session_id) == acme.operator
    assert len(found := written(database, acme.operator)["session"]) == 3 and all(each == found[0] for each in found)


def test_people_are_hired_once_and_only_when_asked_for(acme: Company) -> None:
    assert [person.email for person in people.members(acme.owner).items] == [acme.owner.email]
    assert acme.viewer is acme.viewer is acme.people[Role.VIEWER]
    assert people.members(acme.owner).total == 2


@pytest.mark.parametrize(
    ("nodeid", "group"),
    [
        ("tests/ui/test_lists.py::test_x[a/b::c]", "installation"),
        ("tests/state/test_socket.py::test_x", "installation"),
        ("tests/state/test_lists.py::test_x", "tests/state/test_lists.py"),
        ("tests/uikit/test_x.py::test_x", "tests/uikit/test_x.py"),
    ],
)
def test_what_shares_an_installation_is_one_group_and_else_a_file_is(nodeid: str, group: str) -> None:
    assert group_of(nodeid) == group


def test_what_begins_first_is_there() -> None:
    assert {name for name in FIRST if not name.endswith(".py")} == set(GROUPS.values())


def test_what_never_happens_is_said_with_its_reason() -> None:
    with pytest.raises(AssertionError, match=r"not within 0\.05 s the log ends here"):
        until(lambda: False, 0.05, lambda: "the log ends here")


@pytest.mark.parametrize(
    "skip", ["pytest.importorskip('nosuch')", "pytest.skip('all of it', allow_module_level=True)", "pytestmark = pytest.mark.skip"]
)
def test_nothing_may_be_left_out_under_ci(tmp_path: Path, skip: str) -> None:
    (tmp_path / "test_left_out.py").write_text(f"import pytest\n{skip}\ndef test_it(): ...\n")
    command = [sys.executable, "-m", "pytest", "-p", "tests.testkit.running", "-c", "/dev/null", tmp_path]
    for ci, code in (("true", {1, 2}), ("", {0, 5})):
        done = subprocess.run(command, cwd=PROJECT, env=os.environ | {"CI": ci, "PYTHONPATH": "."}, capture_output=True, text=True)
        assert done.returncode in code, done.stdout
