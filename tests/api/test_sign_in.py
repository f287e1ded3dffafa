"""How does a browser or a script come in, and what does it carry away?"""

from http.cookies import SimpleCookie
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from engine.errors import NotSignedIn
from engine.identity.actor import Actor
from engine.identity.cookies import unpack
from engine.identity.secrets import csrf_token, digest
from engine.model.vocabulary import Role
from engine.operations import people, sign_in
from engine.storage import instance
from engine.storage.work import INSTANCE, work
from tests.api.clients import Client, Server, is_problem, serve
from tests.testkit.database import TestDatabase
from tests.testkit.people import HERE, PASSWORD, Company, enter, hire


@pytest.fixture
def person(acme: Company) -> Actor:
    """Somebody with an account."""
    return hire(acme.owner, Role.OPERATOR)


def _cookies(answer: httpx.Response) -> SimpleCookie:
    jar = SimpleCookie()
    for line in answer.headers.get_list("set-cookie"):
        jar.load(line)
    return jar


def _page(server: Server, address: str = "203.0.113.9") -> Client:
    return server.anybody(address, origin=server.origin)


def _said(answer: httpx.Response) -> dict[str, str]:
    return unpack(_cookies(answer)["aiops_flash"].value)


def test_a_script_opens_and_closes_a_session(server: Server, person: Actor) -> None:
    answer = server.anybody().post("/api/v1/sessions", {"email": person.email, "password": PASSWORD})
    assert answer.status_code == 201
    secret, said = _cookies(answer)["aiops_session"].value, answer.json()["data"]
    assert said["csrf_token"] == csrf_token(secret) == _cookies(answer)["aiops_csrf"].value
    assert secret not in answer.text, "the secret is in the cookie and nowhere else"
    assert said["organization_id"] == str(person.org_id)
    assert server.holder(secret).get("/api/v1/me").json()["data"]["email"] == person.email
    closed = server.holder(secret)("DELETE", "/api/v1/sessions")
    assert (closed.status_code, set(_cookies(closed))) == (204, {"aiops_session", "aiops_csrf"})
    assert is_problem(server.holder(secret).get("/api/v1/me"), 401, "not-signed-in")


def test_scripts_read_the_one_cookie_and_not_the_other(server: Server, person: Actor) -> None:
    jar = _cookies(server.anybody().post("/api/v1/sessions", {"email": person.email, "password": PASSWORD}))
    assert jar["aiops_session"]["httponly"] and jar["aiops_session"]["samesite"] == "lax"
    assert not jar["aiops_csrf"]["httponly"] and jar["aiops_csrf"]["samesite"] == "strict"
    assert {jar[name]["path"] for name in ("aiops_session", "aiops_csrf")} == {"/"}


def test_with_tls_cookies_are_bound_to_it_and_to_our_host(person: Actor, scratch: Path) -> None:
    secure = serve(str(scratch), public_url="https://ops.example.com")
    jar = _cookies(secure.anybody().post("/api/v1/sessions", {"email": person.email, "password": PASSWORD}))
    assert {name for name, morsel in jar.items() if morsel.value} == {"__Host-aiops_session", "__Host-aiops_csrf"}
    for name in ("__Host-aiops_session", "__Host-aiops_csrf"):
        assert jar[name]["secure"] and jar[name]["path"] == "/" and not jar[name]["domain"]
    assert secure.browser(person).get("/api/v1/me").status_code == 200
    plain = Client(secure.app, cookies={"aiops_session": enter(person)})
    assert is_problem(plain.get("/api/v1/me"), 401, "not-signed-in"), "the name without the prefix is not looked at"


def test_wrong_credentials_are_401_without_a_cookie(server: Server, person: Actor) -> None:
    for body in ({"email": person.email, "password": "a guess"}, {"email": "nobody@example.com", "password": PASSWORD}):
        answer = server.anybody("2001:db8::14").post("/api/v1/sessions", body)
        assert is_problem(answer, 401, "not-signed-in") and not _cookies(answer)
        assert answer.json()["detail"] == "E-mail address or password is wrong."


