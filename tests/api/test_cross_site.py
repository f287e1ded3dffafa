"""Can a page of another site act for who visits it? (scenario S6)"""

from collections.abc import Callable

import pytest
from pydantic import SecretStr

from engine.api.cookies import CSRF_HEADER, FLASH
from engine.errors import NotSignedIn
from engine.identity.actor import Actor
from engine.identity.secrets import csrf_token
from engine.model.vocabulary import Role
from engine.operations import people, profile, sign_in, tokens
from tests.api.clients import Client, Server, is_problem, serve
from tests.testkit.people import HERE, PASSWORD, Company, enter, hire

ME = "/api/v1/me"
# how the browser says whose page it is, why that page is not ours
FOREIGN = [
    ({"origin": "https://evil.example"}, "another site"),
    ({"origin": "null"}, "a sandboxed frame, or a page from a file"),
    ({"origin": "http://localhost:3000.evil.example"}, "a site whose name begins like ours"),
    ({"origin": "https://localhost:3000"}, "another scheme"),
    ({"origin": "http://localhost:3001"}, "another port"),
    ({"origin": "http://["}, "no origin at all"),
    ({"origin": "", "sec-fetch-site": "same-origin"}, "an empty one"),
    ({"sec-fetch-site": "cross-site"}, "the browser says so"),
    ({"sec-fetch-site": "same-site"}, "a neighbour under the same domain"),
    ({"origin": "https://evil.example", "sec-fetch-site": "same-origin"}, "Origin decides"),
]


@pytest.fixture
def person(acme: Company) -> Actor:
    """Somebody who is signed in while visiting another site."""
    return hire(acme.owner, Role.OPERATOR)


def _signed_in(server: Server, secret: str, headers: dict[str, str]) -> Client:
    """A browser with the session, whose request says these headers and none of our own."""
    ours = server.holder(secret)
    proof = {CSRF_HEADER: csrf_token(secret)}
    return Client(ours.app, headers=proof | headers, cookies=ours.cookies)


@pytest.mark.parametrize(("headers", "why"), FOREIGN)
def test_rest_with_a_cookie_is_refused_to_foreign_pages(server: Server, person: Actor, headers: dict[str, str], why: str) -> None:
    visitor = _signed_in(server, enter(person), headers)
    assert is_problem(visitor("PATCH", ME, json={"name": "Mallory"}), 403, "refused"), why
    assert is_problem(visitor.post("/api/v1/sessions/end-everywhere"), 403, "refused"), why
    assert is_problem(visitor("DELETE", "/api/v1/sessions"), 403, "refused"), why
    assert profile.show(person).name == person.name
    assert visitor.get(ME).status_code == 200, "reading is harmless: another site's page does not see the answer"


# how the double submit goes wrong, why it is refused
DOUBLE_SUBMITS = [
    (lambda right: ({}, {"aiops_csrf": right}), "no header: a form of another site cannot set one"),
    (lambda right: ({CSRF_HEADER: "f" * 64}, {"aiops_csrf": right}), "a wrong header"),
    (lambda right: ({CSRF_HEADER: right}, {}), "the header without the cookie"),
    (lambda right: ({CSRF_HEADER: right}, {"aiops_csrf": "f" * 64}), "a cookie that a neighbour planted"),
    (lambda right: ({CSRF_HEADER: "f" * 64}, {"aiops_csrf": "f" * 64}), "both planted: they have to fit the session"),
    (lambda right: ({CSRF_HEADER: ""}, {"aiops_csrf": ""}), "both empty"),
]


@pytest.mark.parametrize(("submit", "why"), DOUBLE_SUBMITS)
def test_rest_with_a_cookie_needs_the_double_submit(server: Server, person: Actor, submit: Callable[..., object], why: str) -> None:
    secret = enter(person)
    headers, cookies = submit(csrf_token(secret))  # type: ignore[misc]
    visitor = Client(server.app, headers=headers, cookies={"aiops_session": secret} | cookies)
    answer = visitor("PATCH", ME, json={"name": "Mallory"})
    assert is_problem(answer, 403, "refused"), why
    assert CSRF_HEADER in answer.json()["detail"]
    assert profile.show(person).name == person.name


def test_a_token_of_another_session_does_not_fit(server: Server, person: Actor, acme: Company) -> None:
    mine, other = enter(person), csrf_token(enter(acme.owner))
    cookies = {"aiops_session": mine, "aiops_csrf": other}
    answer = Client(server.app, headers={CSRF_HEADER: other}, cookies=cookies)("PATCH", ME, json={"name": "Mallory"})
    assert is_problem(answer, 403, "refused")


def test_pages_of_ours_may(server: Server, person: Actor, scratch: object) -> None:
    assert server.browser(person)("PATCH", ME, json={"name": "Ada"}).json()["data"]["name"] == "Ada"
    assert server.browser(person, origin="http://127.0.0.1:3000")("PATCH", ME, json={"name": "Eva"}).status_code == 200
    friendly = serve(str(scratch), allowed_origins="https://chat.example.com")
    assert friendly.browser(person, origin="https://chat.example.com")("PATCH", ME, json={"name": "Ida"}).status_code == 200
    assert profile.show(person).name == "Ida"


def test_a_public_address_is_compared_as_browsers_write_it(person: Actor, scratch: object) -> None:
    typed = serve(str(scratch), public_url="https://Ops.Example.COM:443", profile="production")
    browser = typed.browser(person, origin="https://ops.example.com")
    assert browser("PATCH", ME, json={"name": "Ada"}).status_code == 200
    assert is_problem(typed.browser(person, origin="http://localhost:3000")("PATCH", ME, json={"name": "x"}), 403, "refused")


