"""When is the page built anew?"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from engine.errors import Unavailable
from engine.settings import Settings, load
from engine.supervisor.page import Page
from tests.supervisor.watching import gone

pytestmark = pytest.mark.slow
_WRITES_A_PAGE = """
import os, pathlib
web = pathlib.Path(os.environ["REFLEX_WEB_WORKDIR"])
(web / "build/client").mkdir(parents=True)
(web / "build/client/index.html").write_text("<p>")
pathlib.Path("reflex.lock/package.json").write_text("written anew by the builder")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project: a source in each place that the page is made of."""
    for name in ("aiops_ui/pages/people.py", "state/people.py", "assets/style.css", "engine/model/people.py", "engine/start.py"):
        _write(tmp_path / name, "one")
    for name in ("requirements.txt", "rxconfig.py", "reflex.lock/bun.lock", "reflex.lock/package.json", "README.md"):
        _write(tmp_path / name, "one")
    return tmp_path


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def _page(project: Path, builder: str = _WRITES_A_PAGE, port: int = 3000) -> Page:
    """Its page, with a Python program in place of the real builder, which the tests of whole installations run."""
    (project / "reflex.py").write_text(builder)
    return Page(project, _settings(project, port))


def _settings(project: Path, port: int) -> Settings:
    return load({"AIOPS_PORT": str(port), "AIOPS_DATA_DIR": str(project / "data")})


def test_what_was_just_built_is_current_even_where_the_builder_wrote_the_lock_anew(project: Path) -> None:
    page = _page(project)
    assert not page.is_current()
    page.build()
    assert page.is_current()
    assert _page(project).is_current(), "for the next start too"


@pytest.mark.parametrize(
    ("name", "current", "why"),
    [
        ("aiops_ui/pages/people.py", False, "a page"),
        ("aiops_ui/pages/new.py", False, "a page that is new"),
        ("state/people.py", False, "its state"),
        ("assets/style.css", False, "its looks"),
        ("engine/model/people.py", False, "the words it shows"),
        ("requirements.txt", False, "the framework"),
        ("rxconfig.py", False, "the framework's settings"),
        ("reflex.lock/bun.lock", False, "its packages"),
        ("engine/start.py", True, "the page knows nothing of the engine"),
        ("README.md", True, "nor of what is written about it"),
        ("state/__pycache__/people.pyc", True, "Python made it"),
        ("assets/external/icon.js", True, "the builder made it"),
    ],
)
def test_the_page_is_built_anew_when_its_sources_changed(project: Path, name: str, current: bool, why: str) -> None:
    page = _page(project)
    page.build()
    _write(project / name, "two")
    assert page.is_current() is current, why


def test_another_port_needs_no_other_page(project: Path) -> None:
    _page(project).build()
    assert _page(project, port=3400).is_current()


def test_the_page_is_built_anew_when_a_source_is_gone_or_the_build_was_deleted(project: Path) -> None:
    page = _page(project)
    page.build()
    (project / "state/people.py").rename(project / "people.py")
    assert not page.is_current()
    (project / "people.py").rename(project / "state/people.py")
    assert page.is_current()
    (page.web_dir / "build/client/index.html").unlink()
    assert not page.is_current()


def test_a_damaged_mark_is_none(project: Path) -> None:
    page = _page(project)
    page.build()
    mark = page.web_dir / "aiops-stamp"
    mark.write_bytes(b"\xff\xfe")
    assert not page.is_current()
    mark.unlink()
    mark.mkdir()
    assert not page.is_current()
    page.build()
    assert page.is_current()
    page.forget()
    assert not page.is_current(), "as work on the pages leaves another page there"


def test_a_source_that_changes_while_the_page_is_built_is_built_next_time(project: Path) -> None:
    page = _page(project, _WRITES_A_PAGE + "pathlib.Path('state/people.py').write_text('two')")
    page.build()
    assert not page.is_current()


def test_a_build_that_fails_says_its_last_words_and_leaves_nothing_current(project: Path) -> None:
    page = _page(project)
    page.build()
    _write(project / "state/people.py", "two")
    with pytest.raises(Unavailable, match="(?s)the page could not be built:.*no such component"):
        _page(project, "raise SystemExit('no such component')").build()
    assert not page.is_current()


_COUNTS_AND_WRITES = "open('built', 'a').write('once '); import time; time.sleep(0.3)\n" + _WRITES_A_PAGE


def test_two_that_start_at_once_build_the_page_once(project: Path) -> None:
    pages = [_page(project, _COUNTS_AND_WRITES), _page(project, _COUNTS_AND_WRITES, port=3400)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda page: page.build(), pages))
    assert all(page.is_current() for page in pages)
    assert (project / "built").read_text().split() == ["once"]


def test_who_waits_for_anothers_build_can_be_stopped(project: Path) -> None:
    building, waiting = _page(project, "import subprocess; subprocess.run(['sleep', '61'])"), Page(project, _settings(project, 3400))
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(building.build)
        _builder_down_to("sleep", building)
        second = pool.submit(waiting.build)
        waiting.stop()
        second.result(5)
        building.stop()
        assert isinstance(first.exception(10), Unavailable)
    assert waiting._builder is None


def test_a_stopped_build_ends_with_its_own_children(project: Path) -> None:
    builder = "import subprocess; subprocess.run(['sleep', '61'])"
    page, failed = _page(project, builder), []

    def build() -> None:
        try:
            page.build()
        except Unavailable as error:
            failed.append(error)

    thread = threading.Thread(target=build)
    thread.start()
    processes = _builder_down_to("sleep", page)
    page.stop()
    thread.join(10)
    assert failed and not thread.is_alive()
    assert gone(processes, within=10)
    page.stop()  # nothing to end any more, and that is well


def _builder_down_to(name: str, page: Page) -> list[psutil.Process]:
    """The builder and what it started, once one of that name is among them."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if page._builder is not None:
            builder = psutil.Process(page._builder.pid)
            below = builder.children(recursive=True)
            if any(child.name() == name for child in below):
                return [builder, *below]
        time.sleep(0.02)
    raise AssertionError(f"no {name} within 10 s")
