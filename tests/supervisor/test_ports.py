"""Is a busy port explained?"""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from engine.errors import Misconfigured
from engine.supervisor.ports import require_free

pytestmark = pytest.mark.fast


@contextmanager
def _listening(host: str = "127.0.0.1") -> Iterator[tuple[socket.socket, int]]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, 0))
        listener.listen()
        yield listener, listener.getsockname()[1]


def test_a_free_port_is_free_at_once() -> None:
    with _listening() as (_, port):
        pass
    began = time.monotonic()
    require_free("127.0.0.1", port, patience=5)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    ("holder", "host", "why"),
    [
        ("127.0.0.1", "127.0.0.1", "the usual case"),
        ("127.0.0.1", "0.0.0.0", "we listen on all addresses, somebody has one of them"),
        ("0.0.0.0", "127.0.0.1", "somebody has all"),
        ("::1", "::1", "IPv6"),
    ],
)
def test_a_busy_port_names_who_has_it_and_the_setting_to_change(holder: str, host: str, why: str) -> None:
    if ":" in host and not Path("/proc/net/if_inet6").exists():
        return  # a machine without IPv6 cannot be asked
    me = psutil.Process()
    comm = Path("/proc/self/comm").read_text().strip()
    with _listening(holder) as (_, port):
        words = re.escape(f"port {port} is in use by {comm} (pid {me.pid}): end it, or set AIOPS_PORT to another port")
        with pytest.raises(Misconfigured, match=words):
            require_free(host, port, patience=0)


def test_a_port_that_is_given_up_meanwhile_is_waited_for() -> None:
    with _listening() as (listener, port):
        threading.Timer(0.3, listener.close).start()
        began = time.monotonic()
        require_free("127.0.0.1", port, patience=10)
        assert 0.2 < time.monotonic() - began < 5


def test_connections_of_before_that_linger_do_not_make_a_port_busy() -> None:
    with _listening() as (listener, port):
        client = socket.create_connection(("127.0.0.1", port))
        server, _ = listener.accept()
        server.close()  # the side that closes first keeps the port in TIME_WAIT
        client.close()
    require_free("127.0.0.1", port, patience=0)


def test_an_address_that_is_not_ours_names_the_settings() -> None:
    with pytest.raises(Misconfigured, match="AIOPS_HOST, AIOPS_PORT: cannot listen on 192.0.2.1:3919: Cannot assign requested address"):
        require_free("192.0.2.1", 3919, patience=0)
