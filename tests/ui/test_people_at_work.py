"""What people do in a browser, from the first link to the last click; the real product, in Chromium."""

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.testkit.browser import PHONE, OpenTab, Tab
from tests.testkit.installation import PASSWORD, Installation, port_of
from tests.testkit.organization import ADA, loaded

pytestmark = pytest.mark.slow


def api(installation: Installation, method: str, path: str, **more: object) -> httpx.Response:
    """Ask the API as the tests' token."""
    headers = {"Authorization": f"Bearer {installation.token}"}
    return httpx.request(method, f"{installation.url}/api/v1{path}", headers=headers, timeout=10, **more)


def invite(installation: Installation, email: str, role: str) -> str:
    """A one-time link for a person."""
    return api(installation, "POST", "/invitations", json={"email": email, "role": role}).json()["data"]["url"]


def join(made: Tab, link: str, name: str) -> None:
    """Follow a one-time link as somebody new."""
    made.page.goto(link)
    made.page.fill("#name", name)
    made.page.fill("#password", PASSWORD)
    made.page.click("button[type=submit]")
    made.page.wait_for_selector("h1:has-text('Today')")


def test_the_set_up_link_makes_the_owner_and_works_once(browser: Browser, scratch: Path) -> None:
    fresh = Installation(scratch / "first-minutes", port=port_of(18)).start()
    try:
        page = browser.new_context().new_page()
        page.goto(fresh.setup_link())
        page.fill("#organization", "Acme")
        page.fill("#name", "Ada Lovelace")
        page.fill("#email", ADA)
        page.fill("#password", "password1234")
        page.click("button[type=submit]")
        expect(page.locator(".fault")).to_contain_text("easy to guess")
        assert page.input_value("#email") == ADA, "what was typed is kept, but never the password"
        assert page.input_value("#password") == ""
        page.fill("#password", PASSWORD)
        page.click("button[type=submit]")
        expect(page.locator("h1")).to_have_text("Today")
        expect(page.locator(".sidebar")).to_contain_text("Ada Lovelace")
        page.goto(fresh.setup_link())
        expect(page.locator("main")).to_contain_text("This installation has an owner.")
        again = httpx.post(f"{fresh.url}/auth/set-up", data={"link": fresh.setup_link()}, headers={"Origin": fresh.url})
        assert again.headers["location"].startswith("/setup")
    finally:
        fresh.stop()


def test_a_second_browser_sees_the_audit_line_appear(tab: OpenTab, installation: Installation) -> None:
    watching = tab(color_scheme="light").sign_in(ADA, path="/audit").page
    expect(watching.locator(".live")).to_contain_text("live")
    working = tab().sign_in(ADA).page
    working.goto(f"{installation.url}/people")
    working.click("button:has-text('Invite')")
    working.fill("dialog#invite #email", "grace@acme.example")
    working.select_option("dialog#invite #role", "operator")
    working.click("text=Make the link")
    expect(working.locator("dialog#invite .secret input")).to_have_value(re.compile(r"/join\?link=aio_"))
    expect(watching.locator("tbody")).to_contain_text("grace@acme.example")


def test_a_line_is_on_the_other_screen_without_a_reload(tab: OpenTab, installation: Installation) -> None:
    watching = tab().sign_in(ADA, path="/audit").page
    expect(watching.locator(".live")).to_contain_text("live")
    api(installation, "POST", "/teams", json={"name": "Quick as light"})
    expect(watching.locator("tbody")).to_contain_text("Quick as light")


