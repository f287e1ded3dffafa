#!/bin/sh
# Makes the Python environment: deploy/environment.sh FOLDER LOCK. Names what is missing, and the package that has it.
set -eu
folder=$1 lock=$2
fail() { printf '  ✗ %s\n' "$1" >&2; exit 1; }

[ "$(uname -s)" = Linux ] || fail "Linux is needed; this is $(uname -s)."
getconf GNU_LIBC_VERSION >/dev/null 2>&1 || fail "A Linux with glibc is needed (Debian, Ubuntu, Fedora, …); this one has another C library."
command -v "$PYTHON" >/dev/null || fail "Python 3.11 is missing. Debian 12: apt install python3.11 python3.11-venv. Elsewhere set PYTHON=/path/to/python3.11."
version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
[ "$version" = 3.11 ] || fail "Python 3.11 is needed; $PYTHON is $version. Set PYTHON=/path/to/python3.11."
"$PYTHON" -c 'import venv, ensurepip' 2>/dev/null || fail "Python's venv is missing. Debian: apt install python3.11-venv."
[ -w . ] || fail "This folder is not writable for $(id -un): clone the project into a folder of your own."

if ! "$folder/bin/python" -c '' 2>/dev/null; then
  rm -rf "$folder"
  echo "Making the Python environment in $folder."
  "$PYTHON" -m venv "$folder"
fi
install() { "$folder/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --requirement "$1"; }
echo "Installing what $lock names; this takes a minute, once."
# The lock has the hash of every file: what a registry may have changed since is refused. pip first, as it does the checking.
{ install deploy/pip.lock && install "$lock"; } ||
  fail "Installing failed. The lines above say why; is PyPI (or your mirror of it) reachable?"
