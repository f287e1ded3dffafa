#!/bin/sh
# What `make check` runs: the static checks beside the fast tests. Says all that failed, and ends with 1 then.
set -u
output=$(mktemp)
trap 'rm -f "$output"' EXIT
deploy/static.sh > "$output" 2>&1 &
static=$!
.venv/bin/python -m pytest tests -m fast
tests=$?
wait $static
checks=$?
cat "$output"
if [ $tests = 0 ] && [ $checks = 0 ]; then echo "All is well."; else echo "Something failed; it is said above." >&2; exit 1; fi
