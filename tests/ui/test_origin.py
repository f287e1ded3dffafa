"""Pages are built once: are they served at any address, and is the build told when the framework changes what it writes?"""

import contextlib
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from aiops_ui.origin import PageOrigin, by_page_origin
from engine.settings import load
from engine.start import embedded
from engine.storage.embedded import APPLICATION
from tests.testkit.browser import Tab
from tests.testkit.installation import PROJECT, WEB_DIR, Installation, clean_environment, port_is_free, port_of
from tests.testkit.organization import ADA

# As the framework builds them, with either kind of quotes.
ENVIRONMENT = "var e={PING:`http://page-origin.invalid/ping`,EVENT:`ws://page-origin.invalid/_event`,TRANSPORT:`websocket`};"
STATE = 'x=1,SAME=["localhost","0.0.0.0","::","0:0:0:0:0:0:0:0"],y=2;'
SOCKET = 'window.location.origin.replace(/^http/,"ws")+"/_event"'


def built(folder: Path, *scripts: str) -> Path:
    """A folder with these built scripts."""
    (folder / "assets").mkdir()
    for number, script in enumerate(scripts):
        (folder / "assets" / f"{number}.js").write_text(script)
    return folder


@pytest.mark.parametrize("quote", ["`", '"', "'"])
def test_addresses_are_made_from_where_the_page_came_from(quote: str) -> None:
    made = by_page_origin(ENVIRONMENT.replace("`", quote))
    assert made == f'var e={{PING:window.location.origin+"/ping",EVENT:{SOCKET},TRANSPORT:{quote}websocket{quote}}};'


def test_no_host_is_swapped_for_another() -> None:
    assert by_page_origin(STATE) == "x=1,SAME=[],y=2;"
    assert by_page_origin(STATE.replace(",", ",\n  ")) == "x=1,\n  SAME=[],\n  y=2;", "as it is built for work on the pages"


def test_what_is_built_is_rewritten_and_nothing_else_is(tmp_path: Path) -> None:
    PageOrigin().post_build(static_dir=built(tmp_path, ENVIRONMENT, STATE, "unrelated"))
    left = "".join(file.read_text() for file in sorted((tmp_path / "assets").iterdir()))
    assert SOCKET in left and "SAME=[]" in left and "unrelated" in left and "page-origin.invalid" not in left


@pytest.mark.parametrize(
    ("scripts", "why"),
    [
        ([STATE], "no address"),
        ([ENVIRONMENT], "no list of loopback names"),
        ([ENVIRONMENT, STATE, STATE], "more than one such list"),
        ([ENVIRONMENT, STATE, "f(`wss://page-origin.invalid/x`)"], "an address of another form"),
    ],
)
def test_a_build_that_is_not_as_known_fails_and_says_what_to_look_at(tmp_path: Path, scripts: list[str], why: str) -> None:
    with pytest.raises(RuntimeError, match="aiops_ui/origin.py"):
        PageOrigin().post_build(static_dir=built(tmp_path, *scripts))


# In a browser


@contextmanager
def another_web(installation: Installation, port: int, public_url: str) -> Iterator[None]:
    """A further web process on the same data and the same build, at another address."""
    found = load({"AIOPS_DATA_DIR": str(installation.data_dir)})
    mine = {
        "AIOPS_DATA_DIR": str(installation.data_dir),
        "AIOPS_DATABASE_URL": embedded(found).url(APPLICATION),
        "AIOPS_PORT": str(port),
        "AIOPS_PUBLIC_URL": public_url,
        "AIOPS_WEB_DIR": str(WEB_DIR),
    }
    process = subprocess.Popen([sys.executable, "-m", "engine", "web"], cwd=PROJECT, env=clean_environment() | mine)
    try:
        installation.until(lambda: not port_is_free(port))
        yield
    finally:
        process.terminate()
        process.wait(15)


@contextmanager
def tls(folder: Path, port: int, behind: int) -> Iterator[None]:
    """A proxy that speaks TLS at one port and hands on to another."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    names = "subjectAltName=IP:127.0.0.1,DNS:localhost"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", names]
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", port)) as listening:
        accepting = threading.Thread(target=_accept, args=(context, listening, behind), daemon=True)
        accepting.start()
        yield
        listening.shutdown(socket.SHUT_RDWR)  # wakes who waits in it: only then is the port free
        accepting.join(5)


def _accept(context: ssl.SSLContext, listening: socket.socket, behind: int) -> None:
    with contextlib.suppress(OSError):  # the listening socket is closed: over
        while True:
            client, _ = listening.accept()
            threading.Thread(target=_serve, args=(context, client, behind), daemon=True).start()


def _serve(context: ssl.SSLContext, client: socket.socket, behind: int) -> None:
    with contextlib.suppress(OSError), context.wrap_socket(client, server_side=True) as safe:
        with socket.create_connection(("127.0.0.1", behind)) as server:
            answers = threading.Thread(target=_pump, args=(server, safe), daemon=True)
            answers.start()
            _pump(safe, server)
            answers.join(5)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def is_live_at(browser: Browser, url: str) -> None:
    """Sign in there, and see that the page hears of changes."""
    with contextlib.closing(browser.new_context(ignore_https_errors=True, service_workers="block")) as context:
        page = Tab(context.new_page(), url).sign_in(ADA, path="/sign-in?next=/teams").page
        expect(page.locator(".topbar .live")).to_contain_text("live")


@pytest.mark.slow
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_one_build_is_live_by_name_and_by_number(browser: Browser, installation: Installation, host: str) -> None:
    is_live_at(browser, f"http://{host}:{installation.port}")


@pytest.mark.slow
def test_the_same_build_is_live_on_another_port_and_behind_tls(browser: Browser, installation: Installation, tmp_path: Path) -> None:
    port, safe = port_of(22), port_of(23)
    with another_web(installation, port, f"http://127.0.0.1:{port}"):
        is_live_at(browser, f"http://127.0.0.1:{port}")
    for host in ("127.0.0.1", "localhost"):
        with another_web(installation, port, f"https://{host}:{safe}"), tls(tmp_path, safe, port):
            is_live_at(browser, f"https://{host}:{safe}")
