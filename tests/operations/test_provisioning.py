"""Do files describe teams and sources, all of it or nothing, and as often as one likes?"""

from pathlib import Path
from uuid import uuid4

import pytest

from engine.errors import AiopsError, Conflict, Invalid, Misconfigured, Refused
from engine.identity.secrets import new_token
from engine.model.sources import SourceView
from engine.operations import alerts, provisioning, sources, teams
from engine.storage.database import Database
from engine.workflows import provisioner
from tests.testkit.asking import newest
from tests.testkit.deliveries import ALL, Deliveries, alert
from tests.testkit.people import Company, found_company


class Folder:
    """A folder of files that describe one organization."""

    def __init__(self, path: Path, company: Company) -> None:
        self.path, self.company = path, company

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        (self.path / name).write_text(text)

    def secret(self, name: str = "secret", text: str | None = None) -> str:
        """Write a fresh secret to a file of that name."""
        made = text or new_token().text
        self.write(name, f"{made}\n")
        return made

    def apply(self) -> list[str]:
        """Make everything as it is described."""
        return provisioner.provision(self.path, [self.company.owner], only_check=False)

    def check(self) -> list[str]:
        """Say what would change."""
        return provisioner.provision(self.path, [self.company.owner], only_check=True)

    def sources(self) -> dict[str, SourceView]:
        """The sources of the organization by their public ids."""
        return {each.public_id: each for each in sources.all(self.company.owner, page=ALL).items}


@pytest.fixture
def folder(tmp_path: Path, database: Database) -> Folder:
    """An empty folder, for an organization of the test's own."""
    return Folder(tmp_path, found_company(database, f"Described {uuid4().hex[:6]}"))


def described(id: str, more: str = "", secret: str = "secret_file: secret") -> str:
    """The lines of a source under `sources:`."""
    lines = [
        f"  - id: {id}",
        f"    name: Name of {id}",
        "    kind: alertmanager",
        f"    {secret}",
        *(f"    {each}" for each in more.splitlines()),
    ]
    return "\n".join(lines) + "\n"


@pytest.fixture
def id() -> str:
    """A public id that nobody has."""
    return f"src-{uuid4().hex[:12]}"


def test_what_is_described_is_made_and_the_second_time_nothing_changes(folder: Folder, id: str) -> None:
    secret = folder.secret()
    folder.write("all.yaml", "teams:\n  - name: Payments\nsources:\n" + described(id, "team: Payments\nsettings: {refire_minutes: 5}"))
    assert folder.apply() == ["team “Payments” added", f"source “Name of {id}” added"]
    there = folder.sources()[id]
    assert (there.kind, there.settings, there.provisioned, there.created_by) == (
        "alertmanager",
        {"refire_minutes": 5},
        True,
        "provisioning",
    )
    assert there.team_id in {each.id for each in teams.all(folder.company.owner).items if each.name == "Payments"}
    assert there.url.endswith(f"/webhook/alertmanager/{id}")
    assert secret.startswith(there.credentials[0].hint.removesuffix("…"))
    assert folder.apply() == []
    assert folder.sources()[id] == there


def test_several_files_are_one_description(folder: Folder, id: str) -> None:
    folder.secret()
    folder.write("a.yaml", "sources:\n" + described(id, "team: Late"))
    folder.write("b.yml", "teams:\n  - name: Late\n")
    folder.write("notes.txt", "this is no description: [")
    folder.write("empty.yaml", "")
    assert len(folder.apply()) == 2


def test_a_check_says_what_would_change_and_changes_nothing(folder: Folder, id: str) -> None:
    folder.secret()
    folder.write("all.yaml", "teams:\n  - name: Payments\nsources:\n" + described(id))
    before = newest(folder.company.owner)
    said = folder.check()
    assert said == folder.check() == ["team “Payments” added", f"source “Name of {id}” added"]
    assert (folder.sources(), newest(folder.company.owner)) == ({}, before)
    assert "Payments" not in [each.name for each in teams.all(folder.company.owner).items]
    assert folder.apply() == said


def test_a_change_is_named_and_made(folder: Folder, id: str) -> None:
    folder.secret()
    folder.write("all.yaml", "sources:\n" + described(id))
    folder.apply()
    folder.write("all.yaml", "sources:\n" + described(id, "paused: true\nnetworks: [10.1.2.3/8]"))
    assert folder.apply() == [f"source “Name of {id}”: networks, paused changed"]
    assert (folder.sources()[id].paused, folder.sources()[id].networks) == (True, ("10.0.0.0/8",))
    folder.write("all.yaml", "sources:\n" + described(id))
    assert folder.apply() == [f"source “Name of {id}”: networks, paused changed"], "what is left out is as usual again"


