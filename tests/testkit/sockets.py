"""How does a test speak to the live socket, as somebody who never loads a page?

Frames by hand, so that also wrong ones can be sent: engine.io 4 over a web socket, inside it the packets of socket.io.
"""

import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
from socketio.packet import CONNECT, EVENT, Packet
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.testkit.clock import PATIENCE
from tests.testkit.installation import PASSWORD, Installation

SPACE = "/_event"
BOOT = "reflex___state____state.hydrate_and_load"
HYDRATE = "reflex___state____state.hydrate"


@dataclass
class Person:
    """Somebody with an account, signed in."""

    url: str
    email: str
    secret: str
    csrf: str
    session_id: str
    user_id: str

    @property
    def cookie(self) -> str:
        """What the browser would send."""
        return f"aiops_session={self.secret}; aiops_csrf={self.csrf}"

    def act(self, method: str, path: str, **more: Any) -> Any:
        """A request of this person over REST."""
        headers = {"cookie": self.cookie, "x-csrf-token": self.csrf, "origin": self.url}
        answer = httpx.request(method, f"{self.url}/api/v1{path}", headers=headers, timeout=10, **more)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


def signed_in(installation: Installation, email: str) -> Person:
    """A fresh session of somebody."""
    answer = httpx.post(f"{installation.url}/api/v1/sessions", json={"email": email, "password": PASSWORD}, timeout=10)
    assert answer.status_code == 201, answer.text
    data = answer.json()["data"]
    secret = answer.cookies["aiops_session"]
    return Person(installation.url, email, secret, data["csrf_token"], data["session_id"], data["user_id"])


def joined(installation: Installation, link: str, email: str) -> Person:
    """Somebody new, by a one-time link."""
    form = {"link": link.partition("link=")[2].strip(), "password": PASSWORD, "name": email.partition("@")[0]}
    answer = httpx.post(f"{installation.url}/auth/join", data=form, headers={"origin": installation.url}, timeout=10)
    assert answer.status_code == 303, answer.text
    assert "aiops_session" in answer.cookies, answer.headers
    return signed_in(installation, email)


def hired(installation: Installation, role: str) -> Person:
    """Somebody new in the first owner's organization."""
    email = f"{role}-{uuid4().hex[:8]}@acme.example"
    headers = {"authorization": f"Bearer {installation.token}"}
    invited = {"email": email, "role": role}
    answer = httpx.post(f"{installation.url}/api/v1/invitations", json=invited, headers=headers, timeout=10)
    assert answer.status_code == 201, answer.text
    return joined(installation, answer.json()["data"]["url"], email)


@dataclass
class Wire:
    """One socket. `heard` is every frame that came, as text; `query` is sent in place of the token, as it is."""

    url: str
    token: str = field(default_factory=lambda: str(uuid4()))
    cookie: str = ""
    path: str = "/"
    query: str = ""
    heard: list[str] = field(default_factory=list)
    socket: ClientConnection | None = None
    _open: ExitStack = field(default_factory=ExitStack)

    def open(self, boot: str = BOOT, origin: str | None = None) -> "Wire":
        """Connect as a page does, with the event that begins the page (empty: none)."""
        self.dial(self.url if origin is None else origin)
        auth = {"event": self.event(boot)} if boot else None
        self.send(f"4{Packet(CONNECT, data=auth, namespace=SPACE).encode()}")
        self.until(lambda text: text.startswith(f"40{SPACE}"))
        return self

    def dial(self, origin: str | None) -> "Wire":
        """Open the web socket only. Raises InvalidStatus when it is refused."""
        query = self.query or urlencode({"token": self.token})
        address = f"{self.url.replace('http', 'ws', 1)}{SPACE}/?EIO=4&transport=websocket&{query}"
        headers = {"Cookie": self.cookie} if self.cookie else {}
        asked: Any = origin
        self.socket = self._open.enter_context(connect(address, origin=asked, additional_headers=headers, max_size=None))
        return self

    def event(self, name: str, payload: Any = None) -> dict[str, Any]:
        """An event of the page that this tab is on."""
        place = {"pathname": self.path, "query": {}, "asPath": self.path}
        return {"name": name, "payload": {} if payload is None else payload, "router_data": place}

    def call(self, name: str, payload: Any = None) -> "Wire":
        """Call a handler by name."""
        return self.emit("event", self.event(name, payload))

    def emit(self, *data: Any) -> "Wire":
        """Send an event of socket.io."""
        return self.send(f"4{Packet(EVENT, data=list(data), namespace=SPACE).encode()}")

    def send(self, frame: str | bytes) -> "Wire":
        """Send anything."""
        assert self.socket is not None
        self.socket.send(frame)
        return self

    def until(self, found: Callable[[str], bool], within: float = PATIENCE) -> str:
        """The first frame from now on that is what is waited for."""
        deadline = time.monotonic() + within
        while (left := deadline - time.monotonic()) > 0:
            frame = self._next(left)
            if frame is not None and found(frame):
                return frame
        raise AssertionError(f"not heard within {within} s; heard {[frame[:300] for frame in self.heard]}")

    def hears(self, words: str, within: float = PATIENCE) -> str:
        """Wait for a frame with these words."""
        return self.until(lambda text: words in text, within)

    def quiet(self, seconds: float = 0.6) -> str:
        """Listen until nothing has come for so long; all that was ever heard."""
        while self._next(seconds) is not None:
            continue
        return "\n".join(self.heard)

    def ended(self, within: float) -> int:
        """Wait until the server closes it; the code it gives."""
        deadline = time.monotonic() + within
        try:
            while (left := deadline - time.monotonic()) > 0:
                self._next(left)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 0
        raise AssertionError(f"still open after {within} s")

    def close(self) -> None:
        """Hang up."""
        self._open.close()

    def _next(self, seconds: float) -> str | None:
        assert self.socket is not None
        try:
            frame = self.socket.recv(timeout=seconds)
        except TimeoutError:
            return None
        text = frame if isinstance(frame, str) else frame.decode("latin-1")
        if text == "2":
            self.socket.send("3")
        self.heard.append(text)
        return text


def open_tabs(installation: Installation) -> int:
    """How many pages listen now."""
    found = re.search(r"^aiops_open_tabs (\d+)", httpx.get(f"{installation.url}/metrics", timeout=5).text, re.MULTILINE)
    assert found is not None
    return int(found.group(1))


def settled(installation: Installation) -> int:
    """How many listen once the tabs of the test before are gone."""
    seen = -1
    while seen != (now := open_tabs(installation)):
        seen = now
        time.sleep(0.4)
    return now
