#!/bin/sh
# What `make check` runs: the static checks beside the fast tests. Says all that failed, and ends with 1 then.
set -u
said=$(mktemp)
trap 'rm -f "$said"' EXIT
deploy/static.sh > "$said" 2>&1 &
static=$!
.venv/bin/python -m pytest tests -m fast
tests=$?
wait $static
checks=$?
cat "$said"
[ $tests = 0 ] && [ $checks = 0 ]