def test_a_source_that_is_described_no_more_is_deleted_and_its_alerts_stay(folder: Folder, id: str, database: Database) -> None:
    folder.secret(), folder.secret("other")
    folder.write("a.yaml", "sources:\n" + described(id))
    folder.write("b.yaml", "sources:\n" + described(f"{id}-2", secret="secret_file: other"))
    folder.apply()
    by_hand = sources.create(folder.company.owner, "generic", "By hand").source
    line = Deliveries(database, folder.company)
    line.deliver(folder.sources()[id], alert("Kept"))
    (folder.path / "a.yaml").unlink()
    assert folder.apply() == [f"source “Name of {id}” deleted"]
    assert set(folder.sources()) == {f"{id}-2", by_hand.public_id}, "what was made by hand is nobody's to delete"
    assert alerts.search(folder.company.owner, q="kept").total == 1


def test_a_source_that_is_described_again_comes_back(folder: Folder, id: str) -> None:
    folder.secret(), folder.secret("other")
    both = "sources:\n" + described(id) + described(f"{id}-2", secret="secret_file: other")
    folder.write("a.yaml", both)
    folder.apply()
    folder.write("a.yaml", "sources:\n" + described(f"{id}-2", secret="secret_file: other"))
    folder.apply()
    folder.write("a.yaml", both)
    assert folder.apply() == [f"source “Name of {id}” added"]


def test_what_a_file_describes_cannot_be_changed_here(folder: Folder, id: str) -> None:
    folder.secret()
    folder.write("a.yaml", "sources:\n" + described(id))
    folder.apply()
    there = folder.sources()[id]
    for act in (sources.pause, sources.rotate, sources.delete):
        with pytest.raises(Conflict, match="described by a file"):
            act(folder.company.owner, there.id)
    with pytest.raises(Conflict, match="described by a file"):
        sources.change(folder.company.owner, there.id, name="mine")
    assert folder.sources()[id] == there


