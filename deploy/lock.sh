#!/bin/sh
# Resolves requirements.txt and tests/requirements.txt, together with deploy/planned.txt, into the locks that are installed.
set -eu
uv=0.13.9 pip=26.3
folder=.scratch/lock
rm -rf "$folder"
mkdir -p "$folder"
"$PYTHON" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "uv==$uv"
compile() {
  "$folder/venv/bin/uv" pip compile --quiet --universal --python-version 3.11 --only-binary :all: --no-annotate \
    --custom-compile-command "make lock" "$@"
}
echo "pip==$pip" > "$folder/pip.in"
compile requirements.txt tests/requirements.txt deploy/planned.txt "$folder/pip.in" --output-file "$folder/all.txt"
compile --generate-hashes --constraint "$folder/all.txt" "$folder/pip.in" --output-file deploy/pip.lock
compile --generate-hashes --constraint "$folder/all.txt" requirements.txt --output-file deploy/run.lock
compile --generate-hashes --constraint "$folder/all.txt" tests/requirements.txt --output-file deploy/test.lock
