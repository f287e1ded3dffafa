"""What does the live socket of a running installation give away, and what does it survive? (decision 25, scenario S1)"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.state.allowed import OF_FRAMEWORK
from tests.state.garbage import AUDIT, GARBAGE, PEOPLE, deep
from tests.state.tabs import Handler, every_handler
from tests.testkit.installation import Installation
from tests.testkit.sockets import BOOT, HYDRATE, Person, Wire, hired, joined, open_tabs, settled, signed_in

pytestmark = pytest.mark.slow

TOKENS = "reflex___state____state.state___tokens____tokens_state"
LIVE = "reflex___state____state.state___live____live_state"
ADA = "ada@acme.example"

Open = Callable[..., Wire]


@pytest.fixture
def wire(installation: Installation) -> Iterator[Open]:
    """Make sockets that are hung up at the end."""
    made: list[Wire] = []

    def make(person: Person | None = None, **more: Any) -> Wire:
        made.append(Wire(installation.url, cookie=person.cookie if person else "", **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def ada(installation: Installation) -> Person:
    """The owner of Acme."""
    return signed_in(installation, ADA)


@pytest.fixture(scope="module")
def bob(installation: Installation) -> Person:
    """The owner of another organization."""
    email = f"bob-{uuid4().hex[:8]}@beta.example"
    made = installation.command("organization", "create", "--name", "Beta", "--owner", email)
    assert made.returncode == 0, made.stderr
    return joined(installation, made.stdout, email)


# the Origin that is sent, why it is refused
STRANGERS = [
    (None, "no browser sends none"),
    ("null", "a sandboxed frame"),
    ("http://evil.example", "another site"),
    ("{ours}.evil.example", "begins as ours"),
    ("http://localhost", "another port"),
    ("{ours_by_tls}", "another scheme"),
    ("{ours}/", "no origin ends so"),
    ("", "empty"),
]


@pytest.mark.parametrize(("origin", "why"), STRANGERS)
def test_a_socket_of_another_site_is_refused(wire: Open, ada: Person, origin: str | None, why: str, installation: Installation) -> None:
    if origin:
        origin = origin.format(ours=installation.url, ours_by_tls=installation.url.replace("http", "https"))
    with pytest.raises(InvalidStatus) as refused:
        wire(ada).dial(origin)
    assert refused.value.response.status_code == 403, why


def test_the_log_says_once_which_setting_would_let_an_address_in(wire: Open, ada: Person, installation: Installation) -> None:
    for _ in range(2):
        with pytest.raises(InvalidStatus):
            wire(ada).dial("https://ops.example.com")
    lines = [line for line in installation.said().splitlines() if "https://ops.example.com" in line]
    assert len(lines) == 1 and "socket.refused" in lines[0] and "set AIOPS_PUBLIC_URL to it" in lines[0]


def test_a_socket_of_our_own_page_is_accepted(wire: Open, ada: Person, installation: Installation) -> None:
    wire(ada, path="/people").open(origin=f"http://127.0.0.1:{installation.port}").hears(ADA)


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("query", ["EIO=4&transport=polling", "EIO=4&transport=websocket", "transport=polling&sid=x", ""])
def test_there_is_no_other_transport(installation: Installation, ada: Person, method: str, query: str) -> None:
    headers = {"origin": installation.url, "cookie": ada.cookie}
    answer = httpx.request(method, f"{installation.url}/_event/?{query}", headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/_upload", "/_upload/x", "//_event/", "/_event%2f"])
def test_there_is_no_side_door_to_a_handler(installation: Installation, ada: Person, path: str) -> None:
    headers = {"origin": installation.url, "cookie": ada.cookie, "reflex-client-token": str(uuid4())}
    headers["reflex-event-handler"] = f"{PEOPLE}.refresh"
    answer = httpx.post(f"{installation.url}{path}", headers=headers, files={"files": b"x"})
    assert answer.status_code in (403, 404, 405)
    assert ADA not in answer.text


@pytest.mark.parametrize("boot", [BOOT, HYDRATE, ""])
@pytest.mark.parametrize("cookie", ["", "aiops_session=forged"])
def test_somebody_unknown_gets_no_rows_by_any_name(wire: Open, boot: str, cookie: str) -> None:
    stranger = wire(path="/people")
    stranger.cookie = cookie
    stranger.open(boot)
    handlers = [handler for handler in every_handler() if handler.is_ours or handler.name in OF_FRAMEWORK]
    assert len(handlers) > 120
    for handler in handlers:
        stranger.call(full_name(handler), payload(handler))
    said = stranger.quiet()
    assert tells_of_acme(said) == []
    assert "/sign-in" in said


def test_a_page_of_somebody_known_has_rows(wire: Open, ada: Person) -> None:
    tab = wire(ada, path="/people").open()
    tab.hears(ADA)
    assert tells_of_acme(tab.quiet()) != [], "or seeing nothing above proves nothing"


@pytest.mark.parametrize("boot", [BOOT, HYDRATE, ""])
@pytest.mark.parametrize("is_left", [True, False], ids=["tab left", "tab open"])
def test_another_persons_tab_token_leads_to_a_fresh_state(wire: Open, ada: Person, bob: Person, boot: str, is_left: bool) -> None:
    mine = wire(ada, path="/people").open()
    mine.hears(ADA)
    if is_left:  # while it is open, the framework itself gives the second one another token
        mine.close()
    for thief in (wire(bob, path="/people", token=mine.token), wire(path="/people", token=mine.token)):
        thief.open(boot)
        for name in (HYDRATE, BOOT, f"{PEOPLE}.refresh", f"{PEOPLE}.search", f"{LIVE}.listen"):
            thief.call(name, {"words": ""} if name.endswith("search") else None)
        said = thief.quiet()
        assert tells_of_acme(said) == []
        assert (bob.email in said) is bool(thief.cookie), "but the thief's own"
        thief.close()


def test_a_tab_token_cannot_be_smuggled_past_the_binding(wire: Open, ada: Person, bob: Person) -> None:
    mine = wire(ada, path="/people").open()
    mine.hears(ADA)
    mine.close()
    token = mine.token
    for query in (
        f"%74oken={token}",
        f"token={token}&token=x",
        f"token=x&token={token}",
        f"token={token};token=x",
        f"token=&token={token}",
    ):
        thief = wire(bob, path="/people", query=query)
        thief.open(HYDRATE)
        assert tells_of_acme(thief.quiet(0.3)) == [], query
        thief.close()


def test_after_a_sign_out_the_next_person_in_the_tab_finds_nothing(
    wire: Open, installation: Installation, ada: Person, bob: Person
) -> None:
    before = signed_in(installation, ADA)
    tab = wire(before, path="/tokens").open()
    tab.call(f"{TOKENS}.create", {"form": {"name": "left behind", "role": "viewer"}})
    secret = re.search(r"aio_\w+", tab.hears('"aio_'))
    assert secret is not None
    before.act("DELETE", "/sessions")
    with suppress(ConnectionClosed):
        tab.quiet()
    tab.close()
    for boot in (BOOT, HYDRATE):
        after = wire(bob, path="/tokens", token=tab.token).open(boot)
        said = after.call(HYDRATE).quiet()
        assert secret.group() not in said
        assert "left behind" not in said
        assert tells_of_acme(said) == []
        after.close()
    again = wire(ada, path="/people", token=tab.token).open()
    assert secret.group() not in again.quiet(), "not even the same person, in a session of its own"


def test_the_same_session_finds_its_tab_again(wire: Open, ada: Person) -> None:
    tab = wire(ada, path="/people").open()
    tab.hears(ADA)
    tab.call(f"{PEOPLE}.search", {"words": "nobody-like-this"}).hears("nobody-like-this")
    tab.close()
    again = wire(ada, path="/people", token=tab.token).open(HYDRATE)
    assert "nobody-like-this" in again.quiet()


def test_revoking_a_session_disconnects_its_tabs_at_once(wire: Open, installation: Installation, ada: Person) -> None:
    lost = signed_in(installation, ADA)
    tabs = [wire(lost, path="/people").open(), wire(lost, path="/").open()]
    other = wire(ada, path="/people").open()
    other.hears(ADA)
    ada.act("POST", "/sessions/end", json={"ids": [lost.session_id]})
    assert [tab.ended(30) for tab in tabs] == [4401, 4401]
    other.call(f"{PEOPLE}.refresh")
    other.quiet(0.3)
    back = wire(lost, path="/people", token=tabs[0].token).open()
    back.call(f"{PEOPLE}.refresh").call(f"{AUDIT}.refresh")
    said = back.quiet()
    assert tells_of_acme(said) == []
    assert "/sign-in" in said


def test_a_change_of_role_is_noticed_by_an_open_page(wire: Open, installation: Installation, ada: Person) -> None:
    carol = hired(installation, "viewer")
    invited = f"invited-{uuid4().hex[:8]}@acme.example"
    ada.act("POST", "/invitations", json={"email": invited, "role": "viewer"})
    tab = wire(carol, path="/people").open()
    tab.hears(ADA)
    assert invited not in tab.quiet(), "a viewer does not see invitations"
    ada.act("PATCH", f"/users/{carol.user_id}", json={"role": "admin"})
    tab.hears(invited, 3)
    tab.call(f"{AUDIT}.refresh").hears("people.change_role")
    ada.act("PATCH", f"/users/{carol.user_id}", json={"role": "viewer"})
    tab.quiet(0.3)
    tab.call(f"{AUDIT}.refresh").hears("Your role does not allow this.")


def test_a_change_reaches_an_open_page_of_the_organization_alone(wire: Open, ada: Person, bob: Person) -> None:
    mine, theirs = wire(ada, path="/people").open(), wire(bob, path="/people").open()
    mine.hears(ADA)
    theirs.hears(bob.email)
    mine.quiet(0.3)
    before = len(theirs.quiet(0.3))
    invited = f"invited-{uuid4().hex[:8]}@acme.example"
    ada.act("POST", "/invitations", json={"email": invited, "role": "viewer"})
    mine.hears(invited, 2)
    assert len(theirs.quiet(0.3)) == before, "nothing at all, not even that something happened"


def test_a_page_that_is_left_listens_no_longer(wire: Open, installation: Installation, ada: Person) -> None:
    before = settled(installation)  # at most: a loop of a test before may still end
    tab = wire(ada, path="/people").open()
    tab.hears(ADA)
    installation.until(lambda: open_tabs(installation) >= before)
    tab.path = "/teams"
    tab.call("reflex___state____state.reflex___state____on_load_internal_state.on_load_internal").quiet(1.0)
    installation.until(lambda: open_tabs(installation) <= before + 1)
    tab.close()
    installation.until(lambda: open_tabs(installation) <= before)


def test_a_tab_that_calls_for_many_loops_has_one(wire: Open, installation: Installation, ada: Person) -> None:
    before = settled(installation)  # at most: a loop of a test before may still end
    tab = wire(ada, path="/people").open()
    tab.hears(ADA)
    for _ in range(30):
        tab.call(f"{LIVE}.listen")
    tab.quiet(0.3)
    installation.until(lambda: settled(installation) <= before + 1)
    tab.close()
    ada.act("POST", "/invitations", json={"email": f"invited-{uuid4().hex[:8]}@acme.example", "role": "viewer"})
    installation.until(lambda: open_tabs(installation) <= before)


def test_no_garbage_ends_the_server(wire: Open, installation: Installation, ada: Person) -> None:
    process = installation.children()["web"].pid
    witness = wire(ada, path="/people").open()
    witness.hears(ADA)
    for frame in GARBAGE.values():
        vandal = wire(ada, path="/people").open("")
        with suppress(ConnectionClosed):
            vandal.send(frame)
            vandal.quiet(0.1)
        vandal.close()
    for auth in ("{}", "[]", '"x"', '{"event":5}', '{"event":{"name":5}}', '{"event":{"name":"x"}}', deep(50_000)):
        vandal = wire(ada).dial(installation.url)
        with suppress(ConnectionClosed):
            vandal.send(f"40/_event,{auth}")
            vandal.quiet(0.1)
        vandal.close()
    assert httpx.get(f"{installation.url}/health/ready", timeout=5).status_code == 200
    assert installation.children()["web"].pid == process
    witness.call(f"{PEOPLE}.search", {"words": "after all that"}).hears("after all that")
    wire(ada, path="/people").open().hears(ADA)


def full_name(handler: Handler) -> str:
    """What a browser calls it."""
    return f"{handler.state.get_full_name()}.{handler.call.__name__}"


def payload(handler: Handler) -> dict[str, Any]:
    """Something for every argument."""
    given: dict[str, Any] = {"form": {"name": "x", "email": "x@example.com", "role": "owner"}, "vars": {}, "hashes": [], "id": 1}
    given |= {"value": True, "info": "x", "component_stack": "x"}
    return {name: given.get(name, "") for name in handler.asks}


def tells_of_acme(said: str) -> list[str]:
    """What of the first organization is in there."""
    return [words for words in (ADA, "Ada Lovelace", "Acme", "@acme.example") if words in said]