def test_a_secret_comes_from_a_file_or_a_variable(folder: Folder, id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = new_token().text
    monkeypatch.setenv("SECRET_OF_TEST", secret)
    folder.write("a.yaml", "sources:\n" + described(id, secret="secret_env: SECRET_OF_TEST"))
    folder.apply()
    assert secret.startswith(folder.sources()[id].credentials[0].hint.removesuffix("…"))


def test_another_secret_ends_the_one_before_and_going_back_is_a_change_too(folder: Folder, id: str) -> None:
    first = folder.secret()
    folder.write("a.yaml", "sources:\n" + described(id))
    folder.apply()
    second = folder.secret()
    assert folder.apply() == [f"source “Name of {id}”: secret changed"]
    assert [second.startswith(each.hint.removesuffix("…")) for each in folder.sources()[id].credentials] == [True]
    folder.secret(text=first)
    assert folder.apply() == [f"source “Name of {id}”: secret changed"]
    assert [first.startswith(each.hint.removesuffix("…")) for each in folder.sources()[id].credentials] == [True]


# the file, what is said of it, why
FAULTS = [
    ("sources: [", "cannot be read", "it is no YAML"),
    ("colours: [red]", "colours", "nothing that can be described"),
    ("- a\n- b\n", "a.yaml", "a list where a description is expected"),
    ("sources:\n" + described("x"), "sources.0.id", "too short for an address"),
    ("sources:\n" + described("Bad_Id!"), "sources.0.id", "not made for an address"),
    ("sources:\n" + described("good-id", "colour: red"), "sources.0.colour", "nothing that a source has"),
    ("sources:\n" + described("good-id", "auth: handshake"), "sources.0.auth", "no way to prove itself"),
    ("sources:\n" + described("good-id", secret=f"secret: {new_token().text}"), "does not belong in this file", "a secret among settings"),
    ("sources:\n" + described("good-id", secret="secret_file: nowhere"), "secret_file cannot be read", "a file that is not there"),
    ("sources:\n" + described("good-id", secret="secret_env: NOWHERE_SET"), "NOWHERE_SET is not set", "a variable that is not there"),
    ("sources:\n" + described("good-id") + described("good-id"), "described twice", "an id that is there twice"),
]


@pytest.mark.parametrize(("text", "said", "why"), FAULTS)
def test_a_faulty_file_is_said_to_be_one_and_changes_nothing(folder: Folder, text: str, said: str, why: str) -> None:
    folder.secret()
    folder.write("a.yaml", text)
    folder.write("b.yaml", "teams:\n  - name: Never made\n")
    with pytest.raises(Misconfigured) as caught:
        folder.apply()
    assert said in str(caught.value), why
    assert "aio_" not in str(caught.value)
    assert "Never made" not in [each.name for each in teams.all(folder.company.owner).items]


def test_every_fault_of_every_file_is_named_at_once(folder: Folder) -> None:
    folder.write("a.yaml", "colours: [red]\nsources:\n" + described("x"))
    folder.write("b.yaml", "sources: [")
    folder.write("c.yaml", "sources:\n" + described("good-id", secret="secret_env: NOWHERE_SET"))
    with pytest.raises(Misconfigured) as caught:
        folder.check()
    faults = "\n".join(caught.value.faults)
    for said in ("a.yaml: colours", "a.yaml: sources.0.id", "b.yaml: cannot be read", "NOWHERE_SET"):
        assert said in faults


# what a source says, what is at fault, why
CONTENTS = [
    ("team: Nobody", "secret_file: secret", Invalid, "there is no team", "a team that is neither there nor described"),
    ("settings: {colour: red}", "secret_file: secret", Invalid, "colour", "nothing that can be set"),
    ("auth: address", "paused: false", Invalid, "needs networks", "an address alone proves nothing"),
    ("", "paused: false", Invalid, "secret_file or a secret_env", "no secret at all"),
    ("", "secret_file: bad", Invalid, "--new-secret", "a secret that anybody could guess"),
]


@pytest.mark.parametrize(("more", "secret", "fault", "said", "why"), CONTENTS)
def test_what_cannot_be_is_refused_by_name_before_anything_changes(
    folder: Folder, id: str, more: str, secret: str, fault: type[AiopsError], said: str, why: str
) -> None:
    folder.secret()
    folder.secret("bad", "hunter2")
    folder.write("a.yaml", "teams:\n  - name: Never made\nsources:\n" + described(id, more, secret))
    for act in (folder.check, folder.apply):
        with pytest.raises(fault) as caught:
            act()
        assert said in str(caught.value), why
        assert id in str(caught.value), "it is said which source is meant"
        assert "hunter2" not in str(caught.value)
    assert folder.sources() == {} and "Never made" not in [each.name for each in teams.all(folder.company.owner).items]


def test_every_source_that_cannot_be_is_named_at_once(folder: Folder, id: str) -> None:
    folder.secret()
    one, two = described(f"{id}-1", "settings: {colour: red}"), described(f"{id}-2", "team: Nobody")
    folder.write("a.yaml", "sources:\n" + one + two)
    with pytest.raises(AiopsError) as caught:
        folder.check()
    assert "colour" in str(caught.value) and "Nobody" in str(caught.value)


def test_an_id_or_name_that_somebody_has_is_not_taken_over(folder: Folder, id: str, acme: Company) -> None:
    folder.secret()
    by_hand = sources.create(folder.company.owner, "alertmanager", f"Name of {id}").source
    foreign = sources.create(acme.owner, "alertmanager", f"theirs {id}").source
    for taken in (by_hand.public_id, foreign.public_id):
        folder.write("a.yaml", "sources:\n" + described(taken))
        with pytest.raises(Invalid, match="choose another id"):
            folder.apply()
    folder.write("a.yaml", "sources:\n" + described(id))
    with pytest.raises(Invalid, match="already"):
        folder.apply()
    assert sources.show(acme.owner, foreign.id) == foreign


def test_kind_and_proof_stay_as_they_were_described(folder: Folder, id: str) -> None:
    folder.secret()
    folder.write("a.yaml", "sources:\n" + described(id))
    folder.apply()
    folder.write("a.yaml", "sources:\n" + described(id, "auth: signature"))
    with pytest.raises(Invalid, match="another id"):
        folder.apply()


def test_the_organization_is_said_where_there_are_several(folder: Folder, acme: Company) -> None:
    actors = [folder.company.owner, acme.owner]
    folder.write("a.yaml", "teams:\n  - name: Whose\n")
    with pytest.raises(Misconfigured, match=folder.company.name):
        provisioner.provision(folder.path, actors, only_check=False)
    folder.write("a.yaml", f"organization: {folder.company.name}\nteams:\n  - name: Ours\n")
    assert provisioner.provision(folder.path, actors, only_check=False) == ["team “Ours” added"]
    assert "Ours" not in [each.name for each in teams.all(acme.owner).items]


def test_a_folder_that_is_not_there_is_a_fault(folder: Folder) -> None:
    with pytest.raises(Misconfigured, match="no folder"):
        provisioner.provision(folder.path / "nowhere", [folder.company.owner], only_check=True)


def test_only_an_owner_provisions_and_it_is_recorded(folder: Folder, id: str) -> None:
    folder.secret()
    folder.write("a.yaml", "sources:\n" + described(id))
    for act in (provisioning.check, provisioning.apply):
        with pytest.raises(Refused):
            act(folder.company.admin, [], [])
    folder.apply()
    entry = newest(folder.company.owner, "provisioning.apply")[0]
    assert f"source “Name of {id}” added" in entry.detail["changes"]
    secret = (folder.path / "secret").read_text().strip()
    assert secret not in repr(entry) and secret.split("_", 2)[2] not in repr(entry)
