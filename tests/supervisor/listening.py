"""A web server and a mail server that keep what they are sent."""

import base64
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Web:
    """What was sent: bodies of POSTs, paths of GETs. Answers with `status`."""

    url: str = ""
    status: int = 200
    posted: list[dict[str, Any]] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)


@contextmanager
def web() -> Iterator[Web]:
    """A web server on a free port."""
    kept = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kept.fetched.append(self.path)
            self._answer()

        def do_POST(self) -> None:
            kept.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer()

        def _answer(self) -> None:
            self.send_response(kept.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the test says what it saw."""

    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        kept.url = f"http://127.0.0.1:{port}"
        yield kept


@dataclass
class Mail:
    """What was sent: messages, who signed in, every command. `offers` are the extensions it says it has."""

    port: int = 0
    offers: tuple[str, ...] = ("AUTH PLAIN",)
    messages: list[str] = field(default_factory=list)
    signed_in: list[tuple[str, str]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)


class _MailHandler(socketserver.StreamRequestHandler):
    mail: Mail

    def handle(self) -> None:
        self._say("220 test")
        while line := self.rfile.readline().decode().strip():
            verb, _, rest = line.partition(" ")
            self.mail.commands.append(verb.upper())
            self._say(_ANSWERS.get(verb.upper(), _well)(self.mail, rest))
            if verb.upper() == "DATA":
                self.mail.messages.append(b"".join(iter(self.rfile.readline, b".\r\n")).decode())
                self._say("250 kept")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


def _hello(kept: Mail, _: str) -> str:
    return "\r\n".join(["250-test", *(f"250-{offer}" for offer in kept.offers), "250 8BITMIME"])


def _sign_in(kept: Mail, rest: str) -> str:
    _, user, password = base64.b64decode(rest.split()[1]).decode().split("\0")
    kept.signed_in.append((user, password))
    return "235 welcome"


def _well(kept: Mail, _: str) -> str:
    return "250 well"


_ANSWERS = {
    "EHLO": _hello,
    "AUTH": _sign_in,
    "STARTTLS": lambda *_: "454 no TLS today",
    "DATA": lambda *_: "354 go on",
    "QUIT": lambda *_: "221 bye",
}


@contextmanager
def mail(*offers: str) -> Iterator[Mail]:
    """A mail server on a free port. It knows no TLS; where it offers it, it then says that it cannot."""
    kept = Mail(offers=offers or Mail.offers)

    class Handler(_MailHandler):
        mail = kept

    socketserver.ThreadingTCPServer.allow_reuse_address = True
    with _serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as port:
        kept.port = port
        yield kept


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[int]:
    threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