def test_an_invited_person_joins_by_phone_and_sees_what_the_role_shows(tab: OpenTab, installation: Installation) -> None:
    made = tab(viewport=PHONE, has_touch=True)
    join(made, invite(installation, "vera@acme.example", "viewer"), "Vera Rubin")
    page = made.page
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], "nothing is wider than the phone"
    page.click("[aria-label=Menu]")
    places = page.locator(".sidebar a.place").all_inner_texts()
    assert "People" in places and "Audit" not in places and "API tokens" not in places
    page.click(".sidebar >> text=People")
    expect(page.locator("tbody")).to_contain_text("Ada Lovelace")
    expect(page.locator("button:has-text('Invite')")).to_have_count(0)
    made.open("/audit")
    expect(page.locator("main")).to_contain_text("Your role does not show this page.")


def test_a_wrong_password_is_said_and_the_address_kept(tab: OpenTab) -> None:
    page = tab().page
    page.goto(tab().url + "/people")
    expect(page).to_have_url(re.compile(r"/sign-in\?next="))
    page.fill("#email", "nobody@acme.example")
    page.fill("#password", "wrong")
    page.click("button[type=submit]")
    expect(page.locator(".banner.critical")).to_have_text("E-mail address or password is wrong.")
    assert page.input_value("#email") == "nobody@acme.example"


def test_a_link_leads_back_to_where_it_pointed_after_signing_in(tab: OpenTab) -> None:
    page = tab().sign_in(ADA, path="/tokens").page
    expect(page).to_have_url(re.compile(r"/tokens$"))


def test_a_role_is_changed_and_what_is_refused_is_put_back_with_a_reason(tab: OpenTab, installation: Installation) -> None:
    join(tab(), invite(installation, "olga@acme.example", "operator"), "Olga Ladyzhenskaya")
    page = tab().sign_in(ADA, path="/people").page
    page.select_option("[aria-label='Role of Olga Ladyzhenskaya']", "admin")
    expect(page.locator("[aria-label='Role of Olga Ladyzhenskaya']")).to_have_value("admin")
    page.select_option("[aria-label='Role of Ada Lovelace']", "viewer")
    expect(page.locator(".toasts")).to_contain_text("This is the last owner.")
    expect(page.locator("[aria-label='Role of Ada Lovelace']")).to_have_value("owner")
    people = {row["name"]: row["role"] for row in api(installation, "GET", "/users").json()["data"]}
    assert (people["Olga Ladyzhenskaya"], people["Ada Lovelace"]) == ("admin", "owner")


def test_a_team_is_made_filled_renamed_and_deleted(tab: OpenTab) -> None:
    page = tab().sign_in(ADA, path="/teams").page
    page.click("button:has-text('New team') >> nth=0")
    page.fill("dialog#create #name", "Payments")
    page.click("dialog#create >> text=Create")
    expect(page.locator("h1")).to_have_text("Payments")
    page.select_option("[aria-label=Person]", label=page.locator("[aria-label=Person] option").first.inner_text())
    page.click("text=Add to the team")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.click("button:has-text('Rename')")
    page.fill("dialog#rename #name", "Card payments")
    page.click("dialog#rename footer >> text=Rename")
    expect(page.locator("h1")).to_have_text("Card payments")
    page.click("button:has-text('Delete')")
    page.click("dialog#delete footer >> text=Delete")
    expect(page).to_have_url(re.compile(r"/teams$"))
    expect(page.locator(".toasts")).to_contain_text("Card payments is deleted")


def test_a_token_is_shown_once_and_refused_when_it_is_revoked(tab: OpenTab, installation: Installation) -> None:
    page = tab().sign_in(ADA, path="/tokens").page
    page.click("button:has-text('New token') >> nth=0")
    page.fill("dialog#create #name", "deploy script")
    page.click("text=Make the token")
    secret = page.locator("dialog#create .secret input").input_value()
    headers = {"Authorization": f"Bearer {secret}"}
    assert httpx.get(f"{installation.url}/api/v1/users", headers=headers).status_code == 200
    page.click("dialog#create >> text=Done")
    page.reload()
    expect(page.locator("tbody")).to_contain_text("deploy script")
    assert secret not in page.content()
    page.locator("tr", has_text="deploy script").locator("text=Revoke").click()
    page.click("dialog#revoke footer >> text=Revoke")
    expect(page.locator("tbody")).not_to_contain_text("deploy script")
    assert httpx.get(f"{installation.url}/api/v1/users", headers=headers).status_code == 401