def test_a_bearer_token_stands_for_itself_whatever_cookies_come_along(server: Server, person: Actor, acme: Company) -> None:
    token = tokens.create(acme.owner, "program", Role.ADMIN).secret.get_secret_value()
    both = Client(
        server.app, headers={"authorization": f"Bearer {token}", "origin": "https://evil.example"}, cookies={"aiops_session": enter(person)}
    )
    assert both.post("/api/v1/invitations", {"email": "x@example.com", "role": "viewer"}).status_code == 201, "as the token may"
    assert is_problem(both.get(ME), 403, "refused"), "and not as the person, who has a profile"
    wrong = Client(server.app, headers={"authorization": "Bearer nonsense"}, cookies={"aiops_session": enter(person)})
    assert is_problem(wrong.get(ME), 401, "not-signed-in"), "a wrong token is not made up for by a cookie"


# Each form with fields that would do their work if the page were ours.
def _forms(acme: Company, beta: Company, person: Actor, secret: str) -> dict[str, dict[str, str]]:
    link = people.invite(acme.owner, "somebody-new@example.com", Role.VIEWER).url.get_secret_value().partition("link=")[2]
    return {
        "/auth/sign-in": {"email": person.email, "password": PASSWORD},
        "/auth/set-up": {"link": "x", "organization": "x", "name": "x", "email": person.email, "password": PASSWORD},
        "/auth/join": {"link": link, "name": "Mallory", "password": PASSWORD},
        "/auth/sign-out": {"csrf": csrf_token(secret)},
        "/auth/switch": {"csrf": csrf_token(secret), "organization_id": str(beta.id)},
    }


@pytest.mark.parametrize(("headers", "why"), FOREIGN)
def test_every_form_is_refused_to_foreign_pages(
    server: Server, acme: Company, beta: Company, person: Actor, headers: dict[str, str], why: str
) -> None:
    secret = enter(person)
    forms = _forms(acme, beta, person, secret)
    assert set(forms) == {f"/auth/{name}" for name in ("sign-in", "set-up", "join", "sign-out", "switch")}
    visitor = _signed_in(server, secret, headers)
    for path, fields in forms.items():
        answer = visitor.form(path, fields)
        assert is_problem(answer, 403, "refused"), (path, why)
        assert not answer.headers.get_list("set-cookie"), path
    assert sign_in.by_session(HERE, SecretStr(secret)).org_id == acme.id
    assert sign_in.read_link(HERE, SecretStr(forms["/auth/join"]["link"])).email == "somebody-new@example.com"


@pytest.mark.parametrize("csrf", [None, "", "f" * 64])
def test_forms_that_act_in_a_session_need_the_double_submit(server: Server, person: Actor, beta: Company, csrf: str | None) -> None:
    secret = enter(person)
    browser = Client(server.app, cookies=server.holder(secret).cookies, headers={"origin": server.origin})
    sent = {} if csrf is None else {"csrf": csrf}
    signed_out = browser.form("/auth/sign-out", sent)
    assert is_problem(signed_out, 403, "refused")
    switched = browser.form("/auth/switch", sent | {"organization_id": str(beta.id)})
    assert (switched.status_code, switched.headers["location"]) == (303, "/profile")
    for answer in (signed_out, switched):
        assert not [cookie for cookie in answer.headers.get_list("set-cookie") if not cookie.startswith(FLASH)]
    assert sign_in.by_session(HERE, SecretStr(secret)).id == person.id


def test_a_page_of_ours_signs_out(server: Server, person: Actor) -> None:
    secret = enter(person)
    browser = server.holder(secret)
    answer = browser.form("/auth/sign-out", {"csrf": csrf_token(secret)})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    gone = answer.headers.get_list("set-cookie")
    assert {cookie.partition("=")[0] for cookie in gone} == {"aiops_session", "aiops_csrf"}
    assert all("Max-Age=0" in cookie for cookie in gone)
    with pytest.raises(NotSignedIn):
        sign_in.by_session(HERE, SecretStr(secret))
    assert browser.form("/auth/sign-out", {"csrf": csrf_token(secret)}).status_code == 303, "signing out twice is signing out"


def test_json_is_not_taken_from_a_plain_form(server: Server, person: Actor) -> None:
    """A form of another site can send text/plain without asking; JSON it cannot."""
    body = f'{{"email": "{person.email}", "password": "{PASSWORD}"}}'
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = server.anybody()("POST", "/api/v1/sessions", content=body, headers={"content-type": kind})
        assert is_problem(answer, 422, "invalid")


# where a form wants to go on to, where it goes, why
NEXT = [
    ("/incidents?x=1", "/incidents?x=1", "a page of ours"),
    ("/", "/", "the first page"),
    ("", "/", "nowhere in particular"),
    ("//evil.example", "/", "another host without its scheme"),
    ("/\\evil.example", "/", "browsers read the backslash as a slash"),
    ("\\\\evil.example", "/", "twice"),
    ("https://evil.example", "/", "another site"),
    ("javascript:alert(1)", "/", "a script"),
    ("incidents", "/", "no path from the root"),
    (" //evil.example", "/", "a space before it"),
    ("/\t/evil.example", "/", "browsers drop tabs"),
    ("/\r\nSet-Cookie: a=b", "/", "a header of its own"),
]


@pytest.mark.parametrize(("wanted", "goes", "why"), NEXT)
def test_a_sign_in_goes_on_to_our_own_pages_only(server: Server, person: Actor, wanted: str, goes: str, why: str) -> None:
    page = server.anybody(origin=server.origin)
    answer = page.form("/auth/sign-in", {"email": person.email, "password": PASSWORD, "next": wanted})
    assert (answer.status_code, answer.headers["location"]) == (303, goes), why