def test_the_sixth_wrong_try_is_429(server: Server, person: Actor) -> None:
    body = {"email": person.email, "password": "a guess"}
    answers = [server.anybody("2001:db8::15").post("/api/v1/sessions", body) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert 800 < int(answers[-1].headers["retry-after"]) <= 901
    form = _page(server, "2001:db8::15").form("/auth/sign-in", {"email": person.email, "password": PASSWORD})
    assert int(_said(form)["wait"]) > 800, "the form counts with it and says how long"


def test_the_form_lets_in_and_goes_on(server: Server, person: Actor) -> None:
    answer = _page(server).form("/auth/sign-in", {"email": person.email.upper(), "password": PASSWORD, "next": "/teams"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/teams")
    assert sign_in.by_session(HERE, SecretStr(_cookies(answer)["aiops_session"].value)).id == person.id


def test_the_form_comes_back_with_its_fault_and_what_was_typed_but_for_the_password(server: Server, person: Actor) -> None:
    answer = _page(server).form("/auth/sign-in", {"email": person.email, "password": "my secret guess", "next": "/teams"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    flash = _cookies(answer)["aiops_flash"]
    assert flash["httponly"] and flash["max-age"] == "30"
    said = _said(answer)
    assert (said["page"], said["email"], said["next"]) == ("/sign-in", person.email, "/teams")
    assert said["error"] == "E-mail address or password is wrong."
    assert "my secret guess" not in repr(said) and "aiops_session" not in _cookies(answer)


# what is sent, why it is no form of ours
NO_FORMS = [
    (b"x" * 20_000, "too large"),
    (b"&".join(b"f%d=1" % n for n in range(30)), "too many fields"),
]


@pytest.mark.parametrize(("content", "why"), NO_FORMS)
def test_what_is_no_form_of_ours_is_422(server: Server, content: bytes, why: str) -> None:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert is_problem(_page(server)("POST", "/auth/sign-in", content=content, headers=kind), 422, "invalid"), why


def test_bytes_that_are_no_text_are_a_wrong_password(server: Server) -> None:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    answer = _page(server)("POST", "/auth/sign-in", content=b"email=a%40b.c&password=%ff\xfe%00", headers=kind)
    assert answer.headers["location"] == "/sign-in"


def test_an_invited_person_joins_by_the_form(server: Server, acme: Company) -> None:
    link = people.invite(acme.owner, "joins-by-form@example.com", Role.VIEWER).url.get_secret_value().partition("link=")[2]
    weak = _page(server).form("/auth/join", {"link": link, "name": "Jo", "password": "short"})
    assert weak.headers["location"] == f"/join?link={link}"
    assert "12 characters" in _said(weak)["error_password"] and _said(weak)["name"] == "Jo"
    joined = _page(server).form("/auth/join", {"link": link, "name": "Jo", "password": PASSWORD})
    assert joined.headers["location"] == "/"
    assert sign_in.by_session(HERE, SecretStr(_cookies(joined)["aiops_session"].value)).name == "Jo"
    assert "used" in _said(_page(server).form("/auth/join", {"link": link, "name": "Jo", "password": PASSWORD}))["error"]


def test_a_link_that_is_none_does_not_reach_the_location(server: Server) -> None:
    answer = _page(server).form("/auth/join", {"link": "x&next=//evil.example\r\nSet-Cookie: a=b", "password": PASSWORD})
    assert answer.headers["location"] == "/join" and "a" not in _cookies(answer)


def test_the_first_owner_is_made_by_the_form_once(server: Server, fresh: TestDatabase) -> None:
    with work(fresh.database, INSTANCE) as open_work:
        instance.offer_setup(open_work, digest("the-link"))
    fields = {"organization": "First", "name": "Ada", "email": "ada@example.com", "password": PASSWORD}
    wrong = _page(server).form("/auth/set-up", fields | {"link": "another-link"})
    assert wrong.headers["location"] == "/setup?link=another-link"
    assert _said(wrong)["organization"] == "First"
    made = _page(server).form("/auth/set-up", fields | {"link": "the-link"})
    assert made.headers["location"] == "/"
    me = sign_in.by_session(HERE, SecretStr(_cookies(made)["aiops_session"].value))
    assert me.instance_admin and me.role is Role.OWNER


def test_a_person_of_two_organizations_switches_by_the_form(server: Server, person: Actor, beta: Company) -> None:
    link = people.invite(beta.owner, person.email, Role.ADMIN).url.get_secret_value().partition("link=")[2]
    sign_in.use_link(HERE, SecretStr(link), SecretStr(PASSWORD))
    secret = enter(person)
    answer = server.holder(secret).form("/auth/switch", {"csrf": csrf_token(secret), "organization_id": str(beta.id)})
    assert answer.headers["location"] == "/"
    assert sign_in.by_session(HERE, SecretStr(_cookies(answer)["aiops_session"].value)).org_id == beta.id
    with pytest.raises(NotSignedIn):
        sign_in.by_session(HERE, SecretStr(secret))


@pytest.mark.parametrize("wanted", ["", "nonsense", "01234567-89ab-7def-8123-456789abcdef"])
def test_an_organization_of_others_is_not_switched_to(server: Server, person: Actor, wanted: str) -> None:
    secret = enter(person)
    answer = server.holder(secret).form("/auth/switch", {"csrf": csrf_token(secret), "organization_id": wanted})
    assert answer.headers["location"] == "/profile" and _said(answer)["error"]
    assert sign_in.by_session(HERE, SecretStr(secret)).id == person.id