def test_the_chain_is_verified_by_a_job_that_the_page_follows(tab: OpenTab) -> None:
    page = tab().sign_in(ADA, path="/audit").page
    page.click("text=Verify the chain")
    expect(page.locator(".banner.good")).to_contain_text("the chain is intact")


def test_ending_a_session_elsewhere_signs_its_open_page_out(tab: OpenTab) -> None:
    lost = tab(expected="4401").sign_in(ADA).page
    keeping = tab().sign_in(ADA, path="/profile").page
    expect(keeping.locator(".tag.good")).to_be_visible()
    ends = keeping.locator("tbody button:has-text('End')")
    while ends.count():
        left = ends.count()
        ends.first.click()
        expect(ends).to_have_count(left - 1)
    expect(lost).to_have_url(re.compile(r"/sign-in"))


def test_signing_out_leaves_nothing_for_the_next_person_in_the_tab(tab: OpenTab, installation: Installation) -> None:
    join(tab(), invite(installation, "nina@acme.example", "viewer"), "Nina Simone")
    made = tab().sign_in(ADA, path="/audit")
    expect(made.page.locator("tbody")).to_contain_text("Ada Lovelace")
    made.page.click("text=Sign out")
    expect(made.page).to_have_url(re.compile(r"/sign-in$"))
    made.sign_in("nina@acme.example")
    made.open("/audit")
    expect(made.page.locator("main")).to_contain_text("Your role does not show this page.")
    assert "sign_in.open_session" not in made.page.content()


def test_the_page_recovers_by_itself_when_the_web_process_is_killed(tab: OpenTab, installation: Installation) -> None:
    made = tab()
    page = made.sign_in(ADA, path="/audit").page
    expect(page.locator(".live")).to_contain_text("live")
    installation.children()["web"].kill()
    installation.until(lambda: installation.health().get("status") == "ok")
    api(installation, "POST", "/teams", json={"name": "After the crash"})
    expect(page.locator("tbody")).to_contain_text("After the crash")
    made.outlived_a_kill()


def test_every_page_is_there_in_both_themes_without_a_complaint(tab: OpenTab) -> None:
    for scheme in ("dark", "light"):
        made = tab(color_scheme=scheme, expected="404").sign_in(ADA)
        for path in ("/", "/incidents", "/alerts", "/sources", "/sources/new", "/quarantine", "/settings"):
            made.open(path)
            assert loaded(made.page), path
        for path in ("/people", "/teams", "/tokens", "/audit", "/profile", "/system", "/nothing-here"):
            made.open(path)
            assert loaded(made.page), path
        assert scheme in (made.page.locator("html").get_attribute("class") or "")


def test_everything_is_reached_by_keyboard_alone(tab: OpenTab) -> None:
    page = tab().sign_in(ADA, path="/teams").page
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    page.locator("button:has-text('New team') >> nth=0").focus()
    page.keyboard.press("Enter")
    expect(page.locator("dialog#create")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog#create")).not_to_be_visible()


def test_a_first_load_is_light(tab: OpenTab) -> None:
    made = tab()
    made.page.goto(made.url + "/sign-in")
    made.page.wait_for_selector("#email")
    sizes = made.page.evaluate("performance.getEntriesByType('resource').map(r => [r.name, r.transferSize])")
    fonts = sum(size for name, size in sizes if name.endswith(".woff2"))
    rest = sum(size for name, size in sizes if not name.endswith(".woff2"))
    print(f"fonts {fonts / 1024:.0f} KiB, the rest {rest / 1024:.0f} KiB")
    assert fonts <= 95 * 1024
    assert rest <= 230 * 1024
