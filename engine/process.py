"""How is a child started so that it never outlives us?"""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

ChildProcess = subprocess.Popen[bytes]

_PR_SET_PDEATHSIG = 1
# Looked up before any fork: between fork and exec nothing may be imported.
_libc = ctypes.CDLL(None, use_errno=True)
_RESETTABLE = tuple(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})


def spawn(
    arguments: Sequence[str | Path],
    *,
    at_our_death: signal.Signals,
    user: str | None = None,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    output: IO[bytes] | int | None = None,
) -> ChildProcess:
    """Start a child in a process group of its own that the kernel signals when this process dies (prctl(2)).

    It begins with the default action for every signal, also where this process ignores one: a shell starts what it puts
    into the background with SIGINT ignored, `nohup` with SIGHUP, and a child that inherits that cannot be asked to end.
    Call it from a thread that lives as long as the process: the kernel watches the thread, not the process.
    """
    parent = os.getpid()

    def prepare() -> None:
        for number in _RESETTABLE:
            signal.signal(number, signal.SIG_DFL)
        _libc.prctl(_PR_SET_PDEATHSIG, at_our_death)
        if os.getppid() != parent:
            os._exit(1)

    return subprocess.Popen(  # noqa: S603 the arguments are ours, and no shell reads them
        [str(a) for a in arguments],
        preexec_fn=prepare,  # noqa: PLW1509 nothing but system calls
        process_group=0,
        user=user,
        group=user,
        extra_groups=[] if user else None,
        env=dict(environment) if environment is not None else None,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
    )


def end(child: ChildProcess, first: signal.Signals, patience: float) -> None:
    """Ask the child to end, wait `patience` seconds, and kill its group if it has not."""
    if child.poll() is not None:
        return
    child.send_signal(first)
    try:
        child.wait(patience)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    with suppress(ProcessLookupError):  # what it has started and left
        os.killpg(child.pid, signal.SIGKILL)


def running_in(folder: Path, name: str) -> list[int]:
    """Processes of that name whose working directory is the folder. Zombies have none."""
    if not folder.exists():
        return []
    place, found = os.stat(folder), []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                here = os.stat(f"/proc/{entry.name}/cwd")
                called = Path(f"/proc/{entry.name}/comm").read_text().strip()
            except OSError:
                continue  # gone meanwhile, a zombie, or not ours to see
            if (here.st_dev, here.st_ino, called) == (place.st_dev, place.st_ino, name):
                found.append(int(entry.name))
    return found


def wait_for_none(folder: Path, name: str, patience: float) -> None:
    """Wait until no process of that name works in the folder, or patience is over."""
    deadline = time.monotonic() + patience
    while running_in(folder, name) and time.monotonic() < deadline:
        time.sleep(0.02)


def signal_all(processes: list[int], kill: signal.Signals) -> None:
    """Signal those that are still there."""
    for pid in processes:
        try:
            os.kill(pid, kill)
        except ProcessLookupError:
            continue
