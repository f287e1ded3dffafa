"""Is the port free, and if not, who has it?"""

import errno
import os
import socket
import time
from pathlib import Path

from engine.errors import Misconfigured

_LISTEN = "0A"


def require_free(host: str, port: int, patience: float) -> None:
    """Wait a little for a port that a process of before is still giving up.

    Raises Misconfigured, naming the process that has it and the setting to change.
    """
    deadline = time.monotonic() + patience
    while not _is_free(host, port):
        if time.monotonic() > deadline:
            holder = _holder(port)
            raise Misconfigured(f"port {port} is in use{f' by {holder}' if holder else ''}: end it, or set AIOPS_PORT to another port")
        time.sleep(0.1)


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise Misconfigured(f"AIOPS_HOST, AIOPS_PORT: cannot listen on {host}:{port}: {error.strerror}") from None
    return True


def _holder(port: int) -> str:
    """The name and pid of the process that listens there, where we may see it."""
    inodes = {f"socket:[{inode}]" for inode in _listening(port)}
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                if any(os.readlink(handle) in inodes for handle in (process / "fd").iterdir()):
                    return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
            except OSError:
                continue
    return ""


def _listening(port: int) -> list[str]:
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        rows = [line.split() for line in lines]
        found += [row[9] for row in rows if row[3] == _LISTEN and int(row[1].rpartition(":")[2], 16) == port]
    return found
