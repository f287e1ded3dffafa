#!/bin/sh
# What `make test` runs: the static checks beside the whole specification, in two processes; with a folder of tests, that alone.
set -u
[ -z "${TEST_SEED:-}" ] || echo "Tests run in random order: TEST_SEED=$TEST_SEED repeats it."
if [ $# -gt 0 ]; then
  [ -d "tests/$1" ] || { echo "There is no folder tests/$1. There are: $(cd tests && ls -d [a-z]*/ | tr -d / | grep -v testkit | tr '\n' ' ')" >&2; exit 2; }
  exec .venv/bin/python -m pytest -n 2 "tests/$1"
fi
output=$(mktemp)
trap 'rm -f "$output"' EXIT
deploy/static.sh > "$output" 2>&1 &
static=$!
.venv/bin/python -c "from tests.testkit.installation import build_page; build_page()" > /dev/null 2>&1 & # whoever needs it waits for it
.venv/bin/python -m pytest -n 2 tests --cov --cov-report=term:skip-covered
tests=$?
wait $static
checks=$?
cat "$output"
[ $tests = 0 ] && [ $checks = 0 ]
